"""A muscle's own effort, heard while the same muscle is stimulated: only in the gap before the next pulse, and only what is new.

What a pulse leaves behind (artefact, M-wave, the amplifier's way back from its rail) is many times larger than the effort
of a paretic muscle, and comes again with every pulse. So the signal is not heard for the blanking time after each one, and
of the gap that is left only the difference to the gap before it counts, without its mean and slope: whatever repeats with
the pulses, whatever its shape, is gone, and so is a slow tail that changes with the amplitude. Where no pulses come, gaps of
the same length are cut at the same pace, so that what is measured at rest is measured by the same yardstick.

Methods: blanking and comb in use with people (EMG reference, "Stimulation in the signal"); without them a loop excites
itself (clinical reference, B.3, H24). No filter runs across a pulse, so nothing can ring on behind it. Gaps are found by
absolute sample index: how a source cuts its chunks changes nothing. Everything kept is bounded by :data:`SPAN_MS`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from itertools import islice
from statistics import median_low
from typing import Final, NamedTuple, final

import numpy as np

from stimctl.errors import OurBug, UsageError
from stimctl.sensors.quality import MAINS_HZ, Quality
from stimctl.sensors.samples import SANE, Chunk, Samples

SPAN_MS: Final = 400.0
"""How much of the past makes a level: the median of its gaps. Devices smooth over 100 to 500 ms (general knowledge)."""

LEAST_GAPS: Final = 4
"""Fewer good gaps than this in the last :data:`SPAN_MS` are no signal (project)."""

LEAST_SAMPLES: Final = 6
"""A shorter gap says too little beside its own mean and slope (project)."""

HUM_SHARE: Final = 0.65
"""Share of what was measured that one mains frequency explains, from which it is hum and no muscle (H25; project)."""

HUM_BEGINS: Final = 0.9
"""The same of the newer half, in which muscle comes to four fifths by chance: there hum shows before it is the median."""

_LATE_MS: Final = 3.0  # a pulse that comes later than this after its time has not come
_STILL: Final = 3  # so many equal samples running are a rail, or a lead that is off


@final
class _Gap(NamedTuple):
    """The stretch that was heard after the pulse, or the pace, at ``anchor``."""

    anchor: int
    pulsed: bool
    values: Samples


@final
class _Heard(NamedTuple):
    """What one gap had that the one before it had not: mean square, and its likeness to each mains frequency."""

    end: int
    power: float
    hums: tuple[tuple[float, ...], ...]


@final
class Volitional:
    """One channel at ``rate_hz``, whose pulses come ``period_us`` apart and are not heard for ``blanking_us`` each.

    Raises :class:`UsageError` where that leaves too little to hear.
    """

    def __init__(self, rate_hz: float, period_us: int, blanking_us: int) -> None:
        self._rate_hz = rate_hz
        self._period = rate_hz * period_us / 1e6
        self._blank = math.ceil(rate_hz * blanking_us / 1e6)
        # The sample in which the next pulse begins is not heard, nor the one before it.
        self._length = math.floor(self._period) - self._blank - 1
        if not self._length >= LEAST_SAMPLES:
            raise UsageError(
                f"EMG at {rate_hz:g} Hz leaves {max(0, self._length)} samples to hear between two pulses, and"
                f" {LEAST_SAMPLES} are needed: a faster EMG input, a lower rate of pulses, or a shorter blanking time"
            )
        self._late = math.ceil(rate_hz * _LATE_MS / 1e3)
        self._span = round(rate_hz * SPAN_MS / 1e3)
        self._flatten = _flattening(self._length)
        self._turns = [2 * math.pi * hz / rate_hz for hz in MAINS_HZ]
        n = np.arange(self._length)
        self._waves = [(self._flatten @ np.cos(turn * n), self._flatten @ np.sin(turn * n)) for turn in self._turns]
        self._heard: deque[_Heard] = deque(maxlen=max(LEAST_GAPS, math.ceil(self._span / self._period) + 1))
        self._marks: deque[int] = deque()
        self._newest: tuple[int, int] | None = None  # the end of what came: sample, and session time of the last one
        self.stimulated = False
        """Whether pulses are known to be on their way: then a gap without one before it proves nothing and is not heard."""
        self.reset()

    def _start_at(self, index: int, values: Samples) -> None:
        """Begin with the sample ``index``, at the pace alone."""
        self._first, self._values = index, values
        self._last: _Gap | None = None
        self._marks.clear()
        self._wrong = Quality.GAP
        self._begin(index, pulsed=False)

    def _begin(self, anchor: int, *, pulsed: bool) -> None:
        self._anchor, self._pulsed, self._taken = anchor, pulsed, False

    # --- what can be asked -----------------------------------------------------------------------------------------

    @property
    def quality(self) -> Quality:
        """The state of the signal as of the last chunk."""
        return self._quality

    @property
    def level_uv(self) -> float | None:
        """Root mean square of the effort in µV; ``None`` while there is none that can be believed."""
        return math.sqrt(median_low(each.power for each in self._heard)) if self._quality is Quality.GOOD else None

    @property
    def at_us(self) -> int | None:
        """Session time of the last sample that :attr:`level_uv` was made of."""
        if self._newest is None or not self._heard:
            return None
        end, at_us = self._newest
        return at_us - round((end - self._heard[-1].end) * 1e6 / self._rate_hz)

    @property
    def heard_us(self) -> int | None:
        """Session time of the newest sample that came; ``None`` before there was one."""
        return None if self._newest is None else self._newest[1]

    @property
    def all_pulsed(self) -> bool:
        """Whether all that the level is made of was heard behind pulses."""
        return self._pulsed_gaps >= len(self._heard) > 0

    # --- what can be told ------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Forget everything."""
        self._heard.clear()
        self._newest = None
        self._pulsed_gaps = 0
        self._quality = Quality.STALE
        self._start_at(0, np.empty(0))

    def push(self, chunk: Chunk) -> None:
        """Take the next chunk."""
        if chunk.rate_hz != self._rate_hz:
            raise OurBug(f"a chunk at {chunk.rate_hz} Hz where {self._rate_hz} Hz were promised")
        end = chunk.first_index + len(chunk.values_uv)
        if self._newest is None or chunk.first_index != self._newest[0]:
            # Across a loss no gap is whole, and none is compared with one before it.
            self._start_at(chunk.first_index, chunk.values_uv)
        else:
            self._values = np.concatenate((self._values, chunk.values_uv))
        self._newest = end, chunk.at_us
        self._marks.extend(chunk.first_index + offset for offset in chunk.pulse_offsets)
        self._go_on(end)
        self._forget(end)
        self._judge()

    # --- gaps ------------------------------------------------------------------------------------------------------

    def _go_on(self, end: int) -> None:
        """Cut every gap, and pass every pulse, before sample ``end``, in the order in which they stand."""
        while True:
            mark = self._marks[0] if self._marks else end
            whole = self._anchor + self._blank + self._length
            due = self._anchor + round(self._period)
            if not self._taken and whole <= mark:
                self._taken = True
                self._take(self._anchor + self._blank)
            elif self._taken and due + self._late < mark:
                self._begin(due, pulsed=False)
            elif mark < end:
                self._begin(self._marks.popleft(), pulsed=True)
            else:
                return

    def _take(self, start: int) -> None:
        """Hear the gap that begins at ``start``, against the one before it."""
        at = start - self._first
        gap = _Gap(self._anchor, self._pulsed, self._values[at : at + self._length])
        self._wrong = _fault(gap.values)
        if self._wrong is not Quality.GOOD or (self.stimulated and not gap.pulsed):
            self._last = None
            return
        before, self._last = self._last, gap
        if before is None or before.pulsed is not gap.pulsed:
            return
        if abs(gap.anchor - before.anchor - self._period) <= self._late:
            self._compare(gap.values - before.values, start)

    def _compare(self, difference: Samples, start: int) -> None:
        new = self._flatten @ (difference / math.sqrt(2))
        power = float(new @ new) / (self._length - 2)
        hums = tuple(_likeness(new, *wave, turn * start) for wave, turn in zip(self._waves, self._turns, strict=True))
        self._heard.append(_Heard(start + self._length, power, hums))
        self._pulsed_gaps = self._pulsed_gaps + 1 if self._pulsed else 0

    def _forget(self, end: int) -> None:
        """Let go of samples that no gap will need, and of gaps that are too old."""
        self._values = self._values[max(0, self._anchor - self._first) :].copy()
        self._first = max(self._first, self._anchor)
        while self._heard and self._heard[0].end <= end - self._span:
            self._heard.popleft()

    # --- quality ---------------------------------------------------------------------------------------------------

    def _judge(self) -> None:
        if len(self._heard) < LEAST_GAPS:
            self._quality = Quality.GAP if self._wrong is Quality.GOOD else self._wrong
        else:
            self._quality = Quality.MAINS if self._is_hum() else Quality.GOOD

    def _is_hum(self) -> bool:
        """Whether one mains frequency explains most of all gaps, or nearly all of the newer half, where it began just now."""
        newer = list(islice(reversed(self._heard), len(self._heard) // 2))
        numbers = range(len(self._turns))
        most = max(_explained(self._heard, number) for number in numbers)
        return most > HUM_SHARE or max(_explained(newer, number) for number in numbers) > HUM_BEGINS


def _flattening(length: int) -> Samples:
    """The matrix that takes mean and slope from a stretch."""
    ramp = np.arange(length) - (length - 1) / 2
    flat = np.full(length, 1 / math.sqrt(length))
    slope = ramp / math.sqrt(float(ramp @ ramp))
    matrix: Samples = np.eye(length) - np.outer(flat, flat) - np.outer(slope, slope)
    return matrix


def _fault(values: Samples) -> Quality:
    """What is wrong with a stretch: not all numbers, or it stands still somewhere."""
    if not float(np.abs(values).sum()) < SANE:  # NaN and infinity included
        return Quality.GAP
    same = (np.diff(values) == 0.0).tolist()
    still = any(all(same[at : at + _STILL - 1]) for at in range(len(same) - _STILL + 2))
    return Quality.FLAT if still else Quality.GOOD


def _likeness(new: Samples, cosine: Samples, sine: Samples, phase: float) -> tuple[float, ...]:
    """The sums of which the best wave of one frequency, in step with all other gaps, is worked out."""
    c, s = math.cos(phase), math.sin(phase)
    real, imaginary = c * cosine - s * sine, s * cosine + c * sine
    pairs = ((real, real), (real, imaginary), (imaginary, imaginary), (real, new), (imaginary, new), (new, new))
    return tuple(float(one @ other) for one, other in pairs)


def _explained(gaps: Iterable[_Heard], number: int) -> float:
    """The share, 0 to 1, of all that stands in ``gaps`` which one wave through all of them explains."""
    rr, ri, ii, rn, im, nn = map(sum, zip(*(each.hums[number] for each in gaps), strict=True))  # term by term
    spread = rr * ii - ri * ri
    if not (nn > 0.0 and spread > 1e-9 * rr * ii):
        return 0.0
    return (ii * rn * rn - 2 * ri * rn * im + rr * im * im) / spread / nn
