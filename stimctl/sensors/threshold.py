"""The plain detector: envelope over a threshold for a dwell time, with a release level and blanking.

Samples are regrouped into blocks of about 5 ms before anything is computed. So the result does not depend on how a
source cuts its chunks, and all that follows the filter is arithmetic on single numbers.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final, final

import numpy as np
import numpy.typing as npt

from stimctl.errors import OurBug, UsageError
from stimctl.sensors import filters
from stimctl.sensors.comparator import Comparator
from stimctl.sensors.onset import Onset
from stimctl.sensors.quality import MAINS_SHARE, Hum, Quality, Steadiness
from stimctl.sensors.rest import Rest, RestFinder
from stimctl.sensors.samples import RATE_MAX_HZ, RATE_MIN_HZ, Chunk, Samples
from stimctl.sensors.settings import OnsetSettings

BoolArray = npt.NDArray[np.bool_]

BLOCK_MS: Final = 5.0
"""The detector's step. Latency grows by half of it on average, cost falls with it."""

HIGH_PASS_HZ: Final = 20.0
LOW_PASS_HZ: Final = 450.0
"""The usual band of surface EMG. At low rates only the lower edge is left (emg.md, pitfall 5)."""

SANE: Final = 1e12
"""Sum of magnitudes in a block that no source gives, whatever its unit; larger is as good as not a number."""

RELEASE_MS: Final = 50.0
"""Time below the release level that counts as let go; shorter dips are the envelope's own ripple (project)."""


