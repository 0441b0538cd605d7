"""The rules that need no memory: dense at every edge, the clinical vectors, and two judgements that must agree."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stimctl.envelope.placing import sources
from stimctl.envelope.rules import Gate, SharedPad, Source
from stimctl.envelope.words import (
    Strength,
    ceil_div,
    ceil_root,
    highest_covered_ua,
    one_step_up,
    rise_ua,
    strength,
    well_typed,
)
from stimctl.errors import Refusal
from stimctl.limits import ABSOLUTE, PROFILES, BodyPart, Effect, Limits, Sensation, absolute
from stimctl.pulse import PulseTrain, figures, mean_square_e9, net_charge_pc, symmetric
from stimctl.safety import Latch, Limiter, Pad, Rule
from stimctl.units import UM2_PER_CM2, MicroAmp, MicroSecond, MilliHertz, SquareMicrometre
from tests.limiter_rig import BURST, PADS, TENS, Rig, area, pads, placement
from tests.test_pulse import A7, train

FLOATING: Any = BURST._replace(hold_us=1e6)  # type: ignore[arg-type]
LOOSE = Limits(
    peak_ua=10**9, phase_width_min_us=0, phase_width_max_us=10**6, interphase_gap_max_us=10**6, rate_min_mhz=1,
    rate_max_mhz=10**9, pulses_per_period_max=99, charge_nc=10**9, rms_ua=10**9, rms_density_ua_cm2=10**9,
    power_density_uw_cm2=10**9, energy_uj=10**9, net_charge_permille=10**6, mean_dc_na=10**9, on_time_us=10**12,
    duty_permille=1_000, ramp_up_min_us=1, site_time_us=10**12, step_ua=10**9, step_interval_min_us=0,
    rise_ua_per_s=10**9,
)  # fmt: skip
BIG = area(25)
BASE = symmetric(20_000, 300, 35_000)


def spoilt(thing: Any, **changed: Any) -> Any:
    """A copy with values that no type checker would let through."""
    return replace(thing, **changed)


def rules(source: Source, t: PulseTrain) -> list[Rule]:
    return [finding.rule for finding in source.findings(t, strength(t), 0)]


def only(cm2: float = 25, accuracy: bool = False, /, **changed: int) -> Source:
    """A source with nothing but the bounds that a test is about."""
    return Source("test", replace(LOOSE, **changed), area(cm2), accuracy)


# --- the clinical vectors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("pulse", "cm2", "expected"), A7, ids=[f"vector {n}" for n in range(1, 17)])
def test_integer_judgement_agrees_with_the_a7_vectors(
    pulse: PulseTrain, cm2: float, expected: tuple[float, ...]
) -> None:
    """Each quantity is refused with its bound 0.1 % below the vector's value, and allowed 0.1 % above it."""
    charge_uc, _, rms_ma, density, _, power, energy_mj, volts = expected
    for field, value, rule in (
        ("charge_nc", charge_uc * 1e3, Rule.CHARGE),
        ("rms_ua", rms_ma * 1e3, Rule.RMS),
        ("rms_density_ua_cm2", density * 1e3, Rule.RMS_DENSITY),
        ("power_density_uw_cm2", power * 1e3, Rule.POWER_DENSITY),
        ("energy_uj", energy_mj * 1e3, Rule.ENERGY),
        ("peak_ua", volts * 2e3, Rule.PEAK),
    ):
        wide, tight = math.ceil(value * 1.001) + 1, math.floor(value * 0.999) - 1
        assert rules(only(cm2, **{field: wide}), pulse) == [], field
        assert rules(only(cm2, **{field: tight}), pulse) == [rule], field


FOREARM_25 = sources(placement(), ABSOLUTE, senses_impedance=True)


@pytest.mark.parametrize(
    ("vector", "cm2", "part", "effect", "refused"),
    [
        (1, 25, BodyPart.FOREARM, Effect.MOTOR, None),
        (2, 25, BodyPart.FOREARM, Effect.MOTOR, None),
        (3, 4.9087, BodyPart.THENAR, Effect.MOTOR, None),
        (4, 25, BodyPart.FOREARM, Effect.SENSORY, None),
        (5, 25, BodyPart.FOREARM, Effect.SENSORY, None),
        (6, 8.0425, BodyPart.FOREARM, Effect.SENSORY, (Rule.PEAK, "profile forearm")),  # a small pad: 30 mA
        (7, 20, BodyPart.FOREARM, Effect.MOTOR, None),
        (8, 20, BodyPart.FOREARM, Effect.MOTOR, (Rule.NET_CHARGE, "absolute")),
        (9, 20, BodyPart.FOREARM, Effect.MOTOR, (Rule.PEAK, "profile forearm")),
        (10, 10, BodyPart.FOREARM, Effect.MOTOR, (Rule.RMS_DENSITY, "absolute")),  # 1.732 as shown, 2.08 with R4
        (11, 8.0425, BodyPart.FOREARM, Effect.MOTOR, (Rule.PEAK, "profile forearm")),
        (12, 20.25, BodyPart.SHOULDER, Effect.MOTOR, (Rule.PEAK, "absolute")),
        (13, 10.125, BodyPart.SHOULDER, Effect.MOTOR, (Rule.PEAK, "absolute")),
        (14, 25, BodyPart.FOREARM, Effect.MOTOR, None),
        (15, 25, BodyPart.FOREARM, Effect.SENSORY, None),
        (16, 25, BodyPart.FOREARM, Effect.SENSORY, (Rule.PEAK, "absolute")),
    ],
)
def test_what_the_profiles_say_to_the_vectors(
    vector: int, cm2: float, part: BodyPart, effect: Effect, refused: tuple[Rule, str] | None
) -> None:
    pulse, placed = A7[vector - 1][0], placement(part=part, effect=effect, on=pads(cm2))
    gate = Gate(sources(placed, ABSOLUTE, senses_impedance=True))
    s = strength(pulse)
    assert gate.allows(pulse, s) is (refused is None)
    if refused:
        finding = gate.finding(pulse, s, 0)
        assert (finding.rule, finding.bound_from) == refused


