"""The stop inside the driver, to the microsecond: what is noticed when, said how often, and what is known meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stimctl.boards.reference import messages as m
from stimctl.boards.reference.codes import Capability
from stimctl.driver import DriverState, Faulted, Lost, OutputState, Stopped
from stimctl.driver import conversation as c
from stimctl.driver.hearing import LOUD_ANSWERS
from stimctl.errors import LinkLost
from tests.driver_board import MS, SETUPS, WHO, Bench
from tests.wire_words import REPORT


def stops(bench: Bench) -> int:
    """How many stops the board has heard by now."""
    bench.board.work()
    return len(bench.board.said(m.Stop))


def quiet(report: m.Report) -> m.Report:
    return replace(report, armed=False, outputs=(m.OutputReport(0, 0, 1_000),) * 2)


# --- the numbers -----------------------------------------------------------------------------------------------


def test_the_times_of_the_conversation() -> None:
    """Read-back often enough to find a stuck output within 200 ms (H22); a stop repeated until it is confirmed."""
    assert (c.STATUS_ARMED_US, c.STATUS_IDLE_US) == (100_000, 1_000_000)
    assert (c.HELLO_US, c.CONNECT_US) == (250_000, 4_000_000)
    assert (c.STOP_AGAIN_US, c.SILENCE_US, LOUD_ANSWERS) == (50_000, 500_000, 3)
    s = DriverState
    assert {s.ARMING, s.ARMED} == c.LIVE
    assert {s.DISARMED, s.STOPPED} == c.IDLE
    assert {s.CONNECTING, s.LOST} == c._DEAF


# --- what is known ---------------------------------------------------------------------------------------------


def test_nothing_is_quiet_before_the_board_has_said_who_it_is_and_how_it_is() -> None:
    driver = Bench().driver
    assert not driver._is_quiet()
    driver._report = quiet(REPORT)
    assert not driver._is_quiet()


@pytest.mark.parametrize("armed", [False, True])
def test_zero_in_a_report_counts_only_while_disarmed(armed: bool) -> None:
    driver = Bench().connected().driver
    driver._report = replace(quiet(REPORT), armed=armed)
    assert driver._is_quiet() is not armed


def test_a_belated_word_of_current_makes_an_idle_output_unknown() -> None:
    bench = Bench().connected()
    bench.board.tell(m.Stopped(12_345, replace(quiet(REPORT), uptime_ms=bench.board.uptime_ms, armed=True)))
    bench.driver.poll(bench.now_us)
    assert bench.driver.state is DriverState.DISARMED
    assert bench.driver.output is OutputState.UNKNOWN


def test_output_is_on_from_the_moment_arm_leaves_and_not_first_when_the_board_accepts_it() -> None:
    """Not acknowledged means possibly energised, also when the board answers something else meanwhile."""
    bench = Bench().connected()
    bench.board.mute = {m.Arm}
    bench.driver.arm(SETUPS, bench.now_us)
    assert bench.driver.output is OutputState.OFF  # asked for its challenge, and no more
    bench.board.work()
    bench.driver.poll(bench.now_us)
    assert (bench.board.said(m.Arm), bench.driver.output) == ([], OutputState.ON)  # under way
    bench.driver._ask(m.StatusRequest(), bench.now_us)
    bench.run(20 * MS)
    assert bench.board.token
    assert (bench.driver.state, bench.driver.output) == (DriverState.ARMING, OutputState.ON)
    assert Bench().armed().driver.output is OutputState.ON


def test_output_is_off_before_arming_by_the_boards_own_words_alone() -> None:
    bench = Bench().connected()
    bench.board.deaf = {m.StatusRequest}
    bench.driver.arm(SETUPS, bench.now_us)
    assert bench.driver.output is OutputState.OFF
    bench.driver._report = replace(quiet(REPORT), armed=True)
    assert bench.driver.output is OutputState.UNKNOWN


def test_a_look_from_another_thread_while_the_session_ends_says_unknown() -> None:
    driver = Bench().armed().driver
    driver._session = None
    assert driver.output is OutputState.UNKNOWN


@pytest.mark.parametrize(
    ("state", "seen"),
    [
        (state, state if state in (DriverState.CONNECTING, DriverState.LOST) else DriverState.STOPPING)
        for state in DriverState
    ],
)
def test_a_trip_shows_at_once_wherever_it_matters(state: DriverState, seen: DriverState) -> None:
    bench = Bench().connected()
    bench.driver._state = state
    assert bench.driver.state is state
    bench.latch.trip("key")
    assert bench.driver.state is seen
    bench.latch.clear()
    assert bench.driver.state is seen


# --- noticing --------------------------------------------------------------------------------------------------


def test_a_trip_of_the_latch_alone_is_a_stop_on_the_line_in_the_same_poll() -> None:
    bench = Bench().delivering(9_000, 0)
    before = stops(bench)
    bench.latch.trip("somebody")
    bench.driver.poll(bench.now_us)
    assert stops(bench) == before + 1
    bench.driver.poll(bench.now_us + c.STOP_AGAIN_US - 1)
    assert bench.driver.state is DriverState.STOPPED
    assert stops(bench) == before + 1


@pytest.mark.parametrize("again", [False, True])
def test_a_stop_that_nobody_answers_is_said_every_50_ms_until_half_a_second_has_passed(again: bool) -> None:
    bench = Bench().delivering(9_000, 0)
    bench.board.deaf = {m.Stop}
    bench.board.mute = {m.StatusRequest, m.Heartbeat}
    before, began_us = stops(bench), bench.now_us
    bench.latch.trip("key")
    bench.driver.poll(began_us)
    for count in range(1, 10):
        bench.driver.poll(began_us + count * c.STOP_AGAIN_US - 1)
        assert stops(bench) == before + count
        bench.driver.poll(began_us + count * c.STOP_AGAIN_US)
        assert stops(bench) == before + count + 1
    bench.driver.poll(began_us + c.SILENCE_US - 1)
    assert bench.driver.state is DriverState.STOPPING
    if again:  # another stop does not put off what has to be told about the first
        bench.latch.trip("key")
        bench.driver.poll(began_us + c.SILENCE_US - 1)
        assert bench.driver.state is DriverState.STOPPING
    events = bench.driver.poll(began_us + c.SILENCE_US)
    assert [type(event) for event in events] == [Lost]
    assert (bench.driver.state, bench.driver.output) == (DriverState.LOST, OutputState.UNKNOWN)


def test_a_board_that_answers_but_delivers_is_told_to_stop_for_ever() -> None:
    bench = Bench().delivering(9_000, 0)
    bench.board.measured = [9_000, None]
    bench.driver.stop("key")
    events = bench.run(3_000 * MS)
    assert (bench.driver.state, bench.driver.output) == (DriverState.STOPPING, OutputState.UNKNOWN)
    assert [type(event) for event in events] == [Faulted]  # said once, not with every answer
    bench.board.measured = [None, None]
    assert [type(event) for event in bench.run(100 * MS)] == [Stopped]
    assert (bench.driver.state, bench.driver.output) == (DriverState.STOPPED, OutputState.OFF)


def test_each_stop_has_its_own_patience_with_loud_answers() -> None:
    bench = Bench().connected()
    for _ in range(2):
        bench.latch.clear()
        bench.board.measured = [9_000, None]
        bench.driver.stop("key")
        events = [event for event in bench.run(40 * MS) if isinstance(event, Faulted)]
        assert events == []  # two loud answers: a pulse may be under way
        bench.board.measured = [None, None]
        bench.run(100 * MS)
        assert bench.driver.state is DriverState.STOPPED


def test_disarming_says_stop_once_and_again_after_50_ms() -> None:
    bench = Bench().armed()
    bench.board.deaf = {m.Stop}
    before = stops(bench)
    bench.driver.disarm(bench.now_us)
    bench.driver.poll(bench.now_us + c.STOP_AGAIN_US - 1)
    assert stops(bench) == before + 1
    bench.driver.poll(bench.now_us + c.STOP_AGAIN_US)
    assert stops(bench) == before + 2


def test_a_stop_ends_the_session_with_its_doubts_and_its_questions() -> None:
    bench = Bench().delivering(9_000, 0)
    bench.board.deaf = {m.Update, m.StatusRequest}
    bench.send(8_000, 0)
    bench.run(110 * MS)
    assert bench.driver.output is OutputState.UNKNOWN
    bench.driver.stop("key")
    bench.run(20 * MS)
    bench.latch.clear()
    assert (bench.driver.state, bench.driver.output) == (DriverState.STOPPED, OutputState.OFF)
    bench.board.deaf = set()
    assert bench.run(1_500 * MS) == []
    assert bench.driver.state is DriverState.STOPPED
    bench.driver.arm(SETUPS, bench.now_us)
    bench.run(20 * MS)
    assert bench.driver.output is OutputState.ON


def test_what_was_dropped_is_counted_over_all_sessions() -> None:
    bench = Bench().armed()
    for session in (1, 2):
        while bench.link.pending() == 0:
            bench.link.write(b"\x00" * 1_000)
        for level in (1_000, 2_000, 3_000):
            bench.send(level, 0)
        assert bench.driver.dropped == 2 * session
        bench.run(20 * MS)
        bench.driver.disarm(bench.now_us)
        bench.run(20 * MS)
        bench.driver.arm(SETUPS, bench.now_us)
        bench.run(50 * MS)
        assert bench.driver.dropped == 2 * session


def test_what_is_sent_while_not_armed_is_dropped_and_counted() -> None:
    bench = Bench().connected()
    for count in (1, 2, 3):
        bench.send(1_000, 0)
        assert bench.driver.dropped == count
    assert bench.board.said(m.Update) == []


def test_doubts_end_with_their_session() -> None:
    """A new one begins as at zero and not accepted, until its own questions go unanswered."""
    bench = Bench().delivering(9_000, 0)
    bench.driver._doubt = True
    bench.board.deaf = {m.StatusRequest}  # whose answer would end them as well
    bench.driver.disarm(bench.now_us)
    bench.run(10 * MS)
    bench.driver.arm(SETUPS, bench.now_us)
    assert (bench.driver.state, bench.driver.output) == (DriverState.ARMING, OutputState.OFF)


@pytest.mark.parametrize("hammering", [False, True])
def test_the_third_loud_answer_until_zero_is_confirmed_is_a_fault(hammering: bool) -> None:
    """Whoever presses again and again, as a held key does, does not put it off."""
    bench = Bench().connected()
    bench.board.deaf = {m.Stop}
    for _ in range(2):
        bench.driver.stop("key")
        for count in (1, 2, 3, 4):
            if hammering:
                bench.driver.stop("key")
            bench.board.tell(stopped(bench, loud=True))
            faults = [event for event in bench.driver.poll(bench.now_us) if isinstance(event, Faulted)]
            assert len(faults) == (count == 3)
        bench.board.tell(stopped(bench))
        bench.driver.poll(bench.now_us)
        assert bench.driver.state is DriverState.STOPPED


def test_samples_and_answers_to_earlier_stops_are_no_answer_to_this_one() -> None:
    bench = Bench().delivering(9_000, 0)
    bench.board.deaf = {m.Stop, m.StatusRequest, m.Heartbeat}
    began_us = bench.now_us
    bench.driver.stop("key")
    bench.driver.poll(began_us)
    for after_us in range(0, c.SILENCE_US, 50_000):
        bench.board.tell(m.Samples(0, 1_000, 250, 0, (1,) * 20))
        bench.board.tell(replace(stopped(bench, loud=True), reply_to=1))
        bench.driver.poll(began_us + after_us)
        assert bench.driver.state is DriverState.STOPPING
    assert [type(event) for event in bench.driver.poll(began_us + c.SILENCE_US)] == [Lost]


def test_a_board_that_answers_to_a_stop_has_another_half_second() -> None:
    bench = Bench().delivering(9_000, 0)
    bench.board.deaf = {m.Stop, m.StatusRequest, m.Heartbeat}
    bench.driver.stop("key")
    bench.driver.poll(bench.now_us)
    answered_us = bench.now_us + 300_000
    bench.board.tell(stopped(bench, loud=True))
    bench.driver.poll(answered_us)
    bench.driver.poll(answered_us + c.SILENCE_US - 1)
    assert bench.driver.state is DriverState.STOPPING
    bench.driver.poll(answered_us + c.SILENCE_US)
    assert bench.driver.state is DriverState.LOST


def stopped(bench: Bench, *, loud: bool = False) -> m.Stopped:
    """An answer to the driver's stop."""
    outputs = (m.OutputReport(9_000 * loud, 9_000 * loud, 1_000), m.OutputReport(0, 0, 1_000))
    report = replace(quiet(REPORT), uptime_ms=bench.board.uptime_ms, outputs=outputs)
    return m.Stopped(bench.driver._line.stop_sequence, report)


