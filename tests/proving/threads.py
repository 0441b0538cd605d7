"""A stop from another thread at every yield point of everything that the control loop does.

First one pre-emption: the loop is held before each of its lines in turn, the stop runs to its end, the loop goes on.
Then two: the stop, too, is held before each of its own lines, until the loop has finished. Further two stops at once; a
stop that does not get the lock in time; and instruction by instruction, as a seed says. A place that fails is repeated by

    python -m tests.proving.threads --operation X --at I,J

Every operation has a process of its own, in which the session is brought to its place once; each interleaving then runs
in a copy of that process, which begins from the very same state.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.proving.planting import ROOT, path_of, plant
from tests.proving.races import LOOP_RACES, RACES
from tests.proving.table import Outcome, Row
from tests.proving.turns import ASKING, KEY, Turns, plan, tried

if TYPE_CHECKING:
    from tests.proving.operations import Operation

SHORT_S: Final = 300
"""By then one operation's everyday share is done on the busiest machine."""

ENDINGS: Final = "endings"
"""The stop thread beside the control loop that looks for a reason to end."""

WORST: Final = 12
"""Failures of one operation that are told."""


@dataclass
class Tally:
    """What the interleavings of one operation showed."""

    points: int = 0
    runs: int = 0
    bad: int = 0
    failures: list[str] = field(default_factory=list)

    def json(self) -> list[Any]:
        """As JSON values."""
        return [self.points, self.runs, self.bad, self.failures]


# --- in the operation's own process -------------------------------------------------------------------------------


def examine(operation: Operation, *, long: bool) -> Tally:
    """All interleavings of one operation, or the everyday share of them."""
    from tests.proving.bench import Bench
    from tests.proving.interleaving import placed

    bench: Bench = placed(operation)
    tally = Tally()
    points, _, _ = tried(bench, operation, Turns())
    tally.points = points[0]
    for turns in plan(operation.name, points[0], points[1], long=long):
        _, where, wrong = tried(bench, operation, turns, thorough=turns.at[1] == 0)
        tally.runs += 1
        tally.bad += bool(wrong)
        if wrong and len(tally.failures) < WORST:
            tally.failures.append(
                f"{'; '.join(wrong)} ({where[0] if where else 'no turn'}); {turns.command(operation.name)}"
            )
    return tally


# --- beside it ----------------------------------------------------------------------------------------------------


