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

from stimctl.control import authoring

LIBRARY = [entry.name for entry in authoring.library()]


def stimctl(*args: str, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stimctl", *args]
    more = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, **more}
    return subprocess.run(command, check=False, **more)


def recorded(store: Path) -> list[dict[str, Any]]:
    listed = stimctl("sessions", "--store", str(store), "--format", "json")
    assert listed.returncode == 0, listed.stderr
    rows: list[dict[str, Any]] = json.loads(listed.stdout)
    return rows


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "records" / "sessions.sqlite3"


@pytest.fixture
def protocol(tmp_path: Path) -> Path:
    path = tmp_path / "tens.toml"
    path.write_text(authoring.library_text(next(name for name in LIBRARY if name.startswith("demonstration"))))
    return path


def test_the_demo_without_a_terminal_is_plain_lines(store: Path) -> None:
    done = stimctl("demo", "--seed", "1", "--store", str(store))
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert any("Delivered " in line for line in lines)
    assert lines[-1].endswith("output off")
    [row] = recorded(store)
    assert row["simulated"]
    assert row["bursts"] > 0
    assert stimctl("verify", "--store", str(store)).returncode == 0


def test_a_session_from_a_file(store: Path, protocol: Path) -> None:
    done = stimctl("run", str(protocol), "--headless", "--speed", "max", "--seed", "1", "--store", str(store))
    assert done.returncode == 0, done.stdout + done.stderr
    [row] = recorded(store)
    events = stimctl("sessions", "last", "--store", str(store), "--format", "json")
    opened = json.loads(events.stdout)[0]["payload"]
    assert opened["protocol_text"] == protocol.read_text()
    assert row["simulated"]


def test_the_same_seed_is_the_same_session(tmp_path: Path, protocol: Path) -> None:
    told = [
        stimctl(
            "run", str(protocol), "--headless", "--speed", "max", "--seed", "3", "--store", str(tmp_path / name)
        ).stdout
        for name in ("one.sqlite3", "two.sqlite3")
    ]
    assert told[0] == told[1]
    assert "review" in told[0]


def test_a_faulty_file_starts_nothing(store: Path, protocol: Path) -> None:
    protocol.write_text(protocol.read_text() + "\nmystery = 1\n")
    done = stimctl("run", str(protocol), "--headless", "--speed", "max", "--store", str(store))
    assert done.returncode == 1
    assert f"{protocol}:" in done.stdout + done.stderr
    assert "mystery" in done.stdout + done.stderr
    assert "OUTPUT ON" not in done.stdout


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
    name: str, code: int, says: str, way: list[str], store: Path, protocol: Path
) -> None:
    protocol.write_text(protocol.read_text() + "\nmystery = 1\n")
    done = stimctl("run", name.format(protocol=protocol), *way, "--store", str(store), start_new_session=True)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


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
def test_what_cannot_be_done_is_said_plainly(typed: list[str], store: Path, protocol: Path) -> None:
    args = [each.format(protocol=protocol) for each in typed]
    if args:
        args += ["--store", str(store)]
    done = stimctl(*args, start_new_session=True)
    assert done.returncode in (1, 2), done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "bug" not in done.stderr
    assert 0 < len(done.stderr.splitlines() or done.stdout.splitlines()) <= 6


def test_a_reader_that_goes_away_ends_the_session_quietly(store: Path) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        done = stimctl("demo", "--store", str(store), capture_output=False, stdout=write_end, stderr=subprocess.PIPE)
    finally:
        os.close(write_end)
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert stimctl("verify", "--store", str(store)).returncode == 0


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
    [row] = recorded(store)
    assert row["outcome"] != "unfinished"
