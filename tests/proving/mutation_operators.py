"""The faults that a mutant can have, one function for each kind of syntax; see :mod:`tests.proving.mutation`.

Every function takes a node and yields edits. A kind of fault that a stronger one implies is left out: a comparison is
never negated as a whole, because each of its neighbours is nearer to it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from tests.proving.mutation import Edit, Source
from tests.proving.mutation_returns import leaving
from tests.proving.mutation_values import constant, display, entries, formats, member, replace

_COMPARISONS = {
    ast.Lt: ("<=", ">="),
    ast.LtE: ("<", ">"),
    ast.Gt: (">=", "<="),
    ast.GtE: (">", "<"),
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
}
_COMPARISON = re.compile(r"<=|>=|==|!=|<|>|is\s+not|not\s+in|is|in")
_ARITHMETIC = {
    ast.Add: ("+", ("-",)),
    ast.Sub: ("-", ("+",)),
    ast.Mult: ("*", ("//", "+")),
    ast.Div: ("/", ("*",)),
    ast.FloorDiv: ("//", ("*", "%")),
    ast.Mod: ("%", ("//", "*")),
    ast.LShift: ("<<", (">>",)),
    ast.RShift: (">>", ("<<",)),
    ast.BitAnd: ("&", ("|",)),
    ast.BitOr: ("|", ("&",)),
    ast.BitXor: ("^", ("&",)),
    ast.Pow: ("**", ("*",)),
}
_SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any"}


def edits(source: Source, enums: dict[str, tuple[str, ...]]) -> Iterator[tuple[ast.AST, Edit]]:
    """Every edit of a module, with the node that it is about."""
    for node in _walk(source.tree):
        for found in _operators(type(node)):
            for edit in found(source, node):
                yield node, edit
        if isinstance(node, ast.Attribute):
            for edit in member(source, node, enums):
                yield node, edit


def _operators(kind: type[ast.AST]) -> tuple[Callable[[Source, Any], Iterator[Edit]], ...]:
    if kind not in _found:
        _found[kind] = tuple(found for operator, found in _OPERATORS if issubclass(kind, operator))
    return _found[kind]


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes in the order of the text, without what is left out by rule."""
    if _is_left_out(node):
        return
    yield node
    if isinstance(node, ast.JoinedStr):
        return  # the places inside one are not told reliably before Python 3.12
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "type_params"):
            continue
        for each in value if isinstance(value, list) else (value,):
            if isinstance(each, ast.AST):
                yield from _walk(each)


def _is_left_out(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)  # a docstring, or one of an attribute
    if isinstance(node, ast.Assign):
        return any(isinstance(each, ast.Name) and each.id in ("__all__", "__slots__") for each in node.targets)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in ("TypeVar", "lru_cache")
    if isinstance(node, ast.keyword):
        return node.arg == "slots"
    return isinstance(node, ast.Import | ast.ImportFrom | ast.Assert)


# --- expressions -------------------------------------------------------------------------------------------------


def _compare(source: Source, node: ast.Compare) -> Iterator[Edit]:
    left: ast.expr = node.left
    for operator, right in zip(node.ops, node.comparators, strict=True):
        at, length = _token(source, left, right, _COMPARISON)
        for new in _COMPARISONS[type(operator)]:
            yield Edit("compare", at, at + length, new)
        left = right


def _token(source: Source, left: ast.AST, right: ast.AST, pattern: re.Pattern[str]) -> tuple[int, int]:
    """Where the operator between two operands stands, and its length."""
    hit = pattern.search(source.between(source.end(left), source.start(right)))
    assert hit is not None
    return source.end(left) + hit.start(), len(hit[0])


def _boolean(source: Source, node: ast.BoolOp) -> Iterator[Edit]:
    parts = [f"({source.text(each)})" for each in node.values]
    this, other = (" and ", " or ") if isinstance(node.op, ast.And) else (" or ", " and ")
    yield from replace(source, node, "boolean", f"({other.join(parts)})")
    for dropped in range(len(parts)):
        kept = parts[:dropped] + parts[dropped + 1 :]
        yield from replace(source, node, "operand", f"({this.join(kept)})")