def test_two_channels_of_vector_two_on_one_pad_are_judged_as_if_they_coincided() -> None:
    """Twice 5.2915 mA rms, so 0.42332 mA/cm²: no board promises the 0.29933 of pulses that never overlap."""
    loads = [strength(A7[1][0])] * 2
    wide, tight = (SharedPad("p", (only(rms_density_ua_cm2=bound),)) for bound in (424, 423))
    assert wide.allows(loads)
    assert not tight.allows(loads)
    finding = tight.finding(loads)
    assert (finding.rule, finding.value, finding.bound) == (Rule.SHARED_PAD_DENSITY, 424, 423)
    # With several sources, the one that is passed is named, not one that is just met.
    named = SharedPad("p", (only(rms_density_ua_cm2=424), only(rms_density_ua_cm2=423))).finding(loads)
    assert (named.bound, named.bound_from) == (423, "test, pad p")


@pytest.mark.parametrize(
    ("rule", "bound", "fits"),
    [
        (Rule.SHARED_PAD_PEAK, "peak_ua", 80_000),
        (Rule.SHARED_PAD_CHARGE, "charge_nc", 20_000),
        (Rule.SHARED_PAD_RMS, "rms_ua", 10_584),
        (Rule.SHARED_PAD_DENSITY, "power_density_uw_cm2", 2_240),
    ],
)
def test_every_sum_on_a_shared_pad_is_judged(rule: Rule, bound: str, fits: int) -> None:
    """Vector 2 twice: 80 mA, 20 µC, 10.583 mA rms and 2.24 mW/cm² (four times 0.56)."""
    loads = [strength(A7[1][0])] * 2
    assert SharedPad("p", (only(**{bound: fits}),)).allows(loads)
    tight = SharedPad("p", (only(**{bound: fits - 1}),))
    assert not tight.allows(loads)
    assert (tight.finding(loads).rule, tight.finding(loads).value) == (rule, fits)
    assert tight.allows(loads[:1])
    if rule in (Rule.SHARED_PAD_PEAK, Rule.SHARED_PAD_CHARGE):  # a board's own bound is about one output
        assert SharedPad("p", (only(), only(**{bound: fits - 1})._replace(of_output=True))).allows(loads)


@given(st.lists(st.tuples(st.integers(0, 60_000), st.sampled_from([50, 333, 500])), min_size=1, max_size=4))
def test_the_judgement_of_a_shared_pad_and_its_words_agree(pulses: list[tuple[int, int]]) -> None:
    loads = [strength(symmetric(ua, us, 50_000)) for ua, us in pulses]
    pad = SharedPad("p", (only(peak_ua=90_000, charge_nc=30_000, rms_density_ua_cm2=500),))
    assert pad.allows(loads) is (pad.finding(loads).rule is Rule.FAULT)


@pytest.mark.parametrize(
    ("cm2", "width", "hz", "imax_ma"), [(25, 300, 35, 345.03), (8.0425, 300, 35, 111.00), (4.9087, 200, 100, 49.09)]
)
@pytest.mark.parametrize("contact", [1.0, 0.5])
def test_imax_at_two_milliamps_per_cm2(cm2: float, width: int, hz: int, imax_ma: float, contact: float) -> None:
    gate = Gate((only(cm2 * contact, rms_density_ua_cm2=2_000),))
    assert gate.highest_peak_ua(symmetric(1_000, width, hz * 1000)) == pytest.approx(imax_ma * contact * 1e3, rel=1e-3)


