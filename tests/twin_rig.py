"""The twin and a session as two real programs over a real pseudo-terminal, for end-to-end tests."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path

PATIENCE_S = 40.0


class Program:
    """A stimctl command with its output read line by line. Waiting has a deadline, never a fixed length."""

    def __init__(self, *arguments: str, cwd: Path) -> None:
        self.lines: list[str] = []
        self._rest = b""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "stimctl", *arguments],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
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
