"""Output first, record second; and a stop that nobody pressed is a stop like any other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from stimctl.driver import DriverState
from stimctl.engine import State
from stimctl.orders import OrderKind as Kind
from stimctl.session.core import NOBODY_LOOKED
from stimctl.session.course import NOBODY_THERE
from stimctl.sim.faults import Fault, FaultKind
from stimctl.units import MINUTE, MS, SECOND
from tests.session_rig import CYCLIC, TENS, Rig

Made = Callable[[str], Rig]
LONG = TENS.replace("duration_min = 1", "duration_min = 30")
ENDED = (DriverState.STOPPING, DriverState.STOPPED, DriverState.DISARMED, DriverState.LOST)


@pytest.fixture
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Makes rigs, and closes them all."""
    rigs: list[Rig] = []

    def make(text: str) -> Rig:
        rigs.append(Rig(tmp_path_factory.mktemp("rig"), text))
        return rigs[-1]

    yield make
    for each in rigs:
        each.close()


class Page:
    """Notes, for rows of some kinds, how the driver stood and what the latch was just as each was written."""

    def __init__(self, rig: Rig, *kinds: str) -> None:
        self.rows: list[tuple[str, DriverState, bool]] = []
        append, session = rig.journal.append, rig.session

        def noting(
            kind: str, payload: Mapping[str, object] | None = None, *, mono_us: int, durable: bool = False
        ) -> None:
            if kind in kinds:
                self.rows.append((kind, session.stage.driver.state, session.latch.tripped))
            append(kind, payload, mono_us=mono_us, durable=durable)

        rig.journal.append = noting  # type: ignore[method-assign, assignment]


def titrating(rig: Rig, presses: int = 4) -> Rig:
    rig.work(State.TITRATING)
    for _ in range(presses):
        rig.order(Kind.RAISE)
        rig.go(600 * MS)
    return rig


# --- the record waits ----------------------------------------------------------------------------------------------


def test_what_the_limiter_refuses_is_stopped_before_it_is_recorded(made: Made) -> None:
    """Site time runs out in a burst: a slow disk must not have the burst go on."""
    rig = made(CYCLIC)
    rig.work(State.SCREENING)
    rig.session.earlier_today_us = lambda: {"forearm-dorsal": 60 * MINUTE - 30 * SECOND}  # type: ignore[method-assign]
    page = Page(rig, "refusal", "fault")
    rig.work(State.STOPPED, most_us=400 * SECOND)
    assert [kind for kind, _, _ in page.rows] == ["fault", "refusal"]
    assert all(tripped and driver in ENDED for _, driver, tripped in page.rows), page.rows


def test_a_lost_board_is_stopped_before_it_is_recorded(made: Made) -> None:
    rig = made(CYCLIC)
    rig.work(State.BURST)
    page = Page(rig, "link-lost", "fault")
    rig.twin.inject(Fault(FaultKind.LINE_CUT))
    rig.go(2 * SECOND)
    assert [kind for kind, _, _ in page.rows][:2] == ["fault", "link-lost"]
    assert all(tripped for _, _, tripped in page.rows)


@pytest.mark.parametrize("order", [Kind.PAUSE, Kind.FINISH])
def test_a_pause_and_an_end_are_sent_before_they_are_recorded(made: Made, order: Kind) -> None:
    rig = made(CYCLIC)
    rig.work(State.BURST)
    page = Page(rig, order.value)
    rig.order(order)
    [(_, driver, tripped)] = page.rows
    assert (driver, tripped) == (DriverState.STOPPING, False)


def test_a_finished_dose_is_sent_before_it_is_recorded(made: Made) -> None:
    rig = made(TENS)
    page = Page(rig, "dose-done")
    rig.work(State.REVIEW)
    assert [driver for _, driver, _ in page.rows] == [DriverState.STOPPING]


def test_a_ceiling_is_recorded_after_the_level_came_down(made: Made) -> None:
    rig, flowing = made(TENS), []
    write = rig.session.diary.write

    def noting(kind: str, payload: Mapping[str, object], now_us: int, text: str = "") -> None:
        if kind == "ceiling-found":
            sent = rig.session.stage._sent
            flowing.append(sent is None or [output.train.amplitude_ua for output in sent.command.outputs])
        write(kind, payload, now_us, text)

    rig.session.diary.write = noting  # type: ignore[method-assign]
    rig.work(State.READY)
    assert flowing == [[0]]


# --- nobody is there -------------------------------------------------------------------------------------------------


