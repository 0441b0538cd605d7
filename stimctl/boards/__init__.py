"""The kinds of board, by the scheme of the URL that a person writes: ``reference:/dev/ttyACM0``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from stimctl.boards.facts import BoardFacts
from stimctl.errors import UsageError

__all__ = ["KINDS", "BoardFacts", "BoardKind", "board_url"]


@final
@dataclass(frozen=True, slots=True)
class BoardKind:
    """One kind of board: the scheme of its URLs, what people call it, and its line's baud rate."""

    scheme: str
    title: str
    baud: int


KINDS: Final = {kind.scheme: kind for kind in (BoardKind("reference", "reference board", 500_000),)}
"""All kinds that stimctl can drive; another board is another entry here and a package beside ``reference``."""


def board_url(url: str) -> tuple[BoardKind, str]:
    """Split ``reference:PORT`` into the kind and the port, which may be a URL itself.

    Raises :class:`UsageError` for an unknown kind or a missing port.
    """
    scheme, colon, port = url.partition(":")
    kind = KINDS.get(scheme)
    if kind is None or not colon:
        known = ", ".join(f"{name}:PORT" for name in KINDS)
        raise UsageError(f"{url!r} names no kind of board that stimctl knows; write {known}")
    if not port:
        raise UsageError(f"{url!r} names no port; write {scheme}:PORT, for example {scheme}:/dev/ttyACM0")
    return kind, port
