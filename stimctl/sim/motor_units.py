"""A pool of motor units: who fires when for a given effort, and what each firing leaves in the electrode.

Made after what the literature describes, in our own code and mostly our own figures:

- recruitment by size, many small and few large units, thresholds spread exponentially: Fuglevand, Winter and Patla 1993
  (J Neurophysiol 70:2470), after Henneman's size principle; all are in before the full effort, as in a hand muscle;
- rate coding: each unit begins at a least rate and rises with the effort, early ones to higher rates than late ones
  (De Luca and Erim 1994, Trends Neurosci 17:299); after stroke rates stay low and hardly rise (Gemperline et al. 1995, Muscle
  Nerve 18:1101), so ours go from 8 to some 20 a second;
- intervals vary by a fifth (Fuglevand 1993);
- all units share a slow common drive (De Luca et al. 1982, J Physiol 329:129) and a tremor: 8 to 12 Hz in everybody, 4 to 6 Hz
  in some;
- a potential is a first or second derivative of a bell curve, the lowest two of the orthogonal functions with which Lo Conte,
  Merletti and Sandri 1994 (IEEE TBME 41:1147) describe surface potentials; what lies deeper is smaller and longer.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple, final

import numpy as np
import numpy.typing as npt

from stimctl.sim.volition import Attempt, Floats

GRID_US: Final = 5_000
"""The drive changes in steps this long; a firing within one is placed exactly."""

PHASES: Final = 16
"""Positions of a firing between two samples that are told apart."""

_THRESHOLDS: Final = 30.0  # the last unit's threshold over the first one's
_FIRST, _LAST = 0.015, 0.6  # share of the full drive at which they come in
_SIZES: Final = 20.0  # the last unit's potential over the first one's, at the same depth
_LEAST_HZ: Final = 8.0
_MOST_HZ: Final = (22.0, 14.0)  # of the first and of the last unit
_GAIN_HZ: Final = 20.0  # for the full drive more
_VARIATION: Final = 0.2
_LEVELS: Final = 65
_REACH: Final = 4.2  # a bell curve is over after so many widths
_COMMON_HZ: Final = (0.4, 3.0)
_COMMON: Final = 4  # sines of the common drive
_COMMON_DEPTH: Final = 0.12
_SMALLEST: Final = 1e-9


class Tremor(NamedTuple):
    """What shakes the drive: frequency, and depth as a share of it."""

    hz: float
    depth: float


@final
class Pool:
    """``count`` units under one electrode pair; ``width_ms`` is the range of the widths of their potentials.

    ``full_uv``: the rms of their pattern at the full drive.
    """

    def __init__(
        self, rng: np.random.Generator, count: int, rate_hz: int, full_uv: float, width_ms: tuple[float, float]
    ) -> None:
        self.rate_hz, self._seed = rate_hz, int(rng.integers(1 << 32))
        order = np.linspace(0.0, 1.0, count)
        self._threshold = _FIRST + (_LAST - _FIRST) * (_THRESHOLDS**order - 1) / (_THRESHOLDS - 1)
        self._most_hz = _MOST_HZ[0] + (_MOST_HZ[1] - _MOST_HZ[0]) * order
        self._tremor = (
            Tremor(rng.uniform(8.0, 12.0), rng.uniform(0.02, 0.06)),
            Tremor(rng.uniform(4.0, 6.0), max(0.0, rng.uniform(-0.1, 0.15))),
        )
        self._common = [Tremor(hz, _COMMON_DEPTH / math.sqrt(_COMMON / 2)) for hz in rng.uniform(*_COMMON_HZ, _COMMON)]
        self._phase = rng.uniform(0.0, 2 * math.pi, _COMMON + len(self._tremor))
        sizes = _SIZES**order * np.exp(rng.normal(0.0, 0.3, count))
        shapes = _potentials(rng, count, rate_hz, width_ms)
        energy = sizes**2 * np.mean(np.sum(shapes**2, axis=2), axis=1)
        self._levels = np.linspace(0.0, 1.0, _LEVELS)
        # Firings hardly know of each other, so their powers add up (Campbell): the rms for each drive, without a trial.
        power = self._rates(self._levels) @ energy / rate_hz
        self._templates = shapes * (sizes * full_uv / math.sqrt(power[-1]))[:, np.newaxis, np.newaxis]
        self._amplitudes = np.sqrt(power / power[-1])

    def _rates(self, drive: Floats) -> Floats:
        """Firings a second: a row for each drive, a column for each unit."""
        above = drive[:, np.newaxis] - self._threshold
        return np.where(above >= 0.0, np.minimum(_LEAST_HZ + _GAIN_HZ * above, self._most_hz), 0.0)

    def _drive(self, activity: Floats, at_us: Floats) -> Floats:
        """The drive behind an activity, which is a share of the full pattern's rms: with what shakes it."""
        drive: Floats = np.interp(activity, self._amplitudes, self._levels)
        shaken = np.ones_like(drive)
        for (hz, depth), phase in zip((*self._common, *self._tremor), self._phase, strict=True):
            shaken += depth * np.sin(at_us * (2 * math.pi * hz / 1e6) + phase)
        return np.minimum(drive * shaken, 1.0)

    def pattern(self, attempt: Attempt, share: float = 1.0) -> tuple[int, Floats]:
        """What the units leave of one effort, ``share`` of it theirs: the first sample's absolute index, and the signal.

        An effort that is ended earlier has the same beginning.
        """
        first = -(-attempt.onset_us * self.rate_hz // 1_000_000)
        at_us = np.arange(attempt.onset_us, attempt.gone_us + GRID_US, GRID_US, dtype=np.float64)
        return first, self._fired(share * attempt.activity(at_us), at_us, first)

    def steady(self, seconds: int) -> Floats:
        """The pattern of the full drive without end, as it stands from the clock's zero on."""
        at_us = np.arange(0, seconds * 1_000_000, GRID_US, dtype=np.float64)
        return self._fired(np.ones(len(at_us)), at_us, 0)[: seconds * self.rate_hz]

    def _fired(self, activity: Floats, at_us: Floats, first: int) -> Floats:
        rates = self._rates(self._drive(activity, at_us))
        turns = np.cumsum(rates, axis=0) * (GRID_US / 1e6)
        firings = self._firings(turns, at_us)
        length = round((at_us[-1] - at_us[0]) * self.rate_hz / 1e6) + self._templates.shape[2] + 2
        if not firings:
            return np.zeros(length)
        units = np.repeat([unit for unit, _ in firings], [len(times) for _, times in firings])
        place = np.concatenate([times for _, times in firings]) * (self.rate_hz / 1e6) - first
        index = np.maximum(np.ceil(place), 0.0).astype(np.intp)
        between = np.minimum((index - place) * PHASES, PHASES - 1).astype(np.intp)
        rows = self._templates[units, between]
        where = index[:, np.newaxis] + np.arange(rows.shape[1])
        summed = np.bincount(where.ravel(), rows.ravel(), minlength=length)
        return np.asarray(summed[:length], dtype=np.float64)

    def _firings(self, turns: Floats, at_us: Floats) -> list[tuple[int, Floats]]:
        """The times of each unit's firings: where its turns pass a row of uneven steps of about one."""
        most = int(turns[-1].max(initial=0.0) * 1.5) + 2
        rng = np.random.Generator(np.random.PCG64([self._seed, int(at_us[0]) % (1 << 64)]))
        # Drawn row by row, so that a longer effort has the same beginning; the first firing comes soon.
        steps = np.maximum(0.3, 1.0 + _VARIATION * rng.standard_normal((most, turns.shape[1])))
        steps[0] *= 0.15
        marks = np.cumsum(steps, axis=0)
        found = []
        for unit in np.flatnonzero(turns[-1] > 0.0).tolist():
            due = marks[: np.searchsorted(marks[:, unit], turns[-1, unit]), unit]
            if len(due):
                found.append((unit, np.interp(due, turns[:, unit], at_us)))
        return found


def _potentials(rng: np.random.Generator, count: int, rate_hz: int, width_ms: tuple[float, float]) -> Floats:
    """Unit-sized potentials: for each unit a row for each position between two samples."""
    widths_us = rng.uniform(*width_ms, count) * 1e3
    mix = rng.uniform(0.0, 1.0, count)
    samples = math.ceil(2 * _REACH * float(widths_us.max()) * rate_hz / 1e6) + 1
    offsets_us = (np.arange(samples) + np.arange(PHASES)[:, np.newaxis] / PHASES) * (1e6 / rate_hz)
    scaled = offsets_us[np.newaxis] / widths_us[:, np.newaxis, np.newaxis] - _REACH
    bell = np.exp(-scaled * scaled / 2)
    first, second = -scaled * bell * math.exp(0.5), (1 - scaled * scaled) * bell
    weight = mix[:, np.newaxis, np.newaxis]
    shapes: npt.NDArray[np.float64] = weight * first + (1 - weight) * second
    shapes[np.abs(scaled) > _REACH] = 0.0
    return shapes
