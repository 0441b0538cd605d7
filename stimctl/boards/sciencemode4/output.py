"""The one door through which amplitudes leave for a board that speaks ScienceMode 3 or 4.

Nobody imports this but ``stimctl.boards.sciencemode4.update``, the driver's own door, which takes nothing but what the
limiter has ``Approved`` and makes points of it; the walls hold that (``pyproject.toml``, ``tests/test_walls_sciencemode.py``).
"""

from __future__ import annotations

from functools import lru_cache

from stimctl.boards.sciencemode.fit import DoesNotFit, flag, steps
from stimctl.boards.sciencemode4 import messages as m
from stimctl.boards.sciencemode4.codec import build
from stimctl.boards.sciencemode4.codes import COLOURS, POINTS_MAX, RAMP_MAX, Command
from stimctl.boards.sciencemode4.dialect import SCIENCEMODE_4, Dialect
from stimctl.boards.sciencemode4.period import period_bits
from stimctl.boards.sciencemode4.points import HEAD, wire_of
from stimctl.errors import OurBug


def encode_output(word: m.Output, number: int, dialect: Dialect = SCIENCEMODE_4) -> bytes:
    """The frame of an update of the mid level, or of a pulse of the low level; ``number`` is 0 to 63.

    Raises :class:`DoesNotFit` for what the wire cannot carry exactly, and :class:`OurBug` for any other word.
    """
    if type(word) is m.Update:
        return build(number, Command.ML_UPDATE, _update(word, dialect))
    if type(word) is m.ChannelConfig:
        return build(number, Command.LL_CHANNEL_CONFIG, _channel_config(word, dialect))
    raise OurBug(f"{type(word).__name__} is no output")


def _update(word: m.Update, dialect: Dialect) -> bytes:
    mask, parts = 0, [b""]
    for pattern in word.patterns:
        channel, points = pattern.channel, pattern.points
        bit = _bit(channel, dialect)
        if mask >= bit:
            raise DoesNotFit("channels", [each.channel for each in word.patterns], "each once, in ascending order")
        mask |= bit
        try:
            wire = wire_of(points)
            parts.append(_head(len(points), pattern.ramp, pattern.period_us, pattern.quarter_ms, dialect))
        except DoesNotFit as misfit:
            raise misfit.within(f"channel {channel}") from None
        parts.append(wire)
    parts[0] = bytes((mask,))
    return b"".join(parts)


# A session has a handful of these. By type as well: a float is no whole number because it was one a moment ago.
@lru_cache(maxsize=256, typed=True)
def _bit(channel: int, dialect: Dialect) -> int:
    return 1 << steps("channel", channel, 0, dialect.channels - 1)


@lru_cache(maxsize=256, typed=True)
def _head(points: int, ramp: int, period_us: int, quarter_ms: bool, dialect: Dialect) -> bytes:
    """What stands before a channel's points: their number less one and the ramp, the period."""
    first = points - 1 << 4 | steps("ramp", ramp, 0, RAMP_MAX, 1, "pulses")
    return HEAD.pack(first, period_bits(period_us, quarter_ms, dialect))


def _channel_config(word: m.ChannelConfig, dialect: Dialect) -> bytes:
    place = (
        steps("colour", word.colour, 0, COLOURS - 1) << 5 | steps("socket", word.socket, 0, dialect.sockets - 1) << 4
    )
    execute = flag("execute", word.execute)
    if word.declared is None:
        wire = wire_of(word.points)
        return bytes((execute << 7 | place | len(word.points) - 1,)) + wire
    if execute or word.points:
        raise DoesNotFit("declared points", word.declared, "None beside points, or when the pulse is executed")
    return bytes((place | steps("declared points", word.declared, 1, POINTS_MAX) - 1,))
