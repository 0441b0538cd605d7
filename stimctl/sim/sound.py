"""The simulated patient's other hand: sound, and quick to do what is said. Seeded; times in µs of one clock.

Every movement is fixed in the moment it is asked for, as a smooth path from where the hand will be to where it goes, so that
angle and EMG can be asked for at any time, any number of times.
"""

from __future__ import annotations

import math
import random
from typing import Final, NamedTuple, final

from stimctl.units import SECOND

REACTION_US: Final = (150_000, 250_000)
"""From a cue to the first movement of a healthy hand (general knowledge)."""

_TAKES_US: Final = (500_000, 900_000)
_OPENS: Final = (0.88, 1.0)  # of its best, each time anew
_TREMOR_HZ: Final = 9.0
_TREMOR_DEG: Final = 0.25
_FLICKER: Final = 0.06  # of the envelope, as smoothing leaves it


@final
class _Move(NamedTuple):
    begin_us: int
    end_us: int
    start: float
    goal: float

    def opening(self, now_us: int) -> float:
        """Share of the best opening: the path of least jerk, which healthy reaching follows (general knowledge)."""
        part = min(1.0, max(0.0, (now_us - self.begin_us) / (self.end_us - self.begin_us)))
        return self.start + (self.goal - self.start) * part**3 * (10 - 15 * part + 6 * part * part)


@final
class SoundHand:
    """Opens and relaxes when told."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"sound hand {seed}")  # noqa: S311 - a simulation, not a secret
        self._rest_deg = self._random.uniform(2.0, 12.0)
        self._range_deg = self._random.uniform(60.0, 80.0)
        self._rest_uv, self._best_uv = self._random.uniform(2.0, 5.0), self._random.uniform(120.0, 260.0)
        self._phase = self._random.uniform(0.0, 2 * math.pi)
        self._move = _Move(0, 1, 0.0, 0.0)

    def open(self, now_us: int) -> None:
        """Be asked to open."""
        self._go(self._random.uniform(*_OPENS), now_us)

    def relax(self, now_us: int) -> None:
        """Be asked to let go."""
        self._go(0.0, now_us)

    def _go(self, goal: float, now_us: int) -> None:
        begin_us = now_us + round(self._random.uniform(*REACTION_US))
        takes_us = round(self._random.uniform(*_TAKES_US))
        self._move = _Move(begin_us, begin_us + takes_us, self._move.opening(begin_us), goal)

    def opening(self, now_us: int) -> float:
        """How far it is open, 0 to 1 of its best."""
        return self._move.opening(now_us)

    def angle_deg(self, now_us: int) -> float:
        """Extension of the fingers in degrees, with a healthy hand's tremor."""
        tremor = _TREMOR_DEG * self._wave(now_us, _TREMOR_HZ)
        return self._rest_deg + self._range_deg * self.opening(now_us) + tremor

    def emg_uv(self, now_us: int) -> float:
        """Smoothed envelope over its extensors in µV."""
        level_uv = self._rest_uv + (self._best_uv - self._rest_uv) * self.opening(now_us)
        return level_uv * (1 + _FLICKER * self._wave(now_us, 3.1) * self._wave(now_us, 0.7))

    def _wave(self, now_us: int, hz: float) -> float:
        return math.sin(2 * math.pi * hz * now_us / SECOND + self._phase)