def test_r4_judges_the_absolute_column_at_six_fifths() -> None:
    """2.0 mA/cm² is 1.667 as shown; the others of the column in proportion, energy and power with the square."""
    source = Source("absolute", ABSOLUTE, area(10), accuracy=True)
    at = {
        field: Gate((Source("a", replace(LOOSE, **{field: getattr(ABSOLUTE, field)}), area(10), accuracy=True),))
        for field in ("rms_ua", "rms_density_ua_cm2", "power_density_uw_cm2", "energy_uj")
    }
    shape = symmetric(1_000, 500, 50_000)
    shown = {
        field: figures(shape.at(MicroAmp(gate.highest_peak_ua(shape))), SquareMicrometre(area(10)))
        for field, gate in at.items()
    }
    assert shown["rms_ua"].rms_ma == pytest.approx(50 / 1.2, rel=1e-4)
    assert shown["rms_density_ua_cm2"].rms_density_ma_cm2 == pytest.approx(2 / 1.2, rel=1e-4)
    assert shown["power_density_uw_cm2"].power_density_mw_cm2 == pytest.approx(250 / 1.44, rel=1e-4)
    assert shown["energy_uj"].energy_mj == pytest.approx(300 / 1.44, rel=1e-4)
    # What a refusal shows is what was judged: the indicated value times the accuracy factor.
    finding = next(f for f in source.findings(A7[9][0], strength(A7[9][0]), 0) if f.rule is Rule.RMS_DENSITY)
    assert (finding.value, finding.bound) == (math.ceil(1732.05 * 1.2), 2_000)


# --- edges: five steps to either side of every bound ---------------------------------------------------------------


def doublet(n: int) -> PulseTrain:
    return replace(symmetric(1_000, 100, 10_000), pulses_per_period=n)


def recovering(ua: int, us: int) -> PulseTrain:
    return replace(BASE, recovery_amplitude_ua=MicroAmp(ua), recovery_width_us=MicroSecond(us))


# rule, source, train at a step from the bound (0: at it), and on which side it is refused
EDGES: list[tuple[Rule, Source, Callable[[int], PulseTrain], int]] = [
    (Rule.PEAK, only(peak_ua=60_000), lambda d: symmetric(60_000 + d, 100, 35_000), 1),
    (Rule.PEAK, only(), lambda d: recovering(0, 0).at(MicroAmp(d)) if d < 0 else symmetric(d, 300, 35_000), -1),
    (Rule.PHASE_WIDTH, only(phase_width_max_us=500), lambda d: symmetric(1_000, 500 + d, 35_000), 1),
    (Rule.PHASE_WIDTH, only(phase_width_min_us=50), lambda d: symmetric(1_000, 50 + d, 35_000), -1),
    (Rule.GAP, only(interphase_gap_max_us=250), lambda d: symmetric(1, 100, 35_000, interphase_gap_us=250 + d), 1),
    (Rule.GAP, only(), lambda d: symmetric(1, 100, 35_000, interphase_gap_us=d), -1),
    (Rule.RECOVERY, only(), lambda d: recovering(20_000 + d, 300), 1),
    (Rule.RECOVERY, only(), lambda d: recovering(d, 300), -1),
    (Rule.RECOVERY, only(), lambda d: recovering(1_000, d), -1),
    (Rule.RATE, only(rate_max_mhz=50_000), lambda d: symmetric(1_000, 300, 50_000 + d), 1),
    (Rule.RATE, only(rate_min_mhz=10_000), lambda d: symmetric(1_000, 300, 10_000 + d), -1),
    (Rule.PULSES, only(pulses_per_period_max=8), lambda d: doublet(8 + d), 1),
    (Rule.PULSES, only(), lambda d: doublet(1 + d), -1),
    # 50 Hz is 20 000 µs: 300 + gap + 300
    (Rule.PULSE_FITS_PERIOD, only(), lambda d: symmetric(1, 300, 50_000, interphase_gap_us=19_400 + d), 1),
    (Rule.PULSE_FITS_PERIOD, only(), lambda d: symmetric(1, 300, 50_000, interphase_gap_us=9_400 + d, pulses_per_period=2), 1),
    (Rule.CHARGE, only(charge_nc=20_000), lambda d: symmetric(50_000 + d, 400, 35_000), 1),
    (Rule.CHARGE, only(charge_nc=9_000), lambda d: recovering(9_000 + d, 1_000), 1),  # the larger phase counts
    # 500 ohm, two phases: 40 mA, 250 µs is 400 µJ
    (Rule.ENERGY, only(energy_uj=400), lambda d: symmetric(40_000 + d, 250, 35_000), 1),
    # 10 permille of 20 mA x 300 µs is 60 000 pC: 60 µs at 1 mA
    (Rule.NET_CHARGE, only(net_charge_permille=10), lambda d: recovering(1_000, 6_000 + 60 + d), 1),
    (Rule.NET_CHARGE, only(net_charge_permille=10), lambda d: recovering(1_000, 6_000 - 60 + d), -1),
    # 54 pC above those 60 000, and 100 000 pC twice in a period of 50 Hz
    (Rule.NET_CHARGE, only(net_charge_permille=10), lambda d: recovering(18_738, 317) if d > 0 else recovering(19_800, 300), 1),
    (Rule.MEAN_DC, only(mean_dc_na=10_000), lambda d: replace(recovering(1_000, 6_100 + d), rate_mhz=MilliHertz(50_000), pulses_per_period=2), 1),
    # 100 000 pC x 100 Hz is 10 000 nA
    (Rule.MEAN_DC, only(mean_dc_na=10_000), lambda d: replace(recovering(1_000, 6_100 + d), rate_mhz=MilliHertz(100_000)), 1),
    (
        Rule.MEAN_DC,
        only(mean_dc_na=10_000),
        lambda d: replace(recovering(1_000, 6_100), rate_mhz=MilliHertz(100_000 + d)),
        1,
    ),
    # symmetrical, 200 µs, 100 Hz: Irms = I / 5
    (Rule.RMS, only(rms_ua=10_000), lambda d: symmetric(50_000 + d, 200, 100_000), 1),
    (Rule.RMS, only(25, True, rms_ua=12_000), lambda d: symmetric(50_000 + d, 200, 100_000), 1),
    (Rule.RMS_DENSITY, only(25, rms_density_ua_cm2=400), lambda d: symmetric(50_000 + d, 200, 100_000), 1),
    (Rule.RMS_DENSITY, only(25, True, rms_density_ua_cm2=480), lambda d: symmetric(50_000 + d, 200, 100_000), 1),
    # (10 mA)² x 500 ohm / 25 cm² is 2 000 µW/cm²
    (Rule.POWER_DENSITY, only(25, power_density_uw_cm2=2_000), lambda d: symmetric(50_000 + d, 200, 100_000), 1),
    (Rule.POWER_DENSITY, only(25, True, power_density_uw_cm2=2_880), lambda d: symmetric(50_000 + d, 200, 100_000), 1),
    (Rule.ENERGY, only(25, True, energy_uj=576), lambda d: symmetric(40_000 + d, 250, 35_000), 1),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "source", "at", "side"), EDGES, ids=[f"{n}-{e[0]}" for n, e in enumerate(EDGES)])
