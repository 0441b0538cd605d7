"""Makes mutants of a module: copies of its text with one small fault each, found in the syntax tree, made in the text.

Each mutant is one edit of an exact range of the source, so that what differs can be read as a diff. What is changed
stands in :mod:`tests.proving.mutation_operators`. A mutant's id is made of where it stands and what it does, and of no
line number: module, qualified name, operator, a hash of the statement around it, and a count within that statement.

Left out by rule, because no behaviour hangs on it: docstrings, annotations, ``__all__`` and ``__slots__``, imports,
``assert`` (states what readers may rely on; no check depends on it), the arguments of ``TypeVar``, the size of an
``lru_cache`` and a data class's ``slots`` (speed and memory). And the wording of messages: f-strings, and strings with
a space in them, unless they stand in a refusal, where they are bounds and units.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

MODULE = "<module>"
"""The name of a place outside of every function and class."""


@dataclass(frozen=True)
class Edit:
    """Bytes ``start`` to ``end`` of the source become ``new``; ``operator`` says what kind of fault that is."""

    operator: str
    start: int
    end: int
    new: str


@dataclass(frozen=True)
class Mutant:
    """One fault in one module."""

    id: str
    module: str
    name: str
    """Qualified name of the function or class that holds it, :data:`MODULE` outside of all."""
    operator: str
    line: int
    edit: Edit
    text: str
    """The edit as ``old -> new``, each in one line: what an entry of equivalent mutants quotes."""

    def source(self, original: bytes) -> str:
        """The module's whole text with the fault in it."""
        return (original[: self.edit.start] + self.edit.new.encode() + original[self.edit.end :]).decode()


class Source:
    """A module's text, its tree, and the way between the two."""

    def __init__(self, module: str, data: bytes) -> None:
        self.module, self.data = module, data
        self.tree = ast.parse(data)
        self._lines = [0]
        for line in data.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def start(self, node: ast.AST) -> int:
        """Where a node begins, in bytes."""
        return self._lines[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined, no-any-return]

    def end(self, node: ast.AST) -> int:
        """Where a node ends, in bytes."""
        return self._lines[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined, no-any-return]

    def text(self, node: ast.AST) -> str:
        """A node as it is written."""
        return self.data[self.start(node) : self.end(node)].decode()

    def between(self, start: int, end: int) -> str:
        """Part of the text, by bytes."""
        return self.data[start:end].decode()

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """What a node stands in, from the inside out."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    @cached_property
    def aliases(self) -> dict[str, str]:
        """What names of this module stand for: ``from x import A as B`` and ``B = A``."""
        found = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom):
                found.update({each.asname: each.name for each in node.names if each.asname})
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
                found.update({each.id: node.value.id for each in node.targets if isinstance(each, ast.Name)})
        return found

    def qualified_name(self, node: ast.AST) -> str:
        """The function or class around a node; a function's own head (defaults, decorators) belongs to it."""
        inside = [node, *self.above(node)]
        names = [
            each.name for each in inside if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        ]
        return ".".join(reversed(names)) or MODULE

    def statement(self, node: ast.AST) -> ast.stmt:
        """The innermost statement (or the handler's, for what stands in an ``except`` line) around a node."""
        for each in (node, *self.above(node)):
            if isinstance(each, ast.stmt):
                return each
        raise ValueError(f"{ast.dump(node)} stands in no statement")

    def header(self, statement: ast.stmt) -> str:
        """A statement's own text: of a compound one what stands before its body."""
        body = getattr(statement, "body", None)
        if not body:
            return " ".join(self.text(statement).split())
        first = statement.decorator_list[0] if getattr(statement, "decorator_list", None) else statement  # type: ignore[attr-defined]
        end = self.start(body[0]) if isinstance(body, list) else self.end(statement)
        return " ".join(self.between(self.start(first), end).split())


def mutants(module: str, data: bytes, enums: dict[str, tuple[str, ...]]) -> tuple[Mutant, ...]:
    """All mutants of a module's source, in the order of its text. ``enums``: the members of each enumeration."""
    from tests.proving.mutation_operators import edits

    source = Source(module, data)
    counts: Counter[tuple[str, str, str]] = Counter()
    found, seen = [], set()
    for node, edit in edits(source, enums):
        if (edit.start, edit.end, edit.new) in seen:
            continue
        seen.add((edit.start, edit.end, edit.new))
        name = source.qualified_name(node)
        digest = hashlib.sha256(source.header(source.statement(node)).encode()).hexdigest()[:8]
        key = (name, edit.operator, digest)
        mutant = Mutant(
            id=f"{module}:{name}:{edit.operator}:{digest}:{counts[key]}",
            module=module,
            name=name,
            operator=edit.operator,
            line=data.count(b"\n", 0, edit.start) + 1,
            edit=edit,
            text=f"{_one_line(source.between(edit.start, edit.end))} -> {_one_line(edit.new)}",
        )
        counts[key] += 1
        found.append(mutant)
    return tuple(found)


def members_of_enums(trees: list[ast.Module]) -> dict[str, tuple[str, ...]]:
    """The members of every enumeration that is defined in ``trees``, by the class's name."""
    found = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and any(ast.unparse(base) in _ENUMS for base in node.bases):
                assigned = [each for each in node.body if isinstance(each, ast.Assign)]
                found[node.name] = tuple(ast.unparse(each.targets[0]) for each in assigned)
    return found


_ENUMS = frozenset({"Enum", "StrEnum", "IntEnum", "IntFlag", "Flag"})


def _one_line(text: str) -> str:
    return " ".join(text.split())
