"""What an author sees of a file before anybody runs it: its picture, and how it differs from another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, final

from stimctl.authoring import blocks, comparison, differences, drafts, png, svg
from stimctl.authoring.comparison import Change
from stimctl.control.files import STDIN, loaded
from stimctl.errors import UsageError

__all__ = ["Comparison", "Kept", "as_json", "compare", "lines", "preview_file", "preview_text"]

SUFFIXES: Final = (".svg", ".png")
"""How a picture's file may end."""


@final
class Comparison(NamedTuple):
    """How two files differ. ``same_text``: byte for byte; without ``changes`` they differ in comments or layout alone."""

    before: str
    after: str
    same_text: bool
    changes: tuple[Change, ...]


Kept = str | bytes
"""A picture to be written to a file."""


def preview_text(name: str, stdin: IO[bytes], width: int, paint: Callable[[str, str], str], *, plain: bool) -> str:
    """The picture of a file for a terminal of ``width`` columns; ``plain``: of ASCII alone."""
    signs = blocks.PLAIN if plain else blocks.BLOCKS
    text = blocks.drawn(drafts.drawn(_draft(name, stdin)), width, paint, signs)
    return text.translate(_ASCII) if plain else text


def preview_file(name: str, stdin: IO[bytes], output: str) -> Kept:
    """The picture of a file as what ``output`` ends in; raises :class:`UsageError` for another ending."""
    suffix = Path(output).suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"{output or repr(output)}: a picture's name ends in {' or '.join(SUFFIXES)}")
    document = svg.svg(drafts.drawn(_draft(name, stdin)))
    return document if suffix == ".svg" else png.png(document)


def compare(before: str, after: str, stdin: IO[bytes]) -> Comparison:
    """Compare two files, or names of the library; raises :class:`ProtocolError` for one with faults."""
    if before == after == STDIN:
        raise UsageError("standard input (-) can be one of the two; give the other a name")
    one, other = loaded(before, stdin), loaded(after, stdin)
    changes = differences.differences(drafts.draft(one), drafts.draft(other))
    return Comparison(one.name, other.name, one.sha256 == other.sha256, changes)


def lines(found: Comparison) -> tuple[str, ...]:
    """The changes in words."""
    return tuple(comparison.lines(found.changes))


def as_json(found: Comparison) -> dict[str, Any]:
    """The same for a program."""
    changes = [each._asdict() for each in found.changes]
    same = {"same_text": found.same_text, "equal": not found.changes}
    return {"before": found.before, "after": found.after, **same, "changes": changes}


_ASCII: Final = str.maketrans({"µ": "u", "²": "2", "…": "..", "–": "-", "—": "-"})


def _draft(name: str, stdin: IO[bytes]) -> drafts.Draft:
    return drafts.draft(loaded(name, stdin))
