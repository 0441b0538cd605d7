"""``diff``: what changed clinically, then every other field; nothing when two files say the same."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from stimctl.authoring import fields
from stimctl.cli import main
from stimctl.control import authoring
from stimctl.protocols import library
from tests.protocol_texts import CYCLIC, TENS, TWO, edit

Out = pytest.CaptureFixture[str]
NAMES = [entry.name for entry in library()]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    (tmp_path / "before.toml").write_text(TWO)
    return tmp_path


def told(folder: Path, text: str, capsys: Out, *options: str) -> tuple[int, str]:
    (folder / "after.toml").write_text(text)
    code = main(["diff", str(folder / "before.toml"), str(folder / "after.toml"), *options])
    return code, capsys.readouterr().out


def test_a_stronger_channel_is_told_with_all_that_follows_from_it(kept: Path, capsys: Out) -> None:
    code, out = told(kept, edit(TWO, ("max_amplitude_ma = 25.0", "max_amplitude_ma = 30.0")), capsys)
    assert code == 1
    section = out.partition("channel extensors\n")[2].partition("\n\n")[0]
    for line in (
        "amplitude at most: 25 -> 30 mA (+20 %)",
        "charge per phase, at most: 7.5 -> 9 µC (+20 %)",
        "rms at most",
    ):
        assert line in section, section
    assert "rms density at most" in section
    treatment = out.partition("treatment\n")[2].partition("\n\n")[0]
    for what in ("charge per phase in all, at most", "highest charge per phase: 7.5 -> 9 µC", "highest rms"):
        assert what in treatment
    assert "channel thumb" not in out
    assert "max_amplitude_ma" not in out, "told once"


def test_the_order_is_a_clinicians(kept: Path, capsys: Out) -> None:
    text = edit(
        TWO,
        ('title = "Test"', 'title = "Other"'),
        ("rate_hz = 35", "rate_hz = 40"),
        ("hold_s = 5.0", "hold_s = 4.0"),
        ("repetitions = 30", "repetitions = 20"),
        ("dwell_ms = 50", "dwell_ms = 60"),
        ('model = "round-25"', 'model = "round-32"'),
    )
    _, out = told(kept, text, capsys)
    heads = [line.partition(":")[0] for line in out.splitlines()[1:] if line and not line.startswith(" ")]
    assert heads == [
        "treatment",
        "channel extensors",
        "channel thumb",
        "burst",
        "dose",
        "trigger",
        "pad thumb",
        "title",
    ]
    whole = out.partition("treatment\n")[2].partition("\n\n")[0]
    rows = [line.strip().partition(":")[0] for line in whole.splitlines() if not line.startswith("    ")]
    wanted = ("time on", "charge per phase in all, at most", "highest rms", "highest rms density", "nearest limit")
    assert [each for each in rows if each in wanted] == list(wanted)
    assert "burst: hold_s: 5 -> 4 (-20 %)\ndose: repetitions: 30 -> 20 (-33 %)\n" in out, "a section of one is a line"


def test_a_figure_of_the_only_channel_is_told_with_the_whole(kept: Path, capsys: Out) -> None:
    (kept / "before.toml").write_text(CYCLIC)
    _, out = told(kept, edit(CYCLIC, ("rate_hz = 35", "rate_hz = 40")), capsys)
    section = out.partition("channel extensors: ")[2].partition("\n")[0]
    assert section == "rate: 35 -> 40 Hz (+14 %)"
    assert len(re.findall("charge per phase in all", out)) == 1


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_protocol_is_the_same_as_itself(name: str, capsys: Out) -> None:
    assert main(["diff", name, name]) == 0
    assert "are the same, byte for byte" in capsys.readouterr().out


def test_comments_layout_and_defaults_are_no_difference(kept: Path, capsys: Out) -> None:
    text = edit(TWO, ("rate_hz = 35", "rate_hz = 35.0   # as before"), ("interphase_gap_us = 0\n", ""))
    code, out = told(kept, text, capsys)
    assert (code, "say the same: only comments or layout differ" in out) == (0, True)


def test_a_mark_that_no_editor_shows_is_a_difference_in_bytes(kept: Path, capsys: Out) -> None:
    code, out = told(kept, "\ufeff" + TWO, capsys)
    assert (code, "say the same: only comments or layout differ" in out) == (0, True)


def test_a_channel_on_one_side_only_is_a_single_line(kept: Path, capsys: Out) -> None:
    text = edit(TWO, ('name = "thumb"', 'name = "intrinsics"'), ("amplitude_ma = 8.0", "amplitude_ma = 9.0"))
    code, out = told(kept, text, capsys)
    assert code == 1
    gone = "channel thumb: only in A: 35 Hz, 200 µs, 8 mA (at most 16), output 2, "
    assert [line.startswith(gone) for line in out.splitlines() if "thumb:" in line] == [True], out
    assert (
        len([line for line in out.splitlines() if "intrinsics" in line and "only in B: 35 Hz, 200 µs, 9 mA" in line])
        == 1
    )


def test_another_name_alone_is_told_as_that(kept: Path, capsys: Out) -> None:
    text = TWO.replace('"extensors"', '"openers"').replace("distal]", "lower]").replace('"distal"', '"lower"')
    code, out = told(kept, text, capsys)
    assert code == 1
    assert out.splitlines()[1:] == [
        "channel extensors: renamed to openers, all else equal",
        "pad distal: renamed to lower, all else equal",
    ]


def test_a_name_that_changed_with_its_pulses_is_no_renaming(kept: Path, capsys: Out) -> None:
    text = edit(TWO, ('name = "thumb"', 'name = "intrinsics"'), ("amplitude_ma = 8.0", "amplitude_ma = 9.0"))
    _, out = told(kept, text, capsys)
    assert "renamed" not in out
    assert "channel thumb: only in A" in out


def test_pads_that_changed_their_places_are_not_renamed(kept: Path, capsys: Out) -> None:
    """Two of one model: the first channel's new one may not stand for the one that another channel shares."""
    text = edit(TWO, ("[pads.thumb]", '[pads.lower]\nmodel = "square-50x50"\n\n[pads.thumb]'))
    text = edit(text, ('pads = ["proximal", "distal"]', 'pads = ["proximal", "lower"]'))
    _, out = told(kept, text, capsys)
    assert "renamed" not in out
    assert "pad lower: only in B: square-50x50" in out
    assert "pads: proximal, distal -> proximal, lower" in out


