"""A session as its operator has it: stimctl on a terminal of its own, typed at, with the board's twin on another.

Both programs are the real ones. The control process tells besides, on a pipe, of every stop as it is carried out and of
every change of state; and its face hangs when it is told to by a signal (:mod:`tests.proving.stop_programs`). All times
are the machine's monotonic µs.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import pyte

from stimctl.sim.terminal import clock_us
from tests.control_rig import LEADER
from tests.proving.stop_programs import CONTROL, LED, PROTOCOL_FILE, TELL
from tests.test_end_to_end import STEADY
from tests.twin_rig import ROOT, Board

APART_S: Final = 0.18
"""Between two keys of which each has to stand alone: the face asks for 0.12 s from when it comes to them."""

SLOWER: Final = 1.3
"""How much slower a hand gets with each press of which nothing came: a busy machine comes to its keys in heaps."""

PATIENCE_S: Final = 60.0
SEEN_S: Final = 0.25
"""How long a hand waits for the screen to show what the control process told: a key that comes first is for nothing."""

BOARD: Final = "reference:./board"
PROTOCOL: Final = STEADY.replace("duration_min = 1", "duration_min = 30")


class Stop(NamedTuple):
    """A stop as the control process carried it out."""

    us: int
    reason: str


class Walk:
    """A session with everything that a person, a hand on a plug or a mad terminal can do to it.

    One that is ``led`` comes to the thresholds by itself.
    """

    def __init__(self, folder: Path, *, led: bool = False) -> None:
        (folder / PROTOCOL_FILE).write_text(PROTOCOL, encoding="utf-8")
        self.folder, self.led = folder, led
        self.board = Board(folder)
        self.board.wait_for("ready")
        self.terminal, self.slave = os.openpty()
        termios.tcsetwinsize(self.slave, (24, 80))
        self.reading = True  # whether anybody takes what is painted
        self.screen = b""
        self.stops: list[Stop] = []
        self.state, self.stopped = "", False
        self.open: list[str] = []  # kinds of the questions that are not answered yet, in their order
        self.control = 0
        self._apart_s = APART_S
        self.raises = 0  # presses of R that may have counted
        self.said: list[tuple[int, str]] = []  # by the twin, without its signs of life
        self._lines = 0
        self._typed_s = 0.0
        self._rest = b""
        self.field = 0  # of the start screen's: how many Tabs behind the first
        self._told_s = self._painted_s = 0.0
        os.mkfifo(folder / "tell")
        self._tell = os.open(folder / "tell", os.O_RDONLY | os.O_NONBLOCK)
        self._shell = subprocess.Popen(
            [sys.executable, "-ISc", LEADER, *CONTROL, "run", PROTOCOL_FILE, "--board", BOARD, "--store", "./r.db"],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            cwd=folder,
            start_new_session=True,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "TERM": "xterm-256color",
                TELL: "tell",
                **({LED: BOARD} if led else {}),
            },
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up()
        for pid in (*self.children(), self.control):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid or 1 << 30, signal.SIGKILL)
        self._shell.kill()
        self._shell.wait()
        self.board.close()
        if self._tell >= 0:
            os.close(self._tell)

    # --- listening ------------------------------------------------------------------------------------------------

    def until(self, happened: Callable[[], bool], seconds: float = PATIENCE_S) -> bool:
        """Listen to everybody until something happened; whether it did in time."""
        deadline = time.monotonic() + seconds
        while not happened():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._listen(left)
        return True

    def must(self, happened: Callable[[], bool], what: str) -> None:
        """Wait for what has to happen on the way; a walk that gets stuck is not a stop that was missed."""
        if not self.until(happened):
            raise AssertionError(f"{what} did not come about; {self.where()}")

    def pause(self, seconds: float) -> None:
        """Let time pass, listening."""
        self.until(lambda: False, seconds)

    def where(self) -> str:
        """What is known, for somebody who has to find out why."""
        told = f"state {self.state!r}, stopped {self.stopped}, stops {self.stops[-3:]}, board {self.said[-4:]}"
        shown = pyte.Screen(80, 24)
        pyte.ByteStream(shown).feed(self.screen.replace(b"\x1b[?2026$p", b""))  # pyte prints the end of that question
        return "\n".join((told, *(row.rstrip() for row in shown.display if row.strip())))

    def _listen(self, seconds: float) -> None:
        out = self.board.process.stdout
        assert out is not None
        fds = [out.fileno(), *(fd for fd in (self._tell, self.terminal * self.reading) if fd > 0)]
        ready, _, _ = select.select(fds, [], [], seconds)
        if out.fileno() in ready:
            self.board.watch(0)
            new, self._lines = self.board.lines[self._lines :], len(self.board.lines)
            self.said += [(int(at), words) for at, words in (line.split(" ", 1) for line in new) if words != "alive"]
        if self._tell in ready:
            self._hear(os.read(self._tell, 65_536))
        if self.terminal in ready:
            with contextlib.suppress(OSError):  # EIO: nobody has it open any more
                self.screen = (self.screen + os.read(self.terminal, 65_536))[-400_000:]
                self._painted_s = time.monotonic()

    def _hear(self, data: bytes) -> None:
        *whole, self._rest = (self._rest + data).split(b"\n")
        if not data:
            self.state = "gone"
            os.close(self._tell)
            self._tell = -1
        for line in whole:
            said: dict[str, Any] = json.loads(line)
            if "stop" in said:
                self.stops.append(Stop(said["us"], said["stop"]))
            elif "control" in said:
                self.control = said["control"]
            else:
                self.state, self.stopped, self.open = said["state"], said["stopped"], said["open"]
                self._told_s = time.monotonic()

    # --- the twin's word ------------------------------------------------------------------------------------------

    @property
    def energised(self) -> bool:
        """Whether current flows at the board, by its own word."""
        said = [words for _, words in self.said if words in ("OUTPUT ON", "output off")]
        return bool(said) and said[-1] == "OUTPUT ON"

    def zero_since(self, us: int) -> str:
        """How output went to zero after ``us``, in the twin's words; empty while it has not."""
        ended = [words for at, words in self.said if at >= us and words.startswith("disarmed: ")]
        return ended[0] if ended and not self.energised else ""

    # --- doing ----------------------------------------------------------------------------------------------------

    def children(self) -> tuple[int, ...]:
        """The control process's: its face."""
        with contextlib.suppress(OSError):
            return tuple(map(int, Path(f"/proc/{self.control}/task/{self.control}/children").read_text().split()))
        return ()

    def signal_face(self, number: int) -> None:
        """Do something to the face's process."""
        os.kill(self.children()[0], number)

    def now_us(self) -> int:
        """The time of everything in here."""
        return clock_us()

    def type(self, data: bytes) -> int:
        """Type bytes as they are; when, in µs."""
        us = clock_us()
        os.write(self.terminal, data)
        self._typed_s = time.monotonic()
        return us

    def press(self, *keys: bytes | str) -> None:
        """Press keys, each standing alone, once the screen has shown what came of the one before."""
        for key in keys:
            self.until(lambda: self._painted_s >= self._told_s, SEEN_S)
            self.pause(self._typed_s + self._apart_s - time.monotonic())
            self.type(key.encode() if isinstance(key, str) else key)
            self.raises += key == "r"

    def press_until(self, keys: Sequence[bytes | str], happened: Callable[[], bool], what: str) -> None:
        """Press keys, and again when nothing came of it: a person would, too."""
        deadline = time.monotonic() + PATIENCE_S
        while not happened():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} did not come about by {keys!r}; {self.where()}")
            self.press(*keys)
            self._judge_pace(self.until(happened, 3 * self._apart_s))

    def _judge_pace(self, came: bool) -> None:
        self._apart_s = max(APART_S, self._apart_s / SLOWER) if came else min(1.0, self._apart_s * SLOWER)

    def lead(self, keys: Mapping[str, str], there: Callable[[], bool], what: str) -> None:
        """Press the key that ``keys`` has for each state, and for ``STATE on`` where current flows, until we are there."""
        deadline = time.monotonic() + PATIENCE_S
        while not there():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} did not come about; {self.where()}")
            before = self.state, self.stopped, self.energised
            self.press(*keys.get(f"{self.state} on" if self.energised else self.state, ""))
            self._judge_pace(self.until(lambda was=before: was != (self.state, self.stopped, self.energised), 0.6))  # type: ignore[misc]

    def resize(self, rows: int, columns: int) -> None:
        """Give the window another size; the kernel tells everybody in the foreground."""
        termios.tcsetwinsize(self.terminal, (rows, columns))

    def hang_up(self) -> None:
        """The terminal goes away."""
        for fd in (self.terminal, self.slave):
            if fd >= 0:
                os.close(fd)
        self.terminal = self.slave = -1
