"""How one protocol differs from another, the clinical side first: what is given, to whom it is given how, then every field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple, final

from stimctl.authoring.facts import ChannelFacts, Facts

Value = int | float | str | bool | None

_SHOWN: Final = frozenset({"amplitude_ma", "max_amplitude_ma", "phase_width_us", "rate_hz", "pulses_per_period"})
"""Fields of a channel that are told with what follows from them, and not a second time."""

_HEADS: Final = ("format", "kind", "title", "purpose", "sources", "stages")
_ORDER: Final = (
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


@final
class Change(NamedTuple):
    """One difference. ``before`` or ``after`` is ``None`` where a file says nothing of it."""

    section: str
    what: str
    before: Value
    after: Value
    unit: str = ""

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.what}: {shown(self.before)} -> {shown(self.after)}{unit}{self._percent()}"

    def _percent(self) -> str:
        before, after = self.before, self.after
        numbers = all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in (before, after))
        if not numbers or not before:
            return ""
        assert isinstance(before, (int, float))
        assert isinstance(after, (int, float))
        percent = 100 * (after - before) / before
        return f" ({percent:+.0f} %)" if abs(percent) >= 1 else ""


def shown(value: Value) -> str:
    """A value as a person reads it in a comparison."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def compare(
    before: tuple[Mapping[str, Any], Facts | None], after: tuple[Mapping[str, Any], Facts | None]
) -> tuple[Change, ...]:
    """Every difference between two files, each as the tables it holds and what it comes to; none: they say the same."""
    (old, old_facts), (new, new_facts) = before, after
    clinical: list[Change] = []
    told: set[str] = set()
    if old_facts is not None and new_facts is not None:
        clinical += (*_treatment(old_facts, new_facts), *_channels(old_facts, new_facts))
        told = {each.name for each in old_facts.channels} & {each.name for each in new_facts.channels}
    return (*clinical, *_fields(old, new, told))


# --- what a file comes to ----------------------------------------------------------------------------------------


def _treatment(old: Facts, new: Facts) -> Iterator[Change]:
    rows: tuple[tuple[str, Value, Value, str], ...] = (
        ("length at most", old.length_s / 60, new.length_s / 60, "min"),
        ("time on", old.on_s / 60, new.on_s / 60, "min"),
        ("duty of a cycle", old.duty_percent, new.duty_percent, "%"),
        ("pulses", old.pulses, new.pulses, ""),
        ("total charge per phase, at most", old.charge_mc, new.charge_mc, "mC"),
        ("prescription", old.prescribed.partition(": ")[2], new.prescribed.partition(": ")[2], ""),
    )
    yield from _rows("treatment", rows)


def _channels(old: Facts, new: Facts) -> Iterator[Change]:
    news = {each.name: each for each in new.channels}
    olds = {each.name: each for each in old.channels}
    for name in dict.fromkeys(chain(olds, news)):
        section = f"channel {name}"
        if name not in news:
            yield Change(section, "channel", _one_line(olds[name]), None)
        elif name not in olds:
            yield Change(section, "channel", None, _one_line(news[name]))
        else:
            yield from _rows(section, _channel_rows(olds[name], news[name]))


def _one_line(each: ChannelFacts) -> str:
    return (
        f"{each.name}, output {each.output}, {each.amplitude_ma:g} (at most {each.max_amplitude_ma:g}) mA,"
        f" {each.phase_width_us} µs, {each.rate_hz:g} Hz"
    )


def _channel_rows(old: ChannelFacts, new: ChannelFacts) -> tuple[tuple[str, Value, Value, str], ...]:
    return (
        ("amplitude prescribed", old.amplitude_ma, new.amplitude_ma, "mA"),
        ("amplitude at most", old.max_amplitude_ma, new.max_amplitude_ma, "mA"),
        ("phase width", old.phase_width_us, new.phase_width_us, "µs"),
        ("rate", old.rate_hz, new.rate_hz, "Hz"),
        ("pulses in a period", old.pulses_per_period, new.pulses_per_period, ""),
        ("charge per phase, prescribed", old.charge_prescribed_uc, new.charge_prescribed_uc, "µC"),
        ("charge per phase, at most", old.charge_uc, new.charge_uc, "µC"),
        ("rms at most", old.rms_ma, new.rms_ma, "mA"),
        ("rms with pauses", old.rms_period_ma, new.rms_period_ma, "mA"),
        ("rms density at most", old.rms_density_ma_cm2, new.rms_density_ma_cm2, "mA/cm²"),
        ("time on", old.on_s / 60, new.on_s / 60, "min"),
        ("total charge per phase, at most", old.charge_mc, new.charge_mc, "mC"),
        ("nearest limit", str(old.nearest), str(new.nearest), ""),
    )


def _rows(section: str, rows: Sequence[tuple[str, Value, Value, str]]) -> Iterator[Change]:
    for what, before, after, unit in rows:
        if before != after:
            yield Change(section, what, before, after, unit)


# --- every field -------------------------------------------------------------------------------------------------


def _fields(old: Mapping[str, Any], new: Mapping[str, Any], told: set[str]) -> Iterator[Change]:
    before, after = dict(_leaves(old, ())), dict(_leaves(new, ()))
    paths = [path for path in dict.fromkeys((*before, *after)) if before.get(path) != after.get(path)]
    for path in sorted(paths, key=_rank):
        if path[0] == "channel" and path[-1] in _SHOWN and path[1] in told:
            continue
        section = "head" if path[0] in _HEADS else path[0]
        yield Change(section, ".".join(path), before.get(path), after.get(path))


def _rank(path: tuple[str, ...]) -> tuple[int, int]:
    """Parts of the file in their order, the head last; what is equal keeps its place."""
    if path[0] in _HEADS:
        return 2, 0
    return (0, _ORDER.index(path[0])) if path[0] in _ORDER else (1, 0)


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Value]]:
    """Every single value with the way to it; what is in a list goes by its name where it has one."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _leaves(each, (*path, str(key)))
    elif isinstance(value, (list, tuple)) and value and isinstance(value[0], Mapping):
        for number, each in enumerate(value, 1):
            yield from _leaves(each, (*path, str(each.get("name", number))))
    elif isinstance(value, (list, tuple)):
        yield path, ", ".join(map(str, value))
    else:
        yield path, value
