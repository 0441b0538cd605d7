"""The parts of the control process that need no second process: clocks, link, pipe, watch, printer, signals."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import threading
import time
import tty
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.control import RealClock, VirtualClock, link_pair
from stimctl.control.clock import asleep_us
from stimctl.control.contract import Ending, Outcome
from stimctl.control.forward import HELD_MAX, Forwarder
from stimctl.control.link import face_link
from stimctl.control.loop import FROZEN_S, SILENT_S, ControlLoop, Wake, Watch
from stimctl.control.port import ORDERS_MAX, FacePort
from stimctl.control.printer import Printer
from stimctl.control.signals import SignalPipe
from stimctl.control.stopping import ESCAPE_S, StopThread
from stimctl.control.telling import Teller
from stimctl.control.wire import ENVIRONMENT, LINE_MAX, LineSocket
from stimctl.errors import OurBug, UsageError
from stimctl.orders import Order, OrderKind, OutputWord, Stage, Status
from tests.faces import channel


def status(text: str = "", **more: str) -> Status:
    return Status(Stage.RUN, text, "", OutputWord.OFF, simulated=True, board="none", **more)  # type: ignore[arg-type]


class Session:
    """What the stop thread and the watch need of a session."""

    def __init__(self, *, on: bool = False) -> None:
        self.may_be_energised, self.ended = on, False
        self.stops: list[str] = []
        self.notes: list[str] = []
        self.stopped = threading.Event()
        self.error: Exception | None = None

    def stop_now(self, reason: str) -> None:
        self.stops.append(reason)
        self.stopped.set()
        if self.error is not None:
            raise self.error

    def note(self, text: str, now_us: int) -> None:
        self.notes.append(text)

    def order(self, order: Order, now_us: int) -> None: ...
    def tick(self, now_us: int) -> None: ...
    def next_wake_us(self, now_us: int) -> int:
        return now_us

    def fileno(self) -> int | None:
        return None

    def status(self, now_us: int) -> Status:
        return status()

    def close(self, reason: str, now_us: int) -> None: ...


# --- clocks ----------------------------------------------------------------------------------------------------


def test_a_clock_at_full_speed_jumps_and_never_goes_back() -> None:
    clock = VirtualClock(start_us=5)
    clock.sleep_until(3_600_000_000)
    assert clock.now_us() == 3_600_000_000
    clock.advance_to(7)
    assert clock.now_us() == 3_600_000_000
    assert clock.late_us(0) == 0


def test_a_hurried_clock_runs_ahead_of_real_time() -> None:
    clock = VirtualClock(1_000)
    before_us = RealClock().now_us()
    clock.sleep_until(50_000)
    assert clock.now_us() >= 50_000
    assert -60_000_000 <= clock.late_us(clock.now_us() + 60_000_000_000) < 0  # a minute in real time
    assert RealClock().late_us(before_us) >= 0


@pytest.mark.parametrize("speed", [0, -1, 0.001, 1e6, float("nan"), float("inf")])
def test_senseless_speeds_are_refused(speed: float) -> None:
    with pytest.raises(UsageError, match=r"outside 0\.01 to 1000"):
        VirtualClock(speed)


def test_waiting_ends_with_a_byte() -> None:
    wake, clock = Wake(), RealClock()
    wake()
    start_us = clock.now_us()
    clock.sleep_until(start_us + 60_000_000, [wake.fileno()])
    assert clock.now_us() < start_us + 60_000_000
    assert wake.clear()
    assert not wake.clear()
    wake.close()
    wake()  # after the end: no harm


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="elsewhere the clock is another one")
def test_time_asleep_passes_for_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause, or ceilings that were found, grow old while the lid is shut."""
    clock, real = RealClock(), time.clock_gettime_ns
    before_us = clock.now_us()
    hour_ns = 3_600_000_000_000
    monkeypatch.setattr(time, "clock_gettime_ns", lambda which: real(which) + hour_ns * (which == time.CLOCK_BOOTTIME))
    assert clock.now_us() - before_us >= hour_ns // 1_000
    assert clock.late_us(before_us) >= hour_ns // 1_000


def test_time_asleep_is_never_negative() -> None:
    assert asleep_us() >= 0


# --- the link --------------------------------------------------------------------------------------------------


