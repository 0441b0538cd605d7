"""The kinds without output: guided activities and biofeedback. Nothing in them can switch a stimulator on.

They have no pads and no channels. Steps are said, shown and timed; repetitions are counted by a key, by the EMG or by an
angle, or simply by the clock.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias, final

from pydantic import BeforeValidator, Field

from stimctl.protocols import guided_quantities as g
from stimctl.protocols import quantities as q
from stimctl.protocols.checks import Choice, Words
from stimctl.protocols.strict import Head, Strict, as_tuple

TECHNIQUES: Final = (
    "stretching", "exercise", "ball", "putty", "daily-task", "mirror-box", "bilateral", "constraint", "imagery",
    "robot-glove",
)  # fmt: skip
EXERCISES: Final = (
    "make-a-fist", "spread-fingers", "wrist-curl", "wrist-extend", "pinch-and-release", "spin-a-pen",
    "finger-opposition", "coin-drop",
)  # fmt: skip
MAX_STEPS: Final = 40

_TECHNIQUE = Choice(TECHNIQUES, "closed list of techniques without stimulation")
_EXERCISE = Choice(EXERCISES, "closed list of the eight exercises")


@final
class GuidedStep(Strict):
    """One step: what is said, how long it takes, and whether something counts in it."""

    say: Annotated[str, Words(200)]
    """What is said and shown, to the patient, in plain words."""
    length_s: Annotated[int | float, g.STEP_S]
    """How long the step takes in s; where counts = "once", how long is waited for it at most."""
    counts: Annotated[Literal["no", "once", "many"], Choice(("no", "once", "many"))] = "no"
    """What counts in it: "no" nothing, "once" the repetition with one count, "many" every count until the time is over."""
    hold_s: Annotated[int | float, g.HOLD_S] = 0
    """Time in s for which the position is held once it was counted; then the step ends. Only with counts = "once"."""
    goal_count: Annotated[int, g.COUNT] | None = None
    """How many are asked for in this step; only with counts = "many"."""
    when: Annotated[Literal["each", "first"], Choice(("each", "first"))] = "each"
    """When it comes: "each" in every repetition, "first" only in the first one of each set."""
    time: Annotated[Literal["practice", "imagery", "rest"], Choice(("practice", "imagery", "rest"))] = "practice"
    """What the time is logged as: movement, imagined movement, or rest."""


@final
class EmgCount(Strict):
    """How a repetition is recognised in the EMG; electrodes that only listen."""

    muscle: Annotated[str, Words(60)]
    """The muscle that is listened to, in words."""
    threshold_sd: Annotated[int | float, q.THRESHOLD_SD] | None = None
    """Threshold in standard deviations over the resting mean; this or threshold_uv, never both."""
    threshold_uv: Annotated[int | float, q.THRESHOLD_UV] | None = None
    """Threshold of the EMG envelope in µV; this or threshold_sd, never both."""
    dwell_ms: Annotated[int, q.DWELL_MS]
    """Time in ms for which the EMG must stay over the threshold."""
    release_fraction: Annotated[int | float, q.RELEASE_FRACTION]
    """Share of the threshold below which the EMG must fall before the next repetition counts."""
    baseline_s: Annotated[int | float, q.BASELINE_S]
    """Time in s of quiet EMG at the beginning, from which the resting level is taken."""


@final
class AngleCount(Strict):
    """How a repetition is recognised in an angle."""

    joint: Annotated[str, Words(60)]
    """The joint and movement that is measured, in words."""
    goal_deg: Annotated[int | float, g.GOAL_DEG]
    """Angle in degrees from rest that counts."""
    release_deg: Annotated[int | float, g.RELEASE_DEG]
    """Angle in degrees below which the joint must come back before the next repetition counts."""


@final
class GuidedDose(Strict):
    """How often it is done."""

    repetitions: Annotated[int, q.REPETITIONS]
    """Repetitions in one set; each goes once through the steps."""
    sets: Annotated[int, q.SETS] = 1
    """Number of sets."""
    set_rest_s: Annotated[int | float, q.SET_REST_S] = 0
    """Rest in s between two sets; must be stated when there is more than one set."""


@final
class Work(Strict):
    """What is done, with what, and how it is counted."""

    technique: Annotated[str, _TECHNIQUE]
    """The technique, from the closed list."""
    exercise: Annotated[str, _EXERCISE] | None = None
    """Which of the eight exercises; only with technique = "exercise"."""
    equipment: Annotated[str, Words(200)] | None = None
    """What has to lie ready, in words; the operator is asked whether it is clean and whole."""
    count_by: Annotated[Literal["key", "emg", "angle"], Choice(("key", "emg", "angle"))] | None = None
    """What counts a repetition: a key that somebody presses, the EMG or an angle; absent: the steps' own time."""
    pace_per_min: Annotated[int, g.PACE_PER_MIN] | None = None
    """Beats of the metronome in a minute, a movement each; absent: at one's own pace."""
    wear_min: Annotated[int, g.WEAR_MIN] | None = None
    """How long the sound hand's restraint is to be worn in all, in min; only with technique = "constraint"."""


