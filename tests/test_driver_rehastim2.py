"""The driver of RehaStim 2 on its twin: getting to know, arming, delivering, stopping; only the ledger judges.

What holds in every state of every such driver is in ``test_driver_battery``.
"""

from __future__ import annotations

import pytest

from stimctl.boards.sciencemode.fit import DoesNotFit
from stimctl.boards.sciencemode2 import codec
from stimctl.boards.sciencemode2 import messages as m
from stimctl.boards.sciencemode2.codes import Command, Mode, Result
from stimctl.boards.sciencemode2.device import WATCHDOG_US
from stimctl.boards.sciencemode2.lists import NOTHING, channel_list, group
from stimctl.boards.sciencemode2.stopping import STOP
from stimctl.boards.sciencemode2.update import encode_approved
from stimctl.driver import Armed, BoardEvent, Connected, DriverState, Faulted, Lost, OutputState, Setup, Stopped
from stimctl.driver.plain import CONNECT_US, SILENCE_US
from stimctl.driver.sciencemode2 import ScienceMode2Driver
from stimctl.driver.worn import LOOK_US
from stimctl.errors import OurBug, UsageError
from stimctl.limits import ABSOLUTE, is_within
from stimctl.pulse import Output
from stimctl.safety import Latch
from stimctl.schedule import Steps
from stimctl.sim.rehastim2 import RehaStim2
from stimctl.units import period_above_us
from tests.p24_rig import Rig as P24Rig
from tests.rehastim2_rig import MS, RATE_MHZ, SECOND, SETUPS, Rig

OFF, ON, UNKNOWN = OutputState.OFF, OutputState.ON, OutputState.UNKNOWN

# --- getting to know ---------------------------------------------------------------------------------------------


def test_a_connection_begins_with_a_stop_and_ends_with_the_boards_own_zero() -> None:
    rig = Rig()
    assert rig.driver.output is UNKNOWN
    rig.driver.open(rig.now_us)
    [connected] = rig.run(300 * MS)
    assert isinstance(connected, Connected)
    assert rig.line.raw.startswith(STOP)
    assert (rig.driver.state, rig.driver.output) == (DriverState.DISARMED, OFF)
    assert rig.twin.connected
    facts = connected.facts
    assert (facts.name, facts.serial, facts.outputs) == ("RehaStim 2", "", 8)
    assert (facts.amplitude_step_ua, facts.width_step_us, facts.period_step_us) == (1_000, 1, 500)
    assert (facts.senses_current, facts.senses_impedance, facts.analog_rate_hz) == (False, False, 0)
    assert (facts.gap_min_us, facts.keeps_rate, facts.dead_man_ms) == (100, True, 1_200)
    assert is_within(facts.limits, ABSOLUTE)


def test_what_a_person_has_to_know_is_said_at_connect() -> None:
    facts = Rig().connected().driver.facts
    assert facts is not None
    assert facts.stop_switch
    assert "emergency switch" in facts.cautions[0]
    assert "emergency switch" in facts.way_out
    assert any("up to 1.2 s" in caution for caution in facts.cautions)


def test_only_who_made_the_twin_can_say_that_it_is_one() -> None:
    facts = Rig().connected().driver.facts
    assert facts is not None
    assert not facts.simulated
    rig = Rig()
    rig.driver = ScienceMode2Driver(rig.link, rig.latch, tokens=lambda: 7, simulated=True)
    facts = rig.connected().driver.facts
    assert facts is not None
    assert (facts.simulated, facts.serial) == (True, "SIM")


def after(first: Rig, *deaf: int) -> Rig:
    """Another program opens the port of the board that ``first`` has."""
    second = Rig()
    second.line.deaf = set(deaf)
    second.twin, second.line.twin, second.now_us = first.twin, first.twin, first.now_us
    second.driver.open(second.now_us)
    return second


def test_what_runs_when_it_is_found_is_stopped_first_and_its_call_waited_for() -> None:
    rig = after(Rig().delivering(10_000))
    assert rig.driver.output is UNKNOWN
    rig.run(50 * MS)
    assert not any(rig.flowing_ua)
    assert rig.driver.state is DriverState.CONNECTING
    asked = rig.asked
    [connected] = rig.run(WATCHDOG_US + 100 * MS)
    assert isinstance(connected, Connected)
    assert rig.driver.output is OFF
    assert rig.asked == asked + 1  # in between it was left alone, so that its watchdog runs out
    assert rig.twin.connected


