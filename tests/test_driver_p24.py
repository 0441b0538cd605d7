"""The driver of P24 and RehaMove3 on their twin: getting to know, arming, delivering, stopping; only the ledger judges."""

from __future__ import annotations

import itertools

import pytest

from stimctl.boards.sciencemode4.codes import Command, Status
from stimctl.boards.sciencemode4.devices import P24, REHAMOVE3, Device
from stimctl.boards.sciencemode4.stopping import STOP
from stimctl.driver import Armed, Connected, DriverState, Faulted, Lost, OutputState, Stopped
from stimctl.driver.plain import SILENCE_US, STOP_AGAIN_US
from stimctl.driver.worn import LOOK_US
from stimctl.errors import OurBug, UsageError
from stimctl.limits import ABSOLUTE, is_within
from stimctl.pulse import Output
from stimctl.safety import Latch
from tests.p24_rig import MS, RATE_MHZ, SECOND, SETUPS, Rig

BOTH = pytest.mark.parametrize("device", [P24, REHAMOVE3], ids=lambda device: device.title)
OFF, ON, UNKNOWN = OutputState.OFF, OutputState.ON, OutputState.UNKNOWN


# --- getting to know ---------------------------------------------------------------------------------------------


@BOTH
def test_a_connection_begins_with_a_stop_and_ends_with_the_boards_own_zero(device: Device) -> None:
    rig = Rig(device)
    rig.twin.mid = None
    assert rig.driver.output is UNKNOWN
    rig.driver.open(rig.now_us)
    [connected] = rig.run(300 * MS)
    assert isinstance(connected, Connected)
    assert rig.line.raw.startswith(STOP)
    assert (rig.driver.state, rig.driver.output) == (DriverState.DISARMED, OFF)
    facts = rig.driver.facts
    assert facts is not None
    assert (facts.name, facts.serial, facts.outputs) == (device.title, "SIM0000001", device.dialect.channels)
    assert facts.simulated
    assert (facts.amplitude_step_ua, facts.width_step_us, facts.period_step_us) == (500, 1, 500)
    assert (facts.senses_current, facts.senses_impedance, facts.analog_rate_hz) == (False, False, 0)
    assert is_within(facts.limits, ABSOLUTE)


@BOTH
def test_no_stop_button_is_said_at_connect(device: Device) -> None:
    facts = Rig(device).connected().driver.facts
    assert facts is not None
    assert not facts.stop_switch
    assert "no stop button" in facts.cautions[0]
    assert any("up to 2 s" in caution for caution in facts.cautions)
    assert facts.dead_man_ms == 2_000


def test_a_device_is_simulated_by_its_own_word_alone() -> None:
    rig = Rig()
    rig.twin.device_id = "SIM123"
    facts = rig.connected().driver.facts
    assert facts is not None
    assert not facts.simulated


@BOTH
def test_what_runs_when_it_is_found_is_stopped_first(device: Device) -> None:
    first = Rig(device).delivering(10_000)
    second = Rig(device)
    second.twin, second.line.twin, second.now_us = first.twin, first.twin, first.now_us
    second.driver.open(second.now_us)
    assert second.driver.output is UNKNOWN
    second.run(300 * MS)
    assert second.driver.output is OFF
    assert second.flowing_ua[0] == 0
    assert second.twin.status is Status.NONE


def test_a_board_of_the_other_language_is_told_by_name() -> None:
    rig = Rig(P24)
    rig.line.twin = rig.twin = Rig(REHAMOVE3).twin
    rig.driver.open(rig.now_us)
    [lost] = rig.run(300 * MS)
    assert isinstance(lost, Lost)
    assert "no P24" in str(lost.error)


def test_a_p24_is_not_driven_as_a_rehamove3() -> None:
    rig = Rig(REHAMOVE3)
    rig.line.twin = rig.twin = Rig(P24).twin
    rig.driver.open(rig.now_us)
    [lost] = rig.run(300 * MS)
    assert isinstance(lost, Lost)
    assert "write p24:" in str(lost.error)


