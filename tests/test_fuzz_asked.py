"""What is typed and what the environment says, a small share of ``dev.py prove fuzz``; and that its guard sees."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from stimctl.cli import main
from tests.fuzzing import asked
from tests.fuzzing.probe import Guard, Probe, command, run
from tests.fuzzing.share import holds


@pytest.mark.parametrize("probe", asked.PROBES, ids=lambda probe: probe.name)
def test_what_is_asked_is_done_or_refused_in_a_line(probe: Probe) -> None:
    holds(probe)


def test_wrong_words_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """What was typed is said back in the error, and may have been pasted from anywhere."""
    for typed in (
        ["\x1b[2J"],
        ["check", "x.toml", "--\x1b]0;title\x07"],
        ["run", "a.toml", "--seed", "\x1b[31m"],
        ["sim", "a\nb"],
    ):
        assert main(typed) == 2
        [line] = capsys.readouterr().err.splitlines()
        assert line.isprintable()


# --- the guard is shown to see ------------------------------------------------------------------------------------


def _outside(name: str) -> Path:
    return Path(os.environ["HOME"]) / name


def _database() -> None:
    sqlite3.connect(_outside("x.db")).close()


def _connection() -> None:
    with socket.socket() as one, contextlib.suppress(OSError):
        one.connect(("127.0.0.1", 9))


DEEDS: dict[str, Callable[[], object]] = {
    "a file written": lambda: _outside("x").write_text("x"),
    "a folder made": lambda: _outside("folder").mkdir(),
    "a link": lambda: _outside("link").symlink_to("x"),
    "a mode": lambda: _outside(".").chmod(0o700),
    "a database": _database,
    "a database by its address": lambda: sqlite3.connect(_outside("r.db").as_uri() + "?mode=rwc", uri=True).close(),
    "a process": lambda: subprocess.run(["true"], check=False),
    "a connection": _connection,
    "code": lambda: eval(compile("1", "<pasted>", "eval")),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_the_guard_sees(deed: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError), Guard(tmp_path):
        DEEDS[deed]()


def test_the_guard_lets_pass_what_happens_in_its_folder(tmp_path: Path) -> None:
    with Guard(tmp_path):
        Path("x").write_text("x")
        sqlite3.connect("r.db").close()
        Path("file:/dev").mkdir(parents=True)  # as a path, it is a name like any other
        with contextlib.suppress(NotADirectoryError):
            Path(os.devnull, "x").mkdir()


def test_a_failing_input_is_told_with_its_seed() -> None:
    def odd(chance: random.Random, _folder: Path) -> None:
        assert chance.randrange(2)

    failed = run(Probe("odd", "odd ones", odd), range(20), patience=contextlib.nullcontext)
    assert failed
    seeds = [each.seed for each in failed]  # not the reasons: they hold addresses, which differ from run to run
    again = run(Probe("odd", "odd ones", odd), seeds, patience=contextlib.nullcontext)
    assert [each.seed for each in again] == seeds


def test_a_command_that_ends_as_none_may_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("stimctl.cli.authoring.schema", lambda _arguments: 70)
    with pytest.raises(AssertionError, match="70"):
        command("schema")
