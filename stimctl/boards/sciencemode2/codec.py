"""Frames of ScienceMode 2: bytes in, words out, and back. Sans-IO; host and board speak through the same code.

A frame is ``F0, checksum, length, stuffed(packet number, command, payload), 0F``: the length counts the stuffed body, the
checksum is a CRC-8 (polynomial 07, from 00) over it.

A CRC-8 finds every error of up to 8 bits in a row and every odd number of flipped bits, and lets about one in 256 of all other
damaged frames through whose length is right. So a host believes an answer only to the one question that is open, with its
number and its command, and a board refuses what its mode does not allow.
"""

from __future__ import annotations

from typing import Final, NamedTuple, final

from stimctl.boards.sciencemode.decoder import FrameDecoder
from stimctl.boards.sciencemode.fit import DoesNotFit, steps
from stimctl.boards.sciencemode.framing import START, STOP, STUFFED, stuff
from stimctl.boards.sciencemode2 import layout
from stimctl.boards.sciencemode2 import messages as m
from stimctl.boards.sciencemode2.codes import MODE_ACKS, PACKET_NUMBERS, RESULT_ONLY, Command
from stimctl.boards.sciencemode2.reading import read

BODY_MAX: Final = 255
"""Most bytes of a stuffed body: what the length has bits for. The document allows less than half of it."""

DATA_MAX: Final = 60
"""Most bytes of a payload before stuffing."""

_FIELDS: Final = 2  # bytes of the head before stuffing
_AROUND: Final = len(START) + 2 * _FIELDS + len(STOP)
WIRE_MAX: Final = BODY_MAX + _AROUND
"""Most bytes of a frame on the line; a decoder holds fewer."""

_POLYNOMIAL: Final = 0x07


def _shifted(crc: int) -> int:
    for _ in range(8):
        crc = (crc << 1 ^ _POLYNOMIAL) & 0xFF if crc & 0x80 else crc << 1
    return crc


_CRC8: Final = bytes(_shifted(byte) for byte in range(256))


def crc8(data: bytes) -> int:
    """CRC-8 with polynomial 07 from 00, as it is; of ``123456789`` it is F4."""
    crc = 0
    for byte in data:
        crc = _CRC8[crc ^ byte]
    return crc


def head(wire: bytes) -> bytes:
    """What stands before a stuffed body: start, checksum, length."""
    return START + STUFFED[crc8(wire)] + STUFFED[len(wire)]


def build(number: int, command: int, payload: bytes) -> bytes:
    """A frame around ``payload``. ``number`` is 0 to 255; raises :class:`DoesNotFit` for another, and for too long a payload."""
    if len(payload) > DATA_MAX:
        raise DoesNotFit("payload", len(payload), f"at most {DATA_MAX} bytes")
    wire = stuff(bytes((steps("packet number", number, 0, PACKET_NUMBERS - 1), command)) + payload)
    return head(wire) + wire + STOP


def encode(word: m.Word, number: int) -> bytes:
    """The frame of any word without amplitudes, ready to write.

    ``number`` is the packet number, 0 to 255; an answer has its command's. Raises :class:`DoesNotFit` for what has no bits, and
    :class:`OurBug` for a channel list's start or a pulse: those leave through ``output`` alone.
    """
    return build(number, *layout.pack(word))


def encode_refusal(heard: m.Motomed | m.Unknown | m.Senseless, number: int, result: int) -> bytes:
    """A board's answer to a frame that it cannot carry out: the answer of its command, with ``result``, or UnknownCommand.

    The latter to what is no command of a host's as well: one above SinglePulse's answer stands StimulationError.
    """
    answers = RESULT_ONLY | MODE_ACKS
    command = heard.command + 1
    if type(heard) is m.Unknown or heard.command in answers or command not in answers:
        return encode(m.UnknownCommand(heard.command), number)
    return build(number, command, bytes((layout.signed("result", result),)))


STOP_FRAME: Final = encode(m.Bare(Command.STOP_CHANNEL_LIST_MODE), 0)
"""Constant. ``framing.BREAK`` before it ends whatever half frame is in the line."""


@final
class Frame(NamedTuple):
    """One intact frame. ``payload`` is unstuffed, ``word`` is what it means."""

    number: int
    command: int
    payload: bytes
    word: m.Heard


_new_tuple = tuple.__new__  # a third of the cost of the class's own constructor, which only sorts out keywords


def _frame(body: bytes) -> Frame:
    number, command, payload = body[0], body[1], body[2:]
    return _new_tuple(Frame, (number, command, payload, read(command, payload)))


@final
class Decoder(FrameDecoder[Frame]):
    """Bytes in any portions in, intact frames out. Never raises and holds less than :data:`WIRE_MAX` bytes."""

    def __init__(self) -> None:
        super().__init__(_FIELDS, head, WIRE_MAX, _frame)
