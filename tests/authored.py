"""Valid protocols of every kind for property tests: what is shipped, with numbers changed as far as the checks allow."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from stimctl.errors import ProtocolError
from stimctl.protocols import AnyProtocol, library, library_text, loads
from stimctl.protocols.writing import toml_value

Key = tuple[str | int, ...]


@cache
def shipped() -> tuple[tuple[str, str], ...]:
    """Name and text of every shipped file."""
    return tuple((entry.name, library_text(entry.name)) for entry in library())


def numbers(value: Any, path: Key = ()) -> Iterator[Key]:
    """The way to every number of a file's tables."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from numbers(each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from numbers(each, (*path, index))
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and path != ("format",):
        yield path


def written(tables: dict[str, Any]) -> str:
    """Tables as TOML, by inline tables alone below the top: what a reader must understand as well."""
    return "".join(f"{key} = {_inline(value)}\n" for key, value in tables.items())


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_inline(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return toml_value(value)


@st.composite
def protocols(draw: st.DrawFn, *, stimulating: bool = False) -> AnyProtocol:
    """A protocol that loads: a shipped one, with up to four of its numbers changed."""
    texts = [text for _, text in shipped() if "[[channel]]" in text or not stimulating]
    tables = copy.deepcopy(tomllib.loads(draw(st.sampled_from(texts))))
    for path in draw(st.lists(st.sampled_from(list(numbers(tables))), max_size=4, unique=True)):
        holder: Any = tables
        for part in path[:-1]:
            holder = holder[part]
        holder[path[-1]] = _changed(draw, holder[path[-1]])
    try:
        return loads(written(tables), "drawn.toml")
    except ProtocolError:
        assume(False)
        raise


def _changed(draw: st.DrawFn, value: int | float) -> int | float:
    """Not far from what it was, and as coarse as an author writes."""
    percent = draw(st.integers(60, 125))
    if isinstance(value, int):
        return max(value * percent // 100, 1) if value else 0
    return round(value * percent / 100, 1)
