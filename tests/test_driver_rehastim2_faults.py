"""What goes wrong with a RehaStim 2: named in plain words with what to do, zero, latched, and nothing said twice."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimctl.boards.sciencemode2 import messages as m
from stimctl.boards.sciencemode2.codes import Command, Mode, Result, StimulationError
from stimctl.boards.sciencemode2.device import WATCHDOG_US
from stimctl.boards.sciencemode2.results import error_meaning, meaning
from stimctl.driver import DriverState, Faulted, Lost, OutputState, Stopped
from stimctl.driver.plain import LOUD_US
from stimctl.driver.worn import LOOK_US
from stimctl.errors import LinkLost
from stimctl.sim.electrodes import OPEN_OHM
from tests.rehastim2_rig import MS, SECOND, SETUPS, Rig

OFF, ON, UNKNOWN = OutputState.OFF, OutputState.ON, OutputState.UNKNOWN
ASKED, ANSWERED = Command.GET_STIMULATION_MODE, Command.GET_STIMULATION_MODE_ACK


def mode(value: int) -> m.ModeAck:
    return m.ModeAck(ANSWERED, Result.GOOD, value)


def the_fault(rig: Rig, us: int = 2 * LOOK_US + 100 * MS) -> Faulted:
    """The first thing that is told; the board is at zero then, by its own word, and the latch holds."""
    starts = len(rig.starts)
    told = rig.run(us)
    assert told, "nobody noticed"
    assert isinstance(told[0], Faulted)
    assert rig.latch.tripped
    rig.line.instead.clear()
    rig.line.mute.clear()
    rig.line.deaf.clear()
    rig.run(WATCHDOG_US + SECOND)
    assert not any(rig.flowing_ua)
    assert (rig.driver.state, rig.driver.output) == (DriverState.STOPPED, OFF)
    assert len(rig.starts) == starts
    return told[0]


# --- what the board itself complains about -----------------------------------------------------------------------


def test_a_pad_that_comes_off_is_told_as_such() -> None:
    rig = Rig().delivering(20_000, 16_000)
    rig.twin.set_contact(1, OPEN_OHM, rig.now_us)
    fault = the_fault(rig)
    assert (fault.output, fault.pads) == (None, True)  # the board does not say which
    assert "check that all pads" in str(fault.error)


def test_a_pad_that_is_off_from_the_beginning_is_told_at_the_first_pulse() -> None:
    rig = Rig().armed()
    rig.twin.set_contact(0, OPEN_OHM, rig.now_us)
    rig.send(1_000, 0)
    rig.run(100 * MS)
    assert rig.latch.tripped
    assert rig.events[-2].pads if isinstance(rig.events[-2], Faulted) else False
    assert not any(rig.flowing_ua)


def test_the_emergency_switch_is_told_with_what_to_do() -> None:
    rig = Rig().delivering(20_000)
    rig.twin.press(rig.now_us)
    fault = the_fault(rig)
    assert not fault.pads
    assert "emergency switch is pressed, or not plugged in: release it" in str(fault.error)


def test_a_switch_that_is_still_pressed_lets_nothing_flow_again() -> None:
    rig = Rig().delivering(20_000)
    rig.twin.press(rig.now_us)
    the_fault(rig)
    rig.latch.clear()
    rig.driver.arm(SETUPS, rig.now_us)
    rig.run(100 * MS)
    rig.send(5_000, 0)
    rig.run(100 * MS)
    assert rig.latch.tripped
    assert not any(rig.flowing_ua)


def test_a_stimulation_module_that_fails_is_told() -> None:
    rig = Rig().delivering(20_000)
    rig.twin.break_module(rig.now_us)
    assert "stimulation module failed; switch the board off and on" in str(the_fault(rig).error)


@pytest.mark.parametrize("error", [*StimulationError, 0, 1, -9, -128, 127])
@pytest.mark.parametrize("state", ["at rest", "arming", "armed", "delivering"])
def test_whatever_error_comes_unasked_is_told_with_its_number(error: int, state: str) -> None:
    rig = Rig()
    {"at rest": rig.connected, "arming": rig.arming, "armed": rig.armed}.get(state, lambda: rig.delivering(9_000))()
    rig.line.tell(m.Ack(Command.STIMULATION_ERROR, error), number=201)
    fault = the_fault(rig)
    assert error_meaning(error) in str(fault.error)
    assert f"(error {error})" in str(fault.error)


@pytest.mark.parametrize("result", [*[each for each in Result if each], 1, 99, -100])
@pytest.mark.parametrize("command", [Command.START_CHANNEL_LIST_MODE_ACK, Command.INIT_CHANNEL_LIST_MODE_ACK])
def test_whatever_result_a_setting_has_it_is_told_with_its_number(result: int, command: Command) -> None:
    rig = Rig()
    if command == Command.INIT_CHANNEL_LIST_MODE_ACK:
        rig.arming()
        rig.line.instead[command] = m.Ack(command, result)
    else:
        rig.armed()
        rig.line.instead[command] = m.Ack(command, result)
        rig.send(20_000)
    fault = the_fault(rig)
    assert meaning(result) in str(fault.error)
    assert f"result {result}" in str(fault.error)


def test_a_command_that_is_not_known_there_is_told() -> None:
    rig = Rig().connected()
    rig.line.instead[Command.INIT_CHANNEL_LIST_MODE_ACK] = m.UnknownCommand(Command.INIT_CHANNEL_LIST_MODE)
    rig.driver.arm(SETUPS, rig.now_us)
    assert "does not know a command" in str(the_fault(rig).error)


def test_a_board_that_calls_anew_has_stopped_and_is_not_started_again() -> None:
    rig = Rig().delivering(20_000)
    rig.twin.restart(rig.now_us)
    fault = the_fault(rig)
    assert "started anew" in str(fault.error)
    assert len(rig.line.said(Command.INIT_CHANNEL_LIST_MODE)) == 1
    assert rig.twin.connected


def test_a_board_at_rest_that_is_switched_off_and_on_is_taken_up_again() -> None:
    rig = Rig().connected()
    rig.twin.restart(rig.now_us)
    rig.run(10 * MS)
    assert rig.driver.output is UNKNOWN
    rig.run(100 * MS)
    assert (rig.driver.state, rig.driver.output) == (DriverState.DISARMED, OFF)
    assert not rig.latch.tripped
    assert rig.twin.connected


# --- what only seems wrong ---------------------------------------------------------------------------------------


def test_a_list_that_does_not_run_counts_from_the_second_look() -> None:
    rig = Rig().delivering(20_000)
    rig.line.instead[ANSWERED] = mode(Mode.INITIALISED)
    rig.run(LOOK_US + 20 * MS)
    assert not rig.latch.tripped
    assert rig.reports[-1].outputs[0].applied_ua == 0
    assert "does not run, although it was started" in str(the_fault(rig).error)


@pytest.mark.parametrize(
    ("value", "words"), [(Mode.START, "has left its channel list"), (3, "not known (3)"), (-1, "not known (-1)")]
)
def test_a_mode_that_it_should_not_have_is_told_at_once(value: int, words: str) -> None:
    rig = Rig().delivering(20_000)
    rig.line.instead[ANSWERED] = mode(value)
    assert words in str(the_fault(rig).error)


def test_a_list_that_runs_and_was_not_started_is_told_at_once() -> None:
    rig = Rig().armed()
    rig.line.instead[ANSWERED] = mode(Mode.STARTED)
    assert "was not started" in str(the_fault(rig).error)


def test_what_is_applied_is_what_the_board_has_taken_and_measured_is_nothing() -> None:
    rig = Rig().delivering(20_000, 3_000)
    rig.run(2 * LOOK_US)
    told = rig.reports[-1]
    assert told.armed
    assert [each.applied_ua for each in told.outputs] == [20_000, 3_000] + [0] * 6
    assert all(each.measured_ua is None and each.impedance_ohm is None for each in told.outputs)


# --- missing answers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [Command.START_CHANNEL_LIST_MODE, Command.START_CHANNEL_LIST_MODE_ACK])
def test_a_setting_without_an_answer_stops_and_is_never_said_again(command: Command) -> None:
    rig = Rig().armed()
    rig.line.mute, rig.line.deaf = {command}, {command}
    rig.send(20_000)
    fault = the_fault(rig)
    assert "did not answer to the newest setting" in str(fault.error)
    assert len(rig.starts) == 1


def test_arming_without_an_answer_is_off_and_never_said_again() -> None:
    rig = Rig().arming()
    rig.line.mute = {Command.INIT_CHANNEL_LIST_MODE_ACK}
    assert "did not answer to being armed" in str(the_fault(rig).error)
    assert len(rig.line.said(Command.INIT_CHANNEL_LIST_MODE)) == 1


def test_one_look_without_an_answer_is_doubt_and_two_are_a_lost_link() -> None:
    rig = Rig().delivering(20_000)
    rig.line.mute = {ANSWERED}
    rig.run(LOOK_US + 120 * MS)
    assert (rig.driver.state, rig.driver.output) == (DriverState.ARMED, UNKNOWN)
    told = rig.run(2 * LOOK_US)
    assert isinstance(told[-1], Lost)
    assert "does not answer when asked how it is" in str(told[-1].error)
    assert rig.driver.output is UNKNOWN
    rig.now_us += MS
    assert not any(rig.flowing_ua)


def test_a_look_that_is_answered_again_ends_the_doubt() -> None:
    rig = Rig().delivering(20_000)
    for _ in range(3):
        rig.line.mute = {ANSWERED}
        rig.run(LOOK_US + 20 * MS)
        while rig.driver.output is ON:
            rig.run(5 * MS)
        rig.line.mute = set()
        rig.run(LOOK_US)
        assert rig.driver.output is ON


@pytest.mark.parametrize("result", [Result.BUSY, Result.TRANSFER])
def test_a_look_that_is_put_off_once_is_doubt_and_no_more(result: Result) -> None:
    rig = Rig().delivering(20_000)
    rig.line.instead[ANSWERED] = m.ModeAck(ANSWERED, result, None)
    while rig.driver.output is ON:
        rig.run(5 * MS)
    rig.line.instead.clear()
    rig.run(2 * LOOK_US)
    assert rig.driver.output is ON
    assert rig.flowing_ua[0] == 20_000


@pytest.mark.parametrize("state", ["at rest", "arming"])
def test_a_board_that_is_busy_for_ever_is_told(state: str) -> None:
    rig = Rig().connected() if state == "at rest" else Rig().arming()
    rig.line.instead[ANSWERED] = m.ModeAck(ANSWERED, Result.BUSY, None)
    told = rig.run(2 * SECOND)
    assert isinstance(told[0], Faulted)
    assert "busy" in str(told[0].error)
    assert not rig.line.said(Command.INIT_CHANNEL_LIST_MODE)


def test_a_board_that_is_busy_now_and_then_is_not() -> None:
    rig = Rig().connected()
    for _ in range(3):
        rig.line.instead[ANSWERED] = m.ModeAck(ANSWERED, Result.BUSY, None)
        rig.run(500 * MS)
        rig.line.instead.clear()
        rig.run(SECOND)
    assert (rig.driver.state, rig.driver.output) == (DriverState.DISARMED, OFF)


def test_an_idle_board_is_asked_twice_and_then_lost() -> None:
    rig = Rig().connected()
    rig.line.mute = {ANSWERED}
    before = rig.asked
    told = rig.run(3 * SECOND)
    assert isinstance(told[-1], Lost)
    assert rig.asked == before + 2


def test_answers_to_nobodys_question_change_nothing() -> None:
    rig = Rig().delivering(20_000)
    rig.driver.stop("Space")
    rig.line.mute = {ANSWERED}
    rig.run(60 * MS)
    for number in range(256):
        if rig.driver._question is None or number != rig.driver._question.number:
            rig.line.tell(mode(Mode.START), number)
    rig.driver.poll(rig.now_us)
    assert rig.driver.output is UNKNOWN


@pytest.mark.parametrize(
    "command", [Command.STOP_CHANNEL_LIST_MODE_ACK, Command.SINGLE_PULSE_ACK, Command.INIT_CHANNEL_LIST_MODE_ACK]
)
def test_the_right_number_with_another_command_is_no_answer(command: Command) -> None:
    rig = Rig().armed()
    rig.line.mute = {Command.START_CHANNEL_LIST_MODE_ACK}
    rig.send(20_000)
    assert rig.driver._question is not None
    rig.line.tell(m.Ack(command, 0), rig.driver._question.number)
    rig.run(50 * MS)
    assert rig.driver._worn is not None
    assert rig.driver._worn.told_ua(0) == 0


def test_a_number_that_somebody_else_did_not_know_is_no_answer() -> None:
    rig = Rig().armed()
    rig.line.mute = {Command.START_CHANNEL_LIST_MODE_ACK}
    rig.send(20_000)
    assert rig.driver._question is not None
    rig.line.tell(m.UnknownCommand(Command.SINGLE_PULSE), rig.driver._question.number)
    rig.run(50 * MS)
    assert not rig.latch.tripped


def test_an_answer_from_before_a_call_says_nothing_of_what_the_board_is_now() -> None:
    rig = Rig().connected()
    rig.line.mute = {ANSWERED}
    while rig.driver._question is None:
        rig.run(5 * MS)
    number = rig.driver._question.number
    rig.line.tell(m.Init(1), 77)
    rig.line.tell(mode(Mode.START), number)
    rig.now_us += MS
    rig.driver.poll(rig.now_us)
    assert rig.driver.output is UNKNOWN


def test_a_board_that_says_no_when_asked_who_it_is_is_not_used() -> None:
    rig = Rig()
    rig.line.instead[ANSWERED] = m.ModeAck(ANSWERED, Result.WRONG_MODE, None)
    rig.driver.open(rig.now_us)
    [lost] = rig.run(SECOND)
    assert isinstance(lost, Lost)
    assert "is no RehaStim 2 that can be used" in str(lost.error)


# --- stops that do not take effect -------------------------------------------------------------------------------


def test_a_board_that_says_no_when_asked_after_a_stop_is_asked_on_until_it_is_lost() -> None:
    rig = Rig().delivering(20_000)
    rig.line.instead[ANSWERED] = m.ModeAck(ANSWERED, Result.WRONG_MODE, None)
    rig.driver.stop("Space")
    [lost] = rig.run(2 * SECOND)
    assert isinstance(lost, Lost)
    assert "does not answer to stop" in str(lost.error)


@pytest.mark.parametrize("value", [Mode.INITIALISED, Mode.STARTED, 7, -1])
def test_no_mode_but_the_one_is_zero(value: int) -> None:
    rig = Rig().delivering(20_000)
    rig.line.instead[ANSWERED] = mode(value)
    rig.driver.stop("Space")
    told = rig.run(LOUD_US + 200 * MS)
    assert [type(each) for each in told] == [Faulted]
    assert "does not say that it has" in str(told[0].error)  # type: ignore[union-attr]
    assert rig.driver.output is UNKNOWN
    rig.line.instead.clear()
    assert Stopped() in rig.run(SECOND)
    assert rig.driver.output is OFF


def test_an_acknowledged_stop_alone_is_not_zero() -> None:
    rig = Rig().delivering(20_000)
    rig.line.mute = {ANSWERED}
    rig.driver.stop("Space")
    rig.run(200 * MS)
    assert (rig.driver.state, rig.driver.output) == (DriverState.STOPPING, UNKNOWN)


def test_a_board_that_is_found_running_while_idle_is_stopped() -> None:
    rig = Rig().connected()
    rig.line.instead[ANSWERED] = mode(Mode.STARTED)
    told = rig.run(SECOND)
    assert isinstance(told[0], Faulted)
    assert "although it was not armed" in str(told[0].error)
    assert "emergency switch" in str(told[0].error)
    assert rig.latch.tripped


def test_a_board_that_is_not_at_zero_is_not_armed() -> None:
    rig = Rig().arming()
    rig.line.instead[ANSWERED] = mode(Mode.INITIALISED)
    rig.run(50 * MS)
    assert not rig.line.said(Command.INIT_CHANNEL_LIST_MODE)
    assert rig.latch.tripped


# --- a line that does not take what is written -------------------------------------------------------------------


def swallow(data: bytes, *, urgent: bool = False) -> None:
    """A write that seems to go well."""


@pytest.mark.parametrize("state", ["at rest", "arming", "armed", "delivering"])
def test_a_write_that_fails_is_a_lost_link(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()
    {"at rest": rig.connected, "arming": rig.arming, "armed": rig.armed}.get(state, lambda: rig.delivering(9_000))()

    def full(data: bytes, *, urgent: bool = False) -> None:
        raise LinkLost("the port takes no more data; check the board and the cable")

    monkeypatch.setattr(rig.link, "write", full)
    told = rig.run(2 * SECOND)
    assert isinstance(told[-1], Lost)
    assert "takes no more data" in str(told[-1].error)
    assert (rig.driver.state, rig.driver.output) == (DriverState.LOST, UNKNOWN)
    assert rig.latch.tripped
    assert not any(rig.flowing_ua)  # its own time-out


def test_a_line_that_is_stuck_takes_no_new_setting_behind_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig().delivering(9_000)
    monkeypatch.setattr(rig.link, "pending", lambda: 1)
    rig.send(10_000)
    told = rig.run(SECOND)
    assert isinstance(told[0], Faulted)
    assert "did not reach the board" in str(told[0].error)
    assert len(rig.starts) == 1


def test_a_stop_that_cannot_be_written_is_unknown_and_the_board_stops_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = Rig().delivering(9_000)
    monkeypatch.setattr(rig.link, "write", swallow)
    rig.driver.stop("Space")
    told = rig.run(WATCHDOG_US)
    assert isinstance(told[-1], Lost)
    assert rig.driver.output is UNKNOWN
    rig.now_us += LOOK_US
    assert not any(rig.flowing_ua)


# --- noise -------------------------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=60), max_size=20))
@settings(max_examples=25, deadline=None)
def test_garbage_from_the_board_never_raises_and_never_says_off(noise: list[bytes]) -> None:
    rig = Rig().delivering(20_000)
    for each in noise:
        rig.line._said += each
        rig.run(5 * MS)
    if not rig.latch.tripped:
        assert rig.driver.output is not OFF
        assert rig.flowing_ua[0] == 20_000
    assert len(rig.starts) == 1


@given(
    st.integers(0, 255),
    st.sampled_from([m.Init(1), m.Ack(Command.STIMULATION_ERROR, -2), mode(0), m.Ack(Command.INIT_ACK, 0)]),
)
@settings(max_examples=25, deadline=None)
def test_no_word_of_the_board_raises_the_output(number: int, word: m.BoardWord) -> None:
    rig = Rig().stopped()
    rig.latch.clear()
    starts, lists = len(rig.starts), len(rig.line.said(Command.INIT_CHANNEL_LIST_MODE))
    rig.line.tell(word, number)
    rig.run(SECOND)
    assert not any(rig.flowing_ua)
    assert (len(rig.starts), len(rig.line.said(Command.INIT_CHANNEL_LIST_MODE))) == (starts, lists)
