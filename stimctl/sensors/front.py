"""The front of the detector: from raw samples to powers, block by block."""

from __future__ import annotations

from typing import Final, final

import numpy as np

from stimctl.sensors import filters
from stimctl.sensors.blanking import BoolArray
from stimctl.sensors.doubts import Knocks
from stimctl.sensors.mains import LONGEST, HumBegins
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
class Front:
    """Filters blocks of ``block`` samples at ``rate_hz``."""

    def __init__(self, rate_hz: float, block: int) -> None:
        self._block = block
        wide, narrower = _bands(rate_hz)
        self.dof = filters.freedom(wide + narrower, rate_hz, block / rate_hz)
        """Degrees of freedom of a block's power in the muscle's band."""
        self._hum = Hum(block, rate_hz)
        self.notch = Notch(wide, rate_hz, block)
        kept = max(self.notch.window, self._hum.length, LONGEST)
        self._filter = filters.BlockFilter(wide, block, narrower, kept)
        self._knocks = Knocks()
        self._begins = HumBegins(wide + narrower, rate_hz, block) if rate_hz >= SHAPED_HZ else None
        self.power = self.muscle = 0.0
        """Mean square of the last block, in the whole band and in the muscle's."""
        self.ringing = 0
        """For how many blocks to come something of what was before the last break rings on in the filter."""
        self.reset()

    def reset(self) -> None:
        """Forget what went before."""
        self.break_off()
        self._hum.reset()
        self._since_hum, self._is_hum = 0, False
        self._knocks.reset()

    def break_off(self) -> None:
        """The next block does not follow on the last one."""
        self._follows, self._unbroken = False, 0

    def doubt(self, age: int, rest: float, dof: float) -> bool:
        """Whether what has grown for ``age`` blocks, over ``rest``, may be a knock, or a hum that begins."""
        if self._knocks.doubt(rest):
            return True
        if self._begins is None:
            return self._hum.share(self._filter.recent(self._hum.newest(age))) > MAINS_SHARE
        heard = self._filter.recent_narrowed(min(self._unbroken, LONGEST))
        return self._begins.doubt(heard.ravel(), rest, dof)

    def push(self, raw: Samples, listed: list[float], heard: BoolArray | None, first: int) -> bool:
        """Take the block from sample ``first``, of which ``heard`` was heard, or all; whether that was enough."""
        if not self._follows:
            self._begin(listed[0])
        behind, notch = self._filter, self.notch
        behind.advance(raw, notch.away(first))
        wide, muscle, count = behind.filtered, behind.narrowed, self._block
        if heard is None:
            self._unbroken += 1
            if not notch.missing:
                notch.hear(behind.recent(notch.window))
        else:
            notch.forget_window()
            self._unbroken = 0  # what stands in for what is not heard is no sine
            if 2 * (count := int(np.count_nonzero(heard))) < self._block:
                behind.drop()
                return False
            wide, muscle = wide[heard], muscle[heard]
        self.power = power = float(wide.dot(wide)) / count
        self.muscle = float(muscle.dot(muscle)) / count
        self._knocks.push(listed, self.muscle)
        self._hum.push(first, power)
        if self.ringing:
            self.ringing -= 1
        return True

    def _begin(self, level: float) -> None:
        """Counts may sit on any level: begin as if the first sample had been there for ever."""
        self._follows = True
        self._filter.reset()
        self.notch.settle(level)
        self.ringing = RINGING

    def is_hum(self) -> bool:
        """Whether most of the last 60 ms is hum that is not taken off, or too much is; looked at anew every fourth block."""
        if self.notch.changes:
            return True
        self._since_hum += 1
        if self._since_hum >= HUM_EVERY:
            much = self.notch.power > HUM_MOST * self.notch.other
            self._since_hum = 0
            self._is_hum = much or self._hum.share(self._filter.recent(self._hum.length)) > MAINS_SHARE
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
