"""Causal filters that run in blocks of fixed length: one small matrix product a block.

A recursive filter is linear in its state and its input, so a whole block of outputs, and the state after it, is one
matrix times (input, state). That is some ten times faster than a loop over samples and agrees with it to rounding.
"""

from __future__ import annotations

import math
from typing import NamedTuple, final

import numpy as np
import numpy.typing as npt

from stimctl.sensors.samples import Samples

ComplexArray = npt.NDArray[np.complex128]


class Biquad(NamedTuple):
    """One second-order section, normalised so that a0 = 1."""

    b0: float
    b1: float
    b2: float
    a1: float
    a2: float


def high_pass(cut_hz: float, rate_hz: float) -> Biquad:
    """Second-order Butterworth high-pass by the bilinear transform; 0 < ``cut_hz`` < ``rate_hz`` / 2."""
    w, norm = _prewarped(cut_hz, rate_hz)
    return Biquad(1 / norm, -2 / norm, 1 / norm, 2 * (w * w - 1) / norm, (1 - math.sqrt(2) * w + w * w) / norm)


def low_pass(cut_hz: float, rate_hz: float) -> Biquad:
    """Second-order Butterworth low-pass by the bilinear transform; 0 < ``cut_hz`` < ``rate_hz`` / 2."""
    w, norm = _prewarped(cut_hz, rate_hz)
    gain = w * w / norm
    return Biquad(gain, 2 * gain, gain, 2 * (w * w - 1) / norm, (1 - math.sqrt(2) * w + w * w) / norm)


def _prewarped(cut_hz: float, rate_hz: float) -> tuple[float, float]:
    if not 0 < cut_hz < rate_hz / 2:
        raise ValueError(f"a cut-off of {cut_hz} Hz does not fit a rate of {rate_hz} Hz")
    w = math.tan(math.pi * cut_hz / rate_hz)
    return w, 1 + math.sqrt(2) * w + w * w


def run(sections: tuple[Biquad, ...], samples: list[float], state: list[float]) -> list[float]:
    """The plain sample-by-sample form (transposed direct form II): changes ``state``, two numbers a section."""
    out = []
    for value in samples:
        y = value
        for i, (b0, b1, b2, a1, a2) in enumerate(sections):
            u, y = y, b0 * y + state[2 * i]
            state[2 * i] = b1 * u - a1 * y + state[2 * i + 1]
            state[2 * i + 1] = b2 * u - a2 * y
        out.append(y)
    return out


@final
class BlockFilter:
    """``sections`` in series over blocks of ``block`` samples, and behind them those in ``narrower`` as well.

    The last ``kept`` blocks and a few more stay readable. At block lengths of a few samples, making and copying arrays is
    what costs; so each block has a place on a tape that was cut up beforehand: the state, the samples, and then what comes
    of them with the next state at the end, which is where the next block looks for it. Nothing is copied but once in so many
    blocks, when the tape is full.
    """

    def __init__(
        self, sections: tuple[Biquad, ...], block: int, narrower: tuple[Biquad, ...] = (), kept: int = 1
    ) -> None:
        self._matrix = _lifted(sections, narrower, block)
        self._order = order = 2 * (len(sections) + len(narrower))
        self._step = step = block + len(self._matrix)
        self._kept, self._places = kept, 2 * kept + 1
        self._tape = tape = np.zeros(self._places * step + order)
        starts, fed = range(0, self._places * step, step), order + block
        self._inputs = [tape[at : at + fed] for at in starts]
        self._samples = [tape[at + order : at + fed] for at in starts]
        self._products = [tape[at + fed : at + fed + len(self._matrix)] for at in starts]
        self._wide = [product[:block] for product in self._products]
        self._narrow = [product[block : 2 * block] if narrower else product[:block] for product in self._products]
        rows = tape[: self._places * step].reshape(self._places, step)
        self._wides, self._narrows = rows[:, fed : fed + block], rows[:, fed + block * bool(narrower) :][:, :block]
        self._at = kept
        self.filtered, self.narrowed = self._wide[0], self._narrow[0]
        """The last block in the whole band, and behind ``narrower`` (the same where there are none); not for long."""

    def advance(self, samples: Samples, taken: Samples | float) -> None:
        """Filter the next block less ``taken``; what comes of it is in :attr:`filtered` and :attr:`narrowed`."""
        if self._at == self._places:
            self._wind_back()
        at = self._at
        np.subtract(samples, taken, self._samples[at])
        self._matrix.dot(self._inputs[at], self._products[at])
        self.filtered, self.narrowed = self._wide[at], self._narrow[at]
        self._at = at + 1

    def _wind_back(self) -> None:
        """What must be kept goes to the beginning of the tape, and the state with it."""
        kept = self._kept * self._step + self._order
        self._tape[:kept] = self._tape[-kept:]
        self._at = self._kept

    def drop(self) -> None:
        """The last block goes on in the state, and does not count among those that are kept."""
        at = self._at * self._step
        self._at -= 1
        self._tape[at - self._step :][: self._order] = self._tape[at : at + self._order]

    def recent(self, count: int) -> Samples:
        """The last ``count`` blocks in the whole band, one a row; no more than are kept, and not for long."""
        return self._wides[self._at - count : self._at]

    def recent_narrowed(self, count: int) -> Samples:
        """The same behind ``narrower``."""
        return self._narrows[self._at - count : self._at]

    def reset(self) -> None:
        """The next block begins as if the input had been zero for ever; what is kept stays."""
        self._tape[self._at * self._step :][: self._order] = 0.0


def _lifted(sections: tuple[Biquad, ...], narrower: tuple[Biquad, ...], block: int) -> Samples:
    """The matrix that takes (state, samples) to (samples behind ``sections``, behind ``narrower`` too, next state)."""
    wide, order = 2 * len(sections), 2 * (len(sections) + len(narrower))
    columns = []
    for unit in np.eye(order + block):
        first, second = unit[:wide].tolist(), unit[wide:order].tolist()
        out = run(sections, unit[order:].tolist(), first)
        columns.append([*out, *(run(narrower, out, second) if narrower else []), *first, *second])
    return np.ascontiguousarray(np.array(columns).T)


def response(sections: tuple[Biquad, ...], turns: Samples) -> ComplexArray:
    """What a steady wave of so many radians a sample becomes behind ``sections``: size and phase as complex numbers."""
    z = np.exp(-1j * turns)
    through = np.ones(len(z), dtype=complex)
    for b0, b1, b2, a1, a2 in sections:
        through *= (b0 + b1 * z + b2 * z * z) / (1 + a1 * z + a2 * z * z)
    return through


def freedom(sections: tuple[Biquad, ...], rate_hz: float, seconds: float) -> float:
    """Degrees of freedom of the power of white noise behind ``sections``, over ``seconds``: twice time times bandwidth."""
    power = np.abs(response(sections, 2 * np.pi * (np.arange(2_000) + 0.5) / 4_000)) ** 2
    bandwidth_hz = float(power.sum() ** 2 / (power * power).sum()) * rate_hz / 4_000
    return 2 * bandwidth_hz * seconds
