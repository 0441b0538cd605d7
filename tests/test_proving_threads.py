"""The everyday share of the interleavings, and proof that they would find a race; the rest is in ``dev.py prove``."""

from __future__ import annotations

import pytest

from tests.proving.races import LOOP_RACES, RACES
from tests.proving.threads import ENDINGS, child, is_caught

SHARED = (
    ("connect", "arm", "deliver", "burst-ends", "start-and-arm", "raise", "pause"),
    ("resume", "next-channel", "clear-and-start", "close", "board-reset", "flow", "found-again", ENDINGS),
)
"""Operations that one process tries one after the other: two processes, as their imports cost more than all the rest."""


@pytest.mark.parametrize("names", SHARED, ids=lambda names: f"{names[0]}-to-{names[-1]}")
def test_a_stop_in_the_middle_of(names: tuple[str, ...]) -> None:
    tallies = child("--operation", *names)
    assert set(tallies) == set(names)
    for _, runs, bad, told in tallies.values():
        assert runs > 0
        assert not bad, "\n".join(told)


@pytest.mark.parametrize(("name", "at"), [("start", "1,2"), ("clear-and-start", "4,4")])
def test_a_stop_whose_latch_trips_after_the_next_order_is_still_told_as_a_stop(name: str, at: str) -> None:
    """Its reason was taken before the order that begins something, its latch tripped only after it: no fault."""
    [(_, _, bad, told)] = child("--operation", name, "--at", at).values()
    assert not bad, "\n".join(told)


@pytest.mark.parametrize("name", ["permit looked at before the lock", "ending looked for before the stop"])
def test_a_planted_race_is_found(name: str) -> None:
    assert is_caught(name)


def test_every_race_can_still_be_planted() -> None:
    for race in (*RACES, *LOOP_RACES):
        assert race.plant.source()
