"""A thousand protocol files in one `stimctl check`, and what a file costs when its numbers are like another's or its own.

Goal: 1,000 files in 3 s. A dry flight is most of a check; what says the same in numbers is flown once in a run, and many
files are shared out over the cores. So there are two tables' rows: a folder of copies with other words, as a library in
use is, and files that differ in a number each, which nothing can remember.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from benchmarks.timing import run, table

ALIKE = 1_000
DIFFERENT = 120


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "PYTHONPYCACHEPREFIX": f"{folder}/bytecode", "HOME": folder}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        texts = _texts()
        rows = {
            "1 file": _files(Path(folder) / "one", texts[:1], 1, different=False),
            f"{ALIKE} files, other words": _files(Path(folder) / "alike", texts, ALIKE, different=False),
            f"{DIFFERENT} files, other numbers": _files(Path(folder) / "different", texts, DIFFERENT, different=True),
        }
        command = [sys.executable, "-m", "stimctl", "check"]
        run([*command, rows["1 file"][0]], env)  # fills the bytecode's cache
        table(
            ("s", "files", "wall", "processor", "wall, ms a file"),
            [_row(name, command, files, env) for name, files in rows.items()],
        )


def _row(name: str, command: list[str], files: list[str], env: dict[str, str]) -> list[str]:
    best = min((run([*command, *files], env) for _ in range(3)), key=lambda sample: sample.wall_ms)
    seconds = [f"{best.wall_ms / 1e3:.2f}", f"{best.cpu_ms / 1e3:.2f}"]
    return [name, str(len(files)), *seconds, f"{best.wall_ms / len(files):.1f}"]


def _texts() -> list[str]:
    from stimctl.control import authoring

    return [authoring.library_text(entry.name) for entry in authoring.library()]


def _files(folder: Path, texts: list[str], count: int, *, different: bool) -> list[str]:
    """Files made of ``texts`` in turn, each with a title of its own and, if ``different``, an amplitude of its own."""
    folder.mkdir()
    paths = [folder / f"{number:04}.toml" for number in range(count)]
    for number, path in enumerate(paths):
        text = texts[number % len(texts)].replace('title = "', f'title = "{number} ', 1)
        if different:
            text = text.replace("\namplitude_ma = ", f"\namplitude_ma = {5 + number / 100:.2f} # ", 1)
        path.write_text(text, encoding="utf-8")
    return [str(path) for path in paths]
