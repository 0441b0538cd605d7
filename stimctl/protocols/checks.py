"""What one field of a protocol file may hold: checks that Pydantic runs, each with words for the author.

Pydantic's own number types accept ``true`` for 1 or NaN for a float unless told otherwise in every place, and its
messages speak to programmers. These checks take exactly what TOML gives, never convert between units or types, and say
what was probably meant. One object serves the validator and the JSON Schema, so the two cannot drift apart.
"""

from __future__ import annotations

import difflib
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from stimctl.errors import UnitError
from stimctl.protocols.findings import shown
from stimctl.protocols.meant import name_meant

NAME_PATTERN: Final = r"^[a-z][a-z0-9-]{0,31}$"
AS_LIKELY: Final = 0.1
"""Shares of likeness that lie closer than this decide nothing: of `forearm` and its two sides the difference is 0.03."""
_NAME: Final = re.compile(NAME_PATTERN[:-1] + r"\Z")


_NAME_WORDS: Final = "1 to 32 of a-z, 0-9 and -, beginning with a letter"
_LONGEST_REFERENCE: Final = 64
UNLISTED: Final = "is not on the list"


def fault(message: str, *, allowed: str = "", source: str = "") -> PydanticCustomError:
    """An error that carries its words to the loader untouched."""
    return PydanticCustomError("stimctl", "{message}", {"message": message, "allowed": allowed, "source": source})


def closest(word: object, known: Iterable[str]) -> list[str]:
    """The one of ``known`` that looks most like ``word``; nothing for what is no text.

    Only text is compared: a huge integer, alone or in a list, has no decimal text in Python and would raise.
    """
    return difflib.get_close_matches(word[:64], list(known), n=1, cutoff=0.6) if isinstance(word, str) else []


def nearest(word: object, known: Iterable[str]) -> str:
    """``' (did you mean `...`?)'`` when one of ``known`` looks like ``word``, else nothing.

    All that look about as much like it are named: which one was meant must not be guessed (`forearm` has two sides).
    """
    close = closest(word, options := list(known))
    if not close or not isinstance(word, str):
        return ""
    best = _likeness(word, close[0])
    alike = [each for each in options if _likeness(word, each) >= best - AS_LIKELY]
    return f" (did you mean {' or '.join(f'`{each}`' for each in alike)}?)"


def _likeness(word: str, known: str) -> float:
    return difflib.SequenceMatcher(None, known, word[:64]).ratio()


class Check(ABC):
    """The common part: how Pydantic finds the check and its schema in an ``Annotated`` type."""

    @abstractmethod
    def check(self, value: Any) -> Any:
        """``value`` as the model keeps it; raises ``PydanticCustomError`` when it may not stand."""

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of what is accepted."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return self.schema()


@final
@dataclass(frozen=True)
class Quantity(Check):
    """A number of ``unit`` within a window of plausibility, both ends included.

    The window is wide: it catches another unit, not a strong setting; limits are judged afterwards, per body part.
    ``mistakes`` are pairs of the unit that was probably written and the factor that brings it to ``unit``. ``exact``
    raises :class:`UnitError` for a value that is finer than stimctl keeps.
    """

    unit: str
    low: float
    high: float
    source: str
    mistakes: tuple[tuple[str, float], ...] = ()
    whole: bool = False
    exact: Callable[[int | float], int] | None = None

    @property
    def allowed(self) -> str:
        """The window in words."""
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.low:g} to {self.high:g}{unit}{', a whole number' if self.whole else ''}"

    def check(self, value: Any) -> int | float:
        """The author's own number, untouched."""
        number = self._number(value)
        if not self.low <= number <= self.high:
            raise self._fault(f"out of range{self._meant(number)}")
        if self.whole and type(number) is not int:
            hint = f", write {int(number)}" if number == int(number) else ""
            raise self._fault(f"must be a whole number{hint}")
        self._must_be_exact(number)
        return number

    def _number(self, value: Any) -> int | float:
        if isinstance(value, bool):
            raise self._fault("true and false are not numbers")
        if isinstance(value, str):
            raise self._fault("text is not a number; write it without quotes and unit")
        if not isinstance(value, (int, float)):
            raise self._fault("must be a number")
        if isinstance(value, float) and not math.isfinite(value):
            raise self._fault("must be a finite number")
        return value

    def _meant(self, number: int | float) -> str:
        """What the author probably wrote: the first unit in which the number would be plausible."""
        if abs(number) > 1e15:  # no unit mistake; and a huge integer has no float to multiply with
            return ""
        for unit, factor in self.mistakes:
            meant = number * factor
            if self.low <= meant <= self.high:
                return f" ({number:g} looks like {unit}, the field is in {self.unit}; did you mean {meant:g}?)"
        return ""

    def _must_be_exact(self, number: int | float) -> None:
        try:
            if self.exact is not None:
                self.exact(number)
        except UnitError as error:
            raise self._fault(str(error)) from None

    def _fault(self, message: str) -> PydanticCustomError:
        return fault(message, allowed=self.allowed, source=self.source)

    def schema(self) -> dict[str, Any]:
        """``integer`` or ``number`` with both bounds."""
        return {"type": "integer" if self.whole else "number", "minimum": self.low, "maximum": self.high}


