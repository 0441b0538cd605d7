"""What the course of guided work hears and tells, and what it has counted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, final

from stimctl.engine.guide_table import GuideEvent
from stimctl.schedule.guided import Logged


@final
class Told(StrEnum):
    """What the course has to tell, by the record's words."""

    STEP = "step"
    COUNTED = "repetition-counted"
    MISSED = "repetition-missed"
    UNHEARD = "repetition-unheard"
    DONE = "repetition-done"
    GOAL = "goal-moved"
    SET_OVER = GuideEvent.SET_OVER.value
    REST_OVER = GuideEvent.REST_OVER.value
    DOSE_DONE = GuideEvent.DOSE_DONE.value


@final
class Happening(NamedTuple):
    """Something that happened at ``at_us``: what was said, or where a goal moved to (thousandths)."""

    what: Told
    at_us: int
    say: str = ""
    goal: int = 0


@final
class Heard(NamedTuple):
    """What came in since the last look. ``value`` in thousandths of the measured unit, ``None`` where there is none.

    ``ready``: whether an attempt could be recognised now.
    """

    key: bool = False
    onset: bool = False
    value: int | None = None
    ready: bool = True


NOTHING: Final = Heard()


@final
@dataclass(slots=True)
class Tally:
    """What was done so far; times in µs. ``reached``, ``missed`` and ``unheard`` are attempts, ``counted`` all counts."""

    done: int = 0
    reached: int = 0
    missed: int = 0
    unheard: int = 0
    counted: int = 0
    beats: int = 0
    practice_us: int = 0
    imagery_us: int = 0
    rest_us: int = 0
    highest_goal: int = 0
    stops: int = 0

    @property
    def reached_percent(self) -> int | None:
        """Share of the attempts that came to their goal; what nobody could measure is not in it."""
        attempts = self.reached + self.missed
        return 100 * self.reached // attempts if attempts else None

    def log(self, as_what: Logged, us: int) -> None:
        """Add a stretch of time."""
        if as_what is Logged.PRACTICE:
            self.practice_us += us
        elif as_what is Logged.IMAGERY:
            self.imagery_us += us
        else:
            self.rest_us += us
