"""The driver when things go wrong: stops, read-back, contacts, lost links; every state meets every event."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimctl.boards.reference import messages as m
from stimctl.boards.reference.codec import Decoder, encode
from stimctl.boards.reference.codes import Capability, Cause, Reason, Trouble
from stimctl.driver import (
    BoardEvent,
    Disarmed,
    Driver,
    DriverState,
    Faulted,
    Lost,
    OutputState,
    Reported,
    Stopped,
    Told,
)
from stimctl.driver import line as line_module
from stimctl.driver.line import Line
from stimctl.envelope.latch import approve
from stimctl.errors import LinkLost, UsageError
from stimctl.pulse import Command, Output, symmetric
from stimctl.safety import Latch
from stimctl.transport import Transport, memory_pair, open_transport
from tests.driver_board import MS, SETUPS, WHO, Bench

SECOND = 1_000 * MS


# --- stop ------------------------------------------------------------------------------------------------------


def test_a_stop_is_written_before_the_call_returns() -> None:
    bench = Bench().delivering(10_000, 10_000)
    bench.driver.stop("key")
    assert (bench.driver.state, bench.driver.output) == (DriverState.STOPPING, OutputState.UNKNOWN)
    assert bench.latch.reason == "key"
    bench.board.work()
    assert type(bench.board.heard[-1].word) is m.Stop
    assert bench.board.applied == [0, 0]
    # Confirmed only when its answer has been read.
    assert bench.driver.output is OutputState.UNKNOWN
    assert [type(event) for event in bench.run(5 * MS)] == [Stopped]
    assert (bench.driver.state, bench.driver.output) == (DriverState.STOPPED, OutputState.OFF)


def test_what_was_approved_before_a_stop_never_leaves_after_it() -> None:
    bench = Bench().delivering(1_000, 0)
    before = bench.approved(2_000, 0)
    bench.driver.stop()
    bench.driver.send(before, bench.now_us)
    bench.run()
    bench.latch.clear()
    bench.driver.arm(SETUPS, bench.now_us)
    bench.run(50 * MS)
    assert bench.driver.state is DriverState.ARMED
    bench.driver.send(before, bench.now_us)  # even now
    bench.run()
    assert len(bench.board.said(m.Update)) == 1
    assert bench.driver.dropped == 2
    assert bench.board.applied == [0, 0]


def test_a_stop_is_repeated_until_it_is_confirmed() -> None:
    bench = Bench().delivering(10_000, 0)
    bench.board.deaf = {m.Stop}
    bench.board.heard.clear()
    bench.driver.stop()
    bench.run(220 * MS)
    assert 5 <= len(bench.board.said(m.Stop)) <= 7
    assert bench.driver.output is OutputState.UNKNOWN
    bench.board.deaf = set()
    assert Stopped in [type(event) for event in bench.run(60 * MS)]
    heard = len(bench.board.said(m.Stop))
    bench.run(SECOND)
    assert len(bench.board.said(m.Stop)) == heard


def test_a_stop_that_nobody_answers_is_a_lost_link() -> None:
    bench = Bench().delivering(10_000, 0)
    bench.driver.stop()
    (lost,) = bench.run(SECOND, board=False)
    assert isinstance(lost, Lost)
    assert "stop switch" in str(lost.error)
    assert (bench.driver.state, bench.driver.output) == (DriverState.LOST, OutputState.UNKNOWN)


def test_a_board_that_says_stopped_but_delivers_is_a_fault_and_stays_unknown() -> None:
    """H35: the stop is ignored at the board."""
    bench = Bench().delivering(10_000, 0)
    bench.board.measured = [9_800, None]
    bench.driver.stop()
    (fault,) = bench.run(300 * MS)
    assert isinstance(fault, Faulted)
    assert "stop switch" in str(fault.error)
    assert (bench.driver.state, bench.driver.output) == (DriverState.STOPPING, OutputState.UNKNOWN)
    bench.board.measured = [None, None]
    assert [type(event) for event in bench.run(60 * MS)] == [Stopped]


def test_the_answer_to_an_earlier_stop_confirms_nothing() -> None:
    bench = Bench().armed()
    sequence = bench.board.said(m.Stop)[-1].sequence
    quiet = replace(bench.board.report(), armed=False)
    bench.board.deaf = {m.Stop}
    bench.driver.stop()
    for _ in range(3):
        bench.board.tell(m.Stopped(sequence, quiet))
        assert bench.run(5 * MS) == []
    assert bench.driver.state is DriverState.STOPPING


def test_a_trip_of_the_latch_by_anybody_stops_the_board() -> None:
    bench = Bench().delivering(10_000, 0)
    bench.latch.trip("limiter")
    states = [bench.driver.state]
    bench.run(10 * MS)
    states.append(bench.driver.state)
    assert states == [DriverState.STOPPING, DriverState.STOPPED]
    assert bench.board.applied == [0, 0]


@pytest.mark.parametrize("look", range(1, 12))
@pytest.mark.parametrize("first", ["", "limiter"])
def test_a_trip_between_two_looks_at_the_latch_is_not_lost(
    look: int, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thread trips right after the driver's nth look, and its stop is lost on the line."""
    bench = Bench().delivering(10_000, 0)
    if first:
        bench.latch.trip(first)
    looks = 0

    def epoch(latch: Latch) -> int:
        nonlocal looks
        seen = len(latch._trips)
        looks += 1
        if looks == look:
            latch.trip("another thread")
        return seen

    monkeypatch.setattr(Latch, "epoch", property(epoch))
    while looks < look:
        bench.run(5 * MS)
    bench.run(10 * MS)
    assert bench.driver.state is DriverState.STOPPED
    assert bench.board.applied == [0, 0]


