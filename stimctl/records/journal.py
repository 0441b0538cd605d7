"""The write side of the record: one append-only, hash-chained table that a thread of its own writes.

The control loop must never wait for a disk, so :meth:`Journal.append` only queues; the writer thread owns the
connection and commits the queue in groups. A caller that may not go on before a row is safe asks for ``durable``
and waits, for a bounded time. When the disk fails, the journal latches :attr:`Journal.failed` and every later call
returns or raises at once: a record never stands in a stop's way (design, rule 13; H45).

What "acknowledged" means: a durable ``append`` or a ``flush`` that returned. Then this row and every row before it
survives ``kill -9`` and, as far as the disk keeps its promises, a power cut.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self, final

from stimctl.errors import OurBug, RecordError
from stimctl.records import store, words
from stimctl.records.chain import GENESIS, Row, canonical, row_hash

GROUP_US: Final = 250_000
"""Longest time that a row which is not durable waits for its commit."""

QUEUE_MAX: Final = 100_000
"""Rows that may wait for a slow disk; some 50 MB, hours of events. Past it rows are lost, and counted."""

_INT64: Final = range(-(1 << 63), 1 << 63)


class _Waiting(NamedTuple):
    """A row on its way to the disk: all but its place in the chain."""

    session: str
    mono_us: int
    wall: str
    kind: str
    payload: str


@final
class Journal:
    """Appends to the record at ``path``; safe to call from several threads.

    ``wall_clock`` gives UTC as ISO 8601 text. ``busy_s`` is how long another process may hold the file before that
    counts as a failure. Raises :class:`RecordError` when the record cannot be opened, is not ours, is newer than
    this program, or the disk is nearly full: then no session may start.

    :attr:`failed` is "" or, from the first failure on, the reason; :attr:`written` counts this journal's rows on
    disk, :attr:`lost` those that never will be; :attr:`session` is the open session's id or "".
    """

    def __init__(
        self,
        path: Path,
        *,
        wall_clock: Callable[[], str],
        group_us: int = GROUP_US,
        busy_s: float = 5.0,
        min_free_bytes: int = store.MIN_FREE_BYTES,
    ) -> None:
        self.path = Path(path)
        self.session = ""
        self.failed = ""
        self.lost = 0
        self.written = 0
        self._wall_clock = wall_clock
        self._group_s = group_us / 1e6
        self._busy_s = busy_s
        self._appended = 0
        self._urgent = 0
        self._closing = False
        self._open = False
        self._dead = False
        self._queue: deque[_Waiting] = deque()
        # A condition over a re-entrant lock: a signal handler may append while its own thread does.
        self._changed = threading.Condition(threading.RLock())
        store.prepare_place(self.path, min_free_bytes=min_free_bytes)
        self._thread = threading.Thread(target=self._write_forever, name="journal", daemon=True)
        self._thread.start()
        try:
            self._await(lambda: self._open, busy_s + 1.0, f"{self.path}: the record did not open in time")
        except RecordError:
            self._closing = True  # a thread that is merely late ends when it does get there
            raise

    # --- for the session -------------------------------------------------------------------------------------

    @property
    def today(self) -> str:
        """The day in UTC, such as 2026-03-31."""
        return self._wall_clock()[:10]

    def append(
        self,
        kind: str,
        payload: Mapping[str, object] | None = None,
        *,
        mono_us: int,
        durable: bool = False,
        wait_s: float = 1.0,
    ) -> None:
        """Add one event; with ``durable`` return only when it, and all before it, is on disk.

        ``kind`` is small letters, digits and hyphens; ``payload`` JSON values; ``mono_us`` the session's monotonic
        time. Raises :class:`OurBug` for anything else. Storage trouble raises :class:`RecordError` only where
        ``durable`` promised something, after ``wait_s`` at the latest and at once when the journal has failed
        before; without ``durable`` it shows in :attr:`failed` and :attr:`lost`.
        """
        if not words.is_kind(kind) or type(mono_us) is not int or mono_us not in _INT64:
            raise OurBug(f"an event needs a kind and a time in whole µs, not {kind!r} at {mono_us!r}")
        text = canonical(payload or {})
        with self._changed:
            ticket = self._enqueue(_Waiting(self.session, mono_us, self._wall_clock(), kind, text))
        if durable:
            self._settle(ticket, wait_s)

    def flush(self, *, wait_s: float = 1.0) -> None:
        """Return when everything appended so far is on disk; raises :class:`RecordError` as a durable append does."""
        self._settle(self._appended, wait_s)

    def hasten(self) -> None:
        """Have everything appended so far committed now and not with its group; waits for nothing, raises nothing."""
        with self._changed:
            self._urgent = max(self._urgent, self._appended)
            self._changed.notify_all()

    def open_session(self, meta: words.SessionMeta, *, mono_us: int) -> str:
        """Write the opening row, durably, and return the new session's id, which later rows carry.

        Raises :class:`UsageError` for a patient code that is none, :class:`OurBug` while another session is open,
        :class:`RecordError` when the row is not on disk: then the session must not start.
        """
        words.patient_code(meta.patient)
        if type(meta.simulated) is not bool:
            raise OurBug("a session is simulated or it is not")
        if self.session:
            raise OurBug(f"session {self.session} is still open")
        day_and_time = "".join(filter(str.isdigit, self._wall_clock()))[:14]
        self.session = f"{day_and_time}-{secrets.token_hex(4)}"
        try:
            self.append(words.SESSION_OPENED, asdict(meta), mono_us=mono_us, durable=True)
        except BaseException:
            self.session = ""
            raise
        return self.session

    def close_session(self, outcome: str, payload: Mapping[str, object] | None = None, *, mono_us: int) -> None:
        """Write the closing row, durably: ``outcome`` is a word such as "complete" or "stopped"; totals in payload.

        The session counts as closed even if this raises :class:`RecordError`. Raises :class:`OurBug` without one.
        """
        if not self.session:
            raise OurBug("there is no session to close")
        try:
            self.append(words.SESSION_CLOSED, {**(payload or {}), "outcome": outcome}, mono_us=mono_us, durable=True)
        finally:
            self.session = ""

    def close(self, *, wait_s: float = 5.0) -> None:
        """Flush and end the writer thread; idempotent. Raises :class:`RecordError` when rows were left unwritten."""
        with self._changed:
            first, self._closing = not self._closing, True
            self._changed.notify_all()
        self._thread.join(wait_s)
        if first and self._appended != self.written:
            raise RecordError(
                f"{self.path}: {self._appended - self.written} rows of the record are not on disk"
                f"{': ' + self.failed if self.failed else ''}"
            )

    def __enter__(self) -> Self:
        """The journal itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close; an error that is on its way already is not hidden behind the record's own."""
        try:
            self.close()
        except RecordError:
            if error is None:
                raise

    # --- in the caller's thread ------------------------------------------------------------------------------

    def _enqueue(self, row: _Waiting) -> int:
        """Queue ``row`` if anyone will ever write it; return how many rows must be on disk for it to be there."""
        self._appended += 1
        if self._dead or self._closing or len(self._queue) >= QUEUE_MAX:
            self.lost += 1
            self.failed = self.failed or "the record is closed or its disk is far too slow; rows are being lost"
        else:
            self._queue.append(row)
            if len(self._queue) == 1:
                self._changed.notify_all()
        return self._appended

    def _settle(self, ticket: int, wait_s: float) -> None:
        """Have everything up to ``ticket`` committed now, or raise within ``wait_s``."""
        with self._changed:
            self._urgent = max(self._urgent, ticket)
            self._changed.notify_all()
            # A soft failure (a slow disk) leaves the writer at work, but nobody waits for it a second time.
            self._await(
                lambda: self.written >= ticket, 0.0 if self.failed else wait_s, f"{self.path}: not on disk in time"
            )

    def _await(self, done: Callable[[], bool], wait_s: float, late: str) -> None:
        with self._changed:
            self._changed.wait_for(lambda: done() or self._dead, wait_s)
            if not done():
                self.failed = self.failed or late
                raise RecordError(self.failed)

    # --- in the writer thread --------------------------------------------------------------------------------

    def _write_forever(self) -> None:
        try:
            connection = store.connect_writer(self.path, busy_s=self._busy_s)
            try:
                with self._changed:
                    self._open = True
                    self._changed.notify_all()
                while batch := self._next_batch():
                    _commit(connection, batch)
                    self._done(len(batch))
            finally:
                connection.close()
        except RecordError as error:
            self._die(str(error))
        except store.BROKEN as error:
            self._die(store.explain(self.path, error))
        except Exception as error:  # noqa: BLE001 - a thread that dies unheard is a record silently lost
            self._die(f"{self.path}: the record failed: {error!r}")

    def _next_batch(self) -> list[_Waiting]:
        """Wait for rows, then for their group's time, an urgent row or the end; empty when all is written."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            due = time.monotonic() + self._group_s
            while not (self._closing or self._urgent > self.written) and (left := due - time.monotonic()) > 0:
                self._changed.wait(left)
            # The rows stay counted as appended but leave the queue: a failure below loses them all together.
            batch = list(self._queue)
            self._queue.clear()
            return batch

    def _done(self, rows: int) -> None:
        with self._changed:
            self.written += rows
            self._changed.notify_all()

    def _die(self, why: str) -> None:
        with self._changed:
            self._dead = True
            self.failed = self.failed or why
            self._queue.clear()
            self.lost = self._appended - self.written
            self._changed.notify_all()


def _commit(connection: sqlite3.Connection, batch: list[_Waiting]) -> None:
    """Chain ``batch`` to the last row, whoever wrote that, in one transaction."""
    # IMMEDIATE takes the write lock before the last hash is read: two processes cannot both build on one row.
    connection.execute("BEGIN IMMEDIATE")
    try:
        last = connection.execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
        seq, prev = last or (0, GENESIS)
        for waiting in batch:
            seq += 1
            row = Row(seq, *waiting)
            own = row_hash(prev, row)
            connection.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*row, prev, own))
            prev = own
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
