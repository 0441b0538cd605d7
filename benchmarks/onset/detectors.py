"""Who is compared: our detector, two plain streaming thresholds, and NeuroKit2 over whole recordings."""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Callable
from typing import Any, Final, Protocol

import numpy as np

from stimctl.sensors.playing import detector
from stimctl.sensors.samples import Chunk, Samples

ENVELOPE_MS: Final = 50.0
"""Window of the plain thresholds: the one of the development set's own reference."""

PLAIN_SD: Final = 3.0
TKEO_SD: Final = 6.0
"""The energy at rest is skewed: at 3 SD it fires all the time, and from about 8 SD on weak efforts are lost."""

REFRACTORY_S: Final = 0.5


class Streaming(Protocol):
    """Takes chunks in order; says whether an onset is known with this one."""

    def push(self, chunk: Chunk) -> bool:
        """Take the next chunk."""


Maker = Callable[[float], Streaming]
"""Makes a fresh detector for one recording at this rate."""


class Ours:
    """The detector of this program with the settings that it comes with."""

    def __init__(self, rate_hz: float) -> None:
        self._detector = detector(rate_hz)

    def push(self, chunk: Chunk) -> bool:
        """Whether an onset became certain."""
        return bool(self._detector.push(chunk))


class Plain:
    """A level over the mean and ``sd`` standard deviations of the first two seconds, once per rise. ``power`` makes what is
    averaged over the window of the samples and the two before them.
    """

    def __init__(self, rate_hz: float, power: Callable[[Samples], Samples], sd: float) -> None:
        self._power, self._sd = power, sd
        self._window = max(1, round(ENVELOPE_MS * rate_hz / 1e3))
        self._rest, self._refractory = round(2 * rate_hz), round(REFRACTORY_S * rate_hz)
        self._early = np.zeros(0)
        self._offset = 0.0
        self._threshold = math.inf
        self._last, self._powers = np.zeros(2), np.zeros(self._window - 1)
        self._over = False
        self._at, self._heard = 0, -math.inf

    def push(self, chunk: Chunk) -> bool:
        """Whether the envelope rose over the threshold."""
        values = chunk.values_uv
        if self._threshold == math.inf:
            self._early = np.concatenate((self._early, values))
            if len(self._early) < self._rest:
                return False
            values = self._learn()
        over = np.concatenate(([self._over], self._envelope(values) > self._threshold))
        self._over = bool(over[-1])
        known = False
        for rise in np.flatnonzero(over[1:] & ~over[:-1]).tolist():
            if self._at + rise - self._heard >= self._refractory:
                self._heard, known = self._at + rise, True
        self._at += len(values)
        return known

    def _learn(self) -> Samples:
        """Take the rest for what it is; what came after it is still to be heard."""
        rest, after = self._early[: self._rest], self._early[self._rest :]
        self._offset = float(np.mean(rest))
        envelope = self._envelope(rest)[self._window :]
        self._threshold = float(np.mean(envelope) + self._sd * np.std(envelope))
        return after

    def _envelope(self, values: Samples) -> Samples:
        """Root of the mean power over the window that ends at each sample."""
        values = np.concatenate((self._last, values - self._offset))
        self._last = values[-2:]
        powers = np.concatenate((self._powers, self._power(values)))
        self._powers = powers[len(powers) - self._window + 1 :]
        sums = np.concatenate(([0.0], np.cumsum(powers)))
        envelope: Samples = np.sqrt(np.maximum(sums[self._window :] - sums[: -self._window], 0.0) / self._window)
        return envelope


def _square(values: Samples) -> Samples:
    return values[2:] ** 2


def _energy(values: Samples) -> Samples:
    """Teager-Kaiser energy, known one sample late."""
    return np.maximum(values[1:-1] ** 2 - values[:-2] * values[2:], 0.0)


STREAMING: Final[dict[str, Maker]] = {
    "ours": Ours,
    f"mean + {PLAIN_SD:g} SD": lambda rate_hz: Plain(rate_hz, _square, PLAIN_SD),
    f"TKEO + {TKEO_SD:g} SD": lambda rate_hz: Plain(rate_hz, _energy, TKEO_SD),
}

Offline = Callable[[Samples, float], tuple[int, ...]]
"""Onsets of a whole recording, as sample indexes. Raises what the package raises."""


def neurokit() -> dict[str, Offline]:
    """NeuroKit2's ways that need no settings of their own; none of them where it is not installed."""
    try:
        package: Any = importlib.import_module("neurokit2")
    except ImportError:
        return {}

    def way(method: str) -> Offline:
        def onsets(values: Samples, rate_hz: float) -> tuple[int, ...]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                cleaned = package.emg_clean(values, sampling_rate=int(rate_hz))
                amplitude = package.emg_amplitude(cleaned)
                given = {"emg_cleaned": cleaned} if method in {"pelt", "biosppy", "silva"} else {}
                _, found = package.emg_activation(
                    emg_amplitude=amplitude, sampling_rate=int(rate_hz), method=method, **given
                )
            return tuple(int(at) for at in found["EMG_Onsets"] if not math.isnan(at))

        return onsets

    return {f"NeuroKit2 {method}, offline": way(method) for method in ("threshold", "mixture")}
