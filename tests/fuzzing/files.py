"""Files that others made: protocols, recordings, records."""

from __future__ import annotations

import hashlib
import io
import itertools
import random
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from stimctl.control import authoring
from stimctl.errors import FileError, RecordError
from stimctl.records import raw, reading
from stimctl.records.journal import Journal
from stimctl.records.words import BURST_DELIVERED, SESSION_CLOSED
from stimctl.sensors.recording import Recording, load_spec
from stimctl.sensors.samples import RATE_MAX_HZ, RATE_MIN_HZ
from tests.fuzzing.mangle import mangled, text
from tests.fuzzing.probe import Probe, command, given
from tests.records_kit import meta
from tests.test_protocols_fuzz import try_text

# --- protocols ----------------------------------------------------------------------------------------------------


@cache
def protocols() -> tuple[bytes, ...]:
    return tuple(authoring.library_text(each.name).encode() for each in authoring.library())


def protocol(chance: random.Random, folder: Path) -> None:
    """Bytes of a protocol file through ``check``: good and flown, or lines of faults that name the file."""
    data = mangled(chance.choice(protocols()), chance)
    if chance.random() < 0.01:
        data += b"#" * (1 << 20)
    path = folder / "p.toml"
    path.write_bytes(data)
    with given(data):
        stdin = chance.random() < 0.1
        said = command(
            "check", *(["--format", "json"] if chance.random() < 0.1 else []), "-" if stdin else "p.toml", stdin=data
        )
        assert ("<stdin>" if stdin else "p.toml") in said
        if b"\x00" not in data and not stdin:
            try_text(data.decode("utf-8", "replace"))


# --- recordings ---------------------------------------------------------------------------------------------------


@cache
def recordings() -> tuple[tuple[str, bytes], ...]:
    """A CSV of each shape and an NPZ, by the ending that says which."""
    rows = [(index / 1_000, 3.0 * (index % 7) - 9) for index in range(60)]
    bare = "".join(f"{value}\n" for _, value in rows)
    named = "time_s,emg_uv\n" + "".join(f"{at},{value}\n" for at, value in rows)
    three = "t;emg;x\r\n" + "".join(f"{at};{value};1\r\n" for at, value in rows)
    packed, plain = io.BytesIO(), io.BytesIO()
    arrays: dict[str, Any] = {
        "x": np.arange(60, dtype=np.int16),
        "fs": np.float64(1_000),
        "onsets": np.array([3, 9]),
        "lsb": np.float64(0.5),
    }
    np.savez_compressed(packed, **arrays)
    np.savez(plain, **arrays, ignore=np.array([[1, 2]]))
    csv = [("csv", each.encode()) for each in (bare, named, three, named.replace(",", "\t"))]
    return (*csv, ("npz", packed.getvalue()), ("npz", plain.getvalue()))


def recording(chance: random.Random, folder: Path) -> None:
    """A file of EMG: numbers that are all finite at a rate that makes sense, or one sentence."""
    ending, data = chance.choice(recordings())
    data = mangled(data, chance)
    (folder / f"r.{ending}").write_bytes(data)
    options = (
        "",
        "?rate=1000",
        "?rate=1000&column=emg",
        "?rate=1e999",
        "?column=2",
        "?rate=nan",
        f"?rate={text(chance)}",
    )
    spec = f"r.{ending}{chance.choice(options)}"
    with given((spec, data)):
        try:
            found = load_spec(spec)
        except FileError:
            return
        sound(found)


def sound(found: Recording) -> None:
    assert RATE_MIN_HZ <= found.rate_hz <= RATE_MAX_HZ
    assert len(found.values_uv)
    assert np.isfinite(found.values_uv).all()
    assert found.values_uv.dtype == np.float64
    assert all(0 <= at <= len(found.values_uv) for at in (*found.labels.onsets, *found.labels.ends))


# --- records ------------------------------------------------------------------------------------------------------


@cache
def record() -> bytes:
    """A record of two sessions, as one file."""
    import tempfile

    ticks = itertools.count()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r.db"
        for patient in ("P-1", "P-2"):
            with Journal(path, wall_clock=lambda: f"2026-11-22T16:00:{next(ticks):02d}.000Z") as journal:
                journal.open_session(meta(patient), mono_us=0)
                for burst in range(5):
                    journal.append(BURST_DELIVERED, {"burst": burst}, mono_us=burst)
                journal.close_session("complete", mono_us=9)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
        return path.read_bytes()


