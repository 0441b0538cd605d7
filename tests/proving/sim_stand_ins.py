"""What stands in for the machine around the session: the person's body, the face, the clock, the stop thread's turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from stimctl.control.contract import Ending
from stimctl.control.stopping import StopThread
from stimctl.errors import StimctlError
from stimctl.orders import Order, Status
from stimctl.session.core import Session
from stimctl.sim.patient import Patient
from stimctl.sim.volition import Attempt
from tests.proving.sim_faults import MS

if TYPE_CHECKING:
    from tests.proving.sim_world import World

WAKE_FD: Final = 5
FACE_FD: Final = 6


class SimPatient(Patient):
    """The patient, who feels every change: the world's eye at the pads."""

    felt: Callable[[int, Any, int], None] | None = None
    tried: Callable[[Attempt], None] | None = None

    def cue(self, now_us: int) -> Attempt | None:
        attempt = super().cue(now_us)
        if attempt is not None and self.tried is not None:
            self.tried(attempt)
        return attempt

    def set_output(self, output: int, train: Any, now_us: int) -> None:
        super().set_output(output, train, now_us)
        if self.felt is not None:
            self.felt(output, train, now_us)


class SimStop:
    """The stop thread's own methods without its thread; the world says when it looks."""

    stop_session: Any = StopThread.stop_session
    look: Any = StopThread._look
    _end: Any = StopThread._end

    def __init__(self, session: Any, wake: Callable[[], None]) -> None:
        self.ending: Ending | None = None
        self.failure: Exception | None = None
        self.stops, self.reason, self.due_s = 0, "", float("inf")
        self._session, self._wake = session, wake
        self._stalled, self._forward = False, None


class SimWake:
    def __init__(self) -> None:
        self.called = False

    def __call__(self) -> None:
        self.called = True

    def fileno(self) -> int:
        return WAKE_FD

    def clear(self) -> bool:
        called, self.called = self.called, False
        return called


class SimFace:
    """A face as the control loop sees one: its port, and whether it is there. The operator sits before it."""

    def __init__(self, world: World) -> None:
        self._w = world
        self.port = self
        self.awake = True
        self.frozen = self.gone = False
        self.beat_us = world.time.now_us
        self.status: Status | None = None
        self._look_us = 0

    @property
    def beat_s(self) -> float:
        if not self.frozen and not self.gone:
            self.beat_us = self._w.time.now_us
        return self.beat_us / 1e6

    def fileno(self) -> int:
        return FACE_FD

    def orders(self) -> list[Order]:
        now_us = self._w.time.now_us
        if self.frozen or self.gone or self.status is None or now_us < self._look_us:
            return []
        self._look_us = now_us + self._w.habits.look_us
        return list(self._w.operator(self.status, now_us))

    def wants_status(self, *, at_once: bool = False) -> bool:
        return self.status is None or at_once or self._w.time.now_us + 10 * MS >= self._look_us

    def show(self, status: Status) -> None:
        self._w.judge.shown(status)
        if not self.frozen:
            self.status = status

    def follow_size(self) -> None:
        """A window of its own has no terminal's size to follow."""

    def fate(self) -> Ending:
        return Ending("the screen was closed", 0)


class SimClock:
    """The control loop's clock: every sleep is the world's turn."""

    waits = True

    def __init__(self, world: World) -> None:
        self._w = world

    def now_us(self) -> int:
        return self._w.time.now_us

    def sleep_until(self, us: int, fds: Sequence[int] = ()) -> None:
        self._w.pass_time(us, fds)

    def late_us(self, due_us: int) -> int:
        return self._w.time.now_us - due_us


class Observed:
    """The session as the control loop gets it: the same, with somebody who writes down what is asked of it."""

    def __init__(self, world: World, session: Session) -> None:
        self._w, self._s = world, session
        self.status, self.fileno, self.next_wake_us = session.status, session.fileno, session.next_wake_us

    def order(self, order: Order, now_us: int) -> None:
        world, state = self._w, str(self._s.state)
        selected = self._s.selected
        world.note(lambda: f"order {order.kind} {order.name} {order.value} in {state}")
        world.model.before(order, state, selected, now_us)
        try:
            world.interrupted(lambda: self._s.order(order, now_us))
        except StimctlError:
            world.model.after(order, state, selected, now_us, accepted=False)
            world.note(lambda: "    refused")
            raise
        world.accepted(order, state, selected, now_us)

    def tick(self, now_us: int) -> None:
        world = self._w
        world.owed.came_round(world.time.now_us)
        world.interrupted(lambda: self._s.tick(now_us))
        world.passed_us = world.time.now_us
        world.passes += 1

    def stop_now(self, reason: str) -> None:
        self._w.stop(reason)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s, name)
