"""TENS: current that flows on for its time, steadily, or in a movement that begins again and again.

A sweep is a staircase of steps of at most 100 ms, each with its own pulses: a tenth of a second is one pulse or two at the
low rates, and nobody feels a corner in it. Every number on the way lies between those of its two ends, and both ends have
steps of their own.
"""

from __future__ import annotations

from typing import Final

from stimctl.errors import UsageError
from stimctl.protocols.output import Channel
from stimctl.protocols.tens import Tens, TensAlternating, TensBurst, TensModulated
from stimctl.pulse import APART_US, PulseTrain, symmetric
from stimctl.schedule.movement import FULL_PPM, Goal, MovementPlan, PhasePlan
from stimctl.schedule.plans import Steps
from stimctl.units import MS, microseconds, millihertz

STEP_US: Final = 100 * MS
"""The longest step of a sweep."""

CHANGE_US: Final = 500 * MS
"""How long the level takes from half to whole after a change of rate (project: half a second at the least)."""

FALL_US: Final = 100 * MS
"""How long it takes down to that half, before the change: nothing startles (hazard H53)."""


def movement(protocol: Tens, steps: Steps) -> MovementPlan | None:
    """What the flow goes through again and again; ``None`` where nothing changes."""
    if isinstance(protocol, TensModulated):
        return _sweep(protocol, steps)
    return _turns(protocol, steps) if isinstance(protocol, TensAlternating) else None


def guide(protocol: Tens) -> tuple[str, ...]:
    """What the operator is told of the course, besides the aim."""
    if isinstance(protocol, TensModulated):
        return (f"The pulses sweep to {_ends(protocol)} and back in {protocol.modulation.period_s:g} s.", _CORNER)
    if isinstance(protocol, TensBurst):
        each = f"Each burst is {protocol.packet.pulses} pulses, {APART_US // MS} ms apart; levels are found with whole bursts."
        return (each,)
    if isinstance(protocol, TensAlternating):
        low = protocol.alternation
        width = "" if low.low_phase_width_us is None else f" with {low.low_phase_width_us} µs per phase"
        turns = f"{low.high_s:g} s at the high rate and {low.low_s:g} s at {low.low_rate_hz:g} Hz{width}, in turn."
        return (turns, _CORNER)
    return ()


_CORNER: Final = "Levels are found with the widest and fastest pulses together, which no moment of it exceeds."


def _ends(protocol: TensModulated) -> str:
    to = protocol.modulation
    ends = ((to.rate_to_hz, "Hz"), (to.phase_width_to_us, "µs per phase"), (to.amplitude_to_percent, "% of the level"))
    return ", ".join(f"{value:g} {unit}" for value, unit in ends if value is not None)


def _sweep(protocol: TensModulated, steps: Steps) -> MovementPlan:
    """There in as many steps as back, each no longer than :data:`STEP_US`."""
    half_us = microseconds(protocol.modulation.period_s) // 2
    count = -(-half_us // STEP_US)
    lengths = [half_us * (index + 1) // count - half_us * index // count for index in range(count)]
    there = [_step(protocol, steps, index, count - 1, length) for index, length in enumerate(lengths)]
    return MovementPlan((*there, *reversed(there)), 0)


def _step(protocol: TensModulated, steps: Steps, index: int, last: int, length_us: int) -> PhasePlan:
    """The step that is ``index / last`` of the way to the other end."""
    to = protocol.modulation

    def between(own: int, other: int | None) -> int:
        return own if other is None else own + (other - own) * index // last

    percent = None if to.amplitude_to_percent is None else int(to.amplitude_to_percent) * FULL_PPM // 100
    share_ppm = between(FULL_PPM, percent)
    rate_mhz = None if to.rate_to_hz is None else millihertz(to.rate_to_hz)

    def goal(each: Channel) -> Goal:
        width_us = between(each.phase_width_us, to.phase_width_to_us)
        pulses = _train(each, width_us, between(millihertz(each.rate_hz), rate_mhz), steps)
        return Goal(share_ppm, length_us, pulses=pulses)

    goals = {each.output - 1: goal(each) for each in protocol.channels}
    return PhasePlan("sweep", length_us, goals)


def _turns(protocol: TensAlternating, steps: Steps) -> MovementPlan:
    """Each rate rises from half its level, and falls to half before the other comes."""
    low = protocol.alternation
    high = {
        each.output - 1: _train(each, each.phase_width_us, millihertz(each.rate_hz), steps)
        for each in protocol.channels
    }
    slow = {
        each.output - 1: _train(each, low.low_phase_width_us or each.phase_width_us, millihertz(low.low_rate_hz), steps)
        for each in protocol.channels
    }
    phases = (*_turn("high rate", microseconds(low.high_s), high), *_turn("low rate", microseconds(low.low_s), slow))
    return MovementPlan(phases, 0)


def _turn(name: str, length_us: int, pulses: dict[int, PulseTrain]) -> tuple[PhasePlan, PhasePlan]:
    up = {output: Goal(FULL_PPM, CHANGE_US, pulses=train) for output, train in pulses.items()}
    down = {output: Goal(FULL_PPM // 2, FALL_US, pulses=train) for output, train in pulses.items()}
    return PhasePlan(name, length_us - FALL_US, up), PhasePlan(name, FALL_US, down)


def _train(channel: Channel, width_us: int, rate_mhz: int, steps: Steps) -> PulseTrain:
    """The pulses in the board's steps, rounded down like the channel's own."""
    width_us = steps.width_down_us(width_us)
    rate_mhz = steps.rate_down_mhz(rate_mhz)
    if not (width_us and rate_mhz):
        raise UsageError(f"{channel.name}: this board's steps are too coarse for the weakest pulses of the course")
    gap_us = steps.gap_us(channel.interphase_gap_us)
    return symmetric(0, width_us, rate_mhz, interphase_gap_us=gap_us)
