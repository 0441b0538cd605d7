"""Every shipped file on a board without a dead-man: to its end where it can be expressed, else refused with the reason."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import pytest

from stimctl.control.start import RunRequest, run_headless
from stimctl.errors import UsageError
from stimctl.protocols import Activity, Biofeedback, Plan, library, library_text, loads, stimulating
from stimctl.schedule import Schedule, compile_schedule
from stimctl.session import opening
from stimctl.session.fitting import misfit
from tests import flown
from tests import test_driver_neurostimduino as nsd
from tests import test_driver_openemsstim as ems
from tests import test_driver_uecu as uecu

FILES = {entry.name: loads(library_text(entry.name), entry.name) for entry in library()}
STIMULATING = [name for name, each in FILES.items() if not isinstance(each, Activity | Biofeedback | Plan)]

REFUSED: dict[str, dict[str, str]] = {
    "neurostimduino": {
        "contralateral-hand-opening": "36.0 mA: NeuroStimDuino puts out 0 to 30.48 mA",
        "shoulder-subluxation-cyclic": "36.0 mA: NeuroStimDuino puts out 0 to 30.48 mA",
        "tens-acupuncture-like-forearm": "2 Hz: NeuroStimDuino's rates are 3 to 100 Hz",
        "tens-alternating-forearm": "2 Hz: NeuroStimDuino's rates are 3 to 100 Hz",
        "tens-burst-forearm": "no doublets and no bursts",
        "tens-modulated-forearm": "6 Hz: below 7 Hz",
    },
    "uecu": {
        "power-grasp-ulnar-sequence": "300 µs: a UECU board's phases last at most 255 µs",
        "wrist-extensors-spastic-slow-ramp": "300 µs",
        "wrist-finger-extensors-cyclic": "300 µs",
        "tens-alternating-forearm": "300 µs",
        "tens-brief-intense-forearm": "100 Hz: a UECU board is given each pulse by this program",
        "tens-burst-forearm": "no doublets and no bursts",
        "tens-conventional-forearm": "its line carries 1 to 50 Hz",
        "tens-conventional-two-channel": "its line carries 1 to 50 Hz",
        "tens-modulated-forearm": "its line carries 1 to 50 Hz",
        "tens-sensory-forearm-tone": "its line carries 1 to 50 Hz",
    },
    "openemsstim": {name: "and the unit was measured at" for name in STIMULATING if name != "thumb-extensors-cyclic"},
}
"""What each of them cannot express. openEMSstim: what is not set just so on the unit behind it, here 35 Hz and 200 µs."""

RIGS: dict[str, Any] = {"neurostimduino": nsd.Rig, "openemsstim": ems.Rig, "uecu": uecu.Rig}

FLOWN = (
    ("neurostimduino", "tens-conventional-forearm"),
    ("neurostimduino", "thenar-cyclic"),
    ("neurostimduino", "pinch-release-sequence"),
    ("uecu", "wrist-finger-extensors-switch"),
    ("uecu", "grasp-release-sequence"),
    ("uecu", "tens-acupuncture-like-forearm"),
    ("openemsstim", "thumb-extensors-cyclic"),
)


def compiled(kind: str, name: str) -> tuple[Schedule, Any]:
    driver = RIGS[kind]().connected().driver
    return compile_schedule(stimulating(FILES[name]), opening._steps(driver.facts)), driver


@pytest.mark.parametrize("kind", RIGS)
def test_what_a_board_cannot_express_is_named_and_nothing_else_is(kind: str) -> None:
    driver = RIGS[kind]().connected().driver
    for name in STIMULATING:
        schedule = compile_schedule(stimulating(FILES[name]), opening._steps(driver.facts))
        why, words = misfit(schedule, driver), REFUSED[kind].get(name, "")
        assert words in why
        assert bool(words) == bool(why), (name, why)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("neurostimduino", "tens-burst-forearm"), ("uecu", "tens-burst-forearm"), ("openemsstim", "thenar-cyclic")],
)
def test_a_refusal_comes_before_the_start_with_its_reason(kind: str, name: str, tmp_path: Path) -> None:
    said: list[str] = []
    request = RunRequest(protocol=name, board=f"sim:{kind}", seed=1, speed=math.inf, store=str(tmp_path / "a.db"))
    with pytest.raises(UsageError, match=f"cannot give this protocol: .*{REFUSED[kind][name]}"):
        run_headless(request, said.append)
    assert not [line for line in said if "OUTPUT ON" in line]


@pytest.mark.parametrize(("kind", "name"), FLOWN)
def test_a_session_goes_to_its_end_and_stays_below_what_the_file_allows(kind: str, name: str, tmp_path: Path) -> None:
    run = flown.fly(name, 1, tmp_path, brief=True, board=f"sim:{kind}")
    [one] = run.sessions
    schedule, driver = compiled(kind, name)
    assert one.closed["outcome"] == "complete", run.said
    assert (run.code, one.closed["output"]) == ((0, "off") if driver.facts.confirms_zero else (1, "unknown"))
    plans = {plan.channel: plan for plan in schedule.channels}
    now_us = one.twin.now_us
    for output, ledger in enumerate(one.twin.ledger):
        assert bool(ledger.history(now_us)) == (output in plans)
        for stretch in ledger.history(now_us):
            most, train = plans[output].train(plans[output].max_ua), stretch.train
            assert train.amplitude_ua <= most.amplitude_ua
            assert train.phase_width_us <= most.phase_width_us
        pulses = [at for at, _ in ledger.pulses_between(0, now_us)]
        apart = min((b - a for a, b in itertools.pairwise(pulses)), default=10**9)
        assert apart >= 1_000_000_000 // most_rate(plans[output]) - 2 if output in plans else not pulses
    one.twin.advance(now_us + 10_000_000)
    assert not any(ledger.active_after(now_us + 600_000) for ledger in one.twin.ledger)


def most_rate(plan: Any) -> int:
    """The highest rate of any pulse of this channel, mHz."""
    return int(plan.shape.rate_mhz)
