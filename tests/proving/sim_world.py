"""One seed, one session: the whole production chain under one virtual clock, with everything drawn from the seed.

What runs is the shipped code: control loop, session, engine, limiter, driver, codec, twin, patient, EMG, journal. What
stands in for the machine is ours: the clock, the line, the disk, the turns of the threads, the face and the person.
"""

from __future__ import annotations

import hashlib
import random
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from stimctl.control.contract import Ending
from stimctl.control.loop import ControlLoop
from stimctl.engine import ARMED
from stimctl.orders import Order
from stimctl.orders import OrderKind as Kind
from stimctl.records.journal import Journal
from stimctl.session.core import Session
from stimctl.session.diary import Diary
from stimctl.session.opening import Wishes
from stimctl.sim.board import Twin
from stimctl.sim.patient import DEFAULT_SITES
from stimctl.sim.volition import Attempt
from tests.proving.sim_disk import Disk
from tests.proving.sim_invariants import Judge
from tests.proving.sim_life import live, outlive, put_away
from tests.proving.sim_machine import Machine
from tests.proving.sim_misfortunes import Misfortunes
from tests.proving.sim_model import Model
from tests.proving.sim_operator import Operator
from tests.proving.sim_record import Owed
from tests.proving.sim_scenario import Scenario
from tests.proving.sim_stand_ins import WAKE_FD, Observed, SimClock, SimFace, SimPatient, SimStop, SimWake
from tests.proving.sim_stops import Stop, Stopper, Stopping
from tests.proving.sim_threads import FOREVER_US, Fibres, Killed
from tests.proving.sim_wire import BOARD_FD, Quirks, Seen, SimWire

PASSES_MAX: Final = 60_000
"""More passes than any seed needs: a loop that never sleeps is a bug of its own."""


@dataclass
class Result:
    """What became of a seed: violations, what was injected, and the digest of everything that happened."""

    seed: int
    wrong: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    digest: str = ""
    trace: list[str] = field(default_factory=list)


