"""The one door through which a driver's amplitudes leave for a board that speaks ScienceMode 3 or 4."""

from __future__ import annotations

from stimctl.boards.sciencemode.fit import DoesNotFit
from stimctl.boards.sciencemode4.dialect import Dialect
from stimctl.boards.sciencemode4.messages import Update
from stimctl.boards.sciencemode4.output import encode_output
from stimctl.boards.sciencemode4.patterns import PULSE_TIME_US, pattern, pulse_time_us
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
    outputs = sorted(approved.command.outputs, key=lambda output: output.channel)
    numbers = [output.channel for output in outputs]
    if len(set(numbers)) != len(numbers):
        raise OurBug(f"one update names an output twice: {numbers}")
    patterns = tuple(
        pattern(output.channel, output.train)
        for output in outputs
        if output.train.amplitude_ua or output.train.recovery_amplitude_ua
    )
    taken_us = pulse_time_us(patterns)
    if not taken_us < PULSE_TIME_US:
        raise DoesNotFit("pulse time in a second", taken_us, f"less than {PULSE_TIME_US} µs")
    return encode_output(Update(patterns), number, dialect)
