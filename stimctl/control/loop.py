"""The control loop: one pass of the session after another, and beside it what the face says and is shown."""

from __future__ import annotations

import contextlib
import gc
import socket
import time
from collections.abc import Callable
from typing import Final, final

from stimctl.control.child import FaceChild
from stimctl.control.clock import Clock, asleep_us
from stimctl.control.contract import LATE_US, STALLED_US, Ending, Operator, SessionLike
from stimctl.control.stopping import StopThread
from stimctl.engine import State
from stimctl.errors import StimctlError
from stimctl.orders import Order, Status
from stimctl.units import SECOND

SILENT_S: Final = 0.4
"""A face that says nothing for this long, in s, with output on is a stop: design goal is zero within 0.5 s."""

FROZEN_S: Final = 5.0
"""The same with output off: worth a line in the record."""

ZERO_US: Final = SECOND
"""How long a board may take to confirm zero when its session ends early; two dead-man times."""

WATCH_US: Final = SECOND
"""How often a script, or whoever tells of the session, looks at a treatment that goes on by itself."""

_GOES_ON: Final = (State.REST, State.LISTENING, State.BURST, State.FLOWING)
_LOOK_US: Final = 50_000  # a face is looked after at least this often
_COLLECT_S: Final = 5.0  # garbage is collected this often, and only with output off


@final
class Wake:
    """Ends the control loop's waiting, from any thread."""

    def __init__(self) -> None:
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self._called = False

    def __call__(self) -> None:
        """Wake it."""
        # The byte before the flag: a byte that came behind it would lie there unread, and end every wait from then on.
        with contextlib.suppress(OSError):  # full: it is awake; closed: it has ended
            self._write.send(b"w")
        self._called = True

    def fileno(self) -> int:
        """What to wait on."""
        return self._read.fileno()

    def clear(self) -> bool:
        """Whether anybody has called since the last time."""
        if not self._called:
            return False  # a session at full speed asks a million times
        self._called = False
        with contextlib.suppress(OSError):  # its byte was read with an earlier one
            self._read.recv(4096)
        return True

    def close(self) -> None:
        """Close both ends."""
        self._read.close()
        self._write.close()


@final
class ControlLoop:
    """Runs ``session`` on ``clock`` until it ends, the face goes, or the stop thread says so."""

    def __init__(
        self,
        session: SessionLike,
        clock: Clock,
        stop: StopThread,
        wake: Wake,
        face: FaceChild | None,
        *,
        remark: str = "",
    ) -> None:
        self.operator: Operator | None = None
        self.progress: Callable[[Status], None] | None = None
        self.every_us = SECOND
        self._session, self._clock, self._stop, self._wake, self._face = session, clock, stop, wake, face
        self._watch = Watch(session, stop)
        self._remark = remark
        self._look_us = 0
        self._collected_s = time.monotonic()

    def run(self) -> Ending:
        """Pass after pass; returns why it ended. What the session raises goes through."""
        while True:
            now_us = self._clock.now_us()
            stirred = self._wake.clear()
            self._session.tick(now_us)
            self._attend_operator(now_us)
            if self._face is not None:
                self._attend_face(self._face, now_us, stirred=stirred)
            ending = self._why_end()
            if ending is not None:
                return ending
            self._settle(now_us)
            self._sleep(now_us)

    def wind_down(self) -> None:
        """Keep the session going, after its stop, until the board has confirmed zero; at most :data:`ZERO_US`."""
        end_us, end_s = self._clock.now_us() + ZERO_US, time.monotonic() + ZERO_US / 1e6
        while self._session.may_be_energised and self._clock.now_us() < end_us and time.monotonic() < end_s:
            now_us = self._clock.now_us()
            self._session.tick(now_us)
            board = self._session.fileno()
            wake_us = min(self._session.next_wake_us(now_us), now_us + _LOOK_US)
            self._clock.sleep_until(wake_us, () if board is None else (board,))

    def _why_end(self) -> Ending | None:
        stopped = self._stop.stops > 0  # before the ending, which is put down before its stop: never a stop without it
        if self._stop.failure is not None:
            raise self._stop.failure
        if self._session.ended:
            return Ending("the session has ended", 0)
        if self._stop.ending is not None:
            return self._stop.ending
        if self._face is None:
            # Nobody is there to clear a stop.
            return Ending(f"stopped: {self._stop.reason}", 1) if stopped else None
        if self._face.gone:
            self._stop.stop_session("the screen has gone")  # before anybody asks how
            return self._face.fate()
        return None

    def _sleep(self, now_us: int) -> None:
        due_us = self._session.next_wake_us(now_us)
        if not self._clock.waits:
            self._clock.sleep_until(due_us)  # no pass is ever due in real time: however busy the computer, none is late
            return
        fds = [self._wake.fileno()]
        if (board := self._session.fileno()) is not None:
            fds.append(board)
        if self._face is not None:
            due_us = min(due_us, now_us + _LOOK_US)
            fds.append(self._face.port.fileno())
        self._stop.due_s = time.monotonic() + max(0, -self._clock.late_us(due_us)) / 1e6
        self._clock.sleep_until(due_us, fds)
        self._watch.late(self._clock.late_us(due_us), self._clock.now_us())

    # --- the face ----------------------------------------------------------------------------------------------

    def _attend_face(self, face: FaceChild, now_us: int, *, stirred: bool) -> None:
        orders = face.port.orders()
        for order in orders:
            if not self._session.ended:  # by the one before: what was sent after the end is not carried out
                self._carry_out(order, now_us)
        self._watch.silence(time.monotonic() - face.port.beat_s, now_us)
        if face.port.wants_status(at_once=stirred or bool(orders)):
            face.port.show(self._session.status(now_us))
            face.follow_size()

    def _carry_out(self, order: Order, now_us: int) -> None:
        with contextlib.suppress(StimctlError):  # the session shows why in its status
            self._session.order(order, now_us)

    # --- no face, or a scripted operator beside it ----------------------------------------------------------------

    def _attend_operator(self, now_us: int) -> None:
        if now_us < self._look_us or (self.operator is None and self.progress is None):
            return
        if self._face is not None and not self._face.port.awake:
            return
        status = self._session.status(now_us)
        self._look_us = now_us + (max(WATCH_US, self.every_us) if status.state in _GOES_ON else self.every_us)
        if self.progress is not None:
            self.progress(status)
        for order in self.operator(status, now_us) if self.operator is not None else ():
            if self._face is not None:
                self._carry_out(order, now_us)  # a person may have come in between
            else:
                self._session.order(order, now_us)  # a script that is refused is wrong: its error ends the session

    def _settle(self, now_us: int) -> None:
        """Collect garbage while nothing can be late; when something first can, say how well it is guarded."""
        collect = time.monotonic() - self._collected_s > _COLLECT_S
        if not self._remark and not collect:
            return
        if self._session.may_be_energised:
            if self._remark:
                self._session.note(self._remark, now_us)
                self._remark = ""
        elif collect:
            gc.collect()
            self._collected_s = time.monotonic()


