"""What a refusal says, of every kind there is: rule, value, bound, unit, channel, whose bound, and when.

A record, a report and a person's screen have nothing else to go by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, fields, replace
from typing import Any, NamedTuple

import pytest

from stimctl.envelope.rules import Gate, SharedPad, Source
from stimctl.envelope.words import ZERO as NOTHING_YET
from stimctl.envelope.words import Finding, Strength, strength
from stimctl.errors import Refusal
from stimctl.limits import ABSOLUTE, BodyPart, Sensation
from stimctl.pulse import Command, Output, PulseTrain, symmetric
from stimctl.safety import Latch, Limiter, Pad, Rule
from stimctl.units import MINUTE, SECOND, MicroSecond, MilliHertz
from tests.limiter_rig import BURST, PADS, TENS, Rig, area, command, pads, placement, scaled, zero
from tests.test_safety_rules import LOOSE

TRAIN = symmetric(10_000, 250, 35_000)
ZERO = zero(TRAIN)


class Said(NamedTuple):
    """A refusal, but for its time."""

    rule: Rule
    value: Any
    bound: Any
    unit: str
    channel: int | None
    whose: str


def said(act: Callable[[], object], now_us: int) -> Said:
    with pytest.raises(Refusal) as caught:
        act()
    r = caught.value
    assert (r.now_us, type(r.rule)) == (now_us, Rule)
    return Said(Rule(r.rule), r.value, r.bound, r.unit, r.channel, r.bound_from)


def titrating(train: PulseTrain = TRAIN, *places: Any) -> Rig:
    rig = Rig(*places)
    rig.limiter.open_titration(0, rig.now_us)
    rig.raise_to(0, train)
    return rig


def giving(train: PulseTrain = TRAIN) -> Rig:
    rig = titrating(train)
    rig.ramp_to(0, train)
    return rig


def treating(train: PulseTrain = TRAIN) -> Rig:
    rig = Rig()
    rig.treat(train)
    return rig


IDS = """
    type unknown-channel duplicate-channel missing-channel clock fault peak phase-width gap recovery rate pulses-per-period
    pulse-fits-period charge-per-phase net-charge mean-dc pulse-energy rms rms-density power-density shared-pad-peak
    shared-pad-charge shared-pad-rms shared-pad-density pad-area pads sensation burst-plan on-time duty ramp-up ramp-rate
    site-time ceiling level titration-step titration-rate locked latched superseded
