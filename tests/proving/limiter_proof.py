"""The limiter's arithmetic, proven for all integers: ``python -m tests.proving.limiter_proof [--quick] [NAME...]``.

The functions of ``stimctl/safety.py`` and ``stimctl/envelope/`` are executed as they stand on symbolic integers
(:mod:`tests.proving.symbolic`, :mod:`tests.proving.paths`) and held against an independent specification in exact
fractions (:mod:`tests.proving.limiter_spec`). What is proven and what is assumed stands with the theorems:
:mod:`~tests.proving.limiter_trains`, :mod:`~tests.proving.limiter_places`, :mod:`~tests.proving.limiter_memory`.

Not proven here, and left to tests: that ``well_typed`` tells an int from what only looks like one (symbolic integers are
ints by definition), sharing by more than three channels, threads, and the words of refusals.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Final

from tests.proving import limiter_memory, limiter_places, limiter_trains
from tests.proving.limiter_faults import FAULTS, Fault
from tests.proving.table import Outcome, Row
from tests.proving.theorem import Theorem, Verdict, refute
from tests.proving.theorem import prove as settle

PARTS: Final = (limiter_trains, limiter_places, limiter_memory)
THEOREMS: Final = {
    theorem.name: theorem
    for part in PARTS
    for theorem in part.THEOREMS
}  # fmt: skip

AGAIN: Final = "python -m tests.proving.limiter_proof"


def theorems(*, long: bool) -> tuple[Theorem, ...]:
    """All of them, or those for the everyday tests."""
    return tuple(theorem for theorem in THEOREMS.values() if long or theorem.quick)


def bite(fault: Fault) -> Verdict:
    """What becomes of a fault's theorem when the fault is planted: it must be refuted."""
    name, plant, pinned = fault
    return refute(THEOREMS[name], {plant.module: plant.source()}, pinned)


def settle_by_name(name: str) -> Verdict:
    """What becomes of a theorem."""
    return settle(THEOREMS[name])


def bite_by_number(number: int) -> Verdict:
    """What becomes of a fault's theorem."""
    return bite(FAULTS[number])


def in_turn(work: Callable[[Any], Verdict], jobs: Iterable[Any]) -> Iterator[Verdict]:
    """The verdicts in the order of the jobs, each found in a process of its own, as many at once as there are cores.

    Of its own, because z3 goes by the numbers of its terms: what was proven before would decide how long a proof takes.
    """
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if "forkserver" in methods:
        context.set_forkserver_preload([part.__name__ for part in PARTS])
    with ProcessPoolExecutor(os.cpu_count() or 1, context, max_tasks_per_child=1) as pool:
        yield from pool.map(work, jobs)


def prove(*, long: bool) -> Outcome:
    """Prove every theorem, and refute every planted fault."""
    chosen = sorted(theorems(long=long), key=lambda theorem: theorem.quick)  # the long ones first, so that none is last
    verdicts = list(in_turn(settle_by_name, [theorem.name for theorem in chosen]))
    failures = [f"{verdict}\n        again: {AGAIN} '{verdict.theorem}'" for verdict in verdicts if not verdict.proven]
    bites = in_turn(bite_by_number, range(len(FAULTS)))
    missed = [fault[1].harm for fault, verdict in zip(FAULTS, bites, strict=True) if not verdict.refuted]
    failures += [f"nothing refutes: {harm}; again: {AGAIN} '{harm}'" for harm in missed]
    proven, claims = sum(verdict.proven for verdict in verdicts), sum(verdict.claims for verdict in verdicts)
    paths = sum(verdict.paths for verdict in verdicts)
    return Outcome(
        "limiter",
        (
            Row(
                "theorems proven for all integers", proven, proven == len(chosen), f"{claims:,} claims, {paths:,} paths"
            ),
            Row("planted faults refuted", len(FAULTS) - len(missed), not missed, "each counterexample run on the code"),
        ),
        tuple(failures),
    )


def main(names: list[str]) -> int:
    """Each theorem and each fault on a line of its own as it is settled; those whose name has one of ``names`` in it."""
    good = True
    wanted = [name for name in names if name != "--quick"]

    def named(text: str) -> bool:
        return not wanted or any(name in text for name in wanted)

    for verdict in in_turn(
        settle_by_name, [each.name for each in theorems(long="--quick" not in names) if named(each.name)]
    ):
        good = good and verdict.proven
        print(verdict, flush=True)
    numbers = [number for number, fault in enumerate(FAULTS) if named(fault[1].harm)]
    for number, verdict in zip(numbers, in_turn(bite_by_number, numbers), strict=True):
        good = good and verdict.refuted
        print(f"planted: {FAULTS[number][1].harm} ({FAULTS[number][1].module})\n{verdict}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
