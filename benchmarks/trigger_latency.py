"""Trigger: the chunk with the sample that makes an attempt certain on the board's line, until the burst's first frame is there.

The control process is the real one, with the real session, detector, limiter, driver and record in it, and a face behind it. Its
board is the twin on a pseudo-terminal, in this process, with a patient whose efforts begin at times of this process's choosing.
A detector of the same settings hears every chunk here *before* it is written, so that the chunk that decides is known. Timed is
from just before that chunk's bytes are written to the last byte of the first frame in which any output has an amplitude:
all but the wait for the chunk itself (10 ms here) and what the detector needs to be sure (``bench onset``). In this file the
ramp (8 mA in 0.5 s) comes to the board's first step of 0.1 mA after 6.3 ms; before there is nothing to send, and 14 and 18 mA in
1 s, as in shipped files, have 7.2 and 5.6 ms. So nothing can be quicker, and what is would show that another chunk decided.

Beside it, trigger by trigger in the same run, the floor: a process that reads the same chunk from one pseudo-terminal and writes a
frame back, and does nothing else.

``idle``: the face only beats. ``busy``: it paints and computes for 0.4 of a core. ``load``: so it does, and every core is
kept busy besides. A session takes at most 30 attempts a minute; several side by side are sooner done, but get in each other's
way: two on two idle cores had a 99th percentile of 27 ms where one had 8.

``python3 -m benchmarks.trigger_latency [--triggers N | --quick] [--sessions N] [--json FILE] [--only CONDITION...]``
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import pty
import random
import select
import signal
import subprocess
import sys
import tempfile
import termios
import time
import tty
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.stop_latency import CONDITIONS, INSTRUMENT_PRIORITY, Row, row, spinning
from benchmarks.timing import load, table
from stimctl.boards.reference import codec
from stimctl.boards.reference import messages as m
from stimctl.control import process, run_with_face
from stimctl.control.clock import RealClock
from stimctl.control.operator import ScriptedOperator
from stimctl.control.running import LOOP_PRIORITY
from stimctl.engine import State
from stimctl.orders import Order, OrderKind, Status
from stimctl.protocols import loads, stimulating
from stimctl.records import reading
from stimctl.records.journal import Journal
from stimctl.schedule import Steps, compile_schedule
from stimctl.sensors.samples import Chunk
from stimctl.session.diary import Diary
from stimctl.session.door import AnySession
from stimctl.session.ear import Ear
from stimctl.session.opening import Wishes
from stimctl.sim.board import Twin
from stimctl.sim.patient import Patient
from stimctl.sim.volition import Floats
from stimctl.units import SECOND

CHUNK_MS: Final = 10
GOAL_MS: Final = 10.0
"""p99 over the chunk time."""

LOST_NS: Final = 1_500_000_000
"""A trigger after which nothing has come for this long counts as lost."""

PAUSE_S: Final = (2.2, 2.7)
"""From one burst to the next effort: the file's least interval is 2 s, and efforts must not keep step with the chunks."""

EFFORT_S: Final = 0.3
LISTENING: Final = "listening"
"""The file by which a control process tells that its treatment has begun."""

SPARE: Final = 8
"""So many sessions may be stopped on the way."""

RATE_HZ: Final = 1_000

PROTOCOL: Final = """\
format = 1
kind = "fes-emg-triggered"
title = "Quick bursts"
purpose = "Bursts as close to each other as a file may ask for, to time their beginning."
sources = ["made up for the benchmark"]
[pads.a]
model = "square-50x50"
[pads.b]
model = "square-50x50"
[[channel]]
name = "extensors"
muscle = "extensor digitorum communis"
output = 1
site = "forearm-dorsal"
pads = ["a", "b"]
amplitude_ma = 8.0
max_amplitude_ma = 10.0
phase_width_us = 200
rate_hz = 35
[burst]
ramp_up_s = 0.5
hold_s = 0.1
ramp_down_s = 0
rest_s = 1.0
[dose]
repetitions = 1000
[trigger]
channel = "extensors"
threshold_sd = 8.0
dwell_ms = 20
release_fraction = 0.6
blanking_ms = 25
lockout_ms = 300
baseline_s = 3.0
cue = false
max_triggers_per_min = 30
"""


# --- the parts under test ------------------------------------------------------------------------------------------