def test_a_stop_that_gets_lost_is_said_again_before_anything_else() -> None:
    rig = after(Rig().delivering(10_000), Command.STOP_CHANNEL_LIST_MODE)
    rig.run(SECOND)
    assert rig.driver.state is DriverState.CONNECTING
    assert len(rig.line.said(Command.STOP_CHANNEL_LIST_MODE)) >= 3
    rig.line.deaf = set()
    rig.run(WATCHDOG_US + 600 * MS)
    assert rig.driver.output is OFF


def test_another_version_is_refused_in_its_own_words_and_not_used() -> None:
    rig = Rig()
    rig.line.instead[Command.INIT] = m.Init(2)
    rig.driver.open(rig.now_us)
    [lost] = rig.run(SECOND)
    assert isinstance(lost, Lost)
    assert "speaks version 2" in str(lost.error)
    [answer] = rig.line.said(Command.INIT_ACK)
    assert answer.word == m.Ack(Command.INIT_ACK, Result.VERSION_REFUSED)
    assert rig.driver.output is UNKNOWN


@pytest.mark.parametrize("command", [Command.INIT_ACK, Command.GET_STIMULATION_MODE])
def test_one_word_that_gets_lost_keeps_nobody_from_connecting(command: Command) -> None:
    rig = Rig()
    rig.line.deaf = {command}
    rig.driver.open(rig.now_us)
    rig.run(300 * MS)
    rig.line.deaf = set()
    rig.run(2 * SECOND)
    assert rig.driver.output is OFF
    assert rig.twin.connected


def test_nobody_there_is_one_clear_message() -> None:
    rig = Rig()
    rig.line.deaf, rig.line.mute = set(range(256)), set(range(256))
    rig.driver.open(rig.now_us)
    [lost] = rig.run(CONNECT_US + 100 * MS)
    assert isinstance(lost, Lost)
    assert "does not answer as a RehaStim 2; check port and power" in str(lost.error)
    assert rig.driver.output is UNKNOWN


def test_a_board_that_never_calls_is_not_used() -> None:
    """Somebody else feeds it, or it is none."""
    rig = Rig()
    rig.line.mute = {Command.INIT}
    rig.driver.open(rig.now_us)
    [lost] = rig.run(CONNECT_US + 100 * MS)
    assert isinstance(lost, Lost)
    assert "does not call for a host" in str(lost.error)


def test_a_board_that_never_says_zero_is_not_used() -> None:
    rig = Rig()
    rig.line.instead[Command.GET_STIMULATION_MODE_ACK] = m.ModeAck(Command.GET_STIMULATION_MODE_ACK, 0, Mode.STARTED)
    rig.driver.open(rig.now_us)
    [lost] = rig.run(CONNECT_US + 100 * MS)
    assert isinstance(lost, Lost)
    assert "does not confirm zero" in str(lost.error)


def test_another_board_at_the_port_is_told_of_and_not_moved() -> None:
    there = P24Rig()
    latch = Latch()
    driver = ScienceMode2Driver(there.link, latch, tokens=lambda: 7)
    driver.open(there.now_us)
    told: list[BoardEvent] = []
    for _ in range(900):
        there.now_us += 5 * MS
        told += driver.poll(there.now_us)
    [lost] = told
    assert isinstance(lost, Lost)
    assert "does not answer as a RehaStim 2" in str(lost.error)
    assert not any(there.flowing_ua)


# --- arming and delivering ---------------------------------------------------------------------------------------


def test_armed_is_on_and_nothing_flows_yet() -> None:
    rig = Rig().arming()
    assert rig.driver.state is DriverState.ARMING
    assert Armed() in rig.run(100 * MS)
    assert rig.driver.output is ON
    assert rig.twin.mode is Mode.INITIALISED
    assert not any(rig.flowing_ua)


def test_armed_at_nothing_lasts_as_long_as_the_loop_comes_round() -> None:
    rig = Rig().armed()
    assert rig.run(5 * SECOND) == []
    assert rig.twin.mode is Mode.INITIALISED
    rig.beating = False
    rig.run(WATCHDOG_US + 600 * MS)
    assert rig.latch.tripped


