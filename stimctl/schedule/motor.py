"""What moves muscles: from the parts of an FES file to a movement, what sets it off, and how an attempt is heard."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias

from stimctl.protocols import (
    FesContralateral,
    FesCyclic,
    FesEmgProportional,
    FesEmgTriggered,
    FesSequence,
    FesSwitchTriggered,
    Led,
    Phase,
    PhaseGoal,
    Sentence,
    Switch,
    Trigger,
)
from stimctl.schedule import following
from stimctl.schedule.movement import FULL_PPM, Advance, Goal, MovementPlan, PhasePlan, burst
from stimctl.schedule.plans import ChannelPlan, EarPlan, Spoken, Steps, TriggerPlan
from stimctl.units import MINUTE, MS, microseconds, seconds_text

AnyFes: TypeAlias = (
    FesCyclic | FesEmgTriggered | FesSwitchTriggered | FesSequence | FesContralateral | FesEmgProportional
)
"""The kinds that make muscles move."""


def movement(protocol: AnyFes, steps: Steps) -> MovementPlan:
    """The burst, the phases, or the opening that follows a signal."""
    if isinstance(protocol, Led):
        return following.movement(protocol, steps)
    if isinstance(protocol, FesSequence):
        return _task(protocol)
    times = protocol.burst
    plain = burst(
        microseconds(times.ramp_up_s),
        microseconds(times.hold_s),
        microseconds(times.ramp_down_s),
        microseconds(times.rest_s),
    )
    if isinstance(protocol, FesSwitchTriggered) and protocol.switch.source == "robot":
        return replace(plain, release=len(plain.phases) - 1)  # the ramp down: there the glove's closing leads
    return plain


def _task(protocol: FesSequence) -> MovementPlan:
    outputs = {channel.name: channel.output - 1 for channel in protocol.channels}
    names = [phase.name for phase in protocol.phases]
    return MovementPlan(
        tuple(_phase(phase, outputs) for phase in protocol.phases),
        microseconds(protocol.sequence.rest_s),
        names.index(protocol.sequence.release),
    )


def _phase(phase: Phase, outputs: dict[str, int]) -> PhasePlan:
    goals = MappingProxyType({outputs[name]: _goal(goal) for name, goal in phase.goals.items()})
    advance = Advance(phase.advance)
    return PhasePlan(phase.name, microseconds(phase.length_s), goals, advance=advance, cue=phase.cue or "")


def _goal(goal: PhaseGoal) -> Goal:
    return Goal(goal.share_percent * FULL_PPM // 100, microseconds(goal.ramp_s), microseconds(goal.delay_s))


def antagonists_together(protocol: AnyFes) -> str:
    """The file's reason for muscles that pull against each other, "" where it has none."""
    if isinstance(protocol, Led):
        return ""  # a rule: there they are refused
    part = protocol.sequence if isinstance(protocol, FesSequence) else protocol.burst
    return part.antagonists_together or ""


def trigger(protocol: AnyFes) -> TriggerPlan | None:
    """What sets a movement off; ``None`` where the clock does."""
    plan: TriggerPlan | None = None
    if isinstance(protocol, FesEmgTriggered):
        plan = _waits(Advance.ATTEMPT, protocol.trigger, protocol.script)
    elif isinstance(protocol, FesSwitchTriggered):
        plan = _waits(Advance.KEY, protocol.switch, protocol.script)
    elif isinstance(protocol, FesSequence) and protocol.sequence.start != "time":
        told = protocol.switch if protocol.sequence.start == "key" else protocol.trigger
        plan = _waits(Advance(protocol.sequence.start), told) if told is not None else None
    return replace(plan, say=plan.say or _asked(protocol, plan)) if plan is not None else None


def _asked(protocol: AnyFes, plan: TriggerPlan) -> str:
    """What the patient is told to try where the file has no words of its own: by the muscle that is heard, or works first."""
    if plan.robot:
        return "Try along with the glove"
    heard = plan.by is Advance.ATTEMPT and isinstance(protocol, FesEmgTriggered | FesSequence) and protocol.trigger
    name = heard.channel if heard else protocol.channels[0].name
    opens = any(each.name == name and each.site == "forearm-dorsal" for each in protocol.channels)
    return "Try to open the hand" if opens else "Try the movement"


def _waits(by: Advance, told: Trigger | Switch, script: tuple[Sentence, ...] = ()) -> TriggerPlan:
    return TriggerPlan(
        by=by,
        lockout_us=int(told.lockout_ms) * MS,
        cued=told.cue,
        window_us=microseconds(told.attempt_window_s) if told.cue and told.attempt_window_s else 0,
        assist_missed=told.on_missed == "assist",
        min_interval_us=MINUTE // int(told.max_triggers_per_min),
        robot=isinstance(told, Switch) and told.source == "robot",
        script=tuple(Spoken(each.say, microseconds(each.length_s)) for each in script),
        say=told.say or "",
    )


def guide(protocol: AnyFes) -> tuple[str, ...]:
    """What the operator is told of it before the start."""
    if isinstance(protocol, Led):
        return following.guide(protocol)
    plan = trigger(protocol)
    if plan is None:
        return ()
    lines = list(_GLOVE if plan.robot else ())
    lines.append(f'To set it off the patient is told: "{plan.say}".')
    if plan.script:
        told = f"{len(plan.script)} sentences, {seconds_text(plan.script_us)}"
        lines.append(
            f"Before each attempt a script is read aloud: {told}. Nothing flows in it, and it is logged apart."
        )
    return tuple(lines)


_GLOVE = (
    "Led by a robot glove: it sets off by opening the hand, and what is under way goes on, or ends, when it turns.",
    "A glove that is not ready, stopped, faulty or not heard is zero at once, and zero it stays until somebody clears it.",
)


def ear(protocol: AnyFes, channels: tuple[ChannelPlan, ...]) -> EarPlan | None:
    """How the patient's attempts are heard; ``None`` where nobody listens."""
    told = protocol.trigger if isinstance(protocol, FesEmgTriggered | FesSequence) else None
    return _ear(told, channels) if told is not None else None


def _ear(told: Trigger, channels: tuple[ChannelPlan, ...]) -> EarPlan:
    heard = next(plan for plan in channels if plan.name == told.channel)
    return EarPlan(
        channel=heard.channel,
        threshold_sd=told.threshold_sd,
        threshold_uv=told.threshold_uv,
        dwell_ms=int(told.dwell_ms),
        release_fraction=float(told.release_fraction),
        blanking_ms=int(told.blanking_ms),
        baseline_us=microseconds(told.baseline_s),
        adapting=(told.adapt_percent, told.adapt_least_percent or 100, told.adapt_most_percent or 100)
        if told.adapt_percent
        else None,
    )
