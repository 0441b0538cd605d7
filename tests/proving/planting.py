"""Faults planted in production code: a module's source is replaced as it is imported; no file is touched.

Only in a process that has not imported that module yet, because a module that stands keeps its code. Whoever plants does so
in a child of its own (see :func:`refuse_too_late`).
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final

ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Plant:
    """One change of the code: ``old``, found exactly once in ``module``, becomes ``new``. ``harm``: what that would do."""

    module: str
    old: str
    new: str
    harm: str

    def source(self) -> str:
        """The module's text with the fault in it; raises :class:`ValueError` when ``old`` is not there exactly once."""
        text = path_of(self.module).read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.module}: {text.count(self.old)} places instead of one read {self.old!r}")
        return text.replace(self.old, self.new)


def path_of(module: str) -> Path:
    """Where a module's source lies."""
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def plant(sources: Mapping[str, str]) -> None:
    """From now on, import ``sources`` (text by module name) in the place of what lies on the disk."""
    refuse_too_late(sources)
    sys.meta_path.insert(0, _Planter(sources))


def refuse_too_late(wanted: Iterable[str]) -> None:
    """Raise :class:`RuntimeError` when one of these modules was imported already: what is planted now would not grow.

    One that was not has given nothing to anybody yet: whoever imports it later gets what was planted.
    """
    here = sorted(name for name in wanted if name in sys.modules)
    if here:
        raise RuntimeError(f"too late to plant: {here[0]} is imported already")


class _Planter(importlib.abc.MetaPathFinder):
    """Finds the planted modules, and leaves all others to the finders behind it."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = sources

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self._sources:
            return None
        file = path_of(fullname)
        loader = _Loader(fullname, str(file), self._sources[fullname])
        packages = [str(file.parent)] if file.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(
            fullname, file, loader=loader, submodule_search_locations=packages
        )


class _Loader(importlib.machinery.SourceFileLoader):
    """Reads the planted text; writes no byte code, which would outlive it."""

    def __init__(self, fullname: str, path: str, text: str) -> None:
        super().__init__(fullname, path)
        self._text = text

    def get_data(self, path: str | bytes) -> bytes:
        return self._text.encode("utf-8") if str(path).endswith(".py") else super().get_data(path)  # type: ignore[arg-type]

    def get_code(self, fullname: str) -> object:  # type: ignore[override]
        return self.source_to_code(self.get_data(self.path), self.path)
