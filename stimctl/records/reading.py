"""The read side of the record: list, read and verify. Opens read-only and works beside a running session."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from stimctl.errors import RecordError
from stimctl.records import store, words
from stimctl.records.chain import GENESIS, Row, row_hash
from stimctl.records.words import Event, SessionRow, Verdict

_PROGRESS_EVERY: Final = 1_000

_EVENT: Final = ((int,), (str,), (int,), (str,), (str,), (str,), (bytes,))
_SESSION: Final = ((str,), (str,), (str,), (str, type(None)), (int,), (int,))
"""The types of an event's columns, and of those of a session in the list."""


def default_store() -> Path:
    """Where records lie unless a path is given: the user's data folder (never made here)."""
    import platformdirs  # only needed when no path is given, and start-up counts

    try:
        folder = Path(platformdirs.user_data_path("stimctl", appauthor=False))
    except RuntimeError as error:  # HOME is not set, and the system does not know this user
        raise RecordError(f"your user data folder cannot be found: {error}; name a record with --store") from None
    if not folder.is_absolute():  # a record would lie wherever stimctl happens to be started
        raise RecordError(f"your user data folder is {folder}, which is no place of its own; name one with --store")
    return folder / "sessions.sqlite3"


def sessions(path: Path) -> tuple[SessionRow, ...]:
    """Every session in the record at ``path``, oldest first. Raises :class:`RecordError`."""
    query = """
        SELECT opened.session, opened.wall, opened.payload,
               (SELECT payload FROM event WHERE session = opened.session AND kind = :closed ORDER BY seq DESC LIMIT 1),
               (SELECT max(mono_us) - min(mono_us) FROM event WHERE session = opened.session),
               (SELECT count(*) FROM event WHERE session = opened.session AND kind = :burst)
        FROM event AS opened WHERE kind = :opened ORDER BY seq"""
    names = {"opened": words.SESSION_OPENED, "closed": words.SESSION_CLOSED, "burst": words.BURST_DELIVERED}
    with _opened(path) as connection:
        rows = [_session_row(path, *_whole(path, _SESSION, row)) for row in connection.execute(query, names)]
        return tuple(_with_reason(path, connection, row) for row in rows)


def events(path: Path, session: str) -> tuple[Event, ...]:
    """Every event of ``session`` in order; empty when there is none. Raises :class:`RecordError`."""
    query = "SELECT seq, session, mono_us, wall, kind, payload, hash FROM event WHERE session = ? ORDER BY seq"
    with _opened(path) as connection:
        rows = (_whole(path, _EVENT, row) for row in connection.execute(query, (session,)))
        return tuple(
            Event(seq, name, mono_us, wall, kind, _json(path, payload), own.hex())
            for seq, name, mono_us, wall, kind, payload, own in rows
        )


def verify(path: Path, *, progress: Callable[[int, int], None] | None = None) -> Verdict:
    """Walk the whole chain at ``path`` and say whether every row is as it was written.

    Finds any changed, inserted, swapped or missing row, and a cut end as long as SQLite's own row counter was not
    cut with it. ``progress`` is called with rows done and rows in all. Raises :class:`RecordError` only when there
    is no record to look at; a damaged one is a verdict.
    """
    with _opened(path) as connection:
        connection.text_factory = bytes  # what is on the disk, also where it is no longer text
        walk = _Walk()
        try:
            connection.execute("BEGIN")  # one snapshot, though a session may be appending
            total = connection.execute("SELECT count(*) FROM event").fetchone()[0]
            why = walk.along(connection, lambda done: progress(done, total) if progress else None)
            why = why or _beyond_the_rows(connection, walk.rows)
        except store.BROKEN as error:
            why = store.explain(path, error)
    return Verdict(not why, walk.rows, walk.first_bad, why, walk.prev.hex())


