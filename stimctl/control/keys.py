"""Which bytes from a terminal mean STOP.

Space, Esc, Ctrl+X, Ctrl+C and Ctrl+Z, in every shape that terminals give them: the plain byte; the kitty keyboard
protocol's ``CSI code:alternates ; modifiers:event ; text u``; xterm's modifyOtherKeys ``CSI 27 ; modifiers ; code ~``;
and Windows' win32-input-mode ``CSI key ; scan code ; character ; is down ; control keys ; repeats _`` (all from the
terminals' own protocol pages). CSI may be one byte or two. A sequence may come in any number of pieces, and be of any
length. Nothing hides a key: no string, paste or mouse report that has begun is believed to hold what comes next.

When in doubt the answer is yes: a stop too many costs a press of *clear*, a stop too few burns skin. So a key's
release or repeat counts, a pasted space counts, so do the spaces of other layouts and input methods, and so does the
byte for a space in the mouse reports of terminals before SGR. A keyboard in another alphabet reports its own letter
where Latin ones have C or X: every such letter with Ctrl counts. And an Esc counts unless it begins a sequence that
goes on: one before a letter is Alt with that letter, or an Esc on a slow line.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, final

_CTRL_BIT: Final = 4  # both protocols send 1 + a sum of bits, and Ctrl is 4 in both
_ESC: Final = 0x1B
_CSI: Final = 0x9B  # as one byte; in UTF-8 it follows 0xC2, but also stands in letters: then a report never follows
_OPENING: Final = frozenset(b"[OP]_^X")  # CSI, SS3, DCS, OSC, APC, PM, SOS: more has to follow
_INTRODUCERS: Final = _OPENING | frozenset(b"\\")  # ST ends some of them, and nothing has to follow
_ASCII_MAX: Final = 127
_FUNCTIONAL: Final = range(0xE000, 0xF900)  # Unicode's private use: kitty's codes for keys that type nothing
_NUMBER_MAX: Final = 0x7FFF_FFFF  # far above Unicode: longer numbers stay here instead of growing
_NUMBERS_KEPT: Final = 4  # a key, its shifted and its base layout's form are three
_FIELDS_KEPT: Final = 5  # of win32-input-mode's six, the last of which only counts repeats


@final
class StopKey(StrEnum):
    """A key that stops, as a person calls it."""

    SPACE = "Space"
    ESC = "Esc"
    CTRL_X = "Ctrl+X"
    CTRL_C = "Ctrl+C"
    CTRL_Z = "Ctrl+Z"
    CTRL_LETTER = "Ctrl+letter"


_SPACES: Final = frozenset(
    (0x20, 0xA0, 0xF0B, 0xF0C, 0x1680, 0x180E, *range(0x2000, 0x200E), 0x202F, 0x205F, 0x2060, 0x3000, 0xFEFF)
)
"""What space bars type: Unicode's space separators, of now and of old; its spaces and joiners of no width, which are
Space on Khmer keyboards and Shift+Space on Persian ones; and the Tibetan ones' signs between syllables. The layouts are
those of X.Org's xkeyboard-config and of the Asian input methods.
"""

_SPACES_BYTES: Final = tuple(chr(code).encode() for code in sorted(_SPACES))
_PLAIN: Final = (
    (re.compile(b"|".join((b"\0", *_SPACES_BYTES))), StopKey.SPACE),  # 0: Ctrl+Space
    (re.compile(b"\x18"), StopKey.CTRL_X),
    (re.compile(b"\x03"), StopKey.CTRL_C),
    (re.compile(b"\x1a"), StopKey.CTRL_Z),  # a signal, unless the user moved the terminal's suspend key elsewhere
)
_BEGINNINGS: Final = frozenset(whole[:length] for whole in _SPACES_BYTES for length in range(1, len(whole)))
"""At most one of them ends a text: in UTF-8, what begins a character never goes on with it."""

_WITH_CTRL: Final = {
    **dict.fromkeys(b"xX", StopKey.CTRL_X),
    **dict.fromkeys(b"cC", StopKey.CTRL_C),
    **dict.fromkeys(b"zZ", StopKey.CTRL_Z),
    # As bytes, Ctrl+2 and Ctrl+@ are Ctrl+Space, and Ctrl+3 and Ctrl+[ are Esc: they mean the same as reports.
    **dict.fromkeys(b"2@", StopKey.SPACE),
    **dict.fromkeys(b"3[", StopKey.ESC),
}
_WIN_CTRL: Final = 0x08 | 0x04  # the left one, the right one
_WIN_CHARACTERS: Final = {3: StopKey.CTRL_C, 24: StopKey.CTRL_X, 26: StopKey.CTRL_Z, _ESC: StopKey.ESC}
_WIN_KEYS_WITH_CTRL: Final = {key: _WITH_CTRL[key] for key in b"XCZ23"}
"""Windows' virtual keys: letters and digits are their ASCII codes, wherever a layout puts them."""


