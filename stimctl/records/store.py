"""The database file: where it may lie, who may read it, what tables it has and how it is opened.

Nothing here opens the file but SQLite itself: closing any other handle on it would drop the locks that SQLite
holds for the whole process (POSIX advisory locks), so everything else is done by path.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from stimctl.errors import RecordError

SCHEMA_VERSION: Final = 1
"""``user_version`` of the file. A higher one is refused: an old program must not append what a new one cannot read."""

APPLICATION_ID: Final = 0x53544D43
""""STMC": keeps a mistyped path from turning some other program's database into a record."""

MIN_FREE_BYTES: Final = 32 << 20
"""No session starts with less free disk (H45): an hour's journal takes a few MB, and the end must fit too."""

_OPENINGS_AT_ONCE: Final = 20
"""So many openings of a new file at the same moment may go before one."""

BESIDE: Final = ("-wal", "-shm", "-journal")
"""How the names of SQLite's own files end, beside the record."""

BROKEN: Final = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite's module raises over a damaged file: the latter when not even SQLite's complaint can be read as text."""

_TABLE: Final = {
    "event": """CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    session TEXT NOT NULL,
    mono_us INTEGER NOT NULL,
    wall TEXT NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    prev BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT""",
    "event_session": "CREATE INDEX event_session ON event (session, seq)",
    "event_kind": "CREATE INDEX event_kind ON event (kind, session)",
    "event_no_update": """CREATE TRIGGER event_no_update BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END""",
    "event_no_delete": """CREATE TRIGGER event_no_delete BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END""",
    # INSERT OR REPLACE deletes without firing the trigger above, and two forgetful writers could fork the chain:
    # a new row must be the next one and must name the last one's hash.
    "event_in_order": """CREATE TRIGGER event_in_order BEFORE INSERT ON event
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM event)
  OR NEW.prev IS NOT coalesce((SELECT hash FROM event ORDER BY seq DESC LIMIT 1), zeroblob(32))
BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END""",
}
"""Every object of the schema by name; :func:`check_schema` compares them with what the file really has."""


def prepare_place(path: Path, *, min_free_bytes: int = MIN_FREE_BYTES) -> None:
    """Make ``path`` exist as a private file in a safe folder, or raise :class:`RecordError`.

    A folder that is made here is 0700 and the file 0600 whatever the umask. A folder that was there already may be
    listed by others (the file itself is closed to them), but not written by them unless it is sticky: who can write
    the folder can swap the record.
    """
    try:
        _prepare_folder(path.parent)
        if shutil.disk_usage(path.parent).free < min_free_bytes:
            raise RecordError(f"{path}: the disk is nearly full; free some space before a session")
        for beside in BESIDE:
            _check_beside(path.with_name(path.name + beside))
        _prepare_file(path)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        why = getattr(error, "strerror", None) or error
        raise RecordError(f"{path}: the record cannot be kept here: {why}") from error


def _prepare_folder(folder: Path) -> None:
    if not folder.exists():
        with suppress(FileExistsError):  # another process made it a moment ago
            folder.mkdir(parents=True, mode=0o700)
            folder.chmod(0o700)
    mode = folder.stat().st_mode
    if not stat.S_ISDIR(mode):
        raise RecordError(f"{folder} is not a folder")
    if os.name == "posix" and mode & 0o022 and not mode & stat.S_ISVTX:
        raise RecordError(f"{folder}: others may write here and could replace the record; run chmod 700 on it")


def _prepare_file(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        # O_EXCL: if another process makes it first, its file is taken as it is.
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        mode = path.lstat().st_mode
    if not stat.S_ISREG(mode):
        raise RecordError(f"{path} is not an ordinary file; a record cannot be a link, folder or device")
    if os.name == "posix":
        _check_owner(path)
        if stat.S_IMODE(mode) != 0o600:
            path.chmod(0o600)


def _check_beside(path: Path) -> None:
    """What SQLite would open beside the record: it follows links, and takes whatever lies there for its own log."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        raise RecordError(f"{path} is not an ordinary file, but belongs to a record; find out who put it there")
    if os.name == "posix":
        _check_owner(path)


def _check_owner(path: Path) -> None:
    """Where several may write, such as a shared folder for temporary files, somebody may have been here first."""
    if path.lstat().st_uid != os.geteuid():
        raise RecordError(f"{path} belongs to another user; choose another path")


