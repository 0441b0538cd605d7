"""What moves muscles: from the parts of an FES file to a movement, what sets it off, and how an attempt is heard."""

from __future__ import annotations

from typing import TypeAlias

from stimctl.protocols import FesCyclic, FesEmgTriggered, FesSwitchTriggered, Switch, Trigger
from stimctl.schedule.movement import Advance, MovementPlan, burst
from stimctl.schedule.plans import ChannelPlan, EarPlan, TriggerPlan
from stimctl.units import MINUTE, MS, microseconds

AnyFes: TypeAlias = FesCyclic | FesEmgTriggered | FesSwitchTriggered
"""The kinds that make muscles move."""


def movement(protocol: AnyFes) -> MovementPlan:
    """The burst, or the phases."""
    times = protocol.burst
    return burst(
        microseconds(times.ramp_up_s),
        microseconds(times.hold_s),
        microseconds(times.ramp_down_s),
        microseconds(times.rest_s),
    )


def trigger(protocol: AnyFes) -> TriggerPlan | None:
    """What sets a movement off; ``None`` where the clock does."""
    if isinstance(protocol, FesEmgTriggered):
        return _waits(Advance.ATTEMPT, protocol.trigger)
    if isinstance(protocol, FesSwitchTriggered):
        return _waits(Advance.KEY, protocol.switch)
    return None


def _waits(by: Advance, told: Trigger | Switch) -> TriggerPlan:
    return TriggerPlan(
        by=by,
        lockout_us=int(told.lockout_ms) * MS,
        cued=told.cue,
        window_us=microseconds(told.attempt_window_s) if told.cue and told.attempt_window_s else 0,
        assist_missed=told.on_missed == "assist",
        min_interval_us=MINUTE // int(told.max_triggers_per_min),
    )


def ear(protocol: AnyFes, channels: tuple[ChannelPlan, ...]) -> EarPlan | None:
    """How the patient's attempts are heard; ``None`` where nobody listens."""
    return _ear(protocol.trigger, channels) if isinstance(protocol, FesEmgTriggered) else None


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
    )
