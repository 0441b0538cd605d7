"""The limiter's arithmetic, proven for all integers: ``python -m tests.proving.limiter_proof [--quick] [NAME...]``.

The functions of ``stimctl/safety.py`` and ``stimctl/envelope/`` are executed as they stand on symbolic integers
(:mod:`tests.proving.symbolic`, :mod:`tests.proving.paths`) and held against an independent specification in exact
fractions (:mod:`tests.proving.limiter_spec`). What is proven and what is assumed stands with the theorems:
:mod:`~tests.proving.limiter_trains`, :mod:`~tests.proving.limiter_places`, :mod:`~tests.proving.limiter_memory`.

Not proven here, and left to tests: that ``well_typed`` tells an int from what only looks like one (symbolic integers are
ints by definition), sharing by more than three channels, threads, and the words of refusals.
"""

from __future__ import annotations

import sys
from typing import Final

from tests.proving import limiter_memory, limiter_places, limiter_trains
from tests.proving.limiter_faults import FAULTS, Fault
from tests.proving.table import Outcome, Row
from tests.proving.theorem import Theorem, Verdict, refute
from tests.proving.theorem import prove as settle

THEOREMS: Final = {
    theorem.name: theorem
    for part in (limiter_trains, limiter_places, limiter_memory)
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


def prove(*, long: bool) -> Outcome:
    """Prove every theorem, and refute every planted fault."""
    chosen = theorems(long=long)
    verdicts = [settle(theorem) for theorem in chosen]
    failures = [f"{verdict}\n        again: {AGAIN} '{verdict.theorem}'" for verdict in verdicts if not verdict.proven]
    missed = [plant.harm for plant, verdict in ((fault[1], bite(fault)) for fault in FAULTS) if not verdict.refuted]
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
    for theorem in theorems(long="--quick" not in names):
        if not wanted or any(name in theorem.name for name in wanted):
            verdict = settle(theorem)
            good = good and verdict.proven
            print(verdict, flush=True)
    for fault in FAULTS:
        if not wanted or any(name in fault[1].harm for name in wanted):
            verdict = bite(fault)
            good = good and verdict.refuted
            print(f"planted: {fault[1].harm} ({fault[1].module})\n{verdict}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