def test_nobody_there_is_one_clear_message() -> None:
    rig = Rig()
    rig.line.deaf = set(range(256))
    rig.driver.open(rig.now_us)
    [lost] = rig.run(5 * SECOND)
    assert isinstance(lost, Lost)
    assert "does not answer as a P24" in str(lost.error)
    assert rig.driver.output is UNKNOWN


# --- arming and delivering ---------------------------------------------------------------------------------------


@BOTH
def test_armed_is_on_and_nothing_flows_yet(device: Device) -> None:
    rig = Rig(device).connected()
    rig.driver.arm(SETUPS, rig.now_us)
    assert rig.driver.state is DriverState.ARMING
    assert Armed() in rig.run(100 * MS)
    assert rig.driver.output is ON
    assert rig.twin.status is Status.MID_LEVEL
    assert not any(rig.flowing_ua)


@BOTH
def test_what_was_approved_flows_to_the_last_number(device: Device) -> None:
    rig = Rig(device).armed()
    rig.driver.send(
        rig.approve(Output(0, rig.train(12_500, interphase_gap_us=100)), Output(1, rig.train(0))), rig.now_us
    )
    rig.run(20 * MS)
    stretch = rig.twin.ledger[0].history(rig.now_us)[-1]
    train = stretch.train
    assert (train.amplitude_ua, train.phase_width_us, train.interphase_gap_us) == (12_500, 300, 100)
    assert (train.recovery_amplitude_ua, train.recovery_width_us) == (12_500, 300)
    assert stretch.period_ps == 29_000 * 1_000_000
    assert rig.flowing_ua[1:] == [0] * (device.dialect.channels - 1)


def test_no_more_is_given_than_was_judged() -> None:
    """A rate stands for a period of half milliseconds: what flows is at most what the limiter reckoned with."""
    from stimctl.schedule import Steps

    steps = Steps(500, 1, 1, 500)
    for asked_mhz in (500, 501, 777, 1_000, 10_000, 33_333, 35_000, 45_001, 120_000, 200_000):
        rate_mhz = steps.rate_down_mhz(asked_mhz)
        period_us = Rig().driver.misfit([(0, Rig().train(1_000, rate_mhz=rate_mhz))])
        assert period_us == ""
        assert rate_mhz <= asked_mhz
        assert steps.rate_down_mhz(rate_mhz) == rate_mhz


def test_an_update_is_the_whole_picture() -> None:
    rig = Rig().delivering(10_000, 8_000)
    rig.send(10_000, 0)
    rig.run(20 * MS)
    assert rig.flowing_ua[:2] == [10_000, 0]
    rig.send(0, 0)
    rig.run(20 * MS)
    assert not any(rig.flowing_ua)
    assert rig.driver.output is ON  # at 0 mA it is still armed


def test_the_newest_setting_wins_while_an_answer_is_awaited() -> None:
    rig = Rig().armed()
    for level in (1_000, 2_000, 3_000):
        rig.send(level, 0)
    rig.run(20 * MS)
    assert rig.flowing_ua[0] == 3_000
    assert len(rig.updates) == 2
    assert rig.driver.dropped == 1


def test_only_what_the_limiter_approved_leaves() -> None:
    rig = Rig().armed()
    with pytest.raises(OurBug, match="approved"):
        rig.driver.send(rig.approved(1_000).command, rig.now_us)  # type: ignore[arg-type]
    foreign = rig.approved(1_000)
    rig.driver._worn._latch = Latch()  # type: ignore[union-attr]
    with pytest.raises(OurBug, match="another latch"):
        rig.driver.send(foreign, rig.now_us)
    assert not rig.updates


@pytest.mark.parametrize(
    "more",
    [
        {"ua": 30_500},
        {"ua": 10_000, "width_us": 301},
        {"ua": 10_000, "interphase_gap_us": 101},
        {"ua": 10_000, "rate_mhz": 100_000},
        {"ua": 10_000, "pulses_per_period": 3},
    ],
)
def test_the_ceilings_stand_here_since_the_board_has_none(more: dict[str, int]) -> None:
    rig = Rig().armed()
    with pytest.raises(OurBug, match="ceiling"):
        rig.driver.send(rig.approve(Output(0, rig.train(**more))), rig.now_us)
    rig.run(50 * MS)
    assert not rig.updates


