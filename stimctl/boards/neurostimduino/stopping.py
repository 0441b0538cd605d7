"""How a NeuroStimDuino is made to stop: everything off, then each channel, three times; then its registers are read.

A line end goes first, which ends what stands half written in the line: a number that was cut short there is a smaller one.
The sketch says that everything is off even where it could not reach the board, and takes an I2C byte that never came for
"stopped"; so ``has stopped`` counts only in a reply without ``I2C error`` (``reply``).
"""

from __future__ import annotations

from typing import Final

from stimctl.boards.neurostimduino.codec import LINE_END, encode
from stimctl.boards.neurostimduino.words import CHANNELS, EmergencyOff, Read, Register, Stop
from stimctl.boards.stops import StopSequence
from stimctl.units import MS

ROUNDS: Final = 3
APART_US: Final = 100 * MS

DEAF_US: Final = 1_000 * MS
"""How long the sketch hears nothing while it samples."""

STOP: Final = StopSequence(
    (LINE_END + encode(EmergencyOff()) + b"".join(encode(Stop(channel)) for channel in range(CHANNELS)),) * ROUNDS,
    APART_US,
    (ROUNDS - 1) * APART_US + DEAF_US + APART_US,
    confirmed_by="`has stopped` for each channel, without an I2C error",
)

LOOK: Final = tuple(encode(Read(channel, Register.ENABLED)) for channel in range(CHANNELS))
"""Afterwards: whether the board can still be reached."""
