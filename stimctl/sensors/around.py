"""What stimulation pulses leave of each block to be heard, and what the train that they make has to say.

Most of the time no pulse is near. Then nothing is asked of blanking or train: what they want to know of the time before a pulse
is put by as it comes, and handed on now and then.
"""

from __future__ import annotations

import math
from typing import Final, final

import numpy as np

from stimctl.sensors.blanking import Blanking, BoolArray
from stimctl.sensors.samples import Samples
from stimctl.sensors.trains import APART_MS, Frame, Train

PUT_BY: Final = 20
"""So many blocks are put by at the most: two thirds of what a train looks back upon, and seldom enough to cost nothing."""


Left = tuple[Samples | None, BoolArray | None, bool, Frame | None]
"""What is left of a block: what may be filtered, ``None`` where nothing is; which samples of it are the block's own, ``None`` for
all; whether a train is under way in which only a frame may speak; and the frame, if one became whole.
"""


@final
class AroundPulses:
    """The pulses of one channel at ``rate_hz``, block by block of ``block`` samples."""

    def __init__(self, rate_hz: float, block: int, blanking_ms: float) -> None:
        self._block = block
        self.train = Train(rate_hz, block, blanking_ms)
        self._blanking = Blanking(rate_hz, blanking_ms)
        # A train is over so long after its last pulse, and no blanking lasts as long.
        self._matter = max(math.floor(APART_MS * rate_hz / 1e3) + 1, self._blanking.length)
        self._by: list[float] = []
        self._most = PUT_BY * block
        self.forget()

    def __len__(self) -> int:
        return len(self._blanking) + len(self._by)

    def forget(self) -> None:
        """No pulse has come, and no sample."""
        self._hand_on(0)
        self.plain_from = 0
        """What begins with this sample, or later, has nothing to do with any pulse that came so far."""
        self._blanking.reset()
        self.train.forget()

    def note(self, first: int, offsets: tuple[int, ...]) -> None:
        """The pulses of a chunk from sample ``first``."""
        self._blanking.note(first, offsets)
        self.plain_from = first + max(offsets) + self._matter

    def put_by(self, listed: list[float], first: int) -> None:
        """The block from sample ``first``, behind :attr:`plain_from`."""
        if len(self._by) >= self._most:
            self._hand_on(first)
        self._by += listed

    def _hand_on(self, end: int) -> None:
        """What was put by, up to sample ``end``, is for who has to know."""
        if by := self._by:
            self.train.push(np.array(by), end - len(by), [], 0.0)
            self._blanking.keep(by[-1])
            self._by = []

    def look(self, raw: Samples, first: int, floor: float) -> Left:
        """The block from sample ``first``, before :attr:`plain_from`. ``floor``: power of rest, which a frame holds at the least."""
        if self._by:
            self._hand_on(first)
        end, blanking, train = first + self._block, self._blanking, self.train
        frame = train.push(raw, first, blanking.begun_before(end), floor)
        in_train = train.speaks and train.runs(first)
        if blanking.covers(first, end):
            return None, None, in_train, frame
        heard = blanking.free(first, end)
        if heard is None:
            return raw, None, in_train, frame
        return (blanking.held_over(raw, heard) if heard.any() else None), heard, in_train, frame

    def keep(self, last: float) -> None:
        """The last sample of what was filtered of the block that was looked at."""
        self._blanking.keep(last)
