"""When a measured repetition counts, and where a goal moves: onsets, an angle that comes up, a goal that is held."""

from __future__ import annotations

from typing import final

from stimctl.engine.guide_words import Heard
from stimctl.schedule.guided import CountBy, GuidePlan


@final
class Measure:
    """Looks at every value, whether it can count just now or not: what began before an attempt is none."""

    def __init__(self, plan: GuidePlan) -> None:
        self._plan = plan
        self.goal = plan.goal.start if plan.goal else plan.reach.goal if plan.reach else 0
        """The goal that holds now, in thousandths; 0 for none."""
        self._released = False
        self._above_us: int | None = None
        self._row = 0

    def begin(self) -> None:
        """Another step begins: what was held until now is over."""
        self._above_us = None

    def came(self, heard: Heard, now_us: int, *, counting: bool) -> bool:
        """Whether what counts has come just now."""
        if self._plan.goal is not None:
            return self._is_held(heard.value, now_us, counting=counting)
        if self._plan.count_by is CountBy.EMG:
            return heard.onset
        return self._plan.count_by is CountBy.ANGLE and self._comes_up(heard.value)

    def _comes_up(self, value: int | None) -> bool:
        """Whether an angle has come to its goal, from below the level that releases it."""
        reach = self._plan.reach
        if value is None or reach is None:
            return False
        if value <= reach.release:
            self._released = True
        if value < reach.goal or not self._released:
            return False
        self._released = False
        return True

    def _is_held(self, value: int | None, now_us: int, *, counting: bool) -> bool:
        """Whether the goal is held long enough, from below, without a break and within this attempt."""
        goal = self._plan.goal
        if goal is None or value is None or value < self.goal:
            self._released = self._released or value is not None
            self._above_us = None
            return False
        if not counting:
            self._released = False  # begun in the rest: to be let go first
        if not self._released:
            return False
        if self._above_us is None:
            self._above_us = now_us
        if now_us - self._above_us < goal.hold_us:
            return False
        self._released, self._above_us = False, None
        return True

    def moved(self, by: int) -> bool:
        """Take a success (1) or a miss (-1); whether the goal moves, after enough of them in a row and within its bounds."""
        goal = self._plan.goal
        if goal is None:
            return False
        self._row = self._row + by if self._row * by >= 0 else by
        if abs(self._row) < (goal.raise_after if by > 0 else goal.lower_after):
            return False
        before, self._row = self.goal, 0
        self.goal = min(goal.most, max(goal.least, self.goal + by * goal.step))
        return self.goal != before
