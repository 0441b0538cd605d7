"""Stimulation time that a person's sites have had in the last 24 hours, from the record (hazard H42).

The day is a rolling one: skin knows no midnight, and the record's, of UTC, is in the afternoon in California. How long ago
something was is taken from the wall clock of the record's rows, which anybody may set. What it does not plainly show to
be over counts as now: too little treatment is the lesser harm. Simulated sessions count for nobody's skin.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from stimctl.errors import RecordError
from stimctl.records.reading import events, sessions
from stimctl.records.words import SESSION_OPENED, Event, SessionRow
from stimctl.units import MINUTE, MS, SECOND

SITE_TIME: Final = "site-time"
"""The record's row: session time in µs that each site has had in this session so far."""

DAY_US: Final = 24 * 60 * MINUTE

_WALL: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})\+00:00", re.ASCII)
"""A row's wall clock as it is written: UTC, to the millisecond."""


def spent_lately_us(store: Path, patient: str, side: str, session: str) -> dict[str, int]:
    """µs by site for ``patient`` and ``side`` in the 24 hours before ``session`` was opened; raises :class:`RecordError`.

    Codes that differ in capitals alone are one person's: two people's would be told apart by more.
    """
    rows = sessions(store)
    now = next((instant(row.started) for row in rows if row.id == session), None)
    begun = began_at_the_latest([row.started for row in rows], now)
    spent: dict[str, int] = {}
    for row, at in zip(rows, begun, strict=True):
        if _is_theirs(row, patient) and row.id != session:
            for site, us in _since(events(store, row.id), side, at, now):
                spent[site] = spent.get(site, 0) + us
    return spent


def _is_theirs(row: SessionRow, patient: str) -> bool:
    return not row.simulated and row.patient.casefold() == patient.casefold()


def _since(rows: Sequence[Event], side: str, begun: int | None, now: int | None) -> Iterator[tuple[str, int]]:
    """What each row of site times adds to the one before it, where that is not over 24 hours ago."""
    before: dict[str, int] = {}
    for row in rows:
        if row.kind == SESSION_OPENED and row.payload.get("side") != side:
            return
        if row.kind == SITE_TIME:
            times = _checked(row.payload)
            if not _is_over(row, begun, row.mono_us - rows[0].mono_us, now):
                yield from ((site, max(0, us - before.get(site, 0))) for site, us in times.items())
            before |= times


def _is_over(row: Event, begun: int | None, elapsed_us: int, now: int | None) -> bool:
    """Whether a row was written over 24 hours ago by its own clock, and by its session's beginning and length as well."""
    written = instant(row.wall)
    if now is None or begun is None or written is None:
        return False
    return max(written, begun + elapsed_us) + DAY_US <= now


def began_at_the_latest(walls: Sequence[str], now: int | None) -> list[int | None]:
    """When each session began at the latest, from the record's order; ``None`` for what cannot be told.

    A clock that was set back shows in a time before an earlier row's, or in one that is still to come. Such a time is
    worth nothing: its session began before the next one that has a good time, or as far as we know just now.
    """
    latest = 0
    good: list[int | None] = []
    for wall in walls:
        at = instant(wall)
        if at is None or now is None or at > now or at < latest:
            good.append(None)
        else:
            latest = at
            good.append(at)
    following, begun = now, list[int | None]()
    for at in reversed(good):
        following = following if at is None else at
        begun.append(following)
    return begun[::-1]


def instant(wall: str) -> int | None:
    """A row's wall clock in µs since 1970; ``None`` for what is no time as we write it, in UTC."""
    found = _WALL.fullmatch(wall)
    if found is None:
        return None
    year, month, day, hour, minute, second, ms = map(int, found.groups())
    if not (year >= 1970 and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]):
        return None
    if hour > 23 or minute > 59 or second > 59:
        return None
    return calendar.timegm((year, month, day, hour, minute, second)) * SECOND + ms * MS


def _checked(payload: Mapping[str, object]) -> dict[str, int]:
    times = {site: us for site, us in payload.items() if type(us) is int and us >= 0}
    if len(times) != len(payload):
        raise RecordError(f"a row of site times holds something else: {payload}")
    return times
