"""What grows as fast as an effort and is none: a knock at the cable, and mains hum that begins.

Both are asked about only when there is evidence enough. They put an onset off; what goes on as muscle is found all the same.
"""

from __future__ import annotations

import math
from collections import deque
from itertools import pairwise
from typing import Final, final

KNOCK_SHARE: Final = 0.35
"""A jump or swing of the raw signal stays over the muscle's band by more than this; muscle's own slow part is well under it.
With half as much, one knock in fifty passes; with half as much again, efforts at 10 dB come 2 ms later."""

APART: Final = 4
"""Means of ten milliseconds are compared over so many blocks of 5 ms."""

SEEN: Final = 14
BAND: Final = 6
"""Knocks are looked for over 70 ms of raw signal, and compared with 30 ms of the muscle's band, in which they ring on for 40."""


LOUD: Final = 1_000.0
"""In power over rest: 30 dB. An effort comes there by rising; a knock has its most at once, and dies away."""

STANDS: Final = 0.8
"""What is so loud has to stand: the newest 10 ms are to have so much of the most in the 70 ms that are looked over. A cable that
swings with 35 to 60 Hz leaves no jump, as its half-waves cancel; of 38 such knocks (simulated) 11 then pass. An effort so loud
grows, so it loses nothing. With a quarter of that loudness 7 pass, and one effort in twenty comes 10 ms later."""


@final
class Knocks:
    """Takes each raw block and its power in the muscle's band."""

    def __init__(self) -> None:
        self._raw: deque[list[float]] = deque(maxlen=SEEN)
        self._powers: deque[float] = deque(maxlen=SEEN)

    def reset(self) -> None:
        """Forget what went before."""
        self._raw.clear()
        self._powers.clear()

    def push(self, raw: list[float], power: float) -> None:
        """Take the next block; what it says is worked out when it is asked for, which is seldom."""
        self._raw.append(raw)
        self._powers.append(power)

    def doubt(self, rest: float) -> bool:
        """Whether the raw signal jumped, or swung, by more than muscle explains; or what is loud beside ``rest`` dies away."""
        return self._jumped() or self._dies_away(rest)

    def _jumped(self) -> bool:
        means = [sum(raw) / len(raw) for raw in self._raw]
        if len(means) <= APART + 1:
            return True
        pairs = [(a + b) / 2 for a, b in pairwise(means)]
        jumps = [abs(after - before) for before, after in zip(pairs, pairs[APART:], strict=False)]
        jump = max(*jumps, abs(means[-1] - means[-1 - APART]))  # one of this very moment is but half of a pair
        powers = tuple(self._powers)[-BAND:]
        return not math.sqrt(sum(powers) / len(powers)) > KNOCK_SHARE * jump

    def _dies_away(self, rest: float) -> bool:
        pairs = [(a + b) / 2 for a, b in pairwise(self._powers)]
        most = max(pairs)
        return most > LOUD * rest and not pairs[-1] > STANDS * most
