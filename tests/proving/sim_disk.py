"""The disk under the record: a real SQLite file, and a file system that refuses, dawdles or lies when it is told to.

Also the outside eye on the file: rows and chain are read with code of our own, not with the code that wrote them.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from stimctl.records import store
from tests.proving.sim_threads import FOREVER_US, Fibres


class Disk:
    """What the file system does now. ``refused_us``: when it first refused a row; ``committing_us``: since when it dawdles over one
    commit, whose rows a process that dies meanwhile takes with it.
    """

    def __init__(self, fibres: Fibres) -> None:
        self._fibres = fibres
        self.error = ""
        self.latency_us = 0
        self.refused_us: int | None = None
        self.slowed_us: int | None = None
        self.committing_us: int | None = None

    def before(self, statement: str) -> None:
        """A statement is about to reach the disk, in the writer's thread."""
        if statement == "COMMIT" and self.latency_us and self._fibres.running is not None:
            self.committing_us = self._fibres.time.now_us
            self.slowed_us = self.slowed_us or self.committing_us
            self._fibres.running.park(None, min(FOREVER_US, self.committing_us + self.latency_us))
            self.committing_us = None
        if self.error and statement.startswith(("INSERT", "COMMIT")):
            self.refused_us = self.refused_us or self._fibres.time.now_us
            raise sqlite3.OperationalError(self.error)

    @contextmanager
    def mounted(self) -> Iterator[None]:
        """The record's writer works on this disk."""
        opened = store.connect_writer

        def connect(path: Path, *, busy_s: float) -> Any:
            return _Connection(opened(path, busy_s=busy_s), self)

        with patch.object(store, "connect_writer", connect):
            yield


class _Connection:
    """A connection that asks the disk first."""

    def __init__(self, real: sqlite3.Connection, disk: Disk) -> None:
        self._real, self._disk = real, disk
        real.execute("PRAGMA synchronous=OFF")  # the machine keeps running: what it promises is not what is tried here

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        self._disk.before(statement)
        return self._real.execute(statement, *values)

    @property
    def in_transaction(self) -> bool:
        return self._real.in_transaction

    def close(self) -> None:
        self._real.close()


class Kept(NamedTuple):
    """A row as it lies on the disk."""

    mono_us: int
    wall: str
    kind: str
    payload: dict[str, Any]


def read(path: Path) -> tuple[list[Kept], str]:
    """Every row of the record at ``path``, and what is wrong with its chain, or ""."""
    if not path.exists():
        return [], ""
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT seq, session, mono_us, wall, kind, payload, prev, hash FROM event ORDER BY seq"
        rows = connection.execute(query).fetchall()
    fault, before = "", bytes(32)
    for number, row in enumerate(rows, 1):
        prev, own = row[6:]
        if row[0] != number or prev != before or own != _hash(prev, row[:6]):
            fault = fault or f"row {number} of the record does not hold on to the one before it"
        before = own
    return [Kept(row[2], row[3], row[4], json.loads(row[5])) for row in rows], fault


def _hash(prev: bytes, fields: tuple[object, ...]) -> bytes:
    """The chain's arithmetic, a second time: SHA-256 over a tag, then each field behind its length in 8 bytes."""
    text = [prev, *(str(each).encode() for each in fields)]
    joined = b"".join(len(each).to_bytes(8, "big") + each for each in text)
    return hashlib.sha256(b"stimctl journal row, version 1" + joined).digest()
