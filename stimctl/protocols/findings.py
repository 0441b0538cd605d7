"""A mistake in a protocol file before its line is known, and the path that says where it is."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Keys and array positions from the top of the file, such as ``("channel", 0, "rate_hz")``."""

LONGEST_VALUE: Final = 60


class Finding(NamedTuple):
    """One mistake. ``at_key``: the key itself is wrong, not what stands behind it."""

    path: Path
    message: str
    value: str = ""
    allowed: str = ""
    source: str = ""
    at_key: bool = False


def field_name(path: Path) -> str:
    """``channel[1].rate_hz``, counting arrays from 1 as a person does; ``file`` for the whole."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{printable(part)}"
    return text.removeprefix(".") or "file"


def printable(text: str) -> str:
    """``text`` on one line, short, and without anything that a terminal would obey."""
    plain = text if text.isprintable() else text.encode("unicode_escape", "backslashreplace").decode("ascii")
    return plain if len(plain) <= LONGEST_VALUE else plain[: LONGEST_VALUE - 3] + "..."


def shown(value: object) -> str:
    """A value as TOML would write it, for a message."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{printable(value)}"'
    if isinstance(value, int | float):
        # A huge integer has no decimal text in Python (a guard against slow conversions); its size is enough.
        return printable(repr(value)) if isinstance(value, float) or value.bit_length() < 1_000 else "a huge number"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    return printable(str(value))
