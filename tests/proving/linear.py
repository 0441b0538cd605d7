"""Facts in normal form, and relaxed to linear arithmetic over real numbers, which is decided at once.

Relaxed, every product of unknowns is a number of its own that nothing else is known of, and nothing need be whole. So
what is impossible relaxed is impossible: any integers that keep the facts keep the relaxed ones, with each product's
number being that product. The other way round nothing follows.
"""

from __future__ import annotations

from typing import Any

import z3


class Forms:
    """The forms of all facts of a theorem, worked out once: every path states most of them again.

    Terms are kept beside what was made of them, as the number of a term that is gone is given to another.
    """

    def __init__(self) -> None:
        self._normal: dict[int, tuple[Any, Any]] = {}
        self._relaxed: dict[int, tuple[Any, Any]] = {}
        self._products: dict[tuple[int, ...], tuple[Any, Any]] = {}

    def normal(self, fact: Any) -> Any:
        """The same as sums of products: what is equal by the rules of rings then reads equal."""
        number = fact.get_id()
        if number not in self._normal:
            self._normal[number] = (z3.simplify(fact, som=True), fact)
        return self._normal[number][0]

    def relaxed(self, fact: Any) -> Any:
        """A fact in normal form without its products."""
        number = fact.get_id()
        if number not in self._relaxed:
            self._relaxed[number] = (self._relax(fact), fact)
        return self._relaxed[number][0]

    def _relax(self, fact: Any) -> Any:
        kind = fact.decl().kind()
        if z3.is_int_value(fact):
            return z3.RealVal(fact.as_long())
        if kind == z3.Z3_OP_MUL:
            return self._product(fact)
        if kind == z3.Z3_OP_NOT:
            return self._opposite(fact.arg(0))
        make = _SAME.get(kind)
        if make is None:
            return self._any_number([fact]) if z3.is_int(fact) else z3.FreshBool("any")
        return make([self.relaxed(each) for each in fact.children()])

    def _opposite(self, fact: Any) -> Any:
        """Not less or equal is one more, as only integers are spoken of."""
        kind = fact.decl().kind()
        if kind not in (z3.Z3_OP_LE, z3.Z3_OP_GE):
            return z3.Not(self.relaxed(fact))
        one, other = (self.relaxed(each) for each in fact.children())
        return one >= other + 1 if kind == z3.Z3_OP_LE else one + 1 <= other

    def _product(self, product: Any) -> Any:
        """A number times a product of unknowns."""
        number, unknown, waiting = 1, [], [product]
        while waiting:
            factor = waiting.pop()
            if factor.decl().kind() == z3.Z3_OP_MUL:
                waiting += factor.children()  # a number stands before a product that may be a term of its own
            elif z3.is_int_value(factor):
                number *= factor.as_long()
            else:
                unknown.append(factor)
        return z3.RealVal(number) * (self._any_number(unknown) if unknown else z3.RealVal(1))

    def _any_number(self, factors: list[Any]) -> Any:
        """The number that stands for a product of unknowns, or for an unknown."""
        key = tuple(sorted(each.get_id() for each in factors))
        if key not in self._products:
            self._products[key] = (z3.FreshReal("any"), factors)
        return self._products[key][0]


_SAME = {
    z3.Z3_OP_ADD: z3.Sum,
    z3.Z3_OP_LE: lambda parts: parts[0] <= parts[1],
    z3.Z3_OP_GE: lambda parts: parts[0] >= parts[1],
    z3.Z3_OP_EQ: lambda parts: parts[0] == parts[1],
    z3.Z3_OP_AND: z3.And,
    z3.Z3_OP_OR: z3.Or,
    z3.Z3_OP_TRUE: lambda _: z3.BoolVal(True),
    z3.Z3_OP_FALSE: lambda _: z3.BoolVal(False),
}
"""What reads the same in real numbers, from its parts; all else is any number, or any truth."""
