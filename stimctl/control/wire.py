"""The lines between the control process and a face: JSON, one value a line, over a pair of sockets.

====================  ==========================================================================
face to control       an :class:`~stimctl.orders.Order`, or ``{"beat": n}`` each 100 ms
control to face       ``{"hello": …}`` twice (before the face is born, and once all is known), then a
                      :class:`~stimctl.orders.Status` at most 20 times a second,
                      and ``{"bye": "why"}`` when the session has ended
====================  ==========================================================================

A second socket carries the face's STOP: any byte. It waits behind nothing, and the stop thread reads it.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any, Final, final

LINE_MAX: Final = 1 << 18
"""Bytes in a line; a longer one breaks the link."""

BEAT_S: Final = 0.1
"""How often, in s, a face says that it is alive."""

ENVIRONMENT: Final = "STIMCTL_FACE"
"""Where a face finds its link: ``fds:LINK,STOP``, or ``tcp:PORT:SECRET`` where descriptors cannot be handed on."""


def line(value: dict[str, Any]) -> bytes:
    """``value`` as one line."""
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


@final
class LineSocket:
    """A non-blocking socket that reads and writes whole lines. ``closed`` once the other side has gone."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.closed = False
        self._sock = sock
        self._in = bytearray()
        self._out = bytearray()

    def fileno(self) -> int:
        """What to wait on; -1 when closed."""
        return self._sock.fileno()

    @property
    def backlog(self) -> int:
        """Bytes that the other side has not taken yet."""
        return len(self._out)

    def send(self, data: bytes) -> None:
        """Send ``data``, whole lines, now or with a later :meth:`flush`; never blocks, never raises."""
        if not self.closed:
            self._out += data
            self.flush()

    def flush(self) -> None:
        """Send what is left over, as far as the other side takes it."""
        try:
            while self._out and not self.closed:
                del self._out[: self._sock.send(self._out)]
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._receive(LINE_MAX)  # the other side has gone, but its last words may have come
            self.close()

    def lines(self, limit: int = 1 << 16) -> Iterator[bytes]:
        """The lines that have come, reading no more than about ``limit`` bytes."""
        self._receive(limit)
        *whole, rest = self._in.split(b"\n")
        self._in = rest
        if len(rest) > LINE_MAX:
            self.close()
        yield from (bytes(one) for one in whole)

    def _receive(self, limit: int) -> None:
        try:
            while limit > 0 and not self.closed:
                data = self._sock.recv(1 << 16)
                self._in += data
                limit -= len(data)
                if not data:
                    self.close()
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.close()

    def close(self) -> None:
        """Close it. Idempotent."""
        self.closed = True
        self._sock.close()
