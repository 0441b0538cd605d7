"""Movements: shares over time, spells of each channel, and the course through phases, missed events included."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.engine.course import Course, Turn
from stimctl.errors import OurBug
from stimctl.schedule import FULL_PPM, Advance, Goal, MovementPlan, PhasePlan, Spell, burst
from stimctl.units import MS, SECOND

EXTENSORS, FLEXORS = 0, 1


def phase(name: str, length_s: float, advance: Advance = Advance.TIME, **goals: Goal) -> PhasePlan:
    by_output = {"extensors": EXTENSORS, "flexors": FLEXORS}
    return PhasePlan(
        name,
        int(length_s * SECOND),
        MappingProxyType({by_output[each]: goal for each, goal in goals.items()}),
        advance=advance,
    )


UP = Goal(FULL_PPM, SECOND)
OUT = Goal(0, 400 * MS)
GRASP = MovementPlan(
    (
        phase("reach", 3, extensors=UP),
        phase("grasp", 2, extensors=OUT, flexors=Goal(FULL_PPM, 500 * MS, delay_us=400 * MS)),
        phase("hold", 6, Advance.KEY, flexors=Goal(600_000, 500 * MS)),
        phase("release", 3, extensors=Goal(FULL_PPM, SECOND, delay_us=300 * MS), flexors=Goal(0, 300 * MS)),
        phase("let go", 1, extensors=Goal(0, 500 * MS)),
    ),
    rest_us=10 * SECOND,
    release=3,
)


def course(plan: MovementPlan = GRASP, *, again: bool = False) -> Course:
    return Course(plan, (EXTENSORS, FLEXORS), 0, again=again)


def shares(walk: Course, at_s: float) -> tuple[int, int]:
    now_us = int(at_s * SECOND)
    return walk.share_ppm(EXTENSORS, now_us), walk.share_ppm(FLEXORS, now_us)


# --- one goal --------------------------------------------------------------------------------------------------


@given(
    st.integers(0, FULL_PPM), st.integers(0, FULL_PPM), st.integers(0, 5 * SECOND), st.integers(0, SECOND), st.data()
)
def test_a_share_goes_straight_from_where_it_was_to_its_goal(
    from_ppm: int, to_ppm: int, ramp_us: int, delay_us: int, data: st.DataObject
) -> None:
    goal = Goal(to_ppm, ramp_us, delay_us)
    since_us = data.draw(st.integers(0, 8 * SECOND))
    share = goal.share(from_ppm, since_us)
    assert min(from_ppm, to_ppm) <= share <= max(from_ppm, to_ppm)
    if since_us < delay_us:
        assert share == from_ppm
    elif since_us >= goal.settled_us:
        assert share == to_ppm
    else:
        exact = from_ppm + (to_ppm - from_ppm) * (since_us - delay_us) / ramp_us
        assert exact - 1 <= share <= exact + 1e-6  # rounded towards less output


@pytest.mark.parametrize(("share", "rise_us"), [(FULL_PPM, SECOND), (FULL_PPM // 2, 2 * SECOND), (0, None)])
def test_a_goals_slope_is_told_for_the_whole_level(share: int, rise_us: int | None) -> None:
    assert Goal(share, SECOND).rise_us == rise_us


# --- what a channel goes through in a cycle ----------------------------------------------------------------------


def test_the_spells_of_a_burst() -> None:
    plain = burst(SECOND, 5 * SECOND, SECOND, 7 * SECOND)
    assert plain.spells(EXTENSORS) == plain.spells(FLEXORS) == (Spell(7 * SECOND, 7 * SECOND),)
    assert (plain.on_us, plain.cycle_us, plain.rise_us(EXTENSORS)) == (7 * SECOND, 14 * SECOND, SECOND)


def test_the_spells_of_a_task() -> None:
    """Reach and the ramp out of it; then off until the release comes on, 0.3 s into its phase."""
    assert GRASP.spells(EXTENSORS) == (
        Spell(3_400_000, 1_600_000 + 6_000_000 + 300_000),
        Spell(2_700_000 + 500_000, 500_000 + 10_000_000),
    )
    assert GRASP.spells(FLEXORS) == (Spell(1_600_000 + 6_000_000 + 300_000, 2_700_000 + 11_000_000 + 3_400_000),)
    assert GRASP.duty(EXTENSORS) == Spell(3_400_000, 3_400_000), "as much rest as work, where a phase may be cut short"
    assert MovementPlan(GRASP.phases, GRASP.rest_us).duty(EXTENSORS) == GRASP.spells(EXTENSORS)[0]
    assert GRASP.rise_us(EXTENSORS) == SECOND
    assert GRASP.rise_us(FLEXORS) == 500 * MS


def test_the_longest_stretch_counts_what_events_and_skips_can_take_out() -> None:
    """Skipped from reach to release, the extensors are on through both; a phase that time alone ends keeps them apart."""
    assert GRASP.longest_on_us(EXTENSORS) == (3_000 + 400 + 3_000 + 500) * MS
    sure = MovementPlan(GRASP.phases, GRASP.rest_us)
    assert sure.longest_on_us(EXTENSORS) == 3_400 * MS
    hurried = MovementPlan((GRASP.phases[0], phase("wait", 2, Advance.KEY, extensors=OUT), *GRASP.phases[3:]), SECOND)
    assert hurried.longest_on_us(EXTENSORS) == (3_000 + 400 + 3_000 + 500) * MS
    assert GRASP.longest_on_us(7) == 0


@given(st.integers(1, 9 * SECOND), st.integers(0, 9 * SECOND), st.integers(0, 9 * SECOND), st.integers(0, 9 * SECOND))
def test_the_longest_stretch_of_a_burst_is_the_burst(up_us: int, hold_us: int, down_us: int, rest_us: int) -> None:
    plain = burst(up_us, hold_us, down_us, rest_us)
    assert plain.longest_on_us(0) == plain.on_us == plain.spells(0)[0].on_us


@given(st.data())
def test_no_course_is_on_longer_than_the_longest_stretch(data: st.DataObject) -> None:
    plan = data.draw(movements())
    walk, on_from_us, step_us = Course(plan, (0,), 0), None, 50 * MS
    for now_us in range(0, plan.on_us, step_us):
        walk.step(now_us, data.draw(st.sampled_from((Advance.TIME, Advance.TIME, Advance.KEY, Advance.ATTEMPT))))
        if not walk.share_ppm(0, now_us):
            on_from_us = None
        elif on_from_us is None:
            on_from_us = now_us
        assert on_from_us is None or now_us - on_from_us <= plan.longest_on_us(0)


@st.composite
def movements(draw: st.DrawFn) -> MovementPlan:
    lengths = st.integers(1, 20).map(lambda tenths: tenths * 100 * MS)
    goals = st.builds(Goal, st.sampled_from((0, 0, 1, FULL_PPM)), st.integers(0, SECOND), st.integers(0, SECOND))
    phases = draw(
        st.lists(
            st.builds(PhasePlan, st.just("p"), lengths, others=goals, advance=st.sampled_from(Advance)),
            min_size=1,
            max_size=5,
        )
    )
    return MovementPlan(tuple(phases), SECOND, draw(st.none() | st.integers(0, len(phases) - 1)))


def test_what_is_no_movement_is_refused() -> None:
    good = phase("reach", 3, extensors=UP)
    for wrong in (
        ((), 0, None),
        ((phase("no time", 0),), 0, None),
        ((good,), -1, None),
        ((good,), 0, 1),
        ((good,), 0, -1),
    ):
        with pytest.raises(OurBug):
            MovementPlan(*wrong)
    for wrong_goal in (-1, 0, 0), (FULL_PPM + 1, 0, 0), (0, -1, 0), (0, 0, -1):
        with pytest.raises(OurBug):
            Goal(*wrong_goal)


def test_a_goal_without_a_ramp_is_the_steepest_of_all() -> None:
    """The limiter refuses such a plan: where a phase before it is cut short, the channel would jump."""
    plan = MovementPlan((phase("up", 2, extensors=UP), phase("hold", 2, extensors=Goal(FULL_PPM))), SECOND)
    assert plan.rise_us(EXTENSORS) == 0


def test_a_channel_that_is_never_on_has_no_spells() -> None:
    assert GRASP.spells(7) == ()
    assert GRASP.duty(7) is None
    assert GRASP.rise_us(7) == 0


@given(
    st.lists(
        st.tuples(
            st.integers(1, 4 * SECOND), st.integers(0, FULL_PPM), st.integers(0, 2 * SECOND), st.integers(0, SECOND)
        ),
        min_size=1,
        max_size=6,
    ),
    st.integers(0, 20 * SECOND),
)
def test_spells_cover_the_cycle_and_are_the_times_with_a_share(
    drawn: list[tuple[int, int, int, int]], rest_us: int
) -> None:
    plan = MovementPlan(
        tuple(
            PhasePlan(f"p{n}", length, others=Goal(share, ramp, delay))
            for n, (length, share, ramp, delay) in enumerate(drawn)
        ),
        rest_us,
    )
    spells = plan.spells(0)
    if spells:
        assert sum(spell.on_us + spell.off_us for spell in spells) == plan.cycle_us
    walk, on_us, step_us = Course(plan, (0,), 0), 0, 10 * MS
    for now_us in range(0, plan.on_us, step_us):
        walk.step(now_us)
        on_us += step_us if walk.share_ppm(0, now_us) else 0
    planned_us = sum(spell.on_us for spell in spells)
    # A spell may be longer than its visible share, by what rounds to nothing at its two ends.
    assert on_us - step_us * (1 + 2 * len(drawn)) <= planned_us


# --- the course ------------------------------------------------------------------------------------------------


def test_a_task_goes_through_its_phases_and_channels_hand_over() -> None:
    walk = course()
    walk.step(int(0.5 * SECOND))
    assert (walk.part(500 * MS), shares(walk, 0.5)) == (("reach", 500 * MS, 3 * SECOND), (500_000, 0))
    walk.step(int(3.2 * SECOND))
    assert shares(walk, 3.2) == (500_000, 0)
    walk.step(int(3.65 * SECOND))
    assert shares(walk, 3.65) == (0, 500_000)
    walk.step(7 * SECOND)
    assert walk.part(7 * SECOND)[0] == "hold"
    assert shares(walk, 7) == (0, 600_000)


def test_an_event_ends_the_phase_that_waits_for_it() -> None:
    walk = course()
    assert [turn.phase for turn in walk.step(6 * SECOND, Advance.ATTEMPT)] == ["grasp", "hold"]
    assert walk.step(int(6.5 * SECOND), Advance.KEY) == [
        Turn("release", "", int(6.5 * SECOND), Advance.KEY, missed=False)
    ]
    assert walk.part(int(6.5 * SECOND)) == ("release", 0, 3 * SECOND)
    assert shares(walk, 6.5)[1] == 600_000


def test_a_key_that_nothing_waits_for_leads_towards_the_release_and_no_further() -> None:
    """Skipping ahead always means letting go (B.7)."""
    walk = course()
    walk.step(SECOND, Advance.KEY)
    assert walk.part(SECOND)[0] == "release"
    assert walk.step(2 * SECOND, Advance.KEY) == []
    assert walk.part(2 * SECOND)[0] == "release"
    plain = course(burst(SECOND, SECOND, SECOND, SECOND))
    assert plain.step(100 * MS, Advance.KEY) == []


def test_what_began_is_told_with_its_cue_and_what_was_missed() -> None:
    plan = MovementPlan((phase("try", 2, Advance.ATTEMPT), PhasePlan("open", SECOND, cue="Open")), SECOND)
    assert course(plan).step(3 * SECOND) == [
        Turn("open", "Open", 2 * SECOND, Advance.ATTEMPT, missed=True),
        Turn("", "", 3 * SECOND, Advance.TIME, missed=False),
    ]


def test_a_movement_without_a_rest_goes_round() -> None:
    walk = course(MovementPlan((phase("slow", 3), phase("fast", 3)), 0), again=True)
    assert [turn.phase for turn in walk.step(7 * SECOND)] == ["fast", "slow"]
    assert walk.part(7 * SECOND) == ("slow", SECOND, 3 * SECOND)
    assert walk.next_mark_us(7 * SECOND) == 9 * SECOND


def test_an_event_that_never_comes_leads_to_release_and_rest() -> None:
    """Never stay in hold (B.7): its time-out goes where the plan says."""
    walk = course()
    walk.step(11 * SECOND)
    assert walk.part(11 * SECOND)[0] == "release"
    walk.step(int(15.1 * SECOND))
    assert walk.over
    assert shares(walk, 15.1) == (0, 0)


def test_a_missed_event_skips_what_lies_before_the_release() -> None:
    walk = course(MovementPlan((phase("reach", 2, Advance.ATTEMPT), *GRASP.phases[1:]), SECOND, release=3))
    walk.step(2 * SECOND)
    assert walk.part(2 * SECOND)[0] == "release"


def test_a_late_look_changes_nothing() -> None:
    often, late = course(), course()
    for now_us in range(0, int(14.5 * SECOND), 10 * MS):
        often.step(now_us)
    late.step(int(14.49 * SECOND))
    assert often.part(int(14.49 * SECOND)) == late.part(int(14.49 * SECOND))
    assert shares(often, 14.49) == shares(late, 14.49)


def test_a_trial_begins_again_after_its_rest_and_a_burst_does_not() -> None:
    plain = burst(SECOND, SECOND, SECOND, 2 * SECOND)
    trial, once = course(plain, again=True), course(plain)
    for walk in (trial, once):
        walk.step(int(5.5 * SECOND))
    assert trial.part(int(5.5 * SECOND)) == ("ramp up", 500 * MS, SECOND)
    assert once.over
    assert once.part(int(5.5 * SECOND))[0] == "rest"


def test_the_next_corner_is_never_passed_over() -> None:
    walk, now_us, corners = course(), 0, []
    while not walk.over:
        mark_us = walk.next_mark_us(now_us)
        assert mark_us > now_us
        corners.append(mark_us)
        now_us = mark_us
        walk.step(now_us)
    assert corners[:4] == [SECOND, 3 * SECOND, 3_400_000, 3_900_000]
    assert corners[-1] == GRASP.on_us


def test_a_share_moves_only_on_its_ramp() -> None:
    walk = course()
    assert walk.moving(500 * MS)
    assert not walk.moving(2 * SECOND)
    walk.step(3 * SECOND)
    assert walk.moving(3 * SECOND)


def test_a_channel_that_follows_a_signal_is_always_moving() -> None:
    walk = course(MovementPlan((phase("open", 8, extensors=Goal(FULL_PPM, SECOND, follows=True)),), SECOND))
    assert walk.moving(5 * SECOND)
