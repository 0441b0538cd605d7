"""What each word of a P24 or RehaMove3 means to its driver, and what an armed one is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from stimctl.boards.sciencemode4 import codec
from stimctl.boards.sciencemode4 import messages as m
from stimctl.boards.sciencemode4.codes import Command, Result
from stimctl.boards.sciencemode4.devices import Device
from stimctl.boards.sciencemode4.results import meaning
from stimctl.boards.sciencemode4.update import encode_approved, encode_pulse
from stimctl.driver import words as w
from stimctl.driver.plain import IDLE, LIVE, STATUS_US
from stimctl.driver.question import Question
from stimctl.driver.sciencemode4.asking import SWITCHING_US, Answer, Asking, is_quiet
from stimctl.driver.sciencemode4.level import Level, Seen, Setting
from stimctl.driver.sciencemode4.looking import quiet_outputs
from stimctl.driver.sciencemode4.midlevel import MidLevel
from stimctl.driver.words import DriverState
from stimctl.driver.worn import Worn
from stimctl.errors import BoardFault, LinkLost, LinkTimeout
from stimctl.safety import Latch
from stimctl.transport import Transport
from stimctl.units import MS, SECOND

SETTING_US: Final = 200 * MS
"""How long it may take over a setting, which is never said again: as long as the reference board (``armed``)."""

LOOKS_MISSED: Final = 2
"""Looks running without an answer after which the link is lost."""

_S = DriverState


class Hearing(Asking):
    """Tells and hears. :class:`~stimctl.driver.sciencemode4.core.ScienceMode4Driver` takes orders."""

    def __init__(self, transport: Transport, latch: Latch, device: Device, *, tokens: Callable[[], int]) -> None:
        super().__init__(transport, latch, device, tokens=tokens)
        self._level: Level = MidLevel(device)  # until another is armed
        self._looks_missed = self._counter = 0

    # --- saying ----------------------------------------------------------------------------------------------------

    def _arm_now(self, now_us: int) -> None:
        worn = self._worn
        if worn is None:
            return
        number = self._number()
        frame = codec.encode(self._level.opening, number, self._device.dialect)
        worn.is_sent, self._quiet = True, False  # before it is: another thread must not read "off" meanwhile
        if self._line.say_arm(frame, self._epoch):
            self._question = Question("being armed", number, self._level.opened, now_us, SWITCHING_US, setting=True)
        else:
            worn.is_sent = False
            self._notice_stop(now_us)

    def _speak(self, worn: Worn, now_us: int) -> None:
        """The look that is owed first, so that a ramp of many settings does not put it off; then the newest setting."""
        if worn.is_overdue(now_us):
            self._fault("the newest setting did not reach the board", now_us)
        elif self._question is not None or self._line.is_busy():
            return
        elif worn.wants_look and self._level.lets_look(now_us):
            worn.wants_look = False
            if not self._asks_for_battery(now_us):  # the board's time-out is ten looks long
                self._ask("how its outputs are", self._level.look, now_us)
        elif (setting := self._level.next_setting(worn, now_us)) is not None:
            self._set(worn, setting, now_us)

    def _pulse(self, counter: int, now_us: int) -> None:
        """A pulse that this computer times, in a round of the control loop; none where it is not known how the board is."""
        worn = self._worn
        if worn is None or self.state is not _S.ARMED or self._doubt or self._question is not None:
            return
        away = now_us - self._polled_us > STATUS_US  # what comes of that is for the next poll to say
        if away or worn.is_overdue(now_us) or self._line.is_busy():
            return
        if (setting := self._level.next_pulse(worn, counter, now_us)) is not None:
            self._set(worn, setting, now_us)

    def _set(self, worn: Worn, setting: Setting, now_us: int) -> None:
        number, dialect = self._number(), self._device.dialect
        if setting.output is None:
            frame = encode_approved(setting.approved, number=number, dialect=dialect)
        else:
            frame = encode_pulse(setting.approved, setting.output, number=number, dialect=dialect)
        if self._line.say_approved(frame, setting.approved):
            self._level.has_left(setting, worn)
            self._question = Question(setting.name, number, setting.answer, now_us, SETTING_US, setting=True)
        else:
            self._level.is_void(worn)

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
        elif frame.command == question.answer and isinstance(word, Answer):
            self._question = None
            self._answered(question, word, now_us)

    def _answered(self, question: Question, word: Answer, now_us: int) -> None:
        self._answers = True
        about_battery = question.answer == Command.GET_BATTERY_STATUS_ACK
        if about_battery:
            self._told_battery(word, now_us)
        elif word.result != Result.GOOD:
            self._refused(question, word.result, now_us)
            return
        if self._state is _S.CONNECTING:
            self._introduced(word, now_us)
        elif self._state is _S.ARMED and self._worn is not None and not about_battery:
            self._of_armed(question, word, self._worn, now_us)
        elif isinstance(word, m.StimStatus):
            self._told_status(word, now_us)
        elif question.answer == self._level.opened and self._state is _S.ARMING and self._worn is not None:
            self._state = _S.ARMED
            self._level.begun(self._worn)
            self._events.append(w.Armed())
        if self._state is _S.ARMED and self._worn is not None:
            self._speak(self._worn, now_us)

    # --- reports ---------------------------------------------------------------------------------------------------

    def _told_status(self, word: m.StimStatus, now_us: int) -> None:
        quiet = is_quiet(word)
        if quiet and self.facts is not None:
            self._events.append(w.Reported(False, False, False, quiet_outputs(self.facts.outputs)))
        self._confirmed(quiet=quiet, now_us=now_us)

    def _told_battery(self, word: Answer, now_us: int) -> None:
        if self._battery is None:
            return
        self._battery.told(word)
        if self._state is _S.ARMED and (why := self._battery.unfit_to_go_on):
            self._fault(why, now_us)

    def _of_armed(self, question: Question, word: Answer, worn: Worn, now_us: int) -> None:
        count = self.facts.outputs if self.facts is not None else 0
        if question.setting:
            seen = self._level.was_taken(word, worn, count, now_us)
        elif (seen := self._level.looked(word, worn, count)) is not None:
            self._doubt, self._looks_missed = False, 0
        if seen is not None:
            self._show(seen, now_us)

    def _show(self, seen: Seen, now_us: int) -> None:
        if seen.fault:
            self._fault(seen.fault, now_us)
            return
        self._events.append(w.Reported(True, False, False, seen.outputs))
        texts = [f"output {complaint.output + 1}: {complaint.text}" for complaint in seen.complaints]
        for complaint, text in zip(seen.complaints, texts, strict=True):
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
            output = self._level.asked if question.setting else None
            what = f"the board refused {question.name}" if output is None else f"output {output + 1}"
            self._fault(f"{what}: {meant.text}", now_us, output, pads=meant.pads)

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

    def _mind_absence(self, now_us: int) -> None:
        """Pulses that this computer gives stayed away with it: nobody has known of that, and nothing is gone on with."""
        away_us = now_us - self._polled_us
        super()._mind_absence(now_us)
        if away_us > STATUS_US and self._state is _S.ARMED and self._level.lapses:
            text = f"this computer was away for {away_us / SECOND:.1f} s, and no pulse came"
            self._fault(f"{text}; look at the patient, then clear", now_us)

    def _end_session(self) -> None:
        if self._worn is not None:
            self._worn.dropped += self._level.unsaid
        super()._end_session()
