"""What a session keeps and what it renews of its senses: pads that peel unseen, samples that prove no stop, ears anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import pytest

from stimctl.driver import Driver, DriverState
from stimctl.engine import State
from stimctl.errors import LinkLost
from stimctl.orders import OrderKind as Kind
from stimctl.orders import OutputWord
from stimctl.records.reading import sessions
from stimctl.sim.board import Twin
from stimctl.sim.faults import Fault, FaultKind
from stimctl.units import MS, SECOND
from tests.session_rig import CYCLIC, EMG, Rig

Made = Callable[..., Rig]


@pytest.fixture
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    rigs: list[Rig] = []

    def make(text: str = CYCLIC) -> Rig:
        rigs.append(Rig(tmp_path_factory.mktemp("rig"), text))
        return rigs[-1]

    yield make
    for each in rigs:
        each.close()


def lose_and_find(rig: Rig) -> None:
    """The cable is pulled and put back; the session is cleared, and at zero."""
    cast(Driver, rig.session.stage.driver)._line._transport.close()
    rig.go(SECOND)
    assert (rig.state, rig.session.stage.driver.state) == (State.STOPPED, DriverState.LOST)
    assert "looking for the board again" in rig.order(Kind.CLEAR)
    rig.go(2 * SECOND)
    assert rig.order(Kind.CLEAR) == ""


def swallow(data: bytes, *, urgent: bool = False) -> None:
    """A line on which nothing arrives, and nobody hears of it."""


def peel(rig: Rig, percent: int) -> None:
    rig.twin.set_contact(0, rig.twin.stages[0].contact_ohm * percent // 100)


# --- a stop that never arrives (H35) -------------------------------------------------------------------------------


@pytest.mark.parametrize("hammering", [False, True], ids=["once", "again-and-again"])
def test_samples_are_no_answer_to_a_stop(made: Made, hammering: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The board hears nobody and streams its EMG: that is no sign of life where a stop waits."""
    rig = made(EMG)
    rig.work(State.BURST)
    rig.go(1_500 * MS)
    rig.twin.inject(Fault(FaultKind.DEAD_MAN_FAILS, rig.now_us))
    monkeypatch.setattr(cast(Driver, rig.session.stage.driver)._line._transport, "write", swallow)
    for _ in range(10):
        if hammering or not rig.session.latch.tripped:
            rig.session.stop_now("Space pressed")
        rig.go(100 * MS)
    assert rig.flowing_ua > 0
    assert rig.status.output is OutputWord.UNKNOWN
    assert rig.status.alarm == "high"
    assert "use the stop switch" in rig.status.alarm_text
    assert "looking for the board again" in rig.order(Kind.CLEAR), "and there is a way on from here"


# --- pads that peel while nobody measures (H11) --------------------------------------------------------------------


def arm(rig: Rig, kind: Kind) -> None:
    """Arm, and give one step: an output that gives nothing measures nothing."""
    assert rig.order(kind) == ""
    rig.go(SECOND)
    assert rig.order(Kind.RAISE) == ""
    rig.go(6 * SECOND)


def pause(rig: Rig) -> None:
    assert rig.order(Kind.PAUSE) == ""
    rig.go(SECOND)


def stop_and_clear(rig: Rig) -> None:
    rig.session.stop_now("Space pressed")
    rig.go(SECOND)
    assert rig.order(Kind.CLEAR) == ""


@pytest.mark.parametrize("away", [pause, stop_and_clear, lose_and_find])
def test_a_pad_that_peels_while_disarmed_stops_at_the_next_arming(made: Made, away: Callable[[Rig], None]) -> None:
    rig = made()
    rig.work(State.BURST)
    rig.go(SECOND)
    away(rig)
    peel(rig, 160)
    arm(rig, Kind.RESUME if away is pause else Kind.START)
    assert rig.state is State.STOPPED
    assert rig.status.alarm == "medium"
    assert "rose from" in rig.status.alarm_text
    if away is lose_and_find:
        assert rig.twin.ledger[0].peak_ua <= 1_000, "the board that was found again has given no more than one step"
    assert not rig.status.channels[0].pads_confirmed
    assert rig.session.preparation.ceiling_ua(0) is None


