"""P24 and RehaMove3 where this computer asks for each pulse: when one leaves, when none does, and what an answer means."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import strategies as st

from stimctl.boards.sciencemode4 import messages as m
from stimctl.boards.sciencemode4.codec import Decoder, Frame
from stimctl.boards.sciencemode4.codes import Command, HighVoltage, Result, Status
from stimctl.boards.sciencemode4.devices import P24, REHAMOVE3, Device
from stimctl.boards.sciencemode4.results import meaning
from stimctl.boards.sciencemode4.stopping import STOP
from stimctl.boards.sciencemode4.update import encode_pulse
from stimctl.driver import Armed, Cautious, DriverState, Faulted, Lost, OutputState, Paced, Reported, Setup, Stopped
from stimctl.driver.plain import STATUS_US
from stimctl.driver.question import ANSWER_US
from stimctl.driver.sciencemode4.asking import SWITCHING_US
from stimctl.driver.sciencemode4.battery import EVERY_US
from stimctl.driver.sciencemode4.hearing import SETTING_US
from stimctl.driver.sciencemode4.lowlevel import ROOM_US, SLOW_MHZ, YIELDS_US
from stimctl.driver.worn import LOOK_US
from stimctl.errors import LinkLost, OurBug
from stimctl.pulse import Output
from stimctl.sim.electrodes import OPEN_OHM
from stimctl.units import period_above_us
from tests.board_battery import given
from tests.p24_rig import MS, SECOND, SLOW_SETUPS, SLOW_US, Rig
from tests.test_driver_p24_faults import the_fault

BOTH = pytest.mark.parametrize("device", [P24, REHAMOVE3], ids=lambda device: device.title)
OFF, ON, UNKNOWN = OutputState.OFF, OutputState.ON, OutputState.UNKNOWN


def slow(device: Device = P24) -> Rig:
    return Rig(device, slow=True)


def pulses(rig: Rig, output: int = 0, since_us: int = 0) -> list[int]:
    """When each pulse of an output began."""
    rig.twin.advance(rig.now_us)
    return [at_us for at_us, _ in rig.twin.ledger[output].pulses_between(since_us, rig.now_us)]


def round_of(rig: Rig, us: int, *, beats: bool = True, polls: bool = True) -> None:
    """One round of a loop that is late, or does only half of what it should."""
    rig.now_us += us
    if beats:
        rig.loops += 1
        rig.driver.beat(rig.loops, rig.now_us)
    if polls:
        rig.events += [each for each in rig.driver.poll(rig.now_us) if not isinstance(each, Reported)]


# --- which level -------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("rates_mhz", "level"),
    [
        ((SLOW_MHZ,), Status.LOW_LEVEL),
        ((2_000, 4_000), Status.LOW_LEVEL),
        ((SLOW_MHZ + 1,), Status.MID_LEVEL),
        ((2_000, 35_000), Status.MID_LEVEL),
        ((0,), Status.MID_LEVEL),
    ],
)
def test_all_have_to_be_slow_for_the_low_level(device: Device, rates_mhz: tuple[int, ...], level: Status) -> None:
    rig = slow(device).connected()
    setups = tuple(replace(SLOW_SETUPS[0], output=n, rate_mhz=rate) for n, rate in enumerate(rates_mhz))
    rig.driver.arm(setups, rig.now_us)
    assert Armed() in rig.run(100 * MS)
    assert rig.driver.output is ON
    assert (rig.twin.status, rig.twin.voltage) == (level, HighVoltage.V150)
    rig.run(SECOND)
    assert not any(pulses(rig, n) for n in range(len(rig.twin.ledger)))
    assert not rig.pulses
    assert not rig.events[rig.events.index(Armed()) + 1 :]


def test_one_session_after_the_other_has_its_own_level() -> None:
    rig = slow().armed()
    rig.driver.disarm(rig.now_us)
    rig.run(SECOND)
    rig.driver.arm((replace(SLOW_SETUPS[0], rate_mhz=35_000),), rig.now_us)
    rig.run(100 * MS)
    assert rig.twin.status is Status.MID_LEVEL
    rig.driver.disarm(rig.now_us)
    rig.run(SECOND)
    rig.driver.arm(SLOW_SETUPS, rig.now_us)
    rig.run(100 * MS)
    assert rig.twin.status is Status.LOW_LEVEL


@BOTH
def test_what_its_dead_man_is_there_is_said_before_the_start(device: Device) -> None:
    driver = slow(device).connected().driver
    facts = driver.facts
    assert facts is not None
    assert isinstance(driver, Cautious)
    said = driver.cautions([slow().train(1_000, rate_mhz=2_000)])
    assert any("no further pulse comes" in each for each in said)
    assert not any("2 s" in each for each in said)
    assert len(said) == len(facts.cautions)
    for rates in ([2_000, 35_000], [35_000]):
        assert driver.cautions([slow().train(1_000, rate_mhz=rate) for rate in rates]) == facts.cautions
    assert facts.dead_man_ms == 2_000  # of the level that has one


# --- what leaves -------------------------------------------------------------------------------------------------


@BOTH
def test_what_was_approved_is_given_to_the_last_number(device: Device) -> None:
    last = device.dialect.channels - 1
    rig = slow(device).connected()
    rig.driver.arm((replace(SLOW_SETUPS[0], output=last),), rig.now_us)
    rig.run(100 * MS)
    rig.driver.send(rig.approve(Output(last, rig.train(12_500, interphase_gap_us=100))), rig.now_us)
    rig.run(920 * MS)
    stretches = rig.twin.ledger[last].history(rig.now_us)
    assert len(stretches) == len(rig.pulses) == 9  # a loop that looks each 5 ms is late by as much
    for stretch in stretches:
        train, exact = stretch.train, stretch.exact
        assert (train.amplitude_ua, train.phase_width_us, train.interphase_gap_us) == (12_500, 300, 100)
        assert (train.recovery_amplitude_ua, train.recovery_width_us) == (12_500, 300)
        assert exact is not None
        assert exact.net_pc == 0
        assert stretch.end_us - stretch.start_us == 700
    assert not any(pulses(rig, n) for n in range(last))


def test_doublets_are_one_word_and_stand_ten_milliseconds_apart() -> None:
    rig = slow().armed()
    rig.driver.send(rig.approve(Output(0, rig.train(10_000, pulses_per_period=2))), rig.now_us)
    rig.run(50 * MS)
    [config] = rig.pulses
    assert isinstance(config.word, m.ChannelConfig)
    durations = [point.duration_us for point in config.word.points]
    assert [point.current_ua for point in config.word.points if point.current_ua] == [10_000, -10_000] * 2
    assert sum(durations[: durations.index(durations[-1], 2)]) >= 9_400
    assert sum(durations) == 10_000 + 600


def test_more_pulses_than_a_board_is_known_to_take_are_refused_before_the_start() -> None:
    rig = slow().connected()
    assert rig.driver.misfit([(0, rig.train(1_000, pulses_per_period=3))]) == ""
    assert "cannot be set" in rig.driver.misfit([(0, rig.train(1_000, pulses_per_period=4))])


@pytest.mark.parametrize(("ua", "rate_mhz"), [(10_250, 10_000), (10_000, 9_999)])
def test_nothing_is_rounded_on_the_way(ua: int, rate_mhz: int) -> None:
    rig = slow().armed()
    rig.send(5_000)
    with pytest.raises(OurBug):
        rig.driver.send(rig.approve(Output(0, rig.train(ua, rate_mhz=rate_mhz))), rig.now_us)
    rig.run(SECOND)
    assert not rig.pulses  # nor does what was in force before go on


def test_a_pulse_is_made_of_what_was_approved_alone() -> None:
    rig = slow()
    for what, output in ((rig.approved(5_000).command, 0), (rig.approved(5_000), 1), (rig.approved(5_000, 0), 1)):
        with pytest.raises(OurBug):
            encode_pulse(what, output, number=1, dialect=P24.dialect)  # type: ignore[arg-type]


@BOTH
def test_outputs_are_asked_for_one_after_the_other_and_each_at_its_own_rate(device: Device) -> None:
    rig = slow(device).connected()
    setups = (SLOW_SETUPS[0], SLOW_SETUPS[1], replace(SLOW_SETUPS[0], output=2))
    rig.driver.arm(setups, rig.now_us)
    rig.run(100 * MS)
    rates = (10_000, 4_000, 2_000)
    rig.driver.send(
        rig.approve(*(Output(n, rig.train(8_000, rate_mhz=rate)) for n, rate in enumerate(rates))), rig.now_us
    )
    began_us = rig.now_us
    rig.run(4 * SECOND, step=MS)
    for output, wanted in enumerate((40, 16, 8)):
        assert wanted * 0.96 <= len(pulses(rig, output, began_us)) <= wanted
    spans = sorted((each.start_us, each.end_us) for n in range(3) for each in rig.twin.ledger[n].history(rig.now_us))
    assert all(first[1] <= then[0] for first, then in pairwise(spans))


# --- the clock ---------------------------------------------------------------------------------------------------


@given(st.data())
def test_over_any_jitter_no_two_pulses_are_closer_nor_any_stronger_than_was_judged(data: st.DataObject) -> None:
    """By the ledger alone, each pulse against what was approved last when it was asked for."""
    rig = slow(data.draw(st.sampled_from((P24, REHAMOVE3)))).armed()
    newest: list[Output] = []
    judged: list[Output] = []
    for _ in range(data.draw(st.integers(1, 30))):
        if data.draw(st.integers(0, 3)) == 0 and rig.driver.state is DriverState.ARMED:
            ua = data.draw(st.sampled_from((0, 500, 12_000, 30_000)))
            newest.append(Output(0, rig.train(ua, rate_mhz=data.draw(st.sampled_from((2_000, 4_000, 10_000))))))
            rig.driver.send(rig.approve(newest[-1]), rig.now_us)
        before = len(rig.pulses)
        us = data.draw(st.sampled_from((1, 200, 1_000, 5_000, 49_000, 99_000, 100_000, 101_000, 480_000)))
        round_of(rig, us, beats=data.draw(st.booleans()), polls=data.draw(st.integers(0, 3)) > 0)
        assert len(rig.pulses) <= before + 1
        judged += newest[-1:] * (len(rig.pulses) - before)
    rig.twin.advance(rig.now_us + SECOND)
    flowed = rig.twin.ledger[0].pulses_between(0, rig.now_us + SECOND)
    assert len(flowed) == len(judged)
    for (_, train), approved in zip(flowed, judged, strict=True):
        assert train.amplitude_ua == approved.train.amplitude_ua > 0
    for (first_us, _), (then_us, _), approved in zip(flowed, flowed[1:], judged[1:], strict=False):
        assert then_us - first_us >= period_above_us(approved.train.rate_mhz, 500)


@given(st.lists(st.sampled_from((1, 5, 30, 90)), min_size=4, max_size=25), st.sampled_from((4, 15, 60)))
def test_no_word_ever_waits_behind_another(rounds_ms: list[int], late_ms: int) -> None:
    """However late its answers are: what a stop cannot take back any more is one pulse at most."""
    rig = slow().armed()
    held: list[tuple[int, bytes]] = []
    read, decoder = rig.link.read, Decoder()
    answers: list[Frame] = []

    def slowly() -> bytes:
        if data := read():
            held.append((rig.now_us + late_ms * MS, data))
        ready = [one for one in held if one[0] <= rig.now_us]
        held[:] = held[len(ready) :]
        told = b"".join(one for _, one in ready)
        answers.extend(each for each in decoder.feed(told) if each.command == Command.LL_CHANNEL_CONFIG_ACK)
        return told

    rig.link.read = slowly  # type: ignore[method-assign]
    rig.send(20_000, 16_000)
    for ms in rounds_ms:
        round_of(rig, ms * MS)
        assert len(answers) <= len(rig.pulses) <= len(answers) + 1
    assert rig.pulses
    for output in (0, 1):
        assert all(then - first >= SLOW_US for first, then in pairwise(pulses(rig, output)))


def test_a_loop_that_comes_round_when_it_is_wanted_keeps_the_rate() -> None:
    rig = slow().armed()
    driver: Any = rig.driver
    assert isinstance(driver, Paced)
    assert driver.due_us(rig.now_us) is None  # nothing is to be given
    rig.send(20_000)
    began_us = rig.now_us
    while rig.now_us < began_us + 10 * SECOND:
        due_us, said_us = driver.due_us(rig.now_us), rig.link.next_event_us(rig.now_us)
        wanted = [each for each in (due_us, said_us, rig.now_us + 50 * MS) if each is not None]
        round_of(rig, max(1, min(wanted) - rig.now_us))
    found = pulses(rig, 0, began_us)
    assert len(found) >= 98
    assert all(SLOW_US <= then - first <= SLOW_US + 2 * MS for first, then in pairwise(found))
    assert len(rig.line.said(Command.GET_STIM_STATUS)) >= 45  # and looks were taken beside them


def test_a_period_is_counted_from_the_answer() -> None:
    """Whatever of the way before it was the line's: by then the pulse is over."""
    rig = slow().armed()
    driver: Any = rig.driver
    rig.send(20_000)
    round_of(rig, MS)
    while driver._question is not None:
        round_of(rig, 7 * MS, beats=False)
    assert driver.due_us(rig.now_us) == rig.now_us + SLOW_US
    round_of(rig, SLOW_US - 1)
    assert len(rig.pulses) == 1
    round_of(rig, 1)
    assert len(rig.pulses) == 2


