"""Bursts of pulses: the kind `tens-burst` from the file to the wire, judged by what flows inside a burst; never for muscles."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.authoring.facts import facts, lines
from stimctl.engine import State
from stimctl.envelope.placing import sources
from stimctl.envelope.rules import Gate
from stimctl.envelope.words import strength
from stimctl.errors import Refusal
from stimctl.limits import ABSOLUTE, PROFILES, BodyPart, Effect, Limits, Sensation
from stimctl.protocols import dumps, loads
from stimctl.pulse import PulseTrain, symmetric
from stimctl.safety import Rule
from stimctl.schedule import Schedule, Steps, compile_schedule
from stimctl.session.rehearsal import rehearse
from stimctl.session.summary import schedule_lines
from stimctl.units import MS, SECOND, UM2_PER_CM2, MilliHertz
from tests.limiter_rig import TENS as SENSORY
from tests.limiter_rig import Rig as LimiterRig
from tests.limiter_rig import pads, placement, scaled
from tests.protocol_texts import CYCLIC, edit, faults, good, put, the_fault
from tests.protocol_texts import TENS as CONVENTIONAL
from tests.session_rig import Made, rigs
from tests.test_tens_modes import tens

PACKET = "[packet]\npulses = 9\n\n"
BURSTS = put(tens("tens-burst", PACKET), "rate_hz", "2")
SMALL = BURSTS.replace("square-50x50", "round-20")
VECTOR_15 = symmetric(30_000, 200, 2_000, pulses_per_period=9)


def compiled(text: str) -> Schedule:
    return compile_schedule(good(text), Steps())


# --- the file ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "ends", "beyond", "field"),
    [
        ("pulses", ("4", "10"), ("3", "11", "9.0", "true"), "packet.pulses"),
        ("rate_hz", ("1", "5"), ("0.999", "5.001", "100"), "channel[1].rate_hz"),
        ("phase_width_us", ("50", "250"), ("49", "251"), "channel[1].phase_width_us"),
        ("duration_min", ("20", "40"), ("19.9", "40.1"), "dose.duration_min"),
    ],
)
def test_the_ends_of_a_range_are_in_it_and_a_step_beyond_is_not(
    key: str, ends: tuple[str, ...], beyond: tuple[str, ...], field: str
) -> None:
    for value in ends:
        good(put(BURSTS, key, value))
    for value in beyond:
        found = faults(put(BURSTS, key, value))
        assert {fault.field for fault in found} == {field}
        assert all(fault.source and fault.allowed for fault in found)


def test_a_rate_of_pulses_is_told_that_bursts_are_counted() -> None:
    assert the_fault(put(BURSTS, "rate_hz", "100")).message == (
        "is not what tens-burst means: it counts bursts, whose pulses stand 10 ms apart inside"
    )


def test_the_pulses_of_a_burst_have_one_place() -> None:
    assert the_fault(BURSTS.replace(PACKET, "")).field == "packet"
    fault = the_fault(edit(BURSTS, ("rate_hz = 2", "rate_hz = 2\npulses_per_period = 2")))
    assert fault.field == "channel[1].pulses_per_period"
    assert "[packet]" in fault.message
    for other in (CYCLIC, CONVENTIONAL):
        assert the_fault(f"{other}\n{PACKET}").field == "packet"


def test_a_burst_goes_through_a_file_and_back() -> None:
    assert loads(dumps(good(BURSTS)), "again") == good(BURSTS)


def test_the_density_inside_a_burst_is_what_a_file_is_judged_by() -> None:
    """3.14 cm² at 1.5 mA rms/cm² have 4.71 mA rms: 250 us at 100 Hz, so 21.07 mA, however few bursts and pulses."""
    mild = put(put(put(SMALL, "phase_width_us", "250"), "rate_hz", "1"), "pulses", "4")
    mild = put(mild, "amplitude_ma", "10")
    good(put(mild, "max_amplitude_ma", "21"))
    fault = the_fault(put(mild, "max_amplitude_ma", "21.1"))
    assert fault.field == "channel[1].max_amplitude_ma"
    assert "with phase_width_us = 250 and 100 Hz inside a burst gives too much on the smaller pad" in fault.message
    assert "1.5 mA rms/cm²" in fault.allowed


# --- the schedule and what it comes to ---------------------------------------------------------------------------


def test_a_burst_reaches_the_schedule_and_flies() -> None:
    schedule = compiled(BURSTS)
    assert schedule.movement is None
    assert schedule.continuous
    shape = schedule.channels[0].shape
    assert (shape.pulses_per_period, shape.rate_mhz, shape.phase_width_us) == (9, 2_000, 150)
    with pytest.raises(Refusal) as caught:
        rehearse(schedule, replace(ABSOLUTE, pulses_per_period_max=3))
    assert (caught.value.rule, caught.value.bound_from) == (Rule.PULSES, "board")


@given(st.integers(4, 10), st.integers(1, 5))
def test_a_flight_has_the_charge_of_every_pulse(pulses: int, rate: int) -> None:
    schedule = replace(compiled(put(put(BURSTS, "pulses", str(pulses)), "rate_hz", str(rate))), flow_us=60 * SECOND)
    told = facts(schedule).channels[0]
    seconds = 60 - 0.5  # the last one falls to nothing
    assert told.charge_mc == pytest.approx(pulses * rate * seconds * told.charge_uc / 1e3)
    assert told.pulses == 60 * pulses * rate


def test_both_figures_of_a_burst_are_told() -> None:
    """Vector 15 of the clinical reference: 6.0 mA rms inside a burst, 2.5456 over whole periods."""
    schedule = compiled(put(put(BURSTS, "max_amplitude_ma", "30"), "phase_width_us", "200"))
    found = facts(schedule)
    assert found.channels[0].rms_ma == pytest.approx(6.0)
    assert found.channels[0].rms_period_ma == pytest.approx(2.5456, rel=1e-4)
    for said in ("\n".join(lines(schedule, found)), "\n".join(schedule_lines(schedule))):
        assert "200 µs per phase, 2 bursts a second of 9 pulses at 100 Hz" in said
        assert "6.0 mA rms inside a burst (2.5 with pauses), 0.24 mA/cm²" in said
    said = "\n".join(schedule_lines(schedule))
    assert "Each burst is 9 pulses, 10 ms apart; levels are found with whole bursts." in said
    assert "a rhythmic twitch at every burst" in said


# --- the limiter -------------------------------------------------------------------------------------------------


def bursts(most: int = 12) -> st.SearchStrategy[PulseTrain]:
    return st.builds(
        symmetric,
        st.integers(1, 60_000),
        st.integers(50, 500),
        st.integers(1_000, 30_000),
        interphase_gap_us=st.integers(0, 250),
        pulses_per_period=st.integers(3, most),
    )


places = st.builds(
    placement,
    part=st.sampled_from(BodyPart),
    effect=st.just(Effect.SENSORY),
    sensation=st.sampled_from((Sensation.NORMAL, Sensation.REDUCED)),
    on=st.sampled_from((3.15, 8, 25, 45)).map(pads),
    burst=st.none(),
)


@given(bursts(), places, st.booleans())
def test_no_burst_is_let_pass_that_would_not_be_without_its_pauses(burst: PulseTrain, place: Any, seen: bool) -> None:
    gate = Gate(sources(place, ABSOLUTE, senses_impedance=seen))
    unbroken = replace(burst, rate_mhz=MilliHertz(100_000), pulses_per_period=1)
    room = burst.pulses_per_period * 10_000 * burst.rate_mhz <= 10**9 and burst.pulses_per_period <= 10
    assert gate.allows(burst, strength(burst)) is (room and gate.allows(unbroken, strength(unbroken)))
    assert gate.highest_peak_ua(burst) == (gate.highest_peak_ua(unbroken) if room else 0)


@given(bursts(300), st.sampled_from(BodyPart), st.booleans())
def test_no_muscle_gets_a_burst(burst: PulseTrain, part: BodyPart, seen: bool) -> None:
    """Whatever file and board allow: the limiter itself, before anything is given and when something is."""
    muscle = placement(part=part, protocol=replace(ABSOLUTE, pulses_per_period_max=10**6))
    rig = LimiterRig(muscle, board=replace(ABSOLUTE, pulses_per_period_max=10**6), senses_impedance=seen)
    rig.limiter.open_titration(0, rig.now_us)
    named = {f.rule for each in sources(muscle, ABSOLUTE, senses_impedance=seen)
             for f in each.findings(burst, strength(burst))}  # fmt: skip
    assert Rule.PULSES in named
    assert rig.limiter.effective(0).pulses_per_period_max == 2
    assert rig.limiter.amplitude_ceiling_ua(0, burst) == 0
    with pytest.raises(Refusal):
        rig.limiter.raise_level(0, burst, rig.now_us)
    with pytest.raises(Refusal):
        rig.send(burst)
    assert rig.latch.tripped


@pytest.mark.parametrize("pulses", [3, 4, 9, 10])
def test_a_burst_for_a_muscle_is_refused_for_its_pulses(pulses: int) -> None:
    """At 10 Hz, where FES begins, a burst of up to ten has room: what says no is how many there are."""
    rig = LimiterRig(placement())
    rig.limiter.open_titration(0, rig.now_us)
    burst = symmetric(1_000, 200, 10_000, pulses_per_period=pulses)
    with pytest.raises(Refusal) as caught:
        rig.limiter.raise_level(0, burst, rig.now_us)
    bound = 2 if pulses == 3 else 3  # triplets are refused by the profile, more by the absolute column already
    assert (caught.value.rule, caught.value.value, caught.value.bound) == (Rule.PULSES, pulses, bound)
    for part, column in PROFILES.items():
        assert column.pulses_per_period_max == 2, part


@pytest.mark.parametrize(
    ("rule", "train", "cm2"),
    [
        (Rule.CHARGE, symmetric(40_001, 500, 1_000, pulses_per_period=4), 25),
        (Rule.RMS_DENSITY, symmetric(21_100, 250, 1_000, pulses_per_period=4), 3.1416),
        (Rule.RMS, symmetric(57_800, 346, 1_000, pulses_per_period=4), 45),
        (Rule.PEAK, symmetric(60_001, 50, 1_000, pulses_per_period=4), 25),
        (Rule.PULSES, symmetric(1_000, 50, 1_000, pulses_per_period=11), 25),
        (Rule.PULSE_FITS_PERIOD, symmetric(1_000, 50, 10_001, pulses_per_period=10), 25),
    ],
)
def test_a_burst_that_is_too_much_is_refused_by_name(rule: Rule, train: PulseTrain, cm2: float) -> None:
    """Far inside every bound as a mean over its periods, but for what each pulse or their number is."""
    loose = replace(ABSOLUTE, rms_ua=13_000) if rule is Rule.RMS else ABSOLUTE
    just = {Rule.CHARGE: 1, Rule.RMS_DENSITY: 100, Rule.RMS: 8_500, Rule.PEAK: 1}.get(rule)
    place = SENSORY._replace(pads=pads(cm2), protocol=loose)
    gate = Gate(sources(place, ABSOLUTE, senses_impedance=True))
    finding = gate.finding(train, strength(train), 0)
    assert not gate.allows(train, strength(train))
    assert finding.rule is rule
    if just is not None:
        inside = scaled(train, train.amplitude_ua - just)
        assert gate.allows(inside, strength(inside))
    rig = LimiterRig(place)
    rig.limiter.open_titration(0, rig.now_us)
    with pytest.raises(Refusal) as caught:
        rig.limiter.raise_level(0, train, rig.now_us)
    assert caught.value.rule is rule
    with pytest.raises(Refusal) as caught:
        rig.send(train)
    assert caught.value.rule is rule
    assert rig.latch.tripped


def test_a_ceiling_of_bursts_is_for_these_bursts() -> None:
    rig = LimiterRig(SENSORY)
    burst = symmetric(5_000, 200, 2_000, pulses_per_period=8)
    rig.treat(burst)
    limiter = rig.limiter
    assert limiter.amplitude_ceiling_ua(0, burst) == 5_000
    for stronger in ({"pulses_per_period": 9}, {"rate_mhz": 2_001}, {"phase_width_us": 201, "recovery_width_us": 201}):
        shape = replace(burst, **stronger)  # type: ignore[arg-type]
        assert limiter.amplitude_ceiling_ua(0, shape) < 5_000, stronger
    for weaker in ({"pulses_per_period": 4}, {"pulses_per_period": 1}, {"rate_mhz": 1_000}):
        shape = replace(burst, **weaker)  # type: ignore[arg-type]
        assert limiter.amplitude_ceiling_ua(0, shape) == 5_000, weaker
    steady = LimiterRig(SENSORY)
    steady.treat(symmetric(5_000, 200, 100_000))
    assert steady.limiter.amplitude_ceiling_ua(0, burst) == 0  # a tingle says nothing about a twitch


def test_bursts_on_a_shared_pad_add_up_inside_them() -> None:
    """Twice 7.43 mA rms on 10 cm² are 1.49 mA/cm², and twice 7.56 are 1.51; over whole periods they would be 0.64."""
    middle = SENSORY.pads[0]._replace(id="middle", area_um2=10 * UM2_PER_CM2)
    far = tuple(SENSORY.pads[0]._replace(id=name) for name in ("left", "right"))
    both = [SENSORY._replace(channel=n, pads=(middle, far[n]), site=f"site {n}") for n in range(2)]
    inside, beyond = (symmetric(ua, 340, 2_000, pulses_per_period=9) for ua in (28_500, 29_000))
    LimiterRig(*both).treat(inside, inside)
    with pytest.raises(Refusal) as caught:
        LimiterRig(*both).treat(beyond, beyond)
    assert caught.value.rule is Rule.SHARED_PAD_DENSITY


# --- a session on the twin ---------------------------------------------------------------------------------------


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    with rigs(lambda: tmp_path) as make:
        yield make


def test_a_session_gives_bursts_and_measures_them(made: Made) -> None:
    rig = made(BURSTS)
    rig.work(State.TRIAL)
    assert "a rhythmic twitch at every burst" in rig.status.next_action
    rig.work(State.FLOWING)
    begun_us = rig.now_us
    rig.go(20 * SECOND)
    assert rig.state is State.FLOWING
    assert rig.flowing_ua > 0
    pulses = rig.twin.ledger[0].pulses_between(begun_us + 5 * SECOND, rig.now_us)
    steps = [after - before for (before, _), (after, _) in itertools.pairwise(pulses)]
    assert set(steps) == {10 * MS, 420 * MS}  # nine in half a second
    assert steps.count(10 * MS) >= 7 * steps.count(420 * MS)
    commanded, measured = rig.session.engine.counts().charge_uc, rig.session.measured.charge_uc
    assert measured is not None
    assert commanded > 100
    assert abs(measured - commanded) < 0.1 * commanded


def test_the_board_is_told_of_no_more_pulses_than_the_file_has(made: Made) -> None:
    rig = made(BURSTS)
    rig.work(State.FLOWING)
    assert rig.session.stage.limiter.effective(0).pulses_per_period_max == 9
    steady = made(tens("tens-conventional"))
    steady.work(State.FLOWING)
    assert steady.session.stage.limiter.effective(0).pulses_per_period_max == 1


def test_the_columns_differ_by_effect_alone() -> None:
    for part in BodyPart:
        for effect, most in ((Effect.MOTOR, 2), (Effect.SENSORY, 10)):
            plan = placement(part=part, effect=effect, burst=None if effect is Effect.SENSORY else placement().burst)
            own: Limits = sources(plan, ABSOLUTE, senses_impedance=True)[1].limits
            assert own.pulses_per_period_max == most
