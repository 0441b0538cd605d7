# ruff: noqa: INP001  a folder of scripts, not a package
"""Draw the running screen as ``docs/run-screen.svg``, for the README: ``python tools/screenshot.py [-o FILE]``.

The picture is Textual's own export of the real face over a made-up status, without the link to a web font that Textual
puts into it: a document must not call somebody's server.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the made-up status is the tests' own

from stimctl.orders import Status  # noqa: E402  the path comes first
from stimctl.tui import Face  # noqa: E402
from tests import faces  # noqa: E402

SIZE = (100, 30)


def without_web_fonts(svg: str) -> str:
    """``svg`` with a font of the reader's own machine, and spaces that every renderer keeps."""
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(
        r"font-family: *(?:Fira Code|arial)[^;]*;", "font-family: ui-monospace, Menlo, Consolas, monospace;", svg
    )
    # The name changes with every run otherwise, and a committed picture would, too.
    svg = re.sub(r"terminal-\d+", "terminal-run", svg)
    return re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)


async def draw(status: Status, size: tuple[int, int]) -> str:
    """The screen for ``status``."""
    face = Face(faces.FakeHandle(status), faces.LIBRARY, clock=faces.Clock())
    async with face.run_test(size=size) as pilot:
        face.tick()
        await pilot.pause()
        return without_web_fonts(face.export_screenshot(title="stimctl"))


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "run-screen.svg")
    output: Path = parser.parse_args().output
    output.write_text(asyncio.run(draw(faces.RUN, SIZE)), encoding="utf-8")
    print(f"wrote {output}")


if __name__ == "__main__":
    main()
