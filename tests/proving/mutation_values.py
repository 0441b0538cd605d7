"""The faults that a value can have: numbers, strings, bytes, layouts, members of enumerations, and displays of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.proving.mutation import Edit, Source

_FORMAT = {"B": "b", "b": "B", "H": "h", "h": "H", "I": "i", "i": "I", "Q": "q", "q": "Q", "<": ">"}


def replace(source: Source, node: ast.AST, operator: str, *news: str) -> Iterator[Edit]:
    """A node becomes each of ``news`` in turn."""
    for new in news:
        yield Edit(operator, source.start(node), source.end(node), new)


def constant(source: Source, node: ast.Constant) -> Iterator[Edit]:
    """Its neighbours, its opposite; of bytes and strings something near to them."""
    value = node.value
    if isinstance(value, bool):
        yield from replace(source, node, "flip", str(not value))
    elif isinstance(value, int):
        near = dict.fromkeys((value + 1, value - 1, -value))
        yield from replace(source, node, "number", *(_number(each) for each in near if each != value))
    elif isinstance(value, float):
        near = (value * 1.1, value * 0.9, -value) if value else (1.0, -1.0)  # type: ignore[assignment]
        yield from replace(source, node, "number", *(_number(each) for each in near))
    elif isinstance(value, bytes):
        changed = {bytes((value[0] ^ 1,)) + value[1:], value[:-1]} if value else {b"\x00"}
        yield from replace(source, node, "bytes", *(repr(each) for each in sorted(changed)))
    elif isinstance(value, str) and not _is_wording(source, node, value):
        yield from replace(source, node, "string", repr(f"{value}x"))
        yield from formats(source, node)


def _number(value: float) -> str:
    return f"({value!r})" if value < 0 else repr(value)


def _is_wording(source: Source, node: ast.Constant, value: str) -> bool:
    call = source.parents[node]
    refuses = isinstance(call, ast.Call) and "refus" in ast.unparse(call.func).lower()
    return " " in value and not refuses


def formats(source: Source, node: ast.Constant | ast.JoinedStr) -> Iterator[Edit]:
    """A layout for ``struct``: each number read with the other sign, and all of them in the other order of bytes."""
    call = source.parents[node]
    if not (isinstance(call, ast.Call) and ast.unparse(call.func).startswith("struct.") and node is call.args[0]):
        return
    text = source.text(node)
    for hit in re.finditer(r"\{[^}]*\}|[bBhHiIqQ<]", text.removeprefix("f")):
        at = source.start(node) + hit.start() + text.startswith("f")
        if hit[0] in _FORMAT:
            yield Edit("format", at, at + 1, _FORMAT[hit[0]])


def member(source: Source, node: ast.Attribute, enums: dict[str, tuple[str, ...]]) -> Iterator[Edit]:
    """Another member of the same enumeration."""
    if not isinstance(node.value, ast.Name) or not isinstance(node.ctx, ast.Load):
        return
    members = enums.get(source.aliases.get(node.value.id, node.value.id), ())
    if node.attr in members and len(members) > 1:
        other = members[(members.index(node.attr) + 1) % len(members)]
        yield from replace(source, node, "member", f"{node.value.id}.{other}")


def display(source: Source, node: ast.Set | ast.Tuple | ast.List) -> Iterator[Edit]:
    """An element less, where the elements are a choice or a table and not the values of one call."""
    parent = source.parents[node]
    if isinstance(getattr(node, "ctx", ast.Load()), ast.Store) or len(node.elts) < 2:
        return
    choice = isinstance(parent, ast.Compare | ast.For | ast.comprehension) or (
        isinstance(parent, ast.Call) and ast.unparse(parent.func) in ("isinstance", "frozenset", "set", "tuple")
    )
    table = isinstance(parent, ast.Assign | ast.AnnAssign) and "." not in source.qualified_name(node)
    if not (isinstance(node, ast.Set) or choice or table):
        return
    opened, closed = ("{", "}") if isinstance(node, ast.Set) else ("[", "]") if isinstance(node, ast.List) else "()"
    for dropped in node.elts:
        kept = "".join(f"{source.text(each)}, " for each in node.elts if each is not dropped)
        yield from replace(source, node, "element", f"{opened}{kept}{closed}")


def entries(source: Source, node: ast.Dict) -> Iterator[Edit]:
    """An entry less."""
    ends = [source.end(value) for value in node.values]
    starts = [source.start(value if key is None else key) for key, value in zip(node.keys, node.values, strict=True)]
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if node.keys[number] is None:
            start -= 2  # noqa: PLW2901 - the two stars
        comma = re.match(r"[)\s]*,", source.between(end, source.end(node)))
        yield Edit("element", start, end + (comma.end() if comma else 0), "")
