"""Where the file of a plan's block stands: among the shipped ones, or on a path from the plan's own folder.

A path is never absolute, and never from where the program was started: a folder with a plan and its files means the same
wherever it is copied to.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final, NamedTuple, final

from stimctl.protocols.checks import nearest
from stimctl.protocols.shipped import library

_SUFFIX: Final = ".toml"


@final
class Standing(NamedTuple):
    """A block's file: its path, or ``None`` for a shipped protocol; ``name`` is what faults and sessions call it."""

    name: str
    path: Path | None


def standing(file: str, folder: Path | None) -> Standing | str:
    """Where ``file`` stands, for a plan in ``folder`` (``None``: a plan that is no file); or what is wrong with it."""
    if not _is_path(file):
        return _shipped(file, folder)
    if "\\" in file:
        return "write / between folders, on every system"
    if PurePosixPath(file).is_absolute() or PureWindowsPath(file).drive or file.startswith("~"):
        return "must be a path from the plan's own folder, so that both can be copied together"
    if folder is None:
        return "is a path, and this plan stands in no folder: it can name shipped protocols alone"
    path = folder / file
    return Standing(str(path), path) if _exists(path) else f"there is no such file{_meant(path)}"


def _is_path(file: str) -> bool:
    return file.endswith(_SUFFIX) or "/" in file or "\\" in file


def _shipped(name: str, folder: Path | None) -> Standing | str:
    names = [entry.name for entry in library()]
    if name in names:
        return Standing(name, None)
    if folder is not None and _exists(folder / f"{name}{_SUFFIX}"):
        return f"no shipped protocol is called that (did you mean the file `{name}{_SUFFIX}` beside the plan?)"
    return f"no shipped protocol is called that{nearest(name, names)}; a file of your own is named with its {_SUFFIX}"


def _meant(path: Path) -> str:
    """What was probably meant by a path with nothing at its end."""
    plain = path.name.removesuffix(_SUFFIX)
    if any(entry.name == plain for entry in library()):
        return f" (did you mean the shipped `{plain}`, without {_SUFFIX}?)"
    try:
        beside = sorted(each.name for each in path.parent.iterdir() if each.name.endswith(_SUFFIX))
    except (OSError, ValueError):
        return ""
    return nearest(path.name, beside)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long for a file's name
        return False
