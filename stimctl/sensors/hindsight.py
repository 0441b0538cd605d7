"""Where the efforts of a recording are, by looking at all of it at once: labels for recordings that nobody has labelled.

Three looks that fail differently, and a vote. A stretch on which two of them agree is an effort; what only one of them sees is
left out of every judgement, so that nothing is tuned on a guess. None of it could run live: each looks into the future.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from stimctl.sensors.recording import Recording
from stimctl.sensors.rest import MAD_TO_SD
from stimctl.sensors.samples import Samples
from stimctl.sensors.scoring import Truth

Flags = npt.NDArray[np.bool_]

STEP_MS: Final = 5.0
SMOOTH_MS: Final = 100.0
"""Power is taken in steps, and smoothed over a window around each: late for neither a rise nor a fall."""

QUIET: Final = 0.3
"""This share of a recording, its quietest, is taken for rest (project): in the development recordings efforts fill up to
two thirds of the time."""

SPREADS: Final = 8.0
"""Standard deviations above rest, of log power, for an effort."""

LEAST_DB: Final = 3.0
"""An effort is at least so much louder than rest: a very even rest makes too much of a small spread."""

GAP_MS: Final = 300.0
SHORT_MS: Final = 200.0
"""A dip shorter than the first is part of an effort; what is shorter than the second is none (project)."""

UNSURE_S: Final = 0.05
"""How far labels of this kind are uncertain: what consensus labels of the development recordings have before them."""

AGREE: Final = 2
"""How many of the three looks make an effort."""


def truth(recording: Recording, calibration_s: float) -> Truth:
    """The efforts in ``recording`` by vote; what is in dispute is to be ignored."""
    step = max(1, round(recording.rate_hz * STEP_MS / 1e3))
    if len(recording.values_uv) < 2 * step:
        return Truth(recording.rate_hz, len(recording.values_uv), (), (), calibration_s=calibration_s)
    votes = np.sum([_whole(look, STEP_MS) for look in _looks(recording, step)], axis=0)
    efforts = list(_spans(_whole(votes >= AGREE, STEP_MS)))
    # Beside an agreed effort a dispute is about its edges, and those are what the tolerance is for.
    agreed = np.zeros(len(votes), dtype=bool)
    margin = round((GAP_MS + 200) / STEP_MS)
    for start, stop in efforts:
        agreed[max(0, start - margin) : stop + margin] = True
    disputed = _spans((votes > 0) & ~agreed)
    return Truth(
        recording.rate_hz,
        len(recording.values_uv),
        tuple(start * step for start, _ in efforts),
        tuple(stop * step for _, stop in efforts),
        tuple((start * step, stop * step) for start, stop in disputed),
        early_s=UNSURE_S,
        calibration_s=calibration_s,
    )


def _looks(recording: Recording, step: int) -> Iterator[Flags]:
    """Loud by the power, by the energy of its spikes, and by which of two levels each moment is nearer to."""
    values = recording.values_uv
    # Without what changes slowly: electrodes and converters drift. A running mean of 50 ms leaves what is above 20 Hz.
    values = values - _centred_mean(values, max(1, round(recording.rate_hz / 20)))
    power = _stepped(values**2, step)
    energy = np.zeros_like(values)
    if len(values) > 2:
        energy[1:-1] = np.maximum(values[1:-1] ** 2 - values[:-2] * values[2:], 0.0)
    yield _above_rest(_decibels(power))
    yield _above_rest(_decibels(_stepped(energy, step)))
    yield _upper_of_two(_decibels(power))


def _stepped(power: Samples, step: int) -> Samples:
    """Means over steps, then over the window around each."""
    whole = len(power) - len(power) % step
    return _centred_mean(power[:whole].reshape(-1, step).mean(axis=1), round(SMOOTH_MS / STEP_MS))


def _centred_mean(values: Samples, window: int) -> Samples:
    sums = np.concatenate(([0.0], np.cumsum(values)))
    at = np.arange(len(values))
    left, right = np.maximum(0, at - window // 2), np.minimum(len(values), at - window // 2 + window)
    mean: Samples = (sums[right] - sums[left]) / (right - left)
    return mean


def _decibels(power: Samples) -> Samples:
    """Coarse converters rest at zero: a floor far below anything that is heard keeps the logarithm finite."""
    floor = float(np.max(power, initial=0.0)) * 1e-8 + 1e-300
    level: Samples = 10 * np.log10(np.maximum(power, floor))
    return level


def _above_rest(level: Samples) -> Flags:
    quiet = level[level <= np.quantile(level, QUIET)]
    centre = float(np.median(quiet))
    spread = MAD_TO_SD * float(np.median(np.abs(quiet - centre)))
    loud: Flags = level > centre + max(LEAST_DB, SPREADS * spread)
    return loud


def _upper_of_two(level: Samples) -> Flags:
    """Two means that each take the moments nearer to them, begun at the ends of what there is."""
    low, high = (float(each) for each in np.quantile(level, (0.1, 0.95)))
    for _ in range(50):
        upper = level > (low + high) / 2
        if not upper.any() or upper.all():
            break
        before, (low, high) = (low, high), (float(level[~upper].mean()), float(level[upper].mean()))
        if math.isclose(before[0], low) and math.isclose(before[1], high):
            break
    if not high - low >= 2 * LEAST_DB:
        return np.zeros(len(level), dtype=bool)  # one level, cut in two for nothing
    return level > (low + high) / 2


def _whole(flags: Flags, step_ms: float) -> Flags:
    """Short dips filled, then short stretches taken out."""
    whole = flags.copy()
    for (_, stop), (start, _) in pairwise(_spans(flags)):
        if (start - stop) * step_ms < GAP_MS:
            whole[stop:start] = True
    for start, stop in list(_spans(whole)):
        if (stop - start) * step_ms < SHORT_MS:
            whole[start:stop] = False
    return whole


def _spans(flags: Flags) -> Iterator[tuple[int, int]]:
    """First index and end of each stretch."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
