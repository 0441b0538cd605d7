"""What the tests of the record share."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from stimctl.records.words import SessionMeta

TRIGGERS = ("event_no_update", "event_no_delete", "event_in_order")


def wall_clock() -> Callable[[], str]:
    """A clock that gives another second at every look."""
    ticks = itertools.count()
    return lambda: f"2026-11-22T16:{(tick := next(ticks)) // 60 % 60:02d}:{tick % 60:02d}.000Z"


def meta(patient: str = "P-01", *, simulated: bool = True) -> SessionMeta:
    return SessionMeta(
        patient=patient,
        protocol_title="Wrist extension",
        protocol_kind="fes-emg",
        protocol_sha256="ab" * 32,
        protocol_text="format = 1\n",
        simulated=simulated,
        board={"name": "twin", "firmware": "1.0"},
        stimctl_version="0.1.0",
        side="left",
    )


def tamper(path: Path, statement: str, *values: object) -> None:
    """What somebody with SQLite and bad intentions does: triggers away, change, triggers back."""
    with closing(sqlite3.connect(path)) as connection, connection:
        saved = [
            connection.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (name,)).fetchone()[0]
            for name in TRIGGERS
        ]
        for name in TRIGGERS:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement, values)
        for sql in saved:
            connection.execute(sql)


def raw_rows(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT * FROM event ORDER BY seq").fetchall()
