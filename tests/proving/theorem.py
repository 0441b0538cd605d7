"""Theorems about code: stated once, proven on symbolic integers, and run again on plain ones wherever they fail.

A statement is an ordinary function that asks for integers, runs code on them and claims things about what came out. It
is executed twice in different ways: with symbolic integers along every path, where a claim has to be proven, and with
plain integers, where a claim is simply looked at. The second way confirms a counterexample, and shows that places which
a statement says it ``reached`` are not impossible: a theorem about nothing is refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.proving.limiter_world import World, load
from tests.proving.paths import Abandoned, Refuted, Run, Undecided, explore
from tests.proving.symbolic import Unsupported, truth_term


class Study(Protocol):
    """What a statement works with."""

    world: World

    def integer(self, name: str, least: int | None = None) -> Any:
        """Any integer, or any from ``least`` on."""

    def assume(self, fact: Any) -> None:
        """From here on, look only at integers for which this holds."""

    def claim(self, label: str, fact: Any) -> None:
        """This holds, whatever the integers are."""

    def note(self, label: str, fact: Any) -> None:
        """The same, and it may be used from here on: a step on the way to a claim."""

    def multiply(self, *factors: Any) -> None:
        """Claim that none of the factors is negative, and use that no product of the first ones is, either."""

    def square(self, root: Any) -> None:
        """Use that a square is not negative."""

    def reached(self, label: str) -> None:
        """Some integers lead here; shown by running the code on them."""


@dataclass(frozen=True)
class Theorem:
    """A statement with a name; ``reaches`` are the places that it must have reached."""

    name: str
    statement: Callable[[Study], None]
    reaches: tuple[str, ...] = ()
    quick: bool = True  # whether the everyday tests prove it too
    most_paths: int = 2_000


@dataclass
class Verdict:
    """What became of a theorem: ``why`` is empty when it is proven."""

    theorem: str
    paths: int = 0
    claims: int = 0
    seconds: float = 0.0
    why: str = ""
    refuted: bool = False
    counterexample: dict[str, int] = field(default_factory=dict)

    @property
    def proven(self) -> bool:
        return not self.why

    def __str__(self) -> str:
        mark = "proven " if self.proven else "REFUTED" if self.refuted else "FAILED "
        text = f"{mark} {self.theorem:40} {self.paths:5} paths {self.claims:6} claims {self.seconds:7.1f} s"
        found = ", ".join(f"{name} = {value}" for name, value in self.counterexample.items() if value)
        return text + (f"\n        {self.why}; {found or 'all integers 0'}" if self.why else "")


class _Symbolic:
    """A study on one path."""

    def __init__(self, world: World, run: Run, found: _Found, pinned: Mapping[str, int]) -> None:
        self.world, self._run, self._found, self._pinned = world, run, found, pinned

    def integer(self, name: str, least: int | None = None) -> Any:
        if name in self._pinned:
            return self._pinned[name]
        value = self._run.integer(name)
        if least is not None:
            self._run.know((value >= least).term)
        return value

    def assume(self, fact: Any) -> None:
        self._run.assume(truth_term(fact))

    def claim(self, label: str, fact: Any) -> None:
        self._found.claims += 1
        self._run.settle(label, truth_term(fact))

    def note(self, label: str, fact: Any) -> None:
        self.claim(label, fact)
        self._run.know(truth_term(fact))

    def multiply(self, *factors: Any) -> None:
        product: Any = 1
        for number, factor in enumerate(factors):
            self.claim(f"a step of the proof, factor {number} is not negative", factor >= 0)
            product = product * factor
            self._run.know(truth_term(product >= 0))

    def square(self, root: Any) -> None:
        self._run.know(truth_term(root * root >= 0))

    def reached(self, label: str) -> None:
        if label not in self._found.examples:
            example = self._run.example()
            if example is not None:
                self._found.examples[label] = example


class _Plain:
    """A study on given integers; those that are not given are 0."""

    def __init__(self, world: World, given: dict[str, int]) -> None:
        self.world, self._given = world, given
        self.places: set[str] = set()

    def integer(self, name: str, least: int | None = None) -> int:
        value = self._given.get(name, 0)
        return value if least is None else max(value, least)

    def assume(self, fact: Any) -> None:
        if not fact:
            raise Abandoned

    def claim(self, label: str, fact: Any) -> None:
        if not fact:
            raise Refuted(label, self._given)

    note = claim

    def multiply(self, *factors: Any) -> None:
        for number, factor in enumerate(factors):
            self.claim(f"a step of the proof, factor {number} is not negative", factor >= 0)

    def square(self, root: Any) -> None:
        pass  # plain integers need no telling

    def reached(self, label: str) -> None:
        self.places.add(label)


@dataclass
class _Found:
    """What all paths of a theorem found together."""

    claims: int = 0
    examples: dict[str, dict[str, int]] = field(default_factory=dict)


def prove(theorem: Theorem) -> Verdict:
    """Prove a theorem of the code as it is."""
    return _study(theorem, load(), {})


def refute(theorem: Theorem, planted: Mapping[str, str], pinned: Mapping[str, int]) -> Verdict:
    """Look for a counterexample with faults planted in the code, among integers of which some are pinned down."""
    return _study(theorem, load(planted), pinned)


def _study(theorem: Theorem, world: World, pinned: Mapping[str, int]) -> Verdict:
    """Walk every path of the statement."""
    verdict, began, found = Verdict(theorem.name), time.perf_counter(), _Found()
    try:
        for _ in explore(lambda run: theorem.statement(_Symbolic(world, run, found, pinned)), theorem.most_paths):
            verdict.paths += 1
        verdict.why = _vacuous(theorem, world, found)
    except Refuted as refuted:
        verdict.why, verdict.counterexample = f"not so: {refuted.claim}", {**pinned, **refuted.model}
        verdict.refuted = _confirms(theorem, world, refuted.claim, verdict.counterexample)
        if not verdict.refuted:
            verdict.why += " (which running the code on these integers does not confirm)"
    except (Undecided, Unsupported, Exception) as failure:  # noqa: BLE001 - whatever else comes out is no proof
        verdict.why = f"{type(failure).__name__}: {failure}"
    verdict.claims, verdict.seconds = found.claims, time.perf_counter() - began
    return verdict


def _confirms(theorem: Theorem, world: World, claim: str, integers: dict[str, int]) -> bool:
    """Whether the counterexample is one when the code runs on it."""
    try:
        theorem.statement(_Plain(world, integers))
    except Refuted as again:
        return again.claim == claim
    except Abandoned:
        return False
    return False


def _vacuous(theorem: Theorem, world: World, found: _Found) -> str:
    """The places that the theorem speaks of and that no integers led to; empty if there are none."""
    missing = []
    for label in theorem.reaches:
        study = _Plain(world, found.examples.get(label, {}))
        try:
            theorem.statement(study)
        except (Abandoned, Refuted):
            study.places.clear()
        if label not in found.examples or label not in study.places:
            missing.append(label)
    return f"nothing leads to: {', '.join(missing)}" if missing else ""