def test_a_pad_that_peels_little_by_little_in_pauses_is_seen(made: Made) -> None:
    rig = made()
    rig.work(State.BURST)
    rig.go(SECOND)
    for stops in (False, True):
        pause(rig)
        peel(rig, 130)
        arm(rig, Kind.RESUME)
        assert (rig.state is State.STOPPED) is stops


def test_pads_that_were_put_on_anew_are_measured_anew(made: Made) -> None:
    rig = made()
    rig.work(State.BURST)
    rig.go(SECOND)
    pause(rig)
    peel(rig, 160)
    arm(rig, Kind.RESUME)
    assert rig.order(Kind.CLEAR) == ""
    assert rig.state is State.PADS
    rig.operator._marked.clear()
    rig.work(State.BURST, most_us=300 * SECOND)
    assert rig.state is State.BURST
    assert rig.twin.stages[0].contact_ohm > 1_500


# --- listening through a board that was found again ----------------------------------------------------------------


def test_a_board_that_was_found_again_is_heard(made: Made) -> None:
    rig = made(EMG)
    rig.work(State.LISTENING)
    lose_and_find(rig)
    twin: Twin = rig.twin
    rig.go(5 * SECOND)
    assert rig.state is State.READY
    assert twin.analog.listening, "the trigger can be tried"
    assert rig.session.hearing is not None
    assert rig.session.hearing.ear.ready
    rig.operator._marked.clear()
    rig.operator._pressed_us = rig.now_us
    rig.work(State.LISTENING, most_us=120 * SECOND)
    assert rig.state is State.LISTENING
    assert twin.analog.listening


def test_what_is_on_while_the_board_is_exchanged_goes_on_through_the_new_one(made: Made) -> None:
    rig = made(EMG)
    rig.work(State.LISTENING)
    other = made(EMG)
    other.work(State.READY)
    hearing = rig.session.hearing
    assert hearing is not None
    assert hearing.ear.ready
    other.go(SECOND)
    other.session.stage.driver.listen(False, other.now_us)
    other.go(100 * MS)
    assert not other.twin.analog.listening
    hearing.hear_through(other.session.stage.driver, other.now_us)
    assert other.twin.analog.listening
    assert not hearing.ear.ready, "what rest is through these wires has to be learnt anew"


def test_nobody_listens_to_a_lost_board_in_silence(made: Made) -> None:
    rig = made(EMG)
    rig.work(State.READY)
    rig.go(SECOND)
    hearing = rig.session.hearing
    assert hearing is not None
    rig.session.stage.driver.close()
    with pytest.raises(LinkLost, match="lost"):
        hearing.start(rig.now_us)
    hearing._on = False
    rig.tick()
    assert rig.state is State.STOPPED
    assert rig.status.alarm == "high"
    rig.journal.flush()
    assert len(sessions(rig.store)) == 1


# --- a bad signal (H25) ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "named"),
    [(FaultKind.EMG_LEAD_OFF, "lead-off"), (FaultKind.EMG_DRIFT, "drift"), (FaultKind.EMG_SHORTED, "lead-off")],
)
def test_a_bad_signal_is_told_once_triggers_nothing_and_is_good_again(made: Made, kind: FaultKind, named: str) -> None:
    rig = made(EMG)
    rig.work(State.LISTENING)
    assert rig.session.hearing is not None
    while not rig.session.hearing.ear.ready:
        rig.go(100 * MS)
    rig.twin.advance(rig.now_us)
    before = rig.session.engine.counts().triggered
    rig.twin.inject(Fault(kind, rig.now_us, rig.now_us + 8 * SECOND))
    rig.go(7 * SECOND)
    assert rig.status.emg is not None
    assert rig.status.emg.quality == named
    assert rig.session.engine.counts().triggered == before
    rig.go(5 * SECOND)
    told = [each.payload["quality"] for each in rig.events() if each.kind == "emg-quality"]
    assert named in told
    assert told[-1] == "good"
    assert len(told) <= 4, "a change is a row: what comes on again wanders for two seconds"
