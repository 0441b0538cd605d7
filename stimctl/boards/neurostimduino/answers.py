"""What the lines of NeuroStimDuino's sketch say. Sans-IO; never an exception, and never a word that a line is not whole for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from stimctl.boards.lines import Lines
from stimctl.boards.neurostimduino import words as w
from stimctl.boards.neurostimduino.words import BoardWord, Halt, Register

_LINE_MAX: Final = 1_024  # 100 samples take 700 characters at most
_SAMPLES: Final = 100

_CHANNEL: Final = r"Channel ([12])"
_NUMBER: Final = r"(\d{1,5})"
_UNITS: Final = {
    Register.RATE_HZ: ("frequency", "Hz"),
    Register.WIDTH_US: ("pulse duration", "uSec"),
    Register.GAP_US: ("inter-phase duration", "uSec"),
    Register.DELAY_MS: ("start delay", "mSec"),
}
_AMPLITUDE: Final = r"(\d{1,2})\.(\d{3})"


def _whole(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern + r"\Z")


def _at(text: str) -> int:
    """A channel, from 0."""
    return int(text) - 1


def _plain(register: Register) -> Callable[[re.Match[str]], BoardWord]:
    return lambda found: w.WasSet(_at(found[1]), register, int(found[2]))


_REGISTERS: Final = {each.value: each for each in Register if each is not Register.AMPLITUDE_UA}

_PATTERNS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], BoardWord]], ...]] = (
    *(
        (_whole(f"{_CHANNEL}, {name} is set to {_NUMBER} {unit}"), _plain(register))
        for register, (name, unit) in _UNITS.items()
    ),
    (
        _whole(f"{_CHANNEL}, amplitude is set to {_AMPLITUDE} mA"),
        lambda found: w.WasSet(_at(found[1]), Register.AMPLITUDE_UA, int(found[2]) * 1_000 + int(found[3])),
    ),
    (
        _whole(f"{_CHANNEL}, pulse shape is set to (a?)symmetrical"),
        lambda found: w.WasSet(_at(found[1]), Register.SYMMETRIC, int(not found[2])),
    ),
    (
        _whole(f"{_CHANNEL} is (en|dis)abled"),
        lambda found: w.WasSet(_at(found[1]), Register.ENABLED, int(found[2] == "en")),
    ),
    (
        _whole("Ramping is (en|dis)abled on channels 1 & 2"),
        lambda found: w.WasSet(0, Register.RAMPING, int(found[1] == "en")),
    ),
    (
        _whole(f"{_CHANNEL}, AMPL = {_AMPLITUDE}"),
        lambda found: w.ReadBack(_at(found[1]), Register.AMPLITUDE_UA, int(found[2]) * 1_000 + int(found[3])),
    ),
    (
        _whole(f"{_CHANNEL}, ({'|'.join(_REGISTERS)}) = {_NUMBER}"),
        lambda found: w.ReadBack(_at(found[1]), _REGISTERS[found[2]], int(found[3])),
    ),
    (
        _whole(rf"{_CHANNEL} will generate {_NUMBER} stim\. pulses"),
        lambda found: w.WillGenerate(_at(found[1]), int(found[2])),
    ),
    (_whole(f"{_CHANNEL} has stopped"), lambda found: w.Halted(_at(found[1]), Halt.STOPPED)),
    (_whole(f"{_CHANNEL} has not stopped"), lambda found: w.Halted(_at(found[1]), Halt.RUNNING)),
    (_whole(f"{_CHANNEL} malfunctioned, check!!"), lambda found: w.Halted(_at(found[1]), Halt.FAULTY)),
    (_whole("Emergency OFF called via Software"), lambda _: w.EmergencyOffCalled()),
    (_whole(r"I2C error = (\d{1,3})"), lambda found: w.I2cError(int(found[1]))),
    (_whole(r"(ERROR! .*)"), lambda found: w.Refused(found[1])),
    (_whole(r"(Unrecognized command \[.*\])"), lambda found: w.Refused(found[1])),
    (_whole(".*Welcome to NeuroStimDuino.*"), lambda _: w.Welcome()),
    (_whole(".*reset to default.*"), lambda _: w.DefaultsRestored()),
    (
        _whole(rf"(-?\d{{1,5}}(?:, ?-?\d{{1,5}}){{{_SAMPLES - 1}}}),?"),
        lambda found: w.Sampled(tuple(int(each) for each in found[1].split(","))),
    ),
)


class Decoder:
    """Bytes in any portions in, one word for each line out that is not empty. Never raises; holds at most 1024 bytes."""

    def __init__(self) -> None:
        self._lines = Lines(_LINE_MAX)

    @property
    def malformed(self) -> int:
        """How many lines were dropped: too long, or not text."""
        return self._lines.malformed

    @property
    def held(self) -> int:
        """Bytes of the line that is under way."""
        return self._lines.held

    def feed(self, data: bytes) -> tuple[BoardWord, ...]:
        """What the lines that ``data`` completes say, in order; how the bytes are split makes no difference."""
        return tuple(word_of(line) for line in self._lines.feed(data) if line)


def word_of(line: str) -> BoardWord:
    """What one line says. A line that only resembles one of the documented ones says nothing."""
    for pattern, make in _PATTERNS:
        found = pattern.match(line)
        if found is not None:
            return make(found)
    return w.Remark(line)
