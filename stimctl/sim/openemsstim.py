"""The twin of openEMSstim in six firmwares, with every documented fault, before a TENS unit that never pauses.

The ledger has what the pads get: the unit's own train, weakened by the wiper, for as long as the relay is closed. How
much a wiper's step weakens is not documented; here its share of the whole way is the share of the current.

Of two things no more is known than that they are bad, and the worst is assumed: a channel that does not exist, together
with a time or an intensity, writes outside the memory and the program hangs with its relays as they are; and the single
characters ``e`` and ``r`` strengthen, as ``q`` and ``w`` do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, final

from stimctl.boards.openemsstim import dialects as d
from stimctl.boards.openemsstim.reading import Action, Option, from_hex, int16, is_hex, read
from stimctl.pulse import PulseTrain, symmetric
from stimctl.sim.chassis import FOR_EVER_US, Chassis
from stimctl.sim.patient import Patient
from stimctl.sim.uart import Uart
from stimctl.units import MS, SECOND, MicroAmp

UNIT: Final = symmetric(40_000, 200, 35_000)
"""What the unit behind the board puts out at its own knobs."""

WIPER_MAX: Final = 255
CLOSING_US: Final = 50 * MS
SILENCE_US: Final = 50 * MS
BOOT_US: Final = 6 * SECOND

_BAUD, _ROOM = 19_200, 64
_U32: Final = 1 << 32
_STEPS: Final = {"q": (0, 1), "a": (0, -1), "w": (1, 1), "s": (1, -1), "e": (0, 1), "r": (1, 1)}
_TOGGLES: Final = {"1": 0, "2": 1}
_PREFIX: Final = "."
_SHORT: Final = 2  # characters: what some firmwares take for a single one


@final
@dataclass(slots=True)
class Socket:
    """One channel: a relay and a wiper, 0 (least output) to 255. ``end_ms`` is when it opens; 0: never by itself."""

    closed: bool = False
    wiper: int = 0
    end_ms: int = 0
    time_ms: int = 1
    low: int = 55
    high: int = 215

    def set_percent(self, percent: int) -> None:
        """The firmware's own sum: nothing holds ``percent`` to 0 to 100, and 0 is a fifth of the way."""
        share = int16((self.high - self.low) * (percent - 1))
        self.wiper = min(WIPER_MAX, max(0, int(share * 0.01 + 0.5) + self.low))


