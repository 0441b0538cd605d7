"""One tree of errors, split by whose fault it is.

::

    StimctlError
    ├── FileError            a file that somebody wrote is wrong          (its author mends it)
    │   └── ProtocolError    a protocol file: carries every fault found, with line and column
    ├── UsageError           a command line, order or setting is wrong    (its user mends it)
    │   └── UnitError        a number does not fit its unit               (also a ValueError)
    ├── OurBug               stimctl broke its own rules                  (we mend it)
    ├── Refusal              the limiter said no                          (carries rule, value, bound, unit, time)
    ├── BoardFault           the board answered, and what it said is wrong
    │   └── LimitsDisagree   its table of limits is wider than ours
    ├── LinkLost             the board can no longer be reached           (also a ConnectionError)
    │   └── LinkTimeout      it did not answer in time                    (also a TimeoutError)
    └── RecordError          the session record cannot be written or does not verify

A face shows ``str(error)`` and nothing else, so every message says what is wrong, where, and what to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


class StimctlError(Exception):
    """The root: anything that stimctl raises on purpose."""


class UsageError(StimctlError):
    """An order, option or setting that cannot be carried out as given."""


class UnitError(UsageError, ValueError):
    """A number that is not a finite, whole count of the unit it is meant to be in."""


class FileError(StimctlError):
    """A file that a person wrote, or chose, cannot be used."""


@final
@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake in a protocol file.

    ``line`` and ``column`` count from 1; 0 means that the place is not known. ``allowed`` says what would
    be accepted and ``source`` where that bound comes from; either may be empty.
    """

    file: str
    line: int
    column: int
    field: str
    message: str
    value: str = ""
    allowed: str = ""
    source: str = ""

    def __str__(self) -> str:
        """``file:line:column: field: what is wrong, what is allowed, where the limit comes from``.

        What is wrong with the file as a whole, and stands at no line of it, is ``file: what is wrong``.
        """
        parts = [self.message]
        if self.value:
            parts[0] += f", got {self.value}"
        if self.allowed:
            parts.append(f"allowed: {self.allowed}")
        if self.source:
            parts.append(f"source: {self.source}")
        where = f"{self.file}:{self.line}:{self.column}: " if self.line else f"{self.file}: "
        whole = not self.line and self.field == "file"
        return f"{where}{'' if whole else f'{self.field}: '}{'; '.join(parts)}"


class ProtocolError(FileError):
    """A protocol file with one or more faults; all that were found are in :attr:`faults`.

    :attr:`doubts` forbid nothing; they stand beside the faults because one often explains the other.
    """

    def __init__(self, faults: tuple[Fault, ...], doubts: tuple[Fault, ...] = ()) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults, self.doubts = faults, doubts


class OurBug(StimctlError):
    """A rule between rooms was broken; output is stopped and the text belongs in a bug report."""


class Refusal(StimctlError):
    """The limiter said no.

    Holds the rule's id, the value that broke it, the bound that was in force and whose bound it was,
    the unit of both, the channel (from 0; ``None``: the whole command) and the session time in µs. The text counts outputs
    from 1, as a board's print does.
    """

    def __init__(
        self,
        rule: str,
        value: object,
        bound: object,
        unit: str,
        *,
        now_us: int,
        channel: int | None = None,
        bound_from: str = "",
    ) -> None:
        self.rule, self.value, self.bound, self.unit = rule, value, bound, unit
        self.now_us, self.channel, self.bound_from = now_us, channel, bound_from
        where = "" if channel is None else f"output {channel + 1}: "  # as printed on the board
        whose = f" ({bound_from})" if bound_from else ""
        got, most, at = _words(value), _words(bound), _words(now_us)
        super().__init__(f"{where}{rule}: {got} {unit}, bound {most} {unit}{whose}, at {at} µs")


def _words(value: object) -> str:
    """A value as text; its type where it has none, so that nothing that is refused can keep its refusal from coming."""
    try:
        return f"{value}"
    except Exception:  # noqa: BLE001 - a foreign object may raise what it likes, and an integer can be too long to print
        return f"({type(value).__name__} that cannot be shown)"


class BoardFault(StimctlError):
    """The board is reachable and reports, or shows, something that must not be."""


class LimitsDisagree(BoardFault):
    """The board's own table of limits does not match the host's; it is not used."""


class LinkLost(StimctlError, ConnectionError):
    """The board cannot be reached any more; its output is unknown until it reports itself."""


class LinkTimeout(LinkLost, TimeoutError):
    """An answer from the board is overdue."""


class RecordError(StimctlError):
    """The session record cannot be opened, written, or does not verify."""
