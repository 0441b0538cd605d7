"""A recording as it was heard, as a picture: envelope, threshold, onsets, and labels where there are any.

For the cells of a terminal, or as SVG. Every mark is a sign of its own and is named, so that colour only helps the eye.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, final
from xml.sax.saxutils import escape

from stimctl.authoring.blocks import BLOCKS, LEAST, PLAIN, Signs
from stimctl.authoring.svg import WIDTH, ticks
from stimctl.units import SECOND, seconds_text

ROWS: Final = 10
_SCALE: Final = 8
_HEIGHT: Final = 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 84, 78
_PLOT: Final = WIDTH - _LEFT - _RIGHT
_INK, _SOFT, _LEVEL, _LIMIT, _EFFORT = "#1b1f24", "#59636e", "#0072b2", "#b3261e", "#e6f2ea"
_FINEST: Final = 2 * _PLOT
"""Points of a curve: two a pixel are more than anybody sees."""

Paint = Callable[[str, str], str]


@final
class Trace(NamedTuple):
    """What is drawn: a point a chunk, each as (time µs, envelope, threshold), and what was marked (µs)."""

    title: str
    words: tuple[str, ...]
    unit: str
    length_us: int
    points: tuple[tuple[int, float | None, float | None], ...]
    onsets_us: tuple[int, ...]
    efforts_us: tuple[tuple[int, int], ...]

    @property
    def top(self) -> float:
        """The highest number on the scale."""
        seen = [each for _, envelope, threshold in self.points for each in (envelope, threshold) if each is not None]
        return 1.05 * max(seen, default=0.0) or 1.0


@final
class Column(NamedTuple):
    """A stretch of the time: the highest envelope in it and its last threshold."""

    envelope: float | None
    threshold: float | None


def columns(trace: Trace, count: int) -> list[Column]:
    """The whole time in ``count`` stretches; a burst shorter than one does not vanish."""
    made = [Column(None, None)] * count
    for at_us, envelope, threshold in trace.points:
        at = _column(at_us - 1, trace.length_us, count)
        before = made[at]
        loudest = max((each for each in (before.envelope, envelope) if each is not None), default=None)
        made[at] = Column(loudest, before.threshold if threshold is None else threshold)
    return made


def _column(at_us: int, length_us: int, count: int) -> int:
    return max(0, min(count - 1, count * at_us // max(1, length_us)))


# --- terminal ----------------------------------------------------------------------------------------------------


def drawn(trace: Trace, width: int, paint: Paint, *, plain: bool) -> str:
    """The picture as lines of at most ``width`` columns, at least :data:`~stimctl.authoring.blocks.LEAST`."""
    signs, count = (PLAIN if plain else BLOCKS), max(width, LEAST) - _SCALE - 1
    shown, top = columns(trace, count), trace.top
    lines = [paint(trace.title, "strong"), *trace.words, ""]
    for row in range(ROWS - 1, -1, -1):
        cells = [_cell(each, row, top / ROWS, signs) for each in shown]
        label = f"{top:.3g}" if row == ROWS - 1 else ""
        text = "".join(paint(sign, role) if role else sign for sign, role in cells)
        lines.append(f"{paint(label, 'faint')}{' ' * (_SCALE - len(label))}{text}".rstrip())
    unit = f"0 {trace.unit}"
    lines.append(f"{unit:<{_SCALE}}{paint(signs.floor * count, 'faint')}")
    lines += [f"{name:<{_SCALE}}{row}".rstrip() for name, row in _marks(trace, count, plain=plain)]
    lines.append(paint(" " * _SCALE + _times(trace, count), "faint"))
    effort = f"  {_signs(plain)[1]} labelled effort" if trace.efforts_us else ""
    lines.append(
        paint(f"{signs.eighths[-1]} envelope  {signs.limit} threshold  {_signs(plain)[0]} onset{effort}", "faint")
    )
    return "\n".join(lines) + "\n"


def _signs(plain: bool) -> tuple[str, str]:
    return ("^", "=") if plain else ("▲", "━")


def _cell(column: Column, row: int, per_row: float, signs: Signs) -> tuple[str, str]:
    """One sign and its role; the threshold lies over the envelope, or nobody would see whether it was passed."""
    if column.threshold is not None and int(column.threshold / per_row) == row:
        return signs.limit, "limit"
    filled = round(8 * ((column.envelope or 0.0) / per_row - row))
    return (signs.eighths[min(filled, 8)], "level") if filled >= 1 else (" ", "")


def _marks(trace: Trace, count: int, *, plain: bool) -> Iterator[tuple[str, str]]:
    onset, effort = _signs(plain)
    heard = {_column(at_us, trace.length_us, count) for at_us in trace.onsets_us}
    yield "onsets", "".join(onset if at in heard else " " for at in range(count))
    if trace.efforts_us:
        spans = [tuple(_column(at_us, trace.length_us, count) for at_us in span) for span in trace.efforts_us]
        yield "labels", "".join(effort if any(a <= at <= b for a, b in spans) else " " for at in range(count))


def _times(trace: Trace, count: int) -> str:
    line = ""
    for at_us in ticks(trace.length_us):
        column, words = _column(at_us, trace.length_us, count), seconds_text(at_us)
        if column >= len(line) + bool(line) and column + len(words) <= count:
            line += " " * (column - len(line)) + words
    return line


# --- SVG ---------------------------------------------------------------------------------------------------------


def svg(trace: Trace) -> str:
    """The picture as a document of its own."""
    body = "\n".join((*_frame(trace), *_efforts(trace), *_curves(trace), *_onsets(trace)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{_HEIGHT}" viewBox="0 0 {WIDTH} {_HEIGHT}"'
        f' font-family="DejaVu Sans, Verdana, sans-serif" font-size="11">\n<title>{escape(trace.title)}</title>\n'
        f'<rect width="{WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


def _x(trace: Trace, at_us: float) -> float:
    return _LEFT + _PLOT * at_us / max(1, trace.length_us)


def _y(trace: Trace, value: float) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / trace.top


def _frame(trace: Trace) -> Iterator[str]:
    floor = _HEIGHT - _BOTTOM
    yield _text(24, 28, trace.title, size=17)
    for row, words in enumerate(trace.words[:2]):
        yield _text(24, 48 + 16 * row, words, size=12)
    yield f'<line x1="{_LEFT}" y1="{floor}" x2="{_LEFT + _PLOT}" y2="{floor}" stroke="{_INK}"/>'
    yield _text(_LEFT - 7, _TOP + 4, f"{trace.top:.3g}", anchor="end", colour=_SOFT)
    yield _text(_LEFT - 7, floor + 4, "0", anchor="end", colour=_SOFT)
    yield _text(24, _TOP - 12, trace.unit, colour=_SOFT)
    for at_us in ticks(trace.length_us):
        x = _x(trace, at_us)
        yield f'<line x1="{x:.1f}" y1="{floor}" x2="{x:.1f}" y2="{floor + 5}" stroke="{_INK}"/>'
        yield _text(x, floor + 18, seconds_text(at_us), anchor="middle", colour=_SOFT)
    effort = "   shaded: labelled efforts" if trace.efforts_us else ""
    key = f"blue: envelope   red, dashed: threshold   triangles: onsets, when they are known{effort}"
    yield _text(_LEFT, floor + 56, key, colour=_SOFT)


def _efforts(trace: Trace) -> Iterator[str]:
    for start_us, end_us in trace.efforts_us:
        left, right = _x(trace, start_us), _x(trace, end_us)
        size = f'width="{right - left:.1f}" height="{_HEIGHT - _TOP - _BOTTOM}"'
        yield f'<rect x="{left:.1f}" y="{_TOP}" {size} fill="{_EFFORT}"/>'


def _curves(trace: Trace) -> Iterator[str]:
    shown = columns(trace, min(_FINEST, max(1, len(trace.points))))
    wide = trace.length_us / len(shown)
    for name, colour, dashes in (("envelope", _LEVEL, ""), ("threshold", _LIMIT, ' stroke-dasharray="6 3"')):
        for run in _runs([getattr(each, name) for each in shown]):
            corners = " ".join(f"{_x(trace, (at + 0.5) * wide):.1f},{_y(trace, value):.1f}" for at, value in run)
            yield f'<polyline points="{corners}" fill="none" stroke="{colour}" stroke-width="1.3"{dashes}/>'


def _runs(values: list[float | None]) -> Iterator[list[tuple[int, float]]]:
    """Stretches without a gap."""
    run: list[tuple[int, float]] = []
    for at, value in enumerate([*values, None]):
        if value is not None:
            run.append((at, value))
        elif run:
            yield run
            run = []


def _onsets(trace: Trace) -> Iterator[str]:
    floor = _HEIGHT - _BOTTOM
    for at_us in trace.onsets_us:
        x = _x(trace, at_us)
        tip = f"<title>onset known at {at_us / SECOND:.3f} s</title>"
        yield f'<path d="M {x:.1f} {floor + 24} l -5 9 l 10 0 z" fill="{_INK}">{tip}</path>'
        yield f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{floor}" stroke="{_INK}" stroke-width="0.6"/>'


def _text(x: float, y: float, words: str, *, size: int = 11, anchor: str = "start", colour: str = _INK) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text {place} fill="{colour}">{escape(words)}</text>'
