"""Frames of the UECU board: its host's ``04 80 type length data sum`` and its own, wrapped by a display controller. Sans-IO.

The host's checksum is one byte of a sum with its carry added, inverted: it cannot tell ``00`` from ``FF`` and is blind to
bytes that change places. What the board says has a CRC-16.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple, final

from stimctl.boards.uecu.layout import answer, data_of
from stimctl.boards.uecu.words import BoardWord, HostWord

SURFACE: Final = 0x04
"""The address of a surface board, and of no other."""

HOST: Final = 0x80

TO_BOARD: Final = bytes((SURFACE, HOST))
FROM_BOARD: Final = b"\x02\x34\xaa"
_BACK: Final = bytes((HOST, SURFACE))

DATA_MAX: Final = 16
"""Most bytes of data in a word that we know is 9; frames that announce more are noise."""

_HEAD: Final = 8  # 02 34 AA n 80 04 type length
_CRC: Final = 2
_POLYNOMIAL, _SEED = 0xA001, 0xFFFF


def checksum(body: bytes) -> int:
    """The last byte of a host's frame, over all before it."""
    total = sum(body)
    return ((total & 0xFF) + (total >> 8)) & 0xFF ^ 0xFF


def crc16(body: bytes) -> bytes:
    """The last two bytes of a board's frame, low byte first, over all before them."""
    value = _SEED
    for byte in body:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ _POLYNOMIAL if value & 1 else value >> 1
    return value.to_bytes(2, "little")


def frame(number: int, data: bytes) -> bytes:
    """A host's frame around ``data``."""
    body = TO_BOARD + bytes((number, len(data))) + data
    return body + bytes((checksum(body),))


def encode(word: HostWord) -> bytes:
    """The frame of ``word``, ready to write; raises :class:`~stimctl.errors.OurBug` for what must not be sent."""
    return frame(*data_of(word))


def wrap(number: int, data: bytes, count: int) -> bytes:
    """A board's frame around ``data``; ``count`` is a byte of the display controller's own."""
    body = FROM_BOARD + bytes((count & 0xFF,)) + _BACK + bytes((number, len(data))) + data
    return body + crc16(body)


@final
class Raw(NamedTuple):
    """Type and data of one intact host's frame."""

    number: int
    data: bytes


class Decoder:
    """A board's bytes in any portions in, one word for each intact frame out. Never raises; holds at most 26 bytes.

    What is not an intact frame is passed over byte by byte, so that a frame behind noise is heard; :attr:`faults` counts
    ``noise`` (bytes), ``length`` and ``crc``.
    """

    def __init__(self) -> None:
        self._tail = b""
        self.faults: Counter[str] = Counter()

    @property
    def malformed(self) -> int:
        """How many frames were broken so far."""
        return self.faults["length"] + self.faults["crc"]

    @property
    def held(self) -> int:
        """Bytes of the frame that is under way."""
        return len(self._tail)

    def feed(self, data: bytes) -> tuple[BoardWord, ...]:
        """All words that ``data`` completes, in order; how the bytes are split makes no difference."""
        tail, at, found = self._tail + data, 0, []
        while (end := self._end(tail, at)) != 0:
            if end > 0:
                found.append(answer(tail[at + 6], tail[at + _HEAD : end - _CRC]))
                at = end
            else:
                at += 1
        self._tail = tail[at:]
        return tuple(found)

    def _end(self, tail: bytes, at: int) -> int:
        """Where the frame that begins at ``at`` ends; 0: not all of it is here; -1: none begins here."""
        head = tail[at : at + _HEAD]
        if not head:
            return 0
        known = FROM_BOARD + head[3:4] + _BACK
        if head[:6] != known[: min(len(head), 6)]:
            self.faults["noise"] += 1
            return -1
        if len(head) < _HEAD:
            return 0
        if head[7] > DATA_MAX:
            self.faults["length"] += 1
            return -1
        end = at + _HEAD + head[7] + _CRC
        if len(tail) < end:
            return 0
        if crc16(tail[at : end - _CRC]) != tail[end - _CRC : end]:
            self.faults["crc"] += 1
            return -1
        return end
