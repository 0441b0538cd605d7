"""The driver of NeuroStimDuino on its twin: short trains that the loop prolongs, confirmed stops; only the ledger judges."""

from __future__ import annotations

import itertools

import pytest

from stimctl.boards.neurostimduino.stopping import STOP
from stimctl.driver import Armed, Connected, DriverState, Faulted, Lost, OutputState, Setup, Stopped
from stimctl.driver.neurostimduino import NeuroStimDuinoDriver
from stimctl.driver.plain import LOUD_US
from stimctl.errors import OurBug, UsageError
from stimctl.limits import ABSOLUTE, is_within
from stimctl.pulse import Output, symmetric
from stimctl.sim.neurostimduino import NeuroStimDuino
from tests.trains_rig import MS, SECOND, TrainsRig, states

OFF, ON, UNKNOWN = OutputState.OFF, OutputState.ON, OutputState.UNKNOWN
TRAIN_US = 1_165 * MS
"""A train and the longest delay before it."""


class Rig(TrainsRig[NeuroStimDuino]):
    setups = (Setup(0, 30_000, 295, 100, 295, 50_000), Setup(1, 20_160, 295, 100, 295, 50_000))
    rate_mhz, width_us, gap_us = 35_000, 295, 100

    def __init__(self) -> None:
        super().__init__(
            lambda now_us: NeuroStimDuino(now_us=now_us),
            lambda line, latch, tokens: NeuroStimDuinoDriver(line, latch, tokens=tokens, simulated=True),
        )

    def words(self, begin: bytes, since: int = 0) -> list[bytes]:
        """The lines that have left the host and begin so."""
        lines = b"".join(data for _, data in self.line.writes[since:]).split(b"\r\n")
        return [line for line in lines if line.startswith(begin)]


def the_fault(rig: Rig, us: int = SECOND) -> str:
    """The first thing that is told. Later the board is at zero, by its own word, and the latch holds."""
    told = rig.run(us)
    assert told, "nobody noticed"
    assert isinstance(told[0], Faulted)
    assert rig.latch.tripped
    return str(told[0].error)


# --- getting to know ---------------------------------------------------------------------------------------------


def test_a_connection_begins_with_a_stop_and_ends_with_the_boards_own_zero() -> None:
    rig = Rig()
    assert rig.driver.output is UNKNOWN
    rig.driver.open(rig.now_us)
    assert rig.line.raw.startswith(STOP.writes[0])
    assert rig.driver.output is UNKNOWN
    [connected] = rig.run(SECOND)
    assert isinstance(connected, Connected)
    assert (rig.driver.state, rig.driver.output) == (DriverState.DISARMED, OFF)
    facts = connected.facts
    assert (facts.name, facts.outputs, facts.amplitude_step_ua) == ("NeuroStimDuino", 2, 240)
    assert is_within(facts.limits, ABSOLUTE)
    assert "no dead-man" in facts.cautions[0]
    assert "1.2 s" in facts.cautions[0]
    assert not facts.stop_switch
    assert not rig.words(b"STIM")


def test_what_runs_when_it_is_found_is_stopped_first() -> None:
    first = Rig().delivering(9_600)
    second = Rig()
    second.twin = second.line.twin = first.twin
    second.now_us = first.now_us
    second.driver.open(second.now_us)
    begun_us = second.now_us
    second.run(SECOND)
    assert second.driver.output is OFF
    assert second.silent_since(begun_us + 50 * MS)


@pytest.mark.parametrize("said", [b"", b"ERROR! nonsense\r\n", b"Channel 1 has stopped\r\n", b"\x00\xff" * 50])
def test_nobody_there_or_somebody_else_is_one_clear_message(said: bytes) -> None:
    rig = Rig()
    rig.line.change = lambda _: said
    rig.driver.open(rig.now_us)
    told = rig.run(5 * SECOND)
    assert [type(each) for each in told] == [Lost]
    assert "check port and power" in str(told[0].error)  # type: ignore[union-attr]
    assert rig.driver.output is UNKNOWN


def test_a_board_that_its_arduino_cannot_reach_is_not_connected() -> None:
    rig = Rig()
    rig.twin.i2c_error = 2
    rig.driver.open(rig.now_us)
    told = rig.run(5 * SECOND)
    assert isinstance(told[-1], Lost)
    assert rig.driver.output is UNKNOWN


# --- delivering --------------------------------------------------------------------------------------------------


