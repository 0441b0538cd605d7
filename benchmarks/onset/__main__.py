"""``python -m benchmarks.onset [PART...]``."""

from __future__ import annotations

import sys

from benchmarks.onset import PARTS


def run(wanted: list[str]) -> int:
    """Run the parts that are named, or all of them; returns the exit code."""
    if unknown := [name for name in wanted if name not in PARTS]:
        print(f"there is no part {unknown[0]!r}; parts: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    for name in wanted or PARTS:
        PARTS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
