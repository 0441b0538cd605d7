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

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
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
_FORMAT = {"B": "b", "b": "B", "H": "h", "h": "H", "I": "i", "i": "I", "Q": "q", "q": "Q", "<": ">"}


def edits(source: Source, enums: dict[str, tuple[str, ...]]) -> Iterator[tuple[ast.AST, Edit]]:
    """Every edit of a module, with the node that it is about."""
    for node in _walk(source.tree):
        for operator, found in _OPERATORS:
            if isinstance(node, operator):
                for edit in found(source, node):
                    yield node, edit
        if isinstance(node, ast.Attribute):
            for edit in _member(source, node, enums):
                yield node, edit


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


def _replace(source: Source, node: ast.AST, operator: str, *news: str) -> Iterator[Edit]:
    for new in news:
        yield Edit(operator, source.start(node), source.end(node), new)


# --- values ------------------------------------------------------------------------------------------------------


def _constant(source: Source, node: ast.Constant) -> Iterator[Edit]:
    value = node.value
    if isinstance(value, bool):
        yield from _replace(source, node, "flip", str(not value))
    elif isinstance(value, int):
        near = dict.fromkeys((value + 1, value - 1, -value))
        yield from _replace(source, node, "number", *(_number(each) for each in near if each != value))
    elif isinstance(value, float):
        near = (value * 1.1, value * 0.9, -value) if value else (1.0, -1.0)  # type: ignore[assignment]
        yield from _replace(source, node, "number", *(_number(each) for each in near))
    elif isinstance(value, bytes):
        changed = {bytes((value[0] ^ 1,)) + value[1:], value[:-1]} if value else {b"\x00"}
        yield from _replace(source, node, "bytes", *(repr(each) for each in sorted(changed)))
    elif isinstance(value, str) and not _is_wording(source, node, value):
        yield from _replace(source, node, "string", repr(f"{value}x"))
        yield from _formats(source, node)


def _number(value: float) -> str:
    return f"({value!r})" if value < 0 else repr(value)


def _is_wording(source: Source, node: ast.Constant, value: str) -> bool:
    call = source.parents[node]
    refuses = isinstance(call, ast.Call) and "refus" in ast.unparse(call.func).lower()
    return " " in value and not refuses


def _formats(source: Source, node: ast.Constant | ast.JoinedStr) -> Iterator[Edit]:
    """A layout for ``struct``: each number read with the other sign, and all of them in the other order of bytes."""
    call = source.parents[node]
    if not (isinstance(call, ast.Call) and ast.unparse(call.func).startswith("struct.") and node is call.args[0]):
        return
    text = source.text(node)
    for hit in re.finditer(r"\{[^}]*\}|[bBhHiIqQ<]", text.removeprefix("f")):
        at = source.start(node) + hit.start() + text.startswith("f")
        if hit[0] in _FORMAT:
            yield Edit("format", at, at + 1, _FORMAT[hit[0]])


def _member(source: Source, node: ast.Attribute, enums: dict[str, tuple[str, ...]]) -> Iterator[Edit]:
    """Another member of the same enumeration."""
    if not isinstance(node.value, ast.Name) or not isinstance(node.ctx, ast.Load):
        return
    members = enums.get(source.aliases.get(node.value.id, node.value.id), ())
    if node.attr in members and len(members) > 1:
        other = members[(members.index(node.attr) + 1) % len(members)]
        yield from _replace(source, node, "member", f"{node.value.id}.{other}")


def _display(source: Source, node: ast.Set | ast.Tuple | ast.List) -> Iterator[Edit]:
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
        yield from _replace(source, node, "element", f"{opened}{kept}{closed}")


def _dict(source: Source, node: ast.Dict) -> Iterator[Edit]:
    """An entry less."""
    ends = [source.end(value) for value in node.values]
    starts = [source.start(value if key is None else key) for key, value in zip(node.keys, node.values, strict=True)]
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if node.keys[number] is None:
            start -= 2  # noqa: PLW2901 - the two stars
        comma = re.match(r"[)\s]*,", source.between(end, source.end(node)))
        yield Edit("element", start, end + (comma.end() if comma else 0), "")


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
    yield from _replace(source, node, "boolean", f"({other.join(parts)})")
    for dropped in range(len(parts)):
        kept = parts[:dropped] + parts[dropped + 1 :]
        yield from _replace(source, node, "operand", f"({this.join(kept)})")


def _unary(source: Source, node: ast.UnaryOp) -> Iterator[Edit]:
    if isinstance(node.op, ast.Not):
        yield from _replace(source, node, "negate", f"({source.text(node.operand)})")
    elif isinstance(node.op, ast.USub | ast.Invert):
        yield from _replace(source, node, "arithmetic", f"({source.text(node.operand)})")


def _arithmetic(source: Source, node: ast.BinOp) -> Iterator[Edit]:
    old, news = _ARITHMETIC[type(node.op)]
    at, length = _token(source, node.left, node.right, re.compile(re.escape(old)))
    for new in news:
        yield Edit("arithmetic", at, at + length, new)


