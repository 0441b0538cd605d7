"""The write side: what is acknowledged is on disk, what fails says so and never stands in the way."""

from __future__ import annotations

import math
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stimctl.errors import OurBug, RecordError, UsageError
from stimctl.records import journal as journal_module
from stimctl.records import reading, store, words
from stimctl.records.journal import Journal
from tests.records_kit import meta, raw_rows, wall_clock

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
NEVER_US = 3_600_000_000


def opened(path: Path, **options: Any) -> Journal:
    return Journal(path, wall_clock=wall_clock(), **options)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records" / "sessions.sqlite3"


# --- what is written ------------------------------------------------------------------------------------------


def test_a_session_from_opening_to_closing(path: Path) -> None:
    with opened(path) as journal:
        session = journal.open_session(meta(), mono_us=10)
        journal.append("level-raised", {"channel": "wrist", "to_ua": 5_000}, mono_us=20)
        journal.append(words.BURST_DELIVERED, {"n": 1}, mono_us=30)
        journal.append("stop", {"reason": "key"}, mono_us=40, durable=True)
        journal.close_session("stopped", {"delivered": 1}, mono_us=50)
    events = reading.events(path, session)
    assert [event.kind for event in events] == [
        "session-opened",
        "level-raised",
        "burst-delivered",
        "stop",
        "session-closed",
    ]
    assert [event.mono_us for event in events] == [10, 20, 30, 40, 50]
    assert events[0].payload["patient"] == "P-01"
    assert events[0].payload["board"] == {"name": "twin", "firmware": "1.0"}
    assert events[1].payload == {"channel": "wrist", "to_ua": 5_000}
    assert events[4].payload == {"delivered": 1, "outcome": "stopped"}
    assert all(event.wall.startswith("2026-11-22T16:") for event in events)
    assert reading.verify(path).ok


def test_a_durable_row_is_there_for_others_when_append_returns(path: Path) -> None:
    with opened(path, group_us=NEVER_US) as journal:
        for n in range(5):
            journal.append("grouped", {"n": n}, mono_us=n)
            journal.append("stop", {"n": n}, mono_us=n, durable=True)
            assert len(raw_rows(path)) == journal.written == 2 * (n + 1)


def test_other_rows_wait_for_their_group(path: Path) -> None:
    with opened(path, group_us=NEVER_US) as journal:
        for n in range(50):
            journal.append("grouped", {"n": n}, mono_us=n)
        assert raw_rows(path) == []
        journal.flush()
        assert len(raw_rows(path)) == 50


def test_a_hastened_group_does_not_wait_for_its_time(path: Path) -> None:
    with opened(path, group_us=NEVER_US) as journal:
        journal.append("grouped", mono_us=1)
        journal.hasten()
        with journal._changed:
            assert journal._changed.wait_for(lambda: journal.written == 1, 30.0)
        assert len(raw_rows(path)) == 1
        journal.append("grouped", mono_us=2)
        assert len(raw_rows(path)) == 1, "the next one has a group of its own"


def test_a_group_is_committed_without_anybody_asking(path: Path) -> None:
    with opened(path) as journal:
        journal.append("grouped", mono_us=1)
        with journal._changed:
            assert journal._changed.wait_for(lambda: journal.written == 1, timeout=20.0)
        assert len(raw_rows(path)) == 1


def test_every_commit_reaches_the_disk(path: Path) -> None:
    opened(path).close()
    with closing(store.connect_writer(path, busy_s=1.0)) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_close_flushes_and_may_be_called_twice(path: Path) -> None:
    journal = opened(path, group_us=NEVER_US)
    journal.append("grouped", mono_us=1)
    journal.close()
    journal.close()
    assert len(raw_rows(path)) == 1
    assert not journal._thread.is_alive()


def test_after_closing_nothing_is_written_and_it_shows(path: Path) -> None:
    journal = opened(path)
    journal.close()
    journal.append("late", mono_us=1)
    assert journal.lost == 1
    assert journal.failed
    with pytest.raises(RecordError):
        journal.append("late", mono_us=1, durable=True)


def test_a_second_journal_continues_the_chain(path: Path) -> None:
    for n in range(3):
        with opened(path) as journal:
            journal.open_session(meta(f"P-{n}"), mono_us=n)
            journal.close_session("complete", mono_us=n + 1)
    assert reading.verify(path) == words.Verdict(True, 6, None, "", reading.verify(path).head)
    assert [row.patient for row in reading.sessions(path)] == ["P-0", "P-1", "P-2"]


