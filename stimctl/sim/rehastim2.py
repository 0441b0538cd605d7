"""The twin of a RehaStim 2: ScienceMode 2 as a board speaks it, with no MOTOmed beside it.

The board's own program is not published. Where its document leaves something open, the worst that fits it is assumed: a
width of 0 is given as the least that there is, and all that it says of itself is said once. How long an answer takes, what
its voltage carries and that doublets closer than 8 ms are refused is ours.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final, final

from stimctl.boards.sciencemode.framing import STOP, unstuff_any
from stimctl.boards.sciencemode2 import messages as m
from stimctl.boards.sciencemode2.codec import Decoder, Frame, encode, encode_refusal
from stimctl.boards.sciencemode2.codes import (
    CHANNELS,
    PACKET_NUMBERS,
    VERSION,
    Command,
    Mode,
    Result,
    StimulationError,
)
from stimctl.sim.patient import Patient
from stimctl.sim.rehastim2_list import ChannelLists
from stimctl.sim.uart import Uart
from stimctl.units import MS

INIT_US: Final = 500 * MS
"""How often it calls for its host, until it hears InitAck."""

WATCHDOG_US: Final = 1_200 * MS
"""So long after the last good frame it stops by itself, and calls again."""

ANSWER_US: Final = 10 * MS
"""From a command to its answer; what comes in between, a stop apart, is refused as too soon."""

NO_MOTOMED: Final = -1  # the mode of what is not there
_BAUD, _ROOM, _BITS = 460_800, 512, 11
_LINE_MAX: Final = 1_024
_STOP_BYTE: Final = STOP[0]
_HEAD: Final = 5
_ALWAYS: Final = (Command.WATCHDOG, Command.GET_STIMULATION_MODE, Command.STOP_CHANNEL_LIST_MODE)


@final
class RehaStim2(ChannelLists):
    """One board, switched on at ``now_us``; its emergency switch is plugged in and not pressed."""

    def __init__(self, *, now_us: int = 0, keep: int | None = None, patient: Patient | None = None) -> None:
        super().__init__(
            CHANNELS, Uart(_BAUD, _ROOM, _BITS, ends=STOP, longest=_LINE_MAX), now_us=now_us, keep=keep, patient=patient
        )
        self._handlers: dict[type, Callable[[Frame, Any], None]] = {
            m.Bare: self._bare,
            m.InitChannelList: self._init_list,
            m.StartChannelList: self._start_list,
            m.SinglePulse: self._single_pulse,
            m.Ack: self._init_ack,
            m.Motomed: self._motomed,
            m.Senseless: self._refuse,
        }
        self._own = -1
        self._decoder, self._line, self._damaged = Decoder(), bytearray(), 0
        self._answers: deque[tuple[int, bytes]] = deque()
        self._disconnect()

    @property
    def connected(self) -> bool:
        """Whether a host has answered its call."""
        return self._calls == 0

    def restart(self, now_us: int) -> None:
        """Power gone and back: everything from the beginning."""
        self.advance(now_us)
        self.uart.clear()
        self._line.clear()
        self._decoder, self._damaged = Decoder(), 0
        self._disconnect()

    # --- its line ----------------------------------------------------------------------------------------------

    def _hear(self, byte: int) -> None:
        self._line.append(byte)
        if byte != _STOP_BYTE and len(self._line) < _LINE_MAX:
            return  # no frame ends otherwise
        line = bytes(self._line)
        self._line.clear()
        frames = self._decoder.feed(line)
        for frame in frames:
            self._watchdog_us = self.now_us + WATCHDOG_US
            self._obey(frame)
        if self._decoder.damaged != self._damaged:
            self._damaged = self._decoder.damaged
            self._answer_damage(line)

    def _answer_damage(self, line: bytes) -> None:
        """With the answer of the command that it seems to have been, as far as one can be made out."""
        begun = line.rfind(b"\xf0")
        body = unstuff_any(line[begun + _HEAD : -1]) if begun >= 0 else b""
        if len(body) > 1 and body[1] in _ANSWERED:
            self.say(encode_refusal(m.Senseless(body[1], b"", "damaged"), body[0], Result.TRANSFER))

    def _call(self) -> None:
        """Init: the board is there, and wants a host."""
        self._calls += 1
        self._call_us = self.now_us + INIT_US
        self._say_unasked(m.Init(VERSION))

    def _say_unasked(self, word: m.Init | m.Ack) -> None:
        self._own = (self._own + 1) % PACKET_NUMBERS
        self.say(encode(word, self._own))

    def _disconnect(self) -> None:
        """Everything is forgotten; nothing flows."""
        self._calls, self._call_us = 0, self.now_us
        self._watchdog_us = self.now_us + WATCHDOG_US
        self._answers.clear()
        self._clear()
        self._call()

    def _stopped(self, error: StimulationError) -> None:
        self._say_unasked(m.Ack(Command.STIMULATION_ERROR, error))

    # --- commands ----------------------------------------------------------------------------------------------

    def _obey(self, frame: Frame) -> None:
        word = frame.word
        handler = self._handlers.get(type(word))
        if handler is None:
            self.say(encode(m.UnknownCommand(frame.command), frame.number))
        elif frame.command == Command.INIT_ACK or (type(word) is m.Bare and word.command == Command.WATCHDOG):
            handler(frame, word)  # neither is answered
        elif self._answers and frame.command != Command.STOP_CHANNEL_LIST_MODE:
            self._refuse(frame, m.Senseless(frame.command, b"", "too soon"), Result.BUSY)
        elif not self.connected and frame.command not in _ALWAYS:
            self._refuse(frame, m.Senseless(frame.command, b"", "unconnected"), Result.WRONG_MODE)
        else:
            handler(frame, word)

    def _refuse(self, frame: Frame, word: m.Motomed | m.Senseless, result: Result = Result.PARAMETER) -> None:
        self.say(encode_refusal(word, frame.number, result))

    def _answer(self, frame: Frame, word: m.Ack | m.ModeAck) -> None:
        self._answers.append((self.now_us + ANSWER_US, encode(word, frame.number)))

    def _init_ack(self, frame: Frame, word: m.Ack) -> None:
        """The host's answer to one of the calls; any other answer from a host is none of its business."""
        ago = (self._own - frame.number) % PACKET_NUMBERS
        if word.command != Command.INIT_ACK:
            self.say(encode(m.UnknownCommand(frame.command), frame.number))
        elif word.result == Result.GOOD and ago < self._calls:
            self._calls = 0

    def _bare(self, frame: Frame, word: m.Bare) -> None:
        if word.command == Command.STOP_CHANNEL_LIST_MODE:
            self._clear()
            self._answer(frame, m.Ack(Command.STOP_CHANNEL_LIST_MODE_ACK, Result.GOOD))
        elif word.command == Command.GET_STIMULATION_MODE:
            self._answer(frame, m.ModeAck(Command.GET_STIMULATION_MODE_ACK, Result.GOOD, self.mode))

    def _motomed(self, frame: Frame, word: m.Motomed) -> None:
        if word.command == Command.GET_MOTOMED_MODE:
            self._answer(frame, m.ModeAck(Command.GET_MOTOMED_MODE_ACK, Result.GOOD, NO_MOTOMED))
        else:
            self._refuse(frame, word, Result.MOTOMED_CONNECTION)

    def _init_list(self, frame: Frame, word: m.InitChannelList) -> None:
        result = Result.WRONG_MODE if self.mode is not Mode.START else self._prepare(word)
        self._answer(frame, m.Ack(Command.INIT_CHANNEL_LIST_MODE_ACK, result))

    def _start_list(self, frame: Frame, word: m.StartChannelList) -> None:
        result = Result.WRONG_MODE if self.mode is Mode.START else self._begin(word.groups, self.now_us + ANSWER_US)
        self._answer(frame, m.Ack(Command.START_CHANNEL_LIST_MODE_ACK, result))

    def _single_pulse(self, frame: Frame, word: m.SinglePulse) -> None:
        wrong = self.mode is not Mode.START
        result = Result.WRONG_MODE if wrong else self._pulse(word, self.now_us + ANSWER_US)
        self._answer(frame, m.Ack(Command.SINGLE_PULSE_ACK, result))

    # --- time --------------------------------------------------------------------------------------------------

    def _hardware_due_us(self) -> int | None:
        times = [self._list_due_us(), self._watchdog_us if self.connected else self._call_us]
        times += [self._answers[0][0]] if self._answers else []
        return min((time for time in times if time is not None), default=None)

    def _ring(self) -> None:
        if self.connected:
            if self._watchdog_us <= self.now_us:
                self.show("watchdog ran out")
                self._disconnect()
        elif self._call_us <= self.now_us:
            self._call()
        while self._answers and self._answers[0][0] <= self.now_us:
            self.say(self._answers.popleft()[1])
        self._ring_list()


_ANSWERED: Final = frozenset(
    {
        *(Command.GET_STIMULATION_MODE, Command.INIT_CHANNEL_LIST_MODE, Command.START_CHANNEL_LIST_MODE),
        *(Command.STOP_CHANNEL_LIST_MODE, Command.SINGLE_PULSE),
    }
)
