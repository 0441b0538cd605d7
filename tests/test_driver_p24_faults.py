"""What goes wrong with a P24 or RehaMove3: named in plain words with what to do, zero, latched, and nothing said twice."""

from __future__ import annotations

import pytest

from stimctl.boards.sciencemode4 import messages as m
from stimctl.boards.sciencemode4.codes import ChannelState, Command, HighVoltage, Result, Status
from stimctl.boards.sciencemode4.devices import P24, REHAMOVE3, Device
from stimctl.boards.sciencemode4.results import meaning, state_meaning
from stimctl.driver import Armed, DriverState, Faulted, Lost, OutputState, Stopped
from stimctl.driver.plain import LOUD_US
from stimctl.driver.sciencemode4.battery import EMPTY_PERCENT, EVERY_US, LOW_PERCENT
from stimctl.driver.worn import LOOK_US
from stimctl.errors import UsageError
from stimctl.sim.electrodes import OPEN_OHM
from tests.p24_rig import MS, SECOND, SETUPS, Rig

BOTH = pytest.mark.parametrize("device", [P24, REHAMOVE3], ids=lambda device: device.title)
OFF, ON, UNKNOWN = OutputState.OFF, OutputState.ON, OutputState.UNKNOWN
FLAT = (ChannelState.GOOD,) * 8
NONE = (False,) * 8


def the_fault(rig: Rig, us: int = 2 * LOOK_US + 100 * MS) -> Faulted:
    """The first thing that is told; the board is at zero then, by its own word, and the latch holds."""
    told = rig.run(us)
    assert told, "nobody noticed"
    assert isinstance(told[0], Faulted)
    assert rig.latch.tripped
    rig.line.instead.clear()
    rig.line.mute.clear()
    rig.line.deaf.clear()
    rig.run(SECOND)
    assert not any(rig.flowing_ua)
    assert (rig.driver.state, rig.driver.output) == (DriverState.STOPPED, OFF)
    return told[0]


# --- what the board itself complains about -----------------------------------------------------------------------


@BOTH
def test_a_pad_that_comes_off_is_an_electrode_fault_of_its_output(device: Device) -> None:
    rig = Rig(device).delivering(20_000, 16_000)
    rig.twin.set_contact(1, OPEN_OHM, rig.now_us)
    fault = the_fault(rig)
    assert (fault.output, fault.pads) == (1, True)
    assert "electrode error" in str(fault.error)
    assert "check that pads" in str(fault.error)
    assert "result 10" in str(fault.error)
    assert len(rig.updates) == 1


def test_a_current_that_does_not_come_through_is_told() -> None:
    rig = Rig().delivering(20_000)
    rig.twin.set_contact(0, 15_000, rig.now_us)
    fault = the_fault(rig)
    assert fault.output == 0
    assert "does not reach what was set" in str(fault.error)


@BOTH
def test_a_high_voltage_that_fails_is_a_fault_of_the_board(device: Device) -> None:
    rig = Rig(device).delivering(20_000)
    rig.twin.break_high_voltage(rig.now_us)
    fault = the_fault(rig)
    assert (fault.output, fault.pads) == (None, False)
    assert "high voltage failed" in str(fault.error)


@pytest.mark.parametrize("state", [*[each for each in ChannelState if each], 9, 15])
def test_whatever_state_a_channel_has_it_is_told(state: int) -> None:
    rig = Rig().delivering(20_000)
    rig.line.instead[Command.ML_GET_CURRENT_DATA_ACK] = m.ChannelStates(0, (True, *NONE[1:]), (state, *FLAT[1:]))
    fault = the_fault(rig)
    assert state_meaning(state).text in str(fault.error)


@pytest.mark.parametrize("result", [*[each for each in Result if each], 99, 255])
@pytest.mark.parametrize("command", [Command.ML_UPDATE_ACK, Command.ML_GET_CURRENT_DATA_ACK])
def test_whatever_result_comes_it_is_told_with_its_number(result: int, command: Command) -> None:
    rig = Rig().armed()
    rig.line.instead[command] = m.Ack(command, result)
    rig.send(20_000)
    fault = the_fault(rig)
    assert meaning(result).text in str(fault.error)
    assert f"result {result}" in str(fault.error)
    assert len(rig.updates) == 1


@pytest.mark.parametrize("result", [Result.ELECTRODE, Result.STIMULATION_TIMEOUT, 77])
def test_an_error_that_nobody_asked_for_is_a_fault(result: int) -> None:
    rig = Rig().delivering(20_000)
    rig.line.tell(m.Ack(Command.GENERAL_ERROR, result), number=63)
    assert f"result {result}" in str(the_fault(rig).error)


def test_a_board_that_says_no_to_arming_stays_off() -> None:
    rig = Rig().connected()
    rig.twin.broken = True
    rig.driver.arm(SETUPS, rig.now_us)
    assert "high voltage" in str(the_fault(rig).error)


