"""Driver and limiter against the twin, in memory: two limiters, two memories, and only the ledger to judge."""

from __future__ import annotations

import itertools
import threading

import pytest

from stimctl.boards.reference.codec import STOP_FRAME
from stimctl.boards.reference.codes import Cause
from stimctl.driver import (
    Analog,
    Armed,
    BoardEvent,
    Connected,
    Disarmed,
    Driver,
    DriverState,
    Faulted,
    OutputState,
    Setup,
    Stopped,
)
from stimctl.errors import LimitsDisagree, LinkLost
from stimctl.limits import BodyPart, Effect, Sensation, profile
from stimctl.pulse import Command, Output, PulseTrain
from stimctl.safety import Burst, Latch, Limiter, Pad, Placement
from stimctl.sim.faults import Fault, FaultKind
from stimctl.sim.link import SimLink
from stimctl.sim.tissue import Report
from tests.sim_host import MS, SECOND, Host, make_twin, train

AREA = 2_500_000_000
FOREARM = profile(BodyPart.FOREARM, Effect.MOTOR, smallest_pad_um2=AREA)
BURST = Burst(SECOND, 5 * SECOND, SECOND, 15 * SECOND)


class Bench:
    """A driver on a twin, one extensor channel, and a clock that only the test moves."""

    def __init__(self, *faults: Fault) -> None:
        self.now_us = 1_000_000
        self.twin = make_twin(*faults)
        self.link = SimLink(self.twin, lambda: self.now_us)
        self.latch = Latch()
        tokens = itertools.count(7)
        self.driver = Driver(self.link, self.latch, tokens=lambda: next(tokens))
        self.events: list[BoardEvent] = []
        self.loops = 0
        self.beating = True
        self.driver.open(self.now_us)
        self.run(300 * MS)

    def run(self, us: int) -> None:
        end = self.now_us + us
        while self.now_us < end:
            self.now_us += 20 * MS
            self.loops += 1
            if self.beating:
                self.driver.beat(self.loops, self.now_us)
            self.events += self.driver.poll(self.now_us)

    def has(self, kind: type[BoardEvent]) -> bool:
        return any(isinstance(event, kind) for event in self.events)

    def arm(self) -> Limiter:
        facts = self.driver.facts
        assert facts is not None
        pads = (Pad("a", AREA), Pad("b", AREA))
        place = Placement(0, BodyPart.FOREARM, Effect.MOTOR, Sensation.NORMAL, pads, "forearm-dorsal", FOREARM, BURST)
        limiter = Limiter(
            (place,), facts.limits, self.latch, senses_impedance=facts.senses_impedance, now_us=self.now_us
        )
        self.driver.arm((Setup(0, 40_000, 300, 100, 300, 50_000),), self.now_us)
        self.run(200 * MS)
        assert self.driver.state is DriverState.ARMED
        return limiter

    def titrate(self, limiter: Limiter, ua: int) -> PulseTrain:
        """Raise by 1 mA every 0.5 s, as an operator would."""
        limiter.open_titration(0, self.now_us)
        for level in range(1_000, ua + 1, 1_000):
            flowing = train(level)
            limiter.raise_level(0, flowing, self.now_us)
            self.driver.send(limiter.approve(Command((Output(0, flowing),)), self.now_us), self.now_us)
            self.run(500 * MS)
        return flowing


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    assert bench.has(Connected)
    return bench


def test_connect_arm_titrate_stop(bench: Bench) -> None:
    limiter = bench.arm()
    assert bench.has(Armed)
    tissue = bench.twin.patient.tissues[0]
    said = []
    limiter.open_titration(0, bench.now_us)
    for level in range(1_000, 26_000, 1_000):
        flowing = train(level)
        limiter.raise_level(0, flowing, bench.now_us)
        bench.driver.send(limiter.approve(Command((Output(0, flowing),)), bench.now_us), bench.now_us)
        bench.run(500 * MS)
        assert bench.twin.current_ua(0) == level
        assert bench.driver.output is OutputState.ON
        said.append(bench.twin.patient.report(0))
    assert said == sorted(said)
    assert {Report.NOTHING, Report.TINGLING} <= set(said)
    assert tissue.sensory_ua < 25_000
    assert not bench.has(Faulted)
    bench.driver.stop()
    assert not bench.twin.energised  # at once, before anybody polls
    bench.run(100 * MS)
    assert bench.has(Stopped)
    assert bench.driver.output is OutputState.OFF


def test_a_mended_pad_is_judged_as_it_is_now(bench: Bench) -> None:
    bench.titrate(bench.arm(), 4_000)
    bench.twin.set_contact(0, 15_000)  # high, though not open, and let through at this amplitude
    bench.run(SECOND)
    assert bench.has(Faulted)
    assert "check the pads" in bench.latch.reason
    bench.twin.set_contact(0, 1_500)
    bench.driver.pads_confirmed(0)  # whoever mends a pad looks at it; until then it is compared with the one before
    bench.latch.clear()
    bench.events.clear()
    bench.titrate(bench.arm(), 4_000)
    assert not bench.has(Faulted)
    assert bench.twin.current_ua(0) == 4_000


