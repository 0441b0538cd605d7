"""How much of the level a control signal asks for: a dead zone, a straight line, a slope that a rise keeps to, and a latch.

Pure: readings and times go in, a share comes out. Proportional and nothing more: nothing is added up over time, so nothing
can drift while output is cut (hazard H28) or swing (H29). What cannot be believed asks for nothing, at once, and so it stays
until the signal has been back in the dead zone (H27): a hand that happens to be open when its sensor comes back does not
make the other one jump.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple, final

from stimctl.engine.lanes import LATE_US
from stimctl.schedule import FULL_PPM, ControlPlan
from stimctl.units import SECOND

STUCK_US: Final = 2 * SECOND
"""A reading that has not changed in its last digit for this long, outside the dead zone, is no living hand's (H27, project)."""

WILD_PPM: Final = -FULL_PPM // 2
"""What lies so far below the range that was found today, or beyond the plan's ``most_ppm``, comes of a broken sensor or one
that slipped (H27, project)."""


@final
class Reading(NamedTuple):
    """A control signal: its place in today's range, from 0 at rest to :data:`FULL_PPM`, and how old it is in µs."""

    value_ppm: int
    age_us: int


@final
class Lost(StrEnum):
    """Why a signal cannot be believed."""

    ABSENT = "absent"
    STALE = "too old"
    WILD = "far outside its range"
    STUCK = "stuck"


@final
class Follower:
    """One signal's share of the level from moment to moment; ``ppm`` as of the last :meth:`step`. Begins latched."""

    def __init__(self, plan: ControlPlan, now_us: int = 0) -> None:
        self._plan = plan
        self._stepped_us = now_us
        self._value_ppm: int | None = None
        self._changed_us = now_us
        self.lost: Lost | None = None
        self.latched = True
        self.ppm = 0

    def latch(self) -> None:
        """Ask for nothing until the signal has been in the dead zone: after every arming, as after a loss."""
        self.latched, self.ppm = True, 0

    def step(self, now_us: int, reading: Reading | None) -> int:
        """The share at ``now_us``, in ppm. A fall acts at once; a rise keeps to the slope, in time that was not late."""
        elapsed_us, self._stepped_us = max(0, now_us - self._stepped_us), now_us
        self.lost = self._doubt(now_us, reading)
        if self.lost is not None or reading is None:
            self.latch()
            return 0
        wanted_ppm = wanted(self._plan, reading.value_ppm)
        self.latched = self.latched and wanted_ppm > 0
        if self.latched:
            return 0
        most_ppm = self.ppm + self._plan.slew_ppm_per_s * min(elapsed_us, LATE_US) // SECOND
        self.ppm = min(wanted_ppm, most_ppm)
        return self.ppm

    def _doubt(self, now_us: int, reading: Reading | None) -> Lost | None:
        """What is wrong with a reading; a moment from the future is as bad as an old one."""
        if reading is None:
            return Lost.ABSENT
        if reading.value_ppm != self._value_ppm:
            self._value_ppm, self._changed_us = reading.value_ppm, now_us
        if not 0 <= reading.age_us <= self._plan.stale_us:
            return Lost.STALE
        if not WILD_PPM <= reading.value_ppm <= self._plan.most_ppm:
            return Lost.WILD
        if now_us - self._changed_us >= STUCK_US and wanted(self._plan, reading.value_ppm):
            return Lost.STUCK
        return None


def wanted(plan: ControlPlan, value_ppm: int) -> int:
    """The share that a place in the range asks for: none in the dead zone, all from ``full_ppm`` on, straight between."""
    above_ppm = value_ppm - plan.floor_ppm
    if above_ppm < 0:
        return 0
    # The zone's own edge is a little above nothing: a share of zero says that the hand is at rest.
    return max(1, min(FULL_PPM, FULL_PPM * above_ppm // (plan.full_ppm - plan.floor_ppm)))
