"""Mains hum that begins, as when a lead comes off or a lamp is switched on: known from an effort by its shape.

Hum that was always there is rest, and hum alone is told as bad signal. What is left is the moment of its beginning: for a few
tens of milliseconds it has grown as an effort grows. But whatever its phase and height, one sine of a known frequency explains
it, from the switch-on to now, and what an effort has beyond any sine is evidence by itself.
"""

from __future__ import annotations

import functools
from collections import deque
from typing import Final, NamedTuple, final

import numpy as np

from stimctl.sensors import filters
from stimctl.sensors.evidence import likelihood
from stimctl.sensors.quality import MAINS_HZ, MAINS_SHARE
from stimctl.sensors.samples import Samples

LONGEST: Final = 12
"""Blocks of 5 ms that a sine is fitted to: three periods of 50 Hz."""

REMEMBERED: Final = 48
"""Blocks whose power is remembered: what has grown so slowly for longer is known by its last 240 ms."""

YOUNGEST: Final = 4
"""Fewer blocks than this are one period of the mains, and muscle often looks like one period of a sine."""

BEFORE: Final = 5.0
"""Evidence, in natural units, that must have stood before hum could have begun; else all of it may be the hum's (project)."""

LEFT: Final = 4.0
"""Evidence that must be left when the sine is taken off (project): with 2 instead, some switch-ons in a hundred pass."""

TIMES: Final = 4.0
"""A sine explains nothing unless each of its numbers takes off so many times what a number that is left holds (project)."""

JUDGED: Final = 4.0
"""Degrees of freedom that must be left over to tell that."""

HARMONICS: Final = 3
"""A sine that explains most may be a bent one: then its second and third harmonic are taken off, too. Without that, hum with a
fifth of its third harmonic passes nearly always. And one that grows has a part that does so evenly: without that, hum that
swells for half a second, as when an electrode peels, passes nearly always. It is asked for only of what a sine of one size explains
for the most part already, which a growing one does (three quarters of its power), so that hardly an effort is asked.
"""


@final
class _Fit(NamedTuple):
    """Over so many samples: ``band`` filters them from rest to the muscle's band; ``waves``, for each mains frequency, are
    orthonormal and span a level and a sine behind the same filter, the same with harmonics, and then a sine that grows, too.
    """

    band: Samples
    waves: tuple[tuple[Samples, Samples, Samples], ...]


@functools.cache
def _fits(sections: tuple[filters.Biquad, ...], rate_hz: float, block: int) -> tuple[_Fit, ...]:
    """For each number of blocks up to the longest."""
    longest = LONGEST * block
    echo = np.array(filters.run(sections, [1.0] + [0.0] * (longest - 1), [0.0] * (2 * len(sections))))
    lag = np.subtract.outer(np.arange(longest), np.arange(longest))
    band = np.where(lag >= 0, echo[np.maximum(lag, 0)], 0.0)
    made = []
    for length in range(block, longest + 1, block):
        part, n = np.ascontiguousarray(band[:length, :length]), np.arange(float(length))
        turns = [2 * np.pi * hz / rate_hz * n for hz in MAINS_HZ]
        made.append(
            _Fit(
                part,
                tuple(
                    (_span(part, turn, 1), _span(part, turn, HARMONICS), _span(part, turn, HARMONICS, grows=True))
                    for turn in turns
                ),
            )
        )
    return tuple(made)


def _span(band: Samples, turn: Samples, harmonics: int, *, grows: bool = False) -> Samples:
    """What a level and the sine of ``turn`` with its harmonics become behind ``band``, orthonormal, without what is lost there."""
    angles = [turn * order for order in range(1, harmonics + 1)]
    shapes = [np.ones(len(turn)), *(wave(angle) for angle in angles for wave in (np.cos, np.sin))]
    if grows:
        shapes += [wave(turn) * np.arange(len(turn)) / len(turn) for wave in (np.cos, np.sin)]
    _, sizes, rows = np.linalg.svd(np.stack(shapes) @ band.T, full_matrices=False)
    kept: Samples = rows[sizes > 1e-3 * sizes[0]]
    return kept


@final
class HumBegins:
    """Takes raw blocks and their powers in the muscle's band; ``sections`` are what leads from one to the other."""

    def __init__(self, sections: tuple[filters.Biquad, ...], rate_hz: float, block: int) -> None:
        self._block, self._fits = block, _fits(sections, rate_hz, block)
        self._values: deque[list[float]] = deque(maxlen=LONGEST)
        self._powers: deque[float] = deque(maxlen=REMEMBERED)

    def reset(self) -> None:
        """Forget what went before."""
        self._values.clear()
        self._powers.clear()

    def push(self, raw: list[float], power: float) -> None:
        """Take the next block."""
        self._values.append(raw)
        self._powers.append(power)

    def doubt(self, age: int, rest: float, dof: float) -> bool:
        """Whether hum that began some time in the last ``age`` blocks explains what has grown.

        ``rest``: the power of rest in the muscle's band, of which a block has ``dof`` degrees of freedom.
        """
        powers = list(self._powers)[-age:]
        count = min(len(powers), LONGEST)
        if count < YOUNGEST:
            return True
        values = np.array(list(self._values)[-count:]).reshape(-1)
        older, newer = powers[:-count], powers[-count:]
        if self._explains(values, rest, dof):
            return True  # it began before what is looked at
        before = sum(likelihood(power / rest, dof) for power in older)
        for begun, power in enumerate(newer):
            if before < BEFORE and self._explains(values[(begun + 1) * self._block :], rest, dof):
                return True
            before += likelihood(power / rest, dof)
        return False

    def _explains(self, values: Samples, rest: float, dof: float) -> bool:
        """Whether one sine of the mains leaves no effort in ``values``, and explains more of them than chance would."""
        blocks = len(values) // self._block
        if not blocks:
            return True
        fit = self._fits[blocks - 1]
        band = fit.band @ (values - values[0])
        total = float(band @ band)
        for wave, bent, growing in fit.waves:
            explained, free = _inside(wave, band), blocks * dof - len(wave)
            if free >= JUDGED and explained * free < TIMES * len(wave) * (total - explained):
                continue
            if free >= JUDGED and explained > MAINS_SHARE * total:
                explained, free = _inside(growing, band), blocks * dof - len(growing)
            elif free < JUDGED:
                explained, free = _inside(bent, band), blocks * dof - len(bent)
            free = max(1.0, free)
            if likelihood((total - explained) / self._block / rest * dof / free, free) < LEFT:
                return True
        return False


def _inside(span: Samples, band: Samples) -> float:
    """The energy of ``band`` that lies in ``span``."""
    parts = span @ band
    return float(parts @ parts)
