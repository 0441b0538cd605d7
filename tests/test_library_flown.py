"""Every shipped file through a session on the twin, brief ones: whole ones are `dev.py prove library`.

That each is good, and can be drawn, is shown where ``check`` and ``preview`` are tested.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from stimctl.protocols import KINDS, library
from tests import flown
from tests.proving import library as prover

NAMES = tuple(entry.name for entry in library())


def test_every_kind_has_a_file_to_fly() -> None:
    assert {entry.kind for entry in library()} == set(KINDS)
    covered = {name for each in flown.fewest() for name in (each, *flown.blocks(each))}
    assert covered == set(NAMES)


@pytest.mark.parametrize(("index", "name"), list(enumerate(flown.fewest())), ids=list(flown.fewest()))
def test_a_session_of_it_gives_what_record_and_review_say(index: int, name: str, tmp_path: Path) -> None:
    run = flown.fly(name, prover.everyday(index), tmp_path, brief=True)
    assert flown.faults(run) == []


# --- that this can fail -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> flown.Flown:
    return flown.fly("demonstration-emg", 1, tmp_path_factory.mktemp("flown"), brief=True)


def changed(run: flown.Flown, **closed: object) -> flown.Flown:
    """The same run with another last row."""
    (one,) = run.sessions
    last = replace(one.events[-1], payload=one.closed | closed)
    return replace(run, sessions=(replace(one, events=(*one.events[:-1], last)),))


def test_a_dose_that_was_not_given_is_seen(run: flown.Flown) -> None:
    (one,) = run.sessions
    dose = one.closed["dose"]
    assert flown.faults(run) == []
    for part, field, words in (
        ("commanded", "charge_uc", "charge commanded"),
        ("commanded", "on_us", "time on"),
        ("delivered", "charge_uc", "charge measured"),
        ("delivered", "bursts", "bursts"),
        ("prescribed", "repetitions", "prescribed"),
        ("attempts", "triggered", "attempts"),
        ("attempts", "voluntary_percent", "attempts"),
    ):
        wrong = changed(run, dose=dose | {part: dose[part] | {field: dose[part][field] * 3 // 2 + 1}})
        assert any(words in fault for fault in flown.faults(wrong)), (part, field)


def test_a_review_that_does_not_tell_is_seen(run: flown.Flown) -> None:
    (one,) = run.sessions
    for line in one.review:
        if line.startswith(("Prescribed", "Delivered", "Attempts", "Charge")):
            short = [each for each in one.review if each != line]
            assert any("no line of the review" in fault for fault in flown.faults(changed(run, review=short))), line


def test_current_without_a_burst_and_a_burst_without_current_are_seen(run: flown.Flown) -> None:
    (one,) = run.sessions
    lost = tuple(each for each in one.events if each.kind != "burst-delivered")
    moved = tuple(
        replace(each, mono_us=each.mono_us + 60_000_000)
        if each.kind in ("trigger", "assist", "burst-delivered")
        else each
        for each in one.events
    )
    for events, words in (
        (lost, "bursts"),
        (lost, "current flowed"),
        (moved, "current flowed"),
        (moved, "nothing flowed"),
    ):
        found = flown.faults(replace(run, sessions=(replace(one, events=events),)))
        assert any(words in fault for fault in found), words


def test_a_run_that_fails_is_seen(run: flown.Flown) -> None:
    (one,) = run.sessions
    assert any("exit code 1" in fault for fault in flown.faults(replace(run, code=1)))
    assert any("0 sessions" in fault for fault in flown.faults(replace(run, sessions=())))
    early = replace(one, row=replace(one.row, outcome="ended early", why="stopped"))
    assert any("ended as ended early: stopped" in fault for fault in flown.faults(replace(run, sessions=(early,))))


def test_a_prover_that_finds_nothing_wrong_says_what_it_flew(run: flown.Flown) -> None:
    jobs = [("one", 1, False), ("two", 2, False)]
    good = prover._outcome(jobs, [prover.Flight(1, 3_600_000_000, ()), prover.Flight(3, 0, ())], long=True)
    assert good.good
    assert [row.count for row in good.rows] == [2, 2, 4]
    bad = prover._outcome(jobs, [prover.Flight(1, 0, ()), prover.Flight(0, 0, ("it broke",))], long=True)
    assert not bad.good
    assert bad.failures == ("two, seed 2: it broke; again: -m tests.proving.library two 2",)
    assert prover.flight("no-such-file", 1).faults
