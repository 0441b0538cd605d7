"""What NeuroStimDuino's sketch makes of a line: for its twin. Nothing is checked here that is not checked there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, final

_INTEGER: Final = re.compile(r"\s*([+-]?\d{1,18})")
_DECIMAL: Final = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+))")


@final
@dataclass(frozen=True, slots=True)
class Line:
    """The first word of a line, and the others."""

    command: str
    arguments: tuple[str, ...]


def read(text: str) -> Line | None:
    """Words between single blanks; ``None`` for a line without any."""
    words = [word for word in text.split(" ") if word]
    return Line(words[0], tuple(words[1:])) if words else None


def integer(word: str) -> int:
    """The number that ``word`` begins with, and 0 for what is none."""
    found = _INTEGER.match(word)
    return int(found[1]) if found else 0


def decimal(word: str) -> float:
    """The decimal number that ``word`` begins with, and 0 for what is none."""
    found = _DECIMAL.match(word)
    return float(found[1]) if found else 0.0


def steps(milliamps: float) -> int:
    """What the sketch sends the board: rounded to the nearer step, halves up."""
    return int(milliamps / 0.24 + 0.5)
