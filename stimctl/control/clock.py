"""The clocks that drive a session: the machine's monotonic one, and one that a simulation may hurry along.

Control time never comes from the wall clock: that one jumps (hazard H30). A clock is the only place above the
rooms where time is read or waited for.
"""

from __future__ import annotations

import select
import time
from collections.abc import Sequence
from typing import Final, Protocol, final

from stimctl.errors import UsageError


class Clock(Protocol):
    """A monotonic clock in µs that can wait."""

    @property
    def waits(self) -> bool:
        """Whether time passes by itself; if not, nothing can be late."""

    def now_us(self) -> int:
        """The time now; never goes back."""

    def sleep_until(self, us: int, fds: Sequence[int] = ()) -> None:
        """Wait until ``us``, or until one of ``fds`` can be read, whichever is first."""

    def late_us(self, due_us: int) -> int:
        """How long ago, in µs of *real* time, ``due_us`` was; negative when it is still to come."""


@final
class RealClock:
    """The machine's monotonic clock, with the time that the computer was suspended.

    Gel dries and a patient moves while the lid is shut: whatever a session lets grow old must grow old then as well.
    """

    waits = True

    def now_us(self) -> int:
        """Monotonic µs; the origin means nothing."""
        if _WITH_SUSPENDED is None:
            return time.monotonic_ns() // 1_000
        return time.clock_gettime_ns(_WITH_SUSPENDED) // 1_000

    def sleep_until(self, us: int, fds: Sequence[int] = ()) -> None:
        """Wait until ``us`` or until one of ``fds`` can be read."""
        wait(fds, (us - self.now_us()) / 1e6)

    def late_us(self, due_us: int) -> int:
        """µs since ``due_us``."""
        return self.now_us() - due_us


@final
class VirtualClock:
    """A clock for simulated boards only: ``speed`` times as fast as real time, or as fast as it goes (``None``).

    At full speed nothing waits: every sleep is a jump, so a session takes only the time of its computations. Signals
    and stop keys still work, because the stop thread waits in real time. Raises :class:`UsageError` unless
    ``speed`` is ``None`` or within 0.01 to 1000.
    """

    def __init__(self, speed: float | None = None, *, start_us: int = 0) -> None:
        if speed is not None and not 0.01 <= speed <= 1_000:
            raise UsageError(f"a speed of {speed} is outside 0.01 to 1000; write max for as fast as it goes")
        self.speed = speed
        self.waits = speed is not None
        self._base_us = start_us
        self._base_s = time.monotonic()

    def now_us(self) -> int:
        """Virtual µs."""
        if self.speed is None:
            return self._base_us
        return self._base_us + int((time.monotonic() - self._base_s) * 1e6 * self.speed)

    def advance_to(self, us: int) -> None:
        """Jump to ``us``; a time that has passed already changes nothing."""
        self._base_us, self._base_s = max(us, self.now_us()), time.monotonic()

    def sleep_until(self, us: int, fds: Sequence[int] = ()) -> None:
        """Jump to ``us`` at full speed, else wait for it or for one of ``fds``."""
        if self.speed is None:
            self.advance_to(us)
        else:
            wait(fds, (us - self.now_us()) / 1e6 / self.speed)

    def late_us(self, due_us: int) -> int:
        """µs of real time since ``due_us``; at full speed there is no such thing as late."""
        return 0 if self.speed is None else int((self.now_us() - due_us) / self.speed)


def wait(fds: Sequence[int], seconds: float) -> None:
    """Wait up to ``seconds`` for one of ``fds`` to become readable; none at all is a plain sleep."""
    seconds = max(0.0, seconds)
    if fds:
        select.select(fds, (), (), seconds)
    elif seconds:
        time.sleep(seconds)


def _suspension_clocks() -> tuple[int, int] | None:
    """The system's clocks without and with the time it was suspended; ``None`` where nobody tells.

    Linux counts suspended time in ``CLOCK_BOOTTIME`` only; macOS counts it in ``CLOCK_MONOTONIC`` but not in
    ``CLOCK_UPTIME_RAW`` (clock_gettime manual pages of both). Windows counts it in its one monotonic clock.
    """
    for awake, total in (("CLOCK_MONOTONIC", "CLOCK_BOOTTIME"), ("CLOCK_UPTIME_RAW", "CLOCK_MONOTONIC")):
        if hasattr(time, awake) and hasattr(time, total):
            return getattr(time, awake), getattr(time, total)
    return None


_CLOCKS: Final = _suspension_clocks()
_WITH_SUSPENDED: Final = _CLOCKS[1] if _CLOCKS else None


def asleep_us() -> int:
    """µs that the computer has spent suspended so far; 0 where nobody tells."""
    if _CLOCKS is None:
        return 0
    awake_ns = time.clock_gettime_ns(_CLOCKS[0])
    return max(0, time.clock_gettime_ns(_CLOCKS[1]) - awake_ns) // 1_000
