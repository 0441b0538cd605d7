"""Threads that take turns: real ones, of which only the holder of a baton runs, and which hand it over at yield points.

A yield point is a line (or an instruction) of stimctl that is about to run, in a room that a stop shares with the control
loop: what happens between two of them in other rooms neither sees nor changes anything that the other thread does.
Who goes on there is a chooser's decision, so an interleaving is repeated exactly by the same choices. Time does not pass
meanwhile, unless the calls let it.

Real locks would stop the holder for good. :class:`AwareLock` stands in for them: who finds it taken hands the baton
over, and a wait with an end is given up at once by those who are told to be *impatient*: the case that the lock did not
come free in time.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any, Final, Literal, Self

ROOT: Final = Path(__file__).parents[2] / "stimctl"
SHARED: Final = tuple(
    str(ROOT / place)
    for place in ("session/", "driver/", "control/", "transport/", "safety.py", "envelope/latch.py", "sim/link.py")
)
"""Where a stop and the control loop meet. The inside of the simulated board is behind its link's lock."""

BLIND: Final = str(ROOT / "session" / "rehearsal.py")
"""A dry flight has a limiter and a latch of its own: what it calls is nobody else's business."""

LOCKED: Final = ("stimctl.driver.line", "stimctl.sim.link", "stimctl.transport.memory")
"""Modules whose locks two threads of a session may both want."""

PATIENCE_S: Final = 30.0
"""Real time after which a thread that should have handed the baton over counts as hung."""

_shared: Final[dict[str, bool]] = {}
"""Whether a file is one of :data:`SHARED`: asked at each call, and a file's name says the same every time."""

Chooser = Callable[[int, int, Callable[[], tuple[int, ...]]], int]
"""Who is to go on: thread and number of the yield point that was reached, and what tells those who could run. One who
cannot run is passed over for the first who can."""


class Deadlock(Exception):
    """Nobody can go on."""


@dataclass
class Runner:
    """One call in a thread of its own, and what came of it."""

    call: Callable[[], object]
    gate: threading.Semaphore
    points: int = 0
    done: bool = False
    blind: bool = False
    traced: bool = True
    waits_for: AwareLock | None = None
    error: BaseException | None = None
    value: object = None


class Baton:
    """Runs calls in turns. ``look`` is called at each handing over, with nobody running; it returns nothing."""

    running: Baton | None = None

    def __init__(
        self,
        chooser: Chooser,
        *,
        opcodes: bool = False,
        impatient: frozenset[int] = frozenset(),
        look: Callable[[], None] = lambda: None,
        last: Mapping[int, int] | None = None,
    ) -> None:
        """``last``: by thread the last yield point that matters to the chooser; none of a thread that is left out.

        The same turns are taken without it, in twice the time, and all yield points are counted.
        """
        self.switches: list[tuple[int, int, str, int, int]] = []
        """Each handing over: thread, its yield point, where that was and at which line, and who went on."""
        self.places: list[str] = []
        """The module's path of each yield point of the first thread."""
        self.waited: set[int] = set()
        """Threads that had to wait for a lock."""
        self._chooser, self._look, self._impatient = chooser, look, impatient
        self._opcodes, self._event = opcodes, "opcode" if opcodes else "line"
        self._last = last
        self._runners: list[Runner] = []
        self._me = 0
        self._over = threading.Semaphore(0)

    def run(self, *calls: Callable[[], object]) -> list[Runner]:
        """Run all calls to their ends, the first one first; returns what came of each."""
        self._runners = [Runner(call, threading.Semaphore(0)) for call in calls]
        threads = [threading.Thread(target=self._body, args=(me,), daemon=True) for me in range(len(calls))]
        outer, Baton.running = Baton.running, self
        try:
            for thread in threads:
                thread.start()
            self._me = self._choose(-1, 0)
            self._runners[self._me].gate.release()
            if not self._over.acquire(timeout=PATIENCE_S):
                raise Deadlock(f"thread {self._me} hangs outside of any lock that is watched")
        finally:
            Baton.running = outer
        for thread in threads:
            thread.join()
        return self._runners

    # --- in the threads ----------------------------------------------------------------------------------------

    def _body(self, me: int) -> None:
        runner = self._runners[me]
        runner.gate.acquire()
        runner.traced = self._last is None or me in self._last
        sys.settrace(self._enter if runner.traced else None)
        try:
            runner.value = runner.call()
        except BaseException as error:  # noqa: BLE001 - whatever escapes is what is to be judged
            runner.error = error
        finally:
            sys.settrace(None)
        runner.done = True
        runner.points += 1
        if self._able():
            self._pass_on(me, self._choose(me, runner.points))
        elif any(not each.done for each in self._runners):
            self._break()
        else:
            self._over.release()

    def _enter(self, frame: FrameType, event: str, arg: Any) -> Any:
        file = frame.f_code.co_filename
        shared = _shared.get(file)
        if shared is None:
            shared = _shared[file] = file.startswith(SHARED)
        if not shared or self._runners[self._me].blind:
            return None
        if file == BLIND:
            self._runners[self._me].blind = True
            return self._see_again
        frame.f_trace_opcodes = self._opcodes
        return self._step

    def _step(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == self._event:
            me, runner = self._me, self._runners[self._me]
            runner.points += 1
            if me == 0:
                self.places.append(frame.f_code.co_filename)
            chosen = self._choose(me, runner.points)
            if self._last is not None and runner.points >= self._last[me]:
                runner.traced = False
                sys.settrace(None)
            if chosen != me:
                self._pass_on(me, chosen, frame)
                runner.gate.acquire()
        return self._step

    def _see_again(self, frame: FrameType, event: str, arg: Any) -> Any:
        self._runners[self._me].blind = event != "return"
        return self._see_again

    def _choose(self, me: int, point: int) -> int:
        """Who goes on; whoever runs may go on without more ado."""
        wanted = self._chooser(me, point, self._able)
        if 0 <= wanted == me and not self._runners[me].done and self._runners[me].waits_for is None:
            return me
        able = self._able()
        return wanted if wanted in able else able[0]

    def _able(self) -> tuple[int, ...]:
        """Who could run."""
        return tuple(n for n, one in enumerate(self._runners) if not one.done and not _is_held(one.waits_for))

    def _pass_on(self, me: int, chosen: int, frame: FrameType | None = None) -> None:
        where = "its end" if frame is None else f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_qualname}"
        line = frame.f_lineno if frame is not None else 0
        self.switches.append((me, self._runners[me].points, where, line, chosen))
        self._look()
        self._me = chosen
        self._runners[chosen].gate.release()

    def _break(self) -> None:
        """Nobody can run: let one who waits find out."""
        stuck = next(n for n, one in enumerate(self._runners) if not one.done)
        self._runners[stuck].error = Deadlock()
        self._me = stuck
        self._runners[stuck].gate.release()

    # --- for locks -----------------------------------------------------------------------------------------------

    def await_lock(self, lock: AwareLock, *, bounded: bool) -> bool:
        """Let others run until ``lock`` is free; whether it is."""
        me = self._me
        if bounded and me in self._impatient:
            return False
        self.waited.add(me)
        sys.settrace(None)  # a thread that waits reaches no yield points
        try:
            self._wait(me, lock)
        finally:
            sys.settrace(self._enter if self._runners[me].traced else None)
        return True

    def _wait(self, me: int, lock: AwareLock) -> None:
        runner = self._runners[me]
        runner.waits_for = lock
        while lock.held:
            if not self._able():
                raise Deadlock(f"thread {me} waits for a lock, and nobody else can run")
            self._pass_on(me, self._choose(me, runner.points))
            runner.gate.acquire()
            if isinstance(runner.error, Deadlock):
                raise Deadlock(f"thread {me} waits for a lock that is never freed")
        runner.waits_for = None


