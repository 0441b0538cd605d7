"""The driver of UECU boards on their twin: each pulse set off by the loop, stops in full, never off; the ledger judges."""

from __future__ import annotations

import itertools

import pytest

from stimctl.boards.uecu import layout
from stimctl.boards.uecu.codec import encode, wrap
from stimctl.boards.uecu.fit import DEAD_MAN_MS, misfit
from stimctl.boards.uecu.stopping import STOP
from stimctl.boards.uecu.words import Go, NewEvent, NewSchedule
from stimctl.driver import Armed, Connected, DriverState, Faulted, Lost, OutputState, Paced, Setup, Unconfirmed
from stimctl.driver.uecu import UecuDriver
from stimctl.errors import OurBug, UsageError
from stimctl.limits import ABSOLUTE, is_within
from stimctl.pulse import Output, PulseTrain, symmetric
from stimctl.sim.uecu import Uecu
from tests.trains_rig import MS, SECOND, TrainsRig, states

ON, UNKNOWN = OutputState.ON, OutputState.UNKNOWN
RATE_MHZ = 34_483  # 29 ms: what 35 Hz becomes
DEAD_US = DEAD_MAN_MS * MS
GO = encode(Go(1))[:4]
CHANGE = bytes((0x04, 0x80, layout.CHANGE_EVENT, 4))


class Rig(TrainsRig[Uecu]):
    setups = (Setup(0, 30_000, 250, 10, 250, 50_000), Setup(1, 20_000, 250, 10, 250, 50_000))
    rate_mhz, width_us, gap_us, connect_us = RATE_MHZ, 250, 10, 2 * SECOND

    def __init__(self) -> None:
        super().__init__(
            lambda now_us: Uecu(now_us=now_us),
            lambda line, latch, tokens: UecuDriver(line, latch, tokens=tokens, simulated=True),
        )

    def gos(self, since: int = 0) -> list[int]:
        """When a go has left the host."""
        return [at for at, data in self.line.writes[since:] if data.startswith(GO)]

    def raising(self, since: int = 0) -> list[bytes]:
        """Gos, and changes to more than nothing."""
        writes = [data for _, data in self.line.writes[since:]]
        changes = [data for data in writes if data.startswith(CHANGE) and any(data[5:7])]
        return [*changes, *(data for data in writes if data.startswith(GO))]


def the_fault(rig: Rig, us: int = SECOND) -> str:
    told = rig.run(us)
    assert told, "nobody noticed"
    assert isinstance(told[0], Faulted)
    assert rig.latch.tripped
    assert rig.driver.output is UNKNOWN
    return str(told[0].error)


# --- getting to know ---------------------------------------------------------------------------------------------


def test_a_connection_begins_with_the_whole_stop_and_is_never_off() -> None:
    rig = Rig().connected()
    [connected] = rig.events
    assert isinstance(connected, Connected)
    said = rig.line.raw
    assert said.startswith(b"".join(STOP.writes))
    assert not rig.gos()
    assert rig.silent_since(0)
    assert rig.driver.output is UNKNOWN
    facts = connected.facts
    assert (facts.name, facts.outputs, facts.amplitude_step_ua, facts.period_step_us) == ("UECU", 4, 1_000, 1_000)
    assert (facts.confirms_zero, facts.stop_switch, facts.gap_min_us, facts.dead_man_ms) == (False, False, 10, 50)
    assert is_within(facts.limits, ABSOLUTE)
    words = " ".join(facts.cautions)
    assert "no pulse comes after 50 ms" in words
    assert "never shown as off" in words
    assert isinstance(rig.driver, Paced)


def test_what_an_earlier_program_has_left_running_is_ended_and_dropped() -> None:
    rig = Rig()
    for word in (NewSchedule(7, 50), NewEvent(1, 0, 0, 200, 20), Go(7)):
        rig.twin.feed(encode(word), rig.now_us)
    rig.twin.advance(rig.now_us + 200 * MS)
    rig.now_us += 200 * MS
    assert rig.twin.energised
    begun_us = rig.now_us
    rig.connected()
    assert rig.silent_since(begun_us + 120 * MS)
    assert len(rig.twin.events) == 4
    assert all(not (event.ma or event.width_us) for event in rig.twin.events.values())
    assert all(schedule.period_ms == 0 for schedule in rig.twin.schedules.values())