def test_when_the_loop_is_wanted() -> None:
    """Not while an answer is awaited, which wakes it anyhow; each millisecond where the line holds up a pulse that is due."""
    rig = slow().armed()
    driver: Any = rig.driver
    rig.send(20_000)
    assert driver.due_us(rig.now_us) == rig.now_us + MS
    round_of(rig, MS, polls=False)
    assert driver.due_us(rig.now_us) is None
    rig.run(20 * MS)
    assert rig.now_us < driver.due_us(rig.now_us) <= rig.now_us + SLOW_US
    rig.link.pending = lambda: 1  # type: ignore[method-assign]
    round_of(rig, 2 * SLOW_US)
    assert driver.due_us(rig.now_us) == rig.now_us + MS
    rig.driver.stop("Space")
    rig.driver.poll(rig.now_us)
    assert driver.due_us(rig.now_us) is None


def test_a_pulse_is_of_the_newest_setting_even_if_that_has_waited_for_the_line() -> None:
    rig = slow().delivering(20_000)
    free = rig.link.pending
    rig.link.pending = lambda: 1  # type: ignore[method-assign]
    round_of(rig, SLOW_US)
    rig.send(4_000)
    rig.link.pending = free  # type: ignore[method-assign]
    round_of(rig, MS)
    rig.run(10 * MS)
    assert rig.given_ua[0] == 4_000
    assert len(rig.pulses) == 2


