"""``fmt``: protocol files laid out alike, with their comments, and not a word of them changed."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
import tempfile
from pathlib import Path

from stimctl.cli import say
from stimctl.errors import ProtocolError, UsageError


def fmt(arguments: argparse.Namespace) -> int:
    """Tidy every file in its place; 0 when all are tidy now, 1 when one cannot be read or, with --check, is not tidy."""
    files: list[str] = arguments.files
    if files.count("-") > 1:
        raise UsageError("standard input (-) can be tidied once; give it once")
    return max([_tidy(name, check=arguments.check) for name in files])


def _tidy(name: str, *, check: bool) -> int:
    from stimctl.control import authoring

    try:
        before, after = authoring.tidied(name, sys.stdin.buffer)
    except ProtocolError as error:
        for fault in error.faults:
            say.line(str(fault))
        return 1
    if check:
        say.verdict(name, *(("tidy", say.GOOD) if before == after else ("not tidy", say.BAD)))
        return int(before != after)
    if name == "-":
        say.whole(after)
    elif before != after:
        _replace(Path(name), after)
        say.verdict(name, "tidied", say.GOOD)
    return 0


def _replace(path: Path, text: str) -> None:
    """The file's new text, whole or not at all: a full disk or a pulled plug leaves the old one."""
    path = path.resolve()  # the file that a link leads to, not the link
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, prefix=f".{path.name}.", delete=False, encoding="utf-8", newline="\n"
        ) as file:
            temporary = Path(file.name)
            file.write(text)
        shutil.copymode(path, temporary)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
        raise UsageError(f"{path} cannot be written: {error.strerror or error}; it stays as it was") from None
