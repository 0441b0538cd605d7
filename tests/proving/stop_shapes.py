"""Every stop key, in each of the shapes in which a terminal may send it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Key(NamedTuple):
    """A stop key in one of its shapes, and the reason that its stop bears. ``face``: whether Textual knows it."""

    typed: bytes
    reason: str
    face: bool = True


KEYS: Final[Mapping[str, Key]] = {
    "space": Key(b" ", "Space pressed"),
    "esc": Key(b"\x1b", "Esc pressed"),
    "ctrl-x": Key(b"\x18", "Ctrl+X pressed"),
    "ctrl-c": Key(b"\x03", "Ctrl+C pressed", face=False),  # the kernel makes a signal of it
    "ctrl-z": Key(b"\x1a", "Ctrl+Z pressed; stimctl does not suspend", face=False),
    "ctrl-space": Key(b"\0", "Space pressed"),
    "altgr-space": Key("\u00a0".encode(), "Space pressed"),
    "japanese-space": Key("\u3000".encode(), "Space pressed"),
    "khmer-space": Key("\u200b".encode(), "Space pressed"),
    "kitty-space": Key(b"\x1b[32u", "Space pressed"),
    "kitty-space-text": Key(b"\x1b[32;1;32u", "Space pressed"),
    "kitty-esc": Key(b"\x1b[27u", "Esc pressed"),
    "kitty-ctrl-x": Key(b"\x1b[120;5u", "Ctrl+X pressed"),
    "kitty-ctrl-c": Key(b"\x1b[99;5u", "Ctrl+C pressed"),
    "kitty-ctrl-z": Key(b"\x1b[122;5u", "Ctrl+Z pressed"),
    "kitty-ctrl-cyrillic": Key(b"\x1b[1095;5u", "Ctrl+letter pressed", face=False),
    "xterm-space": Key(b"\x1b[27;2;32~", "Space pressed", face=False),
    "xterm-esc": Key(b"\x1b[27;2;27~", "Esc pressed", face=False),
    "xterm-ctrl-x": Key(b"\x1b[27;5;120~", "Ctrl+X pressed", face=False),
    "xterm-ctrl-c": Key(b"\x1b[27;5;99~", "Ctrl+C pressed", face=False),
    "8-bit-space": Key(b"\x9b32u", "Space pressed", face=False),
    "win32-space": Key(b"\x1b[32;57;32;1;0;1_", "Space pressed", face=False),
    "win32-esc": Key(b"\x1b[27;1;27;1;0;1_", "Esc pressed", face=False),
    "win32-ctrl-x": Key(b"\x1b[88;45;24;1;8;1_", "Ctrl+X pressed", face=False),
    "win32-ctrl-c": Key(b"\x1b[67;46;3;1;8;1_", "Ctrl+C pressed", face=False),
}
