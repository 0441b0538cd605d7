"""A control process within this one: its loop, its end, its operator; and a face that calls back."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from stimctl.control import Operator, RealClock, VirtualClock, run_headless, run_with_face
from stimctl.control.child import FaceChild
from stimctl.control.terminal import Terminal
from stimctl.errors import StimctlError, UsageError
from stimctl.orders import Order, OrderKind, OutputWord, Stage, Status
from stimctl.units import MINUTE, SECOND

RIG = str(Path(__file__).with_name("control_rig.py"))


class Scripted:
    """A session without a board that ends by itself after ``length_us``, or fails where it is told to."""

    def __init__(self, length_us: int = 10 * SECOND, *, fails: str = "") -> None:
        self.length_us, self.fails = length_us, fails
        self.deeds: list[str] = []
        self.start_us = self.last_us = -1
        self.on = False

    def deed(self, name: str, detail: str = "") -> None:
        self.deeds.append(f"{name} {detail}".strip())
        if self.fails == name:
            raise (LookupError if name != "order" else UsageError)(f"{name} planted")

    def order(self, order: Order, now_us: int) -> None:
        self.deed("order", order.kind)
        self.on = order.kind is OrderKind.START

    def tick(self, now_us: int) -> None:
        self.start_us = now_us if self.start_us < 0 else self.start_us
        assert now_us >= self.last_us
        self.last_us = now_us
        self.on = self.on and not self.ended
        if self.fails == "tick" and now_us > self.start_us:
            self.on = False
            raise LookupError("tick planted")

    def next_wake_us(self, now_us: int) -> int:
        return now_us + 20_000

    def fileno(self) -> int | None:
        return None

    def status(self, now_us: int) -> Status:
        if self.fails == "status":
            raise LookupError("status planted")
        word = OutputWord.ON if self.on else OutputWord.OFF
        return Status(Stage.RUN, "s", "", word, simulated=True, board="none", now_us=now_us - self.start_us)

    def stop_now(self, reason: str) -> None:
        self.on = False
        self.deed("stop", reason)

    def note(self, text: str, now_us: int) -> None:
        self.deed("note", text)

    @property
    def may_be_energised(self) -> bool:
        return self.on

    @property
    def ended(self) -> bool:
        return 0 <= self.start_us <= self.last_us - self.length_us

    def close(self, reason: str, now_us: int) -> None:
        self.deed("close", reason)


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever runs these tests keeps its terminal."""
    monkeypatch.setattr(Terminal, "find", lambda: None)


def test_half_an_hour_at_full_speed_ends_by_itself_in_order() -> None:
    session = Scripted(30 * MINUTE)
    seen: list[int] = []
    before = gc.isenabled(), sys.getswitchinterval(), signal.getsignal(signal.SIGTERM)
    outcome = run_headless(session, clock=VirtualClock(), progress=lambda status: seen.append(status.now_us))
    assert (outcome.code, outcome.reason, outcome.output) == (0, "the session has ended", OutputWord.OFF)
    assert session.deeds == ["close the session has ended"]
    assert len(seen) == 1801
    assert (gc.isenabled(), sys.getswitchinterval(), signal.getsignal(signal.SIGTERM)) == before


def test_a_scripted_operator_gives_orders_and_the_guard_is_noted_once_output_is_on() -> None:
    orders = {0: OrderKind.OPEN, 2 * SECOND: OrderKind.START, 4 * SECOND: OrderKind.PAUSE, 6 * SECOND: OrderKind.START}

    def operator(status: Status, _now_us: int) -> Iterator[Order]:
        if status.now_us in orders:
            yield Order(orders[status.now_us])

    session = Scripted()
    assert run_headless(session, clock=VirtualClock(), operator=operator).code == 0
    assert session.deeds == [
        "order open",
        "order start",
        "note control process at ordinary priority",
        "order pause",
        "order start",
        "close the session has ended",
    ]


def test_a_script_that_is_refused_ends_the_session() -> None:
    def operator(_status: Status, _now_us: int) -> Iterable[Order]:
        return [Order(OrderKind.RAISE)]

    session = Scripted(fails="order")
    outcome = run_headless(session, clock=VirtualClock(), operator=operator)
    assert (outcome.code, outcome.reason) == (1, "order planted")
    assert session.deeds == ["order raise", "stop order planted", "close order planted"]


