"""A field that its part of the file does not have: which one was meant, and which missing one that explains.

A slip is one mistake. Told as two, an unknown field here and a missing one there, it sends its author looking twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from stimctl.protocols.checks import closest, nearest
from stimctl.protocols.findings import Finding, Path
from stimctl.protocols.meant import FIELDS, named_in


class Slip(NamedTuple):
    """An unknown field as a finding, and the paths of the fields that were meant by it."""

    finding: Finding
    explains: tuple[Path, ...]


def slip(path: Path, model: type[BaseModel], data: Mapping[str, Any]) -> Slip:
    """What an unknown field at ``path`` of ``data`` was probably meant to be."""
    word, at = str(path[-1]), path[:-1]
    known = list(fields(model_at(at, model)))
    hint, meant = _hint(word, known, _stated(at, data))
    explains = tuple((*at, name) for name in meant)
    if word not in FIELDS and (home := _home(word, at, model, data)):
        hint, explains = home
    finding = Finding(path, f"unknown field{hint}", at_key=True, allowed="" if hint else ", ".join(known))
    return Slip(finding, explains)


def _hint(word: str, known: Sequence[str], stated: Sequence[str]) -> tuple[str, Sequence[str]]:
    """What is said beside it, and the fields of the same part that it stands for: none that is stated as well."""
    if word in FIELDS:
        return f" ({FIELDS[word]})", [name for name in named_in(FIELDS[word], known) if name not in stated]
    free = [name for name in known if name not in stated]
    meant = closest(word, free)
    return nearest(word, free if meant else known), meant


def _home(word: str, at: Path, model: type[BaseModel], data: Mapping[str, Any]) -> tuple[str, tuple[Path, ...]] | None:
    """Where a field belongs that is right but in the wrong part: the one part that has such a field, and lacks it here."""
    homes = [each for each in _homes(word, model) if each[1][:-1] != at and word not in _stated(each[1][:-1], data)]
    if len(homes) != 1:
        return None
    where, path = homes[0]
    return f" (it belongs {where})", (path,)


def _homes(word: str, model: type[BaseModel]) -> Iterator[tuple[str, Path]]:
    for key, info in fields(model).items():
        if key == word:
            yield "at the top of the file, before the first name in brackets", (key,)
        if word in fields(inner_model(info)):
            shape = get_origin(info.annotation)
            if shape in (None, UnionType):  # a table, or one that may be absent
                yield f"under [{key}]", (key, word)
            elif shape is tuple:
                yield f"under [[{key}]]", (key, 0, word)


def _stated(at: Path, data: Any) -> Sequence[str]:
    """The fields that the part at ``at`` states."""
    here = data
    for part in at:
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            return ()
    return list(here) if isinstance(here, dict) else ()


# --- models ------------------------------------------------------------------------------------------------------


def fields(model: type[BaseModel] | None) -> dict[str, FieldInfo]:
    """The fields of a model, by the names that a file has for them."""
    return {info.alias or name: info for name, info in model.model_fields.items()} if model else {}


def model_at(path: Path, model: type[BaseModel]) -> type[BaseModel] | None:
    """The model class that stands at ``path``."""
    here: type[BaseModel] | None = model
    for part in path:
        known = {} if isinstance(part, int) else fields(here)
        if part in known:
            here = inner_model(known[str(part)])
    return here


def inner_model(info: FieldInfo) -> type[BaseModel] | None:
    """The model class that a field holds: itself, in a tuple, or in a mapping."""
    for candidate in (info.annotation, *get_args(info.annotation)):
        if isinstance(candidate, type) and get_origin(candidate) is None and issubclass(candidate, BaseModel):
            return candidate
    return None
