"""The scorer of onsets, on cases made by hand: one rule each, at 1 kHz, so that a sample is a millisecond."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.sensors.scoring import Score, Truth, known_at, score

MINUTE = 60_000
ONE = Truth(1_000.0, MINUTE, (10_000,), (13_000,))
"""One effort from 10 s to 13 s in a minute."""


@pytest.mark.parametrize(
    ("known", "hits", "again", "false"),
    [
        (9_979, 0, 0, 1),  # earlier than labels are uncertain
        (9_980, 1, 0, 0),
        (10_000, 1, 0, 0),
        (10_500, 1, 0, 0),
        (10_501, 0, 1, 0),  # too late for a hit, and still of this effort
        (13_250, 0, 1, 0),
        (13_251, 0, 0, 1),
    ],
)
def test_one_onset_is_a_hit_the_same_again_or_a_false_alarm(known: int, hits: int, again: int, false: int) -> None:
    found = score([known], ONE)
    assert (len(found.late_s), found.again, found.false) == (hits, again, false)


def test_the_first_in_the_window_is_the_hit_and_gives_the_latency() -> None:
    found = score([10_300, 10_040, 12_000], ONE)
    assert found.late_s == (0.04,)
    assert (found.again, found.false) == (2, 0)


def test_a_label_may_be_uncertain_by_what_its_recording_says() -> None:
    assert score([9_960], ONE).false == 1
    assert score([9_960], ONE._replace(early_s=0.05)).late_s == (-0.04,)


def test_each_effort_takes_one_onset_and_none_twice() -> None:
    two = ONE._replace(onsets=(10_000, 10_400), ends=(10_300, 10_800))
    assert score([10_450], two).late_s == (0.45,)  # within both windows, and the first has it
    assert len(score([10_450, 10_460], two).late_s) == 2


def test_a_short_effort_has_its_whole_window() -> None:
    short = ONE._replace(ends=(10_050,))
    assert score([10_490, 10_495], short).again == 1
    assert score([10_501], short).false == 1


@pytest.mark.parametrize("known", [0, 1_999, 20_000, 20_999])
def test_calibration_and_ignored_spans_are_not_judged(known: int) -> None:
    found = score([known], ONE._replace(ignore=((20_000, 21_000),)))
    assert (found.again, found.false) == (0, 0)


@pytest.mark.parametrize("known", [2_000, 19_999, 21_000])
def test_beside_them_everything_is(known: int) -> None:
    assert score([known], ONE._replace(ignore=((20_000, 21_000),))).false == 1


def test_an_effort_that_begins_in_an_ignored_span_is_none() -> None:
    found = score([10_050], ONE._replace(ignore=((9_000, 14_000),)))
    assert (found.efforts, found.late_s, found.false) == (0, (), 0)


def test_quiet_time_is_what_neither_an_effort_nor_a_span_has() -> None:
    # 60 s less 2 s of calibration, less 0.02 + 3 + 0.25 s of effort
    assert score([], ONE).quiet_s == pytest.approx(60 - 2 - 3.27)
    # spans that overlap count once, and beyond the end there is nothing
    spans = ((1_000, 5_000), (12_000, 20_000), (59_000, 70_000))
    assert score([], ONE._replace(ignore=spans)).quiet_s == pytest.approx(60 - 5 - (20 - 9.98) - 1)


def test_false_alarms_are_told_by_the_minute_of_quiet_time() -> None:
    empty = Truth(1_000.0, 32_000, (), ())
    found = score([10_000, 20_000], empty)
    assert found.false_per_min == pytest.approx(4.0)  # 2 in half a minute
    assert (found.hit_percent, found.late_ms(0.5)) == (None, None)
    assert Score().false_per_min is None


def test_percentiles_are_of_nearest_rank_and_misses_have_no_latency() -> None:
    found = Score(efforts=25, late_s=tuple(ms / 1e3 for ms in range(20, 0, -1)))
    assert found.late_ms(0.5) == pytest.approx(10.0)
    assert found.late_ms(0.95) == pytest.approx(19.0)
    assert found.late_ms(1.0) == pytest.approx(20.0)
    assert found.hit_percent == 80.0


def test_known_within_100_ms_is_a_share_of_all_efforts() -> None:
    assert Score(efforts=4, late_s=(0.05, 0.1, 0.101)).soon_percent == 50.0


def test_scores_add_up() -> None:
    both = Score(2, (0.1,), 1, 2, 30.0) + Score(1, (0.2,), 0, 1, 60.0)
    assert both == Score(3, (0.1, 0.2), 1, 3, 90.0)


def test_an_onset_is_known_at_the_end_of_its_chunk() -> None:
    assert known_at((0, 9, 10, 95), 10, 98) == (10, 10, 20, 98)


@given(st.lists(st.integers(0, MINUTE), max_size=30), st.lists(st.integers(0, MINUTE), max_size=8))
def test_every_onset_is_judged_once(known: list[int], starts: list[int]) -> None:
    onsets = tuple(sorted(starts))
    truth = ONE._replace(onsets=onsets, ends=tuple(at + 700 for at in onsets), ignore=((30_000, 31_000),))
    found = score(known, truth)
    unjudged = sum(1 for at in known if at < 2_000 or 30_000 <= at < 31_000)
    assert len(found.late_s) + found.again + found.false + unjudged == len(known)
    assert len(found.late_s) <= found.efforts
    assert 0.0 <= found.quiet_s <= 57.0 + 1e-9
