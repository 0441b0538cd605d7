"""Frames of ScienceMode 3 and 4: bytes in, words out, and back. Sans-IO; host and board speak through the same code.

A frame is ``F0, length, checksum, stuffed(packet number and command, payload), 0F``: the length counts the whole frame as
it stands on the line, the checksum is CRC-16/XMODEM over the stuffed body; both 16 bit, high byte first.

A CRC-16 lets one in 65,536 of those damaged frames through whose length is right, so a host believes an answer only to a
question of its own: :class:`Frame` has the number and the command for that.
"""

from __future__ import annotations

from binascii import crc_hqx
from functools import partial
from typing import Final, NamedTuple, final

from stimctl.boards.sciencemode.decoder import PREFIX, FrameDecoder
from stimctl.boards.sciencemode.fit import DoesNotFit, steps
from stimctl.boards.sciencemode.framing import START, STOP, STUFFED, stuff
from stimctl.boards.sciencemode4 import layout
from stimctl.boards.sciencemode4 import messages as m
from stimctl.boards.sciencemode4.codes import PACKET_NUMBERS, RESULT_ONLY, Command
from stimctl.boards.sciencemode4.dialect import SCIENCEMODE_4, Dialect
from stimctl.boards.sciencemode4.reading import read

WIRE_MAX: Final = 1_200
"""Most bytes of a frame on the line; a decoder holds fewer."""

_FIELDS: Final = 4  # bytes of the head before stuffing
_AROUND: Final = len(START) + 2 * _FIELDS + len(STOP)
_HEADS: Final = [START + STUFFED[length >> 8] + STUFFED[length & 0xFF] for length in range(_AROUND, WIRE_MAX + 1)]


def head(wire: bytes) -> bytes:
    """What stands before a stuffed body: start, length, checksum."""
    crc = crc_hqx(wire, 0)
    return _HEADS[len(wire)] + STUFFED[crc >> 8] + STUFFED[crc & 0xFF]


def build(number: int, command: int, payload: bytes) -> bytes:
    """A frame around ``payload``. ``number`` is 0 to 63; raises :class:`DoesNotFit` for another, and for too much."""
    prefix = steps("packet number", number, 0, PACKET_NUMBERS - 1) << 10 | command
    wire = stuff(prefix.to_bytes(PREFIX, "big") + payload)
    if len(wire) + _AROUND > WIRE_MAX:
        raise DoesNotFit("frame", len(wire) + _AROUND, f"at most {WIRE_MAX} bytes on the line")
    return head(wire) + wire + STOP


def encode(word: m.Word, number: int, dialect: Dialect = SCIENCEMODE_4) -> bytes:
    """The frame of any word without amplitudes, ready to write.

    ``number`` is the packet number, 0 to 63; an answer has its command's. Raises :class:`DoesNotFit` for what has no bits, and
    :class:`OurBug` for an update or a pulse: those leave through ``output`` alone.
    """
    return build(number, *layout.pack(word, dialect))


def encode_refusal(heard: m.Unknown | m.Senseless, number: int, result: int) -> bytes:
    """A board's answer to a frame that makes no sense: the answer of its command, with ``result``, or Unknown_cmd.

    The latter to what is no command of a host's as well: one above an answer there is no answer, but the next command.
    """
    answers = layout.LONGER | RESULT_ONLY
    command = heard.command + 1
    if type(heard) is m.Unknown or heard.command in answers or command not in answers:
        command = Command.UNKNOWN_COMMAND
    return build(number, command, bytes((layout.byte("result", result),)))


LL_STOP_FRAME: Final = encode(m.Bare(Command.LL_STOP), 0)
ML_STOP_FRAME: Final = encode(m.Bare(Command.ML_STOP), 0)
"""Constant: no order of packet numbers is demanded. ``framing.BREAK`` before them ends whatever half frame is in the line."""


@final
class Frame(NamedTuple):
    """One intact frame. ``payload`` is unstuffed, ``word`` is what it means."""

    number: int
    command: int
    payload: bytes
    word: m.Heard


_new_tuple = tuple.__new__  # a third of the cost of the class's own constructor, which only sorts out keywords


def _frame(dialect: Dialect, body: bytes) -> Frame:
    first = body[0]
    command, payload = (first & 3) << 8 | body[1], body[2:]
    return _new_tuple(Frame, (first >> 2, command, payload, read(command, payload, dialect)))


@final
class Decoder(FrameDecoder[Frame]):
    """Bytes in any portions in, intact frames out. Never raises and holds less than :data:`WIRE_MAX` bytes."""

    def __init__(self, dialect: Dialect = SCIENCEMODE_4) -> None:
        super().__init__(_FIELDS, head, WIRE_MAX, partial(_frame, dialect))
