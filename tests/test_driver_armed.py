"""One armed session by itself: what it feeds the dead-man with, what waits, and what a stop leaves of it."""

from __future__ import annotations

from typing import Any

import pytest

from stimctl.boards.reference import messages as m
from stimctl.boards.reference.codec import Decoder
from stimctl.boards.reference.facts import introduce
from stimctl.driver.armed import DEAD_MAN_MS, HEARTBEAT_US, UNAPPLIED_US, ArmedSession
from stimctl.driver.exchange import Exchange
from stimctl.driver.health import Contacts
from stimctl.driver.line import Line
from stimctl.envelope.latch import approve
from stimctl.errors import OurBug
from stimctl.pulse import Command, Output, symmetric
from stimctl.safety import Approved, Latch
from tests.driver_board import MS, SETUPS, WHO
from tests.test_driver_line import Recorder
from tests.wire_words import TABLE


class Bench:
    """An armed session on a line that notes everything."""

    def __init__(self, *, accepted: bool = True, counter: int = 5, now_us: int = 1_000 * MS) -> None:
        self.end, self.latch, self.exchange = Recorder(), Latch(), Exchange()
        self.end.line = self.line = Line(self.end, self.latch, first_sequence=0)
        facts = introduce(WHO, TABLE)
        self.session = ArmedSession(self.line, self.exchange, facts, self.latch, 77, SETUPS, Contacts())
        self.was_armed = self.session.arm(9, self.latch.epoch, counter, now_us)
        self.session.is_accepted = accepted
        self.now_us, self.counter = now_us, counter

    def said(self, kind: type[m.Word]) -> list[Any]:
        frames = Decoder().feed(b"".join(data for data, _ in self.end.written))
        return [frame.word for frame in frames if type(frame.word) is kind]

    def approved(self, ua: int) -> Approved:
        command = Command(tuple(Output(one.output, symmetric(ua, 300, 35_000)) for one in SETUPS))
        return approve(command, self.latch.epoch, self.latch)

    def beat_after(self, us: int, *, rounds: int = 1) -> int:
        """A beat of the control loop ``us`` after arming; how many heartbeats have left by then."""
        self.counter += rounds
        self.session.beat(self.counter, self.now_us + us)
        return len(self.said(m.Heartbeat))


# --- the dead-man ----------------------------------------------------------------------------------------------


def test_the_dead_man_and_what_feeds_it() -> None:
    """Clinical reference F.3: the board's dead-man takes 300 to 500 ms, and several heartbeats fit into it."""
    assert (DEAD_MAN_MS, HEARTBEAT_US, UNAPPLIED_US) == (400, 80_000, 200_000)


def test_arming_says_whose_session_it_is_and_where_the_loop_stands() -> None:
    bench = Bench(counter=2**32 + 5, now_us=(2**32 + 7) * MS + 999)
    assert bench.was_armed
    assert bench.session.is_sent
    (arm,) = bench.said(m.Arm)
    facts = introduce(WHO, TABLE)
    assert arm == m.Arm(9, 400, 0b11, facts.limits_crc, 5, 7)
    assert bench.exchange.is_open(m.Arm)


def test_after_a_stop_nothing_is_armed_and_nothing_awaited() -> None:
    bench = Bench()
    before = bench.latch.epoch
    bench.latch.trip("key")
    again = ArmedSession(bench.line, exchange := Exchange(), introduce(WHO, TABLE), bench.latch, 78, SETUPS, Contacts())
    assert again.arm(9, before, 0, bench.now_us) is False
    assert not again.is_sent
    assert not exchange.is_open(m.Arm)
    assert len(bench.said(m.Arm)) == 1


