"""A new file of the user's: it is made whole, and never in the place of one that is there."""

from __future__ import annotations

import contextlib
from pathlib import Path

from stimctl.errors import UsageError


def new_file(name: str, content: str | bytes) -> None:
    """Write ``content``; raises :class:`UsageError` when the file is there already or cannot be written."""
    raw = content.encode("utf-8") if isinstance(content, str) else content
    made = False
    try:
        with open(name, "xb") as file:  # noqa: PTH123 - "x" is the point
            made = True
            file.write(raw)
    except FileExistsError:
        raise UsageError(f"{name} is there already and stays as it is; choose another name") from None
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        if made:  # half a file is worse than none
            with contextlib.suppress(OSError):
                Path(name).unlink()
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"{name or repr(name)} cannot be written: {why}; choose another place") from None