def test_orders_come_in_order_and_beats_beside_them() -> None:
    port, link = link_pair()
    sent = [Order(OrderKind.RAISE), Order(OrderKind.NOTE, text="ä\n\u2028"), Order(OrderKind.START)]
    port.beat_s = 0.0
    for order in sent:
        link.beat()
        link.send(order)
    assert port.orders() == sent
    assert port.beat_s > 0
    link.close()
    assert port.orders() == []
    assert port.closed
    port.close()


def test_only_the_newest_status_arrives_and_a_slow_face_gets_no_backlog() -> None:
    port, link = link_pair()
    made = 0
    while port.wants_status(at_once=True):
        port.show(status("x" * 10_000, refusal=str(made)))
        made += 1
    assert made < 1_000  # the face has not read once: nothing more is made for it
    newest = link.poll()
    port.wants_status(at_once=True)
    newest = link.poll() or newest
    assert newest is not None
    assert newest.refusal == str(made - 1)
    port._due_s = float("inf")
    assert port.wants_status(at_once=True)
    assert not port.wants_status(at_once=False)  # it is not time yet
    port.close()
    assert link.poll() is None
    assert link.closed
    link.close()


def test_hello_and_bye() -> None:
    port, link = link_pair()
    port.hello({"notes": ["no tap"]})
    port.show(status("last"))
    port.bye("done")
    assert link.poll() == status("last")
    assert (link.notes, link.farewell, link.closed) == (("no tap",), "done", True)
    port.close()
    link.close()


def test_stop_is_a_byte_on_its_own_line() -> None:
    port, link = link_pair()
    for _ in range(100_000):  # far more than the line holds: never blocks, never raises
        link.stop()
    assert port.stop_line.recv(1) == b"!"
    port.close()
    link.stop()
    link.close()


def test_what_is_no_order_is_counted_and_not_obeyed() -> None:
    (near, far), (stop, stop_far) = socket.socketpair(), socket.socketpair()
    port = FacePort(near, stop)
    far.send(b'{"kind":"explode"}\n[]\n\xff\xfe\nnull\n{"kind":"start","level":1}\n{"kind":"start","name":3}\n')
    far.send(b'{"kind":"start"}\n')
    assert port.orders() == [Order(OrderKind.START)]
    assert port.faults == 6
    for each in (far, stop_far):
        each.close()
    port.close()


def test_many_orders_are_taken_a_few_at_a_time() -> None:
    port, link = link_pair()
    for number in range(3 * ORDERS_MAX):
        link.send(Order(OrderKind.NOTE, text=str(number)))
    rounds = [len(port.orders()) for _ in range(4)]
    assert rounds == [ORDERS_MAX, ORDERS_MAX, ORDERS_MAX, 0]
    port.close()
    link.close()


def test_a_line_without_end_breaks_the_link() -> None:
    near, far = socket.socketpair()
    lines = LineSocket(near)
    far.setblocking(False)
    sent = 0
    while not lines.closed:
        sent += far.send(b"x" * 60_000)
        assert list(lines.lines()) == []
        assert sent < 4 * LINE_MAX
    far.close()


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=6))
def test_lines_come_out_as_they_went_in_however_they_are_cut(data: bytes, cuts: list[int]) -> None:
    near, far = socket.socketpair()
    lines, found = LineSocket(near), []
    whole = data + b"\n"
    edges = sorted({0, len(whole), *(min(cut, len(whole)) for cut in cuts)})
    for start, end in itertools.pairwise(edges):
        far.send(whole[start:end])
        found += list(lines.lines())
    assert b"\n".join(found) + b"\n" == whole
    far.close()
    lines.close()


