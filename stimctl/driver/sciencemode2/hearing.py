"""What each word of a RehaStim 2 means to its driver, and what is asked of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from stimctl.boards.reference.messages import OutputReport
from stimctl.boards.sciencemode2 import codec
from stimctl.boards.sciencemode2 import messages as m
from stimctl.boards.sciencemode2.codes import PACKET_NUMBERS, VERSION, Command, Mode, Result
from stimctl.boards.sciencemode2.device import TITLE, introduce
from stimctl.boards.sciencemode2.results import error_meaning, is_about_pads, meaning
from stimctl.boards.sciencemode2.stopping import STOP
from stimctl.boards.sciencemode2.update import encode_approved
from stimctl.driver import words as w
from stimctl.driver.orders import Orders
from stimctl.driver.plain import CONFIRM_AGAIN_US, GREET_US, IDLE, LIVE, SILENCE_US
from stimctl.driver.question import ANSWER_US, Question
from stimctl.driver.words import DriverState
from stimctl.driver.worn import Worn
from stimctl.errors import LinkLost, LinkTimeout
from stimctl.pulse import Command as Order
from stimctl.safety import Approved, Latch
from stimctl.transport import Transport
from stimctl.units import MS

SETTING_US: Final = 200 * MS
"""How long the board may take over a setting, which is never said again; its document says 100 ms at most."""

LOOKS_MISSED: Final = 2
"""Looks running without an answer after which the link is lost."""

_S = DriverState
_ZERO: Final = Order(())
_PASSING: Final = frozenset({Result.BUSY, Result.TRANSFER})
"""Answers to a question that say no more than that it has to be asked again."""


class Hearing(Orders):
    """Asks and hears, one question at a time. :class:`~stimctl.driver.sciencemode2.core.ScienceMode2Driver` takes orders."""

    title = TITLE
    status_us = 400 * MS  # whatever it hears keeps its watchdog of 1.2 s quiet: a board at rest is not to start anew
    stop_again_us = 100 * MS  # by then it has answered, or never will (its document: 20 ms on average)
    confirm_after_us = CONFIRM_AGAIN_US  # it takes one command at a time, and would answer that it is busy

    def __init__(
        self, transport: Transport, latch: Latch, *, tokens: Callable[[], int], simulated: bool = False
    ) -> None:
        super().__init__(transport, latch, tokens=tokens, stop=STOP)
        self._decoder = codec.Decoder()
        self._simulated = simulated
        self._listed: m.InitChannelList | None = None
        self._called = self._answers = self._runs = False
        self._looks_missed = self._stop_again_us = 0
        self._put_off_us: int | None = None
        self._call: int | None = None  # the number of one that waits for its answer

    # --- saying ----------------------------------------------------------------------------------------------------

    def _number(self) -> int:
        return self._line.next_sequence() % PACKET_NUMBERS

    def _ask_mode(self, name: str, now_us: int, *, again: bool = False) -> None:
        number = self._number()
        self._line.say(codec.encode(m.Bare(Command.GET_STIMULATION_MODE), number))
        self._question = Question(name, number, Command.GET_STIMULATION_MODE_ACK, now_us, ANSWER_US, again)

    def _ask_whether_quiet(self, now_us: int, *, again: bool = False) -> None:
        self._ask_mode("its mode", now_us, again=again)

    def _ask_idly(self, now_us: int) -> None:
        self._ask_whether_quiet(now_us)

    def _greet(self, now_us: int) -> None:
        """Stop it until it says that it is at zero; then wait for its call, which tells that nobody else feeds it.

        A board that an earlier program has left connected calls as soon as its watchdog runs out: nothing is said till then.
        """
        if self._quiet and not self._called:
            return
        if now_us >= self._stop_again_us:
            self._line.write_stop()
            self._stop_again_us, self._again_us = now_us + GREET_US, now_us + CONFIRM_AGAIN_US
        else:
            self._again_us = now_us + CONFIRM_AGAIN_US
            self._ask_whether_quiet(now_us)

    def _arm_now(self, now_us: int) -> None:
        worn, listed = self._worn, self._listed
        if worn is None or listed is None:
            return
        number = self._number()
        frame = codec.encode(listed, number)
        self._runs = False
        worn.is_sent, self._quiet = True, False  # before it is: another thread must not read "off" meanwhile
        if self._line.say_arm(frame, self._epoch):
            answer = Command.INIT_CHANNEL_LIST_MODE_ACK
            self._question = Question("being armed", number, answer, now_us, SETTING_US, setting=True)
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
            self._ask_mode("how it is", now_us)
        elif (approved := worn.take_waiting()) is not None:
            self._update(worn, approved, now_us)

    def _update(self, worn: Worn, approved: Approved, now_us: int) -> None:
        if self._listed is None:
            return
        number = self._number()
        frame = encode_approved(approved, self._listed, number=number)
        if self._line.say_approved(frame, approved):
            worn.out = approved.command
            answer = Command.START_CHANNEL_LIST_MODE_ACK
            self._question = Question("the newest setting", number, answer, now_us, SETTING_US, setting=True)
        else:
            worn.dropped += 1

    # --- hearing ---------------------------------------------------------------------------------------------------

    def _hear(self, frame: codec.Frame, now_us: int) -> None:
        """A CRC-8 lets damage through: an answer counts under its question's number and command alone."""
        word, question = frame.word, self._question
        if self._state is _S.LOST:
            return
        if type(word) is m.Init:
            self._was_called(word, frame.number, now_us)
        elif type(word) is m.Ack and word.command == Command.STIMULATION_ERROR:
            self._erred(word.result, now_us)
        elif question is None or frame.number != question.number:
            return  # of an earlier question, of a stop, or nobody's
        elif type(word) is m.UnknownCommand and word.unknown == question.answer - 1:
            self._question = None
            self._refused(question, "the board does not know a command; check that the right board was named", now_us)
        elif frame.command == question.answer and isinstance(word, m.Ack | m.ModeAck):
            self._question = None
            self._answered(question, word, now_us)

    def _answered(self, question: Question, word: m.Ack | m.ModeAck, now_us: int) -> None:
        self._answers = True
        if word.result != Result.GOOD:
            self._denied(question, word.result, now_us)
            return
        self._put_off_us = None
        if isinstance(word, m.ModeAck):
            self._told_mode(word.mode, now_us)
        elif question.answer == Command.INIT_CHANNEL_LIST_MODE_ACK and self._state is _S.ARMING:
            self._state = _S.ARMED
            if self._worn is not None:  # by the board's word there is a list now, which gives nothing before its start
                self._worn.taken = _ZERO
            self._events.append(w.Armed())
        elif question.answer == Command.START_CHANNEL_LIST_MODE_ACK and self._worn is not None:
            self._runs = True
            self._worn.was_taken()
        if self._state is _S.ARMED and self._worn is not None:
            self._speak(self._worn, now_us)

    def _told_mode(self, mode: int | None, now_us: int) -> None:
        quiet = mode == Mode.START
        if self._state is _S.CONNECTING:
            self._quiet = quiet
            if quiet and self._called:
                self.facts = introduce(VERSION, simulated=self._simulated)
                self._state, self._ask_us = _S.DISARMED, now_us + self.status_us
                self._events.append(w.Connected(self.facts))
        elif self._state is _S.ARMED:
            self._looked(mode, now_us)
        else:
            if quiet and self.facts is not None:
                self._events.append(
                    w.Reported(False, False, False, (OutputReport(0, None, None),) * self.facts.outputs)
                )
            self._confirmed(quiet=quiet, now_us=now_us)

    def _looked(self, mode: int | None, now_us: int) -> None:
        """The board tells no more than its mode: that its list runs, and not what each channel does."""
        worn, facts = self._worn, self.facts
        if worn is None or facts is None:
            return
        self._doubt, self._looks_missed = False, 0
        told = [worn.told_ua(output) if mode == Mode.STARTED else 0 for output in range(facts.outputs)]
        self._events.append(w.Reported(True, False, False, tuple(OutputReport(ua, None, None) for ua in told)))
        silent = worn.holds("silent", 0, wrong=self._runs and mode == Mode.INITIALISED)
        if mode == Mode.START:
            self._fault("the board has left its channel list by itself; check its supply and cable, then clear", now_us)
        elif mode not in (Mode.INITIALISED, Mode.STARTED):
            self._fault(f"the board is in a mode that is not known ({mode}); switch it off and on", now_us)
        elif mode == Mode.STARTED and not self._runs:
            self._fault("the board's channel list runs, and was not started", now_us)
        elif silent:
            self._fault("the board's channel list does not run, although it was started", now_us)

    # --- what it says unasked --------------------------------------------------------------------------------------

    def _was_called(self, word: m.Init, number: int, now_us: int) -> None:
        """The board wants a host: it was switched on, or has heard nothing for too long. Whatever it had, it has not."""
        if word.version != VERSION:
            self._line.say(codec.encode(m.Ack(Command.INIT_ACK, Result.VERSION_REFUSED), number))
            raise LinkLost(
                f"what is at {self._name} speaks version {word.version} of ScienceMode 2, and stimctl version {VERSION};"
                " another firmware is needed"
            )
        self._called, self._call = True, number
        if self._state in LIVE:
            text = "the board has started anew, and nothing flows: it heard nothing for 1.2 s, or its supply failed"
            self._fault(f"{text}; look at the patient, check cable and supply, then clear", now_us)
        self._question, self._quiet, self._ask_us = None, False, now_us  # what it said before is of before
        if self._state is _S.CONNECTING:
            self._again_us = now_us

    def _answer_call(self) -> None:
        """The newest one alone: a host that was asleep finds one for each half second of that in the line."""
        number, self._call = self._call, None
        if number is not None and self._state is not _S.LOST:
            self._line.say(codec.encode(m.Ack(Command.INIT_ACK, Result.GOOD), number))

    def _erred(self, error: int, now_us: int) -> None:
        """The board has stopped by itself. Beside a stop it is of what the stop ends, and before the zero of an earlier host."""
        if self._state in IDLE | LIVE:
            self._fault(error_meaning(error), now_us, pads=is_about_pads(error))

    # --- what goes wrong -------------------------------------------------------------------------------------------

    def _denied(self, question: Question, result: int, now_us: int) -> None:
        """Busy, or a question that came damaged: asked again in a moment, and an armed board at its next look."""
        since_us = self._put_off_us = now_us if self._put_off_us is None else self._put_off_us
        if result not in _PASSING or question.setting or now_us - since_us >= SILENCE_US:
            self._refused(question, meaning(result), now_us)
        elif self._state is _S.ARMED:
            self._missed(question, now_us)
        else:
            self._ask_us = now_us + CONFIRM_AGAIN_US

    def _refused(self, question: Question, why: str, now_us: int) -> None:
        """The board says no, or that it does not know what was asked."""
        if self._state is _S.CONNECTING:
            raise LinkLost(f"what is at {self._name} is no {self.title} that can be used: {why}")
        if self._state is not _S.STOPPING:
            self._fault(f"the board refused {question.name}: {why}", now_us)

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
        if not self._answers:
            what = f"does not answer as a {self.title}"
        else:
            what = "does not call for a host" if self._quiet else "does not confirm zero output"
        return f"what is at {self._name} {what}; check port and power, and that no other program uses it"
