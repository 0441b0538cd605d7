"""From what is wanted to what a UECU board can be told: amplitude and width down, the period up; or refused.

Each function gives a whole number of its unit, or raises :class:`UsageError` for what the board cannot do at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from stimctl.boards.uecu.words import AMPLITUDE_MA_MAX, GAP_US, PERIOD_MS, WIDTH_US_MAX
from stimctl.errors import UsageError
from stimctl.units import ma_text


def amplitude_ma(wanted_ua: int) -> int:
    """Whole mA, 0 to 100, rounded down."""
    ma = wanted_ua // 1_000
    if not 0 <= ma <= AMPLITUDE_MA_MAX:
        raise UsageError(f"{ma_text(wanted_ua)} mA: a UECU board puts out 0 to {AMPLITUDE_MA_MAX} mA")
    return ma


def width_us(wanted_us: int) -> int:
    """Whole µs, as they are wanted: 0 to 255."""
    if not 0 <= wanted_us <= WIDTH_US_MAX:
        raise UsageError(f"{wanted_us} µs: a UECU board's phases last at most {WIDTH_US_MAX} µs")
    return wanted_us


def period_ms(wanted_mhz: int) -> int:
    """Whole ms, rounded up, so that the rate is at most what is wanted: 1 to 65535."""
    low, high = PERIOD_MS
    if wanted_mhz <= 0 or not low <= (ms := -(-1_000_000 // wanted_mhz)) <= high or wanted_mhz > 1_000_000:
        raise UsageError(f"{wanted_mhz / 1_000:g} Hz: a UECU board's periods are {low} to {high} ms")
    return ms


def gap_us(wanted_us: int) -> int:
    """The gap between the phases, as it is wanted: 10 to 65535 µs. There is no pulse without one."""
    low, high = GAP_US
    if not low <= wanted_us <= high:
        raise UsageError(f"{wanted_us} µs: a UECU board's gaps between phases are {low} to {high} µs")
    return wanted_us


def delays_ms(channels: int, period: int, apart_ms: int = 5) -> Sequence[int]:
    """When in the period each of so many channels has its pulse; raises :class:`UsageError` where it is too short.

    Apart, so that no two flow at once; 5 ms as in the published host.
    """
    if not 0 <= (channels - 1) * apart_ms < period:
        raise UsageError(f"{channels} channels {apart_ms} ms apart do not fit a period of {period} ms; lower the rate")
    return tuple(range(0, channels * apart_ms, apart_ms))
