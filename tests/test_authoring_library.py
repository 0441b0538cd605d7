"""``library``: a list that can be searched, and copies that overwrite nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from stimctl.cli import main
from stimctl.control import authoring
from stimctl.protocols import KINDS, library

Out = pytest.CaptureFixture[str]
NAMES = [entry.name for entry in library()]


def listed(capsys: Out, *options: str) -> list[str]:
    assert main(["library", *options]) == 0
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split() == ["NAME", "KIND", "STAGE", "TITLE"]
    return [row.split()[0] for row in rows]


def test_the_list_has_columns(capsys: Out) -> None:
    assert main(["library"]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = lines[0].index("KIND"), lines[0].index("STAGE"), lines[0].index("TITLE")
    for line, entry in zip(lines[1:], authoring.library(), strict=True):
        cells = line[: at[0]], line[at[0] : at[1]], line[at[1] : at[2]], line[at[2] :]
        assert [cell.strip() for cell in cells] == [entry.name, entry.kind, entry.stages_text, entry.title]


@pytest.mark.parametrize("kind", KINDS)
def test_by_kind(kind: str, capsys: Out) -> None:
    wanted = [entry.name for entry in library() if entry.kind == kind]
    if wanted:
        assert listed(capsys, "--kind", kind) == wanted


def test_by_words_of_title_purpose_and_muscle_in_any_case(capsys: Out) -> None:
    assert "thenar-cyclic" in listed(capsys, "--search", "OPPONENS pollicis")
    assert "thenar-cyclic" in listed(capsys, "--search", "pinch")
    assert main(["library", "--search", "pinch nowhere-to-be-found"]) == 1
    assert "no shipped protocol fits" in capsys.readouterr().err


def test_by_stage(capsys: Out) -> None:
    entries = authoring.library()
    for stage in (1, 2, 3):
        names = listed(capsys, "--stage", str(stage))
        for entry in entries:
            assert (entry.name in names) == (not entry.stages or stage in entry.stages)
    assert main(["library", "--stage", "4"]) == 2


def test_stages_in_words() -> None:
    entry = authoring.library()[0]
    for stages, said in (((), "any"), ((2,), "2"), ((1, 2), "1-2"), ((3, 1), "1,3"), ((3, 2, 1), "1-3")):
        assert authoring.Entry(entry.name, entry.kind, entry.title, "", stages).stages_text == said


def test_a_copy_is_the_file_itself_and_overwrites_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out
) -> None:
    monkeypatch.chdir(tmp_path)
    for options, path in ((["--copy"], tmp_path / f"{NAMES[0]}.toml"), (["-o", "mine.toml"], tmp_path / "mine.toml")):
        assert main(["library", NAMES[0], *options]) == 0
        assert path.read_text("utf-8") == authoring.library_text(NAMES[0])
        path.write_text("precious")
        assert main(["library", NAMES[0], *options]) == 2
        assert path.read_text() == "precious"
    assert "stays as it is" in capsys.readouterr().err


def test_what_makes_no_sense_is_wrong_usage(capsys: Out) -> None:
    for arguments in (["-o", "x.toml"], ["--copy"], [NAMES[0], "--stage", "1"], ["--kind", "fes-cyclc"]):
        assert main(["library", *arguments]) == 2
    assert "did you mean `fes-cyclic`" in capsys.readouterr().err