def test_outputs_that_were_not_armed_take_nothing() -> None:
    rig = Rig().armed()
    with pytest.raises(OurBug, match="not part"):
        rig.driver.send(rig.approve(Output(2, rig.train(1_000))), rig.now_us)


@pytest.mark.parametrize(("ua", "rate_mhz"), [(10_250, RATE_MHZ), (10_000, 35_000)])
def test_nothing_is_rounded_on_the_way(ua: int, rate_mhz: int) -> None:
    rig = Rig().armed()
    with pytest.raises(OurBug):
        rig.driver.send(rig.approve(Output(0, rig.train(ua, rate_mhz=rate_mhz))), rig.now_us)
    assert not rig.updates


def test_doublets_stand_ten_milliseconds_apart() -> None:
    rig = Rig().armed()
    rig.driver.send(rig.approve(Output(0, rig.train(10_000, pulses_per_period=2))), rig.now_us)
    rig.run(20 * MS)
    [update] = rig.updates
    points = update.word.patterns[0].points  # type: ignore[union-attr]
    starts = list(itertools.accumulate((point.duration_us for point in points), initial=0))
    pulses = [start for start, point in zip(starts, points, strict=False) if point.current_ua > 0]
    assert pulses == [0, 10_000]
    assert sum(point.duration_us * point.current_ua for point in points) == 0


def test_a_ceiling_narrows_and_never_widens() -> None:
    rig = Rig().armed()
    narrower = SETUPS[0].__class__(0, 5_000, 300, 100, 300, 50_000)
    rig.driver.configure((narrower,), rig.now_us)
    with pytest.raises(OurBug, match="ceiling"):
        rig.send(6_000)
    with pytest.raises(OurBug, match="no narrower"):
        rig.driver.configure(SETUPS[:1], rig.now_us)


@pytest.mark.parametrize("outputs", [(), (0, 0), (8,)])
def test_arming_takes_outputs_that_there_are(outputs: tuple[int, ...]) -> None:
    rig = Rig().connected()
    with pytest.raises(OurBug):
        rig.driver.arm(tuple(SETUPS[0].__class__(n, 1_000, 300, 0, 300, 50_000) for n in outputs), rig.now_us)


def test_a_latched_session_does_not_arm() -> None:
    rig = Rig().connected()
    rig.driver.stop("Space")
    rig.run(300 * MS)
    with pytest.raises(UsageError, match="Space"):
        rig.driver.arm(SETUPS, rig.now_us)
    rig.latch.clear()
    rig.driver.arm(SETUPS, rig.now_us)


def test_there_is_no_analog_input() -> None:
    rig = Rig().connected()
    with pytest.raises(UsageError, match="no analog input"):
        rig.driver.listen(True, rig.now_us)
    rig.driver.listen(False, rig.now_us)


# --- the dead-man ------------------------------------------------------------------------------------------------


@BOTH
def test_the_control_loops_beat_keeps_it_going_for_as_long_as_it_lasts(device: Device) -> None:
    rig = Rig(device).delivering(20_000)
    rig.run(6 * SECOND)
    assert rig.flowing_ua[0] == 20_000
    assert len(rig.updates) == 1
    looks = len(rig.line.said(Command.ML_GET_CURRENT_DATA))
    assert 6 * SECOND // LOOK_US - 3 <= looks <= 6 * SECOND // LOOK_US + 1


@BOTH
def test_a_hung_engine_stops_feeding_and_the_board_stops_by_itself(device: Device) -> None:
    """Polls go on, as from a thread of their own: nothing of it keeps the board going."""
    rig = Rig(device).delivering(20_000)
    rig.beating = False
    looks = len(rig.line.said(Command.ML_GET_CURRENT_DATA))
    rig.run(2_100 * MS)
    assert len(rig.line.said(Command.ML_GET_CURRENT_DATA)) <= looks + 1
    assert rig.flowing_ua[0] == 0
    rig.beating = True
    rig.run(3 * LOOK_US)  # and when the loop comes back, that is seen and nothing is sent again
    assert rig.latch.tripped
    assert len(rig.updates) == 1