@pytest.mark.parametrize("loud", [False, True])
def test_a_further_answer_to_a_stop_that_is_over_is_no_event(loud: bool) -> None:
    bench = Bench().connected()
    for _ in range(4):
        bench.board.tell(stopped(bench, loud=loud))
        events = bench.driver.poll(bench.now_us)
        assert [event for event in events if isinstance(event, (Faulted, Stopped))] == []
        assert bench.driver.state is DriverState.DISARMED
    assert bench.driver.output is (OutputState.UNKNOWN if loud else OutputState.OFF)


def test_how_the_board_is_is_asked_as_soon_as_the_stop_is_confirmed() -> None:
    bench = Bench().armed()
    while not (before := len(bench.board.said(m.StatusRequest))) or bench.now_us < bench.driver._status_us - 60 * MS:
        bench.run(5 * MS)
    bench.driver.disarm(bench.now_us)
    bench.board.work()
    bench.driver.poll(bench.now_us)
    assert bench.driver.state is DriverState.DISARMED
    bench.board.work()
    assert len(bench.board.said(m.StatusRequest)) == before + 1


def test_the_answer_to_the_first_stop_may_be_the_last_that_connecting_waits_for() -> None:
    bench = Bench()
    bench.board.deaf = {m.Stop}
    bench.driver.open(bench.now_us)
    bench.run(20 * MS)
    assert bench.driver.state is DriverState.CONNECTING
    bench.board.tell(stopped(bench))
    bench.driver.poll(bench.now_us)
    assert bench.driver.state is DriverState.DISARMED


