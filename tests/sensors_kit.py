"""What the tests of the sensors share."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from stimctl.sensors.onset import Onset
from stimctl.sensors.samples import Chunk, Samples
from stimctl.sensors.settings import DEFAULT, OnsetSettings
from stimctl.sensors.threshold import ThresholdDetector

EMG = Path(__file__).parent / "data" / "emg"


def noise(seconds: float, rate_hz: float, uv: float, seed: int = 1) -> Samples:
    return np.random.default_rng(seed).normal(0.0, uv, round(seconds * rate_hz))


def bursts(rate_hz: float, seed: int = 1, *, uv: float = 60.0, at_s: Iterable[float] = (4.0, 8.0)) -> Samples:
    """Twelve seconds: rest of 3 µV and efforts of ``uv`` for 1.5 s."""
    values = noise(12.0, rate_hz, 3.0, seed)
    loud = noise(12.0, rate_hz, uv, seed + 1_000)
    for start in at_s:
        span = slice(round(start * rate_hz), round((start + 1.5) * rate_hz))
        values[span] += loud[span]
    return values


def detector(rate_hz: float = 1_000.0, settings: OnsetSettings = DEFAULT, *, armed: bool = True) -> ThresholdDetector:
    made = ThresholdDetector(settings, rate_hz)
    if armed:
        made.arm()
    return made


def cut(
    values: Samples, rate_hz: float, sizes: Iterable[int], pulses: Iterable[int] = (), first: int = 0
) -> list[Chunk]:
    """``values`` as chunks of ``sizes`` samples, the last size for all that is left."""
    pulses = sorted(pulses)
    chunks, at, size, rest = [], 0, 1, iter(sizes)
    while at < len(values):
        size = next(rest, size)
        end = min(at + size, len(values))
        offsets = tuple(pulse - first - at for pulse in pulses if at <= pulse - first < end)
        at_us = round((first + end) * 1e6 / rate_hz)
        chunks.append(Chunk(first + at, rate_hz, values[at:end], at_us, offsets))
        at = end
    return chunks


def feed(
    made: ThresholdDetector,
    values: Samples,
    *,
    rate_hz: float = 1_000.0,
    ms: float = 10.0,
    first: int = 0,
    pulses: Iterable[int] = (),
) -> list[Onset]:
    size = max(1, round(ms * rate_hz / 1e3))
    return [onset for chunk in cut(values, rate_hz, [size], pulses, first) for onset in made.push(chunk)]
