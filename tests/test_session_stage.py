"""The output stage and the connection, one call at a time: what each hands to the limiter and the driver, and when."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from stimctl.boards.reference import messages as m
from stimctl.driver import Driver, DriverState, OutputState
from stimctl.envelope.latch import approve
from stimctl.errors import LinkTimeout, Refusal
from stimctl.limits import Sensation
from stimctl.pulse import Command, Output, symmetric
from stimctl.safety import Approved, Latch, Limiter, Rule
from stimctl.session import stage as s
from stimctl.session.connection import Connection
from stimctl.session.core import HERE
from stimctl.session.opening import Case, Opening
from stimctl.session.pressing import PRESS_UA
from stimctl.session.stage import OutputStage
from tests.driver_board import MS, Bench
from tests.schedules import cyclic
from tests.session_bench import link

T_US = 10_000_000
SILENT = Command((Output(0, symmetric(0, 300, 35_000)),))


def silent() -> Command:
    """Equal to :data:`SILENT`, and another object."""
    return Command((Output(0, symmetric(0, 300, 35_000)),))


def loud(ua: int) -> Command:
    return Command((Output(0, symmetric(ua, 300, 35_000)),))


def stage_on(bench: Bench, *, prepared: bool = True) -> OutputStage:
    stage = OutputStage(bench.latch, bench.driver)
    if prepared:
        stage.prepare(cyclic(), lambda _: Sensation.NORMAL, {}, bench.now_us)
    return stage


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[Command]:
    """What the limiter was asked; it approves everything."""
    asked: list[Command] = []

    def approving(limiter: Limiter, command: Command, _now_us: int) -> Approved:
        asked.append(command)
        return approve(command, limiter._latch.epoch, limiter._latch)

    monkeypatch.setattr(Limiter, "approve", approving)
    return asked


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Command]:
    """What the driver was given to send."""
    given: list[Command] = []
    monkeypatch.setattr(Driver, "send", lambda _driver, approved, _now_us: given.append(approved.command))
    return given


def test_the_times_and_steps_of_the_stage() -> None:
    """The loop beats every 100 ms (F.3), a fifth of the board's longest dead-man; one press is one milliampere (R2)."""
    assert (s.BEAT_US, s.WAIT_US, PRESS_UA) == (100_000, 5_000, 1_000)


# --- disarming -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prepared", [False, True])
def test_disarming_disarms_the_board_whether_there_is_a_limiter_or_not(prepared: bool) -> None:
    bench = Bench().armed()
    stage_on(bench, prepared=prepared).disarm(SILENT, bench.now_us)
    assert bench.driver.state is DriverState.STOPPING
    bench.run(20 * MS)
    assert bench.driver.state is DriverState.DISARMED
    assert not bench.latch.tripped


def test_disarming_ends_an_arming_too_and_nothing_else() -> None:
    bench = Bench().connected()
    stage = stage_on(bench)
    heard = len(bench.board.heard)
    stage.disarm(SILENT, bench.now_us)
    bench.board.work()
    assert (bench.driver.state, len(bench.board.heard)) == (DriverState.DISARMED, heard)
    bench.board.deaf = {m.StatusRequest}
    bench.driver._state = DriverState.ARMING
    stage.disarm(SILENT, bench.now_us)
    assert bench.driver.state is DriverState.STOPPING


def test_disarming_tells_the_limiter_of_zero_and_locks_it(
    monkeypatch: pytest.MonkeyPatch, judged: list[Command]
) -> None:
    locked: list[int] = []
    monkeypatch.setattr(Limiter, "close", lambda _: locked.append(len(judged)))
    bench = Bench().armed()
    stage_on(bench).disarm(SILENT, bench.now_us)
    assert judged == [SILENT]
    assert locked == [1], "the zero first: what is approved after the lock would be void"


@pytest.mark.parametrize("rule", [Rule.LATCHED, Rule.CLOCK])
def test_a_refusal_for_a_stop_alone_does_not_keep_the_board_armed_in_silence(
    monkeypatch: pytest.MonkeyPatch, rule: Rule
) -> None:
    def refusing(*_: object) -> Approved:
        raise Refusal(rule, 0, 0, "", now_us=0)

    bench = Bench().armed()
    stage = stage_on(bench)
    monkeypatch.setattr(Limiter, "approve", refusing)
    locked: list[int] = []
    monkeypatch.setattr(Limiter, "close", lambda _: locked.append(1))
    if rule is Rule.LATCHED:
        stage.disarm(SILENT, bench.now_us)
    else:
        with pytest.raises(Refusal):
            stage.disarm(SILENT, bench.now_us)
    assert bench.driver.state is DriverState.STOPPING
    assert locked == [1], "whatever it found: nothing it approved before may still leave"
    bench.board.work()
    assert type(bench.board.heard[-1].word) is m.Stop, "told before anything is raised"


def test_what_was_sent_before_disarming_is_news_again(judged: list[Command], sent: list[Command]) -> None:
    bench = Bench().armed()
    stage = stage_on(bench)
    stage.deliver(SILENT, bench.now_us)
    stage.disarm(SILENT, bench.now_us)
    assert stage._sent is None
    stage.deliver(SILENT, bench.now_us)
    assert (len(judged), sent) == (3, [SILENT, SILENT])


# --- delivering ------------------------------------------------------------------------------------------------------


