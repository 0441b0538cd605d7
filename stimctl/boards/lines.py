"""Lines of text out of bytes in any portions, for the boards that talk in lines. Sans-IO."""

from __future__ import annotations

from typing import Final, final

_LINE_FEED: Final = b"\n"


@final
class Lines:
    """Whole lines, without their ends and the blanks around them. Never raises; holds at most ``longest`` bytes.

    A line ends with a line feed; a carriage return before it is a blank like others. Lines that are longer, or hold
    anything but printable ASCII and tabs, are dropped and counted in :attr:`malformed`: they would reach a terminal.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._tail = b""
        self._skipping = False
        self.malformed = 0

    @property
    def held(self) -> int:
        """Bytes of the line that is under way."""
        return len(self._tail)

    def feed(self, data: bytes) -> list[str]:
        """The lines that ``data`` completes, in order; empty ones are empty texts."""
        *complete, self._tail = (self._tail + data).split(_LINE_FEED)
        lines = []
        for raw in complete:
            if self._skipping:
                self._skipping = False  # the rest of a line that was counted when it grew too long
            elif (line := self._read(raw)) is not None:
                lines.append(line)
        if self._skipping:
            self._tail = b""
        elif len(self._tail) > self._longest:
            self._tail, self._skipping = b"", True
            self.malformed += 1
        return lines

    def _read(self, raw: bytes) -> str | None:
        if len(raw) <= self._longest and raw.isascii():
            line = raw.decode("ascii").replace("\t", " ").strip()
            if line.isprintable():
                return line
        self.malformed += 1
        return None