def _unary(source: Source, node: ast.UnaryOp) -> Iterator[Edit]:
    if isinstance(node.op, ast.Not):
        yield from replace(source, node, "negate", f"({source.text(node.operand)})")
    elif isinstance(node.op, ast.USub | ast.Invert):
        yield from replace(source, node, "arithmetic", f"({source.text(node.operand)})")


def _arithmetic(source: Source, node: ast.BinOp) -> Iterator[Edit]:
    old, news = _ARITHMETIC[type(node.op)]
    at, length = _token(source, node.left, node.right, re.compile(re.escape(old)))
    for new in news:
        yield Edit("arithmetic", at, at + length, new)


def _call(source: Source, node: ast.Call) -> Iterator[Edit]:
    if isinstance(node.func, ast.Name) and node.func.id in _SWAPPED:
        yield from replace(source, node.func, "pick", _SWAPPED[node.func.id])
    if any(node in getattr(each, "decorator_list", ()) for each in source.above(node)):
        return
    arguments = [*node.args, *node.keywords]
    for each in node.keywords:
        kept = ", ".join(source.text(one) for one in sorted(arguments, key=source.start) if one is not each)
        if each.arg is not None:
            yield from replace(source, node, "keyword", f"{source.text(node.func)}({kept})")


def _subscript(source: Source, node: ast.Subscript) -> Iterator[Edit]:
    bound = node.slice
    if isinstance(node.value, ast.Name) and node.value.id in ("dict", "list", "tuple", "Final", "type", "Counter"):
        return
    if isinstance(bound, ast.Slice):
        for each in (bound.lower, bound.upper):
            if each is not None:
                yield from replace(
                    source, each, "slice", "", f"({source.text(each)}) + 1", f"({source.text(each)}) - 1"
                )
    elif isinstance(bound, ast.BinOp | ast.Call):
        yield from replace(source, bound, "index", f"({source.text(bound)}) + 1", f"({source.text(bound)}) - 1")


# --- conditions --------------------------------------------------------------------------------------------------


def _condition(source: Source, test: ast.expr, *forced: str) -> Iterator[Edit]:
    if not isinstance(test, ast.Constant):
        yield from replace(source, test, "condition", *forced)
    if not isinstance(test, ast.Compare | ast.BoolOp | ast.Constant) and not (
        isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    ):
        yield from replace(source, test, "negate", f"(not ({source.text(test)}))")


def _if(source: Source, node: ast.If | ast.IfExp) -> Iterator[Edit]:
    if ast.unparse(node.test) != "TYPE_CHECKING":
        yield from _condition(source, node.test, "True", "False")


def _while(source: Source, node: ast.While) -> Iterator[Edit]:
    yield from _condition(source, node.test, "False")  # forced True it would only never end
    yield from _once(source, node.body)


def _for(source: Source, node: ast.For) -> Iterator[Edit]:
    yield from replace(source, node.iter, "loop", "()")
    yield from _once(source, node.body)


def _once(source: Source, body: list[ast.stmt]) -> Iterator[Edit]:
    """The loop ends after its first pass."""
    last = body[-1]
    if not isinstance(last, ast.Return | ast.Raise | ast.Break | ast.Continue):
        indent = " " * body[0].col_offset
        yield Edit("loop", source.end(last), source.end(last), f"\n{indent}break")


def _comprehension(source: Source, node: ast.comprehension) -> Iterator[Edit]:
    for test in node.ifs:
        yield from _condition(source, test, "True", "False")


def _guard(source: Source, node: ast.match_case) -> Iterator[Edit]:
    if node.guard is not None:
        yield from _condition(source, node.guard, "True", "False")


# --- statements --------------------------------------------------------------------------------------------------


def _delete(source: Source, node: ast.stmt) -> Iterator[Edit]:
    yield from replace(source, node, "delete", "pass")