def test_what_was_approved_flows_to_the_last_number() -> None:
    rig = Rig().armed()
    rig.driver.send(
        rig.approve(Output(0, rig.train(12_000)), Output(1, rig.train(7_000, width_us=20, pulses_per_period=2))),
        rig.now_us,
    )
    rig.run()
    for number, ua, width_us, pulses in ((0, 12_000, 300, 1), (1, 7_000, 20, 2)):
        stretch = rig.twin.ledger[number].history(rig.now_us)[-1]
        train = stretch.train
        assert (train.amplitude_ua, train.phase_width_us, train.interphase_gap_us) == (ua, width_us, 100)
        assert (train.recovery_amplitude_ua, train.recovery_width_us) == (ua, width_us)
        assert train.pulses_per_period == pulses
        assert stretch.period_ps == 29_000 * 1_000_000
        assert stretch.exact is not None
        assert stretch.exact.apart_us == 10_000
    assert rig.flowing_ua[2:] == [0] * 6


def test_no_more_is_given_than_was_judged() -> None:
    """A rate stands for an interval of half milliseconds: what flows is at most what the limiter reckoned with."""
    steps, rig = Steps(1_000, 1, 1, 500), Rig()
    for asked_mhz in (976, 1_000, 10_000, 33_333, 35_000, 45_001, 120_000, 125_000):
        rate_mhz = steps.rate_down_mhz(asked_mhz)
        assert rate_mhz <= asked_mhz
        assert period_above_us(rate_mhz, 500) * rate_mhz >= 1_000_000_000
        assert rig.driver.misfit([(0, rig.train(1_000, rate_mhz=rate_mhz))]) == ""


def test_a_setting_is_the_whole_picture_and_what_is_not_named_gives_nothing() -> None:
    rig = Rig().delivering(10_000, 8_000)
    rig.send(10_000, 0)
    rig.run()
    assert rig.flowing_ua[:2] == [10_000, 0]
    rig.send(9_000)
    rig.run()
    assert rig.flowing_ua[:2] == [9_000, 0]
    rig.send(0, 0)
    rig.run()
    assert not any(rig.flowing_ua)
    assert rig.driver.output is ON  # at 0 mA it is still armed
    word = rig.starts[-1].word
    assert isinstance(word, m.StartChannelList)
    assert word.groups == (NOTHING, NOTHING)


def test_the_newest_setting_wins_while_an_answer_is_awaited() -> None:
    rig = Rig().armed()
    for level in (1_000, 2_000, 3_000):
        rig.send(level, 0)
    rig.run(50 * MS)
    assert rig.flowing_ua[0] == 3_000
    assert len(rig.starts) == 2
    assert rig.driver.dropped == 1


def test_only_what_the_limiter_approved_leaves() -> None:
    rig = Rig().armed()
    with pytest.raises(OurBug, match="approved"):
        rig.driver.send(rig.approved(1_000).command, rig.now_us)  # type: ignore[arg-type]
    foreign = rig.approved(1_000)
    rig.driver._worn._latch = Latch()  # type: ignore[union-attr]
    with pytest.raises(OurBug, match="another latch"):
        rig.driver.send(foreign, rig.now_us)
    assert not rig.starts


@pytest.mark.parametrize(
    "more",
    [
        {"ua": 31_000},
        {"ua": 10_000, "width_us": 301},
        {"ua": 10_000, "gap_us": 101},
        {"ua": 10_000, "rate_mhz": 50_000},
        {"ua": 10_000, "pulses_per_period": 3},
    ],
)
def test_the_ceilings_stand_here_since_the_board_has_none(more: dict[str, int]) -> None:
    rig = Rig().armed()
    with pytest.raises(OurBug, match="ceiling"):
        rig.driver.send(rig.approve(Output(0, rig.train(**more))), rig.now_us)
    rig.run(50 * MS)
    assert not rig.starts


@pytest.mark.parametrize("more", [{"ua": 10_500}, {"ua": 10_000, "rate_mhz": 33_334}, {"ua": 10_000, "gap_us": 0}])
def test_nothing_is_rounded_on_the_way(more: dict[str, int]) -> None:
    rig = Rig().armed()
    with pytest.raises(OurBug):
        rig.driver.send(rig.approve(Output(0, rig.train(**more))), rig.now_us)
    assert not rig.starts


