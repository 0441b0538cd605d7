"""The kinds of board, by the scheme of the URL that a person writes: ``reference:/dev/ttyACM0``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from stimctl.boards.facts import BoardFacts
from stimctl.errors import UsageError

__all__ = ["CALIBRATION", "KINDS", "BoardFacts", "BoardKind", "board_url", "split_calibration"]

CALIBRATION: Final = "?calibration="
"""What stands between a port and the file that says what a board gives that knows no mA."""

_MEASURED: Final = "openemsstim"


@final
@dataclass(frozen=True, slots=True)
class BoardKind:
    """One kind of board: the scheme of its URLs, what people call it, and its serial line: 8 bits, and what stands here."""

    scheme: str
    title: str
    baud: int
    parity: str = "N"
    stop_bits: int = 1
    flow_control: bool = False
    """RTS/CTS. Only where the board needs it: what holds back a setting holds back a stop as well."""
    answer_us: int = 5_000_000
    """How long it may take to say who it is, µs; opening the port resets some."""


KINDS: Final = {
    kind.scheme: kind
    for kind in (
        BoardKind("reference", "reference board", 500_000),
        BoardKind("p24", "HASOMED P24", 3_000_000),  # a virtual port: any rate does, and nothing needs holding back
        BoardKind("rehamove3", "HASOMED RehaMove3", 3_000_000, stop_bits=2, flow_control=True),  # ScienceMode 3, 3.2.4
        BoardKind("rehastim2", "HASOMED RehaStim 2", 460_800, parity="E"),  # ScienceMode 2, 1.24: no flow control
        BoardKind("neurostimduino", "NeuroStimDuino", 115_200),
        BoardKind("openemsstim", "openEMSstim", 19_200, answer_us=20_000_000),  # it boots for up to 15 s
        BoardKind("uecu", "UECU board", 9_600),
    )
}
"""All kinds that stimctl can drive; another board is another entry here, a package beside ``reference``, and a driver."""


def board_url(url: str) -> tuple[BoardKind, str]:
    """Split ``reference:PORT`` into the kind and the port, which may be a URL itself.

    A calibration file behind it is left out. Raises :class:`UsageError` for an unknown kind or a missing port.
    """
    url, _ = split_calibration(url)
    scheme, colon, port = url.partition(":")
    kind = KINDS.get(scheme)
    if kind is None:
        known = ", ".join(f"{name}:PORT" for name in KINDS)
        raise UsageError(
            f"{url!r} names no kind of board that stimctl knows; write {known}, or sim: for a simulated one"
        )
    if not colon or not port:
        raise UsageError(f"{url!r} names no port; write {scheme}:PORT, for example {scheme}:/dev/ttyACM0")
    return kind, port


def split_calibration(url: str) -> tuple[str, str]:
    """A board's URL, and the calibration file behind it, "" for none: ``openemsstim:PORT?calibration=FILE``.

    Raises :class:`UsageError` for a board that has no use for one, and for a file without a name.
    """
    board, found, file = url.partition(CALIBRATION)
    if not found and url.startswith(f"{_MEASURED}:") and "://" not in url and "?" in url:
        raise UsageError(f"{url}: all that may follow ? is a calibration file; write {_MEASURED}:PORT{CALIBRATION}FILE")
    if found and _MEASURED not in board.split(":")[:2]:
        raise UsageError(f"{board} is told currents, and needs no calibration; leave out {found}{file}")
    if found and not file:
        raise UsageError(f"{url} names no calibration file; write {board}{CALIBRATION}FILE")
    return board, file
