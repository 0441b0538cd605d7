"""The closed loop: attempts are heard, the stimulator is not, and a board that keeps its pulse times to itself is found out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from stimctl.units import MINUTE, SECOND
from tests.proving import closed_loop
from tests.proving.loop_people import CONDITIONS, KNOCKED, Person
from tests.proving.loop_session import TEXTS, Found, Job, run

HEARD, SILENT = closed_loop.EVERYDAY


def test_attempts_are_heard_and_nothing_else() -> None:
    found = run(HEARD)
    assert found.faults == ()
    assert (found.own, found.alarms) == ((), ())
    assert found.attempts > 0
    assert found.missed == 0
    assert max(found.late_ms) < 500


@pytest.mark.parametrize("name", ["none", "times-lost"])
def test_pulses_that_are_not_told_are_found_out_and_those_that_are_set_nothing_off(name: str) -> None:
    """In a process of its own: a fault is planted before anything is imported."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.proving.loop_planted", name],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_long_run_has_every_text_and_condition_and_no_seed_twice() -> None:
    jobs = closed_loop.jobs()
    assert len({job.seed for job in jobs}) == len(jobs)
    assert {job.text for job in jobs} == set(TEXTS)
    assert {job.condition for job in jobs if job.willing} == set(CONDITIONS)
    assert {job.condition for job in jobs if not job.willing} == set(CONDITIONS)


def told(found: Found, job: Job = HEARD) -> list[bool]:
    return [row.good for row in closed_loop.outcome([job], [found], long=False).rows]


def test_what_nobody_tried_is_wrong_where_pulses_flowed_and_where_nobody_ever_tried() -> None:
    assert all(told(Found(late_ms=(40.0,), alarms=("at rest",))))
    assert not all(told(Found(own=("in a burst",))))
    assert not all(told(Found(faults=("broke",))))
    assert not all(told(Found(alarms=("at rest",)), SILENT))
    knocked = SILENT._replace(condition=KNOCKED)
    assert all(told(Found(alarms=("a knock",)), knocked)), "no stimulator's doing"
    assert not all(told(Found(own=("in a burst",)), knocked))
    [failure] = closed_loop.outcome([SILENT], [Found(own=("in a burst",))], long=False).failures
    assert failure.startswith("in a burst; again: python -m tests.proving.closed_loop")


def test_too_few_attempts_and_too_little_silence_prove_nothing() -> None:
    enough = [Found(late_ms=(40.0,) * closed_loop.ATTEMPTS), Found(listened_us=60 * MINUTE)]
    assert closed_loop.outcome([HEARD, SILENT], enough, long=True).good
    assert not closed_loop.outcome([HEARD, SILENT], [enough[0]._replace(late_ms=(40.0,)), enough[1]], long=True).good
    assert not closed_loop.outcome([HEARD, SILENT], [enough[0], Found(listened_us=59 * MINUTE)], long=True).good


def test_a_person_knows_what_was_tried_and_one_who_never_tries_does_not() -> None:
    willing, idle = (Person(1, (), CONDITIONS["as drawn"], willing=each) for each in (True, False))
    tried = next(each for at in range(20) if (each := willing.cue(20 * at * SECOND)) is not None)
    assert willing.tried == (tried,)
    assert tried.onset_us <= willing.began_us(tried) < tried.end_us
    assert not willing.idle(tried.end_us)
    assert willing.idle(tried.gone_us + SECOND)
    assert [idle.cue(at * SECOND) for at in range(20)] == [None] * 20
    assert idle.tried == ()


def test_an_effort_that_was_let_go_before_it_began_was_none() -> None:
    person = Person(1, (), CONDITIONS["as drawn"], willing=True)
    held = person.exert(0)
    assert person.lets_go_us is not None
    assert person.lets_go_us > held.onset_us
    person.let_go(held.onset_us + SECOND)
    assert person.tried[0].end_us < held.end_us
    later = person.exert(10 * SECOND)
    person.let_go(later.onset_us - 500_000)
    assert [each.onset_us for each in person.tried] == [held.onset_us]
    assert person.lets_go_us is None
