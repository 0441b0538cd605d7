"""Whether an openEMSstim still reads what it is told: it prints every line that it has read, and nothing else tells.

An echo confirms no output. One that is missing may be noise; two in a row are a link that is lost.
"""

from __future__ import annotations

from collections import deque
from typing import Final, final

from stimctl.boards.openemsstim.words import BoardWord, Ready, Received, Trouble
from stimctl.units import MS

ECHO_US: Final = 300 * MS
MISSED_MAX: Final = 2
_OWED_MAX: Final = 64
_FULL: Final = "Full Command:"
"""How ``simple-multiplexer`` echoes."""


@final
class Echoes:
    """What was written, and whether it was read. :attr:`why` says what is wrong, once something is, and stays."""

    def __init__(self) -> None:
        self.why = ""
        self._owed: deque[tuple[str, int]] = deque(maxlen=_OWED_MAX)
        self._missed = 0

    @property
    def due_us(self) -> int | None:
        """When the oldest echo that is owed is overdue."""
        return self._owed[0][1] if self._owed else None

    def wrote(self, data: bytes, now_us: int) -> None:
        """So many lines were written; each is owed an echo."""
        for line in data.decode("ascii", "replace").split("\n"):
            if line.strip():
                self._owed.append((line.strip(), now_us + ECHO_US))

    def hear(self, word: BoardWord) -> None:
        """One line of the board's. An echo that is not the oldest that is owed means that those before it were lost."""
        if isinstance(word, Ready):
            self._blame("the openEMSstim has booted again: all relays are open, and all that was set is forgotten")
        elif isinstance(word, Trouble):
            self._blame(f"the openEMSstim could do nothing with what it was told: {word.text[:60]!r}")
        elif isinstance(word, Received):
            self._settle(word.text)
        elif word.text.startswith(_FULL):
            self._settle(word.text.removeprefix(_FULL).strip())

    def advance(self, now_us: int) -> None:
        """Time goes on."""
        while self._owed and self._owed[0][1] <= now_us:
            self._owed.popleft()
            self._miss()

    def _settle(self, text: str) -> None:
        if all(text != owed for owed, _ in self._owed):
            self._blame(f"the openEMSstim has read what it was not told: {text[:60]!r}")
            return
        while self._owed.popleft()[0] != text:
            self._miss()
        self._missed = 0

    def _miss(self) -> None:
        self._missed += 1
        if self._missed >= MISSED_MAX:
            self._blame(
                "the openEMSstim does not read any more what it is told; its relays open when their time is over"
            )

    def _blame(self, why: str) -> None:
        self.why = self.why or why
