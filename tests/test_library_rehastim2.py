"""Every shipped file on a RehaStim 2's twin: to the end where the device can express it, else refused before the start.

Of each kind that fits, one file is flown, in brief; whether a file fits is asked of all.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from stimctl.boards.sciencemode2.codes import Mode
from stimctl.boards.sciencemode2.device import introduce
from stimctl.control.start import RunRequest, run_headless
from stimctl.errors import UsageError
from stimctl.protocols import Activity, Biofeedback, Plan, library, library_text, loads, stimulating
from stimctl.schedule import Schedule, compile_schedule
from stimctl.session import opening
from stimctl.session.fitting import misfit
from stimctl.sim.rehastim2 import RehaStim2
from tests import flown
from tests.rehastim2_rig import Rig
from tests.sensors_kit import noise

BOARD = "sim:rehastim2"

REFUSED = {
    "tens-alternating-forearm": "rates go from 2 to 100 Hz",
    "tens-burst-forearm": "pulses in a period 9 cannot be set; it takes 1 to 3",
    "tens-modulated-forearm": "rates go from 2 to 100 Hz",
}
"""What a channel list cannot express: a rate that changes, and more than triplets."""

DEAF = {"fes-emg-triggered", "fes-emg-proportional"}
"""Kinds that listen, and this board has no input: a stream or a recording has to be named."""

FILES = {entry.name: loads(library_text(entry.name), entry.name) for entry in library()}
STIMULATING = {name: each for name, each in FILES.items() if not isinstance(each, Activity | Biofeedback | Plan)}


def heard(name: str) -> bool:
    """Whether the file listens to EMG."""
    return getattr(FILES[name], "trigger", None) is not None or FILES[name].kind in DEAF


def one_of_each_kind() -> dict[str, str]:
    return {STIMULATING[name].kind: name for name in STIMULATING if name not in REFUSED and not heard(name)}


def compiled(name: str) -> Schedule:
    return compile_schedule(stimulating(FILES[name]), opening._steps(introduce(1, simulated=True)))


@pytest.mark.parametrize("name", STIMULATING)
def test_what_the_device_cannot_express_is_named_and_nothing_else_is(name: str) -> None:
    why = misfit(compiled(name), Rig().connected().driver)
    assert REFUSED[name] in why if name in REFUSED else why == ""


def test_what_the_board_makes_of_a_file_is_told() -> None:
    schedule = compiled("wrist-finger-extensors-cyclic")
    told = "; ".join(schedule.rounded)
    assert "interphase gap 0 µs becomes 100 µs" in told
    assert "rate 35000 mHz becomes 34483 mHz" in told
    [plan] = schedule.channels
    assert plan.shape.interphase_gap_us == 100  # and that is what the limiter judges


@pytest.mark.parametrize("name", [*REFUSED, "wrist-finger-extensors-emg", "wrist-finger-extensors-emg-proportional"])
def test_a_refusal_comes_before_the_start(name: str, tmp_path: Path) -> None:
    words = REFUSED.get(name, "this board has no EMG input; give a source with --emg")
    with pytest.raises(UsageError, match=words):
        run_headless(
            RunRequest(protocol=name, board=BOARD, seed=1, speed=math.inf, store=str(tmp_path / "a.db")), print
        )


@pytest.mark.parametrize(("index", "kind"), list(enumerate(one_of_each_kind())), ids=list(one_of_each_kind()))
def test_a_session_of_each_kind_that_fits_goes_to_its_end(index: int, kind: str, tmp_path: Path) -> None:
    name = one_of_each_kind()[kind]
    run = flown.fly(name, index + 1, tmp_path, brief=True, board=BOARD)
    assert flown.faults(run) == []
    [one] = run.sessions
    no_more_than_the_file_allows(one, name)


def test_an_attempt_in_a_recording_sets_off_a_burst(tmp_path: Path) -> None:
    """EMG-triggered files go with any source that is named, though the board has none."""
    values = noise(90.0, 1_000, 3.0)
    for start_s in range(6, 90, 12):
        values[start_s * 1_000 : start_s * 1_000 + 1_500] *= 20
    path = tmp_path / "attempts.npz"
    np.savez(path, x=values, fs=np.float64(1_000))
    run = flown.fly("wrist-finger-extensors-emg", 1, tmp_path, brief=True, board=BOARD, emg=f"file:{path}")
    assert flown.faults(run) == []
    [one] = run.sessions
    assert one.count("trigger") >= 1
    no_more_than_the_file_allows(one, "wrist-finger-extensors-emg")


def no_more_than_the_file_allows(one: flown.One, name: str) -> None:
    """By the twin's own ledger: amplitude, width, rate and gap; and in the end there is no list."""
    twin = one.twin
    assert isinstance(twin, RehaStim2)
    assert twin.mode is Mode.START
    assert not any(twin.current_ua(output) for output in range(8))
    plans = {plan.channel: plan for plan in compiled(name).channels}
    assert one.opened["simulated"]
    for output, ledger in enumerate(twin.ledger):
        assert bool(ledger.pulses) == (output in plans)
        for stretch in ledger.history(twin.now_us):
            most, train = plans[output].train(plans[output].max_ua), stretch.train
            assert train.amplitude_ua <= most.amplitude_ua
            assert train.phase_width_us <= most.phase_width_us
            assert (train.interphase_gap_us, train.recovery_amplitude_ua) == (100, train.amplitude_ua)
            assert stretch.period_ps >= 1_000_000_000_000_000 // most.rate_mhz - 1
            assert train.pulses_per_period <= most.pulses_per_period
