"""``fmt`` and what it stands on: a file laid out anew says what it said, comments and all."""

from __future__ import annotations

import io
import random
import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.cli import main
from stimctl.errors import ProtocolError
from stimctl.protocols import dumps, library, library_text, loads, tidy
from tests.protocol_texts import CYCLIC, TRIGGER

LIBRARY = [entry.name for entry in library()]

UNTIDY = """\
# top
a=1 # hi


b = [1,
  2, # in
]
c = \"\"\"x
y\"\"\"   \t
  [ t . u]   # head
# below
 x = {a=1}
# not about what follows

# about
# the channel
[[ch]]
"y z"  =  2
[z]
#end
"""

TIDY = """\
# top
a = 1  # hi

b = [1,
  2, # in
]
c = \"\"\"x
y\"\"\"

[t.u]        # head
# below
x = {a=1}
# not about what follows

# about
# the channel
[[ch]]
"y z" = 2

[z]
#end
"""


def test_what_tidy_means() -> None:
    assert tidy(UNTIDY, "x") == TIDY


@pytest.mark.parametrize("name", LIBRARY)
def test_shipped_files_are_tidy(name: str) -> None:
    assert tidy(library_text(name), name) == library_text(name)


@pytest.mark.parametrize("name", LIBRARY)
def test_a_file_that_we_write_is_tidy_and_says_the_same(name: str) -> None:
    protocol = loads(library_text(name), name)
    text = dumps(protocol)
    assert loads(text, name) == protocol
    assert tidy(text, name) == text


def test_line_ends_of_another_system_are_ours_afterwards() -> None:
    assert tidy(UNTIDY.replace("\n", "\r\n"), "x") == TIDY


@given(st.integers(0, 10**9), st.sampled_from([UNTIDY, CYCLIC + TRIGGER, *map(library_text, LIBRARY)]))
def test_spaces_and_empty_lines_are_all_that_changes_and_once_is_enough(seed: int, text: str) -> None:
    chance = random.Random(seed)
    lines = [_disturbed(line, chance) for line in text.split("\n")]
    disturbed = "\n".join(lines)
    try:
        said = tomllib.loads(disturbed)
    except tomllib.TOMLDecodeError:
        return  # the disturbance hit the inside of a text
    after = tidy(disturbed, "x")
    assert tomllib.loads(after) == said
    assert tidy(after, "x") == after
    assert _comments(after) == _comments(disturbed)


def _disturbed(line: str, chance: random.Random) -> str:
    if line.startswith(("y", "]")) or chance.random() < 0.5:
        return line
    line = line.replace(" = ", chance.choice(("=", "  =", "=\t", " = ")), 1)
    return chance.choice(("", "  ", "\n", "\t")) + line + chance.choice(("", "   ", "  # note", "\n\n"))


def _comments(text: str) -> list[str]:
    return [line[line.index("#") :].rstrip() for line in text.split("\n") if "#" in line]


@pytest.mark.parametrize("text", ["a = ", "a = 1\na = 2", "[[", "\x00"])
def test_what_is_no_toml_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(ProtocolError, match="x:") as caught:
        tidy(text, "x")
    assert caught.value.faults


# --- the command -----------------------------------------------------------------------------------------------


@pytest.fixture
def untidy(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(UNTIDY)
    path.chmod(0o640)
    return path


def test_a_file_is_tidied_in_its_place_and_left_alone_the_second_time(
    untidy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fmt", str(untidy)]) == 0
    assert untidy.read_text() == TIDY
    assert stat.S_IMODE(untidy.stat().st_mode) == 0o640
    assert capsys.readouterr().out == f"{untidy}: tidied\n"
    before = untidy.stat().st_mtime_ns
    assert main(["fmt", str(untidy)]) == 0
    assert untidy.stat().st_mtime_ns == before
    assert list(untidy.parent.iterdir()) == [untidy]


def test_a_check_changes_nothing(untidy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = untidy.with_name("good.toml")
    good.write_text(TIDY)
    assert main(["fmt", "--check", str(good)]) == 0
    assert main(["fmt", "--check", str(good), str(untidy)]) == 1
    assert untidy.read_text() == UNTIDY
    assert capsys.readouterr().out.splitlines()[-1] == f"{untidy}: not tidy"


def test_a_link_stays_a_link(untidy: Path) -> None:
    link = untidy.with_name("link.toml")
    link.symlink_to(untidy)
    assert main(["fmt", str(link)]) == 0
    assert link.is_symlink()
    assert untidy.read_text() == TIDY


def test_a_file_with_a_slip_stays_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("a = 1\nb =\n")
    assert main(["fmt", str(path), str(tmp_path / "absent.toml")]) == 1
    assert path.read_text() == "a = 1\nb =\n"
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{path}:2:")
    assert "no such file" in second


def test_a_disk_without_room_leaves_the_old_file(
    untidy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert main(["fmt", str(untidy)]) == 2
    assert untidy.read_text() == UNTIDY
    assert list(untidy.parent.iterdir()) == [untidy]
    assert "No space left" in capsys.readouterr().err


def test_standard_input_goes_to_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(UNTIDY.encode())))
    assert main(["fmt", "-"]) == 0
    assert capsys.readouterr().out == TIDY
    assert main(["fmt", "-", "-"]) == 2
