"""Every shipped file on the twins of other boards: to its end, or refused before the start with the reason.

``python3 dev.py prove boards`` flies each file whole on the boards that time their pulses themselves, if it listens to nobody;
one that does is brief, and hears a recording. On boards that are given each train or pulse all are brief, and on RehaMove3,
which has the P24's driver. Record and review are held to what the twin knows to have flowed (:mod:`tests.flown`). Which files a board has to refuse, and in which words,
is pinned by the everyday tests; they fly brief copies of some.

openEMSstim is not among them: behind it is one unit with one rate and one width, so that it refuses nearly every file.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Final, NamedTuple

from stimctl.errors import UsageError
from stimctl.protocols import library
from tests import flown
from tests.proving.library import cores
from tests.proving.table import Outcome, Row

WHOLE: Final = ("sim:p24", "sim:rehastim2")
BRIEF: Final = ("sim:rehamove3", "sim:neurostimduino", "sim:uecu")
BOARDS: Final = (*WHOLE, *BRIEF)
FEW: Final = (
    *(
        "exercise-make-a-fist",
        "thenar-cyclic",
        "thumb-extensors-cyclic",
        "power-grasp-ulnar-sequence",
        "demonstration-emg",
    ),
    *("tens-conventional-forearm", "tens-burst-forearm", "tens-acupuncture-like-forearm"),
)
"""What a short run flies on the boards of :data:`BRIEF`: a pulse by a pulse takes long."""

SEED: Final = 1
REASONS: Final = (" cannot give this protocol: ", " needs output ", "this board has no EMG input")
"""How a file is refused that a board cannot express; whatever can hear a recording is given one."""


class Flight(NamedTuple):
    """What came of one file on one board: why it was refused, or what was wrong."""

    refused: str
    faults: tuple[str, ...]


def flight(name: str, board: str, *, brief: bool = False) -> Flight:
    """Fly a shipped file on a board, with a recording where it listens. What it raises but a refusal is a fault."""
    listens = flown.listens(name)
    with tempfile.TemporaryDirectory() as folder:
        emg = flown.attempts(Path(folder)) if listens else ""
        try:
            run = flown.fly(name, SEED, Path(folder), brief=brief or listens, board=board, emg=emg)
            return Flight("", tuple(flown.faults(run)))
        except UsageError as error:
            known = any(reason in str(error) for reason in REASONS)
            return Flight(str(error), () if known else (f"refused: {error}",))
        except Exception:  # noqa: BLE001 - whatever it was
            return Flight("", (traceback.format_exc(),))


def prove(*, long: bool) -> Outcome:
    """Fly all of them; plans are made of files that are flown anyhow. Not ``long``: brief copies, and of some boards few.

    Where a change is checked (``CI``) all are brief: whole, they keep two quiet processors for a quarter of an hour.
    """
    whole = long and not os.environ.get("CI")
    names = [entry.name for entry in library() if entry.kind != "plan"]
    jobs = [(name, board, not whole or board in BRIEF) for board in BOARDS for name in names]
    if not long:
        jobs = [job for job in jobs if job[1] in WHOLE or job[0] in FEW]
    with multiprocessing.get_context("spawn").Pool(cores()) as pool:
        flights = list(zip(jobs, pool.starmap(_job, jobs, chunksize=1), strict=True))
    failures = tuple(
        f"{name} on {board}: {fault}; again: -m tests.proving.boards {name} {board}"
        for (name, board, _), each in flights
        for fault in each.faults
    )
    rows = []
    for board in BOARDS:
        mine = [each for (_, on, _), each in flights if on == board]
        good = not any(each.faults for each in mine)
        given = sum(not each.refused for each in mine)
        rows.append(Row(f"shipped files on {board} that run to their end", given, good))
        rows.append(Row("... that it refuses before the start, with the reason", len(mine) - given, good))
    return Outcome("boards", tuple(rows), failures)


def _job(name: str, board: str, brief: bool) -> Flight:
    return flight(name, board, brief=brief)


def main(argv: list[str]) -> int:
    """Fly one file on one board, and say what came of it."""
    parser = argparse.ArgumentParser(prog="tests.proving.boards", description=__doc__.partition("\n")[0])
    parser.add_argument("name", choices=[entry.name for entry in library()], metavar="FILE")
    parser.add_argument("board", choices=BOARDS)
    parser.add_argument("--brief", action="store_true", help="with less of its dose")
    wanted = parser.parse_args(argv)
    found = flight(wanted.name, wanted.board, brief=wanted.brief)
    print("\n".join(found.faults) or found.refused or "record, review and twin agree")
    return int(bool(found.faults))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
