"""Refusals of what a wire cannot carry: one error that names the field, the value and the range."""

from __future__ import annotations

from enum import IntEnum
from typing import Self, final

from stimctl.errors import OurBug


@final
class DoesNotFit(OurBug):
    """A field that the wire has no bits for. Nothing is rounded, cut or wrapped: nothing is sent at all.

    A bug of ours, since quantising and judging come before encoding; whoever asks beforehand whether a board can
    express something reads it as a plain no. ``allowed`` is the range in words, with its unit.
    """

    def __init__(self, field: str, value: object, allowed: str) -> None:
        plain = (
            int(value) if isinstance(value, IntEnum) else value
        )  # the number says more than the enumeration's own words
        self.field, self.value, self.allowed = field, plain, allowed
        super().__init__(f"{field} {plain!r} does not fit the wire; it takes {allowed}")

    def within(self, where: str) -> Self:
        """The same, told of a field inside ``where``."""
        return type(self)(f"{where}: {self.field}", self.value, self.allowed)


def steps(field: str, value: object, low: int, high: int, step: int = 1, unit: str = "") -> int:
    """How many steps ``value`` lies above 0, for a whole ``value`` from ``low`` to ``high`` that is a multiple of ``step``.

    Raises :class:`DoesNotFit` for anything else, floats and booleans included.
    """
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high and value % step == 0:
        return int(value) // step
    grid = f" in steps of {step}" if step > 1 else ""
    raise DoesNotFit(field, value, f"whole numbers from {low} to {high}{grid} {unit}".rstrip())


def flag(field: str, value: object) -> bool:
    """``value`` if it is True or False; raises :class:`DoesNotFit` for anything else."""
    if value is True or value is False:
        return value
    raise DoesNotFit(field, value, "True or False")
