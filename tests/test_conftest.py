"""Which tests a parallel run begins with, the longest that wait first, and which are begun anew on a busy computer."""

from __future__ import annotations

import pytest

from tests.conftest import dealt, undisturbed


def first_deal(items: list[str], workers: int) -> list[list[str]]:
    """What each worker begins with under xdist's ``worksteal``."""
    left, dealt_out = list(items), []
    for worker in range(workers):
        number = len(left) // (workers - worker)
        dealt_out.append(left[:number])
        left = left[number:]
    return dealt_out


@pytest.mark.parametrize(("waiting", "others", "workers"), [(12, 300, 4), (61, 3007, 8), (3, 10, 2), (5, 101, 3)])
def test_half_of_the_workers_begin_with_what_waits_and_the_others_compute(
    waiting: int, others: int, workers: int
) -> None:
    waits, computes = [f"waits {n:03}" for n in range(waiting)], [f"computes {n:04}" for n in range(others)]
    order = dealt(waits, computes, workers)
    assert sorted(order) == sorted(waits + computes)
    shares = first_deal(order, workers)
    for share in shares[: workers // 2]:
        mine = [each for each in share if each in waits]
        assert mine, "each of them has some"
        assert share[: len(mine)] == sorted(mine), "they come first, in their order"
    assert not [each for share in shares[workers // 2 :] for each in share if each in waits]


@pytest.mark.parametrize(("waiting", "others"), [(7, 3), (5, 0), (0, 5), (1, 1)])
def test_nothing_is_lost_where_little_was_selected(waiting: int, others: int) -> None:
    waits, computes = [f"waits {n}" for n in range(waiting)], [f"computes {n}" for n in range(others)]
    assert sorted(dealt(waits, computes, 4)) == sorted(waits + computes)


class Disturbed:
    """A scene whose first runs fail, ``busy`` of them because the computer was too busy."""

    def __init__(self, fails: int, busy: int) -> None:
        self.fails, self.busy, self.runs = fails, busy, 0

    def run(self) -> None:
        self.runs += 1
        assert self.runs > self.fails

    def was_too_busy(self) -> bool:
        return self.runs <= self.busy

    def begin_anew(self) -> None:
        assert self.was_too_busy()


def test_a_session_that_a_busy_computer_has_stopped_is_begun_anew_and_a_failure_is_none() -> None:
    once, wrong, always = Disturbed(1, 1), Disturbed(1, 0), Disturbed(9, 9)
    assert undisturbed(once.run, once)
    assert once.runs == 2
    with pytest.raises(AssertionError):
        undisturbed(wrong.run, wrong)
    assert wrong.runs == 1
    assert not undisturbed(always.run, always), "then it is run once more, as any test"
    assert always.runs == 2
