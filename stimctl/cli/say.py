"""What reaches the user: plain lines, never a control character, colour only where it is seen and wanted."""

from __future__ import annotations

import os
import sys
from typing import Final, TextIO

from stimctl.errors import StimctlError

GOOD: Final = "32"
BAD: Final = "31"
FAINT: Final = "2"

_BAR: Final = 24
"""Cells of a progress bar."""


def settle_streams() -> None:
    """Let every character out, whatever the terminal's encoding: what it cannot show becomes an escape.

    A stream that was closed before we began (``>&-``, or a service without a terminal) is one to nowhere, and takes the
    stream's own number: a file that is opened later must not come to stand where output is expected.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - it stays open
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def harmless(text: str) -> str:
    """``text`` with its control characters spelt out: a file's name or contents must not steer the terminal."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def line(text: str = "", stream: TextIO | None = None) -> None:
    """One line, at once, on standard output unless told otherwise.

    Raises ``BrokenPipeError`` when its reader has gone and :class:`StimctlError` when it cannot be written.
    """
    _write(harmless(text) + "\n", stream or sys.stdout)


def whole(text: str) -> None:
    """A text of ours as it stands, newlines included, such as a protocol file or JSON."""
    _write(text if text.endswith("\n") else text + "\n", sys.stdout)


def problem(text: str) -> None:
    """One line about what went wrong, on standard error; nowhere left to say it is not an error any more."""
    try:
        _write(harmless(text) + "\n", sys.stderr)
    except (OSError, StimctlError):
        pass


def _write(text: str, stream: TextIO) -> None:
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StimctlError(f"the output cannot be written: {error.strerror or error}") from None


def paint(text: str, colour: str) -> str:
    """``text`` in a colour when standard output is a terminal that has them and ``NO_COLOR`` is not set.

    Colour never stands alone: the word itself says the same.
    """
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty()
    return text if plain else f"\x1b[{colour}m{text}\x1b[0m"


def verdict(name: str, word: str, colour: str, rest: str = "") -> None:
    """``name: word: rest``, with the word in its colour."""
    tail = f": {harmless(rest)}" if rest else ""
    _write(f"{harmless(name)}: {paint(word, colour)}{tail}\n", sys.stdout)


class Progress:
    """A bar on standard error for long work; silent unless that is a terminal."""

    def __init__(self, what: str) -> None:
        self._what, self._shown = what, -1
        self._on = sys.stderr.isatty()

    def __call__(self, done: int, total: int) -> None:
        """Show ``done`` of ``total``; cheap when nothing would change."""
        filled = _BAR * done // max(total, 1)
        if self._on and filled != self._shown:
            self._shown = filled
            bar = "#" * filled + "." * (_BAR - filled)
            self._draw(f"\r{self._what} [{bar}] {done} of {total}")

    def clear(self) -> None:
        """Take the bar away, so that the next line stands alone."""
        if self._on and self._shown >= 0:
            self._shown = -1
            self._draw("\r\x1b[K")

    @staticmethod
    def _draw(text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:
            pass
