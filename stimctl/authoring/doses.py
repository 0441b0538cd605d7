"""What a patient gets of a file, in rows that can stand beside another file's: the whole of it, then each channel.

Whatever the kind, the whole has a length, a time on and a charge; where nothing flows, these are zero and not missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias, final

from stimctl.authoring.facts import ChannelFacts, Facts
from stimctl.authoring.plans import PlanFacts
from stimctl.authoring.renames import Renames
from stimctl.schedule.guided import GuidePlan
from stimctl.session.guide_wording import prescribed_line
from stimctl.units import MINUTE

Value: TypeAlias = int | float | str | bool | tuple[str, ...] | None
Found: TypeAlias = Facts | PlanFacts | GuidePlan
"""What a file comes to: one that stimulates, a plan, guided work."""

NEAREST: Final = "nearest limit"


@final
class Row(NamedTuple):
    """One thing that is compared; ``field`` is the file's own name of it, where it stands there."""

    what: str
    value: Value
    unit: str = ""
    field: str = ""


@final
class Pair(NamedTuple):
    """One thing in two files; ``None`` where one of them has no such thing."""

    what: str
    before: Value
    after: Value
    unit: str
    field: str


def paired(olds: Sequence[Row], news: Sequence[Row]) -> Iterator[Pair]:
    """What is not the same, in the order of the longer of the two lists, and then what only the other one has."""
    before, after = {each.what: each for each in olds}, {each.what: each for each in news}
    for row in ({**after, **before} if len(after) > len(before) else {**before, **after}).values():
        one, other = before.get(row.what), after.get(row.what)
        pair = Pair(row.what, one.value if one else None, other.value if other else None, row.unit, row.field)
        if not _equal(pair.before, pair.after):
            yield pair


def _equal(one: Value, other: Value) -> bool:
    """Sums that were added up in another order are the same to their last digits but one."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9)
    return one == other


# --- the whole ---------------------------------------------------------------------------------------------------


def whole(found: Found, phases: Sequence[str] = (), names: Renames | None = None) -> tuple[Row, ...]:
    """What the whole file comes to; ``phases`` are its own names, ``names`` under which its parts are told."""
    if isinstance(found, Facts):
        return tuple(_stimulating(found, phases, names or Renames({}, {}, {})))
    if isinstance(found, PlanFacts):
        return tuple(_plan(found))
    return tuple(_guided(found))


def _stimulating(found: Facts, phases: Sequence[str], names: Renames) -> Iterator[Row]:
    told = found.prescribed.partition(": ")[2]
    if phases:  # a phase with another name is no other prescription
        now = ", ".join(names.phases.get(each, each) for each in phases)
        told = told.replace(f"({', '.join(phases)})", f"({now})")
    yield Row("prescribed", told)
    yield from _times(found.length_s / 60, found.on_s / 60)
    yield Row("duty of a cycle", found.duty_percent, "%")
    yield Row("pulses", found.pulses)
    yield Row("charge per phase in all, at most", found.charge_mc, "mC")
    channels = found.channels
    yield Row("highest charge per phase", max((each.charge_uc for each in channels), default=0.0), "µC")
    yield Row("highest rms", max((each.rms_ma for each in channels), default=0.0), "mA")
    if not found.pads:
        return
    density, pad = min((-each.rms_density_ma_cm2, names.pads.get(each.name, each.name)) for each in found.pads)
    yield Row("highest rms density", -density, "mA/cm²")
    yield Row("highest density on", f"pad {pad}")
    _, name, near = min(
        (-each.nearest.percent, names.channels.get(each.name, each.name), each.nearest) for each in channels
    )
    yield Row(NEAREST, f"{name}, {near}" if len(channels) > 1 else str(near))


def _plan(found: PlanFacts) -> Iterator[Row]:
    yield from _times(found.length_s / 60, found.on_s / 60)
    yield Row("repetitions", found.repetitions)
    yield Row("charge per phase in all, at most", found.charge_mc, "mC")
    for load in found.sites:
        yield Row(f"{load.site} with thresholds and trials", load.counted_us / MINUTE, "min")


def _guided(found: GuidePlan) -> Iterator[Row]:
    yield Row("prescribed", prescribed_line(found).partition(": ")[2])
    yield from _times(found.longest_us / MINUTE, 0.0)
    yield Row("repetitions", found.prescribed)
    yield Row("charge per phase in all, at most", 0.0, "mC")


def _times(length_min: float, on_min: float) -> tuple[Row, Row]:
    return Row("length at most", length_min, "min"), Row("time on", on_min, "min")


# --- a channel ---------------------------------------------------------------------------------------------------


def channel(each: ChannelFacts, *, alone: bool) -> tuple[Row, ...]:
    """What one channel comes to; of one that is ``alone`` the rest stands with the whole."""
    rows = (
        Row("amplitude prescribed", each.amplitude_ma, "mA", "amplitude_ma"),
        Row("amplitude at most", each.max_amplitude_ma, "mA", "max_amplitude_ma"),
        Row("phase width", each.phase_width_us, "µs", "phase_width_us"),
        Row("rate", each.rate_hz, "Hz", "rate_hz"),
        Row("pulses in a period", each.pulses_per_period, "", "pulses_per_period"),
        Row("charge per phase, prescribed", each.charge_prescribed_uc, "µC"),
    )
    if alone:
        return rows
    return (
        *rows,
        Row("charge per phase, at most", each.charge_uc, "µC"),
        Row("rms at most", each.rms_ma, "mA"),
        *_with_pauses(each),
        Row("rms density at most", each.rms_density_ma_cm2, "mA/cm²"),
        Row("time on", each.on_s / 60, "min"),
        Row("charge per phase in all, at most", each.charge_mc, "mC"),
        Row(NEAREST, str(each.nearest)),
    )


def _with_pauses(each: ChannelFacts) -> tuple[Row, ...]:
    """The mean over the pauses between bursts of pulses, where there are such."""
    return (Row("rms with pauses", each.rms_period_ma, "mA"),) if each.rms_period_ma < each.rms_ma else ()


def by_name(found: Found, names: Mapping[str, str] | None = None) -> dict[str, ChannelFacts]:
    """The channels of a file by the names under which they are told."""
    channels = found.channels if isinstance(found, Facts) else ()
    return {(names or {}).get(each.name, each.name): each for each in channels}