def connect_writer(path: Path, *, busy_s: float) -> sqlite3.Connection:
    """Open for appending, make the tables if the file is new; the caller owns the connection.

    Waits at most ``busy_s`` for another process's lock. Raises :class:`RecordError`.
    """
    try:
        connection = sqlite3.connect(path, timeout=busy_s, isolation_level=None)
        try:
            # FULL and fullfsync: a commit returns when the row has reached the disk, on macOS too.
            for pragma in ("synchronous=FULL", "fullfsync=1", "trusted_schema=0", "recursive_triggers=1"):
                connection.execute(f"PRAGMA {pragma}")
            _check_at_one_moment(connection, path)
            _write_ahead(connection)
            _make_tables(connection, path)
            _insist_on_schema(connection, path)
        except BaseException:
            connection.close()
            raise
    except BROKEN as error:
        raise RecordError(explain(path, error)) from error
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open read-only, beside a running writer if there is one. Raises :class:`RecordError`."""
    try:
        there = path.is_file()
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise RecordError(f"{path}: cannot be read: {error.strerror or error}") from None
    if not there:
        raise RecordError(f"{path}: there is no record here; it is made by the first session")
    uri = path.absolute().as_uri() + "?mode=ro"
    try:
        try:
            return _reader(uri, path)
        except sqlite3.OperationalError:
            # On a read-only medium SQLite cannot make its shared-memory file. Without a pending log nothing
            # is missing from the main file, so it can be read as one that does not change.
            if path.with_name(path.name + "-wal").exists():
                raise
            return _reader(uri + "&immutable=1", path)
    except BROKEN as error:
        raise RecordError(explain(path, error)) from error


def _reader(uri: str, path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, timeout=5.0, isolation_level=None)
    try:
        connection.execute("PRAGMA trusted_schema=0")
        _check_at_one_moment(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def check_ours(connection: sqlite3.Connection, path: Path) -> None:
    """Raise :class:`RecordError` unless the file is empty or a record of a version that we know."""
    application = _number(connection, "PRAGMA application_id")
    version = _number(connection, "PRAGMA user_version")
    objects = _number(connection, "SELECT count(*) FROM sqlite_schema")
    if (application, version, objects) == (0, 0, 0):
        return
    if application != APPLICATION_ID:
        raise RecordError(f"{path} is some other program's database, not a stimctl record; choose another path")
    if version == SCHEMA_VERSION:
        # A view under our table's name could be endless.
        if _number(connection, "SELECT count(*) FROM sqlite_schema WHERE name = 'event' AND type = 'table'") != 1:
            raise RecordError(f"{path}: the record is damaged: it has no table of events; keep the file as it is")
    else:
        raise RecordError(
            f"{path} has record version {version}, this stimctl knows {SCHEMA_VERSION}; use the stimctl that wrote it"
        )


def _check_at_one_moment(connection: sqlite3.Connection, path: Path) -> None:
    """:func:`check_ours` within one transaction: another process may be making the tables between two questions."""
    connection.execute("BEGIN")
    try:
        check_ours(connection, path)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Keep a write-ahead log. Where others open the same new file SQLite does not wait for them by itself, but refuses."""
    for _ in range(_OPENINGS_AT_ONCE):
        try:
            connection.execute("PRAGMA journal_mode=WAL").fetchone()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
        connection.execute("BEGIN EXCLUSIVE")  # this waits for them
        connection.execute("ROLLBACK")
    connection.execute("PRAGMA journal_mode=WAL").fetchone()


def check_schema(connection: sqlite3.Connection) -> str:
    """What is wrong with the tables and triggers, or "": whoever edits rows has to remove the triggers first."""
    found = dict(connection.execute("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite@_%' ESCAPE '@'"))
    if wrong := sorted(name for name in found.keys() | _TABLE.keys() if found.get(name) != _TABLE.get(name)):
        return f"the record's tables or triggers were changed: {', '.join(map(str, wrong))}"
    return ""


def _insist_on_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Append to our own tables alone: a trigger of somebody else's would run with every row."""
    if why := check_schema(connection):
        raise RecordError(f"{path}: {why}; keep the file as it is and start a new one at another path")


def _make_tables(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Asked again inside the lock: another process may have been quicker.
        check_ours(connection, path)
        if _number(connection, "PRAGMA user_version") == 0:
            for statement in _TABLE.values():
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _number(connection: sqlite3.Connection, query: str) -> int:
    with closing(connection.execute(query)) as cursor:
        return int(cursor.fetchone()[0])


def explain(path: Path, error: Exception) -> str:
    """One line for a person: what SQLite met and what to do about it."""
    text = str(error)
    for sign, meaning in _MEANINGS.items():
        if sign in text:
            return f"{path}: {meaning}"
    return f"{path}: the record failed: {text}"


_MEANINGS: Final = {
    "full": "the disk is full; free some space",
    "readonly": "the record is read-only; check its permissions and those of its folder",
    "locked": "another program keeps the record locked; close it",
    "not a database": "this file is not a stimctl record, or is damaged; keep it and choose another path",
    "codec can't decode": "the record is damaged; keep the file and start a new one at another path",
    "malformed": "the record is damaged; keep the file and start a new one at another path",
    "unable to open": "the record cannot be opened; check that its folder exists and may be written",
}