@pytest.mark.parametrize("said", [b"", b"Welcome to NeuroStimDuino\r\n", b"\x02\x34\xaa" * 20])
def test_nobody_there_or_somebody_else_is_one_clear_message(said: bytes) -> None:
    rig = Rig()
    rig.line.change = lambda _: said
    rig.driver.open(rig.now_us)
    told = rig.run(7 * SECOND)
    assert [type(each) for each in told] == [Lost]
    assert "does not answer as a UECU board" in str(told[0].error)  # type: ignore[union-attr]
    assert rig.driver.output is UNKNOWN


def test_a_board_that_cannot_be_set_up_is_refused() -> None:
    rig = Rig()
    rig.line.change = lambda said: wrap(layout.FAILED, bytes((5, layout.NEW_SCHEDULE)), 1) if said else said
    rig.driver.open(rig.now_us)
    told = rig.run(4 * SECOND)
    assert [type(each) for each in told] == [Lost]
    assert "switch it off and on" in str(told[0].error)  # type: ignore[union-attr]


# --- delivering --------------------------------------------------------------------------------------------------


def test_arming_writes_the_ceilings_into_the_board_and_starts_nothing() -> None:
    rig = Rig().connected()
    rig.driver.arm(rig.setups, rig.now_us)
    assert Armed() in rig.run(SECOND)
    assert [(bound.ma, bound.width_us, bound.gap_us) for bound in rig.twin.bounds] == [
        (30, 250, 10),
        (20, 250, 10),
        (0, 0, 10),
        (0, 0, 10),
    ]
    assert rig.driver.output is ON
    assert not rig.gos()
    assert rig.silent_since(0)


def test_nothing_on_the_board_goes_on_by_itself() -> None:
    rig = Rig().delivering(12_000, 9_000)
    assert all(schedule.period_ms == 0 and schedule.since_us is None for schedule in rig.twin.schedules.values())


def test_what_was_approved_flows_at_its_rate_and_never_faster() -> None:
    rig = Rig().delivering(12_000, 9_000)
    begun_us = rig.now_us
    rig.run(3 * SECOND, step=MS)
    for output, ua in ((0, 12_000), (1, 9_000)):
        pulses = rig.pulses(output, begun_us)
        assert {(train.amplitude_ua, train.phase_width_us, train.interphase_gap_us) for _, train in pulses} == {
            (ua, 250, 10)
        }
        assert 100 <= len(pulses) <= 104
        assert rig.apart_us(output, begun_us) >= 29_000
    one, two = rig.pulses(0, begun_us), rig.pulses(1, begun_us)
    assert min(abs(a - b) for (a, _), (b, _) in itertools.product(one[:5], two[:5])) >= 5 * MS  # never at once


def test_one_go_for_one_beat_and_none_without() -> None:
    rig = Rig().delivering(12_000)
    gos = len(rig.gos())
    rig.beating, hung_us = False, rig.now_us
    rig.run(SECOND)
    assert len(rig.gos()) == gos
    assert rig.silent_since(hung_us + DEAD_US)
    stuck = rig.loops
    for _ in range(40):
        rig.driver.beat(stuck, rig.now_us)
        rig.run(25 * MS)
    assert len(rig.gos()) <= gos + 1


def test_a_dead_host_ends_it_at_once() -> None:
    rig = Rig().delivering(12_000, 9_000)
    dead_us = rig.now_us
    rig.now_us += 10 * SECOND
    assert rig.silent_since(dead_us + DEAD_US)


def test_when_a_beat_is_wanted_is_told() -> None:
    rig = Rig().connected()
    assert rig.driver.due_us(rig.now_us) is None  # type: ignore[attr-defined]
    rig = Rig().delivering(12_000)
    due_us = rig.driver.due_us(rig.now_us)  # type: ignore[attr-defined]
    assert rig.gos()[-1] < due_us <= rig.gos()[-1] + 35 * MS