def test_a_task_with_other_names_for_its_phases_is_the_same_task(tmp_path: Path, capsys: Out) -> None:
    text = authoring.library_text("grasp-release-sequence")
    for old, new in (('"hold"', '"carry"'), ('"release"', '"let-go"'), ("thenar", "thumb"), ("flexors", "closers")):
        text = text.replace(f"channel.{old} =", f"channel.{new} =").replace(f"[pads.{old}]", f"[pads.{new}]")
        text = text.replace(old, new) if old.startswith('"') else text.replace(f'"{old}"', f'"{new}"')
    text = text.replace('site = "thumb"', 'site = "thenar"')
    (tmp_path / "mine.toml").write_text(text)
    assert main(["diff", "grasp-release-sequence", str(tmp_path / "mine.toml")]) == 1
    rows = capsys.readouterr().out.splitlines()[1:]
    assert sorted(rows) == [
        "channel flexors: renamed to closers, all else equal",
        "channel thenar: renamed to thumb, all else equal",
        "pad thenar: renamed to thumb, all else equal",
        "phase hold: renamed to carry, all else equal",
        "phase release: renamed to let-go, all else equal",
    ]


def test_the_same_channels_or_phases_in_another_order_are_not_the_same(kept: Path, capsys: Out) -> None:
    text = authoring.library_text("grasp-release-sequence")
    first, second = text.index("[[channel]]"), text.rindex("[[channel]]")
    end = text.index("[[phase]]")
    (kept / "before.toml").write_text(text)
    code, out = told(kept, text[:first] + text[second:end] + text[first:second] + text[end:], capsys)
    assert code == 1
    assert out.splitlines()[1:] == ["channels: order: extensors, flexors, thenar -> thenar, extensors, flexors"]
    goals: dict[str, object] = {"length_s": 2, "advance": "time", "channel": {}}
    one, other = ({"phase": [{"name": name, **goals} for name in names]} for names in (("a", "b"), ("b", "a")))
    assert [(each.section, each.what) for each in fields.fields(one, other)] == [("phases", "order")]


