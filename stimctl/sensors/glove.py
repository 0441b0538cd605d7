"""A robot glove's two lines: whether it is ready, and whether it opens the hand. What may be believed of them, and when.

Nothing here reads a clock or a port. A fault counts at once; that all is well, and each turn between opening and closing,
only after it has stood for a while: contacts bounce, and a cable with a loose wire flickers.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple, Protocol, final

from stimctl.errors import LinkLost
from stimctl.transport.lines import ModemLines
from stimctl.units import MS

READY_US: Final = 500 * MS
"""How long the glove must have been ready without a break before it counts as ready (project)."""

SETTLE_US: Final = 30 * MS
"""How long the phase line must stand before a turn counts: relay contacts bounce for some ms, cheap ones for 20 (project)."""

STALE_US: Final = 200 * MS
"""Readings older than this count as absent, as every other signal's do (clinical reference, H27)."""

GAP_US: Final = 1_000 * MS
"""Where nothing was read for longer than this, nothing is known of the time between: it must be ready anew."""


@final
class Lines(NamedTuple):
    """The two lines at a session time in µs."""

    at_us: int
    ready: bool
    opening: bool


@final
class Turn(StrEnum):
    """What the glove begins to do."""

    OPENS = "opens"
    CLOSES = "closes"


class GloveSource(Protocol):
    """Where the lines are read."""

    @property
    def name(self) -> str:
        """What a person calls it."""

    def read(self, now_us: int) -> Lines | None:
        """The lines by ``now_us``, ``None`` while there are none. Never blocks; raises :class:`LinkLost`."""

    def permit(self, *, moves: bool) -> None:
        """Tell it whether it may move. Never blocks; raises :class:`LinkLost`."""

    def close(self) -> None:
        """Let go of it. Idempotent; never raises."""


@final
class WiredGlove:
    """A glove at a serial port: CTS is on while it opens the hand, DSR while it is ready, RTS while it may move."""

    def __init__(self, lines: ModemLines) -> None:
        self._lines = lines
        self.name = f"the robot glove at {lines.name}"

    def read(self, now_us: int) -> Lines:
        """The lines now."""
        opening, ready = self._lines.read()
        return Lines(now_us, ready, opening)

    def permit(self, *, moves: bool) -> None:
        """Set the line that permits it to move."""
        self._lines.set(on=moves)

    def close(self) -> None:
        """Let go of the port."""
        self._lines.close()


@final
class GloveReader:
    """Lines in, turns out. ``fault`` says what is wrong, "" while the glove is ready: nothing may flow otherwise."""

    def __init__(self) -> None:
        self.fault = "has not been ready yet"
        self.opening: bool | None = None
        """What the glove does, as far as it is believed; ``None`` while it is not ready."""
        self._good_from_us: int | None = None
        self._read_us: int | None = None
        self._turning_us: int | None = None

    def step(self, now_us: int, lines: Lines | None) -> Turn | None:
        """Take the newest reading; the turn that counts with it, if any. A turn while it is not ready is none."""
        if wrong := self._wrong(now_us, lines):
            self.fault, self.opening = wrong, None
            self._good_from_us = self._turning_us = None
            return None
        assert lines is not None
        if self._good_from_us is None:
            self._good_from_us = now_us
        if self.fault:
            if now_us - self._good_from_us < READY_US:
                return None
            self.fault, self.opening = "", lines.opening
            return None
        return self._turn(now_us, opening=lines.opening)

    def _wrong(self, now_us: int, lines: Lines | None) -> str:
        last_us, self._read_us = self._read_us, now_us
        if lines is None:
            return "cannot be heard: its line is lost"
        if not 0 <= now_us - lines.at_us <= STALE_US:
            return "cannot be heard: its line is stale"
        if not lines.ready:
            return "reports a fault or its stop, or its plug is out"
        if last_us is not None and not 0 <= now_us - last_us <= GAP_US:
            return "was not listened to for a while"
        return ""

    def _turn(self, now_us: int, *, opening: bool) -> Turn | None:
        if opening is self.opening:
            self._turning_us = None
            return None
        if self._turning_us is None:
            self._turning_us = now_us
        if now_us - self._turning_us < SETTLE_US:
            return None
        self.opening, self._turning_us = opening, None
        return Turn.OPENS if opening else Turn.CLOSES


def heard(source: GloveSource, now_us: int) -> Lines | None:
    """What a source gives now; a port that is gone gives nothing."""
    try:
        return source.read(now_us)
    except LinkLost:
        return None