def test_a_control_loop_that_stands_still_loses_the_output(bench: Bench) -> None:
    bench.titrate(bench.arm(), 4_000)
    bench.now_us += 10 * SECOND
    bench.events += bench.driver.poll(bench.now_us)
    assert bench.twin.disarms[-1][1] is Cause.DEAD_MAN
    assert not bench.twin.energised
    assert bench.has(Disarmed)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (FaultKind.CONTACT_OPEN, 0),
        (FaultKind.STOP_BUTTON, 0),
        (FaultKind.HARDWARE, 0),
        (FaultKind.STUCK_OUTPUT, 15_000),
        (FaultKind.RESET, 0),
        (FaultKind.HANG, 0),
        (FaultKind.LINE_CUT, 0),
    ],
)
def test_every_fault_reaches_the_host_and_trips_its_latch(bench: Bench, kind: FaultKind, value: int) -> None:
    bench.titrate(bench.arm(), 4_000)
    bench.twin.inject(Fault(kind, bench.now_us, output=0, value=value))
    bench.run(2 * SECOND)
    bench.twin.advance(bench.now_us)  # a driver that has given up does not look any more
    assert bench.latch.tripped
    assert not bench.twin.armed
    assert bench.twin.energised == (kind is FaultKind.STUCK_OUTPUT)
    if kind in (FaultKind.STUCK_OUTPUT, FaultKind.HANG, FaultKind.LINE_CUT, FaultKind.RESET):
        assert bench.driver.output is not OutputState.OFF  # possibly energised, and said so
    else:
        assert bench.driver.output is OutputState.OFF


def test_a_stuck_output_that_the_board_does_not_see_is_seen_by_the_host(bench: Bench) -> None:
    """H22: measured and applied differ; the board's own check is blind."""
    bench.titrate(bench.arm(), 4_000)
    bench.twin.inject(Fault(FaultKind.NO_SELF_CHECK, bench.now_us))
    bench.twin.inject(Fault(FaultKind.STUCK_OUTPUT, bench.now_us, output=0, value=15_000))
    bench.run(2 * SECOND)
    assert bench.has(Faulted)
    assert bench.latch.tripped
    assert bench.driver.output is not OutputState.OFF


def test_a_board_that_ignores_stop_is_never_called_stopped(bench: Bench) -> None:
    """H35."""
    bench.titrate(bench.arm(), 4_000)
    bench.twin.inject(Fault(FaultKind.IGNORES_STOP, bench.now_us))
    bench.driver.stop()
    assert bench.twin.current_ua(0) == 4_000
    bench.beating = False
    bench.run(300 * MS)
    assert not bench.has(Stopped)
    assert bench.driver.output is not OutputState.OFF


def test_a_board_with_wide_limits_is_not_used() -> None:
    bench = Bench(Fault(FaultKind.WIDE_LIMITS))
    assert not bench.has(Connected)
    assert any(isinstance(event, Faulted) and isinstance(event.error, LimitsDisagree) for event in bench.events)


def test_samples_come_through(bench: Bench) -> None:
    bench.driver.listen(True, bench.now_us)
    bench.run(SECOND)
    analog = [event for event in bench.events if isinstance(event, Analog)]
    assert len(analog) >= 45
    assert sum(event.missing for event in analog) == 0


def test_a_write_never_waits_for_the_thread_that_is_inside() -> None:
    inside, go_on = threading.Event(), threading.Event()
    twin = make_twin()
    host = Host(twin)
    host.go()

    def clock() -> int:
        if threading.current_thread() is not threading.main_thread():
            inside.set()
            assert go_on.wait(10)
        return host.now_us

    link = SimLink(twin, clock)
    loop = threading.Thread(target=link.read)
    loop.start()
    assert inside.wait(10)
    link.write(STOP_FRAME, urgent=True)  # returns although the loop holds the twin
    go_on.set()
    loop.join(10)
    assert not twin.energised  # and the loop has carried it in before it left


def test_an_urgent_write_overtakes_and_a_closed_link_is_lost() -> None:
    host = Host(make_twin())
    link = SimLink(host.twin, lambda: host.now_us)
    assert link.fileno() is None
    assert link.pending() == 0
    link.write(STOP_FRAME)
    assert link.next_event_us(host.now_us) == host.now_us
    assert link.read()
    assert link.next_event_us(host.now_us) is None
    link.close()
    link.close()
    with pytest.raises(LinkLost):
        link.read()
    with pytest.raises(LinkLost):
        link.write(b"")
