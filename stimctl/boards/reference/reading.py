"""Payloads read: from bytes back to words, and nothing else than words.

``unpack`` is the inverse of ``layout.pack`` on every valid word. Wrong lengths, unknown codes, stray bits, outputs out
of order and unprintable texts raise :class:`Malformed`: what is not certain is dropped.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeVar

from stimctl.boards.reference import messages as m
from stimctl.boards.reference.codes import OUTPUTS_MAX, Capability, Cause, Reason, Trouble
from stimctl.boards.reference.layout import (
    FLAG_ARMED,
    FLAG_LISTENING,
    FLAG_STOP_BUTTON,
    IDENTITY,
    OUTPUT,
    PLAIN,
    REPORT,
    SAMPLES,
    TEXT_MAX,
    TRAIN,
    U16,
    UNKNOWN,
    UPDATE,
    WORD_OF,
)
from stimctl.pulse import PulseTrain
from stimctl.units import MicroAmp, MicroSecond, MilliHertz

_Flags = TypeVar("_Flags", Capability, Trouble)


class Malformed(ValueError):
    """These bytes are no word of this language."""


def unpack(number: int, payload: bytes) -> m.Word:
    """The word of type ``number`` in ``payload``; raises :class:`Malformed` unless it is exactly one."""
    word = WORD_OF.get(number)
    if word is None:
        raise Malformed(f"no word has type {number:#04x}")
    try:
        special = _UNPACKERS.get(word)
        return special(payload) if special is not None else _plain(word, payload)
    except (struct.error, ValueError) as error:  # unknown codes of enumerations are ValueErrors
        raise Malformed(f"{word.__name__}: {error}") from None


def _plain(word: type[m.Word], payload: bytes) -> m.Word:
    return word(*PLAIN[word].unpack(payload))


def _unpack_nak(payload: bytes) -> m.Nak:
    reply_to, reason, output, rule = PLAIN[m.Nak].unpack(payload)
    return m.Nak(reply_to, Reason(reason), output, rule)


def _unpack_event(payload: bytes) -> m.Event:
    cause, output, value, uptime_ms = PLAIN[m.Event].unpack(payload)
    return m.Event(Cause(cause), output, value, uptime_ms)


def _unpack_update(payload: bytes) -> m.Update:
    loop_counter, host_ms, count = UPDATE.unpack_from(payload)
    _expect(payload, UPDATE.size + count * TRAIN.size)
    entries = tuple(_entry(*fields) for fields in TRAIN.iter_unpack(payload[UPDATE.size :]))
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
    outputs, amplitude, width, rate, bits, analog, challenge = IDENTITY.unpack_from(payload)
    name, rest = _take_text(payload[IDENTITY.size :])
    serial, rest = _take_text(rest)
    firmware, rest = _take_text(rest)
    _expect(rest, 0)
    if not 1 <= outputs <= OUTPUTS_MAX or 0 in (amplitude, width, rate):
        raise Malformed("an identity without outputs or with a step of 0")
    return m.Identity(
        name, serial, firmware, outputs, amplitude, width, rate, _bits(Capability, bits), analog, challenge
    )


def _take_text(data: bytes) -> tuple[str, bytes]:
    if not data or not data[0] < len(data) or data[0] > TEXT_MAX:
        raise Malformed("a text that is cut short or too long")
    end = 1 + data[0]
    text = data[1:end].decode()  # UnicodeDecodeError is a ValueError
    if not text.isprintable():
        raise Malformed("a text with control characters")  # it would reach a terminal
    return text, data[end:]


def _unpack_report(payload: bytes) -> m.Report:
    flags, cause, challenge, last, uptime, dead_man, count = REPORT.unpack_from(payload)
    _expect(payload, REPORT.size + count * OUTPUT.size)
    if flags > FLAG_ARMED | FLAG_LISTENING | FLAG_STOP_BUTTON or count > OUTPUTS_MAX:
        raise Malformed("unknown flags or too many outputs")
    armed, listening, button = flags & FLAG_ARMED != 0, flags & FLAG_LISTENING != 0, flags & FLAG_STOP_BUTTON != 0
    outputs = tuple([_output(*fields) for fields in OUTPUT.iter_unpack(payload[REPORT.size :])])
    return m.Report(armed, listening, button, Cause(cause), challenge, last, uptime, dead_man, outputs)


def _unpack_answer(payload: bytes) -> tuple[int, m.Report]:
    (reply_to,) = U16.unpack_from(payload)
    return reply_to, _unpack_report(payload[U16.size :])


# Most outputs of most reports say what they said before; a report comes ten times a second.
@lru_cache(maxsize=64)
def _output(applied: int, measured: int, impedance: int, trouble: int) -> m.OutputReport:
    return m.OutputReport(
        applied,
        None if measured == UNKNOWN else measured,
        None if impedance == UNKNOWN else impedance,
        _bits(Trouble, trouble),
    )


def _unpack_samples(payload: bytes) -> m.Samples:
    first, rate, scale, time_us, count, pulses = SAMPLES.unpack_from(payload)
    numbers = struct.unpack_from(f"<{count}h{pulses}B", payload, SAMPLES.size)
    _expect(payload, SAMPLES.size + 2 * count + pulses)
    if rate == 0 or any(pulse >= count for pulse in numbers[count:]):
        raise Malformed("samples at no rate, or a pulse outside the chunk")
    return m.Samples(first, rate, scale, time_us, numbers[:count], numbers[count:])


@lru_cache(maxsize=64)
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
