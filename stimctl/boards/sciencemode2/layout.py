"""Payloads of ScienceMode 2: how each word but those with amplitudes is laid out; ``reading`` gets it back.

High byte first, results signed. Every field is checked, with :class:`DoesNotFit` for what has no bits.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, Final

from stimctl.boards.sciencemode.fit import DoesNotFit, steps
from stimctl.boards.sciencemode2 import messages as m
from stimctl.boards.sciencemode2.codes import BARE, CHANNELS, MODE_ACKS, RESULT_ONLY, Command
from stimctl.errors import OurBug

HALF_US: Final = 500
INTER_PULSE_MIN_US: Final = 1_500
INTER_PULSE_MAX_US: Final = 129_000
ONE_SHOT_US: Final = 1_000
"""The main interval that stands for a list which runs once for each start."""

MAIN_MAX_US: Final = 1_025_000
LOW_FREQUENCY_MAX: Final = 7
EXECUTION_MAX: Final = 1

INIT_LIST: Final = struct.Struct(">BBBBHB")
ACTUAL_VALUES: Final = struct.Struct(">Hhh")
PHASE_RESULT: Final = struct.Struct(">BHHBBHHHBBB")
_SIGNED: Final = 128


def pack(word: m.Word) -> tuple[int, bytes]:
    """Command number and payload of any word without amplitudes.

    Raises :class:`DoesNotFit` for a field out of its range, and :class:`OurBug` for a word that is an output or none.
    """
    packer = _PACKERS.get(type(word))
    if packer is None:
        raise OurBug(f"{type(word).__name__} is not encoded here; what makes current flow has a door of its own")
    command: int
    command, payload = packer(word)
    return command, payload


def byte(field: str, value: object, low: int = 0, high: int = 255) -> int:
    """``value`` if it is a whole number within; raises :class:`DoesNotFit`."""
    return steps(field, value, low, high)


def signed(field: str, value: object) -> int:
    """A signed byte as an unsigned one."""
    return byte(field, value, -_SIGNED, _SIGNED - 1) & 0xFF


def _bare(word: m.Bare) -> tuple[int, bytes]:
    if word.command not in BARE:
        raise DoesNotFit("command", word.command, "watchdog, stop and the question for the mode")
    return word.command, b""


def _init_channel_list(word: m.InitChannelList) -> tuple[int, bytes]:
    if not word.active:
        raise DoesNotFit("active channels", word.active, "at least one channel")
    return Command.INIT_CHANNEL_LIST_MODE, INIT_LIST.pack(
        byte("low frequency factor", word.low_frequency_factor, 0, LOW_FREQUENCY_MAX),
        _mask("active channels", word.active),
        _mask("low frequency channels", word.low_frequency),
        interval_code(
            "inter pulse interval", word.inter_pulse_us, INTER_PULSE_MIN_US, INTER_PULSE_MIN_US, INTER_PULSE_MAX_US
        ),
        interval_code("main interval", word.main_us, ONE_SHOT_US, ONE_SHOT_US, MAIN_MAX_US),
        byte("channel execution", word.execution, 0, EXECUTION_MAX),
    )


def interval_code(field: str, value_us: object, zero_us: int, low_us: int, high_us: int) -> int:
    """An interval in half milliseconds above ``zero_us``."""
    return steps(field, value_us, low_us, high_us, HALF_US, "µs") - zero_us // HALF_US


def _mask(field: str, channels: Sequence[int]) -> int:
    numbers = [byte(field, channel, 1, CHANNELS) for channel in channels]
    if numbers != sorted(set(numbers)):
        raise DoesNotFit(field, channels, "each channel once, in ascending order")
    return sum(1 << channel - 1 for channel in numbers)


def _init(word: m.Init) -> tuple[int, bytes]:
    return Command.INIT, bytes((byte("version", word.version),))


def _ack(word: m.Ack) -> tuple[int, bytes]:
    if word.command not in RESULT_ONLY:
        raise DoesNotFit("command", word.command, "answers that are a result alone")
    return word.command, bytes((signed("result", word.result),))


def _mode_ack(word: m.ModeAck) -> tuple[int, bytes]:
    if word.command not in MODE_ACKS:
        raise DoesNotFit("command", word.command, "answers with a mode")
    if (word.mode is None) == (word.result == 0):
        raise DoesNotFit("mode", word.mode, f"None unless the result is 0, and it is {word.result}")
    mode = b"" if word.mode is None else bytes((signed("mode", word.mode),))
    return word.command, bytes((signed("result", word.result),)) + mode


def _unknown_command(word: m.UnknownCommand) -> tuple[int, bytes]:
    return Command.UNKNOWN_COMMAND, bytes((byte("unknown command", word.unknown),))


def _actual_values(word: m.ActualValues) -> tuple[int, bytes]:
    try:
        return Command.ACTUAL_VALUES, ACTUAL_VALUES.pack(word.angle_deg, word.speed_rpm, word.torque_dnm)
    except struct.error as error:
        raise DoesNotFit("actual values", word, f"whole numbers of 16 bits ({error})") from None


def _phase_result(word: m.PhaseResult) -> tuple[int, bytes]:
    numbers = [getattr(word, name) for name in word.__slots__]
    try:
        return Command.PHASE_RESULT, PHASE_RESULT.pack(*numbers)
    except struct.error as error:
        raise DoesNotFit("phase result", word, f"whole numbers of 8 or 16 bits ({error})") from None


_PACKERS: Final[dict[type[m.Word], Callable[[Any], tuple[int, bytes]]]] = {
    m.Bare: _bare,
    m.InitChannelList: _init_channel_list,
    m.Init: _init,
    m.Ack: _ack,
    m.ModeAck: _mode_ack,
    m.UnknownCommand: _unknown_command,
    m.ActualValues: _actual_values,
    m.PhaseResult: _phase_result,
}
