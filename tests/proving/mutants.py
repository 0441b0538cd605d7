"""Mutation testing: every small fault in the limiter, the stop path and the decoder must make a test fail.

Usage (from the project's root, where ``tests`` can be imported)::

    python -m tests.proving.mutants                          all targets
    python -m tests.proving.mutants --module stimctl.safety  one module, or several
    python -m tests.proving.mutants --name Limiter.approve   one function or class (with what is inside)
    python -m tests.proving.mutants --id ID                  one mutant: its diff, and who kills it
    python -m tests.proving.mutants --list                   ids and edits; runs nothing
    python -m tests.proving.mutants --sample 15 --seed 7     a fixed choice of all
    python -m tests.proving.mutants --workers 4

Survivors are listed with their diffs at the end, and the exit status says whether there were any. One that cannot be
killed because it changes nothing needs its proof in ``equivalent.toml``::

    [[equivalent]]
    id = "stimctl.driver.line:Line.stop:delete:0123abcd:0"
    mutant = "old -> new"
    proof = "Why no caller can see a difference."

An entry whose mutant no longer exists, or that a test kills after all, fails. What is mutated, and which tests have to
notice, stands in :mod:`tests.proving.mutant_targets`; how, in :mod:`tests.proving.mutation`.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import importlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from tests.proving.mutant_pool import Pool
from tests.proving.mutant_targets import ALL, TARGETS, Target
from tests.proving.mutant_worker import TEST_CPU_S, Report, Task, plain_name
from tests.proving.mutation import MODULE, Mutant, members_of_enums, mutants
from tests.proving.planting import ROOT, path_of
from tests.proving.table import Outcome, Row

EQUIVALENT: Final = Path(__file__).with_name("equivalent.toml")
WARM: Final = (
    "pytest", "_pytest.assertion.rewrite", "pytest_timeout", "hypothesis", "hypothesis.stateful", "hypothesis.strategies",
    "hypothesis.internal.conjecture.engine", "numpy", "pydantic", "serial", "tree_sitter", "tree_sitter_toml", "textual.app",
    "textual.widgets", "pyte", "asyncio", "_hypothesis_pytestplugin",
)  # fmt: skip
"""What the tests import besides stimctl; imported once, before the children are forked."""

CPU_LEAST_S: Final = 5
"""CPU time, in s, that every test may take, beside twice what the slowest one takes while being traced."""

KILLED: Final = frozenset({"test", "import", "timeout"})


@dataclass
class Tally:
    """How the mutants of one target ended."""

    target: str
    ends: Counter[str] = field(default_factory=Counter)
    equivalent: int = 0
    failures: list[str] = field(default_factory=list)

    def rows(self) -> list[Row]:
        """The target's lines of the table."""
        survived = self.ends["green"] - self.equivalent
        killed = sum(self.ends[end] for end in KILLED)
        imports = f"{self.ends['import']} as the module was imported"
        return [
            Row(f"{self.target}: mutants", sum(self.ends.values())),
            Row(f"{self.target}: killed", killed - self.ends["timeout"], remark=imports if self.ends["import"] else ""),
            Row(f"{self.target}: timed out", self.ends["timeout"]),
            Row(f"{self.target}: proven equivalent", self.equivalent),
            Row(f"{self.target}: surviving", survived, good=not survived),
            Row(f"{self.target}: failed runs", self.ends["crash"], good=not self.ends["crash"]),
        ]


# --- what there is ---------------------------------------------------------------------------------------------------


@cache
def _mutants(module: str) -> tuple[Mutant, ...]:
    return mutants(module, path_of(module).read_bytes(), _enums())


@cache
def _enums() -> dict[str, tuple[str, ...]]:
    return members_of_enums([ast.parse(path.read_bytes()) for path in sorted((ROOT / "stimctl").rglob("*.py"))])


@cache
def _functions(module: str) -> dict[str, bool]:
    """Every function (true) and class (false) of a module by its qualified name."""
    return dict(_names(ast.parse(path_of(module).read_bytes())))


