"""``new``, ``library`` and ``schema``: what an author of protocol files starts from."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import TypeAlias

from stimctl.cli import say, writing
from stimctl.errors import UsageError

Run: TypeAlias = Callable[[argparse.Namespace], int]
"""What runs a command."""


def new(arguments: argparse.Namespace) -> int:
    """Print the template of a kind, or write it to a file that does not exist yet."""
    from stimctl.control import authoring

    text = authoring.template(arguments.kind)
    if arguments.output is None:
        say.whole(text)
        return 0
    writing.new_file(arguments.output, text)
    say.line(f"{arguments.output} is written; fill it in and run: stimctl check {arguments.output}")
    return 0


def library(arguments: argparse.Namespace) -> int:
    """List the shipped protocols, print one as it stands, or copy it into a new file."""
    from stimctl.control import authoring

    if arguments.name is None:
        if arguments.output is not None or arguments.copy:
            raise UsageError("which one is to be copied? stimctl library NAME -o FILE")
        return _listed(arguments)
    if arguments.kind or arguments.stage or arguments.search:
        raise UsageError("--kind, --stage and --search choose from the list; with NAME there is nothing to choose")
    text = authoring.library_text(arguments.name)
    output = arguments.output or (f"{arguments.name}.toml" if arguments.copy else None)
    if output is None:
        say.whole(text)
        return 0
    writing.new_file(output, text)
    say.line(f"{output} is written; change it and run: stimctl check {output}")
    return 0


def _listed(arguments: argparse.Namespace) -> int:
    from stimctl.control import authoring

    entries = authoring.chosen(kind=arguments.kind, stage=arguments.stage, words=arguments.search or "")
    if not entries:
        say.problem("stimctl: no shipped protocol fits; stimctl library lists all")
        return 1
    rows = [(each.name, each.kind, each.stages_text, each.title) for each in entries]
    rows.insert(0, ("NAME", "KIND", "STAGE", "TITLE"))
    widths = [max(map(len, texts)) for texts in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        say.line("  ".join(cells).rstrip())
    return 0


def schema(_arguments: argparse.Namespace) -> int:
    """Print the JSON Schema."""
    from stimctl.control import authoring

    say.whole(json.dumps(authoring.schema(), indent=2, ensure_ascii=False))
    return 0
