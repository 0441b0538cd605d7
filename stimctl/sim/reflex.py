"""Spastic flexors: they answer to being stretched, the faster the more, and not at all below some speed.

Velocity-dependent by definition (Lance 1980). How fast the fingers open is not asked of the hand, which nobody may be
looking at: each change of pull adds the speed that a hand of this kind answers with, from a table made once.
"""

from __future__ import annotations

import functools
from typing import Final, final

import numpy as np

from stimctl.sim.hand import GRID_US, Hand
from stimctl.sim.volition import Floats

LATENCY_US: Final = 40_000
"""From the stretch to the muscle's own EMG: some 30 to 50 ms in the forearm (general knowledge)."""

FULL_DEG_S: Final = 150.0
"""Opening this fast calls up all that the reflex has (project)."""

LEAST_DEG_S: Final = 25.0
"""Slower stretches are not answered by the calmest; the more tone, the lower this is (project)."""

_TABLE: Final = 120  # grid steps after which a change of pull moves nothing any more
_RING: Final = 512


@final
class Reflex:
    """One person's flexors; ``tone`` from 0 (none) to 1 (strong)."""

    def __init__(self, tone: float) -> None:
        self._tone, self._least = tone, LEAST_DEG_S * (1.5 - tone)
        self._answer = _speed(round(tone, 2)) if tone > 0 else np.zeros(_TABLE)
        self._speed = np.zeros(_RING)
        self._end = -1  # the first grid point of which nothing is known yet; -1 before anything moved

    def pull(self, change: float, at_us: int) -> None:
        """From ``at_us`` on the hand is opened with this share of the full force more, or less."""
        start = -(-at_us // GRID_US) - 1  # the step to the grid point from which the hand counts the change
        end = start + _TABLE
        if self._end < 0 or start - self._end > _RING:
            self._speed[:] = 0.0
            self._end = start
        if end > self._end:
            self._speed[np.arange(self._end, end) % _RING] = 0.0
            self._end = end
        begin = start % _RING
        before = min(_TABLE, _RING - begin)
        self._speed[begin : begin + before] += change * self._answer[:before]
        self._speed[: _TABLE - before] += change * self._answer[before:]

    def answers(self, from_us: int, to_us: int) -> bool:
        """Whether anything is heard of it in this time; asked first, because mostly there is not."""
        if not self._tone:
            return False
        first, last = (from_us - LATENCY_US) // GRID_US, (to_us - LATENCY_US) // GRID_US
        known = range(max(first, self._end - _RING), min(last + 1, self._end))
        return any(self._speed[at % _RING] > self._least for at in known)

    def activity(self, at_us: Floats) -> Floats:
        """The flexors' share of their full pattern at each time."""
        place = (at_us - LATENCY_US) / GRID_US
        index = np.floor(place).astype(np.int64)
        known = (index < self._end) & (index >= self._end - _RING)
        speed = np.where(known, self._speed[index % _RING], 0.0)
        share: Floats = self._tone * np.clip((speed - self._least) / (FULL_DEG_S - self._least), 0.0, 1.0)
        return share


@functools.lru_cache(maxsize=16)
def _speed(tone: float) -> Floats:
    """How fast a hand of this tone opens after the full force came at once, in degrees a second on the hand's grid."""
    hand = Hand((1,), tone)
    hand.drive(0, 1.0, 35.0, 1)
    angles = [hand.angle_deg(at * GRID_US) for at in range(_TABLE + 1)]
    speed: Floats = np.diff(np.array(angles)) / (GRID_US / 1e6)
    # The hand comes to rest: what is left at the table's end would stay for ever as a step.
    speed *= np.minimum(1.0, (_TABLE - np.arange(_TABLE)) / (0.2 * _TABLE))
    speed.flags.writeable = False
    return speed
