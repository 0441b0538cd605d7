"""What a P24 or RehaMove3 is asked, and how it is known by its answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from stimctl.boards.sciencemode4 import codec
from stimctl.boards.sciencemode4 import messages as m
from stimctl.boards.sciencemode4.codes import PACKET_NUMBERS, Command, HighVoltage, Status
from stimctl.boards.sciencemode4.devices import Device
from stimctl.boards.sciencemode4.stopping import STOP
from stimctl.driver import words as w
from stimctl.driver.orders import Orders
from stimctl.driver.question import ANSWER_US, Question
from stimctl.driver.sciencemode4.battery import Battery
from stimctl.driver.words import DriverState
from stimctl.errors import LinkLost
from stimctl.safety import Latch
from stimctl.transport import Transport
from stimctl.units import MS

SWITCHING_US: Final = 500 * MS
"""How long the board may take where its high voltage goes on or off: about 40 ms for each, a stop is two."""

_SCHEMES: Final = {3: "rehamove3", 4: "p24"}
Answer = (
    m.Ack
    | m.ChannelConfigAck
    | m.StimStatus
    | m.DeviceId
    | m.Version
    | m.ExtendedVersion
    | m.Battery
    | m.ChannelStates
    | m.ElectrodeErrors
)


class Asking(Orders):
    """Asks one question at a time, and knows in the end who answers."""

    def __init__(self, transport: Transport, latch: Latch, device: Device, *, tokens: Callable[[], int]) -> None:
        super().__init__(transport, latch, tokens=tokens, stop=STOP)
        self._device = device
        self.title = device.title
        self._decoder = codec.Decoder(device.dialect)
        self._battery = Battery() if device.has_battery else None
        self._intro = [Command.GET_STIM_STATUS, Command.GET_DEVICE_ID, device.version]
        self._intro += [Command.GET_BATTERY_STATUS] if device.has_battery else []
        self._step = 0
        self._serial = self._firmware = ""
        self._answers = False

    # --- asking ----------------------------------------------------------------------------------------------------

    def _number(self) -> int:
        return self._line.next_sequence() % PACKET_NUMBERS

    def _ask(
        self,
        name: str,
        word: m.Bare | m.GetCurrentData,
        now_us: int,
        patience_us: int = ANSWER_US,
        *,
        again: bool = False,
    ) -> None:
        number = self._number()
        command = word.command if type(word) is m.Bare else Command.ML_GET_CURRENT_DATA
        self._line.say(codec.encode(word, number, self._device.dialect))
        self._question = Question(name, number, command + 1, now_us, patience_us, again)

    def _ask_whether_quiet(self, now_us: int, *, again: bool = False) -> None:
        self._ask("its status", m.Bare(Command.GET_STIM_STATUS), now_us, SWITCHING_US, again=again)

    def _ask_idly(self, now_us: int) -> None:
        if not self._quiet or not self._asks_for_battery(now_us):  # whether it is at zero comes first
            self._ask_whether_quiet(now_us)

    def _asks_for_battery(self, now_us: int) -> bool:
        if self._battery is None or not self._battery.is_due(now_us):
            return False
        self._battery.asked(now_us)
        self._ask("its battery", m.Bare(Command.GET_BATTERY_STATUS), now_us)
        return True

    def _greet(self, now_us: int) -> None:
        if self._step == 0:
            self._line.write_stop()
        self._ask("who it is", m.Bare(self._intro[self._step]), now_us, SWITCHING_US)

    # --- getting to know -------------------------------------------------------------------------------------------

    def _introduced(self, word: Answer, now_us: int) -> None:
        """One more thing is known. Not at zero: the stop is said again in due time, and the question with it."""
        if isinstance(word, m.StimStatus):
            self._quiet = is_quiet(word)
            if not self._quiet:
                return
        elif isinstance(word, m.DeviceId):
            self._serial = word.device_id
        elif isinstance(word, m.Version | m.ExtendedVersion):
            self._check_version(word)
            self._firmware = ".".join(map(str, word.firmware))
        self._step += 1
        if self._step < len(self._intro):
            self._greet(now_us)
            return
        self.facts = self._device.introduce(self._serial, self._firmware)
        self._state, self._ask_us = DriverState.DISARMED, now_us + self.status_us
        self._events.append(w.Connected(self.facts))

    def _check_version(self, word: m.Version | m.ExtendedVersion) -> None:
        """A contradiction is told with the name that helps; a number that nobody knows proves nothing."""
        speaks = word.science_mode[0]
        other = _SCHEMES.get(speaks)
        if other is not None and f"ScienceMode {speaks}" != self._device.dialect.title:
            raise LinkLost(
                f"what is at {self._name} speaks ScienceMode {speaks} and is no {self.title}; write {other}:{self._name}"
            )

    def _why_not_connected(self) -> str:
        what = "does not confirm zero output" if self._answers else f"does not answer as a {self.title}"
        return f"what is at {self._name} {what}; check port and power"


def is_quiet(word: m.StimStatus) -> bool:
    """No level is active, and nothing feeds the output stage."""
    return word.status == Status.NONE and word.high_voltage == HighVoltage.OFF
