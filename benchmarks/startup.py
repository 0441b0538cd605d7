"""Cold start of the command line, beside the floors that it cannot go under.

A new process each time, bytecode cached as on any machine where stimctl ran once before. Rows take turns, so that a
busy moment hits all of them. Goals: `check` of one file in 300 ms, of 1,000 files in 3 s, which is 3 ms a file.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from benchmarks.timing import Sample, quantile, run, table

ROUNDS = 11
MANY = 100


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        # Our own cache: whether the machine writes bytecode next to the sources must not matter.
        env = {**os.environ, "PYTHONPYCACHEPREFIX": f"{folder}/bytecode", "HOME": folder}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        file = _protocol(Path(folder))
        rows = {
            "python, nothing": _python("pass"),
            "python, argparse": _python("import argparse"),
            "python, pydantic": _python("import pydantic; pydantic.BaseModel; pydantic.TypeAdapter"),
            "stimctl --help": _stimctl("--help"),
            "stimctl library": _stimctl("library"),
            "stimctl check FILE": _stimctl("check", str(file)),
        }
        rounds = [{name: run(command, env) for name, command in rows.items()} for _ in range(ROUNDS + 1)]
        _print({name: [each[name] for each in rounds[1:]] for name in rows})  # the first filled the cache
        files = [str(_copy(file, number)) for number in range(MANY)]
        many = run(_stimctl("check", *files), env)
        one = run(_stimctl("check", files[0]), env)
        each = (many.cpu_ms - one.cpu_ms) / (MANY - 1)
        print(
            f"stimctl check, {MANY} files: {many.wall_ms / 1e3:.2f} s; each file after the first {each:.1f} ms of processor"
        )


def _python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def _stimctl(*args: str) -> list[str]:
    return [sys.executable, "-m", "stimctl", *args]


def _protocol(folder: Path) -> Path:
    from stimctl.control import authoring

    path = folder / "protocol.toml"
    path.write_text(authoring.library_text(authoring.library()[0].name), encoding="utf-8")
    return path


def _copy(path: Path, number: int) -> Path:
    """The same protocol under another name and title, so that nothing can remember it."""
    copy = path.with_name(f"protocol-{number}.toml")
    copy.write_text(path.read_text(encoding="utf-8") + f"# {number}\n", encoding="utf-8")
    return copy


def _print(samples: dict[str, list[Sample]]) -> None:
    def cells(name: str) -> list[str]:
        wall = [each.wall_ms for each in samples[name]]
        cpu = [each.cpu_ms for each in samples[name]]
        return [name, *(f"{value:.0f}" for value in (min(wall), quantile(wall, 0.5), quantile(wall, 0.9), min(cpu)))]

    table(("ms", "best", "median", "90 %", "processor, best"), [cells(name) for name in samples])