"""


def test_the_ids_of_rules_are_what_records_of_long_ago_have() -> None:
    assert [rule.value for rule in Rule] == IDS.split()


# --- commands ----------------------------------------------------------------------------------------------------------


def refused(rig: Rig, *trains: PulseTrain) -> Said:
    """What a command is refused with; the latch says the same."""
    with pytest.raises(Refusal) as caught:
        rig.send(*trains)
    assert rig.latch.reason == str(caught.value)
    rig.latch.clear()
    r = caught.value
    assert r.now_us == rig.now_us
    return Said(Rule(r.rule), r.value, r.bound, r.unit, r.channel, r.bound_from)


def test_what_a_command_is_refused_with() -> None:
    rig = giving()
    rig.wait(1_000_001)
    assert refused(rig, ZERO) == (Rule.CLOCK, 1_000_001, 1_000_000, "µs without a command", None, "session")
    rig = Rig(placement(3), placement(7, on=pads(25, "c", "d")))
    wrong: Any = "no command"
    assert said(lambda: rig.limiter.approve(wrong, 1_000), 1_000) == (
        Rule.TYPE, "str", "Command of a tuple", "", None, "session")  # fmt: skip
    rig.latch.clear()
    for output, words in (
        ("output", (Rule.TYPE, "str", "Output", "", None, "session")),
        (Output(4, ZERO), (Rule.UNKNOWN_CHANNEL, 4, [3, 7], "", None, "session")),
        (Output(3, wrong), (Rule.TYPE, wrong, "a PulseTrain of whole numbers", "", 3, "types")),
    ):
        assert said(lambda output=output: rig.limiter.approve(Command((output,)), 1_000), 1_000) == words  # type: ignore[misc]
        rig.latch.clear()
    twice = Command((Output(3, ZERO), Output(3, ZERO)))
    assert said(lambda: rig.limiter.approve(twice, 1_000), 1_000) == (
        Rule.DUPLICATE_CHANNEL,
        3,
        "once",
        "",
        3,
        "session",
    )
    rig.latch.clear()
    one = Command((Output(7, ZERO),))
    assert said(lambda: rig.limiter.approve(one, 1_000), 1_000) == (
        Rule.MISSING_CHANNEL, [3], "every channel", "", None, "session")  # fmt: skip


def test_what_output_is_refused_with() -> None:
    assert refused(Rig(), TRAIN) == (Rule.LOCKED, 10_000, 0, "µA", 0, "session")
    rig = titrating()
    assert refused(rig, scaled(TRAIN, 10_001)) == (Rule.LEVEL, 10_001, 10_000, "µA", 0, "level")
    rig = titrating()
    assert refused(rig, TRAIN) == (Rule.RAMP_RATE, 10_000, 2_000, "µA rise", 0, "session")
    assert refused(treating(), scaled(TRAIN, 10_001)) == (Rule.CEILING, 10_001, 10_000, "µA", 0, "ceiling found today")


def test_what_too_long_and_too_soon_is_refused_with() -> None:
    rig = titrating(scaled(TRAIN, 1_000))
    on = scaled(TRAIN, 1_000)
    rig.send(on)
    began_us = rig.now_us
    for _ in range(19):
        rig.wait(SECOND)
        rig.send(on)
    rig.wait(SECOND)
    assert refused(rig, on) == (Rule.ON_TIME, 20_000_000, 20_000_000, "µs", 0, "session")
    rig = titrating(scaled(TRAIN, 1_000))
    rig.send(on)
    rig.wait(600_000)
    rig.send(ZERO)
    ready_us = rig.now_us + 400_000
    assert refused(rig, on) == (Rule.DUTY, rig.now_us, ready_us, "µs session time", 0, "session")
    assert began_us > 0
    rig = Rig(TENS, spent={TENS.site: 60 * MINUTE + 3})
    rig.limiter.open_titration(0, rig.now_us)
    rig.raise_to(0, on)
    assert refused(rig, on) == (Rule.SITE_TIME, 60 * MINUTE + 3, 60 * MINUTE, "µs", 0, "session")


def test_what_a_stop_and_a_clock_refuse_with() -> None:
    rig = Rig()
    rig.latch.trip("stop key")
    latched = (Rule.LATCHED, "stop key", "cleared by a person", "", None, "session")
    for act in (
        lambda: rig.send(ZERO),
        lambda: rig.limiter.open_treatment(rig.now_us),
        lambda: rig.limiter.open_titration(0, rig.now_us),
        lambda: rig.limiter.raise_level(0, TRAIN, rig.now_us),
        lambda: rig.limiter.set_ceiling(0, TRAIN, rig.now_us),
    ):
        assert said(act, 1_000) == latched
    rig.latch.clear()
    early = said(lambda: rig.limiter.open_treatment(999), 1_000)
    assert early == (Rule.CLOCK, 999, 1_000, "µs", None, "session")


# --- wishes --------------------------------------------------------------------------------------------------------------


def test_what_a_raise_is_held_with() -> None:
    rig = titrating()

    def held(train: PulseTrain, wait_us: int = 0) -> Said:
        rig.wait(wait_us)
        return said(lambda: rig.limiter.raise_level(0, train, rig.now_us), rig.now_us)

    rising = scaled(TRAIN, 10_001)
    assert held(rising) == (Rule.TITRATION_RATE, 0, 500_000, "µs", 0, "session")
    above = (Rule.TITRATION_STEP, 11_001, 11_000, "µA", 0, "one step above the level")
    assert held(scaled(TRAIN, 11_001), SECOND) == above
    slow = Rig(placement(protocol=replace(ABSOLUTE, rise_ua_per_s=700)))
    slow.limiter.open_titration(0, slow.now_us)
    slow.limiter.raise_level(0, scaled(TRAIN, 500), slow.now_us)
    slow.wait(SECOND)
    assert said(lambda: slow.limiter.raise_level(0, scaled(TRAIN, 1_201), slow.now_us), slow.now_us) == (
        Rule.TITRATION_RATE, 701, 700, "µA rise", 0, "session")  # fmt: skip
    rig.limiter.close()
    assert held(rising) == (Rule.LOCKED, 10_001, 0, "µA", 0, "session")


def test_what_a_ceiling_is_refused_with() -> None:
    rig = Rig()
    keep = (Rule.LOCKED, "not in titration", "titration", "", 0, "session")
    assert said(lambda: rig.limiter.set_ceiling(0, TRAIN, rig.now_us), rig.now_us) == keep
    assert said(lambda: rig.limiter.open_treatment(rig.now_us), rig.now_us) == (
        Rule.CEILING, "none", "found today", "", 0, "session")  # fmt: skip
    rig = giving()
    assert said(lambda: rig.limiter.set_ceiling(0, ZERO, rig.now_us), rig.now_us) == (
        Rule.CEILING, 0, 1, "µA", 0, "session")  # fmt: skip
    assert said(lambda: rig.limiter.set_ceiling(0, scaled(TRAIN, 10_001), rig.now_us), rig.now_us) == (
        Rule.CEILING, 10_001, 10_000, "µA", 0, "highest given in titration")  # fmt: skip
    rig.limiter.set_ceiling(0, scaled(TRAIN, 1), rig.now_us)  # as little as one microampere


def test_what_a_lowering_is_refused_with() -> None:
    rig = titrating()
    up = (Rule.LEVEL, 10_001, 10_000, "µA", 0, "level")
    assert said(lambda: rig.limiter.lower_level(0, scaled(TRAIN, 10_001), 77), 77) == up
    wrong: Any = None
    assert said(lambda: rig.limiter.lower_level(0, wrong, 77), 77) == (
        Rule.TYPE, None, "a PulseTrain of whole numbers", "", 0, "session")  # fmt: skip
    for name in ("amplitude_ua", "recovery_amplitude_ua"):
        below = replace(TRAIN, **{name: -1})  # type: ignore[arg-type]
        assert said(lambda below=below: rig.limiter.lower_level(0, below, 77), 77).rule == Rule.TYPE  # type: ignore[misc]


def test_what_one_of_two_limiters_is_refused_with() -> None:
    rig = Rig()
    Limiter(rig.placements, ABSOLUTE, rig.latch, senses_impedance=True, now_us=0)
    Limiter(rig.placements, ABSOLUTE, rig.latch, senses_impedance=True, now_us=0)
    assert said(lambda: rig.limiter.open_titration(0, 1_000), 1_000) == (
        Rule.SUPERSEDED, 1, 3, "limiters on this latch", None, "session")  # fmt: skip


# --- one train ---------------------------------------------------------------------------------------------------------


def only(**changed: int) -> Source:
    return Source("test", replace(LOOSE, **changed), area(25))


ONE: list[tuple[dict[str, int], PulseTrain, tuple[Any, ...]]] = [
    ({"peak_ua": 9_999}, TRAIN, (Rule.PEAK, 10_000, 9_999, "µA")),
    ({}, replace(TRAIN, amplitude_ua=-1), (Rule.PEAK, -1, 0, "µA")),  # type: ignore[arg-type]
    ({"phase_width_max_us": 249}, TRAIN, (Rule.PHASE_WIDTH, 250, 249, "µs")),
    ({"phase_width_min_us": 251}, TRAIN, (Rule.PHASE_WIDTH, 250, 251, "µs")),
    ({"phase_width_min_us": 250, "phase_width_max_us": 200}, TRAIN, (Rule.PHASE_WIDTH, 250, 200, "µs")),
    ({"interphase_gap_max_us": 9}, symmetric(1, 250, 35_000, interphase_gap_us=10), (Rule.GAP, 10, 9, "µs")),
    ({}, replace(TRAIN, interphase_gap_us=-1), (Rule.GAP, -1, 0, "µs")),  # type: ignore[arg-type]
    ({}, replace(TRAIN, recovery_amplitude_ua=10_001), (Rule.RECOVERY, 10_001, 10_000, "µA")),  # type: ignore[arg-type]
    ({}, replace(TRAIN, recovery_amplitude_ua=-1), (Rule.RECOVERY, -1, 0, "µA")),  # type: ignore[arg-type]
    ({}, replace(TRAIN, recovery_width_us=-1), (Rule.RECOVERY, -1, 0, "µs")),  # type: ignore[arg-type]
    ({"rate_max_mhz": 34_999}, TRAIN, (Rule.RATE, 35_000, 34_999, "mHz")),
    ({"rate_min_mhz": 35_001}, TRAIN, (Rule.RATE, 35_000, 35_001, "mHz")),
    ({"rate_min_mhz": 0}, replace(TRAIN, rate_mhz=0), (Rule.RATE, 0, 1, "mHz")),  # type: ignore[arg-type]
    ({"pulses_per_period_max": 1}, replace(TRAIN, pulses_per_period=2), (Rule.PULSES, 2, 1, "pulses")),
    ({}, replace(TRAIN, pulses_per_period=0), (Rule.PULSES, 0, 1, "pulses")),
    (
        {},
        replace(TRAIN, rate_mhz=MilliHertz(2_000), pulses_per_period=4, recovery_width_us=MicroSecond(9_751)),
        (Rule.PULSE_FITS_PERIOD, 10_001, 10_000, "µs"),
    ),
    ({}, symmetric(1, 250, 35_000, interphase_gap_us=29_000), (Rule.PULSE_FITS_PERIOD, 29_500, 28_571, "µs")),
    ({"charge_nc": 2_499}, TRAIN, (Rule.CHARGE, 2_500, 2_499, "nC")),
    ({"energy_uj": 24}, TRAIN, (Rule.ENERGY, 25, 24, "µJ")),
    ({"net_charge_permille": 10}, replace(TRAIN, recovery_width_us=240), (Rule.NET_CHARGE, 100_000, 25_000, "pC")),  # type: ignore[arg-type]
    ({"mean_dc_na": 3_499}, replace(TRAIN, recovery_width_us=240), (Rule.MEAN_DC, 3_500, 3_499, "nA")),  # type: ignore[arg-type]
    ({"mean_dc_na": 1}, PulseTrain(1_000, 1, 0, 899, 1, 9_901, 1), (Rule.MEAN_DC, 2, 1, "nA")),  # type: ignore[arg-type]
    ({"rms_ua": 1_322}, TRAIN, (Rule.RMS, 1_323, 1_322, "µA rms")),
    ({"rms_density_ua_cm2": 52}, TRAIN, (Rule.RMS_DENSITY, 53, 52, "µA/cm² rms")),
    ({"power_density_uw_cm2": 34}, TRAIN, (Rule.POWER_DENSITY, 35, 34, "µW/cm²")),
]


@pytest.mark.parametrize(("bounds", "train", "words"), ONE, ids=[f"{n}-{o[2][0]}" for n, o in enumerate(ONE)])
def test_what_a_train_is_refused_with(bounds: dict[str, int], train: PulseTrain, words: tuple[Any, ...]) -> None:
    gate, s = Gate((only(), only(**bounds))), strength(train)
    assert not gate.allows(train, s)
    assert gate.finding(train, s, 5) == (*words, 5, "test")


def test_a_pulse_longer_than_its_place_is_refused_of_a_burst_alone() -> None:
    slow = replace(TRAIN, rate_mhz=MilliHertz(2_000), recovery_width_us=MicroSecond(9_751))
    for pulses, fits in ((1, True), (2, True), (3, False)):
        train = replace(slow, pulses_per_period=pulses)
        assert Gate((only(),)).allows(train, strength(train)) is fits
        assert (list(only().findings(train, strength(train), 0)) == []) is fits
    backwards = replace(slow, pulses_per_period=3, recovery_width_us=MicroSecond(-251))
    told = [tuple(f)[:4] for f in only().findings(backwards, strength(backwards), 0)]
    assert (Rule.PULSE_FITS_PERIOD, -1, 0, "µs") in told


def test_a_rate_of_nothing_leaves_no_time() -> None:
    never = replace(TRAIN, rate_mhz=MilliHertz(0))
    assert [tuple(f)[:4] for f in only().findings(never, strength(never), 0)] == [
        (Rule.RATE, 0, 1, "mHz"), (Rule.PULSE_FITS_PERIOD, 500, 0, "µs")]  # fmt: skip


@pytest.mark.parametrize(
    ("train", "rules"),
    [
        ((-4, 250, 0, -4, 250, 35_000, 1), [Rule.PEAK, Rule.RECOVERY, Rule.CHARGE, Rule.NET_CHARGE]),
        ((2_000, -250, 0, 2_000, -250, 35_000, 1), [Rule.PHASE_WIDTH, Rule.RECOVERY, Rule.PULSE_FITS_PERIOD, Rule.CHARGE,
                                                   Rule.ENERGY, Rule.NET_CHARGE, Rule.POWER_DENSITY]),
        ((1_000, 1, 0, 960, 1, 35_000, -1), [Rule.PULSES, Rule.PULSE_FITS_PERIOD, Rule.MEAN_DC]),
        ((0, 0, -1, 0, 0, 35_000, 1), [Rule.GAP, Rule.PULSE_FITS_PERIOD]),
        ((0, 1, 0, 0, 0, 1, 1), []),
        ((0, 0, 0, 0, 0, 35_000, 1), []),
        ((1_000, 1, 0, 1_000, 1, 1, 1), []),
    ],
)  # fmt: skip
def test_what_is_below_nothing_is_named_too(train: tuple[Any, ...], rules: list[Rule]) -> None:
    """By a hair: a value of -1 where 0 is the least."""
    t = PulseTrain(*train)
    assert [f.rule for f in only().findings(t, strength(t), 0)] == rules
    assert Gate((only(),)).allows(t, strength(t)) is (not rules)


@pytest.mark.parametrize("name", ["peak_ua", "charge_pc", "mean_square"])
def test_a_strength_below_nothing_is_none_on_a_shared_pad(name: str) -> None:
    pad = SharedPad("p", (only(),))
    assert pad.allows([ZEROS])
    assert not pad.allows([replace(ZEROS, **{name: -1})])
    assert not pad.allows([replace(ZEROS, **{name: -1}), ZEROS])
    rule = {"peak_ua": Rule.SHARED_PAD_PEAK}.get(name, Rule.FAULT)  # the others are rounded up to nothing
    assert pad.finding([replace(ZEROS, **{name: -1})]).rule == rule


def test_unequal_currents_that_coincide_are_allowed_up_to_the_bound_itself() -> None:
    """1 and 2 mA rms together are 3: no root is rounded, and the shorter reckoning, which is coarser, says no."""
    loads = [replace(ZEROS, mean_square=n * 10**15) for n in (1, 4)]
    assert SharedPad("p", (only(rms_ua=3_000),)).allows(loads)
    assert not SharedPad("p", (only(rms_ua=2_999),)).allows(loads)


def test_on_a_pad_no_bound_of_one_output_is_named() -> None:
    loads = [strength(TRAIN)] * 2
    one = only(peak_ua=15_000, charge_nc=3_000, rms_ua=2_645)._replace(of_output=True)
    assert SharedPad("p", (only(), one)).finding(loads).rule == Rule.SHARED_PAD_RMS


ZEROS = Strength(0, 0, 0, 0, 0, 0, 0, 0, 0)


def test_what_two_judgements_that_disagree_say() -> None:
    """Should they ever: it is a refusal of its own, and no exception."""
    s = strength(TRAIN)
    no = Finding(Rule.FAULT, 0, 0, "breaches named", 5, "two judgements that disagree")
    assert Gate((only(),)).finding(TRAIN, s, 5) == no
    assert SharedPad("p", (only(),)).finding([s]) == no._replace(channel=None)


def test_a_finding_is_turned_into_its_refusal() -> None:
    def act() -> None:
        raise Finding(Rule.PEAK, 1, 2, "µA", 3, "test").refusal(4)

    assert said(act, 4) == (Rule.PEAK, 1, 2, "µA", 3, "test")
    assert Finding(Rule.PEAK, 1, 2, "µA")[4:] == (None, "")


MOST = Strength(10, 100, 10**12, 5, 2, 7, 4, 2, 20)
EXCESS = [
    ({"peak_ua": 11}, (11, 10, "µA")),
    ({"charge_pc": 101}, (101, 100, "pC")),
    ({"mean_square": 10**12 + 1}, (32, 31, "µA rms")),
    ({"gap_us": 6}, (6, 5, "µs gap")),
    ({"pulses": 3}, (3, 2, "pulses per period")),
    ({"pulse_rate_mhz": 8}, (8, 7, "mHz of pulses")),
    ({"pulses": 1, "pulse_rate_mhz": 4}, (4, 3, "mHz of periods")),
    ({"net_pc": 21}, (21, 20, "pC net charge")),
    ({"recovery_us": 3}, (750, 500, "‰ recovery to first phase")),
    ({"recovery_us": 3, "width_us": 5}, (600, 500, "‰ recovery to first phase")),
    ({"recovery_us": 1, "width_us": 0}, (1_000, 500, "‰ recovery to first phase")),
    ({}, (500, 500, "‰ recovery to first phase")),
]


@pytest.mark.parametrize(("changed", "words"), EXCESS)
def test_in_what_a_train_is_stronger(changed: dict[str, int], words: tuple[int, int, str]) -> None:
    """One after the other, and when all are: the peak."""
    assert MOST.excess(replace(MOST, **changed)) == words
    everything: dict[str, int] = {}
    for later, _ in reversed(EXCESS[: EXCESS.index((changed, words)) + 1]):
        everything = {**everything, **later}
    assert MOST.excess(replace(MOST, **everything)) == EXCESS[0][1] or not changed


def test_a_width_of_nothing_has_a_share_too() -> None:
    assert replace(MOST, width_us=0).excess(replace(MOST, width_us=0, recovery_us=3)) == (
        3_000, 2_000, "‰ recovery to first phase")  # fmt: skip


# --- placements --------------------------------------------------------------------------------------------------------


def placed(*places: Any, **how: Any) -> Said:
    with pytest.raises(Refusal) as caught:
        Limiter(places, how.pop("board", ABSOLUTE), Latch(), **{"senses_impedance": True, "now_us": 17, **how})
    r = caught.value
    assert r.now_us == 17
    return Said(Rule(r.rule), r.value, r.bound, r.unit, r.channel, r.bound_from)


P: Any = placement()
AREAS = "200000000 to 20000000000"
PLACES: list[tuple[Any, tuple[Any, ...]]] = [
    ("none", (Rule.TYPE, "str", "Placement", "")),
    (P._replace(channel=-1), (Rule.UNKNOWN_CHANNEL, -1, "0 or more", "")),
    (P._replace(part="hand"), (Rule.TYPE, "hand", "BodyPart", "")),
    (P._replace(effect="none"), (Rule.TYPE, "none", "Effect", "")),
    (P._replace(sensation="some"), (Rule.TYPE, "some", "Sensation", "")),
    (P._replace(site=7), (Rule.TYPE, 7, "str", "")),
    (P._replace(pads=[1]), (Rule.TYPE, [1], "tuple", "")),
    (P._replace(site=""), (Rule.TYPE, "an empty name", "a site", "")),
    (P._replace(sensation=Sensation.ABSENT), (Rule.SENSATION, Sensation.ABSENT, Sensation.REDUCED, "")),
    (P._replace(pads=PADS[:1]), (Rule.PADS, 1, 2, "pads")),
    (P._replace(pads=(PADS[0], 3)), (Rule.TYPE, 3, "Pad", "")),
    (P._replace(pads=(PADS[0], Pad("b", 7))), (Rule.PAD_AREA, 7, AREAS, "µm²")),
    (P._replace(pads=(PADS[0], PADS[0])), (Rule.PADS, "one pad twice", "different pads", "")),
    (P._replace(burst=3), (Rule.TYPE, 3, "a Burst of whole µs", "")),
]


@pytest.mark.parametrize(("place", "words"), PLACES, ids=[f"{n}-{p[1][0]}" for n, p in enumerate(PLACES)])
def test_what_a_placement_is_refused_with(place: Any, words: tuple[Any, ...]) -> None:
    assert placed(place) == (*words, None, "placement")


def test_what_the_arguments_are_refused_with() -> None:
    assert placed() == (Rule.MISSING_CHANNEL, 0, "1 or more", "", None, "placement")
    assert placed(P, senses_impedance=1) == (Rule.TYPE, "int", "bool", "", None, "placement")
    assert placed(P, site_time_spent_us=[]) == (Rule.TYPE, "list", "dict", "", None, "placement")
    spent = (Rule.TYPE, "'a': -1", "a site and its µs", "", None, "placement")
    assert placed(P, site_time_spent_us={"a": -1}) == spent
    assert placed(P, board=None) == (Rule.TYPE, "NoneType", "Limits", "", None, "limits")
    assert placed(P, board=replace(ABSOLUTE, rms_ua=-1)) == (Rule.TYPE, -1, "a whole number", "rms_ua", None, "limits")
    assert placed(P._replace(protocol=None)) == (Rule.TYPE, "NoneType", "Limits", "", None, "limits")
    assert placed(P, P) == (Rule.DUPLICATE_CHANNEL, 0, "once", "", None, "placement")
    wrong: Any = 1.5
    assert said(lambda: Limiter((P,), ABSOLUTE, Latch(), senses_impedance=True, now_us=wrong), 0) == (
        Rule.TYPE, "float", "int", "", None, "placement")  # fmt: skip
    listed: Any = [P]
    assert said(lambda: Limiter(listed, ABSOLUTE, Latch(), senses_impedance=True, now_us=9), 9) == (
        Rule.TYPE, "list", "tuple", "", None, "placement")  # fmt: skip
    none: Any = None
    assert said(lambda: Limiter((P,), ABSOLUTE, none, senses_impedance=True, now_us=9), 0) == (
        Rule.TYPE, "NoneType", "Latch", "", None, "")  # fmt: skip


def test_what_pads_in_common_are_refused_with() -> None:
    other = placement(4, on=(PADS[0], Pad("b", area(20))))
    assert placed(P, other) == (Rule.PAD_AREA, area(20), area(25), "", None, "placement")
    same = placement(4, on=PADS[::-1])
    both = (Rule.PADS, "channels 0 and 4 on a and b", "at most one pad in common", "", None, "placement")
    assert placed(P, same) == both
    assert placed(P, placement(2, on=pads(25, "c", "d")), same) == both


PLANS: list[tuple[Any, tuple[Any, ...]]] = [
    (P._replace(burst=None), (Rule.BURST_PLAN, 0, 1, "plans", "absolute")),
    (P._replace(burst=BURST._replace(ramp_up_us=499_999)), (Rule.RAMP_UP, 499_999, 500_000, "µs", "profile forearm")),
    (P._replace(burst=BURST._replace(ramp_up_us=3, hold_us=0, ramp_down_us=0)), (Rule.RAMP_UP, 3, 200_000, "µs", "absolute")),
    (P._replace(burst=BURST._replace(hold_us=19_000_000, rest_us=10**9)),
     (Rule.ON_TIME, 21_000_000, 20_000_000, "µs", "profile forearm")),
    (P._replace(burst=BURST._replace(rest_us=3_000_000)), (Rule.DUTY, 700, 600, "‰", "profile forearm")),
    (P._replace(burst=BURST._replace(rest_us=1_000_000)), (Rule.DUTY, 875, 800, "‰", "absolute")),
    (P._replace(protocol=replace(ABSOLUTE, duty_permille=499)), (Rule.DUTY, 500, 499, "‰", "protocol")),
    (P._replace(protocol=replace(ABSOLUTE, ramp_up_min_us=8 * SECOND)), (Rule.RAMP_UP, SECOND, 8 * SECOND, "µs", "protocol")),
]  # fmt: skip


@pytest.mark.parametrize(("place", "words"), PLANS, ids=[f"{n}-{p[1][0]}" for n, p in enumerate(PLANS)])
def test_what_a_plan_is_refused_with(place: Any, words: tuple[Any, ...]) -> None:
    *numbers, whose = words
    assert placed(place._replace(channel=6)) == (*numbers, 6, whose)
    assert placed(placement(part=BodyPart.THENAR)._replace(burst=None)).channel == 0


def test_a_plan_of_nothing_is_no_plan() -> None:
    nothing = BURST._replace(ramp_up_us=0, hold_us=0, ramp_down_us=0, rest_us=0)
    loose = replace(ABSOLUTE, ramp_up_min_us=0)
    assert placed(P._replace(burst=nothing, protocol=loose)) == (Rule.RAMP_UP, 0, 200_000, "µs", 0, "absolute")


# --- shared pads and the warn column ---------------------------------------------------------------------------------


def test_what_a_shared_pad_is_refused_with() -> None:
    loads = [strength(TRAIN)] * 2  # together 20 mA, 5 µC, 2.6458 mA rms
    for bounds, words in (
        ({"peak_ua": 19_999}, (Rule.SHARED_PAD_PEAK, 20_000, 19_999, "µA")),
        ({"charge_nc": 4_999}, (Rule.SHARED_PAD_CHARGE, 5_000, 4_999, "nC")),
        ({"rms_ua": 2_645}, (Rule.SHARED_PAD_RMS, 2_646, 2_645, "µA rms")),
        ({"rms_density_ua_cm2": 105}, (Rule.SHARED_PAD_DENSITY, 106, 105, "µA/cm² rms")),
        ({"power_density_uw_cm2": 139}, (Rule.SHARED_PAD_DENSITY, 140, 139, "µW/cm²")),
    ):
        pad = SharedPad("p", (only(), only(**bounds)))
        assert not pad.allows(loads)
        assert pad.finding(loads) == (*words, None, "test, pad p")


def test_what_review_finds() -> None:
    shared = (TENS._replace(pads=(Pad("s", area(25)), Pad("a", area(25)))),
              TENS._replace(channel=1, pads=(Pad("s", area(25)), Pad("b", area(25))), site="hand"))  # fmt: skip
    rig = Rig(*shared, spent={TENS.site: 45 * MINUTE, "hand": 45 * MINUTE + 1})
    found = rig.limiter.review(command(symmetric(21_000, 200, 35_000), symmetric(20_000, 200, 35_000)), rig.now_us)
    assert found == (
        (Rule.SHARED_PAD_PEAK, 41_000, 40_000, "µA", None, "warn forearm, pad s"),
        (Rule.SITE_TIME, 45 * MINUTE + 1, 45 * MINUTE, "µs", 1, "warn forearm"),
    )
    rig = Rig(placement(burst=BURST._replace(rest_us=6_000_000)))
    assert rig.limiter.review(command(symmetric(40_001, 100, 35_000)), 0) == (
        (Rule.PEAK, 40_001, 40_000, "µA", 0, "warn forearm"),
        (Rule.DUTY, 539, 500, "‰", 0, "warn forearm"),
    )


def test_review_adds_up_the_users_of_a_pad_alone_and_passes_over_what_is_none() -> None:
    shared = (Pad("s", area(25)), Pad("a", area(25)))
    three = (TENS._replace(pads=shared), TENS._replace(channel=1, pads=(shared[0], Pad("b", area(25)))),
             TENS._replace(channel=2, pads=pads(25, "c", "d")))  # fmt: skip
    half = symmetric(20_000, 200, 35_000)
    rig = Rig(*three)
    assert rig.limiter.review(command(half, half, half), 0) == ()
    wrong: Any = None
    assert rig.limiter.review(command(half, wrong, half), 0) == ()
    more = rig.limiter.review(command(half, scaled(half, 20_001), half), 0)
    assert [f.rule for f in more] == [Rule.SHARED_PAD_PEAK]


def test_review_judges_a_channel_by_its_smallest_pad() -> None:
    rig = Rig(TENS._replace(pads=(Pad("large", area(25)), Pad("small", area(5)))))
    found = rig.limiter.review(command(symmetric(21_000, 100, 35_000)), 0)
    assert [(f.rule, f.bound) for f in found] == [(Rule.PEAK, 20_000)]


def test_review_judges_a_pad_by_its_own_size() -> None:
    """A large pad that small pads of several channels return to: 40 mA for a warning, not the thenar's 20."""
    shared = Pad("s", area(25))
    two = (
        TENS._replace(pads=(Pad("small", area(5)), shared)),
        TENS._replace(channel=1, pads=(Pad("b", area(5)), shared)),
    )
    one = symmetric(15_000, 100, 35_000)
    assert Rig(*two).limiter.review(command(one, one), 0) == ()
    small = (
        TENS._replace(pads=(Pad("s", area(5)), Pad("a", area(25)))),
        TENS._replace(channel=1, pads=(Pad("s", area(5)), Pad("b", area(25)))),
    )
    found = Rig(*small).limiter.review(command(one, one), 0)
    assert [(f.rule, f.bound) for f in found] == [(Rule.SHARED_PAD_PEAK, 20_000)]


def test_nothing_yet_is_nothing_in_every_way() -> None:
    """What a channel starts from: any train at all is stronger than it."""
    assert astuple(NOTHING_YET) == (0,) * len(fields(Strength))