def test_a_port_too_weak_for_the_high_voltage_is_no_arming() -> None:
    rig = Rig().connected()
    rig.twin.weak_port = True
    rig.driver.arm(SETUPS, rig.now_us)
    told = rig.run(3 * SECOND)
    assert Armed() not in told
    assert isinstance(told[0], Faulted)
    assert "did not answer to being armed" in str(told[0].error)
    assert rig.driver.output is OFF


# --- what only seems wrong ---------------------------------------------------------------------------------------


def test_a_channel_that_has_gone_silent_counts_from_the_second_look() -> None:
    rig = Rig().delivering(20_000)
    rig.line.instead[Command.ML_GET_CURRENT_DATA_ACK] = m.ChannelStates(0, NONE, FLAT)
    rig.run(LOOK_US)
    assert not rig.latch.tripped
    assert rig.reports[-1].outputs[0].applied_ua == 0
    fault = the_fault(rig)
    assert fault.output == 0
    assert "switched it off by itself" in str(fault.error)


@pytest.mark.parametrize(("output", "words"), [(1, "set to zero"), (5, "no part in this session")])
def test_a_channel_that_runs_and_should_not_is_told(output: int, words: str) -> None:
    rig = Rig().delivering(20_000, 0)
    active = tuple(n in (0, output) for n in range(8))
    rig.line.instead[Command.ML_GET_CURRENT_DATA_ACK] = m.ChannelStates(0, active, FLAT)
    fault = the_fault(rig)
    assert fault.output == output
    assert words in str(fault.error)


def test_errors_where_no_pads_are_stop_nobody() -> None:
    rig = Rig().delivering(20_000)
    states = (*FLAT[:7], ChannelState.ELECTRODE)
    rig.line.instead[Command.ML_GET_CURRENT_DATA_ACK] = m.ChannelStates(0, (True, *NONE[1:]), states)
    assert rig.run(2 * SECOND) == []


def test_a_rehamove3_that_has_stopped_by_itself_is_noticed() -> None:
    rig = Rig(REHAMOVE3).delivering(20_000)
    rig.line.instead[Command.ML_GET_CURRENT_DATA_ACK] = m.ElectrodeErrors(0, False, (False,) * 4)
    assert "switched it off by itself" in str(the_fault(rig).error)


@BOTH
def test_what_is_applied_is_what_the_board_has_taken_and_measured_is_nothing(device: Device) -> None:
    rig = Rig(device).delivering(20_000, 3_500)
    rig.run(2 * LOOK_US)
    told = rig.reports[-1]
    assert told.armed
    assert [each.applied_ua for each in told.outputs] == [20_000, 3_500] + [0] * (device.dialect.channels - 2)
    assert all(each.measured_ua is None and each.impedance_ohm is None for each in told.outputs)


# --- missing answers ---------------------------------------------------------------------------------------------


def test_a_setting_without_an_answer_stops_and_is_never_said_again() -> None:
    rig = Rig().armed()
    rig.line.mute = {Command.ML_UPDATE_ACK}
    rig.send(20_000)
    fault = the_fault(rig)
    assert "did not answer to the newest setting" in str(fault.error)
    assert len(rig.updates) == 1


def test_one_look_without_an_answer_is_doubt_and_two_are_a_lost_link() -> None:
    rig = Rig().delivering(20_000)
    rig.line.mute = {Command.ML_GET_CURRENT_DATA_ACK}
    rig.run(LOOK_US + 120 * MS)
    assert (rig.driver.state, rig.driver.output) == (DriverState.ARMED, UNKNOWN)
    told = rig.run(2 * LOOK_US)
    assert isinstance(told[-1], Lost)
    assert "does not answer when asked how its outputs are" in str(told[-1].error)
    assert rig.driver.output is UNKNOWN
    rig.now_us += MS
    assert not any(rig.flowing_ua)


def test_a_look_that_is_answered_again_ends_the_doubt() -> None:
    rig = Rig().delivering(20_000)
    for _ in range(3):
        rig.line.mute = {Command.ML_GET_CURRENT_DATA_ACK}
        rig.run(LOOK_US + 20 * MS)
        while rig.driver.output is ON:
            rig.run(5 * MS)
        rig.line.mute = set()
        rig.run(LOOK_US)
        assert rig.driver.output is ON


def test_an_idle_board_is_asked_twice_and_then_lost() -> None:
    rig = Rig().connected()
    rig.line.mute = {Command.GET_STIM_STATUS_ACK}
    before = len(rig.line.said(Command.GET_STIM_STATUS))
    told = rig.run(3 * SECOND)
    assert isinstance(told[-1], Lost)
    assert len(rig.line.said(Command.GET_STIM_STATUS)) == before + 2


def test_answers_to_nobodys_question_change_nothing() -> None:
    rig = Rig().delivering(20_000)
    rig.driver.stop("Space")
    rig.line.mute = {Command.GET_STIM_STATUS_ACK}
    for number in range(64):
        if rig.driver._question is None or number != rig.driver._question.number:
            rig.line.tell(m.StimStatus(0, Status.NONE, HighVoltage.OFF), number)
    rig.run(10 * MS)
    assert rig.driver.output is UNKNOWN


