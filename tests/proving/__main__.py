"""``python3 dev.py prove [NAME...]``: the long runs of every prover, or of those named, and one table.

Each prover runs in a process of its own, because some plant faults in modules that must not have been imported yet,
one after the other, so that none is slowed down by another. Exit 0: everything holds; 1: something does not; 2: usage.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.proving.planting import ROOT
from tests.proving.table import Outcome, Row, from_json, table, to_json

PROVERS: Final = (
    "limiter_proof",
    "seeds",
    "planted",
    "library",
    "boards",
    "closed_loop",
    "threads",
    "mutants",
    "stop_keys",
    "fuzz",
)
"""Modules of this folder, in the order in which they run: the quick ones first tell early."""


def main(argv: list[str]) -> int:
    """Run what ``argv`` names; returns the exit code."""
    parser = argparse.ArgumentParser(prog="dev.py prove", description=__doc__.partition("\n")[0])
    parser.add_argument("name", nargs="*", metavar="NAME", help=f"one of {', '.join(PROVERS)}; all without any")
    parser.add_argument("--short", action="store_true", help="the share that the everyday tests run")
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)  # one prover, in the process made for it
    wanted = parser.parse_args(argv)
    if unknown := [name for name in wanted.name if name not in PROVERS]:
        parser.error(f"there is no prover {unknown[0]!r}; there are {', '.join(PROVERS)}")
    if wanted.into:
        wanted.into.write_text(to_json(here(wanted.name[0], long=not wanted.short)), encoding="utf-8")
        return 0
    outcomes = [timed(name, long=not wanted.short) for name in wanted.name or PROVERS]
    print(table(outcomes))
    return 0 if all(each.good for each in outcomes) else 1


def timed(name: str, *, long: bool) -> Outcome:
    """One prover's outcome, and on stderr how long it took."""
    print(f"prove: {name} ...", file=sys.stderr, flush=True)
    began_s = time.monotonic()
    outcome = apart(name, long=long)
    verdict = "holds" if outcome.good else "DOES NOT HOLD"
    print(f"prove: {name} {verdict} after {time.monotonic() - began_s:.0f} s", file=sys.stderr, flush=True)
    for failure in outcome.failures:  # in the table, too; but that may be an hour away
        print(f"prove: {failure}", file=sys.stderr, flush=True)
    return outcome


def apart(name: str, *, long: bool) -> Outcome:
    """The outcome of a prover that runs in a fresh process; one that dies has failed."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "outcome.json"
        command = [sys.executable, "-m", "tests.proving", "--into", str(file), *([] if long else ["--short"]), name]
        code = subprocess.run(command, check=False, cwd=ROOT).returncode
        if file.exists():
            return from_json(file.read_text(encoding="utf-8"))
    return Outcome(name, (Row("did not finish", 1, good=False),), (f"it died with exit code {code}",))


def here(name: str, *, long: bool) -> Outcome:
    """The outcome of a prover in this process; what it raises belongs in the table, too."""
    try:
        prove: Callable[..., Outcome] = importlib.import_module(f"tests.proving.{name}").prove
        return prove(long=long)
    except Exception:  # noqa: BLE001 - whatever it was
        return Outcome(name, (Row("did not finish", 1, good=False),), (traceback.format_exc(),))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
