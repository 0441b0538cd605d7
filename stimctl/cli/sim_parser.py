"""The command ``sim`` for the parser: its options, help and examples."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Final

from stimctl.cli import running
from stimctl.cli.drafting_parser import Add

BOARDS: Final = ("reference", "p24", "rehamove3", "rehastim2", "openemsstim", "neurostimduino", "uecu")
"""The boards that have a twin, for the help; the simulator has the last word."""


def sim(add: Add, seed: Callable[[str], int]) -> None:
    """``sim BOARD``; ``seed`` reads one."""
    parser = add(
        "sim",
        running.sim,
        "a board's twin with a simulated patient, on a pseudo-terminal",
        "stimctl sim reference --link ./board",
        "stimctl run wrist.toml --board reference:./board     (in another terminal)",
        "stimctl sim p24 --link ./p24             (and your own script opens ./p24)",
        "stimctl sim openemsstim --variant dev",
        more="It speaks the board's own bytes, for any client to open, until Ctrl+C, and keeps the board's time-outs, "
        "errors and faults. Started again with the same --seed, or without one, it is the same board: a session finds "
        "it again, as after a power cut. docs/simulator.md tells what each twin does.",
    )
    parser.add_argument("board", metavar="BOARD", choices=BOARDS, help=f"which board: {', '.join(BOARDS)}")
    parser.add_argument("--link", metavar="PATH", help="make this link to the pseudo-terminal")
    parser.add_argument("--seed", metavar="N", type=seed, help="the simulated patient's seed, and the board's serial")
    parser.add_argument(
        "--variant", metavar="NAME", help="openemsstim: its firmware; neurostimduino: its version, 1, 2 or 3"
    )


def speed(text: str) -> float:
    """How many times as fast as life, or infinity for ``max``."""
    if text == "max":
        return math.inf
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if 0.1 <= speed <= 1_000:
        return speed
    raise argparse.ArgumentTypeError(f"{text!r} is not max or a number from 0.1 to 1000")