def test_the_right_number_with_another_command_is_no_answer() -> None:
    rig = Rig().armed()
    rig.line.mute = {Command.ML_UPDATE_ACK}
    rig.send(20_000)
    assert rig.driver._question is not None
    rig.line.tell(m.Ack(Command.ML_STOP_ACK, 0), rig.driver._question.number)
    rig.run(50 * MS)
    assert rig.driver._worn is not None
    assert rig.driver._worn.taken is None


# --- stops that do not take effect -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status",
    [
        m.StimStatus(0, Status.MID_LEVEL_RUNNING, HighVoltage.V150),
        m.StimStatus(0, Status.NONE, HighVoltage.V150),
        m.StimStatus(0, Status.MID_LEVEL, HighVoltage.OFF),
        m.StimStatus(0, Status.LOW_LEVEL, HighVoltage.OFF),
        m.StimStatus(0, 9, HighVoltage.OFF),
        m.StimStatus(0, Status.NONE, 0),
    ],
)
def test_no_status_but_the_one_is_zero(status: m.StimStatus) -> None:
    rig = Rig().delivering(20_000)
    rig.line.instead[Command.GET_STIM_STATUS_ACK] = status
    rig.driver.stop("Space")
    told = rig.run(LOUD_US + 200 * MS)
    assert [type(each) for each in told] == [Faulted]
    assert "does not say that it has" in str(told[0].error)  # type: ignore[union-attr]
    assert rig.driver.output is UNKNOWN
    rig.line.instead.clear()
    assert Stopped() in rig.run(SECOND)
    assert rig.driver.output is OFF


def test_a_board_that_is_found_delivering_while_idle_is_stopped() -> None:
    rig = Rig().connected()
    rig.line.instead[Command.GET_STIM_STATUS_ACK] = m.StimStatus(0, Status.MID_LEVEL_RUNNING, HighVoltage.V150)
    told = rig.run(1_200 * MS)
    assert isinstance(told[0], Faulted)
    assert "although it was not armed" in str(told[0].error)
    assert "USB plug" in str(told[0].error)
    assert rig.latch.tripped


def test_a_board_that_is_not_at_zero_is_not_armed() -> None:
    rig = Rig().connected()
    rig.line.instead[Command.GET_STIM_STATUS_ACK] = m.StimStatus(0, Status.NONE, HighVoltage.V150)
    rig.driver.arm(SETUPS, rig.now_us)
    rig.run(50 * MS)
    assert not rig.line.said(Command.ML_INIT)
    assert rig.latch.tripped


def test_a_board_that_restarts_in_mid_session_is_noticed_and_not_switched_on_again() -> None:
    rig = Rig().delivering(20_000)
    rig.twin.restart(rig.now_us)
    told = rig.run(3 * SECOND)
    assert any(isinstance(each, (Faulted, Lost)) for each in told)
    assert len(rig.line.said(Command.ML_INIT)) == 1
    assert len(rig.updates) == 1
    assert not any(rig.flowing_ua)


# --- the battery -------------------------------------------------------------------------------------------------


def test_an_empty_battery_begins_nothing() -> None:
    rig = Rig(REHAMOVE3)
    rig.line.instead[Command.GET_BATTERY_STATUS_ACK] = m.Battery(0, LOW_PERCENT - 1, 6_900)
    rig.connected()
    with pytest.raises(UsageError, match=f"at {LOW_PERCENT - 1} %; charge it"):
        rig.driver.arm(SETUPS, rig.now_us)


@pytest.mark.parametrize(
    ("word", "words"),
    [
        (m.Battery(0, EMPTY_PERCENT - 1, 6_500), "charge it"),
        (m.Battery(0, 130, 8_000), "130 %"),
        (m.Ack(Command.GET_BATTERY_STATUS_ACK, Result.FUEL_GAUGE), "battery"),
        (m.Battery(Result.FUEL_GAUGE_NOT_PROGRAMMED, 50, 7_000), "battery"),
    ],
)
def test_a_battery_that_fails_ends_what_goes_on(word: m.BoardWord, words: str) -> None:
    rig = Rig(REHAMOVE3).delivering(20_000)
    rig.line.instead[Command.GET_BATTERY_STATUS_ACK] = word
    assert words in str(the_fault(rig, EVERY_US + SECOND).error)


def test_a_battery_question_does_not_starve_the_dead_man() -> None:
    rig = Rig(REHAMOVE3).delivering(20_000)
    rig.run(2 * EVERY_US + SECOND, step=20 * MS)
    assert len(rig.line.said(Command.GET_BATTERY_STATUS)) >= 3
    assert rig.flowing_ua[0] == 20_000


def test_a_p24_has_none_and_is_not_asked() -> None:
    assert not Rig().delivering(20_000).line.said(Command.GET_BATTERY_STATUS)