class _Walk:
    """The state of one walk along the chain."""

    def __init__(self) -> None:
        self.rows = 0
        self.prev = GENESIS
        self.first_bad: int | None = None

    def along(self, connection: sqlite3.Connection, progress: Callable[[int], None]) -> str:
        """Check row after row; the first fault as text, or ""."""
        query = "SELECT seq, session, mono_us, wall, kind, payload, prev, hash FROM event ORDER BY seq"
        for *fields, prev, own in connection.execute(query):
            row = Row(*fields)
            if why := self._fault(row, prev, own):
                self.first_bad = row.seq
                return f"row {row.seq}: {why}"
            self.rows, self.prev = self.rows + 1, own
            if self.rows % _PROGRESS_EVERY == 0:
                progress(self.rows)
        return ""

    def _fault(self, row: Row, prev: bytes, own: bytes) -> str:
        if row.seq != self.rows + 1:
            return f"should be row {self.rows + 1}: rows are missing or were added"
        if prev != self.prev:
            return "does not follow the row before it: one of the two was changed"
        if own != row_hash(prev, row):
            return "was changed after it was written"
        return ""


def _beyond_the_rows(connection: sqlite3.Connection, rows: int) -> str:
    """Faults that no single row shows: a cut end, removed triggers."""
    connection.text_factory = str
    counter = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'event'").fetchone()
    if (counter[0] if counter else 0) != rows:
        return f"the record ends at row {rows}, but more were written: its end was cut off"
    return store.check_schema(connection)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(store.connect_reader(Path(path))) as connection:
            yield connection
    except store.BROKEN as error:
        raise RecordError(store.explain(path, error)) from error


def _whole(path: Path, kinds: tuple[tuple[type, ...], ...], row: tuple[Any, ...]) -> tuple[Any, ...]:
    """``row``, whose values have the types that we write: in a forged table anything may stand anywhere."""
    if all(type(value) in kind for value, kind in zip(row, kinds, strict=True)):
        return row
    raise _unreadable(path)


def _json(path: Path, text: object) -> dict[str, object]:
    try:
        value = json.loads(text) if type(text) is str else None
        if type(value) is dict:
            return value
    except (ValueError, RecursionError):
        pass
    raise _unreadable(path)


def _unreadable(path: Path) -> RecordError:
    return RecordError(f"{path}: an event is not readable; run stimctl verify on this record")


def _session_row(
    path: Path, name: str, wall: str, opened: str, closed: str | None, span: int, bursts: int
) -> SessionRow:
    meta = _json(path, opened)
    outcome = _json(path, closed).get("outcome") if closed is not None else words.UNFINISHED
    return SessionRow(
        id=name,
        started=wall,
        patient=str(meta.get("patient", "")),
        protocol=str(meta.get("protocol_title", "")),
        # Unless the record says plainly that it was simulated, somebody was stimulated.
        simulated=meta.get("simulated") is True,
        outcome=str(outcome),
        duration_us=span,
        bursts=bursts,
    )


def _with_reason(path: Path, connection: sqlite3.Connection, row: SessionRow) -> SessionRow:
    """``row`` and why it came to no regular end: what stopped it last and was not cleared."""
    kinds = (words.BLOCKED, *words.STOPPING, *words.CLEARING)
    query = f"SELECT kind, payload FROM event WHERE session = ? AND kind IN ({','.join('?' * len(kinds))}) ORDER BY seq"  # noqa: S608 - question marks alone
    why, treated = "", True
    for kind, text in connection.execute(query, (row.id, *kinds)):
        payload = _json(path, text)
        if kind == words.BLOCKED:
            because = payload.get("because")
            why, treated = "; ".join(map(str, because)) if isinstance(because, list) else "", False
        elif kind in words.CLEARING:
            why = ""
        elif payload.get("state") == "stopped":  # a stop that is tried before anything is armed stops nothing
            why = why or str(payload.get("reason", ""))
    return row if row.outcome == words.COMPLETE else replace(row, why=why, treated=treated)