@final
class Activity(Head):
    """Guided work without stimulation."""

    kind: Literal["activity"]
    """What sort of protocol this is."""
    activity: Work
    """What is done, and how it is counted."""
    emg: EmgCount | None = None
    """How the EMG counts; with count_by = "emg"."""
    angle: AngleCount | None = None
    """How the angle counts; with count_by = "angle"."""
    dose: GuidedDose
    """How often it is done."""
    steps: Annotated[
        tuple[GuidedStep, ...],
        Field(min_length=1, max_length=MAX_STEPS),
        BeforeValidator(as_tuple),
        Field(alias="step"),
    ]
    """The steps of one repetition, in their order."""


@final
class Feedback(Strict):
    """One attempt at the goal, and how the goal moves."""

    source: Annotated[Literal["emg", "angle"], Choice(("emg", "angle"))]
    """What is shown and measured."""
    cue: Annotated[str, Words(200)]
    """What is said at the beginning of each attempt."""
    relax: Annotated[str, Words(200)]
    """What is said in the rest after it."""
    attempt_s: Annotated[int | float, g.ATTEMPT_S]
    """How long an attempt may take in s."""
    hold_s: Annotated[int | float, g.HOLD_S]
    """Time in s for which the goal must be held without a break to be reached; 0: touching it is enough."""
    rest_s: Annotated[int | float, g.RELAX_S]
    """Rest in s after each attempt."""
    raise_after: Annotated[int, g.IN_A_ROW]
    """Successes in a row after which the goal rises by a step."""
    lower_after: Annotated[int, g.IN_A_ROW]
    """Misses in a row after which the goal falls by a step."""


@final
class EmgGoal(Strict):
    """The goal in the EMG's envelope."""

    muscle: Annotated[str, Words(60)]
    """The muscle that is listened to, in words."""
    baseline_s: Annotated[int | float, q.BASELINE_S]
    """Time in s of quiet EMG at the beginning, from which the resting level is taken."""
    start_uv: Annotated[int | float, g.GOAL_UV]
    """The first goal in µV."""
    step_uv: Annotated[int | float, g.STEP_UV]
    """How far the goal moves at a time, in µV."""
    least_uv: Annotated[int | float, g.GOAL_UV]
    """The lowest goal in µV."""
    most_uv: Annotated[int | float, g.GOAL_UV]
    """The highest goal in µV."""


@final
class AngleGoal(Strict):
    """The goal as an angle."""

    joint: Annotated[str, Words(60)]
    """The joint and movement that is measured, in words."""
    start_deg: Annotated[int | float, g.GOAL_DEG]
    """The first goal in degrees from rest."""
    step_deg: Annotated[int | float, g.STEP_DEG]
    """How far the goal moves at a time, in degrees."""
    least_deg: Annotated[int | float, g.GOAL_DEG]
    """The lowest goal in degrees."""
    most_deg: Annotated[int | float, g.GOAL_DEG]
    """The highest goal in degrees."""


@final
class Biofeedback(Head):
    """EMG or an angle against a goal that follows the patient; no stimulation."""

    kind: Literal["biofeedback"]
    """What sort of protocol this is."""
    feedback: Feedback
    """One attempt at the goal."""
    emg: EmgGoal | None = None
    """The goal in the EMG; with source = "emg"."""
    angle: AngleGoal | None = None
    """The goal as an angle; with source = "angle"."""
    dose: GuidedDose
    """How often it is tried."""


Guided: TypeAlias = Activity | Biofeedback
"""The kinds without output."""
