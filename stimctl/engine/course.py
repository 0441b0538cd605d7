"""Where a movement stands: its phase, since when, and where each channel came into it.

Phases follow each other on the dot: a late look at the clock begins the next one when it was due, not when it was seen.
"""

from __future__ import annotations

from typing import final

from stimctl.schedule import Advance, MovementPlan, PhasePlan


@final
class Course:
    """One movement from ``now_us`` on. ``again``: after its rest it begins anew, for trials and threshold finding."""

    def __init__(self, plan: MovementPlan, outputs: tuple[int, ...], now_us: int, *, again: bool = False) -> None:
        self.plan, self._outputs, self._again = plan, outputs, again
        self.rise_us = {each: max(1, plan.rise_us(each)) for each in outputs}
        self.duty = {each: plan.duty(each) for each in outputs}
        self._index = 0
        self._entered_us = now_us
        self._from_ppm: dict[int, int] = {}

    @property
    def over(self) -> bool:
        """Whether the last phase has ended; the rest is nobody's movement."""
        return self._index >= len(self.plan.phases)

    @property
    def phase(self) -> PhasePlan | None:
        """The phase under way; ``None`` in the rest."""
        return None if self.over else self.plan.phases[self._index]

    def step(self, now_us: int, advance: Advance = Advance.TIME) -> None:
        """Let time pass up to ``now_us``, then let an event end the phase that waits for it."""
        while self.length_us and now_us - self._entered_us >= self.length_us:
            self._next(self._entered_us + self.length_us, missed=True)
        phase = self.phase
        if phase is not None and advance is not Advance.TIME and phase.advance is advance:
            self._next(now_us, missed=False)

    @property
    def length_us(self) -> int:
        """How long the phase, or the rest, may last; 0 for a rest that does not end by itself."""
        phase = self.phase
        return phase.length_us if phase is not None else self.plan.rest_us if self._again else 0

    def _next(self, at_us: int, *, missed: bool) -> None:
        """Begin the next phase, or the one for an event that never came; after the rest, the first."""
        phase = self.phase
        since_us = at_us - self._entered_us
        self._from_ppm = {each: self._share_ppm(each, since_us) for each in self._outputs}
        if phase is None:
            self._index = 0
        elif missed and phase.advance is not Advance.TIME and self.plan.release is not None:
            self._index = max(self._index + 1, self.plan.release)
        else:
            self._index += 1
        self._entered_us = at_us

    def share_ppm(self, output: int, now_us: int) -> int:
        """The share of its level that an output is to have now; the control signal is not in it."""
        return self._share_ppm(output, now_us - self._entered_us)

    def _share_ppm(self, output: int, since_us: int) -> int:
        phase = self.phase
        return phase.goal(output).share(self._from_ppm.get(output, 0), since_us) if phase is not None else 0

    def follows(self, output: int) -> bool:
        """Whether the control signal moves this output now."""
        phase = self.phase
        return phase is not None and phase.goal(output).follows

    def moving(self, now_us: int) -> bool:
        """Whether the share of any output changes by itself now."""
        phase, since_us = self.phase, now_us - self._entered_us
        if phase is None:
            return False
        for output in self._outputs:
            goal = phase.goal(output)
            if goal.follows:
                return True
            if goal.delay_us <= since_us < goal.settled_us and goal.share_ppm != self._from_ppm.get(output, 0):
                return True
        return False

    def next_mark_us(self, now_us: int) -> int:
        """The next corner of any envelope after ``now_us``: a ramp that begins or ends, the end of the phase."""
        phase = self.phase
        goals = [phase.goal(each) for each in self._outputs] if phase is not None else []
        marks = [self.length_us, *(mark for goal in goals for mark in (goal.delay_us, goal.settled_us))]
        since_us = now_us - self._entered_us
        later = [mark for mark in marks if mark > since_us]
        return self._entered_us + min(later) if later else 0

    def part(self, now_us: int) -> tuple[str, int, int]:
        """The phase's name, how long it has lasted and how long it is at most; in µs."""
        phase, since_us = self.phase, now_us - self._entered_us
        if phase is None:
            return "rest", since_us, self.plan.rest_us
        return phase.name, since_us, phase.length_us