def test_a_counter_that_stands_still_feeds_nobody() -> None:
    rig = Rig().delivering(20_000)
    rig.run(LOOK_US)
    rig.beating, stuck = False, rig.loops
    looks = len(rig.line.said(Command.ML_GET_CURRENT_DATA))
    for _ in range(100):
        rig.driver.beat(stuck, rig.now_us)
        rig.run(25 * MS)
    assert len(rig.line.said(Command.ML_GET_CURRENT_DATA)) <= looks + 1
    assert rig.flowing_ua[0] == 0


def test_a_ramp_of_many_settings_does_not_starve_the_read_back() -> None:
    rig = Rig().armed()
    for level in range(500, 20_500, 500):
        rig.send(level, 0)
        rig.run(20 * MS)
    assert rig.flowing_ua[0] == 20_000
    assert len(rig.line.said(Command.ML_GET_CURRENT_DATA)) >= 3


# --- stop --------------------------------------------------------------------------------------------------------


@BOTH
def test_a_stop_is_one_write_and_the_board_confirms_it(device: Device) -> None:
    rig = Rig(device).delivering(20_000)
    before = len(rig.line.raw)
    rig.driver.stop("Space")
    assert rig.line.raw[before:] == STOP  # with nobody's round in between
    assert (rig.driver.state, rig.driver.output) == (DriverState.STOPPING, UNKNOWN)
    rig.now_us += MS
    assert rig.flowing_ua[0] == 0
    assert Stopped() in rig.run(300 * MS)
    assert (rig.driver.state, rig.driver.output) == (DriverState.STOPPED, OFF)
    assert rig.twin.status is Status.NONE


def test_whatever_was_approved_before_a_stop_never_leaves_after_it() -> None:
    rig = Rig().armed()
    rig.send(1_000)  # waits for its answer
    rig.send(20_000)  # waits for the line
    rig.driver.stop("Space")
    rig.latch.clear()
    rig.run(400 * MS)
    assert len(rig.updates) == 1
    assert not any(rig.flowing_ua)
    assert rig.driver.dropped == 1


def test_a_stop_between_two_words_of_arming_leaves_it_disarmed() -> None:
    rig = Rig().connected()
    rig.driver.arm(SETUPS, rig.now_us)
    rig.driver.stop("Space")
    rig.run(400 * MS)
    assert not rig.line.said(Command.ML_INIT)
    assert rig.driver.output is OFF


def test_half_a_frame_in_the_line_does_not_swallow_a_stop() -> None:
    rig = Rig().delivering(20_000)
    rig.twin.feed(rig.line.raw[-9:-1] + b"\x81", rig.now_us)
    rig.driver.stop("Space")
    rig.run(300 * MS)
    assert rig.driver.output is OFF


def test_a_stop_in_good_order_does_not_latch() -> None:
    rig = Rig().delivering(20_000)
    rig.driver.disarm(rig.now_us)
    assert rig.driver.output is UNKNOWN
    assert Stopped() in rig.run(300 * MS)
    assert (rig.driver.state, rig.driver.output) == (DriverState.DISARMED, OFF)
    assert not rig.latch.tripped
    rig.driver.arm(SETUPS, rig.now_us)
    rig.run(100 * MS)
    assert rig.driver.output is ON
    assert not any(rig.flowing_ua)


def test_closing_stops() -> None:
    rig = Rig().delivering(20_000)
    rig.driver.close()
    rig.now_us += MS
    assert rig.flowing_ua[0] == 0
    assert rig.driver.output is UNKNOWN
    rig.driver.close()


