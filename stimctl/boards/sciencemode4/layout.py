"""Payloads of ScienceMode 3 and 4: how each word but those with amplitudes is laid out; ``reading`` gets it back.

High byte first throughout. Every field is checked, with :class:`DoesNotFit` for what has no bits.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

from stimctl.boards.sciencemode.fit import DoesNotFit, flag, steps
from stimctl.boards.sciencemode4 import messages as m
from stimctl.boards.sciencemode4.codes import BARE, DEVICE_ID, RESULT_ONLY, SAMPLES, Command
from stimctl.boards.sciencemode4.dialect import Dialect
from stimctl.errors import OurBug

MEASUREMENT_MAX: Final = 3
HIGH_VOLTAGE_MAX: Final = 6
NIBBLE: Final = 15
BYTE: Final = 255
WORD: Final = 65_535

BATTERY: Final = struct.Struct(">BBH")
SAMPLING: Final = struct.Struct(f">H{SAMPLES}H")
EXTENDED: Final = struct.Struct(">7B4sBB")


def pack(word: m.Word, dialect: Dialect) -> tuple[int, bytes]:
    """Command number and payload of any word without amplitudes.

    Raises :class:`DoesNotFit` for a field out of its range, and :class:`OurBug` for a word that is an output or none.
    """
    packer = _PACKERS.get(type(word))
    if packer is None:
        raise OurBug(f"{type(word).__name__} is not encoded here; what makes current flow has a door of its own")
    command, payload = packer(word, dialect)
    if command in dialect.silent:
        raise DoesNotFit("command", int(command), f"what {dialect.title} knows")
    return command, payload


def byte(field: str, value: object, high: int = BYTE) -> int:
    """``value`` if it is a whole number from 0 to ``high``; raises :class:`DoesNotFit`."""
    return steps(field, value, 0, high)


def only(field: str, value: int, allowed: int, dialect: Dialect) -> int:
    """``value`` if it is at most ``allowed``, which is all that ``dialect`` has bits for."""
    if 0 <= value <= allowed:
        return value
    raise DoesNotFit(field, value, f"at most {allowed} in {dialect.title}")


# --- commands --------------------------------------------------------------------------------------------------


def _bare(word: m.Bare, _dialect: Dialect) -> tuple[int, bytes]:
    if word.command not in BARE:
        raise DoesNotFit("command", word.command, "commands without a payload")
    return word.command, b""


def _ll_init(word: m.LlInit, dialect: Dialect) -> tuple[int, bytes]:
    measurement = byte("measurement", word.measurement, MEASUREMENT_MAX if dialect.measures else 0)
    voltage = byte("high voltage", word.high_voltage, HIGH_VOLTAGE_MAX)
    return Command.LL_INIT, bytes((measurement << 4 | voltage << 1,))


def _ml_init(word: m.MlInit, dialect: Dialect) -> tuple[int, bytes]:
    stop_all = flag("stop all on error", word.stop_all_on_error)
    if stop_all and not dialect.stop_all:
        raise DoesNotFit("stop all on error", stop_all, f"False in {dialect.title}")
    return Command.ML_INIT, bytes((stop_all,))


def _get_current_data(word: m.GetCurrentData, dialect: Dialect) -> tuple[int, bytes]:
    if word.selection not in dialect.selections:
        raise DoesNotFit("selection", word.selection, f"{sorted(map(int, dialect.selections))} in {dialect.title}")
    return Command.ML_GET_CURRENT_DATA, bytes((word.selection,))


# --- answers ---------------------------------------------------------------------------------------------------


def _ack(word: m.Ack, _dialect: Dialect) -> tuple[int, bytes]:
    # Where an answer has more, a result alone stands for one that went wrong.
    if word.command not in RESULT_ONLY and not (word.command in LONGER and word.result):
        raise DoesNotFit("command", word.command, "answers that are a result alone, or go wrong")
    return word.command, bytes((byte("result", word.result),))


def _channel_config_ack(word: m.ChannelConfigAck, dialect: Dialect) -> tuple[int, bytes]:
    result = byte("result", word.result)
    place = byte("socket", word.socket, NIBBLE if dialect.measures else 0) << 4 | byte("colour", word.colour, NIBBLE)
    if not dialect.measures:
        byte("measurement", word.measurement, 0)
        return Command.LL_CHANNEL_CONFIG_ACK, bytes((result, place))
    head = bytes((result, place, byte("measurement", word.measurement)))
    return Command.LL_CHANNEL_CONFIG_ACK, head + _samples(word)


def _samples(word: m.ChannelConfigAck) -> bytes:
    wanted = SAMPLES if word.measurement else 0
    if len(word.samples) != wanted:
        raise DoesNotFit("number of samples", len(word.samples), f"{wanted} with measurement {word.measurement}")
    sampling = byte("sampling time", word.sampling_us, WORD if wanted else 0)
    return SAMPLING.pack(sampling, *(byte("sample", value, WORD) for value in word.samples)) if wanted else b""


def _channel_states(word: m.ChannelStates, dialect: Dialect) -> tuple[int, bytes]:
    active, states = _mask("active", word.active, dialect), [byte("state", each, NIBBLE) for each in word.states]
    if len(states) != dialect.channels:
        raise DoesNotFit("number of states", len(states), f"{dialect.channels} in {dialect.title}")
    nibbles = (low | high << 4 for low, high in zip(states[::2], states[1::2], strict=True))
    return _selected(4, word.result, dialect, bytes((active, *nibbles)))


def _electrode_errors(word: m.ElectrodeErrors, dialect: Dialect) -> tuple[int, bytes]:
    errors = [flag("electrode error", each) for each in word.errors]
    if len(errors) not in (4, 8):
        raise DoesNotFit("number of electrode errors", len(errors), "4 or 8")
    bits, running = sum(bit << place for place, bit in enumerate(errors)), flag("running", word.running) << 4
    each_four = [running | bits >> shift & NIBBLE for shift in range(0, len(errors), 4)]
    return _selected(1 + len(each_four), word.result, dialect, bytes(each_four))


def _selected(selection: int, result: int, dialect: Dialect, rest: bytes) -> tuple[int, bytes]:
    if selection not in dialect.selections:
        raise DoesNotFit("selection", selection, f"{sorted(map(int, dialect.selections))} in {dialect.title}")
    return Command.ML_GET_CURRENT_DATA_ACK, bytes((byte("result", result), selection)) + rest


def _mask(field: str, bits: tuple[bool, ...], dialect: Dialect) -> int:
    if len(bits) != dialect.channels:
        raise DoesNotFit(f"number of channels in {field}", len(bits), f"{dialect.channels} in {dialect.title}")
    return sum(flag(field, bit) << place for place, bit in enumerate(bits))


def _device_id(word: m.DeviceId, _dialect: Dialect) -> tuple[int, bytes]:
    text = word.device_id
    if not (text.isascii() and text.isprintable() and len(text) <= DEVICE_ID):
        raise DoesNotFit("device id", text, f"at most {DEVICE_ID} printable ASCII characters")
    return Command.GET_DEVICE_ID_ACK, bytes((byte("result", word.result),)) + text.encode().ljust(DEVICE_ID, b"\0")


def _battery(word: m.Battery, _dialect: Dialect) -> tuple[int, bytes]:
    level, voltage = byte("level", word.level_percent), byte("voltage", word.voltage_mv, WORD)
    return Command.GET_BATTERY_STATUS_ACK, BATTERY.pack(byte("result", word.result), level, voltage)


def _stim_status(word: m.StimStatus, _dialect: Dialect) -> tuple[int, bytes]:
    numbers = (("result", word.result), ("status", word.status), ("high voltage", word.high_voltage))
    return Command.GET_STIM_STATUS_ACK, bytes(byte(field, value) for field, value in numbers)


def _main_status(word: m.MainStatus, _dialect: Dialect) -> tuple[int, bytes]:
    return Command.GET_MAIN_STATUS_ACK, bytes((byte("result", word.result), byte("status", word.status)))


def _version(word: m.Version, _dialect: Dialect) -> tuple[int, bytes]:
    if word.command not in (Command.GET_VERSION_MAIN_ACK, Command.GET_VERSION_STIM_ACK):
        raise DoesNotFit("command", word.command, "answers with a version")
    return word.command, _versions(word)


def _versions(word: m.Version | m.ExtendedVersion) -> bytes:
    numbers = (*word.firmware, *word.science_mode)
    return bytes((byte("result", word.result), *(byte("version", number) for number in numbers)))


def _extended_version(word: m.ExtendedVersion, _dialect: Dialect) -> tuple[int, bytes]:
    if len(word.firmware_hash) != 4:
        raise DoesNotFit("hash", word.firmware_hash, "four bytes")
    kind = (byte("hash type", word.hash_type), byte("hash valid", word.hash_valid))
    return Command.GET_EXTENDED_VERSION_ACK, _versions(word) + word.firmware_hash + bytes(kind)


LONGER: Final = frozenset(
    {
        *(Command.LL_CHANNEL_CONFIG_ACK, Command.ML_GET_CURRENT_DATA_ACK, Command.GET_VERSION_MAIN_ACK),
        *(Command.GET_DEVICE_ID_ACK, Command.GET_BATTERY_STATUS_ACK, Command.GET_VERSION_STIM_ACK),
        *(Command.GET_STIM_STATUS_ACK, Command.GET_MAIN_STATUS_ACK, Command.GET_EXTENDED_VERSION_ACK),
    }
)
"""Answers that have more than a result when they are good."""

_PACKERS: Final[dict[type[m.Word], Callable[[Any, Dialect], tuple[int, bytes]]]] = {
    m.Bare: _bare,
    m.LlInit: _ll_init,
    m.MlInit: _ml_init,
    m.GetCurrentData: _get_current_data,
    m.Ack: _ack,
    m.ChannelConfigAck: _channel_config_ack,
    m.ChannelStates: _channel_states,
    m.ElectrodeErrors: _electrode_errors,
    m.DeviceId: _device_id,
    m.Battery: _battery,
    m.StimStatus: _stim_status,
    m.MainStatus: _main_status,
    m.Version: _version,
    m.ExtendedVersion: _extended_version,
}
