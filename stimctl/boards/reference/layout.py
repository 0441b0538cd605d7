"""Payloads: how each word of the reference board is laid out in bytes, and how it gets there; ``reading`` gets it back.

All numbers are little-endian. The tables follow ``hw/wire.md`` from top to bottom.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import fields
from typing import Final

from stimctl.boards.reference import messages as m
from stimctl.errors import OurBug
from stimctl.pulse import PulseTrain

UNKNOWN: Final = 0xFFFF_FFFF
"""Stands for "not known" in a measured amplitude or impedance."""

TEXT_MAX: Final = 32
"""Most UTF-8 bytes in each text of an identity."""

TRAIN: Final = struct.Struct("<BIHHIHIB")  # output, amplitude, width, gap, recovery amplitude, width, rate, pulses
UPDATE: Final = struct.Struct("<IIB")
OUTPUT: Final = struct.Struct("<IIIB")
REPORT: Final = struct.Struct("<BBIHIHB")
IDENTITY: Final = struct.Struct("<BHHIHHI")
SAMPLES: Final = struct.Struct("<IHIQBB")
U16: Final = struct.Struct("<H")

FLAG_ARMED: Final = 1
FLAG_LISTENING: Final = 2
FLAG_STOP_BUTTON: Final = 4

# Words whose payload is just their integer fields, in order.
PLAIN: Final[dict[type[m.Word], struct.Struct]] = {
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

_FIELDS: Final = {word: tuple(field.name for field in fields(word)) for word in PLAIN}

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
WORD_OF: Final = {number: word for word, number in _TYPE_OF.items()}

STOP_TYPE: Final = _TYPE_OF[m.Stop]
UPDATE_TYPE: Final = _TYPE_OF[m.Update]


def type_number(word: m.Word) -> int:
    """The frame type of a word."""
    return _TYPE_OF[type(word)]


def pack(word: m.Word) -> bytes:
    """The payload of ``word``; raises :class:`OurBug` when a field does not fit its place."""
    try:
        special = _PACKERS.get(type(word))
        if special is not None:
            return special(word)
        return PLAIN[type(word)].pack(*[getattr(word, name) for name in _FIELDS[type(word)]])
    except (struct.error, KeyError) as error:
        raise OurBug(f"{word} does not fit the wire: {error}") from None


def pack_update(loop_counter: int, host_ms: int, entries: tuple[tuple[int, PulseTrain], ...]) -> bytes:
    """Payload of an update; ``entries`` in ascending order of output."""
    try:
        head = UPDATE.pack(loop_counter, host_ms, len(entries))
        return head + b"".join(_pack_train(output, train) for output, train in entries)
    except struct.error as error:
        raise OurBug(f"{entries} does not fit the wire: {error}") from None


def _pack_train(output: int, train: PulseTrain) -> bytes:
    return TRAIN.pack(
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
    numbers = IDENTITY.pack(
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
    return OUTPUT.pack(report.applied_ua, measured, impedance, report.trouble)


def _pack_report(report: m.Report) -> bytes:
    flags = report.armed * FLAG_ARMED + report.listening * FLAG_LISTENING + report.stop_button * FLAG_STOP_BUTTON
    head = REPORT.pack(
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
    return U16.pack(word.reply_to) + _pack_report(word.report)


def _pack_samples(word: m.Samples) -> bytes:
    head = SAMPLES.pack(
        word.first_index, word.rate_hz, word.scale_nv, word.board_time_us, len(word.values), len(word.pulses)
    )
    return head + struct.pack(f"<{len(word.values)}h{len(word.pulses)}B", *word.values, *word.pulses)


_PACKERS: Final[dict[type[m.Word], Callable[..., bytes]]] = {
    m.Identity: _pack_identity,
    m.Status: _pack_answer,
    m.Stopped: _pack_answer,
    m.Samples: _pack_samples,
}
