"""Questions that wait for their answers, each for at most 100 ms."""

from __future__ import annotations

from typing import Final, NamedTuple, final

from stimctl.boards.reference import messages as m
from stimctl.units import MS

ANSWER_US: Final = 100 * MS
"""F.3: an answer that has not come by then is missing."""


@final
class Question(NamedTuple):
    """A command or request on its way. ``last_try``: without an answer to this one, the link is lost."""

    word: m.HostWord | None  # None for an update: what it says is not said twice
    frame: bytes
    sent_us: int
    last_try: bool = False

    @property
    def name(self) -> str:
        """What a person reads when the answer is missing or no."""
        return "UPDATE" if self.word is None else type(self.word).__name__.upper()


class Exchange:
    """All open questions by sequence, oldest first."""

    def __init__(self) -> None:
        self._open: dict[int, Question] = {}

    def ask(self, sequence: int, question: Question) -> None:
        """Wait for an answer to ``sequence``."""
        self._open[sequence] = question

    def answered(self, sequence: int) -> Question | None:
        """The question under ``sequence``, now closed; ``None`` for an answer that nobody waits for (any more)."""
        return self._open.pop(sequence, None)

    def is_open(self, kind: type[m.HostWord]) -> bool:
        """Whether a question of this kind waits."""
        return any(type(question.word) is kind for question in self._open.values())

    def overdue(self, now_us: int) -> tuple[tuple[int, Question], ...]:
        """Take out and return what should have been answered by now."""
        if not self._open:
            return ()
        late = tuple((key, one) for key, one in self._open.items() if now_us - one.sent_us >= ANSWER_US)
        for sequence, _ in late:
            del self._open[sequence]
        return late

    def forget(self) -> None:
        """Wait for nothing any more."""
        self._open.clear()