def test_a_stop_without_a_word_is_a_stop() -> None:
    bench = Bench().armed()
    bench.driver.stop()
    assert bench.latch.reason == "stop"


def test_a_link_that_breaks_under_a_command_is_lost_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench().armed()

    def fail(data: bytes, *, urgent: bool = False) -> None:
        raise LinkLost("unplugged")

    monkeypatch.setattr(bench.link, "write", fail)
    bench.send(1_000, 0)
    assert (bench.driver.state, bench.latch.reason) == (DriverState.LOST, "unplugged")


# --- beating ---------------------------------------------------------------------------------------------------


def test_arming_carries_the_loops_own_counter() -> None:
    bench = Bench()
    bench.loops = 7_000
    bench.armed()
    (arm,) = [frame.word for frame in bench.board.said(m.Arm)]
    assert isinstance(arm, m.Arm)
    assert 7_000 < arm.loop_counter <= bench.loops


def test_a_session_that_a_stop_has_ended_is_not_fed_even_if_the_stop_was_cleared_at_once() -> None:
    bench = Bench().armed()
    bench.latch.trip("key")
    bench.latch.clear()
    before = len(bench.board.said(m.Heartbeat))
    bench.driver.beat(bench.loops + 10, bench.now_us + 1_000 * MS)
    bench.board.work()
    assert len(bench.board.said(m.Heartbeat)) == before


