"""A session around a scripted board, put into any state by hand: the stop path, without a protocol file or a twin."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from stimctl.boards.reference import messages as m
from stimctl.driver import Driver, DriverState
from stimctl.engine import Engine, State
from stimctl.limits import Sensation
from stimctl.schedule import Schedule
from stimctl.session.core import HERE, Session
from stimctl.session.diary import Diary
from stimctl.session.link import Link
from stimctl.session.opening import Wishes
from stimctl.session.preparation import Preparation
from stimctl.session.stage import OutputStage
from tests.driver_board import Bench
from tests.schedules import cyclic

WISHES = Wishes(patient="P-1")


class Page:
    """Stands in for the diary: keeps what is written and said. ``react`` is called with every kind."""

    def __init__(self) -> None:
        self.failed = ""
        self.rows: list[tuple[str, dict[str, object], int]] = []
        self.lines: list[str] = []
        self.react: Callable[[str], None] = lambda _: None
        """What happens elsewhere just as something is written, or as a page is turned over ("")."""

    def write(self, kind: str, payload: dict[str, object], now_us: int, text: str = "") -> None:
        self.rows.append((kind, payload, now_us))
        self.lines += [text] if text else []
        self.react(kind)

    def say(self, text: str) -> None:
        self.lines.append(text)

    def turn_over(self) -> None:
        self.lines.clear()
        self.react("")

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _, _ in self.rows]


def link(driver: Driver) -> Link:
    return Link(driver, None, lambda _: None)


class SessionBench:
    """A session in ``state`` on a board that has introduced itself, or ``armed``; its time is the bench's."""

    def __init__(
        self, state: State | None = State.READY, *, armed: bool = False, schedule: Schedule | None = None
    ) -> None:
        self.bench = Bench().armed() if armed else Bench().connected()
        self.page = Page()
        self.session = Session(cast(Diary, self.page), lambda: 0, wishes=WISHES, seed=7, reach=HERE)
        self.session.latch = self.bench.latch
        if state is not None:
            self.open(state, schedule or cyclic())
        self.stops_before = self.stops_heard

    def open(self, state: State, schedule: Schedule) -> None:
        """As if a protocol had been chosen, and everything done that leads to ``state``."""
        session = self.session
        session._engine, session._preparation = Engine(schedule), Preparation(schedule)
        session.engine.state = state
        session._stage = OutputStage(self.bench.latch, self.bench.driver)
        session.stage.prepare(schedule, lambda _: Sensation.NORMAL, {}, self.now_us)
        session.connection.link = link(self.bench.driver)

    @property
    def now_us(self) -> int:
        return self.bench.now_us

    @property
    def state(self) -> State:
        return self.session.state

    @property
    def driver_state(self) -> DriverState:
        return self.bench.driver.state

    @property
    def stops_heard(self) -> int:
        """How many stops the board has heard by now."""
        self.bench.board.work()
        return len(self.bench.board.said(m.Stop))

    @property
    def new_stops(self) -> int:
        return self.stops_heard - self.stops_before