def test_rows_outside_a_session_belong_to_none(path: Path) -> None:
    with opened(path) as journal:
        journal.append("board-lost", mono_us=1, durable=True)
    assert raw_rows(path)[0][1] == ""
    assert reading.sessions(path) == ()


# --- what is refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["", "Anna Smith", "P01 ", "a" * 17, "P_1", "Müller", "P\n1", "１２", "a/b"])
def test_only_a_pseudonymous_code_opens_a_session(path: Path, code: str) -> None:
    with opened(path) as journal:
        with pytest.raises(UsageError, match="patient code"):
            journal.open_session(meta(code), mono_us=0)
        assert journal.session == ""
    assert raw_rows(path) == []


@given(st.text(alphabet="ABCxyz019-", min_size=1, max_size=16))
def test_codes_of_letters_digits_and_hyphens_are_taken(code: str) -> None:
    assume(sum(sign.isdigit() for sign in code) < 6)  # six can be a date
    assert words.patient_code(code) == code


@pytest.mark.parametrize(
    "code",
    [
        "19480315", "20010101", "19999999", "15031948", "03151948", "P-19480315", "P-15031948-L",
        "1948-03-15", "1948-3-5", "15-03-1948", "5-3-1948", "03-15-1948", "P-1948-03-15",
        "480315", "150348", "311299",
    ],
)  # fmt: skip
def test_a_date_of_birth_is_no_code(path: Path, code: str) -> None:
    with pytest.raises(UsageError, match="date of birth"):
        words.patient_code(code)
    with opened(path) as journal, pytest.raises(UsageError, match="patient code"):
        journal.open_session(meta(code), mono_us=0)


@pytest.mark.parametrize(
    "code",
    [
        "P-017",
        "simulated",
        "1948",
        "000017",
        "481315",
        "480399",
        "17-48",
        "P-480315",
        "12345678",
        "119480315",
        "2026-17",
    ],
)
def test_a_number_that_is_no_date_is_a_code(code: str) -> None:
    assert words.patient_code(code) == code


def test_one_session_at_a_time(path: Path) -> None:
    with opened(path) as journal:
        with pytest.raises(OurBug):
            journal.close_session("complete", mono_us=0)
        journal.open_session(meta(), mono_us=0)
        with pytest.raises(OurBug):
            journal.open_session(meta(), mono_us=0)


@pytest.mark.parametrize(
    "payload", [{"x": math.nan}, {"x": math.inf}, {"x": object()}, {"x": b"y"}, {1: "y"}, {"x": "y" * 2_000_000}]
)
def test_a_payload_that_is_not_json_is_our_bug(path: Path, payload: dict[Any, Any]) -> None:
    with opened(path) as journal, pytest.raises(OurBug):
        journal.append("kind", payload, mono_us=0)


@pytest.mark.parametrize(
    ("kind", "mono_us"), [("", 0), ("Stop", 0), ("a b", 0), ("stop", 1.5), ("stop", True), ("stop", 1 << 63)]
)
def test_kind_and_time_are_checked(path: Path, kind: str, mono_us: Any) -> None:
    with opened(path) as journal, pytest.raises(OurBug):
        journal.append(kind, mono_us=mono_us)


def test_a_note_may_hold_anything_a_terminal_can_send(path: Path) -> None:
    text = 'µ "quoted" \x00 \udc80 \u2028 \U0001f600'
    with opened(path) as journal:
        journal.session = "s"
        journal.append("note", {"text": text}, mono_us=-1, durable=True)
    assert reading.events(path, "s")[0].payload == {"text": text}
    assert reading.verify(path).ok


