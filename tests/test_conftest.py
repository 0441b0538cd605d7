"""Which tests a parallel run begins with: what waits for programs, with half of the workers, and the longest first."""

from __future__ import annotations

import pytest

from tests.conftest import dealt


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
