"""All mutants of the targets, and the proofs for those that no test can kill."""

from __future__ import annotations

import ast
import difflib
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from tests.proving.mutant_targets import ALL, Target
from tests.proving.mutation import MODULE, Mutant, members_of_enums, mutants
from tests.proving.planting import ROOT, path_of

EQUIVALENT: Final = Path(__file__).with_name("equivalent.toml")
PROOF_WORDS: Final = 5
"""Fewer words than that prove nothing."""


@dataclass(frozen=True)
class Function:
    """Where a function's body lies, in bytes; ``is_class``: it is none."""

    start: int
    end: int
    is_class: bool


@cache
def text_of(module: str) -> bytes:
    """A module's source, as it was when it was first asked for."""
    return path_of(module).read_bytes()


def difference(mutant: Mutant) -> str:
    """The mutant as a unified diff."""
    data = text_of(mutant.module)
    old, new = data.decode().splitlines(), mutant.source(data).splitlines()
    name = str(path_of(mutant.module).relative_to(ROOT))
    return "\n".join(difflib.unified_diff(old, new, name, f"{name} (mutant)", n=2, lineterm=""))


@cache
def mutants_in(module: str) -> tuple[Mutant, ...]:
    """All mutants of a module."""
    return mutants(module, text_of(module), _enums())


@cache
def _enums() -> dict[str, tuple[str, ...]]:
    texts = (path.read_bytes() for path in sorted((ROOT / "stimctl").rglob("*.py")))
    return members_of_enums([ast.parse(text) for text in texts if b"Enum" in text or b"Flag" in text])


@cache
def functions(module: str) -> dict[str, Function]:
    """Every function and class of a module by its qualified name."""
    lines = [0]
    for line in text_of(module).splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    return dict(_functions(ast.parse(text_of(module)), lines))


def _functions(tree: ast.AST, lines: list[int], before: str = "") -> Iterator[tuple[str, Function]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first, end = node.body[0], lines[(node.end_lineno or 1) - 1] + (node.end_col_offset or 0)
            start = lines[first.lineno - 1] + first.col_offset
            yield before + node.name, Function(start, end, isinstance(node, ast.ClassDef))
            yield from _functions(node, lines, f"{before}{node.name}.")
        else:
            yield from _functions(node, lines, before)


def function_around(mutant: Mutant) -> str:
    """The outermost function in whose body a mutant stands; empty for one that acts as the module is imported."""
    parts = mutant.name.split(".")
    for length in range(1, len(parts) + 1):
        name = ".".join(parts[:length])
        found = functions(mutant.module).get(name)
        if found is not None and not found.is_class:
            return name if found.start <= mutant.edit.start <= found.end else ""
    return ""


def mutants_of(target: Target) -> tuple[Mutant, ...]:
    """All mutants of a target; raises :class:`ValueError` for a name that its module does not have."""
    found = []
    for module, names in target.parts.items():
        known = {MODULE, *functions(module)}
        if names != ALL and not set(names) <= known:
            raise ValueError(f"{module} has no {', '.join(sorted(set(names) - known))}; see mutant_targets.py")
        found += [
            each
            for each in mutants_in(module)
            if names == ALL
            or any(name == each.name or (name != MODULE and is_within(each.name, name)) for name in names)
        ]
    return tuple(found)


def is_within(name: str, whole: str) -> bool:
    """Whether ``name`` is ``whole`` or something inside it."""
    return name == whole or name.startswith(f"{whole}.")


def proofs(path: Path = EQUIVALENT) -> dict[str, dict[str, str]]:
    """The equivalent mutants by id, each with its text and its proof."""
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("equivalent", []) if path.exists() else []
    return {entry["id"]: entry for entry in entries}


def stale(entries: dict[str, dict[str, str]], existing: Sequence[Mutant]) -> list[str]:
    """What is wrong with the entries, in sentences: a mutant that is no more, or another one, or no proof."""
    by_id = {mutant.id: mutant for mutant in existing}
    wrong = []
    for number, entry in entries.items():
        mutant = by_id.get(number)
        if mutant is None:
            wrong.append(f"{EQUIVALENT.name}: there is no mutant {number} (any more)")
        elif entry.get("mutant") != mutant.text:
            wrong.append(f"{EQUIVALENT.name}: {number} is now {mutant.text!r}")
        elif len(entry.get("proof", "").split()) < PROOF_WORDS:
            wrong.append(f"{EQUIVALENT.name}: {number} has no proof")
    return wrong
