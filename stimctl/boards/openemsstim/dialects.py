"""Six firmwares that answer to one name and take different texts; ``probe`` tells them apart.

Which text stops which of them was read in their sources, and no text stops all: see :data:`Dialect.stop`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, final

from stimctl.boards.openemsstim.words import Disconnect, StopAll


@final
class Form(Enum):
    """How a text is written on USB."""

    PLAIN = "plain"
    HEX = "hex"
    """As the text that the Bluetooth module would write: ``WV,``, a handle, the text in hex, one more character."""


@final
@dataclass(frozen=True, slots=True)
class Dialect:
    """One firmware: how it wants to be spoken to, how many channels it has, and the word that opens its relays at once.

    ``stop`` is ``None`` where no text does; the shortest pulse at the lowest step is then the only way
    (``stopping``).
    """

    name: str
    form: Form
    channels: int
    stop: StopAll | Disconnect | None


MASTER_2017: Final = Dialect("master since January 2017, or v1.0", Form.HEX, 2, StopAll())
DEV: Final = Dialect("branch dev", Form.PLAIN, 2, Disconnect())
MULTIPLEXER: Final = Dialect("branch multiplexer", Form.PLAIN, 2, None)
SIMPLE_MULTIPLEXER: Final = Dialect("branch simple-multiplexer", Form.PLAIN, 4, StopAll())
MASTER_2016: Final = Dialect("master of 2016, or UIST2016", Form.PLAIN, 2, StopAll())
FABBING: Final = Dialect("branch fabbing", Form.PLAIN, 2, StopAll())

DIALECTS: Final = (MASTER_2017, DEV, MULTIPLEXER, SIMPLE_MULTIPLEXER, MASTER_2016, FABBING)