def test_nobody_is_wanted_for_a_pulse_where_the_board_times_them() -> None:
    rig = Rig().delivering(20_000)
    assert rig.driver.due_us(rig.now_us) is None


def test_what_was_missed_is_gone() -> None:
    rig = slow().delivering(20_000)
    before = len(rig.pulses)
    round_of(rig, 850 * MS)
    assert len(rig.pulses) == before + 1
    late_us = rig.now_us
    rig.run(SLOW_US - 10 * MS)
    assert len(rig.pulses) == before + 1
    rig.run(20 * MS)
    first, then = pulses(rig, 0, late_us - MS)
    assert then - first >= SLOW_US


def test_polls_alone_give_no_pulse_nor_does_a_counter_that_stands_still() -> None:
    rig = slow().delivering(20_000)
    rig.beating = False
    rig.run(SLOW_US)  # what was asked for is answered
    before, stuck = len(rig.pulses), rig.loops
    rig.driver.beat(stuck, rig.now_us)
    rig.run(100 * MS)
    assert len(rig.pulses) == before + 1  # the first of this number
    for _ in range(8):
        rig.driver.beat(stuck, rig.now_us)
        rig.run(100 * MS)
    assert len(rig.pulses) == before + 1
    rig.beating = True
    rig.run(20 * MS)
    assert len(rig.pulses) == before + 2  # the driver has waited for the loop, and for nothing else


