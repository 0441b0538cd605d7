"""Points of a pulse as four bytes each, by table, both ways.

A point is its duration in µs in bits 31 to 20 and its current in bits 19 to 10, as 2 · mA + 300; the others are 0 (bits 6
and 5 would interpolate, which no firmware does). Tables and not arithmetic, as one look tells both the bits and whether
there are any: an odd step, a negative time or a fraction finds no entry.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from operator import itemgetter
from typing import Final

from stimctl.boards.sciencemode.fit import DoesNotFit, steps
from stimctl.boards.sciencemode4.codes import POINTS_MAX
from stimctl.boards.sciencemode4.messages import Point

DURATION_MIN_US: Final = 10
"""Shorter points, down to 1 µs, are given as if they were this long: then more would flow than was judged."""

DURATION_MAX_US: Final = 4_095
CURRENT_STEP_UA: Final = 500
CURRENT_MAX_UA: Final = 150_000
"""What has a code; the devices give up to 130 mA, which is for a driver to know."""

POINT_BYTES: Final = 4
_DURATION_SHIFT: Final = 20
_CURRENT_SHIFT: Final = 10
_CODE_ZERO: Final = CURRENT_MAX_UA // CURRENT_STEP_UA
_CODE_MAX: Final = 2 * _CODE_ZERO
_STRAY: Final = (1 << _CURRENT_SHIFT) - 1

_DURATION_BITS: Final = {us: us << _DURATION_SHIFT for us in (0, *range(DURATION_MIN_US, DURATION_MAX_US + 1))}
_CURRENT_BITS: Final = {
    ua: (ua // CURRENT_STEP_UA + _CODE_ZERO) << _CURRENT_SHIFT
    for ua in range(-CURRENT_MAX_UA, CURRENT_MAX_UA + 1, CURRENT_STEP_UA)
}
_CURRENT_OF: Final = [(code - _CODE_ZERO) * CURRENT_STEP_UA for code in range(_CODE_MAX + 1)]

HEAD: Final = struct.Struct(">BH")
"""What an update says of one channel before its points: their number less one and the ramp, the period."""


class _Wires(dict[tuple[Point, ...], bytes]):
    """What each pulse's points are on the wire, worked out when it is first met: a session says few again and again.

    Found by value: whatever equals a whole number on the grid is that number, and nothing else has an entry.
    """

    def __missing__(self, points: tuple[Point, ...]) -> bytes:
        if not points:
            raise KeyError(points)
        numbers = [_DURATION_BITS[duration_us] | _CURRENT_BITS[current_ua] for duration_us, current_ua in points]
        wire = _NUMBERS[len(points)].pack(*numbers)
        if len(self) >= _KEPT_MAX:
            self.clear()
        self[points] = wire
        return wire


class _Points(dict[int, Point]):
    """The same, read, from a 32-bit number."""

    def __missing__(self, word: int) -> Point:
        if word & _STRAY:
            raise ValueError("a point with stray bits")
        point = Point(word >> _DURATION_SHIFT, _CURRENT_OF[word >> _CURRENT_SHIFT & _STRAY])
        if len(self) >= _KEPT_MAX:
            self.clear()
        self[word] = point
        return point


_KEPT_MAX: Final = 4_096
_NUMBERS: Final = [struct.Struct(f">{count}I") for count in range(POINTS_MAX + 1)]
_WIRES: Final = _Wires()
_POINTS: Final = _Points()


def wire_of(points: Sequence[Point]) -> bytes:
    """The points of one pulse, 1 to 16, four bytes each; raises :class:`DoesNotFit`."""
    try:
        return _WIRES[tuple(points)]
    except (IndexError, KeyError, TypeError, ValueError):  # IndexError: too many; TypeError: cannot be looked up at all
        raise _misfit(points) from None


def _misfit(points: Sequence[Point]) -> DoesNotFit:
    """What :func:`wire_of` could not take, and which point it is."""
    if not 1 <= len(points) <= POINTS_MAX:
        return DoesNotFit("number of points", len(points), f"whole numbers from 1 to {POINTS_MAX}")
    for number, (duration_us, current_ua) in enumerate(points, 1):
        steps(f"point {number}: duration", duration_us, 0, DURATION_MAX_US, 1, "µs")
        if 0 < duration_us < DURATION_MIN_US:
            return DoesNotFit(f"point {number}: duration", duration_us, f"0, or at least {DURATION_MIN_US} µs")
        steps(f"point {number}: current", current_ua, -CURRENT_MAX_UA, CURRENT_MAX_UA, CURRENT_STEP_UA, "µA")
    return DoesNotFit("points", points, "whole numbers")


def points_of(payload: bytes, at: int, count: int) -> tuple[Point, ...]:
    """As many points, 1 to 16, as stand at a place of a payload.

    Raises ``struct.error`` if there are fewer, and ``ValueError`` or ``IndexError`` for bits that no point has.
    """
    numbers = _NUMBERS[count].unpack_from(payload, at)
    if count == 1:
        return (_POINTS[numbers[0]],)
    points: tuple[Point, ...] = itemgetter(*numbers)(_POINTS)
    return points
