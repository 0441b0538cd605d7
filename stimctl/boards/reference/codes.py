"""The numbers with names in the reference board's language: reasons, causes, bits, and bounds of the wire."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final, final

OUTPUTS_MAX: Final = 16
"""Most outputs that a board can have: what fits the mask in :class:`Arm`."""

NO_OUTPUT: Final = 0xFF
"""Output number in a :class:`Nak` or :class:`Event` that concerns no single output."""

NO_RULE: Final = 0xFF
"""Rule number in a :class:`Nak` that no entry of the limits table explains."""

TTL_MS: Final = 100
"""An update or heartbeat that took longer than this to arrive is not carried out (hazard H19)."""


@final
class Capability(IntFlag):
    """What a board can sense, and whether it is one at all."""

    IMPEDANCE = 1
    CURRENT = 2
    ANALOG_IN = 4
    SIMULATED = 8  # a twin: no current flows anywhere, and everything it takes part in is marked so


@final
class Trouble(IntFlag):
    """What is wrong with one output now."""

    NONE = 0
    OPEN = 1
    SHORT = 2
    CURRENT = 4  # measured and applied amplitude disagree
    HOT = 8
    HARDWARE = 16


@final
class Cause(IntEnum):
    """Why the board disarmed itself, or what else it has to tell unasked."""

    NONE = 0
    RESET = 1
    DEAD_MAN = 2
    CONTACT_LOST = 3
    LIMIT_REFUSED = 4
    STOP_BUTTON = 5
    OUTPUT_FAULT = 6
    STOP_COMMAND = 7


@final
class Reason(IntEnum):
    """Why a command was not carried out."""

    STALE = 1  # sequence not newer than the last one accepted
    TOKEN = 2  # not this session's token
    EXPIRED = 3  # older than TTL_MS when it arrived
    MALFORMED = 4  # readable, but its content makes no sense
    NOT_ARMED = 5
    ARMED = 6  # ARM while armed: stop first
    CHALLENGE = 7  # ARM does not quote the board's current challenge
    LIMITS = 8  # ARM quotes another limits table
    DEAD_MAN = 9  # ARM asks for a dead-man time outside the board's range
    OUTPUT = 10  # no such output, or outside the armed mask
    LIMIT = 11  # beyond the board's limits table: the board has stopped
    CEILING = 12  # beyond what CONFIGURE allows: the board has stopped
    RISE = 13  # rises faster than the table allows: the board has stopped
    WIDENING = 14  # CONFIGURE would widen while output is not zero
    FAULT = 15  # an output is faulty, or the stop button is pressed
    UNSUPPORTED = 16
