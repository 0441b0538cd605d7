"""Where in the text a path of a protocol file stands.

``tomllib`` forgets lines, so the text is read a second time with tree-sitter's TOML grammar, and only when there is a
fault to place. A place that is not found is (0, 0): a fault is never lost for want of a line.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from stimctl.protocols.findings import Path

if TYPE_CHECKING:
    from tree_sitter import Node


class Place(NamedTuple):
    """Line and column, from 1."""

    line: int
    column: int


NOWHERE: Final = Place(0, 0)


class Places:
    """The places of all keys and values of one text."""

    def __init__(self, text: str) -> None:
        self._lines = text.encode().split(b"\n")
        self._keys: dict[Path, Place] = {}
        self._values: dict[Path, Place] = {}
        self._elements: Counter[Path] = Counter()
        self._walk(_parse(text))

    def find(self, path: Path, *, at_key: bool) -> Place:
        """The place of a value (or its key); of the nearest table around it when it has none of its own."""
        for end in range(len(path), -1, -1):
            here = path[:end]
            place = self._keys.get(here) if at_key else self._values.get(here, self._keys.get(here))
            if place is not None:
                return place
        return Place(1, 1)

    def stated(self, path: Path) -> Place | None:
        """The place of exactly this value or table; ``None`` where the file does not state it."""
        return self._values.get(path, self._keys.get(path))

    def _walk(self, document: Node) -> None:
        for node in document.named_children:
            if node.type == "pair":
                self._pair(node, ())
            elif node.type == "table":
                self._table(node, self._here(self._key_of(node)))
            elif node.type == "table_array_element":
                base = self._here(self._key_of(node))
                self._keys.setdefault(base, self._place(node))
                self._elements[base] += 1
                self._table(node, (*base, self._elements[base] - 1))

    def _here(self, keys: Path) -> Path:
        """A header's path, with the array elements that it stands in: ``[channel.x]`` is about the last channel."""
        path: Path = ()
        for index, key in enumerate(keys):
            path = (*path, key)
            if index < len(keys) - 1 and self._elements[path]:
                path = (*path, self._elements[path] - 1)
        return path

    def _table(self, node: Node, path: Path) -> None:
        for end in range(1, len(path) + 1):  # [pads.proximal] also is the first place of [pads]
            self._keys.setdefault(path[:end], self._place(node))
        for child in node.named_children:
            if child.type == "pair":
                self._pair(child, path)

    def _pair(self, node: Node, path: Path) -> None:
        keys, value = self._key_of(node), node.named_children[-1]
        for key in keys:
            path = (*path, key)
            self._keys.setdefault(path, self._place(node))
        self._value(value, path)

    def _value(self, node: Node, path: Path) -> None:
        self._values.setdefault(path, self._place(node))
        if node.type == "inline_table":
            for child in node.named_children:
                if child.type == "pair":
                    self._pair(child, path)
        elif node.type == "array":
            items = [child for child in node.named_children if child.type != "comment"]
            for index, item in enumerate(items):
                self._value(item, (*path, index))

    def _key_of(self, node: Node) -> Path:
        key = next((child for child in node.named_children if child.type.endswith("key")), None)
        return () if key is None else tuple(_words(key))

    def _place(self, node: Node) -> Place:
        row, column = node.start_point
        # tree-sitter counts bytes, an editor counts characters
        before = self._lines[row][:column] if row < len(self._lines) else b""
        return Place(row + 1, len(before.decode(errors="replace")) + 1)


def _parse(text: str) -> Node:
    import tree_sitter
    import tree_sitter_toml

    language = tree_sitter.Language(tree_sitter_toml.language())
    return tree_sitter.Parser(language).parse(text.encode()).root_node


def _words(key: Node) -> list[str]:
    """The parts of a bare, quoted or dotted key."""
    if key.type == "dotted_key":
        return [word for child in key.named_children for word in _words(child)]
    text = (key.text or b"").decode(errors="replace")
    if key.type == "quoted_key" and text.startswith('"'):
        return [_unescaped(text)]
    return [text.strip("'")]


def _unescaped(text: str) -> str:
    """A basic string; its escapes are those of JSON as far as keys go."""
    try:
        return str(json.loads(text))
    except ValueError:
        return text[1:-1]


def find_places(text: str) -> Places | None:
    """The places of ``text``, or ``None`` when it cannot be walked (no grammar installed, too deep)."""
    try:
        return Places(text)
    except (ImportError, OSError, RecursionError, UnicodeError, ValueError):
        return None
