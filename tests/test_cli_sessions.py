"""Whole sessions from the command line, on the simulated board: what is printed, what is recorded, how they end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stimctl.cli import main
from stimctl.records import reading
from tests.session_rig import EMG

Out = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have one: then a screen would open on it, and its keys would be stop keys."""
    monkeypatch.setattr(os, "isatty", lambda _fd: False)


def stimctl(*args: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """As a program of its own; for what a test in this process cannot see, as that takes a second."""
    command = [sys.executable, "-m", "stimctl", *args]
    more = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, **more}
    return subprocess.run(command, check=False, **more)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "records" / "sessions.sqlite3"


@pytest.fixture
def protocol(tmp_path: Path) -> Path:
    """Two bursts, set off by the simulated patient's own attempts."""
    path = tmp_path / "emg.toml"
    path.write_text(EMG)
    return path


def test_the_demo_without_a_terminal_is_plain_lines(store: Path) -> None:
    """The one whole session here that is a program of its own, as somebody's first look at stimctl is."""
    done = stimctl("demo", "--seed", "1", "--store", str(store))
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert any("Delivered " in line for line in lines)
    assert lines[-1].endswith("output off")
    [row] = reading.sessions(store)
    assert row.simulated
    assert row.bursts > 0
    assert reading.verify(store).ok


def test_a_session_from_a_file(store: Path, protocol: Path, capsys: Out) -> None:
    args = ["run", str(protocol), "--headless", "--speed", "max", "--seed", "1", "--store", str(store)]
    assert main(args) == 0, capsys.readouterr()
    capsys.readouterr()
    assert main(["sessions", "last", "--store", str(store), "--format", "json"]) == 0
    opened = json.loads(capsys.readouterr().out)[0]["payload"]
    assert opened["protocol_text"] == protocol.read_text()
    [row] = reading.sessions(store)
    assert row.simulated


def test_the_same_seed_is_the_same_session(tmp_path: Path, protocol: Path, capsys: Out) -> None:
    """In this process, where much has run before, and in a fresh one."""
    args = ["run", str(protocol), "--headless", "--speed", "max", "--seed", "3", "--store"]
    assert main([*args, str(tmp_path / "one.sqlite3")]) == 0
    told = capsys.readouterr().out
    assert told == stimctl(*args, str(tmp_path / "two.sqlite3")).stdout
    assert "review" in told


def test_a_faulty_file_starts_nothing(store: Path, protocol: Path, capsys: Out) -> None:
    protocol.write_text("mystery = 1\n" + protocol.read_text())
    assert main(["run", str(protocol), "--headless", "--speed", "max", "--store", str(store)]) == 1
    said = capsys.readouterr()
    assert f"{protocol}:" in said.out + said.err
    assert "mystery" in said.out + said.err
    assert "OUTPUT ON" not in said.out


@pytest.mark.parametrize("way", [[], ["--headless"]], ids=["screen", "headless"])
@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("nope.toml", 1, "nope.toml: there is no such file"),
        ("{protocol}", 1, "mystery"),
        ("wrist-finger-extensor-emg", 2, "wrist-finger-extensors-emg"),
    ],
    ids=["absent", "faulty", "misspelt"],
)
def test_a_wrong_protocol_is_told_before_a_screen_opens(
    name: str, code: int, says: str, way: list[str], store: Path, protocol: Path, capsys: Out
) -> None:
    protocol.write_text("mystery = 1\n" + protocol.read_text())
    assert main(["run", name.format(protocol=protocol), *way, "--store", str(store)]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert says in said.err
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize(
    "typed",
    [
        ["run", "absent.toml", "--headless"],
        ["run", "{protocol}", "--headless", "--board", "reference:/no/such/port"],
        ["run", "{protocol}", "--headless", "--board", "toaster:1"],
        ["run", "{protocol}", "--headless", "--emg", "file:/no/such/recording.csv"],
        ["run", "{protocol}", "--headless", "--emg", "telepathy:"],
        ["run", "{protocol}"],  # a screen without a terminal
        [],
    ],
    ids=lambda typed: " ".join(typed[-2:]) or "nothing",
)
def test_what_cannot_be_done_is_said_plainly(typed: list[str], store: Path, protocol: Path, capsys: Out) -> None:
    args = [each.format(protocol=protocol) for each in typed]
    assert main([*args, "--store", str(store)]) in (1, 2)
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    assert "bug" not in err
    assert 0 < len(err.splitlines() or out.splitlines()) <= 6


def test_a_screen_without_a_terminal_is_said_by_the_program_too(store: Path) -> None:
    done = stimctl("--store", str(store), start_new_session=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "needs a terminal" in done.stderr


def test_a_reader_that_goes_away_ends_the_session_quietly(store: Path) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        done = stimctl("demo", "--store", str(store), capture_output=False, stdout=write_end, stderr=subprocess.PIPE)
    finally:
        os.close(write_end)
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert reading.verify(store).ok


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 1), (signal.SIGTERM, 143)], ids=["ctrl-c", "term"])
def test_a_signal_ends_at_zero_with_a_record(sent: signal.Signals, code: int, store: Path, protocol: Path) -> None:
    """Ctrl+C is the operator's STOP, which ends a run that nobody can clear; the others end it as themselves."""
    command = [sys.executable, "-m", "stimctl", "run", str(protocol), "--headless", "--store", str(store)]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.readline()  # it is under way
        run.send_signal(sent)
        out, err = run.communicate()
    assert run.returncode == code, out + err
    assert "Traceback" not in err
    assert out.splitlines()[-1].endswith("output off")
    [row] = reading.sessions(store)
    assert row.outcome != "unfinished"