def test_every_command_is_judged_and_only_news_is_sent(judged: list[Command], sent: list[Command]) -> None:
    bench = Bench().armed()
    stage = stage_on(bench)
    for command in (SILENT, SILENT, silent(), loud(100), loud(100), loud(200), SILENT):
        stage.deliver(command, bench.now_us)
    assert judged == [SILENT, SILENT, SILENT, loud(100), loud(100), loud(200), SILENT]
    assert sent == [SILENT, loud(100), loud(200), SILENT]


def test_what_was_made_void_on_its_way_is_sent_again(judged: list[Command], sent: list[Command]) -> None:
    bench = Bench().armed()
    stage = stage_on(bench)
    stage.deliver(SILENT, bench.now_us)
    bench.latch.void()
    stage.deliver(SILENT, bench.now_us)
    stage.deliver(SILENT, bench.now_us)
    assert (len(judged), sent) == (3, [SILENT, SILENT])


def test_beats_count_the_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    beats: list[tuple[int, int]] = []
    stage = stage_on(Bench().connected())
    monkeypatch.setattr(Driver, "beat", lambda _driver, counter, now_us: beats.append((counter, now_us)))
    for now_us in (10, 20, 30):
        stage.beat(now_us)
    assert beats == [(1, 10), (2, 20), (3, 30)]


def test_a_stop_of_the_stage_is_the_drivers() -> None:
    bench = Bench().armed()
    stage_on(bench).stop_now("Space pressed")
    bench.board.work()
    assert bench.latch.reason == "Space pressed"
    assert len(bench.board.said(m.Stop)) == 2, "the first one began the connection"


@pytest.mark.parametrize("state", DriverState)
def test_the_stage_looks_often_while_an_answer_is_awaited(state: DriverState) -> None:
    bench = Bench().connected()
    bench.driver._state = state
    waiting = state in (DriverState.CONNECTING, DriverState.ARMING, DriverState.STOPPING)
    assert stage_on(bench).next_wake_us(T_US) == T_US + (5_000 if waiting else 100_000)


def test_the_stage_knows_of_output_what_its_driver_knows() -> None:
    bench = Bench().connected()
    stage = stage_on(bench)
    assert stage.output is OutputState.OFF
    bench.latch.trip("somebody")
    assert stage.output is OutputState.UNKNOWN


# --- the connection ----------------------------------------------------------------------------------------------------


class Asking:
    """Stands in for an opening: ``answer`` is what comes of it."""

    def __init__(self, bench: Bench, answer: Case | Exception | None = None) -> None:
        self.link = link(bench.driver)
        self.answer = answer

    def ready(self, _now_us: int) -> Case | None:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def connection(asking: Asking | None = None) -> Connection:
    made = Connection(Latch(), lambda: 0, 1, HERE)
    made._opening = cast(Opening, asking) if asking else None
    return made


def is_closed(bench: Bench) -> bool:
    return bench.driver.state is DriverState.LOST


def test_a_port_is_unknown_while_what_is_there_has_not_confirmed_zero() -> None:
    assert not connection().is_unknown
    bench = Bench()
    asked = connection(Asking(bench))
    assert asked.is_unknown
    bench.connected()
    assert not asked.is_unknown
    asked._silent = True
    assert asked.is_unknown
    silent = connection()
    silent._silent = True
    assert silent.is_unknown


def test_a_stop_reaches_every_board_that_nobody_has_told() -> None:
    asked, sought, known = (Bench().connected() for _ in range(3))
    there = connection(Asking(asked))
    there._searching, there.link = link(sought.driver), link(known.driver)
    there.stop("Space pressed", told=known.driver)
    assert [bench.latch.reason for bench in (asked, sought, known)] == ["Space pressed", "Space pressed", ""]
    there.stop("again", told=asked.driver)
    assert [bench.latch.epoch for bench in (asked, sought, known)] == [1, 2, 1]
    there.stop("again", told=None)
    assert [bench.latch.epoch for bench in (asked, sought, known)] == [2, 3, 2]


def test_a_stop_where_no_board_is_does_nothing() -> None:
    connection().stop("Space pressed", told=None)


def test_an_answer_that_is_awaited_is_none_yet() -> None:
    assert connection().opened(T_US) is None
    asked = connection(Asking(Bench()))
    assert asked.opened(T_US) is None
    assert asked.is_opening
    assert asked.link is None


def test_a_board_that_answered_is_the_sessions() -> None:
    bench, case = Bench().connected(), cast(Case, SimpleNamespace())
    asked = connection(Asking(bench, case))
    assert asked.opened(T_US) is case
    assert asked.link is not None
    assert asked.link.driver is bench.driver
    assert not asked.is_opening
    assert not is_closed(bench)


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_board_that_no_session_comes_of_is_let_go_and_remembered_unless_it_confirmed_zero(confirmed: bool) -> None:
    bench = Bench().connected() if confirmed else Bench()
    asked = connection(Asking(bench, LinkTimeout("no board answered")))
    with pytest.raises(LinkTimeout):
        asked.opened(T_US)
    assert is_closed(bench)
    assert not asked.is_opening
    assert asked.link is None
    assert asked.is_unknown is not confirmed


def test_closing_lets_go_of_every_port() -> None:
    connection().close()
    asked, sought, known = (Bench().connected() for _ in range(3))
    there = connection(Asking(asked))
    there._searching, there.link = link(sought.driver), link(known.driver)
    there.close()
    assert all(is_closed(bench) for bench in (asked, sought, known))
    alone = Bench().connected()
    known_alone = connection()
    known_alone.link = link(alone.driver)
    known_alone.close()
    assert is_closed(alone)
