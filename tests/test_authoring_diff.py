"""``diff``: what changed clinically, then every other field; nothing when two files say the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stimctl.cli import main
from stimctl.control import authoring
from tests.protocol_texts import CYCLIC, TENS, TWO, edit

Out = pytest.CaptureFixture[str]
NAMES = [entry.name for entry in authoring.library()]


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
    assert "total charge per phase, at most" in out.partition("treatment\n")[2].partition("\n\n")[0]
    assert "channel thumb" not in out
    assert "channel.extensors.max_amplitude_ma" not in out, "told once"


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
    sections = [line for line in out.splitlines()[1:] if line and not line.startswith(" ")]
    assert sections == ["treatment", "channel extensors", "channel thumb", "burst", "dose", "trigger", "pads", "head"]


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_protocol_is_the_same_as_itself(name: str, capsys: Out) -> None:
    assert main(["diff", name, name]) == 0
    assert "are the same, byte for byte" in capsys.readouterr().out


def test_comments_layout_and_defaults_are_no_difference(kept: Path, capsys: Out) -> None:
    text = edit(TWO, ("rate_hz = 35", "rate_hz = 35.0   # as before"), ("interphase_gap_us = 0\n", ""))
    code, out = told(kept, text, capsys)
    assert (code, "say the same: only comments or layout differ" in out) == (0, True)


def test_a_channel_more_or_less(kept: Path, capsys: Out) -> None:
    text = edit(TWO, ('name = "thumb"', 'name = "intrinsics"'))
    code, out = told(kept, text, capsys)
    assert code == 1
    assert "channel: thumb, output 2, 8 (at most 16) mA, 200 µs, 35 Hz -> nothing" in out
    assert "channel: nothing -> intrinsics, output 2" in out


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
