"""The words of sessions without output: what to do next, what can be asked for, what was done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stimctl.engine.guide import Guide
from stimctl.engine.guide_table import GuideState as State
from stimctl.orders import OrderKind as Kind
from stimctl.schedule.guided import CountBy, Counting, GuidePlan, Logged
from stimctl.units import MINUTE, seconds_text

DISABLED: Final = "Output disabled: this session has no output stage, and nothing in it can arm a board."

PHASE_LINE: Final = (
    "robot glove: in this kind its phase line is not listened to, and steps go by their own time; start the glove's programme"
    " by hand, and stop it with its own switch. Stimulation that goes with a glove is a fes-switch-triggered or fes-sequence"
    ' file with source = "robot"'
)
NO_GONIOMETER: Final = (
    "the angle is a goniometer's or glove's, which is named at the start: --angle lsl:NAME#CHANNEL; without one it runs on the"
    " simulated patient alone"
)

_TALK: Final = (Kind.NOTE, Kind.PAIN)
_WORK: Final = (Kind.KEY, Kind.NEXT, Kind.PAUSE, Kind.FINISH, *_TALK)

CAN: Final[dict[State, tuple[Kind, ...]]] = {
    State.SCREENING: (Kind.ANSWER, Kind.NEXT, Kind.FINISH, *_TALK),
    State.READY: (Kind.START, Kind.FINISH, *_TALK),
    State.DOING: _WORK,
    State.RESTING: (Kind.NEXT, Kind.PAUSE, Kind.FINISH, *_TALK),
    State.PAUSED: (Kind.RESUME, Kind.FINISH, *_TALK),
    State.STOPPED: (Kind.CLEAR, Kind.FINISH, *_TALK),
    State.REVIEW: (Kind.SKIN_CHECKED, Kind.CLOSE, *_TALK),
    State.ENDED: (),
}
"""The orders of each state; the wear log is open in all of them but the first and the last two."""

_WORN_IN: Final = frozenset({State.READY, State.DOING, State.RESTING, State.PAUSED})

NEXT_ACTION: Final[dict[State, str]] = {
    State.READY: "Start when the patient is ready.",
    State.RESTING: "Rest. Shake the hand loose.",
    State.PAUSED: "Paused. Go on when the patient is ready.",
    State.STOPPED: "Stopped. Find out why, then clear.",
    State.REVIEW: "Ask for pain, look at the skin of hand and arm, then close.",
    State.ENDED: "The session is closed and recorded.",
}

_WHEN: Final[dict[State, str]] = {
    State.SCREENING: "the screening comes first",
    State.READY: "the work has not begun",
    State.DOING: "the work is under way",
    State.RESTING: "it is the rest between two sets",
    State.PAUSED: "the work is paused",
    State.STOPPED: "a stop is in force",
    State.REVIEW: "the work is over",
    State.ENDED: "the session is closed",
}


def can(guide: Guide, state: State) -> tuple[Kind, ...]:
    """The orders that are taken now; the key, while it would count something."""
    orders = CAN[state]
    if guide.key_refusal():
        orders = tuple(kind for kind in orders if kind is not Kind.KEY)
    return (*orders, Kind.WEAR) if guide.plan.wear_us and state in _WORN_IN else orders


def out_of_place(kind: Kind, state: State) -> str:
    """Why an order is refused that ``state`` has no use for."""
    if kind in (Kind.RAISE, Kind.LOWER, Kind.ZERO, Kind.SELECT, Kind.MARK, Kind.BEGIN, Kind.CONFIRM_PADS):
        return "There is no output to set: this session has no output stage."
    return f"This is not possible now: {_WHEN[state]}."


# --- before --------------------------------------------------------------------------------------------------------


def plan_lines(plan: GuidePlan) -> tuple[str, ...]:
    """Purpose, prescription, steps and what counts, before the start and after a check."""
    lines = [plan.purpose.strip(), DISABLED, prescribed_line(plan), _counted_line(plan)]
    lines += [f"Step {number}: {_step_words(plan, number - 1)}" for number in range(1, len(plan.steps) + 1)]
    if plan.equipment:
        lines.append(f"Ready: {plan.equipment}")
    return tuple(lines)


def prescribed_line(plan: GuidePlan) -> str:
    """What the file asks for, in one line."""
    sets = f"{plan.sets} sets of " if plan.sets > 1 else ""
    rest = f", {seconds_text(plan.set_rest_us)} between sets" if plan.sets > 1 else ""
    asked = f"; {plan.asked} counts asked for" if plan.asked else ""
    pace = f"; metronome {MINUTE // plan.beat_us} a minute" if plan.beat_us else ""
    worn = f"; restraint worn for {plan.wear_us // MINUTE} min" if plan.wear_us else ""
    longest = f"{plan.longest_us / MINUTE:.3g} min at most"
    return f"Prescribed: {sets}{plan.repetitions} repetitions{rest}; {longest}{asked}{pace}{worn}"


def _counted_line(plan: GuidePlan) -> str:
    if plan.goal is not None:
        goal = plan.goal
        first, least, most, step = (number(each) for each in (goal.start, goal.least, goal.most, goal.step))
        return (
            f"Goal: {first} {goal.unit} at first, {least} to {most} {goal.unit}; up {step} after {goal.raise_after}"
            f" reached in a row, down {step} after {goal.lower_after} missed"
        )
    words = {
        CountBy.CLOCK: "Goes by the steps' own time; nothing is counted one by one",
        CountBy.KEY: "Counted by the key, pressed by whoever looks at the hand",
        CountBy.EMG: f"Counted by the EMG of {plan.muscle}",
    }
    if plan.reach is not None:
        return f"Counted by the angle: {plan.reach.joint}, from {number(plan.reach.goal)}°"
    return words[plan.count_by]


def _step_words(plan: GuidePlan, index: int) -> str:
    step = plan.steps[index]
    notes = [seconds_text(step.length_us)]
    if step.counting is Counting.ONCE:
        notes = [f"up to {notes[0]}", "counts"]
    elif step.counting is Counting.MANY:
        notes.append(f"each one counts, {step.goal_count} asked for" if step.goal_count else "each one counts")
    if step.hold_us:
        notes.append(f"held {seconds_text(step.hold_us)}")
    if step.logged is not Logged.PRACTICE:
        notes.append(str(step.logged))
    if step.first_only:
        notes.append("first repetition of a set only")
    return f"{step.say} ({', '.join(notes)})"


def plan_warnings(plan: GuidePlan) -> tuple[str, ...]:
    """What is not there yet, and what a person should have meant."""
    return tuple(_warnings(plan))


def _warnings(plan: GuidePlan) -> Iterator[str]:
    if plan.technique == "robot-glove":
        yield PHASE_LINE
    if plan.count_by is CountBy.ANGLE:
        yield NO_GONIOMETER
    if plan.technique == "exercise" and plan.sets > 1 and plan.set_rest_us < MINUTE:
        yield f"dose: {seconds_text(plan.set_rest_us)} between sets is short; 1 to 2 min is usual"


def number(thousandths: int) -> str:
    """A goal or value as a person reads it."""
    return f"{thousandths / 1_000:g}"


# --- afterwards ----------------------------------------------------------------------------------------------------


def review_lines(guide: Guide, worn_us: int) -> tuple[str, ...]:
    """Prescribed and done, attempts that came to their goal, times."""
    plan, tally = guide.plan, guide.tally
    lines = [prescribed_line(plan), f"Done: {tally.done} of {plan.prescribed} repetitions"]
    percent = tally.reached_percent
    if percent is not None:
        unheard = f", {tally.unheard} could not be measured" if tally.unheard else ""
        lines.append(f"Attempts: {tally.reached} reached, {tally.missed} missed ({percent} % reached{unheard})")
    elif tally.unheard:
        lines.append(f"Attempts: {tally.unheard} could not be measured")
    if any(step.counting is Counting.MANY for step in plan.steps):
        lines.append(f"Counted: {tally.counted}{f' of {plan.asked} asked for' if plan.asked else ''}")
    if plan.goal is not None:
        best = f"; highest reached {number(tally.highest_goal)} {plan.goal.unit}" if tally.highest_goal else ""
        now = number(guide.measure.goal)
        lines.append(f"Goal: from {number(plan.goal.start)} to {now} {plan.goal.unit}{best}")
    imagery = f", imagery {seconds_text(tally.imagery_us)}" if tally.imagery_us else ""
    lines.append(f"Practice {seconds_text(tally.practice_us)}{imagery}, rest {seconds_text(tally.rest_us)}")
    if plan.beat_us:
        lines.append(f"Metronome: {tally.beats} beats")
    if plan.wear_us:
        lines.append(f"Restraint worn here for {worn_us // MINUTE} of {plan.wear_us // MINUTE} min prescribed")
    lines.append(f"Stops: {tally.stops}. Output was disabled throughout.")
    return tuple(lines)