def test_a_step_more_in_the_midst_is_one_line(kept: Path, capsys: Out) -> None:
    text = authoring.library_text("exercise-make-a-fist")
    first = text.index("[[step]]")
    (kept / "before.toml").write_text(text)
    _, out = told(kept, f'{text[:first]}[[step]]\nsay = "Sit up."\nlength_s = 3\n\n{text[first:]}', capsys)
    assert [line for line in out.splitlines() if line.startswith("step")] == [
        "step 1: only in B: say Sit up., length_s 3, counts no, hold_s 0, when each, time practice"
    ]


def test_no_heading_stands_twice(capsys: Out) -> None:
    for one, other in (("grasp-release-sequence", "wrist-finger-extensors-cyclic"), ("plan-stage-1", "plan-stage-2")):
        assert main(["diff", one, other]) == 1
        out = capsys.readouterr().out
        heads = [line for line in out.splitlines()[1:] if line and not line.startswith(" ") and ":" not in line]
        assert len(heads) == len(set(heads))
        assert len(out.splitlines()) < 65, "names that differ altogether are a page, not a catalogue"


def test_a_plans_dose_comes_before_its_blocks(capsys: Out) -> None:
    assert main(["diff", "plan-stage-1", "plan-stage-2"]) == 1
    out = capsys.readouterr().out
    for line in ("length at most: 68.33 -> 65.67 min (-4 %)", "repetitions: 85 -> 125 (+47 %)", "forearm-dorsal with"):
        assert line in out.partition("block 1")[0]


def test_two_plans_with_the_same_words_and_other_files_differ(tmp_path: Path, capsys: Out) -> None:
    plan = authoring.library_text("plan-pain").replace('file = "tens-conventional-two-channel"', 'file = "mine.toml"')
    assert "mine.toml" in plan
    for folder, hz in (("a", "100"), ("b", "90")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "plan.toml").write_text(plan)
        text = authoring.library_text("tens-conventional-two-channel").replace("rate_hz = 100", f"rate_hz = {hz}")
        (tmp_path / folder / "mine.toml").write_text(text)
    assert main(["diff", str(tmp_path / "a/plan.toml"), str(tmp_path / "b/plan.toml")]) == 1
    out = capsys.readouterr().out
    assert f"file mine.toml: differs; see stimctl diff {tmp_path}/a/mine.toml {tmp_path}/b/mine.toml\n" in out


def test_another_kind_altogether(kept: Path, capsys: Out) -> None:
    for text in (CYCLIC, TENS, authoring.library_text("exercise-make-a-fist")):
        code, out = told(kept, text, capsys)
        assert code == 1
        assert "kind: fes-emg-triggered -> " in out


def test_for_a_program(kept: Path, capsys: Out) -> None:
    code, out = told(kept, edit(TWO, ("rest_s = 10.0", "rest_s = 12.0")), capsys, "--format", "json")
    document = json.loads(out)
    assert (code, document["equal"], document["same_text"]) == (1, False, False)
    change = next(each for each in document["changes"] if each["what"] == "burst.rest_s")
    assert change == {"section": "burst", "what": "burst.rest_s", "before": 10.0, "after": 12.0, "unit": ""}
    code, out = told(kept, TWO, capsys, "--format", "json")
    assert (code, json.loads(out)["changes"]) == (0, [])


def test_what_cannot_be_read_is_neither_equal_nor_different(kept: Path, capsys: Out) -> None:
    code, out = told(kept, "kind = 3\n", capsys)
    assert (code, out) == (2, "")
    assert main(["diff", "-", "-"]) == 2
    assert main(["diff", str(kept / "before.toml"), str(kept / "absent.toml")]) == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("output = 1", "output = 3"),
        ('muscle = "extensor digitorum communis"', 'muscle = "extensor carpi radialis"'),
        ("interphase_gap_us = 0", "interphase_gap_us = 100"),
        ("set_rest_s = 60", "set_rest_s = 90"),
        ('cue = true\nattempt_window_s = 8.0\non_missed = "count"\n', "cue = false\n"),
        ('sources = ["nobody: a test"]', 'sources = ["nobody: a test", "somebody"]'),
        ("sources = ", "stages = [1, 2]\nsources = "),
        ('pads = ["thumb", "distal"]', 'pads = ["thumb", "proximal"]'),
    ],
)
def test_no_change_of_a_field_goes_unseen(old: str, new: str, kept: Path, capsys: Out) -> None:
    code, out = told(kept, edit(TWO, (old, new)), capsys)
    assert code == 1
    field = new.partition(" =")[0]
    assert field in out, out
