"""Points of a pulse as 32-bit words, by table, both ways.

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

TRAIN_BYTES: Final = [struct.Struct(f">BH{count}I") for count in range(1, POINTS_MAX + 1)]
"""What an update says of one channel, by its number of points less one: that and the ramp, the period, the points."""

PULSE_BYTES: Final = [struct.Struct(f">B{count}I") for count in range(1, POINTS_MAX + 1)]
"""A pulse of the low level, the same way: its place and that number, the points."""


class _Words(dict[Point, int]):
    """What each point is on the wire, worked out when it is first met: a session has few, and says them again and again.

    Found by value: whatever equals a whole number on the grid is that number, and nothing else has an entry.
    """

    def __missing__(self, point: Point) -> int:
        duration_us, current_ua = point
        word: int = _DURATION_BITS[duration_us] | _CURRENT_BITS[current_ua]
        if len(self) >= _KEPT_MAX:
            self.clear()
        self[point] = word
        return word


class _Points(dict[int, Point]):
    """The same, read."""

    def __missing__(self, word: int) -> Point:
        if word & _STRAY:
            raise ValueError("a point with stray bits")
        point = Point(word >> _DURATION_SHIFT, _CURRENT_OF[word >> _CURRENT_SHIFT & _STRAY])
        if len(self) >= _KEPT_MAX:
            self.clear()
        self[word] = point
        return point


_KEPT_MAX: Final = 8_192
_WORDS: Final = _Words()
_POINTS: Final = _Points()


def words_of(points: Sequence[Point]) -> tuple[int, ...]:
    """The points of one pulse, 1 to 16, as numbers for the wire; raises :class:`DoesNotFit`."""
    try:
        if 1 < len(points) <= POINTS_MAX:
            words: tuple[int, ...] = itemgetter(*points)(_WORDS)  # all in one call
            return words
        (point,) = points
        return (_WORDS[point],)
    except (KeyError, TypeError, ValueError):  # TypeError: what cannot be looked up at all
        raise _misfit(points) from None


def _misfit(points: Sequence[Point]) -> DoesNotFit:
    """What :func:`words_of` could not take, and which point it is."""
    if not 1 <= len(points) <= POINTS_MAX:
        return DoesNotFit("number of points", len(points), f"whole numbers from 1 to {POINTS_MAX}")
    for number, (duration_us, current_ua) in enumerate(points, 1):
        steps(f"point {number}: duration", duration_us, 0, DURATION_MAX_US, 1, "µs")
        if 0 < duration_us < DURATION_MIN_US:
            return DoesNotFit(f"point {number}: duration", duration_us, f"0, or at least {DURATION_MIN_US} µs")
        steps(f"point {number}: current", current_ua, -CURRENT_MAX_UA, CURRENT_MAX_UA, CURRENT_STEP_UA, "µA")
    return DoesNotFit("points", points, "whole numbers")


def points_of(words: Sequence[int]) -> tuple[Point, ...]:
    """The points from numbers off the wire, at least one; raises ``ValueError`` or ``IndexError`` for bits that no point has."""
    if len(words) == 1:
        return (_POINTS[words[0]],)
    points: tuple[Point, ...] = itemgetter(*words)(_POINTS)
    return points
