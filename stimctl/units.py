"""The quantities that every room shares, as distinct integer types.

Below the protocol model there are no floats: a value that reaches the limiter is a whole number of
the units named here, and the very same number is what a codec writes. The types are ``NewType``s, so
a type checker refuses a width where a current is meant, at no cost when running; the limiter still
checks ``type(value) is int`` itself because it trusts nobody.

Conversions from a file's decimal notation are exact or they raise :class:`UnitError`. Nothing is
rounded on the way in; rounding *down* to a board's steps is the schedule's work.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NewType

from stimctl.errors import UnitError

MicroAmp = NewType("MicroAmp", int)
"""Electric current in µA. Amplitude always means the peak of the first phase."""

MicroSecond = NewType("MicroSecond", int)
"""A duration, or a point on the session's monotonic clock, in µs. A phase width is ONE phase."""

MilliHertz = NewType("MilliHertz", int)
"""A pulse rate in mHz; 35 Hz is 35_000."""

NanoCoulomb = NewType("NanoCoulomb", int)
"""Charge in nC; 20 µC is 20_000."""

PicoCoulomb = NewType("PicoCoulomb", int)
"""Charge in pC, the exact product of µA and µs."""

SquareMicrometre = NewType("SquareMicrometre", int)
"""A conductive pad area in µm²; 25 cm² is 2_500_000_000."""

Ohm = NewType("Ohm", int)
"""Contact impedance in ohm."""

MS: Final = 1_000
"""Microseconds in a millisecond."""

SECOND: Final = 1_000_000
"""Microseconds in a second."""

MINUTE: Final = 60 * SECOND
"""Microseconds in a minute."""

UM2_PER_CM2: Final = 100_000_000
"""Square micrometres in a square centimetre."""


def _exactly(value: Decimal | float | int, factor: int, unit: str, step: str) -> int:
    """Return ``value * factor`` as an integer, or raise when it is not a whole number of steps."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise UnitError(f"{value!r} is not a number of {unit}")
    # repr() of a float is its shortest exact decimal: what the author wrote, not its binary neighbour.
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not exact.is_finite():
        raise UnitError(f"{value} is not a finite number of {unit}")
    scaled = exact * factor
    if scaled != scaled.to_integral_value():
        raise UnitError(f"{value} {unit} is finer than {step}, the smallest step stimctl keeps")
    return int(scaled)


def microamps(ma: Decimal | float | int) -> MicroAmp:
    """Current in µA from mA; raises :class:`UnitError` unless it is a whole number of µA."""
    return MicroAmp(_exactly(ma, 1_000, "mA", "0.001 mA"))


def microseconds(seconds: Decimal | float | int) -> MicroSecond:
    """Duration in µs from seconds; raises :class:`UnitError` unless it is a whole number of µs."""
    return MicroSecond(_exactly(seconds, SECOND, "s", "0.000001 s"))


def millihertz(hz: Decimal | float | int) -> MilliHertz:
    """Rate in mHz from Hz; raises :class:`UnitError` unless it is a whole number of mHz."""
    return MilliHertz(_exactly(hz, 1_000, "Hz", "0.001 Hz"))


def square_micrometres(cm2: Decimal | float | int) -> SquareMicrometre:
    """Area in µm² from cm²; raises :class:`UnitError` unless it is a whole number of µm²."""
    return SquareMicrometre(_exactly(cm2, UM2_PER_CM2, "cm²", "1 µm²"))


def period_above_us(rate_mhz: int, step_us: int) -> int:
    """The shortest period in whole steps that is no faster than ``rate_mhz``, which must not be 0."""
    return -(-(1_000 * SECOND) // (rate_mhz * step_us)) * step_us


def rate_of_period_mhz(period_us: int) -> int:
    """The whole rate that stands for a period: its own rounded up, so that no more is given than was judged."""
    return -(-(1_000 * SECOND) // period_us)


def ma_text(ua: int) -> str:
    """``12_500`` as ``"12.5"``: milliamps without a unit and without trailing zeros past one digit."""
    text = f"{Decimal(ua) / 1_000:.3f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def seconds_text(us: int) -> str:
    """``1_500_000`` as ``"1.5 s"``, to a tenth; from one minute on as ``"2:05 min"``."""
    if us >= MINUTE:
        return f"{us // MINUTE}:{us % MINUTE // SECOND:02d} min"
    return f"{round(us / SECOND, 1):g} s"
