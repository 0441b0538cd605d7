"""Points of a pulse as 32-bit words, by table, both ways.

A point is its duration in µs in bits 31 to 20 and its current in bits 19 to 10, as 2 · mA + 300; the others are 0 (bits 6
and 5 would interpolate, which no firmware does). Tables and not arithmetic, as one look tells both the bits and whether there are any: an
odd step, a negative time or a float finds no entry.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, NoReturn

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

TRAINS: Final = [struct.Struct(f">BH{count}I") for count in range(1, POINTS_MAX + 1)]
"""What an update says of one channel, by its number of points less one: that and the ramp, the period, the points."""


def words_of(points: Sequence[Point], where: str) -> list[int]:
    """The points of one pulse, 1 to 16, as numbers for the wire; raises :class:`DoesNotFit`, naming ``where``."""
    if not 1 <= len(points) <= POINTS_MAX:
        raise DoesNotFit(f"{where}: number of points", len(points), f"whole numbers from 1 to {POINTS_MAX}")
    durations, currents = zip(*points, strict=True)
    if type(sum(durations) + sum(currents)) is not int:  # a float is found in the tables by its value
        _refuse(points, where)
    try:
        return [_DURATION_BITS[us] | _CURRENT_BITS[ua] for us, ua in zip(durations, currents, strict=True)]
    except KeyError:
        _refuse(points, where)


def _refuse(points: Sequence[Point], where: str) -> NoReturn:
    """Says which of the points it is, and what is wrong with it."""
    for number, point in enumerate(points, 1):
        one = f"{where}: point {number}"
        if point.duration_us != 0:
            steps(f"{one}: duration", point.duration_us, DURATION_MIN_US, DURATION_MAX_US, 1, "µs, or 0")
        steps(f"{one}: current", point.current_ua, -CURRENT_MAX_UA, CURRENT_MAX_UA, CURRENT_STEP_UA, "µA")
    raise DoesNotFit(f"{where}: points", points, "whole numbers")


def points_of(words: Sequence[int]) -> tuple[Point, ...]:
    """The points from numbers off the wire; raises ``ValueError`` for bits and currents that no point has."""
    if any(word & _STRAY or word >> _CURRENT_SHIFT & _STRAY > _CODE_MAX for word in words):
        raise ValueError("a point with stray bits, or beyond 150 mA")
    return tuple([Point(word >> _DURATION_SHIFT, _CURRENT_OF[word >> _CURRENT_SHIFT & _STRAY]) for word in words])
