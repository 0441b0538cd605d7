"""The twin of NeuroStimDuino: the maker's sketch on an Arduino, with its faults, before a board that goes on without it.

What no document says is taken for the worst: a channel that does not exist is nobody's, and ``EOFF`` locks nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, final

from stimctl.boards.neurostimduino.reading import Line, decimal, integer, read, steps
from stimctl.boards.neurostimduino.words import CHANNELS
from stimctl.sim.chassis import Chassis
from stimctl.sim.electrodes import DEFAULT_OHM
from stimctl.sim.neurostim_board import COMPLIANCE_MV, Channel
from stimctl.sim.patient import Patient
from stimctl.sim.uart import Uart
from stimctl.units import MS, SECOND

I2C_US: Final = 3 * MS
SAMPLE_US: Final = 1 * SECOND
LINE_ROOM: Final = 50
_BAUD, _ROOM = 115_200, 64
_SAMPLES: Final = 100
_RUNNING: Final = 255
_SAMPLE_US: Final = 50  # 20 kHz


@final
@dataclass(frozen=True, slots=True)
class _Setting:
    """One register: what may be written, and how it is printed. ``field`` is the channel's."""

    field: str
    low: int
    high: int
    words: Callable[[int], str]


_SETTINGS: Final = {
    "AMPL": _Setting("steps", 0, 31, lambda n: f"amplitude is set to {n * 0.24:.3f} mA"),
    "FREQ": _Setting("hz", 3, 100, lambda n: f"frequency is set to {n} Hz"),
    "DURN": _Setting("width_us", 7, 2_000, lambda n: f"pulse duration is set to {n} uSec"),
    "IDLY": _Setting("gap_us", 0, 255, lambda n: f"inter-phase duration is set to {n} uSec"),
    "DELY": _Setting("delay_ms", 0, 165, lambda n: f"start delay is set to {n} mSec"),
    "SYMM": _Setting("symmetric", 0, 1, lambda n: f"pulse shape is set to {'' if n else 'a'}symmetrical"),
}


