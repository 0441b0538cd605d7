"""Signals on their way to the stop thread, past the main thread.

Python runs a signal's handler in the main thread, between two bytecodes, whenever that comes about. The number of the
signal, though, is written to a wake-up descriptor at once, from C: the stop thread waits on the other end.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any, Final, Self, final

from stimctl.errors import OurBug


def _named(*names: str) -> frozenset[int]:
    """Those of ``names`` that this platform has."""
    return frozenset(int(getattr(signal, name)) for name in names if hasattr(signal, name))


STOPS: Final = _named("SIGINT", "SIGTSTP")
"""Stop and stay. Ctrl+Z must not suspend: a suspended controller has no stop key."""

ENDS: Final = _named("SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGXCPU")
"""Stop and end the session. The last four would otherwise kill the process without a word."""

IGNORED: Final = _named("SIGPIPE", "SIGTTIN", "SIGTTOU")
"""In the background, a read fails with an error, which ends the session, rather than suspending it."""

FACE_BLOCKS: Final = _named("SIGINT", "SIGQUIT", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGCONT")
"""What a face never sees: signals from the keyboard are the control process's business.

Blocked and not ignored, because Textual sets handlers of its own. SIGCONT wakes a process even when blocked, and
Textual 8's handler for it would start a second reader of the terminal.
"""


@final
class SignalPipe:
    """Turns :data:`STOPS` and :data:`ENDS` into bytes on :attr:`fd`, from ``with`` to its end. Main thread only."""

    def __init__(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise OurBug("signals can be watched from the main thread alone")
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self._before: dict[int, Any] = {}
        self._before_fd: int  # from __enter__ on

    @property
    def fd(self) -> int:
        """What the stop thread waits on."""
        return self._read.fileno()

    def __enter__(self) -> Self:
        self._before_fd = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        for number in STOPS | ENDS:
            self._before[number] = signal.signal(number, _nothing)
        for number in IGNORED:
            self._before[number] = signal.signal(number, signal.SIG_IGN)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            # None: it was set from C, and Python cannot put it back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        signal.set_wakeup_fd(self._before_fd)
        self._read.close()
        self._write.close()

    def read(self) -> bytes:
        """The numbers of the signals that came, one byte each."""
        try:
            return self._read.recv(256)
        except BlockingIOError:
            return b""


@contextlib.contextmanager
def blocked_for_face() -> Iterator[None]:
    """Block :data:`FACE_BLOCKS` while a face is started: it inherits that, and nothing reaches it half-started.

    What comes for this process meanwhile is delivered at the end.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, FACE_BLOCKS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """Leave everything to the stop thread."""
