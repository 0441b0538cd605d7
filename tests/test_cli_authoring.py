"""``check``, ``new``, ``library`` and ``schema``: the way of an author, from a template to a file that is good."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stimctl.cli import main
from stimctl.cli.parser import KINDS
from stimctl.control import authoring
from tests.protocol_texts import SECOND_CHANNEL, TWO, edit

Out = pytest.CaptureFixture[str]
LIBRARY = [entry.name for entry in authoring.library()]


def pipe(text: bytes, *args: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "stimctl", *args], input=text, capture_output=True, check=False)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.toml"
    path.write_text(authoring.library_text(LIBRARY[0]))
    return path


@pytest.fixture
def bad(tmp_path: Path, good: Path) -> Path:
    """The same file with three mistakes, on lines 2, 3 and the last."""
    lines = good.read_text().splitlines()
    path = tmp_path / "bad.toml"
    path.write_text("\n".join([lines[0], "mystery_one = 1", "mystery_two = 2", *lines[1:], "mystery_three = 3"]) + "\n")
    return path


# --- check -----------------------------------------------------------------------------------------------------


def test_a_good_file(good: Path, capsys: Out) -> None:
    assert main(["check", str(good)]) == 0
    out, err = capsys.readouterr()
    assert f"{good}: good\n" in out
    assert re.search(r"of treatment; .* on in all and .* per phase, finding thresholds and trial included\n", out)
    assert err == ""


def test_three_mistakes_are_three_lines_that_an_editor_can_jump_to(bad: Path, capsys: Out) -> None:
    assert main(["check", str(bad)]) == 1
    lines = capsys.readouterr().out.splitlines()
    last = len(bad.read_text().splitlines())
    for number, name in ((2, "mystery_one"), (3, "mystery_two"), (last, "mystery_three")):
        assert any(line.startswith(f"{bad}:{number}:") and name in line for line in lines), lines


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([("extensor pollicis longus", "EPL")], "thumb: muscle not recognised: antagonists judged by its site alone"),
        (
            [("extensor pollicis longus", "opponens"), ('2\nsite = "forearm-dorsal"', '2\nsite = "upper-arm"')],
            "thumb: muscle not recognised: antagonists not judged",
        ),
        ([("extensor digitorum communis", "flexor digitorum"), (SECOND_CHANNEL, "")], "do not agree"),
        ([('site = "forearm-dorsal"', 'site = "forearm-volar"'), (SECOND_CHANNEL, "")], "do not agree"),
        ([("threshold_sd = 3.0", "threshold_uv = 4.9")], "threshold_uv 4.9 is low"),
    ],
)
def test_what_no_limit_forbids_and_a_person_should_have_meant(
    changes: list[tuple[str, str]], said: str, tmp_path: Path, capsys: Out
) -> None:
    for name, text in (
        ("plain", edit(TWO, ("threshold_sd = 3.0", "threshold_uv = 5.0"))),
        ("odd", edit(TWO, *changes)),
    ):
        (tmp_path / name).write_text(text)
        assert main(["check", str(tmp_path / name)]) == 0
        out = capsys.readouterr().out
        assert (said in out) is (name == "odd"), out


def test_a_warning_about_a_value_names_its_line(tmp_path: Path, capsys: Out) -> None:
    text = edit(TWO, ("threshold_sd = 3.0", "threshold_uv = 4.9"))
    line = next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith("threshold_uv"))
    (tmp_path / "low.toml").write_text(text)
    assert main(["check", str(tmp_path / "low.toml")]) == 0
    assert f"low.toml: warning: protocol line {line}: trigger: threshold_uv 4.9 is low" in capsys.readouterr().out


def test_several_files_end_with_a_count(good: Path, bad: Path, capsys: Out) -> None:
    assert main(["check", str(good), str(bad)]) == 1
    assert capsys.readouterr().err.startswith("2 files: 1 good, 1 with ")


def test_for_a_program(good: Path, bad: Path, capsys: Out) -> None:
    assert main(["check", "--format", "json", str(good), str(bad)]) == 1
    first, second = json.loads(capsys.readouterr().out)["files"]
    assert (first["file"], first["ok"], first["faults"]) == (str(good), True, [])
    assert not second["ok"]
    assert {"line", "column", "field", "message", "allowed", "source"} <= second["faults"][0].keys()


def test_standard_input(good: Path) -> None:
    done = pipe(good.read_bytes(), "check", "-")
    assert (done.returncode, done.stderr) == (0, b"")
    done = pipe(b"kind = 3\n", "check", "-")
    assert done.returncode == 1
    assert b":1:" in done.stdout


def test_standard_input_once(capsys: Out) -> None:
    assert main(["check", "-", "-"]) == 2
    assert "once" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"a = 1\r", b"[" * 5_000, b"a." * 5_000 + b"a = 1", b"\x00"])
def test_no_bytes_make_a_traceback(content: bytes, tmp_path: Path, capsys: Out) -> None:
    path = tmp_path / "odd.toml"
    path.write_bytes(content)
    assert main(["check", str(path)]) == 1
    out, err = capsys.readouterr()
    assert str(path) in out
    assert "bug" not in err


def test_a_file_that_is_not_there_or_is_none(tmp_path: Path, capsys: Out) -> None:
    for path in (tmp_path / "absent.toml", tmp_path, Path("nul\x00byte.toml")):
        assert main(["check", str(path)]) == 1
        assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", LIBRARY)
def test_every_shipped_protocol_is_good(name: str, tmp_path: Path, capsys: Out) -> None:
    path = tmp_path / "copy.toml"
    path.write_text(authoring.library_text(name))
    assert main(["check", str(path)]) == 0
    assert ": good" in capsys.readouterr().out


def test_mutated_files_never_make_a_traceback(tmp_path: Path, capsys: Out) -> None:
    """Bytes changed, cut, doubled: each file is good or has faults, and nothing else happens."""
    chance = random.Random(2)
    path = tmp_path / "mutant.toml"
    for number in range(60):
        text = bytearray(authoring.library_text(LIBRARY[number % len(LIBRARY)]).encode())
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(text))
            text[at : at + chance.randint(0, 3)] = chance.choice(
                (b"", b"9", b"-", b'"', b"\n", b"nan", b"[", b"e9", b"\xc3")
            )
        path.write_bytes(text)
        assert main(["check", str(path)]) in (0, 1), bytes(text)
    assert "bug" not in capsys.readouterr().err


def test_check_loads_neither_numpy_nor_textual(good: Path) -> None:
    code = (
        f"import sys; from stimctl.cli import main; main(['check', {str(good)!r}]); "
        "sys.exit(' '.join({'numpy', 'textual', 'serial', 'asyncio', 'sqlite3', 'multiprocessing'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# --- new, library, schema --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_is_good_as_it_stands(kind: str, tmp_path: Path, capsys: Out) -> None:
    path = tmp_path / "new.toml"
    assert main(["new", kind, "-o", str(path)]) == 0
    assert f"stimctl check {path}" in capsys.readouterr().out
    assert main(["check", str(path)]) == 0


def test_a_template_on_standard_output(capsys: Out) -> None:
    assert main(["new", KINDS[0]]) == 0
    assert f'kind = "{KINDS[0]}"' in capsys.readouterr().out


def test_an_existing_file_is_never_overwritten(good: Path, capsys: Out) -> None:
    before = good.read_bytes()
    assert main(["new", KINDS[0], "-o", str(good)]) == 2
    assert "stays as it is" in capsys.readouterr().err
    assert good.read_bytes() == before


@pytest.mark.parametrize("name", ["no/such/folder/x.toml", "nul\x00byte.toml"])
def test_a_place_that_cannot_be_written(name: str, tmp_path: Path, capsys: Out) -> None:
    assert main(["new", KINDS[0], "-o", str(tmp_path / name)]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_an_unknown_kind_names_the_known_ones(capsys: Out) -> None:
    assert main(["new", "tenz"]) == 2
    shown = capsys.readouterr().err
    assert all(kind in shown for kind in KINDS)


def test_the_library(capsys: Out) -> None:
    assert main(["library"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in LIBRARY)
    assert all(kind in shown for kind in KINDS)


def test_one_of_the_library_as_it_stands(capsys: Out) -> None:
    assert main(["library", LIBRARY[0]]) == 0
    assert capsys.readouterr().out == authoring.library_text(LIBRARY[0])


def test_an_unknown_name_of_the_library(capsys: Out) -> None:
    assert main(["library", "../../etc/passwd"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_schema(capsys: Out) -> None:
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert "$defs" in schema
    assert all(kind in json.dumps(schema) for kind in KINDS)
