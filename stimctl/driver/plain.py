"""What all boards have in common that speak a language of their own: one question at a time, and a stop above all.

Such a board has no tokens, no ceilings and no report of what it applies. So one command is in flight at a time, an answer
counts if it fits the question that waits, and what was approved is held against the ceilings here once more. States, stop
and loss are those of the reference board's driver (``conversation``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from stimctl.boards import BoardFacts
from stimctl.driver import words as w
from stimctl.driver.line import Line
from stimctl.driver.question import Question
from stimctl.driver.words import BoardEvent, DriverState, OutputState
from stimctl.driver.worn import Worn
from stimctl.errors import BoardFault, LinkLost, LinkTimeout
from stimctl.safety import Latch
from stimctl.transport import Transport
from stimctl.units import MS, SECOND

LIVE: Final = frozenset({DriverState.ARMING, DriverState.ARMED})
IDLE: Final = frozenset({DriverState.DISARMED, DriverState.STOPPED})

CONNECT_US: Final = 4 * SECOND
"""How long a board may take to introduce itself and to confirm zero; opening a port resets some."""

GREET_US: Final = 250 * MS
"""How long to wait before all of it is said once more."""

STATUS_US: Final = 1 * SECOND
"""How often a board that is not armed is asked whether it is at zero; after longer without a round nothing is known."""

STOP_AGAIN_US: Final = 250 * MS
"""A stop is repeated so often. Such boards take up to 80 ms over one, and answer nothing meanwhile."""

CONFIRM_AGAIN_US: Final = 25 * MS
"""How soon a board that has not yet stopped is asked again."""

LOUD_US: Final = 750 * MS
"""A board that still says so by then does not stop: two repetitions of it, and their time."""

SILENCE_US: Final = 1 * SECOND
"""Without an answer for so long after a stop the link is lost."""

_S = DriverState
_DEAF: Final = frozenset({_S.CONNECTING, _S.LOST})


class Plain(ABC):
    """The state of a driver, and what stops, answers and time do to it. A board's own language is its heirs' business."""

    title = "board"
    status_us = STATUS_US
    """How often this one is asked whether it is at zero, while it is not armed."""
    stop_again_us = STOP_AGAIN_US
    confirm_after_us = 0
    """How soon after a stop it is asked whether that has taken effect."""

    def __init__(self, transport: Transport, latch: Latch, *, tokens: Callable[[], int], stop: bytes) -> None:
        # A number of chance to begin with: an answer that an earlier program left in the line hardly fits a question.
        self._line = Line(transport, latch, first_sequence=tokens() % 0x1_0000, stop_frame=stop)
        self._name, self._latch = transport.name, latch
        self._epoch = latch.epoch  # of the newest trip that has been dealt with
        self._events: list[BoardEvent] = []
        self._state, self._goal = _S.CONNECTING, _S.DISARMED
        self._question: Question | None = None
        self._worn: Worn | None = None
        self._quiet = self._doubt = self._loud = False
        self._dropped = 0
        self._since_us = self._again_us = self._ask_us = self._loud_us = self._polled_us = 0
        self.facts: BoardFacts | None = None
        """Who the board is; ``None`` until :class:`~stimctl.driver.words.Connected`."""

    # --- what is known ---------------------------------------------------------------------------------------------

    @property
    def state(self) -> DriverState:
        """Where this driver stands; a stop shows at once, from whichever thread it came."""
        if self._latch.epoch == self._epoch or self._state in _DEAF:
            return self._state
        return _S.STOPPING

    @property
    def output(self) -> OutputState:
        """What is known about output: off from the board's own words alone, and not once it was told to arm."""
        state, worn = self.state, self._worn  # one look each: the stop's thread asks as well
        if state in LIVE:
            if self._doubt or worn is None:
                return OutputState.UNKNOWN
            if worn.is_sent:
                return OutputState.ON
        elif state not in IDLE:
            return OutputState.UNKNOWN
        return OutputState.OFF if self._quiet else OutputState.UNKNOWN

    @property
    def dropped(self) -> int:
        """Approved commands that did not leave: void, superseded while an answer was awaited, or while not armed."""
        return self._dropped + (self._worn.dropped if self._worn is not None else 0)

    def fileno(self) -> int | None:
        """What ``select`` can wait on before the next :meth:`poll`, or ``None``."""
        return self._line.fileno()

    # --- stop ------------------------------------------------------------------------------------------------------

    def stop(self, reason: str = "stop") -> None:
        """Output to zero, now: trips the latch and writes the prepared stop before anything else that waits.

        Any thread, any instant, any state; waits at most 50 ms, never raises. :meth:`poll` repeats it until the board
        confirms it.
        """
        self._line.stop(reason)

    def _notice_stop(self, now_us: int) -> None:
        epoch = self._latch.epoch  # one look: a trip that comes behind it is dealt with in the next round
        if epoch == self._epoch:
            return
        self._epoch = epoch
        if self._state not in _DEAF:
            self._begin_stop(_S.STOPPED, now_us)

    def _begin_stop(self, goal: DriverState, now_us: int) -> None:
        if self._state is not _S.STOPPING:  # whoever presses again and again does not put off the alarm
            self._since_us, self._loud_us, self._loud = now_us, now_us + LOUD_US, False
        self._state, self._goal, self._again_us = _S.STOPPING, goal, now_us
        self._question, self._quiet = None, False
        self._end_session()

    def _end_session(self) -> None:
        if self._worn is not None:
            self._dropped += self._worn.dropped + (self._worn.waiting is not None)
        self._worn, self._doubt = None, False

    def _halt(self, reason: str, now_us: int) -> None:
        """Stop because of what the board shows."""
        self._line.stop(reason)
        self._notice_stop(now_us)

    def _fault(self, text: str, now_us: int, output: int | None = None, *, pads: bool = False) -> None:
        self._events.append(w.Faulted(BoardFault(text), output, pads=pads))
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

    # --- zero ------------------------------------------------------------------------------------------------------

    def _confirmed(self, *, quiet: bool, now_us: int) -> None:
        """The board has said whether it is at zero, in answer to a question of now."""
        self._quiet, self._doubt = quiet, False
        if self._state is _S.STOPPING:
            self._stopped(now_us) if quiet else self._still_loud(now_us)
        elif self._state in IDLE and not quiet:
            self._fault(f"the board is not at zero although it was not armed; {self._way_out}", now_us)
        elif self._state is _S.ARMING and self._worn is not None and not self._worn.is_sent:
            if quiet:
                self._arm_now(now_us)
            else:
                self._fault(f"the board is not at zero before it was armed; {self._way_out}", now_us)

    def _stopped(self, now_us: int) -> None:
        self._state, self._ask_us = self._goal, now_us + self.status_us
        self._events.append(w.Stopped())

    def _still_loud(self, now_us: int) -> None:
        self._since_us = now_us  # it hears us, so that saying it again may yet help
        self._ask_us = now_us + CONFIRM_AGAIN_US
        if now_us >= self._loud_us and not self._loud:
            self._loud = True
            text = f"the board was told to stop, and does not say that it has; {self._way_out}"
            self._events.append(w.Faulted(BoardFault(text)))

    @property
    def _way_out(self) -> str:
        return self.facts.way_out if self.facts is not None else "switch it off, or pull its plug"

    # --- time ------------------------------------------------------------------------------------------------------

    def _keep_time(self, now_us: int) -> None:
        """What is due. Called after everything that has arrived was read, so that a late host blames nobody."""
        late = self._overdue(now_us)
        if self._state is _S.CONNECTING:
            self._wait_for_connection(now_us)
        elif self._state is _S.STOPPING:
            self._insist(now_us)
        elif late is not None:
            self._missed(late, now_us)
        if self._state in LIVE | IDLE:
            self._next(now_us)

    def _mind_absence(self, now_us: int) -> None:
        """The computer was asleep, or the process: what was known is old, and so is whatever has waited in the line.

        Nothing counts as off, nor an armed board as on, before it has answered a question of now. Time in which nobody
        looked is none in which it was silent. A setting that was on its way was approved for then: it is not gone on with.
        """
        before_us, self._polled_us = self._polled_us, now_us
        if now_us - before_us <= STATUS_US:
            return
        self._quiet, self._doubt = False, self._state in LIVE
        self._since_us = self._again_us = self._ask_us = now_us
        self._loud_us = now_us + LOUD_US
        question, self._question = self._question, None  # its answer may be as old
        if question is not None and question.setting and self._state in LIVE:
            away_s = (now_us - before_us) / SECOND
            self._fault(
                f"this computer was away for {away_s:.1f} s in the middle of {question.name}; look at the patient, then clear",
                now_us,
            )

    def _overdue(self, now_us: int) -> Question | None:
        question = self._question
        if question is None or now_us - question.sent_us < question.patience_us:
            return None
        self._question = None
        return question

    def _wait_for_connection(self, now_us: int) -> None:
        if now_us - self._since_us >= CONNECT_US:
            raise LinkTimeout(self._why_not_connected())
        if self._question is None and now_us >= self._again_us:
            self._again_us = now_us + GREET_US
            self._greet(now_us)

    def _insist(self, now_us: int) -> None:
        """Repeat the stop, the one thing that may be said again and again, and ask whether it has taken effect."""
        if now_us - self._since_us >= SILENCE_US:
            raise LinkTimeout(f"the {self.title} at {self._name} does not answer to stop; {self._way_out}")
        if now_us >= self._again_us:
            self._again_us, self._ask_us = now_us + self.stop_again_us, now_us + self.confirm_after_us
            self._line.write_stop()
        if self._question is None and now_us >= self._ask_us:
            self._ask_whether_quiet(now_us)

    def _next(self, now_us: int) -> None:
        """What is said when no answer is awaited: to an armed board what its session has, to others a question."""
        if self._state is _S.ARMED and self._worn is not None:
            self._speak(self._worn, now_us)
        elif self._question is not None or now_us < self._ask_us:
            return
        elif self._state in IDLE:
            self._ask_us = now_us + self.status_us
            self._ask_idly(now_us)
        elif self._state is _S.ARMING and self._worn is not None and not self._worn.is_sent:
            self._ask_whether_quiet(now_us)

    # --- what a language adds --------------------------------------------------------------------------------------

    @abstractmethod
    def _greet(self, now_us: int) -> None:
        """Ask the next of what has to be known, the stop first; also again, when nothing came of it."""

    @abstractmethod
    def _why_not_connected(self) -> str:
        """What to tell a person when the board has not introduced itself in time."""

    @abstractmethod
    def _ask_whether_quiet(self, now_us: int, *, again: bool = False) -> None:
        """Ask whether it is at zero; the answer goes to :meth:`_confirmed`."""

    @abstractmethod
    def _ask_idly(self, now_us: int) -> None:
        """The regular question to a board that is not armed."""

    @abstractmethod
    def _arm_now(self, now_us: int) -> None:
        """Arm, as the board has just said that it is at zero."""

    @abstractmethod
    def _missed(self, question: Question, now_us: int) -> None:
        """No answer in time. What does not energise is asked once more; a setting never is."""

    @abstractmethod
    def _speak(self, worn: Worn, now_us: int) -> None:
        """Say what an armed session has to say, if the line is free."""
