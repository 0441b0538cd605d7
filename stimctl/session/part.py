"""A session as one part of a plan: what its record says of that, and what it may be opened with.

The session itself knows nothing of plans. It is opened with the block's own file, finds its own thresholds, and counts what
its sites had earlier, as any other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from stimctl.errors import UsageError
from stimctl.orders import Order
from stimctl.protocols import Loaded, Plan, PlanWeek
from stimctl.protocols.findings import field_name
from stimctl.protocols.places import find_places
from stimctl.session.link import is_simulated
from stimctl.session.opening import load_protocol
from stimctl.session.sittings import DayOf, Earlier, Sittings
from stimctl.units import MINUTE

HOUR_US: Final = 60 * MINUTE


@final
@dataclass(frozen=True, slots=True)
class Part:
    """Block ``number`` (from 1) of ``plan``, in the ``sitting`` of that name; ``block`` is its own file.

    ``patient`` and ``side`` are those of the sitting's first session, "" before there was one. ``wall_clock`` gives UTC
    as the record writes it, ``day_of`` the calendar day of an instant.
    """

    plan: Loaded
    block: Loaded
    number: int
    sitting: str
    wall_clock: Callable[[], str]
    day_of: DayOf
    patient: str = ""
    side: str = ""

    @property
    def of(self) -> int:
        """How many blocks the plan has, rests included."""
        return len(self.plan.blocks)

    @property
    def is_first(self) -> bool:
        """Whether nobody has been with this sitting yet: what holds for a whole sitting is asked now."""
        return not self.patient

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
        if self.is_first:
            self._refuse_too_soon(order, store)

    def earlier(self, order: Order, store: Path) -> Earlier | None:
        """What the order's person has had of this plan; ``None`` on a simulated board, which counts for nobody."""
        if is_simulated(order.board):
            return None
        week = self._week
        least_us = 0 if week is None else round(week.min_rest_h * HOUR_US)
        return Sittings(self.plan, self.sitting, self.wall_clock(), self.day_of).earlier(order, store, least_us)

    def told(self, earlier: Earlier | None) -> str:
        """What an operator hears of that as the first block is opened."""
        if earlier is None:
            return "Plan: a rehearsal on the simulated board, which counts as none of its sessions"
        week, rested_us = self._week, earlier.rested_us
        a_day, a_week = ("", "") if week is None else (f" of {week.sessions_per_day}", f" of {week.days_per_week}")
        last = "" if rested_us is None else f"; the last ended {rested_us / HOUR_US:.1f} h ago"
        return (
            f"Plan, before this session: {earlier.today}{a_day} held today, on {earlier.days}{a_week} days in the last"
            f" seven{last}"
        )

    @property
    def _week(self) -> PlanWeek | None:
        plan = self.plan.protocol
        return plan.week if isinstance(plan, Plan) else None

    def _refuse_too_soon(self, order: Order, store: Path) -> None:
        """Raise where the day's number is reached, or the rest is not over."""
        week, earlier = self._week, self.earlier(order, store)
        if week is None or earlier is None:
            return
        who = f"the plan `{self.plan.protocol.title}` for {order.patient}, {order.side} hand"
        if earlier.today >= week.sessions_per_day:
            raise UsageError(
                f"{who} was held {_times(earlier.today)} today, and {self._where('sessions_per_day')} asks for"
                f" {week.sessions_per_day} a day at most: come back tomorrow. A different number is for whoever prescribed"
                " it to write there"
            )
        least_us, rested_us = round(week.min_rest_h * HOUR_US), earlier.rested_us
        if rested_us is not None and rested_us < least_us:
            wait_h = (least_us - rested_us) / HOUR_US
            raise UsageError(
                f"the last session of {who} ended {rested_us / HOUR_US:.1f} h ago, and {self._where('min_rest_h')} asks for"
                f" {week.min_rest_h:g} h between two: come back in {wait_h:.1f} h"
            )

    def _where(self, field: str) -> str:
        """File, line and name of a field of the week."""
        path = ("week", field)
        places = find_places(self.plan.text)
        line = f":{places.find(path, at_key=True).line}" if places is not None else ""
        return f"{self.plan.name}{line} ({field_name(path)})"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
