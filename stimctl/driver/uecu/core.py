"""The driver of UECU boards: the control loop gives each pulse, because nothing on the board would ever end a train.

Its schedule runs once for each go. So a beat of the loop whose period has come says one go, and a loop that hangs gives none.
The line is slow: what is said is reckoned at 9600 baud, so that nothing waits in it that a stop would have to follow. OFF is
never said: the board answers what it makes and complains of what it cannot, and says nothing of a pulse or a halt.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, final

from stimctl.boards.reference.messages import OutputReport
from stimctl.boards.stops import StopSequence
from stimctl.boards.uecu import words as u
from stimctl.boards.uecu.codec import Decoder, encode
from stimctl.boards.uecu.fit import introduce, misfit
from stimctl.boards.uecu.reply import ANSWER_US
from stimctl.boards.uecu.stopping import APART_US, STOP, stop_of
from stimctl.boards.uecu.update import Events, bounds
from stimctl.boards.uecu.words import BoardWord, HostWord
from stimctl.driver import words as w
from stimctl.driver.openloop import OpenLoop
from stimctl.driver.plain import STATUS_US
from stimctl.driver.question import Question
from stimctl.driver.uecu.setting_up import QUESTION_SYNC, SettingUp
from stimctl.driver.words import DriverState, Setup
from stimctl.driver.worn import Worn
from stimctl.pulse import PulseTrain, symmetric
from stimctl.safety import Approved, Latch
from stimctl.transport import Transport
from stimctl.units import MS, SECOND

_S = DriverState
_READS: Final = "whether it reads what it is told"
_BYTE_US: Final = 10 * SECOND // 9_600 + 1
_CHANGE_US: Final = 10 * MS
"""How long the line takes over a change of one pulse: a go that is due before that comes first."""

_LATE_US: Final = 500 * MS
"""H14: a loop that was away for so long, with something to give, does not go on where it was."""

_BACKLOG_US: Final = SECOND
_U32: Final = 0xFFFF_FFFF
_HALF: Final = 0x8000_0000


@final
class UecuDriver(OpenLoop):
    """Speaks with one UECU board; what it promises stands in :class:`~stimctl.driver.contract.BoardDriver`."""

    title = "UECU board"

    def __init__(
        self, transport: Transport, latch: Latch, *, tokens: Callable[[], int], simulated: bool = False
    ) -> None:
        super().__init__(transport, latch, tokens=tokens, stop=STOP)
        self._sync, self._simulated = tokens(), simulated
        self._stop = STOP
        self._decoder = Decoder()
        self._setting_up: SettingUp | None = None
        self._made: Events | None = None
        self._words: deque[HostWord] = deque()  # what arming still has to say
        self._permit: Approved | None = None
        self._free_us = self._asked_us = self._settled_us = 0
        self._went_us: int | None = None
        self._period_us = 0
        self._went_counter = 0
        self._beaten_us = 0

    @property
    def malformed(self) -> int:
        """Damaged frames received so far."""
        return self._decoder.malformed

    def misfit(self, trains: Iterable[tuple[int, PulseTrain]]) -> str:
        """Why this board cannot give these trains at the same time; "" where it can."""
        return misfit(trains)

    def due_us(self, now_us: int) -> int | None:
        """When a beat is wanted, for the next pulse or the next change; ``None`` where nothing waits."""
        worn, events = self._worn, self._made
        if self._state is not _S.ARMED or worn is None or events is None:
            return None
        due = [self._free_us] if worn.out is not None or worn.waiting is not None else []
        if self._went_us is not None and events.any_runs:
            due.append(max(self._went_us + self._period_us, self._free_us))
        return max(min(due), now_us + MS) if due else None

    # --- getting to know -------------------------------------------------------------------------------------------

    def _wait_for_connection(self, now_us: int) -> None:
        if self._setting_up is None:
            self._setting_up = SettingUp(self._name, self._sync, now_us)
        if data := self._setting_up.stop_due(now_us):
            self._line.say(data)
            self._wrote(data, now_us)
        elif self._setting_up.has_stopped and now_us >= self._free_us:
            events = self._setting_up.events
            if events is not None:
                self._connected(events, self._setting_up.numbers, now_us)
            elif (word := self._setting_up.next_word(now_us)) is not None:
                self._say(word, now_us)

    def _connected(self, events: Events, numbers: tuple[int, ...], now_us: int) -> None:
        self._made = events
        self._stop = stop_of(numbers)
        self._use(self._stop.writes[0], word_us=APART_US, backlog_us=_BACKLOG_US)
        self.facts = introduce(simulated=self._simulated)
        self._state, self._ask_us = _S.DISARMED, now_us + self.status_us
        self._events.append(w.Connected(self.facts))

    def _greet(self, now_us: int) -> None:
        """Nothing beside what :meth:`_wait_for_connection` says."""

    def _why_not_connected(self) -> str:
        return f"what is at {self._name} does not answer as a {self.title}"

    def _stop_for(self, goal: DriverState) -> StopSequence:  # noqa: ARG002 - there is no gentler one
        return self._stop

    # --- saying ----------------------------------------------------------------------------------------------------

    def _say(self, word: HostWord, now_us: int) -> None:
        """A word that energises nothing."""
        data = encode(word)
        self._line.say(data)
        self._wrote(data, now_us)

    def _wrote(self, data: bytes, now_us: int) -> None:
        self._free_us = max(now_us, self._free_us) + len(data) * _BYTE_US

    def _stop_written(self, data: bytes, now_us: int) -> None:
        self._wrote(data, now_us)

    def _ask_whether_quiet(self, now_us: int, *, again: bool = False) -> None:
        """A schedule that no go ever starts is made, and forgotten once that is answered."""
        if now_us >= self._free_us:
            self._say(u.NewSchedule(QUESTION_SYNC, u.ONCE), now_us)
            self._asked_us = now_us
            self._question = Question(_READS, 0, 0, now_us, ANSWER_US, again)

    def _prepare(self, setups: tuple[Setup, ...]) -> str:
        """Zero once more, and the bounds that the board itself is to hold to: a second limiter."""
        self._alive = False
        zeros = self._made.zeros() if self._made is not None else ()
        self._words = deque((*zeros, *bounds({setup.output: _ceiling(setup) for setup in setups})))
        return ""

    def _next(self, now_us: int) -> None:
        """Armed once it has shown that it reads, was given its bounds, and has not complained of them for a while."""
        if self._state is not _S.ARMING or not self._alive:
            super()._next(now_us)
        elif self._words and now_us >= self._free_us:
            self._say(self._words.popleft(), now_us)
            self._settled_us = self._free_us + ANSWER_US
        elif not self._words and now_us >= self._settled_us:
            self._arm_now(now_us)

    def _arm_now(self, now_us: int) -> None:
        if self._worn is None or self._latch.tripped:
            return
        self._worn.is_sent, self._permit, self._went_us, self._beaten_us = True, None, None, now_us
        self._state = _S.ARMED
        self._events.append(w.Armed())

    def beat(self, loop_counter: int, now_us: int) -> None:
        """The control loop has come round: one go for it at most, if a period has passed; then what else there is to say."""
        counter = loop_counter & _U32
        advanced = 0 < (counter - self._went_counter) & _U32 < _HALF
        if self._worn is not None and self.state is _S.ARMED and advanced:
            late, self._beaten_us = now_us - self._beaten_us > _LATE_US, now_us
            with self._link():
                if late and self._running:
                    self._fault("the pulses have paused because this program came too late to give them", now_us)
                else:
                    self._go(counter, now_us)
        super().beat(loop_counter, now_us)

    def _go(self, counter: int, now_us: int) -> None:
        if self._permit is None or self._made is None or now_us < self._free_us or self._line.is_busy():
            return
        if self._went_us is not None and now_us < self._went_us + self._period_us:
            return
        found = self._made.go(self._permit)
        if found is None:
            return
        word, period_us = found
        data = encode(word)
        if self._line.say_approved(data, self._permit):
            self._wrote(data, now_us)
            self._went_us, self._period_us, self._went_counter = now_us, period_us, counter

    def _speak(self, worn: Worn, now_us: int) -> None:
        if worn.is_overdue(now_us):
            self._fault("the newest setting did not reach the board", now_us)
            return
        if worn.wants_look:
            worn.wants_look = False
            self._report(worn)
        if self._made is None or now_us < self._free_us or self._line.is_busy():
            return
        if (approved := worn.take_waiting()) is not None:
            self._permit, worn.out = approved, approved.command
        if worn.out is not None and self._permit is not None:
            self._change(worn, self._made, self._permit, now_us)
        elif self._question is None and now_us - self._asked_us >= STATUS_US and self._has_room(now_us):
            self._ask_whether_quiet(now_us)

    def _change(self, worn: Worn, events: Events, permit: Approved, now_us: int) -> None:
        """One channel's pulse; what lessens is said at once, what grows leaves the next go its time."""
        found = events.next_change(permit)
        if found is None:
            worn.was_taken()
            return
        channel, word = found
        if events.go(permit) is not None and not self._has_room(now_us):
            return
        data = encode(word)
        if self._line.say_approved(data, permit):
            self._wrote(data, now_us)
            events.changed(channel, permit)
        else:
            worn.out = None
            worn.dropped += 1

    def _has_room(self, now_us: int) -> bool:
        """Whether a change fits into the line before the next go."""
        return self._went_us is None or now_us + _CHANGE_US <= self._went_us + self._period_us or not self._running

    @property
    def _running(self) -> bool:
        return self._made is not None and self._made.any_runs

    def _report(self, worn: Worn) -> None:
        """What was told; whether it flows no word of the board's says."""
        events = self._made if self._made is not None and worn.taken is not None else None
        count = self.facts.outputs if self.facts is not None else 0
        told = (0 if events is None else events.running_ua(output) for output in range(count))
        self._events.append(w.Reported(True, False, False, tuple(OutputReport(ua, None, None) for ua in told)))

    # --- hearing ---------------------------------------------------------------------------------------------------

    def _take(self, data: bytes, now_us: int) -> None:
        for word in self._decoder.feed(data):
            if self._state is _S.CONNECTING:
                if self._setting_up is not None:
                    self._setting_up.hear(word)
            elif self._state is not _S.LOST:
                self._hear(word, now_us)

    def _hear(self, word: BoardWord, now_us: int) -> None:
        match word:
            case u.ScheduleMade(schedule) if self._question is not None:
                self._shows_life()
                self._say(u.DropSchedule(schedule), now_us)
            case u.Failed(code, failed) if self._state in (_S.ARMING, _S.ARMED):
                self._fault(f"the board could not do what it was told (code {code}, type {failed:02x})", now_us)
            case u.EventFailed(code, _, channel) if self._state in (_S.ARMING, _S.ARMED):
                self._fault(
                    f"the board refuses a pulse of output {channel + 1} (code {code}): is it beyond its limits?", now_us
                )


def _ceiling(setup: Setup) -> PulseTrain:
    gap_us = setup.interphase_gap_us
    return symmetric(setup.amplitude_ua, setup.phase_width_us, setup.rate_mhz, interphase_gap_us=gap_us)
