"""Samples as they come from any source, and what a source is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol, final

import numpy as np
import numpy.typing as npt

from stimctl.errors import OurBug

Samples = npt.NDArray[np.float64]

STALE_US: Final = 200_000
"""Samples older than this count as absent (H27: age over 200 ms)."""

NOTHING: Final[Samples] = np.empty(0)

RATE_MIN_HZ: Final = 100.0
RATE_MAX_HZ: Final = 10_000.0
"""Sampling rates that EMG is taken at; armbands give 200 Hz, amplifiers up to some kHz."""

SANE: Final = 1e12
"""A magnitude, or a sum of them over a short stretch, that no source gives, whatever its unit: as good as not a number."""


@final
@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """A stretch of one EMG channel.

    ``first_index`` counts samples since the source started, so that a loss shows. ``values_uv`` is one-dimensional,
    in µV where the source knows them and in its own counts where it does not; it may hold NaN, which means missing.
    ``at_us`` is the session time of the END of the chunk: when its last sample was taken. ``pulse_offsets`` are the
    samples of this chunk in which a stimulation pulse began. Raises :class:`OurBug` for anything else.
    """

    first_index: int
    rate_hz: float
    values_uv: Samples
    at_us: int
    pulse_offsets: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a chunk that no source may give."""
        values = self.values_uv
        if type(values) is not np.ndarray or values.dtype != np.float64 or values.ndim != 1:
            raise OurBug("a chunk's values are a one-dimensional float64 array")
        if not (math.isfinite(self.rate_hz) and self.rate_hz > 0):
            raise OurBug(f"a chunk's rate is {self.rate_hz!r} Hz")
        if type(self.at_us) is not int or type(self.first_index) is not int or self.first_index < 0:
            raise OurBug("a chunk's time and first index are whole numbers")
        if not all(0 <= offset < len(values) for offset in self.pulse_offsets):
            raise OurBug("a pulse lies outside its chunk")

    def is_stale(self, now_us: int, limit_us: int = STALE_US) -> bool:
        """Whether the chunk is too old to act on at ``now_us``; one from the future is as bad as an old one."""
        return not 0 <= now_us - self.at_us <= limit_us


class Source(Protocol):
    """Where chunks come from; the session polls it. Never blocks."""

    @property
    def name(self) -> str:
        """What a person calls it."""

    @property
    def rate_hz(self) -> float:
        """Samples per second."""

    @property
    def finished(self) -> bool:
        """Whether nothing more will come."""

    def start(self, now_us: int) -> None:
        """Begin: the first sample is taken just after ``now_us``."""

    def read(self, now_us: int) -> tuple[Chunk, ...]:
        """The chunks that became complete by ``now_us`` and were not given before, oldest first."""

    def next_due_us(self) -> int | None:
        """When the next chunk will be complete; ``None`` when nothing more will come or nobody can know."""