def test_arming_sets_every_register_and_starts_nothing() -> None:
    rig = Rig().connected()
    rig.twin.channels[0].width_us, rig.twin.channels[1].symmetric, rig.twin.ramping = 2_000, 0, 1
    rig.driver.arm(rig.setups, rig.now_us)
    assert Armed() in rig.run(SECOND)
    assert rig.driver.output is ON
    one, two = rig.twin.channels
    assert (one.width_us, one.gap_us, one.hz, one.steps, one.symmetric, one.enabled) == (295, 100, 50, 0, 1, 1)
    assert (two.symmetric, rig.twin.ramping) == (1, 0)
    assert not rig.words(b"STIM")
    assert rig.silent_since(0)


def test_a_channel_without_a_part_is_switched_off() -> None:
    rig = Rig().connected()
    rig.driver.arm(rig.setups[:1], rig.now_us)
    rig.run(SECOND)
    assert [channel.enabled for channel in rig.twin.channels] == [1, 0]


def test_what_was_approved_flows_to_the_last_number() -> None:
    rig = Rig().delivering(9_600, 4_800)
    train = rig.pulses(0, rig.now_us - 100 * MS)[-1][1]
    assert train == rig.train(9_600)
    assert rig.peaks_ua(100 * MS) == [9_600, 4_800]


def test_nothing_is_ever_told_to_go_on_for_ever() -> None:
    rig = Rig().delivering(9_600, 4_800)
    rig.run(3 * SECOND)
    said = rig.words(b"STIM")
    assert len(said) > 5
    assert set(said) <= {b"STIM 1 1 0", b"STIM 2 1 0"}


def test_the_loop_prolongs_for_as_long_as_it_lasts_and_no_pulse_comes_too_soon() -> None:
    rig = Rig().delivering(9_600, 4_800)
    begun_us = rig.now_us
    rig.run(6 * SECOND)
    for output in (0, 1):
        pulses = rig.pulses(output, begun_us)
        assert len(pulses) >= 6 * 35 * 0.85
        assert max(b - a for (a, _), (b, _) in itertools.pairwise(pulses)) < 100 * MS
        assert rig.apart_us(output, begun_us) >= 28_571
    assert rig.reports[-1].outputs[0].applied_ua == 9_600


def test_a_hung_loop_ends_it_within_a_train_however_much_is_polled() -> None:
    rig = Rig().delivering(9_600)
    rig.beating = False
    hung_us, said = rig.now_us, len(rig.words(b"STIM"))
    rig.run(3 * SECOND)
    assert len(rig.words(b"STIM")) <= said + 1
    assert rig.silent_since(hung_us + TRAIN_US + 20 * MS)
    rig.beating = True  # and when it comes back, that is seen and nothing is switched on again
    assert "too late to prolong" in the_fault(rig)
    assert rig.silent_since(hung_us + TRAIN_US + 20 * MS)


def test_a_dead_host_ends_it_within_a_train() -> None:
    rig = Rig().delivering(9_600, 4_800)
    dead_us = rig.now_us
    rig.now_us += 10 * SECOND
    assert rig.silent_since(dead_us + TRAIN_US)


def test_a_counter_that_stands_still_prolongs_nothing() -> None:
    rig = Rig().delivering(9_600)
    rig.beating, stuck, hung_us = False, rig.loops, rig.now_us
    for _ in range(60):
        rig.driver.beat(stuck, rig.now_us)
        rig.run(25 * MS)
    assert rig.silent_since(hung_us + TRAIN_US + 20 * MS)


def test_zero_is_a_stopped_channel_and_the_other_goes_on() -> None:
    rig = Rig().delivering(9_600, 4_800)
    rig.send(0, 4_800)
    rig.run(30 * MS)
    assert rig.peaks_ua(20 * MS)[0] == 0
    assert rig.twin.channels[0].until_us is None
    assert rig.peaks_ua(40 * MS)[1] == 4_800
    rig.send(240, 4_800)
    rig.run(100 * MS)
    assert rig.peaks_ua(90 * MS) == [240, 4_800]  # from where it begins now, and not from where it had ended


@pytest.mark.parametrize(
    ("before", "after"),
    [((9_600, 103), (4_800, 295)), ((4_800, 295), (9_600, 103)), ((9_600, 295), (9_600, 103))],
)
def test_on_the_way_nothing_flows_that_is_more_than_either(before: tuple[int, int], after: tuple[int, int]) -> None:
    rig = Rig().armed()
    seen = []
    for ua, width_us in (before, after):
        rig.driver.send(rig.approve(Output(0, rig.train(ua, width_us=width_us))), rig.now_us)
        for _ in range(100):
            rig.run(1 * MS, step=1 * MS)
            train = rig.twin.ledger[0].train
            seen += [(train.amplitude_ua, train.phase_width_us)] if train else []
    assert set(seen) <= {before, after, (min(before[0], after[0]), min(before[1], after[1]))}
    assert seen[-1] == after