def test_edges(rule: Rule, source: Source, at: Callable[[int], PulseTrain], side: int) -> None:
    gate = Gate((source,))
    for step in range(-5, 6):
        t = at(step)
        outside = step * side > 0
        assert (rule in rules(source, t)) is outside, step
        assert gate.allows(t, strength(t)) is not outside, step


@pytest.mark.parametrize(("bound", "most"), [("rms_density_ua_cm2", 400), ("power_density_uw_cm2", 2_000)])
@pytest.mark.parametrize("accuracy", [False, True])
def test_edges_in_the_area(bound: str, most: int, accuracy: bool) -> None:
    """10 mA rms on 25 cm² is just within; R4 makes 12 mA of it. One µm² less is less than a millionth of a thousandth."""
    more = {"rms_density_ua_cm2": Fraction(6, 5), "power_density_uw_cm2": Fraction(36, 25)}[bound] if accuracy else 1
    t = symmetric(50_000, 200, 100_000)
    for step in range(-5, 6):
        source = Source("test", replace(LOOSE, **{bound: int(most * more)}), area(25) + step, accuracy)
        assert Gate((source,)).allows(t, strength(t)) is (step >= 0), step
        assert (rules(source, t) == []) is (step >= 0), step


# --- two judgements that must agree ------------------------------------------------------------------------------

