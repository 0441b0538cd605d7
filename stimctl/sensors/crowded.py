"""An effort where hardly a sample is left between two pulses: what a frame has that earlier ones of its kind never had.

At 500 Hz and 40 pulses a second, eight samples of a period are neither artefact nor its neighbour, and where a pulse falls
between two samples changes all of them. Too few to explain a frame anew each time, as :mod:`stimctl.sensors.trains` does. So a
frame is laid over those earlier ones whose artefact looked most like its own, and the difference is weighed by how such
differences have been spread all along, direction by direction: where M-wave and ringing vary, it says little, and where only
rest is, much. What the artefact's own samples explain is taken off first (a conditional Gaussian; its parts come from one
Cholesky factor). So nothing need be known of where a pulse stands within a sample, and a log that is late changes nothing.

What could pass for an effort and is none. An artefact that differs from earlier ones, its own or the next one: ramps, steps,
the end of a train. One kind of pulse alone: of two frames on end the lesser counts. More change in the artefact than muscle
that is active puts there. What comes again with one of the next pulses: an effort is another one in each frame.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple, final

import numpy as np

from stimctl.sensors.evidence import Evidence
from stimctl.sensors.samples import SANE, Samples
from stimctl.sensors.usual import AFTER, BEFORE, GUARD, Artefact, Difference, Usual

Cut = Callable[[int, int], Samples | None]
"""Gives samples by their absolute index, where they are kept and have come."""

LEAST: Final = 6
"""So many samples must be left of a period beside the artefact: as of 50 pulses a second at 500 Hz."""

MOST: Final = 10
"""So many of a longer period are heard, the last ones: there is least of the M-wave."""

MEASURED: Final = 8
"""Pulses from whose distance the period is taken: each may be logged a sample off."""

STRAY: Final = 2.5
STRAYS: Final = 2
"""A pulse is where the train has it within so many samples, or the frame is not heard; after more strays it is another train."""

MUSCLE_SHARE: Final = 0.1
"""Muscle is as strong in the artefact's samples as in others: what is muscle for certain is at least this share of what an artefact
is off by. With half as much, efforts are known 15 ms sooner, and a step of intensity in ten minutes sets off (project)."""

REPEATED: Final = 0.9
"""Two differences that point the same way to this cosine are one thing that comes again."""

DOF: Final = 8.0
"""Degrees of freedom of a frame of eight samples."""

BARRED: Final = 10
LET_GO_FRAMES: Final = 3
"""As in :mod:`stimctl.sensors.trains`: frames that only teach, and frames that are an end."""

HELD_MOST: Final = 80
"""After so many frames of effort (2 s) it is learnt as the train's own: what was known before is too old to judge by."""

LEVEL_GAIN: Final = 0.025
LOUDEST: Final = 4.0
ABOVE: Final = 2.0
"""What frames come to by themselves is followed over a second; less than this over it is nothing."""


class Heard(NamedTuple):
    """Whether an effort has begun, whether nothing was there for three frames, and the power that is muscle for certain."""

    enough: bool
    quiet: bool
    power: float


class _Moment(NamedTuple):
    clean: float
    off: float
    parts: Samples


