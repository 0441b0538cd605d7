"""What boards have in common that never say whether they are at zero: stops that are said in full, and UNKNOWN for good.

Nothing such a board says is evidence of zero, so nobody ever reads that its output is off. What can be known is that a stop
was said as often as it is to be said, that its time is over, and that the board still reads what it is told. Then the next
step may be taken, by a person who knows that.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Final

from stimctl.boards.stops import StopSequence
from stimctl.driver import words as w
from stimctl.driver.orders import Orders
from stimctl.driver.plain import LIVE, SILENCE_US, STATUS_US
from stimctl.driver.question import Question
from stimctl.driver.words import DriverState
from stimctl.errors import LinkTimeout
from stimctl.safety import Latch
from stimctl.transport import Transport

MISSES_MAX: Final = 2
"""Questions running without an answer after which the link is lost."""

_S = DriverState


class OpenLoop(Orders):
    """Stops such a board. Its heirs call :meth:`_shows_life` whenever it shows that it reads what it is told."""

    def __init__(self, transport: Transport, latch: Latch, *, tokens: Callable[[], int], stop: StopSequence) -> None:
        super().__init__(transport, latch, tokens=tokens, stop=stop.writes[0])
        self._sequence = stop  # what is being said
        self._written = 0  # of it
        self._begun_us = 0
        self._alive = False
        self._misses = 0
        self._pressed = latch.epoch
        self._read_us = 0  # when the board has read every stop that others have written
        self._word_us, self._backlog_us = 0, 0

    def _use(self, word: bytes, *, word_us: int, backlog_us: int) -> None:
        """From now on this is what any thread says at once: more is known of the board than when the port was opened.

        It takes ``word_us`` over the ``word``, and ``backlog_us`` over as many as wait for it at most.
        """
        self._word_us, self._backlog_us = word_us, backlog_us
        self._line.prepare_stop(word)

    @abstractmethod
    def _stop_for(self, goal: DriverState) -> StopSequence:
        """How it is stopped; the same object for the same way, so that one that is under way is known again."""

    # --- stop ------------------------------------------------------------------------------------------------------

    @property
    def _is_said(self) -> bool:
        return self._written >= len(self._sequence.writes)

    def _begin_stop(self, goal: DriverState, now_us: int) -> None:
        pressed, self._pressed = self._latch.epoch - self._pressed, self._latch.epoch
        again = self._state is _S.STOPPING
        super()._begin_stop(goal, now_us)
        self._read_us = min(max(now_us, self._read_us) + pressed * self._word_us, now_us + self._backlog_us)
        sequence = self._stop_for(goal)
        if not again or self._is_said or sequence is not self._sequence:
            self._sequence = sequence
            self._written, self._begun_us, self._alive = 0, now_us, False
        # What follows waits for the board: more than it has room for would be cut, and a text that is cut is another text.
        late_us = self._read_us - (self._begun_us + self._written * self._sequence.apart_us)
        self._begun_us += max(0, late_us) if again else 0

    def _insist(self, now_us: int) -> None:
        """The whole sequence, each write when the board must have read the one before; then whether it still reads."""
        data = self._sequence.next(self._written, now_us - self._begun_us)
        if data:
            # From when it really leaves: a loop that comes late must not say at once what the board has no room for.
            self._begun_us = now_us - self._written * self._sequence.apart_us
            self._written += 1
            self._line.say(data)
            self._stop_written(data, now_us)
        over_us = self._begun_us + self._sequence.ends_us
        if not self._is_said or now_us < over_us:
            self._since_us = now_us
        elif self._alive:
            self._question = None
            self._state, self._ask_us = self._goal, now_us + self.status_us
            self._events.append(w.Unconfirmed())
        elif now_us - self._since_us >= SILENCE_US:
            raise LinkTimeout(f"the {self.title} at {self._name} does not answer to stop; {self._way_out}")
        elif self._question is None:
            self._ask_whether_quiet(now_us)

    def _stop_written(self, data: bytes, now_us: int) -> None:
        """A part of the stop has been written."""

    # --- whether it reads ------------------------------------------------------------------------------------------

    def _mind_absence(self, now_us: int) -> None:
        """What it has shown before says nothing of now."""
        self._alive = self._alive and now_us - self._polled_us <= STATUS_US
        super()._mind_absence(now_us)

    def _ask_idly(self, now_us: int) -> None:
        self._ask_whether_quiet(now_us)

    def _missed(self, question: Question, now_us: int) -> None:
        """No answer in time. What does not energise is asked once more; a setting never is."""
        if question.setting:
            self._fault(f"the board did not answer to {question.name}", now_us)
            return
        self._misses += 1
        if self._misses >= MISSES_MAX:
            raise LinkTimeout(f"the {self.title} at {self._name} does not answer when asked {question.name}")
        self._doubt = self._state in LIVE
        self._ask_whether_quiet(now_us, again=True)

    def _shows_life(self) -> None:
        """The board has shown that it reads what it is told."""
        self._alive, self._question, self._doubt, self._misses = True, None, False, 0

    @abstractmethod
    def _ask_whether_quiet(self, now_us: int, *, again: bool = False) -> None:
        """Ask for a sign of life, by a word that can energise nothing."""
