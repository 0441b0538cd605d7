"""Which firmware is this? Asked with one text that can energise none of them, and never with any other.

After ``SETUP DONE`` the plain text ``C9G`` is sent, once. What the board prints about it names the firmware; anything
else, and silence, is refused. A text that began with ``1 2 q w a s e r`` would be taken for a single-character command
by some of them, which toggles a relay without any time-out.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NoReturn, final

from stimctl.boards.openemsstim.codec import Decoder, encode, text_of
from stimctl.boards.openemsstim.dialects import (
    DEV,
    FABBING,
    MASTER_2016,
    MASTER_2017,
    MULTIPLEXER,
    SIMPLE_MULTIPLEXER,
    Dialect,
    Form,
)
from stimctl.boards.openemsstim.words import BoardWord, Ready, Received, StopAll, Trouble
from stimctl.errors import BoardFault
from stimctl.units import SECOND

QUESTION: Final = encode(StopAll(), Form.PLAIN)

BOOT_US: Final = 15 * SECOND
"""How long ``SETUP DONE`` may take: opening the port resets the board, and the maker's examples wait 10 s."""

ANSWER_US: Final = 1 * SECOND
"""How long all that is printed may take: the board itself is deaf for 50 ms a channel after it."""

_TROUBLED: Final = {
    "SINGLE-CHAR Command Unknown": MASTER_2017,
    "Command on wrong channel": DEV,
    "Wrong channel ID": MULTIPLEXER,
}
_UNTROUBLED: Final = (("Full Command:", SIMPLE_MULTIPLEXER), ("NON HEX", MASTER_2016))
_ECHOES_MAX: Final = 40  # lines; a firmware prints a handful, and a device that never ends is none of ours


@final
class Stand(Enum):
    """How far the probe has come."""

    BOOTING = "waiting for SETUP DONE"
    ASKED = "waiting for what the board says to C9G"
    DONE = "the firmware is known"


@final
class Probe:
    """One question to one board. Times are µs of one monotonic clock; the port was opened at ``now_us``.

    Feed what comes, call :meth:`advance` when :attr:`due_us` has come, and write what :meth:`outgoing` gives.
    :attr:`dialect` is ``None`` until the firmware is known. A device that cannot be told apart raises
    :class:`BoardFault`, and does so again whenever it is asked.
    """

    def __init__(self, now_us: int) -> None:
        self.stand = Stand.BOOTING
        self.dialect: Dialect | None = None
        self._decoder = Decoder()
        self._due_us = now_us + BOOT_US
        self._ready_to_send = b""
        self._heard: list[BoardWord] = []
        self._refusal = ""

    @property
    def due_us(self) -> int | None:
        """When :meth:`advance` has to be called at the latest; ``None`` when all is said."""
        return None if self.stand is Stand.DONE or self._refusal else self._due_us

    def outgoing(self) -> bytes:
        """What to write now: the question, once."""
        data, self._ready_to_send = self._ready_to_send, b""
        return data

    def feed(self, data: bytes, now_us: int) -> None:
        """Bytes came at ``now_us``; raises :class:`BoardFault` when this is no openEMSstim that we know."""
        self.advance(now_us)
        for word in self._decoder.feed(data):
            self._hear(word, now_us)

    def advance(self, now_us: int) -> None:
        """Time goes on; raises :class:`BoardFault` when it has run out without an answer that names one firmware."""
        if self._refusal:
            raise BoardFault(self._refusal)
        if self.stand is Stand.DONE or now_us < self._due_us:
            return
        if self.stand is Stand.BOOTING:
            self._refuse("no openEMSstim: it has not said SETUP DONE within 15 s; press its reset button and try again")
        if self._decoder.held:
            self._refuse("the openEMSstim was still writing a second after it was asked; try again")
        self.dialect = self._named()
        self.stand = Stand.DONE

    def _hear(self, word: BoardWord, now_us: int) -> None:
        if self.stand is Stand.BOOTING:
            if isinstance(word, Ready):
                self.stand, self._due_us, self._ready_to_send = Stand.ASKED, now_us + ANSWER_US, QUESTION
            return
        if self.stand is Stand.DONE:
            return
        if isinstance(word, Ready):
            self._refuse("the openEMSstim booted again while it was asked; look at its cable and supply")
        self._heard.append(word)
        if len(self._heard) > _ECHOES_MAX:
            self._refuse("the device on this port talks without end; it is no openEMSstim that stimctl knows")

    def _named(self) -> Dialect:
        """The firmware that prints what was heard. Whatever is not in the table is refused, not guessed at."""
        if self._decoder.malformed or not self._heard:
            self._refuse("the openEMSstim has not answered legibly; check the baud rate (19200) and try again")
        troubles = [word.text for word in self._heard if isinstance(word, Trouble)]
        named = {self._by_trouble(text) for text in troubles}
        if len(named) > 1:
            self._refuse("the openEMSstim has answered as two firmwares would; it is not used")
        if named:
            return named.pop()
        texts = [_text(word) for word in self._heard]
        for sign, dialect in _UNTROUBLED:
            if any(sign in text for text in texts):
                return dialect
        if self._heard != [Received(text_of(StopAll()))]:
            self._refuse(f"the openEMSstim has answered what no firmware is known for: {texts[0][:60]!r}")
        return FABBING

    def _by_trouble(self, text: str) -> Dialect:
        named = [dialect for sign, dialect in _TROUBLED.items() if sign in text]
        if len(named) != 1:
            self._refuse(f"the openEMSstim has answered what no firmware is known for: {text[:60]!r}")
        return named[0]

    def _refuse(self, why: str) -> NoReturn:
        self._refusal = why
        raise BoardFault(why)


def _text(word: BoardWord) -> str:
    return "" if isinstance(word, Ready) else word.text