def test_outputs_that_were_not_armed_take_nothing() -> None:
    rig = Rig().armed()
    with pytest.raises(OurBug, match="not part"):
        rig.driver.send(rig.approve(Output(2, rig.train(1_000))), rig.now_us)


def test_a_ceiling_narrows_and_never_widens() -> None:
    rig = Rig().armed()
    rig.driver.configure((Setup(0, 5_000, 300, 100, 300, RATE_MHZ),), rig.now_us)
    with pytest.raises(OurBug, match="ceiling"):
        rig.send(6_000)
    with pytest.raises(OurBug, match="no narrower"):
        rig.driver.configure(SETUPS[:1], rig.now_us)


@pytest.mark.parametrize("outputs", [(), (0, 0), (8,)])
def test_arming_takes_outputs_that_there_are(outputs: tuple[int, ...]) -> None:
    rig = Rig().connected()
    with pytest.raises(OurBug):
        rig.driver.arm(tuple(Setup(n, 1_000, 300, 100, 300, RATE_MHZ) for n in outputs), rig.now_us)
    assert rig.driver.state is DriverState.DISARMED


def test_arming_takes_one_rate() -> None:
    rig = Rig().connected()
    with pytest.raises(UsageError, match=r"34\.483 and 40 Hz"):
        rig.driver.arm((SETUPS[0], Setup(1, 1_000, 300, 100, 300, 40_000)), rig.now_us)
    assert rig.driver.state is DriverState.DISARMED


def test_a_latched_session_does_not_arm() -> None:
    rig = Rig().stopped()
    with pytest.raises(UsageError, match="Space"):
        rig.driver.arm(SETUPS, rig.now_us)
    rig.latch.clear()
    rig.driver.arm(SETUPS, rig.now_us)
    rig.run(100 * MS)
    assert rig.driver.state is DriverState.ARMED
    assert not any(rig.flowing_ua)


def test_a_board_that_was_just_asked_something_else_is_armed_all_the_same() -> None:
    rig = Rig().connected()
    while rig.driver._question is None:
        rig.run(1 * MS, step=MS)
    rig.driver.arm(SETUPS, rig.now_us)
    rig.run(100 * MS)
    assert rig.driver.state is DriverState.ARMED


def test_there_is_no_analog_input() -> None:
    rig = Rig().connected()
    with pytest.raises(UsageError, match="no analog input"):
        rig.driver.listen(True, rig.now_us)
    rig.driver.listen(False, rig.now_us)


# --- what it cannot be told --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"rate_mhz": 35_000}, "rate 35000 cannot be set"),  # no half milliseconds
        ({"rate_mhz": 133_334}, "rate 133334"),  # 7.5 ms
        ({"rate_mhz": 975}, "rate 975"),
        ({"rate_mhz": 0}, "rate 0"),
        ({"ua": 10_500}, "steps of 1000"),
        ({"ua": 131_000}, "current 131000"),
        ({"width_us": 19}, "phase width 19"),
        ({"width_us": 501}, "phase width 501"),
        ({"gap_us": 0}, "interphase gap 0"),
        ({"gap_us": 200}, "interphase gap 200"),
        ({"pulses_per_period": 4}, "pulses in a period 4"),
        ({"pulses_per_period": 3}, "fits into 29000"),
        ({"pulses_per_period": 2, "rate_mhz": 51_283}, "fits into 19500"),
    ],
)
def test_what_the_board_cannot_be_told_is_named(more: dict[str, int], words: str) -> None:
    rig = Rig()
    assert words in rig.driver.misfit([(0, rig.train(**({"ua": 10_000} | more)))])


def test_pulses_that_are_not_its_own_are_named() -> None:
    rig = Rig()
    lopsided = rig.train(10_000)
    lopsided = type(lopsided)(*(10_000, 200, 100, 5_000, 400, RATE_MHZ))  # type: ignore[arg-type]
    assert "recovery phase" in rig.driver.misfit([(0, lopsided)])


