"""The handle that a face holds: orders down, the newest status up, a beat, and STOP."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Final, final

from stimctl.control import process, terminal
from stimctl.control.port import FacePort, read_words
from stimctl.control.wire import ENVIRONMENT, LineSocket, line
from stimctl.errors import UsageError
from stimctl.orders import Order, Status, status_from_json, to_json

GRACE_S: Final = 1.0
"""How long, in s, a face may take to leave once its control process has gone."""

ORPHANED: Final = 70
"""Exit code of a face whose control process died."""


@final
class FaceLink:
    """A face's handle; for one thread, except :meth:`stop`, which any may call. Nothing blocks.

    A face must call :meth:`beat` each 100 ms **from its event loop** (400 ms of silence with output on is a stop),
    show what :meth:`poll` gives, and leave when :attr:`closed`.
    """

    def __init__(self, link: socket.socket, stop_line: socket.socket) -> None:
        self.farewell = ""  # why the control process ended the session, once it has
        self.facts: dict[str, Any] = {}  # from the control process: "notes", "priority", "modes", "pid"
        self._link = LineSocket(link)
        self._stop_line = stop_line
        self._beats = 0

    def send(self, order: Order) -> None:
        """Give an order. Whether it was carried out shows in the next status (``refusal``)."""
        self._link.send(to_json(order) + b"\n")

    def stop(self) -> None:
        """STOP, past every queue: the stop thread itself reads this line."""
        try:
            self._stop_line.send(b"!", socket.MSG_DONTWAIT if hasattr(socket, "MSG_DONTWAIT") else 0)
        except OSError:
            return  # full: many stops wait already; or gone: the control process has stopped

    def beat(self) -> None:
        """Say that the event loop runs."""
        self._beats += 1
        # A control process that does not read gets no heap of beats to read later.
        if not self._link.backlog:
            self._link.send(line({"beat": self._beats}))
        else:
            self._link.flush()

    def poll(self) -> Status | None:
        """The newest status since the last call, if any; older ones are passed over."""
        newest = None
        for one in self._link.lines(1 << 20):
            if (words := read_words(one)) is None:
                newest = one
            else:
                self.facts = self.facts | words.get("hello", {})
                self.farewell = words.get("bye", self.farewell)
        return status_from_json(newest) if newest else None

    def fileno(self) -> int:
        """Readable when :meth:`poll` has something; -1 when closed."""
        return self._link.fileno()

    @property
    def notes(self) -> tuple[str, ...]:
        """What the operator should know about this platform's ways to stop."""
        return tuple(self.facts.get("notes", ()))

    @property
    def closed(self) -> bool:
        """Whether to leave: the control process has gone or has said goodbye."""
        return self._link.closed or bool(self.farewell)

    def close(self) -> None:
        """Hang up; the control process stops output and ends the session. Idempotent."""
        self._link.close()
        # The guard below may be waiting on this very line: shut it first, so that it wakes.
        try:
            self._stop_line.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._stop_line.close()


def link_pair() -> tuple[FacePort, FaceLink]:
    """Both ends of a link within one process, for tests of faces."""
    (link, link_far), (stop, stop_far) = socket.socketpair(), socket.socketpair()
    return FacePort(link, stop), FaceLink(link_far, stop_far)


def face_link() -> FaceLink:
    """The handle of this process, which a control process started; raises :class:`UsageError` in any other."""
    address = os.environ.pop(ENVIRONMENT, "")
    how, _, where = address.partition(":")
    try:
        if how == "tcp":
            link, stop_line = (_call(where, name) for name in ("link", "stop"))
        else:
            link, stop_line = (socket.socket(fileno=int(fd)) for fd in where.split(","))
            link.set_inheritable(False)
            stop_line.set_inheritable(False)
    except (ValueError, OverflowError, OSError):
        raise UsageError("a screen cannot be started by itself; start stimctl without --face") from None
    return FaceLink(link, stop_line)


def _call(where: str, name: str) -> socket.socket:
    """Connect to the control process on this machine, and say the secret and which line this is."""
    port, _, secret = where.partition(":")
    sock = socket.create_connection(("127.0.0.1", int(port)), timeout=5)
    sock.sendall(f"{secret} {name}\n".encode())
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def run_face(main: Callable[[FaceLink], int | None]) -> int:
    """Run a face in this process, which a control process started; returns its exit code.

    ``main`` gets the handle and paints until it is done or the handle is ``closed``. Should the control process be
    killed, this process leaves within :data:`GRACE_S`, whatever it is busy with, and gives the terminal back.
    """
    link = face_link()
    guard = _Guard(link)
    process.die_with_parent()
    guard.start()
    try:
        code = main(link) or 0
    except BaseException:
        if not _deserted(link, guard):
            raise
        code = ORPHANED  # its control process died under it: what it stumbled over is of no interest
    return guard.orphaned() if _deserted(link, guard) else code


def _deserted(link: FaceLink, guard: _Guard) -> bool:
    """Hang up, when the face is done; whether its control process had died before."""
    guard.left.set()
    if not link.facts:
        link.poll()  # it went before it had ever listened
    lost = link.closed and not link.farewell
    link.close()
    if sys.platform == "win32":
        return lost  # there, nobody tells a process that its parent has gone
    return guard.is_orphan or (lost and guard.await_orphan())


class _Guard(threading.Thread):
    """Waits for the control process to go, and sees to it that this process goes as well."""

    def __init__(self, link: FaceLink) -> None:
        super().__init__(name="stimctl-guard", daemon=True)
        self.left = threading.Event()
        self._link = link
        self._stop_line = link._stop_line.dup()  # noqa: SLF001 - one more end of the same line, to wait on
        self._parent = os.getppid()

    @property
    def is_orphan(self) -> bool:
        """Whether our parent is no more, or is not the control process that said hello."""
        return bool(os.getppid() != self._link.facts.get("pid", self._parent))

    def run(self) -> None:
        self._stop_line.setblocking(True)
        try:
            self._stop_line.recv(1)  # nothing is ever sent this way: it returns when the other side has gone
        except OSError:
            pass
        if not self.left.wait(GRACE_S):
            if not self._link.facts:
                self._link.poll()  # not our thread's to call, but nobody else will any more
            # The face hangs; while the control process lives, that one gives the terminal back.
            os._exit(self.orphaned() if self.is_orphan else ORPHANED)

    def await_orphan(self) -> bool:
        """:attr:`is_orphan`, once it is known: a dying process closes its sockets shortly before it is gone."""
        deadline = time.monotonic() + GRACE_S
        while not self.is_orphan and time.monotonic() < deadline:
            time.sleep(0.005)
        return self.is_orphan

    def orphaned(self) -> int:
        """Give the terminal back, as the control process no longer can; returns the exit code."""
        modes = self._link.facts.get("modes")
        fd = terminal.terminal_fd()
        if modes and fd is not None:
            before, raw = map(terminal.modes_from_json, modes)
            terminal.give_back(fd, before, raw=raw, screen=True)
            told = "stimctl: the control process died; the board ends output by itself within half a second."
            terminal.write_terminal(fd, f"{told} If it does not, use the stop switch.\r\n".encode())
        return ORPHANED
