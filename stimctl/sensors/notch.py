"""The hum that is always there, taken off: a notch that follows the mains' own phase and does not ring.

A filter's notch wide enough to be quick rings on after every effort, and one that is narrow is slow. But hum is known by far
longer than an effort lasts: its size and phase at each frequency are learnt over some tenths of a second, and what it is going
to be is subtracted before anything is filtered. Where there is none, next to nothing is subtracted. Efforts are not learnt
from: what does not fit a hum beside the usual rest counts for the less the more of it there is.
"""

from __future__ import annotations

from collections import deque
from typing import Final, final

import numpy as np

from stimctl.sensors import filters
from stimctl.sensors.quality import MAINS_HZ, MAINS_SHARE
from stimctl.sensors.samples import Samples

WINDOW_MS: Final = 100.0
"""Whole periods of 50 and of 60 Hz and of all that is a multiple of them: there, none is taken for another."""

HARMONICS: Final = 3
"""Mains has a third harmonic of some tenths where transformers are near (general knowledge)."""

GAIN: Final = 0.2
"""Share of a window in what is known of the hum: a time constant of half a second. A tenth of a hertz beside 50 or 60 leaves a
third of the hum; a gain twice as large adds noise of a twentieth of rest (project)."""

CLEAR: Final = 2.0
"""Hum that has changed by so many times the power of all else is known at once: no effort is as pure as that."""

REMEMBERED: Final = 20
"""Windows among which the quietest is taken for rest: 2 s, longer than most efforts."""

ROUNDING: Final = 1e-16
"""In power over the loudest window so far: 160 dB below it no amplifier says anything. What is left there of a line that has gone
flat are the filters' last digits, and whether those look like hum depends on the offset of the signal."""

FOLLOWED: Final = 0.45
"""Frequencies over this share of the rate cannot be told from others."""


@final
class Notch:
    """Takes blocks of ``block`` samples at ``rate_hz``; ``sections`` are the filters between what is cleaned and what is heard."""

    def __init__(self, sections: tuple[filters.Biquad, ...], rate_hz: float, block: int) -> None:
        self._block, self.window = block, max(1, round(WINDOW_MS * rate_hz / 1e3 / block))
        """Blocks from which hum is learnt at a time."""
        self._length = length = self.window * block
        orders = range(1, HARMONICS + 1)
        tones_hz = sorted({hz * order for hz in MAINS_HZ for order in orders if hz * order < FOLLOWED * rate_hz})
        self._turns = 2 * np.pi / rate_hz * np.array(tones_hz)
        waves = np.exp(1j * np.outer(self._turns, np.arange(length)))
        self._waves = np.vstack((waves.real, -waves.imag))  # times real and imaginary part of the tones: the hum
        self._fit = np.linalg.pinv(self._waves.T)
        self._through = filters.response(sections, self._turns)
        self._onward = np.exp(1j * self._turns * length)
        self._tones = np.zeros(len(tones_hz), dtype=complex)
        self.power = 0.0
        """Mean square of the hum that is taken off, as it would be behind the filters."""
        self.other = 0.0
        """Mean square of what was no hum in the last window; 0 until known."""
        self.most = 0.0
        """:attr:`power` where that is most of the signal; else 0."""
        self._level, self._whole = 0.0, True
        self._away = np.zeros(length)
        self._blocks = list(self._away.reshape(-1, block))
        self._start, self._next, self._windows = 0, 0, 0
        self.missing = self.window
        """How many blocks the window lacks; when it is none, :meth:`hear` is to be told."""
        self._others: deque[float] = deque(maxlen=REMEMBERED)
        self._loudest = 0.0
        self.changes = False
        """Whether hum has begun or ended: what was in the last window may not fit the one that is heard now."""

    def settle(self, level: float) -> None:
        """The signal sits on ``level`` from now on."""
        self._level = level
        self._lay_out()

    def away(self, first: int) -> Samples:
        """What to take off the block from sample ``first``: its hum, and the level that it sits on."""
        if first != self._next or not self.missing:
            self._go_to(first)
        at = self.window - self.missing
        self.missing -= 1
        self._next = first + self._block
        return self._blocks[at]

    def hear(self, window: Samples) -> None:
        """The blocks of the window behind the filters, one a row; they were heard as a whole, and follow on each other."""
        if self._whole:
            self._learn(window.ravel())

    def forget_window(self) -> None:
        """A block was not heard as a whole: nothing is learnt from this window."""
        self._whole = False

    def _go_to(self, first: int) -> None:
        """A window begins; the mains has gone on meanwhile."""
        passed = first - self._start
        self._tones *= self._onward if passed == self._length else np.exp(1j * self._turns * passed)
        self._start = first
        self.missing, self._whole = self.window, True
        self._lay_out()

    def _lay_out(self) -> None:
        """The whole window at once, as its blocks are many."""
        np.concatenate((self._tones.real, self._tones.imag)).dot(self._waves, self._away)
        self._away += self._level

    def _learn(self, heard: Samples) -> None:
        parts = self._fit @ heard
        hum = parts @ self._waves
        left = heard - hum
        more, other = float(hum.dot(hum)) / self._length, float(left.dot(left)) / self._length
        self.other = other
        self._others.append(other)
        trust = min(self._others) / other if other > 0.0 else 1.0
        share = max(GAIN, 1 / (self._windows + 1)) * trust
        self._loudest = max(self._loudest, other)
        changed, self.changes = self.changes, more > max(CLEAR * other, ROUNDING * self._loudest)
        if changed or self.changes:
            share = 1.0  # the window in which it began had only a part of it
        count = len(self._tones)
        self._tones += share * (parts[:count] + 1j * parts[count:]) / self._through
        self.power = float((np.abs(self._tones * self._through) ** 2).sum()) / 2
        self.most = self.power if self.power > MAINS_SHARE * (self.power + other) else 0.0
        self._windows += 1
