"""The command line: one small parser, and a file for each family of commands.

``parser`` knows every command and imports nothing heavy; what a command needs is imported when it runs, because
``stimctl check`` is called on every save. ``main`` is the only place that turns an error into a line and an exit code.
"""

from __future__ import annotations

from stimctl.cli.main import guarded, main

__all__ = ["guarded", "main"]
