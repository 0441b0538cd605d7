"""Who may command the board: token, sequence, age of a frame, and the dead-man (``hw/wire.md``, "Rules of the board")."""

from __future__ import annotations

from typing import Final, final

from stimctl.boards.reference.codec import Frame
from stimctl.boards.reference.codes import TTL_MS, Reason
from stimctl.boards.reference.messages import Arm

_U32: Final = 1 << 32
_U16: Final = 1 << 16

DEAD_MAN_MS: Final = (50, 500)


@final
class Gate:
    """The session that the board is armed with. Disarmed, its token is 0 and nothing passes."""

    def __init__(self) -> None:
        self.token = 0
        self.last_sequence = 0
        self.deadline_us: int | None = None
        self._last_crc: int | None = None
        self._dead_man_us = 0
        self._counter = 0
        self._base_ms = 0
        self._base_at_us = 0

    def arm(self, frame: Frame, word: Arm, now_us: int, own_ms: int) -> None:
        """Open a session; the frame has been judged."""
        self.token = frame.token
        self._dead_man_us = word.dead_man_ms * 1_000
        self.deadline_us = now_us + self._dead_man_us
        self._counter = word.loop_counter
        self._base_ms, self._base_at_us = (own_ms - word.host_ms) % _U32, now_us
        self.accept(frame)

    def disarm(self) -> None:
        """Close the session. The last sequence stays, for the report."""
        self.token, self.deadline_us, self._last_crc = 0, None, None

    def repeats(self, frame: Frame) -> bool:
        """Whether this is the very frame that was carried out last: answer it again, do nothing."""
        return self.token != 0 and frame.crc == self._last_crc and frame.sequence == self.last_sequence

    def refusal(self, frame: Frame) -> Reason | None:
        """Why token or sequence bar this frame."""
        if self.token == 0:
            return Reason.NOT_ARMED
        if frame.token != self.token:
            return Reason.TOKEN
        ahead = (frame.sequence - self.last_sequence) % _U16
        return None if 0 < ahead < _U16 // 2 else Reason.STALE

    def sequence_for(self, frame: Frame) -> int:
        """The last sequence, which an armed board tells nobody but its host."""
        return self.last_sequence if self.token in (0, frame.token) else 0

    def expired(self, host_ms: int, now_us: int, own_ms: int) -> bool:
        """Whether this frame has waited more than 100 ms longer than the quickest one of late."""
        difference = (own_ms - host_ms) % _U32
        # The yardstick rises by 1 ms a second, so that clocks which drift apart do no harm.
        base = (self._base_ms + (now_us - self._base_at_us) // 1_000_000) % _U32
        late = (difference - base + _U32 // 2) % _U32 - _U32 // 2
        if late < 0:
            self._base_ms, self._base_at_us = difference, now_us
        return late > TTL_MS

    def accept(self, frame: Frame) -> None:
        """The frame is being carried out."""
        self.last_sequence, self._last_crc = frame.sequence, frame.crc

    def feed(self, loop_counter: int, now_us: int) -> None:
        """Feed the dead-man, unless the host's loop has stood still."""
        if 0 < (loop_counter - self._counter) % _U32 < _U32 // 2:
            self._counter = loop_counter
            self.deadline_us = now_us + self._dead_man_us

    def left_ms(self, now_us: int) -> int:
        """What is left before the dead-man trips, rounded up; 0 when disarmed."""
        return 0 if self.deadline_us is None else max(0, -(-(self.deadline_us - now_us) // 1_000))
