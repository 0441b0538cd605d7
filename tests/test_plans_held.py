"""A plan held: a session for each block with its own record, a person between them, and the rest between two sittings."""

from __future__ import annotations

import json
import os
import time
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
    return Part(loaded, block, number, more.pop("sitting", "this"), lambda: wall, utc_day, **more)


def utc_day(at_us: int) -> int:
    return at_us // (24 * 60 * MINUTE)


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


def kept(
    tmp_path: Path, loaded: Loaded, *began: str, change: Callable[[Loaded], SessionMeta] = meta, row: str = "armed"
) -> Path:
    """A record with a session of half an hour from each of these times on, each a sitting of its own unless changed."""
    now = [""]
    with Journal(tmp_path / "r.db", wall_clock=lambda: now[0]) as journal:
        for number, wall in enumerate(began):
            now[0], opened = wall, change(loaded)
            if change is meta:
                opened = meta(loaded, f"sitting {number}")
            journal.open_session(opened, mono_us=0)
            if row:
                journal.append(row, {}, mono_us=SECOND)
            journal.close_session("complete", mono_us=30 * MINUTE)
    return tmp_path / "r.db"


def refusal(loaded: Loaded, store: Path, wall: str, plan: Path) -> str:
    try:
        part(loaded, wall=wall).refuse(opening(plan), store)
    except UsageError as error:
        return str(error)
    return ""


def rest_refusal(tmp_path: Path, plan: Path, change: Callable[[Loaded], SessionMeta], began: str, wall: str) -> str:
    """What a new sitting at ``wall`` is told after a session that began at ``began`` and took half an hour."""
    plan.write_text(PLAN.replace("sessions_per_day = 1", "sessions_per_day = 2"), encoding="utf-8")
    loaded = load_with_hash(plan)
    return refusal(loaded, kept(tmp_path, loaded, began, change=change), wall, plan)


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
        assert "`Two blocks` for P-9, left hand ended 2.5 h ago" in said
        assert f"{plan}:11 (week.min_rest_h) asks for 6 h between two: come back in 3.5 h" in said


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


# --- the number of a day ---------------------------------------------------------------------------------------------


def a_day(plan: Path, number: int, rest_h: int = 1) -> Loaded:
    text = PLAN.replace("sessions_per_day = 1", f"sessions_per_day = {number}").replace("= 6", f"= {rest_h}")
    plan.write_text(text, encoding="utf-8")
    return load_with_hash(plan)


def test_a_day_has_no_more_sittings_than_prescribed(plan: Path, tmp_path: Path) -> None:
    loaded = a_day(plan, 2)
    store = kept(tmp_path, loaded, at("08:00"), at("10:00"))
    said = refusal(loaded, store, at("15:00"), plan)
    assert "`Two blocks` for P-9, left hand was held 2 times today" in said
    assert f"{plan}:9 (week.sessions_per_day) asks for 2 a day at most: come back tomorrow" in said
    assert refusal(loaded, store, "2026-03-02T00:00:00.000+00:00", plan) == ""
    assert refusal(a_day(plan, 3), store, at("15:00"), plan) == ""


def test_the_blocks_of_one_sitting_are_one_session_of_the_day(plan: Path, tmp_path: Path) -> None:
    loaded = a_day(plan, 2)
    store = kept(tmp_path, loaded, at("08:00"), at("08:40"), at("09:20"), change=lambda each: meta(each, "one"))
    assert refusal(loaded, store, at("15:00"), plan) == ""


def test_a_sitting_that_began_before_midnight_is_yesterdays(plan: Path, tmp_path: Path) -> None:
    loaded = a_day(plan, 1)
    store = kept(tmp_path, loaded, "2026-02-28T23:50:00.000+00:00", at("00:30"), change=lambda each: meta(each, "one"))
    assert "come back in" in refusal(loaded, store, at("01:30"), plan), "but the rest is from its end"
    assert refusal(loaded, store, at("02:30"), plan) == ""


@pytest.mark.parametrize(("row", "counts"), [("armed", True), ("start", True), ("pads-confirmed", False), ("", False)])
def test_what_was_left_before_anything_began_was_no_session(
    plan: Path, tmp_path: Path, row: str, *, counts: bool
) -> None:
    loaded = a_day(plan, 1)
    store = kept(tmp_path, loaded, at("08:00"), row=row)
    assert bool(refusal(loaded, store, at("15:00"), plan)) is counts


def test_a_time_that_cannot_be_counts_as_today(plan: Path, tmp_path: Path) -> None:
    loaded = a_day(plan, 1)
    store = kept(tmp_path, loaded, "2026-03-09T08:00:00.000+00:00")
    assert "was held once today" in refusal(loaded, store, at("15:00"), plan)
    assert "was held once today" in refusal(loaded, store, "whenever", plan)


def test_a_day_is_one_of_this_computers_own_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(time, "tzset"):
        pytest.skip("this system's time zone cannot be changed for a test")
    late, soon = (23 * 60 + 30) * MINUTE, (24 * 60 + 30) * MINUTE
    try:
        monkeypatch.setenv("TZ", "UTC")
        time.tzset()
        assert plans.local_day(late) + 1 == plans.local_day(soon)
        monkeypatch.setenv("TZ", "EST5")
        time.tzset()
        assert plans.local_day(late) == plans.local_day(soon)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_start_tells_how_many_were_done(plan: Path, tmp_path: Path) -> None:
    loaded = a_day(plan, 3)
    store = kept(tmp_path, loaded, "2026-02-27T09:00:00.000+00:00", at("08:00"), at("10:00"))
    first = part(loaded, wall=at("12:30"))
    assert first.told(first.earlier(opening(plan), store)) == (
        "Plan, before this session: 2 of 3 held today, on 2 of 5 days in the last seven; the last ended 2.0 h ago"
    )
    nobody = first.earlier(opening(plan, patient="P-8"), store)
    assert first.told(nobody) == "Plan, before this session: 0 of 3 held today, on 0 of 5 days in the last seven"


@pytest.mark.parametrize("file", ["emg.toml", "steps.toml"])
def test_the_record_and_the_screen_say_it_once(plan: Path, tmp_path: Path, file: str) -> None:
    loaded = load_with_hash(plan)
    clock = VirtualClock()
    with Journal(tmp_path / "r.db", wall_clock=lambda: NOW) as journal:
        diary = Diary(journal)
        session = AnySession(diary, clock.now_us, wishes=Wishes(), part=part(loaded, 1 if file == "emg.toml" else 3))
        session.order(opening(plan, file, board="sim:"), 0)
        for _ in range(20):
            session.tick(clock.now_us())
            clock.sleep_until(session.next_wake_us(clock.now_us()))
        assert "rehearsal" in "".join(session.status(clock.now_us()).messages)
        session.close("over", clock.now_us())
    (row,) = reading.sessions(tmp_path / "r.db")
    assert [each.payload for each in reading.events(tmp_path / "r.db", row.id) if each.kind == "plan-begun"] == [
        {"simulated": True}
    ]


def test_the_totals_in_json_are_whole(plan: Path, capsys: Out) -> None:
    assert main(["check", str(plan), "--format", "json"]) == 0
    (document,) = json.loads(capsys.readouterr().out)["files"]
    figures = document["figures"]
    assert figures["kind"] == "plan"
    assert [each["number"] for each in figures["blocks"]] == [1, 2, 3]
    assert figures["repetitions"] == sum(each["repetitions"] for each in figures["blocks"]) > 2
