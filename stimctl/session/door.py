"""The session that a control process holds: the choice first, and then one of the two sorts, with output or without.

Both share one latch, so that a stop means the same in either, also in the moment between them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import final

from stimctl.engine import State
from stimctl.errors import StimctlError, UsageError
from stimctl.orders import Order, OrderKind, Status
from stimctl.protocols import Activity, Biofeedback, Plan
from stimctl.session.core import HERE, Session
from stimctl.session.diary import Diary
from stimctl.session.guided import GuidedSession
from stimctl.session.link import Link
from stimctl.session.opening import Reach, Wishes, load_protocol
from stimctl.session.part import Part
from stimctl.session.sittings import Earlier


@final
class AnySession:
    """A session of whatever kind the chosen file is. All times are µs; see :class:`~stimctl.session.core.Session`."""

    def __init__(
        self,
        diary: Diary,
        clock: Callable[[], int],
        *,
        wishes: Wishes,
        seed: int = 0,
        reach: Reach = HERE,
        part: Part | None = None,
    ) -> None:
        self._diary, self._clock, self._seed, self._part = diary, clock, seed, part
        self._earlier: Earlier | None = None
        self._told = part is None or not part.is_first
        self.stimulating = Session(diary, clock, wishes=wishes, seed=seed, reach=reach)
        """The session with output; nothing of it was opened where the chosen kind has none."""
        self.guided: GuidedSession | None = None
        """The session without output, once such a file was chosen."""

    @property
    def _now(self) -> Session | GuidedSession:
        return self.stimulating if self.guided is None else self.guided

    # --- orders and time -----------------------------------------------------------------------------------------

    def order(self, order: Order, now_us: int) -> None:
        """Carry out one order; raises :class:`StimctlError` with what is wrong, and keeps it for the status."""
        may_open = self.guided is None and self.stimulating.state is State.CHOOSING
        if order.kind is OrderKind.OPEN and may_open and not self.stimulating.connection.is_opening:
            try:
                if self._opens_guided(order, now_us):
                    return
            except StimctlError as error:
                self.stimulating.refusal = str(error)
                raise
        self._now.order(order, now_us)

    def _opens_guided(self, order: Order, now_us: int) -> bool:
        loaded = load_protocol(order.protocol)
        if isinstance(loaded.protocol, Plan):
            raise UsageError(
                f"a plan is held block by block: leave this screen, and start stimctl run {order.protocol}"
            )
        if self._part is not None:
            self._part.refuse(order, self._diary.store)
            if self._part.is_first:
                self._earlier = self._part.earlier(order, self._diary.store)
        if not isinstance(loaded.protocol, (Activity, Biofeedback)):
            return False
        latch = self.stimulating.latch
        guided = GuidedSession(order, loaded, self._diary, latch, self._clock, self._seed, now_us)
        self.guided, self.stimulating.wishes = guided, guided.wishes
        return True

    def tick(self, now_us: int) -> None:
        """One pass of the control loop."""
        self._tick(now_us)
        if not self._told and self._part is not None and self.is_open:
            self._tell_of_the_plan(self._part, now_us)

    def _tick(self, now_us: int) -> None:
        guided = self.guided
        if guided is None or guided.opened:
            self._now.tick(now_us)
            return
        try:
            guided.tick(now_us)
        except StimctlError as error:  # nothing came of it: back to the choice, with the port let go
            self.guided, self.stimulating.refusal = None, str(error)
            if guided.link is not None:
                guided.link.driver.close()

    def _tell_of_the_plan(self, part: Part, now_us: int) -> None:
        """How often the plan was held before, as soon as there is a record to write it in."""
        self._told = True
        earlier = {"simulated": True} if self._earlier is None else asdict(self._earlier)
        self._diary.write("plan-begun", earlier, now_us, part.told(self._earlier))

    def next_wake_us(self, now_us: int) -> int:
        """When :meth:`tick` must run again at the latest."""
        return self._now.next_wake_us(now_us)

    def stop_now(self, reason: str) -> None:
        """Any thread, any time; a stop that comes while the sort is being chosen reaches both."""
        guided = self.guided
        if guided is None:
            self.stimulating.stop_now(reason)
            guided = self.guided
        if guided is not None:
            guided.stop_now(reason)

    def close(self, reason: str, now_us: int) -> None:
        """Stop if that was not done yet, close port and record. Idempotent."""
        self._now.close(reason, now_us)
        if self.guided is not None and not self.stimulating.ended:
            self.stimulating.connection.close()

    # --- reading -------------------------------------------------------------------------------------------------

    def fileno(self) -> int | None:
        """The board's file descriptor, or ``None``."""
        return self._now.fileno()

    def status(self, now_us: int) -> Status:
        """Everything that a face may show, frozen."""
        return self._now.status(now_us)

    def note(self, text: str, now_us: int) -> None:
        """A remark of the control process, for the record."""
        self._now.note(text, now_us)

    def review(self) -> tuple[str, ...]:
        """What happened, in a few lines."""
        return self._now.review()

    @property
    def wishes(self) -> Wishes:
        """What it is, or is to be, opened with."""
        return self._now.wishes

    @property
    def link(self) -> Link | None:
        """The link to the board, where one was opened."""
        return self._now.link

    @property
    def reach(self) -> Reach:
        """How its operator reaches a board from here."""
        return self.stimulating.reach

    @property
    def is_open(self) -> bool:
        """Whether a session came of the choice."""
        return self.stimulating.case is not None or (self.guided is not None and self.guided.opened)

    @property
    def went_wrong(self) -> bool:
        """Whether a fault was met."""
        return self._now.went_wrong

    @property
    def complete(self) -> bool:
        """Whether the whole dose was given."""
        if self.guided is not None:
            return self.guided.guide.complete
        return self.stimulating.case is not None and self.stimulating.engine.complete

    @property
    def may_be_energised(self) -> bool:
        """Whether anything but a confirmed zero is possible right now. Any thread."""
        return self._now.may_be_energised

    @property
    def ended(self) -> bool:
        """Whether the session came to its own end."""
        return self._now.ended
