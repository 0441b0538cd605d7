"""Theorems about one train at one moment: :mod:`stimctl.envelope.rules` against the independent specification.

For ALL integers (no sign and no size is assumed of a train; limits are 0 or more and areas 1 or more, which
``placements`` proves of everything that is taken up):

* ``every source`` - what the gate of any four sources lets pass keeps every bound of each of them (and of any two, the
  one with R4's factor and the other, which is quicker and all that the everyday tests prove);
* ``nothing too much`` - and what keeps every bound is let pass: the gate is not stricter by a single unit;
* ``roundings`` - the quotients and roots that refusals name are rounded up, to the least whole number;
* ``columns`` - for each body part, effect, sensation and board, a channel's columns say what A.5 says, for its smallest
  pad: with ``every source`` this alone makes the envelope;
* ``envelope`` - the same in one piece, without that step of reasoning, for some of them: the channel's gate keeps the
  ceilings of A.5 on every one of its pads, small ones included, and the board's and the file's bounds.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.proving import limiter_spec as spec
from tests.proving.limiter_givens import COMBINATIONS, Given, any_limits, any_placement, any_source, any_train
from tests.proving.theorem import Study, Theorem


def _claim(study: Study, whose: str, bounds: dict[str, Any]) -> None:
    for name, kept in bounds.items():
        study.claim(f"{whose}: {name}", kept)


def _ceiling(source: Any) -> spec.Ceiling:
    return spec.of_limits(source.limits, accuracy=source.accuracy)


def _help_with_signs(study: Study, train: Any, sources: tuple[Any, ...]) -> None:
    """Products of what is not negative, which a bound on the size of a signed sum needs."""
    net = abs(train.amplitude_ua * train.phase_width_us - train.recovery_amplitude_ua * train.recovery_width_us)
    study.multiply(net, train.rate_mhz, train.pulses_per_period)
    study.multiply(train.amplitude_ua, train.phase_width_us)
    for source in sources:
        study.multiply(train.amplitude_ua * train.phase_width_us, source.limits.net_charge_permille)


def _help_with_pads(study: Study, sources: tuple[Any, ...], pads: tuple[Any, ...]) -> None:
    """A density on a pad is no more than on the smallest, which the sources reckon with."""
    for source in sources:
        area, lim = source.area_um2, source.limits
        for pad in pads:
            study.multiply(pad.area_um2 - area, lim.power_density_uw_cm2)
            study.multiply(pad.area_um2 - area, lim.rms_density_ua_cm2, lim.rms_density_ua_cm2, pad.area_um2 + area)


def every_source(study: Study, count: int) -> None:
    world = study.world
    sources = tuple(any_source(study, f"source{n}", accuracy=n == 0) for n in range(count))
    train = any_train(study)
    gate = world.rules.Gate(sources)
    if gate.allows(train, world.words.strength(train)):
        study.reached("allowed")
        _help_with_signs(study, train, sources)
        flow = spec.flow(train)
        for source in sources:
            _claim(study, source.name, _ceiling(source).bounds(flow, spec.area_cm2(source.area_um2)))


def nothing_too_much(study: Study) -> None:
    world, train = study.world, any_train(study)
    sources = (any_source(study, "absolute", accuracy=True), any_source(study, "other"))
    flow = spec.flow(train)
    for source in sources:
        for kept in _ceiling(source).bounds(flow, spec.area_cm2(source.area_um2)).values():
            study.assume(kept)
    study.claim("allowed", bool(world.rules.Gate(sources).allows(train, world.words.strength(train))))
    study.reached("allowed")


def roundings(study: Study) -> None:
    """``ceil_div`` and ``ceil_root`` are the least whole number that is large enough: a refusal names no smaller one."""
    words = study.world.words
    top, below = study.integer("numerator", 0), study.integer("denominator", 1)
    quotient, root = words.ceil_div(top, below), words.ceil_root(top, below)
    study.claim("quotient large enough", quotient * below >= top)
    study.claim("quotient not larger", (quotient - 1) * below < top)
    up = words.ceil_div(top, below)
    study.claim("no root below zero", root >= 0)
    study.note("root of the quotient large enough", root * root >= up)
    study.multiply(root * root - up, below)
    study.claim("root large enough", root * root * below >= top)
    study.claim("root not larger", (root == 0) | ((root - 1) * (root - 1) < up))
    study.reached("a root" if root >= 1 else "no root")


def columns(study: Study, given: Given) -> None:
    """Each column that a channel is under says what A.5 says, on pads of any area; the smallest pad counts."""
    placement, board = any_placement(study, given, 3), any_limits(study, "board")
    absolutely, own, boards, files = study.world.placing.sources(
        placement, board, senses_impedance=given.senses_impedance
    )
    study.claim("R4 is for the absolute column alone", (absolutely.accuracy, own.accuracy) == (True, False))
    study.claim("the others are taken as they are", boards.limits is board and files.limits is placement.protocol)
    wanted = spec.profile(
        given.part,
        motor=given.effect == "motor",
        reduced=given.sensation == "reduced",
        senses_impedance=given.senses_impedance,
    )
    small = any(pad.area_um2 < 10 * 10**8 for pad in placement.pads)
    for source, column in ((absolutely, spec.absolute(given.part, motor=given.effect == "motor")), (own, wanted)):
        here = spec.of_limits(source.limits, accuracy=source.accuracy)
        study.claim(f"{source.name} as in A.5", spec.same(here, spec.on_small_pad(column) if small else column.ceiling))
    for source in (absolutely, own, boards, files):
        for pad in placement.pads:
            study.claim(f"{source.name}: no pad is smaller", source.area_um2 <= pad.area_um2)
    study.reached("small" if small else "ordinary")


def envelope(study: Study, given: Given) -> None:
    world, train = study.world, any_train(study)
    placement = any_placement(study, given, 2)
    for pad in placement.pads:
        study.assume(pad.area_um2 >= 1)
    board = any_limits(study, "board")
    sources = world.placing.sources(placement, board, senses_impedance=given.senses_impedance)
    if world.rules.Gate(sources).allows(train, world.words.strength(train)):
        study.reached("allowed")
        _help_with_signs(study, train, sources)
        _help_with_pads(study, sources, placement.pads)
        claim_envelope(study, given, train, placement, board)


def claim_envelope(study: Study, given: Given, train: Any, placement: Any, board: Any) -> None:
    """Every bound that a channel is under."""
    flow, pads = spec.flow(train), tuple(spec.area_cm2(pad.area_um2) for pad in placement.pads)
    motor = given.effect == "motor"
    _claim(study, "absolute", spec.on_pads(spec.absolute(given.part, motor=motor), flow, pads))
    own = spec.profile(
        given.part,
        motor=motor,
        reduced=given.sensation == "reduced",
        senses_impedance=given.senses_impedance,
    )
    _claim(study, "profile", spec.on_pads(own, flow, pads))
    for whose, limits in (("board", board), ("protocol", placement.protocol)):
        for pad in pads:
            _claim(study, whose, spec.of_limits(limits).bounds(flow, pad))


THEOREMS = (
    Theorem("every source", partial(every_source, count=4), ("allowed",), quick=False),
    Theorem("every source of two", partial(every_source, count=2), ("allowed",)),
    Theorem("nothing too much", nothing_too_much, ("allowed",), quick=False),
    Theorem("roundings", roundings, ("a root", "no root")),
    *(
        Theorem(f"columns: {given}", partial(columns, given=given), ("small", "ordinary"))
        for given in (Given(*each) for each in COMBINATIONS)
    ),
    *(
        Theorem(f"envelope: {given}", partial(envelope, given=given), ("allowed",), quick=False)
        for given in (Given(*each) for each in COMBINATIONS[::5])
    ),
)