def test_who_asks_while_arm_leaves_is_not_told_that_it_has_not(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    seen: list[bool] = []
    again = ArmedSession(bench.line, Exchange(), introduce(WHO, TABLE), bench.latch, 78, SETUPS, Contacts())
    monkeypatch.setattr(bench.end, "write", lambda *_args, **_how: seen.append(again.is_sent))
    assert not again.is_sent
    assert again.arm(9, bench.latch.epoch, 0, bench.now_us)
    assert seen == [True]


def test_a_heartbeat_leaves_80_ms_after_the_dead_man_was_last_fed() -> None:
    bench = Bench()
    assert bench.beat_after(HEARTBEAT_US - 1) == 0
    assert bench.beat_after(HEARTBEAT_US) == 1
    assert bench.beat_after(2 * HEARTBEAT_US - 1) == 1
    assert bench.beat_after(2 * HEARTBEAT_US) == 2
    assert [word.loop_counter for word in bench.said(m.Heartbeat)] == [7, 9]
    assert [word.host_ms for word in bench.said(m.Heartbeat)] == [1_080, 1_160]
    assert bench.exchange.is_open(m.Heartbeat)


@pytest.mark.parametrize(
    ("rounds", "beats"), [(0, 0), (1, 1), (0x7FFF_FFFF, 1), (0x8000_0000, 0), (-1, 0), (2**32, 0), (2**32 + 1, 1)]
)
def test_a_loop_that_stands_still_or_goes_back_feeds_nothing(rounds: int, beats: int) -> None:
    assert Bench().beat_after(HEARTBEAT_US, rounds=rounds) == beats


def test_no_heartbeat_before_the_board_has_accepted() -> None:
    assert Bench(accepted=False).beat_after(HEARTBEAT_US) == 0


def test_no_heartbeat_behind_what_waits() -> None:
    bench = Bench()
    bench.end.waiting = 1
    assert bench.beat_after(HEARTBEAT_US) == 0
    bench.end.waiting = 0
    assert bench.beat_after(HEARTBEAT_US) == 1


def test_no_heartbeat_after_a_trip_whoever_noticed() -> None:
    bench = Bench()
    bench.latch.trip("key")
    assert bench.beat_after(HEARTBEAT_US) == 0
    bench.latch.clear()
    assert bench.beat_after(HEARTBEAT_US) == 1


def test_an_update_feeds_only_with_a_counter_that_moved() -> None:
    bench = Bench()
    bench.session.send(bench.approved(1_000), bench.now_us + 50 * MS)  # within the round of ARM: feeds nothing
    bench.session.acknowledged(bench.line._sequence)
    assert bench.beat_after(HEARTBEAT_US) == 1
    bench.beat_after(90 * MS)
    bench.session.send(bench.approved(2_000), bench.now_us + 100 * MS)
    bench.session.acknowledged(bench.line._sequence)
    assert bench.beat_after(100 * MS + HEARTBEAT_US - 1) == 1
    assert bench.beat_after(100 * MS + HEARTBEAT_US) == 2


def test_no_heartbeat_hides_whether_a_setting_has_arrived() -> None:
    bench = Bench()
    bench.session.send(bench.approved(1_000), bench.now_us)
    assert bench.beat_after(HEARTBEAT_US) == 0
    bench.session.acknowledged(bench.line._sequence)
    assert bench.beat_after(HEARTBEAT_US) == 1


# --- settings --------------------------------------------------------------------------------------------------


def test_a_setting_leaves_at_once_with_what_it_is_made_of() -> None:
    bench = Bench()
    bench.session.send(bench.approved(1_000), bench.now_us + 3 * MS)
    (update,) = bench.said(m.Update)
    assert (update.loop_counter, update.host_ms) == (5, 1_003)
    assert [entry.train.amplitude_ua for entry in update.entries] == [1_000, 1_000]
    assert bench.session.dropped == 0
    assert len(bench.exchange.overdue(bench.now_us + 10**9)) == 2  # ARM and the update


def test_of_several_that_wait_the_newest_leaves_once() -> None:
    bench = Bench()
    bench.end.waiting = 1
    for ua in (1_000, 2_000, 3_000):
        bench.session.send(bench.approved(ua), bench.now_us)
    assert bench.said(m.Update) == []
    assert bench.session.dropped == 2
    bench.end.waiting = 0
    for _ in range(2):
        bench.session.send_waiting(bench.now_us)
    assert [update.entries[0].train.amplitude_ua for update in bench.said(m.Update)] == [3_000]
    assert bench.session.dropped == 2


@pytest.mark.parametrize("busy", [False, True])
def test_what_a_stop_made_void_is_dropped_at_once_and_awaited_by_nobody(busy: bool) -> None:
    bench = Bench()
    permits = [bench.approved(1_000), bench.approved(2_000)]
    bench.latch.trip("key")
    bench.end.waiting = int(busy)
    for dropped, permit in enumerate(permits, start=1):
        bench.session.send(permit, bench.now_us)
        assert bench.session.dropped == dropped
    assert bench.said(m.Update) == []
    assert not bench.session.is_unapplied(bench.now_us + 10 * UNAPPLIED_US)
    assert len(bench.exchange.overdue(bench.now_us + 10**9)) == 1  # ARM alone


def test_a_setting_is_overdue_after_200_ms() -> None:
    bench = Bench()
    assert not bench.session.is_unapplied(bench.now_us + 10 * UNAPPLIED_US)
    bench.session.send(bench.approved(1_000), bench.now_us)
    sequence = bench.line._sequence
    assert not bench.session.is_unapplied(bench.now_us + UNAPPLIED_US - 1)
    assert bench.session.is_unapplied(bench.now_us + UNAPPLIED_US)
    bench.session.acknowledged(sequence + 1)
    assert bench.session.is_unapplied(bench.now_us + UNAPPLIED_US)
    bench.session.acknowledged(sequence)
    assert not bench.session.is_unapplied(bench.now_us + UNAPPLIED_US)


def test_what_another_latch_approved_or_other_outputs_is_our_bug() -> None:
    bench = Bench()
    other = Latch()
    foreign = approve(bench.approved(1_000).command, other.epoch, other)
    beyond = approve(Command((Output(2, symmetric(1_000, 300, 35_000)),)), bench.latch.epoch, bench.latch)
    for permit in (foreign, beyond):
        with pytest.raises(OurBug):
            bench.session.send(permit, bench.now_us)
    assert bench.said(m.Update) == []
