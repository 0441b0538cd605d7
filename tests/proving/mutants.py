"""Mutation testing: every small fault in the limiter, the stop path and the decoder must make a test fail.

Usage (from the project's root, where ``tests`` can be imported)::

    python -m tests.proving.mutants                          all targets
    python -m tests.proving.mutants --module stimctl.safety  one module, or several
    python -m tests.proving.mutants --name Limiter.approve   one function or class (with what is inside)
    python -m tests.proving.mutants --id ID                  one mutant: its diff, and who kills it
    python -m tests.proving.mutants --list                   ids and edits; runs nothing
    python -m tests.proving.mutants --target limiter         one target
    python -m tests.proving.mutants --sample 3 --seed 7      a fixed choice of each target
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
import hashlib
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.proving.mutant_campaign import Campaign
from tests.proving.mutant_catalogue import difference, is_within, mutants_of, proofs, stale
from tests.proving.mutant_targets import TARGETS, Target
from tests.proving.mutant_worker import Report
from tests.proving.mutation import Mutant
from tests.proving.planting import ROOT
from tests.proving.table import Outcome, Row

WARM: Final = (
    "pytest", "_pytest.assertion.rewrite", "pytest_timeout", "hypothesis", "hypothesis.stateful", "hypothesis.strategies",
    "hypothesis.internal.conjecture.engine", "numpy", "pydantic", "serial", "tree_sitter", "tree_sitter_toml", "textual.app",
    "textual.widgets", "pyte", "asyncio", "_hypothesis_pytestplugin",
)  # fmt: skip
"""What the tests import besides stimctl; imported once, before the children are forked."""

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


# --- running ---------------------------------------------------------------------------------------------------------


def run_target(
    target: Target, chosen: Sequence[Mutant], *, workers: int, folder: Path, reckon: bool, loud: bool
) -> Tally:
    """All of one target, counted."""
    tally, entries = Tally(target.name), proofs()
    campaign = Campaign(target, chosen, workers=workers, folder=folder, reckon=reckon)
    began_s = time.monotonic()
    for done, (mutant, report) in enumerate(campaign.run(), start=1):
        tally.ends[report.end] += 1
        before = len(tally.failures)
        _note(tally, mutant, report, entries)
        if loud:
            print("".join(f"\n{failure}" for failure in tally.failures[before:]), end="", file=sys.stderr)
            _progress(tally, done, len(chosen), time.monotonic() - began_s)
            if len(chosen) == 1:
                print(f"\n{difference(mutant)}\n\n{report.end}: {report.by}")
    if campaign.red:
        tally.failures.append(f"{target.name}: {campaign.red}")
    elif sum(tally.ends.values()) != len(chosen):
        tally.failures.append(f"{target.name}: {len(chosen)} mutants, but {sum(tally.ends.values())} were run")
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
    return run(() if long else ("--sample", "3"))


def run(arguments: Sequence[str]) -> Outcome:
    """What the runner finds in a process of its own."""
    command = [sys.executable, "-m", "tests.proving.mutants", "--json", *arguments]
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
    parser.add_argument("--target", action="append", help="only this target")
    parser.add_argument("--sample", type=int, help="so many of each target, drawn by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one line of JSON at the end")
    return parser


def choose(options: argparse.Namespace) -> dict[str, tuple[Mutant, ...]]:
    """The chosen mutants by target."""
    found = {target.name: mutants_of(target) for target in TARGETS if target.name in (options.target or [target.name])}
    for name, every in found.items():
        found[name] = tuple(
            each
            for each in every
            if (not options.module or each.module in options.module)
            and (not options.name or any(is_within(each.name, name) for name in options.name))
            and (not options.id or each.id in options.id)
        )
    if options.sample:
        found = {name: drawn(every, options.sample, options.seed) for name, every in found.items()}
    return {name: every for name, every in found.items() if every}


def drawn(every: Sequence[Mutant], count: int, seed: int) -> tuple[Mutant, ...]:
    """``count`` mutants by lot. The lot hangs on each mutant's own id, so that other code does not change it."""
    lots = sorted(every, key=lambda each: hashlib.sha256(f"{seed} {each.id}".encode()).digest())
    return tuple(lots[:count])


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
        # For the children; nothing is left of it. A folder of byte code that somebody has given is kept to: it is warm.
        sys.dont_write_bytecode, sys.pycache_prefix = False, sys.pycache_prefix or folder
        tempfile.tempdir = folder
        return _run_all(options, chosen, Path(folder))


def _run_all(options: argparse.Namespace, chosen: dict[str, tuple[Mutant, ...]], folder: Path) -> int:
    for name in WARM if not options.sample and not options.id else ():
        importlib.import_module(name)
    entries = proofs()
    looked_at = [target for target in TARGETS if target.name in chosen]
    modules = {module for target in looked_at for module in target.parts}
    existing = [each for target in looked_at for each in mutants_of(target)]
    failures = stale({key: entry for key, entry in entries.items() if key.partition(":")[0] in modules}, existing)
    rows: list[Row] = []
    for target in looked_at:
        tally = run_target(
            target,
            chosen[target.name],
            workers=options.workers,
            folder=folder,
            reckon=not options.sample and not options.id,
            loud=not options.json,
        )
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