def test_a_level_that_falls_is_told_before_the_next_pulse() -> None:
    rig = Rig().delivering(20_000, 18_000)
    lowered_us = rig.now_us
    rig.send(5_000, 0)
    rig.run(SECOND)
    assert all(train.amplitude_ua == 5_000 for _, train in rig.pulses(0, lowered_us + 25 * MS))
    assert not rig.pulses(1, lowered_us + 25 * MS)
    rig.send(0, 0)
    zero_us = rig.now_us
    rig.run(SECOND)
    assert rig.silent_since(zero_us + 25 * MS)


def test_a_ramp_stays_below_what_was_approved() -> None:
    rig = Rig().armed()
    for level in range(0, 20_000, 1_000):
        rig.send(level, level)
        rig.run(40 * MS)
        assert max(rig.peaks_ua(40 * MS)) <= level
    rig.run(200 * MS)
    assert rig.peaks_ua(100 * MS)[:2] == [19_000, 19_000]
    assert rig.reports[-1].outputs[0].measured_ua is None
    rig.run(400 * MS)
    assert rig.reports[-1].outputs[0].applied_ua == 19_000


def test_nothing_waits_in_the_line_that_a_stop_would_have_to_follow() -> None:
    rig = Rig().armed()
    for level in (*range(0, 20_000, 1_000), *range(20_000, 0, -1_000)):
        rig.send(level, 20_000 - level)
        rig.run(20 * MS)
    for (at, data), (then, _) in itertools.pairwise(rig.line.writes[-200:]):
        assert then >= at + len(data) * 1_000 or then == at  # an answer's own question follows it at once


@pytest.mark.parametrize("more", [{"ua": 31_000}, {"ua": 12_000, "width_us": 251}, {"ua": 12_000, "rate_mhz": 52_000}])
def test_the_ceilings_stand_here_too(more: dict[str, int]) -> None:
    rig = Rig().armed()
    with pytest.raises(OurBug, match="ceiling"):
        rig.driver.send(rig.approve(Output(0, rig.train(**more))), rig.now_us)


@pytest.mark.parametrize(
    ("trains", "words"),
    [
        ((symmetric(12_500, 250, RATE_MHZ, interphase_gap_us=10),), "in whole mA"),
        ((symmetric(12_000, 300, RATE_MHZ, interphase_gap_us=10),), "at most 255 µs"),
        ((symmetric(12_000, 250, RATE_MHZ),), "gaps are 10 to"),
        ((symmetric(12_000, 250, 100_000, interphase_gap_us=10),), "1 to 50 Hz"),
        ((symmetric(12_000, 250, 35_000, interphase_gap_us=10),), "whole milliseconds"),
        ((symmetric(12_000, 250, RATE_MHZ, interphase_gap_us=10, pulses_per_period=2),), "no doublets"),
        (
            (
                symmetric(12_000, 250, RATE_MHZ, interphase_gap_us=10),
                symmetric(12_000, 250, 25_000, interphase_gap_us=10),
            ),
            "the same rate",
        ),
    ],
)
def test_what_it_cannot_give_is_said_with_the_reason(trains: tuple[PulseTrain, ...], words: str) -> None:
    assert words in misfit(enumerate(trains))
    assert misfit([(0, symmetric(12_000, 250, RATE_MHZ, interphase_gap_us=10))]) == ""


# --- stop --------------------------------------------------------------------------------------------------------

STATES = states(12_000, 9_000, connecting_us=200 * MS, arming_us=100 * MS)


@pytest.mark.parametrize("state", STATES)
def test_a_stop_in_every_state_is_silence_and_never_off(state: str) -> None:
    rig = Rig()
    STATES[state](rig)
    stopped_us, written = rig.now_us, len(rig.line.writes)
    rig.driver.stop("Space")
    assert len(rig.line.writes) == written + 1
    assert rig.driver.output is UNKNOWN
    rig.latch.clear()
    rig.run(5 * SECOND)
    assert rig.silent_since(stopped_us + DEAD_US)
    assert rig.driver.output is UNKNOWN
    assert rig.driver.state in (DriverState.STOPPED, DriverState.DISARMED)
    assert not rig.raising(written)


