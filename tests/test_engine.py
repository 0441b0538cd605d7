"""The engine: every state x event pair, and what flows when."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.engine import ARMED, DELIVERING, NEVER_US, TABLE, Engine, Event, State, mermaid
from stimctl.engine.machine import PRESENCE_EVERY_US, PRESENCE_GRACE_US
from stimctl.errors import UsageError
from stimctl.orders import Stage
from stimctl.schedule import Schedule
from stimctl.schedule import burst as burst_of
from stimctl.units import MINUTE, SECOND
from tests.schedules import BURST, TRIGGER, channel, cyclic, tens

TO_READY = (Event.OPEN, Event.SCREENED, Event.PLACED)


def at(state: State, schedule: Schedule | None = None) -> Engine:
    """An engine that was put into a state by hand: the table tests need every state, reachable in one step or not."""
    engine = Engine(schedule or cyclic())
    engine.state = state
    return engine


def in_trial(schedule: Schedule, level_ua: int = 10_000) -> Engine:
    engine = at(State.READY, schedule)
    engine.happen(Event.START, 0)
    for each in engine.lanes:
        engine.set_level(each, level_ua, 0)
    return engine


def run(engine: Engine, until_us: int, *, now_us: int = 0) -> list[tuple[int, tuple[int, ...]]]:
    """Step the engine by its own wishes; returns (time, amplitudes) at every step."""
    trace: list[tuple[int, tuple[int, ...]]] = []
    while now_us <= until_us and engine.state is not State.REVIEW:
        engine.attend(now_us)
        engine.step(now_us)
        command = engine.command()
        trace.append((now_us, tuple(output.train.amplitude_ua for output in command.outputs)))
        wake_us = engine.next_change_us(now_us)
        assert wake_us > now_us
        now_us = min(wake_us, until_us + 1) if wake_us < NEVER_US else until_us + 1
    return trace


@pytest.mark.parametrize("state", State)
def test_every_pair_is_a_listed_move_or_a_refusal(state: State) -> None:
    for event in Event:
        engine = at(state)
        if (state, event) in TABLE:
            engine.happen(event, 1)
            assert engine.state is TABLE[state, event], event
        else:
            with pytest.raises(UsageError, match="not possible now"):
                engine.happen(event, 1)
            assert engine.state is state, event


def test_stop_and_fault_lead_to_stopped_from_every_armed_state() -> None:
    for state in ARMED:
        assert TABLE[state, Event.STOP] is State.STOPPED
        assert TABLE[state, Event.FAULT] is State.STOPPED


def test_stop_is_never_refused() -> None:
    assert all((state, Event.STOP) in TABLE for state in State)


def test_no_event_but_an_arming_one_leads_into_a_delivering_state_from_outside() -> None:
    into = {(state, event) for (state, event), to in TABLE.items() if to in ARMED and state not in ARMED}
    assert {event for _, event in into} == {Event.TITRATE, Event.START, Event.RESUME}


def test_clearing_never_leads_to_an_armed_state() -> None:
    for (_, event), target in TABLE.items():
        if event.name.startswith("CLEAR"):
            assert target not in ARMED


def test_every_state_can_be_reached_and_left() -> None:
    assert {to for _, to in TABLE.items()} | {State.CHOOSING} == set(State)
    assert {state for state, _ in TABLE} == set(State)


def test_the_drawn_diagram_is_the_table() -> None:
    drawn = Path(__file__).parents[1].joinpath("docs", "states.md").read_text(encoding="utf-8")
    assert mermaid() in drawn


@given(st.lists(st.sampled_from(Event), max_size=40))
def test_after_any_events_levels_are_zero_unless_armed(events: list[Event]) -> None:
    engine = Engine(cyclic(channel(), channel("thumb", 1), trigger=TRIGGER))
    for now_us, event in enumerate(events):
        was_armed = engine.armed
        if engine.can(event):
            engine.happen(event, now_us * SECOND)
            if engine.armed and not was_armed:
                assert all(lane.level_ua == 0 for lane in engine.lanes.values())
        if engine.armed:
            engine.set_level(0, 5_000, now_us * SECOND)
        engine.step(now_us * SECOND)
        if engine.state not in DELIVERING:
            assert all(lane.amplitude_ua == 0 for lane in engine.lanes.values())
        if not engine.armed:
            assert all(lane.level_ua == 0 for lane in engine.lanes.values())


def test_a_trial_burst_ramps_holds_and_rests() -> None:
    engine = in_trial(cyclic())
    trace = dict(run(engine, 10 * SECOND))
    held = [us for us, (ua,) in trace.items() if ua == 10_000]
    assert SECOND <= min(held) <= SECOND + 60_000
    assert max(held) <= 4 * SECOND
    assert all(ua == 0 for us, (ua,) in trace.items() if 5 * SECOND <= us < 10 * SECOND)


@given(
    st.integers(300_000, 3 * SECOND),
    st.integers(0, 8 * SECOND),
    st.integers(0, 2 * SECOND),
    st.integers(1_000, 60_000),
    st.sampled_from((1, 100, 250, 500)),
    st.lists(st.integers(1, 400_000), min_size=5, max_size=200),
)
def test_no_rise_is_ever_steeper_than_the_ramp(
    ramp_us: int, hold_us: int, down_us: int, level_ua: int, step_ua: int, gaps: list[int]
) -> None:
    movement = burst_of(ramp_us, hold_us, down_us, ramp_us + hold_us + down_us)
    engine = in_trial(cyclic(channel(step_ua=step_ua), movement=movement), level_ua)
    now_us, before_ua = 0, 0
    for gap_us in gaps:
        now_us += gap_us
        engine.step(now_us)
        amplitude_ua = engine.lanes[0].amplitude_ua
        assert amplitude_ua - before_ua <= level_ua * min(gap_us, 40_000) // ramp_us
        assert amplitude_ua <= level_ua
        before_ua = amplitude_ua


def test_cyclic_treatment_gives_every_repetition_of_every_set_and_ends() -> None:
    engine = in_trial(cyclic(repetitions=2, sets=2))
    engine.happen(Event.BEGIN, 0)
    trace = run(engine, 5 * MINUTE)
    onsets = [us for (_, (before,)), (us, (now,)) in itertools.pairwise(trace) if now and not before]
    assert len(onsets) == 4
    assert onsets[2] - onsets[1] >= 15 * SECOND, "the rest between sets is 10 s after 5 s of burst"
    assert engine.state is State.REVIEW
    counts = engine.counts()
    assert (counts.delivered, counts.triggered, counts.missed) == (4, 0, 0)
    # A.6: 4 bursts of 1 s up, 3 s plateau, 1 s down at 10 mA x 300 us x 35 Hz are 4 x 4 s x 105 uC/s of charge.
    assert counts.charge_uc == pytest.approx(4 * 4 * 105, rel=0.02)
    assert counts.on_time_us == pytest.approx(20 * SECOND, rel=0.02)


@pytest.mark.parametrize("step_ua", [100, 500, 1_000, 4_000])
def test_time_on_is_the_time_in_which_the_board_gives_something(step_ua: int) -> None:
    """A ramp that is below a board's first step is no current, and no time on."""
    engine = in_trial(cyclic(channel(step_ua=step_ua), repetitions=2))
    engine.happen(Event.BEGIN, 0)
    trace = run(engine, 5 * MINUTE)
    on_us = sum(then - now for (now, (ua,)), (then, _) in itertools.pairwise(trace) if ua)
    assert engine.counts().on_time_us == on_us
    assert on_us == pytest.approx(2 * (5 * SECOND - 2 * SECOND * step_ua // 10_000), rel=0.02)


def test_an_attempt_sets_off_a_burst_and_a_missed_window_does_not() -> None:
    engine = in_trial(cyclic(repetitions=2, trigger=TRIGGER))
    engine.happen(Event.BEGIN, 0)
    engine.step(6 * SECOND)
    assert engine.state is State.LISTENING
    assert engine.step(7 * SECOND, onset=True) == (Event.TRIGGER,)
    assert engine.state is State.BURST
    run(engine, 20 * SECOND, now_us=7 * SECOND)
    assert engine.state is State.LISTENING
    run(engine, 40 * SECOND, now_us=20 * SECOND)
    counts = engine.counts()
    assert (counts.delivered, counts.triggered, counts.missed, counts.assisted) == (1, 1, 1, 0)
    assert engine.state is State.REVIEW


def test_a_missed_window_may_be_assisted_and_is_counted_apart() -> None:
    engine = in_trial(cyclic(repetitions=1, trigger=replace(TRIGGER, assist_missed=True)))
    engine.happen(Event.BEGIN, 0)
    run(engine, 40 * SECOND)
    counts = engine.counts()
    assert (counts.delivered, counts.triggered, counts.missed, counts.assisted) == (1, 0, 0, 1)


def test_an_onset_counts_only_while_listening() -> None:
    engine = in_trial(cyclic(trigger=TRIGGER))
    assert engine.step(SECOND, onset=True) == ()
    engine.happen(Event.BEGIN, 2 * SECOND)
    assert engine.step(3 * SECOND, onset=True) == ()


def test_no_listening_before_the_baseline_is_known() -> None:
    engine = in_trial(cyclic(trigger=TRIGGER))
    engine.baseline_ready = False
    engine.happen(Event.BEGIN, 0)
    engine.step(MINUTE)
    assert engine.state is State.REST
    engine.baseline_ready = True
    engine.step(MINUTE + 1)
    assert engine.state is State.LISTENING


def test_titration_moves_one_channel_only() -> None:
    engine = at(State.THRESHOLDS, cyclic(channel(), channel("thumb", 1)))
    engine.titrate(1, 0)
    engine.set_level(0, 5_000, 0)
    engine.set_level(1, 5_000, 0)
    trace = run(engine, 4 * SECOND)
    assert all(extensors == 0 for _, (extensors, _) in trace)
    assert any(thumb == 5_000 for _, (_, thumb) in trace)


def test_a_pause_is_zero_at_once_and_resuming_starts_from_zero() -> None:
    engine = in_trial(cyclic())
    run(engine, 3 * SECOND)
    engine.happen(Event.PAUSE, 3 * SECOND + 1)
    assert engine.command().amplitude_ua(0) == 0
    engine.happen(Event.RESUME, 4 * SECOND)
    assert engine.lanes[0].level_ua == 0
    assert all(ua == 0 for _, (ua,) in run(engine, 30 * SECOND, now_us=4 * SECOND))


@given(st.integers(1_500_000, 4_900_000), st.integers(0, 3 * SECOND))
def test_a_burst_cut_short_still_owes_its_rest(cut_us: int, pause_us: int) -> None:
    """However a burst ends, the channel stays silent for the plan's share of the time that it was on."""
    engine = in_trial(cyclic())
    run(engine, cut_us)
    engine.step(cut_us)
    on_us = cut_us - engine.lanes[0].on_from_us
    engine.set_level(0, 0, cut_us)
    engine.set_level(0, 9_000, cut_us + pause_us)
    trace = run(engine, 20 * SECOND, now_us=cut_us + pause_us)
    onset_us = next(us for us, (ua,) in trace if ua)
    assert onset_us - cut_us >= on_us * BURST.rest_us // BURST.on_us


def test_tens_flows_for_its_time_and_counts_only_flowing_time() -> None:
    engine = in_trial(tens(flow_us=MINUTE), 12_000)
    run(engine, 5 * SECOND)
    assert engine.command().amplitude_ua(0) == 12_000
    engine.happen(Event.BEGIN, 5 * SECOND)
    assert engine.command().amplitude_ua(0) == 0, "the lead-in is quiet"
    run(engine, 30 * SECOND, now_us=5 * SECOND)
    engine.happen(Event.PAUSE, 30 * SECOND)
    engine.happen(Event.RESUME, 50 * SECOND)
    engine.set_level(0, 8_000, 50 * SECOND)
    engine.happen(Event.BEGIN, 52 * SECOND)
    run(engine, 5 * MINUTE, now_us=52 * SECOND)
    assert engine.state is State.REVIEW
    assert engine.progress(5 * MINUTE).session_elapsed_us == pytest.approx(MINUTE, abs=50_000)


def test_tens_ends_by_a_ramp() -> None:
    """H53: nobody is startled by its end; a stop is at once all the same."""
    engine = in_trial(tens(flow_us=MINUTE), 12_000)
    run(engine, 5 * SECOND)
    engine.happen(Event.BEGIN, 5 * SECOND)
    trace = run(engine, 5 * MINUTE, now_us=5 * SECOND)
    falling = [ua for us, (ua,) in trace if us > MINUTE]
    top = max(index for index, ua in enumerate(falling) if ua == 12_000)
    assert falling[-1] == 0
    assert all(0 <= one - other <= 12_000 // 40 for one, other in itertools.pairwise(falling[top:]))
    assert engine.progress(5 * MINUTE).session_elapsed_us == pytest.approx(MINUTE, abs=50_000)


def test_nobody_there_means_zero() -> None:
    engine = in_trial(tens())
    engine.happen(Event.BEGIN, 0)
    engine.step(PRESENCE_EVERY_US - 1)
    engine.state = State.FLOWING
    assert not engine.presence_due(PRESENCE_EVERY_US - 1)
    assert engine.presence_due(PRESENCE_EVERY_US)
    engine.schedule = tens(flow_us=60 * MINUTE)
    assert engine.step(PRESENCE_EVERY_US + PRESENCE_GRACE_US) == (Event.PAUSE,)
    assert engine.command().amplitude_ua(0) == 0


def test_the_command_is_in_the_boards_steps() -> None:
    engine = in_trial(cyclic(channel(step_ua=250)))
    assert all(ua % 250 == 0 for _, (ua,) in run(engine, 10 * SECOND))


def test_progress_names_phase_repetition_and_set() -> None:
    engine = in_trial(cyclic(repetitions=2, sets=2))
    engine.happen(Event.BEGIN, 0)
    run(engine, 7 * SECOND)
    progress = engine.progress(7 * SECOND)
    assert (progress.phase, progress.repetition, progress.repetitions, progress.set, progress.sets) == (
        "hold",
        1,
        2,
        1,
        2,
    )
    run(engine, 12 * SECOND, now_us=7 * SECOND)
    assert re.match(r"rest|ramp", engine.progress(12 * SECOND).phase) is not None


def test_a_stop_stays_on_the_step_in_which_it_came() -> None:
    engine = Engine(cyclic())
    engine.state = State.TITRATING
    engine.happen(Event.STOP, 0)
    assert engine.stage is Stage.THRESHOLDS
    engine.happen(Event.FAULT, 1)
    engine.happen(Event.STOP, 2)
    assert engine.stage is Stage.THRESHOLDS, "what comes on top of a stop comes in no step of its own"
    engine.happen(Event.CLEAR_TO_READY, 3)
    assert engine.stage is Stage.RUN
    engine.happen(Event.START, 4)
    engine.happen(Event.STOP, 5)
    assert engine.stage is Stage.RUN
    engine.happen(Event.FINISH, 6)
    assert engine.stage is Stage.REVIEW


@pytest.mark.parametrize("held", [(Event.PAUSE, Event.RESUME), (Event.STOP, Event.CLEAR_TO_READY, Event.START)])
def test_treatment_time_stands_still_while_nothing_is_treated(held: tuple[Event, ...]) -> None:
    engine = in_trial(cyclic(repetitions=9))
    assert engine.progress(3 * SECOND).session_elapsed_us == 0, "a trial is not treatment"
    engine.happen(Event.BEGIN, 3 * SECOND)
    run(engine, 9 * SECOND, now_us=3 * SECOND)
    assert engine.progress(9 * SECOND).session_elapsed_us == 6 * SECOND
    for event in held:
        engine.happen(event, 9 * SECOND)
    assert engine.progress(70 * SECOND).session_elapsed_us == 6 * SECOND
    engine.happen(Event.BEGIN, 70 * SECOND)
    assert engine.progress(71 * SECOND).session_elapsed_us == 7 * SECOND


def test_where_current_flows_on_nothing_is_counted_and_nobody_speaks_of_rest() -> None:
    engine = in_trial(tens(flow_us=MINUTE), 12_000)
    assert engine.progress(0).phase == "setting the level"
    engine.happen(Event.BEGIN, 0)
    progress = engine.progress(SECOND)
    assert (progress.phase, progress.repetition, progress.repetitions) == ("starts soon", 0, 0)
    run(engine, 10 * SECOND)
    assert engine.progress(10 * SECOND).phase == "stimulating"
