"""The faults that a ``return`` can have, unless the function ends there anyway."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.proving.mutation import Edit, Source
from tests.proving.mutation_values import replace

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def leaving(source: Source, node: ast.Return) -> Iterator[Edit]:
    """The function goes on instead, or returns something else."""
    function = next(each for each in source.above(node) if isinstance(each, _FUNCTIONS))
    assert not isinstance(function, ast.Lambda)
    if node is not function.body[-1] and not (_ends_anyway(source, node) and _gives_nothing(node)):
        yield from replace(source, node, "delete", "pass")
    kind = "" if function.returns is None else ast.unparse(function.returns)
    value = "" if node.value is None else ast.unparse(node.value)
    if value not in ("", "None"):
        others = {"bool": ("True", "False"), "int": ("0",)}.get(kind, ("None",))
        yield from replace(source, node.value, "result", *(each for each in others if each != value))  # type: ignore[arg-type]


def _gives_nothing(node: ast.Return) -> bool:
    return node.value is None or ast.unparse(node.value) == "None"


def _ends_anyway(source: Source, node: ast.AST) -> bool:
    """Whether nothing of the function comes behind a statement, so that it returns there without being told."""
    for each in source.above(node):
        if isinstance(each, ast.For | ast.While):
            return False
        last = [
            block[-1]
            for name in ("body", "orelse", "finalbody")
            if isinstance(block := getattr(each, name, None), list) and block
        ]
        alternatives = [*getattr(each, "handlers", ()), *getattr(each, "cases", ())]
        if node not in last + alternatives or (isinstance(each, ast.Try) and each.orelse and node is each.body[-1]):
            return False
        if isinstance(each, _FUNCTIONS):
            return True
        node = each
    return False
