"""The guide for authors: its file is good, its commands exist, and its sentences about the output are true."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from stimctl.cli import main
from stimctl.cli.parser import build
from stimctl.control import authoring

DOCS = Path(__file__).parents[1] / "docs"
GUIDE = (DOCS / "authoring.md").read_text("utf-8")
Out = pytest.CaptureFixture[str]


def commands() -> list[str]:
    found = [re.split(r"\s{2,}", line)[0] for line in GUIDE.splitlines() if line.startswith("stimctl ")]
    return [command for command in found if "research software" not in command]


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (example,) = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
    path = tmp_path / "mine.toml"
    path.write_text(example)
    return path


def test_the_example_is_good_and_warns_of_nothing(mine: Path, capsys: Out) -> None:
    assert main(["check", str(mine)]) == 0
    out = capsys.readouterr().out
    assert "warning" not in out
    assert "nearest limit" in out
    (told,) = re.findall(r"`(flexors: at the prescribed level .*?)`", GUIDE)
    assert told in out


def test_the_example_has_three_phases_and_a_picture(mine: Path, capsys: Out) -> None:
    assert main(["preview", str(mine), "--width", "100"]) == 0
    out = capsys.readouterr().out
    for said in ("open", "grasp", "let-go", "rest 14 s", "cue at 4 s, grasp: Hold the cup"):
        assert said in out
    assert main(["diff", "grasp-release-sequence", str(mine)]) == 1


def test_every_command_of_the_guide_is_understood() -> None:
    assert len(commands()) >= 12
    for command in commands():
        build().parse_args(shlex.split(command)[1:])
    named = {word for command in commands() for word in shlex.split(command)}
    assert named & {entry.name for entry in authoring.library()}


@pytest.mark.parametrize("page", ["authoring.md", "formats.md"])
def test_every_link_leads_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)", (DOCS / page).read_text("utf-8"))
    assert links
    assert all((DOCS / link).exists() for link in links)
