"""A control process on a real terminal with a real face and a pseudo-terminal for a board; run as a script, its parts.

Everything that the session does it writes to the board as one line (``STOP why``, ``ORDER kind``, ``NOTE …``,
``CLOSE why``); everything that the face gets it paints on the terminal (``<key 20>``, ``<status …>``). So a test
types bytes, reads lines and bytes, and waits for nothing but those.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import termios
import time
import tty
from importlib import import_module
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Self

from stimctl.errors import UsageError
from stimctl.orders import Order, OrderKind, OutputWord, Stage, Status

if TYPE_CHECKING:  # each part fetches its own: a face that loaded the control loop would take thrice as long to start
    from stimctl.control import FaceLink

DEADLINE_S = 20.0
AFTERWARDS_S = 8.0
ENTER = b"\x1b[?1049h\x1b[?25l\x1b[?1003h\x1b[?2004h"
ON, CLEAR, REFUSED, STALL, END, FAIL = b"o", b"c", b"r", b"y", b"e", b"b"

# --- the parts -------------------------------------------------------------------------------------------------


class RigSession:
    """Keeps the whole contract of a session, with a line a deed on a board that confirms with ``Z``."""

    def __init__(self, board: str, *, on: bool = False) -> None:
        self.fd = os.open(board, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.on, self.stopped, self.ended, self.confirmed, self.why = on, False, False, not on, ""
        self.task = self.refusal = ""

    def say(self, text: str) -> None:
        os.write(self.fd, text.encode() + b"\n")

    def order(self, order: Order, now_us: int) -> None:
        self.say(f"ORDER {order.kind} {order.value}".rstrip())
        self.refusal = "not now" if order.kind is OrderKind.RAISE else ""
        if self.refusal:
            raise UsageError(self.refusal)
        if order.kind is OrderKind.START:
            self.on, self.confirmed = True, False
        if order.kind is OrderKind.CLEAR:
            self.stopped = False
        if order.kind is OrderKind.FINISH:
            self.on, self.ended = False, True
        self.task = order.value

    def tick(self, now_us: int) -> None:
        task, self.task = self.task, ""
        if task == "stall":
            time.sleep(0.6)
        if task == "fail":
            raise ZeroDivisionError("planted")
        if b"Z" in self._heard():
            self.on, self.confirmed = False, True

    def _heard(self) -> bytes:
        try:
            return os.read(self.fd, 4096)
        except BlockingIOError:
            return b""

    def next_wake_us(self, now_us: int) -> int:
        return now_us + 20_000

    def fileno(self) -> int | None:
        return self.fd

    def status(self, now_us: int) -> Status:
        output = OutputWord.ON if self.on else OutputWord.OFF if self.confirmed else OutputWord.UNKNOWN
        return Status(
            Stage.RUN, "rig", "", output, simulated=True, board="rig", stopped=self.stopped, refusal=self.refusal
        )

    def stop_now(self, reason: str) -> None:
        self.stopped = True
        self.say(f"STOP {reason}")

    def note(self, text: str, now_us: int) -> None:
        self.say(f"NOTE {text}")

    @property
    def may_be_energised(self) -> bool:
        return self.on

    def close(self, reason: str, now_us: int) -> None:
        self.say(f"CLOSE {reason}")


def _spare_the_protocols() -> None:
    """Let the engine's door lead to its table of states and no further.

    The control loop asks for no more, and behind the rest stand the protocols' models, which make up two thirds of
    what starting this process costs. A loop that asked for more would fail here, in every test.
    """
    door = ModuleType("stimctl.engine")
    door.__path__ = [str(Path(__file__).parents[1] / "stimctl" / "engine")]
    sys.modules[door.__name__] = door
    door.State = import_module("stimctl.engine.table").State  # type: ignore[attr-defined]


def control(board: str, mode: str, script: str) -> int:
    """The control process: with the face below, or headless."""
    _spare_the_protocols()
    from stimctl.control import RealClock, run_headless, run_with_face

    session = RigSession(board, on=mode == "headless-on")
    session.say(f"PID {os.getpid()}")
    if mode.startswith("headless"):
        outcome = run_headless(session, clock=RealClock(), progress=lambda status: print(f"<{status.output}>"))
    else:
        outcome = run_with_face(session, (sys.executable, script, mode))
    outcome.say()
    session.say("END")
    return outcome.code


def face(link: FaceLink) -> int:
    """A face without Textual: paints what it gets, and obeys typed letters."""
    paint(ENTER.decode() + f"<face {os.getpid()}>")
    seen = ""
    while not link.closed:
        ready, _, _ = select.select([0, link.fileno()], [], [], 0.1)
        link.beat()
        status = link.poll()
        if status is not None and (now := f"<status {status.output} {status.stopped} {status.refusal}>") != seen:
            seen = now
            paint(now)
        for key in os.read(0, 4096) if 0 in ready else b"":
            paint(f"<key {key:02x}>")
            if (code := obey(link, key)) is not None:
                return code
    paint("\x1b[?1049l<bye>")
    return 0


def obey(link: FaceLink, key: int) -> int | None:
    """What a typed letter makes the face do; an exit code leaves."""
    orders = {
        ON: Order(OrderKind.START),
        CLEAR: Order(OrderKind.CLEAR),
        REFUSED: Order(OrderKind.RAISE),
        STALL: Order(OrderKind.NOTE, value="stall"),
        FAIL: Order(OrderKind.NOTE, value="fail"),
        END: Order(OrderKind.FINISH),
    }
    match bytes([key]):
        case b"s":
            link.stop()
        case b"q" | b"x":
            return key & 8  # 0 for q, 8 for x
        case b"h":
            while True:  # a handler that never comes back
                pass
        case b"n":
            paint(link.facts["priority"])
        case b"f":
            for number in range(5_000):  # twice what the sockets between them hold
                link.send(Order(OrderKind.NOTE, text=f"flood {number}"))
        case letter if letter in orders:
            link.send(orders[letter])
    return None


def paint(text: str) -> None:
    os.write(2, text.encode())


def textual_face(link: FaceLink) -> int:
    """The same as a real Textual app, which reads its keys from the pipe."""
    from textual import events
    from textual.app import App, ComposeResult
    from textual.widgets import Label

    class Face(App[int]):
        def compose(self) -> ComposeResult:
            yield Label("waiting")

        def on_mount(self) -> None:
            self.set_interval(0.1, self.pulse)

        def pulse(self) -> None:
            link.beat()
            status = link.poll()
            if link.closed:
                self.exit(0)
            elif status is not None:
                self.query_one(Label).update(f"status {status.output} {os.getpid()} {self.size}")

        def on_key(self, event: events.Key) -> None:
            self.query_one(Label).update(f"key {event.key}")
            obey(link, ord(event.character or "k"))

    return Face().run() or 0


# --- the test's side -------------------------------------------------------------------------------------------

# Becomes the leader of the new session with our terminal as its own, then a shell that outlives its job.
LEADER = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execvp('sh', ['sh', '-c', 'trap : INT QUIT TSTP TERM; \"$@\"; echo \"RC=$?\"; cat >/dev/null', 'sh', *sys.argv[1:]])"
)


class Rig:
    """A control process under test, from ``with`` to its end; nothing of it is left afterwards."""

    def __init__(self, mode: str = "face", *, script: str = __file__, confirms: bool = True) -> None:
        self.terminal, self.slave = os.openpty()
        self.board, board_slave = os.openpty()
        tty.setraw(board_slave)
        termios.tcsetwinsize(self.slave, (24, 80))
        self.before = termios.tcgetattr(self.slave)
        self.screen, self.lines, self._confirms = b"", b"", confirms
        self.control = self.face = 0
        self._held = {self.terminal, self.slave, self.board, board_slave}
        job = [sys.executable, __file__, "control", os.ttyname(board_slave), mode, script]
        self.shell = subprocess.Popen(
            [sys.executable, "-ISc", LEADER, *job],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "TERM": "xterm-256color"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for fd in tuple(self._held):
            self.shut(fd)  # hangs up
        for pid in (self.control, self.face) if kind else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid or -1 << 30, signal.SIGKILL)
        self.shell.kill()
        self.shell.wait()

    def shut(self, fd: int) -> None:
        if fd in self._held:
            self._held.remove(fd)
            os.close(fd)

    def hang_up(self) -> None:
        """The terminal's other side goes away."""
        self.shut(self.slave)
        self.shut(self.terminal)

    def type(self, data: bytes) -> None:
        os.write(self.terminal, data)

    def wait(self, *wanted: bytes | str) -> str:
        """Read screen and board until each of ``wanted`` came, in this order, since the last wait; the last match.

        ``bytes`` are looked for on the screen, ``str`` among the board's lines, both as patterns.
        """
        found = ""
        for one in wanted:
            pattern = re.compile(one if isinstance(one, bytes) else one.encode())
            deadline = time.monotonic() + DEADLINE_S
            while not (match := pattern.search(self.screen if isinstance(one, bytes) else self.lines)):
                self._read(deadline, one)
            found = match[0].decode(errors="replace")
            if isinstance(one, str):
                self.lines = self.lines[match.end() :]
            else:
                self.screen = self.screen[match.end() :]
        return found

    def _read(self, deadline: float, wanted: bytes | str) -> None:
        fds = [fd for fd in (self.terminal, self.board) if fd in self._held]
        # Once the control process has ended little more will come; but a face that outlives it still says goodbye.
        left = deadline - time.monotonic() if b"RC=" not in self.screen else AFTERWARDS_S
        ready, _, _ = select.select(fds, [], [], max(0, left))
        assert ready, f"no {wanted!r}; screen {self.screen[-600:]!r}, board {self.lines[-600:]!r}"
        for fd in ready:
            data = os.read(fd, 65536)
            if fd == self.terminal:
                self.screen += data
            else:
                self.lines += data
                if self._confirms and b"STOP" in self.lines[-len(data) - 3 :]:  # the word may come in two reads
                    os.write(self.board, b"Z")

    def quiet(self, seconds: float) -> None:
        """Read nothing for ``seconds``, while somebody else is stopped; fails when the board hears anything."""
        assert not select.select([self.board], [], [], seconds)[0]

    def start(self, *, on: bool = True) -> int:
        """Wait until the face shows a status, switch output on, return the face's process id."""
        self.control = int(self.wait("PID [0-9]+\n")[4:])
        pid = int(self.wait(b"<face [0-9]+>")[6:-1])
        self.face = pid
        self.wait(b"<status")
        if on:
            self.type(ON)
            self.wait("ORDER start\n", b"<status OUTPUT ON False >")
        return pid

    def finish(self) -> int:
        """Wait for the control process's end; its exit code as the shell saw it."""
        self.wait("END\n")
        return int(self.wait(b"RC=[0-9]+\r")[3:])

    def restored(self) -> bool:
        """Whether the terminal's modes are as they were."""
        return termios.tcgetattr(self.slave) == self.before


def gone(pid: int) -> bool:
    """Wait for the end of a process that is not our child."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([fd], [], [], DEADLINE_S)[0])
    finally:
        os.close(fd)


def main(part: str, *rest: str) -> int:
    """Be the control process, or a face."""
    if part == "control":
        return control(*rest)
    from stimctl.control import run_face

    return run_face(textual_face if part == "textual" else face)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