@pytest.mark.parametrize("fails", ["tick", "close", "status", "stop"])
def test_whatever_fails_output_is_stopped_and_called_unknown_unless_confirmed(fails: str) -> None:
    session = Scripted(SECOND, fails=fails)

    def operator(status: Status, _now_us: int) -> Iterable[Order]:
        return [Order(OrderKind.START)]

    outcome = run_headless(session, clock=VirtualClock(), operator=operator if fails != "stop" else stop_once(session))
    assert outcome.code == 1
    assert isinstance(outcome.error, LookupError)
    assert session.deeds[-1].startswith("close")
    if fails == "tick":
        assert session.deeds[-2].startswith("stop stimctl failed (LookupError: tick planted)")
        assert outcome.output is OutputWord.OFF
    else:
        assert outcome.line.endswith("USE THE STOP SWITCH")


def stop_once(session: Scripted) -> Operator:
    def operator(status: Status, _now_us: int) -> Iterable[Order]:
        if session.length_us < MINUTE:
            signal.raise_signal(signal.SIGINT)
        session.length_us = MINUTE * 1_000_000  # it cannot end by itself first
        return ()

    return operator


def test_a_signal_ends_a_headless_session_at_full_speed() -> None:
    session = Scripted(MINUTE * 1_000_000)

    def operator(_status: Status, _now_us: int) -> Iterable[Order]:
        signal.raise_signal(signal.SIGTERM)
        return ()

    outcome = run_headless(session, clock=VirtualClock(), operator=operator)
    assert (outcome.code, outcome.reason) == (143, "ended by signal 15")
    assert "stop ended by signal 15" in session.deeds


def test_a_short_session_in_real_time_and_its_priority_is_given_back() -> None:
    session = Scripted(SECOND // 10)
    seen: list[Status] = []
    outcome = run_headless(session, clock=RealClock(), progress=seen.append, every_us=SECOND // 20)
    assert outcome.code == 0
    assert 1 <= len(seen) <= 4
    if sys.platform.startswith("linux"):
        assert os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK == os.SCHED_OTHER


@pytest.mark.parametrize("real_time", [False, True])
def test_the_priority_that_was_got_is_noted_in_words(real_time: bool) -> None:
    session = Scripted(SECOND // 20)

    def operator(_status: Status, _now_us: int) -> Iterable[Order]:
        return [Order(OrderKind.START)]

    run_headless(session, operator=operator, real_time=real_time)
    (noted,) = (deed for deed in session.deeds if "priority" in deed)
    assert ("real-time" not in noted) or real_time


def test_a_face_needs_a_terminal() -> None:
    session = Scripted()
    with pytest.raises(UsageError, match="--headless"):
        run_with_face(session, (sys.executable, RIG, "face"))
    assert session.deeds == []


@pytest.mark.skipif(sys.platform == "win32", reason="the rig's face reads a pipe")
@pytest.mark.parametrize("tcp", [False, True])
def test_a_face_calls_back_by_descriptor_or_by_port(
    tcp: bool, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    face = FaceChild((sys.executable, RIG, "face"), tcp=tcp)
    assert face.forward is not None
    face.port.hello({"priority": "of this test"})
    face.forward.send(b"snc")
    clock = RealClock()
    orders: list[Order] = []
    while not orders:
        clock.sleep_until(clock.now_us() + 10 * SECOND, [face.port.fileno()])
        orders = face.port.orders()
    assert orders == [Order(OrderKind.CLEAR)]
    clock.sleep_until(clock.now_us() + 10 * SECOND, [face.port.stop_line.fileno()])
    assert face.port.stop_line.recv(10) == b"!"
    assert face.end("enough") == 0
    assert face.gone
    face.close()
    assert "of this test" in capfd.readouterr().err


def test_a_face_that_cannot_be_started_is_said() -> None:
    with pytest.raises(StimctlError, match="the screen cannot be started"):
        FaceChild((str(Path(RIG).with_name("no-such-program")),))


def test_a_face_that_never_calls_back_is_not_waited_for_for_ever() -> None:
    with pytest.raises(StimctlError, match="cannot be started"):
        FaceChild((sys.executable, "-c", "pass"), tcp=True)
