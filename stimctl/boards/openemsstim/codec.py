"""Texts of openEMSstim: words in, bytes out; and lines of its debug text back to words. Sans-IO.

Nothing on this wire has a checksum or a length. So every text is written in one piece, with a line feed at its end, and
what has to be understood whatever was half written before begins with a line feed, too.
"""

from __future__ import annotations

from typing import Final, assert_never

from stimctl.boards.lines import Lines
from stimctl.boards.openemsstim.dialects import Form
from stimctl.boards.openemsstim.words import (
    PERCENT_MAX,
    TIME_MS_MAX,
    BoardWord,
    Disconnect,
    Drive,
    HostWord,
    Ready,
    Received,
    Remark,
    StopAll,
    Trouble,
)
from stimctl.errors import OurBug

LINE_FEED: Final = b"\n"

NOWHERE: Final = 9
"""The channel of :class:`StopAll`: beyond the last one of every board, and one digit."""

CHANNELS_MAX: Final = 4

_LINE_MAX: Final = 512  # the longest line of its own is an echo of ours, some 60 characters
_READY: Final = "SETUP DONE"
_RECEIVED: Final = "received command:"
_TROUBLES: Final = ("ERROR", "Unknown command", "Command on wrong channel", "Wrong channel ID", "Command = null")


def text_of(word: HostWord) -> str:
    """The text of ``word``; raises :class:`OurBug` for a channel, a percent or a time that no board should be sent."""
    match word:
        case Drive(channel, percent, time_ms):
            _must_fit("channel", channel, 0, CHANNELS_MAX - 1)  # beyond it the board writes outside its memory
            _must_fit("percent", percent, 1, PERCENT_MAX)
            _must_fit("time_ms", time_ms, 1, TIME_MS_MAX)
            return f"C{channel}I{percent}T{time_ms}G"
        case StopAll():
            return f"C{NOWHERE}G"
        case Disconnect():
            return "Connection End"
        case _:
            assert_never(word)


def encode(word: HostWord, form: Form) -> bytes:
    """The bytes of ``word`` in ``form``, ready to write; raises :class:`OurBug` for what does not fit."""
    if form is Form.PLAIN or isinstance(word, Disconnect):  # the module itself says this one, never in hex
        return text_of(word).encode("ascii") + LINE_FEED
    # The board's table of hex digits is wrong from A on, and none of these letters needs one.
    return f"WV,0,{text_of(word).encode('ascii').hex()}.".encode("ascii") + LINE_FEED


def _must_fit(name: str, value: object, low: int, high: int) -> None:
    """Unless it is a whole number inside, refuse."""
    if type(value) is not int or not low <= value <= high:
        raise OurBug(f"{name} {value!r} is nothing to send to an openEMSstim: {low} to {high}")


class Decoder:
    """Bytes in any portions in, one word for each whole line out. Never raises; holds at most a line of 512 bytes."""

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
        return tuple(_word(line) for line in self._lines.feed(data) if line)


def _word(line: str) -> BoardWord:
    if any(words in line for words in _TROUBLES):
        return Trouble(line)
    if _READY in line:
        return Ready()
    _, found, text = line.partition(_RECEIVED)
    return Received(text.strip()) if found else Remark(line)
