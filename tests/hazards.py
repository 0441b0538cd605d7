"""The table of hazards: read, checked against the code and the tests, and printed as ``docs/hazards.md``.

``python -m tests.hazards`` writes the page again after a change of ``docs/hazards.toml``. Nothing is imported to check
what the table names: code and tests are found by their syntax trees, so that a name in a comment does not count.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
TABLE: Final = ROOT / "docs" / "hazards.toml"
PAGE: Final = ROOT / "docs" / "hazards.md"

IDS: Final = tuple(f"H{number:02}" for number in range(1, 55))
KINDS: Final = ("software", "hardware", "procedure")
SEVERITIES: Final = {
    "S1": "negligible",
    "S2": "minor: discomfort, redness, a passing spasm",
    "S3": "serious: a burn that needs care, a fall, a strain",
    "S4": "critical: a deep burn, a seizure, a fracture",
    "S5": "catastrophic: death, arrhythmia",
}

INTRODUCTION: Final = """\
# Hazards, and what is done about them

Made from `hazards.toml` by `python -m tests.hazards`; a test compares, and fails when a hazard has no test, when a test or
a piece of code that is named here is gone, or when the user is told something nowhere.

stimctl is research software. This is an engineer's working list: it is **no certified risk management file** in the sense
of ISO 14971, its severities were judged before any measure and without clinical data of our own, and nobody outside the
project has reviewed it. Whoever uses stimctl on people needs an assessment for their own study, board and setting.

*Kind* says who answers: the software, the hardware around it, or the procedure of those who use it. What is left to the
last two stands in [what is left to hardware and to people](responsibilities.md). *Told* is where the user reads or sees it.
"""


@dataclass(frozen=True, slots=True)
class Hazard:
    """One row: what may happen, why, whom it harms, and what holds it back. Lists name things that must exist."""

    id: str
    hazard: str
    cause: str
    harm: str
    severity: str
    kind: tuple[str, ...]
    mitigation: str
    code: tuple[str, ...]
    tests: tuple[str, ...]
    told: tuple[str, ...]


def load(path: Path = TABLE) -> tuple[Hazard, ...]:
    """Every row in the order of the file; raises ``TypeError`` for a field that is missing or unknown."""
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["hazard"]
    return tuple(Hazard(**_frozen(row)) for row in rows)


def _frozen(row: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}


# --- does it exist? ----------------------------------------------------------------------------------------------


def faults(hazards: tuple[Hazard, ...], root: Path = ROOT) -> list[str]:
    """What is wrong with the table, as sentences."""
    found = [hazard.id for hazard in hazards]
    listed = [f"{each}: is missing" for each in IDS if each not in found]
    listed += [f"{each}: is there {found.count(each)} times" for each in dict.fromkeys(found) if found.count(each) > 1]
    listed += [f"{each}: is no known hazard" for each in found if each not in IDS]
    return [*listed, *(f"{hazard.id}: {fault}" for hazard in hazards for fault in _faults(hazard, root))]


def _faults(hazard: Hazard, root: Path) -> Iterator[str]:
    for field in fields(Hazard):
        value = getattr(hazard, field.name)
        if field.name not in {"code", "told", "tests"} and not value:
            yield f"{field.name} is empty"
    if not hazard.tests:
        yield "no test shows its mitigation"
    if hazard.severity not in SEVERITIES:
        yield f"{hazard.severity} is no severity"
    if not hazard.kind or not set(hazard.kind) <= set(KINDS):
        yield f"{hazard.kind} is no kind"
    if "software" in hazard.kind and not hazard.code:
        yield "no code holds it, though it is software's"
    if set(hazard.kind) - {"software"} and not hazard.told:
        yield "it is left to others, and the user is told nowhere"
    for name in hazard.code:
        if not (name.startswith("stimctl/") and is_defined(name, root)):
            yield f"the code {name} is gone"
    for name in hazard.tests:
        if not (name.startswith("tests/test_") and is_defined(name, root) and is_a_test(name)):
            yield f"the test {name} does not exist"
    for place in hazard.told:
        if not is_told(place, root):
            yield f"{place} tells nothing"


def is_defined(name: str, root: Path = ROOT) -> bool:
    """Whether ``file::Qualified.name`` is a function, class or constant of that file."""
    path, _, qualified = name.partition("::")
    return bool(qualified) and (root / path).is_file() and qualified in _defined(root / path)


def is_a_test(name: str) -> bool:
    """Whether pytest would collect it by its name."""
    return all(part.startswith(("test_", "Test")) for part in name.partition("::")[2].split("."))


def is_told(place: str, root: Path = ROOT) -> bool:
    """Whether ``file#heading`` is a heading there, or ``file::text`` is said there: in a document or in a string of code."""
    heading, text = place.partition("#"), place.partition("::")
    if text[1]:
        path = root / text[0]
        return bool(text[2]) and path.is_file() and any(text[2] in said for said in _said(path))
    path = root / heading[0]
    return bool(heading[2]) and path.is_file() and heading[2] in _headings(path)


@cache
def _defined(path: Path) -> frozenset[str]:
    return frozenset(_names(ast.parse(path.read_text(encoding="utf-8")).body, ""))


def _names(body: list[ast.stmt], prefix: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + node.name
        elif isinstance(node, ast.ClassDef):
            yield prefix + node.name
            yield from _names(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (prefix + each.id for each in targets if isinstance(each, ast.Name))


@cache
def _said(path: Path) -> tuple[str, ...]:
    """The texts of a file: its strings, docstrings and comments left out, or all of a document with its lines joined."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return (" ".join(text.split()),)
    tree = ast.parse(text)
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    strings = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return tuple(str(node.value) for node in strings if id(node) not in silent)


@cache
def _headings(path: Path) -> frozenset[str]:
    """A document's headings as links name them."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return frozenset(anchor(line.lstrip("#").strip()) for line in lines if line.startswith("#"))


def anchor(heading: str) -> str:
    """``What the board must do`` as ``what-the-board-must-do``."""
    kept = "".join(sign for sign in heading.lower() if sign.isalnum() or sign in " -_")
    return kept.strip().replace(" ", "-")


# --- the page ------------------------------------------------------------------------------------------------------


def page(hazards: tuple[Hazard, ...]) -> str:
    """The whole of ``docs/hazards.md``."""
    head = ["| | Hazard | Severity | Kind | Tests |", "| --- | --- | --- | --- | --- |"]
    rows = [
        f"| [{h.id}](#{h.id.lower()}) | {h.hazard} | {h.severity} | {', '.join(h.kind)} | {len(h.tests)} |"
        for h in hazards
    ]
    scale = "; ".join(f"{name} {words}" for name, words in SEVERITIES.items())
    table = "\n".join((*head, *rows))
    return "\n".join((INTRODUCTION, f"Severities: {scale}.\n", table, "", *map(_paragraph, hazards)))


def _paragraph(h: Hazard) -> str:
    parts = [
        f"## {h.id}\n",
        f"**{h.hazard}.** Cause: {h.cause}. Harm: {h.harm} ({h.severity}). Kind: {', '.join(h.kind)}.\n",
        f"{h.mitigation}\n",
        _list("Code", h.code),
        _list("Tests", h.tests),
        _list("Told", h.told),
    ]
    return "\n".join(filter(None, parts))


def _list(title: str, items: tuple[str, ...]) -> str:
    return "\n".join((f"{title}:\n", *(f"- `{each}`" for each in items), "")) if items else ""


if __name__ == "__main__":
    PAGE.write_text(page(load()), encoding="utf-8")
