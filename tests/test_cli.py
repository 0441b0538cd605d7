"""The command line's contract: help with examples, one line for each error, exit codes, no traceback."""

from __future__ import annotations

import argparse
import contextlib
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl import __version__
from stimctl.cli import main, say
from stimctl.cli import parser as parser_module
from stimctl.cli.parser import build
from stimctl.errors import Fault, LinkLost, OurBug, ProtocolError, RecordError, Refusal, StimctlError, UsageError

COMMANDS = ("demo", "run", "check", "new", "library", "emg", "schema", "sim", "boards", "bench", "sessions", "verify")


def stimctl(*args: str, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stimctl", *args]
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)


def failing(error: BaseException) -> Callable[[], argparse.ArgumentParser]:
    """A parser whose only command raises ``error``."""

    def run(_arguments: argparse.Namespace) -> int:
        raise error

    def made() -> argparse.ArgumentParser:
        parser = argparse.ArgumentParser()
        parser.set_defaults(run=run)
        return parser

    return made


# --- help ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert re.search(rf"examples?:\n(.*\n)*  stimctl {command}", shown)


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(re.search(rf"^    {command}\s", shown, re.MULTILINE) for command in COMMANDS)
    assert "not a certified medical device" in shown
    assert "exit codes" in shown


def test_every_example_in_the_help_parses(capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        main([command, "--help"])
        examples = re.findall(r"^  stimctl (.*)$", capsys.readouterr().out, re.MULTILINE)
        assert examples
        for example in examples:
            words = re.split(r"\s+[|>]|\s{2,}\(", example)[0].split()
            assert callable(build().parse_args(words).run), example


def test_the_help_names_every_stop_key(capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "STOP is Space, Esc, Ctrl+X or Ctrl+C" in shown


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"stimctl {__version__}\n"


# --- wrong usage -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["chekc", "x.toml"], "chekc"),
        (["wrist.toml"], "to run it: stimctl run wrist.toml"),
        (["check"], "FILE"),
        (["check", "x.toml", "--format", "yaml"], "yaml"),
        (["check", "x.toml", "--form", "json"], "--form"),  # no abbreviations: they change their meaning with time
        (["run"], "run needs a protocol file, FILE; plain stimctl opens the start screen"),
        (["run", "--seed", "1"], "FILE"),
        (["--store"], "--store"),
        (["run", "x.toml", "--seed", "-1"], "-1"),
        (["run", "x.toml", "--seed", "1.5"], "1.5"),
        (["run", "x.toml", "--seed", "²"], "whole number"),
        (["run", "x.toml", "--seed", "9" * 5_000], "whole number"),
        (["run", "x.toml", "--speed", "nan"], "nan"),
        (["run", "x.toml", "--speed", "inf"], "inf"),
        (["run", "x.toml", "--speed", "0"], "0.1 to 1000"),
        (["run", "x.toml", "--speed", "fast"], "max or a number"),
        (["sim"], "BOARD"),
        (["sim", "i24"], "i24"),
        (["sessions", "a", "b"], "b"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(args: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(args) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert says in err
    assert "--help" in err


@given(
    st.lists(
        st.one_of(st.sampled_from(["check", "--format", "json", "--seed", "-o", "--"]), st.text(max_size=8)), max_size=5
    )
)
def test_no_arguments_whatever_raise(args: list[str]) -> None:
    with contextlib.suppress(SystemExit):
        assert callable(build().parse_args(args).run)


# --- errors become lines ---------------------------------------------------------------------------------------

FAULTS = (
    Fault("a.toml", 3, 7, "rate_hz", "is too high", "80", "at most 50", "project"),
    Fault("a.toml", 9, 1, "channel[1]", "has no name"),
)


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UsageError("no such board"), 2, "stimctl: no such board"),
        (RecordError("r.sqlite3: the disk is full"), 1, "stimctl: r.sqlite3: the disk is full"),
        (LinkLost("the board is gone"), 1, "stimctl: the board is gone"),
        (Refusal("R1-peak", 80_000, 50_000, "µA", now_us=7), 1, "stimctl: R1-peak: 80000 µA, bound 50000 µA, at 7 µs"),
        (StimctlError("evil \x1b[2J name"), 1, "stimctl: evil \\x1b[2J name"),
        (StimctlError("two\nlines"), 1, "stimctl: two\\nlines"),
        (KeyboardInterrupt(), 130, "stimctl: interrupted"),
    ],
)
def test_an_error_is_one_line(
    error: BaseException, code: int, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(parser_module, "build", failing(error))
    assert main([]) == code
    assert capsys.readouterr() == ("", line + "\n")


def test_a_faulty_file_is_a_line_for_each_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(parser_module, "build", failing(ProtocolError(FAULTS)))
    assert main([]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "a.toml:3:7: rate_hz: is too high, got 80; allowed: at most 50; source: project",
        "a.toml:9:1: channel[1]: has no name",
    ]


@pytest.mark.parametrize(
    "error", [ValueError("boom\nboom"), OurBug("a wall was broken"), RecursionError(), MemoryError()]
)
def test_a_bug_is_one_line_and_a_file_for_the_report(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(parser_module, "build", failing(error))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert main([]) == 70
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"stimctl: this is a bug in stimctl: {type(error).__name__}")
    [kept] = tmp_path.iterdir()
    assert str(kept) in line
    assert "Traceback" in kept.read_text()


def test_a_bug_with_nowhere_to_keep_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(parser_module, "build", failing(ValueError("boom")))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    assert main([]) == 70
    assert "STIMCTL_DEBUG=1" in capsys.readouterr().err


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(parser_module, "build", failing(ValueError("boom")))
    monkeypatch.setenv("STIMCTL_DEBUG", "1")
    assert main([]) == 70
    assert "Traceback" in capsys.readouterr().err


# --- the outside world -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("buffered", ["", "1"])
def test_a_reader_that_goes_away_is_quiet(buffered: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in ``stimctl sessions | head -1``, with the reader gone before the first byte."""
    monkeypatch.setenv("PYTHONUNBUFFERED", buffered)
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [sys.executable, "-m", "stimctl", "sessions"]
    try:
        done = subprocess.run(command, stdout=write_end, stderr=subprocess.PIPE, text=True, check=False)
    finally:
        os.close(write_end)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line() -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123
        command = [sys.executable, "-m", "stimctl", "sessions"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "stimctl: the output cannot be written: No space left on device\n"


def test_an_encoding_without_the_fields_signs(tmp_path: Path) -> None:
    """A terminal that knows ASCII alone gets an escape for µ and no traceback."""
    done = stimctl("verify", "--store", str(tmp_path / "µ"), env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 1
    assert "\\xb5" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from stimctl.cli import main; main(['--help']); "
        "sys.exit(' '.join({'numpy', 'textual', 'pydantic', 'serial', 'sqlite3', 'tree_sitter'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_face_is_not_started_by_hand() -> None:
    done = stimctl("--face")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


# --- lines and colour ------------------------------------------------------------------------------------------


@given(st.text())
def test_no_text_steers_the_terminal(text: str) -> None:
    shown = say.harmless(text)
    assert shown.isprintable() or shown == ""
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", shown)


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert say.harmless(text) == text


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_colour_only_where_it_is_seen_and_wanted(environment: dict[str, str], coloured: bool) -> None:
    """On a real pseudo-terminal; without one, nothing is coloured (all other tests)."""
    ours, theirs = pty.openpty()
    code = "from stimctl.cli import say; say.verdict('f', 'good', say.GOOD)"
    env = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "TERM"}} | environment
    try:
        subprocess.run([sys.executable, "-c", code], stdout=theirs, check=True, env=env)
        shown = os.read(ours, 1_000)
    finally:
        os.close(theirs)
        os.close(ours)
    assert (b"\x1b[32mgood" in shown) is coloured
    assert b"good" in shown


def test_a_bar_is_drawn_on_a_terminal_alone(capsys: pytest.CaptureFixture[str]) -> None:
    progress = say.Progress("checking")
    progress(5, 10)
    progress.clear()
    assert capsys.readouterr().err == ""


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    progress = say.Progress("checking")
    for done in range(1_001):
        progress(done, 1_000)
    progress.clear()
    shown = capsys.readouterr().err
    assert shown.count("\r") == 26  # 25 states and the clearing, not a thousand
    assert "1000 of 1000" in shown
