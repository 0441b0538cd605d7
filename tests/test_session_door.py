"""The door between the choice and the two sorts of session: who gets a stop, an order, a pass and the end, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from stimctl.driver import Cause, Disarmed, Faulted, Lost, OutputState
from stimctl.engine import State
from stimctl.engine.guide_table import GuideEvent
from stimctl.engine.guide_table import GuideState as Guided
from stimctl.errors import BoardFault, LinkLost, UsageError
from stimctl.orders import Order
from stimctl.orders import OrderKind as Kind
from stimctl.protocols import library_text, loads_with_hash
from stimctl.safety import Latch
from stimctl.session.diary import Diary
from stimctl.session.door import AnySession
from stimctl.session.guided import ANSWER_US, GuidedSession
from stimctl.session.opening import Wishes
from stimctl.units import SECOND
from tests.session_bench import Page

T_US = 10 * SECOND


class Part:
    """Stands in for either sort of session: keeps what reaches it."""

    def __init__(self, name: str) -> None:
        self.name = self.wishes = name
        self.heard: list[tuple[object, ...]] = []
        self.opened = self.may_be_energised = self.ended = self.went_wrong = False
        self.refusal, self.latch = "", Latch()
        self.state = State.CHOOSING
        self.link: Any = None
        self.case: object = None
        self.connection = SimpleNamespace(is_opening=False, close=lambda: self.heard.append(("let go",)))
        self.guide = SimpleNamespace(complete=False)
        self.engine = SimpleNamespace(complete=False)
        self.react: Callable[[], None] = lambda: None
        self.wrong: Exception | None = None

    def _hear(self, *what: object) -> None:
        self.heard.append(what)
        self.react()
        if self.wrong is not None:
            raise self.wrong

    def stop_now(self, reason: str) -> None:
        self._hear("stop", reason)

    def order(self, order: Order, now_us: int) -> None:
        self._hear("order", order.kind, now_us)

    def tick(self, now_us: int) -> None:
        self._hear("tick", now_us)

    def close(self, reason: str, now_us: int) -> None:
        self._hear("close", reason, now_us)

    def note(self, text: str, now_us: int) -> None:
        self._hear("note", text, now_us)

    def next_wake_us(self, now_us: int) -> int:
        return now_us + len(self.name)

    def fileno(self) -> int:
        return len(self.name)

    def status(self, now_us: int) -> object:
        return self.name, now_us

    def review(self) -> tuple[str, ...]:
        return (self.name,)


@dataclass
class Hall:
    """The door, with stand-ins on both sides of it."""

    door: Any
    output: Part = field(default_factory=lambda: Part("with output"))
    work: Part = field(default_factory=lambda: Part("without"))

    def chosen(self) -> Hall:
        self.door.guided, self.work.opened = self.work, True
        return self


@pytest.fixture
def hall() -> Hall:
    made = Hall(AnySession(cast(Diary, Page()), lambda: 0, wishes=Wishes(patient="P-1")))
    made.door.stimulating = made.output
    return made


# --- stop ----------------------------------------------------------------------------------------------------------


def test_a_stop_goes_to_the_session_that_there_is(hall: Hall) -> None:
    hall.door.stop_now("Space pressed")
    assert (hall.output.heard, hall.work.heard) == ([("stop", "Space pressed")], [])
    hall.chosen().door.stop_now("again")
    assert (len(hall.output.heard), hall.work.heard) == (1, [("stop", "again")])


def test_a_stop_in_the_moment_of_the_choice_reaches_both(hall: Hall) -> None:
    hall.output.react = lambda: setattr(hall.door, "guided", hall.work)
    hall.door.stop_now("Space pressed")
    assert hall.output.heard == hall.work.heard == [("stop", "Space pressed")]


def test_both_sorts_hang_on_one_latch() -> None:
    door = AnySession(cast(Diary, Page()), lambda: 0, wishes=Wishes())
    door.order(opening(), T_US)
    assert door.guided is not None
    assert door.guided.latch is door.stimulating.latch
    assert door.wishes == door.guided.wishes == door.stimulating.wishes
    assert door.wishes.patient == "P-1"


# --- orders and passes -----------------------------------------------------------------------------------------------


def test_orders_and_passes_go_to_the_session_that_there_is(hall: Hall) -> None:
    hall.door.order(Order(Kind.PAUSE), 5)
    hall.door.tick(6)
    hall.door.note("a remark", 7)
    assert hall.output.heard == [("order", Kind.PAUSE, 5), ("tick", 6), ("note", "a remark", 7)]
    hall.chosen().door.order(Order(Kind.OPEN), 8)
    hall.door.tick(9)
    assert hall.work.heard == [("order", Kind.OPEN, 8), ("tick", 9)]
    assert len(hall.output.heard) == 3


@pytest.mark.parametrize("state", [each for each in State if each is not State.CHOOSING])
def test_once_something_was_chosen_nothing_else_is_opened(hall: Hall, state: State) -> None:
    hall.output.state = state
    hall.door.order(opening(), 5)
    assert hall.output.heard == [("order", Kind.OPEN, 5)]


def test_while_a_board_is_being_opened_nothing_else_is(hall: Hall) -> None:
    hall.output.connection.is_opening = True
    hall.door.order(opening(), 5)
    assert hall.output.heard == [("order", Kind.OPEN, 5)]


def test_a_file_that_cannot_be_opened_is_told_and_leaves_the_choice(hall: Hall) -> None:
    with pytest.raises(UsageError, match="side"):
        hall.door.order(opening(side="up"), 5)
    assert "side" in hall.output.refusal
    assert hall.door.guided is None


def test_what_came_to_nothing_leads_back_to_the_choice_with_its_port_let_go(hall: Hall) -> None:
    closed: list[str] = []
    hall.chosen().work.opened = False
    hall.work.wrong = UsageError("no board answered")
    hall.work.link = SimpleNamespace(driver=SimpleNamespace(close=lambda: closed.append("port")))
    hall.door.tick(5)
    assert (hall.door.guided, hall.output.refusal, closed) == (None, "no board answered", ["port"])
    hall.chosen().work.opened, hall.work.link = False, None
    hall.door.tick(6)
    assert hall.door.guided is None


def test_what_fails_later_is_not_taken_back(hall: Hall) -> None:
    hall.chosen().work.wrong = UsageError("broken")
    with pytest.raises(UsageError, match="broken"):
        hall.door.tick(5)
    assert hall.door.guided is hall.work


# --- the end ---------------------------------------------------------------------------------------------------------


def test_closing_closes_the_session_that_there_is(hall: Hall) -> None:
    hall.door.close("quit", 5)
    assert hall.output.heard == [("close", "quit", 5)]


@pytest.mark.parametrize("ended", [True, False])
def test_closing_lets_a_port_go_that_the_choice_held(hall: Hall, *, ended: bool) -> None:
    hall.output.ended = ended
    hall.chosen().door.close("quit", 5)
    assert hall.work.heard == [("close", "quit", 5)]
    assert hall.output.heard == ([] if ended else [("let go",)])


# --- reading ---------------------------------------------------------------------------------------------------------


def test_what_is_read_is_of_the_session_that_there_is(hall: Hall) -> None:
    for part in (hall.output, hall.chosen().work):
        hall.door.guided = hall.work if part is hall.work else None
        assert hall.door.status(5) == (part.name, 5)
        assert hall.door.review() == (part.name,)
        assert hall.door.fileno() == len(part.name)
        assert hall.door.next_wake_us(5) == 5 + len(part.name)
        for name in ("may_be_energised", "ended", "went_wrong", "link"):
            setattr(part, name, True)
            assert getattr(hall.door, name)
            setattr(part, name, False)
            assert not getattr(hall.door, name)


def test_a_session_is_open_and_complete_as_its_own_sort_is(hall: Hall) -> None:
    assert not hall.door.is_open
    assert not hall.door.complete
    hall.output.case = object()
    assert hall.door.is_open
    assert not hall.door.complete
    hall.output.engine.complete = True
    assert hall.door.complete
    hall.chosen()
    assert not hall.door.complete
    hall.work.guide.complete = True
    assert hall.door.complete
    hall.output.case = None
    assert hall.door.is_open
    hall.work.opened = False
    assert not hall.door.is_open


# --- the stop of work without output ---------------------------------------------------------------------------------


def opening(side: str = "left") -> Order:
    return Order(Kind.OPEN, protocol="exercise-make-a-fist", patient="P-1", side=side, board="none:")


class Board:
    """Stands in for a driver: hears stops, and says what it is told to say."""

    def __init__(self) -> None:
        self.stops: list[str] = []
        self.says: list[object] = []
        self.output = OutputState.OFF
        self.closed = 0

    def stop(self, reason: str) -> None:
        self.stops.append(reason)

    def poll(self, now_us: int) -> list[object]:
        says, self.says = self.says, []
        return says

    def close(self) -> None:
        self.closed += 1


class Work:
    """Guided work in a state of choice, with a board that is there and never armed."""

    def __init__(self, state: Guided = Guided.DOING, *, opened: bool = True) -> None:
        text = library_text("exercise-make-a-fist")
        self.page, self.board, self.latch = Page(), Board(), Latch()
        loaded = loads_with_hash(text, "fist.toml")
        self.page.close = lambda *row: self.page.rows.append(("closed", {"as": row[0]}, row[-1]))  # type: ignore[attr-defined]
        self.session = GuidedSession(opening(), loaded, cast(Diary, self.page), self.latch, lambda: 0, 1, 0)
        self.session.link = cast(Any, SimpleNamespace(driver=self.board, patient=None))
        self.session.guide.state, self.session.opened = state, opened

    def pass_(self, now_us: int = T_US) -> None:
        self.session.tick(now_us)


def test_a_stop_of_work_is_one_trip_and_one_frame_before_the_session_hears_of_it() -> None:
    work = Work()
    work.session.stop_now("Space pressed")
    assert (work.latch.epoch, work.latch.reason, work.board.stops) == (1, "Space pressed", ["Space pressed"])
    assert (work.session.state, work.page.rows) == (Guided.DOING, [])
    work.page.say("an older line")
    work.pass_()
    assert work.session.state is Guided.STOPPED
    assert (work.session.stop_reason, work.page.lines) == ("Space pressed", ["STOP: Space pressed"])
    [(kind, payload, at_us)] = work.page.rows
    assert (kind, payload["reason"], at_us) == ("stop", "Space pressed", T_US)
    assert work.latch.tripped


def test_two_stops_at_once_are_one_and_the_first_is_told() -> None:
    work = Work()
    work.session.stop_now("first")
    work.session.stop_now("second")
    work.pass_()
    work.pass_(T_US + 1)
    assert (work.session.stop_reason, work.page.kinds, work.board.stops) == ("first", ["stop"], ["first", "second"])


def test_a_stop_that_comes_while_another_is_cleared_is_not_lost() -> None:
    work = Work()
    work.session.stop_now("Space pressed")
    work.latch.clear()  # the clearing of an earlier one, in the same moment
    work.pass_()
    assert (work.session.state, work.session.stop_reason) == (Guided.STOPPED, "Space pressed")


def test_what_was_cleared_stops_nothing_later() -> None:
    work = Work()
    work.session.stop_now("first")
    work.session.stop_now("second")
    work.pass_()
    work.latch.clear()
    work.session.guide.state = Guided.DOING
    work.pass_()
    assert (work.session.state, work.page.kinds) == (Guided.DOING, ["stop"])


def test_a_pass_takes_the_time_and_looks_at_what_is_heard_once_the_work_is_open() -> None:
    for opened in (False, True):
        work, seen = Work(opened=opened), list[int]()
        work.session._look = seen.append  # type: ignore[method-assign, assignment]
        work.pass_(1)
        assert (work.session.state, work.session.now_us, work.page.rows) == (Guided.DOING, 1, [])
        assert seen == ([1] if opened else [])


def test_before_the_work_is_open_there_is_no_record_that_could_fail() -> None:
    work = Work(opened=False)
    work.page.failed = "disk full"
    work.pass_(1)
    assert not work.session.went_wrong


def test_closing_what_never_opened_leaves_the_latch_to_others() -> None:
    work = Work(Guided.SCREENING, opened=False)
    work.latch.trip("the terminal is gone")
    work.session.close("the terminal is gone", T_US)
    assert work.latch.tripped


def test_a_latch_that_somebody_else_tripped_stops_the_work_too() -> None:
    work = Work()
    work.latch.trip("the dead-man of the screen")
    work.pass_()
    assert (work.session.state, work.session.stop_reason) == (Guided.STOPPED, "the dead-man of the screen")


def test_a_stop_comes_before_an_order() -> None:
    work = Work(Guided.READY)
    work.session.stop_now("Space pressed")
    with pytest.raises(UsageError):
        work.session.order(Order(Kind.START), T_US)
    assert work.session.state is Guided.STOPPED
    assert work.session.refusal


@pytest.mark.parametrize(
    ("state", "opened", "output", "holds"),
    [
        (Guided.SCREENING, False, OutputState.OFF, False),
        (Guided.REVIEW, True, OutputState.OFF, False),
        (Guided.REVIEW, True, OutputState.UNKNOWN, True),
        (Guided.STOPPED, True, OutputState.OFF, True),
        (Guided.PAUSED, True, OutputState.OFF, True),
    ],
)
def test_a_latch_is_let_go_only_where_nothing_runs_that_it_could_hold(
    state: Guided, output: OutputState, *, opened: bool, holds: bool
) -> None:
    work = Work(state, opened=opened)
    work.board.output = output
    work.session.stop_now("Space pressed")
    work.session._take_stops(T_US)
    assert work.latch.tripped is holds
    assert work.session.state is (Guided.STOPPED if state is Guided.PAUSED else state)


PULLED = LinkLost("pulled")
WRONG = [
    (Lost(PULLED), "the board is lost: pulled"),
    (Faulted(BoardFault("stuck on")), "the board reports a fault: stuck on"),
    (Disarmed(Cause.RESET, "the board was reset"), "the board was reset"),
]


@pytest.mark.parametrize("state", [Guided.DOING, Guided.REVIEW])
@pytest.mark.parametrize(("event", "reason"), WRONG, ids=lambda each: type(each).__name__)
def test_what_is_wrong_with_the_board_holds_the_work(event: object, reason: str, state: Guided) -> None:
    work = Work(state)
    work.board.says = [event]
    work.pass_()
    assert (work.session.went_wrong, work.session.alarm, work.session.stop_reason) == (True, ("medium", reason), reason)
    assert (work.latch.tripped, work.page.lines) == (True, [f"FAULT: {reason}"])
    assert work.session.state is (Guided.STOPPED if state is Guided.DOING else Guided.REVIEW)
    assert [payload.get("reason") for kind, payload, _ in work.page.rows if kind == "fault"] == (
        [reason] if state is Guided.DOING else []
    )


@pytest.mark.parametrize("state", [Guided.DOING, Guided.RESTING, Guided.PAUSED])
def test_a_record_that_fails_holds_work_that_is_under_way(state: Guided) -> None:
    work = Work(state)
    work.page.failed = "disk full"
    work.pass_()
    under_way = state is not Guided.PAUSED
    assert work.session.state is (Guided.STOPPED if under_way else state)
    assert work.page.lines == (["FAULT: the record cannot be written: disk full"] if under_way else [])


@pytest.mark.parametrize("event", [event for event, _ in WRONG[:2]])
def test_a_board_that_is_lost_before_the_work_began_is_told_to_the_door(event: Lost | Faulted) -> None:
    work = Work(Guided.SCREENING, opened=False)
    work.board.says = [event]
    with pytest.raises(type(event.error), match=str(event.error)):
        work.pass_(1)


def test_a_board_has_its_time_to_answer_and_no_longer() -> None:
    work = Work(Guided.SCREENING, opened=False)
    work.pass_(ANSWER_US - 1)
    with pytest.raises(LinkLost, match="no board answered"):
        work.pass_(ANSWER_US)


@pytest.mark.parametrize("output", OutputState)
def test_closing_stops_a_board_that_is_not_known_to_be_off_and_ends_once(output: OutputState) -> None:
    work = Work()
    work.board.output = output
    work.session.close("the terminal is gone", T_US)
    off = output is OutputState.OFF
    assert work.board.stops == ([] if off else ["the terminal is gone"])
    assert work.page.kinds[: None if off else 1] == (["closed"] if off else ["stop"])
    assert (work.session.ended, work.board.closed, work.session.output) == (True, 1, output)
    stops = list(work.board.stops)
    work.session.close("again", T_US + 1)
    assert (work.page.kinds.count("closed"), work.board.closed, work.board.stops) == (1, 1, stops)
    work.board.says = [Disarmed(Cause.RESET, "late")]
    work.pass_(T_US + 2)
    assert not work.session.went_wrong


def test_a_stop_after_the_end_changes_nothing_in_the_record() -> None:
    work = Work()
    work.session.close("quit", T_US)
    rows = list(work.page.rows)
    work.session.stop_now("late")
    assert work.page.rows == rows
    assert GuideEvent.STOP.value not in work.page.kinds