def _assign(source: Source, node: ast.Assign) -> Iterator[Edit]:
    """An assignment to an attribute or an element left out; of several in one line also each alone."""
    targets = [each for one in node.targets for each in (one.elts if isinstance(one, ast.Tuple) else [one])]
    if not any(isinstance(each, ast.Attribute | ast.Subscript) for each in targets):
        return
    yield from _delete(source, node)
    first, value = node.targets[0], node.value
    if len(node.targets) > 1:
        for dropped in node.targets:
            kept = " = ".join(source.text(each) for each in node.targets if each is not dropped)
            yield from replace(source, node, "parallel", f"{kept} = {source.text(value)}")
    elif isinstance(first, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = list(zip(first.elts, value.elts, strict=True))
        for pair in pairs:
            lefts = ", ".join(source.text(one) for one, _ in (each for each in pairs if each is not pair))
            rights = ", ".join(source.text(one) for _, one in (each for each in pairs if each is not pair))
            if isinstance(pair[0], ast.Attribute | ast.Subscript):
                yield from replace(source, node, "parallel", f"{lefts} = {rights}")


def _annotated(source: Source, node: ast.AnnAssign) -> Iterator[Edit]:
    if isinstance(node.target, ast.Attribute) and node.value is not None:
        yield from _delete(source, node)


def _augmented(source: Source, node: ast.AugAssign) -> Iterator[Edit]:
    old, news = _ARITHMETIC[type(node.op)]
    at, length = _token(source, node.target, node.value, re.compile(re.escape(old)))
    yield Edit("arithmetic", at, at + length, news[0])
    yield Edit("arithmetic", at, at + length, "")
    if isinstance(node.target, ast.Attribute | ast.Subscript):
        yield from _delete(source, node)


def _expression(source: Source, node: ast.Expr) -> Iterator[Edit]:
    if isinstance(node.value, ast.Call):
        yield from _delete(source, node)


def _lambda(source: Source, node: ast.Lambda) -> Iterator[Edit]:
    yield from replace(source, node.body, "result", "None")


def _handler(source: Source, node: ast.ExceptHandler) -> Iterator[Edit]:
    """An exception that is not caught."""
    if isinstance(node.type, ast.Tuple):
        for dropped in node.type.elts:
            kept = "".join(f"{source.text(each)}, " for each in node.type.elts if each is not dropped)
            yield from replace(source, node.type, "except", f"({kept})")
    elif node.type is not None:
        yield from replace(source, node.type, "except", "()")


def _with(source: Source, node: ast.With) -> Iterator[Edit]:
    """The lock (or whatever it is) is not taken."""
    first, last = node.items[0], node.items[-1]
    if all(item.optional_vars is None for item in node.items):
        start, end = source.start(node), source.end(last.context_expr)
        if source.between(start, source.start(first.context_expr)).strip() == "with":
            yield Edit("with", start, end, "if True")


_OPERATORS: Final[tuple[tuple[Any, Callable[[Source, Any], Iterator[Edit]]], ...]] = (
    (ast.Constant, constant),
    (ast.JoinedStr, formats),
    (ast.Set | ast.Tuple | ast.List, display),
    (ast.Dict, entries),
    (ast.Compare, _compare),
    (ast.BoolOp, _boolean),
    (ast.UnaryOp, _unary),
    (ast.BinOp, _arithmetic),
    (ast.Call, _call),
    (ast.Subscript, _subscript),
    (ast.If | ast.IfExp, _if),
    (ast.While, _while),
    (ast.For, _for),
    (ast.comprehension, _comprehension),
    (ast.match_case, _guard),
    (ast.Raise | ast.Continue | ast.Break | ast.Delete, _delete),
    (ast.Assign, _assign),
    (ast.AnnAssign, _annotated),
    (ast.AugAssign, _augmented),
    (ast.Expr, _expression),
    (ast.Return, leaving),
    (ast.Lambda, _lambda),
    (ast.ExceptHandler, _handler),
    (ast.With, _with),
)
_found: Final[dict[type[ast.AST], tuple[Callable[[Source, Any], Iterator[Edit]], ...]]] = {}
