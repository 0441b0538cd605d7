"""``stimctl sim``: a board's twin on a pseudo-terminal, told in lines."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from stimctl.boards import CALIBRATION, KINDS, split_calibration
from stimctl.errors import UsageError
from stimctl.sim.catalogue import entry
from stimctl.sim.served import Settings
from stimctl.sim.terminal import serve


def serve_twin(
    board: str, variant: str, link: str | None, seed: int, say: Callable[[str], None], *, chosen: bool
) -> int:
    """Serve the twin of ``board`` until it is told to stop; returns the exit code.

    A ``chosen`` seed is a board of its own; else it is always the same board, with another patient each time.
    """
    kind = entry(board)

    def ready(path: str) -> None:
        say(f"SIMULATED: {kind.title}'s twin with a virtual patient; no current flows anywhere.")
        # As it was typed: a Path would make board of ./board, which reads like a name and not like a place.
        place = link or path
        if board not in KINDS:
            say(f"Ready. Clients of the board open {shlex.quote(place)} (Ctrl+C ends the twin)")
        else:
            how = f"stimctl run FILE --board {shlex.quote(_url(board, place))}"
            say(f"Ready. Open it with: {how} (Ctrl+C ends the twin)")
        if kind.settings is not None:
            say(f"Other clients' port needs {kind.settings}; otherwise neither side understands the other.")
            if kind.settings.parity != Settings(0).parity:
                say("Here they ask for no parity: a pseudo-terminal has none, and Linux refuses to open it with one.")

    twin = kind.twin(variant, seed, chosen=chosen)
    serve(twin, settings=kind.settings, link_path=Path(link) if link else None, on_ready=ready, on_status=say)
    return 0


def _url(board: str, place: str) -> str:
    """How a session names it; a board that knows no mA needs a calibration as well."""
    with suppress(UsageError):
        measured = f"{board}:{place}{CALIBRATION}CALIBRATION.toml"
        split_calibration(measured)
        return measured
    return f"{board}:{place}"
