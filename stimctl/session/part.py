"""A session as one part of a plan: what its record says of that, and what it may be opened with.

The session itself knows nothing of plans. It is opened with the block's own file, finds its own thresholds, and counts what
its sites had earlier, as any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from stimctl.errors import UsageError
from stimctl.orders import Order
from stimctl.protocols import Loaded, Plan
from stimctl.records.reading import events, sessions
from stimctl.records.words import SessionRow
from stimctl.session.carry import began_at_the_latest, instant
from stimctl.session.link import SIMULATED
from stimctl.session.opening import load_protocol
from stimctl.units import MINUTE, SECOND

HOUR_US: Final = 60 * MINUTE


@final
@dataclass(frozen=True, slots=True)
class Part:
    """Block ``number`` (from 1) of ``plan``, in the ``sitting`` of that name; ``block`` is its own file.

    ``patient`` and ``side`` are those of the sitting's first session, "" before there was one. ``wall_clock`` gives UTC
    as the record writes it.
    """

    plan: Loaded
    block: Loaded
    number: int
    sitting: str
    wall_clock: Callable[[], str]
    patient: str = ""
    side: str = ""

    @property
    def of(self) -> int:
        """How many blocks the plan has, rests included."""
        return len(self.plan.blocks)

    def record(self) -> dict[str, object]:
        """What the first row of the block's record says beside its own."""
        return {
            "plan": {
                "title": self.plan.protocol.title,
                "sha256": self.plan.sha256,
                "text": self.plan.text,
                "block": self.number,
                "blocks": self.of,
                "sitting": self.sitting,
            }
        }

    def refuse(self, order: Order, store: Path) -> None:
        """Raise :class:`UsageError` for an order that opens something else than this block, or too early."""
        here = f"this is block {self.number} of {self.of} of the plan `{self.plan.protocol.title}`"
        if load_protocol(order.protocol).sha256 != self.block.sha256:
            raise UsageError(
                f"{here}, and {order.protocol} is not its file {self.block.name}, or was changed since the plan was read"
            )
        if self.patient and (order.patient.casefold(), order.side) != (self.patient.casefold(), self.side):
            raise UsageError(
                f"{here}, which was begun for {self.patient}, {self.side} hand: it is one person's sitting"
            )
        if not self.patient and order.board != SIMULATED:
            self._refuse_too_early(order, store)

    def _refuse_too_early(self, order: Order, store: Path) -> None:
        plan = self.plan.protocol
        if not isinstance(plan, Plan) or plan.week is None:
            return
        least_us = round(plan.week.min_rest_h * HOUR_US)
        rested_us = self._rested_us(order, store, least_us)
        if rested_us is not None and rested_us < least_us:
            wait_h = (least_us - rested_us) / HOUR_US
            raise UsageError(
                f"the last session of the plan `{plan.title}` for {order.patient} ended {rested_us / HOUR_US:.1f} h ago, and"
                f" it asks for {plan.week.min_rest_h:g} h between two: come back in {wait_h:.1f} h"
            )

    def _rested_us(self, order: Order, store: Path, least_us: int) -> int | None:
        """How long ago the last session of this plan ended for this person; ``None``: none that could be too near.

        As with the time of sites, what the record does not plainly show to be over counts as now.
        """
        rows, now = sessions(store), instant(self.wall_clock())
        begun = began_at_the_latest([row.started for row in rows], now)
        for row, at in reversed(list(zip(rows, begun, strict=True))):
            ago_us = 0 if now is None or at is None else max(0, now - at - row.duration_us)
            if ago_us < least_us + SECOND and self._counts(row, order, store):
                return ago_us
        return None

    def _counts(self, row: SessionRow, order: Order, store: Path) -> bool:
        """Whether a row is an earlier session of this plan, with this person, that came to a treatment."""
        if row.simulated or not row.treated or row.patient.casefold() != order.patient.casefold():
            return False
        opened = events(store, row.id)[0].payload
        extra = opened.get("extra")
        plan = extra.get("plan") if isinstance(extra, Mapping) else None
        if not isinstance(plan, Mapping) or opened.get("side") != order.side or plan.get("sitting") == self.sitting:
            return False
        return plan.get("sha256") == self.plan.sha256 or plan.get("title") == self.plan.protocol.title