def test_a_counter_from_before_arming_gives_no_pulse() -> None:
    rig = slow().connected()
    rig.beating, stuck = False, rig.loops
    rig.driver.arm(SLOW_SETUPS, rig.now_us)
    rig.run(100 * MS)
    rig.send(20_000)
    for _ in range(5):
        rig.driver.beat(stuck, rig.now_us)
        rig.run(50 * MS)
    assert not rig.pulses


def test_a_counter_that_wraps_goes_on() -> None:
    rig = slow().connected()
    rig.loops = 2**32 - 4
    rig.run(10 * MS)
    rig.driver.arm(SLOW_SETUPS, rig.now_us)
    rig.run(200 * MS)
    rig.send(20_000)
    rig.run(SECOND)
    assert len(rig.pulses) >= 9


def test_after_an_absence_nothing_goes_on_by_itself() -> None:
    """The board stays in its level through it, at 150 V: nothing but this computer ends it."""
    rig = slow().delivering(20_000)
    before = len(rig.pulses)
    rig.now_us += STATUS_US + 5 * MS
    rig.loops += 1
    rig.driver.beat(rig.loops, rig.now_us)  # whichever comes first
    assert len(rig.pulses) == before
    assert "was away for 1.0 s, and no pulse came" in str(the_fault(rig).error)
    assert len(rig.pulses) == before


