"""The switch in the patient's or a helper's hand: what the file says, what the engine does, a session on the twin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stimctl.engine import State
from stimctl.orders import OrderKind as Kind
from stimctl.protocols import FesSwitchTriggered, library_text, loads, stimulating
from stimctl.schedule import Advance, Steps, compile_schedule
from stimctl.session.rehearsal import rehearse
from stimctl.sim.volition import PRESS_US, Volition, Will
from stimctl.units import MS, SECOND
from stimctl.widgets.keys import LOOSENING
from tests.protocol_texts import SWITCH, drop, edit, good, the_fault
from tests.session_rig import CYCLIC, Rig

FILE = CYCLIC.replace("fes-cyclic", "fes-switch-triggered") + SWITCH[SWITCH.index("[switch]") :].replace(
    "max_triggers_per_min = 6", "max_triggers_per_min = 12"
)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, FILE)
    yield made
    made.close()


def waiting(rig: Rig) -> Rig:
    """A session whose simulated patient is asked, with nobody who takes a press."""
    rig.work(until=State.TRIAL)
    rig.work(until=State.REST)
    while rig.state is not State.LISTENING:
        rig.go(100 * MS)
    return rig


# --- the file --------------------------------------------------------------------------------------------------------


def test_a_switch_becomes_a_trigger_by_key() -> None:
    protocol = good(SWITCH)
    assert isinstance(protocol, FesSwitchTriggered)
    schedule = compile_schedule(protocol, Steps())
    trigger = schedule.trigger
    assert trigger is not None
    assert (trigger.by, trigger.cued, trigger.window_us) == (Advance.KEY, True, 8 * SECOND)
    assert (trigger.lockout_us, trigger.min_interval_us, trigger.assist_missed) == (500 * MS, 10 * SECOND, False)
    assert schedule.ear is None


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        (('source = "key"', 'source = "pedal"'), "switch.source", "is not on the list"),
        (("attempt_window_s = 8.0\n", ""), "switch.attempt_window_s", "is missing: a cue needs a window"),
        (("lockout_ms = 500", "lockout_ms = 50"), "switch.lockout_ms", "out of range"),
        (('on_missed = "count"', 'on_missed = "help"'), "switch.on_missed", "is not on the list"),
    ],
)
def test_a_wrong_switch_is_refused_at_its_field(change: tuple[str, str], field: str, message: str) -> None:
    fault = the_fault(edit(SWITCH, change))
    assert (fault.field, fault.message[: len(message)]) == (field, message)


def test_without_a_cue_nothing_can_be_missed() -> None:
    uncued = edit(SWITCH, ("cue = true", "cue = false"))
    fault = the_fault(drop(uncued, "attempt_window_s"))
    assert (fault.field, fault.message) == (
        "switch.on_missed",
        "has no meaning with cue = false: without a cue no attempt is missed",
    )
    assert good(drop(drop(uncued, "attempt_window_s"), "on_missed")).kind == "fes-switch-triggered"


def test_the_shipped_file_flies_with_every_press_at_once() -> None:
    schedule = compile_schedule(stimulating(loads(library_text("wrist-finger-extensors-switch"), "shipped")), Steps())
    assert rehearse(schedule).bursts == schedule.repetitions * schedule.sets


# --- a session on the twin -------------------------------------------------------------------------------------------


def test_the_simulated_patient_presses_and_every_burst_is_theirs(rig: Rig) -> None:
    rig.work()
    assert rig.session.ended
    counts = rig.session.engine.counts()
    assert (counts.triggered, counts.delivered) == (2, 2)
    assert rig.kinds().count("switch") == rig.kinds().count("trigger") == 2
    assert "Prescribed: 2 bursts of 4 s, rest 4 s, set off by the switch" in rig.session.review()


def test_a_press_sets_off_a_burst_at_once(rig: Rig) -> None:
    waiting(rig)
    assert Kind.KEY in rig.status.can
    assert "the switch (A)" in rig.status.next_action
    assert rig.status.progress.phase == "switch awaited"
    assert rig.order(Kind.KEY) == ""
    rig.now_us = rig.session.next_wake_us(rig.now_us)
    rig.tick()
    assert rig.state is State.BURST
    rig.go(2 * SECOND)
    assert rig.flowing_ua > 0


def test_nobody_pressing_misses_the_window_and_nothing_flows(rig: Rig) -> None:
    waiting(rig)
    rig.go(8 * SECOND + 200 * MS)
    assert rig.state is State.REST
    assert (rig.session.engine.counts().missed, rig.session.engine.counts().delivered) == (1, 0)
    assert rig.flowing_ua == 0


def test_where_nothing_waits_for_it_the_switch_is_refused(rig: Rig) -> None:
    waiting(rig)
    rig.order(Kind.KEY)
    rig.go(500 * MS)
    assert rig.state is State.BURST
    assert Kind.KEY not in rig.status.can
    assert rig.order(Kind.KEY) == "the switch has nothing to do now"
    rig.go(4 * SECOND)
    assert rig.state is State.REST
    assert "The switch is not possible now" in rig.order(Kind.KEY)
    rig.go(4 * SECOND)
    assert rig.session.engine.counts().triggered == 1


def test_a_stop_beats_a_press_that_came_before_it(rig: Rig) -> None:
    waiting(rig)
    rig.order(Kind.KEY)
    rig.session.stop_now("test")
    rig.go(SECOND)
    assert rig.state is State.STOPPED
    assert rig.flowing_ua == 0
    assert rig.session.engine.counts().triggered == 0


def test_a_held_key_is_one_press() -> None:
    assert Kind.KEY in LOOSENING


# --- the simulated hand ----------------------------------------------------------------------------------------------


def test_a_press_comes_after_the_reaction_once_and_does_not_wait_for_ever() -> None:
    willing = Volition(1, Will(success=1.0))
    willing.ask(0)
    assert not willing.presses(200 * MS)
    assert [willing.presses(at) for at in (900 * MS, 901 * MS)] == [True, False]
    willing.ask(0)
    assert not willing.presses(900 * MS + PRESS_US)
    never = Volition(1, Will(success=0.0))
    never.ask(0)
    assert not any(never.presses(at) for at in range(0, 5 * SECOND, 100 * MS))
