"""The twin and a session as two real programs over a real pseudo-terminal, for end-to-end tests.

Run as a module, this file is the twin of ``stimctl sim reference`` with its ledger open: every line bears the time of
the machine's monotonic clock, SIGUSR1 cuts its wire, and SIGTERM ends it with a line that says what really flowed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from stimctl.boards.reference.codes import Cause
from stimctl.errors import UsageError
from stimctl.sim.board import Twin
from stimctl.sim.faults import Fault, FaultKind
from stimctl.sim.patient import Patient
from stimctl.sim.terminal import SELF_PACED, clock_us, serve

PATIENCE_S = 30.0
ROOT = Path(__file__).parent.parent


class Program:
    """A Python module as a program, its output read line by line. Waiting has a deadline, never a fixed length."""

    def __init__(self, *arguments: str, cwd: Path, module: str = "stimctl") -> None:
        self.lines: list[str] = []
        self._rest = b""
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self.process.stdout, selectors.EVENT_READ)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, pattern: str, *, after: int = 0, patience_s: float = PATIENCE_S) -> str:
        """The first line from number ``after`` on that matches; fails when it does not come."""
        end_s = time.monotonic() + patience_s
        while True:
            for line in self.lines[after:]:
                if re.search(pattern, line):
                    return line
            left_s = end_s - time.monotonic()
            assert left_s > 0, f"no line matches {pattern!r} in:\n{self.text}"
            if not self._pump(min(left_s, 0.2)) and self.process.poll() is not None and not self._pump(0):
                raise AssertionError(
                    f"ended with {self.process.returncode} and no line that matches {pattern!r}:\n{self.text}"
                )

    def _pump(self, patience_s: float) -> bool:
        """Take in what has come; whether anything has."""
        if not self._selector.select(patience_s):
            return False
        assert self.process.stdout is not None
        data = os.read(self.process.stdout.fileno(), 65_536)
        *whole, self._rest = (self._rest + data).split(b"\n")
        self.lines += [line.decode(errors="replace") for line in whole]
        return bool(data)

    def watch(self, patience_s: float) -> None:
        """Take in what comes next, if anything does."""
        self._pump(patience_s)

    def says(self, pattern: str) -> bool:
        """Whether a line so far matches."""
        assert self.process.stdout is not None
        while not self.process.stdout.closed and self._pump(0):
            pass
        return re.search(pattern, self.text) is not None

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, patience_s: float = PATIENCE_S) -> int:
        """The exit code."""
        end_s = time.monotonic() + patience_s
        while self.process.poll() is None:
            self._pump(0.05)
            assert time.monotonic() < end_s, f"did not end:\n{self.text}"
        while self._pump(0):
            pass
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()
        self._selector.close()
        assert self.process.stdout is not None
        self.process.stdout.close()


# --- the twin, seen from outside ----------------------------------------------------------------------------------


class Flow(NamedTuple):
    """A current that flowed in ``[start_us, end_us)``, peak in µA."""

    start_us: int
    end_us: int
    peak_ua: int


class Facts(NamedTuple):
    """What a twin says at its end. All times are the machine's monotonic µs."""

    flows: tuple[Flow, ...]
    disarms: tuple[tuple[int, Cause], ...]
    fed_us: tuple[int, ...]
    """When bytes arrived."""

    def last_fed_us(self, before_us: int) -> int:
        """When the last bytes had come by ``before_us``."""
        return max(time_us for time_us in self.fed_us if time_us <= before_us)

    def ended_us(self, cause: Cause) -> int:
        """When the one session that ended by ``cause`` did; fails unless there is just one."""
        [ended_us] = [time_us for time_us, why in self.disarms if why is cause]
        return ended_us


class Board(Program):
    """The twin with its ledger open, at ``./board`` in ``cwd``."""

    def __init__(self, cwd: Path, *options: str) -> None:
        super().__init__("board", *options, cwd=cwd, module="tests.twin_rig")

    def is_alive_after(self, us: int) -> None:
        """Wait until the twin itself has seen the clock pass ``us``."""
        while int(self.wait_for(r"alive", after=len(self.lines)).split()[0]) <= us:
            pass

    def ask(self) -> Facts:
        """End it, and what it says then."""
        self.signal(signal.SIGTERM)
        assert self.wait() == 0, self.text
        said: dict[str, Any] = json.loads(self.lines[-1])
        return Facts(
            tuple(Flow(*each) for each in said["flows"]),
            tuple((time_us, Cause(cause)) for time_us, cause in said["disarms"]),
            tuple(said["fed_us"]),
        )


def dead_for_good(link: Path) -> None:
    """Let a killed twin's link lead to a terminal that nobody can have.

    The number of the dead one is soon another's, at the latest when tests run side by side, and a twin rightly refuses
    to take away a link that leads to a living terminal.
    """
    link.unlink()
    link.symlink_to("/dev/pts/999999")


# --- the twin, from inside ----------------------------------------------------------------------------------------


class _Open(Twin):
    """A twin that notes when bytes arrive."""

    fed_us: list[int]

    def feed(self, data: bytes, now_us: int) -> None:
        if data:
            self.fed_us.append(now_us)
        super().feed(data, now_us)


def _say(text: str) -> None:
    print(clock_us(), text, flush=True)


def _claim_to_be_real() -> None:
    """For tests of what is refused on a board that does not call itself simulated."""
    from stimctl.boards.reference.codes import Capability
    from stimctl.sim import firmware

    firmware._EVERYTHING &= ~Capability.SIMULATED  # type: ignore[misc]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("link", type=Path)
    parser.add_argument("--claims-to-be-real", action="store_true")
    given = parser.parse_args()
    if given.claims_to_be_real:
        _claim_to_be_real()
    twin = _Open(Patient(1, will=SELF_PACED), seed=1, now_us=clock_us(), chunk_ms=10)
    twin.fed_us = []
    cuts: list[int] = []
    signal.signal(signal.SIGUSR1, lambda number, _frame: cuts.append(number))
    alive_us = 0

    def look() -> bool:
        nonlocal alive_us
        if cuts:
            cuts.clear()
            twin.inject(Fault(FaultKind.LINE_CUT, clock_us()))
            _say("wire cut")
        if clock_us() >= alive_us:
            alive_us = clock_us() + 100_000
            _say("alive")
        return False

    try:
        serve(twin, link_path=given.link, on_ready=lambda _path: _say("ready"), on_status=_say, should_stop=look)
    except UsageError as error:
        raise SystemExit(f"refused: {error}") from None
    flows = [
        (one.start_us, one.end_us, one.train.amplitude_ua) for led in twin.ledger for one in led.history(clock_us())
    ]
    disarms = [(time_us, int(cause)) for time_us, cause in twin.disarms]
    print(json.dumps({"flows": flows, "disarms": disarms, "fed_us": twin.fed_us}), flush=True)


if __name__ == "__main__":
    main()