def test_an_absence_at_zero_is_none_to_stop_for() -> None:
    rig = slow().armed()
    rig.send(0, 0)
    rig.now_us += 10 * SECOND
    rig.driver.poll(rig.now_us)
    assert rig.driver.output is UNKNOWN
    assert rig.run(LOOK_US + 50 * MS) == []
    assert rig.driver.output is ON


# --- looks -------------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("ua", [0, 20_000])
def test_the_board_is_looked_at_as_often_as_in_the_mid_level(device: Device, ua: int) -> None:
    rig = slow(device).armed()
    rig.send(ua)
    before = len(rig.line.said(Command.GET_STIM_STATUS))
    rig.run(10 * SECOND)
    looks = len(rig.line.said(Command.GET_STIM_STATUS)) - before
    assert 10 * SECOND // LOOK_US * 0.9 <= looks <= 10 * SECOND // LOOK_US + 1
    assert bool(rig.pulses) is bool(ua)
    assert len(rig.events) == 2  # connected, armed


def test_a_look_lets_a_pulse_go_first_that_is_due_in_a_moment() -> None:
    rig = slow().armed()
    driver: Any = rig.driver
    rig.send(20_000)
    rig.run(20 * MS)
    level = driver._level
    due_us = level.due_us()
    assert level.lets_look(due_us - ROOM_US - 1)
    assert not level.lets_look(due_us - ROOM_US)
    assert not level.lets_look(due_us - 1)
    assert level.lets_look(due_us)


def test_looks_do_not_starve_where_some_pulse_is_always_due() -> None:
    rig = slow().connected()
    rig.driver.arm(tuple(replace(SLOW_SETUPS[0], output=n) for n in range(8)), rig.now_us)
    rig.run(100 * MS)
    for n in range(8):  # one more every 12 ms
        rig.driver.send(rig.approve(*(Output(each, rig.train(5_000)) for each in range(n + 1))), rig.now_us)
        rig.run(12 * MS, step=MS)
    before = len(rig.line.said(Command.GET_STIM_STATUS))
    rig.run(4 * SECOND, step=MS)
    assert len(rig.line.said(Command.GET_STIM_STATUS)) - before >= 4 * SECOND // (LOOK_US + YIELDS_US) - 1
    assert Counter(len(pulses(rig, n, rig.now_us - 2 * SECOND)) >= 18 for n in range(8)) == {True: 8}


