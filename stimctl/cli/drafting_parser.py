"""The commands ``preview``, ``diff`` and ``library`` for the parser: their options, help and examples."""

from __future__ import annotations

import argparse
from typing import Protocol

from stimctl.cli import authoring, drafting


class Add(Protocol):
    """What makes a command's parser: its name, what runs it, its one line, examples, and longer words."""

    def __call__(
        self, name: str, run: authoring.Run, does: str, *examples: str, more: str = ""
    ) -> argparse.ArgumentParser:
        """The parser of a new command."""


def preview(add: Add) -> None:
    """``preview FILE``."""
    parser = add(
        "preview",
        drafting.preview,
        "a picture of one cycle: envelope, phases, limits, charge, duty and dose",
        "stimctl preview wrist.toml",
        "stimctl preview wrist.toml -o wrist.svg",
        more="On the terminal, or into a new file: SVG, or PNG with the package stimctl[png]. A name that stimctl"
        " library lists will do as well. Nothing is checked against the limits' every rule: that is stimctl check.",
    )
    parser.add_argument("file", metavar="FILE", help="a protocol file, a shipped one's name, or - for standard input")
    parser.add_argument("-o", "--output", metavar="FILE", help="write it here: a name in .svg or .png")
    parser.add_argument("--width", metavar="N", type=_width, help="columns (default: the terminal's, at most 110)")


def diff(add: Add) -> None:
    """``diff A B``."""
    parser = add(
        "diff",
        drafting.diff,
        "how two protocols differ, the clinical side first",
        "stimctl diff before.toml after.toml",
        "stimctl diff wrist-finger-extensors-cyclic mine.toml --format json",
        more="Exit code 0 when they say the same, 1 when they differ, 2 when one cannot be read.",
    )
    parser.add_argument("before", metavar="A", help="a protocol file, a shipped one's name, or - for standard input")
    parser.add_argument("after", metavar="B", help="the same")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json")


def library(add: Add) -> None:
    """``library [NAME]``."""
    parser = add(
        "library",
        authoring.library,
        "the protocols that come with stimctl, or one of them to copy",
        "stimctl library",
        "stimctl library --kind fes-cyclic --search wrist",
        "stimctl library wrist-finger-extensors-cyclic -o mine.toml",
        more="An existing file is never overwritten.",
    )
    parser.add_argument("name", metavar="NAME", nargs="?", help="print this one")
    parser.add_argument("--kind", metavar="KIND", help="only protocols of this kind")
    parser.add_argument(
        "--stage", metavar="N", type=int, choices=(1, 2, 3), help="only those for this stage of recovery, 1 to 3"
    )
    parser.add_argument("--search", metavar="WORDS", help="only those whose title, purpose or muscles have these words")
    parser.add_argument("-o", "--output", metavar="FILE", help="copy NAME into this new file")
    parser.add_argument("--copy", action="store_true", help="copy NAME into a new file NAME.toml here")


def _width(text: str) -> int:
    if text.isascii() and text.isdecimal() and 40 <= int(text) <= 400:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of columns from 40 to 400")
