"""Which bytes from a terminal mean STOP.

Space, Ctrl+X and Ctrl+C, in every shape that terminals give them: the plain byte; the kitty keyboard protocol's
``CSI code:alternates ; modifiers:event ; text u``; and xterm's modifyOtherKeys ``CSI 27 ; modifiers ; code ~`` (both
from the terminals' own protocol pages). A sequence may come in any number of pieces.

When in doubt the answer is yes: a stop too many costs a press of *clear*, a stop too few burns skin. So a key's
release or repeat counts, a pasted space counts, and so do the spaces of other input methods.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, final

_CTRL_BIT: Final = 4  # both protocols send 1 + a sum of bits, and Ctrl is 4 in both
_ESCAPE_MAX: Final = 64  # no key report is longer; what is longer is not a key and must not be kept


@final
class StopKey(StrEnum):
    """A key that stops, as a person calls it."""

    SPACE = "Space"
    CTRL_X = "Ctrl+X"
    CTRL_C = "Ctrl+C"


_PLAIN: Final = (
    (b" ", StopKey.SPACE),
    (b"\x18", StopKey.CTRL_X),
    (b"\x03", StopKey.CTRL_C),
    (b"\x00", StopKey.SPACE),  # Ctrl+Space
    (b"\xc2\xa0", StopKey.SPACE),  # no-break space: AltGr+Space on several layouts
    (b"\xe3\x80\x80", StopKey.SPACE),  # ideographic space: Space in Japanese and Chinese input methods
)
_SPACES: Final = frozenset((32, 160, 0x3000))
_LETTERS: Final = {120: StopKey.CTRL_X, 88: StopKey.CTRL_X, 99: StopKey.CTRL_C, 67: StopKey.CTRL_C}
_REPORT: Final = re.compile(rb"\x1b\[([0-9:;]{1,60})([u~])")
_UNFINISHED: Final = re.compile(rb"(?:\x1b(?:\[[0-9:;]{0,60})?|\xc2|\xe3\x80?)\Z")


@final
class StopScanner:
    """Finds stop keys in a stream of terminal bytes; one for each stream."""

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, data: bytes) -> frozenset[StopKey]:
        """The stop keys that ``data``, after all that came before, holds or completes."""
        text = self._kept + data
        found = {key for mark, key in _PLAIN if mark in text}
        if b"\x1b[" in text:
            found.update(key for report in _REPORT.finditer(text) if (key := _reported(report[1], report[2])))
        rest = _UNFINISHED.search(text, max(0, len(text) - _ESCAPE_MAX))
        self._kept = rest[0] if rest else b""
        return frozenset(found)


def _reported(parameters: bytes, final: bytes) -> StopKey | None:
    """The stop key that one key report names."""
    fields = [[int(part) for part in field.split(b":") if part] for field in parameters.split(b";")]
    if final == b"~":
        # 27 is modifyOtherKeys' mark; any other number before a tilde is a function key.
        return _key(fields[2], fields[1]) if fields[0] == [27] and len(fields) > 2 else None
    modifiers, text = (*fields[1:], [], [])[:2]
    # An input method reports the text it made with no key code at all.
    return StopKey.SPACE if _SPACES.intersection(text) else _key(fields[0], modifiers)


def _key(codes: list[int], modifiers: list[int]) -> StopKey | None:
    """The stop key among ``codes``, a key with its alternates; letters count only with Ctrl among ``modifiers``."""
    if _SPACES.intersection(codes):
        return StopKey.SPACE
    if not (modifiers and (modifiers[0] - 1) & _CTRL_BIT):
        return None
    return next((_LETTERS[code] for code in codes if code in _LETTERS), None)