def test_a_session_does_not_beat_while_the_latch_is_tripped() -> None:
    """Even if whoever asks it to has not noticed the stop: the dead-man is the last one who can end output then."""
    bench = Bench().delivering(10_000, 0)
    bench.run(200 * MS)
    session = bench.driver._session
    assert session is not None
    heard = len(bench.board.said(m.Heartbeat))
    bench.latch.trip("another thread")
    session.beat(bench.loops + 1, bench.now_us + SECOND)
    bench.board.work()
    assert len(bench.board.said(m.Heartbeat)) == heard
    bench.latch.clear()
    session.beat(bench.loops + 2, bench.now_us + SECOND)
    bench.board.work()
    assert len(bench.board.said(m.Heartbeat)) == heard + 1


def test_clearing_a_stop_resumes_nothing() -> None:
    bench = Bench().delivering(10_000, 0)
    bench.driver.stop()
    bench.run()
    bench.latch.clear()
    assert bench.run(2 * SECOND) == []
    assert bench.driver.state is DriverState.STOPPED
    assert len(bench.board.said(m.Arm)) == 1
    bench.send(5_000, 0)
    bench.run()
    assert bench.board.applied == [0, 0]


def test_arming_waits_for_the_latch_to_be_cleared() -> None:
    bench = Bench().connected()
    bench.driver.stop("key")
    with pytest.raises(UsageError, match="key"):
        bench.driver.arm(SETUPS, bench.now_us)
    bench.run()
    with pytest.raises(UsageError, match="key"):
        bench.driver.arm(SETUPS, bench.now_us)
    bench.latch.clear()
    bench.driver.arm(SETUPS, bench.now_us)


def test_disarming_ends_in_order() -> None:
    bench = Bench().delivering(10_000, 0)
    bench.driver.disarm(bench.now_us)
    assert bench.driver.output is OutputState.UNKNOWN
    assert [type(event) for event in bench.run()] == [Stopped]
    assert (bench.driver.state, bench.driver.output) == (DriverState.DISARMED, OutputState.OFF)
    assert not bench.latch.tripped


def test_closing_stops_first() -> None:
    bench = Bench().delivering(10_000, 0)
    bench.driver.close()
    bench.driver.close()
    bench.board.work()
    assert bench.board.applied == [0, 0]
    assert bench.driver.state is DriverState.LOST
    assert bench.driver.poll(bench.now_us) == ()
    bench.driver.stop()  # still never raises


# --- two threads -----------------------------------------------------------------------------------------------


