"""Guided work as a plan: steps with length and cue, what counts, goals. Whole numbers, and nothing that could flow.

Goals and values are thousandths: nV for an envelope, a thousandth of a degree for an angle.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final, final

from stimctl.protocols.guided import Activity, AngleCount, Biofeedback, EmgCount, EmgGoal, Feedback
from stimctl.protocols.guided_rules import goal_numbers, longest_us
from stimctl.schedule.plans import EarPlan
from stimctl.units import MINUTE, microseconds


@final
class CountBy(StrEnum):
    """What counts a repetition. Where nothing does, the steps' own time is enough."""

    CLOCK = ""
    KEY = "key"
    EMG = "emg"
    ANGLE = "angle"


@final
class Counting(StrEnum):
    """What counts in a step."""

    NO = "no"
    ONCE = "once"
    MANY = "many"


@final
class Logged(StrEnum):
    """What the time of a step is logged as."""

    PRACTICE = "practice"
    IMAGERY = "imagery"
    REST = "rest"


@final
@dataclass(frozen=True, slots=True)
class StepPlan:
    """One step. In one that counts once, ``length_us`` is how long is waited, and ``hold_us`` comes after the count."""

    say: str
    length_us: int
    counting: Counting = Counting.NO
    hold_us: int = 0
    logged: Logged = Logged.PRACTICE
    first_only: bool = False
    goal_count: int = 0


@final
@dataclass(frozen=True, slots=True)
class ReachPlan:
    """When an angle counts: at ``goal``, and again only after it came below ``release``; thousandths of a degree."""

    joint: str
    goal: int
    release: int


@final
@dataclass(frozen=True, slots=True)
class GoalPlan:
    """A goal that follows the patient, in thousandths of ``unit``; held for ``hold_us`` it is reached."""

    unit: str
    start: int
    step: int
    least: int
    most: int
    hold_us: int
    raise_after: int
    lower_after: int


@final
@dataclass(frozen=True, slots=True)
class GuidePlan:
    """A whole session of guided work.

    ``ear`` says how EMG is heard and ``muscle`` where; ``reach`` when an angle counts; ``goal`` is biofeedback's.
    ``beat_us`` is the metronome's period, 0 for none; ``wear_us`` how long a restraint is to be worn.
    """

    title: str
    kind: str
    purpose: str
    technique: str
    exercise: str
    equipment: str
    steps: tuple[StepPlan, ...]
    repetitions: int
    sets: int
    set_rest_us: int
    longest_us: int
    count_by: CountBy
    muscle: str = ""
    ear: EarPlan | None = None
    reach: ReachPlan | None = None
    goal: GoalPlan | None = None
    beat_us: int = 0
    wear_us: int = 0

    @property
    def prescribed(self) -> int:
        """Repetitions in all."""
        return self.repetitions * self.sets

    @property
    def asked(self) -> int:
        """Counts that are asked for in all, where every count counts; else 0."""
        return self.prescribed * sum(step.goal_count for step in self.steps)

    def steps_of(self, repetition: int) -> tuple[StepPlan, ...]:
        """The steps of a repetition of a set, counted from 1."""
        return tuple(step for step in self.steps if repetition == 1 or not step.first_only)


BLANKING_MS: Final = 15
"""No pulse is ever sent here; the ear wants a number all the same, and this is its least."""


def compile_guide(protocol: Activity | Biofeedback) -> GuidePlan:
    """The plan of a protocol without output."""
    return _activity(protocol) if isinstance(protocol, Activity) else _biofeedback(protocol)


def _activity(protocol: Activity) -> GuidePlan:
    work, dose = protocol.activity, protocol.dose
    return GuidePlan(
        title=protocol.title,
        kind=protocol.kind,
        purpose=protocol.purpose,
        technique=work.technique,
        exercise=work.exercise or "",
        equipment=work.equipment or "",
        steps=tuple(
            StepPlan(
                step.say,
                microseconds(step.length_s),
                Counting(step.counts),
                microseconds(step.hold_s),
                Logged(step.time),
                step.when == "first",
                step.goal_count or 0,
            )
            for step in protocol.steps
        ),
        repetitions=dose.repetitions,
        sets=dose.sets,
        set_rest_us=microseconds(dose.set_rest_s),
        longest_us=longest_us(protocol),
        count_by=CountBy(work.count_by or ""),
        muscle=protocol.emg.muscle if protocol.emg else "",
        ear=_ear(protocol.emg) if protocol.emg else None,
        reach=_reach(protocol.angle) if protocol.angle else None,
        beat_us=MINUTE // work.pace_per_min if work.pace_per_min else 0,
        wear_us=(work.wear_min or 0) * MINUTE,
    )


def _biofeedback(protocol: Biofeedback) -> GuidePlan:
    feedback, dose = protocol.feedback, protocol.dose
    table = protocol.emg or protocol.angle
    assert table is not None  # a rule of the file
    unit, numbers = goal_numbers(table)
    start, step, least, most = map(thousandths, numbers)
    goal = GoalPlan(
        unit={"uv": "µV", "deg": "°"}[unit],
        start=start,
        step=step,
        least=least,
        most=most,
        hold_us=microseconds(feedback.hold_s),
        raise_after=feedback.raise_after,
        lower_after=feedback.lower_after,
    )
    return GuidePlan(
        title=protocol.title,
        kind=protocol.kind,
        purpose=protocol.purpose,
        technique=protocol.kind,
        exercise="",
        equipment="",
        steps=_attempt(feedback),
        repetitions=dose.repetitions,
        sets=dose.sets,
        set_rest_us=microseconds(dose.set_rest_s),
        longest_us=longest_us(protocol),
        count_by=CountBy(feedback.source),
        muscle=table.muscle if isinstance(table, EmgGoal) else "",
        ear=_goal_ear(table) if isinstance(table, EmgGoal) else None,
        reach=None if isinstance(table, EmgGoal) else ReachPlan(table.joint, goal.start, 0),
        goal=goal,
    )


def _attempt(feedback: Feedback) -> tuple[StepPlan, StepPlan]:
    """An attempt that lasts until it is reached or over, and its rest."""
    attempt = StepPlan(feedback.cue, microseconds(feedback.attempt_s), Counting.ONCE)
    return attempt, StepPlan(feedback.relax, microseconds(feedback.rest_s), logged=Logged.REST)


def thousandths(value: int | float) -> int:
    """An author's decimal in thousandths, rounded to the nearest: 0.001 µV or ° is beyond what anybody can see."""
    return round(Decimal(repr(value)) * 1_000)


def _ear(emg: EmgCount) -> EarPlan:
    return EarPlan(
        channel=0,
        threshold_sd=emg.threshold_sd,
        threshold_uv=emg.threshold_uv,
        dwell_ms=emg.dwell_ms,
        release_fraction=float(emg.release_fraction),
        blanking_ms=BLANKING_MS,
        baseline_us=microseconds(emg.baseline_s),
    )


def _goal_ear(emg: EmgGoal) -> EarPlan:
    """For the envelope alone; its threshold is the first goal, and nothing counts by it."""
    return EarPlan(
        channel=0,
        threshold_sd=None,
        threshold_uv=emg.start_uv,
        dwell_ms=50,
        release_fraction=0.6,
        blanking_ms=BLANKING_MS,
        baseline_us=microseconds(emg.baseline_s),
    )


def _reach(angle: AngleCount) -> ReachPlan:
    return ReachPlan(angle.joint, thousandths(angle.goal_deg), thousandths(angle.release_deg))
