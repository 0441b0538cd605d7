"""Closed loop: does a session ever take its own stimulation for an attempt? Whole sessions on the twin, beside the truth.

``python3 dev.py prove closed_loop`` runs every shipped file that is led by EMG, and two tasks in which an attempt is waited for
while pulses flow, with simulated patients who know when they tried (:mod:`tests.proving.loop_session`): 1,000 attempts, and an
hour of listening in which nobody tries and stimulation comes all the same. ``python -m tests.proving.closed_loop TEXT CONDITION
SEED [--nobody] [--brief]`` runs one session again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from stimctl.units import MINUTE
from tests.proving.loop_people import CONDITIONS, KNOCKED
from tests.proving.loop_planted import FAULTS
from tests.proving.loop_session import SELF_LED, TEXTS, Found, Job, run
from tests.proving.table import Outcome, Row

ATTEMPTS: Final = 1_000
"""Fewer than so many say nothing (issue's own figure)."""

SILENT_US: Final = 60 * MINUTE
"""So long, at least, somebody listens while nobody tries."""

SILENT: Final = ("wrist-finger-extensors-emg", "hand-opening-two-channel-emg", "grasp-release-emg-sequence",
                 "task, heard while it opens", "task, heard while it holds")  # fmt: skip
"""Texts whose bursts come without an attempt, too: on assistance, or by the clock."""


def jobs() -> list[Job]:
    """All sessions of the long run, each with a seed of its own, the short ones last."""
    names = list(CONDITIONS)
    tried = [
        (text, condition, True)
        for row, text in enumerate(TEXTS)
        for column, condition in enumerate(names)
        if not row or (row + column) % 2 == 0  # the first under every condition, the others under half of them
    ]
    calm = [name for name in names if name != KNOCKED]
    silent = [(text, calm[(row + 2 * k) % len(calm)], False) for k in range(3) for row, text in enumerate(SILENT)][:-2]
    silent.append((SILENT[0], KNOCKED, False))
    found = [
        Job(text, condition, seed, willing) for seed, (text, condition, willing) in enumerate([*tried, *silent], 1)
    ]
    return sorted(found, key=lambda job: job.text == "demonstration-emg")


EVERYDAY: Final = (
    Job("demonstration-emg", "as drawn", 3, brief=True),
    Job("task, heard while it opens", "spastic", 3, willing=False, brief=True),
)
"""The share of the everyday tests: attempts that are heard, and pulses that must not be."""


def prove(*, long: bool) -> Outcome:
    """Run all of them, on all cores."""
    wanted: Sequence[Job] = jobs() if long else EVERYDAY
    with multiprocessing.get_context("spawn").Pool(len(os.sched_getaffinity(0))) as pool:
        found = outcome(wanted, list(map(_told, wanted, pool.imap(run, wanted, chunksize=1))), long=long)
    return replace(found, rows=(*found.rows, *_planted())) if long else found


def _told(job: Job, found: Found) -> Found:
    """Say what has come of one: it takes many minutes."""
    wrong = len(found.own) + len(found.faults)
    print(f"prove: {job}: {len(found.late_ms)} of {found.attempts} heard, {found.listened_us / MINUTE:.1f} min listened,"
          f" {len(found.alarms)} false alarms, {wrong} wrong", file=sys.stderr, flush=True)  # fmt: skip
    for words in (*found.own, *found.alarms):
        print(f"prove:    {words}", file=sys.stderr, flush=True)
    return found


def _planted() -> Iterator[Row]:
    """Each fault that lets the stimulator be heard, in a process of its own, which tells whether the loop went red."""
    for name in FAULTS:
        done = subprocess.run(
            [sys.executable, "-m", "tests.proving.loop_planted", name], check=False, stdout=sys.stderr
        )
        caught = done.returncode == 0
        yield Row(f"planted: {name}", int(caught), caught, "caught" if FAULTS[name] else "nothing, nothing found")


def outcome(wanted: Sequence[Job], found: Sequence[Found], *, long: bool) -> Outcome:
    """The rows: what was tried and heard, what was heard that nobody tried, and how soon."""
    pairs = list(zip(wanted, found, strict=True))
    silent = [each for job, each in pairs if not job.willing and job.condition != KNOCKED]
    wrong = [words for job, each in pairs for words in (*each.faults, *each.own, *_broken_silence(job, each))]
    minutes = sum(each.simulated_us for each in found) / MINUTE
    seeds = f"seeds {min(job.seed for job in wanted)} to {max(job.seed for job in wanted)}"
    attempts, own = sum(each.attempts for each in found), sum(len(each.own) for each in found)
    silent_us = sum(each.listened_us for each in silent)
    rows = [
        Row("sessions from the questions to the review", len(found), not any(each.faults for each in found),
            f"{minutes:.0f} min simulated, {seeds}"),
        Row("attempts while somebody listened", attempts, attempts >= ATTEMPTS or not long),
        *_hearing(pairs),
        Row("onsets of an effort that was heard before", sum(each.again for each in found)),
        Row("self-triggers", own, not own),
        *_alarms(pairs),
        Row("minutes of listening with nobody trying", silent_us // MINUTE, silent_us >= SILENT_US or not long,
            f"{sum(each.in_bursts_us for each in silent) / MINUTE:.0f} of them while pulses flowed, after and in"
            f" {sum(each.bursts for each in silent)} bursts"),
        Row("onsets in them", sum(len(each.own) + len(each.alarms) for each in silent),
            not any(each.own or each.alarms for each in silent)),
    ]  # fmt: skip
    return Outcome("closed_loop", tuple(rows), tuple(f"{words}; again: {AGAIN}" for words in wrong))


AGAIN: Final = "python -m tests.proving.closed_loop TEXT CONDITION SEED [--nobody]"


def _broken_silence(job: Job, each: Found) -> tuple[str, ...]:
    return each.alarms if not job.willing and job.condition != KNOCKED else ()


def _hearing(pairs: Iterable[tuple[Job, Found]]) -> Iterator[Row]:
    """Heard, missed and how late, by where it was listened."""
    groups: dict[str, list[Found]] = {"at rest": [], "in a train": [], "muscle that leads": []}
    for job, each in pairs:
        if job.willing:
            group = (
                "muscle that leads" if job.text == SELF_LED else "in a train" if job.text[:4] == "task" else "at rest"
            )
            groups[group].append(each)
    for group, members in groups.items():
        late = sorted(ms for each in members for ms in each.late_ms)
        if late:
            missed = sum(each.missed for each in members)
            median, p95 = late[len(late) // 2], late[min(len(late) - 1, len(late) * 95 // 100)]
            yield Row(f"heard, {group}", len(late), True, f"{missed} missed; median {median:.0f} ms, 95 % {p95:.0f} ms")


def _alarms(pairs: Sequence[tuple[Job, Found]]) -> Iterator[Row]:
    """False alarms that are no self-triggers, by the minute of listening; those of knocks apart."""
    for name, chosen in (
        ("false alarms, willing patients", [each for job, each in pairs if job.willing and job.condition != KNOCKED]),
        ("false alarms, knocks 15 a minute", [each for job, each in pairs if job.condition == KNOCKED]),
    ):
        count, minutes = sum(len(each.alarms) for each in chosen), sum(each.listened_us for each in chosen) / MINUTE
        if minutes:
            yield Row(name, count, True, f"{count / minutes:.2f} a minute of {minutes:.0f} min of listening")


def main(argv: list[str]) -> int:
    """Run one session, and say what it took for an attempt."""
    parser = argparse.ArgumentParser(prog="tests.proving.closed_loop", description=__doc__)
    parser.add_argument("text", choices=list(TEXTS), metavar="TEXT", help="; ".join(TEXTS))
    parser.add_argument("condition", choices=list(CONDITIONS), metavar="CONDITION", help="; ".join(CONDITIONS))
    parser.add_argument("seed", type=int)
    parser.add_argument("--nobody", action="store_true", help="the patient never tries; bursts come all the same")
    parser.add_argument("--brief", action="store_true", help="the share of the everyday tests")
    wanted = parser.parse_args(argv)
    job = Job(wanted.text, wanted.condition, wanted.seed, not wanted.nobody, wanted.brief)
    found = run(job)
    print(found.words())
    print(f"{time.process_time():.1f} s of processor time")
    return int(bool(found.own or found.faults or _broken_silence(job, found)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
