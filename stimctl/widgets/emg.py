"""The EMG plot, in braille dots; no NumPy, because a face starts and paints without it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

from textual.content import Content
from textual.widget import Widget

from stimctl.orders import EmgStatus
from stimctl.widgets.words import MUTED, STRONG

_DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_GUTTER: Final = 9


def nice_top(peak: float) -> float:
    """The 1-2-5 number at or above ``peak``, so that the scale changes seldom."""
    top = 1.0
    while top < peak:
        for factor in (2.0, 2.5, 2.0):
            if top < peak:
                top *= factor
    return top


def braille(values: Sequence[float], line: float | None, top: float, cells: int, rows: int) -> list[str]:
    """A curve of ``values`` (newest at the right, two to a cell) from 0 to ``top`` in ``rows`` of braille.

    ``line`` is drawn as a dotted line. Values that are not finite numbers leave a gap.
    """
    grid = [[0] * cells for _ in range(rows)]
    height = rows * 4 - 1

    def dot(value: float) -> int:
        return height - min(height, max(0, int(value / top * height + 0.5)))

    if line is not None:
        y = dot(line)
        for cell in range(cells):
            grid[y >> 2][cell] |= _DOTS[y & 3][0]
    shown = values[-cells * 2 :]
    last: int | None = None
    for x, value in enumerate(shown, cells * 2 - len(shown)):
        if not 0 <= value < float("inf"):
            last = None
            continue
        y = dot(value)
        # Joined to its neighbour, so that a steep rise is a line and not two dots.
        for each in range(min(y, y if last is None else last), max(y, y if last is None else last) + 1):
            grid[each >> 2][x >> 1] |= _DOTS[each & 3][x & 1]
        last = y
    return ["".join(chr(0x2800 + bits) for bits in row) for row in grid]


@final
class EmgPlot(Widget):
    """The newest stretch of EMG envelope with the detector's threshold. Repaints only for new samples."""

    def __init__(self, id: str) -> None:  # noqa: A002  Textual's own name for it
        super().__init__(id=id)
        self._emg: EmgStatus | None = None

    def show(self, emg: EmgStatus | None) -> None:
        """Show ``emg``; ``None`` where the protocol listens to nothing."""
        if emg != self._emg:
            self._emg = emg
            self.refresh()

    def render(self) -> Content:
        """A heading line, then the curve with its scale in µV."""
        emg, (width, height) = self._emg, self.size
        if emg is None:
            return Content.styled("no EMG in this protocol", MUTED)
        line = emg.threshold_uv
        label = "no threshold yet" if line is None else f"threshold {line:.0f} µV (dotted)"
        word = "listening" if emg.listening else "not listening"
        now = f"  now {emg.envelope_uv[-1]:.0f} µV" if emg.envelope_uv else ""
        heading = Content.assemble(("EMG ", STRONG), f"{emg.source} {word}, {emg.quality}  {label}{now}")
        rows = height - 1
        if rows < 1 or width < _GUTTER + 4:
            return heading.truncate(width, ellipsis=True)
        top = nice_top(max((*emg.envelope_uv[-2 * width :], 1.2 * (line or 0.0), 10.0)))
        curve = braille(emg.envelope_uv, line, top, width - _GUTTER, rows)
        scale = {rows - 1: f"{0:>6} ┤ ", 0: f"{top:>6.0f} ┤ "}
        body = [Content.assemble((f"{scale.get(at, '       │ ')}", MUTED), (row, "$emg")) for at, row in enumerate(curve)]
        return Content("\n").join((heading.truncate(width, ellipsis=True), *body))
