"""What the control loop may be doing at the moment of a stop: each a state to come to, and one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from stimctl.engine import State
from stimctl.orders import OrderKind as Kind
from stimctl.session.fingerprint import limits_sha256
from stimctl.sim.faults import Fault, FaultKind
from stimctl.units import MS
from tests.proving.apart import apart
from tests.proving.bench import Bench, Halt
from tests.session_rig import CYCLIC, EMG, TENS

Act = Callable[[Bench], object]


@dataclass(frozen=True)
class Operation:
    """``act`` runs in the control loop's thread once ``prepare`` has brought the bench to its place.

    ``faulty``: something else goes wrong in it, so that an alarm is right. ``lost``: its board cannot be reached, or the
    session lets it go. ``unrecorded``: a stop may come while no record is open.
    """

    name: str
    prepare: Act
    act: Act
    text: str = CYCLIC
    faulty: bool = False
    lost: bool = False
    unrecorded: bool = False


# --- coming to a place -------------------------------------------------------------------------------------------


def _nowhere(bench: Bench) -> None:
    """Where a session begins."""


def _off(state: State) -> Act:
    """In a state with the output stage confirmed off."""

    def prepare(bench: Bench) -> None:
        bench.work(state)
        bench.until_off()

    return prepare


def _delivering(state: State, ua: int = 3_000) -> Act:
    def prepare(bench: Bench) -> None:
        bench.work(state)
        bench.until(lambda: bench.flowing_ua >= ua)

    return prepare


def _at_next_step(bench: Bench) -> None:
    """In a burst's ramp, at the time of its next step up."""
    _delivering(State.BURST)(bench)
    bench.now_us = bench.session.engine.next_change_us(bench.now_us)


def _just_before(state: State, then: State | None = None) -> Act:
    """Before the very pass that leads to ``state``, or to ``then`` after it. A copy of this process finds out which."""

    def come(bench: Bench) -> None:
        bench.work(state)
        if then is not None:
            bench.work(then)

    def passes(bench: Bench) -> int:
        come(bench)
        return bench.passes

    def prepare(bench: Bench) -> None:
        bench.halt_at = apart(lambda: passes(bench)) - 1
        try:
            come(bench)
        except Halt:
            bench.halt_at = -1

    return prepare


def _for_the_first_time(prepare: Act) -> Act:
    """With the limits' hash, which is made once a process, still to be made: here alone its lines are looked at."""

    def anew(bench: Bench) -> None:
        prepare(bench)
        limits_sha256.cache_clear()

    return anew


def _paused(bench: Bench) -> None:
    _delivering(State.BURST)(bench)
    bench.order(Kind.PAUSE)
    bench.until_off()


def _stopped(bench: Bench) -> None:
    _delivering(State.BURST)(bench)
    bench.session.stop_now("earlier")
    bench.go(300 * MS)


def _unplugged(bench: Bench) -> None:
    """The board has gone in a burst, and is back at its port."""
    _delivering(State.BURST)(bench)
    bench.twin.inject(Fault(FaultKind.LINE_CUT))
    bench.go(2_000 * MS)


def _looking_again(bench: Bench) -> None:
    _unplugged(bench)
    bench.order(Kind.CLEAR)


def _contact_lost(bench: Bench) -> None:
    _at_next_step(bench)
    bench.twin.inject(Fault(FaultKind.CONTACT_OPEN))
    bench.now_us += 60 * MS
    bench.twin.advance(bench.now_us)


def _reset(bench: Bench) -> None:
    _at_next_step(bench)
    bench.twin.inject(Fault(FaultKind.RESET))


# --- what is done there ------------------------------------------------------------------------------------------


def _pass(bench: Bench) -> None:
    """One pass of the control loop, with what a face is shown and when the next one is due."""
    bench.tick()
    bench.session.status(bench.now_us)
    bench.session.next_wake_us(bench.now_us)


def _order(*kinds: Kind) -> Act:
    """Orders of one pass, each refused or not as the control loop takes it."""

    def act(bench: Bench) -> None:
        for kind in kinds:
            bench.order(kind)

    return act


def _then_pass(act: Act) -> Act:
    def both(bench: Bench) -> None:
        act(bench)
        _pass(bench)

    return both


def _open(bench: Bench) -> None:
    bench.session.order(bench.opening, bench.now_us)


def _close(bench: Bench) -> None:
    bench.session.close("the test is over", bench.now_us)


OPERATIONS: Final = (
    Operation("open", _nowhere, _then_pass(_open), unrecorded=True),
    Operation("connect", _for_the_first_time(_just_before(State.SCREENING)), _pass, unrecorded=True),
    Operation("idle", _off(State.READY), _pass),
    Operation("start", _off(State.READY), _order(Kind.START)),
    Operation("start-and-arm", _off(State.READY), _then_pass(_order(Kind.START))),
    Operation("arm", _just_before(State.TRIAL), _pass),
    Operation("arm-titration", _just_before(State.TITRATING), _pass),
    Operation("titrate", _delivering(State.TITRATING, 1_000), _pass),
    Operation("next-channel", _just_before(State.READY), _then_pass(_order(Kind.NEXT))),
    Operation("raise", _delivering(State.TRIAL), _then_pass(_order(Kind.RAISE))),
    Operation("lower", _delivering(State.TRIAL), _order(Kind.LOWER)),
    Operation("zero", _delivering(State.TRIAL), _order(Kind.ZERO)),
    Operation("begin", _delivering(State.TRIAL), _order(Kind.BEGIN)),
    Operation("burst-begins", _just_before(State.REST, State.BURST), _pass),
    Operation("deliver", _at_next_step, _pass),
    Operation("burst-ends", _just_before(State.BURST, State.REST), _pass),
    Operation("dose-done", _just_before(State.REVIEW), _pass),
    Operation("onset", _just_before(State.LISTENING, State.BURST), _pass, EMG),
    Operation("flow", _delivering(State.FLOWING), _pass, TENS),
    Operation("pause", _delivering(State.BURST), _order(Kind.PAUSE)),
    Operation("resume", _paused, _then_pass(_order(Kind.RESUME))),
    Operation("finish", _delivering(State.BURST), _order(Kind.FINISH)),
    Operation("clear", _stopped, _order(Kind.CLEAR)),
    Operation("clear-and-start", _stopped, _then_pass(_order(Kind.CLEAR, Kind.START))),
    Operation("close", _delivering(State.BURST), _close, lost=True, unrecorded=True),
    Operation("close-in-order", _off(State.REVIEW), _order(Kind.CLOSE), lost=True, unrecorded=True),
    Operation("contact-lost", _contact_lost, _pass, faulty=True),
    Operation("board-reset", _reset, _pass, faulty=True, lost=True),
    Operation("look-again", _unplugged, _then_pass(_order(Kind.CLEAR)), faulty=True, lost=True),
    Operation("found-again", _looking_again, _pass, faulty=True, lost=True),
)
"""Every way in which the control loop changes what a stop must find."""

BY_NAME: Final = {operation.name: operation for operation in OPERATIONS}
