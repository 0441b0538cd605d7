"""Can the signal be believed? Missing, flat, railed and hum, judged block by block (H25)."""

from __future__ import annotations

import cmath
import math
from collections import deque
from enum import StrEnum
from itertools import islice
from typing import Final, final

import numpy as np

from stimctl.sensors.samples import Samples

MAINS_HZ: Final = (50.0, 60.0)

MAINS_SHARE: Final = 0.7
"""Share of the power at one mains frequency from which the signal counts as hum (project). Muscle spreads its power
over 20 to 200 Hz and stays under a fifth for nearly all stretches of :data:`MAINS_MS`."""

MAINS_MS: Final = 60.0
"""Whole periods of both mains frequencies, short enough to see a hum before an envelope of it would trigger."""

FLAT_MS: Final = 500.0
"""A lead is off when nothing changes for so long (project). 8-bit armbands repeat a value for up to 65 ms at rest
in the development recordings."""

STUCK_MS: Final = 20.0
"""Muscle over the threshold does not stand still for so long; an amplifier at its rail does (project)."""

MAINS_FAST: Final = (3, 12)
"""A hum that begins is looked for over so many blocks at the least and at the most, before anything is taken for an effort."""

RAIL_SHARE: Final = 0.5
"""Share of the samples at the rail from which the signal is lost. Strong real efforts on 8-bit armbands clip some."""


@final
class Quality(StrEnum):
    """The state of the signal, worst first; nothing triggers unless it is :attr:`GOOD`."""

    STALE = "stale"  # no samples have come for too long
    GAP = "gap"  # samples are missing, or are not numbers
    FLAT = "flat"  # nothing changes: lead off, or the source stopped
    RAILED = "railed"  # the amplifier is at its limit
    MAINS = "mains"  # mostly 50 or 60 Hz
    GOOD = "good"


@final
class Steadiness:
    """Flat and railed: looks at raw values. ``rail_uv`` is the amplifier's limit, where it is known."""

    def __init__(self, block: int, block_ms: float, rail_uv: float | None) -> None:
        self._block = block
        self._flat = max(2, math.ceil(FLAT_MS / block_ms))
        self._stuck = max(2, math.ceil(STUCK_MS / block_ms))
        self._rail_uv = math.inf if rail_uv is None else rail_uv
        self._clipped: deque[int] = deque(maxlen=self._stuck)
        self.reset()

    def reset(self) -> None:
        """Forget what went before."""
        self._last = math.nan
        self._still = 0
        self._clipped.clear()

    def judge(self, raw: list[float], *, loud: bool) -> Quality:
        """The verdict after the next block; ``loud`` says that the envelope is over the threshold."""
        last, self._last = self._last, raw[-1]
        self._still = self._still + 1 if last == raw[0] == raw[-1] and min(raw) == max(raw) else 0
        if (loud and self._still >= self._stuck) or self._clips(raw):
            return Quality.RAILED
        return Quality.FLAT if self._still >= self._flat else Quality.GOOD

    def _clips(self, raw: list[float]) -> bool:
        if self._rail_uv == math.inf:
            return False
        self._clipped.append(len([value for value in raw if abs(value) >= self._rail_uv]))
        return sum(self._clipped) > RAIL_SHARE * self._stuck * self._block


@final
class Hum:
    """The share of the power at 50 or 60 Hz over the last :data:`MAINS_MS`."""

    def __init__(self, block: int, rate_hz: float) -> None:
        length = max(2, round(MAINS_MS * rate_hz / 1e3 / block))
        self._turns = [2 * math.pi * hz / rate_hz for hz in MAINS_HZ]
        self._block, self._length = block, length
        self._power: deque[float] = deque(maxlen=length)
        self._waves: tuple[deque[complex], ...] = tuple(deque(maxlen=length) for _ in MAINS_HZ)
        self._pairs = list(zip(self._waves, self._turns, strict=True))
        n = np.arange(block)
        #: Rows for :class:`stimctl.sensors.filters.BlockFilter`: real and imaginary part for each frequency.
        self.probes: Samples = np.array([row for turn in self._turns for row in (np.cos(turn * n), -np.sin(turn * n))])

    def reset(self) -> None:
        """Forget what went before."""
        self._power.clear()
        for wave in self._waves:
            wave.clear()

    def push(self, first: int, power: float, parts: list[float]) -> None:
        """Take the block from sample ``first``, with its mean square and read-outs."""
        self._power.append(power)
        (one, one_turn), (other, other_turn) = self._pairs
        one.append(complex(parts[0], parts[1]) * cmath.rect(1.0, -one_turn * first))
        other.append(complex(parts[2], parts[3]) * cmath.rect(1.0, -other_turn * first))

    def share(self, count: int | None = None) -> float:
        """The share over the last ``count`` blocks, or over all that are kept; 0 until known."""
        count = count or self._length
        past = len(self._power) - count
        if past < 0 or not (total := sum(islice(self._power, past, None))) > 0.0:
            return 0.0
        strongest = max(abs(sum(islice(wave, past, None))) for wave in self._waves)
        # A pure sine of amplitude a has |sum| = a N / 2 and power a² / 2, which gives 1.
        return 2 * strongest**2 / (count * self._block**2 * total)

    def begins(self, age: int) -> bool:
        """Whether what began ``age`` blocks ago is hum: asked before an onset is believed."""
        least, most = MAINS_FAST
        return self.share(min(max(least, age), most)) > MAINS_SHARE
