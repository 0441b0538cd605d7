"""What stimulation pulses leave of each block to be heard, and what the train that they make has to say.

Most of the time no pulse is near. Then neither blanking nor train is asked anything, or told more than the last sample.
"""

from __future__ import annotations

import math
from typing import final

from stimctl.sensors.blanking import Blanking, BoolArray
from stimctl.sensors.samples import Samples
from stimctl.sensors.trains import APART_MS, Frame, Train

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
        self.passed: float | None = None
        """The last sample that was not looked at, being behind :attr:`plain_from`; to be set by whoever passes by."""
        self.forget()

    def __len__(self) -> int:
        return len(self._blanking)

    def forget(self) -> None:
        """No pulse has come, and no sample."""
        self._come_back()
        self.plain_from = 0
        """What begins with this sample, or later, has nothing to do with any pulse that came so far."""
        self._blanking.reset()
        self.train.forget()

    def note(self, first: int, offsets: tuple[int, ...]) -> None:
        """The pulses of a chunk from sample ``first``."""
        self._blanking.note(first, offsets)
        self.plain_from = first + max(offsets) + self._matter

    def _come_back(self) -> None:
        """After a stretch far from any pulse, which nobody was told of."""
        if self.passed is not None:
            # No frame reaches back before the first pulse of its train, and the next pulse begins one.
            self.train.forget()
            self._blanking.keep(self.passed)
            self.passed = None

    def look(self, raw: Samples, first: int, floor: float) -> Left:
        """The block from sample ``first``, before :attr:`plain_from`. ``floor``: power of rest, which a frame holds at the least."""
        self._come_back()
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
