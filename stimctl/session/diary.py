"""The session's own hand on the record: what is written is also what the operator reads in the message lines."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, final

from stimctl.errors import RecordError
from stimctl.records.journal import Journal
from stimctl.records.words import SessionMeta
from stimctl.session.lab import Lab

SHOWN: Final = 6

SAFETY: Final = frozenset(
    {"armed", "stop", "fault", "refusal", "ceiling-found", "screening-answer", "screened", "disarmed", "link-lost"}
)
"""Events that are on disk before the call returns (design §6); the others follow within a quarter of a second."""


@final
class Diary:
    """Writes to a journal and keeps the last lines. :attr:`failed` is "" or why the record is broken.

    A failing record ends a session but never delays a stop: nothing here raises once the session is open. ``extra``
    goes into the first row beside what the session says there: the plan that it is a part of. ``lab`` is told as well.
    """

    def __init__(self, journal: Journal, extra: Mapping[str, object] | None = None, lab: Lab | None = None) -> None:
        self._journal, self._extra, self._lab = journal, dict(extra or {}), lab
        self._lines: deque[str] = deque(maxlen=SHOWN)

    @property
    def lines(self) -> tuple[str, ...]:
        """The newest messages, oldest first."""
        return tuple(self._lines)

    @property
    def failed(self) -> str:
        """Why the record is broken, or ""."""
        return self._journal.failed

    @property
    def is_open(self) -> bool:
        """Whether a session is being recorded."""
        return bool(self._journal.session)

    def open(self, meta: SessionMeta, now_us: int) -> str:
        """Begin the record; raises :class:`RecordError` when it cannot be written: then there is no session."""
        session = self._journal.open_session(replace(meta, extra={**meta.extra, **self._extra}), mono_us=now_us)
        if self._lab is not None:
            self._lab.opened(session, meta, now_us)
        return session

    @property
    def today(self) -> str:
        """The day in UTC by the record's clock, such as 2026-03-31."""
        return self._journal.today

    @property
    def store(self) -> Path:
        """The record's file."""
        return self._journal.path

    @property
    def session(self) -> str:
        """The open session's id in the record, or ""."""
        return self._journal.session

    @property
    def raw_path(self) -> Path:
        """Where the open session's raw EMG belongs: beside the store, by the session's id."""
        return self._journal.path.with_name(f"{self._journal.session}.emg")

    def turn_over(self) -> None:
        """Something new begins: what was said before it is not to be read beside it."""
        self._lines.clear()

    def say(self, text: str) -> None:
        """A line for the operator alone."""
        self._lines.append(text)

    def write(self, kind: str, payload: Mapping[str, object], now_us: int, text: str = "") -> None:
        """One event; ``text`` is what the operator reads, if anything."""
        if text:
            self.say(text)
        if not self.is_open:
            return
        if self._lab is not None:
            self._lab.wrote(kind, payload, now_us)
        try:
            self._journal.append(kind, payload, mono_us=now_us, durable=kind in SAFETY)
        except RecordError:
            return  # it is in ``failed`` now, and the session looks there in every pass

    def measured(self, currents_ua: Mapping[str, int | None], now_us: int) -> None:
        """What the board says that flows at each channel, in µA: for whoever records beside us."""
        if self._lab is not None and self.is_open:
            self._lab.measured(currents_ua, now_us)

    def hasten(self) -> None:
        """Have what was written so far on disk as soon as the disk can; waits for nothing."""
        self._journal.hasten()

    def close(self, outcome: str, payload: Mapping[str, object], now_us: int) -> None:
        """End the record; raises nothing: the outcome of a session does not hang on its last line."""
        if not self.is_open:
            return
        if self._lab is not None:
            self._lab.closed(self.session, outcome, now_us)
        try:
            self._journal.close_session(outcome, payload, mono_us=now_us)
        except RecordError:
            return
