"""A plan held: a session for each block with its own record, a person between them, and the rest between two sittings."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from stimctl.cli import main
from stimctl.control import plans
from stimctl.control.clock import VirtualClock
from stimctl.control.plans import GO_ON, Asked, Between, Held, Scripted
from stimctl.errors import UsageError
from stimctl.orders import Order, OrderKind
from stimctl.protocols import Loaded, load_with_hash, loads_with_hash
from stimctl.records import reading
from stimctl.records.journal import Journal
from stimctl.records.words import SessionMeta
from stimctl.session.diary import Diary
from stimctl.session.door import AnySession
from stimctl.session.opening import Wishes
from stimctl.session.part import Part
from stimctl.units import MINUTE, SECOND
from tests.session_rig import EMG

Out = pytest.CaptureFixture[str]
NOW = "2026-03-01T12:00:00.000+00:00"
FINE = Held(0, "the session has ended", complete=True, off=True, patient="P-9", side="left")
PLAN = """\
format = 1
kind = "plan"
title = "Two blocks"
purpose = "Tries how a plan is held."
sources = ["project"]
[dose]
longest_min = 60
[week]
sessions_per_day = 1
days_per_week = 5
min_rest_h = 6
[[block]]
file = "emg.toml"
[[block]]
rest_s = 60
say = "Lie loose."
[[block]]
file = "steps.toml"
"""
STEPS = """\
format = 1
kind = "activity"
title = "Two steps"
purpose = "Two steps that only take time."
sources = ["project"]
[activity]
technique = "stretching"
[[step]]
say = "Stretch."
length_s = 5
[dose]
repetitions = 2
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A plan with a stimulating block, a rest and one without output, in files of their own."""
    (tmp_path / "emg.toml").write_text(EMG, encoding="utf-8")
    (tmp_path / "steps.toml").write_text(STEPS, encoding="utf-8")
    path = tmp_path / "plan.toml"
    path.write_text(PLAN, encoding="utf-8")
    return path


# --- whole -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", ["1", "2"])
def test_a_whole_plan_is_a_session_for_each_block(
    plan: Path, tmp_path: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch, seed: str
) -> None:
    monkeypatch.setattr(os, "isatty", lambda _fd: False)
    store = tmp_path / "records.db"
    args = ["run", str(plan), "--headless", "--speed", "max", "--seed", seed, "--store", str(store)]
    assert main(args) == 0, capsys.readouterr()
    said = capsys.readouterr().out
    assert "Plan, 2 of 3: rest of 1:00 min. Lie loose." in said
    assert "Plan: 2 of 2 blocks given whole" in said
    rows = reading.sessions(store)
    assert [row.outcome for row in rows] == ["complete", "complete"]
    opened = [reading.events(store, row.id)[0].payload for row in rows]
    parts = [_plan_of(payload) for payload in opened]
    assert [(part["block"], part["blocks"]) for part in parts] == [(1, 3), (3, 3)]
    assert {part["sha256"] for part in parts} == {load_with_hash(plan).sha256}
    assert {part["text"] for part in parts} == {PLAN}
    assert len({part["sitting"] for part in parts}) == 1
    assert [payload["protocol_text"] for payload in opened] == [EMG, STEPS]
    assert reading.verify(store).ok
    waited_us = reading.events(store, rows[1].id)[0].mono_us - reading.events(store, rows[0].id)[-1].mono_us
    assert waited_us >= 60 * SECOND


def _plan_of(payload: dict[str, object]) -> dict[str, object]:
    extra = payload["extra"]
    assert isinstance(extra, dict)
    part = extra["plan"]
    assert isinstance(part, dict)
    return part


def test_a_block_that_fails_ends_the_plan(plan: Path, tmp_path: Path, capsys: Out) -> None:
    (tmp_path / "emg.toml").write_text(STEPS.replace('"stretching"', '"stretchin"'), encoding="utf-8")
    assert main(["run", str(plan), "--headless", "--speed", "max", "--store", str(tmp_path / "r.db")]) == 1
    assert "did you mean `stretching`" in capsys.readouterr().err


# --- between the blocks ------------------------------------------------------------------------------------------


@dataclass
class Noted(Between):
    """A person who says yes or no, and a rest that takes no time."""

    begin: bool = True
    clear: bool = True
    seen: list[str] = field(default_factory=list)

    def begins(self, part: Part) -> bool:
        self.seen.append(f"begin {part.number} {part.patient}".strip())
        return self.begin

    def cleared(self, held: Held) -> bool:
        self.seen.append(f"clear {held.reason}")
        return self.clear

    def rest(self, length_us: int) -> None:
        self.seen.append(f"rest {length_us // SECOND}")


def hold(plan: Path, between: Noted, *held: Held) -> tuple[int, list[str]]:
    said: list[str] = []
    waiting = list(held)

    def session(part: Part) -> Held:
        between.seen.append(f"session {part.block.name.rpartition('/')[2]}")
        return waiting.pop(0)

    code = plans.hold(load_with_hash(plan), session, between, said.append, lambda: NOW)
    return code, said


def test_blocks_come_in_order_and_a_person_begins_each(plan: Path) -> None:
    between = Noted()
    assert hold(plan, between, FINE, FINE)[0] == 0
    assert between.seen == ["begin 1", "session emg.toml", "rest 60", "begin 3 P-9", "session steps.toml"]


def test_nothing_begins_that_nobody_began(plan: Path) -> None:
    between = Noted(begin=False)
    code, said = hold(plan, between)
    assert (code, between.seen) == (1, ["begin 1"])
    assert said[-1].startswith("Plan: 0 of 2 blocks")


@pytest.mark.parametrize(("clear", "goes_on"), [(True, True), (False, False)])
def test_a_block_that_was_stopped_needs_clearing(plan: Path, *, clear: bool, goes_on: bool) -> None:
    between = Noted(clear=clear)
    stopped = FINE._replace(code=1, complete=False, reason="stopped: Space")
    code, _ = hold(plan, between, stopped, FINE)
    assert code == 1, "a plan that lacks a block was not given whole"
    assert "clear stopped: Space" in between.seen
    assert ("session steps.toml" in between.seen) is goes_on


@pytest.mark.parametrize("change", [{"off": False}, {"code": 130}])
def test_an_output_that_is_not_known_to_be_off_or_a_signal_ends_the_plan(plan: Path, change: dict[str, int]) -> None:
    between = Noted()
    held = FINE._replace(complete=False, **change)  # type: ignore[arg-type] # either of two fields
    code, _ = hold(plan, between, held, FINE)
    assert code == (change.get("code") or 1)
    assert between.seen == ["begin 1", "session emg.toml"], "it is not even asked whether it goes on"


def test_a_complete_block_whose_output_is_unknown_ends_the_plan_too(plan: Path) -> None:
    between = Noted()
    assert hold(plan, between, FINE._replace(off=False), FINE)[0] == 1
    assert between.seen == ["begin 1", "session emg.toml"]


def test_a_script_clears_nothing_and_rests_on_the_sessions_clock() -> None:
    clock = VirtualClock()
    scripted = Scripted(clock)
    scripted.rest(5 * MINUTE)
    assert clock.now_us() == 5 * MINUTE
    assert not scripted.cleared(FINE)


@pytest.mark.parametrize(("typed", "begins", "clears"), [("", True, False), (GO_ON, False, True), ("q", False, False)])
def test_what_is_typed_between_two_blocks(
    plan: Path, monkeypatch: pytest.MonkeyPatch, typed: str, *, begins: bool, clears: bool
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _question: typed)
    asked = Asked(VirtualClock(), lambda _line: None)
    assert asked.begins(part(load_with_hash(plan))) is begins
    assert asked.cleared(FINE) is clears


def test_what_was_typed_before_the_question_answers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    termios = pytest.importorskip("termios")
    done: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(termios, "tcflush", lambda _file, _queue: done.append("forgotten"))

    def asked(_question: str) -> str:
        done.append("asked")
        return ""

    monkeypatch.setattr("builtins.input", asked)
    Asked(VirtualClock(), lambda _line: None).cleared(FINE)
    assert done == ["forgotten", "asked"]


def test_the_end_of_the_input_is_a_no(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_question: str) -> str:
        raise EOFError

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", gone)
    asked = Asked(VirtualClock(), lambda _line: None)
    assert not asked.begins(part(load_with_hash(plan)))
    assert not asked.cleared(FINE)


def test_a_plan_with_a_screen_needs_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(UsageError, match="--headless"):
        Asked(VirtualClock(), lambda _line: None)


# --- what a block may be opened with -------------------------------------------------------------------------------


def part(loaded: Loaded, number: int = 1, **more: str) -> Part:
    block = loaded.blocks[number - 1]
    assert block is not None
    wall = more.pop("wall", NOW)
    return Part(loaded, block, number, more.pop("sitting", "this"), lambda: wall, **more)


def opening(plan: Path, name: str = "emg.toml", **more: str) -> Order:
    order = Order(
        OrderKind.OPEN, protocol=str(plan.parent / name), patient="P-9", side="left", board="reference:/dev/x"
    )
    return replace(order, **more)  # type: ignore[arg-type] # texts all


def test_a_block_is_opened_with_its_own_file_alone(plan: Path, tmp_path: Path) -> None:
    with Journal(tmp_path / "r.db", wall_clock=lambda: NOW):
        first = part(load_with_hash(plan))
        first.refuse(opening(plan), tmp_path / "r.db")
        with pytest.raises(UsageError, match=r"block 1 of 3 .* not its file"):
            first.refuse(opening(plan, "steps.toml"), tmp_path / "r.db")
        (tmp_path / "emg.toml").write_text(STEPS, encoding="utf-8")
        with pytest.raises(UsageError, match="changed since the plan was read"):
            first.refuse(opening(plan), tmp_path / "r.db")


@pytest.mark.parametrize(
    ("change", "good"),
    [({}, True), ({"patient": "p-9"}, True), ({"patient": "P-8"}, False), ({"side": "right"}, False)],
)
def test_a_sitting_is_one_persons_hand(plan: Path, tmp_path: Path, change: dict[str, str], *, good: bool) -> None:
    second = part(load_with_hash(plan), 3, patient="P-9", side="left")
    order = opening(plan, "steps.toml", **change)
    if good:
        second.refuse(order, tmp_path / "none.db")
        return
    with pytest.raises(UsageError, match="begun for P-9, left hand"):
        second.refuse(order, tmp_path / "none.db")


def test_a_plan_is_not_opened_on_the_screen(plan: Path, tmp_path: Path) -> None:
    with Journal(tmp_path / "r.db", wall_clock=lambda: NOW) as journal:
        session = AnySession(Diary(journal), lambda: 0, wishes=Wishes())
        with pytest.raises(UsageError, match=r"block by block: .* stimctl run"):
            session.order(opening(plan, "plan.toml", board="sim:"), 0)
        assert "block by block" in session.status(0).refusal


# --- the rest between two sittings -----------------------------------------------------------------------------------


def meta(plan: Loaded, sitting: str = "before", **more: object) -> SessionMeta:
    found = SessionMeta(
        patient="P-9", protocol_title="t", protocol_kind="activity", protocol_sha256="0", protocol_text="", simulated=False,
        board={}, stimctl_version="0", side="left", extra=part(plan, sitting=sitting).record(),
    )  # fmt: skip
    return replace(found, **more)  # type: ignore[arg-type] # fields of its own


def rest_refusal(tmp_path: Path, plan: Path, change: Callable[[Loaded], SessionMeta], began: str, wall: str) -> str:
    """What a new sitting at ``wall`` is told after a session that began at ``began`` and took half an hour."""
    loaded, now = load_with_hash(plan), [began]
    with Journal(tmp_path / "r.db", wall_clock=lambda: now[0]) as journal:
        journal.open_session(change(loaded), mono_us=0)
        journal.close_session("complete", mono_us=30 * MINUTE)
    try:
        part(loaded, wall=wall).refuse(opening(plan), tmp_path / "r.db")
    except UsageError as error:
        return str(error)
    return ""


def at(clock: str) -> str:
    return f"2026-03-01T{clock}:00.000+00:00"


@pytest.mark.parametrize(
    ("wall", "refused"), [("12:00", True), ("15:29", True), ("15:31", False), ("08:59", True)],
    ids=["too early", "just too early", "rested", "a clock that was set back counts as no rest"],
)  # fmt: skip
def test_the_rest_between_sittings_is_from_end_to_beginning(
    plan: Path, tmp_path: Path, wall: str, *, refused: bool
) -> None:
    said = rest_refusal(tmp_path, plan, meta, at("09:00"), at(wall))
    assert bool(said) is refused
    if wall == "12:00":
        assert "ended 2.5 h ago, and it asks for 6 h between two: come back in 3.5 h" in said


@pytest.mark.parametrize(
    "change",
    [
        lambda plan: meta(plan, "this"),
        lambda plan: meta(plan, simulated=True),
        lambda plan: meta(plan, side="right"),
        lambda plan: meta(plan, patient="P-8"),
        lambda plan: meta(plan, extra={}),
        lambda plan: meta(plan, extra={"plan": {"title": "another", "sha256": "0", "sitting": "before"}}),
    ],
    ids=["this sitting", "simulated", "other hand", "other person", "no plan", "other plan"],
)
def test_what_is_no_earlier_session_of_this_plan(
    plan: Path, tmp_path: Path, change: Callable[[Loaded], SessionMeta]
) -> None:
    assert rest_refusal(tmp_path, plan, change, at("09:00"), at("12:00")) == ""


def test_a_plan_that_was_edited_is_still_the_same_plan(plan: Path, tmp_path: Path) -> None:
    def edited(loaded: Loaded) -> SessionMeta:
        other = loads_with_hash(PLAN.replace("rest_s = 60", "rest_s = 90"), "x", plan.parent)
        assert other.sha256 != loaded.sha256
        return meta(other)

    assert "come back in" in rest_refusal(tmp_path, plan, edited, at("09:00"), at("12:00"))


def test_a_simulated_board_needs_no_rest(plan: Path, tmp_path: Path) -> None:
    part(load_with_hash(plan)).refuse(opening(plan, board="sim:"), tmp_path / "none.db")


def test_the_totals_in_json_are_whole(plan: Path, capsys: Out) -> None:
    assert main(["check", str(plan), "--format", "json"]) == 0
    (document,) = json.loads(capsys.readouterr().out)["files"]
    figures = document["figures"]
    assert figures["kind"] == "plan"
    assert [each["number"] for each in figures["blocks"]] == [1, 2, 3]
    assert figures["repetitions"] == sum(each["repetitions"] for each in figures["blocks"]) > 2
