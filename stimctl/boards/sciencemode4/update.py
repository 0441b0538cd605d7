"""The one door through which a driver's amplitudes leave for a board that speaks ScienceMode 3 or 4.

A train leaves as a whole for the mid level, which repeats it, or period by period for the low level, which does not.
"""

from __future__ import annotations

from stimctl.boards.sciencemode4.codes import COLOURS
from stimctl.boards.sciencemode4.dialect import Dialect
from stimctl.boards.sciencemode4.messages import ChannelConfig, Update
from stimctl.boards.sciencemode4.output import encode_output
from stimctl.boards.sciencemode4.patterns import patterns_of
from stimctl.errors import OurBug
from stimctl.safety import Approved


def encode_approved(approved: Approved, *, number: int, dialect: Dialect) -> bytes:
    """The frame that makes the board's mid level repeat what was approved, and nothing else; ``number`` is 0 to 63.

    An output at zero is left out, which switches it off: no points of nothing keep its channel open. Raises
    :class:`OurBug` for anything but an ``Approved`` and for an output that is named twice, and :class:`DoesNotFit` for what
    the board cannot be told exactly or would answer with silence.
    """
    if type(approved) is not Approved:
        raise OurBug(f"{type(approved).__name__} is not what the limiter approved")
    patterns = patterns_of(approved.command)
    return encode_output(Update(patterns), number, dialect)


def encode_pulse(approved: Approved, output: int, *, number: int, dialect: Dialect) -> bytes:
    """The frame that has the board's low level give one period of what was approved for ``output``, once.

    Raises as :func:`encode_approved` does, and :class:`OurBug` for an output for which nothing was approved.
    """
    if type(approved) is not Approved:
        raise OurBug(f"{type(approved).__name__} is not what the limiter approved")
    points = next((each.points for each in patterns_of(approved.command) if each.channel == output), None)
    if points is None:
        raise OurBug(f"no pulse was approved for output {output}")
    return encode_output(ChannelConfig(output % COLOURS, output // COLOURS, points), number, dialect)
