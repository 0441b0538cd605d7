"""Two transports joined in memory: for tests, and for a twin in the same process."""

from __future__ import annotations

from threading import Lock
from typing import Final

from stimctl.errors import LinkLost
from stimctl.transport.link import Tailed, Transport

CAPACITY: Final = 65_536
"""Bytes that one direction holds before its writer has to wait: what a pseudo-terminal roughly does."""


class _Pipe:
    """One direction. The lock is held for a copy of bytes and nothing else."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._held = bytearray()
        self._lock = Lock()
        self.closed = False

    def put(self, data: bytes) -> int:
        with self._lock:
            taken = min(len(data), self._capacity - len(self._held))
            self._held += data[:taken]
            return taken

    def take(self) -> bytes:
        with self._lock:
            data = bytes(self._held)
            self._held.clear()
            return data

    def drop(self) -> None:
        with self._lock:
            self._held.clear()


class _End(Tailed):
    def __init__(self, name: str, incoming: _Pipe, outgoing: _Pipe) -> None:
        super().__init__(name)
        self._in, self._out = incoming, outgoing

    def _push(self, data: bytes) -> int:
        if self._out.closed:
            raise LinkLost(f"{self.name}: the other side is closed")
        return self._out.put(data)

    def _pull(self) -> bytes:
        closed = self._in.closed  # before taking: what is put before closing must not be missed
        data = self._in.take()
        if closed and not data:
            raise LinkLost(f"{self.name}: the other side is closed")
        return data

    def _discard(self) -> None:
        self._out.drop()

    def _shut(self) -> None:
        self._in.closed = self._out.closed = True


def memory_pair(capacity: int = CAPACITY) -> tuple[Transport, Transport]:
    """Two ends of one link; each direction holds at most ``capacity`` bytes. No file descriptors."""
    there, back = _Pipe(capacity), _Pipe(capacity)
    return _End("memory a", back, there), _End("memory b", there, back)
