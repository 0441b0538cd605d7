"""Where guided work stands: its step, repetition and set, what is said and what counts now."""

from __future__ import annotations

from stimctl.engine.guide_counting import Measure
from stimctl.engine.guide_table import STAGES, UNDER_WAY, GuideState
from stimctl.engine.guide_words import Happening, Tally
from stimctl.orders import Progress, Stage
from stimctl.schedule.guided import CountBy, Counting, GuidePlan, StepPlan


class Standing:
    """The state of one session of guided work. :class:`~stimctl.engine.guide.Guide` adds what happens to it."""

    def __init__(self, plan: GuidePlan, now_us: int) -> None:
        self.plan = plan
        self.state = GuideState.SCREENING
        self.tally = Tally()
        self.set = self.repetition = 1
        self.measure = Measure(plan)
        self.complete = False
        self._steps = plan.steps_of(1)
        self._index = 0
        self._entered_us = self._at_us = now_us
        self._counted_us: int | None = None
        self._waiting = self._measures
        self._deaf = False
        self._left_us = now_us
        self._left_resting = False
        self._told: list[Happening] = []

    # --- reading -------------------------------------------------------------------------------------------------

    @property
    def stage(self) -> Stage:
        """The screen that shows it."""
        return STAGES.get(self.state, Stage.RUN)

    @property
    def now(self) -> StepPlan:
        """The step under way, or the next one."""
        return self._steps[self._index]

    @property
    def after(self) -> str:
        """What will be said next in this repetition; "" at its end."""
        return self._steps[self._index + 1].say if self._index + 1 < len(self._steps) else ""

    @property
    def waiting(self) -> bool:
        """Whether the work stands still because nothing can be recognised yet."""
        return self.state is GuideState.DOING and self._waiting

    @property
    def counting(self) -> bool:
        """Whether something counts now."""
        open_once = self.now.counting is Counting.ONCE and self._counted_us is None
        active = self.state is GuideState.DOING and not self._waiting
        return active and (open_once or self.now.counting is Counting.MANY)

    @property
    def counted_now(self) -> bool:
        """Whether this repetition has been counted."""
        return self._counted_us is not None

    @property
    def _measures(self) -> bool:
        return self.plan.count_by in (CountBy.EMG, CountBy.ANGLE)

    def progress(self, now_us: int) -> Progress:
        """Where step, set and session stand."""
        tally = self.tally
        passed = tally.practice_us + tally.imagery_us + tally.rest_us
        phase, length_us = self._phase()
        began = self.state in UNDER_WAY and not self._waiting
        return Progress(
            phase=phase,
            phase_elapsed_us=max(0, now_us - self._since_us) if began else 0,
            phase_length_us=length_us,
            repetition=self.repetition,
            repetitions=self.plan.repetitions,
            set=self.set,
            sets=self.plan.sets,
            session_elapsed_us=passed,
            session_length_us=self.plan.longest_us,
            cue=self._cue,
        )

    @property
    def _cue(self) -> str:
        """What rings as it is said: not beside a metronome, nor where the bell means success."""
        rings = self.plan.goal is None and not self.plan.beat_us
        return self.now.say if rings and self.state is GuideState.DOING and not self._waiting else ""

    @property
    def _since_us(self) -> int:
        return self._entered_us if self._counted_us is None or not self._holds else self._counted_us

    @property
    def _holds(self) -> bool:
        return self._counted_us is not None and self.now.counting is Counting.ONCE

    def _phase(self) -> tuple[str, int]:
        if self.state is GuideState.RESTING:
            return "rest between sets", self.plan.set_rest_us
        if self.state is not GuideState.DOING:
            return "", 0
        if self._waiting:
            return "listening for rest", 0
        if self._holds:
            return "hold", self.now.hold_us
        return f"step {self._index + 1} of {len(self._steps)}", self.now.length_us