def test_what_stands_beside_each_other_has_one_rate_and_room() -> None:
    rig = Rig()
    slow, fast = rig.train(10_000, rate_mhz=20_000), rig.train(10_000, rate_mhz=40_000)
    assert "20 and 40 Hz" in rig.driver.misfit([(0, slow), (1, fast)])
    assert rig.driver.misfit([(n, fast) for n in range(8)]) == ""
    quick = rig.train(10_000, rate_mhz=50_000)
    assert rig.driver.misfit([(n, quick) for n in range(4)]) == ""
    assert "more than 4 outputs" in rig.driver.misfit([(n, quick) for n in range(5)])
    assert rig.driver.misfit([]) == ""


# --- the dead-man ------------------------------------------------------------------------------------------------


def test_the_control_loops_beat_keeps_it_going_for_as_long_as_it_lasts() -> None:
    rig = Rig().delivering(20_000)
    before = rig.asked
    rig.run(6 * SECOND)
    assert rig.flowing_ua[0] == 20_000
    assert len(rig.starts) == 1
    assert 6 * SECOND // LOOK_US - 3 <= rig.asked - before <= 6 * SECOND // LOOK_US + 1


def test_a_hung_engine_stops_feeding_and_the_board_stops_by_itself() -> None:
    """Polls go on, as from a thread of their own: nothing of it keeps the board going."""
    rig = Rig().delivering(20_000)
    rig.beating = False
    asked = rig.asked
    told = rig.run(WATCHDOG_US + 50 * MS)
    assert rig.asked <= asked + 2  # one look that was owed, and what follows its call
    assert not any(rig.flowing_ua)
    assert any("started anew" in str(each.error) for each in told if isinstance(each, Faulted))
    assert rig.latch.tripped
    assert len(rig.starts) == 1


def test_a_counter_that_stands_still_feeds_nobody() -> None:
    rig = Rig().delivering(20_000)
    rig.run(LOOK_US)
    rig.beating, stuck = False, rig.loops
    for _ in range(60):
        rig.driver.beat(stuck, rig.now_us)
        rig.run(25 * MS)
    assert not any(rig.flowing_ua)
    assert rig.latch.tripped


def test_a_ramp_of_many_settings_does_not_starve_the_read_back() -> None:
    rig = Rig().armed()
    before = rig.asked
    for level in range(1_000, 21_000, 1_000):
        rig.send(level, 0)
        rig.run(40 * MS)
    assert rig.flowing_ua[0] == 20_000
    assert rig.asked - before >= 3


# --- stop --------------------------------------------------------------------------------------------------------


def test_half_a_frame_in_the_line_does_not_swallow_a_stop() -> None:
    rig = Rig().delivering(20_000)
    rig.twin.feed(b"\xf0\x81\x18\x81\x53\x00\x20\x00\x81", rig.now_us)
    rig.driver.stop("Space")
    rig.now_us += 2 * MS
    assert not any(rig.flowing_ua)


def test_whatever_was_approved_before_a_stop_never_leaves_after_it() -> None:
    rig = Rig().armed()
    rig.send(1_000)  # waits for its answer
    rig.send(20_000)  # waits for the line
    rig.driver.stop("Space")
    rig.latch.clear()
    rig.run(400 * MS)
    assert len(rig.starts) == 1
    assert not any(rig.flowing_ua)
    assert rig.driver.dropped == 1


def test_a_stop_between_two_words_of_arming_leaves_it_disarmed() -> None:
    rig = Rig().arming()
    rig.driver.stop("Space")
    rig.run(400 * MS)
    assert not rig.line.said(Command.INIT_CHANNEL_LIST_MODE)
    assert rig.driver.output is OFF


def test_a_stop_in_good_order_does_not_latch() -> None:
    rig = Rig().delivering(20_000)
    rig.driver.disarm(rig.now_us)
    assert rig.driver.output is UNKNOWN
    assert rig.run(300 * MS) == [Stopped()]
    assert (rig.driver.state, rig.driver.output) == (DriverState.DISARMED, OFF)
    assert not rig.latch.tripped
    rig.driver.arm(SETUPS, rig.now_us)
    assert rig.run(SECOND) == [Armed()]  # a list that does not run now, though the one before did
    assert rig.driver.output is ON
    assert not any(rig.flowing_ua)


