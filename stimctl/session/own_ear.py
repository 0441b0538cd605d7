"""The ear of a session whose stimulation follows the stimulated muscle's own EMG: chunks in, the effort and a picture out.

It never reports an onset. While thresholds are found, stimulation flows and nobody tries: what is heard then is what the
stimulation alone would be taken for, and the dead zone must lie above it before anything may follow (hazards H24, H26).
"""

from __future__ import annotations

from collections import deque
from typing import final

from stimctl.orders import EmgStatus
from stimctl.schedule import ControlPlan
from stimctl.sensors.quality import Quality
from stimctl.sensors.samples import STALE_US, Chunk
from stimctl.sensors.signals import Sample
from stimctl.sensors.volitional import Volitional
from stimctl.session.ear import POINTS_PER_S, SHOWN_S


@final
class OwnEar:
    """Listens for one muscle's effort; as :class:`~stimctl.session.ear.Ear` to whoever feeds it."""

    def __init__(self, plan: ControlPlan, rate_hz: float, source: str) -> None:
        self.source, self.rate_hz = source, rate_hz
        self._effort = Volitional(rate_hz, plan.period_us, plan.blanking_us)
        self._shown: deque[float] = deque(maxlen=POINTS_PER_S * SHOWN_S)
        self._next_point_us = 0
        self._led = False
        self.quality = Quality.STALE
        """The state of the signal as of the last chunk or :meth:`watch`."""
        self.unasked_uv: float | None = None
        """The most that was heard behind pulses which nobody's effort had asked for, in µV; ``None`` before there were any."""

    def expect(self, *, stimulated: bool, led: bool) -> None:
        """Say whether pulses are on their way, and whether they follow the effort that is heard.

        Thresholds that are found anew, after something followed or could have, are another measurement: what was heard in
        the last one was heard with electrodes that have been looked at since.
        """
        if self._led and not led:
            self.unasked_uv = None
        self._effort.stimulated, self._led = stimulated, led

    def read(self) -> Sample | None:
        """The newest effort, and when the last of it was heard; ``None`` where there is none that can be believed."""
        level_uv, at_us = self._effort.level_uv, self._effort.at_us
        return None if level_uv is None or at_us is None else Sample(at_us, level_uv)

    def hear(self, chunk: Chunk, now_us: int) -> None:
        """Take a chunk; one that is too old counts as absent."""
        if chunk.is_stale(now_us):
            self._effort.reset()
            self.watch(now_us)
            return
        self._effort.push(chunk)
        self.watch(now_us)
        level_uv = self._effort.level_uv
        if level_uv is None:
            return
        if self._effort.stimulated and not self._led and self._effort.all_pulsed:
            self.unasked_uv = max(level_uv, self.unasked_uv or 0.0)
        if chunk.at_us >= self._next_point_us:
            self._next_point_us = chunk.at_us + 1_000_000 // POINTS_PER_S
            self._shown.append(round(level_uv, 2))

    def watch(self, now_us: int) -> Quality:
        """Tell the time; silence for too long is a quality of its own."""
        heard_us = self._effort.heard_us
        silent = heard_us is None or not 0 <= now_us - heard_us <= STALE_US
        self.quality = Quality.STALE if silent else self._effort.quality
        return self.quality

    def forget(self) -> None:
        """What was heard is over."""
        self._effort.reset()

    def status(self) -> EmgStatus:
        """What a face shows."""
        return EmgStatus(
            source=self.source,
            listening=True,
            quality=self.quality.value,
            envelope_uv=tuple(self._shown),
            points_per_s=POINTS_PER_S,
        )
