"""What the control process needs from a session: one small protocol, so that neither has to know the other's insides."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol, final

from stimctl.orders import Order, OutputWord, Status
from stimctl.records.words import BOARDLESS

CONTROL_PERIOD_US: Final = 20_000
"""The control loop's period while a board is armed; our own target of 20 to 50 ms, at its short end."""

LATE_US: Final = 2 * CONTROL_PERIOD_US
"""A pass later than two periods is noted in the record."""

STALLED_US: Final = 250_000
"""A pass later than this while output may be on stops it: half of the board's own dead-man of at most 500 ms."""


REPORTED_OFF: Final = "the board reports its output off"


def how_off(status: Status) -> str:
    """How it is known that a session's output is off: the board's word, or that there is no board to have one."""
    if not status.disabled:
        return REPORTED_OFF
    if status.board == BOARDLESS:
        return "output was disabled throughout, and no board was opened"
    return f"output was disabled throughout; {REPORTED_OFF}"


class SessionLike(Protocol):
    """A session as the control process sees it. All times are µs on the clock that drives it.

    Everything is called from the control loop's thread alone, except :meth:`stop_now` and
    :attr:`may_be_energised`, which the stop thread uses at any moment, also in the middle of a :meth:`tick`.
    """

    def order(self, order: Order, now_us: int) -> None:
        """Carry out one order. A :class:`~stimctl.errors.StimctlError` is not fatal; ``status().refusal`` shows it."""

    def tick(self, now_us: int) -> None:
        """One pass of the control loop: board, sensors, engine, and last the beat to the board."""

    def next_wake_us(self, now_us: int) -> int:
        """When :meth:`tick` must run again at the latest."""

    def fileno(self) -> int | None:
        """The board's file descriptor, or ``None`` when there is nothing to wait on."""

    def status(self, now_us: int) -> Status:
        """Everything that a face may show, frozen."""

    def stop_now(self, reason: str) -> None:
        """Trip the latch and write the stop frame. Any thread, no lock, idempotent, harmless when output is off."""

    def note(self, text: str, now_us: int) -> None:
        """Put a remark of the control process (a late pass, a silent screen) into the record."""

    @property
    def may_be_energised(self) -> bool:
        """Whether anything but a confirmed zero is possible right now. Any thread; must cost next to nothing."""

    @property
    def ended(self) -> bool:
        """Whether the session came to its own end."""

    def close(self, reason: str, now_us: int) -> None:
        """Stop if that was not done yet, close port and record; bounded. Idempotent."""


@final
@dataclass(frozen=True, slots=True)
class Ending:
    """Why the control process is to end, and with what exit code."""

    reason: str
    code: int


@final
@dataclass(frozen=True, slots=True)
class Outcome:
    """How a control process ended.

    ``code`` is the exit code for the command line: 0 when the session came to its own end or the operator closed
    the screen, and output is confirmed off; 128 plus the signal's number after a signal; 1 for everything else. ``line`` is one plain line for the
    user. ``error`` is what was raised, if anything was, for a bug report. ``off`` is how it is known that output is off.
    ``unknown`` is where to reach while it is not.
    """

    code: int
    reason: str
    output: OutputWord
    error: BaseException | None = None
    off: str = REPORTED_OFF
    unknown: str = OutputWord.UNKNOWN

    @property
    def line(self) -> str:
        """What happened and what the output is, in one line."""
        if self.output is OutputWord.OFF:
            return f"stimctl: {self.reason}; {self.off}"
        # A board that reports output on after its session was closed is the worst case of unknown.
        return f"stimctl: {self.reason}; {self.unknown}"

    def say(self) -> None:
        """Print :attr:`line`; a terminal that has gone is not an error any more."""
        try:
            print(self.line, flush=True)
        except (OSError, ValueError):
            pass


Operator = Callable[[Status, int], Iterable[Order]]
"""A scripted operator: sees a status and the time in µs, gives orders."""