@pytest.mark.parametrize("value", ["", "fds:", "fds:a,b", "fds:1", "tcp:1:x", "nonsense"])
def test_a_face_by_itself_is_told_so(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(ENVIRONMENT, value)
    with pytest.raises(UsageError, match="without --face"):
        face_link()


# --- the pipe to the face ----------------------------------------------------------------------------------------


def test_a_face_that_does_not_read_loses_whole_reads_and_blocks_nothing() -> None:
    read, write = os.pipe()
    forward = Forwarder(write)
    part = b"\x1b[<35;10;10M"
    for _ in range(20_000):
        forward.send(part)
    assert forward.dropped > 0
    assert forward.dropped % len(part) == 0
    got = b""
    while len(got) < 20_000 * len(part) - forward.dropped:
        got += os.read(read, 65536)
        forward.flush()
    assert got == part * (len(got) // len(part))
    assert len(forward._held) <= HELD_MAX
    os.close(read)
    forward.send(b"x")  # EPIPE: the face has gone
    forward.send(b"y")
    forward.close()


@given(
    st.binary(max_size=60), st.text(st.characters(codec="utf-8"), max_size=20), st.lists(st.integers(0, 99), max_size=5)
)
def test_what_the_face_gets_is_good_utf8_and_good_utf8_is_not_touched(noise: bytes, text: str, cuts: list[int]) -> None:
    read, write = os.pipe()
    forward = Forwarder(write)
    good = text.encode()
    edges = sorted({0, len(good), *(cut for cut in cuts if cut < len(good))})
    for start, end in itertools.pairwise(edges):
        forward.send(good[start:end])
    assert (os.read(read, 4096) if good else b"") == good
    for byte in noise:
        forward.send(bytes([byte]))
    forward.send(b" ")
    assert os.read(read, 4096).decode().endswith(" ")
    forward.close()
    os.close(read)


def test_a_character_that_is_torn_becomes_one_that_is_no_key() -> None:
    read, write = os.pipe()
    forward = Forwarder(write)
    for part in (b"a\xf0\x9f", b"\xff", b"b\xe2", b"\x82\xac\x9b32u"):
        forward.send(part)
    assert os.read(read, 4096).decode() == "a\ufffd\ufffdb\u20ac\ufffd32u"
    forward.close()
    os.close(read)


# --- orders ----------------------------------------------------------------------------------------------------


def test_no_order_is_carried_out_once_the_session_has_ended() -> None:
    """However many of a face's orders one pass takes: on a busy computer it takes several."""

    class Ends(Session):
        def order(self, order: Order, now_us: int) -> None:
            self.notes.append(order.kind)
            self.ended = self.ended or order.kind is OrderKind.CLOSE
            self.may_be_energised = order.kind is OrderKind.START

    class Face:
        def __init__(self, port: FacePort) -> None:
            self.port, self.gone = port, False

        def follow_size(self) -> None: ...

    session, wake = Ends(), Wake()
    port, link = link_pair()
    for kind in (OrderKind.NOTE, OrderKind.CLOSE, OrderKind.START):
        link.send(Order(kind))
    with SignalPipe() as signals:
        stop = StopThread(session, signals, wake)
        loop = ControlLoop(session, RealClock(), stop, wake, Face(port))  # type: ignore[arg-type]
        assert loop.run() == Ending("the session has ended", 0)
        stop.quit()
    assert session.notes == ["note", "close"]
    assert not session.may_be_energised
    for each in (port, link, wake):
        each.close()


# --- the watch -------------------------------------------------------------------------------------------------


def watch(session: Session, signals: SignalPipe) -> tuple[Watch, StopThread]:
    stop = StopThread(session, signals, lambda: None)
    return Watch(session, stop), stop


@pytest.mark.parametrize("on", [False, True])
def test_silence_of_the_face(on: bool) -> None:
    session = Session(on=on)
    with SignalPipe() as signals:
        judge, stop = watch(session, signals)
        for silent_s in (0.1, SILENT_S, SILENT_S + 0.01, 1, FROZEN_S + 0.1, FROZEN_S + 1):
            judge.silence(silent_s, 0)
        assert session.stops == ["the screen stopped answering"] * on
        assert len(session.notes) == 1 + on
        judge.silence(0.0, 0)
        judge.silence(0.5, 0)
        assert len(session.stops) == 2 * on  # a second freeze is a second stop
        stop.quit()


@pytest.mark.parametrize(("late_us", "stops", "notes"), [(40_000, 0, 0), (40_001, 0, 1), (250_001, 1, 1)])
def test_late_passes(late_us: int, stops: int, notes: int) -> None:
    session = Session(on=True)
    with SignalPipe() as signals:
        judge, stop = watch(session, signals)
        judge.late(late_us, 0)
        assert (len(session.stops), len(session.notes)) == (stops, notes)
        for _ in range(10):
            judge.late(late_us, 0)
        assert len(session.notes) == notes  # gathered, one line a second at most
        stop.quit()


def test_a_computer_that_slept_is_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(on=True)
    with SignalPipe() as signals:
        judge, stop = watch(session, signals)
        slept = asleep_us() + 3_600_000_000
        monkeypatch.setattr("stimctl.control.loop.asleep_us", lambda: slept)
        judge.late(3_600_000_000, 0)  # the clock counts it too, but the loop was not late
        judge.late(0, 0)
        assert session.stops == ["the computer was asleep"]
        assert session.notes == ["the computer was asleep for 3600.0 s"]
        stop.quit()


# --- the stop thread -------------------------------------------------------------------------------------------


def test_a_stop_that_fails_is_kept_and_the_thread_goes_on() -> None:
    session = Session(on=True)
    session.error = OSError("planted")
    wake = Wake()
    with SignalPipe() as signals:
        stop = StopThread(session, signals, wake)
        stop.start()
        for _ in range(2):
            session.stopped.clear()
            signal.raise_signal(signal.SIGINT)
            assert session.stopped.wait(10)
        RealClock().sleep_until(RealClock().now_us() + 10_000_000, [wake.fileno()])
        stop.quit()
        assert str(stop.failure) == "planted"
    wake.close()


def test_the_stop_comes_before_the_byte_is_passed_on() -> None:
    deeds: list[str] = []

    class Ordered(Session):
        def stop_now(self, reason: str) -> None:
            deeds.append(reason)

    class Noted:
        def send(self, data: bytes) -> None:
            deeds.append(f"forwarded {data!r}")

    near, far = os.openpty()
    tty.setraw(far)
    with SignalPipe() as signals:
        stop = StopThread(Ordered(on=True), signals, lambda: deeds.append("woken"))
        stop.watch_terminal(far, Noted())  # type: ignore[arg-type]
        os.write(near, b"a ")
        stop._on_terminal(far)
        stop.quit()
    assert deeds == ["Space pressed", "woken", "forwarded b'a '"]
    os.close(near)
    os.close(far)


@pytest.fixture
def keyboard() -> Iterator[tuple[int, Session, StopThread]]:
    """The far side of a terminal that a stop thread watches; the test makes its passes."""
    near, far = os.openpty()
    tty.setraw(far)
    session = Session(on=True)
    with SignalPipe() as signals:
        stop = StopThread(session, signals, lambda: None)
        stop.watch_terminal(far, None)
        yield near, session, stop
        stop.quit()
    os.close(near)
    os.close(far)


def test_an_esc_with_nothing_behind_it_stops_within_its_time(keyboard: tuple[int, Session, StopThread]) -> None:
    near, session, stop = keyboard
    os.write(near, b"\x1b")
    stop.start()
    assert session.stopped.wait(10)
    assert session.stops == ["Esc pressed"]


@pytest.mark.parametrize("typed", [b"\x1bP", b"\x1bO", b"\x1b["])
def test_an_esc_that_came_with_the_next_key_stops_within_its_time(
    keyboard: tuple[int, Session, StopThread], monkeypatch: pytest.MonkeyPatch, typed: bytes
) -> None:
    """A line that stalls brings Esc and P together, which might open a sequence and does not go on."""
    near, session, stop = keyboard
    now_s = 1_000.0
    monkeypatch.setattr("stimctl.control.stopping.time.monotonic", lambda: now_s)
    os.write(near, typed)
    stop._pass()
    assert session.stops == []
    now_s += ESCAPE_S
    stop._pass()
    assert session.stops == ["Esc pressed"]


def test_an_esc_waits_no_longer_than_it_says(
    keyboard: tuple[int, Session, StopThread], monkeypatch: pytest.MonkeyPatch
) -> None:
    near, session, stop = keyboard
    now_s = 1_000.0
    monkeypatch.setattr("stimctl.control.stopping.time.monotonic", lambda: now_s)
    os.write(near, b"a\x1b")
    stop._pass()
    now_s += ESCAPE_S - 0.001
    stop._pass()
    assert session.stops == []
    now_s += 0.001
    stop._pass()
    stop._pass()
    assert session.stops == ["Esc pressed"]


def test_the_rest_of_a_sequence_that_came_while_the_thread_was_held_up_still_belongs_to_its_esc(
    keyboard: tuple[int, Session, StopThread], monkeypatch: pytest.MonkeyPatch
) -> None:
    near, session, stop = keyboard
    now_s = 1_000.0
    monkeypatch.setattr("stimctl.control.stopping.time.monotonic", lambda: now_s)
    os.write(near, b"\x1b")
    stop._pass()
    os.write(near, b"[A")
    now_s += 5
    stop._pass()
    now_s += 5
    stop._pass()
    assert session.stops == []


def test_an_end_is_known_before_its_stop_can_be_seen() -> None:
    """The control loop may look between the two: it must never take the end for a mere stop."""
    known: list[Ending | None] = []

    class Looking(Session):
        def stop_now(self, reason: str) -> None:
            known.append(stop.ending)

    with SignalPipe() as signals:
        stop = StopThread(Looking(on=True), signals, lambda: known.append(stop.ending))
        signal.raise_signal(signal.SIGTERM)
        stop._on_signal()
        stop.quit()
    assert known == [Ending("ended by signal 15", 143)] * 2


def test_a_watch_that_breaks_ends_the_session_and_still_hears_signals() -> None:
    session = Session(on=True)
    with SignalPipe() as signals:
        stop = StopThread(session, signals, lambda: None)
        near, far = socket.socketpair()
        stop.watch_screen(near)
        near.close()  # a descriptor that cannot be waited on
        stop.start()
        assert session.stopped.wait(10)
        assert stop.ending is not None
        session.stopped.clear()
        signal.raise_signal(signal.SIGTERM)
        assert session.stopped.wait(10)
        stop.quit()
        far.close()


def test_signals_are_as_they_were_afterwards() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGTSTP)]
    with SignalPipe() as signals:
        signal.raise_signal(signal.SIGTERM)
        assert signals.read() == bytes([signal.SIGTERM])
        assert signals.read() == b""
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGTSTP)] == before


