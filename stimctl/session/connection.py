"""The session's way to its board: being opened, in use, or looked for again after a lost link."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import final

from stimctl.driver import BoardDriver, Connected, DriverState, Faulted, Lost, OutputState
from stimctl.errors import BoardFault, StimctlError, UsageError
from stimctl.orders import Order
from stimctl.safety import Latch
from stimctl.session.link import Link, open_link
from stimctl.session.measuring import must_be_past
from stimctl.session.opening import Case, Opening, Reach
from stimctl.units import MS

WAIT_US = 5 * MS
"""How often to look while a board is asked who it is."""


@final
class Connection:
    """Holds the link. Nothing here arms anything: every connection begins with a stop, and a new one stays disarmed.

    ``profiles`` tells the folder of what boards have shown on a bench, ``today`` the day in UTC; "" where nobody asks.
    """

    def __init__(
        self,
        latch: Latch,
        clock: Callable[[], int],
        seed: int,
        reach: Reach,
        profiles: Callable[[], Path | None] = lambda: None,
        today: Callable[[], str] = lambda: "",
    ) -> None:
        self.link: Link | None = None
        self._latch, self._clock, self._seed, self._reach = latch, clock, seed, reach
        self._profiles, self._today = profiles, today
        self._opening: Opening | None = None
        self._silent = False
        self._searching: Link | None = None
        self.failure: StimctlError | None = None
        """Why no case came of the last board that was asked."""

    @property
    def is_opening(self) -> bool:
        """Whether the board is being asked who it is for the first time."""
        return self._opening is not None

    @property
    def is_unknown(self) -> bool:
        """Whether something may be at a port that has not confirmed zero: while it is asked, and if it never answered."""
        opening = self._opening
        asking = opening is not None and opening.link.driver.output is not OutputState.OFF
        return asking or self._silent

    def stop(self, reason: str, *, told: BoardDriver | None) -> None:
        """Stop every board that is being asked, looked for, or has only just answered, but ``told``; any thread."""
        opening = self._opening
        for link in (opening.link if opening is not None else None, self._searching, self.link):
            if link is not None and link.driver is not told:
                link.driver.stop(reason)

    # --- the first time ------------------------------------------------------------------------------------------

    def open(self, order: Order, now_us: int) -> None:
        """Begin to open what ``order`` names; raises what is wrong with it."""
        if self._opening is not None:
            raise UsageError("the board is still being asked who it is")
        self.failure = None
        must_be_past(order.board, self._today())
        self._opening = Opening(
            order,
            self._latch,
            clock=self._clock,
            seed=self._seed,
            now_us=now_us,
            reach=self._reach,
            profiles=self._profiles(),
        )
        self._silent = False

    def opened(self, now_us: int) -> Case | None:
        """The case, once the board has answered; raises what went wrong, with the port let go."""
        opening = self._opening
        if opening is None:
            return None
        try:
            case = opening.ready(now_us)
        except StimctlError as error:
            self.failure = error
            # A board that confirmed zero is at zero; one that did not is anything.
            self._silent = opening.link.driver.output is not OutputState.OFF
            self._opening = None
            opening.link.driver.close()
            raise
        if case is not None:
            self.link = opening.link  # first: a stop looks for the one and then for the other
            self._opening = None
        return case

    def let_go(self) -> None:
        """Close the port of a board that answered but that no session came of, so that it can be opened again."""
        if self.link is not None:
            self.link.driver.close()
            self.link = None

    # --- again -------------------------------------------------------------------------------------------------

    def look_again(self, case: Case, now_us: int) -> None:
        """Try to reach the same board anew; raises :class:`StimctlError` when its port cannot even be opened."""
        if self._searching is None:
            if self.link is not None:
                self.link.driver.close()  # a port that is still there is held by the lost driver, for itself alone
            sites = {plan.channel: plan.site for plan in case.schedule.channels}
            link = open_link(case.wishes.board, self._latch, clock=self._clock, seed=self._seed, sites=sites)
            link.driver.open(now_us)
            self._searching = link

    def found(self, now_us: int) -> Link | None:
        """The link, once the board has answered again; raises what went wrong, or that it is another board."""
        searching = self._searching
        if searching is None:
            return None
        for event in searching.driver.poll(now_us):
            if isinstance(event, Connected):
                try:
                    return self._swapped(searching, event)
                finally:
                    self._searching = None  # behind the swap: a stop finds it in one place or the other
            if isinstance(event, (Lost, Faulted)):
                self._searching = None
                searching.driver.close()
                raise event.error
        return None

    def _swapped(self, link: Link, event: Connected) -> Link:
        """The same board or none: its steps and limits are in the schedule."""
        if self.link is None or event.facts != self.link.driver.facts:
            link.driver.close()
            raise BoardFault("another board answered; finish this session and open a new one")
        link.driver.succeed(self.link.driver)
        self.link = link
        return link

    # --- waiting -----------------------------------------------------------------------------------------------

    @property
    def _current(self) -> Link | None:
        return self._opening.link if self._opening is not None else self._searching or self.link

    def fileno(self) -> int | None:
        """What to wait on for the board's words, where there is something."""
        link = self._current
        return None if link is None or link.driver.state is DriverState.LOST else link.driver.fileno()

    def next_wake_us(self, now_us: int, otherwise_us: int) -> int:
        """When to look at the board again, ``otherwise_us`` at the latest."""
        if self._opening is not None or self._searching is not None:
            otherwise_us = min(otherwise_us, now_us + WAIT_US)
        link = self._current
        if link is None or link.driver.state is DriverState.LOST:
            return otherwise_us
        due_us = link.next_event_us(now_us)
        return otherwise_us if due_us is None else min(otherwise_us, due_us)

    def close(self) -> None:
        """Stop whatever is there, and let go of every port."""
        for link in (self._opening.link if self._opening else None, self._searching, self.link):
            if link is not None:
                link.driver.close()
                if link.signal is not None:
                    link.signal.close()
