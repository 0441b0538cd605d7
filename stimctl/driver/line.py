"""The one place where a driver writes, and the only one that two threads enter.

A short lock joins what must not be torn apart: *check that it is live, and write* on the control loop's side; *trip,
and write the stop* on the stop's side. Whoever is second sees what the first has done, so nothing that was approved
before a stop leaves after it. Under the lock there is only a bounded, non-waiting write. Should the lock still not
come free in time, the stop is written without it: a torn frame is dropped by the board, and the stop's leading
delimiter makes it whole.
"""

from __future__ import annotations

from threading import Lock
from typing import Final

from stimctl.boards.reference import codec
from stimctl.boards.reference import messages as m
from stimctl.errors import LinkLost
from stimctl.safety import Approved, Latch
from stimctl.transport import Transport

LOCK_WAIT_S: Final = 0.05
"""Longest time that a stop waits for the lock."""


class Line:
    """A transport, its lock, and the frame that stops."""

    def __init__(
        self, transport: Transport, latch: Latch, *, first_sequence: int, stop_frame: bytes = codec.STOP_FRAME
    ) -> None:
        self._transport, self._latch = transport, latch
        self._lock = Lock()
        self._sequence = first_sequence
        self._broken: LinkLost | None = None
        # Sequence and frame in one tuple, so that a stop in another thread never reads a mixed pair.
        self._stop = (0, stop_frame)

    # --- the stop's side: any thread -------------------------------------------------------------------------------

    def stop(self, reason: str) -> None:
        """Trip the latch and write the stop, now; never raises. Any thread, at any instant."""
        self._latch.trip(reason)  # before the lock: from here on nothing approved earlier passes say_approved()
        self.write_stop()

    def write_stop(self) -> None:
        """Write the stop ahead of everything that waits; never raises. Any thread, at any instant."""
        owned = self._lock.acquire(timeout=LOCK_WAIT_S)
        _, frame = self._stop
        try:
            self._transport.write(frame, urgent=True)
        except LinkLost as error:
            self._broken = error  # the control loop finds it at its next hear()
        finally:
            if owned:
                self._lock.release()

    # --- the control loop's side: one thread -----------------------------------------------------------------------

    @property
    def stop_sequence(self) -> int:
        """The sequence that an answer to this session's stop carries."""
        sequence, _ = self._stop
        return sequence

    def renew_stop(self) -> None:
        """Give the stop a sequence of its own, so that answers to earlier ones do not pass for answers to it."""
        sequence = self.next_sequence()
        self._stop = (sequence, codec.encode(m.Stop(), sequence=sequence))

    def prepare_stop(self, frame: bytes) -> None:
        """From now on this is the stop: more is known of the board than when the port was opened."""
        self._stop = (0, frame)

    def next_sequence(self) -> int:
        """A number for the next frame, modulo 65536."""
        self._sequence = (self._sequence + 1) % 0x1_0000
        return self._sequence

    def say(self, frame: bytes) -> None:
        """Write a frame that energises nothing; raises :class:`LinkLost`."""
        with self._lock:
            self._transport.write(frame)

    def say_arm(self, frame: bytes, epoch: int) -> bool:
        """Write ``frame`` unless anything was stopped since ``epoch``; raises :class:`LinkLost`."""
        with self._lock:
            if self._latch.tripped or self._latch.epoch != epoch:
                return False
            self._transport.write(frame)
            return True

    def say_approved(self, frame: bytes, approved: Approved) -> bool:
        """Write the update ``frame`` if what it was made of is still live; raises :class:`LinkLost`."""
        with self._lock:
            if not approved.is_live():
                return False
            self._transport.write(frame)
            return True

    def is_busy(self) -> bool:
        """Whether earlier frames still wait, so that a new one would queue behind them (H19)."""
        return self._transport.pending() > 0

    def hear(self) -> bytes:
        """What has arrived; raises :class:`LinkLost`, also for what a stop in another thread ran into."""
        with self._lock:
            data = self._transport.read()
        if not data and self._broken is not None:
            raise self._broken
        return data

    def fileno(self) -> int | None:
        """What to wait on, if there is something."""
        return self._transport.fileno()

    def close(self) -> None:
        """Close the transport; never raises."""
        with self._lock:
            self._transport.close()
