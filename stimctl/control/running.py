"""A control process from its start to its end: everything is taken, run, and given back in one order."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, final

from stimctl.control import process
from stimctl.control.child import FACE, FaceChild
from stimctl.control.clock import Clock, RealClock
from stimctl.control.contract import Ending, Operator, Outcome, SessionLike, how_off
from stimctl.control.loop import ControlLoop, Wake
from stimctl.control.printer import Printer
from stimctl.control.signals import SignalPipe
from stimctl.control.stopping import StopThread
from stimctl.control.terminal import Terminal, modes_to_json
from stimctl.errors import StimctlError, UsageError
from stimctl.orders import OutputWord, Status
from stimctl.units import SECOND

STOP_PRIORITY: Final = 20
"""Real-time priority of the stop thread, where the system allows any; above the control loop's."""

LOOP_PRIORITY: Final = 10
"""Real-time priority of the control loop: it may hold the interpreter lock that the stop thread needs."""


def run_with_face(
    session: SessionLike,
    command: Sequence[str] = FACE,
    *,
    clock: Clock | None = None,
    operator: Operator | None = None,
    real_time: bool = True,
) -> Outcome:
    """Run ``session`` with a face on this terminal until either ends; from the main thread.

    ``command`` starts the face, which calls :func:`stimctl.control.run_face`. ``operator`` may give orders beside
    it (a demonstration). ``real_time``: ask for real-time priority, and do without where it is not allowed. Raises
    :class:`UsageError` when there is no terminal, :class:`StimctlError` when the face cannot be started; both before
    the session was touched. Everything later is in the outcome.
    """
    terminal = Terminal.find()
    if terminal is None and sys.platform != "win32":
        raise UsageError("the screen needs a terminal in the foreground; use --headless without one")
    return _Control(session, clock or RealClock(), terminal, real_time=real_time).run(
        operator, None, SECOND // 5, command
    )


def run_headless(
    session: SessionLike,
    *,
    clock: Clock | None = None,
    operator: Operator | None = None,
    progress: Callable[[Status], None] | None = None,
    every_us: int = SECOND,
    real_time: bool = True,
) -> Outcome:
    """Run ``session`` without a face until it ends; from the main thread.

    ``operator`` and ``progress`` see a status each ``every_us`` of session time. Stop keys work when the standard input
    is a terminal, and signals always; as nobody can clear a stop, a stop ends the session. In real time,
    ``progress`` runs in a thread of its own: output that nobody takes holds nothing up.
    """
    return _Control(session, clock or RealClock(), Terminal.find(), real_time=real_time).run(
        operator, progress, every_us, None
    )


