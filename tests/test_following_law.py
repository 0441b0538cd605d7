"""The control law: dead zone, straight line, slope, latch; and pulses whose width the signal chooses."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.engine.following import STUCK_US, WILD_PPM, Follower, Lost, Reading, wanted
from stimctl.engine.lanes import LATE_US
from stimctl.pulse import symmetric
from stimctl.schedule import FULL_PPM, ControlPlan, Goal
from stimctl.units import MS, SECOND

PLAN = ControlPlan("sound-hand-angle", "width", 200_000, 900_000, FULL_PPM, 200 * MS)
TICK_US = 20 * MS

VALUES = st.integers(-2 * FULL_PPM, 3 * FULL_PPM)
READINGS = st.none() | st.builds(Reading, VALUES, st.integers(-300 * MS, 500 * MS))


def held(follower: Follower, value_ppm: int, for_us: int, from_us: int) -> int:
    """Let a living hand stay at a place; the time afterwards."""
    for now_us in range(from_us, from_us + for_us, TICK_US):
        follower.step(now_us, Reading(value_ppm + (now_us // TICK_US) % 2, 0))
    return from_us + for_us


def open_hand() -> tuple[Follower, int]:
    """A follower whose hand has been at rest and is wide open now."""
    follower = Follower(PLAN)
    now_us = held(follower, 0, 100 * MS, 0)
    now_us = held(follower, 950_000, 1_500 * MS, now_us)
    assert follower.ppm == FULL_PPM
    return follower, now_us


# --- the map -----------------------------------------------------------------------------------------------------------


@given(VALUES, VALUES)
def test_a_hand_that_opens_further_never_asks_for_less(one: int, other: int) -> None:
    less, more = sorted((one, other))
    assert 0 <= wanted(PLAN, less) <= wanted(PLAN, more) <= FULL_PPM


def test_nothing_in_the_dead_zone_and_all_from_the_full_opening() -> None:
    assert [wanted(PLAN, value) for value in (-5, 0, 199_999)] == [0, 0, 0]
    assert wanted(PLAN, 200_000) == 1
    assert wanted(PLAN, 550_000) == FULL_PPM // 2
    assert [wanted(PLAN, value) for value in (900_000, 1_500_000)] == [FULL_PPM, FULL_PPM]


# --- the slope ---------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 400 * MS), READINGS), max_size=60))
def test_whatever_comes_it_never_rises_faster_than_its_slope_nor_above_what_is_asked(
    steps: list[tuple[int, Reading | None]],
) -> None:
    follower, now_us, before = Follower(PLAN), 0, 0
    for elapsed_us, reading in steps:
        now_us += elapsed_us
        ppm = follower.step(now_us, reading)
        assert ppm - before <= PLAN.slew_ppm_per_s * min(elapsed_us, LATE_US) // SECOND
        asked = 0 if reading is None else wanted(PLAN, reading.value_ppm)
        assert 0 <= ppm <= asked
        before = ppm


@given(st.lists(READINGS, max_size=60))
def test_what_cannot_be_believed_asks_for_nothing_until_the_hand_has_rested(readings: list[Reading | None]) -> None:
    follower, rested = Follower(PLAN), False
    for number, reading in enumerate(readings):
        ppm = follower.step(number * TICK_US, reading)
        fresh = reading is not None and 0 <= reading.age_us <= PLAN.stale_us
        believed = fresh and reading is not None and WILD_PPM <= reading.value_ppm <= PLAN.most_ppm
        if not believed:
            assert (ppm, follower.lost is not None) == (0, True)
        rested = believed and (rested or (reading is not None and reading.value_ppm < PLAN.floor_ppm))
        assert rested or ppm == 0


def test_a_fall_acts_at_once() -> None:
    follower, now_us = open_hand()
    assert follower.step(now_us, Reading(250_000, 0)) == wanted(PLAN, 250_000)


def test_the_whole_way_takes_as_long_as_the_slope_says() -> None:
    follower = Follower(PLAN)
    now_us = held(follower, 0, 100 * MS, 0)
    shares = [
        follower.step(at_us, Reading(FULL_PPM + at_us % 7, 0)) for at_us in range(now_us, now_us + 1_200 * MS, TICK_US)
    ]
    assert shares.index(FULL_PPM) == 1_000 * MS // TICK_US - 1
    assert all(other >= one for one, other in pairwise(shares))


def test_a_late_pass_makes_the_rise_slower_and_never_steeper() -> None:
    follower = Follower(PLAN)
    now_us = held(follower, 0, 100 * MS, 0)
    assert follower.step(now_us + 800 * MS, Reading(FULL_PPM, 0)) == LATE_US


# --- losses ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reading", "why"),
    [
        (None, Lost.ABSENT),
        (Reading(950_000, PLAN.stale_us + 1), Lost.STALE),
        (Reading(950_000, -1), Lost.STALE),
        (Reading(PLAN.most_ppm + 1, 0), Lost.WILD),
        (Reading(WILD_PPM - 1, 0), Lost.WILD),
    ],
)
def test_a_loss_is_zero_at_once_and_stays_zero_until_the_hand_has_rested(reading: Reading | None, why: Lost) -> None:
    follower, now_us = open_hand()
    assert follower.step(now_us, reading) == 0
    assert follower.lost is why
    now_us = held(follower, 950_000, SECOND, now_us + TICK_US)
    assert (follower.ppm, follower.latched, follower.lost) == (0, True, None)
    now_us = held(follower, 100_000, 40 * MS, now_us)
    held(follower, 950_000, 500 * MS, now_us)
    assert follower.ppm > 400_000


def test_a_value_that_does_not_change_is_stuck_but_a_hand_at_rest_may_be_still() -> None:
    follower, now_us = open_hand()
    for at_us in range(now_us, now_us + STUCK_US + TICK_US, TICK_US):
        follower.step(at_us, Reading(800_000, 0))
    assert (follower.ppm, follower.lost) == (0, Lost.STUCK)
    for at_us in range(10 * SECOND, 20 * SECOND, TICK_US):
        follower.step(at_us, Reading(0, 0))
        assert follower.lost is None


def test_after_an_arming_an_open_hand_asks_for_nothing_yet() -> None:
    follower, now_us = open_hand()
    follower.latch()
    held(follower, 950_000, SECOND, now_us)
    assert follower.ppm == 0


# --- what the goal makes of it -----------------------------------------------------------------------------------------

STAIR = tuple(symmetric(0, width_us, 35_000) for width_us in range(80, 251, 10))
WIDTH = Goal(FULL_PPM, SECOND, follows=True, stair=STAIR)


@given(st.integers(0, FULL_PPM), st.integers(0, FULL_PPM))
def test_a_stronger_signal_never_chooses_narrower_pulses(one: int, other: int) -> None:
    less, more = (WIDTH.followed(FULL_PPM, ppm) for ppm in sorted((one, other)))
    assert less[1] is not None
    assert more[1] is not None
    assert less[0] <= more[0]
    assert less[1].phase_width_us <= more[1].phase_width_us


def test_without_a_signal_there_is_no_amplitude_and_with_all_of_it_the_full_width() -> None:
    assert WIDTH.followed(FULL_PPM, 0) == (0, STAIR[0])
    assert WIDTH.followed(FULL_PPM, 1) == (FULL_PPM, STAIR[0])
    assert WIDTH.followed(400_000, FULL_PPM) == (400_000, STAIR[-1])
    assert Goal(FULL_PPM, SECOND, follows=True).followed(400_000, FULL_PPM // 4) == (100_000, None)
    assert Goal(FULL_PPM, SECOND).followed(400_000, 0) == (400_000, None)
