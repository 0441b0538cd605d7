"""The EMG plot, in braille dots; no NumPy, because a face starts and paints without it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Final, final

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from stimctl.orders import EmgStatus
from stimctl.widgets.words import fit

_DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_SIGNS: Final = [chr(0x2800 + bits) for bits in range(256)]
_GUTTER: Final = 9

ADVICE: Final = {
    "stale": "NO SAMPLES: look at cable and source",
    "gap": "SAMPLES MISSING: look at cable and source",
    "lead-off": "LEAD OFF? press the electrodes on, look at the lead",
    "flat": "FLAT: nothing comes in, look at lead and amplifier",
    "railed": "RAILED: amplifier at its limit, look at electrodes and lead",
    "drift": "DRIFT: press the electrodes on, dry the skin, fix the cable",
    "mains": "MAINS HUM: look at the reference electrode, move mains cables away",
}
"""What a clinician can do about a bad signal; nothing triggers while it is. Short enough for 80 columns."""


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
    return ["".join(map(_SIGNS.__getitem__, row)) for row in grid]


def heading(emg: EmgStatus, *, stale: bool = False) -> str:
    """What is heard, from where, and how it compares with the threshold; ``stale`` where nothing comes any more."""
    if stale:
        return f"{emg.source} STALE: the board is not heard, this is what came before"
    if emg.quality in ADVICE:
        return f"{emg.source} {ADVICE[emg.quality]}"
    line = emg.threshold_uv
    label = "trigger level not measured yet" if line is None else f"trigger level {line:.0f} µV (dotted)"
    now = f"  now {emg.envelope_uv[-1]:.0f} µV" if emg.envelope_uv else ""
    return f"{emg.source} {'listening' if emg.listening else 'not listening'}, {emg.quality}  {label}{now}"


@final
class EmgPlot(Widget):
    """The newest stretch of EMG envelope with the detector's threshold. Only lines that changed are painted."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"emg--scale", "emg--curve"}

    def __init__(self, id: str) -> None:  # noqa: A002  Textual's own name for it
        super().__init__(id=id)
        self._emg: EmgStatus | None = None
        self._stale = False
        self._styles: tuple[Style, ...] = ()
        self._rows: list[tuple[str, str]] = []  # scale and curve, the heading first

    def show(self, emg: EmgStatus | None, *, stale: bool = False) -> None:
        """Show ``emg``; ``None`` where nothing is listened to. ``stale``: the board has gone, and this with it."""
        if emg == self._emg and stale == self._stale:
            return
        self._emg, self._stale, before = emg, stale, self._rows
        self._rows = self._draw()
        changed = [y for y, row in enumerate(self._rows) if y >= len(before) or row != before[y]]
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def on_resize(self) -> None:
        """Another size, another curve."""
        self._rows = self._draw()
        self.refresh()

    def _draw(self) -> list[tuple[str, str]]:
        emg, (width, height) = self._emg, self.size
        if emg is None:
            return [("no EMG in this protocol", "")]
        rows, cells = height - 1, width - _GUTTER
        if rows < 1 or cells < 4:
            return [("EMG ", heading(emg, stale=self._stale))]
        top = nice_top(
            max((*(uv for uv in emg.envelope_uv[-2 * cells :] if uv < math.inf), 1.2 * (emg.threshold_uv or 0), 10.0))
        )
        scale = {rows - 1: f"{0:>6} ┤ ", 0: f"{top:>6.0f} ┤ "}
        curve = braille(emg.envelope_uv, emg.threshold_uv, top, cells, rows)
        return [
            ("EMG ", heading(emg, stale=self._stale)),
            *((scale.get(at, "       │ "), row) for at, row in enumerate(curve)),
        ]

    def render_line(self, y: int) -> Strip:
        """One line, straight to segments: going through styled text took four times as long."""
        width = self.size.width
        if y >= len(self._rows):
            return Strip.blank(width)
        scale, words = self._rows[y]
        # Text from a board or a file could hold an escape sequence.
        words = words if y else fit("".join(sign for sign in words if sign.isprintable()), max(0, width - len(scale)))
        if not self._styles:
            named = (self.get_component_rich_style(f"emg--{name}") for name in ("scale", "curve"))
            self._styles = (*named, self.rich_style)
        in_scale, in_curve, plain = self._styles
        return Strip([Segment(scale, in_scale), Segment(words, in_curve if y else plain)]).adjust_cell_length(
            width, plain
        )

    def notify_style_update(self) -> None:
        """Styles are looked up once, for they cost more than a line; here they changed."""
        super().notify_style_update()
        self._styles = ()
