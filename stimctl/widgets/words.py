"""Text that repaints only when it changed, and the small shapes that all drawings are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from textual.content import Content
from textual.widgets import Static

from stimctl.units import ma_text

MUTED: Final = "$secondary"
STRONG: Final = "bold"
NONE: Final = "–"


class Words(Static):
    """Text that repaints only when it changed: at 20 statuses a second most of the screen stays as it is."""

    def __init__(self, id: str, classes: str = "") -> None:  # noqa: A002  Textual's own name for it
        super().__init__(Content(""), markup=False, id=id, classes=classes)
        self._shown = Content("")

    def show(self, words: Content, *, resize: bool = False) -> None:
        """Show ``words``; ``resize`` where long lines may wrap, so that the height can change with any text."""
        if not words.is_same(self._shown):
            # A layout of the whole screen costs more than all painting; only another height needs one.
            layout = resize or words.plain.count("\n") != self._shown.plain.count("\n")
            self._shown = words
            self.update(words, layout=layout)


def fit(text: str, cells: int) -> str:
    """``text`` in exactly ``cells`` cells, cut with an ellipsis or padded with spaces."""
    return Content(text).truncate(cells, ellipsis=True, pad=True).plain if cells > 0 else ""


def edges(left: Content, right: Content, width: int) -> Content:
    """``left`` and ``right`` at the two ends of a line; what does not fit is cut from the left one."""
    room = max(0, width - right.cell_length - 1)
    return Content.assemble(left.truncate(room, ellipsis=True, pad=True), " ", right)


def flow(parts: Sequence[Content], cells: int, gap: str = "   ") -> Content:
    """``parts`` one after the other, in lines of at most ``cells``; no part is broken at a line's end."""
    lines: list[Content] = []
    for part in parts:
        if lines and lines[-1].cell_length + len(gap) + part.cell_length <= cells:
            lines[-1] = Content.assemble(lines[-1], gap, part)
        else:
            lines.append(part)
    return Content("\n").join(lines)


def bar(done: int, whole: int, cells: int) -> str:
    """A bar of ``cells`` cells for ``done`` of ``whole``, readable without colour."""
    filled = min(cells, max(0, done * cells // whole)) if whole > 0 else 0
    return "━" * filled + "╌" * (cells - filled)


def tenths(us: int) -> str:
    """Seconds with one digit, cut and not rounded, so that a phase never shows more than has passed."""
    return f"{us // 1_000_000}.{us // 100_000 % 10}"


def clock(us: int) -> str:
    """Minutes and seconds, as ``12:05``."""
    return f"{us // 60_000_000}:{us // 1_000_000 % 60:02d}"


def passed(elapsed_us: int, length_us: int, text: Callable[[int], str], unit: str) -> str:
    """Time passed of its length, each as ``text`` words it. No length is left out; one that is over was planned."""
    if length_us <= 0:
        return f"{text(elapsed_us)} {unit}"
    now, whole = text(elapsed_us), text(length_us)
    return f"{now}{', planned' if elapsed_us > length_us and now != whole else ' of'} {whole} {unit}"


def ma(ua: int | None) -> str:
    """Milliamps as set, every digit; a dash where nothing is known."""
    return NONE if ua is None else ma_text(ua)


def about_ma(ua: int | None) -> str:
    """Milliamps with one digit: measured and ramping values must not change their width twenty times a second."""
    return NONE if ua is None else f"{ua / 1_000:.1f}"