@final
class ThresholdDetector:
    """A :class:`stimctl.sensors.onset.Detector` for one channel at ``rate_hz``; the interface is described there."""

    def __init__(self, settings: OnsetSettings, rate_hz: float) -> None:
        if not RATE_MIN_HZ <= rate_hz <= RATE_MAX_HZ:
            raise UsageError(f"EMG at {rate_hz:g} Hz cannot be used; {RATE_MIN_HZ:g} to {RATE_MAX_HZ:g} Hz can")
        self._settings, self._rate_hz = settings, rate_hz
        self._block = block = max(1, round(rate_hz * BLOCK_MS / 1e3))
        block_ms = block * 1e3 / rate_hz
        self._blanking = math.ceil(settings.blanking_ms * rate_hz / 1e3)
        self._refractory = settings.refractory_ms * rate_hz / 1e3
        self._hum = Hum(block, rate_hz)
        self._steadiness = Steadiness(block, block_ms, settings.rail_uv)
        self._filter = filters.BlockFilter(_band(rate_hz), block, self._hum.probes)
        self._comparator = Comparator(
            max(1, math.ceil(settings.dwell_ms / block_ms)), max(1, round(RELEASE_MS / block_ms))
        )
        self._finder = RestFinder(round(settings.baseline_s * 1e3 / block_ms), settings.threshold_uv)
        self._powers: deque[float] = deque(maxlen=max(2, round(settings.envelope_ms / block_ms)))
        self._pulses: deque[int] = deque()
        self._pending: Samples = np.empty(0)
        self._offset: float | None = None
        self._last_heard = 0.0
        self._settling = 0
        self._quality = Quality.STALE
        self._envelope_uv: float | None = None
        self._level_uv: float | None = None
        self._threshold_uv: float | None = None
        self._armed = False
        self._last_onset = -math.inf
        self._expected: int | None = None
        self._heard_us: int | None = None
        self._start_over(Quality.STALE)

    # --- what can be asked -----------------------------------------------------------------------------------

    @property
    def armed(self) -> bool:
        """Whether onsets are reported."""
        return self._armed

    @property
    def ready(self) -> bool:
        """Whether the next effort would be an onset."""
        return (
            self._armed
            and not self._comparator.held
            and self._threshold_uv is not None
            and self._quality is Quality.GOOD
        )

    @property
    def quality(self) -> Quality:
        """The state of the signal."""
        return self._quality

    @property
    def rest(self) -> Rest:
        """The resting level, or how far its search has come."""
        return self._finder.rest

    @property
    def envelope_uv(self) -> float | None:
        """Root mean square of the filtered signal over the last ``envelope_ms``."""
        return self._envelope_uv

    @property
    def threshold_uv(self) -> float | None:
        """The level that an onset must pass."""
        return self._threshold_uv

    @property
    def release_uv(self) -> float | None:
        """The level to fall to: a share of the way from rest to threshold, so that it never lies under rest."""
        if self._threshold_uv is None or self._level_uv is None:
            return None
        return self._level_uv + self._settings.release_fraction * (self._threshold_uv - self._level_uv)

    # --- what can be told ------------------------------------------------------------------------------------

    def arm(self) -> None:
        """Listen; an effort that is already over the threshold does not count."""
        if not self._armed:
            self._armed = True
            self._comparator.ignore_rise()

    def disarm(self) -> None:
        """Do not listen; the signal is still followed."""
        self._armed = False

    def reset(self) -> None:
        """Forget the signal, keep the resting level; disarmed."""
        self._armed = False
        self._expected = self._heard_us = None
        self._start_over(Quality.STALE)

    def calibrate(self) -> None:
        """Learn the resting level anew; disarmed."""
        self._armed = False
        self._finder.restart()
        self._level_uv = self._threshold_uv = None
        self._comparator.hold()

    def set_threshold_uv(self, threshold_uv: float) -> None:
        """Put the threshold where an operator wants it, until the next :meth:`calibrate`."""
        if self._level_uv is None:
            raise UsageError("the resting level is not known yet; wait until the muscle has been quiet")
        if not self._level_uv < threshold_uv < math.inf:
            raise UsageError(f"the threshold must lie over the resting level of {self._level_uv:.3g}")
        self._threshold_uv = float(threshold_uv)
        # Lowering it under an effort that goes on must not turn that effort into an onset.
        self._comparator.hold()

    def watch(self, now_us: int) -> Quality:
        """Stale past the age limit; then nothing triggers before a fresh rise from below the release level."""
        if self._heard_us is None or not abs(now_us - self._heard_us) <= self._settings.stale_us:
            self._start_over(Quality.STALE)
        return self._quality

    def push(self, chunk: Chunk) -> tuple[Onset, ...]:
        """Take the next chunk; the onsets that it made certain."""
        if chunk.rate_hz != self._rate_hz:
            raise OurBug(f"a chunk at {chunk.rate_hz} Hz for a detector at {self._rate_hz} Hz")
        if self._expected is not None and chunk.first_index != self._expected:
            self._start_over(Quality.GAP)
        first = chunk.first_index - len(self._pending)
        self._expected = end = chunk.first_index + len(chunk.values_uv)
        self._heard_us = chunk.at_us
        self._pulses.extend(chunk.first_index + offset for offset in chunk.pulse_offsets)
        values = np.concatenate((self._pending, chunk.values_uv)) if len(self._pending) else chunk.values_uv
        whole = len(values) - len(values) % self._block
        self._pending = values[whole:].copy()
        found = []
        for at in range(0, whole, self._block):
            if self._step(values[at : at + self._block], first + at):
                index = first + at + self._block - 1
                since_us = round((end - 1 - index) * 1e6 / self._rate_hz)
                found.append(Onset(index, chunk.at_us - since_us, self._envelope_uv or 0.0, self._threshold_uv or 0.0))
        return tuple(found)

    # --- one block -------------------------------------------------------------------------------------------

    def _step(self, raw: Samples, first: int) -> bool:
        """Take the block that begins at sample ``first``; whether it made an onset certain."""
        heard = self._unblanked(first) if self._pulses else None
        if heard is not None:
            raw = self._held_over(raw, heard)
        listed = raw.tolist()
        if not sum(map(abs, listed)) < SANE:  # NaN and infinity included
            self._start_over(Quality.GAP)
            return False
        if self._offset is None:
            # Counts may sit on any level: begin as if the first sample had been there for ever.
            self._offset = float(raw[0])
        self._last_heard = float(raw[-1])
        filtered, parts = self._filter(raw, self._offset)
        if heard is not None:
            filtered = [value for value, free in zip(filtered, heard.tolist(), strict=True) if free]
            if 2 * len(filtered) < self._block:
                return False  # too little was heard: envelope, dwell and quality stay as they are
        power = sum([value * value for value in filtered]) / len(filtered)
        self._powers.append(power)
        self._judge(listed, self._hum.push(first, power, parts))
        return self._decide(first + self._block - 1)

    def _judge(self, raw: list[float], hum: float) -> None:
        """Bring quality and envelope up to date."""
        threshold, envelope = self._threshold_uv, self._envelope_uv
        loud = threshold is not None and envelope is not None and envelope > threshold
        steady = self._steadiness.judge(raw, loud=loud)
        self._settling -= self._settling > 0
        if self._settling:
            return  # whatever was wrong stays on show until filter and window hold nothing of it any more
        self._envelope_uv = math.sqrt(sum(self._powers) / len(self._powers))
        self._quality = Quality.MAINS if steady is Quality.GOOD and hum > MAINS_SHARE else steady

    def _decide(self, index: int) -> bool:
        """The trigger itself, over one new value of the envelope."""
        envelope, threshold, release = self._envelope_uv, self._threshold_uv, self.release_uv
        if envelope is None or self._quality not in {Quality.GOOD, Quality.MAINS}:
            self._comparator.hold()
            return False
        if threshold is None or release is None:
            self._learn(envelope)
            return False
        if self._quality is Quality.MAINS:
            # Hum delays a rise and does not end it: for a few ms, muscle can look like hum.
            self._comparator.interrupt()
            return False
        if not self._comparator.push(envelope, threshold, release):
            return False
        if not self._armed or index - self._last_onset < self._refractory:
            return False
        self._last_onset = index
        return True

    def _learn(self, envelope: float) -> None:
        found = self._finder.push(envelope)
        if found is None or found.level_uv is None or found.sd_uv is None:
            return
        self._level_uv = found.level_uv
        fixed, times = self._settings.threshold_uv, self._settings.threshold_sd
        self._threshold_uv = fixed if fixed is not None else found.level_uv + (times or math.inf) * found.sd_uv

    def _start_over(self, why: Quality) -> None:
        """Forget the signal so far; ``why`` is shown until there is enough of a new one."""
        self._quality = why
        self._envelope_uv = self._offset = None
        self._pending = np.empty(0)
        self._pulses.clear()
        self._powers.clear()
        self._filter.reset()
        self._hum.reset()
        self._steadiness.reset()
        self._settling = 2 * (self._powers.maxlen or 0)
        self._comparator.hold()

    # --- pulses ----------------------------------------------------------------------------------------------

    def _unblanked(self, first: int) -> BoolArray | None:
        """Which samples of the block from ``first`` are free of pulses; ``None`` when all are."""
        while self._pulses and self._pulses[0] + self._blanking <= first:
            self._pulses.popleft()
        if not self._pulses or self._pulses[0] >= first + self._block:
            return None
        heard = np.ones(self._block, dtype=bool)
        for pulse in self._pulses:
            heard[max(0, pulse - first) : max(0, pulse - first + self._blanking)] = False
        return heard

    def _held_over(self, raw: Samples, heard: BoolArray) -> Samples:
        """``raw`` with blanked samples replaced by the last one heard, so that no artefact enters the filter."""
        raw = raw.copy()
        last = self._last_heard
        for i, free in enumerate(heard.tolist()):
            last = raw[i] = float(raw[i]) if free else last
        return raw


def _band(rate_hz: float) -> tuple[filters.Biquad, ...]:
    """High-pass always, low-pass where the rate leaves room for it."""
    high = filters.high_pass(min(HIGH_PASS_HZ, rate_hz / 10), rate_hz)
    return (high, filters.low_pass(LOW_PASS_HZ, rate_hz)) if rate_hz > 2.2 * LOW_PASS_HZ else (high,)