def mutants_of(target: Target) -> tuple[Mutant, ...]:
    """All mutants of a target; raises :class:`ValueError` for a name that its module does not have."""
    found = []
    for module, names in target.parts.items():
        every, known = _mutants(module), {MODULE, *_functions(module)}
        if names != ALL and not set(names) <= known:
            raise ValueError(f"{module} has no {', '.join(sorted(set(names) - known))}; see mutant_targets.py")
        found += [each for each in every if names == ALL or any(is_within(each.name, name) for name in names)]
    return tuple(found)


def is_within(name: str, whole: str) -> bool:
    """Whether ``name`` is ``whole`` or something inside it."""
    return name == whole or name.startswith(f"{whole}.")


def _names(tree: ast.AST, before: str = "") -> Iterator[tuple[str, bool]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield before + node.name, not isinstance(node, ast.ClassDef)
            yield from _names(node, f"{before}{node.name}.")
        else:
            yield from _names(node, before)


def proofs(path: Path = EQUIVALENT) -> dict[str, dict[str, str]]:
    """The equivalent mutants by id, each with its text and its proof."""
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("equivalent", []) if path.exists() else []
    return {entry["id"]: entry for entry in entries}


def stale(entries: dict[str, dict[str, str]], existing: Sequence[Mutant]) -> list[str]:
    """What is wrong with the entries, in sentences: a mutant that is no more, or another one, or no proof."""
    by_id = {mutant.id: mutant for mutant in existing}
    wrong = []
    for number, entry in entries.items():
        mutant = by_id.get(number)
        if mutant is None:
            wrong.append(f"{EQUIVALENT.name}: there is no mutant {number} (any more)")
        elif entry.get("mutant") != mutant.text:
            wrong.append(f"{EQUIVALENT.name}: {number} is now {mutant.text!r}")
        elif len(entry.get("proof", "").split()) < 5:
            wrong.append(f"{EQUIVALENT.name}: {number} has no proof")
    return wrong


def difference(mutant: Mutant) -> str:
    """The mutant as a unified diff."""
    data = path_of(mutant.module).read_bytes()
    old, new = data.decode().splitlines(), mutant.source(data).splitlines()
    name = str(path_of(mutant.module).relative_to(ROOT))
    return "\n".join(difflib.unified_diff(old, new, name, f"{name} (mutant)", n=2, lineterm=""))


# --- running ---------------------------------------------------------------------------------------------------------


class Campaign:
    """All chosen mutants of one target. Tests that never enter a mutant's function are not run for it."""

    def __init__(self, target: Target, chosen: Sequence[Mutant], pool: Pool, *, reckon: bool = True) -> None:
        self.target, self.chosen = target, chosen
        self._pool, self._reckon = pool, reckon
        self._files = tuple(f"tests/{name}.py" for name in target.tests)
        self._reach: dict[str, set[str]] = {}
        self._seconds: dict[str, float] = {}
        self._killers: dict[str, Counter[str]] = defaultdict(Counter)
        self._every: set[str] = set()

    def start(self) -> str:
        """Run everything without a mutant; what is wrong, or nothing when all is green."""
        task = Task({}, self._files, tracing=True)
        for _, report in self._pool.map(iter([(None, task)])):
            if report.end != "green":
                return f"{self.target.name}: without any mutant, {report.by} ({report.end})"
            self._seconds, self._every = report.seconds, set(report.seconds)
            for test, names in report.reach.items():
                for name in names:
                    self._reach.setdefault(name, set()).add(test)
        return ""

    def run(self) -> Iterator[tuple[Mutant, Report]]:
        """Run every mutant."""
        for mutant, report in self._pool.map((each, self._task(each)) for each in self.chosen):
            if report.end in ("test", "timeout") and report.by in self._every:
                self._killers[mutant.name][report.by] += 1
                self._killers[mutant.module][report.by] += 1
            yield mutant, report

    def check_killers(self, killers: set[str]) -> str:
        """For runs that did not begin with everything: those who killed must be green without a mutant."""
        files = tuple(each for each in self._files if any(killer.startswith(each) for killer in killers))
        for _, report in self._pool.map(iter([(None, Task({}, files, only=frozenset(killers)))])):
            if report.end != "green":
                return f"{self.target.name}: without any mutant, {report.by} ({report.end})"
        return ""

    def _task(self, mutant: Mutant) -> Task:
        source = mutant.source(path_of(mutant.module).read_bytes())
        near = self._near(mutant) if self._reckon else None
        files = self._files
        if near is not None:
            files = tuple(each for each in files if any(test.startswith(f"{each}::") for test in near))
        cpu_s = TEST_CPU_S if not self._seconds else CPU_LEAST_S + int(2 * max(self._seconds.values()))
        return Task({mutant.module: source}, files, self._order(mutant, near or set()), near, cpu_s=cpu_s)

    def _near(self, mutant: Mutant) -> frozenset[str] | None:
        """The tests that enter the mutant's function; all of them where it stands outside, or ran at an import."""
        reached = self._reach.get(f"{mutant.module}:{plain_name(mutant.name)}")
        if reached is None:
            return frozenset() if _functions(mutant.module).get(mutant.name) else None
        return None if "" in reached else frozenset(reached)

    def _order(self, mutant: Mutant, near: set[str] | frozenset[str]) -> tuple[str, ...]:
        """Who killed in this function before, who in this module, then the quick ones."""
        known = [name for name, _ in self._killers[mutant.name].most_common(8)]
        known += [name for name, _ in self._killers[mutant.module].most_common(4)]
        rest = sorted(near or self._every, key=lambda test: self._seconds.get(test, 0.0))
        return tuple(dict.fromkeys([*known, *rest]))


def run_target(target: Target, chosen: Sequence[Mutant], pool: Pool, *, reckon: bool, loud: bool) -> Tally:
    """All of one target, counted."""
    tally, entries = Tally(target.name), proofs()
    campaign = Campaign(target, chosen, pool, reckon=reckon)
    red = campaign.start() if reckon else ""
    if red:
        tally.failures.append(red)
        return tally
    killers, began_s = set(), time.monotonic()
    for done, (mutant, report) in enumerate(campaign.run(), start=1):
        tally.ends[report.end] += 1
        _note(tally, mutant, report, entries)
        if report.end in ("test", "timeout") and "::" in report.by:
            killers.add(report.by)
        if loud:
            _progress(tally, done, len(chosen), time.monotonic() - began_s)
            if len(chosen) == 1:
                print(f"\n{difference(mutant)}\n\n{report.end}: {report.by}")
    if not reckon and killers:
        tally.failures += filter(None, [campaign.check_killers(killers)])
    return tally


def _note(tally: Tally, mutant: Mutant, report: Report, entries: dict[str, dict[str, str]]) -> None:
    again = f"python -m tests.proving.mutants --id {mutant.id}"
    if report.end == "green" and mutant.id in entries:
        tally.equivalent += 1
    elif report.end == "green":
        tally.failures.append(f"survives: {again}\n    line {mutant.line}, {mutant.name}: {mutant.text}")
    elif report.end == "crash":
        tally.failures.append(f"failed run, not a kill: {again}\n{report.by}")
    elif mutant.id in entries:
        tally.failures.append(f"proven equivalent, but killed by {report.by}: {again}")


def _progress(tally: Tally, done: int, of: int, seconds: float) -> None:
    words = ", ".join(f"{count} {end}" for end, count in sorted(tally.ends.items()))
    end = "\n" if done == of or (not sys.stderr.isatty() and done % 50 == 0) else "\r"
    if end == "\n" or sys.stderr.isatty():
        print(f"{tally.target}: {done}/{of} in {seconds:.0f} s: {words}", end=end, file=sys.stderr, flush=True)


# --- the door --------------------------------------------------------------------------------------------------------


def prove(*, long: bool) -> Outcome:
    """All mutants, or a small fixed sample; in a process of its own, which has not imported stimctl."""
    command = [sys.executable, "-m", "tests.proving.mutants", "--json"]
    command += [] if long else ["--sample", "15", "--seed", "1"]
    ran = subprocess.run(command, cwd=ROOT, env=_environment(), stdout=subprocess.PIPE, text=True, check=False)
    try:
        found = json.loads(ran.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return Outcome("mutants", (), (f"the runner ended with {ran.returncode}; run {' '.join(command[1:])}",))
    return Outcome("mutants", tuple(Row(**row) for row in found["rows"]), tuple(found["failures"]))


def _environment() -> dict[str, str]:
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_", "COVERAGE_"))}
    return {**kept, "PYTHONPATH": os.pathsep.join(paths), **_SETTLED}


_SETTLED: Final = {
    "OPENBLAS_NUM_THREADS": "1",  # no threads in a process that forks
    "PYTHONHASHSEED": "0",  # or the order in sets of words would differ from run to run
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.proving.mutants", description="Mutation testing.")
    parser.add_argument("--module", action="append", help="only this module")
    parser.add_argument("--name", action="append", help="only this function or class")
    parser.add_argument("--id", action="append", help="only this mutant")
    parser.add_argument("--list", action="store_true", help="list the mutants, and run none")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sample", type=int, help="so many of all, chosen by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one line of JSON at the end")
    return parser


def choose(options: argparse.Namespace) -> dict[str, tuple[Mutant, ...]]:
    """The chosen mutants by target."""
    found = {target.name: mutants_of(target) for target in TARGETS}
    for name, every in found.items():
        found[name] = tuple(
            each
            for each in every
            if (not options.module or each.module in options.module)
            and (not options.name or any(is_within(each.name, name) for name in options.name))
            and (not options.id or each.id in options.id)
        )
    if options.sample:
        everything = [each.id for every in found.values() for each in every]
        drawn = set(random.Random(options.seed).sample(everything, min(options.sample, len(everything))))
        found = {name: tuple(each for each in every if each.id in drawn) for name, every in found.items()}
    return {name: every for name, every in found.items() if every}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; returns 0 if nothing survives."""
    options = _parser().parse_args(arguments)
    chosen = choose(options)
    if options.list:
        for mutant in (each for every in chosen.values() for each in every):
            print(f"{mutant.id}\n    line {mutant.line}: {mutant.text}")
        return 0
    if any(os.environ.get(name) != value for name, value in _SETTLED.items()):
        os.execve(sys.executable, [sys.executable, "-m", "tests.proving.mutants", *sys.argv[1:]], _environment())
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        sys.dont_write_bytecode, sys.pycache_prefix = False, folder  # for the children; nothing is left of it
        return _run_all(options, chosen)


def _run_all(options: argparse.Namespace, chosen: dict[str, tuple[Mutant, ...]]) -> int:
    for name in WARM:
        importlib.import_module(name)
    every = [each for target in TARGETS for each in mutants_of(target)]
    failures, rows = stale(proofs(), every), []
    reckon = not options.sample and not options.id
    for target in TARGETS:
        if target.name in chosen:
            pool = Pool(options.workers)
            tally = run_target(target, chosen[target.name], pool, reckon=reckon, loud=not options.json)
            rows += tally.rows()
            failures += tally.failures
    return _tell(Outcome("mutants", tuple(rows), tuple(failures)), as_json=options.json)


def _tell(outcome: Outcome, *, as_json: bool) -> int:
    if as_json:
        rows = [row.__dict__ for row in outcome.rows]
        print(json.dumps({"rows": rows, "failures": outcome.failures}))
    else:
        for failure in outcome.failures:
            print(f"\n{failure}")
        for row in outcome.rows:
            print(f"{row.what:40} {row.count:>7,}  {'ok' if row.good else 'NO'}  {row.remark}".rstrip())
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
