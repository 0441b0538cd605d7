"""What a person should look at in a file that nothing forbids: the warn column's findings, and what is unusual.

Each has its reason, and its place where one line of the file says it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple, final

from stimctl.protocols.findings import Path
from stimctl.protocols.places import Places, find_places
from stimctl.safety import Finding, Rule
from stimctl.schedule import Schedule
from stimctl.session.cautions import caution
from stimctl.session.summary import warning_lines

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

_TOLD: Final = re.compile(r"protocol line (\d+): ")


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
    place = next(filter(None, (_place(path, places) for path in _paths(finding, number))), (0, 0))
    return Remark(caution(finding, schedule), *place)


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
