"""The course of guided work: steps on the dot, repetitions counted once, a goal that stays within its bounds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.engine import mermaid
from stimctl.engine.guide import Guide
from stimctl.engine.guide_table import TABLE, GuideEvent, GuideState
from stimctl.engine.guide_words import Heard, Told
from stimctl.errors import UsageError
from stimctl.protocols import Activity, Biofeedback, library_text, loads
from stimctl.schedule.guided import GuidePlan, compile_guide
from stimctl.units import MS, SECOND

E, S = GuideEvent, GuideState


def plan(name: str, *changes: tuple[str, str]) -> GuidePlan:
    text = library_text(name)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    protocol = loads(text, name)
    assert isinstance(protocol, Activity | Biofeedback)
    return compile_guide(protocol)


def begun(a_plan: GuidePlan, at_us: int = 0) -> Guide:
    guide = Guide(a_plan, at_us)
    guide.happen(E.SCREENED, at_us)
    guide.happen(E.START, at_us)
    return guide


FIST = plan("exercise-make-a-fist", ("repetitions = 10", "repetitions = 2"))
BALL = plan("mirror-box")


def test_a_key_counts_once_is_held_and_ends_the_step() -> None:
    guide = begun(FIST)
    guide.step(3 * SECOND, Heard(key=True))
    assert guide.tally.reached == guide.tally.counted == 1
    guide.step(4 * SECOND, Heard(key=True))
    assert guide.tally.counted == 1, "the same repetition does not count twice"
    assert guide.now.say == FIST.steps[0].say
    guide.step(5 * SECOND)
    assert guide.now.say == FIST.steps[1].say
    guide.step(10 * SECOND)
    assert (guide.repetition, guide.tally.done) == (2, 1)


def test_a_key_may_come_late_but_not_after_the_repetition() -> None:
    guide = begun(FIST)
    guide.step(9 * SECOND)
    assert guide.now.say == FIST.steps[1].say
    guide.step(10 * SECOND, Heard(key=True))
    assert guide.tally.reached == 1
    guide = begun(FIST)
    guide.step(13 * SECOND)
    assert (guide.tally.missed, guide.repetition) == (1, 2)


def test_two_sets_have_their_rest_and_end() -> None:
    guide = begun(FIST)
    told = [each.what for each in guide.step(200 * SECOND)]
    assert told.count(Told.MISSED) == 4
    assert (told.count(Told.SET_OVER), told.count(Told.REST_OVER), told[-1]) == (1, 1, Told.DOSE_DONE)
    assert (guide.state, guide.complete) == (S.REVIEW, True)
    assert guide.tally.practice_us == 4 * 13 * SECOND
    assert guide.tally.rest_us == 90 * SECOND


@given(st.lists(st.integers(1, 9 * SECOND), min_size=1, max_size=60))
def test_late_looks_change_nothing(gaps: list[int]) -> None:
    """Whoever looks seldom finds the same steps, times and beats as who looks often."""
    often, seldom, now_us = begun(BALL), begun(BALL), 0
    for gap_us in gaps:
        for part in range(1, 4):
            often.step(now_us + gap_us * part // 3)
        now_us += gap_us
    seldom.step(now_us)
    assert often.tally == seldom.tally
    assert (often.now, often.set, often.repetition, often.state) == (
        seldom.now, seldom.set, seldom.repetition, seldom.state,
    )  # fmt: skip
    tally = seldom.tally
    assert tally.practice_us + tally.imagery_us + tally.rest_us == min(now_us, BALL.longest_us)


GOAL = plan("biofeedback-angle-wrist")
DEG = 1_000


@given(st.lists(st.tuples(st.integers(-5 * DEG, 100 * DEG), st.booleans()), max_size=300))
def test_a_goal_stays_within_its_bounds_and_every_attempt_is_counted_once(seen: list[tuple[int, bool]]) -> None:
    guide, goal = begun(GOAL), GOAL.goal
    assert goal is not None
    for at, (value, ready) in enumerate(seen):
        guide.step((at + 1) * 700 * MS, Heard(value=value if ready else None, ready=ready))
        assert goal.least <= guide.measure.goal <= goal.most
    tally = guide.tally
    over = (guide.set - 1) * GOAL.repetitions + guide.repetition - 1
    assert tally.done + tally.missed + tally.unheard == over
    assert tally.done <= tally.reached <= tally.done + 1


def test_a_goal_rises_after_successes_and_falls_after_misses() -> None:
    guide, now_us = begun(GOAL), 0
    for _ in range(3):
        for value, wait_us in ((0, 20 * MS), (12 * DEG, SECOND), (12 * DEG, SECOND), (0, 8 * SECOND)):
            now_us += wait_us
            guide.step(now_us, Heard(value=value))
    assert (guide.tally.reached, guide.measure.goal) == (3, 12 * DEG)
    for _ in range(3 * 160):
        now_us += 100 * MS
        guide.step(now_us, Heard(value=0))
    assert guide.tally.missed >= 2
    assert guide.measure.goal < 12 * DEG


def test_a_goal_never_leaves_its_bounds() -> None:
    low, high = begun(GOAL), begun(plan("biofeedback-angle-wrist", ("most_deg = 60", "most_deg = 13")))
    for at in range(1, 12_000):
        low.step(at * 100 * MS, Heard(value=0))
        high.step(at * 100 * MS, Heard(value=0 if at % 40 < 20 else 90 * DEG))
    assert low.tally.missed == 60
    assert low.measure.goal == 4 * DEG
    assert high.tally.reached > 20
    assert high.measure.goal == 13 * DEG


def test_what_began_before_the_attempt_is_none() -> None:
    """A hand that is held up all the time never lets go, and never reaches anything."""
    guide = begun(GOAL)
    for at in range(1, 400):
        guide.step(at * 50 * MS, Heard(value=50 * DEG))
    assert guide.tally.reached == 0


def test_a_silent_sensor_is_no_miss() -> None:
    guide = begun(GOAL)
    guide.step(20 * MS, Heard(value=0))
    for at in range(1, 200):
        guide.step(20 * MS + at * 100 * MS, Heard(value=None, ready=False))
    assert (guide.tally.missed, guide.tally.unheard) == (0, 1)
    assert guide.waiting


def test_a_pause_takes_no_time_and_an_attempt_begins_again() -> None:
    guide = begun(FIST)
    guide.step(7 * SECOND)
    guide.happen(E.PAUSE, 7 * SECOND)
    guide.happen(E.RESUME, 100 * SECOND)
    guide.step(107 * SECOND)
    assert guide.now.say == FIST.steps[0].say
    guide = begun(BALL)
    guide.step(50 * SECOND)
    guide.happen(E.STOP, 50 * SECOND)
    guide.happen(E.CLEAR_TO_PAUSED, 60 * SECOND)
    guide.happen(E.RESUME, 150 * SECOND)
    guide.step(190 * SECOND - 1)
    assert guide.now.say == BALL.steps[1].say, "a step by the clock goes on where it was"
    guide.step(190 * SECOND)
    assert guide.now.say == BALL.steps[2].say


def test_the_drawn_diagram_is_the_table() -> None:
    moves = {(state, event): target for state, row in TABLE.items() for event, target in row.items()}
    drawn = Path(__file__).parents[1].joinpath("docs", "states.md").read_text(encoding="utf-8")
    assert mermaid(moves, S.SCREENING) in drawn


@pytest.mark.parametrize("state", S)
def test_what_is_not_listed_is_refused(state: GuideState) -> None:
    for event in E:
        guide = Guide(FIST, 0)
        guide.state = state
        if event in TABLE[state]:
            guide.happen(event, 0)
            assert guide.state is TABLE[state][event], event
        else:
            with pytest.raises(UsageError):
                guide.happen(event, 0)
    if state not in (S.STOPPED, S.REVIEW, S.ENDED):
        assert TABLE[state][E.STOP] is S.STOPPED
