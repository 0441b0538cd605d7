"""The door: ``stimctl`` and ``python -m stimctl``. Opens the command line, or, for a control process, the face."""

from __future__ import annotations

import gc
import os
import sys


def main() -> int:
    """Run what the command line says; returns the process's exit code."""
    # Nothing that happens to be installed beside us may have a say in what a file means; and no start looks for it.
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    from stimctl import cli

    code = cli.guarded(_face) if sys.argv[1:2] == ["--face"] else cli.main()
    gc.freeze()  # the process is at its end: to look through all that was imported for garbage would take a tenth of it
    return code


def _face() -> int:
    """The hidden door: ``stimctl --face [PROTOCOL BOARD EMG]``, which a control process starts for its screen.

    The three fill the fields of the start screen; see :data:`stimctl.control.FACE`.
    """
    from stimctl.control import authoring, run_face
    from stimctl.tui import run_tui

    library = authoring.library()
    protocol, board, emg = (*sys.argv[2:5], "", "", "")[:3]
    return run_face(lambda handle: run_tui(handle, library, protocol=protocol, board=board or "sim:", emg=emg))


if __name__ == "__main__":
    sys.exit(main())
