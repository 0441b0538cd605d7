"""The commands ``boards`` and ``bench`` for the parser: their options, help and examples."""

from __future__ import annotations

from collections.abc import Callable

from stimctl.cli import boards as listing
from stimctl.cli.drafting_parser import Add


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
