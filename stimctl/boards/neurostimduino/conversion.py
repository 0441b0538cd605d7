"""From what is wanted to what NeuroStimDuino can be told: downwards, to less output, or refused.

Each function gives a whole number of its unit, or raises :class:`UsageError` for what the board cannot do at all.
"""

from __future__ import annotations

from typing import Final

from stimctl.boards.neurostimduino.words import AMPLITUDE_STEP_UA, RANGES, STEPS_MAX, Register
from stimctl.errors import UsageError
from stimctl.units import MicroAmp, MicroSecond, ma_text

_CLOCK_NUM: Final = 32
_CLOCK_DEN: Final = 5
"""The board counts a phase in steps of 32/5 = 6.4 µs."""


def amplitude_ua(wanted_ua: int) -> MicroAmp:
    """``floor(mA / 0.24) * 0.24``, 0 to 30.48 mA. The sketch itself rounds to the nearer step, up as well as down."""
    steps = wanted_ua // AMPLITUDE_STEP_UA
    if not 0 <= steps <= STEPS_MAX:
        raise UsageError(
            f"{ma_text(wanted_ua)} mA: NeuroStimDuino puts out 0 to {ma_text(STEPS_MAX * AMPLITUDE_STEP_UA)} mA"
        )
    return MicroAmp(steps * AMPLITUDE_STEP_UA)


def width_us(wanted_us: int) -> MicroSecond:
    """The longest width, at most ``wanted_us``, that does not last longer than it says; 7 to 1997 µs.

    The board counts steps of 6.4 µs and does not say how it rounds. The first whole µs at or after a step is a number
    that comes to this step whether it rounds down or to the nearer one, so what flows is never longer than what is
    told and judged.
    """
    low, high = RANGES[Register.WIDTH_US]
    if not low <= wanted_us <= high:
        raise UsageError(f"{wanted_us} µs: NeuroStimDuino's phases last {low} to {high} µs")
    steps = wanted_us * _CLOCK_DEN // _CLOCK_NUM
    return MicroSecond(-(-steps * _CLOCK_NUM // _CLOCK_DEN))


def rate_hz(wanted_mhz: int) -> int:
    """Whole Hz, 3 to 100, rounded down."""
    hz, (low, high) = wanted_mhz // 1_000, RANGES[Register.RATE_HZ]
    if not low <= hz <= high:
        raise UsageError(f"{wanted_mhz / 1_000:g} Hz: NeuroStimDuino's rates are {low} to {high} Hz")
    return hz


def gap_us(wanted_us: int) -> MicroSecond:
    """The gap between the phases, as it is wanted: 0 to 255 µs."""
    low, high = RANGES[Register.GAP_US]
    if not low <= wanted_us <= high:
        raise UsageError(f"{wanted_us} µs: NeuroStimDuino's gaps between phases are {low} to {high} µs")
    return MicroSecond(wanted_us)
