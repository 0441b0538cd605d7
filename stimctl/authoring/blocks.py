"""A picture in the cells of a terminal: eighths of a block where there are such characters, plain signs where there are not.

Every sign says by itself what it is; colour only helps the eye.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from math import ceil
from typing import Final, NamedTuple, final

from stimctl.authoring.picture import Band, Picture, Trace
from stimctl.authoring.svg import notes, ticks
from stimctl.units import seconds_text

ROWS: Final = 8
"""Rows of a channel's panel."""

LEAST: Final = 40
"""Columns below which nothing can be made out; a narrower terminal wraps."""

_SCALE: Final = 6
"""Columns for the numbers on the left."""

Paint = Callable[[str, str], str]
"""A text and the role of it: ``level``, ``limit``, ``warn``, ``faint``, ``strong``."""


@final
class Signs(NamedTuple):
    """What is drawn with."""

    eighths: str
    most: str
    limit: str
    warn: str
    wall: str
    floor: str
    mark: str


BLOCKS: Final = Signs(" ▁▂▃▄▅▆▇█", "·", "─", "╌", "│", "─", "▶")
PLAIN: Final = Signs(" ..::++##", "'", "=", "-", "|", "_", ">")
"""For a terminal that knows no more than ASCII."""


def drawn(picture: Picture, width: int, paint: Paint, signs: Signs = BLOCKS) -> str:
    """The picture as lines of at most ``width`` columns, at least :data:`LEAST`."""
    columns = max(width, LEAST) - _SCALE - 1
    lines = [paint(picture.title, "strong"), paint(picture.kind, "faint"), *picture.words, ""]
    for trace in picture.traces:
        lines += [paint(trace.name, "strong"), *(f"  {words}" for words in trace.words)]
        lines += [*_panel(picture, trace, columns, paint, signs), *_strips(picture, trace, columns, signs), ""]
    if picture.bands:
        lines += [*_bands(picture, columns, paint, signs), *(paint(words, "faint") for words in notes(picture)), ""]
    if picture.traces:
        full, most = signs.eighths[-1], signs.most
        levels = f"{full} prescribed  {most} the operator's most"
        lines.append(paint(f"{levels}  {signs.limit} limit  {signs.warn} warns", "faint"))
    return "\n".join(_wrapped(line, max(width, LEAST)) for line in lines) + "\n"


def _wrapped(line: str, width: int) -> str:
    """A long line of words in several; one with colours was made to measure."""
    if len(line) <= width or "\x1b" in line:
        return line
    import textwrap

    indent = " " * (len(line) - len(line.lstrip()))
    return "\n".join(textwrap.wrap(line, width, subsequent_indent=indent))


# --- a channel ---------------------------------------------------------------------------------------------------


def _panel(picture: Picture, trace: Trace, columns: int, paint: Paint, signs: Signs) -> Iterator[str]:
    top_ma = max(trace.limit_ma, trace.most_ma)
    per_row = top_ma / (ROWS - 1)  # the row at the top is the limit's own
    shares = [_highest_share(trace, picture.length_us, column, columns) for column in range(columns)]
    rows_of = {int(trace.warn_ma / per_row): "warn"} if trace.warn_ma < trace.limit_ma else {}
    rows_of[int(trace.limit_ma / per_row)] = "limit"
    at_level = max(0, ceil(trace.prescribed_ma / per_row) - 1)
    marks = ((at_level, trace.prescribed_ma), (int(trace.most_ma / per_row), trace.most_ma), (ROWS - 1, trace.limit_ma))
    labels = {row: f"{ma:.3g}" for row, ma in marks}
    for row in range(ROWS - 1, -1, -1):
        cells = [_cell(share, trace, row, per_row, rows_of.get(row, ""), signs) for share in shares]
        label = labels.get(row, "")
        yield f"{paint(label, 'faint')}{' ' * (_SCALE - len(label))}{_painted(cells, paint)}".rstrip()
    yield f"{'0 mA':<{_SCALE}}{paint(signs.floor * columns, 'faint')}"