class AwareLock:
    """In the place of :class:`threading.Lock`; outside of a run, where one thread is alone, a mere flag."""

    def __init__(self) -> None:
        self.held = False

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """As the real one."""
        if self.held and blocking:
            if Baton.running is None:
                raise Deadlock("a lock is waited for that nobody is there to free")
            if not Baton.running.await_lock(self, bounded=timeout >= 0):
                return False
        elif self.held:
            return False
        self.held = True
        return True

    def release(self) -> None:
        """As the real one."""
        if not self.held:
            raise RuntimeError("release unlocked lock")
        self.held = False

    def locked(self) -> bool:
        """As the real one."""
        return self.held

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> Literal[False]:
        self.release()
        return False


def _is_held(lock: AwareLock | None) -> bool:
    return lock is not None and lock.held


@contextlib.contextmanager
def aware_locks() -> Iterator[None]:
    """Whatever is built in here gets locks that hand the baton over."""
    modules = [sys.modules[name] for name in LOCKED if name in sys.modules]
    real = [module.__dict__["Lock"] for module in modules]
    for module in modules:
        module.__dict__["Lock"] = AwareLock
    try:
        yield
    finally:
        for module, lock in zip(modules, real, strict=True):
            module.__dict__["Lock"] = lock


# --- choosers -----------------------------------------------------------------------------------------------------


def planned(turns: Mapping[tuple[int, int], int]) -> Chooser:
    """At yield point (thread, number) the baton goes to the named thread; else whoever runs goes on, then the first."""

    def choose(me: int, point: int, able: Callable[[], tuple[int, ...]]) -> int:
        return turns.get((me, point), me)

    return choose


def last_turns(turns: Mapping[tuple[int, int], int]) -> dict[int, int]:
    """By thread the last yield point at which the baton is handed over as planned."""
    return {me: max(point for one, point in turns if one == me) for me, _ in turns if me >= 0}


def seeded(seed: int | str, *, every: int = 8) -> Chooser:
    """At one point of ``every`` the baton goes to anybody; the same seed chooses the same."""
    random = Random(seed)

    def choose(me: int, _point: int, able: Callable[[], tuple[int, ...]]) -> int:
        can = able()
        return me if me in can and random.randrange(every) else can[random.randrange(len(can))]

    return choose


def stop_inside(call: Callable[[], object], chooser: Chooser, stop: Callable[[], object]) -> object:
    """Run ``call`` as a control loop would, with ``stop`` in a second thread; returns or raises what ``call`` does.

    For worlds whose locks were made under :func:`aware_locks`. What escapes from ``stop`` is raised, too: it must not.
    """
    loop, other = Baton(chooser).run(call, stop)
    for runner in (other, loop):
        if runner.error is not None:
            raise runner.error
    return loop.value
