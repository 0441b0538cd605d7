"""The words that a host says to an openEMSstim, and what its debug text can be taken for.

The board can do more. What is left out has no place here on purpose: single characters (they toggle a relay or move
the wiper without any time-out), options (they vanish at the next reset, and the hex form cannot carry them), an
intensity without a time, and a time without an intensity (the board would go on with what it remembers).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

PERCENT_MAX: Final = 100
"""More is not refused by the board: it raises the output above the window that somebody has set."""

TIME_MS_MAX: Final = 5_000
"""More is cut by the board, and from 32768 on taken for less than nothing: the relay may then stay closed for weeks."""

# --- host to board ---------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True)
class Drive:
    """Close the relay of ``channel`` (from 0) for ``time_ms`` from now, at ``percent`` of the window; then open it.

    ``percent`` is 1 to 100: there is no 0, because a board that is told 0 closes the relay all the same, with the wiper
    at a fifth of its range. Off is a relay that is open. Said again, the time begins again.
    """

    channel: int
    percent: int
    time_ms: int


@final
@dataclass(frozen=True, slots=True)
class StopAll:
    """A channel that no board has, with neither intensity nor time: most firmware opens all relays (``dialects``)."""


@final
@dataclass(frozen=True, slots=True)
class Disconnect:
    """What its Bluetooth module says when a phone has gone; on USB most firmware opens all relays, too."""


HostWord = Drive | StopAll | Disconnect

# --- board to host: debug text -----------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True)
class Ready:
    """``SETUP DONE``: the board has booted, and every relay is open."""


@final
@dataclass(frozen=True, slots=True)
class Received:
    """The board has read this text. It says nothing of what it did with it."""

    text: str


@final
@dataclass(frozen=True, slots=True)
class Trouble:
    """The board could do nothing with what it has read; its own words."""

    text: str


@final
@dataclass(frozen=True, slots=True)
class Remark:
    """Any other line."""

    text: str


BoardWord = Ready | Received | Trouble | Remark
