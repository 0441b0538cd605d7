"""Runs tasks in forked children, a few at a time, and tells how each one ended."""

from __future__ import annotations

import json
import os
import selectors
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, Final, NoReturn

from tests.proving.mutant_worker import HUNG, Report, Task, prepare_child, work

CPU_S: Final = 200
"""CPU time, in s, of one child in all. What never ends meets the bound of one test long before that."""

WALL_S: Final = 900
"""Time, in s, after which a child counts as hanging."""


@dataclass
class _Child:
    pid: int
    pipe: int
    log: IO[bytes]
    began_s: float
    note: Any
    heard: bytes = b""


class Pool:
    """At most ``workers`` children at once. ``work`` is what they do; tests put their own in its place."""

    def __init__(self, workers: int, work: Callable[[Task, int], NoReturn] = work) -> None:
        self._workers, self._work = workers, work
        self._selector = selectors.DefaultSelector()

    def map(self, tasks: Iterator[tuple[Any, Task]]) -> Iterator[tuple[Any, Report]]:
        """Do all tasks; each report comes with the note its task came with, in the order in which they end."""
        exhausted = False
        try:
            while True:
                while not exhausted and len(self._selector.get_map()) < self._workers:
                    following = next(tasks, None)
                    if following is None:
                        exhausted = True
                    else:
                        self._start(*following)
                if not self._selector.get_map():
                    return
                yield from self._wait()
        finally:
            for key in list(self._selector.get_map().values()):
                self._kill(key.data)
                self._finish(key.data)

    def _start(self, note: Any, task: Task) -> None:
        log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with its child
        read, write = os.pipe()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            prepare_child(CPU_S, log.fileno())
            self._work(task, write)
        os.close(write)
        child = _Child(pid, read, log, time.monotonic(), note)
        self._selector.register(read, selectors.EVENT_READ, child)

    def _wait(self) -> Iterator[tuple[Any, Report]]:
        ready = {key.data.pid for key, _ in self._selector.select(1.0)}
        for key in list(self._selector.get_map().values()):
            child = key.data
            if child.pid in ready:
                data = os.read(child.pipe, 1 << 20)
                child.heard += data
                if not data:
                    yield child.note, self._finish(child)
            elif time.monotonic() - child.began_s > WALL_S:
                self._kill(child)
                self._finish(child)
                yield child.note, Report("timeout", f"nothing for {WALL_S} s")

    @staticmethod
    def _kill(child: _Child) -> None:
        os.kill(child.pid, signal.SIGKILL)

    def _finish(self, child: _Child) -> Report:
        """The report of a child whose pipe has closed; whatever it has left behind goes with it."""
        self._selector.unregister(child.pipe)
        os.close(child.pipe)
        _, status, _ = os.wait4(child.pid, 0)
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        child.log.seek(0)
        said = child.log.read().decode(errors="replace")
        child.log.close()
        return judge(child.heard, status, said)


def judge(heard: bytes, status: int, said: str) -> Report:
    """What a child's last words and its exit status mean; a crash brings what it had printed."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGXCPU:
            return Report("timeout", "CPU time")
        return Report("crash", f"ended by signal {number}\n{said[-4_000:]}")
    if os.WEXITSTATUS(status) == HUNG:
        return Report("timeout", "a test that hung")
    if os.WEXITSTATUS(status) != 0 or not heard:
        return Report("crash", f"ended with {os.WEXITSTATUS(status)} and said nothing\n{said[-4_000:]}")
    report = Report(**json.loads(heard))
    if report.end == "crash":
        report.by += f"\n{said[-4_000:]}"
    return report
