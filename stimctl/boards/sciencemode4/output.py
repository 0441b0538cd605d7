"""The one door through which amplitudes leave for a board that speaks ScienceMode 3 or 4.

Nobody imports this but ``stimctl.boards.sciencemode4.update``, the driver's own door, which takes nothing but what the
limiter has ``Approved`` and makes points of it; the walls hold that (``pyproject.toml``, ``tests/test_walls_sciencemode.py``).
"""

from __future__ import annotations

import struct

from stimctl.boards.sciencemode.fit import DoesNotFit, flag, steps
from stimctl.boards.sciencemode4 import messages as m
from stimctl.boards.sciencemode4.codec import build
from stimctl.boards.sciencemode4.codes import POINTS_MAX, RAMP_MAX, Command
from stimctl.boards.sciencemode4.dialect import SCIENCEMODE_4, Dialect
from stimctl.boards.sciencemode4.period import period_bits
from stimctl.boards.sciencemode4.points import TRAINS, words_of
from stimctl.errors import OurBug

_COLOURS = 4


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
    channels = [pattern.channel for pattern in word.patterns]
    if channels != sorted(set(channels)):
        raise DoesNotFit("channels of an update", channels, "each once, in ascending order")
    parts, mask = [b""], 0
    for pattern in word.patterns:
        mask |= 1 << steps("channel", pattern.channel, 0, dialect.channels - 1)
        parts.append(_pattern(pattern, dialect))
    parts[0] = bytes((mask,))
    return b"".join(parts)


def _pattern(pattern: m.Pattern, dialect: Dialect) -> bytes:
    where = f"channel {pattern.channel}"
    words = words_of(pattern.points, where)
    last = len(words) - 1
    ramp = steps(f"{where}: ramp", pattern.ramp, 0, RAMP_MAX, 1, "pulses")
    return TRAINS[last].pack(
        last << 4 | ramp, period_bits(pattern.period_us, pattern.quarter_ms, dialect, where), *words
    )


def _channel_config(word: m.ChannelConfig, dialect: Dialect) -> bytes:
    where = f"colour {word.colour}, socket {word.socket}"
    place = (
        steps("colour", word.colour, 0, _COLOURS - 1) << 5 | steps("socket", word.socket, 0, dialect.sockets - 1) << 4
    )
    execute = flag("execute", word.execute)
    if word.declared is None:
        words = words_of(word.points, where)
        return struct.pack(f">B{len(words)}I", execute << 7 | place | len(words) - 1, *words)
    if execute or word.points:
        raise DoesNotFit("declared points", word.declared, "None beside points, or when the pulse is executed")
    return bytes((place | steps("declared points", word.declared, 1, POINTS_MAX) - 1,))
