"""How much one press of a key moves, in rehearsal as in the session itself."""

from __future__ import annotations

from typing import Final

from stimctl.schedule import ChannelPlan

PRESS_UA: Final = 1_000
"""One press raises by one milliampere at most (R2)."""


def press_ua(plan: ChannelPlan) -> int:
    """What one press moves: a milliampere, rounded down to the board's step."""
    return max(plan.step_ua, PRESS_UA - PRESS_UA % plan.step_ua)