def _call(source: Source, node: ast.Call) -> Iterator[Edit]:
    if isinstance(node.func, ast.Name) and node.func.id in _SWAPPED:
        yield from _replace(source, node.func, "pick", _SWAPPED[node.func.id])
    if any(node in getattr(each, "decorator_list", ()) for each in source.above(node)):
        return
    arguments = [*node.args, *node.keywords]
    for each in node.keywords:
        kept = ", ".join(source.text(one) for one in sorted(arguments, key=source.start) if one is not each)
        if each.arg is not None:
            yield from _replace(source, node, "keyword", f"{source.text(node.func)}({kept})")


def _subscript(source: Source, node: ast.Subscript) -> Iterator[Edit]:
    bound = node.slice
    if isinstance(node.value, ast.Name) and node.value.id in ("dict", "list", "tuple", "Final", "type", "Counter"):
        return
    if isinstance(bound, ast.Slice):
        for each in (bound.lower, bound.upper):
            if each is not None:
                yield from _replace(
                    source, each, "slice", "", f"({source.text(each)}) + 1", f"({source.text(each)}) - 1"
                )
    elif isinstance(bound, ast.BinOp | ast.Call):
        yield from _replace(source, bound, "index", f"({source.text(bound)}) + 1", f"({source.text(bound)}) - 1")


# --- conditions --------------------------------------------------------------------------------------------------


def _condition(source: Source, test: ast.expr, *forced: str) -> Iterator[Edit]:
    if not isinstance(test, ast.Constant):
        yield from _replace(source, test, "condition", *forced)
    if not isinstance(test, ast.Compare | ast.BoolOp | ast.Constant) and not (
        isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    ):
        yield from _replace(source, test, "negate", f"(not ({source.text(test)}))")


def _if(source: Source, node: ast.If | ast.IfExp) -> Iterator[Edit]:
    if ast.unparse(node.test) != "TYPE_CHECKING":
        yield from _condition(source, node.test, "True", "False")


def _while(source: Source, node: ast.While) -> Iterator[Edit]:
    yield from _condition(source, node.test, "False")  # forced True it would only never end
    yield from _once(source, node.body)


def _for(source: Source, node: ast.For) -> Iterator[Edit]:
    yield from _replace(source, node.iter, "loop", "()")
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
    yield from _replace(source, node, "delete", "pass")


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
            yield from _replace(source, node, "parallel", f"{kept} = {source.text(value)}")
    elif isinstance(first, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = list(zip(first.elts, value.elts, strict=True))
        for pair in pairs:
            lefts = ", ".join(source.text(one) for one, _ in (each for each in pairs if each is not pair))
            rights = ", ".join(source.text(one) for _, one in (each for each in pairs if each is not pair))
            if isinstance(pair[0], ast.Attribute | ast.Subscript):
                yield from _replace(source, node, "parallel", f"{lefts} = {rights}")


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


def _return(source: Source, node: ast.Return) -> Iterator[Edit]:
    function = next(each for each in source.above(node) if isinstance(each, _FUNCTIONS))
    assert not isinstance(function, ast.Lambda)
    if node is not function.body[-1] and not (_ends_anyway(source, node) and _gives_nothing(node)):
        yield from _delete(source, node)
    kind = "" if function.returns is None else ast.unparse(function.returns)
    value = "" if node.value is None else ast.unparse(node.value)
    if value not in ("", "None"):
        others = {"bool": ("True", "False"), "int": ("0",)}.get(kind, ("None",))
        yield from _replace(source, node.value, "result", *(each for each in others if each != value))  # type: ignore[arg-type]


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


def _lambda(source: Source, node: ast.Lambda) -> Iterator[Edit]:
    yield from _replace(source, node.body, "result", "None")


def _handler(source: Source, node: ast.ExceptHandler) -> Iterator[Edit]:
    """An exception that is not caught."""
    if isinstance(node.type, ast.Tuple):
        for dropped in node.type.elts:
            kept = "".join(f"{source.text(each)}, " for each in node.type.elts if each is not dropped)
            yield from _replace(source, node.type, "except", f"({kept})")
    elif node.type is not None:
        yield from _replace(source, node.type, "except", "()")


def _with(source: Source, node: ast.With) -> Iterator[Edit]:
    """The lock (or whatever it is) is not taken."""
    first, last = node.items[0], node.items[-1]
    if all(item.optional_vars is None for item in node.items):
        start, end = source.start(node), source.end(last.context_expr)
        if source.between(start, source.start(first.context_expr)).strip() == "with":
            yield Edit("with", start, end, "if True")


_OPERATORS: Final[tuple[tuple[Any, Callable[[Source, Any], Iterator[Edit]]], ...]] = (
    (ast.Constant, _constant),
    (ast.JoinedStr, _formats),
    (ast.Set | ast.Tuple | ast.List, _display),
    (ast.Dict, _dict),
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
    (ast.Return, _return),
    (ast.Lambda, _lambda),
    (ast.ExceptHandler, _handler),
    (ast.With, _with),
)
