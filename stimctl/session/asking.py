"""Asking one board who it is, and nothing else: it is stopped, asked, and let go. It is never armed.

A driver begins every connection with a stop and the board's own question (:meth:`BoardDriver.open`), so this is that and no
more. Nobody is asked unless a person has named the kind of board that is there, for what is a question to one kind may be an
order to another: the text by which an openEMSstim is told from its relatives makes a StimJim drive a sweep through its
outputs, any line that is no JSON leaves a Neurodevices board deaf to its stop, and what leaves at one baud rate arrives at
another as single characters, of which eight toggle an openEMSstim's relay for good (``docs/boards.md``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from stimctl.boards import BoardFacts
from stimctl.driver import Connected, DriverState, Faulted, Lost
from stimctl.errors import LinkTimeout
from stimctl.safety import Latch
from stimctl.session.link import open_link
from stimctl.units import MS, SECOND

ANSWER_US: Final = 30 * SECOND
"""After this nobody answers, whatever the driver thinks: the slowest board boots for 15 s (``boards.openemsstim.probe``)."""

_LOOK_US: Final = 5 * MS


@final
class Asking:
    """One board being asked. Ends by :meth:`close`, whatever came of it."""

    def __init__(self, url: str, clock: Callable[[], int], patience_us: int = ANSWER_US) -> None:
        """Raises :class:`UsageError` for a URL that makes no sense and a port that cannot be had, and :class:`LinkLost`."""
        self._url, now_us = url, clock()
        self._latch = Latch()
        self._link = open_link(url, self._latch, clock=clock, seed=0, sites={})
        self._until_us = now_us + patience_us
        self._link.driver.open(now_us)

    def answer(self, now_us: int) -> BoardFacts | None:
        """Who it is, once it has said so and is at zero; raises what it, or the silence, says instead."""
        for event in self._link.driver.poll(now_us):
            if isinstance(event, Connected):
                return event.facts
            if isinstance(event, (Lost, Faulted)):
                raise event.error
        if now_us >= self._until_us:
            raise LinkTimeout(f"{self._url}: no board answered; check the port, the cable and the power")
        return None

    def next_wake_us(self, now_us: int) -> int:
        """When to look again at the latest."""
        due_us = self._link.next_event_us(now_us)
        return now_us + _LOOK_US if due_us is None else max(now_us + 1, min(due_us, now_us + _LOOK_US))

    def fileno(self) -> int | None:
        """What to wait on, where there is something."""
        driver = self._link.driver
        return None if driver.state is DriverState.LOST else driver.fileno()

    def close(self) -> None:
        """Let go of the port, as every connection ends: with a stop. Never raises."""
        self._link.driver.close()


def ask(
    url: str, clock: Callable[[], int], wait: Callable[[int, tuple[int, ...]], None], patience_us: int = ANSWER_US
) -> BoardFacts:
    """Who the board behind ``url`` is; ``wait`` lets time pass until an instant, or until one of the descriptors can be read.

    Raises :class:`StimctlError` with what is wrong. The port is let go of in any case.
    """
    asking = Asking(url, clock, patience_us)
    try:
        while (facts := asking.answer(now_us := clock())) is None:
            board = asking.fileno()
            wait(asking.next_wake_us(now_us), () if board is None else (board,))
    finally:
        asking.close()
    return facts
