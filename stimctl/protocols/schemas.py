"""The JSON Schema of protocol files, for completion and help in an editor."""

from __future__ import annotations

import ast
import inspect
from typing import Any, Final

from pydantic import TypeAdapter

from stimctl.protocols import fes, following, guided, models, output, plan, sequence, strict, tens

_MODULES: Final = (strict, output, fes, sequence, following, tens, guided, plan)
"""Where the models stand, a class after those that it inherits from."""

_ALIASES: Final = {"channels": "channel", "phases": "phase", "goals": "channel", "steps": "step", "blocks": "block"}
"""What a file calls a list of tables, by the model's name for it."""

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The JSON Schema of all kinds, with one sentence for each field.

    A schema knows windows and lists, not limits per body part or what fields must be to each other: a file that an
    editor calls clean may still have faults for ``stimctl check``.
    """
    adapter: TypeAdapter[Any] = TypeAdapter(models.AnyProtocol)
    document = adapter.json_schema(by_alias=True)
    sentences = _sentences()
    for name, definition in document["$defs"].items():
        definition.pop("title", None)
        for field, properties in definition["properties"].items():
            properties.pop("title", None)
            _without_null(properties)
            properties["description"] = sentences[name][field]
    title = "stimctl protocol file, format 1"
    return {"$schema": DIALECT, "title": title, **document}


def _without_null(properties: dict[str, Any]) -> None:
    """TOML has no null: a field that may be absent is simply absent."""
    kinds = [each for each in properties.get("anyOf", ()) if each != {"type": "null"}]
    if len(kinds) == 1:
        del properties["anyOf"], properties["default"]
        properties.update(kinds[0])


def _sentences() -> dict[str, dict[str, str]]:
    """The docstring under each field, by class and key, with what a class inherits.

    They are read from the source when somebody asks, because Pydantic would read them at every start.
    """
    found: dict[str, dict[str, str]] = {}
    for node in (node for module in _MODULES for node in ast.parse(inspect.getsource(module)).body):
        if isinstance(node, ast.ClassDef):
            inherited = [found.get(base.id, {}) for base in node.bases if isinstance(base, ast.Name)]
            found[node.name] = {key: text for each in inherited for key, text in each.items()} | _documented(node)
    for sentences in found.values():
        for name, key in _ALIASES.items():
            if name in sentences:
                sentences[key] = sentences.pop(name)
    return found


def _documented(node: ast.ClassDef) -> dict[str, str]:
    """Fields of a class that are followed by a text."""
    pairs = zip(node.body, node.body[1:], strict=False)
    return {
        field.target.id: text.value.value
        for field, text in pairs
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
    }
