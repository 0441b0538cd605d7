"""A joint's angle from a goniometer or a flex-glove: a channel of an LSL stream, or a recording of one.

Either is a signal to follow and an angle to count by. Only degrees and radians are taken for an angle: a number that does not
say what it is may be anything.
"""

from __future__ import annotations

import math
from typing import Final, final

from stimctl.errors import LinkLost, UsageError
from stimctl.sensors.angles import Angle
from stimctl.sensors.recording import Recording
from stimctl.sensors.signals import Sample
from stimctl.sensors.streams import Inlet, channel_of

LEAST_SPAN_DEG: Final = 15.0
"""Rest and the whole opening lie so far apart at the least, for anything to be followed (project)."""

RATE_MIN_HZ: Final = 10.0
"""A slower stream would be stale between its samples (H27: 200 ms)."""

AHEAD_US: Final = 5_000
"""So far may a stamp lie in the future, by what is not known of the sender's clock; it then counts as now."""

_TO_DEG: Final = {
    "deg": 1.0, "degree": 1.0, "degrees": 1.0, "°": 1.0,
    "rad": 180 / math.pi, "radian": 180 / math.pi, "radians": 180 / math.pi,
}  # fmt: skip


@final
class AngleStream:
    """A :class:`~stimctl.sensors.signals.SignalSource` over one channel of an open stream.

    Raises :class:`UsageError` for a channel that is not there or names no unit of an angle, and for a stream that is too slow.
    """

    unit = "degrees"
    least_span = LEAST_SPAN_DEG

    def __init__(self, inlet: Inlet, channel: str = "") -> None:
        facts = inlet.facts
        self._inlet, self._channel = inlet, channel_of(facts, channel)
        unit = facts.units[self._channel]
        scale = _TO_DEG.get(unit.strip().lower())
        self.name = f"LSL {facts.name}{f' #{facts.labels[self._channel]}' if len(facts.labels) > 1 else ''}"
        if scale is None:
            raise UsageError(
                f"{self.name} gives {unit or 'a number without a unit'}, and an angle is wanted: have its sender name the"
                " channel's unit, degrees or radians"
            )
        if not facts.rate_hz >= RATE_MIN_HZ:
            raise UsageError(f"{self.name} gives {facts.rate_hz:g} angles a second; {RATE_MIN_HZ:g} are needed")
        self._scale = scale
        self._newest: Sample | None = None
        self.trouble = ""
        """That its sender is gone, in words, or ""."""
        self.losses = (0, 0)
        """None are counted: only the newest angle is ever looked at, and that it is old shows."""

    def read(self, now_us: int) -> Sample | None:
        """The newest angle; ``None`` before there is one, while its sender is gone, and where it is no number."""
        try:
            pulled = self._inlet.pull(self._channel)
        except LinkLost as error:
            self._newest, self.trouble = None, str(error)
            return None
        self.trouble = ""
        if pulled is not None:
            value, age_us = float(pulled.values[-1]) * self._scale, float(pulled.ages_us[-1])
            at_us = now_us - round(age_us) if math.isfinite(age_us) else None
            if at_us is not None and now_us < at_us <= now_us + AHEAD_US:
                at_us = now_us
            self._newest = Sample(at_us, value) if at_us is not None and math.isfinite(value) else None
        return self._newest

    def close(self) -> None:
        """Let go of the stream."""
        self._inlet.close()


@final
class AngleRecording:
    """A recording of degrees, played once from the first time that somebody looks; as :class:`AngleStream` to whoever reads."""

    unit = "degrees"
    least_span = LEAST_SPAN_DEG
    trouble, losses = "", (0, 0)

    def __init__(self, recording: Recording) -> None:
        self.name = recording.name
        self._recording = recording
        self._begun_us: int | None = None

    def read(self, now_us: int) -> Sample | None:
        """The angle that was taken last by now; behind the end it grows old."""
        if self._begun_us is None:
            self._begun_us = now_us
        rate_hz, values = self._recording.rate_hz, self._recording.values_uv
        index = min(math.floor((now_us - self._begun_us) * rate_hz / 1e6), len(values) - 1)
        if index < 0:
            return None
        return Sample(self._begun_us + round(index * 1e6 / rate_hz), float(values[index]))

    def close(self) -> None:
        """Nothing is held."""


@final
class Goniometer:
    """Either of them as an :class:`~stimctl.sensors.angles.AngleSource`."""

    def __init__(self, signal: AngleStream | AngleRecording) -> None:
        self._signal = signal

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self._signal.name

    @property
    def trouble(self) -> str:
        """Why nothing comes, where that is known, or ""."""
        return self._signal.trouble

    def close(self) -> None:
        """Let go of it."""
        self._signal.close()

    def read(self, now_us: int) -> Angle | None:
        """The newest angle; ``None`` while there is none."""
        sample = self._signal.read(now_us)
        return None if sample is None else Angle(sample.at_us, sample.value)
