"""The commands ``boards`` and ``bench`` for the parser: their options, help and examples."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from stimctl.cli import boards as listing
from stimctl.cli.drafting_parser import Add
from stimctl.cli.sim_parser import speed


def both(add: Add, **shared: Callable[..., None]) -> None:
    """``boards`` and ``bench``; ``shared`` adds, or reads, the options that other commands have as well."""
    boards(add, shared["store"], shared["form"])
    bench(add, shared["store"], shared["remote"])


def boards(add: Add, store: Callable[..., None], form: Callable[..., None]) -> None:
    """``boards [PORT...]``; ``store`` and ``form`` add the options that other commands have as well."""
    parser = add(
        "boards",
        listing.boards,
        "ports, what answers there, and what it can do",
        "stimctl boards",
        "stimctl boards p24:/dev/ttyACM0",
        "stimctl boards --format json reference:./board",
        more="Without a PORT it lists the ports of this computer and opens none. With KIND:PORT it asks there: a "
        "board is stopped and asked who it is, and never armed. Nothing is sent to a port whose kind nobody has "
        "named, but for pseudo-terminals: what is a question to one board may be an order to another. Exit code 1 "
        "when nobody answers, 2 when a port cannot be opened as it was named. See docs/boards.md.",
    )
    parser.add_argument("ports", metavar="PORT", nargs="*", help="KIND:PORT, a pseudo-terminal's path, or sim:")
    store(parser)
    form(parser)


def bench(add: Add, store: Callable[..., None], remote: Callable[..., None]) -> None:
    """``bench --board URL``."""
    parser = add(
        "bench",
        listing.bench,
        "commission a board on a dummy load: steps of current, stop, dead-man",
        "stimctl bench --board p24:/dev/ttyACM0",
        "stimctl bench --board sim: --speed max",
        more="It asks a person to confirm that nobody is connected and a load of 500 ohm is. Then, through the limiter "
        "as in every session, the current rises in steps, a stop is timed, and heartbeats are withheld until the "
        "board stops by itself. What was found is kept beside the record and shown at each start of a session. Exit "
        "code 0 when the board has passed, 1 when it has failed or the bench was not brought to its end.",
    )
    parser.add_argument("--board", metavar="URL", required=True, help="KIND:PORT, or sim:")
    parser.add_argument(
        "--output", metavar="N", type=_output, default=1, help="the output that the load is at (default: 1)"
    )
    remote(parser)
    parser.add_argument("--speed", metavar="X", type=speed, help="X times as fast as life, or max; with sim: only")
    store(parser)


def _output(text: str) -> int:
    if text.isascii() and text.isdecimal() and 1 <= len(text) <= 2 and int(text):
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not the number of an output, from 1")
