"""The effort of a muscle that nobody stimulates, such as the sound hand's, as a signal to follow: a stream, or a recording.

Pulses at the other arm reach these electrodes, too, through the body: small, but in step with what they would drive. So the
signal is cut into short blocks, each without its own mean and slope: no filter runs on behind a pulse, and hum, drift and the
sway of a cable are slow beside a block. What counts is not the mean of the blocks but their lower quartile: pulses that stand
in fewer than three of four change nothing. Where that is not enough, it shows before anything may follow: what is heard while
thresholds are found, with the sound hand at rest, has to stay in the dead zone (clinical reference, B.3; hazard H24). Method and
bounds are the project's.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final, final

import numpy as np

from stimctl.errors import UsageError
from stimctl.sensors.lsl import LslSource
from stimctl.sensors.recording import Recording
from stimctl.sensors.replay import RecordingSource
from stimctl.sensors.samples import NOTHING, SANE, Chunk, Samples
from stimctl.sensors.signals import Sample

BLOCK_MS: Final = 5.0
SPAN_MS: Final = 250.0
"""Length of a block, and how much of the past makes a level. Devices smooth over 100 to 500 ms (general knowledge)."""

LEAST_SAMPLES: Final = 5
"""A shorter block says too little beside its own mean and slope."""

RATE_MIN_HZ: Final = 500.0
"""At fewer samples a block would be longer than 10 ms, and pulses would stand in all of them."""

LEAST_SHARE: Final = 0.5
"""The share of :data:`SPAN_MS` that must have been heard without a break."""

LEAST_SPAN_UV: Final = 10.0
"""Rest and the best effort lie so far apart at the least: sound extensors give a hundred µV and more (general knowledge)."""


@final
class SoundEffort:
    """A :class:`~stimctl.sensors.signals.OpenSignal` over one channel of EMG; raises :class:`UsageError` for one it cannot use."""

    unit = "µV"
    least_span = LEAST_SPAN_UV

    def __init__(self, given: LslSource | Recording) -> None:
        self._stream = given if isinstance(given, LslSource) else None
        self._source = RecordingSource(given) if isinstance(given, Recording) else given
        self.name = given.name
        rate_hz = given.rate_hz
        if not rate_hz >= RATE_MIN_HZ:
            raise UsageError(
                f"{self.name} gives {rate_hz:g} samples a second, and {RATE_MIN_HZ:g} are needed to tell effort from pulses"
            )
        if self._stream is not None and not self._stream.in_microvolts:
            raise UsageError(
                f"{self.name} does not say that it is a voltage: have the sender name its channel's unit, such as microvolts"
            )
        self._block = max(LEAST_SAMPLES, round(rate_hz * BLOCK_MS / 1e3))
        count = max(4, round(rate_hz * SPAN_MS / 1e3 / self._block))
        self._flat = _flattening(self._block)
        self._least = math.ceil(LEAST_SHARE * count)
        self._powers: deque[float] = deque(maxlen=count)
        self._still = 0
        self._pending = NOTHING
        self._expected: int | None = None
        self._newest: Sample | None = None
        self._begun = False
        self.unasked_uv: float | None = None
        """The most that was heard of pulses which nothing drove, in µV; ``None`` before there were any."""
        self._led = self._unasked = False

    @property
    def trouble(self) -> str:
        """Why nothing of a stream can be believed, or ""."""
        return self._stream.trouble if self._stream is not None else ""

    @property
    def losses(self) -> tuple[int, int]:
        """How often samples were lost so far, and how many those were at least."""
        return (self._stream.gaps, self._stream.missing) if self._stream is not None else (0, 0)

    def expect(self, *, stimulated: bool, led: bool) -> None:
        """Say whether pulses are on their way, and whether they follow what is heard; thresholds that are found anew are new."""
        if self._led and not led:
            self.unasked_uv = None
        self._led, self._unasked = led, stimulated and not led

    def read(self, now_us: int) -> Sample | None:
        """The newest level, and when the last of it was taken; ``None`` while there is none that can be believed."""
        if not self._begun:
            self._begun = True
            self._source.start(now_us)
        for chunk in self._source.read(now_us):
            self._take(chunk)
        if self.trouble:
            self._forget()
        if self._newest is not None and self._unasked:
            self.unasked_uv = max(self._newest.value, self.unasked_uv or 0.0)
        return self._newest

    def close(self) -> None:
        """Let go of the stream."""
        if self._stream is not None:
            self._stream.close()

    def _forget(self) -> None:
        self._powers.clear()
        self._pending, self._newest = NOTHING, None

    def _take(self, chunk: Chunk) -> None:
        if chunk.first_index != self._expected:
            self._forget()  # across a loss no block is whole
        self._expected = chunk.first_index + len(chunk.values_uv)
        values = np.concatenate((self._pending, chunk.values_uv))
        whole = len(values) - len(values) % self._block
        self._pending = values[whole:].copy()
        for at in range(0, whole, self._block):
            self._hear(values[at : at + self._block])
        if len(self._powers) >= self._least:
            self._newest = Sample(chunk.at_us, math.sqrt(sorted(self._powers)[len(self._powers) // 4]))

    def _hear(self, block: Samples) -> None:
        if not float(np.abs(block).sum()) < SANE:
            self._forget()  # NaN and infinity included
            return
        self._still = self._still + 1 if np.ptp(block) == 0.0 else 0
        if self._still >= self._least:
            self._forget()  # a rail, or a lead that is off: nothing of it is an effort
            return
        new = self._flat @ block
        self._powers.append(float(new @ new) / (self._block - 2))


def _flattening(length: int) -> Samples:
    """The matrix that takes mean and slope from a block."""
    ramp = np.arange(length) - (length - 1) / 2
    flat = np.full(length, 1 / math.sqrt(length))
    slope = ramp / math.sqrt(float(ramp @ ramp))
    matrix: Samples = np.eye(length) - np.outer(flat, flat) - np.outer(slope, slope)
    return matrix
