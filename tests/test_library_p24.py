"""Every shipped file on a P24's twin: to its end where the device can express it, else refused before the start.

Of each kind one file is flown here, in brief; whether a file fits is asked of all. Whole ones are `dev.py prove boards`.
"""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest

from stimctl.boards.sciencemode4.codes import HighVoltage, Status
from stimctl.boards.sciencemode4.devices import P24
from stimctl.control.start import RunRequest, run_headless
from stimctl.driver.sciencemode4.lowlevel import is_slow
from stimctl.errors import UsageError
from stimctl.protocols import Activity, Biofeedback, Plan, library, library_text, loads, stimulating
from stimctl.schedule import Schedule, compile_schedule
from stimctl.session import opening
from stimctl.session.fitting import misfit
from stimctl.sim.sciencemode4 import ScienceMode4Board
from stimctl.units import MS
from tests import flown
from tests.p24_rig import Rig
from tests.proving import boards as prover

BOARD = "sim:p24"
SLOW = "tens-acupuncture-like-forearm"

REFUSED = {
    "tens-burst-forearm": "output 1: pulses in a period 9 cannot be set; it takes what 16 points have room for",
    "wrist-finger-extensors-emg-proportional": "this board has no EMG input; give a source with --emg, such as file:recording.npz",
}
"""What the device cannot express: a burst of more than three pulses. And what follows the stimulated muscle's own EMG needs a
board that hears it."""

FILES = {entry.name: loads(library_text(entry.name), entry.name) for entry in library()}
STIMULATING = {name: each for name, each in FILES.items() if not isinstance(each, Activity | Biofeedback | Plan)}


FLOWN = (
    *("wrist-finger-extensors-emg", "wrist-finger-extensors-switch", "pinch-release-sequence", "thenar-cyclic"),
    *("contralateral-hand-opening", "tens-conventional-two-channel", "tens-alternating-forearm", "putty"),
    *(
        "tens-brief-intense-forearm",
        "tens-acupuncture-like-forearm",
        "tens-modulated-forearm",
        "tens-sensory-forearm-tone",
    ),
)
"""Of each kind one that is soon over; of those without output, for which a board only has to be at zero, one in all."""


def compiled(name: str) -> Schedule:
    return compile_schedule(stimulating(FILES[name]), opening._steps(P24.introduce("SIM0000001", "1.0.0")))


@pytest.mark.parametrize("name", STIMULATING)
def test_what_the_device_cannot_express_is_named_and_nothing_else_is(name: str) -> None:
    why = misfit(compiled(name), Rig().connected().driver)
    assert why == (REFUSED.get(name, "") if FILES[name].kind != "fes-emg-proportional" else "")


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_comes_before_the_start_with_its_reason(name: str) -> None:
    found = prover.flight(name, BOARD)
    assert found.faults == ()
    assert found.refused.endswith(REFUSED[name])


@pytest.mark.parametrize("name", [name for name in FILES if flown.listens(name) and name in STIMULATING])
def test_what_listens_is_told_that_this_board_hears_nothing(name: str, tmp_path: Path) -> None:
    request = RunRequest(protocol=name, board=BOARD, seed=1, speed=math.inf, store=str(tmp_path / "a.db"))
    with pytest.raises(UsageError, match="this board has no EMG input; give a source with --emg"):
        run_headless(request, print)


def test_every_kind_that_stimulates_and_fits_is_flown() -> None:
    kinds = {FILES[name].kind for name in STIMULATING if name not in REFUSED}
    assert {FILES[name].kind for name in FLOWN} == kinds | {"activity"}


@pytest.mark.parametrize(("index", "name"), list(enumerate(FLOWN)), ids=FLOWN)
def test_a_session_of_each_kind_goes_to_its_end(index: int, name: str, tmp_path: Path) -> None:
    emg = flown.attempts(tmp_path) if flown.listens(name) else ""
    run = flown.fly(name, index + 1, tmp_path, brief=True, board=BOARD, emg=emg)
    assert flown.faults(run) == []
    for one in run.sessions:
        no_more_than_the_file_allows(one, name)


@pytest.mark.parametrize("board", [BOARD, "sim:rehamove3"])
def test_a_slow_file_is_given_pulse_by_pulse_and_at_its_rate(board: str, tmp_path: Path) -> None:
    """No two closer than the file says, and as many as there is time for."""
    run = flown.fly(SLOW, 3, tmp_path, brief=True, board=board)
    assert flown.faults(run) == []
    [one] = run.sessions
    assert any("no further pulse comes" in line for line in run.said)
    assert not any("for up to 2 s" in line for line in run.said)
    [plan] = compiled(SLOW).channels
    period_us = 10**9 // plan.shape.rate_mhz
    assert is_slow([plan.shape.rate_mhz])
    twin, began_us = one.twin, next(each.mono_us for each in one.events if each.kind == "begin")
    assert all(each.end_us - each.start_us < MS for each in twin.ledger[0].history(twin.now_us))
    at_us = [at for at, _ in twin.ledger[0].pulses_between(0, twin.now_us)]
    assert all(then - first >= period_us for first, then in pairwise(at_us))
    treated = [at for at in at_us if at >= began_us]
    assert len(treated) >= 0.99 * (treated[-1] - treated[0]) / period_us
    assert len(treated) >= 0.95 * flown.BRIEF_FLOW_US / period_us


def test_no_other_file_is_slow() -> None:
    """Bursts are refused, and what sweeps or takes turns has a fast part: then the board times all of it."""
    slow = {name for name in STIMULATING if is_slow(plan.shape.rate_mhz for plan in compiled(name).channels)}
    assert slow == {SLOW, "tens-burst-forearm"}


def no_more_than_the_file_allows(one: flown.One, name: str) -> None:
    """By the twin's own ledger: amplitude, widths and rate; and in the end no level is open, and the high voltage is off."""
    twin = one.twin
    assert isinstance(twin, ScienceMode4Board)
    assert (twin.status, twin.voltage, one.opened["simulated"]) == (Status.NONE, HighVoltage.OFF, True)
    plans = {plan.channel: plan for plan in compiled(name).channels} if name in STIMULATING else {}
    for output, ledger in enumerate(twin.ledger):
        assert bool(ledger.pulses) == (output in plans)
        for stretch in ledger.history(twin.now_us):
            most, train = plans[output].train(plans[output].max_ua), stretch.train
            assert train.amplitude_ua <= most.amplitude_ua
            assert train.phase_width_us <= most.phase_width_us
            assert stretch.period_ps >= 1_000_000_000_000_000 // most.rate_mhz - 1


def test_a_prover_tells_a_refusal_that_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prover, "REASONS", ("for another reason",))
    assert prover.flight("tens-burst-forearm", BOARD).faults