def test_a_link_that_breaks_under_a_beat_is_lost_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench().armed()

    def fail(data: bytes, *, urgent: bool = False) -> None:
        raise LinkLost("unplugged")

    monkeypatch.setattr(bench.link, "write", fail)
    bench.driver.beat(bench.loops + 10, bench.now_us + 1_000 * MS)
    assert (bench.driver.state, bench.driver.output) == (DriverState.LOST, OutputState.UNKNOWN)
    assert (bench.latch.tripped, bench.latch.reason) == (True, "unplugged")


# --- the end ---------------------------------------------------------------------------------------------------


def test_closing_lets_go_of_the_port() -> None:
    bench = Bench().armed()
    before = stops(bench)
    bench.driver.close()
    assert stops(bench) == before + 1
    assert (bench.driver.state, bench.driver.output) == (DriverState.LOST, OutputState.UNKNOWN)
    with pytest.raises(LinkLost):
        bench.link.read()


def test_a_lost_driver_leaves_the_line_alone() -> None:
    bench = Bench().connected()
    bench.driver._lose(LinkLost("planted"))
    assert [type(event) for event in bench.driver.poll(bench.now_us)] == [Lost]
    bench.board.end.write(b"\xc0\x55\xc0")
    assert bench.driver.poll(bench.now_us) == ()
    assert bench.driver.malformed == 0


def test_losing_the_link_is_told_once_with_one_more_stop() -> None:
    bench = Bench().delivering(9_000, 0)
    before = stops(bench)
    for _ in range(2):
        bench.driver._lose(LinkLost("unplugged"))
    assert stops(bench) == before + 1
    assert [str(event.error) for event in bench.driver.poll(bench.now_us) if isinstance(event, Lost)] == ["unplugged"]
    assert bench.driver._session is None
    assert bench.latch.reason == "unplugged"


@pytest.mark.parametrize(("capabilities", "quiet_without"), [(Capability.CURRENT, False), (Capability.ANALOG_IN, True)])
def test_a_missing_measurement_matters_only_on_a_board_that_measures(
    capabilities: Capability, quiet_without: bool
) -> None:
    driver = Bench().connected().driver
    driver._identity = replace(WHO, capabilities=capabilities)
    driver._report = replace(quiet(REPORT), outputs=(m.OutputReport(0, None, None),) * 2)
    assert driver._is_quiet() is quiet_without


def test_a_trip_while_connecting_does_not_end_the_connecting() -> None:
    """Connecting begins with a stop of its own and arms nothing; it goes on, and ends at zero."""
    bench = Bench()
    bench.driver.open(bench.now_us)
    bench.latch.trip("key")
    bench.driver.poll(bench.now_us)
    assert bench.driver.state is DriverState.CONNECTING
    bench.run(20 * MS)
    assert (bench.driver.state, bench.driver.output) == (DriverState.DISARMED, OutputState.OFF)
