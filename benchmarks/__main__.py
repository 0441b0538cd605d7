"""``python3 dev.py bench [NAME...]``: the benchmarks that were named, or all of them.

A benchmark is a module or package of this folder with a docstring and ``main() -> None``, which prints its own table.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
from pathlib import Path

from benchmarks.timing import load


def names() -> list[str]:
    """Every module or package of this folder that has something to measure; ``timing`` is what they share."""
    here = Path(__file__).parent
    modules = [path.stem for path in here.glob("*.py")] + [path.parent.name for path in here.glob("*/__init__.py")]
    return sorted(name for name in modules if not name.startswith("_") and name != "timing")


def main(wanted: list[str]) -> int:
    """Run the benchmarks in ``wanted``; returns the exit code."""
    known = names()
    unknown = [name for name in wanted if name not in known]
    if unknown or wanted in (["-h"], ["--help"]):
        print(f"benchmarks: {', '.join(known)}", file=sys.stderr)
        return 2
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores, load {load()}")
    for name in wanted or known:
        module = importlib.import_module(f"benchmarks.{name}")
        print(f"\n== {name}: {(module.__doc__ or '').splitlines()[0]}", flush=True)
        module.main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
