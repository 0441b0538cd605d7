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
from stimctl.sensors.around import AroundPulses
from stimctl.sensors.comparator import Comparator
from stimctl.sensors.evidence import Evidence
from stimctl.sensors.front import Front
from stimctl.sensors.level import RestLevel
from stimctl.sensors.levels import Levels
from stimctl.sensors.onset import Onset
from stimctl.sensors.quality import GOOD, MAINS, USABLE, Contact, Quality, Steadiness
from stimctl.sensors.rest import Rest, RestFinder
from stimctl.sensors.samples import NOTHING, RATE_MAX_HZ, RATE_MIN_HZ, SANE, Chunk, Samples
from stimctl.sensors.settings import OnsetSettings
from stimctl.sensors.trains import Frame

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
        self._steadiness, self._contact = Steadiness(block, block_ms, settings.rail_uv), Contact(block_ms)
        self._front = Front(rate_hz, block)
        self._evidence = Evidence(self._front.dof)
        self._resting = RestLevel(block_ms, self._front.dof, settings.baseline_s)
        self._around = AroundPulses(rate_hz, block, settings.blanking_ms)
        self._comparator = Comparator(math.ceil(settings.dwell_ms / block_ms), max(1, round(RELEASE_MS / block_ms)))
        self._finder = RestFinder(round(settings.baseline_s * 1e3 / block_ms), settings.threshold_uv)
        self._powers: deque[float] = deque(maxlen=max(2, round(settings.envelope_ms / block_ms)))
        self._envelope_uv: float | None = None
        self._levels = Levels(settings, self._finder)
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
        known = self._levels.threshold_uv is not None
        return self._armed and known and self._quality is Quality.GOOD and not self._comparator.held

    @property
    def quality(self) -> Quality:
        """The state of the signal."""
        return self._quality

    @property
    def rest(self) -> Rest:
        """The resting level as it is followed, or how far its search has come."""
        return self._levels.rest

    @property
    def envelope_uv(self) -> float | None:
        """Root mean square of the filtered signal over the last ``envelope_ms``."""
        return self._envelope_uv

    @property
    def threshold_uv(self) -> float | None:
        """The level that an onset must pass: fixed, or so many standard deviations over the rest that is followed."""
        return self._levels.threshold_uv

    @property
    def release_uv(self) -> float | None:
        """The level to fall to: a share of the way from rest to threshold, so that it never lies under rest."""
        return self._levels.release_uv

    # --- what can be told ------------------------------------------------------------------------------------

    def arm(self) -> None:
        """Listen; an effort that is already under way does not count."""
        if not self._armed:
            self._armed = True
            if self._evidence.suspicious:
                self._comparator.hold()
            self._comparator.ignore_rise()
            self._evidence.reset()
            self._around.train.ignore_rise()

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
        self._resting.forget()
        self._levels.forget()
        self._evidence.reset()
        self._comparator.hold()

    def set_threshold_uv(self, threshold_uv: float) -> None:
        """Put the threshold where an operator wants it, until the next :meth:`calibrate`."""
        self._levels.fix(threshold_uv, self._resting.power)
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
        if chunk.pulse_offsets:
            self._around.note(chunk.first_index, chunk.pulse_offsets)
        values = np.concatenate((self._pending, chunk.values_uv)) if len(self._pending) else chunk.values_uv
        block = self._block
        whole = len(values) - len(values) % block
        self._pending = values[whole:].copy() if whole < len(values) else NOTHING
        listed, found = values.tolist(), []
        for at in range(0, whole, block):
            upto = at + block
            if self._step(values[at:upto], listed[at:upto], first + at):
                index = first + upto - 1
                at_us = chunk.at_us - round((end - 1 - index) * 1e6 / self._rate_hz)
                found.append(Onset(index, at_us, self._shown_uv, self._levels.threshold_uv or 0.0))
        return tuple(found)

    # --- one block -------------------------------------------------------------------------------------------

    def _step(self, raw: Samples, listed: list[float], first: int) -> bool:
        """Take the block that begins at sample ``first``; whether it made an onset certain."""
        if first < self._around.plain_from:
            return self._step_near_pulses(raw, first)
        if not math.hypot(*listed) < SANE:  # NaN and infinity included
            self._start_over(Quality.GAP)
            return False
        self._around.passed = listed[-1]
        if not self._front.push(raw, listed, None, first):
            return False
        self._judge(listed)
        return self._decide(first + self._block - 1)

    def _step_near_pulses(self, raw: Samples, first: int) -> bool:
        """The same where a pulse may be in the block, or was so lately that it matters."""
        free, heard, in_train, frame = self._around.look(raw, first, self._levels.floor)
        last = first + self._block - 1
        if free is None:
            self._front.break_off()
            return in_train and self._decide_in_train(frame, last)
        listed = free.tolist()
        if not math.hypot(*listed) < SANE:
            self._start_over(Quality.GAP)
            return False
        self._around.keep(listed[-1])
        if self._front.push(free, listed, heard, first):
            self._judge(listed)
            if not in_train or self._levels.threshold_uv is None:
                return self._decide(last)
        return in_train and self._decide_in_train(frame, last)

    def _judge(self, raw: list[float]) -> None:
        """Bring quality and envelope up to date."""
        front, powers = self._front, self._powers
        powers.append(front.power)
        envelope, threshold = self._envelope_uv, self._levels.threshold_uv
        loud = envelope is not None and threshold is not None and envelope > threshold
        steady = self._steadiness.judge(raw, loud=loud)
        if self._settling > 1:
            self._settling -= 1
            return  # whatever was wrong stays on show until filter and window hold nothing of it any more
        self._envelope_uv = self._shown_uv = math.sqrt(sum(powers) / len(powers))
        hum = front.notch.most
        sign = MAINS if steady is GOOD and front.is_hum() else steady
        self._quality = self._contact.judge(sign, raw, front.muscle + hum, self._levels.learnt, hums=hum > 0.0)

    def _decide(self, index: int) -> bool:
        """The trigger itself, over one more block."""
        front, resting, evidence, comparator = self._front, self._resting, self._evidence, self._comparator
        envelope, quality = self._envelope_uv, self._quality
        if envelope is None or quality not in USABLE:
            comparator.hold()
            evidence.reset()
            return False
        levels = self._levels
        threshold, release = levels.threshold_uv, levels.release_uv
        if not self._contact.low_for and resting.push(front.muscle, held=comparator.held):
            levels.follow(resting.power)
        if threshold is None or release is None:
            return self._learn(envelope)
        old = resting.lingers or front.notch.changes  # what is left of an effort, or of a hum, is no new effort
        sure = not front.ringing and evidence.push(0.0 if old else front.muscle / resting.judged_by)
        if quality is MAINS:
            comparator.interrupt()  # a rise is put off, not ended: for a few ms, muscle can look like hum
            return False
        if sure := sure and not self._doubt():
            resting.grow()
        return comparator.push(envelope, threshold, release, sure=sure) and self._counts(index)

    def _doubt(self) -> bool:
        """Whether what has grown may be none of the muscle's; nobody needs to know before the last effort is over."""
        rest = self._resting
        return not self._comparator.held and self._front.doubt(self._evidence.age, rest.judged_by, rest.dof)

    def _decide_in_train(self, frame: Frame | None, index: int) -> bool:
        """The same while frames between pulses speak."""
        self._evidence.reset()
        threshold, usable = self._levels.threshold_uv, self._quality in USABLE
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
            self._levels.learn(self._resting.learn())
            self._evidence.trust(self._resting.dof)
        return False

    def _start_over(self, why: Quality) -> None:
        """Forget the signal so far; ``why`` is shown until there is enough of a new one."""
        self._quality = why
        self._envelope_uv, self._shown_uv, self._pending = None, 0.0, NOTHING
        self._around.forget()
        self._powers.clear()
        self._front.reset()
        self._steadiness.reset()
        self._contact.reset()
        self._evidence.reset()
        self._resting.start_over()
        self._settling = 2 * (self._powers.maxlen or 0)
        self._comparator.hold()