def control_part(board: str, face: str, folder: str, *, real_time: bool) -> int:
    """The control process: a session that a script takes as far as its treatment, beside a face."""
    protocol = Path(folder) / "quick.toml"
    protocol.write_text(PROTOCOL, encoding="utf-8")
    url, clock = f"reference:{board}", RealClock()
    opening = Order(OrderKind.OPEN, protocol=str(protocol), patient="bench", side="right", board=url)
    with Journal(Path(folder) / "records.db", wall_clock=lambda: "2026-01-01T00:00:00.000+00:00") as journal:
        session = AnySession(Diary(journal), clock.now_us, wishes=Wishes(str(protocol), board=url), seed=1)
        script, listening = ScriptedOperator(opening), Path(folder) / LISTENING

        def operator(status: Status, now_us: int) -> Iterable[Order]:
            if status.state == State.LISTENING and not listening.exists():
                listening.touch()
            return script(status, now_us)

        command = (sys.executable, "-m", "benchmarks.stop_latency", "--part", "face", face)
        return run_with_face(session, command, operator=operator, real_time=real_time).code


def floor_part(board: str) -> int:
    """Chunk in, frame out: the least that any process can do."""
    process.real_time(LOOP_PRIORITY)  # as the control loop has it
    fd = os.open(board, os.O_RDWR | os.O_NOCTTY)
    os.write(1, b"ready")
    while os.read(fd, 4096):
        os.write(fd, codec.STOP_FRAME)
    return 0


# --- the bench ---------------------------------------------------------------------------------------------------


