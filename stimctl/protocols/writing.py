"""From a model back to a file: every field that says something, in the order of the model, with numbers as written.

``loads(dumps(protocol), name)`` gives an equal protocol. Comments live in files alone; :mod:`stimctl.protocols.layout`
tidies a file without losing them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from pydantic import BaseModel

from stimctl.protocols.models import AnyProtocol
from stimctl.protocols.strict import OneLine

Path: TypeAlias = tuple[str, ...]

SCHEMA_LINE: Final = "#:schema protocol.schema.json"
"""The first line of a file: editors with a TOML extension find the schema by it."""

_FIRST: Final = ("format", "kind")

_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def dumps(protocol: AnyProtocol) -> str:
    """The text of ``protocol`` as a file, in UTF-8's characters, with a line feed at its end."""
    return SCHEMA_LINE + "\n" + "\n".join(_table(protocol, ())).lstrip("\n") + "\n"


def toml_value(value: object) -> str:
    """A plain value in TOML: a text, a number, true or false, a list of such; raises :class:`TypeError` for others."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + "".join(_ESCAPES.get(each, each) for each in value) + '"'
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(toml_value(each) for each in value) + "]"
    raise TypeError(f"{type(value).__name__} has no place in a protocol file")


def _table(model: BaseModel, path: Path) -> Iterator[str]:
    """The lines of one table: its own fields first, as TOML wants it, then the tables in it."""
    fields = list(_stated(model))
    for key, value in fields:
        if isinstance(value, Mapping) and not _is_table(value):
            yield from (f"{key}.{name} = {_on_one_line(each)}" for name, each in value.items())
        elif not _is_table(value):
            yield f"{key} = {toml_value(value)}"
    for key, value in fields:
        if _is_table(value):
            yield from _tables(value, (*path, key))


def _on_one_line(model: BaseModel) -> str:
    """A small table in braces."""
    return "{ " + ", ".join(f"{key} = {toml_value(value)}" for key, value in _stated(model)) + " }"


def _tables(value: Any, path: Path) -> Iterator[str]:
    if isinstance(value, BaseModel):
        yield from ("", f"[{'.'.join(path)}]", *_table(value, path))
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from _tables(each, (*path, name))
    else:
        for each in value:
            yield from ("", f"[[{'.'.join(path)}]]", *_table(each, path))


def _stated(model: BaseModel) -> Iterator[tuple[str, Any]]:
    """What a model says, by the file's names: what is absent or only the default is left out."""
    fields = type(model).model_fields
    names = [*(each for each in _FIRST if each in fields), *(each for each in fields if each not in _FIRST)]
    for name in names:
        value = getattr(model, name)
        if value is not None and (fields[name].is_required() or value != fields[name].default):
            yield fields[name].alias or name, value


def _is_table(value: object) -> bool:
    """Whether a value is written under a heading of its own."""
    if isinstance(value, tuple):
        return bool(value) and isinstance(value[0], BaseModel)
    if isinstance(value, Mapping):
        return not any(isinstance(each, OneLine) for each in value.values())
    return isinstance(value, BaseModel)
