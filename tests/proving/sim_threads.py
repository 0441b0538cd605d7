"""Threads in lock step under one virtual clock: at any moment exactly one runs, and only the scheduler says which.

The production code keeps its real threads (the record's writer, a stop beside the control loop); they are handed a
baton and give it back wherever they would wait. So every run of a seed takes the same turns, and time passes only when
somebody waits. The shims below stand in for :mod:`threading` and :mod:`time` in the modules that use them.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Final

FOREVER_US: Final = 1 << 62


class Killed(BaseException):
    """The process is gone: raised wherever it stood, caught by nobody but the world."""


class Time:
    """Virtual µs, and :mod:`time` for those modules that ask it."""

    def __init__(self) -> None:
        self.now_us = 1_000_000
        self.asleep_us = 0

    def monotonic(self) -> float:
        return self.now_us / 1e6


def _us(timeout: float | None) -> int:
    """Whole µs, rounded up: who waits for a rest of a µs waits for one, or would never see it pass."""
    return FOREVER_US if timeout is None else max(0, math.ceil(timeout * 1e6))


def _shut() -> threading.Lock:
    """A lock that is held, for one thread to wait at and another to open; a semaphore costs many times as much."""
    lock = threading.Lock()
    lock.acquire()
    return lock


class Fibre:
    """A thread that runs only while it holds the baton."""

    def __init__(self, fibres: Fibres, target: Callable[[], object]) -> None:
        self.fibres, self._target = fibres, target
        self.done = self.started = False
        self.ready: Callable[[], bool] | None = lambda: True
        self.due_us = FOREVER_US
        self._turn, self._back = _shut(), _shut()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def is_due(self) -> bool:
        """Whether what it waits for has come."""
        if self.done:
            return False
        return self.due_us <= self.fibres.time.now_us or (self.ready is not None and self.ready())

    def resume(self) -> None:
        """Let it run until it waits again or ends; for the scheduler's thread."""
        if not self.started:
            self.started = True
            self._thread.start()
        self.fibres.running = self
        self._turn.release()
        self._back.acquire()
        self.fibres.running = None
        if self.done:
            self._thread.join()

    def park(self, ready: Callable[[], bool] | None, due_us: int) -> None:
        """Give the baton back until ``ready`` says so or ``due_us`` has come; for the thread itself."""
        self.ready, self.due_us = ready, due_us
        self._back.release()
        self._turn.acquire()
        if self.fibres.killing:
            raise Killed

    def _run(self) -> None:
        self._turn.acquire()
        try:
            if not self.fibres.killing:
                self._target()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - a thread that dies unheard would hide a bug
            self.fibres.raised.append(error)
        finally:
            self.done = True
            self._back.release()


class Fibres:
    """All threads beside the control loop's own, which is the scheduler's."""

    def __init__(self, time: Time) -> None:
        self.time = time
        self.running: Fibre | None = None
        self.killing = False
        self.raised: list[BaseException] = []
        self._all: list[Fibre] = []

    def spawn(self, target: Callable[[], object]) -> Fibre:
        """A new thread; it begins with its first turn."""
        fibre = Fibre(self, target)
        self._all.append(fibre)
        return fibre

    def settle(self) -> None:
        """Give everybody who can go on their turn, in the order of their birth, until nobody can."""
        if self.running is not None:
            return
        while (due := self._first_due()) is not None:
            due.resume()
            if due.done:
                self._all.remove(due)

    def _first_due(self) -> Fibre | None:
        for each in self._all:
            if each.is_due():
                return each
        return None

    def wait(self, until: Callable[[], bool], timeout_us: int) -> bool:
        """Wait in whichever thread this is; time passes for everybody."""
        fibre, end_us = self.running, min(self.time.now_us + timeout_us, FOREVER_US)
        if fibre is not None:
            if not until():
                fibre.park(until, end_us)
            return until()
        while True:
            self.settle()
            if until() or self.time.now_us >= end_us:
                return until()
            self.time.now_us = min([end_us, *(each.due_us for each in self._all)])
            if self.time.now_us >= FOREVER_US:
                raise RuntimeError("everybody waits for somebody else")

    def kill(self) -> None:
        """End every thread where it stands: the process was killed, or the world is over."""
        self.killing = True
        while self._all:
            fibre = self._all.pop(0)
            if fibre.started and not fibre.done:
                fibre.resume()


class SimLock:
    """A lock that gives the baton away instead of blocking."""

    def __init__(self, fibres: Fibres) -> None:
        self._fibres = fibres
        self._held = False

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if not self._held:
            self._held = True
            return True
        if not blocking:
            return False
        limit_us = _us(None if timeout < 0 else timeout)
        got = self._fibres.wait(lambda: not self._held, limit_us)
        self._held = self._held or got
        return got

    def release(self) -> None:
        self._held = False
        self._fibres.settle()  # whoever waits for it is no slower than we are

    def locked(self) -> bool:
        return self._held

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class SimCondition:
    """A condition; its lock needs no keeping, because nobody else runs."""

    def __init__(self, fibres: Fibres) -> None:
        self._fibres = fibres
        self._called = 0

    def __enter__(self) -> bool:
        return True

    def __exit__(self, *_: object) -> None:
        return

    def notify_all(self) -> None:
        self._called += 1

    def wait_for(self, predicate: Callable[[], object], timeout: float | None = None) -> bool:
        limit_us = _us(timeout)
        return self._fibres.wait(lambda: bool(predicate()), limit_us)

    def wait(self, timeout: float | None = None) -> bool:
        called = self._called
        return self.wait_for(lambda: self._called != called, timeout)


class SimThread:
    """A :class:`threading.Thread` whose turns the scheduler gives."""

    def __init__(self, fibres: Fibres, target: Callable[[], object]) -> None:
        self._fibres, self._target = fibres, target
        self._fibre: Fibre | None = None

    def start(self) -> None:
        self._fibre = self._fibres.spawn(self._target)

    def join(self, timeout: float | None = None) -> None:
        fibre = self._fibre
        if fibre is not None:
            limit_us = _us(timeout)
            self._fibres.wait(lambda: fibre.done, limit_us)


class SimThreading:
    """:mod:`threading`, as far as the record's writer needs it."""

    def __init__(self, fibres: Fibres) -> None:
        self._fibres = fibres

    def RLock(self) -> None:
        return None

    def Condition(self, _lock: object = None) -> SimCondition:
        return SimCondition(self._fibres)

    def Thread(self, *, target: Callable[[], object], **_named: object) -> SimThread:
        return SimThread(self._fibres, target)
