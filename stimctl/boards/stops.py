"""What is written, and when, to make a board stop that has no stop word one could rely on.

A sequence is made once, when its module is imported. In an emergency nothing is built and nothing is waited for: whoever
holds the port asks :meth:`StopSequence.next` for the bytes that are due and writes them; no answer is needed for the
next ones. That works from every state and from every thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from stimctl.errors import OurBug

_NOTHING = b""


@final
@dataclass(frozen=True, slots=True)
class StopSequence:
    """``writes`` in their order, each ``apart_us`` after the one before; the first one at once.

    ``ends_us`` is how long after the first write everything is over that a board which hears us still puts out.
    ``confirmed_by`` says in plain words what can tell that it has stopped; empty: nothing can.
    """

    writes: tuple[bytes, ...]
    apart_us: int
    ends_us: int
    confirmed_by: str

    def __post_init__(self) -> None:
        if not self.writes or not all(self.writes) or self.apart_us < 0 or self.ends_us < self.last_us:
            raise OurBug("a stop that writes nothing, or that is over before its last write")

    @property
    def last_us(self) -> int:
        """When the last write is due, counted from the first."""
        return (len(self.writes) - 1) * self.apart_us

    def next(self, written: int, since_us: int) -> bytes:
        """The bytes to write now: ``written`` of them were, the first one ``since_us`` ago; empty: none are due."""
        if written >= len(self.writes) or since_us < written * self.apart_us:
            return _NOTHING
        return self.writes[written]

    def due_us(self, written: int) -> int | None:
        """When the next write is due, counted from the first; ``None`` when all are written."""
        return written * self.apart_us if written < len(self.writes) else None
