"""Payloads: how each word of the reference board is laid out in bytes. All numbers are little-endian.

``pack`` and ``unpack`` are each other's inverse on every valid word, and ``unpack`` accepts nothing else: wrong
lengths, unknown codes, stray bits and flags other than 0 and 1 raise :class:`Malformed`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final, TypeVar

from stimctl.boards.reference import messages as m
from stimctl.boards.reference.codes import OUTPUTS_MAX, Capability, Cause, Reason, Trouble
from stimctl.errors import OurBug
from stimctl.pulse import PulseTrain
from stimctl.units import MicroAmp, MicroSecond, MilliHertz


class Malformed(ValueError):
    """These bytes are no word of this language."""


UNKNOWN: Final = 0xFFFF_FFFF
"""Stands for "not known" in a measured amplitude or impedance."""

TEXT_MAX: Final = 32
"""Most UTF-8 bytes in each text of an identity."""

_TRAIN: Final = struct.Struct("<BIHHIHIB")  # output, amplitude, width, gap, recovery amplitude, width, rate, pulses
_UPDATE: Final = struct.Struct("<IIB")
_OUTPUT: Final = struct.Struct("<IIIB")
_REPORT: Final = struct.Struct("<BBIHIHB")
_IDENTITY: Final = struct.Struct("<BHHIHHI")
_SAMPLES: Final = struct.Struct("<IHIQBB")
_U16: Final = struct.Struct("<H")

_FLAG_ARMED: Final = 1
_FLAG_LISTENING: Final = 2
_FLAG_STOP_BUTTON: Final = 4

_Flags = TypeVar("_Flags", Capability, Trouble)

# Words whose payload is just their integer fields, in order.
_PLAIN: Final[dict[type[m.Word], struct.Struct]] = {
    m.Hello: struct.Struct("<"),
    m.Arm: struct.Struct("<IHHIII"),
    m.Configure: struct.Struct("<BIHHHIB"),
    m.Heartbeat: struct.Struct("<II"),
    m.Stop: struct.Struct("<"),
    m.StatusRequest: struct.Struct("<"),
    m.Listen: struct.Struct("<H"),
    m.LimitsTable: struct.Struct("<13I"),
    m.Ack: struct.Struct("<H"),
    m.Nak: struct.Struct("<HBBB"),
    m.Event: struct.Struct("<BBII"),
}

_TYPE_OF: Final[dict[type[m.Word], int]] = {
    m.Hello: 0x01,
    m.Arm: 0x02,
    m.Configure: 0x03,
    m.Update: 0x04,
    m.Heartbeat: 0x05,
    m.StatusRequest: 0x06,
    m.Listen: 0x07,
    m.Stop: 0x5A,  # far from the others in Hamming distance; chosen once, for every version
    m.Identity: 0x81,
    m.LimitsTable: 0x82,
    m.Ack: 0x83,
    m.Nak: 0x84,
    m.Status: 0x85,
    m.Samples: 0x86,
    m.Event: 0x87,
    m.Stopped: 0xDA,
}
_WORD_OF: Final = {number: word for word, number in _TYPE_OF.items()}

STOP_TYPE: Final = _TYPE_OF[m.Stop]
UPDATE_TYPE: Final = _TYPE_OF[m.Update]


def type_number(word: m.Word) -> int:
    """The frame type of a word."""
    return _TYPE_OF[type(word)]


# --- out -------------------------------------------------------------------------------------------------------


def pack(word: m.Word) -> bytes:
    """The payload of ``word``; raises :class:`OurBug` when a field does not fit its place."""
    try:
        special = _PACKERS.get(type(word))
        if special is not None:
            return special(word)
        return _PLAIN[type(word)].pack(*(getattr(word, name) for name in word.__dataclass_fields__))
    except (struct.error, KeyError) as error:
        raise OurBug(f"{word} does not fit the wire: {error}") from None


def pack_update(loop_counter: int, host_ms: int, entries: tuple[tuple[int, PulseTrain], ...]) -> bytes:
    """Payload of an update; ``entries`` in ascending order of output."""
    try:
        head = _UPDATE.pack(loop_counter, host_ms, len(entries))
        return head + b"".join(_pack_train(output, train) for output, train in entries)
    except struct.error as error:
        raise OurBug(f"{entries} does not fit the wire: {error}") from None


def _pack_train(output: int, train: PulseTrain) -> bytes:
    return _TRAIN.pack(
        output,
        train.amplitude_ua,
        train.phase_width_us,
        train.interphase_gap_us,
        train.recovery_amplitude_ua,
        train.recovery_width_us,
        train.rate_mhz,
        train.pulses_per_period,
    )


def _pack_text(text: str) -> bytes:
    data = text.encode()
    if len(data) > TEXT_MAX:
        raise OurBug(f"{text!r} is longer than {TEXT_MAX} bytes")
    return bytes((len(data),)) + data


def _pack_identity(word: m.Identity) -> bytes:
    numbers = _IDENTITY.pack(
        word.outputs,
        word.amplitude_step_ua,
        word.width_step_us,
        word.rate_step_mhz,
        word.capabilities,
        word.analog_rate_hz,
        word.challenge,
    )
    return numbers + b"".join(map(_pack_text, (word.name, word.serial, word.firmware)))


def _pack_output(report: m.OutputReport) -> bytes:
    measured = UNKNOWN if report.measured_ua is None else report.measured_ua
    impedance = UNKNOWN if report.impedance_ohm is None else report.impedance_ohm
    return _OUTPUT.pack(report.applied_ua, measured, impedance, report.trouble)


def _pack_report(report: m.Report) -> bytes:
    flags = report.armed * _FLAG_ARMED + report.listening * _FLAG_LISTENING + report.stop_button * _FLAG_STOP_BUTTON
    head = _REPORT.pack(
        flags,
        report.cause,
        report.challenge,
        report.last_sequence,
        report.uptime_ms,
        report.dead_man_ms,
        len(report.outputs),
    )
    return head + b"".join(map(_pack_output, report.outputs))


def _pack_answer(word: m.Status | m.Stopped) -> bytes:
    return _U16.pack(word.reply_to) + _pack_report(word.report)


def _pack_samples(word: m.Samples) -> bytes:
    head = _SAMPLES.pack(
        word.first_index, word.rate_hz, word.scale_nv, word.board_time_us, len(word.values), len(word.pulses)
    )
    return head + struct.pack(f"<{len(word.values)}h{len(word.pulses)}B", *word.values, *word.pulses)


_PACKERS: Final[dict[type[m.Word], Callable[..., bytes]]] = {
    m.Identity: _pack_identity,
    m.Status: _pack_answer,
    m.Stopped: _pack_answer,
    m.Samples: _pack_samples,
}


# --- in --------------------------------------------------------------------------------------------------------


def unpack(number: int, payload: bytes) -> m.Word:
    """The word of type ``number`` in ``payload``; raises :class:`Malformed` unless it is exactly one."""
    word = _WORD_OF.get(number)
    if word is None:
        raise Malformed(f"no word has type {number:#04x}")
    try:
        special = _UNPACKERS.get(word)
        return special(payload) if special is not None else _plain(word, payload)
    except (struct.error, ValueError) as error:  # unknown codes of enumerations are ValueErrors
        raise Malformed(f"{word.__name__}: {error}") from None


def _plain(word: type[m.Word], payload: bytes) -> m.Word:
    return word(*_PLAIN[word].unpack(payload))


def _unpack_nak(payload: bytes) -> m.Nak:
    reply_to, reason, output, rule = _PLAIN[m.Nak].unpack(payload)
    return m.Nak(reply_to, Reason(reason), output, rule)


def _unpack_event(payload: bytes) -> m.Event:
    cause, output, value, uptime_ms = _PLAIN[m.Event].unpack(payload)
    return m.Event(Cause(cause), output, value, uptime_ms)


def _unpack_update(payload: bytes) -> m.Update:
    loop_counter, host_ms, count = _UPDATE.unpack_from(payload)
    _expect(payload, _UPDATE.size + count * _TRAIN.size)
    entries = tuple(_entry(*fields) for fields in _TRAIN.iter_unpack(payload[_UPDATE.size :]))
    numbers = [entry.output for entry in entries]
    if numbers != sorted(set(numbers)) or any(number >= OUTPUTS_MAX for number in numbers):
        raise Malformed(f"outputs {numbers} are not in ascending order below {OUTPUTS_MAX}")
    return m.Update(loop_counter, host_ms, entries)


def _entry(output: int, ua: int, width: int, gap: int, back_ua: int, back: int, rate: int, pulses: int) -> m.Entry:
    return m.Entry(
        output,
        PulseTrain(
            MicroAmp(ua),
            MicroSecond(width),
            MicroSecond(gap),
            MicroAmp(back_ua),
            MicroSecond(back),
            MilliHertz(rate),
            pulses,
        ),
    )


def _unpack_identity(payload: bytes) -> m.Identity:
    outputs, amplitude, width, rate, bits, analog, challenge = _IDENTITY.unpack_from(payload)
    name, rest = _take_text(payload[_IDENTITY.size :])
    serial, rest = _take_text(rest)
    firmware, rest = _take_text(rest)
    _expect(rest, 0)
    if not 1 <= outputs <= OUTPUTS_MAX or 0 in (amplitude, width, rate):
        raise Malformed("an identity without outputs or with a step of 0")
    return m.Identity(
        name, serial, firmware, outputs, amplitude, width, rate, _bits(Capability, bits), analog, challenge
    )


def _take_text(data: bytes) -> tuple[str, bytes]:
    end = 1 + data[0] if data else 0
    if not 1 <= end <= len(data) or end > TEXT_MAX + 1:
        raise Malformed("a text that is cut short or too long")
    text = data[1:end].decode()  # UnicodeDecodeError is a ValueError
    if not text.isprintable():
        raise Malformed("a text with control characters")  # it would reach a terminal
    return text, data[end:]


def _unpack_report(payload: bytes) -> m.Report:
    flags, cause, challenge, last, uptime, dead_man, count = _REPORT.unpack_from(payload)
    _expect(payload, _REPORT.size + count * _OUTPUT.size)
    if flags > _FLAG_ARMED | _FLAG_LISTENING | _FLAG_STOP_BUTTON or count > OUTPUTS_MAX:
        raise Malformed("unknown flags or too many outputs")
    outputs = tuple(_output(*fields) for fields in _OUTPUT.iter_unpack(payload[_REPORT.size :]))
    armed, listening, button = (bool(flags & bit) for bit in (_FLAG_ARMED, _FLAG_LISTENING, _FLAG_STOP_BUTTON))
    return m.Report(armed, listening, button, Cause(cause), challenge, last, uptime, dead_man, outputs)


def _unpack_answer(payload: bytes) -> tuple[int, m.Report]:
    return _U16.unpack_from(payload)[0], _unpack_report(payload[_U16.size :])


def _output(applied: int, measured: int, impedance: int, trouble: int) -> m.OutputReport:
    return m.OutputReport(
        applied,
        None if measured == UNKNOWN else measured,
        None if impedance == UNKNOWN else impedance,
        _bits(Trouble, trouble),
    )


def _unpack_samples(payload: bytes) -> m.Samples:
    first, rate, scale, time_us, count, pulses = _SAMPLES.unpack_from(payload)
    numbers = struct.unpack_from(f"<{count}h{pulses}B", payload, _SAMPLES.size)
    _expect(payload, _SAMPLES.size + 2 * count + pulses)
    if rate == 0 or any(pulse >= count for pulse in numbers[count:]):
        raise Malformed("samples at no rate, or a pulse outside the chunk")
    return m.Samples(first, rate, scale, time_us, numbers[:count], numbers[count:])


def _bits(kind: type[_Flags], value: int) -> _Flags:
    if value & ~sum(kind):
        raise Malformed(f"unknown bits in {kind.__name__} {value:#x}")
    return kind(value)


def _expect(payload: bytes, length: int) -> None:
    if len(payload) != length:
        raise Malformed(f"{len(payload)} bytes where {length} belong")


_UNPACKERS: Final[dict[type[m.Word], Callable[[bytes], m.Word]]] = {
    m.Update: _unpack_update,
    m.Nak: _unpack_nak,
    m.Event: _unpack_event,
    m.Identity: _unpack_identity,
    m.Status: lambda payload: m.Status(*_unpack_answer(payload)),
    m.Stopped: lambda payload: m.Stopped(*_unpack_answer(payload)),
    m.Samples: _unpack_samples,
}
