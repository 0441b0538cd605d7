"""A copy of the limiter of its own, whose built-in functions also understand symbolic integers.

The modules are imported once more from their files (or from texts with a fault planted in them) under their own names,
kept, and taken out again, so that nothing else in the process ever sees them. ``min``, ``max``, ``type``,
``isinstance`` and ``isqrt`` are replaced in their namespaces by what :mod:`tests.proving.symbolic` has for them; every other line is theirs.
"""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Mapping
from types import ModuleType, SimpleNamespace
from typing import Any, Final

from tests.proving import symbolic
from tests.proving.planting import plant

PARTS: Final = (
    "errors", "units", "limits", "pulse", "envelope.words", "envelope.rules", "envelope.accounts", "envelope.latch",
    "envelope.placing", "envelope.review", "safety",
)  # fmt: skip
"""What the limiter is made of; all of it is executed symbolically."""

STANDING_IN: Final = {
    "min": symbolic.least,
    "max": symbolic.largest,
    "type": symbolic.kind,
    "isinstance": symbolic.is_kind,
}


class World(SimpleNamespace):
    """The modules by the last part of their names: ``world.rules``, ``world.safety``."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


def load(planted: Mapping[str, str] | None = None) -> World:
    """A fresh copy; ``planted`` are the texts of modules that are not to be read from their files."""
    ours = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_ours(name)}
    finders = list(sys.meta_path)
    try:
        plant(planted or {})
        parts = {name.rpartition(".")[2]: importlib.import_module(f"stimctl.{name}") for name in PARTS}
    finally:
        sys.meta_path[:] = finders
        for name in [name for name in sys.modules if _is_ours(name)]:
            del sys.modules[name]
        sys.modules.update(ours)
    for module in parts.values():
        _prepare(module)
    return World(**parts)


def _is_ours(name: str) -> bool:
    return name == "stimctl" or name.startswith("stimctl.")


def _prepare(module: ModuleType) -> None:
    """Let a module's built-in functions understand symbolic integers."""
    for name, stand_in in STANDING_IN.items():
        if name in vars(module):
            raise symbolic.Unsupported(f"{module.__name__} has a {name} of its own")
        setattr(module, name, stand_in)
    if hasattr(module, "isqrt"):
        module.isqrt = symbolic.root  # type: ignore[attr-defined]
    if hasattr(module, "math"):
        module.math = SimpleNamespace(isqrt=symbolic.root, sqrt=math.sqrt)  # type: ignore[attr-defined]