def measured(unit: PulseTrain = UNIT) -> tuple[tuple[int, MicroAmp], ...]:
    """What a meter would show at each percent before ``unit``: the percent, and the peak in µA."""
    return tuple((percent, MicroAmp(unit.amplitude_ua * _wiper(percent) // WIPER_MAX)) for percent in range(1, 101))


def unit_below(points: Iterable[tuple[int, int]], unit: PulseTrain) -> PulseTrain:
    """A unit of the same pulses that gives nowhere more than was measured: pairs of percent and peak in µA."""
    return unit.at(MicroAmp(min(ua * WIPER_MAX // _wiper(percent) for percent, ua in points)))


def _wiper(percent: int) -> int:
    socket = Socket()
    socket.set_percent(percent)
    return socket.wiper


@final
class OpenEmsStim(Chassis):
    """One board. It boots at ``now_us`` and says ``SETUP DONE`` six seconds later; ``debug`` is whether it echoes."""

    def __init__(
        self,
        dialect: d.Dialect,
        *,
        now_us: int = 0,
        unit: PulseTrain = UNIT,
        debug: bool = True,
        keep: int | None = None,
        patient: Patient | None = None,
    ) -> None:
        super().__init__(dialect.channels, Uart(_BAUD, _ROOM), now_us=now_us, keep=keep, patient=patient)
        self.dialect = dialect
        self.crashed = False
        self._unit, self._debug = unit, debug
        self._reader: Callable[[str], None] = {
            d.MASTER_2016: self._master_2016,
            d.DEV: self._master_2016,
            d.MASTER_2017: self._master_2017,
            d.SIMPLE_MULTIPLEXER: self._simple_multiplexer,
            d.FABBING: self._fabbing,
            d.MULTIPLEXER: self._fabbing,
        }[dialect]
        self._boot()

    def reset(self, now_us: int) -> None:
        """Somebody opens the port, or presses the button: everything from the beginning."""
        self.advance(now_us)
        self._boot()

    plugged = reset  # opening the port pulls the reset line of the Arduino

    @property
    def sockets(self) -> tuple[Socket, ...]:
        """Relays and wipers as they stand."""
        return tuple(self._sockets)

    def _boot(self) -> None:
        self.crashed = False
        self.uart.clear()
        self._sockets = [Socket() for _ in range(self.dialect.channels)]
        self._line = bytearray()
        self._silent_us = 0
        self._then: deque[Callable[[], None]] = deque((self._greet,))
        self._boot_us = self.now_us
        self._deaf_until_us = self.now_us + BOOT_US
        self._flow()

    def _greet(self) -> None:
        self._print("\nSETUP for ID:\nemsB5\n\tEMS: INITIALIZED\n\tEMS: STARTED\nSETUP DONE (LED 13 WILL BE ON)")

    # --- its program -------------------------------------------------------------------------------------------

    def _hear(self, byte: int) -> None:
        if byte != ord("\n"):
            self._line.append(byte)
            self._silent_us = self.now_us + SILENCE_US
            return
        self._read_line()

    def _program_due_us(self) -> int | None:
        """What follows a pause first; a line that is under way keeps the relays from being looked at."""
        if self._then:
            return self._deaf_until_us
        if self._line:
            return self._silent_us
        ends = [socket.end_ms for socket in self._sockets if socket.end_ms]
        return min((self._boot_us + end * MS for end in ends), default=None)

    def _run(self) -> None:
        if self._then:
            self._then.popleft()()
        elif self._line:
            self._read_line()
        else:
            now_ms = self._millis()
            self._open([n for n, each in enumerate(self._sockets) if each.end_ms and each.end_ms <= now_ms])

    def _read_line(self) -> None:
        text = self._line.decode("latin-1")
        self._line.clear()
        self._reader(text)

    def _master_2016(self, text: str) -> None:
        self._print(f"\tUSB: received command: {text}")
        self._message(text.strip(), self._do)

    def _master_2017(self, text: str) -> None:
        self._print(f"\tUSB: received command: {text}")
        self._message(text.strip(), lambda plain: self._single(plain[:1]))

    def _message(self, text: str, plain: Callable[[str], None]) -> None:
        """What came from USB goes the way of what comes from the Bluetooth module."""
        if is_hex(text):
            inner = from_hex(text)
            self._print(f"\tEMS_CMD: Converted HEX command: \n{inner}")
            self._do(inner)
        elif text == "Connection End":
            self._print("\tBT: Disconnected")
            self._open(range(len(self._sockets)))
        else:
            self._print(f"\tCommand NON HEX:\n{text}")
            plain(text)

    def _simple_multiplexer(self, text: str) -> None:
        text = text.strip()
        if text.startswith(_PREFIX):
            self._single(text[1:2])
        elif is_hex(text) or text == "Connection End":
            self._message(text, self._do)
        else:
            self._print(f"\tFull Command: {text}")
            self._do(text)

    def _fabbing(self, text: str) -> None:
        if len(text) > _SHORT:
            self._print(f"\tUSB: received command: {text}")
            self._do(text.strip())
        else:
            self._single(text[:1])

    def _do(self, text: str) -> None:
        word = read(text)
        if isinstance(word, Action):
            self._act(word)
        elif isinstance(word, Option):
            self._set_window(word)
        elif text:
            self._print(f"Unknown command: {text}", always=True)

    def _act(self, action: Action) -> None:
        there = 0 <= action.channel < len(self._sockets)
        if not there:
            if action.time_ms is not None or action.percent is not None:
                self._crash()
            else:
                self._wrong_channel()
            return
        socket = self._sockets[action.channel]
        if action.time_ms is not None:
            socket.time_ms = action.time_ms
        if action.percent is not None:
            socket.set_percent(action.percent)
        socket.closed = True
        socket.end_ms = (self._millis() + socket.time_ms) % _U32
        self._flow()

    def _wrong_channel(self) -> None:
        if self.dialect is d.DEV:
            self._print("\tERROR: Command on wrong channel")
        elif self.dialect is d.MULTIPLEXER:
            self._print("\tWrong channel ID")
        else:
            self._open(range(len(self._sockets)))

    def _set_window(self, option: Option) -> None:
        if 0 <= option.channel < len(self._sockets):
            end = int(WIPER_MAX * option.percent * 0.01 + 0.5)
            socket = self._sockets[option.channel]
            socket.low, socket.high = (socket.low, end) if option.upper else (end, socket.high)

    def _single(self, character: str) -> None:
        """Relays toggled without a time-out, wipers moved past any window."""
        if character in _TOGGLES:
            channel = _TOGGLES[character]
            if self._sockets[channel].closed:
                self._open([channel])
            else:
                self._sockets[channel].closed = True
                self._flow()
            self._print(f"\tEMS: Channel {channel + 1} {'active' if self._sockets[channel].closed else 'inactive'}")
        elif character in _STEPS:
            channel, step = _STEPS[character]
            socket = self._sockets[channel]
            socket.wiper = min(WIPER_MAX, max(0, socket.wiper + step))
            self._print(f"\tEMS: Intensity Channel {channel + 1}: {WIPER_MAX - socket.wiper}")
            self._flow()
        else:
            self._print("\tERROR: SINGLE-CHAR Command Unknown")

    def _open(self, channels: range | list[int]) -> None:
        """One after the other: the wiper to its least, 50 ms of nothing else, then the relay."""
        for channel in channels:
            self._then.append(lambda channel=channel: self._weaken(channel))  # type: ignore[misc]
            self._then.append(lambda channel=channel: self._release(channel))  # type: ignore[misc]
        if self._then:
            self._then.popleft()()

    def _weaken(self, channel: int) -> None:
        self._sockets[channel].wiper = 0
        self._flow()
        self.deafen(CLOSING_US)

    def _release(self, channel: int) -> None:
        self._sockets[channel].closed, self._sockets[channel].end_ms = False, 0
        self._flow()

    def _crash(self) -> None:
        """It has written where it must not: nothing but a reset helps, and what is closed stays closed."""
        self.crashed = True
        self._deaf_until_us = FOR_EVER_US

    # --- its hardware ------------------------------------------------------------------------------------------

    def _flow(self) -> None:
        """The unit runs by its own clock, whatever the relays do."""
        for channel, socket in enumerate(self._sockets):
            ua = self._unit.amplitude_ua * socket.wiper // WIPER_MAX if socket.closed else 0
            self.drive(channel, self._unit.at(MicroAmp(ua)) if ua else None, first_us=self._boot_us)

    def _millis(self) -> int:
        return (self.now_us - self._boot_us) // MS % _U32

    def _print(self, text: str, *, always: bool = False) -> None:
        if self._debug or always:
            self.say(text.encode("latin-1", "replace").replace(b"\n", b"\r\n") + b"\r\n")