@pytest.mark.parametrize("status", [Status.NONE, Status.MID_LEVEL, Status.MID_LEVEL_RUNNING, 9])
@pytest.mark.parametrize("ua", [0, 20_000])
def test_another_level_than_the_one_that_was_armed_is_a_fault(status: int, ua: int) -> None:
    rig = slow().armed()
    rig.send(ua)
    rig.line.instead[Command.GET_STIM_STATUS_ACK] = m.StimStatus(0, status, HighVoltage.V150)
    fault = the_fault(rig, 3 * LOOK_US)
    assert f"has left the level that it was armed in (status {int(status)})" in str(fault.error)


@pytest.mark.parametrize("voltage", [HighVoltage.OFF, HighVoltage.STANDARD, 7, 255])
def test_an_output_stage_that_is_not_fed_is_a_fault(voltage: int) -> None:
    rig = slow().armed()
    rig.line.instead[Command.GET_STIM_STATUS_ACK] = m.StimStatus(0, Status.LOW_LEVEL, voltage)
    assert "high voltage failed" in str(the_fault(rig, 3 * LOOK_US).error)


@BOTH
def test_a_high_voltage_that_fails_is_noticed_at_zero_as_well(device: Device) -> None:
    rig = slow(device).armed()
    rig.twin.break_high_voltage(rig.now_us)
    assert "high voltage failed" in str(the_fault(rig, 3 * LOOK_US).error)


@pytest.mark.parametrize("ua", [0, 20_000])
def test_a_silent_board_is_lost_as_soon_as_in_the_mid_level(ua: int) -> None:
    for rig in (Rig(), slow()):
        rig.armed().send(ua)
        rig.run(SECOND)
        rig.line.mute = {Command.GET_STIM_STATUS_ACK, Command.ML_GET_CURRENT_DATA_ACK}
        rig.run(2 * LOOK_US + ANSWER_US + ROOM_US)
        assert isinstance(rig.events[-1], Lost)


def test_while_a_look_is_unanswered_no_pulse_leaves() -> None:
    rig = slow().delivering(20_000)
    rig.line.mute = {Command.GET_STIM_STATUS_ACK}
    while rig.driver.output is ON:
        rig.run(5 * MS)
    before = len(rig.pulses)
    rig.line.mute = set()
    rig.run(60 * MS)
    assert rig.driver.output is UNKNOWN
    assert len(rig.pulses) == before
    rig.run(LOOK_US)
    assert rig.driver.output is ON
    assert len(rig.pulses) > before


def test_a_rehamove3_is_asked_for_its_battery_as_well() -> None:
    rig = slow(REHAMOVE3).delivering(20_000)
    rig.run(EVERY_US + SECOND, step=80 * MS)
    assert len(rig.line.said(Command.GET_BATTERY_STATUS)) >= 2
    rig.line.instead[Command.GET_BATTERY_STATUS_ACK] = m.Battery(0, 3, 6_500)
    assert "charge it" in str(the_fault(rig, EVERY_US + SECOND).error)


# --- answers -----------------------------------------------------------------------------------------------------


@BOTH
def test_applied_is_what_the_board_says_that_it_has_given(device: Device) -> None:
    rig = slow(device).armed()
    rig.send(20_000, 3_500)
    rig.run(SECOND)
    assert [each.applied_ua for each in rig.reports[-1].outputs[:3]] == [20_000, 3_500, 0]
    assert all(each.measured_ua is None and each.impedance_ohm is None for each in rig.reports[-1].outputs)
    assert len(rig.reports[-1].outputs) == device.dialect.channels
    rig.reports.clear()
    rig.send(21_000, 0)
    rig.run(SLOW_US + LOOK_US)
    told = [tuple(each.applied_ua for each in report.outputs[:2]) for report in rig.reports]
    assert set(told) <= {(20_000, 0), (21_000, 0)}
    assert told[-1] == (21_000, 0)
    assert sorted(told) == told
    rig.send(0, 0)
    rig.run(LOOK_US + 10 * MS)
    assert not any(each.applied_ua for each in rig.reports[-1].outputs)
    assert rig.driver.output is ON


