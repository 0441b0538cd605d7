"""Shows that the seeded sessions bite: each planted fault is caught by their invariants within a few seeds.

``python -m tests.proving.planted [NAME...]`` plants and hunts. Each fault grows in a child process of its own, forked
from this one, which has imported everything but the rooms in which it grows and those above them; a child that crashes
is a failed hunt and no catch.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from tests.proving.planted_faults import PLANTED, Planted
from tests.proving.planting import plant
from tests.proving.table import Outcome, Row

SEEDS_MAX: Final = 60
"""How many seeds may pass before a fault counts as missed."""

ROOMS: Final = ("sensors", "transport", "schedule", "safety", "boards.reference.update", "driver", "sim.board", "engine",
                "records.journal", "session.core", "control.running")  # fmt: skip
"""Lower rooms first: faults are hunted from the ground up, and each room is imported once its own are through."""

CONTROL: Final = 3
"""How many seeds the sound code has to pass first."""


@dataclass(frozen=True)
class Hunt:
    """What came of one: the seed that caught it and how, or why none did."""

    name: str
    seed: int | None
    said: str

    @property
    def line(self) -> str:
        """For a person."""
        return f"{self.name}: {f'seed {self.seed}' if self.seed is not None else 'NOT CAUGHT'}: {self.said}"


def sources(planted: Planted) -> dict[str, str]:
    """The changed modules' text; raises :class:`ValueError` when what is to be changed is not there any more."""
    grown: dict[str, str] = {}
    for each in planted.plants:
        text = grown.get(each.module) or each.source()
        if each.module in grown:
            each.source()  # it must stand there exactly once, too
            text = text.replace(each.old, each.new)
        grown[each.module] = text
    return grown


def warm() -> None:
    """Import what stimctl imports, so that each child has only our own modules left to import."""
    import asyncio  # noqa: F401
    import concurrent.futures  # noqa: F401
    import multiprocessing  # noqa: F401
    import sqlite3  # noqa: F401
    import subprocess  # noqa: F401
    import tempfile  # noqa: F401
    import tomllib  # noqa: F401
    import unittest.mock  # noqa: F401

    import numpy as np  # noqa: F401
    import pydantic  # noqa: F401
    import serial  # noqa: F401
    import tree_sitter  # noqa: F401
    import tree_sitter_toml  # noqa: F401


def hunt(planted: Planted, seeds: Iterable[int]) -> Hunt:
    """Fork, plant, and run seeds in the child until an invariant breaks."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        code = 1
        try:
            said = json.dumps(_grow(planted, tuple(seeds))).encode()
            os.write(writing, said)
            code = 0
        except BaseException:  # noqa: BLE001 - the child must not come back into the parent's code
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        said = answer.read()
    _, status = os.waitpid(child, 0)
    if status != 0 or not said:
        return Hunt(planted.name, None, f"its process crashed (status {status})")
    seed, what = json.loads(said)
    return Hunt(planted.name, seed, what)


def _grow(planted: Planted, seeds: tuple[int, ...]) -> tuple[int | None, str]:
    plant(sources(planted))
    from tests.proving.seeds import run

    for seed in seeds:
        result = run(seed, theme=planted.theme, until_wrong=True)
        if result.wrong:
            return seed, result.wrong[0]
    return (
        None,
        f"no invariant broke in {len(seeds)} seeds{f'; it would mean: {planted.harm}' if planted.plants else ''}",
    )


def hunt_all(wanted: Iterable[Planted], *, hints: bool = True) -> Iterator[Hunt]:
    """One after another, from the ground up; each with the seed that has caught it before, or as if none had."""
    warm()
    control = hunt(Planted("nothing", ()), range(CONTROL))
    if control.seed is not None or "crashed" in control.said:  # else every catch would be of that, and none of a plant
        raise RuntimeError(f"the sound code breaks an invariant: {control.line}")
    left = list(wanted)
    for room in ROOMS:
        grows = f"stimctl.{room.partition('.')[0]}"
        here = [each for each in left if any(_stands_in(plant.module, grows) for plant in each.plants)]
        for each in here:
            yield hunt(each, dict.fromkeys((*[each.hint] * hints, *range(SEEDS_MAX))))
        left = [each for each in left if each not in here]
        if left:
            importlib.import_module(f"stimctl.{room}")
    if left:
        raise ValueError(f"{left[0].name} grows in no room that is listed here")


def _stands_in(module: str, room: str) -> bool:
    """Whether a module belongs to a room; the envelope is the limiter's own."""
    return module.replace("stimctl.envelope", "stimctl.safety").startswith(room)


def prove(*, long: bool) -> Outcome:
    """Hunt every planted fault, in a process that has not imported stimctl; the long run without the hints."""
    import subprocess

    command = [sys.executable, "-m", "tests.proving.planted", "--json", *["--no-hints"] * long]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE)
    hunts = [Hunt(*json.loads(line)) for line in done.stdout.splitlines()]
    caught = [each for each in hunts if each.seed is not None]
    missed = tuple(each.line for each in hunts if each.seed is None)
    if len(hunts) != len(PLANTED):
        missed = (
            *missed,
            f"{len(PLANTED) - len(hunts)} planted faults were not hunted; python -m tests.proving.planted",
        )
    return Outcome(
        "planted",
        (Row("faults planted", len(PLANTED)), Row("faults caught", len(caught), len(caught) == len(PLANTED))),
        missed,
    )


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.proving.planted", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="those to plant (default: all)")
    parser.add_argument("--json", action="store_true", help="one line of JSON each")
    parser.add_argument("--no-hints", action="store_true", help="as if no seed were known to catch any of them")
    wanted = parser.parse_args(arguments)
    named = {each.name: each for each in PLANTED}
    missed = 0
    for each in hunt_all([named[name] for name in wanted.names] or PLANTED, hints=not wanted.no_hints):
        missed += each.seed is None
        print(json.dumps([each.name, each.seed, each.said]) if wanted.json else each.line, flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