wild = st.integers(-5, 200_000)
trains = st.builds(
    PulseTrain,
    wild.map(MicroAmp),
    st.integers(-1, 5_000).map(MicroSecond),
    st.integers(-1, 600).map(MicroSecond),
    wild.map(MicroAmp),
    st.integers(-1, 5_000).map(MicroSecond),
    st.integers(-1, 210_000).map(MilliHertz),
    st.integers(-1, 4),
)
fair = st.builds(
    symmetric,
    st.integers(0, 60_000),
    st.integers(50, 500),
    st.integers(10_000, 50_000),
    interphase_gap_us=st.integers(0, 250),
    pulses_per_period=st.integers(1, 2),
)
placed = st.builds(
    placement,
    part=st.sampled_from(BodyPart),
    effect=st.sampled_from(Effect),
    sensation=st.sampled_from([Sensation.NORMAL, Sensation.REDUCED]),
    on=st.floats(2, 200).map(pads),
)
some_limits = st.builds(
    lambda share, name: replace(ABSOLUTE, **{name: getattr(ABSOLUTE, name) * share // 100}),
    st.integers(1, 300),
    st.sampled_from([field.name for field in fields(Limits)]),
)


@given(trains | fair, placed, some_limits, some_limits, st.booleans())
@example(symmetric(0, 300, 35_000), placement(), ABSOLUTE, ABSOLUTE, True)
def test_yes_or_no_and_the_named_breaches_agree(
    t: PulseTrain, place: Any, board: Limits, protocol: Limits, senses: bool
) -> None:
    whose = sources(place._replace(protocol=protocol), board, senses_impedance=senses)
    gate, s = Gate(whose), strength(t)
    named = [finding for source in whose for finding in source.findings(t, s, 0)]
    assert gate.allows(t, s) is (named == [])
    if named:
        assert gate.finding(t, s, 0) == named[0]
        assert all(finding.rule is not Rule.FAULT for finding in named)


@given(fair, placed)
def test_the_highest_amplitude_is_allowed_and_one_more_is_not(t: PulseTrain, place: Any) -> None:
    gate = Gate(sources(place, ABSOLUTE, senses_impedance=True))
    highest = gate.highest_peak_ua(t)
    for ua, allowed in ((highest, True), (highest + 1, highest == 0 and t.amplitude_ua == 0)):
        if highest or not allowed:
            moved = t.at(MicroAmp(ua))
            assert gate.allows(moved, strength(moved)) is (allowed or ua == 0)


@given(st.integers(0, 10**40), st.integers(1, 10**20))
def test_roots_and_quotients_round_up_exactly(numerator: int, denominator: int) -> None:
    root, quotient = ceil_root(numerator, denominator), ceil_div(numerator, denominator)
    assert root == 0 or (root - 1) ** 2 * denominator < numerator
    assert numerator <= root**2 * denominator
    assert (quotient - 1) * denominator < numerator <= quotient * denominator


# --- strength -----------------------------------------------------------------------------------------------------


@given(fair, fair)
def test_to_cover_is_to_be_weaker_in_no_way(a: PulseTrain, b: PulseTrain) -> None:
    x, y = strength(a), strength(b)
    assert x.covers(x)
    weaker = b.amplitude_ua == 0 or (
        b.amplitude_ua <= a.amplitude_ua
        and b.amplitude_ua * b.phase_width_us <= a.amplitude_ua * a.phase_width_us
        and mean_square_e9(b) <= mean_square_e9(a)
        and b.interphase_gap_us <= a.interphase_gap_us
        and b.pulses_per_period <= a.pulses_per_period
        and b.rate_mhz * b.pulses_per_period <= a.rate_mhz * a.pulses_per_period
        and b.rate_mhz <= a.rate_mhz
        and abs(net_charge_pc(b)) <= abs(net_charge_pc(a))
        and Fraction(b.recovery_width_us, b.phase_width_us) <= Fraction(a.recovery_width_us, a.phase_width_us)
    )
    assert x.covers(y) is weaker
    if not weaker:
        value, bound, _unit = x.excess(y)
        assert value > bound


@pytest.mark.parametrize(
    ("edit", "unit"),
    [
        ({"amplitude_ua": 20_001}, "µA"),
        ({"phase_width_us": 301}, "pC"),
        ({"rate_mhz": 35_001}, "µA rms"),
        ({"interphase_gap_us": 1}, "µs gap"),
        ({"pulses_per_period": 2, "rate_mhz": 17_500}, "pulses per period"),
        ({"amplitude_ua": 19_000, "recovery_amplitude_ua": 19_000, "rate_mhz": 35_001}, "mHz of pulses"),
        ({"recovery_amplitude_ua": 19_999}, "pC net charge"),
        ({"recovery_amplitude_ua": 15_000, "recovery_width_us": 400}, "‰ recovery to first phase"),
    ],
)
def test_every_edit_that_makes_it_stronger_is_a_rise(edit: dict[str, int], unit: str) -> None:
    """H39: width, rate and gap are intensity controls too."""
    before, after = strength(BASE), strength(spoilt(BASE, **edit))
    assert not before.covers(after)
    assert before.excess(after)[2] == unit


skewed = st.builds(
    lambda ua, us, hz, back, gap, pulses: PulseTrain(
        MicroAmp(4 * ua), MicroSecond(us), MicroSecond(gap), MicroAmp(ua), MicroSecond(4 * us - back), MilliHertz(hz), pulses
    ),
    st.integers(1, 15_000), st.integers(50, 60), st.integers(10_000, 10_005), st.integers(0, 3), st.integers(0, 1),
    st.integers(1, 2),
)  # fmt: skip


@given(skewed, skewed)
@settings(max_examples=200)
def test_the_highest_amplitude_below_a_ceiling_is_the_last_that_is_covered(
    found: PulseTrain, shape: PulseTrain
) -> None:
    most, s = strength(found), strength(shape)
    highest = highest_covered_ua(most, s)
    if not most.covers(replace(s, peak_ua=1, charge_pc=0, mean_square=0, net_pc=0)):
        assert highest == 0
        return
    for ua, inside in ((highest, True), (highest + 1, False)):
        share = Fraction(ua, s.peak_ua)
        grown = (share, s.charge_pc * share, s.mean_square * share**2, s.net_pc * share)
        peak, *others = most.peak_ua, most.charge_pc, most.mean_square, most.net_pc
        most_of_each = (Fraction(peak, s.peak_ua), *map(Fraction, others))
        assert all(value <= bound for value, bound in zip(grown, most_of_each, strict=True)) is inside


def test_below_a_ceiling_of_a_long_recovery_a_short_one_is_bound_by_its_rms() -> None:
    """4² x 300 + 1² x 1200 is 600 times ten: the root of ten, where 4 mA have the same peak and charge."""
    found = PulseTrain(MicroAmp(4_000), MicroSecond(300), MicroSecond(0), MicroAmp(1_000), MicroSecond(1_200), BASE.rate_mhz)  # fmt: skip
    for ua in (1_000, 7, 60_000):
        assert highest_covered_ua(strength(found), strength(symmetric(ua, 300, BASE.rate_mhz))) == 3_162


def test_one_step_up_is_as_much_of_everything_that_grows() -> None:
    old = strength(PulseTrain(MicroAmp(20_000), MicroSecond(250), MicroSecond(50), MicroAmp(10_000), MicroSecond(499),
                              MilliHertz(35_000)))  # fmt: skip
    assert old.net_pc == 10_000
    assert one_step_up(old, old, 1_000) == Strength(
        21_000, 5_250_000, old.mean_square * 441 // 400, 50, 1, 36_750, 250, 499, 10_500
    )
    assert one_step_up(strength(symmetric(0, 1, 1)), old, 700) == replace(old, peak_ua=700)


@pytest.mark.parametrize(
    "bound",
    [{"peak_ua": 9}, {"charge_nc": 9}, {"energy_uj": 9}, {"mean_dc_na": 9}, {"rms_ua": 9}, {"rms_density_ua_cm2": 9},
     {"power_density_uw_cm2": 9}],
)  # fmt: skip
def test_a_train_that_is_too_strong_has_an_amplitude_all_the_same(bound: dict[str, int]) -> None:
    strong = PulseTrain(MicroAmp(60_000), MicroSecond(500), MicroSecond(0), MicroAmp(60_000), MicroSecond(490), MilliHertz(35_000))  # fmt: skip
    gate = Gate((only(**bound),))
    assert not gate.allows(strong, strength(strong))
    assert 0 < gate.highest_peak_ua(strong) < 60_000


def test_the_same_amplitude_and_charge_in_a_shorter_recovery_is_a_rise_in_rms() -> None:
    long = strength(
        PulseTrain(
            MicroAmp(4_000), MicroSecond(300), MicroSecond(0), MicroAmp(1_000), MicroSecond(1_200), BASE.rate_mhz
        )
    )
    short = strength(symmetric(4_000, 300, BASE.rate_mhz))
    assert not long.covers(short)
    assert long.excess(short)[2] == "µA rms"


def test_a_wider_pulse_at_the_same_amplitude_rises_by_its_charge() -> None:
    level = strength(symmetric(20_000, 200, 35_000))
    narrow_, wide = strength(symmetric(20_000, 100, 35_000)), strength(symmetric(20_000, 200, 35_000))
    assert rise_ua(wide, narrow_, level) == 10_000
    slow, fast = strength(symmetric(20_000, 200, 8_750)), strength(symmetric(20_000, 200, 35_000))
    assert rise_ua(fast, slow, level) == 10_000  # a quarter of the rate is half the rms
    assert rise_ua(narrow_, wide, level) == 0


@pytest.mark.parametrize("rate", [34_999, 20_000, 12_345])
def test_what_is_less_or_the_same_is_no_rise(rate: int) -> None:
    """Roots that are no whole µA are rounded against the train; but only where there is a rise at all."""
    level = strength(symmetric(20_000, 300, 35_000))
    old = strength(symmetric(10_000, 200, rate))
    for new in (old, strength(symmetric(10_000, 200, rate - 1)), strength(symmetric(9_999, 200, rate))):
        assert rise_ua(new, old, level) == 0
    for more in (symmetric(10_001, 200, rate), symmetric(10_000, 201, rate), symmetric(10_000, 200, rate + 1)):
        assert rise_ua(strength(more), old, level) > 0


def test_small_roots_and_quotients() -> None:
    assert [ceil_root(n, 1) for n in (-1, 0, 1, 2, 4, 5)] == [0, 0, 1, 2, 2, 3]
    assert [ceil_root(n, 3) for n in (0, 1, 3, 4, 12, 13)] == [0, 1, 1, 2, 2, 3]
    assert [ceil_div(n, 3) for n in (-3, -1, 0, 1, 3, 4)] == [-1, 0, 0, 1, 1, 2]


@given(st.integers(0, 60_000), st.integers(0, 60_000), st.integers(1, 60_000))
def test_a_pure_amplitude_change_rises_by_just_that(old: int, new: int, level: int) -> None:
    a, b, top = (strength(symmetric(ua, 300, 35_000)) for ua in (old, new, level))
    assert rise_ua(b, a, top) == max(0, new - old)


# --- types --------------------------------------------------------------------------------------------------------


class LikeInt(int):
    """An integer by inheritance; refused, because it can lie in a comparison."""


NAMES = [field.name for field in fields(PulseTrain)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", [True, 0.3, math.nan, math.inf, None, "35", LikeInt(300), 300.0, 1j])
def test_a_field_that_is_not_exactly_an_integer_is_refused(name: str, wrong: Any) -> None:
    t = replace(BASE, **{name: wrong})
    assert well_typed(BASE)
    assert not well_typed(t)
    rig = Rig()
    with pytest.raises(Refusal) as refusal:
        rig.send(t)
    assert (refusal.value.rule, refusal.value.channel) == (Rule.TYPE, 0)
    assert rig.latch.tripped


@pytest.mark.parametrize(
    ("t", "rule"),
    [
        (spoilt(BASE, phase_width_us=0.3), Rule.TYPE),  # ms mistaken for µs
        (symmetric(20_000, 300_000, 35_000), Rule.PHASE_WIDTH),  # ns
        (symmetric(20_000_000, 300, 35_000), Rule.PEAK),  # µA mistaken for mA
        (spoilt(BASE, amplitude_ua=0.02), Rule.TYPE),  # A
        (symmetric(20_000, 300, 0), Rule.RATE),
        (train(30, 300, 35, back=(0.3, 30_000)), Rule.PULSE_FITS_PERIOD),  # r t1 longer than the time between pulses
        (spoilt(BASE, amplitude_ua=-1), Rule.PEAK),
    ],
)
def test_refusal_vectors(t: PulseTrain, rule: Rule) -> None:
    rig = Rig()
    with pytest.raises(Refusal) as refusal:
        rig.send(t)
    assert refusal.value.rule == rule
    assert rig.latch.tripped


@pytest.mark.parametrize("cm2", [0, 0.25e-8, 0.0025, 0.25, 1.99999999, 200.00000001, 2500, -25])
def test_areas_that_are_a_unit_mistake_are_refused(cm2: float) -> None:
    with pytest.raises(Refusal) as refusal:
        Rig(placement(on=pads(cm2)))
    assert refusal.value.rule == Rule.PAD_AREA


@pytest.mark.parametrize("wrong", [math.nan, 25e8, True, None, "25"])
def test_an_area_that_is_no_integer_is_refused(wrong: Any) -> None:
    with pytest.raises(Refusal) as refusal:
        Rig(placement(on=(Pad("a", wrong), PADS[1])))
    assert refusal.value.rule == Rule.PAD_AREA


# --- placements and plans -------------------------------------------------------------------------------------------


def refused(**changed: Any) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        Rig(placement()._replace(**changed))
    return refusal.value


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"channel": True}, Rule.UNKNOWN_CHANNEL),
        ({"channel": -1}, Rule.UNKNOWN_CHANNEL),
        ({"channel": 0.0}, Rule.UNKNOWN_CHANNEL),
        ({"part": "forearm"}, Rule.TYPE),
        ({"effect": "motor"}, Rule.TYPE),
        ({"sensation": "normal"}, Rule.TYPE),
        ({"sensation": Sensation.ABSENT}, Rule.SENSATION),
        ({"site": ""}, Rule.TYPE),
        ({"site": None}, Rule.TYPE),
        ({"pads": list(PADS)}, Rule.TYPE),
        ({"pads": ()}, Rule.PADS),
        ({"pads": PADS[:1]}, Rule.PADS),
        ({"pads": (PADS[0], PADS[0])}, Rule.PADS),
        ({"pads": (PADS[0], ("b", BIG))}, Rule.TYPE),
        ({"pads": (PADS[0], Pad("", BIG))}, Rule.TYPE),
        ({"protocol": None}, Rule.TYPE),
        ({"protocol": replace(ABSOLUTE, peak_ua=True)}, Rule.TYPE),
        ({"protocol": spoilt(ABSOLUTE, rms_ua=math.nan)}, Rule.TYPE),
        ({"protocol": replace(ABSOLUTE, charge_nc=-1)}, Rule.TYPE),
        ({"burst": None}, Rule.BURST_PLAN),
        ({"burst": tuple(BURST)}, Rule.TYPE),
        ({"burst": FLOATING}, Rule.TYPE),
        ({"burst": BURST._replace(rest_us=-1)}, Rule.TYPE),
        ({"burst": BURST._replace(ramp_up_us=0, hold_us=0, ramp_down_us=0)}, Rule.RAMP_UP),
    ],
)
def test_a_placement_that_is_not_what_it_should_be(change: dict[str, Any], rule: Rule) -> None:
    assert refused(**change).rule == rule