class Recorder:
    """A transport that keeps what is written, and lets another thread in at the worst moment."""

    name = "recorder"

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.before_write: Callable[[], None] = lambda: None

    def write(self, data: bytes, *, urgent: bool = False) -> None:
        before, self.before_write = self.before_write, lambda: None
        before()
        self.written.append(data)

    def read(self) -> bytes:
        return b""

    def pending(self) -> int:
        return 0

    def fileno(self) -> int | None:
        return None

    def close(self) -> None:
        pass

    def words(self) -> list[type[m.Word]]:
        return [type(frame.word) for frame in Decoder().feed(b"".join(self.written))]


COMMAND = Command((Output(0, symmetric(1_000, 300, 35_000)),))
FRAME = encode(m.Heartbeat(1, 1), sequence=1)
"""Stands for an update: to the line, a frame is bytes."""


def hammer(line: Line, latch: Latch, started: threading.Event) -> None:
    """A control loop without a pause: approve and write, until what was just approved is refused."""
    approved = approve(COMMAND, latch.epoch, latch)
    while not line.is_busy() and line.say_approved(FRAME, approved):
        started.set()
        approved = approve(COMMAND, latch.epoch, latch)


@pytest.fixture
def patient_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a thread may be held up for longer than a stop waits; that has a test of its own."""
    monkeypatch.setattr(line_module, "LOCK_WAIT_S", 10.0)


@pytest.mark.usefixtures("patient_stop")
def test_hammered_from_one_thread_and_stopped_from_another_no_setting_follows_the_stop() -> None:
    for _ in range(40):
        latch, recorder, started = Latch(), Recorder(), threading.Event()
        line = Line(recorder, latch, first_sequence=1)
        thread = threading.Thread(target=hammer, args=(line, latch, started))
        thread.start()
        assert started.wait(10)
        line.stop("race")
        thread.join(10)
        words = recorder.words()
        assert words.count(m.Stop) == 1
        assert words[-1] is m.Stop


@pytest.mark.parametrize("cleared", [False, True])
def test_no_arming_follows_a_stop_even_one_that_was_cleared(cleared: bool) -> None:
    recorder, latch = Recorder(), Latch()
    line = Line(recorder, latch, first_sequence=1)
    epoch = latch.epoch
    assert line.say_arm(FRAME, epoch)
    line.stop("between")
    if cleared:
        latch.clear()
    assert not line.say_arm(FRAME, epoch)
    assert recorder.words() == [m.Heartbeat, m.Stop]


def test_a_stop_does_not_wait_for_ever_for_a_thread_that_sleeps_in_a_write() -> None:
    recorder, latch = Recorder(), Latch()
    line = Line(recorder, latch, first_sequence=1)
    asleep, wake = threading.Event(), threading.Event()

    def sleep() -> None:
        asleep.set()
        wake.wait(10)

    recorder.before_write = sleep
    thread = threading.Thread(target=line.say, args=(b"held",))
    thread.start()
    assert asleep.wait(10)
    line.stop("now")
    assert recorder.words() == [m.Stop]
    wake.set()
    thread.join(10)
    assert recorder.written[-1] == b"held"
    line.say(b"free")  # the lock is as it was


@pytest.mark.usefixtures("patient_stop")
def test_over_a_real_socket_a_stop_beside_a_busy_loop_is_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = open_transport(f"socket://127.0.0.1:{server.getsockname()[1]}")
        board, _ = server.accept()
    latch, started, done = Latch(), threading.Event(), threading.Event()
    line = Line(link, latch, first_sequence=1)
    heard: list[type[m.Word]] = []

    def listen() -> None:
        decoder = Decoder()
        while m.Stop not in heard or not done.is_set() or select.select([board], [], [], 0)[0]:
            heard.extend(type(each.word) for each in decoder.feed(board.recv(65_536)))

    threads = [threading.Thread(target=listen), threading.Thread(target=hammer, args=(line, latch, started))]
    for thread in threads:
        thread.start()
    assert started.wait(10)
    line.stop("race")
    threads[1].join(10)
    done.set()
    line.say(b"\xc0")  # wakes the listener for a last look
    threads[0].join(10)
    board.close()
    monkeypatch.setattr(time, "sleep", lambda _: None)  # pyserial's pause after closing a socket
    link.close()
    assert heard[-1] is m.Stop
    assert heard.count(m.Stop) == 1


# --- read-back -------------------------------------------------------------------------------------------------


def faults(events: list[BoardEvent]) -> list[Faulted]:
    return [event for event in events if isinstance(event, Faulted)]


def must_stop(bench: Bench, *, output: int | None, text: str, within_us: int = 350 * MS) -> None:
    found = faults(bench.run(within_us))
    assert found, "no fault"
    assert found[0].output == output
    assert text in str(found[0].error)
    assert bench.driver.state is DriverState.STOPPED or bench.driver.state is DriverState.STOPPING
    assert bench.board.applied == [0, 0]
    assert bench.latch.tripped


@pytest.mark.parametrize(
    ("commanded", "measured"),
    [(10_000, 12_001), (10_000, 7_999), (30_000, 36_001), (30_000, 23_999), (0, 2_001), (0, 60_000)],
)
def test_a_stuck_output_stops_the_board(commanded: int, measured: int) -> None:
    """H22: over 20 % and 2 mA, whichever is more, for two reports running."""
    bench = Bench().delivering(commanded, 0)
    bench.run(200 * MS)
    bench.board.measured = [measured, None]
    must_stop(bench, output=0, text="delivers")


@pytest.mark.parametrize(
    ("commanded", "measured"),
    [(10_000, 12_000), (10_000, 8_000), (30_000, 36_000), (30_000, 24_000), (0, 2_000), (1_500, 0)],
)
def test_what_is_inside_the_tolerance_stops_nothing(commanded: int, measured: int) -> None:
    bench = Bench().delivering(commanded, 0)
    bench.run(200 * MS)
    bench.board.measured = [measured, None]
    assert bench.run(2 * SECOND) == []


def test_a_single_odd_measurement_stops_nothing() -> None:
    bench = Bench().delivering(10_000, 0)
    bench.run(500 * MS)
    for _ in range(5):
        reports = len([event for event in bench.events if isinstance(event, Reported)])
        bench.board.measured = [50_000, None]
        while len([event for event in bench.events if isinstance(event, Reported)]) == reports:
            assert bench.run(5 * MS) == []
        bench.board.measured = [None, None]
        assert bench.run(250 * MS) == []


def test_a_ramp_is_no_fault_though_measurements_lag() -> None:
    bench = Bench().armed()
    levels = [0, *range(0, 30_001, 2_400), *range(30_000, -1, -2_400), *([0] * 20)]
    lagging = 0
    for level in levels * 3:
        bench.send(level, 0)
        bench.board.measured = [lagging, None]  # of the newest pulse, which was before this setting
        lagging = level
        assert faults(bench.run(20 * MS)) == []


def test_a_slow_rate_may_lag_by_two_periods() -> None:
    bench = Bench().armed()
    slow = Command((Output(0, symmetric(20_000, 300, 1_000)), Output(1, symmetric(0, 300, 1_000))))
    bench.driver.send(approve(slow, 0, bench.latch), bench.now_us)
    bench.board.measured = [0, None]
    assert bench.run(SECOND) == []
    bench.board.measured = [20_000, None]
    assert bench.run(3 * SECOND) == []
    bench.board.measured = [0, None]
    must_stop(bench, output=0, text="delivers")


def test_an_applied_amplitude_that_was_not_commanded_stops_the_board() -> None:
    bench = Bench().delivering(10_000, 0)
    bench.board.applied = [10_100, 0]
    must_stop(bench, output=0, text="applies 10100 µA where 10000 µA")


def test_the_other_output_is_watched_as_well() -> None:
    bench = Bench().delivering(10_000, 0)
    bench.board.applied = [10_000, 5_000]
    must_stop(bench, output=1, text="applies 5000 µA where 0 µA")


def test_a_measurement_that_is_missing_is_no_measurement_that_is_fine() -> None:
    bench = Bench().delivering(10_000, 0)
    honest = bench.board.report
    bench.board.report = lambda: replace(  # type: ignore[method-assign]
        honest(), outputs=tuple(replace(each, measured_ua=None) for each in honest().outputs)
    )
    found = faults(bench.run(350 * MS))
    assert found
    assert bench.latch.tripped


def test_a_report_without_one_of_the_outputs_stops_the_board() -> None:
    bench = Bench().delivering(10_000, 0)
    honest = bench.board.report
    bench.board.report = lambda: replace(honest(), outputs=honest().outputs[:1])  # type: ignore[method-assign]
    must_stop(bench, output=1, text="missing")


# --- contact (H11, H12) ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "later", "stops"),
    [(1_500, 2_250, False), (1_500, 2_251, True), (9_000, 10_000, False), (9_000, 10_001, True)],
)
def test_a_peeling_pad_stops_the_board(first: int, later: int, stops: bool) -> None:
    bench = Bench()
    bench.board.impedance = [first, first]
    bench.delivering(10_000, 0)
    bench.run(300 * MS)
    bench.board.impedance = [first, later]
    if stops:
        must_stop(bench, output=1, text="check the pads")
    else:
        assert bench.run(SECOND) == []


def test_impedance_that_was_not_known_when_arming_is_compared_with_the_first_that_is() -> None:
    bench = Bench()
    bench.board.impedance = [None, None]
    bench.delivering(10_000, 0)
    bench.run(300 * MS)
    bench.board.impedance = [1_000, None]
    assert bench.run(300 * MS) == []
    bench.board.impedance = [1_600, None]
    must_stop(bench, output=0, text="rose from 1000 to 1600")


@pytest.mark.parametrize("trouble", [each for each in Trouble if each])
def test_what_the_board_calls_trouble_stops_at_the_first_report(trouble: Trouble) -> None:
    bench = Bench().delivering(10_000, 0)
    bench.board.trouble = [trouble, Trouble.NONE]
    must_stop(bench, output=0, text=str(trouble.name).lower(), within_us=150 * MS)


def test_trouble_on_an_output_that_is_not_in_use_stops_nothing() -> None:
    bench = Bench().connected()
    bench.board.trouble = [Trouble.NONE, Trouble.OPEN]
    bench.driver.arm(SETUPS[:1], bench.now_us)
    assert faults(bench.run(SECOND)) == []
    assert bench.driver.state is DriverState.ARMED


# --- the board by itself ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cause", [Cause.DEAD_MAN, Cause.CONTACT_LOST, Cause.LIMIT_REFUSED, Cause.STOP_BUTTON, Cause.OUTPUT_FAULT]
)
@pytest.mark.parametrize("told", [True, False])
def test_a_board_that_disarms_itself_is_noticed_even_if_its_word_is_lost(cause: Cause, told: bool) -> None:
    bench = Bench().delivering(10_000, 0)
    bench.board.disarm(cause)
    if told:
        bench.board.tell(m.Event(cause, 0, 0, 1))
    events = bench.run(150 * MS)
    assert [type(event) for event in events] == ([Told] if told else []) + [Disarmed, Stopped]
    (disarmed,) = [event for event in events if isinstance(event, Disarmed)]
    assert disarmed.cause is cause
    assert bench.latch.reason == disarmed.text
    assert bench.driver.output is OutputState.OFF


def test_a_board_that_is_armed_for_somebody_else_is_stopped() -> None:
    bench = Bench().delivering(10_000, 0)
    bench.beating = False
    bench.board.token = 77
    must_stop(bench, output=None, text="somebody else", within_us=150 * MS)
    assert bench.board.token == 0


def test_several_bad_news_at_once_stop_once() -> None:
    bench = Bench().delivering(10_000, 0)
    bench.board.disarm(Cause.CONTACT_LOST)
    for output in (0, 1):
        bench.board.tell(m.Event(Cause.CONTACT_LOST, output, 0, 1))
    epoch = bench.latch.epoch
    events = bench.run(50 * MS)
    assert [type(event) for event in events] == [Told, Disarmed, Told, Stopped]
    assert bench.latch.epoch == epoch + 1


def test_a_board_that_delivers_while_disarmed_is_a_fault() -> None:
    bench = Bench().connected()
    bench.board.measured = [5_000, None]
    (fault, *_) = faults(bench.run(1_200 * MS))
    assert "stop switch" in str(fault.error)
    assert bench.driver.output is OutputState.UNKNOWN
    assert bench.latch.tripped


@pytest.mark.parametrize("state", [DriverState.DISARMED, DriverState.ARMED])
@pytest.mark.parametrize("told", [True, False])
def test_a_board_that_was_reset_is_lost(state: DriverState, told: bool) -> None:
    """R6: whatever it is now, it is not what was armed."""
    bench = Bench().connected() if state is DriverState.DISARMED else Bench().delivering(10_000, 0)
    bench.board.disarm(Cause.RESET)
    bench.board.uptime_ms = 0
    if told:
        bench.board.tell(m.Event(Cause.RESET, 0xFF, 0, 0))
    events = bench.run(1_200 * MS)
    assert isinstance(events[-1], Lost)
    assert bench.driver.state is DriverState.LOST


# --- lost links ------------------------------------------------------------------------------------------------


def test_an_unplugged_board_is_lost_at_the_next_round() -> None:
    bench = Bench().delivering(10_000, 0)
    bench.board.end.close()
    (lost,) = bench.run(5 * MS, board=False)
    assert isinstance(lost, Lost)
    assert (bench.driver.state, bench.driver.output) == (DriverState.LOST, OutputState.UNKNOWN)
    assert bench.latch.tripped


@pytest.mark.parametrize("order", ["send", "beat", "stop", "disarm", "listen", "configure"])
def test_no_order_raises_when_the_link_breaks_in_it(order: str) -> None:
    bench = Bench().delivering(10_000, 0)
    approved = bench.approved(1_000, 0)
    bench.now_us += SECOND
    bench.board.end.close()
    orders: dict[str, Callable[[], object]] = {
        "send": lambda: bench.driver.send(approved, bench.now_us),
        "beat": lambda: bench.driver.beat(9_999, bench.now_us),
        "stop": bench.driver.stop,
        "disarm": lambda: bench.driver.disarm(bench.now_us),
        "listen": lambda: bench.driver.listen(True, bench.now_us),
        "configure": lambda: bench.driver.configure(SETUPS, bench.now_us),
    }
    orders[order]()
    events = [event for event in bench.driver.poll(bench.now_us) if not isinstance(event, Reported)]
    assert [type(event) for event in events] == [Lost]
    assert bench.driver.state is DriverState.LOST
    assert bench.latch.tripped


@pytest.mark.parametrize("deaf", [{m.StatusRequest}, {m.StatusRequest, m.Heartbeat}, {m.StatusRequest, m.Update}])
def test_silence_in_a_session_is_a_lost_link_with_a_stop(deaf: set[type[m.Word]]) -> None:
    bench = Bench().delivering(10_000, 0)
    bench.board.deaf = deaf
    bench.send(9_000, 0)
    events = bench.run(450 * MS)
    assert isinstance(events[-1], Lost)
    bench.board.work()
    assert bench.board.applied == [0, 0]


def test_the_second_missing_answer_is_the_last() -> None:
    """F.3: 100 ms for the setting, 100 ms for the question what became of it."""
    bench = Bench().delivering(10_000, 0)
    bench.send(9_000, 0)
    assert bench.run(195 * MS, board=False) == []
    (lost,) = bench.run(10 * MS, board=False)
    assert isinstance(lost, Lost)


def test_what_is_lost_stays_lost() -> None:
    bench = Bench().delivering(10_000, 0)
    bench.run(SECOND, board=False)
    assert bench.driver.state is DriverState.LOST
    bench.board.work()
    heard = len(bench.board.heard)
    assert bench.run(2 * SECOND) == []
    with pytest.raises(UsageError):
        bench.driver.arm(SETUPS, bench.now_us)
    bench.send(1_000, 0)
    bench.run()
    assert len(bench.board.heard) == heard


def test_a_host_that_was_asleep_blames_nobody() -> None:
    """The answers are there, only nobody has read them: they are read before any clock is looked at."""
    bench = Bench().delivering(10_000, 0)
    bench.send(11_000, 0)
    bench.driver.listen(True, bench.now_us)
    bench.board.work()
    bench.now_us += 10 * SECOND
    events = [event for event in bench.driver.poll(bench.now_us) if not isinstance(event, Reported)]
    assert events == []
    assert bench.driver.state is DriverState.ARMED


@pytest.mark.parametrize("answered", [True, False])
def test_off_is_not_said_from_before_a_sleep(answered: bool) -> None:
    """What was heard before it, and what waited in the line through it, says nothing of what flows now."""
    bench = Bench().connected()
    bench.run(SECOND, board=False)
    bench.now_us += 20 * MS
    bench.driver.poll(bench.now_us)  # the board is asked just before the computer sleeps
    if answered:
        bench.board.work()
    bench.now_us += 310 * SECOND
    bench.board.measured = [5_000, None]  # and an output gets stuck meanwhile
    bench.driver.poll(bench.now_us)
    assert (bench.driver.state, bench.driver.output) == (DriverState.DISARMED, OutputState.UNKNOWN)
    assert faults(bench.run(5 * MS))
    assert bench.driver.output is OutputState.UNKNOWN


def test_after_a_sleep_one_answer_says_off_again() -> None:
    bench = Bench().connected()
    bench.now_us += SECOND + 1
    bench.driver.poll(bench.now_us)
    assert bench.driver.output is OutputState.UNKNOWN
    bench.run(5 * MS)
    assert bench.driver.output is OutputState.OFF


def test_a_stop_that_was_confirmed_before_a_sleep_says_nothing_of_afterwards() -> None:
    bench = Bench().delivering(10_000, 0)
    bench.driver.stop("key")
    bench.driver.poll(bench.now_us)
    bench.board.work()  # its answer is in the line
    bench.now_us += 310 * SECOND
    bench.driver.poll(bench.now_us)
    assert (bench.driver.state, bench.driver.output) == (DriverState.STOPPED, OutputState.UNKNOWN)
    bench.run(5 * MS)
    assert bench.driver.output is OutputState.OFF


def test_a_clock_that_has_run_for_long_before_opening_is_no_sleep() -> None:
    bench = Bench()
    bench.now_us = 3_600 * SECOND
    bench.driver.open(bench.now_us)
    bench.run(5 * MS)  # one round: what introduced the board is enough
    assert (bench.driver.state, bench.driver.output) == (DriverState.DISARMED, OutputState.OFF)


def test_a_round_that_comes_when_the_board_is_to_be_asked_doubts_nothing() -> None:
    bench = Bench().connected()
    bench.now_us += SECOND
    bench.driver.poll(bench.now_us)
    assert bench.driver.output is OutputState.OFF


@given(st.lists(st.binary(max_size=60), max_size=30))
@settings(max_examples=30)
def test_garbage_from_the_board_changes_nothing(noise: list[bytes]) -> None:
    bench = Bench().delivering(10_000, 0)
    for each in noise:
        bench.board.end.write(b"\xc0" + each + b"\xc0")
        assert bench.run(10 * MS) == []
    assert bench.driver.state is DriverState.ARMED
    assert bench.board.applied == [10_000, 0]


# --- every state meets every event -----------------------------------------------------------------------------


def at(state: DriverState) -> Bench:
    bench = Bench()
    match state:
        case DriverState.CONNECTING:
            bench.driver.open(0)
        case DriverState.DISARMED:
            bench.connected()
        case DriverState.ARMING:
            bench.connected()
            bench.driver.arm(SETUPS, bench.now_us)
        case DriverState.ARMED:
            bench.delivering(5_000, 0)
        case DriverState.STOPPING:
            bench.delivering(5_000, 0).driver.stop()
        case DriverState.STOPPED:
            bench.delivering(5_000, 0).driver.stop()
            bench.run()
        case DriverState.LOST:
            bench.delivering(5_000, 0).board.end.close()
            bench.run(board=False)
    assert bench.driver.state is state
    return bench


REPORT = Bench().board.report()
LOUD = replace(REPORT, outputs=(m.OutputReport(9_000, 9_000, 100, Trouble.OPEN),) * 2)
BOARD_WORDS: dict[str, m.Word] = {
    "identity": WHO,
    "limits": Bench().board.table,
    "ack": m.Ack(3),
    "nak": m.Nak(3, Reason.FAULT),
    "status": m.Status(3, REPORT),
    "status armed": m.Status(3, replace(REPORT, armed=True)),
    "status loud": m.Status(3, LOUD),
    "stopped": m.Stopped(3, REPORT),
    "stopped loud": m.Stopped(3, LOUD),
    "samples": m.Samples(1, 1_000, 1, 1, (1, 2)),
    **{f"event {cause.name}": m.Event(cause, 0, 0, 0) for cause in Cause},
    "host's hello": m.Hello(),
    "host's arm": m.Arm(1, 2, 3, 4, 5, 6),
}
ORDERS: dict[str, Callable[[Driver, Bench], object]] = {
    "arm": lambda driver, bench: driver.arm(SETUPS, bench.now_us),
    "send": lambda driver, bench: driver.send(bench.approved(4_000, 0), bench.now_us),
    "beat": lambda driver, bench: driver.beat(bench.loops + 1, bench.now_us),
    "listen": lambda driver, bench: driver.listen(True, bench.now_us),
    "configure": lambda driver, bench: driver.configure(SETUPS, bench.now_us),
    "disarm": lambda driver, bench: driver.disarm(bench.now_us),
    "stop": lambda driver, _: driver.stop(),
    "close": lambda driver, _: driver.close(),
    "poll": lambda driver, bench: driver.poll(bench.now_us),
    "trip": lambda _, bench: bench.latch.trip("elsewhere"),
}


def check(bench: Bench, before: DriverState) -> None:
    """What holds after anything at all."""
    driver = bench.driver
    if before is not DriverState.ARMED:
        assert driver.state is not DriverState.ARMED, "armed without being asked"
    if driver.output is OutputState.OFF:
        assert driver.state in {DriverState.DISARMED, DriverState.STOPPED, DriverState.ARMING}
    if driver.state in {DriverState.STOPPING, DriverState.LOST, DriverState.CONNECTING}:
        assert driver.output is OutputState.UNKNOWN
    if before is DriverState.LOST:
        assert driver.state is DriverState.LOST


@pytest.mark.parametrize("state", DriverState)
@pytest.mark.parametrize("name", BOARD_WORDS)
def test_every_word_in_every_state(state: DriverState, name: str) -> None:
    bench = at(state)
    if state is not DriverState.LOST:
        bench.board.tell(BOARD_WORDS[name], token=123)
    bench.driver.poll(bench.now_us)
    check(bench, state)
    bench.driver.stop()
    assert bench.driver.state in {DriverState.STOPPING, DriverState.LOST, DriverState.CONNECTING}
    if state not in {DriverState.LOST, DriverState.CONNECTING}:
        bench.run(100 * MS)
        assert bench.board.token == 0
        assert bench.board.applied == [0, 0]


@pytest.mark.parametrize("state", DriverState)
@pytest.mark.parametrize("order", ORDERS)
def test_every_order_in_every_state(state: DriverState, order: str) -> None:
    bench = at(state)
    heard = len(bench.board.said(m.Update))
    try:
        ORDERS[order](bench.driver, bench)
    except UsageError:
        assert order in {"arm", "listen"}
    check(bench, state)
    if state is not DriverState.LOST:
        bench.board.work()
        assert len(bench.board.said(m.Update)) == heard + (order == "send" and state is DriverState.ARMED)
    if order in {"stop", "close", "disarm", "trip"} and state is DriverState.ARMED:
        bench.run(50 * MS)
        assert bench.board.applied == [0, 0]


def test_before_open_nothing_is_said() -> None:
    ours, theirs = memory_pair()
    driver = Driver(ours, Latch(), tokens=lambda: 1)
    assert driver.fileno() is None
    driver.beat(1, 0)
    driver.disarm(0)
    assert theirs.read() == b""


def test_a_reader_that_fails_in_the_stop_thread_is_found_by_the_loop() -> None:
    bench = Bench().armed()

    class Deaf(Recorder):
        def write(self, data: bytes, *, urgent: bool = False) -> None:
            raise LinkLost("pulled")

    broken: Transport = Deaf()
    bench.driver._line._transport = broken
    bench.driver.stop()  # in its own thread this must not raise
    (event,) = bench.driver.poll(bench.now_us)
    assert isinstance(event, Lost)
    assert "pulled" in str(event.error)


def test_capabilities_decide_what_is_asked_of_a_report() -> None:
    bench = Bench()
    bench.board.identity = replace(WHO, capabilities=Capability.IMPEDANCE)
    bench.delivering(10_000, 0)
    bench.board.measured = [0, 0]
    assert bench.run(SECOND) == []
