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

LONGEST: Final = 120
"""Characters of one value in a line of an event; what is longer has lines of its own."""

FEW: Final = 4
"""Values that stand side by side; more of them have a line each."""

INDENT: Final = 18
"""Where the lines below an event begin."""

UNTOLD: Final = frozenset({"protocol_text"})
"""What is a file of its own."""

WHY: Final = 60
"""Characters of a reason in the list; ``--format json`` has all of it."""

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
    return (row.id, started, row.patient, board, _outcome(row), length, str(row.bursts), row.protocol)


def _outcome(row: SessionRow) -> str:
    """How a session ended, and why, where it came to no regular end."""
    if not row.treated:
        return "not treated: screening"
    why = " ".join(row.why.split())
    if not why or why in row.outcome:
        return row.outcome
    return f"{row.outcome}: {why if len(why) <= WHY else f'{why[: WHY - 3]}...'}"


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
        beside, below = _payload(event.payload)
        say.line(f"{event.seq:6d} {clock} {event.kind:20} {beside}".rstrip())
        for line in below:
            say.line(f"{'':{INDENT}}{line}")
    return 0


def _payload(payload: dict[str, object]) -> tuple[str, list[str]]:
    """What fits beside the event, as ``name=value``, and below it, line by line, what does not; the empty left out."""
    beside, below = [], []
    for name, value in payload.items():
        if value in ("", None, [], {}):
            continue
        if name in UNTOLD:
            beside.append(f"{name}=({len(str(value).splitlines())} lines; --format json shows them)")
        elif _fits(value) and not isinstance(value, dict):
            beside.append(f"{name}={_value(value)}")
        else:
            below += [f"{name}:", *(f"  {line}" for line in _lines(value))]
    return " ".join(beside), below


def _fits(value: object) -> bool:
    """Whether a value is one short line: a number, a word, a sentence, a handful of numbers."""
    if isinstance(value, (dict, list)):
        parts = list(value.values() if isinstance(value, dict) else value)
        return len(parts) <= FEW and all(_plain(each) for each in parts)
    return len(str(value)) <= LONGEST and "\n" not in str(value)


def _plain(value: object) -> bool:
    return not isinstance(value, (dict, list)) and " " not in str(value)


def _lines(value: object) -> list[str]:
    """One line for each item of a list, entry of a table, or line of a text."""
    if isinstance(value, dict):
        return [line for name, each in value.items() for line in _entry(name, each)]
    if isinstance(value, list):
        return [line for each in value for line in _entry("", each)]
    return str(value).splitlines()


def _entry(name: str, value: object) -> list[str]:
    if isinstance(value, (dict, list)) and not _fits(value):
        return [f"{name}:" if name else "-", *(f"  {line}" for line in _lines(value))]
    text = str(value) if isinstance(value, str) else _value(value)
    return [f"{name}={text}" if name else text]


def _value(value: object) -> str:
    """A short value: a bare word, else as JSON; a handful of values as ``name=value`` or side by side."""
    if isinstance(value, dict):
        return ", ".join(f"{name}={_value(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(_value(each) for each in value)
    bare = isinstance(value, str) and value.isprintable() and " " not in value
    return str(value) if bare else json.dumps(value, ensure_ascii=False)
