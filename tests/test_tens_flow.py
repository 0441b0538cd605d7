"""TENS that changes: the staircase of a sweep, two rates in turn, and their way through engine and limiter."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimctl.engine import Engine, Event, State
from stimctl.errors import UsageError
from stimctl.protocols import TENS_KINDS, Tens, library, library_text, loads
from stimctl.pulse import PulseTrain, mean_square_e9, phase_charge_pc
from stimctl.schedule import FULL_PPM, Schedule, Steps, compile_schedule
from stimctl.session.rehearsal import rehearse
from stimctl.session.summary import schedule_lines
from stimctl.units import MS, SECOND
from tests.protocol_texts import put
from tests.test_tens_modes import ALTERNATING, MODULATED

ONE_STEP = Steps()
FILES = [entry.name for entry in library() if entry.kind in TENS_KINDS]


def compiled(text: str, flow_us: int = 0, steps: Steps = ONE_STEP) -> Schedule:
    protocol = loads(text, "x")
    assert isinstance(protocol, Tens)
    schedule = compile_schedule(protocol, steps)
    return replace(schedule, flow_us=flow_us) if flow_us else schedule


def pulses(schedule: Schedule) -> list[PulseTrain]:
    assert schedule.movement is not None
    found = [phase.goal(0).pulses for phase in schedule.movement.phases]
    assert all(found)
    return [each for each in found if each is not None]


sweeps = st.fixed_dictionaries(
    {
        "rate_hz": st.integers(2, 150),
        "phase_width_us": st.integers(50, 250),
        "period_s": st.sampled_from([4, 4.1, 7.33, 12, 60]),
        "rate_to_hz": st.integers(2, 150),
        "phase_width_to_us": st.integers(50, 250),
        "max_amplitude_ma": st.sampled_from([15, 17.5, 25]),
    }
)
turns = st.fixed_dictionaries(
    {
        "rate_hz": st.integers(80, 120),
        "phase_width_us": st.integers(50, 300),
        "low_rate_hz": st.integers(1, 10),
        "low_phase_width_us": st.integers(50, 500),
        "low_s": st.sampled_from([2, 3, 7.5]),
        "high_s": st.sampled_from([2, 3, 4.25]),
    }
)


def written(text: str, values: dict[str, Any]) -> str:
    for key, value in values.items():
        text = put(text, key, str(value))
    return text


@given(sweeps, st.sampled_from([None, 20, 95]))
def test_a_sweep_goes_there_and_back_in_small_steps(values: dict[str, Any], percent: int | None) -> None:
    more = "" if percent is None else f"\namplitude_to_percent = {percent}"
    schedule = compiled(written(MODULATED, values).replace("period_s =", f"{more}\nperiod_s =".lstrip("\n"), 1))
    movement, [channel] = schedule.movement, schedule.channels
    assert movement is not None
    assert movement.rest_us == 0
    assert abs(movement.cycle_us - values["period_s"] * SECOND) <= 1
    assert all(0 < phase.length_us <= 100 * MS for phase in movement.phases)
    steps = pulses(schedule)
    assert steps == steps[::-1]
    ends = [
        (values["phase_width_us"], values["rate_hz"] * 1_000),
        (values["phase_width_to_us"], values["rate_to_hz"] * 1_000),
    ]
    assert [(each.phase_width_us, each.rate_mhz) for each in (steps[0], steps[len(steps) // 2])] == ends
    shape = channel.shape
    assert (shape.phase_width_us, shape.rate_mhz) == tuple(map(max, *ends))
    for each in steps:
        assert each.amplitude_ua == 0
        assert each.phase_width_us <= shape.phase_width_us
        assert each.rate_mhz <= shape.rate_mhz
    shares = [phase.goal(0).share_ppm for phase in movement.phases]
    assert max(shares) == FULL_PPM
    assert min(shares) == (percent or 100) * 10_000
    climbs = [abs(b - a) for a, b in pairwise(shares)]
    assert max(climbs) <= FULL_PPM * 100 * MS // SECOND  # no steeper than a rise from nothing


@given(turns)
def test_two_rates_come_in_turn_and_each_rises_from_half(values: dict[str, Any]) -> None:
    schedule = compiled(written(ALTERNATING, values))
    movement = schedule.movement
    assert movement is not None
    assert movement.cycle_us == (values["low_s"] + values["high_s"]) * SECOND
    high, fall, low, fall_again = movement.phases
    assert high.length_us + fall.length_us == values["high_s"] * SECOND
    assert [phase.goal(0).share_ppm * 100 // FULL_PPM for phase in movement.phases] == [100, 50, 100, 50]
    assert high.goal(0).ramp_us == low.goal(0).ramp_us == 500 * MS
    assert {each.rate_mhz for each in pulses(schedule)} == {values["rate_hz"] * 1_000, values["low_rate_hz"] * 1_000}
    assert high.goal(0).pulses == fall.goal(0).pulses
    assert low.goal(0).pulses == fall_again.goal(0).pulses
    shape = schedule.channels[0].shape
    assert shape.phase_width_us == max(values["phase_width_us"], values["low_phase_width_us"])
    assert shape.rate_mhz == values["rate_hz"] * 1_000


@settings(max_examples=12)
@given(st.one_of(sweeps.map(lambda each: (MODULATED, each)), turns.map(lambda each: (ALTERNATING, each))))
def test_every_point_passes_the_limiter(case: tuple[str, dict[str, Any]]) -> None:
    text, values = case
    schedule = compiled(written(text, values), flow_us=16 * SECOND)
    flown = rehearse(schedule)
    assert flown.length_us >= 16 * SECOND


@settings(max_examples=12)
@given(st.one_of(sweeps.map(lambda each: (MODULATED, each)), turns.map(lambda each: (ALTERNATING, each))))
def test_nothing_exceeds_the_corner_or_rises_faster_than_from_nothing_in_a_second(case: Any) -> None:
    text, values = case
    schedule = compiled(written(text, values), flow_us=20 * SECOND)
    engine, level_ua = Engine(schedule), schedule.channels[0].max_ua
    for event in (Event.OPEN, Event.SCREENED, Event.PLACED):
        engine.happen(event, 0)
    engine.titrate(0, 0)
    engine.happen(Event.ALL_FOUND, 0)
    engine.happen(Event.START, 0)
    engine.set_level(0, level_ua, 0)
    corner = schedule.channels[0].train(level_ua)
    now_us = was = 0
    fastest = mean_square_e9(corner) ** 0.5
    for step in range(900):
        now_us += 20 * MS
        engine.step(now_us)
        if step == 120:
            engine.happen(Event.BEGIN, now_us)
            was = 0
        train = engine.command().outputs[0].train
        assert phase_charge_pc(train) <= phase_charge_pc(corner)
        rms = mean_square_e9(train) ** 0.5
        assert rms <= fastest * (1 + 1e-9)
        assert rms - was <= fastest * 0.0201 + 1
        was = rms
    assert engine.state is State.FLOWING


def test_a_boards_steps_round_down_and_never_to_nothing() -> None:
    schedule = compiled(MODULATED, steps=Steps(100, 20, 500))
    assert {each.phase_width_us % 20 for each in pulses(schedule)} == {0}
    assert {each.rate_mhz % 500 for each in pulses(schedule)} == {0}
    with pytest.raises(UsageError, match="too coarse"):
        compiled(MODULATED, steps=Steps(100, 1, 5_000))


@pytest.mark.parametrize("name", FILES)
def test_the_operator_is_told_how_strong_and_what_changes(name: str) -> None:
    schedule = compiled(library_text(name))
    said = "\n".join(schedule_lines(schedule))
    assert f"How strong: {TENS_KINDS[schedule.kind].mode.aim}." in said
    assert ("no moment of it exceeds" in said) is (schedule.movement is not None)
    assert schedule.continuous
