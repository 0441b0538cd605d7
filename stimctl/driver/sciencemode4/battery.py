"""A battery that must not end a session in its middle. The bounds are this project's."""

from __future__ import annotations

from typing import Final, final

from stimctl.boards.sciencemode4 import messages as m
from stimctl.boards.sciencemode4.results import meaning
from stimctl.units import MINUTE

LOW_PERCENT: Final = 15
"""With less nothing is begun."""

EMPTY_PERCENT: Final = 5
"""With less nothing goes on: what an output stage gives as its supply fails stands in no document."""

EVERY_US: Final = MINUTE


@final
class Battery:
    """What a board says of its battery; until it has, nothing is known."""

    def __init__(self) -> None:
        self._level: int | None = None
        self._trouble = "the board has not told how full its battery is"
        self._due_us = 0

    def is_due(self, now_us: int) -> bool:
        """Whether to ask again."""
        return now_us >= self._due_us

    def asked(self, now_us: int) -> None:
        """It was asked; whatever comes of that, the next time is in a minute."""
        self._due_us = now_us + EVERY_US

    def told(self, word: object) -> None:
        """Take an answer: a level, or a result that is an error."""
        if isinstance(word, m.Battery) and not word.result:
            self._level, self._trouble = word.level_percent, ""
            if not 0 <= word.level_percent <= 100:
                self._trouble = f"the board says that its battery is at {word.level_percent} %; have it seen to"
        elif isinstance(word, m.Battery | m.Ack):
            self._trouble = meaning(word.result).text

    @property
    def unfit_to_arm(self) -> str:
        """Why nothing may begin, or ""."""
        return self._below(LOW_PERCENT, "charge it before you begin")

    @property
    def unfit_to_go_on(self) -> str:
        """Why nothing may go on, or ""."""
        return self._below(EMPTY_PERCENT, "charge it, then clear")

    def _below(self, percent: int, what_to_do: str) -> str:
        if self._trouble:
            return self._trouble
        level = self._level or 0
        return f"the board's battery is at {level} %; {what_to_do}" if level < percent else ""
