"""Frames out of a stream of bytes, for every ScienceMode: finds the next one after whatever noise, and holds little.

A byte behind an escape is data, in the head too, so a head may show a start or a stop byte. A bare start byte begins
anew; a bare stop byte ends. A frame is intact if its head is byte for byte the head that we would write before its
body: length and checksum need no second reading. When a frame is not, the search goes on right behind its start byte
and not behind its end, so that a good frame is found even where the damage before it ended in an escape.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from stimctl.boards.sciencemode.framing import ESCAPE, START, STOP, unstuff, unstuff_any

FrameT = TypeVar("FrameT")

PREFIX: Final = 2
"""Bytes that a body has at least, in every version: the packet number and the command."""

_BODY: Final = rb"[^\xf0\x0f\x81]*+(?:\x81.[^\xf0\x0f\x81]*+)*+"
_SHORT: Final = 32
_KEPT_MAX: Final = 512


class FrameDecoder(Generic[FrameT]):
    """Bytes in any portions in, intact frames out. Never raises, and holds less than ``wire_max`` bytes.

    ``fields`` is how many bytes the head has before stuffing; ``head`` makes it, start byte included, from a stuffed body
    of any length that ``wire_max`` leaves room for; ``make`` makes a frame, which is a value, of an unstuffed body.
    """

    def __init__(
        self, fields: int, head: Callable[[bytes], bytes], wire_max: int, make: Callable[[bytes], FrameT]
    ) -> None:
        pairs = rb"\x81." * fields
        self._whole = re.compile(rb"\xf0" + pairs + rb"(" + _BODY + rb")\x0f", re.DOTALL)
        in_head = rb"(?:\x81.){0,%d}\x81?" % (fields - 1)
        self._begun = re.compile(rb"\xf0(?:" + in_head + rb"|" + pairs + _BODY + rb"\x81?)\Z", re.DOTALL)
        self._head, self._make, self._size, self._max = head, make, 1 + 2 * fields, wire_max
        # What a board says is mostly what it has said before, under the same few packet numbers.
        self._kept: dict[bytes, FrameT] = {}
        self._tail = b""
        self.damaged = 0
        """Frames with a beginning and an end that were dropped: length or checksum wrong, or too short for a command."""

    @property
    def held(self) -> int:
        """Bytes that wait for the rest of a frame."""
        return len(self._tail)

    def feed(self, data: bytes) -> tuple[FrameT, ...]:
        """All frames that ``data`` completes, in order; how the bytes are split over calls makes no difference."""
        buffer = self._tail + data if self._tail else bytes(data)
        frames: list[FrameT] = []
        at, size = 0, self._size
        while (stop := buffer.find(STOP, at + size)) >= 0:
            # The common case: a frame begins right here. Its first stop byte behind the head is then its end, as what
            # has to be escaped shows none; whatever does not look so is left to the slow way, which knows all cases.
            frame = self._kept.get(buffer[at : stop + 1]) if stop - at < _SHORT else None
            if frame is None:
                frame = self._here(buffer, at, stop)
            if frame is None:
                at, frame = self._search(buffer, at)
                if frame is None:
                    break
                frames.append(frame)
            else:
                frames.append(frame)
                at = stop + 1
        self._tail = self._rest(buffer, at) if at < len(buffer) else b""
        return tuple(frames)

    def _here(self, buffer: bytes, at: int, stop: int) -> FrameT | None:
        """The frame from ``at`` to ``stop``, if it is one in which no more and no less is escaped than has to be."""
        wire = buffer[at + self._size : stop]
        if stop - at >= self._max or not buffer.startswith(self._head(wire), at) or START in wire:
            return None
        body = wire if ESCAPE not in wire else unstuff(wire)
        if body is None or len(body) < PREFIX:
            return None
        frame = self._make(body)
        if stop - at < _SHORT:
            if len(self._kept) >= _KEPT_MAX:
                self._kept.clear()
            self._kept[buffer[at : stop + 1]] = frame
        return frame

    def _search(self, buffer: bytes, at: int) -> tuple[int, FrameT | None]:
        """Where the next intact frame from ``at`` on ends, and it; where to look for the beginning of one, and ``None``."""
        while (found := self._whole.search(buffer, at)) is not None:
            start, end = found.span()
            wire: bytes = found[1]
            if end - start <= self._max:  # a longer one is none, and would be gone already had it come in two portions
                if buffer.startswith(self._head(wire), start) and len(body := unstuff_any(wire)) >= PREFIX:
                    return end, self._make(body)
                self.damaged += 1
            at = start + 1
        return at, None

    def _rest(self, buffer: bytes, at: int) -> bytes:
        """What may still become a frame: from the first start byte on that nothing has ended yet."""
        while (found := self._begun.search(buffer, at)) is not None:
            if len(buffer) - found.start() < self._max:
                return buffer[found.start() :]
            at = found.start() + 1
        return b""
