"""How the code reads, measured: short functions, short files, reasons beside exemptions, nothing of anybody's machine."""

from __future__ import annotations

import ast
import re
import statistics
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "stimctl").rglob("*.py"))
TEXTS = sorted(
    path
    for folder in ("stimctl", "tests", "benchmarks", "docs", "hw", ".ci")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".md", ".toml", ".tcss", ".svg", ".json", ".csv", ""} and path.is_file()
) + [path for path in ROOT.iterdir() if path.is_file() and path.suffix in {".py", ".md", ".toml", ".lock"}]

LONG_BY_LEAVE = {"safety.py": 400, "tui.py": 400}
"""The limiter and the face are each one room with one file; everything else is split before it gets this long."""


@cache
def functions(path: Path) -> tuple[tuple[str, int], ...]:
    """Each function and its lines, docstring left out."""
    return tuple(_functions(path))


def _functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            first = node.body[0]
            if ast.get_docstring(node) is not None:
                lines -= (first.end_lineno or first.lineno) - first.lineno + 1
            yield f"{path.name}:{node.lineno} {node.name}", lines


def test_a_file_holds_one_idea() -> None:
    lengths = {str(path.relative_to(ROOT)): (path.name, len(path.read_text().splitlines())) for path in SOURCES}
    assert [(path, lines) for path, (name, lines) in lengths.items() if lines > LONG_BY_LEAVE.get(name, 300)] == []
    assert [(name, lines) for path in SOURCES for name, lines in functions(path) if lines > 60] == []


def test_most_functions_fit_at_a_glance() -> None:
    lengths = sorted(lines for path in SOURCES for _, lines in functions(path))
    assert statistics.median(lengths) <= 8
    assert lengths[len(lengths) * 9 // 10] <= 30


def test_every_lint_exemption_has_its_reason() -> None:
    """Codes on one line share the comment at its end, or stand under the comment line above them."""
    text = (ROOT / "pyproject.toml").read_text()
    ruff = text[text.index("[tool.ruff.lint]") : text.index("[tool.ruff.lint.pydocstyle]")]
    reason_above = False
    for line in ruff.splitlines():
        if line.lstrip().startswith("#"):
            reason_above = True
        elif re.match(r'\s+"[A-Z]', line):
            assert reason_above or "#" in line, line
        reason_above = reason_above and not re.match(r"\S", line)


def test_nothing_of_anybodys_machine() -> None:
    """No path into somebody's home or checkout, and no package registry's host."""
    private = re.compile(r"(?<![\w.])/(?:work|root|Users|home/\w+)/\w|\.\./shared|(?:pypi|pythonhosted)\.org")
    here = Path(__file__)
    found = [
        f"{path.relative_to(ROOT)}: {hit.group()}"
        for path in TEXTS
        if path != here and (hit := private.search(path.read_text(errors="replace")))
    ]
    assert found == []