def test_a_stop_that_nobody_answers_is_repeated_and_then_lost() -> None:
    rig = Rig().delivering(20_000)
    rig.line.deaf = set(range(256))
    before = rig.line.raw.count(STOP)
    rig.driver.stop("Space")
    told = rig.run(SILENCE_US + 50 * MS)
    assert rig.line.raw.count(STOP) - before >= SILENCE_US // STOP_AGAIN_US
    assert isinstance(told[-1], Lost)
    assert "does not answer to stop" in str(told[-1].error)
    assert "USB plug" in str(told[-1].error)
    assert rig.driver.output is UNKNOWN


def test_a_cable_that_is_pulled_is_unknown_output_for_good() -> None:
    rig = Rig().delivering(20_000)
    rig.link.close()
    [lost] = rig.run(20 * MS)
    assert isinstance(lost, Lost)
    assert (rig.driver.state, rig.driver.output) == (DriverState.LOST, UNKNOWN)
    assert rig.latch.tripped
    rig.link._closed = False
    rig.run(SECOND)
    assert rig.driver.state is DriverState.LOST
    assert len(rig.updates) == 1


# --- a computer that was asleep ----------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("answered", [True, False])
def test_off_is_not_said_from_before_a_sleep(device: Device, answered: bool) -> None:
    """What was heard before it, and what has waited in the line through it, says nothing of what flows now."""
    rig = Rig(device).connected()
    while rig.driver._question is None:
        rig.run(5 * MS)
    if answered:  # the board answers just when the computer falls asleep
        rig.twin.advance(rig.now_us + 3 * MS)
    rig.now_us += 310 * SECOND
    rig.driver.poll(rig.now_us)
    assert (rig.driver.state, rig.driver.output) == (DriverState.DISARMED, UNKNOWN)
    rig.run(50 * MS)
    assert rig.driver.output is OFF


@pytest.mark.parametrize(("us", "known"), [(SECOND, OFF), (SECOND + 1, UNKNOWN)])
def test_a_round_that_comes_when_the_board_is_to_be_asked_doubts_nothing(us: int, known: OutputState) -> None:
    rig = Rig().connected()
    rig.now_us += us
    rig.driver.poll(rig.now_us)
    assert rig.driver.output is known


def test_a_clock_that_has_run_for_long_before_opening_is_no_sleep() -> None:
    rig = Rig()
    rig.now_us += 3_600 * SECOND
    rig.connected()
    assert rig.driver.output is OFF


def test_a_stop_that_was_confirmed_before_a_sleep_says_nothing_of_afterwards() -> None:
    rig = Rig().delivering(20_000)
    rig.driver.stop("Space")
    rig.driver.poll(rig.now_us)
    rig.twin.advance(rig.now_us + 200 * MS)  # its answers are in the line
    rig.now_us += 310 * SECOND
    rig.driver.poll(rig.now_us)
    assert (rig.driver.state, rig.driver.output) == (DriverState.STOPPING, UNKNOWN)
    assert rig.run(400 * MS) == [Stopped()]  # and nobody is blamed for the time in which nobody looked
    assert rig.driver.output is OFF


def test_an_armed_board_is_unknown_after_a_sleep_and_has_stopped_by_itself() -> None:
    rig = Rig().delivering(20_000)
    rig.now_us += 2_500 * MS
    rig.driver.poll(rig.now_us)
    assert (rig.driver.state, rig.driver.output) == (DriverState.ARMED, UNKNOWN)
    told = rig.run(SECOND)
    assert any(isinstance(each, Faulted) for each in told)
    assert len(rig.updates) == 1
    assert not any(rig.flowing_ua)


def test_no_arming_goes_by_a_zero_from_before_a_sleep() -> None:
    rig = Rig().connected()
    rig.driver.arm(SETUPS, rig.now_us)
    rig.twin.advance(rig.now_us + 50 * MS)  # says that it is at zero, and the computer sleeps
    rig.now_us += 310 * SECOND
    rig.twin.mid = None
    rig.driver.poll(rig.now_us)
    assert not rig.line.said(Command.ML_INIT)
    assert rig.driver.output is UNKNOWN
    assert Armed() in rig.run(200 * MS)