def test_a_ramp_is_followed_and_stays_below_what_was_approved() -> None:
    rig = Rig().armed()
    for level in range(240, 9_840, 240):
        rig.send(level, level)
        rig.run(20 * MS)
        assert max(rig.peaks_ua(20 * MS)) <= level
    rig.run(50 * MS)
    assert rig.peaks_ua(40 * MS) == [9_600, 9_600]


@pytest.mark.parametrize("more", [{"ua": 30_240}, {"ua": 9_600, "width_us": 301}, {"ua": 9_600, "rate_mhz": 51_000}])
def test_the_ceilings_stand_here_since_the_board_has_none(more: dict[str, int]) -> None:
    rig = Rig().armed()
    with pytest.raises(OurBug, match="ceiling"):
        rig.driver.send(rig.approve(Output(0, rig.train(**more))), rig.now_us)


@pytest.mark.parametrize("more", [{"ua": 9_601}, {"ua": 9_600, "width_us": 290}, {"ua": 9_600, "rate_mhz": 35_500}])
def test_nothing_is_rounded_on_the_way(more: dict[str, int]) -> None:
    rig = Rig().armed()
    with pytest.raises(OurBug):
        rig.driver.send(rig.approve(Output(0, rig.train(**more))), rig.now_us)
    assert not rig.words(b"STIM")


@pytest.mark.parametrize(
    ("train", "words"),
    [
        (symmetric(31_000, 295, 35_000), "30.48 mA"),
        (symmetric(9_600, 295, 2_000), "3 to 100 Hz"),
        (symmetric(9_600, 295, 5_000), "below 7 Hz"),
        (symmetric(9_600, 295, 120_000), "3 to 100 Hz"),
        (symmetric(9_600, 295, 35_000, pulses_per_period=2), "no doublets"),
        (symmetric(9_600, 295, 35_000, interphase_gap_us=256), "gaps"),
    ],
)
def test_what_it_cannot_give_is_said_with_the_reason(train: object, words: str) -> None:
    assert words in Rig().driver.misfit([(1, train)])  # type: ignore[list-item]
    assert "output 2" in Rig().driver.misfit([(1, train)])  # type: ignore[list-item]
    assert Rig().driver.misfit([(0, symmetric(9_600, 295, 35_000))]) == ""


# --- stop --------------------------------------------------------------------------------------------------------

STATES = states(9_600, 4_800, connecting_us=10 * MS, arming_us=40 * MS)


@pytest.mark.parametrize("state", STATES)
def test_a_stop_in_every_state_is_zero_and_confirmed(state: str) -> None:
    rig = Rig()
    STATES[state](rig)
    rig.send(9_600, 4_800) if state == "at zero" else None
    stopped_us = rig.now_us
    rig.driver.stop("Space")
    assert rig.line.writes[-1][1] == STOP.writes[0]
    assert rig.driver.output is UNKNOWN
    rig.latch.clear()
    rig.run(2 * SECOND)
    assert rig.silent_since(stopped_us + 20 * MS)
    assert rig.driver.output is OFF
    assert rig.driver.state in (DriverState.STOPPED, DriverState.DISARMED)


@pytest.mark.parametrize("state", STATES)
def test_a_board_that_falls_silent_in_any_state_is_never_off(state: str) -> None:
    rig = Rig()
    STATES[state](rig)
    rig.line.mute, silent_us = True, rig.now_us
    energising = len(rig.words(b"STIM"))
    rig.run(6 * SECOND)
    assert rig.driver.state is DriverState.LOST
    assert rig.driver.output is UNKNOWN
    assert any(isinstance(event, Lost) for event in rig.events)
    assert rig.latch.tripped
    assert rig.silent_since(silent_us + TRAIN_US)
    assert len(rig.words(b"STIM")) <= energising + 1


@pytest.mark.parametrize("state", STATES)
def test_a_cable_pulled_in_any_state_ends_it_by_itself(state: str) -> None:
    rig = Rig()
    STATES[state](rig)
    pulled_us = rig.now_us
    rig.link.close()
    told = rig.run(3 * SECOND)
    assert [type(each) for each in told][-1:] == [Lost]
    assert (rig.driver.state, rig.driver.output) == (DriverState.LOST, UNKNOWN)
    assert rig.silent_since(pulled_us + TRAIN_US)


@pytest.mark.parametrize("state", ["starting", "running"])
def test_writes_that_reach_nobody_stop_it(state: str) -> None:
    rig = Rig()
    STATES[state](rig)
    rig.line.deaf, stuck_us = True, rig.now_us
    rig.run(6 * SECOND)
    assert rig.latch.tripped
    assert (rig.driver.state, rig.driver.output) == (DriverState.LOST, UNKNOWN)
    assert rig.silent_since(stuck_us + TRAIN_US)


