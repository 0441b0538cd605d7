"""``sessions`` and ``verify``: the read side of the record."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stimctl.cli import say
from stimctl.errors import UsageError
from stimctl.units import SECOND, seconds_text

if TYPE_CHECKING:
    from stimctl.records.words import Event, SessionRow

LONGEST: Final = 80
"""Characters of one value in a line of an event."""

HEADINGS: Final = ("session", "started (UTC)", "patient", "board", "outcome", "length", "bursts", "protocol")


def sessions(arguments: argparse.Namespace) -> int:
    """List all sessions, or the events of one."""
    from stimctl.records import reading

    path = _store(arguments)
    if arguments.store is None and not path.exists():
        rows: tuple[SessionRow, ...] = ()  # nobody has run a session here yet, which is no fault
    else:
        rows = reading.sessions(path)
    if arguments.id is not None:
        return _show_events(reading.events(path, _pick(rows, arguments.id, path)), arguments.format)
    if arguments.format == "json":
        say.whole(json.dumps([asdict(row) for row in rows], indent=2, ensure_ascii=False))
    elif not rows:
        say.line(f"no sessions yet in {path}")
    else:
        _table([HEADINGS, *(_cells(row) for row in rows)])
    return 0


def verify(arguments: argparse.Namespace) -> int:
    """Walk the chain; 0 when it is whole, 1 when it is not."""
    from stimctl.records import reading

    path = _store(arguments)
    progress = say.Progress("verifying")
    verdict = reading.verify(path, progress=progress)
    progress.clear()
    if verdict.ok:
        say.verdict(str(path), "whole", say.GOOD, f"{verdict.rows} rows as they were written; last hash {verdict.head}")
        return 0
    say.verdict(str(path), "DAMAGED", say.BAD, f"{verdict.why}; keep the file as it is and find out who changed it")
    return 1


def _store(arguments: argparse.Namespace) -> Path:
    from stimctl.records import reading

    return Path(arguments.store) if arguments.store is not None else reading.default_store()


def _pick(rows: tuple[SessionRow, ...], wanted: str, path: Path) -> str:
    """The one session that ``wanted`` names: its id, an unmistakable beginning of it, or ``last``."""
    if wanted == "last" and rows:
        return rows[-1].id
    found = [row.id for row in rows if row.id == wanted] or [row.id for row in rows if row.id.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{wanted} begins {len(found)} sessions' names; give more of it")
    raise UsageError(f"there is no session {wanted} in {path}; stimctl sessions lists them")


def _cells(row: SessionRow) -> tuple[str, ...]:
    board = "simulated" if row.simulated else "REAL"
    started = row.started.replace("T", " ")[:19]
    length = seconds_text(row.duration_us // SECOND * SECOND)
    return (row.id, started, row.patient, board, row.outcome, length, str(row.bursts), row.protocol)


def _table(rows: list[tuple[str, ...]]) -> None:
    """Columns as wide as they have to be; the last one ends where its text ends."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        say.line("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def _show_events(events: tuple[Event, ...], form: str) -> int:
    if form == "json":
        say.whole(json.dumps([asdict(event) for event in events], indent=2, ensure_ascii=False))
        return 0
    start = events[0].mono_us if events else 0
    for event in events:
        at = (event.mono_us - start) // 1_000
        clock = f"{at // 60_000:3d}:{at // 1_000 % 60:02d}.{at % 1_000:03d}"
        say.line(f"{event.seq:6d} {clock} {event.kind:20} {_payload(event.payload)}".rstrip())
    return 0


def _payload(payload: dict[str, object]) -> str:
    """``name=value`` pairs on one line, the empty ones left out; long texts, such as the protocol file, by their length."""
    return " ".join(f"{name}={_value(value)}" for name, value in payload.items() if value not in ("", None))


def _value(value: object) -> str:
    bare = isinstance(value, str) and value.isprintable() and " " not in value
    text = str(value) if bare else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"({len(text)} characters)"
