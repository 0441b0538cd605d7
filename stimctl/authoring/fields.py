"""Every field in which two files' tables differ; a channel, pad, phase or step that only one of them has is a single line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Final, NamedTuple, TypeAlias, final

from stimctl.authoring.doses import Value
from stimctl.authoring.renames import Tables

ONLY_A: Final = "only in A"
ONLY_B: Final = "only in B"
RENAMED: Final = "renamed"
ORDER: Final = "order"
DIFFERS: Final = "differs"

Path: TypeAlias = tuple[str, ...]

_HEADS: Final = ("format", "kind", "title", "purpose", "sources", "stages")
_ORDER: Final = (
    "channel",
    "burst",
    "phase",
    "sequence",
    "cycle",
    "packet",
    "modulation",
    "alternation",
    "dose",
    "script",
    "trigger",
    "switch",
    "control",
)
"""Parts of a file in the order in which a clinician asks for them; others come after these."""

_BY_NAME: Final = {"channel": "channels", "phase": "phases", "pads": "pads"}
"""Parts whose tables have names, and the heading of what is said of all of them."""

_WAITS: Final = {"key": ", until the key", "attempt": ", until the attempt"}


@final
class Change(NamedTuple):
    """One difference. ``before`` or ``after`` is ``None`` where a file says nothing of it.

    ``what`` is a name for people, a field's path, or, for a whole part of a file, one of the words above.
    """

    section: str
    what: str
    before: Value
    after: Value
    unit: str = ""


def shown(value: Value) -> str:
    """A value as a person reads it in a comparison."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def fields(old: Tables, new: Tables) -> Iterator[Change]:
    """Every field, in the order of :data:`_ORDER`."""
    for key in sorted(dict.fromkeys((*old, *new)), key=_rank):
        before, after = old.get(key), new.get(key)
        if before == after or not (before or after):
            continue
        if key in _HEADS:
            yield Change("head", key, _leaf(before), _leaf(after))
        elif key in _BY_NAME:
            yield from _named(key, _tables(before), _tables(after))
        elif isinstance(before or after, Mapping):
            yield from _part(key, before, after)
        else:
            yield from _numbered(key, before or (), after or ())


def _rank(key: str) -> tuple[int, int]:
    """Parts of the file in their order, the head last; what is equal keeps its place."""
    if key in _HEADS:
        return 2, 0
    return (0, _ORDER.index(key)) if key in _ORDER else (1, 0)


def _part(key: str, before: Any, after: Any) -> Iterator[Change]:
    if not (before and after):
        yield _whole(key, key, before, after)
        return
    yield from _leaf_changes(key, (key,), before, after)


def _leaf_changes(section: str, at: Path, before: Any, after: Any) -> Iterator[Change]:
    olds, news = dict(_leaves(before, at)), dict(_leaves(after, at))
    for path in dict.fromkeys((*olds, *news)):
        if olds.get(path) != news.get(path):
            yield Change(section, ".".join(path), olds.get(path), news.get(path))


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Value]]:
    """Every single value with the way to it."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _leaves(each, (*path, str(key)))
    else:
        yield path, _leaf(value)


def _leaf(value: Any) -> Value:
    if isinstance(value, (list, tuple)):
        return tuple(map(str, value)) or None
    assert value is None or isinstance(value, (str, int, float))
    return value


# --- tables with names, and tables in a row ----------------------------------------------------------------------


def _tables(value: Any) -> dict[str, Tables]:
    """By name. A name is how a table is known, and no field of it."""
    if isinstance(value, Mapping):
        return dict(value)
    return {each["name"]: {key: field for key, field in each.items() if key != "name"} for each in value or ()}


def _named(key: str, olds: Mapping[str, Tables], news: Mapping[str, Tables]) -> Iterator[Change]:
    for name in dict.fromkeys((*olds, *news)):
        section = f"{key.removesuffix('s')} {name}"
        if name in olds and name in news:
            yield from _leaf_changes(section, (key, name), olds[name], news[name])
        else:
            yield _whole(section, key, olds.get(name), news.get(name))
    before, after = (tuple(name for name in each if name in olds and name in news) for each in (olds, news))
    if key != "pads" and before != after:
        yield Change(_BY_NAME[key], ORDER, before, after)


def _numbered(key: str, olds: Sequence[Tables], news: Sequence[Tables]) -> Iterator[Change]:
    """Steps, blocks and sentences: one more in the midst of them is not a change of all that follow."""
    seen: list[Tables] = []
    for each in (*olds, *news):
        if each not in seen:
            seen.append(each)
    before, after = ([seen.index(each) for each in tables] for tables in (olds, news))
    for same, begin, end, start, stop in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if same == "equal":
            continue
        both = min(end - begin, stop - start)
        for one, other in zip(range(begin, begin + both), range(start, start + both), strict=True):
            section = f"{key} {one + 1}" + (f" ({other + 1} in B)" if one != other else "")
            yield from _leaf_changes(section, (key, str(one + 1)), olds[one], news[other])
        for one in range(begin + both, end):
            yield _whole(f"{key} {one + 1}", key, olds[one], None)
        for other in range(start + both, stop):
            yield _whole(f"{key} {other + 1}", key, None, news[other])


# --- a whole table in a line -------------------------------------------------------------------------------------


def _whole(section: str, key: str, before: Any, after: Any) -> Change:
    words = _WORDS.get(key, _any_words)
    if before is None:
        return Change(section, ONLY_B, None, words(after))
    return Change(section, ONLY_A, words(before), None)


def _any_words(table: Tables) -> str:
    return ", ".join(f"{'.'.join(path)} {shown(value)}" for path, value in _leaves(table, ()) if value is not None)


def _channel_words(table: Tables) -> str:
    doublets = f", {table['pulses_per_period']} pulses in a period" if table["pulses_per_period"] > 1 else ""
    return (
        f"{table['rate_hz']:g} Hz, {table['phase_width_us']} µs, {table['amplitude_ma']:g} mA (at most"
        f" {table['max_amplitude_ma']:g}){doublets}, output {table['output']}, {table['muscle']}, {table['site']},"
        f" pads {' and '.join(table['pads'])}"
    )


def _phase_words(table: Tables) -> str:
    words = [f"{table['length_s']:g} s{_WAITS.get(table['advance'], '')}"]
    for name, goal in table["channel"].items():
        delay = f" after {goal['delay_s']:g} s" if goal["delay_s"] else ""
        words.append(f"{name} to {goal['share_percent']} % in {goal['ramp_s']:g} s{delay}")
    cue = [f'cue "{table["cue"]}"'] if "cue" in table else []
    return "; ".join([*words, *cue])


def _pad_words(table: Tables) -> str:
    return str(table["model"])


_WORDS: Final = {"channel": _channel_words, "phase": _phase_words, "pads": _pad_words}
