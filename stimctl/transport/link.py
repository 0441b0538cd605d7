"""What every way to a board has in common: the protocol, and the tail of bytes that the peer has not taken yet."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final, Protocol

from stimctl.errors import LinkLost

WRITE_MAX_S: Final = 0.02
"""Longest time that a write may take."""

TAIL_MAX: Final = 4096
"""Most bytes that wait for a peer that does not read; with more, the link counts as lost."""


class Transport(Protocol):
    """A byte stream to a board.

    Not thread-safe by itself. But an urgent write beside another call is handed over whole if the peer takes it at
    once: that is what a stop needs when it cannot wait for a lock.
    """

    name: str
    """What a person calls it, such as the port."""

    def write(self, data: bytes, *, urgent: bool = False) -> None:
        """Hand over ``data``, within 20 ms. What the peer does not take now waits, at most 4096 bytes.

        ``urgent`` overtakes: whatever still waits, here and where possible in the operating system, is thrown away
        first, even in the middle of a frame. Raises :class:`LinkLost` on any error and when too much waits.
        """

    def read(self) -> bytes:
        """Whatever has arrived, ``b""`` if nothing has; also hands over what waits. Never blocks.

        Raises :class:`LinkLost` when the peer is gone; what had arrived before is returned first.
        """

    def pending(self) -> int:
        """Bytes that wait for the peer here; a new setting should not queue behind them."""

    def fileno(self) -> int | None:
        """What ``select`` can wait on for reading, or ``None``."""

    def close(self) -> None:
        """Idempotent; never raises."""


class Tailed(ABC):
    """A transport over a pipe that takes only as many bytes as it likes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._tail = b""
        self._closed = False

    def write(self, data: bytes, *, urgent: bool = False) -> None:
        """See :meth:`Transport.write`."""
        self._check_open()
        if urgent:
            # The order matters to a second thread in _flush(): it may still push what it holds, never what we cleared.
            self._tail = b""
            self._discard()
            self._tail = data[self._push(data) :]
            return
        self._flush()
        taken = self._push(data) if not self._tail else 0
        if len(self._tail) + len(data) - taken > TAIL_MAX:
            raise LinkLost(f"{self.name} takes no more data; check the board and the cable")
        self._tail += data[taken:]

    def read(self) -> bytes:
        """See :meth:`Transport.read`."""
        self._check_open()
        data = self._pull()  # first, so that the last words of a dying peer are heard
        if not data:
            self._flush()
        return data

    def pending(self) -> int:
        """See :meth:`Transport.pending`."""
        return len(self._tail)

    def close(self) -> None:
        """See :meth:`Transport.close`."""
        if not self._closed:
            self._closed = True
            self._shut()

    def fileno(self) -> int | None:
        """See :meth:`Transport.fileno`."""
        return None

    def _flush(self) -> None:
        if self._tail:
            tail = self._tail
            rest = tail[self._push(tail) :]
            if self._tail is tail:  # else an urgent write has thrown it away meanwhile
                self._tail = rest

    def _check_open(self) -> None:
        if self._closed:
            raise LinkLost(f"{self.name} is closed")

    @abstractmethod
    def _push(self, data: bytes) -> int:
        """How many bytes of ``data`` were taken, 0 to all; within 20 ms. Raises :class:`LinkLost`."""

    @abstractmethod
    def _pull(self) -> bytes:
        """What has arrived; does not block. Raises :class:`LinkLost` when there is nothing and never will be."""

    @abstractmethod
    def _discard(self) -> None:
        """Throw away what was pushed but has not left yet, where that can be done. Never raises."""

    @abstractmethod
    def _shut(self) -> None:
        """Release the pipe. Never raises."""