def test_a_level_counts_as_given_by_the_answer_alone() -> None:
    rig = slow().armed()
    rig.line.mute = {Command.LL_CHANNEL_CONFIG_ACK}
    rig.send(20_000)
    rig.run(SETTING_US - 20 * MS)
    assert rig.pulses
    assert not any(each.applied_ua for report in rig.reports for each in report.outputs)


@BOTH
def test_a_pulse_without_an_answer_stops_and_is_never_said_again(device: Device) -> None:
    rig = slow(device).armed()
    rig.line.mute = {Command.LL_CHANNEL_CONFIG_ACK}
    rig.send(20_000, 16_000)
    fault = the_fault(rig)
    assert "did not answer to a pulse of output 1" in str(fault.error)
    assert len(rig.pulses) == 1


@BOTH
@pytest.mark.parametrize("result", [*[each for each in Result if each], 99, 255])
def test_whatever_result_comes_it_is_told_with_its_number_and_output(device: Device, result: int) -> None:
    rig = slow(device).armed()
    rig.line.instead[Command.LL_CHANNEL_CONFIG_ACK] = m.ChannelConfigAck(result, 1)
    rig.send(0, 16_000)
    fault = the_fault(rig)
    assert str(fault.error).startswith(f"output 2: {meaning(result).text}")
    assert (fault.output, fault.pads) == (1, meaning(result).pads)
    assert len(rig.pulses) == 1


def test_a_result_alone_is_an_answer_as_well() -> None:
    rig = slow().armed()
    rig.line.instead[Command.LL_CHANNEL_CONFIG_ACK] = m.Ack(Command.LL_CHANNEL_CONFIG_ACK, Result.BUSY)
    rig.send(20_000)
    assert "output 1: the board is busy" in str(the_fault(rig).error)


@BOTH
def test_a_pad_that_comes_off_is_an_electrode_fault_of_its_output(device: Device) -> None:
    rig = slow(device).delivering(20_000, 16_000)
    rig.twin.set_contact(1, OPEN_OHM, rig.now_us)
    fault = the_fault(rig)
    assert (fault.output, fault.pads) == (1, True)
    assert "electrode error" in str(fault.error)


def test_a_p24_that_gives_a_pulse_elsewhere_is_stopped() -> None:
    for colour, socket in ((1, 0), (0, 1)):
        rig = slow().armed()
        rig.line.instead[Command.LL_CHANNEL_CONFIG_ACK] = m.ChannelConfigAck(0, colour, socket)
        rig.send(20_000)
        assert "elsewhere than at output 1" in str(the_fault(rig).error)


def test_what_a_rehamove3_says_of_a_place_is_about_an_error_alone() -> None:
    rig = slow(REHAMOVE3).armed()
    rig.line.instead[Command.LL_CHANNEL_CONFIG_ACK] = m.ChannelConfigAck(0, 0)
    rig.send(0, 16_000)
    rig.run(SECOND)
    assert rig.driver.output is ON


def test_a_port_too_weak_for_the_high_voltage_is_no_arming() -> None:
    rig = slow().connected()
    rig.twin.weak_port = True
    rig.driver.arm(SLOW_SETUPS, rig.now_us)
    told = rig.run(SWITCHING_US + 2 * SECOND)
    assert Armed() not in told
    assert isinstance(told[0], Faulted)
    assert "did not answer to being armed" in str(told[0].error)


# --- stop --------------------------------------------------------------------------------------------------------


