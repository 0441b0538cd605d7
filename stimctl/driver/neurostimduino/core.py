"""The driver of NeuroStimDuino: short trains that the control loop prolongs, each word confirmed before the next.

The board has no dead-man. So it is never told to go on for ever: a train lasts a second, and each look that is owed to the
control loop's beat tells the channel that has waited longest to go on for another one. A train that is prolonged begins
anew after a delay of one period, so that no pulse comes sooner than its rate allows. OFF is ``has stopped`` for each
channel, without an I2C error before it: the sketch prints a line like success even where it has reached nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, final

from stimctl.boards.neurostimduino import words as n
from stimctl.boards.neurostimduino.fit import introduce, misfit
from stimctl.boards.neurostimduino.reply import ANSWER_US, Reply
from stimctl.boards.neurostimduino.words import BoardWord, Halt
from stimctl.boards.reference.messages import OutputReport
from stimctl.boards.verdict import Verdict
from stimctl.driver import words as w
from stimctl.driver.neurostimduino.saying import ZERO, Saying
from stimctl.driver.plain import GREET_US, IDLE, LIVE
from stimctl.driver.question import Question
from stimctl.driver.words import DriverState
from stimctl.errors import LinkLost, LinkTimeout
from stimctl.pulse import PulseTrain

READS_MISSED: Final = 2
"""Questions running without an answer after which the link is lost."""

_S = DriverState
_CLOSING: Final = (n.WasSet, n.ReadBack, n.WillGenerate, n.Halted, n.EmergencyOffCalled, n.DefaultsRestored, n.Refused)
"""Lines that end the reply to a word; an I2C error before one of them is about that one."""


@final
class NeuroStimDuinoDriver(Saying):
    """Speaks with one NeuroStimDuino; what it promises stands in :class:`~stimctl.driver.contract.BoardDriver`."""

    @property
    def malformed(self) -> int:
        """Lines that could not be read so far."""
        return self._decoder.malformed

    def misfit(self, trains: Iterable[tuple[int, PulseTrain]]) -> str:
        """Why this board cannot give these trains; "" where it can."""
        return misfit(trains)

    # --- hearing ---------------------------------------------------------------------------------------------------

    def _take(self, data: bytes, now_us: int) -> None:
        for word in self._decoder.feed(data):
            if self._state is not _S.LOST:
                self._hear(word, now_us)

    def _hear(self, word: BoardWord, now_us: int) -> None:
        error = self._error
        if isinstance(word, n.I2cError):
            self._error = word.code
        elif isinstance(word, _CLOSING):
            self._error = None
        if isinstance(word, n.Welcome):
            self._started_anew(now_us)
        elif isinstance(word, n.Halted) and self._question is not None and self._question.name == ZERO:
            self._halted(word, error, now_us)
        elif self._reply is not None:
            reply = self._reply
            reply.hear(word)
            if reply.verdict is not Verdict.OPEN:
                self._reply = self._question = None
                self._answered(reply, now_us)

    def _started_anew(self, now_us: int) -> None:
        """The Arduino has: opening the port does that. Whatever was asked is lost, and the board behind it noticed nothing."""
        if self._state is _S.CONNECTING:
            self._step, self._again_us = 0, now_us + GREET_US  # what was written meanwhile is read first
        self._question = self._reply = None
        self._error = None
        if self._state in IDLE | LIVE:
            self._fault("the Arduino has started anew; the board behind it goes on with whatever it did", now_us)

    def _halted(self, word: n.Halted, error: int | None, now_us: int) -> None:
        """What a channel says to a stop; behind an I2C error it is the sketch that speaks, and not the board."""
        self._halts[word.channel] = word.halt if error is None else Halt.FAULTY
        if len(self._halts) < n.CHANNELS:
            return
        self._question, self._answers = None, True
        quiet = all(halt is Halt.STOPPED for halt in self._halts.values())
        if error is not None and self._state in IDLE | LIVE:
            self._fault(_out_of_reach(error), now_us)
        elif self._state is _S.CONNECTING:
            self._quiet = quiet
            self._introduced(now_us, ok=quiet)
        else:
            if quiet and self._state is not _S.ARMING:
                self._events.append(w.Reported(False, False, False, (OutputReport(0, None, None),) * n.CHANNELS))
            self._confirmed(quiet=quiet, now_us=now_us)

    def _introduced(self, now_us: int, *, ok: bool) -> None:
        """One more thing is known. Not at zero: the stop is said again in due time, and the question with it."""
        if not ok:
            return
        self._step += 1
        if self._step <= n.CHANNELS:
            self._greet(now_us)
            return
        self.facts = introduce(simulated=self._simulated)
        self._state, self._ask_us = _S.DISARMED, now_us + self.status_us
        self._events.append(w.Connected(self.facts))

    def _answered(self, reply: Reply, now_us: int) -> None:
        self._answers = True
        if reply.verdict is not Verdict.DONE:
            if self._state is _S.CONNECTING:
                if isinstance(reply.answer, n.Refused):
                    return  # part of a line that was written while the Arduino started; all is asked once more
                raise LinkLost(f"the {self.title} at {self._name} cannot be used: {reply.why}")
            if self._state is not _S.STOPPING:
                self._fault(f"{reply.why}; {self._way_out}", now_us)
        elif self._state is _S.CONNECTING:
            self._introduced(now_us, ok=True)
        elif self._state is _S.ARMING:
            self._picture.took(reply.word, now_us)
            self._go_on_arming(now_us)
        elif self._state is _S.ARMED and self._worn is not None:
            self._doubt, self._reads_missed = False, 0
            self._picture.took(reply.word, self._said_us(reply))
            self._speak(self._worn, now_us)

    @staticmethod
    def _said_us(reply: Reply) -> int:
        """When a word was said: a train ends so long after it, whenever it is answered."""
        return reply.due_us - ANSWER_US

    # --- what goes wrong -------------------------------------------------------------------------------------------

    def _missed(self, question: Question, now_us: int) -> None:
        """No answer in time. What does not energise is asked once more; a setting never is."""
        self._reply, self._doubt = None, self._state in LIVE
        if question.setting:
            self._fault(f"the board did not answer to {question.name}", now_us)
            return
        armed = self._state is _S.ARMED
        self._reads_missed += armed
        if question.again or self._reads_missed >= READS_MISSED:
            raise LinkTimeout(f"the {self.title} at {self._name} does not answer when asked {question.name}")
        if not armed:
            self._ask_whether_quiet(now_us, again=True)

    def _why_not_connected(self) -> str:
        what = "does not confirm zero output" if self._answers else f"does not answer as a {self.title}"
        return f"what is at {self._name} {what}; check port and power"


def _out_of_reach(error: int) -> str:
    return f"the Arduino cannot reach the board behind it (I2C error {error}); check its supply and seat"