@pytest.mark.parametrize("wrong", [None, "placement", (), [placement()], (None,), ((0,),)])
def test_placements_that_are_none(wrong: Any) -> None:
    with pytest.raises(Refusal):
        Limiter(wrong, ABSOLUTE, Latch(), senses_impedance=True, now_us=0)


@pytest.mark.parametrize(
    "changed",
    [{"senses_impedance": 1}, {"now_us": 0.0}, {"now_us": True}, {"site_time_spent_us": {"a": -1}},
     {"site_time_spent_us": {"a": 1.5}}, {"site_time_spent_us": {1: 1}}, {"site_time_spent_us": [1]}],
)  # fmt: skip
def test_arguments_that_are_not_what_they_should_be(changed: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refusal:
        Limiter((placement(),), ABSOLUTE, Latch(), **{"senses_impedance": True, "now_us": 0, **changed})
    assert refusal.value.rule == Rule.TYPE


def test_a_latch_that_is_none_and_a_board_that_is_none() -> None:
    with pytest.raises(Refusal):
        Limiter((placement(),), ABSOLUTE, None, senses_impedance=True, now_us=0)  # type: ignore[arg-type]
    with pytest.raises(Refusal):
        Limiter((placement(),), None, Latch(), senses_impedance=True, now_us=0)  # type: ignore[arg-type]


def test_one_output_twice_and_one_pad_with_two_areas() -> None:
    with pytest.raises(Refusal) as refusal:
        Rig(placement(0), placement(0))
    assert refusal.value.rule == Rule.DUPLICATE_CHANNEL
    with pytest.raises(Refusal) as refusal:
        Rig(placement(0), placement(1, on=(PADS[0], Pad("b", area(20)))))
    assert refusal.value.rule == Rule.PAD_AREA


@pytest.mark.parametrize(
    ("rule", "at", "bound", "side"),
    [
        (Rule.RAMP_UP, lambda d: BURST._replace(ramp_up_us=500_000 + d), 500_000, -1),
        (Rule.ON_TIME, lambda d: BURST._replace(hold_us=18_000_000 + d, rest_us=10**9), 20_000_000, 1),
        (Rule.DUTY, lambda d: BURST._replace(hold_us=4_000_000, rest_us=4_000_000 + d), 600, -1),
    ],
)
def test_edges_of_a_burst_plan(rule: Rule, at: Callable[[int], Any], bound: int, side: int) -> None:
    for step in range(-5, 6):
        if step * side > 0:
            refusal = refused(burst=at(step))
            assert (refusal.rule, refusal.bound, refusal.bound_from) == (rule, bound, "profile forearm")
        else:
            Rig(placement(burst=at(step)))


def test_absolute_bounds_on_plans_come_first() -> None:
    plan = BURST._replace(ramp_up_us=199_999)
    assert refused(burst=plan).bound_from == "absolute"
    assert refused(burst=BURST._replace(hold_us=28_000_001, rest_us=10**9)).bound_from == "absolute"


def test_sensory_stimulation_needs_no_plan_and_has_no_on_time() -> None:
    Rig(TENS)
    Rig(TENS._replace(burst=BURST._replace(hold_us=10**9, rest_us=0)))
    with pytest.raises(Refusal) as refusal:
        Rig(TENS._replace(burst=BURST._replace(ramp_up_us=499_999)))
    assert refusal.value.rule == Rule.RAMP_UP


# --- whose bound it was -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ua", "board", "protocol", "whose"),
    [
        (100_001, 10_000, 10_000, "absolute"),
        (60_001, 10_000, 10_000, "profile forearm"),
        (10_001, 10_000, 9_000, "board"),
        (9_001, 10_000, 9_000, "protocol"),
    ],
)
def test_a_refusal_names_the_first_bound_in_order(ua: int, board: int, protocol: int, whose: str) -> None:
    rig = Rig(placement(protocol=replace(ABSOLUTE, peak_ua=protocol)), board=replace(ABSOLUTE, peak_ua=board))
    rig.wait(123)
    with pytest.raises(Refusal) as refusal:
        rig.send(symmetric(ua, 300, 35_000))
    r = refusal.value
    assert (r.rule, r.value, r.unit, r.channel, r.now_us, r.bound_from) == (Rule.PEAK, ua, "µA", 0, 1_123, whose)
    assert f"output 1: peak: {ua} µA, bound" in str(r)


