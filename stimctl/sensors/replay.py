"""A recording, given out as if it were live."""

from __future__ import annotations

from bisect import bisect_left
from typing import final

from stimctl.errors import OurBug
from stimctl.sensors.recording import Recording
from stimctl.sensors.samples import Chunk


@final
class RecordingSource:
    """A :class:`stimctl.sensors.samples.Source` over ``recording`` in chunks of ``chunk_ms``.

    A chunk is due when its last sample would have been taken. Whoever reads late gets all that is due, each with the
    time at which it was due, so that its age is the truth.
    """

    def __init__(self, recording: Recording, *, chunk_ms: float = 10.0) -> None:
        self._recording = recording
        self._length = max(1, round(chunk_ms * recording.rate_hz / 1e3))
        self._given = 0
        self._start_us: int | None = None

    @property
    def name(self) -> str:
        """The recording's name."""
        return self._recording.name

    @property
    def rate_hz(self) -> float:
        """Samples per second."""
        return self._recording.rate_hz

    @property
    def finished(self) -> bool:
        """Whether every sample was given."""
        return self._given >= len(self._recording.values_uv)

    def start(self, now_us: int) -> None:
        """Begin, or begin again, with the first sample."""
        self._start_us, self._given = now_us, 0

    def next_due_us(self) -> int | None:
        """When the next chunk is complete; ``None`` at the end."""
        return None if self.finished else self._due_us(self._next_end())

    def read(self, now_us: int) -> tuple[Chunk, ...]:
        """The chunks that are due at ``now_us`` and were not given yet."""
        chunks = []
        while not self.finished and (due_us := self._due_us(end := self._next_end())) <= now_us:
            chunks.append(self._chunk(self._given, end, due_us))
            self._given = end
        return tuple(chunks)

    def _next_end(self) -> int:
        return min(self._given + self._length, len(self._recording.values_uv))

    def _due_us(self, end: int) -> int:
        if self._start_us is None:
            raise OurBug("a source is started before it is read")
        return self._start_us + round(end * 1e6 / self.rate_hz)

    def _chunk(self, first: int, end: int, at_us: int) -> Chunk:
        pulses = self._recording.labels.pulses
        inside = pulses[bisect_left(pulses, first) : bisect_left(pulses, end)]
        offsets = tuple(pulse - first for pulse in inside)
        return Chunk(first, self.rate_hz, self._recording.values_uv[first:end], at_us, offsets)