@final
class _Control:
    """The parts of one control process, and the order in which they begin and end."""

    def __init__(self, session: SessionLike, clock: Clock, terminal: Terminal | None, *, real_time: bool) -> None:
        self._session, self._clock, self._terminal = session, clock, terminal
        self._in_real_time = isinstance(clock, RealClock)
        self._real_time = real_time
        self._clean = True  # no face, or one that has left the screen as it found it

    def run(
        self,
        operator: Operator | None,
        progress: Callable[[Status], None] | None,
        every_us: int,
        command: Sequence[str] | None,
    ) -> Outcome:
        """Take everything, run, give everything back."""
        with contextlib.ExitStack() as stack:
            wake = stack.enter_context(contextlib.closing(Wake()))
            signals = stack.enter_context(SignalPipe())
            stack.enter_context(self._taken_terminal())
            face = self._face(command) if command else None
            if face is not None:
                stack.enter_context(contextlib.closing(face))
            stop = stack.enter_context(self._stop_thread(signals, wake, face))
            stack.enter_context(self._quick())
            priority = self._hurry()
            self._introduce(face, priority)
            remark = f"control process at {priority}"
            loop = ControlLoop(self._session, self._clock, stop, wake, face, remark=remark)
            loop.operator, loop.every_us = operator, every_us
            loop.progress = stack.enter_context(self._printed(progress))
            return self._run(loop, stop, face)

    def _face(self, command: Sequence[str]) -> FaceChild:
        terminal = self._terminal
        screen = terminal.fd if terminal else None
        return FaceChild(command, piped=terminal is not None, screen=screen, facts=self._facts())

    def _run(self, loop: ControlLoop, stop: StopThread, face: FaceChild | None) -> Outcome:
        """The loop, and its end: output first, then the record, then the face; the terminal last."""
        error: BaseException | None = None
        try:
            ending = loop.run()
        except StimctlError as raised:
            ending, error = Ending(str(raised), 1), raised
        except BaseException as raised:  # noqa: BLE001 - whatever it is, output must go to zero
            ending, error = Ending(f"stimctl failed ({type(raised).__name__}: {raised})", 1), raised
        stop.due_s = float("inf")
        output, failed = self._close(loop, ending, in_order=error is None and self._session.ended)
        if face is not None:
            self._clean = face.end(ending.reason) == 0
        code = ending.code or int(output is not OutputWord.OFF)
        last = None if failed else self._session.status(self._clock.now_us())
        off = how_off(last) if last and output is OutputWord.OFF else ""
        unknown = (last.output_words if last else "") or OutputWord.UNKNOWN
        return Outcome(code, ending.reason, output, error or failed, off, unknown)

    def _close(self, loop: ControlLoop, ending: Ending, *, in_order: bool) -> tuple[OutputWord, Exception | None]:
        """Stop and await zero, unless the session came to its own end; close it. What the board reports, what was raised."""
        failed = None
        output = OutputWord.UNKNOWN
        try:
            if not in_order:
                self._session.stop_now(ending.reason)
                loop.wind_down()
        except Exception as raised:  # noqa: BLE001 - closing must be tried all the same
            failed = raised
        try:
            self._session.close(ending.reason, self._clock.now_us())
            output = self._session.status(self._clock.now_us()).output
        except Exception as raised:  # noqa: BLE001 - the terminal must be given back all the same
            failed = failed or raised
        return (OutputWord.UNKNOWN if failed else output), failed

    def _hurry(self) -> str:
        """The control loop's own priority, in words."""
        if not self._in_real_time:
            return "ordinary priority"
        return process.real_time(LOOP_PRIORITY) if self._real_time else process.short_slice()

    def _introduce(self, face: FaceChild | None, priority: str) -> None:
        """Tell the face how well promises can be kept here."""
        if face is not None:
            face.port.hello({"priority": priority})

    def _facts(self) -> dict[str, Any]:
        """What a face must know from its first breath, to give the terminal back if this process dies in the next."""
        notes = [] if self._terminal else ["STOP goes through this screen: this system has no terminal tap"]
        modes = [modes_to_json(m) for m in (self._terminal.before, self._terminal.raw)] if self._terminal else []
        return {"notes": notes, "modes": modes, "pid": os.getpid()}

    @contextlib.contextmanager
    def _taken_terminal(self) -> Iterator[None]:
        if self._terminal is None:
            yield
            return
        try:
            self._terminal.take()
        except OSError as error:
            raise UsageError(f"the terminal cannot be used: {error.strerror}") from None
        try:
            yield
        finally:
            self._terminal.release(screen=not self._clean)

    @contextlib.contextmanager
    def _stop_thread(self, signals: SignalPipe, wake: Wake, face: FaceChild | None) -> Iterator[StopThread]:
        stop = StopThread(self._session, signals, wake, priority=STOP_PRIORITY if self._real_time else 0)
        if self._terminal is not None:
            stop.watch_terminal(self._terminal.fd, face.forward if face else None)
        if face is not None:
            self._clean = False  # until it has left properly
            stop.watch_screen(face.port.stop_line)
        stop.start()
        try:
            yield stop
        finally:
            stop.quit()

    @contextlib.contextmanager
    def _quick(self) -> Iterator[None]:
        process.settle()
        try:
            yield
        finally:
            process.ordinary()
            process.unsettle()

    @contextlib.contextmanager
    def _printed(self, progress: Callable[[Status], None] | None) -> Iterator[Callable[[Status], None] | None]:
        """``progress`` as the loop may call it: in real time through a thread that may get stuck without harm."""
        if progress is None or not self._in_real_time:
            yield progress
            return
        printer = Printer(progress)
        try:
            yield printer
        finally:
            printer.close()
