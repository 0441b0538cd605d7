"""A protocol file, tidied: the same fields and comments in the same order, laid out like the shipped files.

One space on both sides of ``=``, nothing in front of a line or behind it, one empty line before a heading and nowhere
two. A comment behind a field keeps its column. What a file says is never touched: :func:`tidy` compares.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from stimctl.errors import OurBug
from stimctl.protocols.loading import tables

if TYPE_CHECKING:
    from tree_sitter import Node

_HEADINGS: Final = frozenset({"table", "table_array_element"})


class _Piece(NamedTuple):
    """A field, a heading or a comment: its text, and the rows that it stood on."""

    text: str
    first_row: int
    last_row: int
    heading: bool = False
    comment: bool = False
    column: int = 0


def tidy(text: str, name: str) -> str:
    """``text`` laid out anew; ``name`` stands for the file in faults. Raises :class:`ProtocolError` for what is no TOML."""
    before = tables(text, name)
    pieces = list(_pieces(text.replace("\r\n", "\n")))
    after = "\n".join(_lines(pieces)) + "\n"
    if repr(tables(after, name)) != repr(before) or list(_said(_pieces(after))) != list(_said(pieces)):
        raise OurBug("tidying would change what the file says; it stays as it is")
    return after


def _said(pieces: Iterable[_Piece]) -> Iterator[str]:
    """What the pieces say, wherever they stand."""
    return (piece.text for piece in pieces)


def _pieces(text: str) -> Iterator[_Piece]:
    import tree_sitter
    import tree_sitter_toml

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language()))
    yield from _walk(parser.parse(text.encode()).root_node)


def _walk(node: Node) -> Iterator[_Piece]:
    for child in node.children:
        if child.type in _HEADINGS:
            yield _heading(child)
            yield from _walk(child)
        elif child.type == "pair":
            yield _pair(child)
            yield from _walk(child)  # the comment behind the value is part of the pair
        elif child.type == "comment":
            row = child.start_point.row
            yield _Piece(_text(child).rstrip(), row, row, comment=True, column=child.start_point.column)


def _heading(node: Node) -> _Piece:
    """``[a.b]`` or ``[[a]]``, without spaces inside."""
    parts = [child for child in node.children if child.type in {"[", "]", "[[", "]]"} or child.type.endswith("_key")]
    return _Piece(
        "".join(_text(part) for part in parts), parts[0].start_point.row, parts[-1].end_point.row, heading=True
    )


def _pair(node: Node) -> _Piece:
    """``key = value``, the value as the author wrote it."""
    key, value = node.named_children[0], node.named_children[1]
    return _Piece(f"{_text(key)} = {_text(value)}", key.start_point.row, value.end_point.row)


def _text(node: Node) -> str:
    assert node.text is not None
    return node.text.decode() if node.type != "dotted_key" else ".".join(map(_text, node.named_children))


def _lines(pieces: list[_Piece]) -> Iterator[str]:
    """The pieces as lines, an empty one where the author left one or a heading begins."""
    last: _Piece | None = None
    line = ""
    for index, piece in enumerate(pieces):
        if last is not None and piece.comment and piece.first_row == last.last_row:
            line = f"{line}{' ' * max(2, piece.column - len(line))}{piece.text}"
            last = piece
            continue
        if last is not None:
            yield line
            if piece.first_row - last.last_row > 1 or _opens(pieces, index, last):
                yield ""
        line, last = piece.text, piece
    yield line


def _opens(pieces: list[_Piece], index: int, last: _Piece) -> bool:
    """Whether a heading begins here, or a comment that stands right above one."""
    if last.comment and pieces[index].heading:
        return False  # the empty line is above the comment
    while (
        pieces[index].comment and index + 1 < len(pieces) and pieces[index + 1].first_row == pieces[index].last_row + 1
    ):
        index += 1
    return pieces[index].heading and not (last.comment and _stands_alone(last, pieces, index))


def _stands_alone(last: _Piece, pieces: list[_Piece], index: int) -> bool:
    """Whether ``last`` is part of the very comment that leads to the heading at ``index``."""
    return pieces[index].first_row - last.last_row == index - pieces.index(last)
