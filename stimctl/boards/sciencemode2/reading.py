"""Payloads of ScienceMode 2 read: from bytes back to words. A code that nobody knows is the number that it is.

``read`` is the inverse of ``layout.pack`` and ``output`` on every word. A payload that its command cannot have comes back
as :class:`~messages.Senseless`, a command that is none as :class:`~messages.Unknown`: a board owes both an answer.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from stimctl.boards.sciencemode2 import messages as m
from stimctl.boards.sciencemode2.codes import BARE, CHANNELS, MODE_ACKS, MOTOMED, RESULT_ONLY, Command
from stimctl.boards.sciencemode2.layout import (
    ACTUAL_VALUES,
    EXECUTION_MAX,
    HALF_US,
    INIT_LIST,
    INTER_PULSE_MIN_US,
    LOW_FREQUENCY_MAX,
    MAIN_MAX_US,
    ONE_SHOT_US,
    PHASE_RESULT,
)

GROUP: Final = struct.Struct(">BHB")
GROUP_MAX: Final = 3
WIDTH_MIN_US: Final = 20
"""A shorter pulse, down to 1 µs, is given as if it were this long: then more would flow than was judged."""

WIDTH_MAX_US: Final = 500
MILLIAMPERE_UA: Final = 1_000
CURRENT_MAX_UA: Final = 130_000

_CHANNELS_OF: Final = [tuple(bit + 1 for bit in range(CHANNELS) if byte >> bit & 1) for byte in range(256)]


def read(command: int, payload: bytes) -> m.Heard:
    """The word of an intact frame."""
    reader = _READERS.get(command)
    if reader is None:
        return m.Unknown(command, payload)
    try:
        return reader(command, payload)
    except (ValueError, struct.error) as error:
        return m.Senseless(command, payload, str(error))


def _exactly(payload: bytes, length: int) -> bytes:
    if len(payload) != length:
        raise ValueError(f"{len(payload)} bytes where {length} belong")
    return payload


def _signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte


@lru_cache(maxsize=64)
def _bare(command: int, payload: bytes) -> m.Bare:
    _exactly(payload, 0)
    return m.Bare(Command(command))


@lru_cache(maxsize=1_024)
def _ack(command: int, payload: bytes) -> m.Ack:
    return m.Ack(Command(command), _signed(*_exactly(payload, 1)))


def _motomed(command: int, payload: bytes) -> m.Motomed:
    return m.Motomed(Command(command), payload)


def _init_channel_list(_command: int, payload: bytes) -> m.InitChannelList:
    factor, active, low, inter_pulse, main, execution = INIT_LIST.unpack(payload)
    main_us = main * HALF_US + ONE_SHOT_US
    if not active or factor > LOW_FREQUENCY_MAX or main_us > MAIN_MAX_US or execution > EXECUTION_MAX:
        raise ValueError("a channel list without channels, or with a number out of its range")
    inter_pulse_us = inter_pulse * HALF_US + INTER_PULSE_MIN_US
    return m.InitChannelList(_CHANNELS_OF[active], inter_pulse_us, main_us, _CHANNELS_OF[low], factor, execution)


def _start_channel_list(_command: int, payload: bytes) -> m.StartChannelList:
    groups = tuple([_group(*fields) for fields in GROUP.iter_unpack(payload)])
    if not 1 <= len(groups) <= CHANNELS:
        raise ValueError(f"{len(groups)} channels in a list")
    return m.StartChannelList(groups)


def _group(code: int, width_us: int, current_ma: int) -> m.Group:
    pulses, current_ua = code + 1, current_ma * MILLIAMPERE_UA
    if pulses > GROUP_MAX or width_us > WIDTH_MAX_US or current_ua > CURRENT_MAX_UA:
        raise ValueError(f"{pulses} pulses of {width_us} µs and {current_ma} mA")
    return m.Group(pulses, width_us, current_ua)


def _single_pulse(_command: int, payload: bytes) -> m.SinglePulse:
    channel, width_us, current_ma = GROUP.unpack(payload)
    if channel >= CHANNELS:
        raise ValueError(f"no channel has index {channel}")
    _, width_us, current_ua = _group(0, width_us, current_ma)
    return m.SinglePulse(channel, width_us, current_ua)


def _init(_command: int, payload: bytes) -> m.Init:
    return m.Init(*_exactly(payload, 1))


def _mode_ack(command: int, payload: bytes) -> m.ModeAck:
    if len(payload) == 1 and payload[0]:
        return m.ModeAck(Command(command), _signed(payload[0]), None)
    result, mode = _exactly(payload, 2)
    if result:
        raise ValueError("a mode behind a result that is not 0")
    return m.ModeAck(Command(command), result, _signed(mode))


def _unknown_command(_command: int, payload: bytes) -> m.UnknownCommand:
    return m.UnknownCommand(*_exactly(payload, 1))


def _actual_values(_command: int, payload: bytes) -> m.ActualValues:
    return m.ActualValues(*ACTUAL_VALUES.unpack(payload))


def _phase_result(_command: int, payload: bytes) -> m.PhaseResult:
    return m.PhaseResult(*PHASE_RESULT.unpack(payload))


_READERS: Final[dict[int, Callable[[int, bytes], m.Heard]]] = {
    Command.INIT: _init,
    Command.UNKNOWN_COMMAND: _unknown_command,
    Command.INIT_CHANNEL_LIST_MODE: _init_channel_list,
    Command.START_CHANNEL_LIST_MODE: _start_channel_list,
    Command.SINGLE_PULSE: _single_pulse,
    Command.ACTUAL_VALUES: _actual_values,
    Command.PHASE_RESULT: _phase_result,
    **dict.fromkeys(BARE, _bare),
    **dict.fromkeys(RESULT_ONLY, _ack),
    **dict.fromkeys(MODE_ACKS, _mode_ack),
    **dict.fromkeys(MOTOMED, _motomed),
}
