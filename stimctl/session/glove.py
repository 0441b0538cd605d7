"""The session's robot glove: where its lines are read, what its turns set off, and the end of output when it is not ready.

Nothing here sends anything to the board. A turn goes to the engine as its switch would; a glove that is not ready is a fault
like any other: zero and the latch at once, and no start before it is ready again. The other way round, a stop or fault of the
session takes the glove's permission to move.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from stimctl.engine import State
from stimctl.errors import LinkLost, UsageError
from stimctl.orders import OrderKind as Kind
from stimctl.schedule import Schedule
from stimctl.sensors.glove import GloveReader, GloveSource, Turn, WiredGlove, heard
from stimctl.transport import open_lines
from stimctl.units import MS

if TYPE_CHECKING:
    from stimctl.session.core import Session

LOOK_US: Final = 20 * MS
"""How often the lines are read while anything may flow."""

SIMULATED: Final = "sim:"
WIRED: Final = "line:"
"""How the URL of a glove begins that is wired to a serial port of this computer."""

_NEEDS: Final = f"this protocol is led by a robot glove: name its line, as in --robot {WIRED}/dev/ttyUSB1"
_ARMING_KINDS: Final = (Kind.START, Kind.RESUME)


def wanted(schedule: Schedule) -> bool:
    """Whether a schedule is led by a robot glove."""
    return schedule.trigger is not None and schedule.trigger.robot


def check(schedule: Schedule, url: str, *, simulated: bool) -> None:
    """Raise :class:`UsageError` where ``url`` is no glove for this schedule and board; opens nothing."""
    if not wanted(schedule):
        if url:
            raise UsageError(f"this protocol is not led by a robot glove; leave out --robot {url}")
        return
    if url not in ("", SIMULATED) and not (url.startswith(WIRED) and url != WIRED):
        raise UsageError(f"{url!r} is not a robot glove; write {SIMULATED} or {WIRED}PORT")
    if not simulated and url in ("", SIMULATED):
        raise UsageError(_NEEDS if not url else f"a simulated glove leads nobody on a real board; {_NEEDS}")


def opened(schedule: Schedule, url: str, seed: int) -> Glove | None:
    """The glove that leads, with its port open; ``None`` where none does. Raises what keeps it from being opened."""
    if not wanted(schedule):
        return None
    if url.startswith(WIRED):
        return Glove(WiredGlove(open_lines(url.removeprefix(WIRED))))
    from stimctl.sim.glove import SimulatedGlove

    return Glove(SimulatedGlove(seed))


@final
class Glove:
    """One glove for one session. All times are session µs."""

    def __init__(self, source: GloveSource) -> None:
        self.source = source
        self.reader = GloveReader()
        self.openings = self.faults = 0
        self._told = self.reader.fault
        self._moves: bool | None = None

    def heard(self, session: Session, now_us: int) -> bool:
        """Whether the glove turned just now in a way that the engine is to take for its switch. A fault ends output."""
        self._permit(session)
        turn = self.reader.step(now_us, heard(self.source, now_us) if self._moves is not None else None)
        armed = session.engine.armed or session.is_arming
        if armed and self.reader.fault:
            self.faults += 1
            session.fault(f"the robot glove {self.reader.fault}", now_us)
            self._permit(session)
        self._tell(session, now_us)
        if turn is None or not armed:
            return False
        session.diary.write("robot-turn", {"glove": turn.value}, now_us)
        self.openings += turn is Turn.OPENS
        return self._is_meant(session.state, turn)

    def _permit(self, session: Session) -> None:
        """It may move as long as no stop or fault is in force; where it cannot be told, its line is as good as lost."""
        moves = not session.latch.tripped and not session.engine.stopped
        if moves is self._moves:
            return
        try:
            self.source.permit(moves=moves)
            self._moves = moves
        except LinkLost:
            self._moves = None

    def _tell(self, session: Session, now_us: int) -> None:
        """Record that it became ready, or why it is not."""
        if self._told == self.reader.fault:
            return
        self._told = self.reader.fault
        kind, words = ("robot-not-ready", self._told) if self._told else ("robot-ready", "is ready")
        session.diary.write(kind, {"why": self._told}, now_us, f"The robot glove {words}")

    @staticmethod
    def _is_meant(state: State, turn: Turn) -> bool:
        """Opening sets a movement off; in it each turn goes on. A trial runs by the clock, and closing cuts it short."""
        if state is State.LISTENING:
            return turn is Turn.OPENS
        return state is State.BURST or (state is State.TRIAL and turn is Turn.CLOSES)

    def require_ready(self) -> None:
        """Raise :class:`UsageError` unless the glove is ready: nothing is armed before."""
        if self.reader.fault:
            raise UsageError(f"the robot glove {self.reader.fault}; nothing is armed before it is ready")

    def next_due_us(self, session: Session, now_us: int) -> int | None:
        """When the lines are to be read again at the latest; ``None`` where the session's own pace will do."""
        return now_us + LOOK_US if session.engine.armed or session.is_arming else None

    # --- for people --------------------------------------------------------------------------------------------------

    def can(self, listed: tuple[Kind, ...]) -> tuple[Kind, ...]:
        """The orders that make sense now: the glove is the switch, and nothing starts before it is ready."""
        away = {Kind.KEY, *(_ARMING_KINDS if self.reader.fault else ())}
        return tuple(kind for kind in listed if kind not in away)

    def words(self, state: State, say: str = "") -> str:
        """What to do now, "" where the glove has nothing of its own to say; ``say``: what the patient is told to try."""
        if state in (State.THRESHOLDS, State.READY, State.PAUSED) and self.reader.fault:
            return f"Output off. The robot glove {self.reader.fault}: look at it; nothing starts before it is ready."
        if state is State.LISTENING:
            return f"The robot glove opens next: {say.rstrip('.!')}."
        return ""

    def review_lines(self) -> tuple[str, ...]:
        """How the session was led."""
        return (f"Robot glove: opened {self.openings} times while armed; faults that ended output: {self.faults}",)

    def close(self) -> None:
        """Let go of its port."""
        self.source.close()
