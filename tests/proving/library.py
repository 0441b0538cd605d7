"""Every shipped file, whole, at several seeds: a session from the questions to the closed record, on the twin.

``python3 dev.py prove library`` flies each of them as an operator's script would, and holds record and review to what the
twin knows to have flowed (:mod:`tests.flown`). The everyday tests fly brief copies of the same files.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from stimctl.protocols import library
from stimctl.units import MINUTE
from tests import flown
from tests.proving.table import Outcome, Row

SEEDS: Final = (1, 2, 3)
"""Three patients: thresholds, reaction times and noise of their own."""


class Flight(NamedTuple):
    """What came of one file at one seed: sessions and simulated µs, and what was wrong."""

    sessions: int
    simulated_us: int
    faults: tuple[str, ...]


def flight(name: str, seed: int, *, brief: bool = False) -> Flight:
    """Fly a shipped file and look at what it left behind. What it raises is a fault like any other."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            run = flown.fly(name, seed, Path(folder), brief=brief)
            length_us = sum(one.row.duration_us for one in run.sessions)
            return Flight(len(run.sessions), length_us, tuple(flown.faults(run)))
        except Exception:  # noqa: BLE001 - whatever it was
            return Flight(0, 0, (traceback.format_exc(),))


def everyday(index: int) -> int:
    """The seed of the everyday flight of the file with this number: each has one, and all of them come."""
    return SEEDS[index % len(SEEDS)]


def prove(*, long: bool) -> Outcome:
    """Fly all of them; ``long``: whole ones at every seed, and where a change is checked (``CI``) each at one of them."""
    names = [entry.name for entry in library()]
    names.sort(key=lambda name: -len(flown.blocks(name)))  # the longest first, so that none is left alone at the end
    jobs = [(name, seed, False) for seed in SEEDS for name in names]
    if os.environ.get("CI"):  # a change is not kept waiting for all three: 62 hours are simulated
        jobs = [(name, everyday(index), False) for index, name in enumerate(names)]
    if not long:
        jobs = [(name, everyday(index), True) for index, name in enumerate(flown.fewest())]
    with multiprocessing.get_context("spawn").Pool(cores()) as pool:
        found = pool.starmap(_job, jobs, chunksize=1)
    return _outcome(jobs, found, long=long)


def _job(name: str, seed: int, brief: bool) -> Flight:
    return flight(name, seed, brief=brief)


def cores() -> int:
    """Processors that may be used."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _outcome(jobs: list[tuple[str, int, bool]], found: Iterable[Flight], *, long: bool) -> Outcome:
    flights = list(zip(jobs, found, strict=True))
    again = f"-m tests.proving.library{'' if long else ' --brief'}"
    failures = tuple(
        f"{name}, seed {seed}: {fault}; again: {again} {name} {seed}"
        for (name, seed, _), each in flights
        for fault in each.faults
    )
    hours = sum(each.simulated_us for _, each in flights) / 3_600e6
    seeds = len({seed for (_, seed, _), _ in flights})
    rows = (
        Row("shipped files run from the questions to the closed record", len({job[0] for job, _ in flights})),
        Row("runs of them", len(flights), not failures, f"{seeds} seeds, {hours:.1f} h simulated"),
        Row(
            "sessions in whose record the dose is what the twin gave",
            sum(each.sessions for _, each in flights),
            not failures,
        ),
    )
    return Outcome("library", rows, failures)


def main(argv: list[str]) -> int:
    """Fly one file at one seed, and say what was wrong and what it took."""
    parser = argparse.ArgumentParser(prog="tests.proving.library", description=__doc__.partition("\n")[0])
    parser.add_argument("name", choices=[entry.name for entry in library()], metavar="FILE")
    parser.add_argument("seed", type=int)
    parser.add_argument("--brief", action="store_true", help="the copy that the everyday tests fly")
    wanted = parser.parse_args(argv)
    found = flight(wanted.name, wanted.seed, brief=wanted.brief)
    minutes = found.simulated_us / MINUTE
    print(f"{found.sessions} sessions, {minutes:.1f} min simulated, {time.process_time():.1f} s of processor time")
    print("\n".join(found.faults) or "record, review and twin agree")
    return int(bool(found.faults))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
