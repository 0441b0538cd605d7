"""The detector: an envelope over a threshold for a dwell time, and evidence enough that the signal has grown at all.

Samples are regrouped into blocks of about 5 ms first, so that nothing depends on how a source cuts its chunks. Envelope,
threshold and release level are in the whole band of EMG, in the source's unit; the evidence is of the band in which efforts
stand out most, against the rest that is followed at all times. In a train of pulses, frames between them speak.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final, final

import numpy as np

from stimctl.errors import OurBug, UsageError
from stimctl.sensors.blanking import Blanking
from stimctl.sensors.comparator import Comparator
from stimctl.sensors.evidence import Evidence
from stimctl.sensors.front import Block, Front
from stimctl.sensors.level import RestLevel
from stimctl.sensors.onset import Onset
from stimctl.sensors.quality import USABLE, Quality, Steadiness
from stimctl.sensors.rest import Rest, RestFinder
from stimctl.sensors.samples import NOTHING, RATE_MAX_HZ, RATE_MIN_HZ, SANE, Chunk, Samples
from stimctl.sensors.settings import OnsetSettings
from stimctl.sensors.trains import Frame, Train

BLOCK_MS: Final = 5.0
"""The detector's step. Latency grows by half of it on average, cost falls with it."""

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
        self._refractory = settings.refractory_ms * rate_hz / 1e3
        self._steadiness = Steadiness(block, block_ms, settings.rail_uv)
        self._front = Front(rate_hz, block)
        self._evidence = Evidence(self._front.dof)
        self._resting = RestLevel(block_ms, self._front.dof, settings.baseline_s)
        self._train = Train(rate_hz, block, settings.blanking_ms)
        self._comparator = Comparator(math.ceil(settings.dwell_ms / block_ms), max(1, round(RELEASE_MS / block_ms)))
        self._finder = RestFinder(round(settings.baseline_s * 1e3 / block_ms), settings.threshold_uv)
        self._powers: deque[float] = deque(maxlen=max(2, round(settings.envelope_ms / block_ms)))
        self._blanking = Blanking(rate_hz, settings.blanking_ms)
        self._envelope_uv: float | None = None
        self._fixed_uv: float | None = None
        self._level_uv: float | None = None
        self._threshold_uv: float | None = None
        self._release_uv: float | None = None
        self._forget_rest()
        self._armed, self._last_onset, self._settling, self._shown_uv = False, -math.inf, 0, 0.0
        self._expected: int | None = None
        self._heard_us: int | None = None
        self._pending = NOTHING
        self._start_over(Quality.STALE)

    # --- what can be asked -----------------------------------------------------------------------------------

    @property
    def armed(self) -> bool:
        """Whether onsets are reported."""
        return self._armed

    @property
    def ready(self) -> bool:
        """Whether the next effort would be an onset."""
        known = self._threshold_uv is not None
        return self._armed and known and self._quality is Quality.GOOD and not self._comparator.held

    @property
    def quality(self) -> Quality:
        """The state of the signal."""
        return self._quality

    @property
    def rest(self) -> Rest:
        """The resting level as it is followed, or how far its search has come."""
        if (found := self._finder.rest).sd_uv is None:
            return found
        return found._replace(level_uv=self._level_uv, sd_uv=found.sd_uv * self._drift)

    @property
    def envelope_uv(self) -> float | None:
        """Root mean square of the filtered signal over the last ``envelope_ms``."""
        return self._envelope_uv

    @property
    def threshold_uv(self) -> float | None:
        """The level that an onset must pass: fixed, or so many standard deviations over the rest that is followed."""
        return self._threshold_uv

    @property
    def release_uv(self) -> float | None:
        """The level to fall to: a share of the way from rest to threshold, so that it never lies under rest."""
        return self._release_uv

    # --- what can be told ------------------------------------------------------------------------------------

    def arm(self) -> None:
        """Listen; an effort that is already under way does not count."""
        if not self._armed:
            self._armed = True
            if self._evidence.suspicious:
                self._comparator.hold()
            self._comparator.ignore_rise()
            self._evidence.reset()
            self._train.ignore_rise()

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
        self._forget_rest()
        self._evidence.reset()
        self._comparator.hold()

    def set_threshold_uv(self, threshold_uv: float) -> None:
        """Put the threshold where an operator wants it, until the next :meth:`calibrate`."""
        if (level := self._level_uv) is None:
            raise UsageError("the resting level is not known yet; wait until the muscle has been quiet")
        if not level < threshold_uv < math.inf:
            raise UsageError(f"the threshold must lie over the resting level of {level:.3g}")
        self._fixed_uv = float(threshold_uv)
        self._refresh()
        self._comparator.hold()  # lowering it under an effort that goes on must not make that an onset

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
        self._blanking.note(chunk.first_index, chunk.pulse_offsets)
        values = np.concatenate((self._pending, chunk.values_uv)) if len(self._pending) else chunk.values_uv
        whole = len(values) - len(values) % self._block
        self._pending = values[whole:].copy()
        found = []
        for at in range(0, whole, self._block):
            if self._step(values[at : at + self._block], first + at):
                index = first + at + self._block - 1
                at_us = chunk.at_us - round((end - 1 - index) * 1e6 / self._rate_hz)
                found.append(Onset(index, at_us, self._shown_uv, self._threshold_uv or 0.0))
        return tuple(found)

    # --- one block -------------------------------------------------------------------------------------------

    def _step(self, raw: Samples, first: int) -> bool:
        """Take the block that begins at sample ``first``; whether it made an onset certain."""
        end = first + self._block
        blanking = self._blanking
        frame = self._train.push(raw, first, blanking.begun_before(end), self._floor)
        if blanking.covers(first, end):
            self._front.break_off()
            return self._train.runs(first) and self._train.speaks and self._decide_in_train(frame, end - 1)
        heard = blanking.free(first, end)
        free = raw if heard is None else blanking.held_over(raw, heard)
        listed = free.tolist()
        if not math.hypot(*listed) < SANE:  # NaN and infinity included
            self._start_over(Quality.GAP)
            return False
        blanking.keep(listed[-1])
        in_train = self._train.speaks and self._train.runs(first)
        if heard is not None and not heard.any():
            self._front.break_off()
        elif block := self._front.push(free, listed, heard, first):
            self._judge(block, listed)
            if not in_train or self._threshold_uv is None:
                return self._decide(block, end - 1)
        return in_train and self._decide_in_train(frame, end - 1)

    def _judge(self, block: Block, raw: list[float]) -> None:
        """Bring quality and envelope up to date."""
        self._powers.append(block.power)
        steady = self._steadiness.judge(raw, loud=(self._envelope_uv or 0.0) > (self._threshold_uv or math.inf))
        if self._settling > 1:
            self._settling -= 1
            return  # whatever was wrong stays on show until filter and window hold nothing of it any more
        self._envelope_uv = self._shown_uv = math.sqrt(sum(self._powers) / len(self._powers))
        hum, off = steady is Quality.GOOD and self._front.is_hum(), self._front.hum_power
        self._quality = self._steadiness.conclude(block.muscle + off, self._learnt, hum=hum, hums=off > 0.0)

    def _decide(self, block: Block, index: int) -> bool:
        """The trigger itself, over one more block."""
        envelope, threshold, release = self._envelope_uv, self._threshold_uv, self._release_uv
        if envelope is None or self._quality not in USABLE:
            self._comparator.hold()
            self._evidence.reset()
            return False
        if not self._steadiness.contact.low_for and self._resting.push(block.muscle, held=self._comparator.held):
            self._refresh()
        if threshold is None or release is None:
            return self._learn(envelope)
        old = (
            self._resting.lingers or self._front.hum_changes
        )  # what is left of an effort, or of a hum, is no new effort
        sure = block.settled and self._evidence.push(0.0 if old else block.muscle / self._resting.judged_by)
        if self._quality is Quality.MAINS:
            self._comparator.interrupt()  # a rise is put off, not ended: for a few ms, muscle can look like hum
            return False
        if sure := sure and not self._doubt():
            self._resting.grow()
        return self._comparator.push(envelope, threshold, release, sure=sure) and self._counts(index)

    def _doubt(self) -> bool:
        """Whether what has grown may be none of the muscle's; nobody needs to know before the last effort is over."""
        rest = self._resting
        return not self._comparator.held and self._front.doubt(self._evidence.age, rest.judged_by, rest.dof)

    def _decide_in_train(self, frame: Frame | None, index: int) -> bool:
        """The same while frames between pulses speak."""
        self._evidence.reset()
        threshold, usable = self._threshold_uv, self._quality in USABLE
        (self._comparator.interrupt if usable else self._comparator.hold)()
        if frame is None or threshold is None or not usable:
            return False
        if frame.quiet:
            self._comparator.let_go()
        if not frame.enough or self._comparator.held or not frame.level_uv > threshold:
            return False
        self._comparator.hold()
        self._shown_uv = frame.level_uv
        return self._counts(index)

    def _counts(self, index: int) -> bool:
        """Whether an onset at ``index`` is reported."""
        self._evidence.reset()
        if not self._armed or index - self._last_onset < self._refractory:
            return False
        self._last_onset = index
        return True

    def _learn(self, envelope: float) -> bool:
        if self._finder.push(envelope) is not None:
            self._learnt = self._resting.learn()
            self._evidence.trust(self._resting.dof)
            self._fixed_uv = self._settings.threshold_uv
            self._refresh()
        return False

    def _forget_rest(self) -> None:
        self._resting.forget()
        self._learnt, self._drift, self._floor = 0.0, 1.0, 0.0
        self._fixed_uv = self._level_uv = self._threshold_uv = self._release_uv = None

    def _refresh(self) -> None:
        """Bring all levels to where rest is now; so seldom that nobody else has to work them out."""
        _, _, level, sd = self._finder.rest
        if level is None or sd is None:
            return
        self._drift = math.sqrt(self._resting.power / self._learnt)
        self._level_uv = level = level * self._drift
        self._floor = level**2 / 2
        self._threshold_uv = threshold = (
            self._fixed_uv or level + (self._settings.threshold_sd or math.inf) * sd * self._drift
        )
        self._release_uv = level + self._settings.release_fraction * max(0.0, threshold - level)

    def _start_over(self, why: Quality) -> None:
        """Forget the signal so far; ``why`` is shown until there is enough of a new one."""
        self._quality = why
        self._envelope_uv, self._shown_uv, self._pending = None, 0.0, NOTHING
        self._blanking.reset()
        self._powers.clear()
        self._front.reset()
        self._train.forget()
        self._steadiness.reset()
        self._evidence.reset()
        self._resting.start_over()
        self._settling = 2 * (self._powers.maxlen or 0)
        self._comparator.hold()
