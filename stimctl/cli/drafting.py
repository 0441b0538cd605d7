"""``preview`` and ``diff``: what a file looks like, and how it differs from another."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from typing import TYPE_CHECKING, Final

from stimctl.cli import say, writing
from stimctl.errors import ProtocolError

if TYPE_CHECKING:
    from stimctl.control.drafts import Comparison

_COLOURS: Final = {"level": say.GOOD, "limit": say.BAD, "warn": "33", "faint": say.FAINT, "strong": "1"}
_SIGNS: Final = "▁█·─╌│▶"
WIDEST: Final = 110
"""A picture does not get better by being wider."""


def preview(arguments: argparse.Namespace) -> int:
    """Draw one cycle of a protocol on the terminal, or into a file that does not exist yet."""
    from stimctl.control import drafts

    if arguments.output is not None:
        writing.new_file(arguments.output, drafts.preview_file(arguments.file, sys.stdin.buffer, arguments.output))
        say.line(f"{arguments.output} is written")
        return 0
    width = min(arguments.width or shutil.get_terminal_size().columns, WIDEST)
    text = drafts.preview_text(arguments.file, sys.stdin.buffer, width, paint, plain=not can_draw())
    say.whole(text)
    return 0


def paint(text: str, role: str) -> str:
    """``text`` in the colour of its role, where there are colours."""
    return say.paint(text, _COLOURS[role])


def can_draw() -> bool:
    """Whether standard output can take the signs that are drawn with."""
    try:
        _SIGNS.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def diff(arguments: argparse.Namespace) -> int:
    """Say how two protocols differ: 0 equal, 1 different, 2 where one of them cannot be read."""
    from stimctl.control import drafts

    try:
        found = drafts.compare(arguments.before, arguments.after, sys.stdin.buffer)
    except ProtocolError as error:
        for fault in error.faults:
            say.problem(str(fault))
        say.problem("stimctl: files with faults are not compared; mend them first")
        return 2
    if arguments.format == "json":
        say.whole(json.dumps(drafts.as_json(found), indent=2, ensure_ascii=False))
    else:
        _show(found)
    return 1 if found.changes else 0


def _show(found: Comparison) -> None:
    from stimctl.control import drafts

    if not found.changes:
        what = "are the same, byte for byte" if found.same_text else "say the same: only comments or layout differ"
        say.line(f"{found.before} and {found.after} {what}")
        return
    say.line(f"A: {found.before} -> B: {found.after}")
    for text in drafts.lines(found):
        say.line(text)
