"""``new``, ``library`` and ``schema``: what an author of protocol files starts from."""

from __future__ import annotations

import argparse
import json

from stimctl.cli import say
from stimctl.errors import UsageError


def new(arguments: argparse.Namespace) -> int:
    """Print the template of a kind, or write it to a file that does not exist yet."""
    from stimctl.control import authoring

    text = authoring.template(arguments.kind)
    if arguments.output is None:
        say.whole(text)
        return 0
    try:
        with open(arguments.output, "x", encoding="utf-8", newline="\n") as file:  # noqa: PTH123 - "x" is the point
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{arguments.output} is there already and stays as it is; choose another name") from None
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"{arguments.output} cannot be written: {why}; choose another place") from None
    say.line(f"{arguments.output} is written; fill it in and run: stimctl check {arguments.output}")
    return 0


def library(arguments: argparse.Namespace) -> int:
    """List the shipped protocols, or print one as it stands."""
    from stimctl.control import authoring

    if arguments.name is not None:
        say.whole(authoring.library_text(arguments.name))
        return 0
    entries = authoring.library()
    widths = [
        max((len(text) for text in texts), default=0)
        for texts in zip(*((each.name, each.kind) for each in entries), strict=True)
    ]
    for each in entries:
        say.line(f"{each.name:{widths[0]}}  {each.kind:{widths[1]}}  {each.title}")
    return 0


def schema(_arguments: argparse.Namespace) -> int:
    """Print the JSON Schema."""
    from stimctl.control import authoring

    say.whole(json.dumps(authoring.schema(), indent=2, ensure_ascii=False))
    return 0
