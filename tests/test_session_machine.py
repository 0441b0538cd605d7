"""A session and its twin under random hands: every order in any state, time, stops, faults and their repair.

Judged by the twin's own truth: what flowed, and what was armed. The session's word counts only where it says "off".
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from stimctl.control.operator import ScriptedOperator
from stimctl.driver import OutputState
from stimctl.engine import ARMED, State
from stimctl.engine.table import DELIVERING
from stimctl.errors import StimctlError
from stimctl.orders import OrderKind as Kind
from stimctl.records.reading import verify
from stimctl.sim.board import Twin
from stimctl.sim.faults import Fault, FaultKind
from stimctl.units import MINUTE, MS, SECOND
from tests.session_rig import CYCLIC, EMG, TENS, Rig

MOST_UA = 8_000
"""What the protocol files of the rig allow at most."""

DEAD_MAN_US = 500 * MS
"""A board that hears nothing is at zero by then, whatever else is broken (clinical reference, F.3)."""

SPOIL = (FaultKind.LINE_CUT, FaultKind.CONTACT_OPEN, FaultKind.HANG, FaultKind.EMG_FLAT, FaultKind.STOP_BUTTON)
"""What goes wrong and is mended again: cable, pad, program, sensor, and the switch on the board."""

DEAF = (FaultKind.LINE_CUT, FaultKind.HANG)
"""With these a board does not hear a stop, and its dead-man has to do."""

PLACES = (
    State.BURST,
    State.TRIAL,
    State.TITRATING,
    State.REST,
    State.READY,
    State.THRESHOLDS,
    State.SCREENING,
    State.CHOOSING,
)
LEFT_ALONE = (State.STOPPED, State.PAUSED, State.REVIEW, State.ENDED)
"""Where the script would end the session; only the other hands go on from there."""

LASTS = (Kind.FINISH, Kind.CLOSE)
ANY = 4 * [kind for kind in Kind if kind not in LASTS] + list(LASTS)
"""Every order; those that end a session more seldom, so that there is one left for the other hands."""

VALUES = ("", "sensory", "motor", "tolerated", "ok", "event", "3", "yes", "no", "normal", "absent")


class Hands(RuleBasedStateMachine):
    """One session from its first order to wherever it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="machine-"))
        self.rig: Rig | None = None
        self.boards: list[Twin] = []
        self.stopped_us: int | None = None

    @initialize(text=st.sampled_from([CYCLIC, EMG, TENS]), seed=st.integers(0, 9), until=st.sampled_from(PLACES))
    def begin(self, text: str, seed: int, until: State) -> None:
        """Somewhere on its way, so that not every example has to find the door first."""
        self.rig = Rig(self.folder, text, seed=seed)
        self.script(until)

    def teardown(self) -> None:
        """Whatever was going on: closed, it is at zero for good, and the record holds together."""
        if self.rig is None:
            return
        self.rig.close()
        for board in self.boards:
            board.advance(self.rig.now_us + DEAD_MAN_US)
            assert not board.energised
            assert not board.armed
        assert verify(self.rig.store).ok
        shutil.rmtree(self.folder)

    @property
    def bench(self) -> Rig:
        assert self.rig is not None
        return self.rig

    @property
    def state(self) -> State:
        return self.bench.state

    @property
    def energised(self) -> bool:
        """By the boards' own truth, a forgotten one included."""
        if self.bench.session.link is not None and self.bench.twin not in self.boards:
            self.boards.append(self.bench.twin)
        for board in self.boards:
            board.advance(self.bench.now_us)
        return any(board.energised for board in self.boards)

    def is_deaf(self) -> bool:
        return any(board.plan.has(kind) for board in self.boards for kind in DEAF)

    # --- hands -----------------------------------------------------------------------------------------------------

    @rule(kind=st.sampled_from(ANY), value=st.sampled_from(VALUES), name=st.sampled_from(["", "extensors"]))
    def order_anything(self, kind: Kind, value: str, name: str) -> None:
        """Any order at all, in any state; it is refused in words, or carried out."""
        if kind in (Kind.START, Kind.RESUME):
            self.stopped_us = None
        self.bench.order(kind, value=value, name=name)

    @rule(until=st.sampled_from(PLACES))
    def work(self, until: State) -> None:
        """A person clears or resumes where that is due; then a script goes on, so that the other hands meet every state."""
        self.stopped_us = None
        if self.state is State.STOPPED:
            self.bench.order(Kind.CLEAR)
        if self.state is State.PAUSED:
            self.bench.order(Kind.RESUME)
        if self.state not in LEFT_ALONE:
            self.script(until)

    def script(self, until: State) -> None:
        """Up to a state; where one delivers, until current flows."""
        self.bench.operator = ScriptedOperator(self.bench.opening, linger=True)
        with contextlib.suppress(StimctlError):  # after other hands it may be out of its depth
            self.bench.work(until, most_us=45 * SECOND)
            for _ in range(50 if until in DELIVERING else 0):
                if self.state not in LEFT_ALONE and not self.energised:
                    self.bench.work(most_us=100 * MS)

    @rule(us=st.sampled_from([0, 1, 20 * MS, 50 * MS, 499_999, SECOND, 4 * SECOND, 20 * SECOND]))
    def wait(self, us: int) -> None:
        self.bench.go(us)

    @rule(us=st.sampled_from([100 * MS, 251 * MS, 600 * MS, 6 * MINUTE]))
    def stall(self, us: int) -> None:
        """The control loop does not come round for a while: the board's dead-man has to do."""
        self.bench.now_us += us
        if us >= DEAD_MAN_US:
            assert not self.energised
        self.bench.tick()

    @rule()
    def stop(self) -> None:
        deaf = self.is_deaf()
        self.bench.session.stop_now("Space pressed")
        self.stopped_us = self.bench.now_us
        assert deaf or not self.energised, "the stop frame itself ends the output"

    @precondition(lambda self: self.state is State.STOPPED)
    @rule()
    def clear(self) -> None:
        """As a person does: again and again, until it is taken, or until it is plain that it will not be."""
        for _ in range(4):
            if self.bench.order(Kind.CLEAR):
                self.bench.go(SECOND)
        assert not self.energised, "clearing a stop switches nothing on"

    @precondition(lambda self: self.state in (State.READY, State.THRESHOLDS, State.PAUSED))
    @rule()
    def arm(self) -> None:
        self.stopped_us = None
        self.bench.order(Kind.RESUME if self.state is State.PAUSED else Kind.START)
        self.bench.go(100 * MS)
        assert not self.energised, "from zero, whatever was before"

    @precondition(lambda self: self.state in ARMED)
    @rule(presses=st.integers(1, 8))
    def press(self, presses: int) -> None:
        for _ in range(presses):
            self.bench.order(Kind.RAISE)
            self.bench.go(600 * MS)

    @precondition(lambda self: self.bench.session.link is not None)
    @rule()
    def try_unasked(self) -> None:
        """The patient moves although nobody has said so."""
        link = self.bench.session.link
        assert link is not None
        assert link.patient is not None
        link.patient.cue(self.bench.now_us)

    @precondition(lambda self: self.boards)
    @rule(kind=st.sampled_from(SPOIL))
    def spoil(self, kind: FaultKind) -> None:
        self.boards[-1].advance(self.bench.now_us)
        self.boards[-1].inject(Fault(kind, self.bench.now_us))

    @precondition(lambda self: self.boards)
    @rule()
    def mend(self) -> None:
        for board in self.boards:
            board.advance(self.bench.now_us)
            for kind in SPOIL:
                board.heal(kind)

    # --- what must hold ------------------------------------------------------------------------------------------------

    @invariant()
    def what_flows_is_allowed(self) -> None:
        if self.rig is None:
            return
        on = self.energised
        assert all(ledger.peak_ua <= MOST_UA and ledger.net_pc == 0 for board in self.boards for ledger in board.ledger)
        if on:
            assert self.rig.session.output is not OutputState.OFF, "it never says off while the twin delivers"
            ceiling_ua = self.rig.session.preparation.ceiling_ua(0)
            flowing_ua = max(board.current_ua(0) for board in self.boards)
            assert ceiling_ua is None or flowing_ua <= ceiling_ua, "nobody goes beyond what was found"

    @invariant()
    def a_stop_holds(self) -> None:
        if self.rig is None:
            return
        session = self.rig.session
        if self.state is State.STOPPED:
            assert session.latch.tripped
        if self.stopped_us is None:
            return
        if self.rig.now_us - self.stopped_us >= DEAD_MAN_US:
            assert not self.energised
            assert not any(board.armed for board in self.boards)


TestSession = Hands.TestCase
TestSession.settings = settings(max_examples=max(12, settings().max_examples // 5), stateful_step_count=25)
