"""The same muscle, recorded otherwise: louder, softer, off zero, at another rate, with mains in it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Final

import numpy as np
from scipy.signal import butter, resample_poly, sosfiltfilt

from benchmarks.onset.cases import Case
from stimctl.sensors.samples import Samples

Change = Callable[[Case], Case]


def gain(case: Case, *, times: float) -> Case:
    """Another amplifier."""
    return replace(case, values=case.values * times)


def offset(case: Case, *, rests: float) -> Case:
    """Off zero by so many times the resting signal's rms: electrodes and converters do that."""
    return replace(case, values=case.values + rests * _rest_rms(case))


def mains(case: Case, *, hz: float) -> Case:
    """A hum as strong as the resting muscle and its amplifier's noise: what moves slower than 20 Hz is neither."""
    t = np.arange(len(case.values)) / case.truth.rate_hz
    hum = math.sqrt(2) * _rest_rms(case, above_hz=20.0) * np.sin(2 * math.pi * hz * t + 1.0)
    return replace(case, values=case.values + hum)


def resampled(case: Case, *, rate_hz: float) -> Case:
    """At another rate, by a short filter: an amplifier's does not ring through the whole recording after every artefact."""
    truth = case.truth
    if rate_hz == truth.rate_hz:
        return case
    values = _at_rate(case.values, truth.rate_hz, rate_hz)
    length = len(values)

    def moved(at: int) -> int:
        return min(length, round(at * rate_hz / truth.rate_hz))

    return replace(
        case,
        values=values,
        truth=truth._replace(
            rate_hz=rate_hz,
            length=length,
            onsets=tuple(map(moved, truth.onsets)),
            ends=tuple(map(moved, truth.ends)),
            ignore=tuple((moved(start), moved(stop)) for start, stop in truth.ignore),
        ),
        pulses=tuple(min(length - 1, moved(at)) for at in case.pulses),
    )


def _at_rate(values: Samples, before_hz: float, rate_hz: float) -> Samples:
    """``values`` at ``rate_hz``; the level on which they stand is no step at either end."""
    ratio = Fraction(rate_hz / before_hz).limit_denominator(1_000)
    made: Samples = resample_poly(values, ratio.numerator, ratio.denominator, padtype="line")
    return made


def _rest_rms(case: Case, above_hz: float = 0.0) -> float:
    rest = case.values[: round(case.truth.calibration_s * case.truth.rate_hz)]
    if above_hz:
        rest = sosfiltfilt(butter(2, above_hz, "highpass", fs=case.truth.rate_hz, output="sos"), rest)
    return float(np.std(rest)) or 1.0


VARIANTS: Final[dict[str, Change]] = {
    "gain x 0.1": partial(gain, times=0.1),
    "gain x 30": partial(gain, times=30.0),
    "offset of 1,000 x rest": partial(offset, rests=1_000.0),
    **{f"at {hz} Hz": partial(resampled, rate_hz=float(hz)) for hz in (500, 1_000, 2_000, 4_000)},
    "mains of 50 Hz": partial(mains, hz=50.0),
    "mains of 60 Hz": partial(mains, hz=60.0),
}
