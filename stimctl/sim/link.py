"""A twin behind a transport in memory: for sessions on the simulated board, and for tests."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Final, Generic, TypeVar

from stimctl.errors import LinkLost
from stimctl.sim.served import Wired

TwinT = TypeVar("TwinT", bound=Wired)

NAME: Final = "simulated board"

_UNREAD_MAX: Final = 1 << 16


class SimLink(Generic[TwinT]):
    """A :class:`~stimctl.transport.Transport` whose other end is a twin that lives as often as it is looked at.

    ``clock`` gives µs; the twin is brought up to it before every byte goes in or out. A write never waits: if
    another thread is inside just then (a stop beside the control loop), that thread carries the bytes in before it leaves.
    """

    def __init__(self, twin: TwinT, clock: Callable[[], int]) -> None:
        self.twin = twin
        self.name = NAME
        self._clock = clock
        self._lock = Lock()
        self._arrived: deque[bytes] = deque()
        self._unread = bytearray()
        self._closed = False

    def write(self, data: bytes, *, urgent: bool = False) -> None:
        """Hand over ``data``; ``urgent`` overtakes what has not reached the twin. :class:`LinkLost` once closed."""
        self._check_open()
        if urgent:
            self._arrived.clear()
        self._arrived.append(data)
        self._carry()

    def read(self) -> bytes:
        """What the board has said by now; raises :class:`LinkLost` once closed."""
        self._check_open()
        with self._lock:
            self._settle()
            data = bytes(self._unread)
            self._unread.clear()
        self._carry()
        return data

    def pending(self) -> int:
        """Always 0: the twin takes whatever comes."""
        return 0

    def fileno(self) -> int | None:
        """Nothing to select on; ask :meth:`next_event_us` when to look again."""
        return None

    def close(self) -> None:
        """Pull the plug. The twin lives on, and its dead-man with it, for whoever holds it."""
        self._closed = True

    def next_event_us(self, now_us: int) -> int | None:
        """When the board will next have something to say or do by itself; ``now_us`` if it has already."""
        with self._lock:
            due_us = now_us if self._unread else self.twin.next_event_us(now_us)
        if not self._arrived:
            return due_us
        self._carry()  # a stop that came while the lock was held here
        return now_us

    def _carry(self) -> None:
        """Bring waiting bytes to the twin, unless another thread is there: it looks again after it has left."""
        while self._arrived and self._lock.acquire(blocking=False):
            try:
                self._settle()
            finally:
                self._lock.release()

    def _settle(self) -> None:
        now_us = self._clock()
        while self._arrived:
            try:
                data = self._arrived.popleft()
            except IndexError:  # an urgent write has just thrown it away
                break
            self.twin.feed(data, now_us)
        self.twin.advance(now_us)
        said = self.twin.outgoing()
        if said:
            self._unread += said
            del self._unread[:-_UNREAD_MAX]

    def _check_open(self) -> None:
        if self._closed:
            raise LinkLost(f"the {self.name} is unplugged")
