"""An effort under stimulation: what a frame between two pulses has that the frames before it do not explain.

Artefact and M-wave come again with every pulse, changed a little in size each time. So each frame is explained by least
squares from the last few (the prediction-error filter of the EMG reference, "Stimulation in the signal"), and what is left
over is the effort and noise. Its own course is the yardstick, never rest, and a share of what was explained is its least.

What could pass for an effort and is none: pulse times that are logged late or early (each frame is aligned on the artefact
itself), the first frames of a train, ramps and steps of intensity (a frame counts only if one of the last few had an artefact
of its size), and the end of a train. Where frames are too short or too irregular nothing is heard at all.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final, NamedTuple, final

import numpy as np

from stimctl.sensors.crowded import Crowded
from stimctl.sensors.evidence import Evidence
from stimctl.sensors.samples import Samples

APART_MS: Final = 110.0
"""Pulses that come further apart are no train."""

CROWDED_MS: Final = 45.0
"""Pulses closer than this leave too little beside what is blanked after each (25 ms) and rings on in a filter."""

LATE_MS: Final = 1.5
"""A pulse may be logged so much before or after its artefact."""

UNEVEN_MS: Final = 4.0
"""Intervals that differ by more have nothing to do with each other."""

EXPLAINING: Final = 4
"""So many frames explain the next: artefact and M-wave change independently, and each frame holds noise too."""

LEAST_FREE: Final = 6
"""So many samples of a frame must be left over when all that explains it is taken off. With 4, efforts are heard late."""

FEW_HZ: Final = (400.0, 1_000.0)
LEAST_FREE_FEW: Final = 10
"""Between these rates so many, as 35 and 30 pulses a second at 500 Hz, 6 and 7, set off (project); else ``crowded`` hears."""

FREE_FULL: Final = 12
DOF: Final = 4.0
"""Degrees of freedom of what is left over; fewer where less than so many samples are. What is left is no white noise."""

BARRED: Final = 10
"""The first frames of a train that could be explained: they only show what a frame looks like."""

SAME_SIZE: Final = 0.1
"""Artefacts are of one size within this share. In the development recordings they vary by 2 % of themselves."""

EXPLAINED_SHARE: Final = 5e-5
"""Nothing is explained better than this share of its power: 43 dB, which no template reached with people."""

LET_GO: Final = 4.0
"""Three frames that hold so many times less than the level: an effort that was part of it is over (project)."""

GUARD: Final = 8
"""Frames that are waited for before they count in the level, so that an effort is not judged by itself."""


class Frame(NamedTuple):
    """What one frame says. ``enough``: an effort has begun; ``quiet``: for three frames nothing was there beyond the level;
    ``level_uv``: RMS of what was left over.
    """

    enough: bool
    quiet: bool
    level_uv: float


@final
class Train:
    """Follows the pulses of one channel at ``rate_hz``, block by block of ``block`` samples."""

    def __init__(self, rate_hz: float, block: int, blanking_ms: float) -> None:
        self._per_ms = rate_hz / 1e3
        self._late = math.ceil(LATE_MS * self._per_ms)
        self._before, self._after = math.ceil(self._per_ms), math.ceil(2 * self._per_ms)
        self._blank = max(self._after, math.ceil(blanking_ms * self._per_ms))
        keep = math.ceil((APART_MS + 40) * self._per_ms) + block
        self._values = np.zeros(2 * keep)
        self._keep, self._filled, self._end = keep, 0, 0
        self._frames: deque[Samples] = deque(maxlen=EXPLAINING)
        self._sizes: deque[float] = deque(maxlen=EXPLAINING)
        self._line: deque[float] = deque()
        self._newest: deque[float] = deque(maxlen=3)
        self._few, self._crowded = FEW_HZ[0] <= rate_hz < FEW_HZ[1], Crowded(self._late, self._blank)
        self.forget()

    def forget(self) -> None:
        """No pulse has come, and no sample."""
        self._filled = 0
        self._last: int | None = None
        self._begin()

    def _begin(self) -> None:
        """A train begins."""
        self._shortest = math.inf
        self._period = 0.0
        self._crowded.forget()
        self._lay_out()

    def _lay_out(self) -> None:
        """Frames are as long as the shortest interval leaves room for."""
        self._due: int | None = None
        self._start: int | None = None
        self._template: Samples | None = None
        self._frames.clear()
        self._sizes.clear()
        self._line.clear()
        self._level = self._spread = 0.0
        self._counted = 0
        self._newest.clear()
        self.held = False
        room = self._shortest if self._shortest < math.inf else 0
        self._length = int(room) - self._blank - self._late - math.ceil(self._per_ms)
        self._explaining = min(EXPLAINING, self._length // 4)
        self._free = self._length - self._explaining - 2
        self.hears = self._explaining >= 2 and self._free >= (LEAST_FREE_FEW if self._few else LEAST_FREE)
        """Whether frames are long and even enough to hear an effort in them."""
        self.speaks = self.hears or self._shortest < CROWDED_MS * self._per_ms
        """Whether nothing else may: there are frames to hear, or next to nothing between what is blanked."""
        if self.hears:
            ramp = np.arange(self._length) - (self._length - 1) / 2
            self._drift = np.stack([np.ones(self._length), ramp / self._length])
            self._dof = DOF * min(1.0, self._free / FREE_FULL)
            self._chance = 2 / self._dof
            self._spread = max(0.5, self._chance)
            self._evidence = Evidence(self._dof, 1.4, 2)

    def ignore_rise(self) -> None:
        """If a rise is under way, it does not count."""
        if self.hears and self._evidence.suspicious:
            self._counted = min(self._counted, BARRED - 4)
        self._crowded.ignore_rise()

    def runs(self, index: int) -> bool:
        """Whether a train is under way, or was just now, at the sample ``index``."""
        return self._last is not None and index - self._last <= APART_MS * self._per_ms

    # --- pulses and samples ------------------------------------------------------------------------------------------

    def push(self, raw: Samples, first: int, pulses: list[int], floor: float) -> Frame | None:
        """Take the block from sample ``first`` with the pulses in it; a frame when one became whole. ``floor``: power of rest."""
        self._add(raw, first)
        if not pulses and self._due is None:
            return None
        found = None
        for pulse in pulses:
            found = self._try(pulse, floor) or found
            self._mark(pulse)
        return self._try(self._end, floor) or found

    def _add(self, raw: Samples, first: int) -> None:
        count, filled = len(raw), self._filled
        if filled + count > len(self._values):
            self._values[: self._keep] = self._values[filled - self._keep : filled]
            filled = self._keep
        self._filled = end = filled + count
        self._values[filled:end] = raw
        self._end = first + count

    def _mark(self, pulse: int) -> None:
        interval = math.inf if self._last is None else pulse - self._last
        self._last = pulse
        if interval > APART_MS * self._per_ms:
            self._begin()
        elif not self._period or abs(interval - self._period) > UNEVEN_MS * self._per_ms:
            self._period = self._shortest = interval
            self._lay_out()
        else:
            self._period += 0.1 * (interval - self._period)
            if interval < self._shortest:
                self._shortest = interval
                self._lay_out()
        self._due, self._start = (pulse if self.hears or self._few else None), None

    def _slice(self, start: int, end: int) -> Samples | None:
        """Samples by their absolute index, where they are still kept and have come."""
        base = self._end - self._filled
        return None if start < base or end > self._end else self._values[start - base : end - base]

    # --- frames ------------------------------------------------------------------------------------------------------

    def _try(self, limit: int, floor: float) -> Frame | None:
        """Hear the frame that is due, if no pulse from ``limit`` on can have touched it."""
        if self._few and (self._crowded.follows or not self.hears):
            return self._try_crowded(floor)
        if self._due is None or self._end < self._due + self._late + self._after:
            return None
        if self._start is None:
            self._start = self._aligned(self._due)
        start = (self._start or 0) + self._blank
        if self._start is not None and start + self._length > limit - self._late:
            return None
        values = self._slice(start, start + self._length)
        self._due = None
        if self._start is None or values is None or not float(np.abs(values).sum()) < math.inf:
            return None
        return self._hear(values.copy(), floor)

    def _try_crowded(self, floor: float) -> Frame | None:
        """The same where frames are short: with each artefact the frame before it is heard."""
        if self._due is None or self._end < self._due + self._crowded.needs:
            return None
        heard, self._due = self._crowded.take(self._due, self._slice, 2 * floor), None
        return heard and Frame(heard.enough, heard.quiet, math.sqrt(heard.power))

    def _aligned(self, pulse: int) -> int | None:
        """Where the artefact is: as the last one was, or where the first one jumps most. Its size is noted."""
        around = self._slice(pulse - self._late - self._before, pulse + self._late + self._after)
        if around is None or not float(np.abs(around).sum()) < math.inf:
            return None
        width = self._before + self._after
        if self._template is None:
            jumps = np.abs(np.diff(around[self._before - 1 : self._before + 2 * self._late + 1]))
            at = int(jumps.argmax())
        else:
            at = int(np.correlate(around, self._template, "valid").argmax())
        artefact = around[at : at + width]
        self._size = float(np.ptp(artefact))
        shape = artefact - artefact.mean()
        self._template = shape / (math.sqrt(float(shape @ shape)) or 1.0)
        return pulse - self._late + at

    def _hear(self, values: Samples, floor: float) -> Frame | None:
        heard = None
        if len(self._frames) >= self._explaining:
            known = np.stack([*list(self._frames)[-self._explaining :], *self._drift])
            weights = np.linalg.lstsq(known.T, values, rcond=1e-6)[0]
            left = values - weights @ known
            heard = self._judge(float(left @ left) / self._free, max(floor, EXPLAINED_SHARE * _power(values)))
        self._frames.append(values)
        self._sizes.append(self._size)
        return heard

    def _judge(self, power: float, least: float) -> Frame:
        level = self._level = self._level or max(power, least)
        used = max(level, least) * math.exp(math.sqrt(max(0.0, self._spread - self._chance)))
        self._counted += 1
        self._newest.append(power)
        if self.held:
            return Frame(enough=False, quiet=self._has_fallen(power), level_uv=math.sqrt(power))
        # Whoever set the train off may be at it still: that is part of this level, and only what rises over it is new.
        quiet = self._stayed_under(1.3 * used) and self._counted > BARRED
        if self._stayed_under(level / LET_GO):
            self._learn_anew()
        same = any(abs(self._size - size) <= SAME_SIZE * size for size in self._sizes)
        enough = self._evidence.push(power / used) and same
        if self._counted <= BARRED or not same:
            self._evidence.reset()
            enough = False
        self._follow(power)
        if enough:
            self.held, self._peak = True, power
            self._newest.clear()
        return Frame(enough=enough, quiet=quiet, level_uv=math.sqrt(power))

    def _follow(self, power: float) -> None:
        """The level: a mean over a second, which begins as a plain mean."""
        self._line.append(power)
        if self._counted > BARRED and len(self._line) <= GUARD:
            return
        ratio = self._line.popleft() / (self._level or 1.0)
        off = math.log(max(ratio, 1e-9))
        if self._counted > 3:
            self._spread += 0.03 * (min(off * off, 2.25) - self._spread)
        gain = max(self._period / self._per_ms / 1e3, 1 / (self._counted + 1))
        self._level *= 1 + gain * (min(4.0, ratio) - 1)

    def _stayed_under(self, most: float) -> bool:
        """Whether the last three frames were."""
        return len(self._newest) == self._newest.maxlen and max(self._newest) < most

    def _learn_anew(self) -> None:
        """The level was that of an effort that went on as the train began, and is over."""
        self._level, self._spread = sum(self._newest) / len(self._newest), max(0.5, self._chance)
        self._counted = len(self._newest)
        self._evidence.reset()
        self._line.clear()

    def _has_fallen(self, power: float) -> bool:
        """Whether the effort is over: for three frames at rest, or lower than half way to it in decibels."""
        self._peak = max(self._peak, power)
        if not self._stayed_under(max(1.3 * self._level, math.sqrt(self._level * self._peak))):
            return False
        self.held = False
        self._evidence.reset()
        self._line.clear()
        return True


def _power(values: Samples) -> float:
    """Of what moves: a level on which the counts sit is no artefact."""
    return float(np.var(values))