def test_nobody_there_while_thresholds_are_found_is_a_stop_like_any_other(made: Made) -> None:
    rig = titrating(made(TENS))
    page = Page(rig, "stop")
    rig.go(5 * MINUTE + 31 * SECOND)
    assert rig.state is State.STOPPED
    [(_, driver, tripped)] = page.rows
    assert (driver in ENDED, tripped) == (True, True), "the frame and the latch come before the row"
    assert rig.session.stop_reason == NOBODY_THERE
    assert f"STOP: {NOBODY_THERE}" in rig.status.messages
    assert [event.payload["reason"] for event in rig.events() if event.kind == "stop"] == [NOBODY_THERE]
    assert rig.session.latch.reason == NOBODY_THERE
    rig.until_off()
    assert rig.order(Kind.CLEAR) == ""
    assert rig.state is State.THRESHOLDS
    assert not rig.session.latch.tripped


def test_nobody_there_in_treatment_is_sent_before_it_is_recorded_and_says_why(made: Made) -> None:
    rig = made(LONG)
    rig.work(State.FLOWING)
    page = Page(rig, "pause")
    rig.go(5 * MINUTE)
    assert rig.status.presence_due
    rig.go(31 * SECOND)
    assert (rig.state, rig.flowing_ua) == (State.PAUSED, 0)
    assert [(driver, tripped) for _, driver, tripped in page.rows] == [(DriverState.STOPPING, False)]
    assert [event.payload["reason"] for event in rig.events() if event.kind == "pause"] == [NOBODY_THERE]
    assert f"Paused: {NOBODY_THERE}" in rig.status.messages


def careful(rig: Rig) -> Rig:
    """As where the patient may not feel a burn."""
    rig.session.skin.careful = True
    return rig


def test_skin_that_nobody_looked_at_while_thresholds_are_found_is_a_stop_like_any_other(made: Made) -> None:
    rig = careful(titrating(made(TENS)))
    page = Page(rig, "stop")
    for _ in range(7):
        rig.order(Kind.PRESENT)
        rig.go(MINUTE)
    assert rig.state is State.STOPPED
    [(_, driver, tripped)] = page.rows
    assert (driver in ENDED, tripped) == (True, True)
    assert (rig.session.stop_reason, rig.session.latch.reason) == (NOBODY_LOOKED, NOBODY_LOOKED)


def test_skin_that_nobody_looked_at_in_treatment_is_sent_before_it_is_recorded(made: Made) -> None:
    rig = made(LONG)
    rig.work(State.FLOWING)
    page = Page(careful(rig), "pause")
    for _ in range(7):
        rig.order(Kind.PRESENT)
        rig.go(MINUTE)
    assert rig.state is State.PAUSED
    assert [(driver, tripped) for _, driver, tripped in page.rows] == [(DriverState.STOPPING, False)]


# --- who is there --------------------------------------------------------------------------------------------------------


def test_an_order_that_is_refused_or_repeats_answers_no_prompt(made: Made) -> None:
    """R at the ceiling, refused once a minute; any other key whose reports come in a stream (a jammed one).

    All in one treatment: a single one that answered would keep it going.
    """
    rig = made(LONG)
    rig.work(State.FLOWING)
    while rig.order(Kind.RAISE) == "":
        rig.go(SECOND)
    rig.order(Kind.PRESENT)
    for _ in range(6):
        rig.go(MINUTE)
        rig.order(Kind.RAISE)
        rig.order(Kind.PRESENT, repeated=True)
        rig.order(Kind.SELECT, name="extensors", repeated=True)
        rig.order(Kind.NOTE, text="x", repeated=True)
    assert rig.state is State.PAUSED


def test_a_jammed_lower_key_lowers_and_answers_no_prompt(made: Made) -> None:
    rig = made(LONG)
    rig.work(State.FLOWING)
    rig.order(Kind.PRESENT)
    for _ in range(40):
        assert rig.order(Kind.LOWER, repeated=True) == ""
    assert rig.session.engine.lanes[0].level_ua == 0
    for _ in range(5 * 60 + 31):
        rig.go(SECOND)
        rig.order(Kind.LOWER, repeated=True)
    assert rig.state is State.PAUSED


def test_an_order_that_was_carried_out_answers_it(made: Made) -> None:
    rig = made(LONG)
    rig.work(State.FLOWING)
    for _ in range(8):
        rig.go(MINUTE)
        assert rig.order(Kind.NOTE, text="asked for comfort") == ""
    assert rig.state is State.FLOWING


# --- what was given ------------------------------------------------------------------------------------------------------


def test_what_flowed_before_a_stop_is_not_taken_for_given_after_it(made: Made) -> None:
    rig = titrating(made(CYCLIC))
    rig.go(6 * SECOND)
    plan = rig.session.engine.schedule.channels[0]
    assert rig.session.measured.given_ua(plan) == 4_000
    rig.session.stop_now("Space pressed")
    rig.go(SECOND)
    assert rig.order(Kind.CLEAR) == ""
    assert rig.order(Kind.START) == ""
    rig.go(200 * MS)
    assert rig.state is State.TITRATING
    assert rig.session.measured.given_ua(plan) == 0
    assert rig.status.channels[0].given_ua == 0
