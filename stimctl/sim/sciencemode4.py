"""The twin of a P24, or of a RehaMove3: ScienceMode 4 and 3 as a board speaks them.

The boards' own program is not published. Where the documents leave something open, the worst that fits them is assumed:
nothing but an update and a question for the channels keeps the mid level alive; pulses that would take a second or more
of each second give nothing, and no answer tells of it; an open electrode below 15 mA is not noticed. What a damaged frame
is answered with, how long a restart takes and that a pulse counts as too weak from a fifth less on is ours.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, final

from stimctl.boards.sciencemode.framing import STOP
from stimctl.boards.sciencemode4 import messages as m
from stimctl.boards.sciencemode4.codec import Decoder, Frame, encode, encode_refusal
from stimctl.boards.sciencemode4.codes import (
    COLOURS,
    ChannelState,
    Command,
    HighVoltage,
    Result,
    Selection,
)
from stimctl.sim.patient import Patient
from stimctl.sim.sciencemode_levels import QUEUE_MAX, LowLevel, MidLevel, Waiting
from stimctl.sim.sciencemode_model import P24, Model
from stimctl.sim.sciencemode_stage import LINE_MAX, ScienceMode4Stage
from stimctl.units import MS

CURRENT_MAX_UA: Final = 130_000
"""Codes reach further than the boards do."""

SWITCHING_US: Final = 40 * MS
"""How long the high voltage takes to come or go; the answer follows it."""

BOOT_US: Final = 500 * MS

_STOP_BYTE: Final = STOP[0]
_BATTERY: Final = (80, 7_900)  # %, mV


@final
class ScienceMode4Board(ScienceMode4Stage):
    """One board, switched on at ``now_us``. ``weak_port``: a USB port that cannot feed it, so that high voltage restarts it."""

    def __init__(
        self,
        model: Model = P24,
        *,
        now_us: int = 0,
        device_id: str = "SIM0000001",
        weak_port: bool = False,
        keep: int | None = None,
        patient: Patient | None = None,
    ) -> None:
        super().__init__(model, now_us=now_us, keep=keep, patient=patient)
        self.device_id, self.weak_port = device_id, weak_port
        self._handlers: dict[type, Callable[[int, Any], None]] = {
            m.Bare: self._bare,
            m.LlInit: self._ll_init,
            m.ChannelConfig: self._channel_config,
            m.MlInit: self._ml_init,
            m.Update: self._update,
            m.GetCurrentData: self._get_current_data,
            m.Unknown: self._refuse,
            m.Senseless: self._refuse,
        }
        self._clear()

    # --- for whoever holds it ----------------------------------------------------------------------------------

    def restart(self, now_us: int) -> None:
        """Power gone and back: everything from the beginning, and nothing flows."""
        self.advance(now_us)
        self._restart()

    def _restart(self) -> None:
        self._clear()
        self._close()
        self._show("violet")
        self._then.append(partial(self._show, "green"))
        self.deafen(BOOT_US)

    def _clear(self) -> None:
        self.uart.clear()
        self.voltage, self.broken = HighVoltage.OFF, False
        self._decoder, self._line, self._damaged = Decoder(self.model.dialect), bytearray(), 0
        self._then: deque[Callable[[], None]] = deque()

    # --- its program -------------------------------------------------------------------------------------------

    def _hear(self, byte: int) -> None:
        self._line.append(byte)
        if byte != _STOP_BYTE and len(self._line) < LINE_MAX:
            return  # no frame ends otherwise
        frames = self._decoder.feed(bytes(self._line))
        self._line.clear()
        self._then += [partial(self._obey, frame) for frame in frames]
        if self._decoder.damaged != self._damaged:
            self._damaged = self._decoder.damaged
            self._then.append(partial(self._answer, 0, m.Ack(Command.GENERAL_ERROR, Result.TRANSFER)))

    def _program_due_us(self) -> int | None:
        return self._deaf_until_us if self._then else None

    def _run(self) -> None:
        self._then.popleft()()

    def _obey(self, frame: Frame) -> None:
        unknown = type(frame.word) not in self._handlers or frame.command in self.model.silent
        handler = self._unknown if unknown else self._handlers[type(frame.word)]
        handler(frame.number, frame.word)

    def _answer(self, number: int, word: m.BoardWord) -> None:
        self.say(encode(word, number, self.model.dialect))

    def _ack(self, number: int, command: Command, result: Result = Result.GOOD) -> None:
        self._answer(number, m.Ack(command, result))

    def _unknown(self, number: int, _word: m.Heard) -> None:
        self._ack(number, Command.UNKNOWN_COMMAND, Result.COMMAND_UNKNOWN)

    def _refuse(self, number: int, word: m.Unknown | m.Senseless) -> None:
        result = Result.COMMAND_UNKNOWN if type(word) is m.Unknown else Result.PARAMETER
        self.say(encode_refusal(word, number, result))

    def _switch(self, number: int, voltage: HighVoltage, command: Command) -> None:
        """The high voltage comes or goes; the program waits for it, and answers."""
        if self.broken and voltage is not HighVoltage.OFF:
            self._close()
            self._ack(number, command, Result.HIGH_VOLTAGE)
            return
        self.voltage = voltage
        self._flow()
        if self.weak_port and voltage is not HighVoltage.OFF:
            self._restart()
            return
        self._then.appendleft(partial(self._ack, number, command))
        self.deafen(SWITCHING_US)

    def _bare(self, number: int, word: m.Bare) -> None:
        if word.command in (Command.LL_STOP, Command.ML_STOP):
            self._stop(number, word.command)
        elif word.command == Command.RESET:
            if self.model.resets_aloud:
                self._ack(number, Command.RESET_ACK)
            self._restart()
        else:
            self._answer(number, self._general(word.command))

    def _general(self, command: int) -> m.BoardWord:
        mine = (1, 0, 0), (3 + self.model.judges_pulses, 0, 0)
        answers: dict[int, m.BoardWord] = {
            Command.GET_VERSION_MAIN: m.Version(Command.GET_VERSION_MAIN_ACK, 0, *mine),
            Command.GET_VERSION_STIM: m.Version(Command.GET_VERSION_STIM_ACK, 0, *mine),
            Command.GET_EXTENDED_VERSION: m.ExtendedVersion(0, *mine, bytes(4), 0, 0),
            Command.GET_DEVICE_ID: m.DeviceId(0, self.device_id),
            Command.GET_BATTERY_STATUS: m.Battery(0, *_BATTERY),
            Command.GET_STIM_STATUS: m.StimStatus(0, self.status, self.voltage),
            Command.GET_MAIN_STATUS: m.MainStatus(0, 0),
        }
        return answers[command]

    def _stop(self, number: int, command: int) -> None:
        """Its own level alone: with the other one open nothing stops."""
        mid = command == Command.ML_STOP
        answer = Command.ML_STOP_ACK if mid else Command.LL_STOP_ACK
        if (self.mid if mid else self.low) is None:
            self._ack(number, answer, Result.NOT_INITIALISED)
            return
        self._close()
        self._switch(number, HighVoltage.OFF, answer)

    # --- low level ---------------------------------------------------------------------------------------------

    def _ll_init(self, number: int, word: m.LlInit) -> None:
        if self.mid is not None or word.high_voltage not in self.model.voltages:
            wrong = Result.PARAMETER if self.mid is None else Result.NOT_INITIALISED
            self._ack(number, Command.LL_INIT_ACK, wrong)
            return
        self._close()
        self.low = LowLevel(word.measurement)
        wanted = HighVoltage(word.high_voltage)
        self._switch(number, HighVoltage.V150 if wanted is HighVoltage.STANDARD else wanted, Command.LL_INIT_ACK)

    def _channel_config(self, number: int, word: m.ChannelConfig) -> None:
        if self.low is None:
            self._tell(number, word, Result.NOT_INITIALISED)
        elif _too_much(word.points):
            self._tell(number, word, Result.PARAMETER)
        elif len(self.low.queue) >= QUEUE_MAX:
            self._tell(number, word, Result.BUSY)
        else:
            self.low.queue.append(Waiting(number, word))

    def _tell(self, number: int, word: m.ChannelConfig, result: Result) -> None:
        self.say(self._told(number, word, result, ()))

    # --- mid level ---------------------------------------------------------------------------------------------

    def _ml_init(self, number: int, word: m.MlInit) -> None:
        if self.low is not None:
            self._ack(number, Command.ML_INIT_ACK, Result.NOT_INITIALISED)
            return
        self._close()
        self.mid = MidLevel(self.model.dialect.channels, word.stop_all_on_error)
        self._switch(number, HighVoltage.V150, Command.ML_INIT_ACK)

    def _update(self, number: int, word: m.Update) -> None:
        result = Result.GOOD
        if self.mid is None:
            result = Result.NOT_INITIALISED
        elif self.broken:
            result = Result.HIGH_VOLTAGE
        elif any(_too_much(pattern.points) for pattern in word.patterns):
            result = Result.PARAMETER
        else:
            self.mid.update(word.patterns, self.now_us)
            self._flow()
        self._ack(number, Command.ML_UPDATE_ACK, result)

    def _get_current_data(self, number: int, word: m.GetCurrentData) -> None:
        mid = self.mid
        result = Result.NOT_INITIALISED if mid is None else Result.HIGH_VOLTAGE if self.broken else Result.GOOD
        running = {} if mid is None else mid.running
        states = {} if mid is None else mid.states
        channels = range(self.model.dialect.channels)
        if mid is not None:
            mid.keep_alive(self.now_us)
        if word.selection == Selection.CHANNELS:
            told = tuple(states.get(n, ChannelState.GOOD) for n in channels)
            self._answer(number, m.ChannelStates(result, tuple(n in running for n in channels), told))
            return
        asked = range(COLOURS if word.selection == Selection.ELECTRODES_4 else 2 * COLOURS)
        errors = tuple(states.get(n) is ChannelState.ELECTRODE for n in asked)
        self._answer(number, m.ElectrodeErrors(result, bool(running), errors))


def _too_much(points: Sequence[m.Point]) -> bool:
    return any(abs(point.current_ua) > CURRENT_MAX_UA for point in points)
