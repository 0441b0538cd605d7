"""Seeded sessions: run many, count what was injected, and replay one.

``python -m tests.proving.seeds --seed 4711 --trace`` replays a seed step by step; ``--sessions 10000 --workers 2`` runs
as many. The everyday run has 500: each ninth seed as it comes, and for the rest such whose sessions are brief, because
that is where most faults and stops a second of computing are; those that treat for long are the long run's. The same
seed is the same session on every machine and in every process: nothing is drawn from anywhere else.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Final

from tests.proving.sim_faults import KINDS, MS
from tests.proving.sim_scenario import Scenario
from tests.proving.sim_world import Result, World
from tests.proving.table import Outcome, Row

LONG: Final = 10_000
SHORT: Final = 500
CHUNK: Final = 25

BRIEF_US: Final = 6_500 * MS
"""A session that is over by then costs half of what the others do."""

CHUNKS: Final = SHORT // CHUNK

OTHERS: Final = (
    *(
        "stop inside",
        "stop aimed",
        "stop between",
        "stop in a stall",
        "killed",
        "script-fails",
        "no record, no session",
    ),
    *("order raise", "order lower", "order zero", "order start", "order begin", "order pause", "order resume"),
    *("order clear", "order mark", "order finish", "order close"),
)
"""What has to occur beside the kinds of faults: stops at every place, and every act of the operator that counts."""


def run(seed: int, *, trace: bool = False, theme: str = "", until_wrong: bool = False) -> Result:
    """One seed, in a folder that is gone afterwards; ``until_wrong``: no longer than to its first violation."""
    with tempfile.TemporaryDirectory() as folder:
        return World(seed, Path(folder), trace=trace, theme=theme, until_wrong=until_wrong).run()


def command(seed: int) -> str:
    """What replays a seed."""
    return f"python -m tests.proving.seeds --seed {seed} --trace"


@dataclass
class Tally:
    """What became of many seeds."""

    sessions: int = 0
    injected: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """One more."""
        self.sessions += 1
        self.injected += result.counts
        if result.wrong:
            self.failures.append(f"seed {result.seed}: {result.wrong[0]} (replay: {command(result.seed)})")

    def merge(self, other: Tally) -> None:
        """And all of another's."""
        self.sessions += other.sessions
        self.injected += other.injected
        self.failures += other.failures


def everyday(chunk: int) -> tuple[int, ...]:
    """The seeds of the everyday run's chunk, counted from 0; no two chunks have one in common.

    The seeds are dealt out like cards, and each chunk takes from its own until it has enough: what they draw changes
    with every kind of fault that is added, and no chunk may come out short because its own happened to be long.
    """
    dealt = count(chunk, CHUNKS)
    return tuple(islice((seed for seed in dealt if seed % 9 == 0 or Scenario(seed).length_us <= BRIEF_US), CHUNK))


def run_all(seeds: Iterable[int]) -> Tally:
    """Run ``seeds`` here, one after another."""
    tally = Tally()
    for seed in seeds:
        tally.add(run(seed))
    return tally


def run_many(first: int, count: int, workers: int) -> Iterator[Tally]:
    """Run ``count`` seeds from ``first`` on in ``workers`` processes; what each chunk brought."""
    yield from run_chunks(
        [range(at, min(at + CHUNK, first + count)) for at in range(first, first + count, CHUNK)], workers
    )


def run_chunks(chunks: Sequence[Sequence[int]], workers: int) -> Iterator[Tally]:
    """Run these in ``workers`` processes; what each chunk brought."""
    if workers <= 1:
        yield from map(run_all, chunks)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(run_all, chunks)


def prove(*, long: bool) -> Outcome:
    """All seeds of the long or of the everyday run."""
    tally = Tally()
    workers = len(os.sched_getaffinity(0))
    for part in run_many(0, LONG, workers) if long else run_chunks([everyday(chunk) for chunk in range(CHUNKS)], 1):
        tally.merge(part)
    return outcome(tally)


def outcome(tally: Tally) -> Outcome:
    """The rows: sessions, what was injected by kind, violations."""
    rows = [Row("seeded sessions", tally.sessions)]
    rows += [Row(f"injected: {kind}", tally.injected[kind], tally.injected[kind] > 0) for kind in (*KINDS, *OTHERS)]
    rows.append(Row("invariant violations", len(tally.failures), not tally.failures))
    return Outcome("seeds", tuple(rows), tuple(tally.failures[:20]))


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.proving.seeds", description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this one")
    parser.add_argument("--trace", action="store_true", help="with --seed: what happened, step by step")
    parser.add_argument("--theme", default="", help="with --seed: what to try, such as 'line-flip near:say_approved'")
    parser.add_argument("--sessions", type=int, default=SHORT, help="how many seeds (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="how many processes (default: %(default)s)")
    wanted = parser.parse_args(arguments)
    if wanted.seed is not None:
        return _replay(wanted.seed, trace=wanted.trace, theme=wanted.theme)
    return _run(wanted.first, wanted.sessions, wanted.workers)


def _replay(seed: int, *, trace: bool, theme: str) -> int:
    result = run(seed, trace=trace, theme=theme)
    print(*result.trace, sep="\n", end="\n" if result.trace else "")
    for what in result.wrong:
        print(f"WRONG at {what}")
    print(f"seed {seed}: {len(result.wrong) or 'no'} violations, digest {result.digest}")
    return 1 if result.wrong else 0


def _run(first: int, count: int, workers: int) -> int:
    tally = Tally()
    for part in run_many(first, count, workers):
        tally.merge(part)
        for failure in part.failures:
            print(failure)
        print(
            f"{tally.sessions} of {count} sessions, {len(tally.failures)} with violations", file=sys.stderr, flush=True
        )
    for row in outcome(tally).rows:
        print(f"{row.what:44} {row.count:>8,}  {row.remark}".rstrip())
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