def test_a_stop_that_nobody_answers_is_repeated_and_then_lost() -> None:
    rig = Rig().delivering(20_000)
    rig.line.deaf = set(range(256))
    before = rig.line.raw.count(STOP)
    rig.driver.stop("Space")
    told = rig.run(SILENCE_US + 50 * MS)
    assert rig.line.raw.count(STOP) - before >= SILENCE_US // ScienceMode2Driver.stop_again_us
    assert isinstance(told[-1], Lost)
    assert "does not answer to stop" in str(told[-1].error)
    assert "emergency switch" in str(told[-1].error)
    assert rig.driver.output is UNKNOWN


# --- a computer that was asleep ----------------------------------------------------------------------------------


@pytest.mark.parametrize("answered", [True, False])
def test_off_is_not_said_from_before_a_sleep(answered: bool) -> None:
    """The board has called for a host in vain meanwhile: that is answered, and nothing is armed."""
    rig = Rig().connected()
    while rig.driver._question is None:
        rig.run(5 * MS)
    if answered:
        rig.twin.advance(rig.now_us + 15 * MS)
    rig.now_us += 310 * SECOND
    rig.driver.poll(rig.now_us)
    assert (rig.driver.state, rig.driver.output) == (DriverState.DISARMED, UNKNOWN)
    assert rig.run(100 * MS) == []
    assert rig.driver.output is OFF
    assert rig.twin.connected
    assert len(rig.line.said(Command.INIT_ACK)) == 2  # one for each connection, whatever has waited in the line


def test_a_board_that_slept_while_armed_is_a_fault_and_stays_at_zero() -> None:
    rig = Rig().delivering(20_000)
    rig.now_us += 3 * SECOND
    told = rig.driver.poll(rig.now_us)
    assert rig.driver.output is UNKNOWN
    assert any(isinstance(each, Faulted) for each in told)
    rig.run(SECOND)
    assert (rig.driver.state, rig.driver.output) == (DriverState.STOPPED, OFF)
    assert len(rig.starts) == 1
    assert not any(rig.flowing_ua)


def test_a_twin_that_is_switched_on_late_is_found_all_the_same() -> None:
    rig = Rig()
    rig.line.mute = set(range(256))
    rig.driver.open(rig.now_us)
    rig.run(2 * SECOND)
    rig.twin = rig.line.twin = RehaStim2(now_us=rig.now_us)
    rig.line.mute = set()
    rig.run(SECOND)
    assert rig.driver.output is OFF


# --- the door ----------------------------------------------------------------------------------------------------


def test_a_list_has_room_for_its_groups_or_there_is_none() -> None:
    assert channel_list((3, 0), RATE_MHZ, 1) == m.InitChannelList((1, 4), 8_000, 29_000)
    assert channel_list((0,), RATE_MHZ, 2) == m.InitChannelList((1,), 10_000, 29_000)
    with pytest.raises(DoesNotFit, match="fits into 19500"):
        channel_list((0,), 51_283, 2)
    with pytest.raises(DoesNotFit, match="pulses"):
        channel_list((0,), 1_000, 4)


def test_a_list_for_single_pulses_takes_no_doublet() -> None:
    """They would stand 8 ms apart, and were judged at 10."""
    with pytest.raises(DoesNotFit, match="single pulses"):
        group(Rig().train(5_000, pulses_per_period=2), channel_list((0,), RATE_MHZ, 1))


def test_the_door_takes_what_was_approved_for_its_list_and_nothing_else() -> None:
    rig, listed = Rig(), channel_list((0, 1), RATE_MHZ, 1)
    one = Output(0, rig.train(5_000))
    [frame] = codec.Decoder().feed(encode_approved(rig.approve(one), listed, number=9))
    assert frame.number == 9
    assert frame.word == m.StartChannelList((m.Group(1, 300, 5_000), NOTHING))
    with pytest.raises(OurBug, match="approved"):
        encode_approved(rig.approve(one).command, listed, number=9)  # type: ignore[arg-type]
    with pytest.raises(OurBug, match="twice"):
        encode_approved(rig.approve(one, one), listed, number=9)
    with pytest.raises(OurBug, match="not in the list"):
        encode_approved(rig.approve(one, Output(2, rig.train(0))), listed, number=9)
