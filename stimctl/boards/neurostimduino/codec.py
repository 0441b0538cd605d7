"""Lines to NeuroStimDuino's sketch: words in, bytes out. Sans-IO; what comes back is ``answers``."""

from __future__ import annotations

from typing import Final, assert_never

from stimctl.boards.neurostimduino.words import (
    AMPLITUDE_STEP_UA,
    CHANNELS,
    RANGES,
    SECONDS_MAX,
    EmergencyOff,
    HostWord,
    Read,
    Register,
    Reset,
    Sample,
    Set,
    Stimulate,
    Stop,
)
from stimctl.errors import OurBug

LINE_END: Final = b"\r\n"

LINE_MAX: Final = 49
"""The sketch keeps fewer than 50 characters of a line."""


def encode(word: HostWord) -> bytes:
    """The line of ``word``, ready to write; raises :class:`OurBug` for what the board must not be sent."""
    return _text(word).encode("ascii") + LINE_END


def _text(word: HostWord) -> str:
    match word:
        case Set(channel, register, value):
            return _setting(channel, register, value)
        case Stimulate(channel, seconds):
            # The last word is "for ever": always 0.
            return f"STIM {_channel(channel)} {_inside('seconds', seconds, 1, SECONDS_MAX)} 0"
        case Stop(channel):
            return f"STOP {_channel(channel)}"
        case EmergencyOff():
            return "EOFF"
        case Reset():
            return "RSET"
        case Read(channel, register):
            return f"READ {_channel(channel)} {register.value}"
        case Sample(channel):
            return f"SAMP {_channel(channel)}"
        case _:
            assert_never(word)


def _setting(channel: int, register: Register, value: int) -> str:
    _inside(register.name.lower(), value, *RANGES[register])
    if register is Register.RAMPING:
        return f"RAMP {value}"
    number = str(value) if register is not Register.AMPLITUDE_UA else _milliamps(value)
    return f"{register.value} {_channel(channel)} {number}"


def _milliamps(ua: int) -> str:
    """Whole steps only: the sketch rounds what lies between two of them to the nearer one, which may be more."""
    if ua % AMPLITUDE_STEP_UA:
        raise OurBug(f"{ua} µA is no multiple of {AMPLITUDE_STEP_UA} µA, NeuroStimDuino's step")
    return f"{ua // 1_000}.{ua % 1_000 // 10:02d}"


def _channel(channel: int) -> int:
    """As on the wire. The sketch would send any number on."""
    return _inside("channel", channel, 0, CHANNELS - 1) + 1


def _inside(name: str, value: object, low: int, high: int) -> int:
    """Unless it is a whole number inside, refuse: the sketch takes what is no number for 0."""
    if type(value) is not int or not low <= value <= high:
        raise OurBug(f"{name} {value!r} is nothing to send to a NeuroStimDuino: {low} to {high}")
    return value
