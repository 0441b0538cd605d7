"""One interleaving of an operation with a stop, and everything that must hold after it, by the twin's own truth."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from stimctl.driver import OutputState
from stimctl.engine import State
from stimctl.errors import StimctlError
from stimctl.orders import OrderKind as Kind
from stimctl.units import MS
from tests.proving.baton import Baton, Chooser, Runner
from tests.proving.bench import ENERGISING, Bench
from tests.proving.operations import Operation

REASON: Final = "STOP pressed"
SECOND_REASON: Final = "STOP pressed again"
CONFIRMED_US: Final = 1_000 * MS
"""By then the board has confirmed zero to the session, or is lost."""

STOP_ROWS: Final = ("stop", "stop-again", "stop-arming")


@dataclass
class Found:
    """What one interleaving showed. ``points`` of each thread; ``turns`` is where the baton went."""

    points: list[int] = field(default_factory=list)
    turns: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)

    def json(self) -> list[Any]:
        """As JSON values."""
        return [self.points, self.turns, self.wrong]


@dataclass(frozen=True)
class Manner:
    """How the threads are run beside each other."""

    opcodes: bool = False
    impatient: bool = False
    """The stop does not wait for a lock: the case that it does not come free in time."""
    stops: int = 1
    asks: bool = False
    """The stop's thread asks first whether output may be on, as the one that watches over the control loop does."""
    thorough: bool = True
    """Also go on from the stop, to see that nothing was left broken."""
    last: Mapping[int, int] | None = None
    """The last yield points that matter, see :class:`Baton`; without them all are counted."""


def placed(operation: Operation) -> Bench:
    """A bench at the operation's place."""
    bench = Bench(Path(tempfile.mkdtemp(prefix="bench-")), operation.text)
    operation.prepare(bench)
    bench.live_on()
    return bench


def interleave(bench: Bench, operation: Operation, chooser: Chooser, manner: Manner) -> Found:
    """Run the operation and the stops as ``chooser`` says, then judge."""
    found = Found()
    first, heard = bench.session.latch.epoch, len(bench.frames)
    baton = Baton(
        chooser,
        opcodes=manner.opcodes,
        impatient=frozenset(range(1, 1 + manner.stops)) if manner.impatient else frozenset(),
        look=lambda: _look(bench, found),
        last=manner.last,
    )
    reasons = (REASON, SECOND_REASON)[: manner.stops]
    runners = baton.run(lambda: operation.act(bench), *(_stopper(bench, reason, manner) for reason in reasons))
    found.places = baton.places
    found.points = [runner.points for runner in runners]
    found.turns = [f"{me}.{point} in {where}:{line} -> {on}" for me, point, where, line, on in baton.switches]
    _judge_run(bench, runners, found)
    if manner.asks and not found.wrong and not runners[1].value:
        return found  # nothing was on, and nothing was stopped
    if manner.impatient and baton.waited - {0}:
        found.wrong.append("the stop waited for a lock without end")
    if bench.session.latch.epoch < first + manner.stops:
        found.wrong.append("a trip of the latch was lost")
    _judge_frames(bench, heard, found, strict=not manner.impatient)
    _judge_now(bench, found)
    _judge_later(bench, operation, found)
    if manner.thorough and not found.wrong and not operation.lost and not operation.faulty:
        _judge_going_on(bench, found)
    return found


def _stopper(bench: Bench, reason: str, manner: Manner) -> Callable[[], bool]:
    def stop() -> bool:
        if manner.asks and not bench.session.may_be_energised:
            return False
        bench.session.stop_now(reason)
        return True

    return stop


def _look(bench: Bench, found: Found) -> None:
    """At each handing over: whoever asks now is not told that output is off while it flows."""
    if bench.session.output is OutputState.OFF and bench.energised:
        found.wrong.append("the status says off while the twin delivers")


def _judge_run(bench: Bench, runners: list[Runner], found: Found) -> None:
    for number, runner in enumerate(runners):
        refused = number == 0 and isinstance(runner.error, StimctlError) and bench.session.state is State.CHOOSING
        if runner.error is not None and not refused:
            who = "the stop" if number else "the control loop"
            found.wrong.append(f"out of {who} came {type(runner.error).__name__}: {runner.error}")


