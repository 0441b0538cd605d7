"""The session's ear: chunks from a source into a detector, onsets and a picture out."""

from __future__ import annotations

from collections import deque
from typing import Final, final

from stimctl.orders import EmgStatus
from stimctl.schedule import EarPlan
from stimctl.sensors.adapting import Adapting
from stimctl.sensors.onset import Detector, Onset
from stimctl.sensors.quality import Quality
from stimctl.sensors.rest import RestState
from stimctl.sensors.samples import Chunk
from stimctl.sensors.settings import OnsetSettings
from stimctl.sensors.threshold import ThresholdDetector
from stimctl.session.effort import EffortRange

POINTS_PER_S: Final = 25
SHOWN_S: Final = 6
"""The envelope that a face shows: 25 points a second over the last six seconds."""


@final
class Ear:
    """Listens for one trigger. Fed with every chunk at all times; reports onsets only while :meth:`listen` says so."""

    def __init__(self, plan: EarPlan, rate_hz: float, source: str) -> None:
        self.source = source
        self.rate_hz = rate_hz
        self._detector: Detector = ThresholdDetector(
            OnsetSettings(
                threshold_sd=plan.threshold_sd,
                threshold_uv=plan.threshold_uv,
                dwell_ms=plan.dwell_ms,
                release_fraction=plan.release_fraction,
                blanking_ms=plan.blanking_ms,
                baseline_s=plan.baseline_us / 1e6,
            ),
            rate_hz,
        )
        self._shown: deque[float] = deque(maxlen=POINTS_PER_S * SHOWN_S)
        self._next_point_us = 0
        self._onset: Onset | None = None
        self._adapting = Adapting(*plan.adapting) if plan.adapting else None
        self._first: tuple[float, float] | None = None  # rest and the first threshold, as soon as they are known
        self.range = EffortRange()
        self.placing_uv: float | None = None
        """The threshold that was measured with the patient, while it waits for a resting level."""

    @property
    def ready(self) -> bool:
        """Whether the resting level is known."""
        return self._detector.rest.state is RestState.READY

    @property
    def rest_uv(self) -> float | None:
        """The resting level as it is followed, once it is known."""
        return self._detector.rest.level_uv

    @property
    def quality(self) -> Quality:
        """The state of the signal as of the last chunk."""
        return self._detector.quality

    @property
    def level_uv(self) -> float | None:
        """The newest envelope in µV; ``None`` while there is none that can be believed."""
        return self._detector.envelope_uv if self.quality is Quality.GOOD else None

    def listen(self, on: bool) -> None:
        """Report onsets from now on, or not."""
        if on and not self._detector.armed:
            self._onset = None
            self._detector.arm()
        elif not on and self._detector.armed:
            self._detector.disarm()

    def forget(self) -> None:
        """Learn the resting level anew; what was heard is over."""
        self._detector.calibrate()
        self._onset = self._first = None
        self.place()
        if self._adapting is not None:
            self._adapting.percent = 100

    def place(self) -> None:
        """Let the threshold that was measured be taken, where there is one, as soon as rest is known."""
        self.placing_uv = self.range.threshold_uv

    def put_threshold_uv(self, threshold_uv: float) -> None:
        """Put the threshold there; raises :class:`~stimctl.errors.UsageError` unless it lies over the resting level."""
        self.placing_uv = self._first = None
        self._detector.set_threshold_uv(threshold_uv)

    def adapt(self, *, heard: bool) -> int | None:
        """Let the threshold follow an attempt that was heard, or missed; its percentage, ``None`` where it stays."""
        adapting, detector = self._adapting, self._detector
        if adapting is None or detector.threshold_uv is None or detector.rest.level_uv is None:
            return None
        self._first = self._first or (detector.rest.level_uv, detector.threshold_uv)
        before = adapting.percent
        (adapting.heard if heard else adapting.missed)()
        if adapting.percent != before:
            detector.set_threshold_uv(adapting.threshold_uv(*self._first))
        return adapting.percent

    def hear(self, chunk: Chunk, now_us: int) -> None:
        """Take a chunk; one that is too old counts as absent."""
        if chunk.is_stale(now_us):
            self._detector.watch(now_us)
            return
        for onset in self._detector.push(chunk):
            self._onset = onset
        envelope_uv = self._detector.envelope_uv
        if envelope_uv is not None and chunk.at_us >= self._next_point_us:
            self._next_point_us = chunk.at_us + 1_000_000 // POINTS_PER_S
            self._shown.append(round(envelope_uv, 2))

    def watch(self, now_us: int) -> Quality:
        """Tell the time; silence for too long is a quality of its own."""
        return self._detector.watch(now_us)

    def take_onset(self) -> Onset | None:
        """The onset that was heard since the last call, if one was."""
        onset, self._onset = self._onset, None
        return onset

    def status(self) -> EmgStatus:
        """What a face shows."""
        return EmgStatus(
            source=self.source,
            listening=self._detector.armed,
            quality=self._detector.quality.value,
            envelope_uv=tuple(self._shown),
            points_per_s=POINTS_PER_S,
            threshold_uv=self._detector.threshold_uv,
            release_uv=self._detector.release_uv,
        )
