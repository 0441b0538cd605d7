"""``sessions`` and ``verify`` over records that a real journal wrote."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from stimctl.cli import main
from stimctl.records.journal import Journal
from stimctl.records.words import BURST_DELIVERED, SessionMeta

Out = pytest.CaptureFixture[str]


def meta(patient: str, *, simulated: bool = True) -> SessionMeta:
    return SessionMeta(
        patient=patient,
        protocol_title="Wrist and fingers",
        protocol_kind="fes-cyclic",
        protocol_sha256="0" * 64,
        protocol_text="x = 1\n" * 50,
        simulated=simulated,
        board={"name": "reference"},
        stimctl_version="0.1.0",
    )


@pytest.fixture
def store(tmp_path: Path) -> tuple[Path, str, str]:
    """A record with one finished session on the simulated board and one killed on a real one."""
    path = tmp_path / "records" / "sessions.sqlite3"
    with Journal(path, wall_clock=lambda: "2026-11-22T09:30:00.000000Z") as journal:
        first = journal.open_session(meta("P-01"), mono_us=5_000_000)
        journal.append(BURST_DELIVERED, {"output": 1}, mono_us=7_500_000)
        journal.close_session("completed", mono_us=95_000_000)
    with Journal(path, wall_clock=lambda: "2026-11-22T09:30:00.000000Z") as journal:
        second = journal.open_session(meta("P-02", simulated=False), mono_us=1_000_000)
    return path, first, second


def test_the_list(store: tuple[Path, str, str], capsys: Out) -> None:
    path, first, second = store
    assert main(["sessions", "--store", str(path)]) == 0
    heading, one, two = capsys.readouterr().out.splitlines()
    assert heading.split()[0] == "session"
    assert one.startswith(first)
    assert all(word in one for word in ("P-01", "simulated", "completed", "1:30 min", "Wrist and fingers"))
    assert two.startswith(second)
    assert all(word in two for word in ("P-02", "REAL", "unfinished"))


def test_the_list_for_a_program(store: tuple[Path, str, str], capsys: Out) -> None:
    path, first, _second = store
    assert main(["sessions", "--store", str(path), "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["patient"], row["simulated"], row["bursts"]) for row in rows] == [
        ("P-01", True, 1),
        ("P-02", False, 0),
    ]
    assert rows[0]["id"] == first


def test_the_events_of_one(store: tuple[Path, str, str], capsys: Out) -> None:
    path, first, _second = store
    assert main(["sessions", first, "--store", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    lines = [line for line in lines if line[:6].strip()]  # not those below an event
    assert [line.split()[2] for line in lines] == ["session-opened", "burst-delivered", "session-closed"]
    assert [line.split()[1] for line in lines] == ["0:00.000", "0:02.500", "1:30.000"]
    assert "patient=P-01" in lines[0]
    assert "protocol_text=(50 lines; --format json shows them)" in lines[0]
    assert 'protocol_title="Wrist and fingers"' in lines[0]
    assert "side=" not in lines[0]
    assert "extra" not in lines[0]


def test_the_events_for_a_program(store: tuple[Path, str, str], capsys: Out) -> None:
    path, first, _second = store
    assert main(["sessions", first, "--store", str(path), "--format", "json"]) == 0
    events = json.loads(capsys.readouterr().out)
    assert events[0]["payload"]["protocol_text"].startswith("x = 1")


def test_long_values_have_lines_of_their_own(tmp_path: Path, capsys: Out) -> None:
    path = tmp_path / "s.sqlite3"
    with Journal(path, wall_clock=lambda: "2026-11-22T09:30:00.000000Z") as journal:
        journal.open_session(meta("P-01"), mono_us=0)
        limits = {"peak_ua": 100_000, "rms_ua": 50_000, "step_ua": 1_000, "charge_nc": 30_000, "duty_permille": 800}
        journal.append("board", {"board": {"name": "the board", "limits": limits, "sure": True}}, mono_us=0)
        runs = [{"sensory": 9000, "motor": 16000}, {"sensory": 7000, "motor": 14000}]
        journal.append("ceiling-found", {"ceiling_ua": 16_000, "runs": runs, "pair": ["a", "b"]}, mono_us=0)
        journal.append("note", {"text": "first line\nsecond \x1b[2J line", "long": "word " * 60}, mono_us=0)
        journal.close_session("ended early", {"review": ["Delivered 3 of 5 bursts", "Stops: 0"]}, mono_us=0)
    assert main(["sessions", "last", "--store", str(path)]) == 0
    out = capsys.readouterr().out
    lines = [line.strip() for line in out.splitlines()]
    assert "characters)" not in out
    assert "\x1b" not in out
    for line in ("name=the board", "limits:", "peak_ua=100000", "sure=true", "motor=16000, sensory=9000"):
        assert line in lines
    for line in ("review:", "Delivered 3 of 5 bursts", "Stops: 0", "first line", ("word " * 60).strip()):
        assert line in lines
    assert any(line.endswith("ceiling_ua=16000 pair=a, b") for line in lines)


@pytest.mark.parametrize(
    ("kind", "payload", "says"),
    [
        ("blocked", {"because": ["Pacemaker, or any other active implant?"]}, "not treated: screening"),
        ("fault", {"reason": "the board did not arm", "state": "stopped"}, "ended early: the board did not arm  "),
        ("fault", {"reason": "very " * 40, "state": "stopped"}, "very very ve...  "),
        ("stop", {"reason": "early", "state": "stopped"}, "ended early  "),
        ("note", {"text": "x"}, "ended early  "),
    ],
)
def test_the_list_says_why(kind: str, payload: dict[str, object], says: str, tmp_path: Path, capsys: Out) -> None:
    path = tmp_path / "s.sqlite3"
    with Journal(path, wall_clock=lambda: "2026-11-22T09:30:00.000000Z") as journal:
        journal.open_session(meta("P-01"), mono_us=0)
        journal.append(kind, payload, mono_us=0)
        journal.close_session("ended early", mono_us=0)
    assert main(["sessions", "--store", str(path)]) == 0
    assert says in capsys.readouterr().out.splitlines()[1]


def test_the_newest_by_a_word(store: tuple[Path, str, str], capsys: Out) -> None:
    path, _first, _second = store
    assert main(["sessions", "last", "--store", str(path)]) == 0
    assert "patient=P-02" in capsys.readouterr().out


def test_a_short_name_has_to_be_unmistakable(store: tuple[Path, str, str], capsys: Out) -> None:
    path, first, second = store
    same = next(end for end in range(len(first) + 1) if first[end : end + 1] != second[end : end + 1])
    assert main(["sessions", first[: same + 1], "--store", str(path)]) == 0
    capsys.readouterr()
    assert main(["sessions", first[:same], "--store", str(path)]) == 2
    assert "give more of it" in capsys.readouterr().err


def test_an_unknown_name(store: tuple[Path, str, str], capsys: Out) -> None:
    assert main(["sessions", "nobody", "--store", str(store[0])]) == 2
    assert "there is no session nobody" in capsys.readouterr().err


def test_nobody_has_run_a_session_yet(capsys: Out) -> None:
    assert main(["sessions"]) == 0
    assert "no sessions yet in " in capsys.readouterr().out


def test_a_record_that_was_named_has_to_be_there(tmp_path: Path, capsys: Out) -> None:
    for command in ("sessions", "verify"):
        assert main([command, "--store", str(tmp_path / "absent")]) == 1
        assert "there is no record here" in capsys.readouterr().err


def test_a_file_that_is_no_record(tmp_path: Path, capsys: Out) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear colleague, " * 100)
    assert main(["sessions", "--store", str(path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_whole_record(store: tuple[Path, str, str], capsys: Out) -> None:
    assert main(["verify", "--store", str(store[0])]) == 0
    assert ": whole: " in capsys.readouterr().out


def test_a_record_that_somebody_changed(store: tuple[Path, str, str], capsys: Out) -> None:
    with sqlite3.connect(store[0]) as connection:
        connection.execute("DROP TRIGGER event_no_update")
        connection.execute("UPDATE event SET payload = replace(payload, 'P-02', 'P-03')")
    connection.close()
    assert main(["verify", "--store", str(store[0])]) == 1
    assert ": DAMAGED: row " in capsys.readouterr().out
