"""What an openEMSstim's own program makes of a text: for its twin. Every fault of the firmware is kept as it is.

Nothing is checked here, because nothing is checked there: numbers wrap at 16 bit, letters may stand anywhere, the digits
of the hex form above 9 are wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from stimctl.boards.openemsstim.words import TIME_MS_MAX

_ACTION: Final = "G"
_OPTION: Final = "O"
_HEX_START: Final = "WV"
_NOT_HEX: Final = 0xFF


@final
@dataclass(frozen=True, slots=True)
class Action:
    """A text with a ``G`` somewhere. What is not in it is ``None``; a letter without a number counts as -1."""

    channel: int
    percent: int | None
    time_ms: int | None


@final
@dataclass(frozen=True, slots=True)
class Option:
    """``OMA[..]`` and ``OMI[..]``: the upper or lower end of a channel's window, in percent of the wiper's whole way."""

    channel: int
    percent: int
    upper: bool


def int16(number: int) -> int:
    """What a 16-bit signed integer makes of ``number``."""
    return (number + 0x8000) % 0x1_0000 - 0x8000


def read(text: str) -> Action | Option | None:
    """What the firmware reads; ``None`` is what it calls an unknown command."""
    if _ACTION in text:
        channel, time_ms = _number(text, "C"), _number(text, "T")
        # Compared as a signed number: what is less than nothing is not above the bound.
        time_ms = TIME_MS_MAX if time_ms is not None and time_ms > TIME_MS_MAX else time_ms
        return Action(-1 if channel is None else channel, _number(text, "I"), time_ms)
    return _option(text) if text.startswith(_OPTION) else None


def is_hex(text: str) -> bool:
    """Whether the firmware takes ``text`` for what the Bluetooth module writes."""
    return text.startswith(_HEX_START)


def from_hex(text: str) -> str:
    """The text inside a hex form: after the last comma, without the last character, by the firmware's own digits."""
    digits = text[text.rfind(",") + 1 : -1]
    pairs = (digits[at : at + 2] for at in range(0, len(digits), 2))
    return "".join(chr(_byte(pair)) for pair in pairs)


def _byte(pair: str) -> int:
    values = [_digit(each) for each in pair]
    return _NOT_HEX if len(values) < 2 or None in values else (values[0] or 0) * 16 + (values[1] or 0)


def _digit(character: str) -> int | None:
    if "A" <= character <= "F":
        return ord(character) - ord("A")  # the firmware forgets to add ten
    return ord(character) - ord("0") if "0" <= character <= "9" else None


def _number(text: str, letter: str) -> int | None:
    """The number behind the first ``letter``; -1 where no digit follows, ``None`` where the letter is not there."""
    _, found, rest = text.partition(letter)
    if not found:
        return None
    digits = rest[: next((at for at, each in enumerate(rest) if not "0" <= each <= "9"), len(rest))]
    return int16(int(digits[-20:])) if digits else -1


def _option(text: str) -> Option | None:
    """An option that names a channel and a value; any other is read and does nothing."""
    left, right = text.find("["), text.rfind("]")
    comma = text.find(",", left + 1)
    if not (left != -1 and left < comma < right) or text[1:3] not in ("MA", "MI"):
        return Option(-1, 0, upper=False)
    return Option(_leading(text[left + 1 : comma]), _leading(text[comma + 1 : right]), upper=text[2] == "A")


def _leading(text: str) -> int:
    """The number that ``text`` begins with, and 0 for one that begins with none."""
    digits = text[: next((at for at, each in enumerate(text) if not "0" <= each <= "9"), len(text))]
    return int16(int(digits[-20:])) if digits else 0
