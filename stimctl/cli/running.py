"""``run``, ``demo``, ``sim`` and the bare screen: what starts a session."""

from __future__ import annotations

import argparse
import math
import sys
from typing import TYPE_CHECKING, Final

from stimctl.cli import say
from stimctl.errors import UsageError

if TYPE_CHECKING:
    from stimctl.control.start import RunRequest

SIMULATED: Final = "sim:"


def start(arguments: argparse.Namespace) -> int:
    """The screen at its start, on the simulated board unless another was named."""
    from stimctl.cli.parser import START
    from stimctl.control import start as door

    given = {name.removeprefix(START): value for name, value in vars(arguments).items() if value is not None}
    asked = argparse.Namespace(**{"board": SIMULATED, "speed": None, "seed": None, **given})
    _only_simulated(asked)
    return door.run_interactive(_request(asked))


def run(arguments: argparse.Namespace) -> int:
    """One session with the file that was given."""
    _only_simulated(arguments)
    return _session(arguments, _request(arguments))


def demo(arguments: argparse.Namespace) -> int:
    """The guided session; with a screen when there is a terminal to paint on."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        arguments.headless = True
    _only_simulated(arguments)
    return _session(arguments, _request(arguments, demo=True))


def sim(arguments: argparse.Namespace) -> int:
    """A board's twin, until it is told to stop."""
    from stimctl.control import start as door

    return door.run_sim(arguments.board, arguments.link, arguments.seed, say.line, arguments.variant)


def _session(arguments: argparse.Namespace, request: RunRequest) -> int:
    """With a screen or without; who prints and who paints is decided here and nowhere else."""
    from stimctl.control import start as door

    if arguments.headless:
        return door.run_headless(request, say.line)
    if request.speed == math.inf:
        raise UsageError("--speed max is too fast to watch; add --headless, or give a number")
    return door.run_interactive(request)


def _request(arguments: argparse.Namespace, *, demo: bool = False) -> RunRequest:
    from stimctl.control import start as door

    given = vars(arguments)
    return door.RunRequest(
        protocol=given.get("protocol"),
        board=given.get("board", SIMULATED),
        emg=_heard(given.get("emg") or "", given.get("angle")),
        robot=given.get("robot", ""),
        seed=given.get("seed"),
        speed=given.get("speed"),
        store=given.get("store"),
        demo=demo,
        remote_terminal=bool(given.get("remote_terminal")),
        lsl_out=_sent(given.get("lsl_out")),
        lsl_scope=given.get("lsl_scope") or "",
    )


def _heard(emg: str, angle: str | None) -> str:
    """The one source that a session has, beside its board: it listens to EMG or follows an angle."""
    if angle is None:
        return emg
    if not angle:
        raise UsageError("--angle names no source; write lsl:NAME#CHANNEL or file:PATH, or leave it out")
    if emg:
        raise UsageError("a session listens to EMG or follows an angle: give --emg or --angle, not both")
    return f"angle:{angle}"


def _sent(name: str | None) -> str:
    """The name of the streams that are sent, "" for none: a name that is empty would be taken for that."""
    if name is not None and not name.strip():
        raise UsageError(f"--lsl-out {name!r} is no name for an LSL stream; write a short one, such as stimctl")
    return name or ""


def _only_simulated(arguments: argparse.Namespace) -> None:
    """Refuse what would bend time or chance around a board that has neither to bend."""
    board = vars(arguments).get("board", SIMULATED)
    if board.startswith(SIMULATED):
        return
    if arguments.speed is not None:
        raise UsageError(f"--speed works on the simulated board alone, and this is {board}; leave it out")
    if arguments.seed is not None:
        raise UsageError(f"--seed is the simulated board's, and this is {board}; a twin takes it: stimctl sim --seed")
