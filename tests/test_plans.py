"""Plans: what a block may be, where its file stands, and what all blocks come to together."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from stimctl.authoring import drafts, plans
from stimctl.control import authoring
from stimctl.control import drafts as pictures
from stimctl.errors import Fault, ProtocolError, UsageError
from stimctl.protocols import Plan, dumps, library, library_text, load, load_with_hash, loads, loads_with_hash, tidy
from stimctl.protocols.models import stimulating
from stimctl.protocols.plan_totals import length_us
from stimctl.units import MINUTE, SECOND

SHIPPED = [entry.name for entry in library() if entry.kind == "plan"]
HEAD = """\
format = 1
kind = "plan"
title = "A sitting"
purpose = "Tries what a plan may be."
sources = ["project"]
"""
DOSE = "[dose]\nlongest_min = 200\n"
BALL = '[[block]]\nfile = "therapy-ball"\n'
REST = "[[block]]\nrest_s = 60\n"
EXTENSORS = '[[block]]\nfile = "wrist-finger-extensors-cyclic"\n'


def text(*blocks: str, stages: str = "stages = [2]\n", dose: str = DOSE, week: str = "") -> str:
    return HEAD + stages + dose + week + "".join(blocks)


def faults(source: str, folder: Path | None = None) -> tuple[Fault, ...]:
    with pytest.raises(ProtocolError) as caught:
        loads_with_hash(source, "plan.toml", folder)
    return caught.value.faults


def the_fault(source: str, field: str, folder: Path | None = None) -> Fault:
    found = [each for each in faults(source, folder) if each.field == field]
    assert len(found) == 1, faults(source, folder)
    return found[0]


def week(per_day: int, days: int, rest_h: float) -> str:
    return f"[week]\nsessions_per_day = {per_day}\ndays_per_week = {days}\nmin_rest_h = {rest_h}\n"


# --- the shipped ones --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_plan_is_whole(name: str) -> None:
    opened = loads_with_hash(library_text(name), name)
    plan = opened.protocol
    assert isinstance(plan, Plan)
    assert loads(dumps(plan), "again.toml") == plan
    assert tidy(library_text(name), name) == library_text(name)
    assert len(opened.blocks) == len(plan.blocks)
    assert [each is None for each in opened.blocks] == [block.rest_s is not None for block in plan.blocks]
    report = authoring._fly(opened, {})
    assert report.ok
    assert report.warnings == ()
    figures = authoring.figures(report)
    assert figures is not None
    assert figures["length_s"] * 1e6 == length_us(plan, [each and each.protocol for each in opened.blocks])
    assert figures["length_s"] <= plan.dose.longest_min * 60


def test_there_is_a_plan_for_each_stage_and_for_pain_and_tone() -> None:
    assert {*SHIPPED} >= {"plan-stage-1", "plan-stage-2", "plan-stage-3", "plan-pain", "plan-tone"}
    for stage in (1, 2, 3):
        assert loads(library_text(f"plan-stage-{stage}"), "x").stages == (stage,)


def test_the_totals_are_those_of_the_blocks() -> None:
    draft = drafts.draft(loads_with_hash(library_text("plan-stage-2"), "x"))
    assert isinstance(draft.plan, plans.PlanDraft)
    found = plans.plan_facts(draft.plan)
    alone = {
        name: authoring.figures(authoring._fly(loads_with_hash(library_text(name), name), {}))
        for name in ("wrist-finger-extensors-emg-adaptive", "pinch-release-sequence")
    }
    assert found.on_s == pytest.approx(sum(each["on_s"] for each in alone.values() if each))
    assert found.charge_mc == pytest.approx(sum(each["charge_mc"] for each in alone.values() if each), rel=1e-5)
    assert found.repetitions == 5 + 40 + 20 + 20 + 40
    dorsal = next(each for each in found.sites if each.site == "forearm-dorsal")
    assert dorsal.blocks == (1, 5)
    assert dorsal.treated_us == (17 * 60 + 40 + 15 * 60 + 20) * SECOND
    assert dorsal.counted_us == dorsal.treated_us + 20 * MINUTE


# --- what a block may be -----------------------------------------------------------------------------------------


def test_a_plan_of_shipped_files_is_good() -> None:
    assert isinstance(loads(text(BALL, REST, EXTENSORS, week=week(1, 5, 16)), "x"), Plan)


@pytest.mark.parametrize(
    ("source", "field", "words"),
    [
        (text(BALL, "[[block]]\n"), "block[2]", "file or rest_s"),
        (text(BALL, BALL + "rest_s = 60\n"), "block[2].rest_s", "not both"),
        (text(BALL + 'say = "Go."\n'), "block[1].say", "only a rest"),
        (text(REST, BALL), "block[1].rest_s", "begins"),
        (text(BALL, REST), "block[2].rest_s", "ends"),
        (text(BALL, REST, REST, BALL), "block[3].rest_s", "make it one"),
        (text(REST), "block", "only rests"),
        (text(BALL, week=week(4, 1, 6)), "week.sessions_per_day", "do not fit into a day"),
        (text(BALL, week=week(1, 7, 24)), "week.min_rest_h", "so many sessions"),
        (text(BALL, dose="[dose]\nlongest_min = 5\n"), "dose.longest_min", "together"),
        (text(BALL, stages="stages = [1, 2]\n"), "block[1].file", "stage 1"),
        (text(BALL, stages=""), "block[1].file", "stage 1"),
        (text(EXTENSORS, EXTENSORS), "block[2].file", "forearm-dorsal"),
        (text(EXTENSORS, week=week(2, 5, 6)), "week.sessions_per_day", "too often for forearm-dorsal"),
        (text(BALL, '[[block]]\nfile = "plan-pain"\n'), "block[2].file", "is a plan"),
        (text('[[block]]\nfile = "therapy-bal"\n'), "block[1].file", "did you mean `therapy-ball`"),
        (text('[[block]]\nfile = "therapy-ball.toml"\n'), "block[1].file", "stands in no folder"),
        (text('[[block]]\nfile = "/etc/x.toml"\n'), "block[1].file", "from the plan's own folder"),
        (text('[[block]]\nfile = "C:/x.toml"\n'), "block[1].file", "from the plan's own folder"),
        (text("[[block]]\nfile = 'a\\b.toml'\n"), "block[1].file", "write /"),
        (text("[block]\nrest_s = 60\n"), "block", "[[block]]"),
        (text(BALL.replace("file", "flie")), "block[1].flie", "did you mean `file`"),
        (text(BALL).replace('"plan"', '"plann"'), "kind", "did you mean `plan`"),
    ],
)
def test_a_plan_is_refused_where_it_is_wrong(source: str, field: str, words: str) -> None:
    fault = the_fault(source, field)
    assert words in str(fault)
    assert fault.line > 0


def test_a_fault_stands_at_its_line() -> None:
    source = text(BALL, '[[block]]\nfile = "therapy-bal"\n')
    fault = the_fault(source, "block[2].file")
    assert source.splitlines()[fault.line - 1] == 'file = "therapy-bal"'
    assert fault.column == 8


# --- files of one's own ------------------------------------------------------------------------------------------


def test_a_path_is_from_the_folder_of_the_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "ball.toml").write_text(library_text("therapy-ball"), encoding="utf-8")
    plan = tmp_path / "plan.toml"
    plan.write_text(text('[[block]]\nfile = "mine/ball.toml"\n'), encoding="utf-8")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    opened = load_with_hash(plan)
    block = opened.blocks[0]
    assert block is not None
    assert block == load_with_hash(tmp_path / "mine" / "ball.toml")
    assert load(plan) == opened.protocol


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "hand.toml").write_text("", encoding="utf-8")
    assert (
        "did you mean `hand.toml`"
        in the_fault(text('[[block]]\nfile = "hnad.toml"\n'), "block[1].file", tmp_path).message
    )
    shipped = the_fault(text('[[block]]\nfile = "therapy-ball.toml"\n'), "block[1].file", tmp_path)
    assert "did you mean the shipped `therapy-ball`" in shipped.message
    beside = the_fault(text('[[block]]\nfile = "hand"\n'), "block[1].file", tmp_path)
    assert "did you mean the file `hand.toml`" in beside.message


def test_a_plan_that_names_itself_is_refused(tmp_path: Path) -> None:
    plan = tmp_path / "round.toml"
    plan.write_text(text(BALL, '[[block]]\nfile = "round.toml"\n'), encoding="utf-8")
    with pytest.raises(ProtocolError) as caught:
        load(plan)
    assert [each.field for each in caught.value.faults] == ["block[2].file"]
    assert "is a plan" in str(caught.value)


def test_the_faults_of_a_block_are_told_with_their_own_lines(tmp_path: Path) -> None:
    wrong = library_text("therapy-ball").replace("sets = 2", "sets = 200")
    (tmp_path / "ball.toml").write_text(wrong, encoding="utf-8")
    found = faults(text('[[block]]\nfile = "ball.toml"\n'), tmp_path)
    assert [(each.file, each.field) for each in found] == [
        ("plan.toml", "block[1].file"),
        (str(tmp_path / "ball.toml"), "dose.sets"),
    ]
    assert wrong.splitlines()[found[1].line - 1].startswith("sets = 200")


# --- check, preview, stimulation -----------------------------------------------------------------------------------


def test_what_a_block_warns_of_is_told_with_its_number(tmp_path: Path) -> None:
    plan = tmp_path / "numb.toml"
    numb = '[[block]]\nfile = "tens-conventional-forearm"\n[[block]]\nfile = "stretching-wrist-fingers"\n'
    angle = '[[block]]\nfile = "biofeedback-angle-wrist"\n'
    plan.write_text(text(numb, angle), encoding="utf-8")
    (report,) = authoring.check([str(plan)], io.BytesIO())
    assert report.ok
    told = [each.message for each in report.warnings]
    assert any("block 2 stretches right after TENS" in each for each in told)
    assert any(each.startswith("block 3, biofeedback-angle-wrist: ") for each in told)


def test_a_rest_after_tens_does_not_make_it_less_numb(tmp_path: Path) -> None:
    plan = tmp_path / "numb.toml"
    numb = '[[block]]\nfile = "tens-conventional-forearm"\n', REST, '[[block]]\nfile = "stretching-wrist-fingers"\n'
    plan.write_text(text(*numb), encoding="utf-8")
    (report,) = authoring.check([str(plan)], io.BytesIO())
    assert any("block 3 stretches right after TENS" in each.message for each in report.warnings)


def test_a_preview_shows_every_block() -> None:
    shown = pictures.preview_text("plan-tone", io.BytesIO(), 100, lambda words, _role: words, plain=True)
    for number in (1, 2, 4):
        assert f"block {number}" in shown
    assert "rest" in shown
    assert "<svg" in str(pictures.preview_file("plan-tone", io.BytesIO(), "x.svg"))


def test_a_comparison_names_the_block(tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(library_text("plan-tone").replace("rest_s = 300", "rest_s = 600"), encoding="utf-8")
    changes = pictures.compare("plan-tone", str(other), io.BytesIO()).changes
    told = [(each.section, each.what, each.before, each.after) for each in changes]
    assert told == [("treatment", "length at most", 83 + 5 / 6, 88 + 5 / 6), ("block 3", "block.3.rest_s", 300, 600)]


def test_a_plan_by_itself_stimulates_nothing() -> None:
    with pytest.raises(UsageError, match="each a session of its own"):
        stimulating(loads(library_text("plan-pain"), "x"))


# --- property ----------------------------------------------------------------------------------------------------

_NAMES = [entry.name for entry in library() if entry.kind != "plan"]


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(st.lists(st.sampled_from(_NAMES), min_size=1, max_size=4), st.integers(10, 600), st.integers(5, 540))
def test_what_is_accepted_keeps_its_dose_and_every_place(names: list[str], rest_s: int, longest_min: int) -> None:
    between = f"[[block]]\nrest_s = {rest_s}\n"
    source = text(
        between.join(f'[[block]]\nfile = "{name}"\n' for name in names),
        stages="",
        dose=f"[dose]\nlongest_min = {longest_min}\n",
    )
    try:
        opened = loads_with_hash(source, "drawn.toml")
    except ProtocolError as refused:
        found_at = {each.field.partition("[")[0] for each in refused.faults}
        assume(not found_at <= {"block", "dose.longest_min"})
        raise
    draft = drafts.draft(opened)
    assert isinstance(draft.plan, plans.PlanDraft)
    found = plans.plan_facts(draft.plan)
    lengths = [_length_s(each, rest_s) for each in draft.plan.blocks]
    assert found.length_s == pytest.approx(sum(lengths))
    assert found.length_s <= 60 * longest_min
    assert all(each.counted_us <= 60 * MINUTE for each in found.sites)


def _length_s(draft: drafts.Draft | None, rest_s: int) -> float:
    if draft is None:
        return float(rest_s)
    assert not isinstance(draft.plan, plans.PlanDraft)
    return draft.plan.longest_us / 1e6
