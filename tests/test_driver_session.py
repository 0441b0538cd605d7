"""The driver through a session on a scripted board: connecting, arming, settings, heartbeats, samples."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stimctl.boards.reference import messages as m
from stimctl.boards.reference.codes import Capability, Cause, Reason
from stimctl.driver import (
    Analog,
    Armed,
    Connected,
    DriverState,
    Faulted,
    Lost,
    OutputState,
    Refused,
    Reported,
    Setup,
    Stopped,
)
from stimctl.envelope.latch import approve
from stimctl.errors import LimitsDisagree, LinkTimeout, OurBug, UsageError
from stimctl.pulse import Command, Output, symmetric
from stimctl.safety import Latch
from tests.driver_board import MS, SETUPS, WHO, Bench
from tests.wire_words import TABLE

SECOND = 1_000 * MS


# --- connecting ------------------------------------------------------------------------------------------------


def test_the_first_word_is_stop() -> None:
    bench = Bench()
    assert (bench.driver.state, bench.driver.output) == (DriverState.CONNECTING, OutputState.UNKNOWN)
    bench.driver.open(0)
    bench.board.work()
    assert [type(frame.word) for frame in bench.board.heard] == [m.Stop, m.Hello]


def test_connecting_ends_disarmed_and_off() -> None:
    bench = Bench().connected()
    (told,) = [event for event in bench.events if isinstance(event, Connected)]
    assert told.facts == bench.driver.facts
    assert bench.driver.facts is not None
    assert bench.driver.facts.limits.peak_ua == TABLE.peak_ua
    assert bench.driver.output is OutputState.OFF


@pytest.mark.parametrize("kind", [m.Hello, m.Stop])
def test_a_board_that_is_still_booting_is_asked_again(kind: type[m.Word]) -> None:
    bench = Bench()
    bench.board.deaf = {kind}
    bench.driver.open(0)
    assert bench.run(2 * SECOND) == []
    assert bench.driver.state is DriverState.CONNECTING
    bench.board.deaf = set()
    bench.board.tell(m.Event(Cause.RESET, 0xFF, 0, 0))
    assert [type(event) for event in bench.run(SECOND)] == [Connected]


def test_nothing_there_is_a_lost_link_in_words() -> None:
    bench = Bench()
    bench.driver.open(0)
    (lost,) = bench.run(5 * SECOND, board=False)
    assert isinstance(lost, Lost)
    assert isinstance(lost.error, LinkTimeout)
    assert "does not answer as a reference board" in str(lost.error)
    assert bench.driver.state is DriverState.LOST


def test_an_echo_is_no_board() -> None:
    bench = Bench()
    bench.driver.open(0)
    for _ in range(1_000):
        bench.now_us += 5 * MS
        bench.board.end.write(bench.board.end.read())
        bench.driver.poll(bench.now_us)
    assert bench.driver.state is DriverState.LOST
    assert bench.driver.facts is None


def test_a_board_with_wider_limits_is_not_used() -> None:
    bench = Bench()
    bench.board.table = replace(TABLE, peak_ua=100_001)
    bench.driver.open(0)
    fault, lost = bench.run()
    assert isinstance(fault, Faulted)
    assert isinstance(fault.error, LimitsDisagree)
    assert isinstance(lost, Lost)
    assert bench.driver.facts is None
    with pytest.raises(UsageError):
        bench.driver.arm(SETUPS, bench.now_us)


@pytest.mark.parametrize("measured", [501, None])
def test_a_board_that_does_not_confirm_zero_is_not_connected(measured: int | None) -> None:
    """A board that says it senses current has to say 0, and not nothing."""
    bench = Bench()
    quiet = bench.board.report
    bench.board.report = lambda: replace(quiet(), outputs=(m.OutputReport(0, measured, None),) * 2)  # type: ignore[method-assign]
    bench.driver.open(0)
    (lost,) = bench.run(5 * SECOND)
    assert isinstance(lost, Lost)
    assert "zero" in str(lost.error)
    assert bench.driver.output is OutputState.UNKNOWN


def test_a_board_without_a_current_sensor_is_believed_by_its_setting() -> None:
    bench = Bench()
    bench.board.identity = replace(WHO, capabilities=Capability.IMPEDANCE)
    quiet = bench.board.report
    bench.board.report = lambda: replace(quiet(), outputs=(m.OutputReport(0, None, None),) * 2)  # type: ignore[method-assign]
    bench.connected()
    assert bench.driver.output is OutputState.OFF


def test_an_old_confirmation_in_the_line_confirms_nothing() -> None:
    bench = Bench()
    bench.board.deaf = {m.Stop}
    bench.driver.open(0)
    for old in (0, 1, 2, 40_000):
        bench.board.tell(m.Stopped(old, bench.board.report()))
    assert bench.run(100 * MS) == []
    assert bench.driver.state is DriverState.CONNECTING


# --- arming ----------------------------------------------------------------------------------------------------


def test_arming_is_at_zero_with_a_new_token_and_every_ceiling() -> None:
    bench = Bench(first_token=0xABCD).armed()
    assert isinstance(bench.events[-1], Reported | Armed)
    (arm,) = bench.board.said(m.Arm)
    assert isinstance(arm.word, m.Arm)
    assert arm.token == 0xABCE  # the first one only set the sequence off
    assert arm.word.outputs == 0b11
    assert arm.word.dead_man_ms <= 500
    assert arm.word.limits_crc == bench.driver.facts.limits_crc  # type: ignore[union-attr]
    configured = [frame.word for frame in bench.board.said(m.Configure)]
    assert configured == [
        m.Configure(*(getattr(one, name) for name in m.Configure.__dataclass_fields__)) for one in SETUPS
    ]
    assert bench.board.said(m.Update) == []
    assert bench.driver.output is OutputState.ON  # armed, be it at 0 mA


def test_each_arming_has_another_token() -> None:
    bench = Bench().armed()
    bench.driver.disarm(bench.now_us)
    bench.run()
    bench.driver.arm(SETUPS, bench.now_us)
    bench.run(50 * MS)
    first, second = bench.board.said(m.Arm)
    assert first.token != second.token


@pytest.mark.parametrize("token", [0, 2**32, -1])
def test_a_useless_token_is_our_bug(token: int) -> None:
    bench = Bench().connected()
    bench.driver._tokens = lambda: token
    with pytest.raises(OurBug, match="token"):
        bench.driver.arm(SETUPS, bench.now_us)


def test_a_repeated_token_is_our_bug() -> None:
    bench = Bench().connected()
    bench.driver._tokens = lambda: 5
    bench.driver.arm(SETUPS, bench.now_us)
    bench.run(50 * MS)
    bench.driver.disarm(bench.now_us)
    bench.run()
    with pytest.raises(OurBug, match="token"):
        bench.driver.arm(SETUPS, bench.now_us)


@pytest.mark.parametrize(
    "setups", [(), (SETUPS[0], SETUPS[0]), (replace(SETUPS[0], output=2),), (replace(SETUPS[0], output=-1),)]
)
def test_senseless_setups_are_our_bug(setups: tuple[Setup, ...]) -> None:
    bench = Bench().connected()
    with pytest.raises(OurBug):
        bench.driver.arm(setups, bench.now_us)
    assert bench.driver.state is DriverState.DISARMED


@pytest.mark.parametrize("kind", [m.Arm, m.Configure])
@pytest.mark.parametrize("reason", [Reason.FAULT, Reason.CHALLENGE, Reason.LIMITS])
def test_an_arming_that_the_board_refuses_ends_disarmed(kind: type[m.Word], reason: Reason) -> None:
    bench = Bench().connected()
    bench.board.refuse = {kind: m.Nak(0, reason)}
    bench.driver.arm(SETUPS, bench.now_us)
    refused, stopped = bench.run(50 * MS)
    assert isinstance(refused, Refused)
    assert (refused.command, refused.reason) == (kind.__name__.upper(), reason)
    assert isinstance(stopped, Stopped)
    assert (bench.driver.state, bench.driver.output) == (DriverState.DISARMED, OutputState.OFF)
    assert not bench.latch.tripped


@pytest.mark.parametrize("kind", [m.Arm, m.Configure])
def test_a_lost_answer_to_arming_is_asked_for_once_more(kind: type[m.Word]) -> None:
    """It energises nothing, so it may be said twice; an ARM in the very same bytes, which the board knows again."""
    bench = Bench().connected()
    bench.board.mute = {kind}
    bench.driver.arm(SETUPS, bench.now_us)
    bench.run(50 * MS)
    assert bench.driver.state is DriverState.ARMING
    bench.board.mute = set()
    assert [type(event) for event in bench.run(150 * MS)] == [Armed]
    if kind is m.Arm:
        first, second = bench.board.said(m.Arm)
        assert first == second


@pytest.mark.parametrize("kind", [m.StatusRequest, m.Arm, m.Configure])
def test_no_answer_twice_is_a_lost_link(kind: type[m.Word]) -> None:
    bench = Bench().connected()
    bench.board.deaf = {kind}
    bench.driver.arm(SETUPS, bench.now_us)
    (lost,) = bench.run(300 * MS)
    assert isinstance(lost, Lost)
    assert kind.__name__.upper() in str(lost.error)
    assert len(bench.board.said(kind)) >= 2
    bench.board.work()
    assert type(bench.board.heard[-1].word) is m.Stop


def test_heartbeats_go_out_while_ceilings_are_set() -> None:
    bench = Bench().connected()
    bench.board.deaf = {m.Configure}
    bench.driver.arm(SETUPS, bench.now_us)
    bench.run(150 * MS)
    assert bench.board.said(m.Heartbeat)


def test_a_stop_while_arming_leaves_nothing_armed() -> None:
    """At every point of the arming."""
    for steps in range(8):
        bench = Bench().connected()
        bench.driver.arm(SETUPS, bench.now_us)
        bench.run(steps * 5 * MS)
        bench.driver.stop()
        bench.run(50 * MS)
        assert bench.driver.state is DriverState.STOPPED
        assert bench.board.token == 0
        assert len(bench.board.said(m.Update)) == 0


# --- settings --------------------------------------------------------------------------------------------------


def test_what_is_approved_is_what_arrives() -> None:
    bench = Bench().armed()
    bench.send(12_500, 0)
    bench.run()
    (update,) = bench.board.said(m.Update)
    assert isinstance(update.word, m.Update)
    assert [(entry.output, entry.train) for entry in update.word.entries] == [
        (0, symmetric(12_500, 300, 35_000)),
        (1, symmetric(0, 300, 35_000)),
    ]
    assert update.token == bench.board.token
    assert bench.driver.dropped == 0


def test_only_permits_of_this_latch_are_taken() -> None:
    bench = Bench().armed()
    command = Command((Output(0, symmetric(1_000, 300, 35_000)),))
    for wrong in (command, None):
        with pytest.raises(OurBug, match="not what the limiter approved"):
            bench.driver.send(wrong, bench.now_us)  # type: ignore[arg-type]
    other = Latch()
    with pytest.raises(OurBug, match="another latch"):
        bench.driver.send(approve(command, 0, other), bench.now_us)
    beyond = Command((Output(2, symmetric(1_000, 300, 35_000)),))
    with pytest.raises(OurBug, match="not part"):
        bench.driver.send(approve(beyond, 0, bench.latch), bench.now_us)
    bench.run()
    assert bench.board.said(m.Update) == []


def test_a_setting_is_never_sent_twice() -> None:
    """Its acknowledgement is lost: the board is asked how it is, and its report settles the matter."""
    bench = Bench().armed()
    bench.board.mute = {m.Update}
    bench.send(5_000, 0)
    asked = len(bench.board.said(m.StatusRequest))
    assert bench.run(SECOND) == []
    assert len(bench.board.said(m.Update)) == 1
    assert len(bench.board.said(m.StatusRequest)) > asked
    assert bench.driver.state is DriverState.ARMED


@pytest.mark.parametrize("later", range(0, 100, 5))
def test_a_lost_acknowledgement_is_told_from_a_lost_setting(later: int) -> None:
    """Whenever it falls between reports and heartbeats: no heartbeat may hide which of the two it was."""
    bench = Bench().delivering(1_000, 0)
    bench.run(later * MS)
    bench.board.mute = {m.Update}
    bench.send(5_000, 0)
    assert bench.run(500 * MS) == []
    assert bench.board.applied == [5_000, 0]


@pytest.mark.parametrize("level", [5_000, 0])
def test_a_setting_that_does_not_arrive_stops_the_board(level: int) -> None:
    """Above all when it was a lowering: the board goes on with what it has."""
    bench = Bench().delivering(3_000, 0)
    bench.board.deaf = {m.Update}
    bench.send(level, 0)
    fault, stopped = bench.run(400 * MS)
    assert isinstance(fault, Faulted)
    assert "did not reach" in str(fault.error)
    assert isinstance(stopped, Stopped)
    assert bench.board.applied == [0, 0]
    assert bench.latch.tripped


def test_a_lost_setting_that_a_newer_one_makes_good_stops_nothing() -> None:
    bench = Bench().armed()
    bench.board.deaf = {m.Update}
    bench.send(1_000, 0)
    bench.run(50 * MS)
    bench.board.deaf = set()
    bench.send(2_000, 0)
    assert bench.run(SECOND) == []
    assert bench.board.applied == [2_000, 0]


def test_output_is_unknown_while_an_answer_is_overdue() -> None:
    bench = Bench().delivering(3_000, 0)
    bench.send(4_000, 0)
    seen = []
    for board in (False, False, True):  # it is late, and then it answers everything
        bench.run(70 * MS, board=board)
        seen.append(bench.driver.output)
    assert seen == [OutputState.ON, OutputState.UNKNOWN, OutputState.ON]
    assert len(bench.board.said(m.Update)) == 2


@pytest.mark.parametrize("reason", [each for each in Reason if each not in {Reason.EXPIRED, Reason.STALE}])
def test_a_setting_that_the_board_refuses_stops_everything(reason: Reason) -> None:
    bench = Bench().armed()
    bench.board.refuse = {m.Update: m.Nak(0, reason, 1, 7)}
    bench.send(1_000, 1_000)
    refused, stopped = bench.run(50 * MS)
    assert isinstance(refused, Refused)
    assert (refused.command, refused.output, refused.rule) == ("UPDATE", 1, "charge_nc")
    assert isinstance(stopped, Stopped)
    assert refused.text in bench.latch.reason


@pytest.mark.parametrize("reason", [Reason.EXPIRED, Reason.STALE])
def test_a_setting_that_came_late_is_made_good_by_the_next(reason: Reason) -> None:
    bench = Bench().armed()
    bench.board.refuse = {m.Update: m.Nak(0, reason)}
    bench.send(1_000, 1_000)
    (refused,) = bench.run(50 * MS)
    assert isinstance(refused, Refused)
    bench.board.refuse = {}
    bench.send(1_000, 1_000)
    assert bench.run(SECOND) == []


def test_ceilings_can_be_narrowed_while_armed() -> None:
    bench = Bench().delivering(1_000, 0)
    bench.driver.configure((replace(SETUPS[0], amplitude_ua=9_000), replace(SETUPS[1], amplitude_ua=0)), bench.now_us)
    assert bench.run(50 * MS) == []
    assert [frame.word.amplitude_ua for frame in bench.board.said(m.Configure)][2:] == [9_000, 0]  # type: ignore[union-attr]
    assert bench.driver.state is DriverState.ARMED


# --- the line is busy (H19) ------------------------------------------------------------------------------------


def test_on_a_busy_line_the_newest_setting_waits_alone() -> None:
    bench = Bench().armed()
    while bench.link.pending() == 0:
        bench.link.write(b"\x00" * 1_000)
    heard = len(bench.board.heard)
    for level in (1_000, 2_000, 3_000):
        bench.send(level, 0)
    bench.driver.beat(bench.loops + 10, bench.now_us + 200 * MS)
    assert bench.driver.dropped == 2
    bench.run(10 * MS)
    updates = [frame.word for frame in bench.board.heard[heard:] if isinstance(frame.word, m.Update)]
    assert [word.entries[0].train.amplitude_ua for word in updates] == [3_000]


def test_what_waits_when_a_stop_comes_never_leaves() -> None:
    bench = Bench().armed()
    while bench.link.pending() == 0:
        bench.link.write(b"\x00" * 1_000)
    bench.send(9_000, 9_000)
    bench.driver.stop()
    assert bench.link.pending() == 0  # what stood before it was thrown away
    bench.run(100 * MS)
    assert bench.board.said(m.Update) == []
    assert bench.driver.state is DriverState.STOPPED


# --- the dead-man ----------------------------------------------------------------------------------------------


def test_heartbeats_come_from_a_moving_loop_alone() -> None:
    bench = Bench().armed()
    bench.run(SECOND)
    beats = [frame.word for frame in bench.board.said(m.Heartbeat)]
    assert 9 <= len(beats) <= 14
    counters = [word.loop_counter for word in beats if isinstance(word, m.Heartbeat)]
    assert counters == sorted(set(counters))
    heard = len(beats)
    bench.beating = False
    bench.run(300 * MS)
    for later in range(20):
        bench.driver.beat(bench.loops - 60, bench.now_us + later * SECOND)  # the loop hangs: the counter stands still
    bench.board.work()
    assert len(bench.board.said(m.Heartbeat)) <= heard + 1  # one for what it had counted before it hung


def test_a_setting_carries_the_counter_and_spares_the_heartbeat() -> None:
    bench = Bench().armed()
    for _ in range(50):
        bench.send(1_000, 0)
        bench.run(20 * MS)
    counters = [frame.word.loop_counter for frame in bench.board.said(m.Update)]  # type: ignore[union-attr]
    assert counters == sorted(set(counters))
    assert len(bench.board.said(m.Heartbeat)) <= 1


def test_counters_and_clock_wrap() -> None:
    bench = Bench()
    bench.now_us = (2**32 - 100) * MS
    bench.loops = 2**32 - 10
    bench.armed()
    bench.run(SECOND)
    beats = [frame.word for frame in bench.board.said(m.Heartbeat)]
    assert all(isinstance(word, m.Heartbeat) and word.loop_counter < 2**20 for word in beats[1:])
    assert any(isinstance(word, m.Heartbeat) and word.host_ms < 10_000 for word in beats)
    assert bench.driver.state is DriverState.ARMED


def test_sequences_wrap() -> None:
    bench = Bench(first_token=65_530).armed()
    for level in range(20):
        bench.send(level * 100, 0)
        bench.run(20 * MS)
    assert bench.driver.state is DriverState.ARMED
    assert bench.board.applied == [1_900, 0]


# --- the analog input ------------------------------------------------------------------------------------------


def test_samples_pass_through_and_gaps_are_told() -> None:
    bench = Bench().connected()
    bench.driver.listen(True, bench.now_us)
    bench.run()
    for first in (100, 120, 160, 150, 2**32 - 10):  # in order, a gap of 20, one that comes twice, one from before
        bench.board.tell(m.Samples(first % 2**32, 1_000, 250, 0, (1,) * 20))
    chunks = [event for event in bench.run() if isinstance(event, Analog)]
    assert [(chunk.samples.first_index, chunk.missing) for chunk in chunks] == [(100, 0), (120, 0), (160, 20)]


def test_the_sample_index_wraps() -> None:
    bench = Bench().connected()
    bench.driver.listen(True, bench.now_us)
    bench.run()
    for first in (2**32 - 20, 0, 25):
        bench.board.tell(m.Samples(first, 1_000, 250, 0, (1,) * 20))
    chunks = [event for event in bench.run() if isinstance(event, Analog)]
    assert [chunk.missing for chunk in chunks] == [0, 0, 5]


def test_nobody_listens_until_told_to() -> None:
    bench = Bench().connected()
    bench.board.tell(m.Samples(0, 1_000, 250, 0, (1,) * 20))
    assert bench.run() == []
    bench.driver.listen(True, bench.now_us)
    bench.run()
    assert bench.board.listening
    bench.driver.listen(False, bench.now_us)
    bench.run()
    assert not bench.board.listening


def test_a_board_without_an_input_says_so() -> None:
    bench = Bench()
    bench.board.identity = replace(WHO, capabilities=Capability.CURRENT)
    bench.connected()
    with pytest.raises(UsageError, match="no analog input"):
        bench.driver.listen(True, bench.now_us)


def test_a_refused_listen_stops_nothing() -> None:
    bench = Bench().armed()
    bench.board.refuse = {m.Listen: m.Nak(0, Reason.UNSUPPORTED)}
    bench.driver.listen(True, bench.now_us)
    (refused,) = bench.run(50 * MS)
    assert isinstance(refused, Refused)
    assert bench.driver.state is DriverState.ARMED
