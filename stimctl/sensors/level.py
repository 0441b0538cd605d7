"""The power of rest, followed while the muscle rests and while it stays tense after an effort, never into an effort.

Two seconds of rest at the beginning are quieter than rest between attempts, and both wander (EMG reference, pitfalls 1, 2
and 4). So the level is a mean over about a second that ends a quarter of a second ago: an effort that begins now is known
before it could raise the level by which it is judged, and a freeze that could lock itself up is not needed. How far rest
wanders beyond what chance explains is followed too, and raises the level in use.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final, final

import numpy as np

MEAN_MS: Final = 80.0
"""Length of the means that are followed."""

GUARD: Final = 3
"""So many means are waited for before one counts: the newest 240 ms may be an effort's beginning."""

GAIN: Final = 0.08
"""Share of a new mean in the level: a time constant of one second (project). Two seconds lag behind tonic drift, and half
a second lets weak efforts in."""

WANDER_GAIN: Final = 0.008
"""The same for the spread: ten seconds."""

WANDER: Final = 1.4
"""So many standard deviations of that, in logarithms of power, are rest's own. With 1, tense muscle between attempts sets off
a third more; with 2, efforts at 3 dB are missed."""

LEEWAY: Final = 1.15
"""Degrees of freedom that are counted over some hundred blocks are believed within this factor."""

LOUDEST: Final = 4.0
"""No mean counts for more than so many times the level: one twitch must not deafen."""

STEADY: Final = 2.5
"""A level that stays within this factor is steady."""

TENSE_MEANS: Final = 100
"""A level that is steady for eight seconds is the new rest, however high (EMG reference, pitfall 1)."""

FALLEN_MEANS: Final = 5
"""One that has come down more than half way, in decibels, needs 0.4 s."""


@final
class RestLevel:
    """Takes the power of each block; ``dof`` are a block's degrees of freedom at the most."""

    def __init__(self, block_ms: float, dof: float, seconds: float) -> None:
        self._length = max(1, round(MEAN_MS / block_ms))
        self._most = self.dof = dof
        self._chance = 2 / (dof * self._length)
        self._squares: deque[float] = deque(maxlen=max(5, round(seconds * 1e3 / MEAN_MS)))
        self._means: deque[float] = deque(maxlen=max(5, round(seconds * 1e3 / MEAN_MS)))
        self._line: deque[float] = deque()
        self.forget()

    def forget(self) -> None:
        """Nothing is known of rest any more."""
        self._means.clear()
        self._squares.clear()
        self._level = self._used = self._floor = 0.0
        self.start_over()

    def start_over(self) -> None:
        """What is known stays; what came last is not part of it."""
        self._heard: list[float] = []
        self._line.clear()
        self._settled = -1
        self._recent = self._peak = self._anchor = 0.0
        self._steady_for = 0
        self._busy = self.lingers = False
        """Whether an effort that was an onset is over, and the muscle not yet at rest: what it does meanwhile is no new one."""

    @property
    def power(self) -> float:
        """The mean power of rest; 0 until learnt."""
        return self._level

    @property
    def judged_by(self) -> float:
        """The power that rest reaches by its own wandering: what an effort is compared with."""
        return self._used

    def learn(self) -> float:
        """The stretch that was just heard was rest; its power."""
        means = np.array(self._means)
        self._level = float(np.minimum(means, 3 * np.median(means)).mean())
        self._floor = 0.003 * self._level  # a converter's steps: rest that is all but still has a spread of zero
        # A signal of less bandwidth than the filter's, or with spikes in it, has a power that varies more from block to block.
        varied = float(np.mean(self._squares)) / float(means.mean()) ** 2 - 1
        self.dof = min(self._most, 2 * LEEWAY / varied) if varied > 0 else self._most
        self._chance = 2 / (self.dof * self._length)
        spread = float((np.clip(np.log((means + 1e-9 * self._level) / self._level), -2, 2) ** 2).sum())
        # Two seconds hold 25 means: what chance would give weighs as much as ten.
        self._spread = (spread + 10 * self._chance) / (len(means) + 10)
        self._settled = 100
        self._use()
        return self._level

    def grow(self) -> None:
        """What goes on now is an effort, whether it is an onset or not: rest is not learnt from it."""
        self._busy = True

    def push(self, power: float, *, held: bool) -> bool:
        """Take a block's power; ``held``: an effort that was an onset may be going on. Whether the level may have moved."""
        heard = self._heard
        heard.append(power)
        if len(heard) < self._length:
            return False
        mean, square = sum(heard) / len(heard), sum([each * each for each in heard]) / len(heard)
        heard.clear()
        if not self._level:
            self._means.append(mean)
            self._squares.append(square)
            return False
        self.lingers = self.lingers or held
        if held or (self._busy and mean > 1.3 * self._used):
            return self._follow_effort(mean)
        self._busy = self.lingers = False
        if self._peak:
            self._come_to_rest()
        self._follow_rest(mean)
        return True

    def _come_to_rest(self) -> None:
        """An effort is over. What comes next is trusted little at first, and then as a plain mean."""
        self._level *= max(1.0, min(LOUDEST, math.sqrt(self._peak / self._level)))
        self.start_over()

    def _follow_rest(self, mean: float) -> None:
        self._line.append(mean)
        if len(self._line) <= GUARD:
            return
        ratio = self._line.popleft() / self._level
        self._settled += 1
        off = math.log(ratio) if ratio > 0.1 else -2.3
        gain = max(GAIN, 1 / (self._settled + 2))
        self._level = max(self._floor, self._level * (1 + gain * (min(LOUDEST, ratio) - 1)))
        if self._settled > 8:
            self._spread += WANDER_GAIN * (min(off * off, 4.0, 9 * self._spread) - self._spread)
        self._use()

    def _use(self) -> None:
        self._used = self._level * math.exp(WANDER * math.sqrt(max(0.0, self._spread - self._chance)))

    def _follow_effort(self, mean: float) -> bool:
        """Whether what goes on has become steady, and is therefore what rest looks like from now on."""
        self._recent += (mean - self._recent) * (0.16 if self._peak else 1.0)
        self._peak = max(self._peak, self._recent)
        if not self._anchor / STEADY < self._recent < self._anchor * STEADY:
            self._anchor, self._steady_for = self._recent, 0
            return False
        self._steady_for += 1
        fallen = self._recent < math.sqrt(self._level * self._peak)
        if self._steady_for < (FALLEN_MEANS if fallen else TENSE_MEANS):
            return False
        self._level = max(self._floor, self._recent)
        self.start_over()
        self._use()
        return True
