"""From a protocol to what happens when, in the board's own steps.

A schedule holds integers only. Everything is rounded towards LESS output here, before the limiter sees it, so that
what is judged is what the codec writes. No clock, no port, no limits: a schedule is a plan, not a permission.
"""

from stimctl.schedule.compiling import TEST_BURST, compile_schedule
from stimctl.schedule.movement import FULL_PPM, Advance, Goal, MovementPlan, PhasePlan, Spell, burst
from stimctl.schedule.plans import (
    CONTROL_PERIOD_US,
    ChannelPlan,
    ControlPlan,
    EarPlan,
    PadPlan,
    Schedule,
    Spoken,
    Steps,
    TriggerPlan,
)

__all__ = [
    "CONTROL_PERIOD_US",
    "FULL_PPM",
    "TEST_BURST",
    "Advance",
    "ChannelPlan",
    "ControlPlan",
    "EarPlan",
    "Goal",
    "MovementPlan",
    "PadPlan",
    "PhasePlan",
    "Schedule",
    "Spell",
    "Spoken",
    "Steps",
    "TriggerPlan",
    "burst",
    "compile_schedule",
]