def test_a_wider_board_or_file_widens_nothing() -> None:
    rig = Rig(placement(protocol=LOOSE), board=LOOSE)
    shown = rig.limiter.effective(0)
    for field in fields(Limits):
        assert getattr(shown, field.name) == getattr(PROFILES[BodyPart.FOREARM], field.name), field.name


def test_a_tighter_file_is_in_the_effective_limits() -> None:
    rig = Rig(placement(protocol=replace(ABSOLUTE, peak_ua=12_000, ramp_up_min_us=900_000)))
    assert (rig.limiter.effective(0).peak_ua, rig.limiter.effective(0).ramp_up_min_us) == (12_000, 900_000)
    assert Rig(TENS).limiter.effective(0).duty_permille == 1_000


def test_strength_is_what_pulse_says() -> None:
    t = replace(BASE, interphase_gap_us=MicroSecond(7), pulses_per_period=2)
    assert strength(t) == Strength(20_000, 6_000_000, mean_square_e9(t), 7, 2, 70_000, 300, 300, 0)
    uneven = PulseTrain(
        MicroAmp(1_000), MicroSecond(100), MicroSecond(0), MicroAmp(2_000), MicroSecond(70), MilliHertz(1)
    )
    assert strength(uneven) == Strength(2_000, 140_000, mean_square_e9(uneven), 0, 1, 1, 100, 70, 40_000)
    assert UM2_PER_CM2 == 100_000_000
    assert absolute(BodyPart.FOREARM, Effect.MOTOR, smallest_pad_um2=BIG) == FOREARM_25[0].limits
