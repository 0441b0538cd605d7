"""Stimulation time that a person's sites have had today, from the record (hazard H42).

The day is the record's own: UTC. Simulated sessions count for nobody's skin and are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from stimctl.errors import RecordError
from stimctl.records.reading import events, sessions
from stimctl.records.words import SESSION_OPENED

SITE_TIME = "site-time"
"""The record's row: session time in µs that each site has had in this session so far."""


def spent_today_us(store: Path, patient: str, side: str, day: str) -> dict[str, int]:
    """µs by site for ``patient`` and ``side`` on ``day`` (an ISO date); raises :class:`RecordError`."""
    spent: dict[str, int] = {}
    for row in sessions(store):
        if row.patient == patient and not row.simulated and row.started.startswith(day):
            for site, us in _of_session(store, row.id, side).items():
                spent[site] = spent.get(site, 0) + us
    return spent


def _of_session(store: Path, session: str, side: str) -> dict[str, int]:
    """The last row of site times in a session on that side."""
    times: dict[str, int] = {}
    for event in events(store, session):
        if event.kind == SESSION_OPENED and event.payload.get("side") != side:
            return {}
        if event.kind == SITE_TIME:
            times = _checked(event.payload)
    return times


def _checked(payload: Mapping[str, object]) -> dict[str, int]:
    times = {site: us for site, us in payload.items() if type(us) is int and us >= 0}
    if len(times) != len(payload):
        raise RecordError(f"a row of site times holds something else: {payload}")
    return times
