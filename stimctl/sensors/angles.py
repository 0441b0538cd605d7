"""Angles of a joint as they come from any source: a goniometer, a glove, or for now the simulated patient's hand."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol, final

from stimctl.errors import OurBug

STALE_US: Final = 200_000
"""Angles older than this count as absent, as samples do (H27); that table brings NumPy, which an angle does not need."""


@final
@dataclass(frozen=True, slots=True)
class Angle:
    """One angle in degrees from rest, taken at ``at_us`` session time. Raises :class:`OurBug` for what is no number."""

    at_us: int
    deg: float

    def __post_init__(self) -> None:
        """Refuse an angle that no source may give."""
        if type(self.at_us) is not int or not math.isfinite(self.deg):
            raise OurBug(f"an angle of {self.deg!r} at {self.at_us!r} µs")

    def is_stale(self, now_us: int, limit_us: int = STALE_US) -> bool:
        """Whether it is too old to act on; one from the future is as bad as an old one."""
        return not 0 <= now_us - self.at_us <= limit_us


class AngleSource(Protocol):
    """Where angles come from; the session asks for the newest one. Never blocks."""

    @property
    def name(self) -> str:
        """What a person calls it."""

    @property
    def trouble(self) -> str:
        """Why nothing comes, where that is known, or ""."""

    def read(self, now_us: int) -> Angle | None:
        """The newest angle by ``now_us``; ``None`` while there is none."""
