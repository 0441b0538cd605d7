"""A driver of a board without a dead-man on its twin: a line that can lose and lie, a clock that only the test moves."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar

from stimctl.driver import BoardDriver, BoardEvent, DriverState, Reported, Setup
from stimctl.envelope.latch import approve
from stimctl.pulse import Command, Output, PulseTrain, symmetric
from stimctl.safety import Approved, Latch
from stimctl.sim.chassis import Chassis
from stimctl.sim.link import SimLink
from stimctl.transport import Transport

MS = 1_000
SECOND = 1_000_000

TwinT = TypeVar("TwinT", bound=Chassis)
MakeDriver = Callable[[Transport, Latch, Callable[[], int]], BoardDriver]


class Between(Generic[TwinT]):
    """A twin behind a line on which words get lost or changed. ``raw`` is all that has left the host, each write apart."""

    def __init__(self, twin: TwinT) -> None:
        self.twin = twin
        self.writes: list[tuple[int, bytes]] = []
        self.deaf = False
        """Nothing that the host says reaches the board."""
        self.mute = False
        """Nothing that the board says reaches the host."""
        self.change: Callable[[bytes], bytes] = lambda said: said
        """What becomes of what the board says."""
        self.extra = b""

    @property
    def raw(self) -> bytes:
        return b"".join(data for _, data in self.writes)

    def feed(self, data: bytes, now_us: int) -> None:
        self.writes.append((now_us, data))
        if not self.deaf:
            self.twin.feed(data, now_us)

    def advance(self, now_us: int) -> None:
        self.twin.advance(now_us)

    def outgoing(self) -> bytes:
        said = self.change(self.twin.outgoing()) + self.extra
        self.extra = b""
        return b"" if self.mute else said

    def next_event_us(self, now_us: int) -> int | None:
        return now_us if self.extra else self.twin.next_event_us(now_us)


class TrainsRig(Generic[TwinT]):
    """Time passes in steps of 5 ms; the control loop beats in each, unless it hangs."""

    setups: tuple[Setup, ...]
    rate_mhz: int
    width_us: int
    gap_us: int = 0
    connect_us: int = SECOND
    connect_step_us: int = 5 * MS

    def __init__(self, twin: Callable[[int], TwinT], make: MakeDriver) -> None:
        self.now_us = SECOND
        self.twin = twin(self.now_us)
        self.line = Between(self.twin)
        self.link: SimLink[Between[TwinT]] = SimLink(self.line, lambda: self.now_us)
        self.latch = Latch()
        tokens = itertools.count(7)
        self.driver = make(self.link, self.latch, lambda: next(tokens))
        self.events: list[BoardEvent] = []
        self.reports: list[Reported] = []
        self.loops = 0
        self.beating = True

    def run(self, us: int = 20 * MS, *, step: int = 5 * MS) -> list[BoardEvent]:
        """Let time pass; returns what the driver told, reports left out."""
        before = len(self.events)
        for _ in range(us // step):
            self.now_us += step
            self.loops += 1
            told = self.driver.poll(self.now_us)
            if self.beating:
                self.driver.beat(self.loops, self.now_us)
            self.reports += [event for event in told if isinstance(event, Reported)]
            self.events += [event for event in told if not isinstance(event, Reported)]
        return self.events[before:]

    def connected(self) -> Self:
        self.driver.open(self.now_us)
        self.run(self.connect_us, step=self.connect_step_us)
        assert self.driver.state is DriverState.DISARMED, self.events
        return self

    def armed(self) -> Self:
        self.connected()
        self.driver.arm(self.setups, self.now_us)
        self.run(SECOND)
        assert self.driver.state is DriverState.ARMED, self.events
        return self

    def train(self, ua: int, **more: int) -> PulseTrain:
        width_us, rate_mhz = more.pop("width_us", self.width_us), more.pop("rate_mhz", self.rate_mhz)
        return symmetric(ua, width_us, rate_mhz, interphase_gap_us=more.pop("interphase_gap_us", self.gap_us), **more)

    def approved(self, *ua: int) -> Approved:
        return self.approve(*(Output(n, self.train(each)) for n, each in enumerate(ua)))

    def approve(self, *outputs: Output) -> Approved:
        return approve(Command(tuple(outputs)), self.latch.epoch, self.latch)

    def send(self, *ua: int) -> None:
        self.driver.send(self.approved(*ua), self.now_us)

    def delivering(self, *ua: int) -> Self:
        self.armed()
        self.send(*ua)
        self.run(300 * MS)
        assert [bool(each) for each in self.peaks_ua(300 * MS)[: len(ua)]] == [bool(each) for each in ua]
        return self

    def pulses(self, output: int, since_us: int, until_us: int | None = None) -> list[tuple[int, PulseTrain]]:
        self.twin.advance(self.now_us)
        return self.twin.ledger[output].pulses_between(since_us, self.now_us if until_us is None else until_us)

    def peaks_ua(self, lately_us: int) -> list[int]:
        """The highest pulse of each output in the time just past."""
        self.twin.advance(self.now_us)
        since_us = self.now_us - lately_us
        return [
            max((train.amplitude_ua for _, train in self.pulses(n, since_us)), default=0)
            for n in range(len(self.twin.ledger))
        ]

    def silent_since(self, since_us: int) -> bool:
        """Whether no pulse has begun anywhere after that."""
        return not any(self.pulses(n, since_us) for n in range(len(self.twin.ledger)))

    def apart_us(self, output: int, since_us: int = 0) -> int:
        """The shortest time between two pulses of one output."""
        times = [at for at, _ in self.pulses(output, since_us)]
        return min((b - a for a, b in itertools.pairwise(times)), default=0)


def states(*ua: int, connecting_us: int, arming_us: int) -> dict[str, Callable[[Any], object]]:
    """Where a stop, a silence or a pulled cable may find a driver: what brings a fresh rig there.

    ``ua`` is what runs, and the times lie within those that the board takes to connect and to arm.
    """

    def connecting(rig: Any) -> None:
        rig.driver.open(rig.now_us)
        rig.run(connecting_us)

    def arming(rig: Any) -> None:
        rig.connected()
        rig.driver.arm(rig.setups, rig.now_us)
        rig.run(arming_us)
        assert rig.driver.state is DriverState.ARMING

    def stopping(rig: Any) -> None:
        rig.delivering(ua[0])
        rig.driver.stop("first")
        rig.run(5 * MS)

    return {
        "connecting": connecting,
        "connected": lambda rig: rig.connected(),
        "arming": arming,
        "at zero": lambda rig: rig.armed().send(0, 0),
        "starting": lambda rig: rig.armed().send(*ua),
        "running": lambda rig: rig.delivering(*ua),
        "stopping": stopping,
    }