@final
class NeuroStimDuino(Chassis):
    """One board with its Arduino. ``i2c_error`` is what every transfer between them ends with: 0 when all is well.

    ``stuck``: the board does not obey a stop, and says so. ``high_voltage`` is the slide switch of versions 1 and 2;
    version 3 has none. ``mega``: an Arduino that cannot print amplitudes in its greeting.
    """

    def __init__(
        self,
        *,
        now_us: int = 0,
        version: int = 2,
        mega: bool = False,
        pads_ohm: int = DEFAULT_OHM,
        keep: int | None = None,
        patient: Patient | None = None,
    ) -> None:
        super().__init__(CHANNELS, Uart(_BAUD, _ROOM), now_us=now_us, keep=keep, patient=patient)
        self.i2c_error = 0
        self.high_voltage = True
        self.stuck = False
        self.pads_ohm = pads_ohm
        self.channels = tuple(Channel() for _ in range(CHANNELS))
        self.ramping = 0
        self._most_ua = COMPLIANCE_MV[version] * 1_000 // pads_ohm
        self._version, self._mega = version, mega
        self._read_back: dict[tuple[str, int], int] = {}
        self._address = 0x1A
        self._start()

    def reset(self, now_us: int) -> None:
        """Somebody opens the port: the Arduino starts anew. The board behind it does not notice."""
        self.advance(now_us)
        self._start()

    plugged = reset  # opening the port pulls the reset line of the Arduino

    def switch(self, now_us: int, *, on: bool) -> None:
        """The slide switch of the high voltage; version 3 has none."""
        self.advance(now_us)
        self.high_voltage = on or self._version == max(COMPLIANCE_MV)
        self._flow()

    def _start(self) -> None:
        self.uart.clear()
        self._line = bytearray()
        self._then: deque[Callable[[], None]] = deque((self._greet,))
        self._deaf_until_us = self.now_us + 50 * MS

    # --- the sketch --------------------------------------------------------------------------------------------

    def _hear(self, byte: int) -> None:
        self._line.append(byte)
        if self._line.endswith(b"\r\n"):
            line = read(self._line[:-2].decode("latin-1"))
            self._line.clear()
            if line is not None:
                self._obey(line)
        elif len(self._line) >= LINE_ROOM:
            self._line.clear()  # what follows is taken for a line of its own

    def _program_due_us(self) -> int | None:
        return self._deaf_until_us if self._then else None

    def _run(self) -> None:
        self._then.popleft()()

    def _obey(self, line: Line) -> None:
        handlers: dict[str, Callable[[tuple[str, ...]], None]] = {
            "STIM": self._stimulate,
            "STOP": self._stop,
            "EOFF": self._emergency_off,
            "RSET": self._restore,
            "READ": self._read,
            "ENAB": self._enable,
            "RAMP": self._ramp,
            "SAMP": self._sample,
            "ADDR": self._readdress,
            "ON": lambda _: self._print("Led is on"),
            "OFF": lambda _: self._print("Led is off"),
        }
        if line.command in handlers:
            handlers[line.command](line.arguments)
        elif line.command in _SETTINGS:
            self._set(line.command, line.arguments)
        else:
            self._print(f"Unrecognized command [{line.command}]")

    def _set(self, command: str, arguments: tuple[str, ...]) -> None:
        numbers = self._numbers(arguments, 2, "Value is missing")
        if numbers is None:
            return
        setting, number = _SETTINGS[command], integer(arguments[1])
        if not setting.low <= (decimal(arguments[1]) if command == "AMPL" else number) <= setting.high:
            self._print("ERROR! Value outside range")
            return
        number = steps(decimal(arguments[1])) if command == "AMPL" else number
        self._write(command, numbers[0], lambda channel: setattr(channel, setting.field, number), number)
        self._later(lambda: f"Channel {numbers[0]}, {setting.words(self._stale(command, numbers[0]))}")

    def _stimulate(self, arguments: tuple[str, ...]) -> None:
        numbers = self._numbers(arguments, 3, "Stim. duration is missing")
        if numbers is None:
            return
        number, seconds, forever = numbers
        if not (0 <= seconds <= 255 and forever in (0, 1)):
            self._print("ERROR! Stim. duration outside range")
            return
        now_us = self.now_us

        def begin(channel: Channel) -> None:
            channel.begin(seconds, now_us, forever=forever == 1)

        pulses = 0 if not 1 <= number <= CHANNELS else self.channels[number - 1].hz * seconds
        self._write("STIM", number, begin, pulses)
        self._later(lambda: f"Channel {number} will generate {self._stale('STIM', number)} stim. pulses")

    def _stop(self, arguments: tuple[str, ...]) -> None:
        numbers = self._numbers(arguments, 1, "")
        if numbers is None:
            return
        # What was not read is 0, and 0 means stopped.
        self._read_back[("STOP", numbers[0])] = 0
        if self.stuck:
            self._write("STOP", numbers[0], lambda _: None, _RUNNING)
        else:
            self._write("STOP", numbers[0], Channel.stop, 0)
        running = self._stale("STOP", numbers[0])
        self._later(lambda: f"Channel {numbers[0]} has {'not ' if running else ''}stopped")

    def _emergency_off(self, _arguments: tuple[str, ...]) -> None:
        for number in range(1, CHANNELS + 1):
            self._act(number, Channel.stop)
        self._later(lambda: "\r\n\r\nEmergency OFF called via Software")

    def _restore(self, _arguments: tuple[str, ...]) -> None:
        for number in range(1, CHANNELS + 1):
            self._act(number, Channel.restore)
        self._later(lambda: "All parameters are reset to default values\r\n" + self._list())

    def _enable(self, arguments: tuple[str, ...]) -> None:
        numbers = self._numbers(arguments, 2, "Value is missing")
        if numbers is not None:
            number, on = numbers
            self._write("ENAB", number, lambda channel: setattr(channel, "enabled", int(on == 1)), on)
            self._later(lambda: f"Channel {number} is {'enabled' if self._stale('ENAB', number) else 'disabled'}")

    def _ramp(self, arguments: tuple[str, ...]) -> None:
        on = integer(arguments[0]) if arguments else 0
        self.ramping = self.ramping if self.i2c_error else on
        self._later(lambda: f"Ramping is {'enabled' if self.ramping else 'disabled'} on channels 1 & 2")

    def _read(self, arguments: tuple[str, ...]) -> None:
        if len(arguments) < 2 or arguments[1] not in {*_SETTINGS, "ENAB", "RAMP"}:
            self._print("ERROR! Channel # is missing" if not arguments else "ERROR! Register is missing")
            return
        number, name = integer(arguments[0]), arguments[1]
        if not self.i2c_error and 1 <= number <= CHANNELS:
            fields = {"ENAB": "enabled"} | {each: setting.field for each, setting in _SETTINGS.items()}
            value = self.ramping if name == "RAMP" else getattr(self.channels[number - 1], fields[name])
            self._read_back[(name, number)] = value
        stale = self._stale(name, number)
        self._later(lambda: f"Channel {number}, {name} = {f'{stale * 0.24:.3f}' if name == 'AMPL' else stale}")

    def _sample(self, arguments: tuple[str, ...]) -> None:
        numbers = self._numbers(arguments, 1, "")
        if numbers is not None:
            self.deafen(SAMPLE_US)
            self._later(lambda: ",".join(str(each) for each in self._samples(numbers[0])))

    def _readdress(self, arguments: tuple[str, ...]) -> None:
        self._address = integer(arguments[0]) if arguments else self._address
        self._print(f"Now connected to {self._address}")

    def _numbers(self, arguments: tuple[str, ...], count: int, missing: str) -> tuple[int, ...] | None:
        """So many numbers, whatever was written: the channel first."""
        if len(arguments) >= count:
            return tuple(integer(each) for each in arguments[:count])
        self._print(f"ERROR! {missing if arguments else 'Channel # is missing'}")
        return None

    # --- between the two ---------------------------------------------------------------------------------------

    def _write(self, name: str, number: int, act: Callable[[Channel], None], value: int) -> None:
        """A transfer. What is read back is what is printed; where nothing comes back it is what came back last, or 0."""
        self._act(number, act)
        if not self.i2c_error:
            self._read_back[(name, number)] = value

    def _act(self, number: int, act: Callable[[Channel], None]) -> None:
        if not self.i2c_error and 1 <= number <= CHANNELS:
            act(self.channels[number - 1])
            self._flow()

    def _stale(self, name: str, number: int) -> int:
        return self._read_back.get((name, number), 0)

    def _later(self, line: Callable[[], str]) -> None:
        """A transfer takes its time, and the sketch does nothing else meanwhile."""
        error = f"I2C error = {self.i2c_error}\r\n" if self.i2c_error else ""
        self._then.append(lambda: self._print(error + line()))
        self.deafen(I2C_US)

    def _samples(self, number: int) -> list[int]:
        """One reading each 50 µs of what flows, in mA: the counts of the real one are not documented."""
        if not 1 <= number <= CHANNELS or self.i2c_error:
            return [0] * _SAMPLES
        begun_us = self.now_us - _SAMPLES * _SAMPLE_US
        pulses = self.ledger[number - 1].pulses_between(begun_us, self.now_us)
        return [
            sum(train.amplitude_ua // 1_000 for at, train in pulses if 0 <= now - at < train.phase_width_us)
            for now in range(begun_us, self.now_us, _SAMPLE_US)
        ]

    # --- the board ---------------------------------------------------------------------------------------------

    def _hardware_due_us(self) -> int | None:
        return min((each.due_us for each in self.channels if each.due_us is not None), default=None)

    def _ring(self) -> None:
        for channel in self.channels:
            if channel.due_us is not None and channel.due_us <= self.now_us:
                channel.stop()
        self._flow()

    def _flow(self) -> None:
        for output, channel in enumerate(self.channels):
            train = channel.train(self._most_ua) if self.high_voltage else None
            self.drive(output, train, first_us=channel.first_us)

    # --- what it prints ----------------------------------------------------------------------------------------

    def _greet(self) -> None:
        self._print("*****   Welcome to NeuroStimDuino - by Neuralaxy   *****\r\n" + self._list())

    def _list(self) -> str:
        lines = []
        for number, channel in enumerate(self.channels, 1):
            amplitude = "?" if self._mega else f"{channel.steps * 0.24:.3f}"
            lines += [
                f"Channel {number} parameters",
                f"  amplitude {amplitude} mA, {channel.hz} Hz, {channel.width_us} uSec",
            ]
        return "\r\n".join(lines)

    def _print(self, text: str) -> None:
        self.say(text.encode("latin-1", "replace") + b"\r\n")
