"""``stimctl sim``: a board's twin on a pseudo-terminal, told in lines."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

from stimctl.sim.terminal import SERIAL, self_paced_twin, serve


def serve_twin(link: str | None, seed: int, say: Callable[[str], None], *, chosen: bool) -> int:
    """Serve the reference board's twin until it is told to stop; returns the exit code.

    A ``chosen`` seed is a board of its own; else it is always the same board, with another patient each time.
    """

    def ready(path: str) -> None:
        say("SIMULATED: the reference board's twin with a virtual patient; no current flows anywhere.")
        # As it was typed: a Path would make board of ./board, which reads like a name and not like a place.
        board = shlex.quote(f"reference:{link or path}")
        say(f"Ready. Open it with: stimctl run FILE --board {board} (Ctrl+C ends the twin)")

    twin = self_paced_twin(seed, serial=f"{SERIAL}-{seed % 1_000_000}" if chosen else SERIAL)
    serve(twin, link_path=Path(link) if link else None, on_ready=ready, on_status=say)
    return 0
