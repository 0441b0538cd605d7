"""What the fields of guided work must be to each other. The sources of the figures stand beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from stimctl.protocols.findings import Finding, shown
from stimctl.protocols.guided import Activity, AngleGoal, Biofeedback, EmgGoal, Guided
from stimctl.units import MINUTE, microseconds

GuidedRule = Callable[[Guided], Iterator[Finding]]


class _Longest(NamedTuple):
    minutes: int
    source: str


_PROJECT: Final = _Longest(120, "project: two hours of guided work in one session")
_LONGEST: Final[Mapping[str, _Longest]] = MappingProxyType(
    {
        "mirror-box": _Longest(60, "Cochrane review of mirror therapy 2018 and its trials: 15 to 60 min a session"),
        "imagery": _Longest(60, "mental practice after stroke, secondary summaries: 10 to 60 min a day"),
        "bilateral": _Longest(30, "Stinear, Shiner: 10 to 15 min before practice; twice that at most (project)"),
        "robot-glove": _Longest(60, "Amadeo study 2012: 40 min a session; half as long again at most (project)"),
        "constraint": _Longest(360, "constraint-induced trials: 6 h of practice a day"),
    }
)
_FEEDBACK: Final = _Longest(60, "EMG biofeedback, device guides: 20 to 30 min, once or twice a day")

STRETCH_MAX_S: Final = 120
"""Usual stretches are held for 30 to 60 s; more than twice that in one go is a slip (project)."""

_IN_HAND: Final = frozenset({"spin-a-pen", "coin-drop"})
"""Exercises that need isolated control in the hand: nothing that a hand without movement can try."""


def exercise_belongs(protocol: Guided) -> Iterator[Finding]:
    """The exercise is named where the technique is one, and nowhere else."""
    if isinstance(protocol, Activity):
        work = protocol.activity
        if work.technique == "exercise" and work.exercise is None:
            yield Finding(("activity", "exercise"), 'is missing: technique = "exercise" needs the name of the exercise')
        if work.technique != "exercise" and work.exercise is not None:
            message = 'has no meaning here: only technique = "exercise" has one'
            yield Finding(("activity", "exercise"), message, at_key=True)


def counting_agrees(protocol: Guided) -> Iterator[Finding]:
    """What counts, and the step in which it does, belong together."""
    if not isinstance(protocol, Activity):
        return
    counting = [index for index, step in enumerate(protocol.steps) if step.counts != "no"]
    if protocol.activity.count_by is None and counting:
        message = "counts, and nothing says by what: state count_by under [activity]"
        yield Finding(("step", counting[0], "counts"), message)
    if protocol.activity.count_by is not None and not counting:
        message = 'counts, and no step does: write counts = "once" or "many" in one'
        yield Finding(("activity", "count_by"), message, shown(protocol.activity.count_by))
    for index in counting[1:]:
        yield Finding(("step", index, "counts"), "counts in a second step: one step of a repetition counts")


def steps_agree(protocol: Guided) -> Iterator[Finding]:
    """What only some steps have, and that a repetition has a step at all."""
    if not isinstance(protocol, Activity):
        return
    for index, step in enumerate(protocol.steps):
        if step.counts != "once" and "hold_s" in step.model_fields_set:
            yield Finding(("step", index, "hold_s"), 'has no meaning here: only counts = "once" is held', at_key=True)
        if step.counts != "many" and step.goal_count is not None:
            message = 'has no meaning here: only counts = "many" has one'
            yield Finding(("step", index, "goal_count"), message, at_key=True)
        if step.counts != "no" and step.when == "first":
            message = "comes only in the first repetition, and every repetition counts"
            yield Finding(("step", index, "when"), message, shown(step.when))
    if all(step.when == "first" for step in protocol.steps):
        yield Finding(("step", 0, "when"), "every step comes in the first repetition alone; the others would be empty")


def measures_agree(protocol: Guided) -> Iterator[Finding]:
    """The tables [emg] and [angle] stand where they are used."""
    activity = isinstance(protocol, Activity)
    by = protocol.activity.count_by if isinstance(protocol, Activity) else protocol.feedback.source
    field = 'count_by = "' if activity else 'source = "'
    for name, table in (("emg", protocol.emg), ("angle", protocol.angle)):
        if by == name and table is None:
            yield Finding((name,), f'is missing: {field}{name}" needs a part [{name}]')
        if by != name and table is not None:
            yield Finding((name,), f'has no meaning without {field}{name}"', at_key=True)


def threshold_is_one(protocol: Guided) -> Iterator[Finding]:
    """Exactly one of the two ways to state a threshold."""
    if isinstance(protocol, Activity) and protocol.emg is not None:
        stated = (protocol.emg.threshold_sd, protocol.emg.threshold_uv)
        if stated.count(None) == len(stated):
            yield Finding(("emg", "threshold_sd"), "is missing: state threshold_sd or threshold_uv")
        if None not in stated:
            yield Finding(("emg", "threshold_uv"), "state threshold_sd or threshold_uv, not both", at_key=True)


def angle_comes_back(protocol: Guided) -> Iterator[Finding]:
    """The joint must come back before it counts again."""
    if isinstance(protocol, Activity) and protocol.angle is not None:
        goal, release = protocol.angle.goal_deg, protocol.angle.release_deg
        if not release < goal:
            allowed = f"less than goal_deg, {goal}°"
            yield Finding(("angle", "release_deg"), "is not below the goal", f"{release}°", allowed)


def goal_has_room(protocol: Guided) -> Iterator[Finding]:
    """The first goal lies within its bounds, and a step fits between them."""
    if not isinstance(protocol, Biofeedback):
        return
    for name, table in (("emg", protocol.emg), ("angle", protocol.angle)):
        if table is not None:
            unit, (start, step, least, most) = goal_numbers(table)
            sign = {"uv": "µV", "deg": "°"}[unit]
            if not least <= start <= most:
                message, allowed = "is not within its bounds", f"{least} to {most} {sign}"
                yield Finding((name, f"start_{unit}"), message, f"{start} {sign}", allowed)
            if not step <= most - least:
                message, allowed = "is larger than the room to move in", f"at most {most - least:g} {sign}"
                yield Finding((name, f"step_{unit}"), message, f"{step} {sign}", allowed)


def goal_numbers(table: EmgGoal | AngleGoal) -> tuple[str, tuple[float, float, float, float]]:
    """The unit of a goal, and its start, step, least and most."""
    if isinstance(table, EmgGoal):
        return "uv", (table.start_uv, table.step_uv, table.least_uv, table.most_uv)
    return "deg", (table.start_deg, table.step_deg, table.least_deg, table.most_deg)


def hold_fits_the_attempt(protocol: Guided) -> Iterator[Finding]:
    """A goal that must be held longer than one may try can never be reached."""
    if isinstance(protocol, Biofeedback):
        attempt, hold = protocol.feedback.attempt_s, protocol.feedback.hold_s
        if not hold < attempt:
            allowed = f"less than attempt_s, {attempt} s"
            yield Finding(("feedback", "hold_s"), "is not shorter than the attempt", f"{hold} s", allowed)


def pace_is_stated(protocol: Guided) -> Iterator[Finding]:
    """What both hands do together goes by a metronome."""
    if isinstance(protocol, Activity):
        work = protocol.activity
        if work.technique in ("mirror-box", "bilateral") and work.pace_per_min is None:
            yield Finding(("activity", "pace_per_min"), f"is missing: {work.technique} goes by a metronome")


def restraint_is_prescribed(protocol: Guided) -> Iterator[Finding]:
    """The wear log has a prescription to be compared with; only constraint-induced practice has one."""
    if not isinstance(protocol, Activity):
        return
    work = protocol.activity
    if work.technique == "constraint" and work.wear_min is None:
        yield Finding(("activity", "wear_min"), "is missing: say for how long the restraint is to be worn")
    if work.technique != "constraint" and work.wear_min is not None:
        message = 'has no meaning here: only technique = "constraint" restrains a hand'
        yield Finding(("activity", "wear_min"), message, at_key=True)


def imagery_is_tried(protocol: Guided) -> Iterator[Finding]:
    """A script is imagined first, and then tried: the attempt is what is rewarded."""
    if not isinstance(protocol, Activity) or protocol.activity.technique != "imagery":
        return
    counting = [index for index, step in enumerate(protocol.steps) if step.counts != "no"]
    imagined = [index for index, step in enumerate(protocol.steps) if step.time == "imagery" and step.when == "each"]
    if not imagined:
        yield Finding(("step", 0, "time"), 'no step of each repetition is imagined: write time = "imagery" in one')
    if not counting:
        yield Finding(("step", len(protocol.steps) - 1, "counts"), "no step is tried after the images", "no", "once")
    elif imagined and counting[0] < imagined[0]:
        yield Finding(("step", counting[0], "counts"), "is tried before anything was imagined")


def stages_suit(protocol: Guided) -> Iterator[Finding]:
    """What a hand without movement cannot try is not offered to it."""
    if not isinstance(protocol, Activity) or 1 not in (protocol.stages or ()):
        return
    if protocol.activity.exercise in _IN_HAND:
        source = "exercise table: needs isolated control in the hand"
        yield Finding(("stages",), f"{protocol.activity.exercise} is nothing for stage 1", "1", "2, 3", source)
    if protocol.activity.technique == "constraint":
        source = "constraint-induced trials: about 10° of active wrist, thumb and two-finger extension"
        yield Finding(("stages",), "practice with a restrained sound hand is nothing for stage 1", "1", "2, 3", source)


def stretches_are_short(protocol: Guided) -> Iterator[Finding]:
    """A stretch is held for a while, not for minutes."""
    if isinstance(protocol, Activity) and protocol.activity.technique == "stretching":
        for index, step in enumerate(protocol.steps):
            if not step.length_s <= STRETCH_MAX_S:
                source = "stretching, usual practice: 30 to 60 s a hold; twice that at most (project)"
                value, allowed = f"{step.length_s} s", f"at most {STRETCH_MAX_S} s"
                yield Finding(("step", index, "length_s"), "is too long for a stretch", value, allowed, source)


def set_rest_is_stated(protocol: Guided) -> Iterator[Finding]:
    """More than one set needs a rest between them that somebody decided on."""
    dose = protocol.dose
    if dose.sets > 1 and "set_rest_s" not in dose.model_fields_set:
        yield Finding(("dose", "set_rest_s"), "is missing: with more than one set, state the rest between them")


def work_is_not_too_long(protocol: Guided) -> Iterator[Finding]:
    """The whole of it, every attempt at its longest, fits a session of its technique."""
    if isinstance(protocol, Activity):
        longest = _LONGEST.get(protocol.activity.technique, _PROJECT)
    else:
        longest = _FEEDBACK
    length = longest_us(protocol)
    if not length <= longest.minutes * MINUTE:
        value, allowed = f"{length / MINUTE:.4g} min", f"at most {longest.minutes} min"
        yield Finding(("dose", "repetitions"), "makes the work too long", value, allowed, longest.source)


def longest_us(protocol: Guided) -> int:
    """The longest time in µs that the work can take: every attempt waited for to its end, rests included."""
    dose = protocol.dose
    if isinstance(protocol, Activity):
        each = sum(_step_us(step.length_s, step.hold_s) for step in protocol.steps if step.when == "each")
        first = sum(_step_us(step.length_s, step.hold_s) for step in protocol.steps if step.when == "first")
    else:
        each, first = _step_us(protocol.feedback.attempt_s, protocol.feedback.rest_s), 0
    return dose.sets * (first + dose.repetitions * each) + (dose.sets - 1) * microseconds(dose.set_rest_s)


def _step_us(*seconds: int | float) -> int:
    return sum(map(microseconds, seconds))


GUIDED_RULES: Final[tuple[GuidedRule, ...]] = (
    exercise_belongs,
    counting_agrees,
    steps_agree,
    measures_agree,
    threshold_is_one,
    angle_comes_back,
    goal_has_room,
    hold_fits_the_attempt,
    pace_is_stated,
    restraint_is_prescribed,
    imagery_is_tried,
    stages_suit,
    stretches_are_short,
    set_rest_is_stated,
    work_is_not_too_long,
)
