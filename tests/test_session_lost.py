"""Every board in a whole session, and at its port: the cable is pulled, a write sticks, it is silent or deaf, it is another.

Each ends in one clear message, with nothing flowing as far as can be known, and is called off by nobody. What a driver does
in each of its states stands in ``driver_battery``, or beside the driver; here is what the operator gets.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import pytest

from stimctl import boards
from stimctl.boards.openemsstim.dialects import MASTER_2017
from stimctl.boards.sciencemode2.device import WATCHDOG_US
from stimctl.boards.sciencemode4.devices import SILENT_US
from stimctl.driver import BoardEvent, DriverState, Lost, OutputState
from stimctl.engine import State
from stimctl.errors import StimctlError
from stimctl.limits import DEAD_MAN_MAX_MS
from stimctl.orders import OrderKind as Kind
from stimctl.orders import OutputWord
from stimctl.safety import Latch
from stimctl.session.link import SIMULATED_KINDS, open_link
from stimctl.sim import link as sim_link
from stimctl.sim.neurostimduino import NeuroStimDuino
from stimctl.sim.openemsstim import OpenEmsStim
from stimctl.sim.rehastim2 import RehaStim2
from stimctl.sim.sciencemode4 import ScienceMode4Board
from stimctl.sim.sciencemode_model import P24, REHAMOVE3
from stimctl.sim.terminal import KEEP, clock_us
from stimctl.sim.uecu import Uecu
from stimctl.units import MS, SECOND
from tests.driver_battery import Tap
from tests.serving import PATIENCE_S, Server
from tests.session_rig import CYCLIC, LOOK_US, Rig
from tests.sim_host import make_twin

TEXT: Final = (
    CYCLIC.replace("phase_width_us = 250", "phase_width_us = 200")
    .replace("amplitude_ma = 6.0", "amplitude_ma = 12.0")
    .replace("max_amplitude_ma = 8.0", "max_amplitude_ma = 16.0")
)
"""What every board can give: openEMSstim's unit has these pulses and no others, and none so weak as another board's."""

KINDS: Final = ("", *SIMULATED_KINDS)
"""Behind ``sim:``; the reference board has no name there."""

ENDS_US: Final = {
    "": DEAD_MAN_MAX_MS * MS,
    "p24": SILENT_US,
    "rehamove3": SILENT_US,
    "rehastim2": WATCHDOG_US,
    "neurostimduino": 1_200 * MS,
    "openemsstim": DEAD_MAN_MAX_MS * MS,
    "uecu": 50 * MS,
}
"""How long after the host's last word current flows at the most (boards.md, and the boards' own pages)."""

NOTICED_US: Final = SECOND
"""By then a session notices that its board is silent: two looks without an answer, or a setting without one."""


class Nobody:
    """A port at which nobody is."""

    ledger = ()
    energised = False

    def __init__(self) -> None:
        self.now_us = 0

    def feed(self, data: bytes, now_us: int) -> None:
        """Nothing hears it."""

    def advance(self, now_us: int) -> None:
        self.now_us = now_us

    def outgoing(self) -> bytes:
        return b""

    def next_event_us(self, now_us: int) -> int | None:
        return None


TWINS: Final[dict[str, Callable[[], Any]]] = {
    "": make_twin,
    "p24": lambda: ScienceMode4Board(P24),
    "rehamove3": lambda: ScienceMode4Board(REHAMOVE3),
    "rehastim2": RehaStim2,
    "neurostimduino": NeuroStimDuino,
    "openemsstim": lambda: OpenEmsStim(MASTER_2017),
    "uecu": Uecu,
    "nobody": Nobody,
}


def line_of(rig: Rig) -> Any:
    driver: Any = rig.session.stage.driver
    return driver._line._transport


def session(folder: Path, kind: str) -> Rig:
    rig = Rig(folder, TEXT)
    rig.opening = replace(rig.opening, board=f"sim:{kind}")
    rig.operator._opening = rig.opening
    return rig


@pytest.fixture
def flowing(tmp_path: Path) -> Iterator[Callable[[str], Rig]]:
    """Makes a session on a board of that kind in which current flows."""
    made: list[Rig] = []

    def make(kind: str) -> Rig:
        made.append(rig := session(tmp_path, kind))
        rig.work(State.TITRATING)
        for _ in range(40):
            for order in rig.operator(rig.status, rig.now_us):
                rig.session.order(order, rig.now_us)
            rig.go(LOOK_US)
            if pulses_after(line_of(rig).twin, rig.now_us, rig.now_us - 100 * MS):
                return rig
        raise AssertionError(rig.status)

    yield make
    for each in made:
        each.close()


def pulled(rig: Rig, _tap: Tap) -> None:
    line_of(rig).close()


def stuck(_rig: Rig, tap: Tap) -> None:
    tap.broken = True


def mute(_rig: Rig, tap: Tap) -> None:
    tap.mute = True


def deaf(_rig: Rig, tap: Tap) -> None:
    tap.deaf = True


TROUBLES: Final = {
    "pulled": (pulled, 0),
    "stuck": (stuck, 0),
    "silent": (mute, NOTICED_US),
    "deaf": (deaf, 0),
}
"""What happens to the line, and how long words of the session still arrive."""


def is_one_line(text: str) -> bool:
    return bool(text) and text.isprintable()


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_line_that_fails_under_current(kind: str, trouble: str, flowing: Callable[[str], Rig]) -> None:
    """Stopped and latched; one loss in the record and one alarm that says what to do; and never off."""
    rig = flowing(kind)
    line, tap = line_of(rig), Tap(line_of(rig))
    since_us = rig.now_us
    happens, arriving_us = TROUBLES[trouble]
    happens(rig, tap)
    rig.go(5 * SECOND)
    status, facts = rig.status, rig.session.stage.driver.facts
    assert rig.state is State.STOPPED
    assert rig.session.latch.tripped
    assert status.output is OutputWord.UNKNOWN
    assert not status.stop_confirmed
    assert rig.session.may_be_energised
    assert facts is not None
    assert rig.kinds().count("link-lost") == 1
    assert status.alarm == "high"
    assert status.alarm_text.startswith(f"the board cannot be reached; {facts.way_out}, then check cable and power (")
    assert status.alarm_text.count(facts.way_out) == 1
    assert is_one_line(status.alarm_text)
    assert is_one_line(status.stop_reason)
    assert not pulses_after(line.twin, rig.now_us, since_us + arriving_us + ENDS_US[kind])


def pulses_after(twin: Any, now_us: int, since_us: int) -> list[Any]:
    twin.advance(now_us)
    return [pulse for ledger in twin.ledger for pulse in ledger.pulses_between(since_us, now_us)]


@contextmanager
def at_the_port(other: str) -> Iterator[list[Any]]:
    """In the place of every twin that is opened here."""
    original, put = sim_link.SimLink, []

    def linked(_twin: Any, clock: Callable[[], int]) -> Any:
        put.append(TWINS[other]())
        return original(put[-1], clock)

    with patch.object(sim_link, "SimLink", linked):
        yield put


@pytest.mark.parametrize("kind", KINDS)
def test_silence_or_another_board_at_the_port(kind: str, tmp_path: Path) -> None:
    """No session, one line that names the board that was asked for, and what is there is not called off."""
    title = boards.KINDS[kind or "reference"].title.removeprefix("HASOMED ")
    for other in TWINS.keys() - {kind}:
        with at_the_port(other) as put:
            folder = tmp_path / (other or "reference")
            folder.mkdir()
            rig = session(folder, kind)
            rig.session.order(rig.opening, rig.now_us)
            while rig.session.connection.is_opening:
                rig.go(SECOND)
                assert rig.now_us < 60 * SECOND, other
            status, state, doubtful = rig.status, rig.state, rig.session.may_be_energised
            rig.close()
        assert state is State.CHOOSING, other
        assert is_one_line(status.refusal), other
        assert title in status.refusal, other
        assert (status.output, status.alarm) == (OutputWord.UNKNOWN, "high"), other
        assert "its output is not known: use its switch" in status.alarm_text, other
        assert doubtful, other
        [twin] = put
        assert not any(ledger.pulses for ledger in twin.ledger), other


@pytest.mark.parametrize("kind", KINDS)
def test_another_board_behind_a_cable_that_is_put_back(kind: str, flowing: Callable[[str], Rig]) -> None:
    """Nothing of the session goes to it: it is looked for, and what answers is another board or none."""
    rig = flowing(kind)
    line_of(rig).close()
    rig.go(3 * SECOND)
    with at_the_port("rehastim2" if kind != "rehastim2" else "p24") as put:
        assert "looking for the board again" in rig.order(Kind.CLEAR)
        rig.go(30 * SECOND)
        refused = rig.order(Kind.CLEAR)
    assert is_one_line(refused)
    assert rig.state is State.STOPPED
    assert rig.status.output is OutputWord.UNKNOWN
    assert put
    assert not any(ledger.pulses for twin in put for ledger in twin.ledger)


@pytest.mark.parametrize("kind", KINDS)
def test_a_board_that_is_back_is_not_looked_for_any_more(kind: str, flowing: Callable[[str], Rig]) -> None:
    rig = flowing(kind)
    line_of(rig).close()
    rig.go(3 * SECOND)
    assert "looking for the board again" in rig.order(Kind.CLEAR)
    rig.go(15 * SECOND)
    assert rig.kinds().count("link-found") == 1
    facts = rig.session.stage.driver.facts
    assert facts is not None
    assert rig.status.refusal == ""
    [back] = [text for text in rig.status.messages if "The board is back" in text]
    assert ("at zero" in back) is facts.confirms_zero
    assert "clear to go on" in back
    assert rig.order(Kind.CLEAR) == ""
    assert rig.state is not State.STOPPED
    assert rig.status.alarm_text == ""


def test_a_level_at_which_the_board_gives_nothing_is_no_treatment(tmp_path: Path) -> None:
    """openEMSstim lets nothing through below what was measured least; what stands on the screen and in the record flows."""
    rig = session(tmp_path, "openemsstim")
    try:
        rig.work(State.TRIAL)
        facts = rig.session.stage.driver.facts
        assert facts is not None
        assert facts.least_ua == (8_627, 8_627)
        levels: list[int] = []
        while not levels or levels[-1] < 9_000:
            assert rig.order(Kind.RAISE) == ""
            rig.go(SECOND)
            levels.append(rig.status.channels[0].level_ua)
            told = rig.order(Kind.BEGIN)
            assert ("gives nothing below 8.627 mA; raise it" in told) is (levels[-1] < 8_627), levels
        assert levels[:2] == [1_000, 2_000]
        assert rig.state is not State.TRIAL
        assert rig.order(Kind.LOWER) == ""
        assert rig.status.channels[0].level_ua == 0
    finally:
        rig.close()


# --- a real line --------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are a POSIX thing")
@pytest.mark.parametrize("kind", ["reference", *SIMULATED_KINDS])
def test_a_terminal_that_is_closed_while_its_board_is_asked(kind: str) -> None:
    server, latch, now_us = Server(RehaStim2(now_us=clock_us(), keep=KEEP)), Latch(), 0
    driver = open_link(f"{kind}:{server.path}", latch, clock=lambda: now_us, seed=1, sites={}).driver
    driver.open(now_us)
    server.stop()
    events: list[BoardEvent] = []
    for _ in range(round(PATIENCE_S * 100)):
        events += driver.poll(now_us)
        if driver.state is DriverState.LOST:
            break
        fd = driver.fileno()
        if fd is not None:
            select.select([fd], [], [], 0.01)
        now_us += MS
    [lost] = events
    assert isinstance(lost, Lost)
    assert isinstance(lost.error, StimctlError)
    assert "the board is gone" in str(lost.error)
    assert driver.output is OutputState.UNKNOWN
    assert latch.tripped
    driver.close()
