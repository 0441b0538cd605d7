"""Frames of the reference board: bytes in, words out, and back. Sans-IO; host and board speak through the same code.

A frame is ``END, stuffed(version, type, length, sequence, token, payload, CRC-32), END``; ``hw/wire.md`` has the
bytes. Byte stuffing and not COBS because ``bytes.replace`` does it in C, and because the length field then catches
whatever a flipped bit does to the stuffing; CRC-32 because ``zlib`` has it and a noisy line delivers many chances.
"""

from __future__ import annotations

import struct
from collections import Counter
from typing import Final, NamedTuple, final
from zlib import crc32

from stimctl.boards.reference import layout
from stimctl.boards.reference import messages as m
from stimctl.boards.reference.reading import Malformed, unpack
from stimctl.errors import OurBug

VERSION: Final = 1
BODY_MAX: Final = 512
"""Most bytes of a frame before stuffing: an update of 16 outputs has 343, an honest chunk of samples fits too."""

WIRE_MAX: Final = 2 * BODY_MAX
"""Most stuffed bytes between two delimiters; a decoder never holds more."""

END: Final = b"\xc0"
_ESC: Final = b"\xdb"
_ESC_END: Final = b"\xdb\xdc"
_ESC_ESC: Final = b"\xdb\xdd"

_HEAD: Final = struct.Struct("<BBHHI")  # version, type, payload length, sequence, token
_CRC: Final = struct.Struct("<I")
_OVERHEAD: Final = _HEAD.size + _CRC.size


def _stuff(body: bytes) -> bytes:
    return body.replace(_ESC, _ESC_ESC).replace(END, _ESC_END)


def _unstuff(wire: bytes) -> bytes:
    return wire.replace(_ESC_END, END).replace(_ESC_ESC, _ESC)


def build(number: int, payload: bytes, *, sequence: int, token: int) -> bytes:
    """A frame of type ``number`` around ``payload``; raises :class:`OurBug` when something does not fit."""
    try:
        head = _HEAD.pack(VERSION, number, len(payload), sequence, token)
    except struct.error as error:
        raise OurBug(f"sequence {sequence} or token {token} does not fit the wire: {error}") from None
    if len(payload) + _OVERHEAD > BODY_MAX:
        raise OurBug(f"{len(payload)} bytes of payload do not fit a frame")
    body = head + payload
    return END + _stuff(body + _CRC.pack(crc32(body))) + END


def encode(word: m.Word, *, sequence: int, token: int = 0) -> bytes:
    """The frame of any word but an update, ready to write.

    ``sequence`` is 0 to 65535, ``token`` 0 to 2^32-1. Raises :class:`OurBug` for an :class:`~messages.Update`
    (amplitudes leave only through ``update.encode_update``) and for fields that do not fit.
    """
    if type(word) is m.Update:
        raise OurBug("an update is encoded from what the limiter approved, and from nothing else")
    return build(layout.type_number(word), layout.pack(word), sequence=sequence, token=token)


STOP_FRAME: Final = encode(m.Stop(), sequence=0)
"""Constant. Its leading delimiter ends whatever half frame stands in the line, so it can be written at any instant."""


@final
class Frame(NamedTuple):
    """One intact frame. ``crc`` tells an exact repetition from another command under the same sequence."""

    sequence: int
    token: int
    word: m.Word
    crc: int


class Decoder:
    """Bytes in any portions in, intact frames out. Never raises and never holds more than :data:`WIRE_MAX` bytes.

    What is not an intact frame is dropped up to the next delimiter and counted in :attr:`faults` by what was wrong:
    ``escape``, ``length``, ``crc``, ``version``, ``payload`` or ``oversize``.
    """

    def __init__(self) -> None:
        self._tail = b""
        self._skipping = False
        self.faults: Counter[str] = Counter()

    @property
    def malformed(self) -> int:
        """How many frames were dropped so far."""
        return self.faults.total()

    def feed(self, data: bytes) -> tuple[Frame, ...]:
        """All frames that ``data`` completes, in order; how the bytes are split over calls makes no difference."""
        *complete, self._tail = (self._tail + data).split(END)
        frames = []
        for wire in complete:
            if self._skipping:
                self._skipping = False  # the rest of an oversized frame, counted when it grew too long
            elif wire and (frame := self._read(wire)) is not None:
                frames.append(frame)
        self._bound_tail()
        return tuple(frames)

    def _bound_tail(self) -> None:
        if self._skipping:
            self._tail = b""
        elif len(self._tail) > WIRE_MAX:
            self._skipping, self._tail = True, b""
            self.faults["oversize"] += 1

    def _read(self, wire: bytes) -> Frame | None:
        try:
            return _open(wire)
        except Malformed as fault:
            self.faults[str(fault)] += 1
            return None


def _open(wire: bytes) -> Frame:
    """The frame between two delimiters; raises :class:`~reading.Malformed` with one word for what is wrong."""
    if len(wire) > WIRE_MAX:
        raise Malformed("oversize")
    body = _unstuff(wire)
    if _stuff(body) != wire:  # an escape byte that escapes nothing
        raise Malformed("escape")
    if not _OVERHEAD <= len(body) <= BODY_MAX:
        raise Malformed("length")
    version, number, length, sequence, token = _HEAD.unpack_from(body)
    if len(body) != length + _OVERHEAD:
        raise Malformed("length")
    (crc,) = _CRC.unpack_from(body, len(body) - _CRC.size)
    if crc != crc32(body[: -_CRC.size]):
        raise Malformed("crc")
    if version != VERSION and number != layout.STOP_TYPE:  # a stop is a stop, whoever speaks
        raise Malformed("version")
    try:
        return Frame(sequence, token, unpack(number, body[_HEAD.size : -_CRC.size]), crc)
    except Malformed:
        raise Malformed("payload") from None
