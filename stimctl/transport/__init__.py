"""Ways to a board that carry bytes: serial ports, pseudo-terminals, any pyserial URL, and memory.

Everything here is bounded: a write takes at most 20 ms, a read takes nothing, and whatever goes wrong on the way is
one error, :class:`~stimctl.errors.LinkLost`. After a disconnect pyserial raises four unrelated kinds of error,
depending on the call; nobody above this room has to know.
"""

from __future__ import annotations

from stimctl.transport.lines import ModemLines, open_lines
from stimctl.transport.link import TAIL_MAX, WRITE_MAX_S, Transport
from stimctl.transport.memory import memory_pair
from stimctl.transport.port import BAUD, open_transport

__all__ = [
    "BAUD",
    "TAIL_MAX",
    "WRITE_MAX_S",
    "ModemLines",
    "Transport",
    "memory_pair",
    "open_lines",
    "open_transport",
]
