"""Walks every path of code that runs on symbolic integers, and proves claims on each of them.

A run takes one side of every question that the code asks and notes the other, so that :func:`explore` ends only when
every side of every question was taken.

Why this is sound: a side is left out only if z3 proves that it contradicts what was assumed and asked before it;
"unknown" counts as possible. Quotients, roots, least and largest values become fresh integers with their defining
inequalities, which have exactly one solution for all integers but a divisor of zero and a radicand below it; there, what
Python raises is raised. A claim holds only when z3 says "unsat" to its opposite; "unknown" is :class:`Undecided`, which
is a failure. A limit counts solver steps and no time, so that a slow machine comes to the same end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import z3

from tests.proving.linear import Forms
from tests.proving.symbolic import Int, Unsupported, walked

SIDE_STEPS: Final = 200_000
"""Solver steps for asking whether a side of a question is possible at all; running out counts as possible."""

QUICK_STEPS: Final = 200_000
"""Solver steps for a claim in which products are only names; running out leaves it to what knows more."""

CLAIM_STEPS: Final = 3_000_000
EXAMPLE_STEPS: Final = 30_000_000
"""Solver steps for a claim with nonlinear arithmetic, and for another try that is better at examples; running out of
both is a failure."""

MOST_QUESTIONS: Final = 1_000
"""Longest path: a loop that a symbolic integer ends need not end."""


class Undecided(BaseException):
    """z3 neither proved a claim nor found a counterexample."""


class Refuted(BaseException):
    """A claim is false: ``model`` gives the integers for which it is."""

    def __init__(self, claim: str, model: dict[str, int]) -> None:
        super().__init__(claim)
        self.claim, self.model = claim, model


class Abandoned(BaseException):
    """This path contradicts what is assumed."""


@dataclass
class Run:
    """One execution: the sides taken, and what is therefore known."""

    taken: list[tuple[Any, bool]]
    forms: Forms
    known: list[Any] = field(default_factory=list)
    asked: int = 0
    open_sides: list[list[tuple[Any, bool]]] = field(default_factory=list)
    integers: dict[str, Any] = field(default_factory=dict)
    _quotients: dict[tuple[int, int], tuple[Int, Any, Any]] = field(default_factory=dict)
    _roots: dict[int, tuple[Int, Any]] = field(default_factory=dict)
    _made: int = 0

    def __post_init__(self) -> None:
        self._quick = z3.SimpleSolver()
        # Products are names here and no more: quick, and what is impossible even so is impossible.
        self._quick.set("arith.nl", False)
        self._relaxed = z3.SolverFor("QF_LRA")
        self._relaxed.set("rlimit", QUICK_STEPS)
        self._late: list[Any] = []

    def know(self, fact: Any, *, early: bool = True) -> None:
        """Add to what is known; unless ``early``, for claims that cannot be settled without it (it costs much)."""
        fact = self.forms.normal(fact)
        self.known.append(fact)
        if early:
            tell(self._quick, fact)
            tell(self._relaxed, self.forms.relaxed(fact))
        else:
            self._late.append(self.forms.relaxed(fact))

    def assume(self, fact: Any) -> None:
        """Add to what is known; the path ends here when that is impossible."""
        self.know(fact)
        if self._impossible(z3.BoolVal(True), SIDE_STEPS):
            raise Abandoned

    def _impossible(self, fact: Any, steps: int) -> bool:
        """Whether this contradicts what is known, as far as a quick look tells; False says nothing."""
        if self._relaxed.check(self.forms.relaxed(fact)) == z3.unsat:
            return True
        self._quick.set("rlimit", steps)
        return bool(self._quick.check(fact) == z3.unsat)

    def _impossible_late(self, fact: Any) -> bool:
        """Whether all that is known, the late facts too, contradicts this even when relaxed."""
        self._relaxed.push()
        self._relaxed.add(*self._late)
        answer = self._relaxed.check(self.forms.relaxed(fact))
        self._relaxed.pop()
        return bool(answer == z3.unsat)

    def fresh(self, name: str) -> Int:
        """An integer that nothing is known of."""
        self._made += 1
        return Int(z3.Int(f"{name}!{self._made}"))

    def integer(self, name: str) -> Int:
        """The input of this name."""
        return Int(self.integers.setdefault(name, z3.Int(name)))

    def decide(self, question: Any) -> bool:
        """Take a side: the one that was taken before, the only possible one, or yes (and no in a later run)."""
        question = self.forms.normal(question)
        if z3.is_true(question) or z3.is_false(question):
            return bool(z3.is_true(question))
        self.asked += 1
        if self.asked > MOST_QUESTIONS:
            raise Undecided(f"more than {MOST_QUESTIONS} questions on one path")
        if self.asked <= len(self.taken):
            asked, side = self.taken[self.asked - 1]
            if not asked.eq(question):
                raise Unsupported(f"the code asked {asked} before and {question} now: it is not the same every time")
        else:
            side = self._choose(question)
            self.taken.append((question, side))
        self.know(question if side else z3.Not(question))
        return side

    def _choose(self, question: Any) -> bool:
        yes = not self._impossible(question, SIDE_STEPS)
        no = not self._impossible(self.forms.normal(z3.Not(question)), SIDE_STEPS)
        if not yes and not no:
            raise Abandoned  # what is known was impossible already
        if yes and no:
            self.open_sides.append([*self.taken, (question, False)])
        return yes

    def quotient(self, numerator: Int, denominator: Int) -> Int:
        """Python's floor division, with its error."""
        if denominator == 0:
            raise ZeroDivisionError("integer division or modulo by zero")
        # Held before their numbers are asked for: the number of a term that is gone is given to another.
        top, below = self.forms.normal(numerator.term), self.forms.normal(denominator.term)
        key = (top.get_id(), below.get_id())
        if key not in self._quotients:
            found, rest = self.fresh("quotient"), self.fresh("rest")
            inside = (rest >= 0) & (rest < denominator) if denominator > 0 else (rest <= 0) & (rest > denominator)
            self.know((found * denominator + rest == numerator).term)
            self.know(inside.term)
            self._quotients[key] = (found, top, below)
        return self._quotients[key][0]

    def root(self, radicand: Int) -> Int:
        """The whole square root, with its error."""
        if radicand < 0:
            raise ValueError("isqrt() argument must be nonnegative")
        under = self.forms.normal(radicand.term)
        if under.get_id() not in self._roots:
            found = self.fresh("root")
            self.know(((found >= 0) & (found * found <= radicand) & (radicand <= found * found + 2 * found)).term)
            self._roots[under.get_id()] = (found, under)
        return self._roots[under.get_id()][0]

    def settle(self, label: str, claim: Any) -> None:
        """Prove a claim here, or raise :class:`Refuted` or :class:`Undecided`."""
        opposite = self.forms.normal(z3.Not(claim))
        if z3.is_false(opposite) or self._impossible_late(opposite) or self._impossible(opposite, QUICK_STEPS):
            return
        for solver in full_solvers(self.known):
            answer = solver.check(opposite)
            if answer == z3.sat:
                raise Refuted(label, self.values(solver.model()))
            if answer == z3.unsat:
                return
        raise Undecided(f"{label}: neither proven nor refuted")

    def example(self) -> dict[str, int] | None:
        """Integers that lead here, if z3 finds some."""
        for solver in full_solvers(self.known):
            if solver.check() == z3.sat:
                return self.values(solver.model())
        return None

    def values(self, model: Any) -> dict[str, int]:
        """The inputs in a model; what it leaves open is 0."""
        return {name: model.eval(each, model_completion=True).as_long() for name, each in self.integers.items()}


def tell(solver: Any, fact: Any) -> None:
    """``solver.add`` of a single fact; that one spends more time on asking what it was given than the solver needs."""
    z3.Z3_solver_assert(solver.ctx.ref(), solver.solver, fact.as_ast())


def full_solvers(known: Iterable[Any]) -> Iterator[Any]:
    """Solvers with nonlinear arithmetic that know this much: one that is quick to prove, one that finds examples."""
    for solver, steps in ((z3.SimpleSolver(), CLAIM_STEPS), (z3.SolverFor("QF_NIA"), EXAMPLE_STEPS)):
        solver.set("rlimit", steps)
        solver.add(*known)
        yield solver


def explore(body: Callable[[Run], None], most_paths: int) -> Iterator[Run]:
    """Run ``body`` along every path; what it raises comes through. Each run is given out after it has ended."""
    waiting: list[list[tuple[Any, bool]]] = [[]]
    forms, paths = Forms(), 0
    while waiting:
        paths += 1
        if paths > most_paths:
            raise Undecided(f"more than {most_paths} paths")
        run = Run(waiting.pop(), forms)
        walked.append(run)
        try:
            body(run)
        except Abandoned:
            continue
        finally:
            walked.pop()
            waiting += run.open_sides
        yield run
