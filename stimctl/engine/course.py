"""Where a movement stands: its phase, since when, and where each channel came into it.

Phases follow each other on the dot: a late look at the clock begins the next one when it was due, not when it was seen.
"""

from __future__ import annotations

from typing import NamedTuple, final

from stimctl.schedule import Advance, MovementPlan, PhasePlan


@final
class Turn(NamedTuple):
    """A phase that began: its name and cue, when (µs), and what ended the one before it; ``missed``: nothing did.

    The rest after the last phase has no name; where there is none, the first phase follows. ``skipped``: the one before
    did not wait for the key that ended it.
    """

    phase: str
    cue: str
    at_us: int
    by: Advance
    missed: bool
    skipped: bool = False


@final
class Course:
    """One movement from ``now_us`` on. ``again``: after its rest it begins anew, for trials, levels and a flow."""

    def __init__(self, plan: MovementPlan, outputs: tuple[int, ...], now_us: int, *, again: bool = False) -> None:
        self.plan, self._outputs, self._again = plan, outputs, again
        self._from_ppm = dict.fromkeys(outputs, 0)
        self._begin(0, now_us)

    def _begin(self, index: int, at_us: int) -> None:
        """Be in a phase from ``at_us`` on; what holds as long as it lasts is worked out once."""
        phases, outputs = self.plan.phases, self._outputs
        self._index, self._entered_us = index, at_us
        self.phase: PhasePlan | None = phases[index] if index < len(phases) else None
        """The phase under way; ``None`` in the rest."""
        self.goals = {each: self.phase.goal(each) for each in outputs} if self.phase is not None else {}
        """Where each output goes; nowhere in the rest."""
        rest_us = self.plan.rest_us if self._again else None
        self.length_us = self.phase.length_us if self.phase is not None else rest_us
        """How long the phase, or the rest, may last; ``None`` for a rest that does not end by itself."""
        self._marks = {mark for goal in self.goals.values() for mark in (goal.delay_us, goal.settled_us)}
        self._marks |= set() if self.length_us is None else {self.length_us}
        self._follows = any(goal.follows for goal in self.goals.values())
        moves = (each for each in outputs if self.goals and self.goals[each].share_ppm != self._from_ppm[each])
        self._moves = [(self.goals[each].delay_us, self.goals[each].settled_us) for each in moves]

    @property
    def over(self) -> bool:
        """Whether the last phase has ended; the rest is nobody's movement."""
        return self.phase is None

    def opening(self, at_us: int) -> Turn:
        """The turn to the first phase, which nothing comes before."""
        first = self.plan.phases[0]
        return Turn(first.name, first.cue, at_us, Advance.TIME, missed=False)

    # --- time and events -----------------------------------------------------------------------------------------

    def step(self, now_us: int, advance: Advance = Advance.TIME) -> list[Turn]:
        """Let time pass up to ``now_us``, then let an event end the phase that waits for it; the phases that began.

        A key that no phase waits for leads towards the release, never further into the task (B.7).
        """
        turns: list[Turn] = []
        while (length_us := self.length_us) is not None and now_us - self._entered_us >= length_us:
            turns.append(self._time_out(self._entered_us + length_us))
        phase = self.phase
        if phase is None or advance is Advance.TIME:
            return turns
        if phase.advance is advance:
            turns.append(self._go(self._index + 1, now_us, advance))
        elif advance is Advance.KEY and self._index < (release := self._release):
            turns.append(self._go(release, now_us, advance, skipped=True))
        return turns

    @property
    def takes_key(self) -> bool:
        """Whether a key would end the phase under way."""
        phase = self.phase
        return phase is not None and (phase.advance is Advance.KEY or self._index < self._release)

    @property
    def _release(self) -> int:
        """The phase to which a missed event leads; 0, which lies ahead of none, where the plan names none."""
        return self.plan.release or 0

    def _time_out(self, at_us: int) -> Turn:
        """Begin the next phase, or the one for an event that never came; after the rest, the first."""
        phase = self.phase
        if phase is None:
            return self._go(0, at_us, Advance.TIME)
        if phase.advance is Advance.TIME:
            return self._go(self._index + 1, at_us, Advance.TIME)
        return self._go(max(self._index + 1, self._release), at_us, phase.advance, missed=True)

    def _go(self, index: int, at_us: int, by: Advance, *, missed: bool = False, skipped: bool = False) -> Turn:
        if index >= len(self.plan.phases) and self._again and not self.plan.rest_us:
            index = 0
        self._from_ppm = {each: self.share_ppm(each, at_us) for each in self._outputs}
        self._begin(index, at_us)
        name, cue = (self.phase.name, self.phase.cue) if self.phase is not None else ("", "")
        return Turn(name, cue, at_us, by, missed, skipped)

    # --- where the channels are ----------------------------------------------------------------------------------

    def share_ppm(self, output: int, now_us: int) -> int:
        """The share of its level that an output is to have now; the control signal is not in it."""
        goal = self.goals.get(output)
        return 0 if goal is None else goal.share(self._from_ppm[output], now_us - self._entered_us)

    def moving(self, now_us: int) -> bool:
        """Whether the share of any output changes by itself now."""
        since_us = now_us - self._entered_us
        return self._follows or any(begun_us <= since_us < done_us for begun_us, done_us in self._moves)

    def next_mark_us(self, now_us: int) -> int:
        """The next corner of any envelope after ``now_us``: a ramp that begins or ends, the end of the phase."""
        since_us = now_us - self._entered_us
        return self._entered_us + min((mark for mark in self._marks if mark > since_us), default=0)

    def part(self, now_us: int) -> tuple[str, int, int]:
        """The phase's name, how long it has lasted and how long it is at most; in µs."""
        phase, since_us = self.phase, now_us - self._entered_us
        if phase is None:
            return "rest", since_us, self.plan.rest_us
        return phase.name, since_us, phase.length_us
