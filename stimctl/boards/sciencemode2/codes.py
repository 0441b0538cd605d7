"""The numbers with names in ScienceMode 2. A board may know more of each: a number without a name stays a number."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, final

PACKET_NUMBERS: Final = 256
"""Packet numbers count modulo this; an answer has its command's, and what the board says unasked a count of its own."""

CHANNELS: Final = 8
VERSION: Final = 1
"""The protocol version that every peer speaks."""


@final
class Command(IntEnum):
    """Commands and answers; an answer's number is one above its command's."""

    INIT = 1
    INIT_ACK = 2
    UNKNOWN_COMMAND = 3
    WATCHDOG = 4
    GET_STIMULATION_MODE = 10
    GET_STIMULATION_MODE_ACK = 11
    GET_MOTOMED_MODE = 12
    GET_MOTOMED_MODE_ACK = 13
    INIT_CHANNEL_LIST_MODE = 30
    INIT_CHANNEL_LIST_MODE_ACK = 31
    START_CHANNEL_LIST_MODE = 32
    START_CHANNEL_LIST_MODE_ACK = 33
    STOP_CHANNEL_LIST_MODE = 34
    STOP_CHANNEL_LIST_MODE_ACK = 35
    SINGLE_PULSE = 36
    SINGLE_PULSE_ACK = 37
    STIMULATION_ERROR = 38
    INIT_PHASE_TRAINING = 50
    INIT_PHASE_TRAINING_ACK = 51
    START_PHASE = 52
    START_PHASE_ACK = 53
    PAUSE_PHASE = 54
    PAUSE_PHASE_ACK = 55
    STOP_PHASE_TRAINING = 56
    STOP_PHASE_TRAINING_ACK = 57
    PHASE_RESULT = 58
    ACTUAL_VALUES = 60
    SET_ROTATION_DIRECTION = 70
    SET_ROTATION_DIRECTION_ACK = 71
    SET_SPEED = 72
    SET_SPEED_ACK = 73
    SET_GEAR = 74
    SET_GEAR_ACK = 75
    SET_KEYBOARD_LOCK = 76
    SET_KEYBOARD_LOCK_ACK = 77
    START_BASIC_TRAINING = 80
    START_BASIC_TRAINING_ACK = 81
    PAUSE_BASIC_TRAINING = 82
    PAUSE_BASIC_TRAINING_ACK = 83
    CONTINUE_BASIC_TRAINING = 84
    CONTINUE_BASIC_TRAINING_ACK = 85
    STOP_BASIC_TRAINING = 86
    STOP_BASIC_TRAINING_ACK = 87
    MOTOMED_COMMAND_DONE = 89
    MOTOMED_ERROR = 90


BARE: Final = frozenset({Command.WATCHDOG, Command.GET_STIMULATION_MODE, Command.STOP_CHANNEL_LIST_MODE})
"""Commands without a payload that we send."""

_MOTOMED_ACKS: Final = frozenset(
    {
        *(Command.INIT_PHASE_TRAINING_ACK, Command.START_PHASE_ACK, Command.PAUSE_PHASE_ACK),
        *(Command.STOP_PHASE_TRAINING_ACK, Command.SET_ROTATION_DIRECTION_ACK, Command.SET_SPEED_ACK),
        *(Command.SET_GEAR_ACK, Command.SET_KEYBOARD_LOCK_ACK, Command.START_BASIC_TRAINING_ACK),
        *(Command.PAUSE_BASIC_TRAINING_ACK, Command.CONTINUE_BASIC_TRAINING_ACK, Command.STOP_BASIC_TRAINING_ACK),
        *(Command.MOTOMED_COMMAND_DONE, Command.MOTOMED_ERROR),
    }
)

RESULT_ONLY: Final = _MOTOMED_ACKS | {
    *(Command.INIT_ACK, Command.INIT_CHANNEL_LIST_MODE_ACK, Command.START_CHANNEL_LIST_MODE_ACK),
    *(Command.STOP_CHANNEL_LIST_MODE_ACK, Command.SINGLE_PULSE_ACK, Command.STIMULATION_ERROR),
}
"""Answers that are one signed byte; InitAck is the only one that the host gives."""

MODE_ACKS: Final = frozenset({Command.GET_STIMULATION_MODE_ACK, Command.GET_MOTOMED_MODE_ACK})
"""Answers that are a result and, if it is 0, a mode."""

MOTOMED: Final = frozenset(
    {
        *(Command.GET_MOTOMED_MODE, Command.INIT_PHASE_TRAINING, Command.START_PHASE, Command.PAUSE_PHASE),
        *(Command.STOP_PHASE_TRAINING, Command.SET_ROTATION_DIRECTION, Command.SET_SPEED, Command.SET_GEAR),
        *(Command.SET_KEYBOARD_LOCK, Command.START_BASIC_TRAINING, Command.PAUSE_BASIC_TRAINING),
        *(Command.CONTINUE_BASIC_TRAINING, Command.STOP_BASIC_TRAINING),
    }
)
"""Commands for a MOTOmed: a board's twin has to know that they are some, and nobody here sends them."""


@final
class Result(IntEnum):
    """What became of a command. An answer may carry numbers that stand here nowhere."""

    GOOD = 0
    TRANSFER = -1
    PARAMETER = -2
    WRONG_MODE = -3
    MOTOMED_CONNECTION = -4
    VERSION_REFUSED = -5
    MOTOMED_TRAINER = -6
    MOTOMED_BUSY = -7
    BUSY = -8


@final
class StimulationError(IntEnum):
    """Why the board has stopped by itself; it does not say at which channel."""

    EMERGENCY_SWITCH = -1
    ELECTRODE = -2
    STIMULATION_MODULE = -3


@final
class Mode(IntEnum):
    """The board's mode of stimulation."""

    START = 0
    INITIALISED = 1
    STARTED = 2


_NAMES: Final = {int(each): each.name.lower().replace("_", " ") for each in Result}


def result_text(result: int) -> str:
    """A result for a person: its number in any case, and its name if it has one."""
    return f"result {result} ({_NAMES.get(result, 'no known meaning')})"