def test_signals_can_be_watched_from_the_main_thread_alone() -> None:
    raised: list[BaseException] = []

    def elsewhere() -> None:
        try:
            SignalPipe()
        except OurBug as error:
            raised.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert len(raised) == 1


# --- progress and outcome --------------------------------------------------------------------------------------


def test_a_printer_that_is_stuck_holds_nobody_up_and_one_that_fails_ends_alone() -> None:
    free = threading.Event()

    def stuck(_: Status) -> None:
        free.wait()

    def fails(_: Status) -> None:
        raise ZeroDivisionError

    printer = Printer(stuck)
    for _ in range(1_000):
        printer(status())
    free.set()
    printer.close()
    failing = Printer(fails)
    failing(status())
    failing.close()
    assert isinstance(failing.failure, ZeroDivisionError)


@pytest.mark.parametrize("word", [OutputWord.ON, OutputWord.UNKNOWN])
def test_what_is_not_confirmed_off_is_told_as_unknown(word: OutputWord) -> None:
    assert Outcome(1, "x", word).line.endswith("USE THE STOP SWITCH")
    assert "reports its output off" in Outcome(0, "x", OutputWord.OFF).line


@pytest.mark.parametrize(
    ("state", "word", "now_ua", "says"),
    [
        ("rest", OutputWord.ON, 0, "rest; OUTPUT ON (0 mA now), set: Finger extensors at 14.0 mA"),
        ("rest", OutputWord.ON, 3_000, "rest; OUTPUT ON, set: Finger extensors at 14.0 mA"),
        ("burst", OutputWord.ON, 0, "burst; OUTPUT ON, set: Finger extensors at 14.0 mA"),
        ("rest", OutputWord.UNKNOWN, 0, "rest; OUTPUT UNKNOWN - USE THE STOP SWITCH, set: Finger extensors at 14.0 mA"),
    ],
)
def test_armed_at_zero_is_told_as_such_and_nothing_else_is(
    state: str, word: OutputWord, now_ua: int, says: str
) -> None:
    told: list[str] = []
    Teller(told.append)(replace(status(state), output=word, channels=(channel(now_ua=now_ua),)))
    assert told[-1].endswith(says)
