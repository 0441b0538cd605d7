"""Sessions without output: the board is never armed, the record says so, and stop, pause and pain hold the work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stimctl.control.operator import ScriptedOperator
from stimctl.driver import DriverState, OutputState
from stimctl.errors import StimctlError
from stimctl.orders import Order, OutputWord, Stage, Status
from stimctl.orders import OrderKind as Kind
from stimctl.protocols import library, library_text
from stimctl.records.journal import Journal
from stimctl.records.reading import events, sessions
from stimctl.session.diary import Diary
from stimctl.session.door import AnySession
from stimctl.session.guided import GuidedSession
from stimctl.session.opening import Wishes
from stimctl.units import MINUTE, MS, SECOND

SHORT = ("repetitions = 10", "repetitions = 2"), ("set_rest_s = 90", "set_rest_s = 5")
QUICK = [
    entry.name
    for entry in library()
    if entry.kind == "activity" and entry.name not in ("mental-imagery-hand-opening", "constraint-induced-practice")
]


class Rig:
    """A session behind the door, on the twin and a virtual clock, as the scripted operator would work it."""

    def __init__(self, folder: Path, text: str, *, board: str = "sim:", emg: str = "", seed: int = 1) -> None:
        path = folder / "file.toml"
        path.write_text(text, encoding="utf-8")
        self.store = folder / "r.db"
        self.journal = Journal(self.store, wall_clock=lambda: "2026-01-01T00:00:00.000+00:00")
        self.now_us = 0
        self.session = AnySession(Diary(self.journal), lambda: self.now_us, wishes=Wishes(), seed=seed)
        self.opening = Order(Kind.OPEN, protocol=str(path), patient="P-1", side="right", board=board, emg=emg)

        def presses(now_us: int) -> bool:
            link = self.session.link
            return link is not None and link.patient is not None and link.patient.presses(now_us)

        self.operator = ScriptedOperator(self.opening, presses=presses)
        self.seen: list[Status] = []
        self._look_us = 0

    @property
    def status(self) -> Status:
        return self.session.status(self.now_us)

    @property
    def guided(self) -> GuidedSession:
        assert self.session.guided is not None
        return self.session.guided

    def order(self, kind: Kind, value: str = "", name: str = "") -> str:
        try:
            self.session.order(Order(kind, value=value, name=name), self.now_us)
        except StimctlError as error:
            return str(error)
        return ""

    def work(self, until: str = "", most_us: int = 200 * MINUTE) -> None:
        end_us = self.now_us + most_us
        while not self.session.ended and self.now_us < end_us:
            self.session.tick(self.now_us)
            if self.now_us >= self._look_us:
                self._look_us = self.now_us + 300 * MS
                status = self.status
                self.seen.append(status)
                if until and status.state == until:
                    return
                for order in self.operator(status, self.now_us):
                    self.session.order(order, self.now_us)
            self.now_us = self.session.next_wake_us(self.now_us)

    def go(self, us: int) -> None:
        end_us = self.now_us + us
        while self.now_us < end_us:
            self.session.tick(self.now_us)
            self.now_us = min(end_us, self.session.next_wake_us(self.now_us))
        self.session.tick(self.now_us)

    def record(self) -> list[tuple[str, dict[str, object]]]:
        self.journal.flush()
        [row] = sessions(self.store)
        return [(event.kind, event.payload) for event in events(self.store, row.id)]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[list[Rig]]:
    rigs: list[Rig] = []
    yield rigs
    for rig in rigs:
        rig.session.close("test over", rig.now_us)
        rig.journal.close()


def rig(
    made: list[Rig], folder: Path, name: str = "exercise-make-a-fist", *changes: tuple[str, str], **more: str
) -> Rig:
    text = library_text(name)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    made.append(Rig(folder, text, board=more.get("board", "sim:"), emg=more.get("emg", "")))
    return made[-1]


@pytest.mark.parametrize("board", ["sim:", "sim:openemsstim", "sim:uecu"])
def test_a_board_that_takes_its_time_is_waited_for(board: str, made: list[Rig], tmp_path: Path) -> None:
    """One that boots for long is asked as patiently as before a session with output."""
    each = rig(made, tmp_path, board=board)
    each.work("screening")
    assert each.status.refusal == ""
    assert each.guided.opened


@pytest.mark.parametrize("name", QUICK)
def test_every_file_runs_to_its_end_and_records_what_was_done(made: list[Rig], tmp_path: Path, name: str) -> None:
    one = rig(made, tmp_path, name)
    one.work()
    rows = dict(one.record())
    closed = rows["session-closed"]
    assert closed["outcome"] == "complete"
    assert closed["output"] == "disabled"
    assert closed["done"] == closed["prescribed"] or closed["missed"]
    assert "output-disabled" in rows
    assert rows["session-opened"]["extra"]["output"] == "disabled"  # type: ignore[index]
    assert all(
        status.disabled and status.output is OutputWord.OFF for status in one.seen if status.stage is not Stage.START
    )


def test_the_board_is_never_armed(made: list[Rig], tmp_path: Path) -> None:
    one = rig(made, tmp_path, "exercise-make-a-fist", *SHORT)
    one.work("doing")
    assert one.session.link is not None
    driver = one.session.link.driver
    assert driver.state is DriverState.DISARMED
    for kind in (Kind.RAISE, Kind.BEGIN, Kind.CONFIRM_PADS, Kind.MARK, Kind.SELECT):
        assert "no output stage" in one.order(kind)
    assert driver.state is DriverState.DISARMED
    one.work()
    assert one.session.guided is not None
    assert not hasattr(one.session.guided, "stage")
    assert [kind for kind, _ in one.record() if "arm" in kind] == []


def test_questions_about_electricity_are_not_asked(made: list[Rig], tmp_path: Path) -> None:
    one = rig(made, tmp_path)
    one.work("screening")
    asked = {question.id for question in one.status.questions}
    assert not asked & {"implant", "switch", "jewellery", "allergy", "stop-tried", "pregnancy"}
    assert {"fracture", "pain-asked", "position", "equipment"} <= asked
    assert "not answered" in one.order(Kind.NEXT)
    assert one.order(Kind.ANSWER, "yes", "fracture") == ""
    assert one.order(Kind.NEXT) == ""
    assert one.status.stage is Stage.REVIEW


def test_a_stop_holds_the_work_and_clearing_leads_to_a_pause(made: list[Rig], tmp_path: Path) -> None:
    one = rig(made, tmp_path)
    one.work("doing")
    one.session.stop_now("a key")
    one.go(100 * MS)
    assert (one.status.state, one.status.stopped, one.status.stop_reason) == ("stopped", True, "a key")
    one.go(2 * SECOND)
    done = one.guided.guide.tally.practice_us
    one.go(20 * SECOND)
    assert one.guided.guide.tally.practice_us == done
    assert one.order(Kind.CLEAR) == ""
    assert one.status.state == "paused"
    assert one.order(Kind.RESUME) == ""
    one.go(SECOND)
    assert one.guided.guide.tally.practice_us > done
    assert one.guided.guide.tally.stops == 1


def test_pain_pauses_and_is_recorded(made: list[Rig], tmp_path: Path) -> None:
    one = rig(made, tmp_path)
    one.work("doing")
    assert one.order(Kind.PAIN, "4") == ""
    assert one.status.state == "doing"
    assert one.order(Kind.PAIN, "5") == ""
    assert one.status.state == "paused"
    assert [payload["nrs"] for kind, payload in one.record() if kind == "pain"] == [4, 5]
    assert one.order(Kind.FINISH) == ""
    assert one.order(Kind.CLOSE) == ""
    assert dict(one.record())["session-closed"]["outcome"] == "ended early"


def test_without_a_board_nothing_is_simulated(made: list[Rig], tmp_path: Path) -> None:
    one = rig(made, tmp_path, board="none:")
    one.session.order(one.opening, one.now_us)
    one.go(100 * MS)
    status = one.status
    assert (status.state, status.simulated, status.board, status.disabled) == ("screening", False, "no board", True)
    assert not one.session.may_be_energised
    assert one.guided.output is OutputState.OFF


def test_a_real_patient_is_not_judged_by_a_replay_or_an_angle_that_nobody_measures(
    made: list[Rig], tmp_path: Path
) -> None:
    one = rig(made, tmp_path, "biofeedback-angle-wrist", board="none:")
    one.session.order(one.opening, 0)
    one.go(10 * MS)
    assert "name the goniometer or glove" in one.status.refusal
    assert one.status.stage is Stage.START
    assert one.session.guided is None


def test_a_file_that_listens_to_nothing_is_given_no_recording(made: list[Rig], tmp_path: Path) -> None:
    one = rig(made, tmp_path, emg="file:x.npz")
    with pytest.raises(StimctlError, match="listens to no EMG"):
        one.session.order(one.opening, 0)


def test_the_wear_log_adds_up(made: list[Rig], tmp_path: Path) -> None:
    one = rig(made, tmp_path, "constraint-induced-practice")
    one.work("doing")
    assert one.status.guide is not None
    assert one.status.guide.wearing
    assert "already" in one.order(Kind.WEAR, "on")
    one.go(3 * MINUTE)
    assert one.order(Kind.WEAR, "off") == ""
    one.go(MINUTE)
    worn_us = one.guided.wear.worn_us(one.now_us)
    assert 3 * MINUTE <= worn_us < 4 * MINUTE
    assert one.order(Kind.KEY) == "" or one.guided.guide.key_refusal()


def test_biofeedback_by_emg_counts_attempts_and_moves_its_goal(made: list[Rig], tmp_path: Path) -> None:
    one = rig(
        made, tmp_path, "biofeedback-emg-extensors", ("repetitions = 20", "repetitions = 6"), ("sets = 3", "sets = 1"),
        ("rest_s = 10", "rest_s = 4"), ("raise_after = 2", "raise_after = 1"),
    )  # fmt: skip
    one.work()
    kinds = [kind for kind, _ in one.record()]
    closed = dict(one.record())["session-closed"]
    assert closed["reached"]
    assert closed["reached"] + closed["missed"] == 6  # type: ignore[operator]
    assert kinds.count("repetition-counted") == closed["reached"]
    assert "goal-moved" in kinds
    assert closed["reached_percent"] == 100 * closed["reached"] // 6


def test_a_stimulating_file_goes_through_the_same_door(made: list[Rig], tmp_path: Path) -> None:
    one = rig(made, tmp_path, "thenar-cyclic")
    one.session.order(one.opening, 0)
    one.go(100 * MS)
    assert one.session.guided is None
    assert one.session.stimulating.case is not None
    assert one.session.is_open
    assert not one.status.disabled
