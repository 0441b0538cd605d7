"""The front of the detector: from raw samples to powers, block by block."""

from __future__ import annotations

from typing import Final, NamedTuple, final

import numpy as np

from stimctl.sensors import filters
from stimctl.sensors.blanking import BoolArray
from stimctl.sensors.doubts import Knocks
from stimctl.sensors.mains import HumBegins
from stimctl.sensors.notch import Notch
from stimctl.sensors.quality import MAINS_SHARE, Hum
from stimctl.sensors.samples import Samples

HIGH_PASS_HZ: Final = 20.0
LOW_PASS_HZ: Final = 450.0
"""The usual band of surface EMG. At low rates only the lower edge is left (emg.md, pitfall 5)."""

MUSCLE_HZ: Final = (45.0, 300.0)
"""Where efforts stand out most from noise: between 40 and 60, and 250 and 300 Hz, latency hardly changes (project)."""

HUM_EVERY: Final = 4
"""Blocks between two looks for hum; an onset is checked for it in any case."""

HUM_MOST: Final = 25.0
"""Hum of so many times the power of rest (five times its rms) is taken off, and not trusted: a lead may hang loose, and what is
left where the mains is a twentieth of a hertz off comes near to rest itself (project)."""

SHAPED_HZ: Final = 400.0
"""From this rate on, a few periods hold samples enough to tell a sine from muscle. Below, as with armbands at 200 Hz, that would
put each effort off by 10 ms and more, and only the share of the mains in what has grown is asked for.
"""

RINGING: Final = 2
"""Blocks after a blanked stretch in which the filter still holds its end."""


@final
class Block(NamedTuple):
    """What a block says: mean square in the whole band and in the muscle's. ``settled``: nothing rings on in the filter."""

    power: float
    muscle: float
    settled: bool


@final
class Front:
    """Filters blocks of ``block`` samples at ``rate_hz``."""

    def __init__(self, rate_hz: float, block: int) -> None:
        self._block = block
        self._hum = Hum(block, rate_hz)
        wide, narrower = _bands(rate_hz)
        self._filter = filters.BlockFilter(wide, block, self._hum.probes, narrower)
        self.dof = filters.freedom(wide + narrower, rate_hz, block / rate_hz)
        """Degrees of freedom of a block's power in the muscle's band."""
        self._notch = Notch(wide, rate_hz, block)
        self._knocks = Knocks()
        self._begins = HumBegins(wide + narrower, rate_hz, block) if rate_hz >= SHAPED_HZ else None
        self.reset()

    def reset(self) -> None:
        """Forget what went before."""
        self.break_off()
        self._hum.reset()
        self._since_hum, self._is_hum = 0, False
        self._knocks.reset()

    def break_off(self) -> None:
        """The next block does not follow on the last one."""
        self._offset: float | None = None
        if self._begins:
            self._begins.reset()

    def doubt(self, age: int, rest: float, dof: float) -> bool:
        """Whether what has grown for ``age`` blocks, over ``rest``, may be a knock, or a hum that begins."""
        if self._knocks.doubt():
            return True
        return self._begins.doubt(rest, dof) if self._begins else self._hum.begins(age)

    def push(self, raw: Samples, listed: list[float], heard: BoolArray | None, first: int) -> Block | None:
        """Take the block from sample ``first``; ``None`` when too little of it was heard."""
        if self._offset is None:
            # Counts may sit on any level: begin as if the first sample had been there for ever.
            self._offset = listed[0]
            self._filter.reset()
            self._ringing = RINGING
        self._filter.advance(self._notch.clean(raw, first), self._offset)
        self._notch.hear(self._filter.filtered, whole=heard is None)
        wide, muscle, count = self._filter.filtered, self._filter.narrowed, self._block
        if heard is not None:
            if self._begins:
                self._begins.reset()  # what stands in for what is not heard is no sine
            if 2 * (count := int(np.count_nonzero(heard))) < self._block:
                return None
            wide, muscle = wide[heard], muscle[heard]
        power, band = float(wide.dot(wide)) / count, float(muscle.dot(muscle)) / count
        self._knocks.push(listed, band)
        if self._begins and heard is None:
            self._begins.push(muscle)
        self._hum.push(first, power, self._filter.probed.tolist())
        if self._ringing:
            self._ringing -= 1
        return Block(power, band, not self._ringing)

    @property
    def hum_power(self) -> float:
        """Mean square of the hum that is taken off, where it is most of the signal; else 0."""
        hum, other = self._notch.power, self._notch.other
        return hum if hum > MAINS_SHARE * (hum + other) else 0.0

    @property
    def hum_changes(self) -> bool:
        """Whether hum has begun or ended just now: what is heard beside it says nothing yet."""
        return self._notch.changes

    def is_hum(self) -> bool:
        """Whether most of the last 60 ms is hum that is not taken off, or too much is; looked at anew every fourth block."""
        if self._notch.changes:
            return True
        self._since_hum += 1
        if self._since_hum >= HUM_EVERY:
            much = self._notch.power > HUM_MOST * self._notch.other
            self._since_hum, self._is_hum = 0, much or self._hum.share() > MAINS_SHARE
        return self._is_hum


def _bands(rate_hz: float) -> tuple[tuple[filters.Biquad, ...], tuple[filters.Biquad, ...]]:
    """The whole band, and what narrows it to the muscle's: each edge where the rate leaves room for it."""
    wide = [filters.high_pass(min(HIGH_PASS_HZ, rate_hz / 10), rate_hz)]
    if rate_hz > 2.2 * LOW_PASS_HZ:
        wide.append(filters.low_pass(LOW_PASS_HZ, rate_hz))
    low, high = MUSCLE_HZ
    narrower = [filters.high_pass(low, rate_hz)] if rate_hz > 8 * low else []
    if rate_hz > 2.2 * high:
        narrower.append(filters.low_pass(high, rate_hz))
    return tuple(wide), tuple(narrower)