def _strips(picture: Picture, trace: Trace, columns: int, signs: Signs) -> Iterator[str]:
    """What the pulses go through: a row each, an eighth at least where there is anything."""
    for sweep in trace.sweeps:
        begins = [at for at, _ in sweep.steps]
        middles = [picture.length_us * (2 * column + 1) / (2 * columns) for column in range(columns)]
        values = [sweep.steps[max(0, bisect_right(begins, at) - 1)][1] for at in middles]
        row = "".join(signs.eighths[max(1, round(8 * value / sweep.most))] for value in values)
        yield f"{' ' * _SCALE}{row}"
        yield f"{' ' * _SCALE}{sweep}"


def _cell(share: float, trace: Trace, row: int, per_row: float, line: str, signs: Signs) -> tuple[str, str]:
    """One sign and its role: the envelope first, then the operator's most, then a limit."""
    filled = round(8 * (trace.prescribed_ma * share / per_row - row))
    if filled >= 1:
        return signs.eighths[min(filled, 8)], "level"
    if share > 0 and row == int(trace.most_ma * share / per_row):
        return signs.most, "level"
    if line:
        return (signs.limit if line == "limit" else signs.warn), line
    return " ", ""


def _painted(cells: list[tuple[str, str]], paint: Paint) -> str:
    """Runs of cells of one role, each painted once."""
    text, run, role = "", "", ""
    for sign, each in [*cells, ("", "end")]:
        if each != role:
            text += paint(run, role) if role and run else run
            run, role = "", each
        run += sign
    return text.rstrip()


def _highest_share(trace: Trace, length_us: int, column: int, columns: int) -> float:
    """The highest that the envelope is within a column: a short ramp must not vanish between two."""
    begin, end = length_us * column / columns, length_us * (column + 1) / columns
    corners = [point.share for point in trace.points if begin < point.at_us < end]
    middle = [_share(trace, begin + (end - begin) * part) for part in (0.25, 0.5, 0.75)]
    return max(*corners, *middle) if corners else max(middle)


def _share(trace: Trace, at_us: float) -> float:
    points = trace.points
    right = bisect_right([point.at_us for point in points], at_us)
    if right == 0 or right == len(points):
        return points[-1 if right else 0].share
    before, after = points[right - 1], points[right]
    part = (at_us - before.at_us) / max(1, after.at_us - before.at_us)
    return before.share + (after.share - before.share) * part


# --- time --------------------------------------------------------------------------------------------------------


def _bands(picture: Picture, columns: int, paint: Paint, signs: Signs) -> Iterator[str]:
    """The bands under the panels: a wall where each begins, its name in it or below; then the time, and the cues."""
    walls = [_column(picture, band.begin_us, columns) for band in picture.bands]
    ends = [*walls[1:], columns]
    line, below = [" "] * columns, []
    for band, begin, end in zip(picture.bands, walls, ends, strict=True):
        line[begin] = signs.wall
        words, room = f"{band.name} {seconds_text(band.end_us - band.begin_us)}", end - begin - 1
        fits = words if len(words) <= room else band.name if len(band.name) <= room else ""
        line[begin + 1 : begin + 1 + len(fits)] = fits
        if fits != words:
            below.append(words)
    yield " " * _SCALE + "".join(line).rstrip()
    yield paint(" " * _SCALE + _times(picture, columns), "faint")
    if below:
        yield f"{' ' * _SCALE}in full: {', '.join(below)}"
    yield from (_cue(picture, band, signs) for band in picture.bands if band.cue)


def _cue(picture: Picture, band: Band, signs: Signs) -> str:
    at = seconds_text(band.begin_us - picture.bands[0].begin_us)
    return f"{' ' * _SCALE}{signs.mark} cue at {at}, {band.name}: {band.cue}"


def _column(picture: Picture, at_us: int, columns: int) -> int:
    return min(columns - 1, columns * at_us // max(1, picture.length_us))


def _times(picture: Picture, columns: int) -> str:
    line = ""
    for at_us in ticks(picture.length_us):
        column, words = _column(picture, at_us, columns), seconds_text(at_us)
        if column >= len(line) + (1 if line else 0) and column + len(words) <= columns:
            line += " " * (column - len(line)) + words
    return line