@final
class Watch:
    """What the control loop notices about itself and its face: late passes, a sleeping computer, a silent screen."""

    def __init__(self, session: SessionLike, stop: StopThread) -> None:
        self._session, self._stop = session, stop
        self._asleep_us = asleep_us()
        self._noted_s = float("-inf")
        self._late = 0
        self._worst_us = 0
        self._silent = False
        self._frozen = False

    def late(self, late_us: int, now_us: int) -> None:
        """Judge a pass that comes ``late_us`` after it was due, in real time.

        Sleep with output off needs no stop: the session's clock counts it, and what was found before it grows old.
        """
        asleep = asleep_us()
        slept_us, self._asleep_us = asleep - self._asleep_us, asleep
        if slept_us > STALLED_US:
            self._stop_if_on("the computer was asleep")
            self._session.note(f"the computer was asleep for {slept_us / 1e6:.1f} s", now_us)
            late_us -= slept_us  # the loop could not help that
        if late_us > STALLED_US:
            self._stop_if_on("control loop late")
        if late_us > LATE_US:
            self._late += 1
            self._worst_us = max(self._worst_us, late_us)
        if self._late and time.monotonic() - self._noted_s >= 1:
            self._session.note(f"control loop late {self._late} times, by up to {self._worst_us / 1e3:.0f} ms", now_us)
            self._noted_s, self._late, self._worst_us = time.monotonic(), 0, 0

    def silence(self, silent_s: float, now_us: int) -> None:
        """Judge a face that has said nothing for ``silent_s``: the face's dead-man."""
        if silent_s > SILENT_S and not self._silent and self._stop_if_on("the screen stopped answering"):
            self._session.note(f"the screen stopped answering {silent_s * 1e3:.0f} ms ago", now_us)
            self._silent = True
        if silent_s > FROZEN_S and not self._frozen:
            self._session.note(f"the screen has not answered for {silent_s:.0f} s", now_us)
            self._frozen = True
        if silent_s <= SILENT_S:
            self._silent = self._frozen = False

    def _stop_if_on(self, reason: str) -> bool:
        on = self._session.may_be_energised
        if on:
            self._stop.stop_session(reason)
        return on
