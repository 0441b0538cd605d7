"""In which of its two levels a board is armed, and all in which a session there differs.

A level knows neither line nor state: it says what is to leave, and what an answer means. ``midlevel`` and ``lowlevel`` are the two.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple, final

from stimctl.boards.reference.messages import OutputReport
from stimctl.boards.sciencemode4 import messages as m
from stimctl.boards.sciencemode4.codes import Command
from stimctl.driver.health import Complaint
from stimctl.driver.worn import Worn
from stimctl.safety import Approved


@final
class Setting(NamedTuple):
    """Something approved that is to leave now. ``output``: for this one alone, one period of it; ``None``: all, until told otherwise."""

    name: str
    approved: Approved
    answer: Command
    output: int | None = None


@final
class Seen(NamedTuple):
    """What an answer shows of the outputs: what flows, what is wrong with one of them, or with the board (``fault``)."""

    outputs: tuple[OutputReport, ...]
    complaints: tuple[Complaint, ...] = ()
    fault: str = ""


class Level(ABC):
    """One armed session in its level, from the order to arm until the end."""

    opening: m.MlInit | m.LlInit
    """The word that arms."""
    opened: ClassVar[Command]
    """Its answer."""
    look: m.GetCurrentData | m.Bare
    """The question how an armed board is."""
    asked: int | None = None
    """The output that the newest setting was about, and so its answer is, where it was about one."""

    @abstractmethod
    def begun(self, worn: Worn) -> None:
        """The board has opened it."""

    @abstractmethod
    def next_setting(self, worn: Worn, now_us: int) -> Setting | None:
        """The newest of what was approved has its turn; what is to leave for it at once."""

    def next_pulse(self, worn: Worn, counter: int, now_us: int) -> Setting | None:  # noqa: ARG002 - a board may time its own
        """The control loop has come round, for the ``counter``-th time: the pulse that is due from this computer."""
        return None

    def due_us(self) -> int | None:
        """When the control loop is wanted for a pulse; ``None`` for none."""
        return None

    def lets_look(self, now_us: int) -> bool:  # noqa: ARG002 - the same
        """Whether there is room for a look now."""
        return True

    @property
    def lapses(self) -> bool:
        """Whether pulses stayed away while this computer was, so that nothing is gone on with."""
        return False

    @property
    def unsaid(self) -> int:
        """How many settings had their turn, and nothing of them has left."""
        return 0

    @abstractmethod
    def has_left(self, setting: Setting, worn: Worn) -> None:
        """It was written; an answer is awaited."""

    @abstractmethod
    def is_void(self, worn: Worn) -> None:
        """What was to leave has been made void, and has not."""

    @abstractmethod
    def was_taken(self, word: m.BoardWord, worn: Worn, count: int, now_us: int) -> Seen | None:
        """The board's good answer to what has left; ``count`` is how many outputs it has."""

    @abstractmethod
    def looked(self, word: m.BoardWord, worn: Worn, count: int) -> Seen | None:
        """The answer to a look; ``None`` for a word that is none."""