class Starts(Patient):
    """A person whose efforts begin when the bench says so, and who is heard without anything else: hearing is not timed here."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, emg_rate_hz=RATE_HZ)
        self._noise = np.random.default_rng(seed).normal(0.0, 1.0, 16 * RATE_HZ)
        self._effort = range(0)

    def emg(self, first_index: int, count: int, pulses: object = ()) -> Floats:  # noqa: ARG002 - no responses
        """Rest of 2 µV, efforts of 60 µV."""
        at = np.arange(first_index, first_index + count)
        loud = (at >= self._effort.start) & (at < self._effort.stop)
        signal: Floats = np.where(loud, 60.0, 2.0) * self._noise[at % len(self._noise)]
        return signal

    def try_at(self, at_us: int) -> None:
        """One effort from then on."""
        first = -(-at_us * RATE_HZ // SECOND)
        self._effort = range(first, first + round(EFFORT_S * RATE_HZ))


class Board:
    """The twin on the master side of a pseudo-terminal, and the detector that knows which chunk decides."""

    def __init__(self, seed: int) -> None:
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        self.patient = Starts(seed)
        self.twin = Twin(self.patient, seed=seed, now_us=_now_us(), chunk_ms=CHUNK_MS, keep=100, serial=f"BENCH-{seed}")
        plan = compile_schedule(stimulating(loads(PROTOCOL, "bench")), Steps()).ear
        assert plan is not None
        self._ear, self._said, self._heard = Ear(plan, RATE_HZ, "bench"), codec.Decoder(), codec.Decoder()
        self.deciding = b""
        """The bytes with the newest chunk that decided."""
        self.decided_ns: int | None = None
        self.began_ns: int | None = None

    def forget(self) -> None:
        """Wait for the next one."""
        self.decided_ns = self.began_ns = None

    def turn(self) -> None:
        """Take what has come, say what is due."""
        data = b""
        with contextlib.suppress(BlockingIOError, OSError):
            data = os.read(self.master, 65_536)
        came_ns, now_us = time.monotonic_ns(), _now_us()
        if data:
            updates = [frame.word for frame in self._heard.feed(data) if isinstance(frame.word, m.Update)]
            if self.began_ns is None and any(_flows(word) for word in updates):
                self.began_ns = came_ns
        self.twin.advance(now_us)
        self.twin.feed(data, now_us)
        if out := self.twin.outgoing():
            decides = self._hear(out, now_us)
            said_ns = time.monotonic_ns()
            with contextlib.suppress(BlockingIOError, OSError):
                os.write(self.master, out)
            if decides and self.decided_ns is None:
                self.decided_ns, self.deciding = said_ns, out

    def _hear(self, out: bytes, now_us: int) -> bool:
        """Whether these bytes hold the chunk that makes an attempt certain."""
        for frame in self._said.feed(out):
            if isinstance(word := frame.word, m.Samples):
                values_uv = np.array(word.values, dtype=np.float64) * (word.scale_nv / 1_000)
                self._ear.hear(Chunk(word.first_index, float(word.rate_hz), values_uv, now_us, word.pulses), now_us)
                self._ear.listen(on=True)
        return self._ear.take_onset() is not None

    def close(self) -> None:
        """Pull the plug."""
        os.close(self.master)
        os.close(self.slave)

    @property
    def wait_s(self) -> float:
        """Until the twin has something to do."""
        due_us = self.twin.next_event_us(_now_us())
        return 0.02 if due_us is None else min(0.02, max(0.0, (due_us - _now_us()) / 1e6))


class Target:
    """One control process with a terminal and a board of its own."""

    def __init__(self, board: Board, part: str, condition: str, seed: int, folder: str) -> None:
        self.board = board
        self._chance = random.Random(seed)
        self.times: list[int | None] = []
        self._tried_ns: int | None = None
        self._next_ns = 0
        self._begun, self._look_ns = False, 0
        own = Path(folder) / str(seed)
        own.mkdir()
        self._listening = own / LISTENING
        port, face = os.ttyname(self.board.slave), CONDITIONS[condition]
        command = [sys.executable, "-m", "benchmarks.trigger_latency", "--part", part, port, face, str(own)]
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execv(sys.executable, command)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, b"\x18\x00\x50\x00\x00\x00\x00\x00")
        self._drain = subprocess.Popen(["cat"], stdin=self.terminal, stdout=subprocess.DEVNULL)

    def turn(self, now_ns: int) -> bytes | None:
        """Let the board live, and the patient try when it is time; the deciding chunk when a trigger was timed just now."""
        board = self.board
        board.turn()
        if self._tried_ns is None:
            if now_ns >= self._next_ns and self.listens:
                board.forget()
                self._tried_ns = now_ns
                board.patient.try_at(_now_us() + self._chance.randrange(40_000, 60_000))
            return None
        if board.decided_ns is not None and board.began_ns is not None:
            self._note(board.began_ns - board.decided_ns, now_ns)
            return board.deciding
        if now_ns - self._tried_ns > LOST_NS:
            self._note(None, now_ns)
        return None

    def _note(self, took_ns: int | None, now_ns: int) -> None:
        self.times.append(took_ns)
        self._tried_ns = None
        self._next_ns = now_ns + round(self._chance.uniform(*PAUSE_S) * 1e9)
        self.board.forget()

    @property
    def listens(self) -> bool:
        """Whether the treatment has begun."""
        if not self._begun and self._listening.exists():
            self._begun = True
        return self._begun

    @property
    def ended(self) -> bool:
        """Whether its session is over, looked at once a second."""
        now_ns = time.monotonic_ns()
        if now_ns < self._look_ns:
            return False
        self._look_ns = now_ns + 1_000_000_000
        over = os.waitpid(self.pid, os.WNOHANG)[0] != 0
        self.pid = 0 if over else self.pid
        return over

    @property
    def told(self) -> str:
        """The last that the record has, for whoever asks why it goes no further."""
        store = self._listening.parent / "records.db"
        rows = [each for row in reading.sessions(store) for each in reading.events(store, row.id)]
        whys = [each.payload for each in rows if each.kind in ("note", "stop", "fault", "link-lost")]
        return f"session {self._listening.parent.name}: {len(rows)} rows, {whys[-3:]}"

    @property
    def pending(self) -> bool:
        """Whether a decision has been made whose burst has not come yet."""
        return self._tried_ns is not None and self.board.decided_ns is not None

    def close(self) -> None:
        """End it and everything it started."""
        self._drain.kill()
        self._drain.wait()
        if self.pid:
            os.kill(self.pid, signal.SIGTERM)
        os.close(self.terminal)
        if self.pid:
            os.waitpid(self.pid, 0)
        self.board.close()


class Floor:
    """The process that does nothing else, on a pseudo-terminal of its own."""

    def __init__(self) -> None:
        self._master, slave = os.openpty()
        tty.setraw(slave)
        command = [sys.executable, "-m", "benchmarks.trigger_latency", "--part", "floor", os.ttyname(slave)]
        self._child = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._child.stdout is not None
        self._child.stdout.read(5)
        os.close(slave)

    def answer_ns(self, chunk: bytes) -> int | None:
        """From before ``chunk`` is written until the frame behind it is here; ``None`` when it is lost."""
        heard, start = b"", time.monotonic_ns()
        os.write(self._master, chunk)
        while codec.STOP_FRAME not in heard:
            if not select.select([self._master], [], [], LOST_NS / 1e9)[0]:
                return None
            heard += os.read(self._master, 65_536)
        return time.monotonic_ns() - start

    def close(self) -> None:
        """End it."""
        self._child.kill()
        self._child.wait()
        os.close(self._master)


def measure(part: str, condition: str, triggers: int, sessions: int) -> tuple[Row, Row]:
    """The floor and ``part``, a trigger each in turn."""
    floors: list[int | None] = []
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        # All boards first, and some to spare: one that is being made keeps every other from answering its session.
        boards = enumerate([Board(seed) for seed in range(sessions + SPARE)])

        def another() -> Target:
            spare = next(boards, None)
            if spare is None:
                sys.exit(
                    f"{condition}: this computer is too busy; {SPARE} sessions were stopped because their loop came late"
                )
            seed, board = spare
            return stack.enter_context(contextlib.closing(Target(board, part, condition, seed, folder)))

        targets = [another() for _ in range(sessions)]
        begun = list(targets)
        floor = stack.enter_context(contextlib.closing(Floor()))
        spun = False
        while sum(len(each.times) for each in begun) < triggers:
            _wait(targets)
            for at, target in enumerate(targets):
                chunk = target.turn(time.monotonic_ns())
                if chunk is not None and not any(each.pending for each in targets):
                    floors.append(floor.answer_ns(chunk))
                if target.ended:  # too busy a computer: a late loop or a silent screen is a stop
                    print(f"another in the place of {target.told}", flush=True)
                    targets[at] = another()
                    begun.append(targets[at])
            if not spun and all(each.listens for each in targets):
                spun = True
                stack.enter_context(spinning(condition))
                for times_ns in (floors, *(each.times for each in begun)):
                    times_ns.clear()  # what came before was under no load
        times = [took for target in begun for took in target.times]
        print(f"{condition}: the quickest took {min((took for took in times if took), default=0) / 1e6:.2f} ms")
    return row("floor", condition, floors), row(part, condition, times)


def _wait(targets: list[Target]) -> None:
    """Until one of the boards has something to say or to hear."""
    select.select([each.board.master for each in targets], [], [], min(each.board.wait_s for each in targets))


def _flows(word: m.Update) -> bool:
    return any(entry.train.amplitude_ua > 0 for entry in word.entries)


def _now_us() -> int:
    return time.monotonic_ns() // 1_000


def bench(triggers: int, conditions: tuple[str, ...], sessions: int) -> list[Row]:
    """Measure and print everything; returns the rows."""
    print(f"the instrument has {process.real_time(INSTRUMENT_PRIORITY)}", flush=True)
    rows: list[Row] = []
    for condition in conditions:
        floor, found = measure("control", condition, triggers, sessions)
        rows += [floor, found]
        met = "yes" if found.p99 <= GOAL_MS and not found.lost else "NO"
        print(
            f"{condition} (load average {load()}): p99 {found.p99:.2f} ms (floor {floor.p99:.2f}) over the chunk;"
            f" within {GOAL_MS:g} ms and none lost: {met}",
            flush=True,  # it takes minutes
        )
    cells = [
        (each.what, each.condition, str(each.keys), str(each.lost), *(f"{ms:.2f}" for ms in each[4:])) for each in rows
    ]
    table(("ms", "cores", "triggers", "lost", "median", "p99", "p99.9", "max"), cells)
    print(f"{sessions} sessions side by side; the chunk itself takes {CHUNK_MS} ms more")
    return rows


def main() -> None:
    """Cores idle and busy, with 100 triggers each."""
    bench(100, ("idle", "load"), 1)


def _command_line() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--triggers", type=int, default=100, help="triggers in a row (default 100)")
    parser.add_argument("--quick", action="store_true", help="20 triggers in a row")
    beside = "sessions side by side: sooner done, and in each other's way (default 1)"
    parser.add_argument("--sessions", type=int, default=1, help=beside)
    parser.add_argument("--json", type=Path, help="write the rows to this file as well")
    parser.add_argument("--only", nargs="+", choices=("idle", "busy", "load"), default=("idle", "load"))
    parser.add_argument("--part", nargs="+", help=argparse.SUPPRESS)
    args = parser.parse_args()
    match args.part:
        case ["floor", board]:
            return floor_part(board)
        case ["control", board, face, folder]:
            return control_part(board, face, folder, real_time=True)
    rows = bench(20 if args.quick else args.triggers, tuple(args.only), args.sessions)
    if args.json:
        args.json.write_text(json.dumps([each._asdict() for each in rows], indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(_command_line())
