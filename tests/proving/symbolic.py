"""Symbolic integers: real Python code runs on them as it stands, along every path that it can take.

Nothing is translated: CPython executes the functions under proof, and only the integers are ours. An :class:`Int` holds
a term of z3 in place of a value; arithmetic builds larger terms; a comparison gives a :class:`Truth`. Whenever the code
asks a Truth for yes or no (``if``, ``and``, a chained comparison), the path that is being walked takes a side (see
:mod:`tests.proving.paths`). What is not pure integer arithmetic (a float, a hash, an index, a power with a symbolic
exponent) raises :class:`Unsupported`: nothing is guessed and nothing skipped.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Never, Protocol

import z3


class Unsupported(BaseException):
    """The code did something with an integer that is no integer arithmetic. No ``except Exception`` catches it."""


class Path(Protocol):
    """What symbolic integers need of the path that they are on."""

    def decide(self, question: Any) -> bool: ...
    def know(self, fact: Any, *, early: bool = True) -> None: ...
    def fresh(self, name: str) -> Int: ...
    def quotient(self, numerator: Int, denominator: Int) -> Int: ...
    def root(self, radicand: Int) -> Int: ...


walked: list[Path] = []
"""The path that is being walked, last."""


def _path() -> Path:
    if not walked:
        raise Unsupported("a symbolic integer outside a path")
    return walked[-1]


class Truth:
    """A symbolic yes or no; asking it decides a side of the path."""

    __slots__ = ("term",)

    def __init__(self, term: Any) -> None:
        self.term = term

    def __bool__(self) -> bool:
        return _path().decide(self.term)

    def __and__(self, other: object) -> Truth:
        return Truth(z3.And(self.term, truth_term(other)))

    def __or__(self, other: object) -> Truth:
        return Truth(z3.Or(self.term, truth_term(other)))

    __rand__, __ror__ = __and__, __or__


def truth_term(value: object) -> Any:
    """The term of a truth, symbolic or plain."""
    if isinstance(value, Truth):
        return value.term
    if type(value) is bool:
        return z3.BoolVal(value)
    raise Unsupported(f"a truth was expected, not {value!r}")


def term(value: object) -> Any:
    """The term of an integer, symbolic or plain."""
    if isinstance(value, Int):
        return value.term
    if type(value) is int:
        return z3.IntVal(value)
    raise Unsupported(f"an integer was expected, not {value!r}")


def _refused(name: str) -> Callable[..., Never]:
    def refuse(self: Int, *args: object) -> Never:
        raise Unsupported(f"{name} of a symbolic integer")

    return refuse


class Int:
    """A symbolic integer: any value that what was assumed and asked leaves open."""

    __slots__ = ("term",)

    def __init__(self, inner: Any) -> None:
        self.term = inner

    def __add__(self, other: object) -> Int:
        return Int(self.term + term(other))

    def __sub__(self, other: object) -> Int:
        return Int(self.term - term(other))

    def __rsub__(self, other: object) -> Int:
        return Int(term(other) - self.term)

    def __mul__(self, other: object) -> Int:
        return Int(self.term * term(other))

    def __neg__(self) -> Int:
        return Int(-self.term)

    def __abs__(self) -> Int:
        return self if self >= 0 else -self

    def __pow__(self, exponent: object) -> Int:
        if type(exponent) is not int or not 0 <= exponent <= 4:
            raise Unsupported(f"power {exponent!r}")
        result = Int(z3.IntVal(1))
        for _ in range(exponent):
            result = result * self
        return result

    def __floordiv__(self, other: object) -> Int:
        return _path().quotient(self, _as_int(other))

    def __rfloordiv__(self, other: object) -> Int:
        return _path().quotient(_as_int(other), self)

    def __mod__(self, other: object) -> Int:
        return self - _as_int(other) * (self // other)

    __radd__, __rmul__ = __add__, __mul__

    def __lt__(self, other: object) -> Truth:
        return Truth(self.term < term(other))

    def __le__(self, other: object) -> Truth:
        return Truth(self.term <= term(other))

    def __gt__(self, other: object) -> Truth:
        return Truth(self.term > term(other))

    def __ge__(self, other: object) -> Truth:
        return Truth(self.term >= term(other))

    def __eq__(self, other: object) -> Truth:  # type: ignore[override]
        return Truth(self.term == term(other))

    def __ne__(self, other: object) -> Truth:  # type: ignore[override]
        return Truth(self.term != term(other))

    def __bool__(self) -> bool:
        return bool(self != 0)

    def __repr__(self) -> str:
        return "<any integer>"  # for messages of refusals, which nothing branches on

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __hash__(self) -> int:
        raise Unsupported("a hash of a symbolic integer")

    __index__ = __int__ = __float__ = __round__ = __trunc__ = __ceil__ = __floor__ = _refused("a conversion")
    __truediv__ = __rtruediv__ = _refused("true division")
    __lshift__ = __rshift__ = __rlshift__ = __rrshift__ = _refused("a shift")
    __xor__ = __rxor__ = __and__ = __or__ = __rand__ = __ror__ = __invert__ = _refused("a bit operation")
    __rmod__ = __divmod__ = __rdivmod__ = __rpow__ = _refused("a division of a plain integer")


def _as_int(value: object) -> Int:
    return value if isinstance(value, Int) else Int(term(value))


# --- what stands in for the built-in functions -------------------------------------------------------------------


def kind(value: object) -> type:
    """``type`` of one argument: a symbolic integer is an int and nothing else."""
    return int if isinstance(value, Int) else type(value)


def is_kind(value: object, kinds: Any) -> bool:
    """``isinstance``."""
    return issubclass(int, kinds) if isinstance(value, Int) else isinstance(value, kinds)


def least(*values: Any) -> Any:
    """``min``."""
    return _extreme(values, lambda one, other: one <= other)


def largest(*values: Any) -> Any:
    """``max``."""
    return _extreme(values, lambda one, other: one >= other)


def _extreme(values: tuple[Any, ...], before: Callable[[Any, Any], Any]) -> Any:
    each: tuple[Any, ...] = values if len(values) > 1 else tuple(values[0])
    ints = [value for value in each if isinstance(value, Int)]
    plain = [value for value in each if not isinstance(value, Int)]
    for value in plain[1:]:
        plain[0] = plain[0] if before(plain[0], value) else value
    if not ints:
        return plain[0]
    ints += [_as_int(value) for value in plain[:1]]
    if len(ints) == 1:
        return ints[0]
    found = _path().fresh("extreme")
    for value in ints:
        _path().know(before(found, value).term)
    _path().know(z3.Or([found.term == value.term for value in ints]), early=False)
    return found


def root(value: Any) -> Any:
    """``math.isqrt``."""
    return _path().root(value) if isinstance(value, Int) else math.isqrt(value)
