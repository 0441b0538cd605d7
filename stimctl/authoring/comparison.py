"""How one protocol differs from another, the clinical side first: what is given, then each channel, then every field.

The first file is called A and the second one B. What only bears another name in B is told as renamed, and compared under
its new name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple, final

from stimctl.authoring import doses, fields, renames
from stimctl.authoring.doses import Found, Value
from stimctl.authoring.fields import DIFFERS, ONLY_A, ONLY_B, ORDER, RENAMED, Change, shown
from stimctl.authoring.renames import Renames, Tables

__all__ = ["Change", "Said", "compare", "lines", "shown"]

_LONG: Final = 90
"""Signs beyond which two texts stand below each other and not side by side."""

_FEW: Final = 3
"""So many entries of a list that came and went are told one by one."""


@final
class Said(NamedTuple):
    """What a file says, in its own names with its defaults, and what it comes to."""

    tables: Tables
    found: Found


def compare(before: Said, after: Said) -> tuple[Change, ...]:
    """Every difference between two files; none: they say the same."""
    names = renames.found(before.tables, after.tables)
    old, new = renames.applied(before.tables, names), after.tables
    clinical = list(_treatment(before, after, names))
    told = {each.what for each in clinical}
    rows = dict(_channels(before.found, after.found, names))
    changes = [each for each in fields.fields(old, new) if each.section != "head" or each.what not in told]
    return tuple(_in_order(clinical, _renamed(names), rows, changes))


def _in_order(
    clinical: Sequence[Change], renamed: Sequence[Change], rows: dict[str, list[tuple[str, Change]]], rest: list[Change]
) -> Iterator[Change]:
    """The treatment, then the channels, each with its figures before its other fields; no section twice."""
    yield from clinical
    yield from renamed
    of_channels = [each for each in rest if each.section.startswith("channel")]
    for section in dict.fromkeys((*rows, *(each.section for each in of_channels))):
        figures = rows.get(section, [])
        yield from (change for _, change in figures)
        told = {field for field, _ in figures if field}
        yield from (
            each for each in of_channels if each.section == section and each.what.rpartition(".")[2] not in told
        )
    yield from (each for each in rest if each not in of_channels)


def _treatment(before: Said, after: Said, names: Renames) -> Iterator[Change]:
    kinds = before.tables["kind"], after.tables["kind"]
    if kinds[0] != kinds[1]:
        yield Change("treatment", "kind", *kinds)
    phases = [each["name"] for each in before.tables.get("phase", ())]
    olds = doses.whole(before.found, phases, names)
    for pair in doses.paired(olds, doses.whole(after.found)):
        yield Change("treatment", pair.what, pair.before, pair.after, pair.unit)


def _channels(before: Found, after: Found, names: Renames) -> Iterator[tuple[str, list[tuple[str, Change]]]]:
    """The figures of every channel that both files have, each with the field that it stands for."""
    olds, news = doses.by_name(before, names.channels), doses.by_name(after)
    alone = len(olds) == len(news) == 1
    for name in (name for name in olds if name in news):
        section = f"channel {name}"
        pairs = doses.paired(doses.channel(olds[name], alone=alone), doses.channel(news[name], alone=alone))
        changes = [(each.field, Change(section, each.what, each.before, each.after, each.unit)) for each in pairs]
        if changes:
            yield section, changes


def _renamed(names: Renames) -> list[Change]:
    parts = (("channel", names.channels), ("pad", names.pads), ("phase", names.phases))
    return [Change(f"{part} {old}", RENAMED, old, new) for part, known in parts for old, new in known.items()]


# --- in words ----------------------------------------------------------------------------------------------------


def lines(changes: Sequence[Change]) -> Iterator[str]:
    """The changes as a person reads them; a section of one change is one line."""
    wide = False
    for section, group in groupby(changes, key=lambda each: each.section):
        of_section = list(group)
        rows = [row for each in of_section for row in _rows(each)]
        narrow = len(rows) == 1
        if wide or not narrow:
            yield ""
        wide = not narrow
        if narrow:
            yield rows[0] if section == "head" else f"{section}: {rows[0]}"
            continue
        yield section
        yield from (f"  {row}" for row in rows)


def _rows(each: Change) -> Iterator[str]:
    unit = f" {each.unit}" if each.unit else ""
    name = _name(each)
    if each.what in (ONLY_A, ONLY_B):
        yield f"{each.what}: {shown(each.after if each.before is None else each.before)}"
    elif each.what == DIFFERS:
        yield f"{DIFFERS}; see stimctl diff {each.before} {each.after}"
    elif each.what == RENAMED:
        yield f"renamed to {shown(each.after)}, all else equal"
    elif isinstance(each.before, tuple) and isinstance(each.after, tuple) and each.what != ORDER:
        yield from _listed(name, each.before, each.after)
    elif len(shown(each.before)) + len(shown(each.after)) > _LONG:
        yield f"{name}:"
        yield f"  A: {shown(each.before)}"
        yield f"  B: {shown(each.after)}"
    else:
        yield f"{name}: {shown(each.before)} -> {shown(each.after)}{unit}{_percent(each)}"


def _name(each: Change) -> str:
    """A field without the way to it that its section says already."""
    depth = len(each.section.split(" (")[0].split())
    return each.what if "." not in each.what else ".".join(each.what.split(".")[depth:])


def _listed(name: str, before: tuple[str, ...], after: tuple[str, ...]) -> Iterator[str]:
    """A list: what is no more in it, and what has come."""
    gone, come = ([each for each in one if each not in other] for one, other in ((before, after), (after, before)))
    if not (gone or come) or len(shown(before)) + len(shown(after)) <= _LONG:
        yield f"{name}: {shown(before)} -> {shown(after)}"
        return
    if len(gone) + len(come) > _FEW:
        yield f"{name}: {len(gone)} {ONLY_A}, {len(come)} {ONLY_B}"
        return
    yield from (f"{name}, {ONLY_A}: {each}" for each in gone)
    yield from (f"{name}, {ONLY_B}: {each}" for each in come)


def _percent(each: Change) -> str:
    before, after = _number(each.before), _number(each.after)
    if not before or after is None or each.unit == "%":
        return ""
    percent = 100 * (after - before) / before
    return f" ({percent:+.0f} %)" if abs(percent) >= 1 else ""


def _number(value: Value) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
