"""The control process's end of a face's link: orders and beats in, the newest status out."""

from __future__ import annotations

import json
import socket
import time
from typing import Any, Final, final

from stimctl.control.wire import LineSocket, line
from stimctl.errors import UsageError
from stimctl.orders import Order, Status, order_from_json, to_json

STATUS_S: Final = 0.05
"""The shortest time, in s, between two statuses that nobody asked for."""

ORDERS_MAX: Final = 32
"""Orders carried out in one pass; a face that sends more has them wait, so that it cannot hold up the loop."""


@final
class FacePort:
    """A face as the control process sees it. ``stop_line`` is for the stop thread."""

    def __init__(self, link: socket.socket, stop_line: socket.socket) -> None:
        stop_line.setblocking(False)
        self.stop_line = stop_line
        self.beat_s = time.monotonic()  # when the face last said that it is alive
        self.awake = False
        """Whether the face has ever said that it is alive: until then nobody can see what happens."""
        self.faults = 0
        self._link = LineSocket(link)
        self._orders: list[Order] = []
        self._due_s = 0.0

    def fileno(self) -> int:
        """What the control loop waits on; -1 when the face has gone."""
        return self._link.fileno()

    @property
    def closed(self) -> bool:
        """Whether the face has gone."""
        return self._link.closed

    def hello(self, facts: dict[str, Any]) -> None:
        """The first words: what the face has to know about its terminal and this process."""
        self._link.send(line({"hello": facts}))

    def bye(self, why: str) -> None:
        """The last words; then no more is sent."""
        self._link.send(line({"bye": why}))

    def orders(self) -> list[Order]:
        """The next orders; beats are taken note of on the way. Raises nothing: what is no order is counted."""
        if len(self._orders) < ORDERS_MAX:
            for one in self._link.lines():
                self._take(one)
        now, self._orders = self._orders[:ORDERS_MAX], self._orders[ORDERS_MAX:]
        return now

    def _take(self, text: bytes) -> None:
        try:
            if text.startswith(b'{"beat":'):
                self.beat_s = time.monotonic()
                self.awake = True
            else:
                self._orders.append(order_from_json(text))
        except (UsageError, AttributeError):  # the latter for JSON that is no object at all
            self.faults += 1

    def wants_status(self, *, at_once: bool) -> bool:
        """Whether a status should be made now: the last one is gone from here, and it is time (or ``at_once``)."""
        self._link.flush()
        return not self._link.closed and not self._link.backlog and (at_once or time.monotonic() >= self._due_s)

    def show(self, status: Status) -> None:
        """Send ``status``."""
        self._due_s = time.monotonic() + STATUS_S
        self._link.send(to_json(status) + b"\n")

    def close(self) -> None:
        """Close both lines. Idempotent. The stop thread must have ended."""
        self._link.close()
        self.stop_line.close()


def read_words(text: bytes) -> dict[str, Any] | None:
    """``text`` if it is a ``hello`` or ``bye``, else ``None``."""
    if not text.startswith((b'{"hello":', b'{"bye":')):
        return None
    words = json.loads(text)
    return words if isinstance(words, dict) else None
