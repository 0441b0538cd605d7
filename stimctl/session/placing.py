"""From a schedule to what the limiter is told about each channel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from stimctl.limits import ABSOLUTE, Effect, Limits, Sensation, narrow
from stimctl.pulse import phase_charge_pc
from stimctl.safety import Burst, Pad, Placement
from stimctl.schedule import ChannelPlan, Schedule


def placements(schedule: Schedule, sensation: Callable[[str], Sensation]) -> tuple[Placement, ...]:
    """One placement a channel; ``sensation`` answers for a site."""
    return tuple(_placement(plan, schedule, sensation(plan.site)) for plan in schedule.channels)


def _placement(plan: ChannelPlan, schedule: Schedule, sensation: Sensation) -> Placement:
    return Placement(
        channel=plan.channel,
        part=plan.part,
        effect=plan.effect,
        sensation=sensation,
        pads=tuple(Pad(pad.name, pad.area_um2) for pad in plan.pads),
        site=plan.site,
        protocol=_file_limits(plan),
        burst=_burst(plan, schedule),
    )


def _burst(plan: ChannelPlan, schedule: Schedule) -> Burst | None:
    """A motor channel's hardest stretch of a cycle: its longest time on, the shortest rest in proportion, its own ramp.

    A channel that comes on twice in a cycle is on longest in one stretch and rests least after another: both are taken.
    """
    movement = schedule.movement if plan.effect is Effect.MOTOR else None
    duty = movement.duty(plan.channel) if movement else None
    if movement is None or duty is None:
        return None
    on_us = movement.longest_on_us(plan.channel)
    rise_us = min(movement.rise_us(plan.channel), on_us)
    return Burst(rise_us, on_us - rise_us, 0, duty.off_us * on_us // duty.on_us)


def _file_limits(plan: ChannelPlan) -> Limits:
    """What the file itself allows: its maximum at its own width, rate and gap. It can only narrow."""
    most = plan.train(plan.max_ua)
    return narrow(
        ABSOLUTE,
        replace(
            ABSOLUTE,
            peak_ua=plan.max_ua,
            phase_width_max_us=most.phase_width_us,
            interphase_gap_max_us=most.interphase_gap_us,
            rate_max_mhz=most.rate_mhz,
            pulses_per_period_max=most.pulses_per_period,
            charge_nc=-(-phase_charge_pc(most) // 1000),
        ),
    )
