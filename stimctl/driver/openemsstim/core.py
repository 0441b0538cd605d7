"""The driver of openEMSstim: relays that close for less than half a second, and are told so again for each beat that asks.

Every text carries its own time, which is the only dead-man. OFF is never said: the board prints what it has read and not what
it has done. So an echo that is missing twice ends a session, and a stop is what was said in full.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, final

from stimctl.boards.openemsstim.calibration import Calibration
from stimctl.boards.openemsstim.codec import LINE_FEED, Decoder, encode
from stimctl.boards.openemsstim.dialects import Dialect
from stimctl.boards.openemsstim.echoes import ECHO_US, Echoes
from stimctl.boards.openemsstim.fit import introduce, misfit
from stimctl.boards.openemsstim.stopping import BEFORE_PROBE, BUFFER_BYTES, CLOSING_US, emergency, orderly
from stimctl.boards.openemsstim.update import Relays, Write
from stimctl.boards.openemsstim.words import BoardWord, Ready, Received, StopAll, Trouble
from stimctl.boards.reference.messages import OutputReport
from stimctl.boards.stops import StopSequence
from stimctl.driver import words as w
from stimctl.driver.openemsstim.connecting import Acquaintance
from stimctl.driver.openloop import OpenLoop
from stimctl.driver.plain import IDLE, LIVE
from stimctl.driver.question import Question
from stimctl.driver.words import DriverState, Setup
from stimctl.driver.worn import Worn
from stimctl.pulse import PulseTrain
from stimctl.safety import Approved, Latch
from stimctl.transport import Transport
from stimctl.units import MS

_S = DriverState
_READS: Final = "whether it reads what it is told"
_FULL: Final = "Full Command:"
_NO_CHANNEL: Final = "Wrong channel ID"


@final
class OpenEmsStimDriver(OpenLoop):
    """Speaks with one openEMSstim; what it promises stands in :class:`~stimctl.driver.contract.BoardDriver`."""

    title = "openEMSstim"

    def __init__(
        self,
        transport: Transport,
        latch: Latch,
        *,
        tokens: Callable[[], int],
        calibration: Calibration | None = None,
        simulated: bool = False,
    ) -> None:
        super().__init__(transport, latch, tokens=tokens, stop=BEFORE_PROBE)
        self._calibration, self._simulated = calibration, simulated
        self._acquaintance: Acquaintance | None = None
        self._dialect: Dialect | None = None
        self._decoder, self._echoes = Decoder(), Echoes()
        self._relays: Relays | None = None
        self._touched: frozenset[int] = frozenset()  # channels that were armed since the board has booted
        self._emergency = self._orderly = BEFORE_PROBE
        self._permit: Approved | None = None  # of what was said last, and is prolonged
        self._free_us = self._asked_us = 0  # when the board has read what was written; when it was last asked

    @property
    def malformed(self) -> int:
        """Lines that could not be read so far."""
        return self._decoder.malformed

    def misfit(self, trains: Iterable[tuple[int, PulseTrain]]) -> str:
        """Why this board cannot give these trains, or may give none without a calibration; "" where it can."""
        return misfit(self._calibration, trains)

    # --- getting to know -------------------------------------------------------------------------------------------

    def _wait_for_connection(self, now_us: int) -> None:
        """Opening the port resets it, which opens its relays. Where it does not, the stop that is written first does."""
        if self._acquaintance is None:
            self._acquaintance = Acquaintance(now_us)
            self._line.write_stop()
        data, self._dialect = self._acquaintance.go_on(now_us)
        if data:
            self._line.say(data)
        if self._dialect is not None:
            self._use_stop_of(self._dialect)
            self.facts = introduce(self._dialect, self._calibration, simulated=self._simulated)
            self._state, self._ask_us = _S.DISARMED, now_us + self.status_us
            self._events.append(w.Connected(self.facts))

    def _use_stop_of(self, dialect: Dialect) -> None:
        """Any thread says the word that opens all relays; where there is none, the loop says at once what stands for it."""
        word = LINE_FEED + encode(dialect.stop or StopAll(), dialect.form)
        word_us = dialect.channels * CLOSING_US + 5 * MS if dialect.stop is not None else 0
        self._use(word, word_us=word_us, backlog_us=(BUFFER_BYTES // len(word) + 1) * word_us)
        self._learn_stops(dialect)

    def _learn_stops(self, dialect: Dialect) -> None:
        self._emergency, self._orderly = emergency(dialect, self._touched), orderly(dialect, self._touched)

    def _stop_for(self, goal: DriverState) -> StopSequence:
        return self._orderly if goal is _S.DISARMED else self._emergency

    def _greet(self, now_us: int) -> None:
        """Nothing beside what :meth:`_wait_for_connection` says."""

    def _why_not_connected(self) -> str:
        return f"what is at {self._name} does not answer as an {self.title}"

    # --- saying ----------------------------------------------------------------------------------------------------

    def _ask_whether_quiet(self, now_us: int, *, again: bool = False) -> None:
        """Opens all relays on most firmwares, and no firmware closes one for it; all of them print that they have read it."""
        if self._dialect is None or now_us < self._free_us:
            return
        self._line.say(encode(self._dialect.stop or StopAll(), self._dialect.form))
        self._free_us, self._asked_us = now_us + self._deaf_us, now_us
        self._question = Question(_READS, 0, 0, now_us, ECHO_US, again)

    @property
    def _deaf_us(self) -> int:
        """How long the board may be deaf after it has been told to open all relays, with the line's own time."""
        return (self._dialect.channels if self._dialect is not None else 0) * CLOSING_US + 50 * MS

    def _stop_written(self, data: bytes, now_us: int) -> None:  # noqa: ARG002 - each part takes as long
        self._free_us = now_us + self._deaf_us

    def _prepare(self, setups: tuple[Setup, ...]) -> str:
        """Without a calibration nobody knows what flows; and nothing is armed that was not measured."""
        self._alive = False
        outputs = [setup.output for setup in setups if setup.amplitude_ua]
        known = {} if self._calibration is None else self._calibration.measured
        self._touched |= frozenset(outputs)
        if self._dialect is not None:
            self._learn_stops(self._dialect)
        unknown = [output + 1 for output in outputs if output not in known]
        return self.misfit(()) or (
            f"outputs {unknown} are not in the calibration; measure them first" if unknown else ""
        )

    def _next(self, now_us: int) -> None:
        """Armed once it has shown that it reads, and has opened its relays over it, which makes it deaf for a while."""
        if self._state is _S.ARMING and self._alive:
            if now_us >= self._free_us:
                self._arm_now(now_us)
        else:
            super()._next(now_us)

    def _arm_now(self, now_us: int) -> None:  # noqa: ARG002 - there is nothing to say
        if self._worn is None or self._dialect is None or self._calibration is None:
            return
        if not self._latch.tripped:
            self._worn.is_sent = True
            self._relays, self._echoes, self._permit = Relays(self._dialect, self._calibration), Echoes(), None
            self._state = _S.ARMED
            self._events.append(w.Armed())

    def _speak(self, worn: Worn, now_us: int) -> None:
        """The newest setting, and what prolongs it once for each look that is owed to the beat."""
        relays = self._relays
        self._echoes.advance(now_us)
        if relays is None:
            return
        if self._echoes.why:
            self._fault(f"{self._echoes.why}; {self._way_out}", now_us)
        elif worn.is_overdue(now_us):
            self._fault("the newest setting did not reach the board", now_us)
        elif relays.has_run_out(now_us):
            self._fault("the relays have opened because this program came too late to prolong them", now_us)
        elif now_us >= self._free_us and not self._line.is_busy():
            self._say_next(worn, relays, now_us)

    def _say_next(self, worn: Worn, relays: Relays, now_us: int) -> None:
        """What is due, one thing: a look that finds nothing to prolong takes nobody's turn."""
        if worn.wants_look:
            worn.wants_look = False
            if self._permit is not None:
                self._say(worn, relays.prolong(self._permit), now_us)
            self._report(worn)
        if now_us < self._free_us:
            return
        if (approved := worn.take_waiting()) is not None:
            self._permit, worn.out = approved, approved.command
            if self._say(worn, relays.change(approved, now_us), now_us):
                worn.was_taken()
        elif not relays.closed() and now_us - self._asked_us >= self.status_us:
            self._ask_at_zero(now_us)

    def _ask_at_zero(self, now_us: int) -> None:
        """An armed board that has nothing to do is asked whether it reads, as an idle one is."""
        self._ask_whether_quiet(now_us)
        self._question = None
        if self._dialect is not None:
            self._echoes.wrote(encode(self._dialect.stop or StopAll(), self._dialect.form), now_us)

    def _say(self, worn: Worn, write: Write, now_us: int) -> bool:
        """Write, if what it comes from still holds."""
        if self._relays is None or self._permit is None:
            return False
        if write.data:
            if not self._line.say_approved(write.data, self._permit):
                worn.dropped += 1
                return False
            self._echoes.wrote(write.data, now_us)
            self._free_us = now_us + write.takes_us
        self._relays.wrote(write, now_us)
        return True

    def _report(self, worn: Worn) -> None:
        """What was told; whether it flows no word of the board's says."""
        closed = {} if self._relays is None else self._relays.closed()
        count = self.facts.outputs if self.facts is not None else 0
        told = (worn.told_ua(output) if output in closed else 0 for output in range(count))
        self._events.append(w.Reported(True, False, False, tuple(OutputReport(ua, None, None) for ua in told)))

    # --- hearing ---------------------------------------------------------------------------------------------------

    def _take(self, data: bytes, now_us: int) -> None:
        if self._state is _S.CONNECTING:
            if self._acquaintance is not None:
                self._acquaintance.feed(data, now_us)
            return
        for word in self._decoder.feed(data):
            if self._state is not _S.LOST:
                self._hear(word, now_us)

    def _hear(self, word: BoardWord, now_us: int) -> None:
        if isinstance(word, Ready) and self._state in IDLE | LIVE:
            self._fault("the openEMSstim has booted again; look at its cable and supply", now_us)
        elif self._state is _S.ARMED:
            if not (isinstance(word, Trouble) and self._is_no_stop(word)):
                self._echoes.hear(word)
            self._doubt = False
        elif _is_echo(word) and (self._state is not _S.ARMING or self._question is not None):
            self._shows_life()

    def _is_no_stop(self, word: Trouble) -> bool:
        """Whether it is what a firmware without a stop says to the one that the others know."""
        return self._dialect is not None and self._dialect.stop is None and _NO_CHANNEL in word.text


def _is_echo(word: BoardWord) -> bool:
    """Whether the board has printed something that it has read."""
    if isinstance(word, Ready):
        return False
    return isinstance(word, Received | Trouble) or word.text.startswith(_FULL)
