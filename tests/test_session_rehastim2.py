"""Whole sessions on a RehaStim 2: what goes wrong in a burst, in the operator's words; and its real line, a pseudo-terminal."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stimctl.boards import KINDS
from stimctl.boards.sciencemode2.device import WATCHDOG_US
from stimctl.driver import BoardEvent, Connected, DriverState, Lost, OutputState, Setup
from stimctl.engine import State
from stimctl.envelope.latch import approve
from stimctl.orders import OrderKind as Kind
from stimctl.pulse import Command, Output, symmetric
from stimctl.safety import Latch
from stimctl.session.link import Link, open_link
from stimctl.sim.electrodes import OPEN_OHM
from stimctl.sim.rehastim2 import RehaStim2
from stimctl.sim.sciencemode4 import ScienceMode4Board
from stimctl.sim.terminal import KEEP, clock_us
from stimctl.units import MS, SECOND
from tests.serving import PATIENCE_S, Server
from tests.session_rig import CYCLIC, Rig


def board_of(rig: Rig) -> RehaStim2:
    driver: Any = rig.session.stage.driver
    twin = driver._line._transport.twin
    assert isinstance(twin, RehaStim2)
    return twin


def flowing(rig: Rig) -> bool:
    board_of(rig).advance(rig.now_us)
    return board_of(rig).energised


@pytest.fixture
def bursting(tmp_path: Path) -> Iterator[Rig]:
    """A session in the middle of a burst."""
    rig = Rig(tmp_path, CYCLIC)
    rig.opening = replace(rig.opening, board="sim:rehastim2")
    rig.operator._opening = rig.opening
    rig.work(State.BURST)
    rig.go(1_500 * MS)
    assert flowing(rig)
    yield rig
    rig.close()


def ended_in(rig: Rig, *words: str) -> None:
    """Stopped, at zero, latched; and the operator reads why, and what to do."""
    assert rig.state is State.STOPPED
    assert not flowing(rig)
    assert rig.session.latch.tripped
    for each in words:
        assert each in rig.status.stop_reason


def test_a_pad_that_comes_off(bursting: Rig) -> None:
    board_of(bursting).set_contact(0, OPEN_OHM, bursting.now_us)
    bursting.go(SECOND)
    ended_in(bursting, "electrode error", "check that all pads")
    assert bursting.session.stage.output is OutputState.OFF
    board_of(bursting).set_contact(0, 1_000, bursting.now_us)
    assert bursting.order(Kind.CLEAR) == ""
    bursting.go(SECOND)
    assert not flowing(bursting)


def test_the_emergency_switch(bursting: Rig) -> None:
    board_of(bursting).press(bursting.now_us)
    assert not flowing(bursting)
    bursting.go(SECOND)
    ended_in(bursting, "emergency switch is pressed", "then clear")


def test_a_board_that_starts_anew(bursting: Rig) -> None:
    board_of(bursting).restart(bursting.now_us)
    bursting.go(SECOND)
    ended_in(bursting, "started anew", "look at the patient")
    assert bursting.order(Kind.CLEAR) == ""
    bursting.go(2 * SECOND)
    assert not flowing(bursting)


def test_a_computer_that_dies_leaves_the_boards_own_time_out(bursting: Rig) -> None:
    board = board_of(bursting)
    board.advance(bursting.now_us + WATCHDOG_US)
    assert not board.energised


def test_a_computer_that_sleeps_wakes_to_zero(bursting: Rig) -> None:
    bursting.now_us += 300 * SECOND
    bursting.go(SECOND)
    ended_in(bursting)
    assert bursting.session.stage.output is OutputState.OFF


def test_a_cable_that_is_pulled_and_put_back(bursting: Rig) -> None:
    """Said with the way out that this board has; the board that is found again stays disarmed."""
    driver: Any = bursting.session.stage.driver
    driver._line._transport.close()
    bursting.go(2 * SECOND)
    ended_in(bursting, "cannot be reached; press the RehaStim 2's emergency switch, or switch it off")
    assert bursting.session.stage.output is OutputState.UNKNOWN
    assert "looking for the board again" in bursting.order(Kind.CLEAR)
    bursting.go(3 * SECOND)
    assert bursting.order(Kind.CLEAR) == ""
    assert bursting.session.stage.driver.state is DriverState.DISARMED
    bursting.go(2 * SECOND)
    assert not flowing(bursting)


def test_what_a_person_has_to_know_is_read_before_the_start_and_stands_in_the_record(bursting: Rig) -> None:
    told: Any = bursting.events()[0].payload["board"]
    assert any("up to 1.2 s" in each for each in told["cautions"])
    assert any("emergency switch" in each for each in told["cautions"])
    assert told["simulated"]


# --- its line ----------------------------------------------------------------------------------------------------


def test_the_line_is_set_as_the_document_says() -> None:
    kind = KINDS["rehastim2"]
    assert (kind.baud, kind.parity, kind.stop_bits, kind.flow_control) == (460_800, "E", 1, False)


class Plugged:
    """A driver on a real pseudo-terminal; its clock is put forward with every look, so that nobody waits."""

    def __init__(self, server: Server[Any]) -> None:
        self.now_us, self.latch = 0, Latch()
        url = f"rehastim2:{server.path}"
        self.link: Link = open_link(url, self.latch, clock=lambda: self.now_us, seed=1, sites={})
        self.loops = 0
        self.events: list[BoardEvent] = []
        self.link.driver.open(self.now_us)

    def until(self, done: Callable[[], bool], *, step_us: int) -> None:
        for _ in range(round(PATIENCE_S * 100)):
            fd = self.link.driver.fileno()
            if self.link.driver.state is not DriverState.LOST and fd is not None:
                select.select([fd], [], [], 0.01)
            self.now_us += step_us
            self.loops += 1
            self.link.driver.beat(self.loops, self.now_us)
            self.events += self.link.driver.poll(self.now_us)
            if done():
                return
        raise AssertionError(self.events)


@pytest.fixture(params=[RehaStim2, ScienceMode4Board])
def server(request: pytest.FixtureRequest) -> Iterator[Server[Any]]:
    server = Server(request.param(now_us=clock_us(), keep=KEEP))
    yield server
    server.stop()


needs_terminals = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are a POSIX thing")


@needs_terminals
@pytest.mark.parametrize("server", [RehaStim2], indirect=True)
def test_a_cable_that_is_pulled_in_the_middle(server: Server[RehaStim2]) -> None:
    """The terminal is closed under it: one message, output unknown, latched."""
    plugged = Plugged(server)
    driver = plugged.link.driver
    plugged.until(lambda: driver.state is DriverState.DISARMED, step_us=MS)
    assert any(isinstance(each, Connected) for each in plugged.events)
    driver.arm((Setup(0, 20_000, 300, 100, 300, 34_483),), plugged.now_us)
    plugged.until(lambda: driver.state is DriverState.ARMED, step_us=MS)
    train = symmetric(20_000, 300, 34_483, interphase_gap_us=100)
    driver.send(approve(Command((Output(0, train),)), plugged.latch.epoch, plugged.latch), plugged.now_us)
    plugged.until(lambda: server.twin.energised, step_us=MS)
    plugged.events.clear()
    server.stop()
    plugged.until(lambda: driver.state is DriverState.LOST, step_us=MS)
    [lost] = [each for each in plugged.events if isinstance(each, Lost)]
    assert "the board is gone" in str(lost.error)
    assert driver.output is OutputState.UNKNOWN
    assert plugged.latch.tripped
    driver.close()


@needs_terminals
@pytest.mark.parametrize("server", [ScienceMode4Board], indirect=True)
def test_another_board_at_the_port(server: Server[ScienceMode4Board]) -> None:
    plugged = Plugged(server)
    plugged.until(lambda: plugged.link.driver.state is DriverState.LOST, step_us=50 * MS)
    [lost] = plugged.events
    assert isinstance(lost, Lost)
    assert "does not answer as a RehaStim 2; check port and power" in str(lost.error)
    plugged.link.driver.close()