# --- the file and its place -----------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("mask", [0, 0o022, 0o777])
def test_file_and_folder_are_private_whatever_the_umask(path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        with opened(path) as journal:
            journal.append("any", mono_us=0, durable=True)
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert set(modes.values()) == {0o600}
    assert path.name + "-wal" in modes
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@posix
def test_a_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    opened(path).close()
    path.chmod(0o644)
    opened(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@posix
def test_a_folder_that_others_may_write_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.parent.chmod(0o777)
    with pytest.raises(RecordError, match="others may write"):
        opened(path)
    path.parent.chmod(0o1777)  # sticky, as a shared temporary folder is
    opened(path).close()


@posix
def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    (tmp_path / "elsewhere").touch()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RecordError, match="not an ordinary file"):
        opened(path)


def test_a_nearly_full_disk_starts_no_session(path: Path) -> None:
    with pytest.raises(RecordError, match="nearly full"):
        opened(path, min_free_bytes=1 << 62)


@pytest.mark.parametrize("content", [b"SQLite format 3\x00" + bytes(200), b"not a database at all" * 100])
def test_a_damaged_file_is_refused(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700)
    path.write_bytes(content)
    with pytest.raises(RecordError):
        opened(path)
    assert path.read_bytes() == content


def test_another_programs_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(RecordError, match="some other program"):
        opened(path)
    with pytest.raises(RecordError, match="some other program"):
        reading.sessions(path)


def test_a_record_from_the_future_is_refused(path: Path) -> None:
    opened(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=2")
    for attempt in (lambda: opened(path), lambda: reading.verify(path), lambda: reading.sessions(path)):
        with pytest.raises(RecordError, match="record version 2"):
            attempt()


def test_a_folder_is_no_record(tmp_path: Path) -> None:
    with pytest.raises(RecordError):
        opened(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(RecordError):
        opened(tmp_path / "file" / "sessions.sqlite3")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET kind = 'x'",
        "DELETE FROM event",
        "INSERT OR REPLACE INTO event SELECT * FROM event WHERE seq = 1",
        "INSERT INTO event SELECT 9, session, mono_us, wall, kind, payload, prev, hash FROM event WHERE seq = 1",
        "INSERT INTO event SELECT 3, session, mono_us, wall, kind, payload, zeroblob(32), hash FROM event WHERE seq = 1",
    ],
)
def test_the_database_itself_refuses_changes(path: Path, statement: str) -> None:
    with opened(path) as journal:
        journal.append("one", mono_us=1)
        journal.append("two", mono_us=2, durable=True)
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    assert len(raw_rows(path)) == 2


# --- when the disk fails --------------------------------------------------------------------------------------


def assert_failed_for_good(journal: Journal, match: str) -> None:
    """After a failure: said why, later appends return or raise at once, closing tells once."""
    assert match in journal.failed
    journal.append("after", mono_us=9)
    with pytest.raises(RecordError, match=match):
        journal.append("after", mono_us=9, durable=True, wait_s=3_600.0)
    with pytest.raises(RecordError, match="not on disk"):
        journal.close()
    journal.close()
    assert journal.lost >= 2


def test_a_full_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = store.connect_writer

    def small(where: Path, *, busy_s: float) -> sqlite3.Connection:
        connection = connect(where, busy_s=busy_s)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages + 4}")  # SQLite's own way to be full
        return connection

    monkeypatch.setattr(store, "connect_writer", small)
    journal = opened(path)
    journal.append("small", mono_us=0, durable=True)
    with pytest.raises(RecordError, match="disk is full"):
        for n in range(100):
            journal.append("large", {"n": "x" * 10_000}, mono_us=n, durable=True)
    assert_failed_for_good(journal, "disk is full")
    assert reading.verify(path).ok
    assert reading.verify(path).rows == journal.written


def test_a_lock_that_is_never_given_back(path: Path) -> None:
    journal = opened(path, busy_s=0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RecordError, match="locked"):
            journal.append("stop", mono_us=0, durable=True, wait_s=30.0)
        assert_failed_for_good(journal, "locked")


def test_a_slow_disk_is_not_waited_for_twice_but_gets_its_rows(path: Path) -> None:
    journal = opened(path, busy_s=60.0)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RecordError, match="not on disk in time"):
            journal.append("stop", {"n": 1}, mono_us=0, durable=True, wait_s=0.02)
        with pytest.raises(RecordError, match="not on disk in time"):
            journal.append("stop", {"n": 2}, mono_us=0, durable=True, wait_s=3_600.0)
        other.execute("ROLLBACK")
    journal.close(wait_s=30.0)
    assert journal.failed
    assert journal.written == 2
    assert reading.verify(path).rows == 2


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder(path: Path) -> None:
    path.parent.mkdir(mode=0o500)
    with pytest.raises(RecordError, match="cannot be kept here"):
        opened(path)


