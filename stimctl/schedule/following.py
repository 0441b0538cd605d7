"""What follows a signal: from the parts of a file to a movement of one phase that follows, and one that lets go.

Every channel's goal follows. Where the signal chooses the width, a goal has a stair of pulses: from the width at which
muscle begins to answer, in the board's own steps, to the channel's full one, which is the one that levels are found with.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from stimctl.errors import UsageError
from stimctl.protocols.following import FesEmgProportional, Led
from stimctl.protocols.output import Channel
from stimctl.pulse import PulseTrain, symmetric
from stimctl.schedule.movement import FULL_PPM, Goal, MovementPlan, PhasePlan
from stimctl.schedule.plans import ControlPlan, Steps
from stimctl.units import MS, SECOND, microseconds, millihertz

_PERCENT_PPM = FULL_PPM // 100
_MHZ_US: Final = 10**9

_CUES: Final = {"own-emg": "Try to open the hand"}
_CUE: Final = "Open both hands"
"""What the patient is told where the file has no words of its own."""

_WHAT: Final = {
    "sound-hand-angle": "the opening of the sound hand",
    "sound-hand-emg": "the EMG of the sound hand",
    "own-emg": "the effort of the muscle itself, heard between the pulses",
}

EFFORT_MOST_PPM: Final = 3 * FULL_PPM
"""An effort waxes and wanes, and the best one of today may be passed: only beyond this it is no effort (project)."""


def control(protocol: Led, steps: Steps) -> ControlPlan:
    """What is followed, and how."""
    told = protocol.control
    plan = ControlPlan(
        source=told.source,
        modulates=told.modulates,
        floor_ppm=told.floor_percent * _PERCENT_PPM,
        full_ppm=told.full_percent * _PERCENT_PPM,
        slew_ppm_per_s=told.slew_percent_per_s * _PERCENT_PPM,
        stale_us=int(told.stale_ms) * MS,
    )
    return _own(plan, protocol, steps) if isinstance(protocol, FesEmgProportional) else plan


def _own(plan: ControlPlan, protocol: FesEmgProportional, steps: Steps) -> ControlPlan:
    """The same for a muscle that is heard between its own pulses, which stand as far apart as the board sets them."""
    [channel] = protocol.channels
    return replace(
        plan,
        most_ppm=EFFORT_MOST_PPM,
        period_us=_MHZ_US // _rate_mhz(channel, steps),
        blanking_us=int(protocol.control.blanking_ms) * MS,
    )


def movement(protocol: Led, steps: Steps) -> MovementPlan:
    """The opening, in which every channel follows; the way down from wherever it is then; the rest."""
    cycle = protocol.cycle
    rise_us = -(-100 * SECOND // int(protocol.control.slew_percent_per_s))
    down_us = microseconds(cycle.ramp_down_s)
    stairs = {each.output - 1: _stair(protocol, each, steps) for each in protocol.channels}
    up = {output: Goal(FULL_PPM, rise_us, follows=True, stair=stair) for output, stair in stairs.items()}
    down = {output: Goal(0, down_us, follows=True, stair=stair) for output, stair in stairs.items()}
    opening = PhasePlan(
        "open", microseconds(cycle.open_s), up, cue=cycle.cue or _CUES.get(protocol.control.source, _CUE)
    )
    phases = (opening, PhasePlan("let go", down_us, down)) if down_us else (opening,)
    return MovementPlan(phases, microseconds(cycle.relax_s))


def guide(protocol: Led) -> tuple[str, ...]:
    """What the operator is told of it before the start."""
    told = protocol.control
    what, who = _WHAT[told.source], "muscle" if isinstance(protocol, FesEmgProportional) else "sound hand"
    how = (
        f"from {told.floor_width_us} µs to the full phase width"
        if told.modulates == "width"
        else "from zero to the level"
    )
    follows = (
        f"Follows {what}: nothing below {told.floor_percent} % of today's range, {how} by {told.full_percent} %,"
        f" rising by {told.slew_percent_per_s} % in a second at most."
    )
    lost = f"A signal that is lost, or {told.stale_ms} ms old, is zero at once, until the {who} has been at rest."
    return follows, lost, "Levels are found with the full phase width, which no moment of it exceeds."


def _stair(protocol: Led, channel: Channel, steps: Steps) -> tuple[PulseTrain, ...]:
    """Every width that the signal may choose, in the board's steps; none where it changes the amplitude."""
    least_us = protocol.control.floor_width_us
    if protocol.control.modulates != "width" or least_us is None:
        return ()
    full_us = steps.width_down_us(channel.phase_width_us)
    rate_mhz = _rate_mhz(channel, steps)
    if not full_us:
        raise UsageError(f"{channel.name}: this board's steps are too coarse for pulses whose width follows a signal")
    gap_us = steps.gap_us(channel.interphase_gap_us)
    # The floor is rounded up: below it, muscle does not answer; never above the full width, which is rounded down.
    return tuple(
        symmetric(0, width_us, rate_mhz, interphase_gap_us=gap_us, pulses_per_period=channel.pulses_per_period)
        for width_us in steps.widths_us(least_us, full_us)
    )


def _rate_mhz(channel: Channel, steps: Steps) -> int:
    """The rate in the board's steps."""
    rate_mhz = steps.rate_down_mhz(millihertz(channel.rate_hz))
    if not rate_mhz:
        raise UsageError(f"{channel.name}: this board's steps are too coarse for pulses that follow a signal")
    return rate_mhz