def child(*words: str) -> Any:
    """What a process of our own says on its last line; raises :class:`RuntimeError` when it dies."""
    environment = {**os.environ, "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.proving.threads", "--json", *words],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode not in (0, 1) or not done.stdout:
        raise RuntimeError(f"{' '.join(words)}: exit code {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def prove(*, long: bool) -> Outcome:
    """All operations, and the planted races."""
    rows, failures, runs_in_all, points_in_all = [], [], 0, 0
    names = child("--list")
    extra = ["--long"] if long else []
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # of processes: each thread only waits for its own
        # The long ones first, and the short races last: no core is left with a long one at the end.
        running = {
            name: pool.submit(child, "--operation", name, *extra)
            for name in sorted(names, key=lambda name: name not in KEY)
        }
        hunted = {race.name: pool.submit(is_caught, race.name) for race in (*RACES, *LOOP_RACES)}
        tallies = [running[name].result()[name] for name in names]
        missed = [name for name, found in hunted.items() if not found.result()]
    for name, (points, runs, bad, told) in zip(names, tallies, strict=True):
        remark = f"{points} yield points; {bad} violations" if points else f"{bad} violations"
        rows.append(Row(f"stop during {name}", runs, good=not bad, remark=remark))
        failures += told
        runs_in_all, points_in_all = runs_in_all + runs, points_in_all + points
    remark = f"{len(names)} operations, {points_in_all} yield points"
    rows.append(Row("interleavings in all", runs_in_all, good=not failures, remark=remark))
    rows.append(Row("races planted and caught", len(hunted) - len(missed), good=not missed, remark=", ".join(missed)))
    return Outcome("threads", tuple(rows), tuple(failures))


def is_caught(race: str) -> bool:
    """Whether a planted race is found."""
    return bool(child("--planted", race)[race][2])


def _planted(name: str) -> Tally:
    """Plant a race, then look where it should show."""
    race = next(one for one in (*RACES, *LOOP_RACES) if one.name == name)
    plant({race.plant.module: race.plant.source()})
    if race in LOOP_RACES:
        return _endings()
    from tests.proving.operations import BY_NAME

    return hunt(BY_NAME[race.shows_in], race.plant.module)


def hunt(operation: Operation, module: str) -> Tally:
    """Look for a race that was planted in ``module`` until it shows, first where the loop runs through that module."""
    from tests.proving.apart import apart
    from tests.proving.baton import planned
    from tests.proving.interleaving import Manner, interleave, placed

    bench, tally = placed(operation), Tally()
    points, _, _ = tried(bench, operation, Turns())
    places = apart(lambda: interleave(bench, operation, planned({}), Manner()).places)
    here = [at for at, file in enumerate(places, 1) if file == str(path_of(module))]
    for turns in _hunting(here, points):
        _, _, wrong = tried(bench, operation, turns, thorough=False)
        tally.runs += 1
        if wrong:
            tally.bad, tally.failures = 1, [f"{'; '.join(wrong)}; {turns.command(operation.name)}"]
            break
    return tally


def _hunting(here: list[int], points: list[int]) -> Iterator[Turns]:
    own = range(1, ASKING)
    yield from (Turns((at, 0), impatient=impatient) for at in here for impatient in (False, True))
    yield from (Turns((1, held)) for held in own)
    yield from (Turns((1, held), asks=True) for held in own)
    yield from (Turns((1, held), stops=2) for held in own)
    yield from (Turns((at, 0)) for at in range(1, points[0] + 1))
    yield from (Turns((at, held)) for at in range(1, points[0] + 1, 7) for held in range(1, points[1] + 1))


def _endings() -> Tally:
    from tests.proving.endings import examine_all

    runs, wrong = examine_all()
    return Tally(0, runs, len(wrong), wrong[:WORST])


# --- the command ----------------------------------------------------------------------------------------------------


def main(argv: list[str]) -> int:
    """Run what ``argv`` names; 0: nothing wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.proving.threads", description="A stop at every yield point.")
    parser.add_argument("--list", action="store_true", help="name the operations")
    parser.add_argument("--operation", metavar="X", nargs="+", default=[])
    parser.add_argument("--at", metavar="I,J", help="where the loop and the stop are held; J 0: nowhere")
    parser.add_argument("--seed", type=int, default=0, help="instruction by instruction, by this seed")
    parser.add_argument("--impatient", action="store_true", help="the stop does not get the lock in time")
    parser.add_argument("--asks", action="store_true", help="the stop thread asks first whether output may be on")
    parser.add_argument("--stops", type=int, choices=(1, 2), default=1)
    parser.add_argument("--planted", metavar="RACE", help="plant a race, and look for it")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--json", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="threads-") as tempfile.tempdir:
        return _obey(parser, given)


def _obey(parser: argparse.ArgumentParser, given: argparse.Namespace) -> int:
    """What the words ask for; whatever is written meanwhile goes when it is done."""
    if given.planted:
        return _say({given.planted: _planted(given.planted).json()}, given.json)
    from tests.proving.operations import BY_NAME

    if given.list:
        print(json.dumps([*BY_NAME, ENDINGS]) if given.json else "\n".join([*BY_NAME, ENDINGS]))
        return 0
    if unknown := set(given.operation) - {*BY_NAME, ENDINGS}:
        parser.error(f"there is no operation {unknown.pop()!r}")
    if not (given.at or given.seed):
        tallies = {name: _examined(name, long=given.long) for name in given.operation or (*BY_NAME, ENDINGS)}
        return _say(tallies, given.json)
    loop, _, own = (given.at or "0,0").partition(",")
    turns = Turns((int(loop), int(own or 0)), given.seed, given.impatient, given.stops, given.asks)
    return _say({given.operation[0]: repeat(BY_NAME[given.operation[0]], turns).json()}, given.json)


def _examined(name: str, *, long: bool) -> list[Any]:
    """One operation's tally, from a copy of this process: a bench changes what it is built of, for good."""
    from tests.proving.apart import apart
    from tests.proving.operations import BY_NAME

    if name == ENDINGS:
        return _endings().json()
    tally: list[Any] = apart(lambda: examine(BY_NAME[name], long=long).json(), deadline_s=0 if long else SHORT_S)
    return tally


def repeat(operation: Operation, turns: Turns) -> Tally:
    """One interleaving, with every turn that was taken."""
    from tests.proving.interleaving import placed

    points, where, wrong = tried(placed(operation), operation, turns)
    return Tally(points[0], 1, len(wrong), [*wrong, *where])


def _say(tallies: dict[str, list[Any]], as_json: bool) -> int:
    if as_json:
        print(json.dumps(tallies))
    else:
        for name, (points, runs, bad, told) in tallies.items():
            print(f"{name}: {points} yield points, {runs} interleavings, {bad} wrong", *told, sep="\n  ")
    return int(any(bad for _, _, bad, _ in tallies.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