UPDATE = "DROP TRIGGER event_no_update; UPDATE event SET "
BARE = "DROP TABLE event; CREATE TABLE event (seq, session, mono_us, wall, kind, payload, prev, hash); "
NUMBERS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
ROWS = (
    "SELECT x AS seq, '' AS session, 0 AS mono_us, '' AS wall, 'session-opened' AS kind, '{}' AS payload,"
    " zeroblob(32) AS prev, zeroblob(32) AS hash FROM n"
)
SQL = (
    "CREATE TABLE other (x)",
    "CREATE VIEW event2 AS SELECT * FROM event",
    "DROP TRIGGER event_no_update",
    "DROP INDEX event_kind",
    "PRAGMA user_version=99",
    "PRAGMA user_version=-1",
    "PRAGMA application_id=0",
    f"{UPDATE} payload = '[]'",
    f"{UPDATE} payload = '{{\"outcome\":' || char(27) || '}}'",
    f"{UPDATE} wall = char(27) || '[2J' || char(10), kind = 'session-opened'",
    f'{UPDATE} payload = \'{{"patient": {{"a": [1]}}, "protocol_title": 7}}\'',
    f'{UPDATE} payload = \'{{"patient":"\\ud800","because":7}}\', session = \'\'',
    f"{UPDATE} payload = '{{\"a\":' || replace(hex(zeroblob(40000)), '00', '[')",
    f"{UPDATE} mono_us = -9223372036854775807 WHERE seq % 2",
    "DROP TRIGGER event_no_delete; DELETE FROM event",
    BARE,
    f"{BARE} INSERT INTO event VALUES ('a', x'ff', 'b', 1.5, 'session-opened', x'7b7d', NULL, 3)",
    f"{BARE} INSERT INTO event VALUES (1, 's', 0, '', 'session-opened', '{{}}', zeroblob(32), 1 << 62)",
    f"DROP TABLE event; CREATE VIEW event AS {NUMBERS} {ROWS}",
    f"DROP TABLE event; CREATE VIEW event AS {NUMBERS} {ROWS} LIMIT 1000",
    "CREATE TRIGGER more AFTER INSERT ON event BEGIN UPDATE event SET kind = 'x'; END",
    f"CREATE TABLE big (x); CREATE TRIGGER more BEFORE INSERT ON event BEGIN INSERT INTO big {NUMBERS} SELECT x FROM n; END",
    "DELETE FROM sqlite_sequence; INSERT INTO sqlite_sequence VALUES ('event', 'x')",
)
"""What somebody with SQLite and bad intentions may have done to a record."""


def database(chance: random.Random, folder: Path) -> None:
    """A record that is damaged, foreign or forged: listed, refused or called damaged, and never changed by a reader."""
    path, done = folder / "r.db", ""
    path.write_bytes(record())
    if chance.random() < 0.5:
        path.write_bytes(mangled(record(), chance))
    else:
        done = chance.choice(SQL)
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(done)
    if chance.random() < 0.2:
        (folder / "r.db-wal").write_bytes(chance.randbytes(chance.choice((0, 32, 5_000))))
    was = hashlib.sha256(path.read_bytes()).digest()
    with given(done or path.read_bytes()):
        for arguments in (("sessions",), ("sessions", "last"), ("sessions", "last", "--format", "json"), ("verify",)):
            command(*arguments, "--store", "r.db")
        assert hashlib.sha256(path.read_bytes()).digest() == was, "a reader changed it"
        reopened(path)


def reopened(path: Path) -> None:
    """For a new session it is refused in a sentence, or goes on without touching what is there."""
    try:
        with Journal(path, wall_clock=lambda: "2026-11-22T16:00:00.000Z") as journal:
            session = journal.open_session(meta("P-3"), mono_us=0)
            journal.close_session("complete", mono_us=1)
    except RecordError:
        return
    assert reading.events(path, session)[-1].kind == SESSION_CLOSED


def warm() -> None:
    """Make what is made once, before anybody watches what is written."""
    recordings(), protocols(), record(), raw_file()


@cache
def raw_file() -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.emg"
        with raw.RawEmg(path, {"rate_hz": 1_000}) as file:
            for chunk in range(4):
                file.append(chunk * 8, chunk, [1.0] * 8)
        return path.read_bytes()


def raw_emg(chance: random.Random, folder: Path) -> None:
    """Raw EMG beside a record: the whole chunks of it, and where it breaks."""
    data = mangled(raw_file(), chance)
    (folder / "a.emg").write_bytes(data)
    with given(data):
        try:
            found = raw.read_raw(folder / "a.emg")
        except RecordError:
            return
        assert all(len(chunk.values) <= raw.BODY_MAX for chunk in found.chunks)


PROBES = (
    Probe("protocol", "protocol files, mangled", protocol, warm),
    Probe("recording", "EMG files, mangled", recording, warm),
    Probe("record", "records, damaged and forged", database, warm),
    Probe("raw-emg", "raw EMG files, mangled", raw_emg, warm),
)