class World(Scenario):
    """Everything of one seed: its scenario, come true."""

    def __init__(
        self, seed: int, folder: Path, *, trace: bool = False, theme: str = "", until_wrong: bool = False
    ) -> None:
        """``theme``: what this session is to try beside what the seed draws, see :class:`~tests.proving.sim_scenario.Theme`."""
        super().__init__(seed, theme)
        self.folder = folder
        self.store = folder / "store" / f"{seed}.db"
        self.result = Result(seed)
        self._tracing, self._until_wrong = trace, until_wrong
        self._digest = hashlib.sha256()
        self.fibres = Fibres(self.time)
        self.disk, self.quirks = Disk(self.fibres), Quirks()
        self.misfortunes = Misfortunes(self, self.blows)
        self._inside: list[Stop] = []
        self.wall_back_s = 0
        self.model, self.judge, self.owed = Model(self.text), Judge(self), Owed(self)
        self.passed_us = self.time.now_us
        self.passes = 0
        self.is_over = self.is_stopping = False
        self.must_stop, self.pressed_at = "", 0
        self.failed_us: int | None = None  # when the record was first known to have failed
        self.attempts: list[Attempt] = []
        self.wires: list[SimWire] = []
        self.machine = Machine(self)
        self.stopper: Stopping = Stopper(self.fibres)

    # --- the parts -----------------------------------------------------------------------------------------------

    def _build(self) -> None:
        """Put the parts together."""
        path = self.folder / f"{self.seed}.toml"
        path.write_text(self.text.source, encoding="utf-8")
        patient = SimPatient(self.seed % 5, DEFAULT_SITES)
        faults = tuple(fault for blow in self.blows if (fault := blow.fault()) is not None)
        self.twin = Twin(patient, seed=self.seed, faults=faults, now_us=self.time.now_us)
        for stage in self.twin.stages:  # a stage may be stuck from its first moment on
            self._felt(stage.output, stage.ledger.train, self.time.now_us)
        patient.felt, patient.tried = self._felt, self.attempts.append
        opening = Order(Kind.OPEN, protocol=str(path), patient="P-1", side="right", board="sim:")
        self.operator = Operator(random.Random(f"operator {self.seed}"), opening, self.habits)
        self.face = SimFace(self)
        self.misfortunes.spoil_the_disk()
        self.journal = Journal(self.store, wall_clock=self.machine.wall)
        self.session = Session(Diary(self.journal), lambda: self.time.now_us, wishes=Wishes(), seed=self.seed)
        self.observed = Observed(self, self.session)
        self.wake = SimWake()
        self.stop_thread = SimStop(self.observed, self.wake)
        stand_ins: Any = (self.stop_thread, self.wake, self.face)
        self.loop = ControlLoop(self.observed, SimClock(self), *stand_ins, remark="seeded")

    # --- what is written down --------------------------------------------------------------------------------------

    def note(self, what: Callable[[], str]) -> None:
        """One line of the trace; made only when somebody reads it."""
        if self._tracing:
            self.result.trace.append(f"{self.time.now_us / 1e6:10.4f}  {what()}")

    def wrong(self, what: str) -> None:
        """A violation; a later one of the same kind is the same one."""
        self.note(lambda: f"WRONG: {what}")
        if len(self.result.wrong) < 5:
            self.result.wrong.append(f"{self.time.now_us / 1e6:.4f} s: {what}")

    def mark(self, *what: object) -> None:
        """A part of what happened, for the digest."""
        self._digest.update(repr(what).encode())

    def _felt(self, output: int, train: Any, at_us: int) -> None:
        train = None if train is None or train.amplitude_ua == 0 else train
        self.mark("flow", output, train, at_us)
        self.note(lambda: f"    output {output}: {0 if train is None else train.amplitude_ua} µA at {at_us / 1e6:.4f}")
        if train is not None and self.model.closed is None and train.amplitude_ua < 8_000:
            self.owed.flowed(self.model.opened_us)
        self.judge.flow(output, train, at_us)

    def told(self, seen: Seen) -> None:
        self.mark("frame", seen, self.time.now_us)
        if seen.kind not in (5, 6):
            self.note(lambda: f"    frame {seen.kind:#04x} of {seen.sequence}, {seen.peak_ua} µA")
        self.judge.told(seen)

    def accepted(self, order: Order, state: str, selected: int, now_us: int) -> None:
        """An order took effect."""
        self.result.counts[f"order {order.kind}"] += 1
        self.mark("order", order.kind, order.name, order.value, now_us)
        self.model.after(order, state, selected, now_us, accepted=True)
        if order.kind in (Kind.START, Kind.RESUME):
            self._judge_start()
        self.owed.accepted(order, state, now_us)
        if order.kind is Kind.CLEAR:
            self.must_stop = ""

    def _judge_start(self) -> None:
        """Output was asked for and nobody minded: every question must have been answered."""
        asked = {question.id for question in self.session.preparation.screening.questions}
        if unanswered := asked - self.model.answered:
            self.wrong(f"output was started with questions unanswered: {sorted(unanswered)[:2]}")

    # --- stops -----------------------------------------------------------------------------------------------------

    def stop(self, reason: str) -> None:
        """The stop thread's way into the session, from whichever thread runs now."""
        self.note(lambda: f"STOP: {reason}")
        self.mark("stop", reason, self.time.now_us)
        state = self.session.state
        if state not in ("choosing", "ended"):
            self.owed.stopped(reason, self.time.now_us)
        begun_us = self.time.now_us
        self.is_stopping = True
        self.session.stop_now(reason)
        self.is_stopping = False
        self.model.close(reason, begun_us, by_stop=True)
        if state in ARMED:
            self.must_stop, self.pressed_at = reason, self.passes

    @property
    def connected(self) -> bool:
        """Whether a board was ever opened."""
        return bool(self.wires)

    def interrupted(self, act: Callable[[], None]) -> None:
        """Do a part of a pass; a stop that is to fall into one may fall into this."""
        if not self._inside or self.fibres.running is not None:
            act()
            return
        stop = self._inside.pop()
        try:
            self.stopper.run(act, stop)
        finally:
            if not stop.pressed:
                self._inside.append(stop)

    def _press(self, stop: Stop) -> None:
        self.result.counts[f"stop {stop.how}"] += 1
        if stop.how != "between":
            stop.act = lambda: self.stop_thread.stop_session(stop.reason)
            self._inside.append(stop)
        else:
            self.stop_thread.stop_session(stop.reason)

    # --- time ------------------------------------------------------------------------------------------------------

    def pass_time(self, until_us: int, fds: Iterable[int]) -> None:
        """Between two passes: everything that happens until ``until_us``, or until there is something to read."""
        if self.passes > PASSES_MAX:
            raise RuntimeError("the control loop never sleeps")
        until_us = max(until_us, self.time.now_us)
        listening, waking = BOARD_FD in fds, WAKE_FD in fds
        self.settle()
        while not (waking and self.wake.called):
            step_us = min(until_us, self._next_us())
            if listening and self.wires and (board_us := self.wires[-1].next_event_us(self.time.now_us)) is not None:
                step_us = min(step_us, board_us)
            self.time.now_us = max(self.time.now_us, step_us)
            self.settle()
            if self.time.now_us >= until_us or (listening and self.wires[-1].readable()):
                return
            if self.stop_thread.ending is not None:
                return

    def settle(self) -> None:
        """Everything that is due now: bytes, threads, misfortunes, stops; then the look at all of it."""
        for wire in self.wires:
            wire.pump()
        self.twin.advance(self.time.now_us)
        self.fibres.settle()
        while self.stops and self.stops[0].at_us <= self.time.now_us:
            self._press(self.stops.pop(0))
        self.misfortunes.due()
        if self.time.now_us >= self.ends_us and not self.is_over:
            self._end()
        self.judge.step()
        if self._until_wrong and self.result.wrong:
            raise Killed

    def _next_us(self) -> int:
        next_us = self.misfortunes.next_us()
        if self.stops:
            next_us = min(next_us, self.stops[0].at_us)
        return min(next_us, self.ends_us) if self.time.now_us < self.ends_us else next_us

    def _end(self) -> None:
        """The session's time is up."""
        if self.end_how == "killed":
            self.result.counts["killed"] += 1
            raise Killed
        if self.end_how == "script-fails" and self.stop_thread.failure is None:
            self.result.counts["script-fails"] += 1
            self.stop_thread.failure = RuntimeError("a seeded failure")
        if self.stop_thread.ending is None:
            self.stop_thread.ending = Ending("ended by signal 15", 143)

    # --- the run -----------------------------------------------------------------------------------------------------

    def run(self) -> Result:
        """From the opening of the record to the board's last silence."""
        killed_us: int | None = None
        with self.machine.standing_in():
            try:
                self._build()
                live(self)
            except Killed:
                killed_us = self.time.now_us
                self.troubles.add("killed", killed_us, FOREVER_US)
                self.fibres.kill()
            except Exception as error:  # noqa: BLE001 - whatever a seed brings out is a finding
                where = traceback.extract_tb(error.__traceback__)[-1]
                self.wrong(f"raised {type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})")
                self.note(traceback.format_exc)
            outlive(self)
            failed = put_away(self, killed_us)
            for row in self.owed.judge(self.store, failed=failed, killed_us=killed_us):
                self.mark(row.mono_us, row.wall, row.kind, sorted(row.payload))
        return self._result()

    def _result(self) -> Result:
        if self.disk.refused_us is not None and self.session.case is None:
            self.result.counts["no record, no session"] += 1
        for error in self.fibres.raised:
            self.wrong(f"a thread raised {type(error).__name__}: {error}")
        for what in self.model.wrong:
            self.wrong(what)
        self.result.digest = self._digest.hexdigest()
        return self.result
