"""The rules that depend on what has been: locked, levels, ceilings, ramps, bursts, sites, shared pads, the clock."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.envelope.words import strength
from stimctl.errors import Refusal
from stimctl.limits import ABSOLUTE, BodyPart, Effect
from stimctl.pulse import Command, Output, PulseTrain, symmetric
from stimctl.safety import Approved, Pad, Placement, Rule
from stimctl.units import MINUTE, SECOND, MicroAmp, MicroSecond
from tests.limiter_rig import BURST, TENS, TICK_US, Rig, area, command, pads, placement, scaled, zero

TRAIN = symmetric(20_000, 300, 35_000)
WEAK = symmetric(5_000, 300, 35_000)
ZERO = zero(TRAIN)
TENS_TRAIN = symmetric(15_000, 100, 100_000)


def spoilt(thing: Any, **changed: Any) -> Any:
    """A copy with values that no type checker would let through."""
    return replace(thing, **changed)


def refuses(rig: Rig, rule: Rule, *trains: PulseTrain, latched: bool = True) -> Refusal:
    """The command is refused by this rule, and the latch is tripped with its words."""
    with pytest.raises(Refusal) as refusal:
        rig.send(*trains)
    assert refusal.value.rule == rule, refusal.value
    assert refusal.value.now_us == rig.now_us
    assert rig.latch.tripped is latched
    return refusal.value


def holds(rig: Rig, rule: Rule, train: PulseTrain, channel: int = 0) -> Refusal:
    """The raise is held by this rule; nothing is latched, and the level stays."""
    before = rig.limiter.level(channel)
    with pytest.raises(Refusal) as refusal:
        rig.limiter.raise_level(channel, train, rig.now_us)
    assert refusal.value.rule == rule, refusal.value
    assert not rig.latch.tripped
    assert rig.limiter.level(channel) == before
    return refusal.value


def titrating(train: PulseTrain = TRAIN, *placements: Any) -> Rig:
    rig = Rig(*placements)
    rig.limiter.open_titration(0, rig.now_us)
    rig.raise_to(0, train)
    return rig


def treating(*trains: PulseTrain, placements: tuple[Any, ...] = ()) -> Rig:
    rig = Rig(*placements)
    rig.treat(*(trains or (TRAIN,)))
    return rig


# --- locked ----------------------------------------------------------------------------------------------------------


def test_it_starts_locked_and_approves_zero_alone() -> None:
    rig = Rig()
    assert isinstance(rig.send(ZERO), Approved)
    refuses(rig, Rule.LOCKED, symmetric(1, 300, 35_000))


def test_a_zero_is_judged_too_but_for_its_amplitude() -> None:
    refuses(Rig(), Rule.PHASE_WIDTH, symmetric(0, 501, 35_000))
    refuses(Rig(), Rule.RATE, symmetric(0, 300, 0))
    refuses(Rig(), Rule.RECOVERY, replace(ZERO, recovery_amplitude_ua=MicroAmp(1)))


def test_opening_alone_gives_nothing() -> None:
    rig = Rig()
    rig.limiter.open_titration(0, rig.now_us)
    refuses(rig, Rule.LEVEL, symmetric(1, 300, 35_000))


def test_titration_opens_one_channel_and_no_other() -> None:
    two = (placement(0), placement(1, on=pads(25, "c", "d")))
    rig = Rig(*two)
    rig.limiter.open_titration(0, rig.now_us)
    rig.wait(SECOND)
    holds(rig, Rule.LOCKED, symmetric(1_000, 300, 35_000), channel=1)
    rig.limiter.raise_level(0, symmetric(1_000, 300, 35_000), rig.now_us)
    rig.send(symmetric(1_000, 300, 35_000), ZERO)
    refuses(rig, Rule.LOCKED, symmetric(1_000, 300, 35_000), symmetric(1, 300, 35_000))


def test_treatment_needs_a_ceiling_for_every_channel() -> None:
    rig = Rig(placement(0), placement(1, on=pads(25, "c", "d")))
    for titrated in (0, 1):
        with pytest.raises(Refusal) as refusal:
            rig.limiter.open_treatment(rig.now_us)
        assert (refusal.value.rule, refusal.value.channel) == (Rule.CEILING, titrated)
        rig.titrate(titrated, WEAK)
    rig.limiter.open_treatment(rig.now_us)
    assert not rig.latch.tripped


@pytest.mark.parametrize("change", ["close", "open_titration", "open_treatment", "forget_ceiling"])
def test_every_change_of_state_begins_at_zero(change: str) -> None:
    """R1: start, resume, mode change: amplitude 0 and a fresh human action."""
    rig = treating(WEAK)
    assert rig.limiter.level(0) == WEAK
    if change == "close":
        rig.limiter.close()
    elif change == "open_treatment":
        rig.limiter.open_treatment(rig.now_us)
    elif change == "open_titration":
        rig.limiter.open_titration(0, rig.now_us)
    else:
        rig.limiter.forget_ceiling(0)
    assert rig.limiter.level(0) is None
    rig.send(ZERO)
    with pytest.raises(Refusal):
        rig.send(symmetric(1, 300, 35_000))


# --- commands that are none ------------------------------------------------------------------------------------------


class MyTrain(PulseTrain):  # type: ignore[misc]
    """A subclass, which could answer what it likes."""


NO_TRAIN: Any = MyTrain(*[0] * 7)  # type: ignore[arg-type]


class MyCommand(Command):  # type: ignore[misc]
    """The same."""


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        (None, Rule.TYPE),
        ((Output(0, ZERO),), Rule.TYPE),
        (MyCommand((Output(0, ZERO),)), Rule.TYPE),
        (Command([Output(0, ZERO)]), Rule.TYPE),  # type: ignore[arg-type]
        (Command(None), Rule.TYPE),  # type: ignore[arg-type]
        (Command(((0, ZERO),)), Rule.TYPE),  # type: ignore[arg-type]
        (Command((Output(0, None),)), Rule.TYPE),  # type: ignore[arg-type]
        (Command((Output(0, NO_TRAIN),)), Rule.TYPE),
        (Command((Output(0, object.__new__(PulseTrain)),)), Rule.FAULT),
        (Command((object.__new__(Output),)), Rule.FAULT),
        (object.__new__(Command), Rule.FAULT),
        (Command((Output(True, ZERO),)), Rule.UNKNOWN_CHANNEL),
        (Command((Output(False, ZERO),)), Rule.UNKNOWN_CHANNEL),
        (Command((Output(0.0, ZERO),)), Rule.UNKNOWN_CHANNEL),  # type: ignore[arg-type]
        (Command((Output(1, ZERO),)), Rule.UNKNOWN_CHANNEL),
        (Command((Output(-1, ZERO),)), Rule.UNKNOWN_CHANNEL),
        (Command((Output("0", ZERO),)), Rule.UNKNOWN_CHANNEL),  # type: ignore[arg-type]
        (Command(()), Rule.MISSING_CHANNEL),
        (Command((Output(0, ZERO), Output(0, ZERO))), Rule.DUPLICATE_CHANNEL),
    ],
)
def test_what_is_not_exactly_a_command_is_refused_and_latches(wrong: Any, rule: Rule) -> None:
    rig = Rig()
    with pytest.raises(Refusal) as refusal:
        rig.limiter.approve(wrong, rig.now_us)
    assert refusal.value.rule == rule
    assert rig.latch.tripped


def test_a_command_states_every_output_in_any_order() -> None:
    rig = Rig(placement(4), placement(2, on=pads(25, "c", "d")))
    for outputs in ((4, 2), (2, 4)):
        rig.limiter.approve(Command(tuple(Output(n, ZERO) for n in outputs)), rig.now_us)
    with pytest.raises(Refusal) as refusal:
        rig.limiter.approve(Command((Output(4, ZERO),)), rig.now_us)
    assert (refusal.value.rule, refusal.value.value) == (Rule.MISSING_CHANNEL, [2])


@pytest.mark.parametrize("call", ["open_titration", "set_ceiling", "raise_level", "lower_level", "level", "effective"])
@pytest.mark.parametrize("channel", [1, True, None, "0", 0.0])
def test_an_unknown_channel_is_refused_everywhere(call: str, channel: Any) -> None:
    rig = titrating(WEAK)
    arguments = {
        "open_titration": (rig.now_us,),
        "set_ceiling": (WEAK, rig.now_us),
        "raise_level": (WEAK, rig.now_us),
        "lower_level": (WEAK, rig.now_us),
    }.get(call, ())
    with pytest.raises(Refusal) as refusal:
        getattr(rig.limiter, call)(channel, *arguments)
    assert refusal.value.rule == Rule.UNKNOWN_CHANNEL


# --- levels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", range(-5, 6))
def test_a_step_is_one_milliamp(step: int) -> None:
    """From zero and from a level: edge and five to either side."""
    for start in (0, 7_000):
        rig = Rig()
        rig.limiter.open_titration(0, rig.now_us)
        rig.raise_to(0, symmetric(start, 300, 35_000))
        rig.wait(SECOND)
        raised = symmetric(start + 1_000 + step, 300, 35_000)
        if step > 0:
            refusal = holds(rig, Rule.TITRATION_STEP, raised)
            assert (refusal.value, refusal.bound, refusal.unit) == (start + 1_000 + step, start + 1_000, "µA")
        else:
            rig.limiter.raise_level(0, raised, rig.now_us)
            assert rig.limiter.level(0) == raised


@pytest.mark.parametrize("step", range(-5, 6))
def test_two_presses_a_second_on_whatever_channel(step: int) -> None:
    rig = treating(WEAK, WEAK, placements=(placement(0), placement(1, on=pads(25, "c", "d"))))
    rig.limiter.open_treatment(rig.now_us)
    rig.wait(SECOND)
    rig.limiter.raise_level(0, scaled(WEAK, 1_000), rig.now_us)
    rig.wait(500_000 + step)
    if step < 0:
        assert holds(rig, Rule.TITRATION_RATE, scaled(WEAK, 1_000), channel=1).bound == 500_000
    else:
        rig.limiter.raise_level(1, scaled(WEAK, 1_000), rig.now_us)


def test_the_rate_survives_closing_and_opening() -> None:
    rig = titrating(scaled(WEAK, 1_000))
    rig.limiter.open_titration(0, rig.now_us)
    holds(rig, Rule.TITRATION_RATE, scaled(WEAK, 1_000))


def test_a_file_can_ask_for_a_slower_rise() -> None:
    """rise_ua_per_s binds beside the interval: 1 mA/s lets half a milliamp through after half a second."""
    rig = titrating(WEAK, placement(protocol=replace(ABSOLUTE, rise_ua_per_s=2_000)))
    slow = Rig(placement(protocol=replace(ABSOLUTE, rise_ua_per_s=1_000)))
    slow.limiter.open_titration(0, slow.now_us)
    slow.limiter.raise_level(0, scaled(WEAK, 500), slow.now_us)
    slow.wait(500_000)
    assert holds(slow, Rule.TITRATION_RATE, scaled(WEAK, 1_001)).bound == 500
    slow.limiter.raise_level(0, scaled(WEAK, 1_000), slow.now_us)
    assert rig.limiter.level(0) == WEAK


@pytest.mark.parametrize(
    ("edit", "unit"),
    [
        ({"phase_width_us": 400, "recovery_width_us": 400}, "pC"),
        ({"rate_mhz": 50_000}, "µA rms"),
        ({"interphase_gap_us": 1}, "µs gap"),
        ({"pulses_per_period": 2, "rate_mhz": 17_500}, "pulses per period"),
    ],
)
def test_other_settings_are_judged_as_intensity(edit: dict[str, Any], unit: str) -> None:
    """H39: at an unchanged amplitude these are rises of more than a step, or cannot be raised at all but from zero."""
    rig = titrating()
    rig.wait(SECOND)
    assert holds(rig, Rule.TITRATION_STEP, replace(TRAIN, **edit)).unit == unit
    rig.limiter.lower_level(0, ZERO, rig.now_us)
    rig.limiter.raise_level(0, scaled(replace(TRAIN, **edit), 1_000), rig.now_us)


FOUND = symmetric(20_000, 250, 35_000)


@pytest.mark.parametrize(
    ("found", "given", "unit"),
    [
        (symmetric(20_000, 500, 10_000), symmetric(20_000, 100, 50_000), "mHz of pulses"),
        (symmetric(20_000, 500, 10_000), symmetric(20_000, 250, 20_000), "mHz of pulses"),
        (symmetric(20_000, 500, 10_000), symmetric(20_000, 250, 10_001), "mHz of pulses"),
        (symmetric(20_000, 250, 20_000, pulses_per_period=2), symmetric(10_000, 250, 40_001), "mHz of pulses"),
        (symmetric(20_000, 250, 25_000, pulses_per_period=2), symmetric(20_000, 250, 50_000), "mHz of periods"),
        (symmetric(20_000, 250, 25_000, pulses_per_period=2), symmetric(10_000, 250, 25_001), "mHz of periods"),
        (FOUND, spoilt(FOUND, recovery_amplitude_ua=5_000, recovery_width_us=1_000), "‰ recovery to first phase"),
        (FOUND, spoilt(FOUND, recovery_amplitude_ua=19_800), "pC net charge"),
    ],
)
def test_a_ceiling_permits_no_other_kind_of_pulse(found: PulseTrain, given: PulseTrain, unit: str) -> None:
    """The same or less in peak, charge and rms, and yet not what this person was found to tolerate."""
    rig = Rig()
    rig.titrate(0, found)
    rig.limiter.open_treatment(rig.now_us)
    recovery_ua = given.recovery_amplitude_ua * 1_000 // given.amplitude_ua
    first = spoilt(given, amplitude_ua=1_000, recovery_amplitude_ua=recovery_ua)
    if unit != "pC net charge":
        assert holds(rig, Rule.CEILING, first).unit == unit
    assert holds(rig, Rule.CEILING, given).unit == unit
    if given.recovery_width_us == given.phase_width_us and given.recovery_amplitude_ua == given.amplitude_ua:
        assert rig.limiter.amplitude_ceiling_ua(0, given) == 0


def test_what_is_in_no_way_more_than_what_was_found_is_permitted() -> None:
    rig = Rig()
    rig.titrate(0, symmetric(20_000, 250, 35_000))
    rig.limiter.open_treatment(rig.now_us)
    for less in (symmetric(1_000, 250, 35_000), symmetric(1_000, 250, 10_000), symmetric(1_000, 500, 35_000)):
        rig.wait(SECOND)
        rig.limiter.lower_level(0, zero(less), rig.now_us)
        rig.limiter.raise_level(0, less, rig.now_us)


def test_at_a_level_neither_rate_nor_asymmetry_slips_up() -> None:
    """A rate may rise as far as one step of amplitude would; a shape only from zero."""
    rig = titrating()
    rig.wait(SECOND)
    weaker = {"amplitude_ua": MicroAmp(10_000), "recovery_amplitude_ua": MicroAmp(10_000)}
    assert holds(rig, Rule.TITRATION_STEP, spoilt(TRAIN, rate_mhz=36_751, **weaker)).unit == "mHz of pulses"
    skew = spoilt(TRAIN, recovery_amplitude_ua=10_000, recovery_width_us=600)
    assert holds(rig, Rule.TITRATION_STEP, skew).unit == "‰ recovery to first phase"
    rig.limiter.raise_level(0, spoilt(TRAIN, rate_mhz=36_750, **weaker), rig.now_us)


def test_one_step_in_width_is_a_step_in_charge() -> None:
    """At 20 mA and 300 µs one milliamp more is 315 µs."""
    for width, held in ((315, False), (316, True)):
        rig = titrating()
        rig.wait(SECOND)
        wider = symmetric(20_000, width, 35_000)
        if held:
            assert holds(rig, Rule.TITRATION_STEP, wider).bound_from == "one step above the level"
        else:
            rig.limiter.raise_level(0, wider, rig.now_us)


def test_lowering_is_free_in_speed_size_and_state() -> None:
    rig = titrating()
    for ua in (19_000, 3_000, 2_999, 0):
        rig.limiter.lower_level(0, scaled(TRAIN, ua), rig.now_us)
        assert rig.limiter.level(0) == (scaled(TRAIN, ua) if ua else None)
    rig.latch.trip("stop")
    rig.limiter.lower_level(0, ZERO, 0)  # even with a clock that runs backwards


def test_lowering_does_not_raise() -> None:
    rig = titrating(WEAK)
    for up in (scaled(WEAK, 5_001), symmetric(4_999, 301, 35_000), symmetric(5_000, 300, 35_001)):
        with pytest.raises(Refusal) as refusal:
            rig.limiter.lower_level(0, up, rig.now_us)
        assert refusal.value.rule == Rule.LEVEL
    wrong: Any
    for wrong in (None, replace(WEAK, amplitude_ua=MicroAmp(-1)), spoilt(WEAK, rate_mhz=math.nan)):
        with pytest.raises(Refusal) as refusal:
            rig.limiter.lower_level(0, wrong, rig.now_us)
        assert refusal.value.rule == Rule.TYPE
    assert rig.limiter.level(0) == WEAK
    assert not rig.latch.tripped


def test_raising_to_less_is_lowering_and_waits_for_nobody() -> None:
    rig = titrating(WEAK)
    rig.limiter.raise_level(0, scaled(WEAK, 2_000), rig.now_us)
    assert rig.limiter.level(0) == scaled(WEAK, 2_000)


def test_a_raise_is_judged_by_every_bound() -> None:
    rig = titrating(symmetric(60_000, 300, 35_000))
    rig.wait(SECOND)
    assert holds(rig, Rule.PEAK, symmetric(60_001, 300, 35_000)).bound_from == "profile forearm"
    holds(rig, Rule.PHASE_WIDTH, symmetric(1_000, 501, 35_000))
    holds(rig, Rule.TYPE, spoilt(WEAK, rate_mhz=True))


@pytest.mark.parametrize("step", range(-5, 6))
def test_output_stays_within_the_level(step: int) -> None:
    for train in (
        symmetric(20_000 + step, 300, 35_000),
        symmetric(20_000, 300 + step, 35_000),
        symmetric(20_000, 300, 35_000 + step),
    ):
        rig = titrating()
        rig.ramp_to(0, symmetric(19_900, 290, 34_900))
        rig.wait(TICK_US)
        if step > 0:
            assert refuses(rig, Rule.LEVEL, train).bound_from == "level"
        else:
            rig.send(train)


def test_a_lowered_level_binds_at_once() -> None:
    rig = titrating()
    rig.ramp_to(0, TRAIN)
    rig.limiter.lower_level(0, scaled(TRAIN, 10_000), rig.now_us)
    refuses(rig, Rule.LEVEL, scaled(TRAIN, 10_001))


# --- ceilings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", range(-5, 6))
def test_nothing_passes_the_ceiling_found_today(step: int) -> None:
    rig = treating()
    rig.wait(SECOND)
    for up in (
        symmetric(20_000 + step, 300, 35_000),
        symmetric(20_000, 300 + step, 35_000),
        symmetric(20_000, 300, 35_000 + step),
    ):
        if step > 0:
            assert holds(rig, Rule.CEILING, up).bound_from == "ceiling found today"
        else:
            rig.limiter.raise_level(0, up, rig.now_us)
            rig.wait(SECOND)


def test_a_ceiling_found_at_200_us_does_not_permit_the_same_milliamps_at_400() -> None:
    rig = treating(symmetric(10_000, 200, 35_000))
    wide = symmetric(0, 400, 35_000)
    assert rig.limiter.amplitude_ceiling_ua(0, wide) == 5_000
    refusal = refuses(rig, Rule.CEILING, symmetric(5_001, 400, 35_000))
    assert (refusal.value, refusal.bound, refusal.unit) == (2_000_400, 2_000_000, "pC")


def test_nobody_has_tolerated_what_was_never_given() -> None:
    rig = titrating()  # the level is at 20 mA, but nothing was sent
    with pytest.raises(Refusal) as refusal:
        rig.limiter.set_ceiling(0, scaled(TRAIN, 1_000), rig.now_us)
    assert (refusal.value.rule, refusal.value.bound) == (Rule.CEILING, 0)
    rig.ramp_to(0, scaled(TRAIN, 12_000))
    with pytest.raises(Refusal):
        rig.limiter.set_ceiling(0, scaled(TRAIN, 12_001), rig.now_us)
    rig.limiter.set_ceiling(0, scaled(TRAIN, 12_000), rig.now_us)
    for ua in (9_000, 1):
        rig.limiter.set_ceiling(0, scaled(TRAIN, ua), rig.now_us)
        assert rig.limiter.ceiling(0) == scaled(TRAIN, ua)
    assert not rig.latch.tripped


def test_what_was_given_in_an_earlier_titration_is_forgotten() -> None:
    rig = titrating(WEAK)
    rig.ramp_to(0, WEAK)
    rig.send(ZERO)
    rig.limiter.open_titration(0, rig.now_us)
    with pytest.raises(Refusal):
        rig.limiter.set_ceiling(0, scaled(WEAK, 1), rig.now_us)


def test_a_titration_that_is_broken_off_leaves_no_ceiling() -> None:
    rig = treating(WEAK)
    rig.limiter.open_titration(0, rig.now_us)
    rig.limiter.close()
    assert rig.limiter.amplitude_ceiling_ua(0, WEAK) == 60_000
    with pytest.raises(Refusal) as refusal:
        rig.limiter.open_treatment(rig.now_us)
    assert refusal.value.rule == Rule.CEILING


def test_the_most_that_was_given_counts_not_the_last() -> None:
    rig = titrating(WEAK)
    rig.ramp_to(0, WEAK)
    rig.wait(TICK_US)
    rig.send(scaled(WEAK, 1_000))
    rig.wait(TICK_US)
    rig.send(ZERO)
    rig.limiter.set_ceiling(0, WEAK, rig.now_us)


@pytest.mark.parametrize("wrong", [ZERO, symmetric(1_000, 501, 35_000), None])
def test_what_cannot_be_a_ceiling(wrong: Any) -> None:
    rig = titrating(WEAK)
    rig.ramp_to(0, WEAK)
    with pytest.raises(Refusal):
        rig.limiter.set_ceiling(0, wrong, rig.now_us)
    assert rig.limiter.ceiling(0) is None


def test_a_ceiling_is_found_in_titration_of_that_channel_only() -> None:
    rig = treating(WEAK, WEAK, placements=(placement(0), placement(1, on=pads(25, "c", "d"))))
    for open_ in (rig.limiter.close, lambda: rig.limiter.open_titration(1, rig.now_us)):
        open_()
        with pytest.raises(Refusal) as refusal:
            rig.limiter.set_ceiling(0, scaled(WEAK, 1_000), rig.now_us)
        assert refusal.value.rule == Rule.LOCKED
    assert (rig.limiter.ceiling(0), rig.limiter.ceiling(1)) == (WEAK, None)


def test_a_forgotten_ceiling_has_to_be_found_again() -> None:
    rig = treating(WEAK)
    rig.limiter.forget_ceiling(0)
    assert rig.limiter.ceiling(0) is None
    with pytest.raises(Refusal) as refusal:
        rig.limiter.open_treatment(rig.now_us)
    assert refusal.value.rule == Rule.CEILING


# --- ramps -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tick_us", [1_000, 20_000, 33_333, 50_000])
@pytest.mark.parametrize("step_ua", [1, 250, 500, 1_000])
@pytest.mark.parametrize("top_ua", [1_000, 7_000, 20_000])
def test_the_fastest_ramp_passes_in_any_boards_steps(tick_us: int, step_ua: int, top_ua: int) -> None:
    """0.5 s from zero to the level, at every control period up to 50 ms, quantised downwards."""
    rig = treating(scaled(TRAIN, top_ua))
    start_us = rig.now_us
    while rig.now_us < start_us + 500_000:
        rig.wait(tick_us)
        linear = min(top_ua * (rig.now_us - start_us) // 500_000, top_ua)
        rig.send(scaled(TRAIN, linear // step_ua * step_ua))
    assert not rig.latch.tripped


@pytest.mark.parametrize("ramp_us", [300_000, 400_000])
def test_a_faster_ramp_is_refused(ramp_us: int) -> None:
    rig = treating()
    start_us = rig.now_us
    with pytest.raises(Refusal) as refusal:
        while rig.now_us < start_us + ramp_us:
            rig.wait(20_000)
            rig.send(scaled(TRAIN, 20_000 * min(rig.now_us - start_us, ramp_us) // ramp_us))
    assert refusal.value.rule == Rule.RAMP_RATE


@pytest.mark.parametrize("step", range(-5, 6))
def test_the_largest_jump_is_one_step_and_one_tick(step: int) -> None:
    """20 mA in 0.5 s is 2 mA a tick of 50 ms, and one step of 1 mA: however long the rest was, 3 mA."""
    rig = treating()
    rig.wait(MINUTE)
    if step > 0:
        assert refuses(rig, Rule.RAMP_RATE, scaled(TRAIN, 3_000 + step)).bound == 3_000
    else:
        rig.send(scaled(TRAIN, 3_000 + step))


def test_swinging_up_and_down_saves_nothing() -> None:
    rig = treating()
    rig.send(scaled(TRAIN, 3_000))
    rig.send(scaled(TRAIN, 1_000))
    refuses(rig, Rule.RAMP_RATE, scaled(TRAIN, 1_001))


def test_a_jump_in_width_is_a_jump() -> None:
    rig = treating(symmetric(20_000, 400, 35_000))
    rig.ramp_to(0, symmetric(20_000, 100, 35_000))
    rig.wait(TICK_US)
    refuses(rig, Rule.RAMP_RATE, symmetric(20_000, 400, 35_000))


def test_a_jump_in_rate_is_a_jump() -> None:
    rig = treating(symmetric(20_000, 300, 50_000))
    rig.ramp_to(0, symmetric(20_000, 300, 10_000))
    rig.wait(TICK_US)
    refuses(rig, Rule.RAMP_RATE, symmetric(20_000, 300, 50_000))


def test_falling_is_free() -> None:
    rig = treating()
    rig.ramp_to(0, TRAIN)
    rig.send(ZERO)
    assert not rig.latch.tripped


def test_a_human_step_passes_at_once_however_slow_the_ramp() -> None:
    """Raising by hand with output on, at a file whose ramps take six seconds."""
    rig = Rig(placement(protocol=replace(ABSOLUTE, ramp_up_min_us=6 * SECOND), burst=BURST._replace(ramp_up_us=6_000_000, hold_us=3_000_000, rest_us=7_000_000)))  # fmt: skip
    rig.limiter.open_titration(0, rig.now_us)
    for ua in range(1_000, 9_000, 1_000):
        rig.wait(500_000)
        rig.limiter.raise_level(0, scaled(TRAIN, ua), rig.now_us)
        rig.send(scaled(TRAIN, ua))


def test_credit_begins_at_nothing() -> None:
    """One step, and not the smallest part of a microampere more."""
    rig = Rig(TENS)
    rig.limiter.open_titration(0, rig.now_us)
    rig.limiter.raise_level(0, scaled(TENS_TRAIN, 999), rig.now_us)
    rig.send(scaled(TENS_TRAIN, 999))
    rig.send(zero(TENS_TRAIN))
    rig.wait(1_001)  # 1 µA was left, and 999 µA * 1001 µs / 0.5 s have come: a millionth less than 3 µA in all
    refuses(rig, Rule.RAMP_RATE, scaled(TENS_TRAIN, 3))


def test_a_raise_counts_the_time_before_it_at_the_level_before_it() -> None:
    """At a ramp of 6 s, 10 ms at 1 mA are worth a sixth of what a tick of 50 ms is, however high the level is then."""
    slow = replace(ABSOLUTE, ramp_up_min_us=6 * SECOND)
    rig, rises = Rig(TENS._replace(protocol=slow)), (10, 11)
    for rise in rises:
        rig = Rig(TENS._replace(protocol=slow))
        rig.limiter.open_titration(0, rig.now_us)
        rig.limiter.raise_level(0, scaled(TENS_TRAIN, 1_000), rig.now_us)
        rig.send(scaled(TENS_TRAIN, 1_000))
        for _ in range(7):
            rig.wait(SECOND)
            rig.send(scaled(TENS_TRAIN, 1_000))
        rig.send(zero(TENS_TRAIN))
        rig.send(scaled(TENS_TRAIN, 1_000))  # of a step and a tick, the tick is left
        rig.wait(10_000)
        rig.limiter.raise_level(0, scaled(TENS_TRAIN, 2_000), rig.now_us)
        rig.send(scaled(TENS_TRAIN, 2_000))
        rig.send(scaled(TENS_TRAIN, 1_900))
        if rise == rises[0]:
            rig.send(scaled(TENS_TRAIN, 1_900 + rise))
        else:
            assert refuses(rig, Rule.RAMP_RATE, scaled(TENS_TRAIN, 1_900 + rise)).bound == rises[0]


# --- bursts ------------------------------------------------------------------------------------------------------------


def hold(rig: Rig, train: PulseTrain, until_us: int) -> None:
    while rig.now_us + 900_000 < until_us:
        rig.wait(900_000)
        rig.send(train)
    rig.now_us = until_us


@pytest.mark.parametrize("step", range(-5, 6))
def test_a_burst_ends_within_its_on_time(step: int) -> None:
    rig = treating(scaled(TRAIN, 1_000))
    on = scaled(TRAIN, 1_000)
    rig.send(on)
    hold(rig, on, rig.now_us + 20_000_000 + step)
    if step < 0:
        rig.send(on)
    else:  # at the very end it has to be zero: what is approved then would last beyond
        assert refuses(rig, Rule.ON_TIME, on).bound == 20_000_000


@pytest.mark.parametrize("step", range(-5, 6))
@pytest.mark.parametrize("on_us", [1, 999, 3_000_000, 10_000_000])
def test_the_next_burst_waits_until_the_rest_is_paid(on_us: int, step: int) -> None:
    """60 %: after t on, two thirds of t off. At 0.1 mA, so that the ramp rule is not in the way."""
    rig, on = treating(scaled(TRAIN, 1_000)), scaled(TRAIN, 100)
    rig.send(on)
    hold(rig, on, rig.now_us + on_us)
    rig.send(ZERO)
    owed_us = math.ceil(on_us * 2 / 3)
    assert rig.limiter.ready_at_us(0) == rig.now_us + owed_us
    rig.wait(max(0, owed_us + step))
    if step < 0:
        refuses(rig, Rule.DUTY, on)
    else:
        rig.send(on)


def test_bursts_cannot_be_split_by_short_zeros() -> None:
    """Neither the on-time nor the debt is forgotten in a moment of zero."""
    rig, on = treating(scaled(TRAIN, 1_000)), scaled(TRAIN, 1_000)
    rig.send(on)
    hold(rig, on, rig.now_us + 19_000_000)
    rig.send(ZERO)
    rig.wait(20_000)
    rig.send(ZERO)
    rig.wait(20_000)
    refuses(rig, Rule.DUTY, on)


def test_duty_of_a_file_that_asks_for_less() -> None:
    burst = BURST._replace(rest_us=21_000_000)
    rig = treating(
        scaled(TRAIN, 1_000), placements=(placement(protocol=replace(ABSOLUTE, duty_permille=250), burst=burst),)
    )
    rig.send(scaled(TRAIN, 1_000))
    rig.wait(500_000)
    rig.send(ZERO)
    assert rig.limiter.ready_at_us(0) == rig.now_us + 1_500_000


def test_titration_bursts_obey_too() -> None:
    rig = titrating(scaled(TRAIN, 1_000))
    on = scaled(TRAIN, 1_000)
    rig.send(on)
    hold(rig, on, rig.now_us + 20_000_000)
    refuses(rig, Rule.ON_TIME, on)


def test_sensory_stimulation_runs_through() -> None:
    rig = treating(TENS_TRAIN, placements=(TENS,))
    rig.ramp_to(0, TENS_TRAIN)
    hold(rig, TENS_TRAIN, rig.now_us + 10 * MINUTE)
    rig.send(ZERO)
    rig.ramp_to(0, TENS_TRAIN)
    assert rig.limiter.ready_at_us(0) == 0


def test_sensory_stimulation_ends_with_its_sites_time_and_no_burst_rule() -> None:
    rig, on = Rig(TENS), scaled(TENS_TRAIN, 100)
    rig.limiter.open_titration(0, rig.now_us)
    rig.raise_to(0, on)
    rig.send(on)
    hold(rig, on, rig.now_us + 60 * MINUTE)
    refuses(rig, Rule.SITE_TIME, on)


# --- sites -------------------------------------------------------------------------------------------------------------


def test_a_site_has_its_hour() -> None:
    left_us = 10 * SECOND
    rig = Rig(TENS, spent={TENS.site: 60 * MINUTE - left_us})
    rig.limiter.open_titration(0, rig.now_us)
    rig.raise_to(0, scaled(TENS_TRAIN, 1_000))
    on = scaled(TENS_TRAIN, 1_000)
    rig.send(on)
    hold(rig, on, rig.now_us + left_us - 1)
    rig.send(on)
    assert rig.limiter.site_time_us(TENS.site) == 60 * MINUTE - 1
    rig.wait(1)
    refuses(rig, Rule.SITE_TIME, on)


def test_a_site_that_had_its_time_today_stays_at_zero() -> None:
    rig = Rig(TENS, spent={TENS.site: 60 * MINUTE})
    rig.limiter.open_titration(0, rig.now_us)
    rig.raise_to(0, scaled(TENS_TRAIN, 1_000))
    rig.send(ZERO)
    refuses(rig, Rule.SITE_TIME, scaled(TENS_TRAIN, 1_000))


def test_short_rests_count_and_long_ones_end_after_a_minute() -> None:
    rig, on = treating(scaled(TRAIN, 1_000)), scaled(TRAIN, 1_000)
    before_us, start_us = rig.limiter.site_time_us("forearm-dorsal"), rig.now_us
    rig.send(on)
    rig.wait(500_000)
    rig.send(ZERO)
    rig.wait(59 * SECOND)
    rig.send(ZERO)
    site = rig.limiter.site_time_us("forearm-dorsal")
    assert site - before_us <= rig.now_us - start_us
    assert site - before_us == 59_500_000
    rig.wait(60 * MINUTE)
    rig.send(ZERO)
    assert rig.limiter.site_time_us("forearm-dorsal") == site + SECOND


def test_the_last_microsecond_of_a_rest_counts_however_often_one_looks() -> None:
    rig = treating(TENS_TRAIN, placements=(TENS,))
    rig.wait(2 * MINUTE)
    rig.send(ZERO)
    before = rig.limiter.site_time_us(TENS.site)
    rig.send(scaled(TENS_TRAIN, 100))
    rig.send(ZERO)
    for us in (MINUTE - 1, 1, 1, 1):
        rig.wait(us)
        rig.send(ZERO)
    assert rig.limiter.site_time_us(TENS.site) - before == MINUTE


def test_two_channels_on_one_site_count_once_and_two_sites_twice() -> None:
    one, other = pads(25, "c", "d"), pads(25, "e", "f")
    three = (placement(0, effect=Effect.SENSORY, burst=None), placement(1, effect=Effect.SENSORY, burst=None, on=one),
             placement(2, effect=Effect.SENSORY, burst=None, on=other, site="hand"))  # fmt: skip
    rig, on = Rig(*three), scaled(TENS_TRAIN, 1_000)
    rig.treat(on, on, on)
    rig.wait(MINUTE)
    rig.send(ZERO, ZERO, ZERO)
    before = {site: rig.limiter.site_time_us(site) for site in ("forearm-dorsal", "hand")}
    rig.send(on, on, on)
    for _ in range(10):
        rig.wait(SECOND)
        rig.send(on, on, on)
    after = {site: rig.limiter.site_time_us(site) for site in before}
    assert {site: after[site] - before[site] for site in before} == dict.fromkeys(before, 10 * SECOND)


def test_time_at_sites_is_carried_over_those_of_today_without_a_channel_included() -> None:
    rig = Rig(TENS, spent={TENS.site: 5, "hand": 7})
    assert rig.limiter.site_times_us() == {TENS.site: 5, "hand": 7}
    assert rig.limiter.site_time_us("shoulder") == 0
    assert Rig(TENS, spent=rig.limiter.site_times_us()).limiter.site_time_us("hand") == 7


# --- shared pads -------------------------------------------------------------------------------------------------------


SHARING = {  # area of the pad, the train of each of two channels, the sum in µA that just fits
    Rule.SHARED_PAD_PEAK: (25, symmetric(1_000, 200, 100_000), 60_000),
    Rule.SHARED_PAD_CHARGE: (25, symmetric(1_000, 500, 100_000), 40_000),
    Rule.SHARED_PAD_RMS: (45, symmetric(1_000, 300, 150_000, pulses_per_period=2), 47_140),
    Rule.SHARED_PAD_DENSITY: (8.0425, symmetric(1_000, 300, 150_000, pulses_per_period=2), 28_434),
}


def two_on_one_pad(cm2: float) -> tuple[Placement, Placement]:
    return (
        TENS._replace(pads=pads(cm2, "shared", "a")),
        TENS._replace(channel=1, pads=pads(cm2, "shared", "b"), site="hand"),
    )


@pytest.mark.parametrize("rule", SHARING)
@pytest.mark.parametrize("over", [0, 1])
def test_what_channels_add_up_to_on_a_shared_pad(rule: Rule, over: int) -> None:
    """Each alone is inside; together they count as if every pulse met another, and one µA decides."""
    cm2, single, fits = SHARING[rule]
    one, other = scaled(single, fits // 2), scaled(single, fits - fits // 2 + over)
    rig = Rig(*two_on_one_pad(cm2))
    rig.titrate(0, one)
    rig.titrate(1, other)
    rig.limiter.open_treatment(rig.now_us)
    rig.raise_to(0, one)
    if over:
        with pytest.raises(Refusal) as caught:
            rig.raise_to(1, other)
        assert (caught.value.rule, caught.value.channel) == (rule, None)
        assert caught.value.bound_from == "profile forearm, pad shared"
        # That was a person's wish. The same in a command is a bug, wherever such a level came from.
        assert not rig.latch.tripped
        rig.limiter._channels[1].set_level(other, strength(other))
    else:
        rig.raise_to(1, other)
    rig.wait(SECOND)
    for tick in range(1, 100):
        rig.wait(20_000)
        rig.send(*(scaled(each, each.amplitude_ua * tick // 100) for each in (one, other)))
    rig.wait(SECOND)
    if over:
        assert refuses(rig, rule, one, other).bound_from == "profile forearm, pad shared"
    else:
        rig.send(one, other)


def test_a_shared_pad_has_the_bounds_of_its_own_size() -> None:
    """A large return pad of a small one takes more than the small one does alone."""
    small, large = Pad("small", area(4.9087)), Pad("large", area(25))
    two = (TENS._replace(pads=(Pad("other", area(25)), large)), TENS._replace(channel=1, pads=(small, large)))
    rig, single = Rig(*two), symmetric(1_000, 200, 100_000)
    rig.treat(scaled(single, 35_000), scaled(single, 25_000))
    with pytest.raises(Refusal, match=Rule.CEILING):
        rig.raise_to(1, scaled(single, 25_001))


def test_two_channels_on_the_same_two_pads_are_refused() -> None:
    """Nobody who feels it can tell them apart, and their ceilings would be found one at a time."""
    same = (TENS, TENS._replace(channel=1, pads=TENS.pads[::-1]))
    with pytest.raises(Refusal, match="channels 0 and 1 on a and b") as caught:
        Rig(*same)
    assert caught.value.rule == Rule.PADS
    Rig(TENS, TENS._replace(channel=1, pads=(TENS.pads[0], Pad("c", area(25)))))


def test_pads_that_are_not_shared_do_not_add_up() -> None:
    two = (placement(0, on=pads(8.0425, "a", "b")), placement(1, on=pads(8.0425, "c", "d"), site="hand"))
    assert Rig(*two).limiter._shared == ()


@pytest.mark.parametrize("looks_us", [0, 1, 100_000, 999_999, 5 * SECOND])
def test_after_a_stop_the_next_burst_is_announced_truly(looks_us: int) -> None:
    """On for 4 s, stopped: 1 s more that nobody saw, then 5 s x 2/3 of rest (60 % duty), whoever looks first and when."""
    rig = Rig()
    rig.treat(TRAIN)
    rig.ramp_to(0, TRAIN)
    began_us = rig.now_us - SECOND + TICK_US
    while rig.now_us < began_us + 4 * SECOND:
        rig.wait(TICK_US)
        rig.send(TRAIN)
    ready_us = rig.now_us + SECOND + -(-5 * SECOND * 400 // 600)
    rig.latch.trip("stop")
    rig.wait(looks_us)
    assert rig.limiter.level(0) is None
    assert rig.limiter.ready_at_us(0) == ready_us  # no command and no wish has come since the stop
    rig.latch.clear()
    rig.limiter.open_treatment(rig.now_us)
    assert rig.limiter.ready_at_us(0) == ready_us
    rig.raise_to(0, scaled(TRAIN, 1_000))
    rig.now_us = max(rig.now_us, ready_us)
    rig.send(scaled(TRAIN, 100))


def test_after_a_stop_the_ramp_begins_at_nothing_whatever_was_given_before() -> None:
    """Also where no zero was approved in between."""
    rig = Rig()
    rig.treat(TRAIN)
    rig.ramp_to(0, TRAIN)
    rig.latch.trip("stop")
    rig.latch.clear()
    rig.limiter.open_treatment(rig.now_us)
    rig.raise_to(0, TRAIN)
    rig.now_us = max(rig.now_us, rig.limiter.ready_at_us(0))
    assert refuses(rig, Rule.RAMP_RATE, TRAIN).bound == 3_000


def test_a_burst_before_the_announced_time_is_refused_after_a_stop() -> None:
    rig = Rig()
    rig.treat(TRAIN)
    rig.ramp_to(0, TRAIN)
    rig.latch.trip("stop")
    rig.latch.clear()
    rig.limiter.open_treatment(rig.now_us)
    rig.raise_to(0, scaled(TRAIN, 1_000))
    rig.now_us = rig.limiter.ready_at_us(0) - 1
    refuses(rig, Rule.DUTY, scaled(TRAIN, 100))


# --- the clock ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [999, -1, 1_000.0, True, None, math.nan, "1"])
@pytest.mark.parametrize("call", ["approve", "open_titration", "open_treatment", "raise_level", "set_ceiling"])
def test_a_clock_that_is_none_or_runs_backwards_latches(call: str, wrong: Any) -> None:
    rig = Rig()
    arguments = {
        "approve": (command(ZERO),),
        "open_titration": (0,),
        "raise_level": (0, WEAK),
        "set_ceiling": (0, WEAK),
    }.get(call, ())
    with pytest.raises(Refusal) as refusal:
        getattr(rig.limiter, call)(*arguments, wrong)
    assert (refusal.value.rule, refusal.value.bound) == (Rule.CLOCK, 1_000)
    assert rig.latch.tripped


def test_a_jump_forward_while_output_is_on_latches() -> None:
    for gap_us, fine in ((999_999, True), (1_000_000, True), (1_000_001, False), (3_600_000_000, False)):
        rig = treating(scaled(TRAIN, 1_000))
        rig.send(scaled(TRAIN, 1_000))
        rig.wait(gap_us)
        if fine:
            rig.send(ZERO)
        else:
            assert refuses(rig, Rule.CLOCK, ZERO).value == gap_us


def test_other_calls_do_not_hide_a_jump() -> None:
    rig = treating(scaled(TRAIN, 1_000))
    rig.send(scaled(TRAIN, 1_000))
    for _ in range(3):
        rig.wait(400_000)
        rig.limiter.raise_level(0, scaled(TRAIN, 1_000), rig.now_us)
    refuses(rig, Rule.CLOCK, ZERO)


def test_at_zero_time_may_jump() -> None:
    rig = treating(WEAK)
    rig.wait(60 * MINUTE)
    rig.send(ZERO)
    assert not rig.latch.tripped


# --- after a stop -------------------------------------------------------------------------------------------------------


def test_latched_it_refuses_even_zero_and_every_wish() -> None:
    rig = treating(WEAK)
    rig.latch.trip("stop key")
    epoch = rig.latch.epoch
    assert "stop key" in str(refuses(rig, Rule.LATCHED, ZERO))
    for wish, arguments in (
        ("open_titration", (0,)),
        ("open_treatment", ()),
        ("raise_level", (0, WEAK)),
        ("set_ceiling", (0, WEAK)),
    ):
        with pytest.raises(Refusal) as refusal:
            getattr(rig.limiter, wish)(*arguments, rig.now_us)
        assert refusal.value.rule == Rule.LATCHED
    assert rig.latch.epoch == epoch
    assert rig.latch.reason == "stop key"


def test_clearing_gives_back_nothing_but_zero() -> None:
    """H02: no intensity survives a stop; the ceiling does, and binds from the first raise on."""
    rig = treating(WEAK)
    rig.ramp_to(0, WEAK)
    rig.latch.trip("stop key")
    rig.latch.clear()
    assert rig.limiter.level(0) is None
    rig.send(ZERO)
    rig.wait(SECOND)
    refusal = holds(rig, Rule.LOCKED, scaled(WEAK, 1_000))
    assert (refusal.value, refusal.bound) == (1_000, 0)
    rig.limiter.open_treatment(rig.now_us)
    holds(rig, Rule.TITRATION_STEP, scaled(WEAK, 1_001))
    rig.raise_to(0, WEAK)
    holds(rig, Rule.CEILING, scaled(WEAK, 5_001))
    refuses(rig, Rule.RAMP_RATE, WEAK)


def test_a_stop_and_clear_between_two_commands_is_not_overlooked() -> None:
    rig = treating(WEAK)
    rig.send(scaled(WEAK, 1_000))
    rig.latch.trip("stop key")
    rig.latch.clear()
    refuses(rig, Rule.LOCKED, scaled(WEAK, 1_000))


def test_a_refusal_is_a_stop_with_its_reason() -> None:
    rig = treating(WEAK)
    refusal = refuses(rig, Rule.PEAK, symmetric(60_001, 300, 35_000))
    assert rig.latch.reason == str(refusal)
    assert rig.latch.epoch == 1
    refuses(rig, Rule.LATCHED, ZERO)
    assert rig.latch.epoch == 1


def test_a_stopped_burst_owes_its_rest_with_a_second_on_top() -> None:
    """Nobody saw when the board fell silent, so twice its dead-man is counted as on."""
    rig, on = treating(scaled(TRAIN, 1_000)), scaled(TRAIN, 1_000)
    rig.send(on)
    hold(rig, on, rig.now_us + 2_000_000)
    rig.send(on)
    ended_us = rig.now_us
    rig.latch.trip("stop key")
    rig.wait(5 * SECOND)
    rig.latch.clear()
    rig.limiter.open_treatment(rig.now_us)
    assert rig.limiter.ready_at_us(0) == ended_us + SECOND + 2 * SECOND


# --- what can be asked -----------------------------------------------------------------------------------------------


@given(
    st.sampled_from(BodyPart),
    st.floats(3, 100),
    st.integers(50, 500),
    st.integers(10_000, 50_000),
    st.integers(0, 250),
    st.integers(1, 2),
    st.integers(0, 5_000),
)
def test_the_amplitude_ceiling_is_the_last_that_is_accepted(
    part: BodyPart, cm2: float, width: int, rate: int, gap: int, pulses: int, given_ua: int
) -> None:
    shape = symmetric(given_ua, width, rate, interphase_gap_us=gap, pulses_per_period=pulses)
    rig = Rig(placement(part=part, on=pads(cm2)))
    highest = rig.limiter.amplitude_ceiling_ua(0, shape)
    assert highest > 0
    refuses(rig, Rule.LOCKED, shape.at(MicroAmp(highest)))  # inside every bound: only the lock is in the way
    rig = Rig(placement(part=part, on=pads(cm2)))
    with pytest.raises(Refusal) as refusal:
        rig.send(shape.at(MicroAmp(highest + 1)))
    assert refusal.value.rule != Rule.LOCKED


@given(st.integers(50, 500), st.integers(10_000, 50_000))
def test_with_a_ceiling_the_amplitude_ceiling_is_the_last_below_it(width: int, rate: int) -> None:
    rig = treating(symmetric(9_000, 250, 30_000))
    shape = symmetric(1_000, width, rate)
    highest = rig.limiter.amplitude_ceiling_ua(0, shape)
    refusal = refuses(rig, Rule.CEILING, shape.at(MicroAmp(highest + 1)))
    assert refusal.bound_from == "ceiling found today"
    rig.latch.clear()
    rig.limiter.open_treatment(rig.now_us)
    assert (highest == 0) is (rate > 30_000)  # a faster train is not the one that was found, however weak
    if highest:
        refuses(rig, Rule.LEVEL, shape.at(MicroAmp(highest)))


@pytest.mark.parametrize(
    "shape",
    [
        symmetric(1_000, 501, 35_000),
        symmetric(1_000, 300, 50_001),
        symmetric(1_000, 300, 35_000, interphase_gap_us=251),
        replace(WEAK, recovery_amplitude_ua=MicroAmp(0)),
        replace(ZERO, recovery_width_us=MicroSecond(1_200)),  # at zero, its proportions are not known
        spoilt(WEAK, rate_mhz=None),
        None,
    ],
)
def test_a_shape_that_is_never_allowed_has_no_amplitude(shape: Any) -> None:
    assert Rig().limiter.amplitude_ceiling_ua(0, shape) == 0


def test_a_shape_without_known_proportions_has_none_below_a_ceiling_either() -> None:
    assert treating(WEAK).limiter.amplitude_ceiling_ua(0, replace(ZERO, recovery_width_us=MicroSecond(1_200))) == 0


def test_longer_gaps_and_doublets_than_the_ceilings_have_no_amplitude() -> None:
    rig = treating(WEAK)
    assert rig.limiter.amplitude_ceiling_ua(0, replace(WEAK, interphase_gap_us=MicroSecond(1))) == 0
    assert rig.limiter.amplitude_ceiling_ua(0, replace(WEAK, pulses_per_period=2)) == 0
    rig.limiter.open_titration(0, rig.now_us)
    assert rig.limiter.amplitude_ceiling_ua(0, WEAK) > 5_000  # in titration it is to be found
    rig.raise_to(0, WEAK)
    rig.ramp_to(0, WEAK)
    rig.limiter.set_ceiling(0, WEAK, rig.now_us)
    assert rig.limiter.amplitude_ceiling_ua(0, WEAK) > 5_000  # or found again, higher up


def test_an_asymmetrical_pulse_has_its_ceiling_in_proportion() -> None:
    asymmetrical = PulseTrain(MicroAmp(4_000), MicroSecond(300), MicroSecond(0), MicroAmp(1_000), MicroSecond(1_200), WEAK.rate_mhz)  # fmt: skip
    rig = Rig()
    highest = rig.limiter.amplitude_ceiling_ua(0, asymmetrical)
    assert highest == 60_000
    refuses(rig, Rule.LOCKED, asymmetrical.at(MicroAmp(highest)))
    dc = replace(asymmetrical, recovery_width_us=MicroSecond(1_190))  # 10 000 of 1 200 000 pC is left over
    limiter = Rig(placement(protocol=replace(ABSOLUTE, mean_dc_na=700))).limiter
    assert limiter.amplitude_ceiling_ua(0, dc) == 8_000  # 350 nA at 4 mA and 35 Hz
    assert limiter.amplitude_ceiling_ua(0, replace(dc, pulses_per_period=2)) == 4_000


def test_on_a_shared_pad_the_amplitude_ceiling_is_the_last_that_the_pad_takes() -> None:
    """The shoulder's channel may have 80 mA, but not where it returns to a pad of the forearm's; others are at zero."""
    shared, one, other = pads(25, "shared", "one", "other")
    two = (TENS._replace(part=BodyPart.SHOULDER, pads=(shared, one)), TENS._replace(channel=1, pads=(shared, other)))
    for shape, highest, rule in (
        (symmetric(1_000, 100, 100_000), 60_000, Rule.SHARED_PAD_PEAK),
        (symmetric(1_000, 400, 50_000), 50_000, Rule.SHARED_PAD_CHARGE),
    ):
        rig = Rig(*two)
        assert rig.limiter.amplitude_ceiling_ua(0, shape) == highest
        assert rig.limiter.amplitude_ceiling_ua(1, scaled(shape, 1)) == highest
        rig.limiter.open_titration(0, rig.now_us)
        rig.raise_to(0, scaled(shape, highest))
        rig.wait(SECOND)
        assert held_on_pad(rig, scaled(shape, highest + 1)) == rule
    for nothing in (replace(ZERO, recovery_width_us=MicroSecond(999)), replace(WEAK, amplitude_ua=MicroAmp(-1))):
        assert Rig(*two).limiter.amplitude_ceiling_ua(0, nothing) == 0
    alone = Rig(two[0], TENS._replace(channel=1, pads=pads(25, "c", "d")))
    assert alone.limiter.amplitude_ceiling_ua(0, symmetric(1_000, 100, 100_000)) == 80_000
    beside = Rig(*two, TENS._replace(channel=2, part=BodyPart.SHOULDER, pads=pads(25, "e", "f")))
    assert beside.limiter.amplitude_ceiling_ua(2, symmetric(1_000, 100, 100_000)) == 80_000


def held_on_pad(rig: Rig, train: PulseTrain) -> str:
    with pytest.raises(Refusal) as refusal:
        rig.limiter.raise_level(0, train, rig.now_us)
    assert refusal.value.channel is None
    return refusal.value.rule


def test_rms_on_a_shared_pad_is_in_the_amplitude_ceiling_too() -> None:
    """The file of the other channel asks for less rms: on the pad in common that binds both."""
    shared, one, other = pads(25, "shared", "one", "other")
    quiet = replace(ABSOLUTE, rms_ua=1_000)
    rig = Rig(TENS._replace(pads=(shared, one)), TENS._replace(channel=1, pads=(shared, other), protocol=quiet))
    assert rig.limiter.amplitude_ceiling_ua(0, symmetric(7_000, 200, 100_000)) == 5_000  # Irms = I / 5


# --- the warn column ---------------------------------------------------------------------------------------------------


def test_review_names_what_a_person_should_look_at() -> None:
    rig = Rig(placement(burst=BURST._replace(ramp_up_us=600_000)))
    found = rig.limiter.review(command(symmetric(41_000, 410, 35_000)), rig.now_us)
    assert [(f.rule, f.channel, f.bound_from) for f in found] == [
        (Rule.PEAK, 0, "warn forearm"),
        (Rule.PHASE_WIDTH, 0, "warn forearm"),
        (Rule.CHARGE, 0, "warn forearm"),
        (Rule.RAMP_UP, 0, "warn forearm"),
    ]
    assert [f.rule for f in rig.limiter.review_placements()] == [Rule.RAMP_UP]
    assert not rig.latch.tripped
    assert rig.limiter.review(command(None), rig.now_us) == rig.limiter.review_placements()  # type: ignore[arg-type]
    assert Rig().limiter.review(command(WEAK, WEAK), 0) == ()


def test_review_sees_time_at_a_site_and_shared_pads() -> None:
    small = pads(8.0425, "shared", "a")
    two = (TENS._replace(pads=small), TENS._replace(channel=1, pads=pads(8.0425, "shared", "b")))
    rig = Rig(*two, spent={TENS.site: 45 * MINUTE + 1})
    one = symmetric(20_000, 300, 100_000)
    assert [f.rule for f in rig.limiter.review(command(one, zero(one)), rig.now_us)] == [Rule.SITE_TIME, Rule.SITE_TIME]
    both = rig.limiter.review(command(scaled(one, 18_000), scaled(one, 18_000)), rig.now_us)
    assert Rule.SHARED_PAD_PEAK in [f.rule for f in both]
