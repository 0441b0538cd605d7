"""Where ScienceMode 3 (RehaMove3) says less than ScienceMode 4 (P24); the bytes of both are the same otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from stimctl.boards.sciencemode4.codes import Command, Selection


@final
@dataclass(frozen=True, slots=True, eq=False)  # there are two, and each is itself: cheap to look up by
class Dialect:
    """What one version of the language has bits for."""

    title: str
    channels: int
    quarter_ms: bool
    """Whether a period has a bit that says that it counts quarters of a millisecond, and not halves."""
    measures: bool
    """Whether the low level can measure, and its answer says what was measured, and at which socket."""
    stop_all: bool
    """Whether Ml_init can ask that an error on one channel stops all."""
    selections: frozenset[int]
    """What Ml_get_current_data can ask for."""
    silent: frozenset[int]
    """Commands and answers that this version does not know."""

    @property
    def sockets(self) -> int:
        """Each socket has four channels."""
        return self.channels // 4


SCIENCEMODE_4: Final = Dialect("ScienceMode 4", 8, True, True, True, frozenset(Selection), frozenset())
SCIENCEMODE_3: Final = Dialect(
    *("ScienceMode 3", 4, False, False, False),
    frozenset({Selection.ELECTRODES_4}),
    frozenset({Command.GET_EXTENDED_VERSION, Command.GET_EXTENDED_VERSION_ACK}),
)
