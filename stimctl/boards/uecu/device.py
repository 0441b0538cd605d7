"""How a UECU board takes in frames: for its twin. It trusts the length of a frame and waits for the rest without end."""

from __future__ import annotations

from collections import Counter
from typing import final

from stimctl.boards.uecu.codec import TO_BOARD, Raw, checksum

_HEAD = 4


@final
class Receiver:
    """Bytes one by one in, intact frames out. Nobody knows of a time-out between bytes, so there is none.

    Whatever comes while a frame is awaited belongs to it, also what was meant for the next one; a frame whose checksum
    is wrong is dropped as a whole, and its type stands in :attr:`spoilt` until the next one.
    """

    def __init__(self) -> None:
        self._frame = bytearray()
        self.faults: Counter[str] = Counter()
        self.spoilt: int | None = None

    @property
    def awaits(self) -> bool:
        """Whether half a frame has been heard."""
        return bool(self._frame)

    def feed(self, byte: int) -> Raw | None:
        """The frame that ``byte`` completes, if it does and is intact."""
        frame, self.spoilt = self._frame, None
        frame.append(byte)
        if len(frame) <= len(TO_BOARD) and not TO_BOARD.startswith(bytes(frame)):
            frame.clear()
            if byte == TO_BOARD[0]:
                frame.append(byte)
            else:
                self.faults["noise"] += 1
            return None
        if len(frame) < _HEAD or len(frame) < _HEAD + frame[3] + 1:
            return None
        raw, right = Raw(frame[2], bytes(frame[4:-1])), checksum(bytes(frame[:-1])) == frame[-1]
        frame.clear()
        if right:
            return raw
        self.faults["checksum"] += 1
        self.spoilt = raw.number
        return None
