"""Bytes on the line of every ScienceMode: how a frame begins and ends, and how its content is kept apart from that.

A frame is ``START``, a head, a body, ``STOP``. Each byte of the head goes as ``81`` and its value XOR ``55``; in the body
only the three bytes that mean something go so. Source: ScienceMode 2 protocol 1.24, section 2.2; ScienceMode 3
protocol 3.2.4; the C library of ScienceMode 4, commit 0cb1201.
"""

from __future__ import annotations

import re
from typing import Final

START: Final = b"\xf0"
STOP: Final = b"\x0f"
ESCAPE: Final = b"\x81"
KEY: Final = 0x55
"""What an escaped byte is XORed with. The key itself is never escaped, nor is ``0A`` (one peer does both)."""

BREAK: Final = STOP + STOP
"""Ends whatever half frame stands in the line: the first byte may be swallowed by a dangling escape, the second ends it.

Written before a stop it lets the stop be heard wherever a frame before it was torn off: the vendor's own C library
miscounts a frame after a second start byte, and then loses the good one. A board that is between frames skips it.
"""

XOR_KEY: Final = bytes(byte ^ KEY for byte in range(256))
"""For ``bytes.translate``."""

STUFFED: Final = [ESCAPE + bytes((byte ^ KEY,)) for byte in range(256)]
"""Every byte as it stands in a head."""

_STUFFED_START: Final = STUFFED[START[0]]
_STUFFED_STOP: Final = STUFFED[STOP[0]]
_STUFFED_ESCAPE: Final = STUFFED[ESCAPE[0]]
_PAIR: Final = re.compile(rb"\x81(.)", re.DOTALL)


def stuff(body: bytes) -> bytes:
    """``body`` as it goes on the line."""
    # The escape first: the other two bring new ones in.
    return body.replace(ESCAPE, _STUFFED_ESCAPE).replace(START, _STUFFED_START).replace(STOP, _STUFFED_STOP)


def unstuff(wire: bytes) -> bytes | None:
    """The body that ``wire`` stands for; ``None`` when more or less is escaped than has to be."""
    body = wire.replace(_STUFFED_START, START).replace(_STUFFED_STOP, STOP).replace(_STUFFED_ESCAPE, ESCAPE)
    # Every escape has to be one of the three above. Where one is not, these replacements may have paired bytes wrongly.
    return body if len(wire) - len(body) == wire.count(ESCAPE) else None


def unstuff_any(wire: bytes) -> bytes:
    """The body that ``wire`` stands for, whatever is escaped in it: pysciencemode 1.1.5 escapes ``55`` and ``0A`` too."""
    return _PAIR.sub(lambda pair: pair[1].translate(XOR_KEY), wire)
