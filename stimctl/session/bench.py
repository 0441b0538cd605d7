"""A board on a dummy load: steps of current, a stop, the dead-man. ``stimctl bench`` runs it as it would run a session.

The way of a pulse is that of every session: the engine wishes, the limiter judges, the driver sends; levels start at zero and
rise by a milliampere at a time. There is no other way here, and no option that opens one. One run has one end: a stop that is
timed, or heartbeats that are withheld. Each run arms once, and a person lets it begin.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from stimctl.boards import BoardFacts
from stimctl.driver import DriverState, OutputState
from stimctl.errors import OurBug
from stimctl.orders import Order, OutputWord, Stage, Status
from stimctl.schedule import CONTROL_PERIOD_US
from stimctl.session.bench_board import take
from stimctl.session.bench_run import DRIVEN, Finale, Phase, Run
from stimctl.session.unknown import output_words

_WORD: Final = {OutputState.OFF: OutputWord.OFF, OutputState.ON: OutputWord.ON}


@final
class Bench:
    """A :class:`~stimctl.control.contract.SessionLike`: the control loop's thread owns all but the stop."""

    def __init__(self, url: str, output: int, who: BoardFacts, finale: Finale, clock: Callable[[], int]) -> None:
        """Raises :class:`UsageError` for a port that cannot be had, and :class:`LinkLost`."""
        self.run = Run(url, output, who, finale, clock)
        self._stage = self.run.stage
        self._stopped = False
        self._ended_as: OutputState | None = None
        self._stage.driver.open(clock())

    @property
    def may_be_energised(self) -> bool:
        """Whether anything but a confirmed zero is possible now. Any thread."""
        return (self._ended_as or self._stage.output) is not OutputState.OFF

    @property
    def ended(self) -> bool:
        """Whether it came to its own end."""
        return self.run.phase is Phase.OVER

    def order(self, order: Order, now_us: int) -> None:  # noqa: ARG002 - there is no face
        """Nobody gives orders here: a person lets a run begin, or stops it."""
        raise OurBug(f"a bench takes no order, and was given {order.kind}")

    def stop_now(self, reason: str) -> None:
        """Any thread, any time: the stop frame and the latch. The run is over, and nothing of it is kept."""
        self._stopped = True  # first: a pass that finds the latch tripped also finds by whom
        self._stage.stop_now(reason)

    def note(self, text: str, now_us: int) -> None:  # noqa: ARG002 - there is no record
        """A remark of the control process: a late pass makes a measured time longer, never shorter."""
        if "late" in text or "asleep" in text:
            self.run.result.notes.append(text)

    def fileno(self) -> int | None:
        """The board's file descriptor, where it has one."""
        driver = self._stage.driver
        return None if driver.state is DriverState.LOST or self._ended_as is not None else driver.fileno()

    def next_wake_us(self, now_us: int) -> int:
        """When :meth:`tick` must run again at the latest."""
        due_us = self._stage.next_wake_us(now_us)
        if self.run.phase in DRIVEN:
            due_us = min(due_us, now_us + CONTROL_PERIOD_US)
        board_us = self.run.link.next_event_us(now_us)
        return max(now_us + 1, due_us if board_us is None else min(due_us, board_us))

    def status(self, now_us: int) -> Status:
        """What there is to show."""
        return Status(
            stage=Stage.RUN,
            state=self.run.phase.value,
            next_action="Ctrl+C stops",
            output=_WORD.get(self._ended_as or self._stage.output, OutputWord.UNKNOWN),
            output_words=output_words(self._ended_as or self._stage.output, self.run.who),
            simulated=self.run.who.simulated,
            board=f"{self.run.who.name} {self.run.who.serial}".strip(),
            messages=tuple(self.run.lines),
            now_us=now_us,
        )

    def close(self, reason: str, now_us: int) -> None:  # noqa: ARG002 - nothing is written down
        """Stop if that was not done yet, and let go of the port. Idempotent."""
        if self._ended_as is None:
            if self.may_be_energised:
                self.stop_now(reason)
            self._ended_as = self._stage.output
            self._stage.driver.close()

    # --- time ----------------------------------------------------------------------------------------------------

    def tick(self, now_us: int) -> None:
        """One pass: the board's words, what comes next, and last the beat to the board."""
        if self.ended or self._ended_as is not None:
            return
        run, latch = self.run, self.run.latch
        for event in self._stage.poll(now_us):
            if not self._stopped:
                take(run, event, now_us)
        if self._stopped:
            return  # by a person; the control process lets time pass until the board confirms
        if latch.tripped and not run.ours:
            run.tripped(latch.reason, now_us)
        run.step(now_us)
        if run.phase in DRIVEN:
            self._drive(now_us)

    def _drive(self, now_us: int) -> None:
        """Engine, limiter, driver, as in every session. Silence withholds the beat and nothing else."""
        run = self.run
        run.engine.step(now_us)
        self._stage.deliver(run.engine.command(), now_us)
        if run.phase is Phase.SILENT:
            return
        self._stage.beat(now_us)
        if run.phase is not Phase.LOOKING:
            run.beat_us = now_us
