"""For any valid protocol: what is written is read back equal, and the totals are what the pulses add up to, one by one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings

from stimctl.authoring import curve, drafts, facts
from stimctl.authoring.picture import picture
from stimctl.engine.lanes import SENSORY_RAMP_US
from stimctl.protocols import AnyProtocol, Loaded, dumps, loads, stimulating
from stimctl.schedule import FULL_PPM, ChannelPlan, Schedule, Steps, compile_schedule
from tests.authored import protocols


@settings(deadline=None, max_examples=40)
@given(protocols())
def test_what_is_written_is_read_back_equal(protocol: AnyProtocol) -> None:
    text = dumps(protocol)
    assert loads(text, "again.toml") == protocol
    assert dumps(loads(text, "again.toml")) == text


@settings(deadline=None, max_examples=15)
@given(protocols(), protocols())
def test_two_files_differ_if_and_only_if_their_models_do(one: AnyProtocol, other: AnyProtocol) -> None:
    first, second = (drafts.draft(Loaded(each, "", "", "")) for each in (one, other))
    assert (drafts.differences(first, second) == ()) == (one == other)
    assert drafts.differences(first, first) == ()


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
    amplitude = np.floor(plan.max_ua * share + 1e-6)
    # A pulse stands for its period: off by half of what the charge of a pulse goes up and down, by half a pulse at the
    # end, and by the µA that the board's step takes away.
    corners = np.stack((first * weight, last * weight)).T.ravel() * plan.max_ua
    ups_and_downs = np.abs(np.diff(np.concatenate(([0.0], corners, [0.0])))).sum()
    off = ups_and_downs / 2 + corners.max(initial=0) + (weight[at]).sum()
    return float((end - begin).sum()), float(len(middles)), float((amplitude * weight[at]).sum()), float(off)


@settings(deadline=None, max_examples=40)
@given(protocols(stimulating=True))
def test_totals_are_what_single_pulses_add_up_to(protocol: AnyProtocol) -> None:
    schedule = compile_schedule(stimulating(protocol), Steps())
    for plan in schedule.channels:
        total = curve.treatment(plan, schedule)
        on, pulses, charge, off = one_by_one(plan, schedule)
        spells = 1 if schedule.continuous else schedule.repetitions * schedule.sets
        per_period = goal_pulses(plan, schedule)
        assert total.on_us == pytest.approx(on, abs=1)
        if len(per_period) == 1:
            assert abs(float(total.pulses) / min(per_period) - pulses) <= spells
        assert abs(float(total.pc_per_ua) * plan.max_ua - charge) <= off


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
