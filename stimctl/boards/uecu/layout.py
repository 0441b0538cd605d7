"""Bytes of the UECU's words: the tables of its guides. Two bytes stand high byte first."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final, assert_never

from stimctl.boards.uecu import words as w
from stimctl.errors import OurBug

HALT: Final = 0x04
FAILED: Final = 0x05
EVENT_FAILED: Final = 0x06
NEW_SCHEDULE: Final = 0x10
SCHEDULE_MADE: Final = 0x11
DROP_SCHEDULE: Final = 0x12
CHANGE_SCHEDULE: Final = 0x13
NEW_EVENT: Final = 0x15
EVENT_MADE: Final = 0x16
DROP_EVENT: Final = 0x17
CHANGE_EVENT: Final = 0x19
GO: Final = 0x1B
SET_UP: Final = 0x47

STIMULUS: Final = 0x03
"""The kind of an event that puts out a pulse."""

EQUAL_PHASES: Final = 0x11
"""The only shape that is sent: both phases alike. Any other one makes one phase higher than what was asked for."""

LEADS: Final = (0x01, 0x23, 0x45, 0x67)
"""By channel, for four bipolar channels: cathode in the low nibble, anode in the high one."""

SET_UP_DATA: Final = struct.Struct(">BBBHBB")  # channel, amplitude, width, gap, shape, leads
SCHEDULE_DATA: Final = struct.Struct(">BH")  # sync, period
CHANGE_SCHEDULE_DATA: Final = struct.Struct(">BBH")  # schedule, sync, period
EVENT_DATA: Final = struct.Struct(">BHBBBBBB")  # schedule, delay, priority, kind, channel, width, amplitude, zone
CHANGE_EVENT_DATA: Final = struct.Struct(">BBBB")  # event, width, amplitude, 0

_PRIORITY = _ZONE = 0
_NO_FLAGS: Final = b"\x00"  # what others mean differs from paper to paper


def data_of(word: w.HostWord) -> tuple[int, bytes]:
    """Type and data of a word; raises :class:`OurBug` for what the board must not be sent."""
    match word:
        case w.Halt():
            return HALT, _NO_FLAGS
        case w.SetUp(channel, amplitude_ma, width_us, gap_us):
            _output(channel, width_us, amplitude_ma)
            _inside("gap_us", gap_us, *w.GAP_US)
            shape = EQUAL_PHASES
            return SET_UP, SET_UP_DATA.pack(channel, amplitude_ma, width_us, gap_us, shape, LEADS[channel])
        case w.NewSchedule(sync, period_ms):
            return NEW_SCHEDULE, SCHEDULE_DATA.pack(_byte("sync", sync), _period(period_ms))
        case w.ChangeSchedule(schedule, sync, period_ms):
            ids = _byte("schedule", schedule), _byte("sync", sync)
            return CHANGE_SCHEDULE, CHANGE_SCHEDULE_DATA.pack(*ids, _period(period_ms))
        case w.DropSchedule(schedule):
            return DROP_SCHEDULE, bytes((_byte("schedule", schedule),))
        case w.NewEvent():
            return NEW_EVENT, _new_event(word)
        case w.ChangeEvent(event, width_us, amplitude_ma):
            _output(0, width_us, amplitude_ma)
            return CHANGE_EVENT, CHANGE_EVENT_DATA.pack(_byte("event", event), width_us, amplitude_ma, 0)
        case w.DropEvent(event):
            return DROP_EVENT, bytes((_byte("event", event),))
        case w.Go(sync):
            return GO, bytes((_byte("sync", sync),))
        case _:
            assert_never(word)


def _new_event(word: w.NewEvent) -> bytes:
    _output(word.channel, word.width_us, word.amplitude_ma)
    _byte("schedule", word.schedule)
    _inside("delay_ms", word.delay_ms, 0, w.PERIOD_MS[1])
    return EVENT_DATA.pack(
        word.schedule, word.delay_ms, _PRIORITY, STIMULUS, word.channel, word.width_us, word.amplitude_ma, _ZONE
    )


def _output(channel: object, width_us: object, amplitude_ma: object) -> None:
    """One byte each on the wire: the published host casts, and 300 µs become 44."""
    _inside("channel", channel, 0, w.CHANNELS - 1)
    _inside("width_us", width_us, 0, w.WIDTH_US_MAX)
    _inside("amplitude_ma", amplitude_ma, 0, w.AMPLITUDE_MA_MAX)


def _period(period_ms: int) -> int:
    return (
        period_ms if period_ms == w.ONCE and type(period_ms) is int else _inside("period_ms", period_ms, *w.PERIOD_MS)
    )


def _byte(name: str, value: object) -> int:
    return _inside(name, value, 0, 0xFF)


def _inside(name: str, value: object, low: int, high: int) -> int:
    """Unless it is a whole number inside, refuse."""
    if type(value) is not int or not low <= value <= high:
        raise OurBug(f"{name} {value!r} is nothing to send to a UECU board: {low} to {high}")
    return value


# --- what the board says -----------------------------------------------------------------------------------------


def _made(data: bytes) -> w.BoardWord:
    return w.ScheduleMade(data[0])


def _event_made(data: bytes) -> w.BoardWord:
    event, schedule, _, channel = data
    return w.EventMade(event, schedule, channel & 0x0F)


def _failed(data: bytes) -> w.BoardWord:
    code, failed = data
    return w.Failed(code, failed)


def _event_failed(data: bytes) -> w.BoardWord:
    code, event, _, channel = data
    return w.EventFailed(code, event, channel & 0x0F)


ANSWERS: Final[dict[int, tuple[int, Callable[[bytes], w.BoardWord]]]] = {
    SCHEDULE_MADE: (1, _made),
    EVENT_MADE: (4, _event_made),
    FAILED: (2, _failed),
    EVENT_FAILED: (4, _event_failed),
}
"""By type: how many bytes of data there are, and how they are read."""


def answer(number: int, data: bytes) -> w.BoardWord:
    """The word of an intact frame; one with another type or length is :class:`~words.Unknown`."""
    length, make = ANSWERS.get(number, (-1, _made))
    return make(data) if len(data) == length else w.Unknown(number, data)
