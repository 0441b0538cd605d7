"""What a session orders of a board that speaks a language of its own, the same for all of them; ``plain`` has what follows."""

from __future__ import annotations

from abc import abstractmethod
from typing import Self

from stimctl.driver import words as w
from stimctl.driver.plain import IDLE, LIVE, Plain
from stimctl.driver.words import DriverState, Setup
from stimctl.driver.worn import Worn
from stimctl.errors import LinkLost, OurBug, UsageError
from stimctl.safety import Approved

_S = DriverState


class Orders(Plain):
    """Takes the orders of :class:`~stimctl.driver.contract.BoardDriver`, and leaves what is said for them to its heirs."""

    def succeed(self, lost: Self) -> None:
        """Nothing is known of pads that would have to be carried over: such a board measures none."""

    def pads_confirmed(self, output: int) -> None:
        """The same."""

    def open(self, now_us: int) -> None:
        """Stop whatever the board may be doing, and ask who is there."""
        self._since_us = self._again_us = self._polled_us = now_us
        with self._link():
            self._wait_for_connection(now_us)

    def arm(self, setups: tuple[Setup, ...], now_us: int) -> None:
        """Arm at zero, once the board has said that it is at zero now."""
        if self.state not in IDLE or self._latch.tripped:
            raise UsageError(f"the board cannot be armed while {self._latch.reason or self.state}; clear that first")
        outputs = [setup.output for setup in setups]
        if self.facts is None or not outputs or len(set(outputs)) != len(outputs):
            raise OurBug(f"cannot arm outputs {outputs}")
        if not all(0 <= output < self.facts.outputs for output in outputs):
            raise OurBug(f"outputs {outputs} on a board that has {self.facts.outputs}")
        if why := self._prepare(setups):
            raise UsageError(why)
        self._state, self._since_us, self._ask_us = _S.ARMING, now_us, now_us
        self._worn = Worn(self._latch, setups)
        with self._link():
            self._ask_whether_quiet(now_us)  # whatever was asked before: its answer is of before

    def configure(self, setups: tuple[Setup, ...], now_us: int) -> None:  # noqa: ARG002 - the ceilings stand here
        """Narrow the ceilings of armed outputs."""
        if self.state is _S.ARMED and self._worn is not None:
            self._worn.narrow(setups)

    def send(self, approved: Approved, now_us: int) -> None:
        """Have the board repeat this from now on."""
        if type(approved) is not Approved:
            raise OurBug(f"{type(approved).__name__} is not what the limiter approved")
        if self.state is not _S.ARMED or self._worn is None:
            self._dropped += 1
            return
        self._worn.put(approved, now_us)
        with self._link():
            self._speak(self._worn, now_us)

    def beat(self, loop_counter: int, now_us: int) -> None:
        """The control loop has come round: the board may be asked how it is, which keeps it going."""
        if self._worn is not None and self.state is _S.ARMED:
            self._worn.beat(loop_counter, now_us)
            with self._link():
                self._speak(self._worn, now_us)

    def listen(self, on: bool, now_us: int) -> None:  # noqa: ARG002 - there is nothing to hear
        """Such a board has no analog input."""
        if on:
            raise UsageError("this board has no analog input; choose another source of EMG")

    def disarm(self, now_us: int) -> None:
        """End the session in order: as a stop, without tripping the latch."""
        if self.state in LIVE:
            self._begin_stop(_S.DISARMED, now_us)
            with self._link():
                self._insist(now_us)

    def close(self) -> None:
        """Stop, and let go of the port. Idempotent; never raises."""
        self._line.write_stop()
        self._line.close()
        self._state = _S.LOST

    def poll(self, now_us: int) -> tuple[w.BoardEvent, ...]:
        """Read, judge, answer, and keep time."""
        if self._state is not _S.LOST:
            try:
                data = self._line.hear()
                self._notice_stop(now_us)  # before the answers to it are read
                self._mind_absence(now_us)  # before what has waited in the line for as long passes for the present
                self._take(data, now_us)
                self._keep_time(now_us)
            except LinkLost as error:
                self._lose(error)
        events, self._events = tuple(self._events), []
        return events

    # --- what a language adds --------------------------------------------------------------------------------------

    @abstractmethod
    def _take(self, data: bytes, now_us: int) -> None:
        """What has arrived: make words of it, and judge each."""

    def _prepare(self, setups: tuple[Setup, ...]) -> str:  # noqa: ARG002 - others ask for more
        """Get ready to arm so; why the board cannot be, or ""."""
        return ""