@final
class Crowded:
    """Follows one train. Pulses are logged up to ``late`` samples off, and ``blank`` samples from each on are not heard."""

    def __init__(self, late: int, blank: int) -> None:
        self._late, self._blank = late, blank
        self._evidence = Evidence(DOF, 1.0, 1)
        self._line: deque[float] = deque()
        self._newest: deque[float] = deque(maxlen=LET_GO_FRAMES)
        self._seen: deque[_Moment] = deque(maxlen=4)
        self.needs = late + AFTER
        """So many samples from a pulse on must have come before it is taken."""
        self._usual: Usual | None = None
        self.forget()

    def forget(self) -> None:
        """A train begins, or the pulses have nothing to do with those before."""
        self._first: list[int] = []
        self._at, self._period = 0, 0.0
        self._strays, self._usual = 0, None
        self._held = False
        self._learn_anew()
        self.lose()

    def lose(self) -> None:
        """The next pulse does not follow on the last one."""
        self._pending: Artefact | None = None
        self._doubt_all()

    @property
    def follows(self) -> bool:
        """Whether the train's period is known, and leaves enough to hear."""
        return self._usual is not None

    def ignore_rise(self) -> None:
        """If a rise is under way, it does not count."""
        if self._evidence.suspicious:
            self._learn_anew()

    def _learn_anew(self) -> None:
        """The level is another one from now on."""
        self._counted, self._level, self._held_for, self._peak = 0, 0.0, 0, 0.0
        self._line.clear()
        self._newest.clear()
        self._doubt_all()

    def _doubt_all(self) -> None:
        self._evidence.reset()
        self._seen.clear()
        self._last = 0.0

    # --- pulses ------------------------------------------------------------------------------------------------------

    def take(self, pulse: int, cut: Cut, rest: float) -> Heard | None:
        """Take the next pulse, logged at sample ``pulse``; what the frame before it says. ``rest``: power of rest."""
        late = self._late
        around = cut(pulse - late - 1, pulse + late + 1)
        if around is None or not _sane(around):
            self.lose()
            return None
        at = pulse - late + int(np.abs(np.diff(around)).argmax())
        if not self._usual:
            self._measure(at)
            return None
        if self._strays_at(at):
            return None
        artefact = cut(at - BEFORE, at + AFTER)
        if artefact is None or not _sane(artefact):
            self.lose()
            return None
        before = self._pending
        self._pending = now = self._usual.match(at, artefact, rest, guarded=self._counted > BARRED)
        return self._hear(before, now, cut, rest) if before else None

    def _strays_at(self, at: int) -> bool:
        """Whether the pulse at ``at`` is not where the train has it; after three of these it is another train."""
        interval, self._at = at - self._at, at
        if abs(interval - self._period) <= STRAY:
            self._strays = 0
            return False
        self.lose()
        self._strays += 1
        if self._strays > STRAYS:
            self.forget()
        return True

    def _measure(self, at: int) -> None:
        """The period, from the first pulses of a train."""
        self._at = at
        self._first.append(at)
        if len(self._first) == MEASURED:
            intervals = np.diff(self._first)
            even = intervals[intervals < 1.5 * np.median(intervals)]  # one pulse may be missing
            self._period = period = float(even.mean())
            self._first.clear()
            self._needed = math.floor(period + 0.2) - 2
            length = min(MOST, self._needed - self._blank)
            if length >= LEAST:
                self._usual = Usual(self._needed - length, length)

    # --- frames ------------------------------------------------------------------------------------------------------

    def _hear(self, before: Artefact, now: Artefact, cut: Cut, rest: float) -> Heard | None:
        """What the frame between two pulses says; it is remembered, as long as it is no effort's."""
        frame = cut(*self._usual.span(before.at)) if self._usual else None
        if frame is None or self._usual is None or not _sane(frame) or before.at + self._needed >= now.at:
            self._doubt_all()
            return None
        left, difference = None, None
        frozen = self._held and self._held_for <= HELD_MOST
        if before.usual is not None and before.like and now.like:
            left, difference = self._usual.compare(frame, before.usual, rest, guarded=self._counted > BARRED)
        if not frozen:
            self._usual.remember(frame, left)
        if difference is None:
            self._doubt_all()
            return None
        return self._judge(difference, (2 * before.off + now.off) / 3)

    def _judge(self, new: Difference, off: float) -> Heard:
        power = min([new.power, *(float(np.square(new.parts - each.parts).mean()) for each in self._seen)])
        moment = _Moment(power * new.rest, off, new.parts)  # what was there a moment ago already is the pulses' own
        self._counted += 1
        self._newest.append(power)
        used = max(1.0, ABOVE * self._level)
        lesser, self._last = min(power, self._last), power
        heard = lesser * new.rest
        if self._held:
            return Heard(enough=False, quiet=self._has_fallen(power, used), power=heard)
        self._seen.append(moment)
        enough = self._evidence.push(lesser / used) and not self._doubt()
        if self._counted <= BARRED:
            self._evidence.reset()
            enough = False
        self._follow(power)
        quiet = self._stayed_under(1.3 * used) and self._counted > BARRED
        if enough:
            self._held, self._held_for, self._peak = True, 0, power
            self._newest.clear()
        return Heard(enough=enough, quiet=quiet, power=heard)

    def _doubt(self) -> bool:
        """Whether the artefact is off by more than muscle explains, or the same comes again with the pulses."""
        if len(self._seen) < 2:
            return True
        *earlier, newest = self._seen
        off = max(newest.off, sum(each.off for each in self._seen) / len(self._seen))
        if min(newest.clean, earlier[-1].clean) < MUSCLE_SHARE * off:
            return True
        parts, size = newest.parts, float(newest.parts @ newest.parts)
        return any(
            float(parts @ other.parts) ** 2 > REPEATED**2 * size * float(other.parts @ other.parts) for other in earlier
        )

    def _follow(self, power: float) -> None:
        """The level, as a mean over a second that begins as a plain mean."""
        self._level = self._level or power
        self._line.append(power)
        if self._counted <= BARRED or len(self._line) > GUARD:
            gain = max(LEVEL_GAIN, 1 / (self._counted + 1))
            self._level += gain * (min(LOUDEST * self._level, self._line.popleft()) - self._level)

    def _stayed_under(self, most: float) -> bool:
        """Whether the last three frames were."""
        return len(self._newest) == LET_GO_FRAMES and max(self._newest) < most

    def _has_fallen(self, power: float, used: float) -> bool:
        """Whether the effort is over: for three frames at rest, or lower than half way to it in decibels."""
        self._held_for += 1
        self._peak = max(self._peak, power)
        if not self._stayed_under(max(1.3 * used, math.sqrt(used * self._peak))):
            return False
        self._held = False
        self._learn_anew()
        return True


def _sane(values: Samples) -> bool:
    return float(np.abs(values).sum()) < SANE
