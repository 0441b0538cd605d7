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
    """``sections`` in series over blocks of ``block`` samples, with further linear read-outs of the filtered block.

    ``probes`` has one row a read-out and ``block`` columns; they come almost free with the same matrix product. So does
    :attr:`narrowed`: the filtered block after the sections in ``narrower``, or the block itself where there are none.
    """

    def __init__(
        self, sections: tuple[Biquad, ...], block: int, probes: Samples, narrower: tuple[Biquad, ...] = ()
    ) -> None:
        wide, order = 2 * len(sections), 2 * (len(sections) + len(narrower))
        lifted = np.zeros((block + order, block + order))
        narrowed = np.zeros((block, block + order))
        for column, unit in enumerate(np.eye(block + order)):
            first, second = unit[block : block + wide].tolist(), unit[block + wide :].tolist()
            out = run(sections, unit[:block].tolist(), first)
            lifted[:block, column] = out
            narrowed[:, column] = run(narrower, out, second)
            lifted[block:, column] = first + second
        rows = [lifted, probes @ lifted[:block], *([narrowed] if narrower else [])]
        self._matrix = np.ascontiguousarray(np.vstack(rows))
        # Views into two fixed buffers: at block lengths of a few samples, making arrays is what costs.
        self._input, self._product = np.zeros(block + order), np.zeros(len(self._matrix))
        self._samples, self._state = self._input[:block], self._input[block:]
        self._offset, self._level = np.zeros(block), 0.0
        self._next_state = self._product[block : block + order]
        end = block + order + len(probes)
        #: The last block in the whole band and in the narrower one, and its read-outs; overwritten by the next.
        self.filtered, self.probed = self._product[:block], self._product[block + order : end]
        self.narrowed = self._product[end:] if narrower else self.filtered

    def __call__(self, samples: Samples, offset: float = 0.0) -> tuple[list[float], list[float]]:
        """Filter the next block less ``offset``; returns the filtered block and the read-outs."""
        self.advance(samples, offset)
        return self.filtered.tolist(), self.probed.tolist()

    def advance(self, samples: Samples, offset: float) -> None:
        """Filter the next block less ``offset``; what comes of it is in :attr:`filtered`, :attr:`narrowed`, :attr:`probed`."""
        if offset != self._level:
            self._level = offset
            self._offset.fill(offset)  # a number would be made an array at each block
        np.subtract(samples, self._offset, self._samples)
        self._matrix.dot(self._input, self._product)
        self._state[:] = self._next_state

    def reset(self) -> None:
        """Forget what went before: as if the input had been zero for ever."""
        self._input[:] = 0.0


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