def test_nothing_approved_before_a_stop_leaves_after_it() -> None:
    rig = Rig().armed()
    rig.send(9_600, 4_800)
    written = len(rig.line.writes)
    rig.driver.stop("Space")
    rig.latch.clear()
    rig.run(SECOND)
    assert not rig.words(b"STIM", written)
    assert not rig.words(b"AMPL", written)


def test_disarming_is_a_stop_without_a_latch() -> None:
    rig = Rig().delivering(9_600)
    rig.driver.disarm(rig.now_us)
    rig.run(200 * MS)
    assert (rig.driver.state, rig.driver.output) == (DriverState.DISARMED, OFF)
    assert Stopped() in rig.events
    assert not rig.latch.tripped
    assert not any(rig.peaks_ua(100 * MS))


def test_a_board_that_does_not_obey_is_never_off_and_says_what_to_do() -> None:
    rig = Rig().delivering(9_600)
    rig.twin.stuck = True
    rig.driver.stop("Space")
    told = rig.run(LOUD_US + 300 * MS)
    assert [type(each) for each in told] == [Faulted]
    assert "electrode leads" in str(told[0].error)  # type: ignore[union-attr]
    assert rig.driver.output is UNKNOWN
    rig.twin.stuck = False
    assert Stopped() in rig.run(SECOND)
    assert rig.driver.output is OFF


def test_a_stop_that_only_looks_like_success_confirms_nothing() -> None:
    """Behind an I2C error the sketch prints that the channel has stopped, and the board goes on."""
    rig = Rig().delivering(9_600)
    rig.twin.i2c_error = 2
    rig.driver.stop("Space")
    rig.run(900 * MS)
    assert rig.driver.output is UNKNOWN
    rig.run(SECOND)
    assert rig.driver.output is not OFF
    rig.twin.i2c_error = 0
    rig.run(SECOND)
    assert rig.driver.output is OFF


# --- what goes wrong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["arming", "at zero", "running"])
def test_an_i2c_error_is_a_fault(state: str) -> None:
    rig = Rig()
    STATES[state](rig)
    rig.twin.i2c_error = 4
    if state == "at zero":
        rig.send(9_600)
    assert "cannot reach the board" in the_fault(rig, 2 * SECOND)


def test_an_idle_board_out_of_reach_is_not_off() -> None:
    rig = Rig().connected()
    rig.twin.i2c_error = 4
    assert "cannot reach the board" in the_fault(rig, 1_200 * MS)
    assert rig.driver.output is UNKNOWN


def test_another_value_than_was_told_is_a_fault() -> None:
    rig = Rig().armed()
    rig.line.change = lambda said: said.replace(b"set to 9.600 mA", b"set to 19.200 mA")
    rig.send(9_600)
    assert "19200 where 9600" in the_fault(rig)


def test_a_setting_without_an_answer_stops_and_is_never_said_again() -> None:
    rig = Rig().armed()
    rig.line.mute, written = True, len(rig.line.writes)
    rig.send(9_600)
    assert "did not answer to SET" in the_fault(rig)
    said = b"".join(data for _, data in rig.line.writes[written:]).replace(STOP.writes[0], b"")
    assert said.split(b"\r\n")[0].startswith(b"FREQ")
    assert set(said.split(b"\r\n")[1:]) <= {b"STOP 1", b"STOP 2", b""}


def test_an_arduino_that_starts_anew_is_noticed_and_nothing_is_switched_on_again() -> None:
    rig = Rig().delivering(9_600)
    said = len(rig.words(b"STIM"))
    rig.twin.reset(rig.now_us)
    assert "started anew" in the_fault(rig)
    rig.run(2 * SECOND)
    assert rig.driver.output is OFF
    assert len(rig.words(b"STIM")) <= said + 1


def test_a_latched_session_does_not_arm() -> None:
    rig = Rig().connected()
    rig.driver.stop("Space")
    rig.run(SECOND)
    with pytest.raises(UsageError, match="Space"):
        rig.driver.arm(rig.setups, rig.now_us)


def test_limits_hold_on_the_ledger_over_a_whole_course() -> None:
    rig = Rig().armed()
    for level in (*range(0, 20_160, 720), *range(20_160, -1, -720)):
        rig.send(level, level // 2 // 240 * 240)
        rig.run(60 * MS)
    rig.driver.disarm(rig.now_us)
    rig.run(200 * MS)
    assert rig.driver.output is OFF
    assert [ledger.peak_ua <= most for ledger, most in zip(rig.twin.ledger, (20_160, 10_080), strict=True)] == [
        True
    ] * 2
    assert all(ledger.net_pc == 0 for ledger in rig.twin.ledger)
    assert min(rig.apart_us(0), rig.apart_us(1)) >= 28_571
