"""From a protocol to its schedule, in a board's own steps."""

from __future__ import annotations

from typing import Final

from stimctl.errors import UsageError
from stimctl.protocols import Channel as FileChannel
from stimctl.protocols import FesCyclic, FesEmgTriggered, Protocol, TensConventional
from stimctl.pulse import symmetric
from stimctl.schedule.movement import Advance, MovementPlan, burst
from stimctl.schedule.plans import ChannelPlan, EarPlan, PadPlan, Schedule, Steps, TriggerPlan
from stimctl.units import MINUTE, MS, MicroAmp, microamps, microseconds, millihertz

TEST_BURST: Final = burst(ramp_up_us=1_000 * MS, hold_us=1_500 * MS, ramp_down_us=200 * MS, rest_us=3_000 * MS)
"""What a motor channel gives while thresholds are found: two seconds or more on, three off (procedure D, step 6).

It keeps to the warn column, which refuses where sensation is reduced: a ramp of a second, on for less than half the time.
"""


def compile_schedule(protocol: Protocol, steps: Steps) -> Schedule:
    """Turn a protocol into a schedule in a board's steps; raises :class:`UsageError` if a step is too coarse for it."""
    rounded: list[str] = []
    channels = tuple(_channel(protocol, each, steps, rounded) for each in protocol.channels)
    fes = None if isinstance(protocol, TensConventional) else protocol
    return Schedule(
        title=protocol.title,
        kind=protocol.kind,
        purpose=protocol.purpose,
        channels=channels,
        movement=_burst(fes) if fes else None,
        trigger=_trigger(fes) if isinstance(fes, FesEmgTriggered) else None,
        ear=_ear(fes, channels) if isinstance(fes, FesEmgTriggered) else None,
        repetitions=fes.dose.repetitions if fes else 1,
        sets=fes.dose.sets if fes else 1,
        set_rest_us=microseconds(fes.dose.set_rest_s) if fes else 0,
        flow_us=protocol.dose.duration_us if isinstance(protocol, TensConventional) else 0,
        rounded=tuple(rounded),
        antagonists_together=(fes.burst.antagonists_together or "") if fes else "",
    )


def _channel(protocol: Protocol, each: FileChannel, steps: Steps, rounded: list[str]) -> ChannelPlan:
    def down(what: str, value: int, step: int, unit: str) -> int:
        result = value - value % step
        if result != value:
            rounded.append(f"{each.name}: {what} {value} {unit} becomes {result} {unit}, the board's step")
        if value and not result:
            raise UsageError(f"{each.name}: this board's smallest step of {what} is {step} {unit}, asked for {value}")
        return result

    return ChannelPlan(
        name=each.name,
        muscle=each.muscle,
        channel=each.output - 1,
        site=each.site,
        part=each.part,
        effect=protocol.effect,
        pads=tuple(PadPlan(name, protocol.pads[name].model, protocol.pads[name].area_um2) for name in each.pads),
        target_ua=MicroAmp(down("amplitude", microamps(each.amplitude_ma), steps.amplitude_ua, "µA")),
        max_ua=MicroAmp(down("maximum", microamps(each.max_amplitude_ma), steps.amplitude_ua, "µA")),
        shape=symmetric(
            0,
            down("phase width", each.phase_width_us, steps.width_us, "µs"),
            down("rate", millihertz(each.rate_hz), steps.rate_mhz, "mHz"),
            interphase_gap_us=down("interphase gap", each.interphase_gap_us, steps.width_us, "µs"),
        ),
        step_ua=steps.amplitude_ua,
    )


def _burst(protocol: FesCyclic | FesEmgTriggered) -> MovementPlan:
    times = protocol.burst
    return burst(
        microseconds(times.ramp_up_s),
        microseconds(times.hold_s),
        microseconds(times.ramp_down_s),
        microseconds(times.rest_s),
    )


def _trigger(protocol: FesEmgTriggered) -> TriggerPlan:
    trigger = protocol.trigger
    return TriggerPlan(
        by=Advance.ATTEMPT,
        lockout_us=int(trigger.lockout_ms) * MS,
        cued=trigger.cue,
        window_us=microseconds(trigger.attempt_window_s) if trigger.cue and trigger.attempt_window_s else 0,
        assist_missed=trigger.on_missed == "assist",
        min_interval_us=MINUTE // int(trigger.max_triggers_per_min),
    )


def _ear(protocol: FesEmgTriggered, channels: tuple[ChannelPlan, ...]) -> EarPlan:
    trigger = protocol.trigger
    heard = next(plan for plan in channels if plan.name == trigger.channel)
    return EarPlan(
        channel=heard.channel,
        threshold_sd=trigger.threshold_sd,
        threshold_uv=trigger.threshold_uv,
        dwell_ms=int(trigger.dwell_ms),
        release_fraction=float(trigger.release_fraction),
        blanking_ms=int(trigger.blanking_ms),
        baseline_us=microseconds(trigger.baseline_s),
    )
