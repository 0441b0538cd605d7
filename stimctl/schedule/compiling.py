"""From a protocol to its schedule, in a board's own steps."""

from __future__ import annotations

from typing import Final

from stimctl.errors import UsageError
from stimctl.protocols import Channel as FileChannel
from stimctl.protocols import Led, Protocol, Tens
from stimctl.pulse import symmetric
from stimctl.schedule import flow, following, motor
from stimctl.schedule.movement import burst
from stimctl.schedule.plans import ChannelPlan, PadPlan, Schedule, Steps
from stimctl.units import MS, MicroAmp, microamps, microseconds, millihertz

TEST_BURST: Final = burst(ramp_up_us=1_000 * MS, hold_us=1_500 * MS, ramp_down_us=200 * MS, rest_us=3_000 * MS)
"""What a motor channel gives while thresholds are found: two seconds or more on, three off (procedure D, step 6).

It keeps to the warn column, which refuses where sensation is reduced: a ramp of a second, on for less than half the time.
"""


def compile_schedule(protocol: Protocol, steps: Steps) -> Schedule:
    """Turn a protocol into a schedule in a board's steps; raises :class:`UsageError` if a step is too coarse for it."""
    rounded: list[str] = []
    channels = tuple(_channel(protocol, each, steps, rounded) for each in protocol.channels)
    tens = protocol if isinstance(protocol, Tens) else None
    fes = None if isinstance(protocol, Tens) else protocol
    follows = protocol if isinstance(protocol, Led) else None
    return Schedule(
        title=protocol.title,
        kind=protocol.kind,
        purpose=protocol.purpose,
        channels=channels,
        movement=motor.movement(fes, steps) if fes else flow.movement(tens, steps) if tens else None,
        trigger=motor.trigger(fes) if fes else None,
        ear=motor.ear(fes, channels) if fes else None,
        repetitions=fes.dose.repetitions if fes else 1,
        sets=fes.dose.sets if fes else 1,
        set_rest_us=microseconds(fes.dose.set_rest_s) if fes else 0,
        flow_us=tens.dose.duration_us if tens else 0,
        rounded=tuple(rounded),
        antagonists_together=motor.antagonists_together(fes) if fes else "",
        aim=tens.mode.aim if tens else "",
        guide=flow.guide(tens) if tens else motor.guide(fes) if fes else (),
        control=following.control(follows, steps) if follows else None,
    )


def _channel(protocol: Protocol, each: FileChannel, steps: Steps, rounded: list[str]) -> ChannelPlan:
    def down(what: str, value: int, step: int, unit: str) -> int:
        return noted(what, value, value - value % step, step, unit)

    def noted(what: str, value: int, result: int, step: int, unit: str) -> int:
        if result != value:
            rounded.append(f"{each.name}: {what} {value} {unit} becomes {result} {unit}, the board's step")
        if value and not result:
            raise UsageError(f"{each.name}: this board's smallest step of {what} is {step} {unit}, asked for {value}")
        return result

    corner = protocol.strongest(each)
    rate_mhz, width_us, gap_us = millihertz(corner.rate_hz), corner.phase_width_us, each.interphase_gap_us
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
            noted("phase width", width_us, steps.width_down_us(width_us), steps.width_us, "µs"),
            noted("rate", rate_mhz, steps.rate_down_mhz(rate_mhz), steps.rate_mhz, "mHz"),
            interphase_gap_us=noted("interphase gap", gap_us, steps.gap_us(gap_us), steps.width_us, "µs"),
            pulses_per_period=corner.pulses_per_period,
        ),
        step_ua=steps.amplitude_ua,
    )
