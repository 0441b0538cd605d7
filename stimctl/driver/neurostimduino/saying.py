"""What is said to a NeuroStimDuino, and when; ``core`` hears what comes back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from stimctl.boards.neurostimduino import words as n
from stimctl.boards.neurostimduino.answers import Decoder
from stimctl.boards.neurostimduino.codec import encode
from stimctl.boards.neurostimduino.fit import TRAIN_S
from stimctl.boards.neurostimduino.reply import ANSWER_US, Reply
from stimctl.boards.neurostimduino.stopping import STOP
from stimctl.boards.neurostimduino.update import Picture, at_zero
from stimctl.boards.neurostimduino.words import Halt, HostWord, Register
from stimctl.boards.reference.messages import OutputReport
from stimctl.driver import words as w
from stimctl.driver.orders import Orders
from stimctl.driver.plain import STATUS_US
from stimctl.driver.question import Question
from stimctl.driver.words import DriverState, Setup
from stimctl.driver.worn import Worn
from stimctl.pulse import PulseTrain, symmetric
from stimctl.safety import Approved, Latch
from stimctl.transport import Transport
from stimctl.units import MS, SECOND

PROLONG_US: Final = 350 * MS
"""A train that has run for so long is prolonged at the next look: in time for both channels, one after the other."""

ZERO: Final = "whether its channels have stopped"

_S = DriverState


class Saying(Orders):
    """Says one word at a time. :class:`~stimctl.driver.neurostimduino.core.NeuroStimDuinoDriver` hears."""

    title = "NeuroStimDuino"

    def __init__(
        self, transport: Transport, latch: Latch, *, tokens: Callable[[], int], simulated: bool = False
    ) -> None:
        super().__init__(transport, latch, tokens=tokens, stop=STOP.writes[0])
        self._decoder, self._simulated = Decoder(), simulated
        self._reply: Reply | None = None
        self._error: int | None = None  # of the transfer whose reply is under way
        self._halts: dict[int, Halt] = {}
        self._words: deque[HostWord] = deque()  # what arming still has to say
        self._picture = Picture()
        self._permit: Approved | None = None  # of what was said last, and is prolonged
        self._reads_missed = self._step = 0
        self._read_us = 0
        self._answers = False

    # --- saying ----------------------------------------------------------------------------------------------------

    def _await(self, word: HostWord, now_us: int, *, setting: bool = True) -> None:
        self._reply = Reply(word, now_us)
        name = type(word).__name__.upper()
        self._question = Question(name, 0, 0, now_us, self._reply.due_us - now_us, setting=setting)

    def _ask_whether_quiet(self, now_us: int, *, again: bool = False) -> None:
        """Each channel is told to stop and says whether it has: it has no other word for being at zero."""
        self._halts.clear()
        self._reply = None
        for channel in range(n.CHANNELS):
            self._line.say(encode(n.Stop(channel)))
        self._question = Question(ZERO, 0, 0, now_us, ANSWER_US, again)

    def _ask_idly(self, now_us: int) -> None:
        self._ask_whether_quiet(now_us)

    def _greet(self, now_us: int) -> None:
        if self._step == 0:
            self._line.write_stop()
            self._ask_whether_quiet(now_us)
        else:
            self._read(self._step - 1, now_us)

    def _read(self, channel: int, now_us: int) -> None:
        word = n.Read(channel, Register.ENABLED)
        self._read_us = now_us
        self._line.say(encode(word))
        self._await(word, now_us, setting=False)

    def _arm_now(self, now_us: int) -> None:
        """Every register of every channel is set: nobody knows what an earlier program has left in them."""
        worn = self._worn
        if worn is None:
            return
        worn.is_sent, self._quiet = True, False
        self._picture, self._permit = Picture(), None
        self._words = deque(at_zero({output: _shape(worn.ceiling(output)) for output in worn.outputs}))
        self._go_on_arming(now_us)

    def _go_on_arming(self, now_us: int) -> None:
        if not self._words:
            self._state = _S.ARMED
            self._events.append(w.Armed())
            return
        word = self._words.popleft()
        if self._line.say_arm(encode(word), self._epoch):
            self._await(word, now_us)
        else:
            self._notice_stop(now_us)

    def _speak(self, worn: Worn, now_us: int) -> None:
        """The look that is owed first, so that a ramp of many settings does not put it off; then the newest setting."""
        if worn.is_overdue(now_us):
            self._fault("the newest setting did not reach the board", now_us)
        elif self._question is not None or self._line.is_busy():
            return
        elif worn.wants_look:
            worn.wants_look = False
            self._look(now_us)
        else:
            self._set(worn, now_us)

    def _set(self, worn: Worn, now_us: int) -> None:
        """One step towards the newest setting. What an older one had still to say is not said any more."""
        approved = worn.take_waiting()
        if approved is not None:
            self._permit, worn.out = approved, approved.command
        if worn.out is None or self._permit is None:
            return
        word = self._picture.next_word(self._permit)
        if word is None:
            worn.was_taken()
        elif not self._say(word, now_us):
            worn.out = None
            worn.dropped += 1

    def _say(self, word: HostWord, now_us: int) -> bool:
        """Say a word of an armed session, if what it comes from still holds."""
        if self._permit is None or not self._line.say_approved(encode(word), self._permit):
            return False
        self._await(word, now_us)
        return True

    def _look(self, now_us: int) -> None:
        """Prolong the train that has run longest; a board at zero is asked whether it is there."""
        channel = self._picture.oldest()
        if channel is None:
            if now_us - self._read_us >= STATUS_US:
                self._read(0, now_us)
        elif (since_us := self._picture.channels[channel].since_us or 0) <= now_us - TRAIN_S * SECOND:
            self._fault("a train has ended because this program came too late to prolong it", now_us)
            return
        elif now_us - since_us >= PROLONG_US:
            self._prolong(channel, now_us)
        self._report()

    def _prolong(self, channel: int, now_us: int) -> None:
        word = self._picture.prolong(channel, self._permit) if self._permit is not None else None
        if word is not None:
            self._say(word, now_us)

    def _report(self) -> None:
        outputs = tuple(OutputReport(channel.running_ua, None, None) for channel in self._picture.channels)
        self._events.append(w.Reported(True, False, False, outputs))


def _shape(ceiling: Setup) -> PulseTrain:
    """What a channel is set up with: its widest and quickest pulses, at zero."""
    return symmetric(0, ceiling.phase_width_us, ceiling.rate_mhz, interphase_gap_us=ceiling.interphase_gap_us)
