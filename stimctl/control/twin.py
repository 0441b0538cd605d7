"""``stimctl sim``: a board's twin on a pseudo-terminal, told in lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stimctl.sim.terminal import self_paced_twin, serve


def serve_twin(link: Path | None, seed: int, say: Callable[[str], None]) -> int:
    """Serve the reference board's twin until it is told to stop; returns the exit code."""

    def ready(path: str) -> None:
        say("SIMULATED: the reference board's twin with a virtual patient; no current flows anywhere.")
        say(f"{path} is the board: stimctl run FILE --board reference:{path} (Ctrl+C ends the twin)")

    serve(self_paced_twin(seed), link_path=link, on_ready=ready, on_status=say)
    return 0
