"""The board's analog input as chunks on the session's clock, and whether what the board says of it can be believed.

A board stamps its samples by a clock of its own, and they come over a line that may hold them up. Both clocks run on; what lies
between them is a constant and the way here, and the shortest way of late tells the constant best. So a chunk that was held up is
as old as it is, and not as young as its arrival. Method and bounds are the project's.
"""

from __future__ import annotations

from typing import Final, final

import numpy as np

from stimctl.driver import Samples as BoardSamples
from stimctl.sensors.samples import Chunk
from stimctl.units import SECOND

HALF_US: Final = 10 * SECOND
"""The shortest way is that of the last ten to twenty seconds: quartzes drift apart by a millisecond or two in that time."""

RATE_SHARE: Final = 0.03
RATE_US: Final = 2 * SECOND
"""Samples that come at another pace than the board says, by more than this share over this long, are not believed."""

SILENT_US: Final = SECOND
"""A board that was asked for samples and gives none for so long is said to have stopped."""


@final
class BoardClock:
    """Another clock's times on the session's. A time that is no further than the shortest way is now; none is in the future."""

    def __init__(self) -> None:
        self._older: int | None = None
        self._newer: int | None = None
        self._since_us = 0

    def session_us(self, theirs_us: int, now_us: int) -> int:
        """When it was, by the session's clock, for something that came now."""
        off_us = now_us - theirs_us
        if self._newer is None or not 0 <= now_us - self._since_us <= HALF_US:
            self._older, self._newer, self._since_us = self._newer, off_us, now_us
        self._newer = min(self._newer, off_us)
        return theirs_us + (self._newer if self._older is None else min(self._older, self._newer))


@final
class BoardInput:
    """Chunks of one board's input at the ``rate_hz`` that it introduced itself with. All times are session µs."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self.gaps = self.missing = 0
        """How often samples were lost on their way, and how many those were."""
        self.mismatch = ""
        """Why what comes cannot be what the board says it is, or ""."""
        self.start(0)

    def start(self, now_us: int) -> None:
        """The board was asked for samples: it begins to count anew."""
        self._clock = BoardClock()
        self._heard_us = now_us
        self._paced: tuple[int, int] | None = None
        self.mismatch = ""

    def silence(self, now_us: int) -> str:
        """In words, that nothing has come for too long; or ""."""
        silent_us = now_us - self._heard_us
        return (
            "" if 0 <= silent_us <= SILENT_US else f"the board's EMG input has given nothing for {SILENT_US / 1e6:g} s"
        )

    def take(self, samples: BoardSamples, missing: int, now_us: int) -> Chunk | None:
        """The chunk that ``samples`` are, ``missing`` having been lost before them; ``None`` where they cannot be believed."""
        self._heard_us = now_us
        if missing:
            self.gaps, self.missing = self.gaps + 1, self.missing + missing
        if samples.rate_hz != self._rate_hz:
            self.mismatch = f"the board's EMG comes at {samples.rate_hz} Hz, and it has said {self._rate_hz} Hz"
            return None
        self._watch_the_pace(samples)
        if self.mismatch or not samples.values:
            return None
        values_uv = np.array(samples.values, dtype=np.float64) * (samples.scale_nv / 1_000)
        last_us = samples.board_time_us + (len(values_uv) - 1) * SECOND // self._rate_hz
        at_us = self._clock.session_us(last_us, now_us)
        return Chunk(samples.first_index, float(self._rate_hz), values_uv, at_us, samples.pulses)

    def _watch_the_pace(self, samples: BoardSamples) -> None:
        """Counts over the board's own time: a clock that jumps, or samples at another rate, would shift every pitch."""
        index, time_us = samples.first_index, samples.board_time_us
        begun, begun_us = self._paced = self._paced or (index, time_us)
        span_us = time_us - begun_us
        if 0 <= span_us < RATE_US:
            return
        self._paced = (index, time_us)
        if index < begun:
            return  # it began to count anew
        rate_hz = (index - begun) * 1e6 / span_us
        off = abs(rate_hz - self._rate_hz) > RATE_SHARE * self._rate_hz
        self.mismatch = f"the board's EMG input says {self._rate_hz} Hz and gives {rate_hz:.0f}" if off else ""
