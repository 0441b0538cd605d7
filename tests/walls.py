"""The walls, read twice: as import-linter's contracts with a graph to plant edges in, and as the source's own trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import grimp
from importlinter import api
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract
from importlinter.contracts.protected import ProtectedContract
from importlinter.domain.contract import Contract

ROOT = Path(__file__).parents[1]
CONFIGURATION: dict[str, Any] = api.read_configuration(str(ROOT / "pyproject.toml"))
OPTIONS: dict[str, dict[str, Any]] = {each["id"]: each for each in CONFIGURATION["contracts_options"]}
KINDS: dict[str, type[Contract]] = {
    "layers": LayersContract, "forbidden": ForbiddenContract, "protected": ProtectedContract,
}  # fmt: skip


# --- the contracts ------------------------------------------------------------------------------------------------


def build_graph() -> grimp.ImportGraph:
    """Who imports whom, the standard library and packages included; a fresh one, for its borrower to plant in."""
    return grimp.build_graph("stimctl", include_external_packages=True, cache_dir=None)


@cache
def contract(name: str) -> Contract:
    """The contract with the id ``name``, as import-linter makes it from pyproject.toml."""
    options = OPTIONS[name]
    return KINDS[options["type"]](options["name"], CONFIGURATION["session_options"], options)


def kept(name: str, graph: grimp.ImportGraph) -> bool:
    """Whether the contract stands in ``graph``."""
    return contract(name).check(graph, verbose=False).kept


@contextmanager
def planted(graph: grimp.ImportGraph, importer: str, imported: str) -> Iterator[None]:
    """One more import, for as long as this lasts."""
    new = imported not in graph.modules
    graph.add_import(importer=importer, imported=imported)
    try:
        yield
    finally:
        graph.remove_import(importer=importer, imported=imported)
        if new:
            graph.remove_module(imported)


def room_of(module: str) -> str:
    """``stimctl.driver`` for ``stimctl.driver.line``."""
    return ".".join(module.split(".")[:2])


# --- the source ---------------------------------------------------------------------------------------------------


def name_of(path: Path) -> str:
    """A file's module."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def trees() -> dict[str, ast.Module]:
    """Every shipped module's tree, by name."""
    return {name_of(path): ast.parse(path.read_text("utf-8")) for path in sorted((ROOT / "stimctl").rglob("*.py"))}


@cache
def bound(module: str) -> dict[str, tuple[str, str]]:
    """What imports bind in a module, anywhere in it: name -> (module, name in it), the latter "" for a module itself."""
    found = {}
    for node in ast.walk(trees()[module]):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            for each in node.names:
                whole = f"{node.module}.{each.name}"
                found[each.asname or each.name] = (whole, "") if whole in trees() else (node.module, each.name)
        elif isinstance(node, ast.Import):
            for each in node.names:
                name = each.asname or each.name.partition(".")[0]
                found[name] = (each.name if each.asname else name, "")
    return found


def home(module: str, name: str) -> tuple[str, str]:
    """Where what ``module`` calls ``name`` was made: follows imports to their end."""
    if name and module in trees() and name in bound(module):
        return home(*bound(module)[name])
    return (f"{module}.{name}", "") if f"{module}.{name}" in trees() else (module, name)


def uses(module: str) -> Iterator[tuple[str, str]]:
    """Every name that ``module`` takes from one of ours: by ``from x import y`` or as ``x.y``, as (x, y)."""
    for source, name in bound(module).values():
        if name and source in trees():
            yield source, name
    for node in ast.walk(trees()[module]):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            source, name = bound(module).get(node.value.id, ("", ""))
            if source in trees() and not name:
                yield source, node.attr
