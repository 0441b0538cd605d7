"""The serial side of a small board: bytes trickle in at line speed, and few of them wait while its program is deaf."""

from __future__ import annotations

from collections import deque
from typing import Final, final

_BITS: Final = 10
"""A start bit, eight of data and a stop bit: 8N1. Parity or a second stop bit makes them eleven."""


@final
class Uart:
    """What a host has written and the program has not read. ``room`` is how many bytes wait; the rest is lost.

    ``ends`` are the bytes at which the program does something, or once there are ``longest`` without one; all others it
    only collects, and nobody need be woken for those, which else is most of the work of a session in hurried time.
    """

    def __init__(
        self, baud: int, room: int, bits: int = _BITS, *, ends: bytes | None = None, longest: int | None = None
    ) -> None:
        self._byte_ns = bits * 1_000_000_000 // baud
        self._room, self._ends = room, ends
        self._longest = room if longest is None else min(room, longest)
        self._coming: deque[tuple[int, int]] = deque()
        self._wakes: deque[int] = deque()  # when bytes of ``_coming`` come that matter
        self._since = 0  # bytes put behind the last of them
        self._free_ns = 0
        self.waiting = bytearray()
        self.lost = 0

    def put(self, data: bytes, now_us: int) -> None:
        """A host writes; the bytes follow each other, and those that are still under way."""
        at_ns = max(self._free_ns, now_us * 1_000)
        for byte in data:
            at_ns += self._byte_ns
            at_us = -(-at_ns // 1_000)
            self._coming.append((at_us, byte))
            self._since += 1
            if self._ends is None or byte in self._ends or self._since >= self._longest:
                self._wakes.append(at_us)
                self._since = 0
        self._free_ns = at_ns

    @property
    def next_us(self) -> int | None:
        """When the next byte has come that the program does something about."""
        return self._wakes[0] if self._wakes else None

    def arrive(self, now_us: int) -> None:
        """Take in what has come by ``now_us``, as far as there is room."""
        while self._wakes and self._wakes[0] <= now_us:
            self._wakes.popleft()
        while self._coming and self._coming[0][0] <= now_us:
            byte = self._coming.popleft()[1]
            if len(self.waiting) < self._room:
                self.waiting.append(byte)
            else:
                self.lost += 1

    def take(self) -> int:
        """The program reads one byte of those that wait."""
        byte = self.waiting[0]
        del self.waiting[0]
        return byte

    def clear(self) -> None:
        """Forget everything: the board has been reset, or its cable pulled."""
        self._coming.clear()
        self._wakes.clear()
        self._since = 0
        self.waiting.clear()
