"""Theorems about what is taken up at the start: limits, placements, burst plans and shared pads.

* ``limits`` - limits that are not refused are 0 or more, all of them: what the other theorems assume of them;
* ``placements`` - a placement that is not refused has pads of 2 to 200 cm² each, and a plan that is nowhere negative;
* ``plans`` - a plan that no source refuses ramps up, stays on and rests as A.5 asks, in exact fractions, and one that
  does is not refused;
* ``shared`` - on a pad that two or three channels use (three is the most that is proven: the code adds up in a loop), what
  is allowed keeps every bound for the sum of peaks, of charges and of rms currents. Roots of mean squares are any
  numbers that their squares allow; A.6's own sum of squares is smaller still.
"""

from __future__ import annotations

from dataclasses import fields
from functools import partial
from typing import Any

from tests.proving import limiter_spec as spec
from tests.proving.limiter_givens import Given, any_placement, any_source, any_strength
from tests.proving.theorem import Study, Theorem

MOTOR, SENSORY = Given("forearm", "motor", "normal", True), Given("forearm", "sensory", "normal", True)


def limits(study: Study) -> None:
    world = study.world
    kind = world.limits.Limits
    these = kind(*(study.integer(each.name) for each in fields(kind)))
    try:
        world.placing.check_limits(these, 0)
    except world.errors.Refusal:
        study.reached("refused")
        return
    study.reached("taken")
    for each in fields(kind):
        study.claim(each.name, getattr(these, each.name) >= 0)


def placements(study: Study, pads: int) -> None:
    world = study.world
    placement = any_placement(study, MOTOR, pads)
    try:
        world.placing.check_placement(placement, 0)
    except world.errors.Refusal:
        study.reached("refused")
        return
    study.reached("taken")
    study.claim("two pads or more", pads >= 2)
    for pad in placement.pads:
        area = spec.area_cm2(pad.area_um2)
        study.claim(f"{pad.id} inside", (spec.exactly(2) <= area) & (area <= spec.exactly(200)))
    for name, us in zip(placement.burst._fields, placement.burst, strict=True):
        study.claim(f"{name} is not negative", us >= 0)


def plans(study: Study, given: Given) -> None:
    world, timed = study.world, given.effect == "motor"
    placement = any_placement(study, given, 0)
    burst, source = placement.burst, any_source(study, "source")
    for us in burst:
        study.assume(us >= 0)
    lim = source.limits
    on_us = burst.ramp_up_us + burst.hold_us + burst.ramp_down_us
    cycle_us = on_us + burst.rest_us
    keeps_ramp = burst.ramp_up_us >= lim.ramp_up_min_us
    keeps_times = (on_us <= lim.on_time_us) & (on_us * 1_000 <= lim.duty_permille * cycle_us)
    if any(True for _ in world.placing.plan_findings(placement, source)):
        study.reached("refused")
        study.claim("nothing is refused too much", not (keeps_ramp & keeps_times if timed else keeps_ramp))
        return
    study.reached("taken")
    study.claim("ramp-up", keeps_ramp)
    if timed:
        study.claim("on-time and duty", keeps_times)


def shared(study: Study, users: int) -> None:
    world = study.world
    sources = (
        any_source(study, "absolute", accuracy=True),
        any_source(study, "profile"),
        any_source(study, "board", of_output=True),
    )
    loads = [any_strength(study, f"channel{n}", 0) for n in range(users)]
    pad = world.rules.SharedPad("pad", sources)
    if not pad.allows(loads):
        return
    study.reached("allowed")
    # Each rms current lies between whole µA·√1e-9 that the solver may choose; `doubled` is twice the product of two.
    roots = [study.integer(f"root{n}", 0) for n in range(users)]
    for root, load in zip(roots, loads, strict=True):
        study.assume(root * root <= load.mean_square)
    together: Any = sum(roots)
    _help_with_roots(study, roots, loads)
    amplitudes = sum(load.peak_ua for load in loads), sum(load.charge_pc for load in loads)
    for source in sources:
        ceiling = spec.of_limits(source.limits, accuracy=source.accuracy)
        square = spec.Ratio(together * together, 10**9 * 10**6)
        for name, kept in ceiling.heating(square, spec.area_cm2(source.area_um2)).items():
            study.claim(f"{source.name}: {name} together", kept)
        if not source.of_output:
            study.claim(f"{source.name}: peaks together", spec.Ratio(amplitudes[0], 1_000) <= ceiling.peak_ma)
            study.claim(f"{source.name}: charges together", spec.Ratio(amplitudes[1], 10**6) <= ceiling.charge_uc)


def _help_with_roots(study: Study, roots: list[Any], loads: list[Any]) -> None:
    """Twice the product of two roots is at most what the code adds for the pair; and squares are not negative."""
    coincident = study.world.pulse.coincident_square
    for i, one in enumerate(roots):
        for j in range(i + 1, len(roots)):
            other, a, b = roots[j], loads[i].mean_square, loads[j].mean_square
            study.square(one - other)
            if a == 0 or b == 0:
                study.note("a root of nothing", (one == 0) | (other == 0))
                study.note("nothing together", one * other == 0)
                continue
            study.multiply(a - one * one, b)
            study.multiply(b - other * other, one * one)
            pair = coincident([a, b]) - a - b
            too_much = 2 * one * other - pair
            if too_much >= 1:
                # (pair + too_much)² = (2 √a √b)² <= 4 a b <= pair²: impossible.
                study.multiply(too_much, pair)
                study.multiply(too_much, too_much - 1)
                study.claim("the product of roots", too_much <= 0)


THEOREMS = (
    Theorem("limits", limits, ("refused", "taken")),
    Theorem("placements, two pads", partial(placements, pads=2), ("refused", "taken")),
    Theorem("placements, three pads", partial(placements, pads=3), ("refused", "taken")),
    Theorem("placements, one pad", partial(placements, pads=1), ("refused",)),
    Theorem("plans, motor", partial(plans, given=MOTOR), ("refused", "taken")),
    Theorem("plans, sensory", partial(plans, given=SENSORY), ("refused", "taken")),
    Theorem("shared by two", partial(shared, users=2), ("allowed",), quick=False),
    Theorem("shared by three", partial(shared, users=3), ("allowed",), quick=False),
)
