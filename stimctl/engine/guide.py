"""The course of guided work: steps follow each other on the dot, repetitions count, a goal follows the patient.

Pure: time, keys, onsets and values are arguments, and what happened is returned. It knows no output and wishes for none.
"""

from __future__ import annotations

from typing import Final, final

from stimctl.engine.guide_standing import Standing
from stimctl.engine.guide_table import TABLE, UNDER_WAY, GuideEvent, GuideState
from stimctl.engine.guide_words import NOTHING, Happening, Heard, Told
from stimctl.errors import OurBug, UsageError
from stimctl.schedule.guided import CountBy, Counting, Logged
from stimctl.units import MS

LOOK_US: Final = 20 * MS
"""How often a value is looked at while it can count."""


@final
class Guide(Standing):
    """One session of guided work, from its screening to its review."""

    # --- orders --------------------------------------------------------------------------------------------------

    def can(self, event: GuideEvent) -> bool:
        """Whether ``event`` is listed here."""
        return event in TABLE[self.state]

    def happen(self, event: GuideEvent, now_us: int) -> tuple[Happening, ...]:
        """Carry out an event that somebody brought; raises :class:`UsageError` where it is not listed."""
        if not self.can(event):
            raise UsageError(f"{event.value} has no meaning while {self.state.value}")
        before, self.state = self.state, TABLE[self.state][event]
        if event is GuideEvent.STOP:
            self.tally.stops += 1
        if self.state is GuideState.REVIEW and self._counted_us is not None:
            self._counted_us = None
            self.tally.done += 1  # its hold was cut short, and it had been counted
        if before in UNDER_WAY:
            self._left_us, self._left_resting = now_us, before is GuideState.RESTING
        if self.state is GuideState.DOING:
            self._go_on(now_us, anew=before is GuideState.READY or self._left_resting)
        self._at_us = now_us
        return self._tell()

    def _go_on(self, now_us: int, *, anew: bool) -> None:
        """Begin, or go on after a pause: an attempt begins again, everything else goes on where it was."""
        if anew:
            self._begin(now_us)
            return
        shift_us = now_us - self._left_us
        if self.now.counting is Counting.ONCE and self._counted_us is None:
            self._entered_us = now_us
            self._waiting, self._deaf = self._measures, False
        else:
            self._entered_us += shift_us
        if self._counted_us is not None:
            self._counted_us += shift_us
        self.measure.begin()
        if not self._waiting:
            self._say(now_us)

    # --- time ----------------------------------------------------------------------------------------------------

    def step(self, now_us: int, heard: Heard = NOTHING) -> tuple[Happening, ...]:
        """Let time pass up to ``now_us``, then take what was heard; what happened, in order."""
        if self.state in UNDER_WAY:
            self._run_to(now_us)
        if self.state is GuideState.DOING:
            if self._waiting and heard.ready:
                self._waiting, self._entered_us = False, now_us
                self._say(now_us)
            self._hear(heard, now_us)
            self._run_to(now_us)
        self._at_us = now_us if self.state in UNDER_WAY else self._at_us
        return self._tell()

    def skip(self, now_us: int) -> tuple[Happening, ...]:
        """End the step, or the rest, before its time; an attempt that has not come is missed."""
        if self.state not in UNDER_WAY:
            raise UsageError("there is no step to end: nothing is under way")
        self._run_to(now_us)
        if self.state in UNDER_WAY and not self._waiting:
            self._turn(now_us)
        return self._tell()

    def next_change_us(self, now_us: int) -> int | None:
        """When :meth:`step` must be called again at the latest; ``None`` while only an order can change something."""
        if self.state not in UNDER_WAY:
            return None
        due_us = self._due_us()
        marks = [] if due_us is None else [due_us]
        if self._measures and self.state is GuideState.DOING:
            marks.append(now_us + LOOK_US)
        if self.plan.beat_us and self.beating:
            marks.append(now_us + self.plan.beat_us - (now_us - self._entered_us) % self.plan.beat_us)
        return max(now_us + 1, min(marks)) if marks else None

    @property
    def beating(self) -> bool:
        """Whether the metronome of this work is to be heard now."""
        return self.state is GuideState.DOING and not self._waiting and self.now.logged is Logged.PRACTICE

    def _run_to(self, now_us: int) -> None:
        """Every step and rest that is over by now ends when it was due."""
        while self.state in UNDER_WAY and (due_us := self._due_us()) is not None and due_us <= now_us:
            self._pass(max(due_us, self._at_us))
            self._turn(due_us)
        if self.state in UNDER_WAY:
            self._pass(now_us)

    def _due_us(self) -> int | None:
        if self.state is GuideState.RESTING:
            return self._entered_us + self.plan.set_rest_us
        if self._waiting:
            return None
        if self._counted_us is not None and self.now.counting is Counting.ONCE:
            return self._counted_us + self.now.hold_us
        return self._entered_us + self.now.length_us

    def _pass(self, to_us: int) -> None:
        """Log the time since the last look."""
        from_us, self._at_us = self._at_us, max(self._at_us, to_us)
        us = self._at_us - from_us
        if self.state is GuideState.RESTING:
            self.tally.log(Logged.REST, us)
        elif not self._waiting:
            self.tally.log(self.now.logged, us)
            if (beat_us := self.plan.beat_us) and self.now.logged is Logged.PRACTICE:
                begun_us = self._entered_us
                self.tally.beats += (self._at_us - begun_us) // beat_us - (max(from_us, begun_us) - begun_us) // beat_us

    def _turn(self, at_us: int) -> None:
        """The step or the rest is over."""
        if self.state is GuideState.RESTING:
            self._own(GuideEvent.REST_OVER, at_us)
            self._begin(at_us)
        elif self._index + 1 < len(self._steps):
            self._index += 1
            self._entered_us = at_us
            self.measure.begin()
            self._say(at_us)
        else:
            self._end_repetition(at_us)

    # --- repetitions ---------------------------------------------------------------------------------------------

    def _begin(self, at_us: int) -> None:
        self._steps, self._index = self.plan.steps_of(self.repetition), 0
        self._entered_us, self._counted_us = at_us, None
        self.measure.begin()
        self._waiting, self._deaf = self._measures, False
        if not self._waiting:
            self._say(at_us)

    def _end_repetition(self, at_us: int) -> None:
        once = any(step.counting is Counting.ONCE for step in self._steps)
        if not once or self._counted_us is not None:
            self.tally.done += 1
            self._note(Told.DONE, at_us)
        elif self._deaf:
            self.tally.unheard += 1
            self._note(Told.UNHEARD, at_us)
        else:
            self.tally.missed += 1
            self._note(Told.MISSED, at_us)
            self._move_goal(-1, at_us)
        self._counted_us = None
        self._next(at_us)

    def _next(self, at_us: int) -> None:
        if self.repetition < self.plan.repetitions:
            self.repetition += 1
            self._begin(at_us)
        elif self.set < self.plan.sets:
            self.set, self.repetition = self.set + 1, 1
            self._steps, self._index, self._entered_us = self.plan.steps_of(1), 0, at_us
            self._own(GuideEvent.SET_OVER, at_us)
        else:
            self.complete = True
            self._own(GuideEvent.DOSE_DONE, at_us)

    def _own(self, event: GuideEvent, at_us: int) -> None:
        """An event that the course's own clock brings."""
        if event not in TABLE[self.state]:
            raise OurBug(f"{event.value} while {self.state.value}")
        self.state = TABLE[self.state][event]
        self._note(Told(event.value), at_us)

    # --- counting ------------------------------------------------------------------------------------------------

    def _hear(self, heard: Heard, now_us: int) -> None:
        """What counts now, by the way this work counts."""
        if self._waiting:
            return
        if self._measures and self.counting and not heard.ready:
            self._deaf = True
        if self._counts(heard, now_us):
            self._count(now_us)

    def _counts(self, heard: Heard, now_us: int) -> bool:
        if self.plan.count_by is CountBy.KEY:
            return heard.key and self._key_is_due
        came = self.measure.came(heard, now_us, counting=self.counting)
        return came and self.counting

    @property
    def _key_is_due(self) -> bool:
        """A key may come a little late: until the repetition is over, once its attempt has begun."""
        if self.now.counting is Counting.MANY:
            return True
        begun = any(step.counting is Counting.ONCE for step in self._steps[: self._index + 1])
        return begun and self._counted_us is None

    def key_refusal(self) -> str:
        """Why a key counts nothing now, or ""."""
        if self.plan.count_by is not CountBy.KEY:
            return "nothing is counted by the key here"
        if self.state is not GuideState.DOING:
            return "nothing is counted now: no repetition is under way"
        if self._key_is_due:
            return ""
        return "this repetition is counted already" if self._counted_us is not None else "this step counts nothing"

    def _count(self, now_us: int) -> None:
        self.tally.counted += 1
        if self.now.counting is not Counting.MANY:
            self._counted_us = now_us
            self.tally.reached += 1
        self._note(Told.COUNTED, now_us)
        if self.plan.goal is not None:
            self.tally.highest_goal = max(self.tally.highest_goal, self.measure.goal)
        self._move_goal(1, now_us)

    def _move_goal(self, by: int, at_us: int) -> None:
        if self.measure.moved(by):
            self._note(Told.GOAL, at_us)

    # --- telling -------------------------------------------------------------------------------------------------

    def _say(self, at_us: int) -> None:
        self._told.append(Happening(Told.STEP, at_us, say=self.now.say))

    def _note(self, what: Told, at_us: int) -> None:
        self._told.append(Happening(what, at_us, goal=self.measure.goal))

    def _tell(self) -> tuple[Happening, ...]:
        told, self._told = tuple(self._told), []
        return told
