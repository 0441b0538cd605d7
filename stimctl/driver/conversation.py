"""What the board's words, and the time that passes without them, do to a driver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from stimctl.boards import BoardFacts
from stimctl.boards.reference import codec
from stimctl.boards.reference import messages as m
from stimctl.boards.reference.codes import Capability
from stimctl.driver import words as w
from stimctl.driver.analog import AnalogWatch
from stimctl.driver.armed import ArmedSession
from stimctl.driver.exchange import Exchange, Question
from stimctl.driver.health import Contacts, is_quiet
from stimctl.driver.line import Line
from stimctl.driver.words import BoardEvent, DriverState
from stimctl.errors import BoardFault, LinkLost, LinkTimeout
from stimctl.safety import Latch
from stimctl.transport import Transport
from stimctl.units import MS, SECOND

STATUS_ARMED_US: Final = 100 * MS
"""Read-back while armed: two reports find a stuck output within 200 ms (H22)."""

STATUS_IDLE_US: Final = 1 * SECOND

HELLO_US: Final = 250 * MS
CONNECT_US: Final = 4 * SECOND
"""How long a board may take to introduce itself; opening the port resets some, and their loader waits for 2 s."""

STOP_AGAIN_US: Final = 50 * MS
SILENCE_US: Final = 500 * MS
"""Without an answer to a stop for so long the link is lost, whatever else the board says: samples prove no stop."""

LIVE: Final = frozenset({DriverState.ARMING, DriverState.ARMED})
IDLE: Final = frozenset({DriverState.DISARMED, DriverState.STOPPED})

_S = DriverState
_DEAF: Final = frozenset({_S.CONNECTING, _S.LOST})  # a stop changes nothing there: nothing is armed, or nobody hears


class Conversation:
    """The state of a driver, and what changes it. :class:`~stimctl.driver.core.Driver` adds what a session orders."""

    def __init__(self, transport: Transport, latch: Latch, *, tokens: Callable[[], int]) -> None:
        # Starting at a random number, an answer that an earlier program left in the line fits no question of ours.
        self._line = Line(transport, latch, first_sequence=tokens())
        self._name, self._latch, self._tokens = transport.name, latch, tokens
        self._epoch = latch.epoch  # of the newest trip that has been dealt with
        self._decoder = codec.Decoder()
        self._exchange = Exchange()
        self._analog = AnalogWatch()
        self._contacts = Contacts()
        self._events: list[BoardEvent] = []
        self._state, self._goal = _S.CONNECTING, _S.DISARMED
        self._session: ArmedSession | None = None
        self._token = self._counter = self._dropped = self._loud = 0
        self._identity: m.Identity | None = None
        self._table: m.LimitsTable | None = None
        self._report: m.Report | None = None
        self._answers = self._doubt = self._listening = False
        self._since_us = self._again_us = self._status_us = self._polled_us = 0
        self.facts: BoardFacts | None = None
        """Who the board is; ``None`` until :class:`~stimctl.driver.words.Connected`."""

    @property
    def state(self) -> DriverState:
        """Where this driver stands; a stop shows at once, from whichever thread it came."""
        if self._latch.epoch == self._epoch or self._state in _DEAF:
            return self._state
        return _S.STOPPING

    def _is_quiet(self) -> bool:
        """Whether the board's newest report says: disarmed, at zero, no current."""
        report = self._report
        if report is None or report.armed or self._identity is None:
            return False
        return is_quiet(report.outputs, senses_current=Capability.CURRENT in self._identity.capabilities)

    # --- stop ------------------------------------------------------------------------------------------------------

    def _notice_stop(self, now_us: int) -> None:
        epoch = self._latch.epoch  # one look: a trip that comes behind it is dealt with in the next round
        if epoch == self._epoch:
            return  # as in nearly every round
        self._epoch = epoch
        if self._state not in _DEAF:
            self._begin_stop(_S.STOPPED, now_us)

    def _begin_stop(self, goal: DriverState, now_us: int) -> None:
        if self._state is not _S.STOPPING:  # whoever presses again and again does not put off the alarm
            self._since_us, self._loud = now_us, 0
        self._state, self._goal, self._again_us = _S.STOPPING, goal, now_us
        self._exchange.forget()
        self._end_session()

    def _end_session(self) -> None:
        if self._session is not None:
            self._dropped += self._session.dropped
        self._session, self._doubt = None, False

    def _halt(self, reason: str, now_us: int) -> None:
        """Stop because of what the board shows."""
        self._line.stop(reason)
        self._notice_stop(now_us)

    def _fault(self, text: str, now_us: int, output: int | None = None) -> None:
        self._events.append(w.Faulted(BoardFault(text), output))
        self._halt(text, now_us)

    def _lose(self, error: LinkLost) -> None:
        """The link is gone: one more stop for the case that it is only deaf on our side, and nothing ever after."""
        if self._state is not _S.LOST:
            self._state = _S.LOST
            self._end_session()
            self._line.stop(str(error))
            self._events.append(w.Lost(error))

    @contextmanager
    def _link(self) -> Iterator[None]:
        try:
            yield
        except LinkLost as error:
            self._lose(error)

    # --- asking ----------------------------------------------------------------------------------------------------

    def _ask(self, word: m.HostWord, now_us: int, *, last_try: bool = False) -> None:
        sequence = self._line.next_sequence()
        token = self._session.token if self._session is not None else 0
        frame = codec.encode(word, sequence=sequence, token=token)
        try:
            self._line.say(frame)
            self._exchange.ask(sequence, Question(word, frame, now_us, last_try))
        except LinkLost as error:
            self._lose(error)
        if type(word) is m.StatusRequest:
            self._status_us = now_us + (STATUS_ARMED_US if self._state in LIVE else STATUS_IDLE_US)

    def _say_hello(self, now_us: int) -> None:
        self._again_us = now_us + HELLO_US
        self._line.write_stop()
        self._line.say(codec.encode(m.Hello(), sequence=self._line.next_sequence()))

    # --- time ------------------------------------------------------------------------------------------------------

    def _keep_time(self, now_us: int) -> None:
        """What is due. Called after everything that has arrived was read, so that a late host blames nobody."""
        if self._state is _S.CONNECTING:
            self._greet(now_us)
        elif self._state is _S.STOPPING:
            self._insist(now_us)
        elif self._state is not _S.LOST:
            for sequence, question in self._exchange.overdue(now_us):
                self._miss(sequence, question, now_us)
            self._drive(now_us)
            if now_us >= self._status_us and not self._exchange.is_open(m.StatusRequest):
                self._ask(m.StatusRequest(), now_us)

    def _mind_absence(self, now_us: int) -> None:
        """After longer without a round than a board at rest is left unasked, nothing counts as off before it answers.

        The computer was asleep, or the process: what was known is old, and so is whatever waited in the line.
        """
        if now_us - self._polled_us > STATUS_IDLE_US:
            self._doubt = True
        self._polled_us = now_us

    def _greet(self, now_us: int) -> None:
        if now_us - self._since_us >= CONNECT_US:
            what = "does not answer as a reference board" if self._identity is None else "does not confirm zero output"
            raise LinkTimeout(f"what is at {self._name} {what}; check port and power")
        if now_us >= self._again_us:
            self._say_hello(now_us)

    def _insist(self, now_us: int) -> None:
        """Repeat the stop: the one thing that may be said again and again."""
        if now_us - self._since_us >= SILENCE_US:
            raise LinkTimeout(f"the board at {self._name} does not answer to stop; use the stop switch")
        if now_us >= self._again_us:
            self._again_us = now_us + STOP_AGAIN_US
            self._line.write_stop()

    def _miss(self, sequence: int, question: Question, now_us: int) -> None:
        """No answer in time. What does not energise is said once more; a setting never is, its fate is asked for."""
        if question.last_try:
            raise LinkTimeout(f"the board at {self._name} does not answer to {question.name}")
        self._doubt = self._state in LIVE
        if question.word is None or type(question.word) is m.Heartbeat:
            self._ask(m.StatusRequest(), now_us, last_try=True)
        elif type(question.word) is m.Arm:  # the very same bytes, which a board that has carried it out knows again
            self._line.say(question.frame)
            self._exchange.ask(sequence, question._replace(sent_us=now_us, last_try=True))
        else:
            self._ask(question.word, now_us, last_try=True)

    def _drive(self, now_us: int) -> None:
        if self._session is not None:
            self._session.send_waiting(now_us)
            if self._session.is_unapplied(now_us):
                self._fault("the newest setting did not reach the board", now_us)
