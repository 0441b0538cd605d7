"""What each word of a P24 or RehaMove3 means to its driver, and what is asked of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from stimctl.boards.sciencemode4 import codec
from stimctl.boards.sciencemode4 import messages as m
from stimctl.boards.sciencemode4.codes import PACKET_NUMBERS, Command, HighVoltage, Result, Status
from stimctl.boards.sciencemode4.devices import Device
from stimctl.boards.sciencemode4.results import meaning
from stimctl.boards.sciencemode4.stopping import STOP
from stimctl.boards.sciencemode4.update import encode_approved
from stimctl.driver import words as w
from stimctl.driver.orders import Orders
from stimctl.driver.plain import IDLE, LIVE
from stimctl.driver.question import ANSWER_US, Question
from stimctl.driver.sciencemode4.battery import Battery
from stimctl.driver.sciencemode4.looking import look, quiet_outputs
from stimctl.driver.words import DriverState
from stimctl.driver.worn import Worn
from stimctl.errors import BoardFault, LinkLost, LinkTimeout
from stimctl.safety import Approved, Latch
from stimctl.transport import Transport
from stimctl.units import MS

SWITCHING_US: Final = 500 * MS
"""How long the board may take where its high voltage goes on or off: about 40 ms for each, a stop is two."""

SETTING_US: Final = 200 * MS
"""How long it may take over a setting, which is never said again: as long as the reference board (``armed``)."""

LOOKS_MISSED: Final = 2
"""Looks running without an answer after which the link is lost."""

_S = DriverState
_UPDATE: Final = "the newest setting"
_SCHEMES: Final = {3: "rehamove3", 4: "p24"}
_Answer = (
    m.Ack | m.StimStatus | m.DeviceId | m.Version | m.ExtendedVersion | m.Battery | m.ChannelStates | m.ElectrodeErrors
)


class Hearing(Orders):
    """Asks and hears, one question at a time. :class:`~stimctl.driver.sciencemode4.core.ScienceMode4Driver` takes orders."""

    def __init__(self, transport: Transport, latch: Latch, device: Device, *, tokens: Callable[[], int]) -> None:
        super().__init__(transport, latch, tokens=tokens, stop=STOP)
        self._device = device
        self.title = device.title
        self._decoder = codec.Decoder(device.dialect)
        self._battery = Battery() if device.has_battery else None
        self._intro = [Command.GET_STIM_STATUS, Command.GET_DEVICE_ID, device.version]
        self._intro += [Command.GET_BATTERY_STATUS] if device.has_battery else []
        self._step = self._looks_missed = 0
        self._serial = self._firmware = ""
        self._answers = False

    # --- saying ----------------------------------------------------------------------------------------------------

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

    def _arm_now(self, now_us: int) -> None:
        worn = self._worn
        if worn is None:
            return
        number = self._number()
        frame = codec.encode(m.MlInit(self._device.stop_all_on_error), number, self._device.dialect)
        worn.is_sent, self._quiet = True, False  # before it is: another thread must not read "off" meanwhile
        if self._line.say_arm(frame, self._epoch):
            self._question = Question("being armed", number, Command.ML_INIT_ACK, now_us, SWITCHING_US, setting=True)
        else:
            worn.is_sent = False
            self._notice_stop(now_us)

    def _speak(self, worn: Worn, now_us: int) -> None:
        """The look that is owed first, so that a ramp of many settings does not put it off; then the newest setting."""
        if worn.is_overdue(now_us):
            self._fault("the newest setting did not reach the board", now_us)
        elif self._question is not None or self._line.is_busy():
            return
        elif worn.wants_look:
            worn.wants_look = False
            if not self._asks_for_battery(now_us):  # the board's time-out is ten looks long
                self._ask("how its outputs are", m.GetCurrentData(self._device.selection), now_us)
        elif (approved := worn.take_waiting()) is not None:
            self._update(worn, approved, now_us)

    def _update(self, worn: Worn, approved: Approved, now_us: int) -> None:
        number = self._number()
        frame = encode_approved(approved, number=number, dialect=self._device.dialect)
        if self._line.say_approved(frame, approved):
            worn.out = approved.command
            self._question = Question(_UPDATE, number, Command.ML_UPDATE_ACK, now_us, SETTING_US, setting=True)
        else:
            worn.dropped += 1

    # --- hearing ---------------------------------------------------------------------------------------------------

    def _hear(self, frame: codec.Frame, now_us: int) -> None:
        word, question = frame.word, self._question
        if self._state is _S.LOST:
            return
        if type(word) is m.Ack and word.command == Command.GENERAL_ERROR:
            self._erred(word.result, now_us)
        elif question is None or frame.number != question.number:
            return  # of an earlier question, of a stop, or nobody's
        elif type(word) is m.Ack and word.command == Command.UNKNOWN_COMMAND:
            self._question = None
            self._refused(question, word.result, now_us)
        elif frame.command == question.answer and isinstance(word, _Answer):
            self._question = None
            self._answered(question, word, now_us)

    def _answered(self, question: Question, word: _Answer, now_us: int) -> None:
        self._answers = True
        about_battery = question.answer == Command.GET_BATTERY_STATUS_ACK
        if about_battery:
            self._told_battery(word, now_us)
        elif word.result != Result.GOOD:
            self._refused(question, word.result, now_us)
            return
        if self._state is _S.CONNECTING:
            self._introduced(word, now_us)
        elif isinstance(word, m.StimStatus):
            self._told_status(word, now_us)
        elif isinstance(word, m.ChannelStates | m.ElectrodeErrors):
            self._looked(word, now_us)
        elif question.answer == Command.ML_INIT_ACK and self._state is _S.ARMING:
            self._state = _S.ARMED
            self._events.append(w.Armed())
        elif question.answer == Command.ML_UPDATE_ACK and self._worn is not None:
            self._worn.was_taken()
        if self._state is _S.ARMED and self._worn is not None:
            self._speak(self._worn, now_us)

    # --- getting to know -------------------------------------------------------------------------------------------

    def _introduced(self, word: _Answer, now_us: int) -> None:
        """One more thing is known. Not at zero: the stop is said again in due time, and the question with it."""
        if isinstance(word, m.StimStatus):
            self._quiet = _is_quiet(word)
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
        self._state, self._ask_us = _S.DISARMED, now_us + self.status_us
        self._events.append(w.Connected(self.facts))

    def _check_version(self, word: m.Version | m.ExtendedVersion) -> None:
        """A contradiction is told with the name that helps; a number that nobody knows proves nothing."""
        speaks = word.science_mode[0]
        other = _SCHEMES.get(speaks)
        if other is not None and f"ScienceMode {speaks}" != self._device.dialect.title:
            raise LinkLost(
                f"what is at {self._name} speaks ScienceMode {speaks} and is no {self.title}; write {other}:{self._name}"
            )

    # --- reports ---------------------------------------------------------------------------------------------------

    def _told_status(self, word: m.StimStatus, now_us: int) -> None:
        quiet = _is_quiet(word)
        if quiet and self.facts is not None:
            self._events.append(w.Reported(False, False, False, quiet_outputs(self.facts.outputs)))
        self._confirmed(quiet=quiet, now_us=now_us)

    def _told_battery(self, word: _Answer, now_us: int) -> None:
        if self._battery is None:
            return
        self._battery.told(word)
        if self._state is _S.ARMED and (why := self._battery.unfit_to_go_on):
            self._fault(why, now_us)

    def _looked(self, word: m.ChannelStates | m.ElectrodeErrors, now_us: int) -> None:
        if self._worn is None or self.facts is None or self._state is not _S.ARMED:
            return
        self._doubt, self._looks_missed = False, 0
        outputs, complaints = look(word, self._worn, self.facts.outputs)
        self._events.append(w.Reported(True, False, False, outputs))
        texts = [f"output {complaint.output + 1}: {complaint.text}" for complaint in complaints]
        for complaint, text in zip(complaints, texts, strict=True):
            self._events.append(w.Faulted(BoardFault(text), complaint.output, pads=complaint.pads))
        if texts:
            self._halt("; ".join(texts), now_us)

    # --- what goes wrong -------------------------------------------------------------------------------------------

    def _refused(self, question: Question, result: int, now_us: int) -> None:
        """The board says no, or that it does not know what was asked."""
        meant = meaning(result)
        if self._state is _S.CONNECTING:
            raise LinkLost(f"what is at {self._name} is no {self.title} that can be used: {meant.text}")
        if self._state is not _S.STOPPING:
            self._fault(f"the board refused {question.name}: {meant.text}", now_us, pads=meant.pads)

    def _erred(self, result: int, now_us: int) -> None:
        """The board tells of an error unasked. Beside a stop it is of what the stop ends."""
        meant = meaning(result)
        if self._state is _S.CONNECTING and self._step:
            raise LinkLost(f"the {self.title} at {self._name} reports an error: {meant.text}")
        if self._state in IDLE | LIVE:
            self._fault(meant.text, now_us, pads=meant.pads)

    def _missed(self, question: Question, now_us: int) -> None:
        """No answer in time. An armed board is asked again only when the control loop has come round."""
        self._doubt = self._state in LIVE
        if question.setting:
            self._fault(f"the board did not answer to {question.name}", now_us)
            return
        armed = self._state is _S.ARMED
        self._looks_missed += armed
        if question.again or self._looks_missed >= LOOKS_MISSED:
            raise LinkTimeout(f"the {self.title} at {self._name} does not answer when asked {question.name}")
        if not armed:
            self._ask_whether_quiet(now_us, again=True)

    def _why_not_connected(self) -> str:
        what = "does not confirm zero output" if self._answers else f"does not answer as a {self.title}"
        return f"what is at {self._name} {what}; check port and power"


def _is_quiet(word: m.StimStatus) -> bool:
    """No level is active, and nothing feeds the output stage."""
    return word.status == Status.NONE and word.high_voltage == HighVoltage.OFF