@final
@dataclass(frozen=True)
class Exactly(Check):
    """One whole number and no other; ``true`` is not 1."""

    number: int
    reason: str

    def check(self, value: Any) -> int:
        """The number."""
        if type(value) is not int or value != self.number:
            raise fault(self.reason, allowed=str(self.number))
        return value

    def schema(self) -> dict[str, Any]:
        """A constant."""
        return {"type": "integer", "const": self.number}


@final
@dataclass(frozen=True)
class Choice(Check):
    """One word of a closed list. ``explain`` may add why a word is not on it."""

    options: tuple[str, ...]
    source: str = ""
    explain: Callable[[str], str] = lambda _: ""

    def check(self, value: Any) -> str:
        """The word."""
        if type(value) is str and value in self.options:
            return value
        why = self.explain(value) if isinstance(value, str) else ""
        message = why or f"{UNLISTED}{nearest(value, self.options)}"
        raise fault(message, allowed=", ".join(self.options), source=self.source)

    def schema(self) -> dict[str, Any]:
        """An enumeration."""
        return {"type": "string", "enum": list(self.options)}


@final
@dataclass(frozen=True)
class Truth(Check):
    """``true`` or ``false``; not 0, 1 or "yes"."""

    def check(self, value: Any) -> bool:
        """The truth value."""
        if type(value) is not bool:
            raise fault("must be true or false, without quotes", allowed="true, false")
        return value

    def schema(self) -> dict[str, Any]:
        """A boolean."""
        return {"type": "boolean"}


@final
@dataclass(frozen=True)
class Words(Check):
    """Text that a terminal can show: something in it, not too long, no control or direction characters."""

    longest: int
    lines: bool = False

    def check(self, value: Any) -> str:
        """The text."""
        if type(value) is not str:
            raise fault("must be text in quotes")
        if not value.strip():
            raise fault("must not be empty")
        if len(value) > self.longest:
            raise fault(f"is too long ({len(value)} characters)", allowed=f"at most {self.longest} characters")
        # A control character in a file could redraw the operator's screen, so it is refused and not filtered.
        if not (value.replace("\n", "") if self.lines else value).isprintable():
            raise fault("holds a control character or line break", allowed="printable characters")
        return value

    def schema(self) -> dict[str, Any]:
        """A string with a length."""
        return {"type": "string", "minLength": 1, "maxLength": self.longest}


@final
@dataclass(frozen=True)
class Name(Check):
    """A name that other fields refer to."""

    def check(self, value: Any) -> str:
        """The name."""
        if type(value) is not str or not _NAME.match(value):
            raise fault(f"is not a name{name_meant(value)}", allowed=_NAME_WORDS)
        return value

    def schema(self) -> dict[str, Any]:
        """A string with a pattern."""
        return {"type": "string", "pattern": NAME_PATTERN}


@final
@dataclass(frozen=True)
class Reference(Check):
    """What should be a name that stands elsewhere. Any text passes: the rule that looks for it there names the nearest."""

    def check(self, value: Any) -> str:
        """The text."""
        if type(value) is not str or not value.isprintable() or len(value) > _LONGEST_REFERENCE:
            raise fault(f"{shown(value)} is not a name", allowed=_NAME_WORDS)
        return value

    def schema(self) -> dict[str, Any]:
        """A string with a name's pattern: anything else finds nothing."""
        return Name().schema()


@final
@dataclass(frozen=True)
class Listing(Check):
    """A list of ``item``, of ``fewest`` to ``most``, all different; kept as a tuple."""

    item: Check
    fewest: int
    most: int
    allowed: str

    def check(self, value: Any) -> tuple[Any, ...]:
        """The items, in the author's order."""
        if not isinstance(value, list | tuple):
            raise fault("must be a list, in square brackets", allowed=self.allowed)
        if not self.fewest <= len(value) <= self.most:
            raise fault(f"has {len(value)} {'entry' if len(value) == 1 else 'entries'}", allowed=self.allowed)
        items = tuple(self.item.check(each) for each in value)
        if len(set(items)) != len(items):
            raise fault("names the same thing twice", allowed=self.allowed)
        return items

    def schema(self) -> dict[str, Any]:
        """An array with bounds."""
        bounds = {"minItems": self.fewest, "maxItems": self.most, "uniqueItems": True}
        return {"type": "array", "items": self.item.schema(), **bounds}
