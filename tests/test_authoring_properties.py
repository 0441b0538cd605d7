"""For any valid protocol: what is written is read back equal, and the totals are what the pulses add up to, one by one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimctl.authoring import curve, differences, drafts, facts
from stimctl.authoring.picture import picture
from stimctl.engine.lanes import SENSORY_RAMP_US
from stimctl.protocols import KINDS, AnyProtocol, Loaded, dumps, loads, stimulating, tidy
from stimctl.schedule import FULL_PPM, ChannelPlan, Schedule, Steps, compile_schedule
from tests.authored import OUTPUT_KINDS, models, protocols, walkable


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=8)
@given(data=st.data())
def test_any_model_of_any_kind_survives_the_way_to_a_file_and_back(kind: str, data: st.DataObject) -> None:
    protocol = data.draw(models(kind))
    text = dumps(protocol)
    assert loads(text, "again.toml") == protocol
    assert dumps(loads(text, "again.toml")) == text
    assert loads(tidy(text, "again.toml"), "again.toml") == protocol, "and stimctl fmt changes nothing that it says"


def test_every_field_of_every_kind_can_be_walked_to() -> None:
    """Fields that are names or belong to absent tables excepted, the walk above may change whatever a file can say."""
    reached = {(kind, key) for kind in KINDS for key in walkable(kind)}
    for kind in KINDS:
        assert {(kind, "title"), (kind, "purpose"), (kind, "sources"), (kind, "stages")} <= reached
    for kind in OUTPUT_KINDS:
        assert {(kind, "amplitude_ma"), (kind, "interphase_gap_us"), (kind, "model")} <= reached
    for kind, key in (("fes-sequence", "delay_s"), ("plan", "rest_s"), ("plan", "say"), ("activity", "goal_count")):
        assert (kind, key) in reached


@settings(deadline=None, max_examples=15)
@given(protocols(), protocols())
def test_two_files_differ_if_and_only_if_their_models_do(one: AnyProtocol, other: AnyProtocol) -> None:
    first, second = (drafts.draft(Loaded(each, "", "", "")) for each in (one, other))
    assert (differences.differences(first, second) == ()) == (one == other)
    assert differences.differences(first, first) == ()


# --- pulse by pulse --------------------------------------------------------------------------------------------


class Line(NamedTuple):
    """A straight piece, worked out here once more: µs, shares, periods in a µs, pC for each µA of a period."""

    begin: float
    end: float
    first: float
    last: float
    rate: float
    weight: float


def lines(plan: ChannelPlan, schedule: Schedule, share: float) -> tuple[list[Line], float]:
    """The pieces of one cycle, from the words of :class:`Goal` and not by the code under test."""
    if schedule.movement is None:
        shape = plan.shape
        return [
            Line(0, schedule.flow_us, 1, 1, shape.rate_mhz / 1e9, shape.phase_width_us * shape.pulses_per_period)
        ], 1
    found, at = [], 0.0
    for phase in schedule.movement.phases:
        goal, end = phase.goal(plan.channel), at + phase.length_us
        train = goal.pulses or plan.shape
        pulses = (train.rate_mhz / 1e9, train.phase_width_us * train.pulses_per_period)
        target = goal.share_ppm / FULL_PPM
        moves, settles = min(at + goal.delay_us, end), min(at + goal.delay_us + goal.ramp_us, end)
        there = target if goal.ramp_us == 0 else share + (target - share) * (settles - moves) / goal.ramp_us
        for begin, stop, first, last in (
            (at, moves, share, share),
            (moves, settles, share, there),
            (settles, end, there, there),
        ):
            if stop > begin:
                found.append(Line(begin, stop, first, last, *pulses))
        share, at = (there if settles > moves or goal.delay_us >= phase.length_us else target), end
        if goal.delay_us >= phase.length_us:
            share = found[-1].last
    return found, 0.0 if schedule.movement.rest_us else share


def one_by_one(plan: ChannelPlan, schedule: Schedule) -> tuple[float, float, float, float]:
    """Time on, pulses and charge in pC, pulse after pulse; and how far charge may be from the integral."""
    pieces: list[Line] = []
    if schedule.continuous:
        begin, share = 0.0, 0.0
        length = schedule.movement.cycle_us if schedule.movement else schedule.flow_us
        while begin < schedule.flow_us:
            cycle, share = lines(plan, schedule, share)
            pieces += [each._replace(begin=each.begin + begin, end=each.end + begin) for each in cycle]
            begin += length
        return _sum(plan, pieces, schedule.flow_us)
    on, pulses, charge, off = _sum(plan, lines(plan, schedule, 0.0)[0], 0)
    times = schedule.repetitions * schedule.sets
    return on * times, pulses * times, charge * times, off * times


def _sum(plan: ChannelPlan, pieces: list[Line], flow_us: int) -> tuple[float, float, float, float]:
    table = np.array([each for each in pieces if each.first > 0 or each.last > 0], dtype=float).reshape(-1, 6)
    if flow_us:
        slope = (table[:, 3] - table[:, 2]) / (table[:, 1] - table[:, 0])
        table = table[table[:, 0] < flow_us]
        slope = slope[: len(table)]
        cut = np.minimum(table[:, 1], flow_us)
        table[:, 3], table[:, 1] = table[:, 2] + slope * (cut - table[:, 0]), cut
    begin, end, first, last, rate, weight = table.T
    count = np.concatenate(([0.0], np.cumsum((end - begin) * rate)))
    middles = np.arange(int(count[-1])) + 0.5  # a pulse in the middle of its period
    at = np.searchsorted(count, middles, side="right") - 1
    when = begin[at] + (middles - count[at]) / rate[at]
    share = first[at] + (last[at] - first[at]) * (when - begin[at]) / (end[at] - begin[at])
    if flow_us:
        share = share * np.clip((flow_us - when) / SENSORY_RAMP_US, 0, 1)
    amplitude = np.floor(plan.max_ua * share / plan.step_ua + 1e-6) * plan.step_ua
    # A pulse stands for its period: off by half of what the charge of a pulse goes up and down, by half a pulse at the
    # end, and by the one step of the board that is taken away.
    corners = np.stack((first * weight, last * weight)).T.ravel() * plan.max_ua
    ups_and_downs = np.abs(np.diff(np.concatenate(([0.0], corners, [0.0])))).sum()
    off = ups_and_downs / 2 + corners.max(initial=0) + weight[at].sum() * plan.step_ua
    return float((end - begin).sum()), float(len(middles)), float((amplitude * weight[at]).sum()), float(off)


STEPS = st.builds(
    Steps,
    amplitude_ua=st.sampled_from([1, 50, 500]),
    width_us=st.sampled_from([1, 5]),
    rate_mhz=st.sampled_from([1, 100]),
)


@pytest.mark.parametrize("kind", OUTPUT_KINDS)
@settings(deadline=None, max_examples=6)
@given(data=st.data(), steps=STEPS)
def test_totals_are_what_single_pulses_add_up_to(kind: str, data: st.DataObject, steps: Steps) -> None:
    schedule = compile_schedule(stimulating(data.draw(protocols(kind=kind))), steps)
    found = facts.facts(schedule)
    for plan, told in zip(schedule.channels, found.channels, strict=True):
        total = curve.treatment(plan, schedule)
        on, pulses, charge, off = one_by_one(plan, schedule)
        spells = 1 if schedule.continuous else schedule.repetitions * schedule.sets
        per_period = goal_pulses(plan, schedule)
        assert total.on_us == pytest.approx(on, abs=1)
        if len(per_period) == 1:
            assert abs(float(total.pulses) / min(per_period) - pulses) <= spells
        assert abs(float(total.pc_per_ua) * plan.max_ua - charge) <= off
        assert told.on_s * 1e6 == pytest.approx(on, abs=1)
        assert told.pulses == round(total.pulses)
        assert told.charge_mc * 1e9 == pytest.approx(float(total.pc_per_ua) * plan.max_ua)
        assert told.rms_period_ma == pytest.approx(drawn_rms_ua(plan) / 1e3, rel=1e-9)


def drawn_rms_ua(plan: ChannelPlan) -> float:
    """The rms current of the strongest pulses, from the wave itself, µs by µs through one period."""
    train = plan.train(plan.max_ua)
    phase = np.full(train.phase_width_us, train.amplitude_ua, dtype=float)
    pulse = np.concatenate((phase, np.zeros(train.interphase_gap_us), -phase))
    wave = np.tile(pulse, train.pulses_per_period)
    return float(np.sqrt((wave**2).sum() * train.rate_mhz / 1e9))


@pytest.mark.parametrize("kind", OUTPUT_KINDS)
@settings(deadline=None, max_examples=6)
@given(data=st.data(), steps=STEPS)
def test_a_boards_steps_take_less_than_one_of_them_away(kind: str, data: st.DataObject, steps: Steps) -> None:
    protocol = stimulating(data.draw(protocols(kind=kind)))
    exact, rounded = (compile_schedule(protocol, each) for each in (Steps(), steps))
    for fine, coarse in zip(exact.channels, rounded.channels, strict=True):
        assert 0 <= fine.max_ua - coarse.max_ua < steps.amplitude_ua
        assert 0 <= fine.target_ua - coarse.target_ua < steps.amplitude_ua
        assert 0 <= fine.shape.phase_width_us - coarse.shape.phase_width_us < steps.width_us
        assert 0 <= fine.shape.rate_mhz - coarse.shape.rate_mhz < steps.rate_mhz


def goal_pulses(plan: ChannelPlan, schedule: Schedule) -> set[int]:
    phases = schedule.movement.phases if schedule.movement else ()
    trains = [phase.goal(plan.channel).pulses or plan.shape for phase in phases] or [plan.shape]
    return {train.pulses_per_period for train in trains}


@settings(deadline=None, max_examples=15)
@given(protocols(stimulating=True))
def test_a_picture_reaches_no_higher_than_the_file_says(protocol: AnyProtocol) -> None:
    schedule = compile_schedule(stimulating(protocol), Steps())
    drawn, found = picture(schedule), facts.facts(schedule)
    for trace, channel in zip(drawn.traces, found.channels, strict=True):
        assert all(0 <= point.share <= 1 for point in trace.points)
        assert trace.most_ma <= trace.limit_ma * (1 + 1e-9), "what loads keeps the limit that is drawn"
        assert all(margin.percent <= 100 + 1e-9 for margin in channel.margins), "and every other limit"
        assert trace.points[-1].at_us == drawn.length_us
