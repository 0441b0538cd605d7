"""What a session needs from the driver of any board, whatever language that board speaks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, Self, runtime_checkable

from stimctl.boards import BoardFacts
from stimctl.driver.words import BoardEvent, DriverState, OutputState, Setup
from stimctl.pulse import PulseTrain
from stimctl.safety import Approved


class BoardDriver(Protocol):
    """One board, one connection. Every method belongs to the control loop's thread, except :meth:`stop`.

    Whoever implements it promises what no type can say:

    - OFF is the board's own word, asked for after whatever could have made it untrue. Where an answer is missing, UNKNOWN.
    - :meth:`stop` trips the latch and hands over one prepared write, from any thread; :meth:`poll` repeats it until the
      board confirms. Nothing approved before it leaves after it.
    - Nothing that energises is ever said twice, and a lost driver stays lost.
    - What keeps a board going is said for :meth:`beat` alone, once for each advance of its counter at most.
    - A reading that a board cannot give is ``None``, never a guess.
    """

    facts: BoardFacts | None
    """Who the board is; ``None`` until :class:`~stimctl.driver.words.Connected`."""

    @property
    def state(self) -> DriverState:
        """Where this driver stands; a stop shows at once, from whichever thread it came."""

    @property
    def output(self) -> OutputState:
        """What is known about output, from the board's own words alone."""

    @property
    def dropped(self) -> int:
        """Approved commands that did not leave."""

    @property
    def malformed(self) -> int:
        """Damaged frames received so far."""

    def misfit(self, trains: Iterable[tuple[int, PulseTrain]]) -> str:
        """Why this board cannot give these trains at the same time, in plain words; "" where it can.

        ``trains`` are those of each output, which count from 0. What the limits refuse anyhow need not be told here.
        """

    def fileno(self) -> int | None:
        """What ``select`` can wait on before the next :meth:`poll`, or ``None``."""

    def succeed(self, lost: Self) -> None:
        """Take over what ``lost`` knew of the pads: the same board was found again, and nobody has looked at them."""

    def pads_confirmed(self, output: int) -> None:
        """A person has looked at the pads of ``output``."""

    def open(self, now_us: int) -> None:
        """Stop whatever the board may be doing, and ask who is there; ``Connected`` or ``Lost`` follows."""

    def arm(self, setups: tuple[Setup, ...], now_us: int) -> None:
        """Ask for output at zero, with these ceilings; ``Armed``, ``Refused`` or ``Faulted`` follows.

        Raises :class:`UsageError` where that cannot be now, :class:`OurBug` for outputs that the board does not have.
        """

    def configure(self, setups: tuple[Setup, ...], now_us: int) -> None:
        """Narrow the ceilings of armed outputs. Ignored unless armed."""

    def send(self, approved: Approved, now_us: int) -> None:
        """Have the board deliver this from now on; the newest wins. Raises :class:`OurBug` for what was not approved."""

    def beat(self, loop_counter: int, now_us: int) -> None:
        """Prove that the control loop advances; call once in every round, from nowhere else."""

    def listen(self, on: bool, now_us: int) -> None:
        """Begin or end the analog input's samples; raises :class:`UsageError` on a board without one."""

    def stop(self, reason: str = "stop") -> None:
        """Output to zero, now. Any thread, any instant, any state; never raises."""

    def disarm(self, now_us: int) -> None:
        """End the session in order: as a stop, without tripping the latch."""

    def close(self) -> None:
        """Stop, and let go of the port. Idempotent; never raises."""

    def poll(self, now_us: int) -> tuple[BoardEvent, ...]:
        """Read, judge, answer, and keep time; call in every round, and whenever :meth:`fileno` is readable."""


@runtime_checkable
class Cautious(Protocol):
    """A driver of whose board other things are to be known with some trains than what the facts say in general."""

    def cautions(self, trains: Iterable[PulseTrain]) -> tuple[str, ...]:
        """What nobody should find out later of a session whose outputs give ``trains`` at their fastest."""


@runtime_checkable
class Paced(Protocol):
    """A driver whose board has no clock of its own, so that the control loop has to come round in time."""

    def due_us(self, now_us: int) -> int | None:
        """When a beat is wanted next; ``None`` where nothing waits for one."""
