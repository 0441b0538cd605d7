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
from stimctl.sensors.quality import MAINS_HZ
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

FOLLOWED: Final = 0.45
"""Frequencies over this share of the rate cannot be told from others."""


@final
class Notch:
    """Takes blocks of ``block`` samples at ``rate_hz``; ``sections`` are the filters between what is cleaned and what is heard."""

    def __init__(self, sections: tuple[filters.Biquad, ...], rate_hz: float, block: int) -> None:
        self._block, self._length = block, max(1, round(WINDOW_MS * rate_hz / 1e3 / block)) * block
        orders = range(1, HARMONICS + 1)
        tones_hz = sorted({hz * order for hz in MAINS_HZ for order in orders if hz * order < FOLLOWED * rate_hz})
        self._turns = 2 * np.pi / rate_hz * np.array(tones_hz)
        waves = np.exp(1j * np.outer(self._turns, np.arange(self._length)))
        self._waves = np.vstack((waves.real, -waves.imag))  # times real and imaginary part of the tones: the hum
        self._fit = np.linalg.pinv(self._waves.T)
        self._through = filters.response(sections, self._turns)
        self._onward = np.exp(1j * self._turns * self._length)
        self._heard = np.zeros(self._length)
        self._tones = np.zeros(len(tones_hz), dtype=complex)
        self.power = 0.0
        """Mean square of the hum that is taken off, as it would be behind the filters."""
        self._hum = np.zeros(self._length)
        self._start, self._at = 0, 0
        self._whole, self._windows = True, 0
        self._others: deque[float] = deque(maxlen=REMEMBERED)
        self.changes = False
        """Whether hum has begun or ended: what was in the last window may not fit the one that is heard now."""

    @property
    def other(self) -> float:
        """Mean square of what was no hum in the last window; 0 until known."""
        return self._others[-1] if self._others else 0.0

    def clean(self, raw: Samples, first: int) -> Samples:
        """The block from sample ``first`` without its hum."""
        if first - self._start != self._at:
            self._go_to(first)
        return raw - self._hum[self._at : self._at + self._block]

    def hear(self, filtered: Samples, *, whole: bool) -> None:
        """The same block behind the filters; ``whole``: all of it was heard."""
        end = self._at + self._block
        self._heard[self._at : end] = filtered
        self._whole, self._at = self._whole and whole, end
        if end == self._length:
            if self._whole:
                self._learn()
            self._go_to(self._start + end)

    def _go_to(self, first: int) -> None:
        """A window begins; the mains has gone on meanwhile."""
        passed = first - self._start
        self._tones *= self._onward if passed == self._length else np.exp(1j * self._turns * passed)
        self._start, self._at, self._whole = first, 0, True
        np.concatenate((self._tones.real, self._tones.imag)).dot(self._waves, self._hum)

    def _learn(self) -> None:
        parts = self._fit @ self._heard
        hum = parts @ self._waves
        left = self._heard - hum
        more, other = float(hum.dot(hum)) / self._length, float(left.dot(left)) / self._length
        self._others.append(other)
        trust = min(self._others) / other if other > 0.0 else 1.0
        share = max(GAIN, 1 / (self._windows + 1)) * trust
        changed, self.changes = self.changes, more > CLEAR * other
        if changed or self.changes:
            share = 1.0  # the window in which it began had only a part of it
        count = len(self._tones)
        self._tones += share * (parts[:count] + 1j * parts[count:]) / self._through
        self.power = float((np.abs(self._tones * self._through) ** 2).sum()) / 2
        self._windows += 1
