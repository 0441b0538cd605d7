"""The windows of plausibility of guided work's numbers; as in :mod:`stimctl.protocols.quantities`, none is a limit."""

from __future__ import annotations

from typing import Final

from stimctl.protocols.checks import Quantity
from stimctl.units import microseconds

_WINDOW: Final = "project, window of plausibility against unit mistakes"
_S: Final = (("ms", 1e-3), ("min", 60.0))

STEP_S: Final = Quantity("s", 0.5, 3_600, _WINDOW, _S, exact=microseconds)
HOLD_S: Final = Quantity("s", 0, 120, _WINDOW, _S, exact=microseconds)
ATTEMPT_S: Final = Quantity("s", 1, 60, "project; clinical practice is 5 to 10 s", _S, exact=microseconds)
RELAX_S: Final = Quantity("s", 1, 120, _WINDOW, _S, exact=microseconds)
COUNT: Final = Quantity("", 1, 1_000, _WINDOW, whole=True)
PACE_PER_MIN: Final = Quantity(
    "", 4, 120, "project: a movement of the hand every half second to every 15 s", whole=True
)
# Constraint-induced trials: the mitt is worn for 90 % of waking hours; of 16 hours that is 864 min.
WEAR_MIN: Final = Quantity(
    "min", 10, 864, "constraint-induced trials: at most 90 % of waking hours", (("h", 60.0),), whole=True
)
GOAL_UV: Final = Quantity("µV", 1, 1_000, "NeuroMove manual: detectable 1.25 to 1000 µV", (("mV", 1e3), ("nV", 1e-3)))
STEP_UV: Final = Quantity("µV", 0.1, 200, _WINDOW, (("mV", 1e3),))
GOAL_DEG: Final = Quantity("°", 1, 150, "project: no joint of the hand or wrist moves further", (("rad", 57.2958),))
RELEASE_DEG: Final = Quantity("°", 0, 149, "project: below the goal, so that each movement counts once")
STEP_DEG: Final = Quantity("°", 0.5, 45, _WINDOW)
IN_A_ROW: Final = Quantity("", 1, 10, _WINDOW, whole=True)
"""Successes, or misses, in a row after which a goal moves."""