def test_a_record_that_turns_read_only(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = store.connect_writer

    def read_only(where: Path, *, busy_s: float) -> sqlite3.Connection:
        connection = connect(where, busy_s=busy_s)
        connection.execute("PRAGMA query_only=1")
        return connection

    monkeypatch.setattr(store, "connect_writer", read_only)
    journal = opened(path)
    with pytest.raises(RecordError, match="read-only"):
        journal.open_session(meta(), mono_us=0)
    assert journal.session == ""
    assert_failed_for_good(journal, "read-only")


def test_a_queue_that_overflows_loses_rows_openly(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "QUEUE_MAX", 10)
    journal = opened(path, group_us=NEVER_US)
    for n in range(30):
        journal.append("flood", mono_us=n)
    assert journal.failed
    assert journal.lost > 0
    with pytest.raises(RecordError):
        journal.close()
    assert journal.written + journal.lost == 30
    assert reading.verify(path).rows == journal.written


def test_an_error_on_its_way_is_not_hidden(path: Path) -> None:
    with pytest.raises(KeyError), opened(path, busy_s=0.05) as journal:
        journal._die("the disk went away")
        journal.append("x", mono_us=0)
        raise KeyError


# --- several at once ------------------------------------------------------------------------------------------


def test_a_record_that_another_process_makes_a_moment_earlier_is_taken(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_folder, make_file = Path.mkdir, os.open

    def folder_first(self: Path, *args: Any, **more: Any) -> None:
        make_folder(self, *args, **more)
        make_folder(self, *args, **more)

    def file_first(*args: Any) -> int:
        os.close(make_file(*args))
        return make_file(*args)

    monkeypatch.setattr(Path, "mkdir", folder_first)
    monkeypatch.setattr(os, "open", file_first)
    store.prepare_place(path)
    assert path.is_file()


def test_threads_may_append_together(path: Path) -> None:
    with opened(path) as journal:

        def work(name: int) -> None:
            for n in range(40):
                journal.append("work", {"thread": name, "n": n}, mono_us=n, durable=n % 10 == 0, wait_s=30.0)

        threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert reading.verify(path).rows == 160


CHILD = """
import sys
from pathlib import Path
from stimctl.records.journal import Journal

name = sys.argv[2]
journal = Journal(Path(sys.argv[1]), wall_clock=lambda: "2026-11-22T16:00:00.000Z", busy_s=30.0, group_us=2_000)
journal.session = name
n = 0
while n < int(sys.argv[3]):
    for _ in range(n % 4):
        journal.append("grouped", {"n": n}, mono_us=n)
        n += 1
    journal.append("stop", {"n": n}, mono_us=n, durable=True, wait_s=30.0)
    print(n, flush=True)
    n += 1
journal.close()
"""


def child(path: Path, name: str, rows: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), name, str(rows)], stdout=subprocess.PIPE, text=True
    )


def test_another_process_makes_the_tables_between_two_questions(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask, others = store._number, iter([path])

    def slowly(connection: sqlite3.Connection, query: str) -> int:
        answer = ask(connection, query)
        for place in others:
            with suppress(RecordError):  # it may have to wait for us
                store.connect_writer(place, busy_s=0.0).close()
        return answer

    store.prepare_place(path)
    monkeypatch.setattr(store, "_number", slowly)
    store.connect_writer(path, busy_s=30.0).close()


def test_another_process_looks_at_a_new_file_while_its_log_is_made(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.prepare_place(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM sqlite_schema").fetchone()

    class Waiting(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            if sql == "BEGIN EXCLUSIVE" and other.in_transaction:
                other.execute("ROLLBACK")  # by the time it has waited, the other has seen enough
            return super().execute(sql, *values)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **more: connect(*args, factory=Waiting, **more))
    with closing(store.connect_writer(path, busy_s=0.0)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()


def test_processes_may_append_together(path: Path) -> None:
    children = [child(path, f"s{n}", 60) for n in range(3)]
    said = [process.communicate(timeout=120)[0].split() for process in children]
    assert all(process.returncode == 0 for process in children)
    verdict = reading.verify(path)
    assert verdict.ok, verdict
    for n in range(3):
        numbers = [event.payload["n"] for event in reading.events(path, f"s{n}")]
        assert numbers == list(range(int(said[n][-1]) + 1))


@pytest.mark.parametrize("acknowledged", [1, 7, 40])
def test_nothing_acknowledged_is_lost_by_kill_9(path: Path, acknowledged: int) -> None:
    process = child(path, "victim", 1_000_000)
    assert process.stdout is not None
    for _ in range(acknowledged):
        process.stdout.readline()
    process.kill()
    # Lines that it still managed to say were acknowledged too; a half line was not.
    rest = [line for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    process.wait()
    process.stdout.close()
    if os.name == "posix":
        assert process.returncode == -signal.SIGKILL
    verdict = reading.verify(path)
    assert verdict.ok, verdict
    numbers = [event.payload["n"] for event in reading.events(path, "victim")]
    stops = [event.payload["n"] for event in reading.events(path, "victim") if event.kind == "stop"]
    # Every acknowledged row is there, with all that was appended before it, in order.
    assert numbers == list(range(len(numbers)))
    assert len(stops) >= acknowledged + len(rest)
    # And the store goes on as if nothing had happened.
    with opened(path) as journal:
        journal.open_session(meta(), mono_us=0)
    assert reading.verify(path).rows == verdict.rows + 1
