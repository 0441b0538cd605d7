"""Which samples stimulation pulses leave to be heard, and what stands in for the others."""

from __future__ import annotations

import math
from collections import deque
from typing import Final, final

import numpy as np
import numpy.typing as npt

from stimctl.sensors.samples import Samples

BoolArray = npt.NDArray[np.bool_]

LEAST_MS: Final = 25.0
"""Nothing is heard for so long after a lone pulse, whatever was asked for: an M-wave lasts 15 to 20 ms (EMG reference)."""


@final
class Blanking:
    """The pulses of one channel, and the stretch of ``blanking_ms`` after each."""

    def __init__(self, rate_hz: float, blanking_ms: float) -> None:
        self.length = math.ceil(max(blanking_ms, LEAST_MS) * rate_hz / 1e3)
        """So many samples behind a pulse are not heard."""
        self._pulses: deque[int] = deque()
        self._new: deque[int] = deque()
        self._last_heard = 0.0

    def __len__(self) -> int:
        return len(self._pulses) + len(self._new)

    def reset(self) -> None:
        """Forget all pulses."""
        self._pulses.clear()
        self._new.clear()

    def note(self, first: int, offsets: tuple[int, ...]) -> None:
        """The pulses of a chunk from sample ``first``."""
        for offset in offsets:
            self._pulses.append(first + offset)
            self._new.append(first + offset)

    def begun_before(self, end: int) -> list[int]:
        """The pulses before sample ``end`` that were not asked for yet."""
        found: list[int] = []
        while self._new and self._new[0] < end:
            found.append(self._new.popleft())
        return found

    def covers(self, first: int, end: int) -> bool:
        """Whether a single pulse leaves nothing to be heard from ``first`` to ``end``; asked first, as in a train it is so."""
        pulses, length = self._pulses, self.length
        while pulses and pulses[0] + length <= first:
            pulses.popleft()
        if not pulses:
            return False
        return end - length <= pulses[0] <= first or any(end - length <= pulse <= first for pulse in pulses)

    def free(self, first: int, end: int) -> BoolArray | None:
        """Which samples from ``first`` to ``end`` are free of pulses; ``None`` when all are."""
        while self._pulses and self._pulses[0] + self.length <= first:
            self._pulses.popleft()
        if not self._pulses or self._pulses[0] >= end:
            return None
        heard = np.ones(end - first, dtype=bool)
        for pulse in self._pulses:
            heard[max(0, pulse - first) : max(0, pulse - first + self.length)] = False
        return heard

    def held_over(self, raw: Samples, heard: BoolArray) -> Samples:
        """``raw`` with blanked samples replaced by the last one heard, so that no artefact enters a filter."""
        raw = raw.copy()
        last = self._last_heard
        for i, free in enumerate(heard.tolist()):
            last = raw[i] = float(raw[i]) if free else last
        return raw

    def keep(self, last: float) -> None:
        """The last sample of what was filtered."""
        self._last_heard = last
