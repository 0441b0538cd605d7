"""What the record owes: a row for every order that took effect, every stop, every arming, every fault; and its chain."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stimctl.engine import ARMED
from stimctl.orders import Order
from stimctl.orders import OrderKind as Kind
from tests.proving.sim_disk import Kept, read
from tests.proving.sim_faults import MS

if TYPE_CHECKING:
    from tests.proving.sim_world import World

GROUP_US: Final = 250 * MS
"""How long a row that is not a safety event may wait for its commit."""

DURABLE: Final = frozenset(
    {"armed", "stop", "fault", "refusal", "ceiling-found", "screening-answer", "screened", "disarmed", "link-lost"}
)
"""Kinds that are on the disk before the call returns (design, 6); typed in again."""

_ROWS: Final[dict[Kind, str]] = {
    Kind.ANSWER: "screening-answer",
    Kind.CONFIRM_PADS: "pads-confirmed",
    Kind.RAISE: "level",
    Kind.LOWER: "level",
    Kind.ZERO: "level",
    Kind.MARK: "threshold",
    Kind.BEGIN: "begin",
    Kind.PAUSE: "pause",
    Kind.FINISH: "finish",
    Kind.PRESENT: "present",
    Kind.SKIN_CHECKED: "skin-checked",
    Kind.PAIN: "pain",
    Kind.NOTE: "note",
    Kind.CLOSE: "session-closed",
}
_NEXT: Final = {
    "screening": ("screened", "blocked"),
    "placing pads": ("placed",),
    "finding thresholds": ("channel-found", "all-found"),
}
_CLEARED: Final = ("clear-to-screening", "clear-to-pads", "clear-to-thresholds", "clear-to-ready")
EMG: Final = frozenset({"emg-flat", "emg-stale", "emg-railed", "emg-hum", "emg-drift", "emg-lead-off", "emg-shorted"})

_STOPS: Final = ("stop", "stop-arming", "stop-again", "fault")


@dataclass(slots=True)
class _Given:
    """A stop: its row is due when a pass has come round, which takes long where the loop is stalled."""

    at_us: int
    reason: str
    passes: int
    durable: bool
    heard_us: int | None = None


class Owed:
    """Rows that have to be there, in order; and the look at what is."""

    def __init__(self, world: World) -> None:
        self.w = world
        self._due: list[tuple[int, tuple[str, ...]]] = []
        self._stops: list[_Given] = []
        self._unheard: list[_Given] = []
        self._nonzero: list[int] = []  # when output began to flow after it had been armed anew

    def accepted(self, order: Order, state: str, now_us: int) -> None:
        """An order took effect."""
        kinds: tuple[str, ...] = ()
        if order.kind is Kind.NEXT:
            kinds = _NEXT.get(state, ())
        elif order.kind is Kind.CLEAR:
            kinds = _CLEARED
        elif order.kind in _ROWS and state != "choosing":
            kinds = (_ROWS[order.kind],)
        if kinds:
            self._due.append((now_us, kinds))

    def stopped(self, reason: str, now_us: int) -> None:
        """A stop was given; its reason has to be in the record once a pass has come round."""
        durable = self.w.session.state in ARMED and not self.w.must_stop
        self._stops.append(_Given(now_us, reason, self.w.passes, durable))
        self._unheard.append(self._stops[-1])

    def came_round(self, now_us: int) -> None:
        """A pass begins: it hears of the stops that were given before."""
        for stop in self._unheard:
            stop.heard_us = now_us
        self._unheard.clear()

    def flowed(self, at_us: int) -> None:
        """The first current after an arming."""
        if self._nonzero[-1:] != [at_us]:
            self._nonzero.append(at_us)

    # --- the look ------------------------------------------------------------------------------------------------

    def judge(self, path: Path, *, failed: bool, killed_us: int | None) -> list[Kept]:
        """Read the record and write down what is wrong with it."""
        rows, fault = read(path)
        if fault:
            self.w.wrong(fault)
        if not rows:
            if any(kinds != ("session-closed",) for _, kinds in self._due) and not failed:
                self.w.wrong("orders took effect and there is no record")
            return rows
        if failed and self.w.disk.refused_us is None and self.w.disk.slowed_us is None:
            self.w.wrong(f"the record failed by itself: {self.w.journal.failed}")
        lost_us = None if not failed and killed_us is None else self._lost_us(failed, killed_us)
        self._judge_orders(rows, lost_us)
        self._judge_stops(rows, lost_us)
        self._judge_arming(rows, lost_us)
        self._judge_bursts(rows)
        if failed is False and killed_us is None and rows[-1].kind != "session-closed" and self.w.session.ended:
            self.w.wrong("the session ended and its record is not closed")
        return rows

    def _lost_us(self, failed: bool, killed_us: int | None) -> int:
        """From when on rows may be missing: a commit's group before the disk refused or the process died, or before the commit
        over which it died.
        """
        times = [at for at in (killed_us, self.w.disk.committing_us) if at is not None and killed_us is not None]
        if failed:
            disk = self.w.disk
            times += [at for at in (disk.refused_us, disk.slowed_us) if at is not None] or [0]
        return min(times) - GROUP_US - 50 * MS

    def _judge_orders(self, rows: list[Kept], lost_us: int | None) -> None:
        """Each order's row, in the orders' order, at the orders' time."""
        at = 0
        for now_us, kinds in self._due:
            found = next((n for n in range(at, len(rows)) if rows[n].kind in kinds and rows[n].mono_us == now_us), None)
            if found is not None:
                at = found + 1
            elif lost_us is None or now_us < lost_us or (self.w.failed_us is None and DURABLE.issuperset(kinds)):
                self.w.wrong(f"the record has no row of {' or '.join(kinds)} at {now_us / 1e6:.3f} s")

    def _judge_stops(self, rows: list[Kept], lost_us: int | None) -> None:
        told = [row.payload.get("reason") for row in rows if row.kind in _STOPS]
        for stop in self._stops:
            if stop.reason in told:
                continue
            # A process that was killed before it came round could not write it.
            heard_us = stop.heard_us if self.w.passes > stop.passes + 1 else None
            kept = heard_us is not None and lost_us is not None and heard_us < lost_us
            if lost_us is None or kept or (heard_us is not None and stop.durable and self.w.failed_us is None):
                self.w.wrong(f"the record does not tell of the stop at {stop.at_us / 1e6:.3f} s: {stop.reason}")

    def _judge_arming(self, rows: list[Kept], lost_us: int | None) -> None:
        """Whatever flowed was armed before, and that is in the record; kept before it could flow."""
        armed = [row.mono_us for row in rows if row.kind == "armed"]
        for opened_us in self._nonzero:
            if not any(at_us >= opened_us for at_us in armed) and (lost_us is None or opened_us < lost_us):
                self.w.wrong(f"current flowed under the arming of {opened_us / 1e6:.3f} s, which is in no record")

    def _judge_bursts(self, rows: list[Kept]) -> None:
        """Between two counted bursts lies the file's rest, and after a heard one the lockout; nothing triggers a deaf ear."""
        text, over_us = self.w.text, None
        rest_us = max(text.rest_us, text.lockout_us) - 5 * MS
        for row in rows:
            if row.kind == "burst-delivered":
                over_us = row.mono_us
            elif row.kind in ("trigger", "assist", "to-burst"):
                if over_us is not None and row.mono_us - over_us < rest_us:
                    self.w.wrong(f"a burst began {(row.mono_us - over_us) // MS} ms after the one before it")
                self._judge_trigger(row)

    def _judge_trigger(self, row: Kept) -> None:
        if row.kind != "trigger":
            return
        for kind in ("emg-flat", "emg-stale", "emg-railed"):
            if self.w.troubles.throughout(kind, row.mono_us - 1_000 * MS, row.mono_us):
                self.w.wrong(f"an attempt was heard at {row.mono_us / 1e6:.3f} s although the sensor was {kind}")
        tried = any(each.onset_us <= row.mono_us <= each.gone_us + 500 * MS for each in self.w.attempts)
        if not tried and not self.w.troubles.any(EMG, row.mono_us - 2_000 * MS, row.mono_us):
            self.w.wrong(f"an attempt was heard at {row.mono_us / 1e6:.3f} s and nobody had tried")
