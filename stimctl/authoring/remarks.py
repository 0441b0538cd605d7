"""What a person should look at in a file that nothing forbids: the warn column's findings, and what is unusual.

Each has its reason, and its place where one line of the file says it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple, final

from stimctl.limits import SMALL_PAD_UM2, BodyPart
from stimctl.protocols.findings import Path
from stimctl.protocols.places import Places, find_places
from stimctl.safety import Finding, Rule
from stimctl.schedule import ChannelPlan, Schedule
from stimctl.session.summary import warning_lines
from stimctl.units import UM2_PER_CM2

_LOAD: Final = "max_amplitude_ma"
_FIELDS: Final = {
    Rule.PEAK: _LOAD,
    Rule.CHARGE: _LOAD,
    Rule.RMS: _LOAD,
    Rule.RMS_DENSITY: _LOAD,
    Rule.POWER_DENSITY: _LOAD,
    Rule.ENERGY: _LOAD,
    Rule.PHASE_WIDTH: "phase_width_us",
    Rule.RATE: "rate_hz",
    Rule.GAP: "interphase_gap_us",
}
"""The field of a channel that a finding is about."""

_TIMES: Final[dict[Rule, tuple[Path, ...]]] = {
    Rule.ON_TIME: (("burst", "hold_s"), ("phase",), ("cycle",)),
    Rule.DUTY: (("burst", "rest_s"), ("sequence", "rest_s"), ("cycle",)),
    Rule.RAMP_UP: (("burst", "ramp_up_s"), ("phase",), ("control",)),
    Rule.SITE_TIME: (("dose",),),
}
"""Where a finding about time may stand, in the kinds that have such a part."""

_SKIN: Final = "the skin under the pad bears it: look at it after the first session, or take larger pads"
_SMALL: Final = "all of it passes a small pad: take a larger one, or lower max_amplitude_ma"
_REASONS: Final = {
    Rule.PEAK: "strong for this place: expect discomfort before movement; a longer phase or other pads may do with less",
    Rule.PHASE_WIDTH: "long phases reach pain fibres sooner",
    Rule.RATE: "a high rate; sensation adapts and the load on the skin grows with it",
    Rule.CHARGE: "much charge in each phase: raise slowly and ask at every step",
    Rule.ENERGY: "strong single pulses are felt as blows",
    Rule.RMS: _SKIN,
    Rule.RMS_DENSITY: _SKIN,
    Rule.POWER_DENSITY: _SKIN,
    Rule.SHARED_PAD_PEAK: "all that these channels give passes the shared pad",
    Rule.SHARED_PAD_CHARGE: "all that these channels give passes the shared pad",
    Rule.SHARED_PAD_RMS: _SKIN,
    Rule.SHARED_PAD_DENSITY: _SKIN,
    Rule.ON_TIME: "a long burst tires the muscle before the set is over",
    Rule.DUTY: "little rest for the time on: the muscle tires",
    Rule.RAMP_UP: "a quick rise startles, and sets off spasticity",
    Rule.SITE_TIME: "long for one place: tired muscle, and skin that is not looked at",
}
"""Why the warn column asks (all project, as the bounds themselves)."""

_TOLD: Final = re.compile(r"protocol line (\d+): ")
_SCALES: Final = {"µA": (1e3, "mA"), "nC": (1e3, "µC"), "mHz": (1e3, "Hz"), "µs": (1, "µs"), "µJ": (1e3, "mJ")}


@final
class Remark(NamedTuple):
    """One thing to look at. ``line`` and ``column`` count from 1; 0 where no line of the file says it alone."""

    message: str
    line: int = 0
    column: int = 0


def remarks(findings: tuple[Finding, ...], schedule: Schedule, text: str) -> tuple[Remark, ...]:
    """Every remark about a file that passed its checks and its dry flight; the places are looked up only for one."""
    unusual = [_placed(line) for line in warning_lines((), schedule, text)]
    places = find_places(text) if findings else None
    return (*(_remark(finding, schedule, places) for finding in dict.fromkeys(findings)), *unusual)


def _placed(line: str) -> Remark:
    """A line of the session's, which names its place in words."""
    told = _TOLD.match(line)
    return Remark(line[told.end() :], int(told[1]), 1) if told else Remark(line)


def _remark(finding: Finding, schedule: Schedule, places: Places | None) -> Remark:
    number = next((at for at, plan in enumerate(schedule.channels) if plan.channel == finding.channel), None)
    name = "all channels" if number is None else schedule.channels[number].name
    value, bound = _words(finding.value, finding), _words(finding.bound, finding)
    least = "below" if finding.value < finding.bound else "beyond"
    small = _small_pad(finding, None if number is None else schedule.channels[number])
    reason = f": {_SMALL if small else _REASONS[finding.rule]}" if finding.rule in _REASONS else ""
    message = f"{name}: {finding.rule} {value} is {least} {bound} ({finding.bound_from}{small}){reason}"
    place = next(filter(None, (_place(path, places) for path in _paths(finding, number))), (0, 0))
    return Remark(message, *place)


def _small_pad(finding: Finding, plan: ChannelPlan | None) -> str:
    """Which pad brings the hand's bound to another place, as the end of a sentence; "" where none does."""
    if plan is None or plan.part is BodyPart.THENAR or finding.rule not in (Rule.PEAK, Rule.CHARGE):
        return ""
    small = [pad.name for pad in plan.pads if pad.area_um2 < SMALL_PAD_UM2]
    return f"; that of the hand, because pad `{small[0]}` is under {SMALL_PAD_UM2 // UM2_PER_CM2} cm²" if small else ""


def _words(value: int, finding: Finding) -> str:
    if finding.rule in _TIMES and finding.unit == "µs":
        return f"{value / 1e6:g} s" if value < 60_000_000 else f"{value / 6e7:g} min"
    scale, unit = _SCALES.get(finding.unit, (1, finding.unit))
    return f"{value / scale:g} {unit}".strip()


def _paths(finding: Finding, number: int | None) -> Iterator[Path]:
    """Where in the file a finding may stand, the likeliest first."""
    yield from _TIMES.get(finding.rule, ())
    if number is not None and finding.rule in _FIELDS:
        yield ("channel", number, _FIELDS[finding.rule])
    _, _, pad = finding.bound_from.partition(", pad ")
    if pad:
        yield ("pads", pad, "model")


def _place(path: Path, places: Places | None) -> tuple[int, int] | None:
    """Line and column of a path that the file states itself."""
    found = places.stated(path) if places is not None else None
    return (found.line, found.column) if found is not None else None
