"""When stimulation may stand in a signal that another device has taken, by what the session itself has ordered.

A board's own input says in which sample a pulse began. A stream from elsewhere does not, and the board does not tell the host
where in its period each pulse stands: what is known is between which two moments pulses were on their way. The uncertainty is
a whole period, so every place in that time is marked, and nothing of it is heard.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final, final

BEFORE_US: Final = 10_000
"""What two clocks, and the stamps of a sender, may be off by; the board cannot put out anything before it was told."""

AFTER_US: Final = 50_000
"""The same behind the last order, with the time that a zero may take to the board."""

MARK_US: Final = 1_000
"""Marks stand so close: closer than any blanking time."""

KEPT: Final = 64
"""How many stretches are remembered; samples of theirs are long past."""


@final
class Output:
    """The stretches of session time in which pulses may have come."""

    def __init__(self) -> None:
        self._stretches: deque[tuple[int, int]] = deque(maxlen=KEPT)
        self._seen_us: int | None = None
        self._on = False

    def step(self, now_us: int, *, on: bool) -> None:
        """Say in each pass whether the session has ordered any amplitude since the last one."""
        if on or self._on:
            begun_us = (now_us if self._seen_us is None else self._seen_us) - BEFORE_US
            end_us = now_us + AFTER_US
            if self._stretches and begun_us <= self._stretches[-1][1]:
                begun_us = self._stretches.pop()[0]
            self._stretches.append((begun_us, end_us))
        self._seen_us, self._on = now_us, on

    def offsets(self, at_us: int, count: int, step_us: float) -> tuple[int, ...]:
        """The marked samples of a chunk of ``count``, ``step_us`` apart, of which the last was taken at ``at_us``."""
        first_us = at_us - (count - 1) * step_us
        every = max(1, math.floor(MARK_US / step_us))
        now_on = self._on and self._stretches  # as long as it is on, it is on beyond the newest pass, too
        marks: set[int] = set()
        for begun_us, end_us in self._stretches:
            until_us = math.inf if now_on and (begun_us, end_us) == self._stretches[-1] else end_us
            low = max(0, math.ceil((begun_us - first_us) / step_us))
            high = min(count - 1, count - 1 if until_us == math.inf else math.floor((until_us - first_us) / step_us))
            marks.update(range(low, high + 1, every))
        return tuple(sorted(marks))
