"""Surface EMG in µV: rest noise, hum, drift and knocks, the motor units of voluntary effort, artefacts and M-waves.

What rests is a table made once from the seed and read by absolute sample index; an effort is made whole when it is first
heard. So a chunk costs a few slices, and the signal is the same however it is cut. Facts on size and timing: the project's EMG
reference (artefact 1 to 3 ms, M-wave until 15 to 20 ms) and the clinical reference, B.3 (voluntary 5 to 50 µV, band 20 to
450 Hz); motor units: :mod:`stimctl.sim.motor_units`.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, final

import numpy as np

from stimctl.sim.motor_units import Pool
from stimctl.sim.reflex import Reflex
from stimctl.sim.volition import Attempt, Floats

RESPONSE_US: Final = 20_000
"""How long a pulse can be seen in the signal."""

BAND_HZ: Final = (20.0, 450.0)

_TABLE_S: Final = 32  # the noise repeats after this; longer than any detector remembers
_PHASES: Final = 16  # positions of a pulse between two samples that are told apart
_ARTEFACT_TAU_US: Final = 600.0  # amplifier recovery: 1 % of the peak is left after 2.8 ms
_REFLEX_S: Final = 4  # the flexors' pattern repeats after this; a stretch is over sooner
_EFFORTS: Final = 8  # efforts that are kept: those that overlap, and some to spare
_WIDTH_MS: Final = (1.2, 2.4)  # of a potential near the electrode: half of the power below some 90 Hz
_FAR_WIDTH_MS: Final = (2.0, 3.2)  # of one that comes from the other side of the arm
_HARMONIC: Final = 0.25  # mains is no sine: its third harmonic
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
    """Sizes of the parts of the signal, all in µV (rms for noise and effort, peak for hum, drift, knocks and responses).

    ``units`` are the motor units that the electrode sees: few after stroke. ``co_contraction``: the flexors' share in an
    effort to open. ``crosstalk``: how much of the flexors' pattern reaches an electrode over the extensors; 0.1 to 0.2 is usual
    (general knowledge). ``knocks_per_min``: cable knocks and electrode pops, none where nobody asks for them.
    """

    rest_uv: float
    hum_uv: float
    voluntary_uv: float
    artefact_uv_per_ma: float = 60.0
    m_wave_uv: float = 900.0
    mains_hz: int = 50
    units: int = 60
    co_contraction: float = 0.3
    crosstalk: float = 0.15
    drift_uv: float = 0.5
    knocks_per_min: float = 0.0
    knock_uv: float = 400.0

    def at_snr(self, decibels: float) -> Levels:
        """The same with a best effort so much stronger than rest, hum included, both as rms."""
        rest_uv = math.hypot(self.rest_uv, self.hum_uv / math.sqrt(2))
        return replace(self, voluntary_uv=rest_uv * 10 ** (decibels / 20))


@final
class Electrode:
    """One EMG electrode pair. ``nearness`` is each output's share of artefact and M-wave seen here, 0 to 1."""

    def __init__(self, seed: int, rate_hz: int, levels: Levels, nearness: tuple[float, ...]) -> None:
        self.rate_hz, self.levels, self._nearness = rate_hz, levels, nearness
        self._rest, self._extensors, self._flexors, self._stretched = _person(seed, rate_hz, levels)
        self._efforts: dict[Attempt, tuple[int, Floats]] = {}
        self._artefact, self._m_wave = _responses(rate_hz)

    def rest(self, first: int, count: int) -> Floats:
        """Noise and hum of the resting muscle."""
        return _cut(self._rest, first, count)

    def effort(self, attempt: Attempt) -> tuple[int, Floats]:
        """What one effort leaves, co-contraction included: the absolute index of its first sample, and the signal."""
        kept = self._efforts.get(attempt)
        if kept is None:
            first, signal = self._extensors.pattern(attempt)
            _, beside = self._flexors.pattern(attempt, self.levels.co_contraction)
            length = max(len(signal), len(beside))
            kept = first, _longer(signal, length) + _longer(beside, length)
            while len(self._efforts) >= _EFFORTS:
                del self._efforts[next(iter(self._efforts))]
            self._efforts[attempt] = kept
        return kept

    def add_effort(self, signal: Floats, first: int, attempt: Attempt) -> None:
        """Add what one effort leaves in ``signal``, whose first sample has the absolute index ``first``."""
        begin, left = self.effort(attempt)
        start, stop = max(begin, first), min(begin + len(left), first + len(signal))
        if start < stop:
            signal[start - first : stop - first] += left[start - begin : stop - begin]

    def add_reflex(self, signal: Floats, first: int, reflex: Reflex) -> None:
        """Add what the stretched flexors leave."""
        at_us = np.arange(first, first + len(signal), dtype=np.float64) * (1e6 / self.rate_hz)
        signal += reflex.activity(at_us) * _cut(self._stretched, first, len(signal))

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
def _person(seed: int, rate_hz: int, levels: Levels) -> tuple[Floats, Pool, Pool, Floats]:
    """The resting signal, the units over which the electrode sits, those of the flexors, and these all at once.

    To be read only. Kept, because the same person comes again.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    rest = _resting(rng, rate_hz, levels)
    extensors = Pool(rng, levels.units, rate_hz, levels.voluntary_uv, _WIDTH_MS)
    flexors = Pool(rng, max(1, levels.units // 2), rate_hz, levels.crosstalk * levels.voluntary_uv, _FAR_WIDTH_MS)
    stretched = flexors.steady(_REFLEX_S)
    rest.flags.writeable = stretched.flags.writeable = False
    return rest, extensors, flexors, stretched


def _resting(rng: np.random.Generator, rate_hz: int, levels: Levels) -> Floats:
    """Noise of skin and amplifier, mains, what the electrodes drift, and knocks."""
    length = _TABLE_S * rate_hz
    turn = 2 * math.pi * np.arange(length) / rate_hz
    phase = 2 * math.pi * rng.random()
    hum = np.sin(levels.mains_hz * turn + phase)
    if 6 * levels.mains_hz < rate_hz:  # what the rate cannot hold would come back elsewhere
        hum += _HARMONIC * np.sin(3 * levels.mains_hz * turn + 3 * phase)
    rest = levels.rest_uv * _noise(rng, length, rate_hz) + levels.hum_uv * hum
    for cycles in rng.integers(2, 20, 3).tolist():  # whole cycles in the table: 0.06 to 0.6 Hz, without a seam
        rest += levels.drift_uv / 3 * np.sin(turn * (cycles / _TABLE_S) + 2 * math.pi * rng.random())
    for _ in range(round(levels.knocks_per_min * _TABLE_S / 60)):
        rest += _knock(rng, length, rate_hz, levels.knock_uv)
    return rest


def _knock(rng: np.random.Generator, length: int, rate_hz: int, size_uv: float) -> Floats:
    """A cable that is hit: a jump that dies away within a tenth of a second, with the cable's own swinging."""
    since_s = ((np.arange(length) - int(rng.integers(length))) % length) / rate_hz
    decay = np.exp(-since_s / rng.uniform(0.008, 0.03))
    swing = np.cos(2 * math.pi * rng.uniform(15.0, 60.0) * since_s)
    knock: Floats = size_uv * rng.uniform(0.3, 1.0) * rng.choice((-1.0, 1.0)) * decay * swing
    return knock


def _longer(signal: Floats, length: int) -> Floats:
    return signal if len(signal) == length else np.concatenate((signal, np.zeros(length - len(signal))))


def _cut(table: Floats, first: int, count: int) -> Floats:
    """``count`` samples from absolute index ``first`` of a table that repeats; always a fresh array."""
    start = first % len(table)
    if start + count <= len(table):
        return table[start : start + count].copy()
    return np.take(table, np.arange(start, start + count), mode="wrap")


def _noise(rng: np.random.Generator, length: int, rate_hz: int) -> Floats:
    """Gaussian-like noise of unit rms, white within the band (amplifier and skin), that repeats without a seam."""
    hz = np.fft.rfftfreq(length, 1 / rate_hz)
    shape = np.where((hz < BAND_HZ[0]) | (hz > BAND_HZ[1]), 0.0, 1.0)
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
