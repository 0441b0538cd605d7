"""How often a plan was held with one person's hand, and how long ago, as the record tells it.

Whatever the record does not plainly show to be over counts as now, as with the time of sites: too little treatment is the
lesser harm. Simulated sessions are nobody's, and one that ended before anything was armed or begun was none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, final

from stimctl.orders import Order
from stimctl.protocols import Loaded
from stimctl.records.reading import events, sessions
from stimctl.records.words import Event, SessionRow
from stimctl.session.carry import DAY_US, began_at_the_latest, instant

DayOf = Callable[[int], int]
"""The number of the calendar day, where this computer stands, of an instant in µs since 1970."""

WEEK_DAYS: Final = 7

BEGUN: Final = frozenset({"armed", "start"})
"""Rows that say that a session came to something: the board was armed, or work without output was begun."""


@final
@dataclass(frozen=True, slots=True)
class Earlier:
    """What a person's hand has had of a plan: sittings today, days with one in the last seven, µs since the last ended.

    ``rested_us`` is ``None`` where no sitting is found in that time.
    """

    today: int = 0
    days: int = 0
    rested_us: int | None = None


class _Found(NamedTuple):
    """A session of a sitting: its day, and how long ago it ended, in µs."""

    sitting: str
    day: int
    ago_us: int


@final
@dataclass(frozen=True, slots=True)
class Sittings:
    """Looks a plan up in the record. ``now`` is the record's own wall clock; ``sitting`` is the one that begins."""

    plan: Loaded
    sitting: str
    now: str
    day_of: DayOf

    def earlier(self, order: Order, store: Path, least_us: int) -> Earlier:
        """Sittings of the order's person and side, at least as far back as ``least_us``; raises :class:`RecordError`."""
        now = instant(self.now)
        found = tuple(self._found(order, store, now, max(least_us, WEEK_DAYS * DAY_US)))
        today = 0 if now is None else self.day_of(now)
        began: dict[str, int] = {}
        for each in found:
            began[each.sitting] = min(each.day, began.get(each.sitting, each.day))
        return Earlier(
            sum(day >= today for day in began.values()),
            len({day for day in began.values() if day > today - WEEK_DAYS}),
            min((each.ago_us for each in found), default=None),
        )

    def _found(self, order: Order, store: Path, now: int | None, back_us: int) -> Iterator[_Found]:
        rows = sessions(store)
        for row, at in zip(rows, began_at_the_latest([row.started for row in rows], now), strict=True):
            unclear = now is None or at is None
            ago_us = 0 if unclear else max(0, (now or 0) - (at or 0) - row.duration_us)
            if ago_us > back_us or not _is_theirs(row, order):
                continue
            if sitting := self._sitting(events(store, row.id), order.side):
                yield _Found(sitting, self.day_of((now if unclear else at) or 0), ago_us)

    def _sitting(self, rows: tuple[Event, ...], side: str) -> str:
        """Which sitting of this plan a session was part of; "" for none that counts."""
        opened = rows[0].payload
        extra = opened.get("extra")
        plan = extra.get("plan") if isinstance(extra, Mapping) else None
        if not isinstance(plan, Mapping) or opened.get("side") != side or plan.get("sitting") == self.sitting:
            return ""
        if plan.get("sha256") != self.plan.sha256 and plan.get("title") != self.plan.protocol.title:
            return ""
        return str(plan.get("sitting") or rows[0].session) if any(row.kind in BEGUN for row in rows) else ""


def _is_theirs(row: SessionRow, order: Order) -> bool:
    """Whether a session was one with this person. Codes that differ in capitals alone are one person's."""
    return not row.simulated and row.treated and row.patient.casefold() == order.patient.casefold()