@final
class StopScanner:
    """Finds stop keys in a stream of terminal bytes; one for each stream."""

    def __init__(self) -> None:
        self._begun = b""  # of a space of several bytes
        self._escaped = False  # the last byte was an Esc
        self._opened = False  # the last two were an Esc and what may open a sequence
        self._report: _Report | None = None

    @property
    def waits(self) -> bool:
        """Whether an Esc may be the key, alone or with another right behind it.

        If nothing follows at once, it was, and :meth:`settle` is due.
        """
        return self._escaped or self._opened

    def settle(self) -> frozenset[StopKey]:
        """Nothing followed: an Esc that was waited for is a stop key."""
        waited, self._escaped, self._opened = self.waits, False, False
        return frozenset((StopKey.ESC,) if waited else ())

    def feed(self, data: bytes) -> frozenset[StopKey]:
        """The stop keys that ``data``, after all that came before, holds or completes."""
        text = self._begun + data
        self._begun = next((begun for begun in _BEGINNINGS if text.endswith(begun)), b"")
        found = {key for mark, key in _PLAIN if mark.search(text)}
        if self.waits or self._report is not None or _ESC in data or _CSI in data:
            found.update(key for byte in data if (key := self._step(byte)) is not None)
        return frozenset(found)

    def _step(self, byte: int) -> StopKey | None:
        """Follow a sequence by one byte; the stop key that this byte completes."""
        escaped, self._escaped = self._escaped, byte == _ESC
        self._opened = escaped and byte in _OPENING
        report, self._report = self._report, None
        if byte == _CSI or (escaped and byte == 0x5B):  # "["
            self._report = _Report()
        if escaped:
            return None if byte in _INTRODUCERS else StopKey.ESC
        if report is None or byte == _CSI:
            return None
        if byte in b"u~_":
            return report.key(byte)
        # Whatever else stands in a sequence makes it no key report: an answer, a mouse, a function key.
        self._report = report if report.takes(byte) else None
        return None


@final
class _Report:
    """One key report as it comes in; it needs the same little room however long the report is."""

    def __init__(self) -> None:
        self._fields: list[list[int]] = [[] for _ in range(_FIELDS_KEPT)]
        self._spaced: set[int] = set()  # the fields that hold a space
        self._field = 0
        self._number: int | None = None

    def takes(self, byte: int) -> bool:
        """Take one more byte; whether it may stand in a key report."""
        if byte in b"0123456789":
            self._number = min((self._number or 0) * 10 + byte - 0x30, _NUMBER_MAX)
        elif byte in b":;":
            self._close_number()
            self._field += byte == 0x3B  # ";"
        else:
            return False
        return True

    def key(self, final_byte: int) -> StopKey | None:
        """The stop key that the finished report names."""
        self._close_number()
        if final_byte == 0x5F:  # "_"
            return _win32_key(*(field[0] if field else 0 for field in self._fields))
        codes, modifiers, last, *_ = self._fields
        if final_byte == 0x7E:  # "~"
            # 27 is modifyOtherKeys' mark; any other number before a tilde is a function key.
            return self._named(2, last, modifiers) if codes == [_ESC] else None
        # An input method reports the text it made with no key code at all.
        return StopKey.SPACE if 2 in self._spaced else self._named(0, codes, modifiers)

    def _close_number(self) -> None:
        number, self._number = self._number, None
        if number is None or self._field >= _FIELDS_KEPT:
            return
        if number in _SPACES:
            self._spaced.add(self._field)
        if len(self._fields[self._field]) < _NUMBERS_KEPT:
            self._fields[self._field].append(number)

    def _named(self, field: int, codes: list[int], modifiers: list[int]) -> StopKey | None:
        """The stop key among ``codes``, a key with its alternates in ``field``; letters count only with Ctrl."""
        if field in self._spaced:
            return StopKey.SPACE
        if _ESC in codes:
            return StopKey.ESC
        if not (modifiers and (modifiers[0] - 1) & _CTRL_BIT):
            return None
        named = next((_WITH_CTRL[code] for code in codes if code in _WITH_CTRL), None)
        foreign = any(code > _ASCII_MAX and code not in _FUNCTIONAL for code in codes)
        return named or (StopKey.CTRL_LETTER if foreign else None)


def _win32_key(key: int, _scan_code: int, character: int, down: int, control: int) -> StopKey | None:
    """The stop key that a report of win32-input-mode names; what it left out is 0."""
    if key == 0x20 or character in _SPACES:
        return StopKey.SPACE
    if key == _ESC:
        return StopKey.ESC
    named = _WIN_CHARACTERS.get(character)
    if named is None and control & _WIN_CTRL and character < 0x20:  # else it is AltGr, which types what stands there
        named = _WIN_KEYS_WITH_CTRL.get(key)
    # Every press comes with its release, and a second Ctrl+C ends the session.
    return None if named is StopKey.CTRL_C and not down else named
