"""Surface EMG in µV: rest noise and hum, the interference pattern of voluntary effort, artefacts and M-waves.

Each part is a table made once from the seed and read by absolute sample index, so that a chunk costs a few slices
and the signal is the same however it is cut. Facts on size and timing: the project's EMG reference (artefact 1 to
3 ms, M-wave until 15 to 20 ms) and the clinical reference, B.3 (voluntary 5 to 50 µV, band 20 to 450 Hz).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Final, NamedTuple, final

import numpy as np

from stimctl.sim.volition import Floats

RESPONSE_US: Final = 20_000
"""How long a pulse can be seen in the signal."""

BAND_HZ: Final = (20.0, 450.0)

_TABLE_S: Final = 32  # the noise repeats after this; longer than any detector remembers
_PHASES: Final = 16  # positions of a pulse between two samples that are told apart
_ARTEFACT_TAU_US: Final = 600.0  # amplifier recovery: 1 % of the peak is left after 2.8 ms
_M_CENTRE_US, _M_WIDTH_US = 7_500.0, 1_800.0  # gone by 15 ms


class Pulse(NamedTuple):
    """One pulse as it was delivered: when, where, first-phase peak, and the recruited share of the muscle."""

    t_us: int
    output: int
    amplitude_ua: int
    recruited: float


@final
@dataclass(frozen=True, slots=True)
class Levels:
    """Sizes of the parts of the signal, all in µV (rms for noise, peak for hum and responses)."""

    rest_uv: float
    hum_uv: float
    voluntary_uv: float
    artefact_uv_per_ma: float = 60.0
    m_wave_uv: float = 900.0
    mains_hz: int = 50


@final
class Electrode:
    """One EMG electrode pair. ``nearness`` is each output's share of artefact and M-wave seen here, 0 to 1."""

    def __init__(self, seed: int, rate_hz: int, levels: Levels, nearness: tuple[float, ...]) -> None:
        self.rate_hz, self.levels, self._nearness = rate_hz, levels, nearness
        self._rest, self._voluntary = _tables(seed, rate_hz, levels)
        self._artefact, self._m_wave = _responses(rate_hz)

    def rest(self, first: int, count: int) -> Floats:
        """Noise and hum of the resting muscle."""
        return _cut(self._rest, first, count)

    def voluntary(self, first: int, count: int) -> Floats:
        """The interference pattern of this person's best effort."""
        return _cut(self._voluntary, first, count)

    def add_pulse(self, signal: Floats, first: int, pulse: Pulse) -> None:
        """Add what one pulse leaves in ``signal``, whose first sample has the absolute index ``first``."""
        near = self._nearness[pulse.output]
        at = -(-pulse.t_us * self.rate_hz // 1_000_000)  # the first sample at or after the pulse
        phase = (at * 1_000_000 - pulse.t_us * self.rate_hz) * _PHASES // 1_000_000
        response = (self.levels.artefact_uv_per_ma * near * pulse.amplitude_ua / 1_000) * self._artefact[phase]
        if pulse.recruited:
            response = response + (self.levels.m_wave_uv * near * pulse.recruited) * self._m_wave[phase]
        start, stop = max(at, first), min(at + len(response), first + len(signal))
        if start < stop:
            signal[start - first : stop - first] += response[start - at : stop - at]


@functools.lru_cache(maxsize=8)
def _tables(seed: int, rate_hz: int, levels: Levels) -> tuple[Floats, Floats]:
    """The resting and the voluntary signal in µV, to be read only. Kept, because the same person comes again."""
    length = _TABLE_S * rate_hz
    rng = np.random.Generator(np.random.PCG64(seed))
    t = np.arange(length) / rate_hz
    hum = levels.hum_uv * np.sin(2 * math.pi * levels.mains_hz * t + 2 * math.pi * rng.random())
    rest = levels.rest_uv * _noise(rng, length, rate_hz, peak_hz=None) + hum
    # Few, large motor units: the pattern of a paretic muscle waxes and wanes more than a healthy one's.
    beat = 1.0 + 0.25 * _noise(rng, length, rate_hz, peak_hz=3.0, band=(0.5, 8.0))
    voluntary = levels.voluntary_uv * _noise(rng, length, rate_hz, peak_hz=90.0) * np.maximum(beat, 0.2)
    rest.flags.writeable = voluntary.flags.writeable = False
    return rest, voluntary


def _cut(table: Floats, first: int, count: int) -> Floats:
    """``count`` samples from absolute index ``first`` of a table that repeats; always a fresh array."""
    start = first % len(table)
    if start + count <= len(table):
        return table[start : start + count].copy()
    return np.take(table, np.arange(start, start + count), mode="wrap")


def _noise(
    rng: np.random.Generator, length: int, rate_hz: int, *, peak_hz: float | None, band: tuple[float, float] = BAND_HZ
) -> Floats:
    """Gaussian-like noise of unit rms within ``band`` that repeats without a seam.

    ``peak_hz=None`` is white within the band (amplifier and skin); otherwise the spectrum rises to about the peak and
    falls off above, the usual shape of surface EMG (general knowledge).
    """
    hz = np.fft.rfftfreq(length, 1 / rate_hz)
    shape = np.ones_like(hz) if peak_hz is None else hz / peak_hz / (1 + (hz / peak_hz) ** 2) ** 1.5
    shape[(hz < band[0]) | (hz > band[1])] = 0.0
    # Random phases and exponentially distributed powers: what the transform of white Gaussian noise has.
    size = np.sqrt(-np.log1p(-rng.random(hz.size)))
    spectrum = shape * size * np.exp(2j * math.pi * rng.random(hz.size))
    noise: Floats = np.fft.irfft(spectrum, length)
    return noise / math.sqrt(float(np.mean(noise * noise)))


def _responses(rate_hz: int) -> tuple[Floats, Floats]:
    """Artefact and M-wave of unit size, one row for each position of the pulse between two samples."""
    samples = RESPONSE_US * rate_hz // 1_000_000
    offsets = (np.arange(samples) + np.arange(_PHASES)[:, np.newaxis] / _PHASES) * 1e6 / rate_hz
    artefact: Floats = np.exp(-offsets / _ARTEFACT_TAU_US)
    scaled = (offsets - _M_CENTRE_US) / _M_WIDTH_US
    m_wave: Floats = -scaled * np.exp(0.5 - scaled * scaled / 2)  # first derivative of a Gaussian, peak 1
    m_wave[np.abs(scaled) > 4.2] = 0.0
    return artefact, m_wave
