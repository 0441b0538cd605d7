"""What a twin has to have so that somebody can speak to it: over a transport in memory, or on a pseudo-terminal.

The reference board's twin is one of several. Whoever carries bytes to a twin knows this and nothing else of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol, final


class Wired(Protocol):
    """A board with a line. Times are µs of one monotonic clock."""

    def feed(self, data: bytes, now_us: int) -> None:
        """A host writes."""

    def advance(self, now_us: int) -> None:
        """Live on, every event at its own time."""

    def outgoing(self) -> bytes:
        """Everything that the board has said by now; then forgotten."""

    def next_event_us(self, now_us: int) -> int | None:
        """When something happens next if no byte is written."""


class Served(Wired, Protocol):
    """A board that can be put on a pseudo-terminal, where people watch it and clients come and go."""

    @property
    def active(self) -> bool:
        """Whether pulses come anywhere."""

    def plugged(self, now_us: int) -> None:
        """A client has opened the port: some boards start anew then."""

    def switch_off(self, now_us: int) -> None:
        """The twin ends: no current flows any more."""

    def news(self) -> list[str]:
        """What a person at the twin would see, beside current and clients, since this was asked last."""


@final
@dataclass(frozen=True, slots=True)
class Settings:
    """How a client has to set its port. A pseudo-terminal has no parity: it is said, and never checked."""

    baud: int
    parity: str = "no"
    stop_bits: int = 1

    def __str__(self) -> str:
        return f"{self.baud} baud, {self.parity} parity, {self.stop_bits} stop bit{'s' if self.stop_bits > 1 else ''}"


ANY: Final = None
"""Settings of a board behind a virtual port, which do not matter."""
