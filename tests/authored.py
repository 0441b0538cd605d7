"""Valid protocols of every kind for property tests: what is shipped, with numbers changed as far as the checks allow."""

from __future__ import annotations

import contextlib
import copy
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from stimctl.errors import ProtocolError
from stimctl.protocols import KINDS, AnyProtocol, library, library_text, loads, schema
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


OUTPUT_KINDS = tuple(kind for kind, model in KINDS.items() if "channels" in model.model_fields)
"""The kinds that stimulate."""


@st.composite
def protocols(draw: st.DrawFn, *, stimulating: bool = False, kind: str = "") -> AnyProtocol:
    """A protocol that loads: a shipped one, of one ``kind`` if that is asked for, with up to four of its numbers changed."""
    texts = [text for text in _of(kind) if "[[channel]]" in text or not stimulating]
    tables = tomllib.loads(draw(st.sampled_from(texts)))
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


@cache
def _of(kind: str) -> tuple[str, ...]:
    """The shipped texts of a kind, or all. Asked for with every example that is drawn: nothing is parsed for it."""
    return tuple(library_text(entry.name) for entry in library() if kind in ("", entry.kind))


# --- any field of any table ----------------------------------------------------------------------------------------


@cache
def _document() -> dict[str, Any]:
    return schema()


@st.composite
def models(draw: st.DrawFn, kind: str) -> AnyProtocol:
    """Any valid protocol of a kind, as far as a walk from a shipped one leads: field after field says something else.

    Which fields there are, and what each may say, is the schema's to tell, so that a new one is taken in by itself. A step
    that makes the file invalid is taken back.
    """
    tables = tomllib.loads(draw(st.sampled_from(_of(kind))))
    top = _document()["discriminator"]["mapping"][kind]
    for _ in range(draw(st.integers(1, 6))):
        tried = copy.deepcopy(tables)
        fields = sorted(_fields(tried, {"$ref": top}), key=lambda each: each[1])
        holder, key, told = draw(st.sampled_from(fields))
        if key in holder and key not in told["required"] and draw(st.booleans()):
            del holder[key]
        else:
            holder[key] = draw(_values(told))
        with contextlib.suppress(ProtocolError):
            loads(written(tried), "tried.toml")
            tables = tried
    return loads(written(tables), "walked.toml")


def walkable(kind: str) -> set[str]:
    """The names of all fields that :func:`models` may change in the shipped files of a kind."""
    top = _document()["discriminator"]["mapping"][kind]
    return {key for text in _of(kind) for _, key, _ in _fields(tomllib.loads(text), {"$ref": top})}


def _fields(value: Any, told: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str, dict[str, Any]]]:
    """Every field with a plain value that a table has or may have, and of the tables in it: holder, key and schema."""
    if "$ref" in told:
        told = _document()["$defs"][told["$ref"].rpartition("/")[2]]
    if isinstance(value, list):
        for each in value:
            yield from _fields(each, told["items"])
    if not isinstance(value, dict):
        return
    for pattern in told.get("patternProperties", {}).values():
        for each in value.values():
            yield from _fields(each, pattern)
    for key, field in told.get("properties", {}).items():
        if _is_plain(field):
            yield value, key, field | {"required": told.get("required", ())}
        elif key in value:
            yield from _fields(value[key], field)


def _is_plain(field: dict[str, Any]) -> bool:
    """Whether a value can be drawn: a number, a text that is no name, a choice, a list of such."""
    if field.get("type") == "array":
        return _is_plain(field["items"])
    return "type" in field and "const" not in field and "pattern" not in field and field["type"] != "object"


def _values(field: dict[str, Any]) -> st.SearchStrategy[Any]:
    if field["type"] == "array":
        return st.lists(_values(field["items"]), min_size=field["minItems"], max_size=3, unique=True)
    if "enum" in field:
        return st.sampled_from(field["enum"])
    if field["type"] == "boolean":
        return st.booleans()
    if field["type"] == "string":
        return st.text(_SIGNS, min_size=1, max_size=min(40, field["maxLength"]))
    if field["type"] == "integer":
        return st.integers(field["minimum"], field["maximum"])
    return st.integers(round(field["minimum"] * 1000), round(field["maximum"] * 1000)).map(lambda each: each / 1000)


_SIGNS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Co", "Cn")) | st.sampled_from("\"\\'#=[]{}\n\t ")
"""Whatever an author may type; what a field does not take makes the step invalid, and it is taken back."""


def _changed(draw: st.DrawFn, value: int | float) -> int | float:
    """Not far from what it was, and as coarse as an author writes."""
    percent = draw(st.integers(60, 125))
    if isinstance(value, int):
        return max(value * percent // 100, 1) if value else 0
    return round(value * percent / 100, 1)
