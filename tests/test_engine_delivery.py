"""Pulses that change from phase to phase, a control signal, and a flow that moves: judged by a fresh limiter."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.engine import Engine, Event, State
from stimctl.engine.lanes import Aim, Lane
from stimctl.envelope.words import rise_ua, strength
from stimctl.errors import Refusal
from stimctl.limits import Effect
from stimctl.pulse import PulseTrain, symmetric
from stimctl.schedule import CONTROL_PERIOD_US, FULL_PPM, Advance, ChannelPlan, Goal, MovementPlan, PhasePlan, Schedule
from stimctl.session.rehearsal import rehearse
from stimctl.units import MINUTE, MS, SECOND, MicroAmp
from tests.schedules import TRIGGER, channel, cyclic, tens

SLOW, FAST = symmetric(0, 200, 2_000), symmetric(0, 100, 100_000)
BOTH = symmetric(0, 200, 100_000)


def pulsing(shape: PulseTrain, effect: Effect = Effect.SENSORY) -> ChannelPlan:
    return replace(channel(effect=effect), shape=shape, max_ua=MicroAmp(12_000), target_ua=MicroAmp(12_000))


def flow(*phases: PhasePlan, flow_us: int = MINUTE) -> Schedule:
    return replace(tens(flow_us), channels=(pulsing(BOTH),), movement=MovementPlan(phases, 0))


def alternating() -> Schedule:
    """2 and 100 Hz in turn, three seconds each (B.5)."""
    return flow(
        PhasePlan("2 Hz", 3 * SECOND, others=Goal(FULL_PPM, pulses=SLOW)),
        PhasePlan("100 Hz", 3 * SECOND, others=Goal(FULL_PPM, pulses=FAST)),
    )


def trains(engine: Engine, until_us: int, now_us: int = 0) -> list[tuple[int, PulseTrain]]:
    seen = []
    while now_us < until_us and engine.state is not State.REVIEW:
        engine.attend(now_us)
        engine.step(now_us)
        seen.append((now_us, engine.command().outputs[0].train))
        now_us = min(engine.next_change_us(now_us), now_us + 500 * MS)
    return seen


def flowing(schedule: Schedule, level_ua: int = 10_000) -> Engine:
    engine = Engine(schedule)
    for event in (Event.OPEN, Event.SCREENED, Event.PLACED):
        engine.happen(event, 0)
    engine.titrate(0, 0)
    for event in (Event.ALL_FOUND, Event.START):
        engine.happen(event, 0)
    engine.set_level(0, level_ua, 0)
    engine.happen(Event.BEGIN, 0)
    return engine


# --- pulses that change ------------------------------------------------------------------------------------------

SHAPES = st.builds(
    symmetric, st.just(0), st.integers(50, 400), st.integers(1_000, 100_000), pulses_per_period=st.integers(1, 2)
)


@given(SHAPES, SHAPES, st.integers(0, 20_000), st.integers(0, 1_000))
def test_other_pulses_are_no_steeper_a_rise_than_the_ramp(old: PulseTrain, new: PulseTrain, ua: int, rise: int) -> None:
    """By the limiter's own reckoning, which rounds up: within 2 µA of the rise that is due."""
    own = symmetric(
        0,
        max(old.phase_width_us, new.phase_width_us),
        max(old.rate_mhz, new.rate_mhz),
        pulses_per_period=max(old.pulses_per_period, new.pulses_per_period),
    )
    lane = Lane(replace(pulsing(own), step_ua=1), level_ua=20_000)
    lane.shape, lane.amplitude_ua = old, ua
    before = lane.output().train
    lane.move(Aim(FULL_PPM, 20_000 * 20 * MS // rise if rise else 1 << 60, pulses=new), SECOND, 20 * MS)
    after = lane.output().train
    assert after.phase_width_us == new.phase_width_us
    assert rise_ua(strength(after), strength(before), strength(own.at(MicroAmp(20_000)))) <= rise + 2


def test_alternating_pulses_flow_in_turn_and_each_rises_by_its_ramp() -> None:
    seen = trains(flowing(alternating()), 40 * SECOND)
    kinds = [train.rate_mhz for _, train in seen if train.amplitude_ua]
    assert {SLOW.rate_mhz, FAST.rate_mhz} == set(kinds)
    turns = [(one, other) for (_, one), (_, other) in pairwise(seen) if one.rate_mhz < other.rate_mhz]
    assert turns
    assert all(other.amplitude_ua < one.amplitude_ua for one, other in turns)
    assert any(train.amplitude_ua == 10_000 and train.rate_mhz == FAST.rate_mhz for _, train in seen)
    assert rehearse(alternating()).length_us == pytest.approx(MINUTE + 3 * SECOND, abs=50 * MS)


def test_pulses_stronger_than_the_channels_own_are_refused_in_the_dry_flight() -> None:
    wide = flow(PhasePlan("wide", SECOND, others=Goal(FULL_PPM, pulses=symmetric(0, 250, 100_000))))
    with pytest.raises(Refusal):
        rehearse(wide)


def test_a_flow_that_swells_keeps_its_time_and_ends_by_a_ramp() -> None:
    swelling = flow(
        PhasePlan("up", 2 * SECOND, others=Goal(FULL_PPM, 2 * SECOND)),
        PhasePlan("down", 2 * SECOND, others=Goal(FULL_PPM // 2, 2 * SECOND)),
        flow_us=20 * SECOND,
    )
    engine = flowing(swelling)
    seen = [train.amplitude_ua for us, train in trains(engine, MINUTE) if us > 3 * SECOND]
    assert engine.state is State.REVIEW
    assert max(seen[len(seen) // 4 :]) > 9_500
    assert seen[-1] == 0
    assert max(abs(one - other) for one, other in pairwise(seen)) <= 10_000 // 20
    assert engine.complete
    assert engine.counts().charge_uc > 0
    rehearse(swelling)


def test_thresholds_are_found_with_the_strongest_pulses() -> None:
    engine = Engine(alternating())
    for event in (Event.OPEN, Event.SCREENED, Event.PLACED):
        engine.happen(event, 0)
    engine.titrate(0, 0)
    engine.set_level(0, 5_000, 0)
    assert {train.at(MicroAmp(0)) for _, train in trains(engine, 5 * SECOND)} == {BOTH}


def test_a_doublet_may_begin_a_burst() -> None:
    """Pairs of pulses at first, then single ones: a motor movement whose pulses change (B.2)."""
    pairs = symmetric(0, 300, 20_000, pulses_per_period=2)
    movement = MovementPlan(
        (
            PhasePlan("pairs", 2 * SECOND, others=Goal(FULL_PPM, SECOND)),
            PhasePlan("single", 2 * SECOND, others=Goal(FULL_PPM, SECOND, pulses=symmetric(0, 300, 20_000))),
            PhasePlan("down", SECOND, others=Goal(0, SECOND)),
        ),
        6 * SECOND,
    )
    plan = replace(pulsing(pairs, Effect.MOTOR), max_ua=MicroAmp(15_000))
    assert rehearse(cyclic(plan, movement=movement)).bursts == 3


# --- a control signal ----------------------------------------------------------------------------------------------

FOLLOWING = MovementPlan((PhasePlan("open", 8 * SECOND, others=Goal(FULL_PPM, SECOND, follows=True)),), 10 * SECOND)


def following() -> Engine:
    engine = flowing(cyclic(movement=FOLLOWING))
    for now_us in range(0, 10 * SECOND + 1, 100 * MS):
        engine.step(now_us)
    assert engine.state is State.BURST
    return engine


def test_a_channel_follows_the_signal_no_faster_than_its_ramp() -> None:
    engine, base_us = following(), 10 * SECOND
    seen = []
    for now_us in range(base_us, base_us + 2 * SECOND, 20 * MS):
        engine.step(now_us, control_ppm=FULL_PPM // 2)
        seen.append(engine.lanes[0].amplitude_ua)
    assert max(other - one for one, other in pairwise([0, *seen])) <= 200
    assert seen[-1] == 5_000


@pytest.mark.parametrize("gone", [None, -1, FULL_PPM + 1])
def test_without_a_signal_that_can_be_trusted_there_is_nothing(gone: int | None) -> None:
    engine, base_us = following(), 10 * SECOND
    for now_us in range(base_us, base_us + SECOND, 20 * MS):
        engine.step(now_us, control_ppm=FULL_PPM)
    assert engine.lanes[0].amplitude_ua > 5_000
    engine.step(base_us + SECOND, control_ppm=gone)
    assert engine.command().amplitude_ua(0) == 0


# --- a key -----------------------------------------------------------------------------------------------------------


def test_a_key_sets_off_what_waits_for_a_key_and_an_attempt_does_not() -> None:
    engine = flowing(cyclic(repetitions=1, trigger=replace(TRIGGER, by=Advance.KEY)))
    engine.step(6 * SECOND)
    assert engine.state is State.LISTENING
    assert engine.step(6 * SECOND + 1, onset=True) == ()
    assert engine.step(6 * SECOND + 2, key=True) == (Event.TRIGGER,)
    assert rehearse(cyclic(trigger=replace(TRIGGER, by=Advance.KEY, cued=False, window_us=0))).bursts == 3


# --- tasks -----------------------------------------------------------------------------------------------------------

EXTENSORS, FLEXORS = 0, 1


def task(*, hold: Advance = Advance.KEY) -> Schedule:
    def only(output: int, goal: Goal, **others: Goal) -> MappingProxyType[int, Goal]:
        return MappingProxyType({output: goal, **{int(key[1:]): each for key, each in others.items()}})

    up, down = Goal(FULL_PPM, SECOND), Goal(0, 400 * MS)
    movement = MovementPlan(
        (
            PhasePlan("reach", 3 * SECOND, only(EXTENSORS, up), cue="Reach"),
            PhasePlan("grasp", 2 * SECOND, only(EXTENSORS, down, _1=Goal(FULL_PPM, SECOND, 400 * MS)), cue="Grasp"),
            PhasePlan("hold", 5 * SECOND, only(FLEXORS, Goal(600_000, SECOND)), advance=hold),
            PhasePlan("release", 3 * SECOND, only(EXTENSORS, Goal(FULL_PPM, SECOND, 400 * MS), _1=down), cue="Open"),
        ),
        12 * SECOND,
        release=3,
    )
    return cyclic(
        channel(), replace(channel("flexors", FLEXORS), site="forearm-volar"), movement=movement, repetitions=4
    )


@pytest.mark.parametrize("hold", Advance)
def test_a_task_flies_with_events_that_come_at_once_and_never(hold: Advance) -> None:
    flight = rehearse(task(hold=hold))
    assert flight.bursts == 4
    early_us = 0 if hold is Advance.TIME else 2 * 5 * SECOND
    assert flight.length_us == pytest.approx(task().longest_us - early_us, abs=100 * MS)


def test_the_phases_of_a_task_are_told_once_and_what_is_awaited_shows() -> None:
    engine = flowing(task())
    assert engine.awaits is None
    trains(engine, 12 * SECOND + 6 * SECOND)
    assert [turn.cue for turn in engine.take_turns()] == ["Reach", "Grasp", ""]
    assert engine.take_turns() == ()
    assert engine.awaits is Advance.KEY


# --- how soon a burst begins ---------------------------------------------------------------------------------------


@given(st.integers(4_000, 25_000), st.sampled_from([10, 100, 250]), st.integers(0, 999_999))
def test_a_burst_begins_with_the_boards_first_step_and_waits_for_no_period(level: int, step: int, at_us: int) -> None:
    """After an attempt was heard nothing is to send before the ramp has come to one step, and then it is sent."""
    engine = flowing(cyclic(channel(step_ua=step), trigger=TRIGGER), level)
    heard_us = 100 * SECOND + at_us
    engine.baseline_ready = True
    engine.attend(heard_us)
    engine.step(heard_us - 1)
    assert engine.state is State.LISTENING
    engine.step(heard_us, onset=True)
    assert engine.state is State.BURST
    begun_us = engine.next_change_us(heard_us)
    engine.step(begun_us)
    due_us = max(MS, -(-SECOND * (step + 1) // level))
    assert begun_us - heard_us == min(CONTROL_PERIOD_US, due_us)
    if due_us <= CONTROL_PERIOD_US:
        assert engine.command().outputs[0].train.amplitude_ua >= step