@BOTH
def test_a_stop_while_a_pulse_is_on_its_way_is_one_write_and_confirmed(device: Device) -> None:
    rig = slow(device).armed()
    rig.send(20_000, 16_000)
    round_of(rig, MS, polls=False)
    assert len(rig.pulses) == 1
    before = len(rig.line.raw)
    rig.driver.stop("Space")
    assert rig.line.raw[before:] == STOP
    assert Stopped() in rig.run(300 * MS)
    assert (rig.driver.output, rig.twin.status, rig.twin.voltage) == (OFF, Status.NONE, HighVoltage.OFF)
    assert len(rig.pulses) == 1


def test_a_stop_whose_write_fails_leaves_one_pulse_at_most() -> None:
    rig = slow().armed()
    rig.send(20_000, 16_000)
    round_of(rig, MS, polls=False)
    stopped_us = rig.now_us

    def broken(_data: bytes, *, urgent: bool = False) -> None:
        raise LinkLost("the port takes no more data")

    rig.link.write = broken  # type: ignore[assignment]
    rig.driver.stop("Space")
    rig.run(3 * SECOND)
    assert len(pulses(rig, 0, stopped_us) + pulses(rig, 1, stopped_us)) <= 1
    assert rig.driver.state is DriverState.LOST


def test_a_stop_in_the_very_moment_of_a_pulse_is_first_under_the_lines_lock() -> None:
    """Another thread trips the latch behind the last look at the state, and before the write."""
    rig = slow().delivering(20_000)
    before = len(rig.pulses)

    def tripping() -> int:
        rig.latch.trip("Space")
        return 0

    rig.link.pending = tripping  # type: ignore[method-assign]
    round_of(rig, SLOW_US, polls=False)
    assert rig.latch.tripped
    rig.run(SECOND)
    assert len(rig.pulses) == before
    assert (rig.driver.state, rig.driver.output) == (DriverState.STOPPED, OFF)


def test_what_a_lowering_has_made_void_gives_no_pulse_any_more() -> None:
    rig = slow().delivering(20_000)
    before = len(rig.pulses)
    rig.latch.void()
    rig.run(SECOND)
    assert len(rig.pulses) == before
    assert rig.driver.dropped == 0  # of it a pulse has left
    rig.send(5_000)
    rig.latch.void()
    rig.run(SECOND)
    assert len(rig.pulses) == before
    assert rig.driver.dropped == 1
    rig.send(4_000)
    rig.run(50 * MS)
    assert rig.given_ua[0] == 4_000
    assert rig.driver.output is ON


def test_a_latch_that_was_cleared_at_once_brings_no_pulse_back() -> None:
    rig = slow().delivering(20_000, 16_000)
    before = len(rig.pulses)
    rig.latch.trip("Space")
    rig.latch.clear()
    rig.driver.beat(rig.loops + 1, rig.now_us + SLOW_US)
    assert len(rig.pulses) == before
    rig.run(2 * SECOND)
    assert len(rig.pulses) == before


# --- what did not leave ------------------------------------------------------------------------------------------


def test_settings_that_no_pulse_was_given_of_are_counted() -> None:
    rig = slow().armed()
    for ua in (1_000, 2_000, 3_000):
        rig.send(ua)
    assert rig.driver.dropped == 2
    rig.run(20 * MS)
    assert rig.given_ua[0] == 3_000
    rig.send(0)  # takes effect at once, and nothing has to be said for it
    rig.send(0)
    assert rig.driver.dropped == 2
    rig.send(4_000)
    rig.driver.stop("Space")
    rig.run(SECOND)
    assert rig.driver.dropped == 3
    assert rig.given_ua[0] == 3_000


def test_a_ceiling_narrows_there_as_well() -> None:
    rig = slow().armed()
    rig.driver.configure((Setup(0, 5_000, 300, 100, 300, SLOW_MHZ),), rig.now_us)
    with pytest.raises(OurBug, match="ceiling"):
        rig.send(6_000)
    rig.run(SECOND)
    assert not rig.pulses
