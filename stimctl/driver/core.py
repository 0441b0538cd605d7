"""The driver: one board, one connection, from HELLO to the last STOP. Poll-driven; time is an argument."""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

from stimctl.boards.reference import messages as m
from stimctl.driver.armed import ArmedSession
from stimctl.driver.conversation import IDLE, LIVE, STOP_AGAIN_US
from stimctl.driver.hearing import Hearing
from stimctl.driver.words import BoardEvent, DriverState, OutputState, Setup
from stimctl.errors import LinkLost, OurBug, UsageError
from stimctl.pulse import PulseTrain
from stimctl.safety import Approved

_S = DriverState


@final
class Driver(Hearing):
    """Speaks with one reference board. Every method belongs to one thread, except :meth:`stop`.

    ``tokens`` gives a new number from 1 to 2^32-1 for each arming. A driver never arms by itself, never sends a setting
    twice, and once ``LOST`` stays so: connecting again is another driver, which begins with a stop. A trip of the
    latch by whomever stops the board, at the latest with the next :meth:`poll`.
    """

    # --- what is known ---------------------------------------------------------------------------------------------

    @property
    def output(self) -> OutputState:
        """What is known about output: off from the board's own words alone, and not once it was told to arm."""
        state = self.state
        if state in IDLE:
            return OutputState.OFF if self._is_quiet() and not self._doubt else OutputState.UNKNOWN
        session = self._session  # one look: the stop's thread asks as well, and the control loop may end it meanwhile
        if state not in LIVE or self._doubt or session is None:
            return OutputState.UNKNOWN
        if session.is_sent:
            return OutputState.ON
        return OutputState.OFF if self._is_quiet() else OutputState.UNKNOWN

    @property
    def dropped(self) -> int:
        """Approved commands that did not leave: stale, superseded while the line was busy, or while not armed."""
        return self._dropped + (self._session.dropped if self._session else 0)

    @property
    def malformed(self) -> int:
        """Damaged frames received so far."""
        return self._decoder.malformed

    def fileno(self) -> int | None:
        """What ``select`` can wait on before the next :meth:`poll`, or ``None``."""
        return self._line.fileno()

    def misfit(self, trains: Iterable[tuple[int, PulseTrain]]) -> str:  # noqa: ARG002 - its wire has room for all
        """Why this board cannot give these trains at the same time: what it could not is beyond its steps and limits."""
        return ""

    # --- the pads --------------------------------------------------------------------------------------------------

    def succeed(self, lost: Driver) -> None:
        """Take over what ``lost`` knew of the pads: the same board was found again, and nobody has looked at them."""
        self._contacts = lost._contacts

    def pads_confirmed(self, output: int) -> None:
        """A person has looked at the pads of ``output``: the impedance that comes next is the one to compare with."""
        self._contacts.forget(output)

    # --- orders ----------------------------------------------------------------------------------------------------

    def open(self, now_us: int) -> None:
        """Stop whatever the board may be doing, and ask who is there; :class:`Connected` or :class:`Lost` follows."""
        self._since_us = self._polled_us = now_us
        self._line.renew_stop()
        with self._link():
            self._say_hello(now_us)

    def arm(self, setups: tuple[Setup, ...], now_us: int) -> None:
        """Open a session with these ceilings, at zero; :class:`Armed` or :class:`Refused` follows.

        Raises :class:`UsageError` unless the board is known to be disarmed and the latch is clear, and
        :class:`OurBug` for outputs that the board does not have.
        """
        if self.state not in IDLE or self._latch.tripped:
            raise UsageError(f"the board cannot be armed while {self._latch.reason or self.state}; clear that first")
        outputs = [setup.output for setup in setups]
        if self.facts is None or not outputs or len(set(outputs)) != len(outputs):
            raise OurBug(f"cannot arm outputs {outputs}")
        if not all(0 <= output < self.facts.outputs for output in outputs):
            raise OurBug(f"outputs {outputs} on a board that has {self.facts.outputs}")
        token = self._tokens()
        if not 0 < token <= 0xFFFF_FFFF or token == self._token:
            raise OurBug(f"{token} is no fresh session token")
        self._token, self._state, self._since_us = token, _S.ARMING, now_us
        self._session = ArmedSession(self._line, self._exchange, self.facts, self._latch, token, setups, self._contacts)
        # The answer brings the challenge as it is after every stop that may still be in the line.
        self._ask(m.StatusRequest(), now_us)

    def configure(self, setups: tuple[Setup, ...], now_us: int) -> None:
        """Narrow the ceilings of armed outputs; wider ones the board takes only before any output. Ignored unless armed."""
        if self.state is _S.ARMED and self._session is not None:
            self._session.configure(setups)
            if not self._exchange.is_open(m.Configure):
                with self._link():
                    self._session.set_next_ceiling(now_us)

    def send(self, approved: Approved, now_us: int) -> None:
        """Have the board deliver this from now on. The newest wins; what a stop made void is dropped and counted.

        Raises :class:`OurBug` for anything that the limiter has not approved under the same latch, and for
        outputs that are not armed.
        """
        if type(approved) is not Approved:
            raise OurBug(f"{type(approved).__name__} is not what the limiter approved")
        if self.state is not _S.ARMED or self._session is None:
            self._dropped += 1
            return
        with self._link():
            self._session.send(approved, now_us)

    def beat(self, loop_counter: int, now_us: int) -> None:
        """Prove that the control loop advances; call once in every round, before :meth:`send`, from nowhere else."""
        self._counter = loop_counter
        if self._session is not None and self.state in LIVE:
            try:
                self._session.beat(loop_counter, now_us)
            except LinkLost as error:
                self._lose(error)

    def listen(self, on: bool, now_us: int) -> None:
        """Begin or end the analog input's samples; raises :class:`UsageError` on a board without one."""
        if self.facts is None or (on and not self.facts.analog_rate_hz):
            raise UsageError("this board has no analog input; choose another source of EMG")
        self._listening = on
        self._analog.restart()
        self._ask(m.Listen(self.facts.analog_rate_hz if on else 0), now_us)

    def stop(self, reason: str = "stop") -> None:
        """Output to zero, now: trips the latch and writes the stop before anything else that waits.

        Any thread, any instant, any state; needs no permission, waits at most 50 ms, never raises. It is repeated
        by :meth:`poll` until the board confirms it.
        """
        self._line.stop(reason)

    def disarm(self, now_us: int) -> None:
        """End the session in order: as a stop, without tripping the latch."""
        if self.state in LIVE:
            self._begin_stop(_S.DISARMED, now_us)
            self._line.write_stop()
            self._again_us = now_us + STOP_AGAIN_US

    def close(self) -> None:
        """Stop, and let go of the port. Idempotent; never raises."""
        self._line.write_stop()
        self._line.close()
        self._state = _S.LOST

    # --- the round -------------------------------------------------------------------------------------------------

    def poll(self, now_us: int) -> tuple[BoardEvent, ...]:
        """Read, judge, answer, and keep time; call in every round, and whenever :meth:`fileno` is readable."""
        if self._state is not _S.LOST:
            try:
                data = self._line.hear()
                self._notice_stop(now_us)  # before the answers to it are read
                for frame in self._decoder.feed(data):
                    self._hear(frame, now_us)
                self._keep_time(now_us)
                self._mind_absence(now_us)
            except LinkLost as error:
                self._lose(error)
        events, self._events = tuple(self._events), []
        return events
