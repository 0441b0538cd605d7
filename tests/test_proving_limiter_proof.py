"""The limiter's arithmetic is proven for all integers, and a planted fault in it is refuted with integers that show it.

The everyday share; ``python3 dev.py prove`` has the rest.
"""

from __future__ import annotations

from typing import Any

import pytest
import z3

from tests.proving import paths
from tests.proving.limiter_faults import FAULTS, Fault
from tests.proving.limiter_proof import bite, theorems
from tests.proving.linear import Forms
from tests.proving.paths import Refuted, Run, Undecided, explore
from tests.proving.symbolic import Int, Unsupported, largest, least, root
from tests.proving.theorem import Study, Theorem, prove

pytestmark = pytest.mark.timeout(300)  # a hang guard: a proof takes seconds, on a busy machine many times that

QUICK = [theorem for theorem in theorems(long=False) if not theorem.name.startswith("columns")]
COLUMNS = [theorem for theorem in theorems(long=False) if theorem.name.startswith("columns")][::5]
SOME: list[Fault] = list(FAULTS[::2])


@pytest.mark.parametrize("theorem", QUICK, ids=lambda theorem: theorem.name)
def test_holds_for_all_integers(theorem: Theorem) -> None:
    verdict = prove(theorem)
    assert verdict.proven, verdict


def test_columns_say_what_the_clinical_reference_says() -> None:
    assert [str(verdict) for verdict in map(prove, COLUMNS) if not verdict.proven] == []


@pytest.mark.parametrize("fault", SOME, ids=lambda fault: fault[1].harm)
def test_a_planted_fault_is_refuted(fault: Fault) -> None:
    verdict = bite(fault)
    assert verdict.refuted, verdict


# --- the prover itself -------------------------------------------------------------------------------------------


def walk(body: Any) -> list[Run]:
    return list(explore(body, 50))


def test_every_side_of_every_question_is_taken() -> None:
    seen: set[str] = set()

    def body(run: Run) -> None:
        a, b = run.integer("a"), run.integer("b")
        seen.add("less" if a < b else "same" if a == b else "more")
        seen.add("never" if a < b < a else "")

    assert len(walk(body)) == 3
    assert seen == {"less", "same", "more", ""}


@pytest.mark.parametrize("top", [-7, -6, -1, 0, 1, 6, 7])
@pytest.mark.parametrize("below", [-3, -1, 1, 3])
def test_a_quotient_is_pythons_own(top: int, below: int) -> None:
    def body(run: Run) -> None:
        a, b = run.integer("a"), run.integer("b")
        run.assume((a == top).term)
        run.assume((b == below).term)
        run.settle("floor", (a // b == top // below).term)
        run.settle("rest", (a % b == top % below).term)
        run.settle("least", (least(a, b) == min(top, below)).term)
        run.settle("largest", (largest((a, b, 0)) == max(top, below, 0)).term)
        run.settle("size", (abs(a) == abs(top)).term)

    walk(body)


def test_errors_are_pythons_own() -> None:
    def nothing(run: Run) -> None:
        with pytest.raises(ZeroDivisionError):
            5 // (run.integer("a") - run.integer("a"))
        with pytest.raises(ValueError, match="nonnegative"):
            root(run.integer("a") * 0 - 1)

    walk(nothing)


def test_a_false_claim_is_refuted_with_integers_that_show_it() -> None:
    with pytest.raises(Refuted) as caught:
        walk(lambda run: run.settle("odd", (run.integer("a") * 2 != 14).term))
    assert caught.value.model == {"a": 7}


@pytest.mark.parametrize(
    "use",
    [float, int, hash, lambda a: a / 2, lambda a: a + 0.5, lambda a: 2**a, lambda a: a << 1, lambda a: [1][a], round],
)
def test_what_is_no_integer_arithmetic_is_never_guessed(use: Any) -> None:
    with pytest.raises(Unsupported):
        walk(lambda run: use(run.integer("a")))


def test_an_integer_outside_a_path_decides_nothing() -> None:
    made: list[Int] = []
    walk(lambda run: made.append(run.integer("a")))
    with pytest.raises(Unsupported):
        bool(made[0] > 0)


A, B = z3.Int("a"), z3.Int("b")
HERE = {A: 2, B: 3}


@pytest.mark.parametrize(
    "fact",
    [
        z3.Not(A >= B), z3.Not(B <= A), A < B, A != B, B > A, A * B == 6, 5 * A * B - A == 28, 3 * A - B == 3, B * B * A == 18, A**2 == 4,
        A + A * B <= 8, z3.Not(z3.And(A >= 3, B >= 3)), z3.Or(A == B, A * B >= 6), z3.Distinct(A, B), z3.BoolVal(True),
        B / A == 1, B % A == 1, z3.If(A < B, A, B) == 2, z3.Xor(A == 2, B == 2), z3.Implies(A > B, A == 7),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_so_stays_possible_when_it_is_relaxed(fact: Any) -> None:
    forms, solver = Forms(), z3.SolverFor("QF_LRA")
    assert z3.is_true(z3.simplify(z3.substitute(fact, *((name, z3.IntVal(at)) for name, at in HERE.items()))))
    for each in (fact, *(name == at for name, at in HERE.items())):
        solver.add(forms.relaxed(forms.normal(each)))
    assert solver.check() == z3.sat


@pytest.mark.parametrize(
    "facts",
    [
        (A < B, B < A + 1), (A * B >= 6, 2 * A * B + A <= 11, A >= 0), (3 * A - B == 3, A == 2, B == 4), (A * A * B > 6, B * A**2 <= 6), (A == 1, A != 1),
        (z3.Not(A <= B), z3.Or(A <= B, A == B)), (z3.Not(A * B >= 3), z3.Not(B * A <= 2)),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_impossible_by_sums_alone_is_so_when_it_is_relaxed(facts: tuple[Any, ...]) -> None:
    forms, solver = Forms(), z3.SolverFor("QF_LRA")
    for each in facts:
        solver.add(forms.relaxed(forms.normal(each)))
    assert solver.check() == z3.unsat


def test_too_many_paths_are_no_proof() -> None:
    def branching(run: Run) -> None:
        for number in range(6):
            bool(run.integer(f"a{number}") > 0)

    with pytest.raises(Undecided, match="paths"):
        walk(branching)


def test_a_path_without_end_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "MOST_QUESTIONS", 20)

    def endless(run: Run) -> None:
        a = run.integer("a")
        while a > 0:
            a = a - 1

    with pytest.raises(Undecided, match="questions"):
        walk(endless)


def test_code_that_differs_from_run_to_run_is_no_proof() -> None:
    turns: list[int] = []

    def body(run: Run) -> None:
        turns.append(0)
        bool(run.integer(f"a{len(turns)}") > 0)

    with pytest.raises(Unsupported, match="not the same every time"):
        walk(body)


def test_a_theorem_about_nothing_is_refused() -> None:
    def vacuous(study: Study) -> None:
        a = study.integer("a")
        if a > 0:
            study.reached("positive")
            study.assume(a < 0)
            study.claim("nonsense", a == 5)

    assert prove(Theorem("vacuous", vacuous, ("positive", "elsewhere"))).why == "nothing leads to: positive, elsewhere"
