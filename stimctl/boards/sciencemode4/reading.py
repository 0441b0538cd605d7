"""Payloads of ScienceMode 3 and 4 read: from bytes back to words. A code that nobody knows is the number that it is.

``read`` is the inverse of ``layout.pack`` and ``output.pack`` on every word. A payload that its command cannot have comes back as
:class:`~messages.Senseless`, a command that is none of ours as :class:`~messages.Unknown`: a board owes both an answer.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from stimctl.boards.sciencemode4 import messages as m
from stimctl.boards.sciencemode4.codes import BARE, CHANNELS, DEVICE_ID, RESULT_ONLY, Command, Selection
from stimctl.boards.sciencemode4.dialect import Dialect
from stimctl.boards.sciencemode4.layout import BATTERY, EXTENDED, HIGH_VOLTAGE_MAX, MEASUREMENT_MAX, SAMPLING
from stimctl.boards.sciencemode4.period import period_of
from stimctl.boards.sciencemode4.points import HEAD, POINT_BYTES, points_of


def read(command: int, payload: bytes, dialect: Dialect) -> m.Heard:
    """The word of an intact frame."""
    reader = _READERS.get(command)
    if reader is None or command in dialect.silent:
        return m.Unknown(command, payload)
    try:
        return reader(command, payload, dialect)
    except (ValueError, IndexError, struct.error) as error:
        return m.Senseless(command, payload, str(error) or type(error).__name__)


@lru_cache(maxsize=1_024)
def _ack(command: int, payload: bytes, _dialect: Dialect) -> m.Ack:
    return m.Ack(Command(command), *_exactly(payload, 1))


@lru_cache(maxsize=64)
def _bare(command: int, payload: bytes, _dialect: Dialect) -> m.Bare:
    _exactly(payload, 0)
    return m.Bare(Command(command))


def _exactly(payload: bytes, length: int) -> bytes:
    if len(payload) != length:
        raise ValueError(f"{len(payload)} bytes where {length} belong")
    return payload


# --- commands --------------------------------------------------------------------------------------------------


def _ll_init(_command: int, payload: bytes, dialect: Dialect) -> m.LlInit:
    (byte,) = _exactly(payload, 1)
    measurement, voltage = byte >> 4, byte >> 1 & 7
    if measurement > (MEASUREMENT_MAX if dialect.measures else 0) or voltage > HIGH_VOLTAGE_MAX or byte & 1:
        raise ValueError(f"no way to open the low level is {byte:#04x}")
    return m.LlInit(voltage, measurement)


def _channel_config(_command: int, payload: bytes, dialect: Dialect) -> m.ChannelConfig:
    head = payload[0]
    execute, colour, socket, count = head >> 7 == 1, head >> 5 & 3, head >> 4 & 1, (head & 15) + 1
    if socket >= dialect.sockets:
        raise ValueError(f"{dialect.title} has one socket")
    if not execute and len(payload) == 1:
        return m.ChannelConfig(colour, socket, (), execute=False, declared=count)
    _exactly(payload, 1 + POINT_BYTES * count)
    return m.ChannelConfig(colour, socket, points_of(payload, 1, count), execute)


def _ml_init(_command: int, payload: bytes, dialect: Dialect) -> m.MlInit:
    (byte,) = _exactly(payload, 1)
    if byte > dialect.stop_all:
        raise ValueError(f"no way to open the mid level is {byte:#04x}")
    return m.MlInit(byte == 1)


def _update(_command: int, payload: bytes, dialect: Dialect) -> m.Update:
    mask, at = payload[0], 1
    if mask >> dialect.channels:
        raise ValueError(f"{dialect.title} has no channels beyond {dialect.channels}")
    patterns = []
    for channel in _CHANNELS_OF[mask]:
        head, period = HEAD.unpack_from(payload, at)
        period_us, quarter_ms = period_of(period, dialect)
        count = (head >> 4) + 1
        points = points_of(payload, at + HEAD.size, count)
        patterns.append(m.Pattern(channel, period_us, points, head & 15, quarter_ms))
        at += HEAD.size + count * POINT_BYTES
    _exactly(payload, at)
    return m.Update(tuple(patterns))


def _get_current_data(_command: int, payload: bytes, dialect: Dialect) -> m.GetCurrentData:
    (selection,) = _exactly(payload, 1)
    if selection not in dialect.selections:
        raise ValueError(f"{dialect.title} has no selection {selection}")
    return m.GetCurrentData(selection)


# --- answers ---------------------------------------------------------------------------------------------------

_BITS: Final = [tuple(byte >> bit & 1 == 1 for bit in range(8)) for byte in range(256)]
_CHANNELS_OF: Final = [tuple(bit for bit in range(CHANNELS) if byte >> bit & 1) for byte in range(256)]
_NIBBLES: Final = [(byte & 15, byte >> 4) for byte in range(256)]
_VERSION: Final = struct.Struct(">7B")


def _longer(command: int, payload: bytes, dialect: Dialect) -> m.Heard:
    """An answer with more than a result, which one that went wrong may leave out."""
    if len(payload) == 1 and payload[0]:
        return _ack(command, payload, dialect)
    return _LONGER[command](command, payload, dialect)


def _channel_config_ack(_command: int, payload: bytes, dialect: Dialect) -> m.ChannelConfigAck:
    if not dialect.measures:
        result, colour = _exactly(payload, 2)
        if colour > 15:
            raise ValueError(f"{dialect.title} has one socket")
        return m.ChannelConfigAck(result, colour)
    result, place, measurement = payload[:3]
    if not measurement:
        _exactly(payload, 3)
        return m.ChannelConfigAck(result, place & 15, place >> 4)
    sampling, *samples = SAMPLING.unpack(payload[3:])
    return m.ChannelConfigAck(result, place & 15, place >> 4, measurement, sampling, tuple(samples))


def _current_data(_command: int, payload: bytes, dialect: Dialect) -> m.ChannelStates | m.ElectrodeErrors:
    selection = payload[1]
    if selection not in dialect.selections:
        raise ValueError(f"{dialect.title} has no selection {selection}")
    if selection == Selection.CHANNELS:
        result, _, active, first, second, third, fourth = payload
        states = _NIBBLES[first] + _NIBBLES[second] + _NIBBLES[third] + _NIBBLES[fourth]
        return m.ChannelStates(result, _BITS[active], states)
    fours = _exactly(payload, selection + 1)[2:]  # one byte for four channels, two for eight
    errors = tuple(bit for byte in fours for bit in _BITS[byte][:4])
    return m.ElectrodeErrors(payload[0], _BITS[fours[0]][4], errors)


def _device_id(_command: int, payload: bytes, _dialect: Dialect) -> m.DeviceId:
    text = _exactly(payload, 1 + DEVICE_ID)[1:].rstrip(b"\0").decode("ascii")
    if not text.isprintable():
        raise ValueError("a device id with control characters")  # it would reach a terminal
    return m.DeviceId(payload[0], text)


def _battery(_command: int, payload: bytes, _dialect: Dialect) -> m.Battery:
    return m.Battery(*BATTERY.unpack(payload))


def _stim_status(_command: int, payload: bytes, _dialect: Dialect) -> m.StimStatus:
    return m.StimStatus(*_exactly(payload, 3))


def _main_status(_command: int, payload: bytes, _dialect: Dialect) -> m.MainStatus:
    return m.MainStatus(*_exactly(payload, 2))


def _version(command: int, payload: bytes, _dialect: Dialect) -> m.Version:
    result, a, b, c, d, e, f = _exactly(payload, 7)
    return m.Version(Command(command), result, (a, b, c), (d, e, f))


def _extended_version(_command: int, payload: bytes, _dialect: Dialect) -> m.ExtendedVersion:
    result, a, b, c, d, e, f, firmware_hash, hash_type, hash_valid = EXTENDED.unpack(payload)
    return m.ExtendedVersion(result, (a, b, c), (d, e, f), firmware_hash, hash_type, hash_valid)


Reader = Callable[[int, bytes, Dialect], m.Heard]

_LONGER: Final[dict[int, Reader]] = {
    Command.LL_CHANNEL_CONFIG_ACK: _channel_config_ack,
    Command.ML_GET_CURRENT_DATA_ACK: _current_data,
    Command.GET_VERSION_MAIN_ACK: _version,
    Command.GET_VERSION_STIM_ACK: _version,
    Command.GET_DEVICE_ID_ACK: _device_id,
    Command.GET_BATTERY_STATUS_ACK: _battery,
    Command.GET_STIM_STATUS_ACK: _stim_status,
    Command.GET_MAIN_STATUS_ACK: _main_status,
    Command.GET_EXTENDED_VERSION_ACK: _extended_version,
}

_READERS: Final[dict[int, Reader]] = {
    Command.LL_INIT: _ll_init,
    Command.LL_CHANNEL_CONFIG: _channel_config,
    Command.ML_INIT: _ml_init,
    Command.ML_UPDATE: _update,
    Command.ML_GET_CURRENT_DATA: _get_current_data,
    **dict.fromkeys(BARE, _bare),
    **dict.fromkeys(RESULT_ONLY, _ack),
    **dict.fromkeys(_LONGER, _longer),
}
