"""The numbers with names in ScienceMode 3 and 4. A board may know more of each: a number without a name stays a number."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, final

PACKET_NUMBERS: Final = 64
"""Packet numbers count modulo this; an answer has its command's."""

CHANNELS: Final = 8
COLOURS: Final = 4
POINTS_MAX: Final = 16
"""Most points of one pulse."""

RAMP_MAX: Final = 15
"""Most pulses that a ramp takes."""

SAMPLES: Final = 128
"""Values in an answer with a measurement."""

DEVICE_ID: Final = 10
"""Characters of a device id."""


@final
class Command(IntEnum):
    """Commands and, one above each, their answers; general, low level, mid level. Others are left alone."""

    LL_INIT = 0
    LL_INIT_ACK = 1
    LL_CHANNEL_CONFIG = 2
    LL_CHANNEL_CONFIG_ACK = 3
    LL_STOP = 4
    LL_STOP_ACK = 5
    ML_INIT = 30
    ML_INIT_ACK = 31
    ML_UPDATE = 32
    ML_UPDATE_ACK = 33
    ML_STOP = 34
    ML_STOP_ACK = 35
    ML_GET_CURRENT_DATA = 36  # the P24 manual prints 37 and 38; library, ScienceMode 3 and both peers use these
    ML_GET_CURRENT_DATA_ACK = 37
    GET_VERSION_MAIN = 50
    GET_VERSION_MAIN_ACK = 51
    GET_DEVICE_ID = 52
    GET_DEVICE_ID_ACK = 53
    GET_BATTERY_STATUS = 54
    GET_BATTERY_STATUS_ACK = 55
    SET_POWER = 56  # known by name; its payload stands in no document at hand
    SET_POWER_ACK = 57
    RESET = 58
    RESET_ACK = 59
    GET_VERSION_STIM = 60
    GET_VERSION_STIM_ACK = 61
    GET_STIM_STATUS = 62
    GET_STIM_STATUS_ACK = 63
    GET_MAIN_STATUS = 64
    GET_MAIN_STATUS_ACK = 65
    GENERAL_ERROR = 66
    UNKNOWN_COMMAND = 67
    GET_EXTENDED_VERSION = 68
    GET_EXTENDED_VERSION_ACK = 69


BARE: Final = frozenset(
    {
        *(Command.LL_STOP, Command.ML_STOP, Command.RESET),
        *(Command.GET_VERSION_MAIN, Command.GET_DEVICE_ID, Command.GET_BATTERY_STATUS, Command.GET_VERSION_STIM),
        *(Command.GET_STIM_STATUS, Command.GET_MAIN_STATUS, Command.GET_EXTENDED_VERSION),
    }
)
"""Commands without a payload."""

RESULT_ONLY: Final = frozenset(
    {
        *(Command.LL_INIT_ACK, Command.LL_STOP_ACK, Command.ML_INIT_ACK, Command.ML_UPDATE_ACK, Command.ML_STOP_ACK),
        *(Command.RESET_ACK, Command.SET_POWER_ACK, Command.GENERAL_ERROR, Command.UNKNOWN_COMMAND),
    }
)
"""Answers that are a result and nothing more."""


@final
class Result(IntEnum):
    """What became of a command. An answer may carry numbers that stand here nowhere."""

    GOOD = 0
    TRANSFER = 1
    PARAMETER = 2
    PROTOCOL_VERSION = 3
    STIMULATION_TIMEOUT = 4  # the P24 manual gives this meaning to 3 in one table
    EMG_TIMEOUT = 5
    EMG_REGISTER = 6
    NOT_INITIALISED = 7
    HIGH_VOLTAGE = 8
    DEMUX_TIMEOUT = 9
    ELECTRODE = 10
    COMMAND_UNKNOWN = 11
    DEMUX_PARAMETER = 12
    DEMUX_NOT_INITIALISED = 13
    DEMUX_TRANSFER = 14
    DEMUX_UNKNOWN_ACK = 15
    PULSE_TIMEOUT = 16
    FUEL_GAUGE = 17
    LIVE_SIGNAL = 18
    FILE_TIMEOUT = 19
    FILE_NOT_FOUND = 20
    BUSY = 21
    FILE = 22
    FLASH_ERASE = 23
    FLASH_WRITE = 24
    UNKNOWN_CONTROLLER = 25
    FIRMWARE_TOO_LARGE = 26
    FUEL_GAUGE_NOT_PROGRAMMED = 27
    PULSE_CURRENT_LOW = 28


@final
class Status(IntEnum):
    """Which level is active."""

    NONE = 0
    LOW_LEVEL = 1
    MID_LEVEL = 2
    MID_LEVEL_RUNNING = 3


@final
class HighVoltage(IntEnum):
    """What the output stage is fed with: asked for by Ll_init (0 is the standard, 150 V), told by Get_stim_status."""

    STANDARD = 0
    OFF = 1
    V30 = 2
    V60 = 3
    V90 = 4
    V120 = 5
    V150 = 6


@final
class Measurement(IntEnum):
    """What the board samples during a pulse of the low level."""

    NONE = 0
    CURRENT = 1
    VOLTAGE = 2
    HIGH_VOLTAGE = 3


@final
class Selection(IntEnum):
    """What Ml_get_current_data asks for."""

    ELECTRODES_4 = 2
    ELECTRODES_8 = 3
    CHANNELS = 4


@final
class ChannelState(IntEnum):
    """One channel in the answer to :attr:`Selection.CHANNELS`."""

    GOOD = 0
    ELECTRODE = 1
    PULSE_TIMEOUT = 2
    CURRENT_LOW = 3


_NAMES: Final = {int(each): each.name.lower().replace("_", " ") for each in Result}


def result_text(result: int) -> str:
    """A result for a person: its number in any case, and its name if it has one."""
    return f"result {result} ({_NAMES.get(result, 'no known meaning')})"
