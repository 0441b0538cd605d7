"""What every model of a file is made of: strict, frozen, nothing unknown; and the head that every kind has."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict

from stimctl.protocols.checks import Exactly, Listing, Quantity, Words

_STAGES: Final = Listing(Quantity("", 1, 3, "recovery stages", whole=True), 1, 3, "a list of different stages, 1 to 3")
_SOURCES: Final = Listing(Words(300), 1, 20, "a list of 1 to 20 different texts")


def as_tuple(value: Any) -> Any:
    """A TOML array is a list; strict models take a tuple. Nothing else is let through by this."""
    return tuple(value) if type(value) is list else value


class Strict(BaseModel):
    """Nothing unknown, nothing converted, nothing changed afterwards.

    A validator is made when the first file of its kind is read: a process reads one or two kinds of all that there are.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", defer_build=True)


class OneLine(Strict):
    """A table that is written on one line, in braces."""


class Head(Strict):
    """What every kind has: what it is, and where it comes from."""

    format: Annotated[int, Exactly(1, "is not a format of protocol files that this version reads")]
    """Version of the file format."""
    title: Annotated[str, Words(80)]
    """Short name, shown in lists."""
    purpose: Annotated[str, Words(800, lines=True)]
    """What the protocol is for, in plain language, shown to the operator before the start."""
    sources: Annotated[tuple[str, ...], _SOURCES]
    """Where the parameters come from: trial, manual, guideline or the prescriber; at least one."""
    stages: Annotated[tuple[int, ...], _STAGES] | None = None
    """Recovery stages for which it is meant: 1 none or a trace of movement, 2 some, 3 good; absent: for any."""