def test_a_stop_names_the_boards_own_events_and_is_said_in_full() -> None:
    rig = Rig().delivering(12_000, 9_000)
    written = len(rig.line.writes)
    rig.driver.disarm(rig.now_us)
    rig.run(3 * SECOND)
    said = [data for _, data in rig.line.writes[written:]]
    assert tuple(said[: len(STOP.writes)]) == STOP.writes
    assert rig.driver.state is DriverState.DISARMED
    assert Unconfirmed() in rig.events
    assert not rig.latch.tripped
    assert all(not event.ma for event in rig.twin.events.values())


def test_nothing_approved_before_a_stop_leaves_after_it() -> None:
    rig = Rig().armed()
    rig.send(12_000, 9_000)
    written = len(rig.line.writes)
    rig.driver.stop("Space")
    rig.latch.clear()
    rig.run(3 * SECOND)
    assert not rig.raising(written)
    assert rig.silent_since(0)


@pytest.mark.parametrize("state", STATES)
def test_a_board_that_falls_silent_in_any_state_is_lost_and_never_off(state: str) -> None:
    rig = Rig()
    STATES[state](rig)
    rig.line.mute, silent_us = True, rig.now_us
    rig.run(8 * SECOND)
    assert (rig.driver.state, rig.driver.output) == (DriverState.LOST, UNKNOWN)
    assert rig.latch.tripped
    assert rig.silent_since(silent_us + 3 * SECOND)


@pytest.mark.parametrize("state", STATES)
def test_a_cable_pulled_in_any_state_ends_it(state: str) -> None:
    rig = Rig()
    STATES[state](rig)
    pulled_us = rig.now_us
    rig.link.close()
    told = rig.run(3 * SECOND)
    assert [type(each) for each in told][-1:] == [Lost]
    assert (rig.driver.state, rig.driver.output) == (DriverState.LOST, UNKNOWN)
    assert rig.silent_since(pulled_us + DEAD_US)


@pytest.mark.parametrize("state", ["starting", "running"])
def test_writes_that_reach_nobody_stop_it(state: str) -> None:
    rig = Rig()
    STATES[state](rig)
    rig.line.deaf, stuck_us = True, rig.now_us
    rig.run(8 * SECOND)
    assert rig.latch.tripped
    assert (rig.driver.state, rig.driver.output) == (DriverState.LOST, UNKNOWN)
    assert rig.silent_since(stuck_us + DEAD_US)


# --- what goes wrong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "data", "words"),
    [
        (layout.FAILED, bytes((1, layout.CHANGE_EVENT)), "could not do what it was told"),
        (layout.EVENT_FAILED, bytes((5, 1, 3, 0)), "refuses a pulse of output 1"),
    ],
)
def test_a_complaint_of_the_board_is_a_fault(number: int, data: bytes, words: str) -> None:
    rig = Rig().delivering(12_000)
    rig.line.extra = wrap(number, data, 9)
    written = len(rig.line.writes)
    assert words in the_fault(rig)
    assert not rig.raising(written)


def test_bounds_that_the_board_does_not_take_are_no_arming() -> None:
    rig = Rig().connected()
    rig.driver.arm(rig.setups, rig.now_us)
    rig.run(60 * MS)
    rig.line.extra = wrap(layout.FAILED, bytes((1, layout.SET_UP)), 9)
    assert "could not do" in the_fault(rig)
    assert Armed() not in rig.events


def test_a_latched_session_does_not_arm() -> None:
    rig = Rig().connected()
    rig.driver.stop("Space")
    rig.run(3 * SECOND)
    with pytest.raises(UsageError, match="Space"):
        rig.driver.arm(rig.setups, rig.now_us)


def test_limits_hold_on_the_ledger_over_a_whole_course() -> None:
    rig = Rig().armed()
    for level in (*range(0, 20_000, 1_000), *range(20_000, -1, -1_000)):
        rig.send(level, level // 2_000 * 1_000)
        rig.run(60 * MS)
    rig.driver.disarm(rig.now_us)
    rig.run(3 * SECOND)
    assert [ledger.peak_ua <= most for ledger, most in zip(rig.twin.ledger, (20_000, 10_000, 0, 0), strict=True)] == [
        True
    ] * 4
    assert all(ledger.net_pc == 0 for ledger in rig.twin.ledger)
    assert rig.apart_us(0) >= 29_000
