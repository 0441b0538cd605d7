"""A session on the twin for interleavings: no thread of its own, no chance, and a log of every frame that arrives.

Its record is in memory, because a process is split in two for each interleaving, and a writer thread is not.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, cast

from stimctl.boards.reference import codec
from stimctl.boards.reference import messages as m
from stimctl.control.operator import ScriptedOperator
from stimctl.engine import State
from stimctl.orders import Order
from stimctl.orders import OrderKind as Kind
from stimctl.records.journal import Journal
from stimctl.session import link as links
from stimctl.session import opening as openings
from stimctl.session.core import Session
from stimctl.session.diary import Diary
from stimctl.session.opening import Wishes
from stimctl.sim.board import Twin
from stimctl.units import MS
from tests.proving.baton import SHARED, aware_locks
from tests.session_rig import CYCLIC, Rig

ENERGISING: Final = (m.Arm, m.Update)
"""Words that must not reach a board behind a stop. A CONFIGURE sets a bound, and a board that was stopped refuses it."""


class Halt(Exception):
    """The pass has come before which the bench was to stand still."""


class MemoryRecord:
    """What a session asks of a :class:`Journal`, kept in a list."""

    today = "2026-01-01"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "records.db"
        self.session = self.failed = ""
        self.rows: list[tuple[str, dict[str, object]]] = []

    def append(self, kind: str, payload: Mapping[str, object], *, mono_us: int, durable: bool = False) -> None:
        """Keep a row."""
        self.rows.append((kind, {**payload, "at_us": mono_us}))

    def open_session(self, meta: object, *, mono_us: int) -> str:
        """Keep the first row."""
        self.session = f"20260101000000-{os.getpid():08x}"  # its own in every copy: raw EMG never shares a file
        self.append("session-opened", {}, mono_us=mono_us)
        return self.session

    def close_session(self, outcome: str, payload: Mapping[str, object], *, mono_us: int) -> None:
        """Keep the last row."""
        self.append("session-closed", {**payload, "outcome": outcome}, mono_us=mono_us)
        self.session = ""

    def hasten(self) -> None:
        """Nothing waits."""


def _remembered(rehearse: Callable[..., Any]) -> Callable[..., Any]:
    """The same answer to the same question; by comparing, as a schedule holds tables that have no hash."""
    known: list[tuple[Any, Any]] = []

    def remembered(*schedule_and_limits: Any, **board: Any) -> Any:
        asked = (schedule_and_limits, board)
        if not any(asked == before for before, _ in known):
            known.append((asked, rehearse(*schedule_and_limits, **board)))
        return next(answer for before, answer in known if before == asked)

    return remembered


def _open_once(order: Order, folder: Path) -> None:
    """Have done here what opening a session costs in every copy of this process, and what no other thread can see.

    That is the imports of rooms that a stop does not enter, and the dry flight, which has a limiter and a latch of its own
    and ends the same way for the same schedule and board.
    """
    openings.rehearse = _remembered(openings.rehearse)  # type: ignore[attr-defined]
    known, now_us = set(sys.modules), 0
    record = MemoryRecord(folder / "before")
    record.path.parent.mkdir()
    session = Session(Diary(cast(Journal, record)), lambda: now_us, wishes=Wishes(), seed=1)
    session.order(order, now_us)
    while session.state is not State.SCREENING:
        now_us += 5 * MS
        session.tick(now_us)
    for name in set(sys.modules) - known:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(SHARED):
            del sys.modules[name]  # in the shared rooms the import is part of the operation


class Bench(Rig):
    """A rig that hears every frame as it reaches a twin, and whose locks know of the baton."""

    def __init__(self, folder: Path, text: str = CYCLIC, *, seed: int = 1) -> None:
        self.path = folder / "protocol.toml"
        self.path.write_text(text, encoding="utf-8")
        self.now_us = 0
        self.record = MemoryRecord(folder)
        tokens = itertools.count(1_000)
        links._token = lambda: next(tokens)
        self.opening = Order(Kind.OPEN, protocol=str(self.path), patient="P-1", side="right", board="sim:")
        _open_once(self.opening, folder)
        self.frames: list[m.Word] = []
        self.twins: list[Twin] = []
        self._listen()
        self._locks = aware_locks()
        self._locks.__enter__()  # for good: links are opened again and again
        self.session = Session(Diary(cast(Journal, self.record)), lambda: self.now_us, wishes=Wishes(), seed=seed)
        self.operator = ScriptedOperator(self.opening)
        self.refused: list[str] = []
        self.passes, self.halt_at = 0, -1
        self._look_us = 0

    def tick(self) -> None:
        """One pass; :class:`Halt` before number ``halt_at``."""
        if self.passes == self.halt_at:
            raise Halt
        self.passes += 1
        super().tick()

    def _listen(self) -> None:
        """Have every twin of this process tell what it is fed."""
        feed: Callable[[Twin, bytes, int], None] = Twin.feed
        build: Callable[..., None] = Twin.__init__

        def told(twin: Twin, data: bytes, now_us: int) -> None:
            self.frames += [frame.word for frame in codec.Decoder().feed(data)]
            feed(twin, data, now_us)

        def built(twin: Twin, *arguments: Any, **named: Any) -> None:
            build(twin, *arguments, **named)
            self.twins.append(twin)

        setattr(Twin, "feed", told)  # noqa: B010 - methods of a class are put in place of others for good
        setattr(Twin, "__init__", built)  # noqa: B010

    # --- what is to be known ---------------------------------------------------------------------------------------

    @property
    def energised(self) -> bool:
        """Whether current flows anywhere, by the twins' own truth."""
        return any(twin.energised for twin in self.twins)

    @property
    def armed(self) -> bool:
        """Whether a twin would deliver if it were told to."""
        return any(twin.armed for twin in self.twins)

    def live_on(self) -> None:
        """Bring the twins to the present."""
        for twin in self.twins:
            twin.advance(self.now_us)

    def recorded(self, *kinds: str) -> list[dict[str, object]]:
        """The payloads of these kinds of rows."""
        return [payload for kind, payload in self.record.rows if kind in kinds]

    # --- getting somewhere -------------------------------------------------------------------------------------------

    def until(self, holds: Callable[[], bool], *, every_us: int = 5 * MS, most_us: int = 60_000 * MS) -> None:
        """Let the operator work until something holds; raises :class:`RuntimeError` when it never does."""
        end_us = self.now_us + most_us
        while not holds():
            if self.now_us >= end_us:
                raise RuntimeError("the bench never came there")
            self.work(most_us=every_us)
