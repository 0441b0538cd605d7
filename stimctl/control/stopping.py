"""The stop thread: it waits for a reason to stop, and does nothing else.

It waits on the terminal's bytes, on signals, on the screen's STOP and on the control loop's own progress. What it finds
goes to ``session.stop_now`` before anything else happens; only then are the bytes passed on to the face.
"""

from __future__ import annotations

import os
import selectors
import socket
import threading
import time
from collections.abc import Callable
from typing import Final, final

from stimctl.control.contract import STALLED_US, Ending, SessionLike
from stimctl.control.forward import Forwarder
from stimctl.control.keys import StopKey, StopScanner
from stimctl.control.process import real_time, short_slice
from stimctl.control.signals import ENDS, STOPS, SignalPipe

AGAIN_S: Final = 2.0
"""A second Ctrl+C within this time, in s, ends the session."""

ESCAPE_S: Final = 0.05
"""How long, in s, after an Esc the rest of a sequence may take to come; terminals send one in a piece."""

_LOOK_S: Final = 0.05  # how often a waiting stop thread looks at the control loop's progress
_INT: Final = 2  # SIGINT on every platform that Python runs on


@final
class StopThread(threading.Thread):
    """Waits until :meth:`quit`. ``ending`` is set when somebody asked for the session's end."""

    def __init__(
        self, session: SessionLike, signals: SignalPipe, wake: Callable[[], None], *, priority: int = 0
    ) -> None:
        super().__init__(name="stimctl-stop", daemon=True)
        self.ending: Ending | None = None
        self.failure: Exception | None = None
        self.stops = 0
        self.reason = ""  # of the first stop
        self.due_s = float("inf")  # when the control loop's next pass is due; it tells us before each wait
        self._session, self._signals, self._wake, self._priority = session, signals, wake, priority
        self._scanner = StopScanner()
        self._escape_due_s = float("inf")  # when an Esc with nothing behind it was the key
        self._interrupted_s = float("-inf")
        self._stalled = False
        self._forward: Forwarder | None = None
        # select(2) and not epoll or poll: it is the one that takes terminals on every platform.
        self._selector = selectors.SelectSelector()
        self._selector.register(signals.fd, selectors.EVENT_READ, self._on_signal)
        self._quit_read, self._quit_write = socket.socketpair()
        self._selector.register(self._quit_read, selectors.EVENT_READ, None)

    def watch_terminal(self, fd: int, forward: Forwarder | None) -> None:
        """Read the terminal ``fd`` and pass its bytes on to ``forward``. Before :meth:`start` only."""
        self._forward = forward
        self._selector.register(fd, selectors.EVENT_READ, lambda: self._on_terminal(fd))

    def watch_screen(self, line: socket.socket) -> None:
        """Stop at any byte on ``line``, the face's own way to stop. Before :meth:`start` only."""
        self._selector.register(line, selectors.EVENT_READ, lambda: self._on_screen(line))

    def quit(self) -> None:
        """Let the thread end, and wait for it."""
        self._quit_write.send(b"q")
        if self.is_alive():
            self.join()
        self._selector.close()
        self._quit_read.close()
        self._quit_write.close()

    def run(self) -> None:
        """Wait and act. Nothing that goes wrong in here may end the waiting."""
        if self._priority:
            real_time(self._priority)
        else:
            short_slice()
        while True:
            try:
                if self._pass():
                    return
            except Exception as error:  # noqa: BLE001 - a dead stop thread is worse than any error
                self.failure = error
                self._only_signals()
                self._end("the stop watch failed", 1)

    def _pass(self) -> bool:
        """One wait and what came of it; whether to quit."""
        wait_s = min(_LOOK_S, max(0.0, self._escape_due_s - time.monotonic()))
        for key, _ in self._selector.select(wait_s):
            if key.data is None:
                return True
            key.data()
        self._settle_escape()  # after reading: what came while this thread was held up still belongs to its Esc
        self._look()
        return False

    def _only_signals(self) -> None:
        """Stop watching whatever may have failed: signals and :meth:`quit` are left until the session has ended."""
        self._selector = selectors.SelectSelector()
        self._selector.register(self._signals.fd, selectors.EVENT_READ, self._on_signal)
        self._selector.register(self._quit_read, selectors.EVENT_READ, None)
        self.due_s = float("inf")

    def stop_session(self, reason: str) -> None:
        """Stop now, then wake the control loop so that it shows and records it."""
        self.reason = self.reason or reason  # before the count, by which the control loop ends a run without a face
        self.stops += 1
        try:
            self._session.stop_now(reason)
        except Exception as error:  # noqa: BLE001 - kept for the control loop, which ends the session for it
            self.failure = error
        self._wake()

    def _end(self, reason: str, code: int) -> None:
        # The ending first: the control loop may look between any two of these lines, and a stop without an ending
        # would end a headless session under another name. It stops the session itself before it ends it.
        self.ending = self.ending or Ending(reason, code)
        self.stop_session(reason)

    def _on_terminal(self, fd: int) -> None:
        try:
            data = os.read(fd, 4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""  # EIO: the other side has gone, or we are in the background
        self._stop_for(self._scanner.feed(data))
        self._escape_due_s = time.monotonic() + ESCAPE_S if self._scanner.waits else float("inf")
        if not data:
            self._selector.unregister(fd)
            self._end("the terminal has gone", 129)
        elif self._forward is not None:
            self._forward.send(data)

    def _stop_for(self, keys: frozenset[StopKey]) -> None:
        if StopKey.CTRL_C in keys:
            self._interrupt(StopKey.CTRL_C)
        elif keys:
            self.stop_session(f"{min(keys)} pressed")

    def _settle_escape(self) -> None:
        """Stop for an Esc that nothing has followed in time."""
        if time.monotonic() >= self._escape_due_s:
            self._escape_due_s = float("inf")
            self._stop_for(self._scanner.settle())

    def _on_signal(self) -> None:
        for number in self._signals.read():
            if number == _INT:
                self._interrupt(StopKey.CTRL_C)
            elif number in STOPS:
                self.stop_session("Ctrl+Z pressed; stimctl does not suspend")
            elif number in ENDS:
                self._end(f"ended by signal {number}", 128 + number)

    def _interrupt(self, key: StopKey) -> None:
        """Ctrl+C, by byte or by signal: the first stops, a second one soon after ends."""
        now_s = time.monotonic()
        again, self._interrupted_s = now_s - self._interrupted_s < AGAIN_S, now_s
        if again:
            self._end("ended by a second Ctrl+C", 128 + _INT)
        else:
            self.stop_session(f"{key} pressed")

    def _on_screen(self, line: socket.socket) -> None:
        try:
            data = line.recv(256)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.stop_session("STOP pressed on the screen")
            return
        # The face has gone; the control loop sees that on its own line and says so.
        self._selector.unregister(line)
        self._wake()

    def _look(self) -> None:
        """Stop when the control loop is overdue and output may be on; once for each stall."""
        stalled = time.monotonic() - self.due_s > STALLED_US / 1e6
        if stalled and not self._stalled and self._session.may_be_energised:
            self.stop_session("the control loop stalled")
        self._stalled = stalled
        if self._forward is not None:
            self._forward.flush()
