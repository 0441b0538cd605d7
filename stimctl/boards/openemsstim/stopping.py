"""How an openEMSstim is made to stop: the word that its firmware knows, then one millisecond at the lowest step.

The board has no stop word. A text that opens all relays exists for most firmwares and not for all, so each channel that may
have been told something is told the shortest and lowest thing that can be told, too: its relay opens a millisecond later, on
every firmware. That closes a relay which was open, for this millisecond and at the lowest step, and for 50 ms more while
another one is opened first. All of it is said three times. What ends a session in order needs the word alone, where there is
one.

The board reads nothing for 50 ms whenever it opens a relay, and no more than 64 bytes wait for it meanwhile. So the
next write comes when it must have read the one before: bytes that are lost could leave the tail of a hex form at the
head of a line, and a tail that begins with 1 or 2 would toggle a relay for good. The stop word alone goes out at once;
its hex form has neither digit, however it is cut. Nothing confirms a stop.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from stimctl.boards.openemsstim.codec import LINE_FEED, encode
from stimctl.boards.openemsstim.dialects import DIALECTS, Dialect, Form
from stimctl.boards.openemsstim.words import Disconnect, Drive, StopAll
from stimctl.boards.stops import StopSequence
from stimctl.units import MS

ROUNDS: Final = 3

CLOSING_US: Final = 50 * MS
"""How long the board is deaf while it opens one relay."""

BUFFER_BYTES: Final = 64
"""What waits for the board at most while it is deaf; the rest is lost."""

_NO_WORD: Final = LINE_FEED + encode(StopAll(), Form.PLAIN)  # does nothing on the one firmware that gets it

_WRITE_US: Final = 50 * MS  # for the line: 64 bytes take 34 ms at 19200 baud


def _word(dialect: Dialect) -> tuple[bytes, ...]:
    """A line feed first: it ends what stands half written in the line."""
    return () if dialect.stop is None else (LINE_FEED + encode(dialect.stop, dialect.form),)


def _lowest(dialect: Dialect, channels: Collection[int]) -> bytes:
    return LINE_FEED + b"".join(encode(Drive(channel, 1, 1), dialect.form) for channel in sorted(channels))


def emergency(dialect: Dialect, channels: Collection[int]) -> StopSequence:
    """The word, and the shortest and lowest thing for the ``channels`` that may have been told something.

    To the others nothing was said since the board has booted: theirs would only be closed for it, and on somebody's skin.
    """
    lowest = (_lowest(dialect, channels),) if channels else ()
    return _timed((_word(dialect) + lowest or (_NO_WORD,)) * ROUNDS, dialect.channels)


def orderly(dialect: Dialect, channels: Collection[int]) -> StopSequence:
    """The word alone, where there is one: what ends a session that went well lets no more pulse through."""
    word = _word(dialect)
    return _timed(word * ROUNDS, dialect.channels) if word else emergency(dialect, channels)


def _timed(writes: tuple[bytes, ...], channels: int) -> StopSequence:
    """Each write opens each relay once, and before the first one each may be opening already."""
    busy_us = channels * CLOSING_US
    apart_us = busy_us + _WRITE_US
    return StopSequence(writes, apart_us, (len(writes) - 1) * apart_us + 2 * busy_us + _WRITE_US, confirmed_by="")


STOPS: Final = {dialect: emergency(dialect, range(dialect.channels)) for dialect in DIALECTS}
"""By dialect, once it is known, for a board on which any channel may have been told something."""

BEFORE_PROBE: Final = _timed(
    (LINE_FEED + encode(StopAll(), Form.PLAIN) + encode(Disconnect(), Form.PLAIN) + encode(StopAll(), Form.HEX),)
    * ROUNDS,
    max(dialect.channels for dialect in DIALECTS),
)
"""For a board whose dialect is not known yet: what can energise none of the six, and stops all but ``multiplexer``.

Nothing was put out by us at that time, and a board whose port has just been opened has just booted.
"""