def _judge_frames(bench: Bench, heard: int, found: Found, *, strict: bool) -> None:
    """Nothing that energises behind the first stop frame. When the lock was not waited for the board sees to it."""
    names = [type(word).__name__ for word in bench.frames[heard:]]
    if "Stop" not in names:
        if bench.twins:
            found.wrong.append("no stop has reached the board")
    elif strict:
        behind = bench.frames[heard + names.index("Stop") :]
        found.wrong += [
            f"{type(w).__name__} reached the board behind the stop" for w in behind if isinstance(w, ENERGISING)
        ]


def _judge_now(bench: Bench, found: Found) -> None:
    bench.live_on()
    if bench.energised:
        found.wrong.append("the twin delivers after the stop")
    if bench.armed:
        found.wrong.append("the twin is armed after the stop")


def _judge_later(bench: Bench, operation: Operation, found: Found) -> None:
    """For a second nobody does anything: it stays at zero, is confirmed, shown and recorded."""
    heard, end_us = len(bench.frames), bench.now_us + CONFIRMED_US
    while bench.now_us < end_us and not found.wrong:
        try:
            bench.tick()
        except Exception as error:  # noqa: BLE001 - whatever it is, it would have ended the session
            found.wrong.append(f"the next pass raised {type(error).__name__}: {error}")
            return
        bench.live_on()
        _judge_pass(bench, found)
        # An ended session has no more passes; what it has left behind is looked at once more, a second later.
        bench.now_us = end_us if bench.session.ended else bench.session.next_wake_us(bench.now_us)
    bench.live_on()
    _judge_pass(bench, found)
    late = [word for word in bench.frames[heard:] if isinstance(word, ENERGISING)]
    if late:
        found.wrong.append(f"{type(late[0]).__name__} reached the board long after the stop")
    if not operation.lost and bench.session.output is not OutputState.OFF:
        found.wrong.append(f"zero was not confirmed in time: {bench.session.output}")
    _judge_words(bench, operation, found)


def _judge_pass(bench: Bench, found: Found) -> None:
    session = bench.session
    if bench.energised or bench.armed:
        found.wrong.append("the twin delivers or is armed again, and nobody has asked for it")
    if session.state is State.STOPPED and not session.latch.tripped:
        found.wrong.append("the session is stopped and its latch is not")
    if session._engine is not None and (session.engine.armed or session._intent is not None):
        found.wrong.append(f"the session goes on in {session.state.value!r} after a stop")


def _judge_words(bench: Bench, operation: Operation, found: Found) -> None:
    """A stop is told as a stop, in the record and on the screen."""
    session = bench.session
    told = [row.get("reason") for row in bench.recorded(*STOP_ROWS)]
    if REASON not in told and not operation.unrecorded:
        found.wrong.append(f"the record does not tell of the stop: {told}")
    if operation.faulty or session._engine is None:
        return
    if session.alarm != ("", "") or session.went_wrong or bench.recorded("fault"):
        found.wrong.append(f"a mere stop is shown as a fault: {session.alarm}, {bench.recorded('fault')}")


def _judge_going_on(bench: Bench, found: Found) -> None:
    """Cleared, and started anew: from zero, and it works."""
    session = bench.session
    if session.state is State.STOPPED:
        if why := bench.order(Kind.CLEAR):
            found.wrong.append(f"the stop cannot be cleared: {why}")
            return
        bench.go(300 * MS)
        bench.live_on()
        if bench.armed or bench.energised or session.latch.tripped:
            found.wrong.append("clearing has armed something, or cleared nothing")
    if session.state in (State.READY, State.THRESHOLDS):
        if why := bench.order(Kind.START):
            found.wrong.append(f"it cannot be started any more: {why}")
        bench.go(300 * MS)
        levels = [lane.level_ua for lane in session.engine.lanes.values()]
        if not bench.armed or bench.energised or any(levels):
            found.wrong.append(f"a new start did not begin at zero: armed {bench.armed}, levels {levels}")
