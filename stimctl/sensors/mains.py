"""Mains hum that begins, as when a lead comes off or a lamp is switched on: known from an effort by its shape.

Hum that was always there is rest, and hum alone is told as bad signal. What is left is the moment of its beginning: for a few
tens of milliseconds it has grown as an effort grows. So two stories are compared over the last 60 ms, each told as well as it
can be: noise of some power began somewhere (an effort), or one sine of the mains did, and beside it there is only rest. The
likelier one is believed. An effort leaves a sine little to explain within two or three blocks, and hum leaves nothing else.
"""

from __future__ import annotations

import functools
import math
from typing import Final, NamedTuple, final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from stimctl.sensors import filters
from stimctl.sensors.quality import MAINS_HZ
from stimctl.sensors.samples import Samples

LONGEST: Final = 12
"""Blocks of 5 ms that are looked at: three periods of 50 Hz."""

APART_MS: Final = 0.5
"""Hum is tried from moments that lie so far apart, or from each sample where these do."""

LATEST: Final = 2
"""The last samples from which it is tried; two samples are a sine in any case."""

BENT: Final = 0.15
"""Hum may be no plain sine (harmonics, an amplifier's own high-pass): so much of what the sine explains may be left beside it,
as if it were noise. Without that, hum with a fifth of its third harmonic passes nearly always; with 0.1, one in twenty.
"""

FAVOUR: Final = 2.5
"""Nats by which hum must be likelier than an effort: efforts come often and hum begins seldom (project). With 4, one switch-on in
fifteen passes at 500 Hz; with 0, efforts at 3 dB come 5 ms later."""


@final
class _Bank(NamedTuple):
    """Sines of the mains behind the filters, by frequency and by where they began: ``waves`` holds two rows for each, that are
    orthonormal from there on and zero before. ``lasted``: samples from each beginning; the last one was there all the time.
    """

    waves: Samples
    lasted: Samples


@functools.cache
def _bank(sections: tuple[filters.Biquad, ...], rate_hz: float, length: int) -> _Bank:
    """Over ``length`` samples."""
    starts = np.arange(0, length - LATEST + 1, max(1, round(APART_MS * rate_hz / 1e3)))
    n = np.arange(float(length))
    made = []
    for hz in MAINS_HZ:
        turn = 2 * np.pi * hz / rate_hz * n
        steady = np.stack((np.cos(turn), np.sin(turn)))
        behind = [filters.run(sections, wave.tolist(), [0.0] * (2 * len(sections))) for wave in steady]
        silent = np.hstack((np.zeros((2, length)), np.array(behind)))
        begun = sliding_window_view(silent, length, axis=1)[:, length - starts].swapaxes(0, 1)
        made.append(np.concatenate((begun, steady[np.newaxis])))
    _, sizes, waves = np.linalg.svd(np.stack(made), full_matrices=False)
    waves *= (sizes > 1e-3 * sizes[..., :1])[..., np.newaxis]  # what is lost in the filters explains nothing
    return _Bank(np.ascontiguousarray(waves.reshape(-1, length)), length - np.append(starts, 0.0))


@final
class HumBegins:
    """Looks at blocks of ``block`` samples in the muscle's band, as they come out of ``sections``."""

    def __init__(self, sections: tuple[filters.Biquad, ...], rate_hz: float, block: int) -> None:
        self._block, self._length = block, LONGEST * block
        self._waves, self._lasted = _bank(sections, rate_hz, self._length)

    def doubt(self, heard: Samples, rest: float, dof: float) -> bool:
        """Whether what has grown in ``heard`` may be hum: :data:`LONGEST` blocks at the most, without a gap.

        ``rest`` is the power that it has grown over, of which a block has ``dof`` degrees of freedom.
        """
        if not len(heard):
            return True
        band = np.zeros(self._length)
        band[-len(heard) :] = heard
        band *= math.sqrt(dof / (self._block * rest))  # at rest, a block's sum of squares is now dof
        since = np.cumsum(band[::-1] ** 2)
        freedom = dof / self._block
        return self._hum(band, since, freedom) > _effort(since[self._block - 1 :: self._block], dof) + FAVOUR

    def _hum(self, band: Samples, since: Samples, freedom: float) -> float:
        """How much likelier than rest the likeliest hum is, in nats; ``since``: energy of the last 1, 2, … samples."""
        explained = ((self._waves @ band) ** 2).reshape(len(MAINS_HZ), -1, 2).sum(axis=2)
        free, energy = self._lasted * freedom, since[self._lasted.astype(int) - 1]
        left = np.maximum(0.0, energy - explained)
        noise = np.clip(left / free, 1.0, np.maximum(1.0, BENT * explained / free))
        # Amplitude and phase were chosen to fit: that costs as much as such numbers win by chance.
        nats = (energy - left / noise - free * np.log(noise)) / 2 - np.log1p(explained / (2 * noise))
        return float(nats.max())


def _effort(since: Samples, dof: float) -> float:
    """The same for the likeliest effort, from the energy of the last 1, 2, … blocks."""
    free = dof * np.arange(1, len(since) + 1)
    grown = np.maximum(1.0, since / free)
    return float((free / 2 * (grown - 1 - np.log(grown))).max())
