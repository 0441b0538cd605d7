"""Frames out of a stream of bytes, for every ScienceMode: finds the next one after whatever noise, and holds little.

A byte behind an escape is data, in the head too, so a head may show a start or a stop byte. A bare start byte begins
anew; a bare stop byte ends. A frame is intact if its head is byte for byte the head that we would write before its
body: length and checksum need no second reading. When a frame is not, the search goes on right behind its start byte
and not behind its end, so that a good frame is found even where the damage before it ended in an escape.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, final

from stimctl.boards.sciencemode.framing import START, STOP, unstuff, unstuff_any

_BODY: Final = rb"[^\xf0\x0f\x81]*+(?:\x81.[^\xf0\x0f\x81]*+)*+"


@final
class Walk:
    """Bytes in any portions in, bodies of intact frames out. Never raises; holds less than ``wire_max`` bytes.

    ``fields`` is how many bytes the head has before stuffing; ``head`` makes it, start byte included, from a stuffed
    body that may be too short to mean anything. How the bytes are split over calls makes no difference to what comes out in all.
    """

    def __init__(self, fields: int, head: Callable[[bytes], bytes], wire_max: int) -> None:
        pairs = rb"\xf0" + rb"\x81." * fields
        self._whole = re.compile(pairs + rb"(" + _BODY + rb")\x0f", re.DOTALL)
        begun = rb"(?:\x81.){0,%d}\x81?" % (fields - 1)
        self._begun = re.compile(rb"\xf0(?:" + begun + rb"|" + pairs[4:] + _BODY + rb"\x81?)\Z", re.DOTALL)
        self._head, self._size, self._max = head, 1 + 2 * fields, wire_max
        self._tail = b""
        self.damaged = 0
        """Frames with a beginning and an end whose length or checksum was wrong."""

    @property
    def held(self) -> int:
        """Bytes that wait for more."""
        return len(self._tail)

    def feed(self, data: bytes) -> list[bytes]:
        """The bodies, unstuffed, of all frames that ``data`` completes, in order."""
        buffer = self._tail + data if self._tail else data
        bodies: list[bytes] = []
        at = 0
        while (stop := buffer.find(STOP, at + self._size)) >= 0:
            # The common case: a frame begins right here. Its first stop byte behind the head is then its end, as what
            # has to be escaped shows none; whatever does not look so is left to the slow way, which knows all cases.
            wire = buffer[at + self._size : stop]
            if (
                stop - at < self._max
                and START not in wire
                and buffer.startswith(self._head(wire), at)
                and (body := unstuff(wire)) is not None
            ):
                bodies.append(body)
                at = stop + 1
            else:
                at, body = self._next(buffer, at)
                if body is None:
                    break
                bodies.append(body)
        self._tail = self._rest(buffer, at) if at < len(buffer) else b""
        return bodies

    def _next(self, buffer: bytes, at: int) -> tuple[int, bytes | None]:
        """The next intact frame from ``at`` on, and where it ends; ``None`` and where to look for the beginning of one."""
        while (found := self._whole.search(buffer, at)) is not None:
            start, end = found.span()
            wire: bytes = found[1]
            if end - start <= self._max:  # a longer one is none, and would be gone already had it come in two portions
                if buffer.startswith(self._head(wire), start):
                    return end, unstuff_any(wire)
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
