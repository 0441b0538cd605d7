"""The one question that waits for its answer at a board that speaks a language of its own."""

from __future__ import annotations

from typing import Final, NamedTuple, final

from stimctl.units import MS

ANSWER_US: Final = 100 * MS
"""F.3: an answer that has not come by then is missing. Stops and what turns a high voltage on take longer."""


@final
class Question(NamedTuple):
    """A command on its way. ``answer`` is the command number of its answer, under the same ``number``."""

    name: str
    number: int
    answer: int
    sent_us: int
    patience_us: int = ANSWER_US
    again: bool = False
    """It was asked before, and not answered."""
    setting: bool = False
    """It changes what the board does, so that it is never said again; all others only ask how the board is."""
