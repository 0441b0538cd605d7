"""A whole recording through the detector, chunk by chunk, as it would have come live, and what was to be seen meanwhile."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final, NamedTuple, final

from stimctl.sensors.onset import Detector
from stimctl.sensors.quality import Quality
from stimctl.sensors.recording import Recording
from stimctl.sensors.replay import RecordingSource
from stimctl.sensors.rest import Rest
from stimctl.sensors.settings import DEFAULT, OnsetSettings
from stimctl.sensors.threshold import ThresholdDetector

CHUNK_MS: Final = 10.0
"""How much a source gives at a time where nobody says otherwise."""

_FOR_EVER_US: Final = 1 << 60


@final
class Known(NamedTuple):
    """One onset: known with ``sample``, the last of its chunk; ``certain`` in the signal itself from that sample on.

    ``envelope`` was compared with ``threshold``, and ``baseline`` is the resting level then, all in the recording's unit.
    """

    sample: int
    certain: int
    envelope: float
    threshold: float
    baseline: float | None


@final
class Point(NamedTuple):
    """What the detector had at the end of a chunk that ends before sample ``end``; ``None`` where it had nothing."""

    end: int
    envelope: float | None
    threshold: float | None
    quality: Quality


@final
@dataclass(frozen=True, slots=True)
class Played:
    """A recording as it was heard."""

    onsets: tuple[Known, ...]
    points: tuple[Point, ...]
    rest: Rest

    @property
    def ends(self) -> tuple[int, ...]:
        """Where each onset's chunk ended, for the scorer."""
        return tuple(onset.sample + 1 for onset in self.onsets)

    def shares(self) -> dict[Quality, float]:
        """How much of the time the signal was of each quality, the commonest first."""
        counted = Counter(point.quality for point in self.points)
        return {quality: count / len(self.points) for quality, count in counted.most_common()}


def detector(rate_hz: float, settings: OnsetSettings = DEFAULT) -> Detector:
    """The detector that a session would listen with, armed from the first sample on.

    Raises :class:`~stimctl.errors.UsageError` for a rate that it cannot listen at.
    """
    made: Detector = ThresholdDetector(settings, rate_hz)
    made.arm()
    return made


def play(recording: Recording, settings: OnsetSettings = DEFAULT, chunk_ms: float = CHUNK_MS) -> Played:
    """Play ``recording`` from beginning to end, with the pulses that stand in it."""
    listener, source = detector(recording.rate_hz, settings), RecordingSource(recording, chunk_ms=chunk_ms)
    source.start(0)
    onsets, points = [], []
    for chunk in source.read(_FOR_EVER_US):
        end = chunk.first_index + len(chunk.values_uv)
        for onset in listener.push(chunk):
            baseline = listener.rest.level_uv
            onsets.append(Known(end - 1, onset.index, onset.envelope_uv, onset.threshold_uv, baseline))
        points.append(Point(end, listener.envelope_uv, listener.threshold_uv, listener.quality))
    return Played(tuple(onsets), tuple(points), listener.rest)
