"""What becomes of a word that was said to a board that answers, more or less."""

from __future__ import annotations

from enum import Enum
from typing import final


@final
class Verdict(Enum):
    """Only :attr:`DONE` says that something was done."""

    OPEN = "not answered yet"
    DONE = "carried out, by the board's own words"
    FAILED = "not carried out"
    SILENCE = "not answered in time"
    UNCONFIRMED = "nothing was heard against it, and nothing for it"
