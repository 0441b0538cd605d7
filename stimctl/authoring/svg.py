"""A picture as SVG: a panel for each channel over one axis of time. Every colour has a word or a line of its own beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape

from stimctl.authoring.picture import Picture, Sweep, Trace
from stimctl.units import SECOND, seconds_text

WIDTH: Final = 1_080
_LEFT: Final = 64
_RIGHT: Final = 372
_PLOT: Final = WIDTH - _LEFT - _RIGHT
_TOP: Final = 118
_PANEL: Final = 190
_GAP: Final = 22
_ROWS: Final = 4
"""Rows of bands' names below the axis."""

_STRIP: Final = 44
"""Height of a strip for what sweeps."""

_BANDS: Final = 36 + 15 * _ROWS
_INK: Final = "#1b1f24"
_SOFT: Final = "#59636e"
_LINE: Final = "#d1d9e0"
_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#7f3c8d", "#666666")
"""Told apart by colour-blind people as well (Okabe and Ito), one a channel."""

_LIMIT: Final = "#b3261e"
_WARN: Final = "#9a6700"
_SIGN: Final = 6.1
"""Width of a letter of the small text, in pixels, about."""


def svg(picture: Picture) -> str:
    """The picture as a document of its own."""
    height = _bottom(picture) + _BANDS + 15 * len(_note_lines(picture)) + 10
    body = "\n".join(_body(picture))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
        f' font-family="DejaVu Sans, Verdana, sans-serif" font-size="11">\n'
        f"<title>{escape(picture.title)}</title>\n"
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


def _body(picture: Picture) -> Iterator[str]:
    yield _text(_LEFT - 40, 32, picture.title, size=17, weight="bold")
    yield _text(_LEFT - 40, 52, picture.kind, colour=_SOFT)
    for row, words in enumerate(picture.words):
        yield _text(_LEFT - 40, 72 + 17 * row, words, size=12)
    bottom = _bottom(picture)
    yield from _band_marks(picture, bottom)
    for index, trace in enumerate(picture.traces):
        yield from _panel(picture, trace, _top(picture, index), _COLOURS[index % len(_COLOURS)])
    yield from _axis(picture, bottom)
    for row, words in enumerate(_note_lines(picture)):
        yield _text(_LEFT - 40, bottom + _BANDS + 15 * row, words, colour=_SOFT)


def _top(picture: Picture, index: int) -> int:
    """Where the panel of a channel begins, below those before it with their strips."""
    return _TOP + sum(_PANEL + _STRIP * len(trace.sweeps) + _GAP for trace in picture.traces[:index])


def _bottom(picture: Picture) -> int:
    """Where all panels end; without any there is a band to write on."""
    return _top(picture, len(picture.traces)) - _GAP if picture.traces else _TOP + _STRIP


def _note_lines(picture: Picture) -> tuple[str, ...]:
    """What no band is wide enough for: what is said of one, and every cue in full."""
    room = int((WIDTH - _LEFT) / _SIGN)
    cues = (f'{band.name}: cue "{band.cue}"' for band in picture.bands if band.cue)
    return tuple(line for words in (*notes(picture), *cues) for line in _wrapped(words, room))


def _x(picture: Picture, at_us: int) -> float:
    return _LEFT + _PLOT * at_us / max(1, picture.length_us)


# --- time --------------------------------------------------------------------------------------------------------


def _band_marks(picture: Picture, bottom: int) -> Iterator[str]:
    """Bands behind all panels, with their names below and what is said at their beginning above."""
    cues = [_x(picture, band.begin_us) for band in picture.bands if band.cue]
    for index, band in enumerate(picture.bands):
        left, right = _x(picture, band.begin_us), _x(picture, band.end_us)
        fill = "#ffffff" if band.active and index % 2 else "#f6f8fa" if band.active else "#eef1f4"
        yield f'<rect x="{left:.1f}" y="{_TOP}" width="{right - left:.1f}" height="{bottom - _TOP}" fill="{fill}"/>'
        yield f'<line x1="{left:.1f}" y1="{_TOP}" x2="{left:.1f}" y2="{bottom + 6}" stroke="{_LINE}"/>'
        if band.cue:
            yield f'<path d="M {left:.1f} {_TOP - 14} l 9 5 l -9 5 z" fill="{_INK}"/>'
            yield f'<line x1="{left:.1f}" y1="{_TOP - 14}" x2="{left:.1f}" y2="{bottom}" stroke="{_INK}"/>'
            room = min((cue for cue in cues if cue > left), default=WIDTH - 20.0) - left - 16
            yield _text(left + 12, _TOP - 5, _short(f"cue: {band.cue}", room), size=10)
    yield from _names(picture, bottom)


def _names(picture: Picture, bottom: int) -> Iterator[str]:
    """Each band's name and length under its middle, in the first row that has room there."""
    ends = [0.0] * _ROWS
    for band in picture.bands:
        words = f"{band.name} {seconds_text(band.end_us - band.begin_us)}"
        half = len(words) * (_SIGN + 0.6) / 2
        middle = (_x(picture, band.begin_us) + _x(picture, band.end_us)) / 2
        middle = min(max(middle, half + 4), _LEFT + _PLOT + 60 - half)
        row = next((at for at, end in enumerate(ends) if end <= middle - half), None)
        if row is None:
            continue
        ends[row] = middle + half + 8
        tip = f"{words}{': ' + band.note if band.note else ''}"
        name = _text(middle, bottom + 36 + 15 * row, words, anchor="middle", weight="bold")
        yield f"<g><title>{escape(tip)}</title>{name}</g>"


def notes(picture: Picture) -> tuple[str, ...]:
    """What is said of bands in a sentence, which no band is wide enough for."""
    return tuple(dict.fromkeys(f"{band.name}: {band.note}" for band in picture.bands if band.note))


def _axis(picture: Picture, bottom: int) -> Iterator[str]:
    yield f'<line x1="{_LEFT}" y1="{bottom}" x2="{_LEFT + _PLOT}" y2="{bottom}" stroke="{_INK}"/>'
    for at_us in ticks(picture.length_us):
        x = _x(picture, at_us)
        yield f'<line x1="{x:.1f}" y1="{bottom}" x2="{x:.1f}" y2="{bottom + 5}" stroke="{_INK}"/>'
        yield _text(x, bottom + 18, seconds_text(at_us), anchor="middle", colour=_SOFT)


def ticks(length_us: int) -> Iterator[int]:
    """Round times, at most about eight of them."""
    steps = (
        SECOND // 10,
        SECOND // 5,
        SECOND // 2,
        *(SECOND * n for n in (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800)),
    )
    step = next((each for each in steps if length_us <= 9 * each), 3_600 * SECOND)
    yield from range(0, length_us + 1, step)


# --- a channel ---------------------------------------------------------------------------------------------------


def _panel(picture: Picture, trace: Trace, top: int, colour: str) -> Iterator[str]:
    bottom, most_ma = top + _PANEL, 1.12 * max(trace.limit_ma, trace.most_ma)

    def y(ma: float) -> float:
        return bottom - (_PANEL - 8) * ma / most_ma

    def path(level_ma: float) -> str:
        return " ".join(f"{_x(picture, each.at_us):.1f},{y(level_ma * each.share):.1f}" for each in trace.points)

    closed = f"{_LEFT},{bottom} {path(trace.prescribed_ma)} {_LEFT + _PLOT},{bottom}"
    yield f'<polygon points="{closed}" fill="{colour}" fill-opacity="0.28" stroke="none"/>'
    yield f'<polyline points="{path(trace.prescribed_ma)}" fill="none" stroke="{colour}" stroke-width="2"/>'
    yield f'<polyline points="{path(trace.most_ma)}" fill="none" stroke="{colour}" stroke-width="1.2" stroke-dasharray="5 3"/>'
    if trace.warn_ma < trace.limit_ma:
        yield _level(y(trace.warn_ma), f"warns from {trace.warn_ma:g} mA", _WARN, "2 3")
    yield _level(y(trace.limit_ma), f"limit {trace.limit_ma:.3g} mA ({trace.limit_name})", _LIMIT, "8 3")
    yield f'<line x1="{_LEFT}" y1="{bottom}" x2="{_LEFT + _PLOT}" y2="{bottom}" stroke="{_INK}" stroke-width="0.8"/>'
    yield from _scale(trace, y)
    for row, sweep in enumerate(trace.sweeps):
        yield from _strip(picture, sweep, bottom + _STRIP * row, colour)
    yield from _beside(trace, top, colour)


def _strip(picture: Picture, sweep: Sweep, top: int, colour: str) -> Iterator[str]:
    """What the pulses go through, below their envelope, from nothing to the highest."""
    bottom, ends = top + _STRIP - 4, [at for at, _ in sweep.steps[1:]] + [picture.length_us]
    corners = [
        f"{_x(picture, at):.1f},{bottom - (_STRIP - 20) * value / sweep.most:.1f}"
        for (begin, value), end in zip(sweep.steps, ends, strict=True)
        for at in (begin, end)
    ]
    yield f'<polyline points="{" ".join(corners)}" fill="none" stroke="{colour}" stroke-width="1.4"/>'
    yield f'<line x1="{_LEFT}" y1="{bottom}" x2="{_LEFT + _PLOT}" y2="{bottom}" stroke="{_LINE}"/>'
    yield _text(_LEFT - 7, bottom + 1, "0", anchor="end", colour=_SOFT)
    yield _text(_LEFT - 7, top + 20, f"{sweep.most:g}", anchor="end", colour=_SOFT)
    yield _text(_LEFT + _PLOT + 18, bottom - 8, str(sweep), colour=_SOFT)


def _level(y: float, words: str, colour: str, dashes: str) -> str:
    line = (
        f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_LEFT + _PLOT}" y2="{y:.1f}" stroke="{colour}" stroke-width="1.2"'
        f' stroke-dasharray="{dashes}"/>'
    )
    return line + _text(_LEFT + _PLOT - 4, y - 4, words, anchor="end", colour=colour, size=10)


def _scale(trace: Trace, y: object) -> Iterator[str]:
    """The levels that matter as the axis's numbers; one that would lie on another is left out."""
    assert callable(y)
    taken: list[float] = []
    for ma in (trace.limit_ma, trace.most_ma, trace.prescribed_ma, 0.0):
        at = y(ma)
        if all(abs(at - each) > 11 for each in taken):
            taken.append(at)
            yield f'<line x1="{_LEFT - 4}" y1="{at:.1f}" x2="{_LEFT}" y2="{at:.1f}" stroke="{_INK}"/>'
            yield _text(_LEFT - 7, at + 4, f"{ma:.3g}", anchor="end", colour=_SOFT)
    yield _text(_LEFT - 40, y(0.0) + 4, "mA", colour=_SOFT)


def _beside(trace: Trace, top: int, colour: str) -> Iterator[str]:
    x = _LEFT + _PLOT + 18
    yield f'<rect x="{x}" y="{top + 5}" width="10" height="10" fill="{colour}"/>'
    yield _text(x + 16, top + 14, trace.name, size=13, weight="bold")
    row = 34
    for words in trace.words:
        for part in _wrapped(words, int((_RIGHT - 26) / _SIGN)):
            yield _text(x, top + row, part, colour=_INK)
            row += 16
    yield f'<line x1="{x}" y1="{top + row}" x2="{x + 22}" y2="{top + row}" stroke="{colour}" stroke-width="2"/>'
    yield _text(x + 28, top + row + 4, "prescribed", colour=_SOFT, size=10)
    dashed = f'stroke="{colour}" stroke-width="1.2" stroke-dasharray="5 3"'
    yield f'<line x1="{x + 104}" y1="{top + row}" x2="{x + 126}" y2="{top + row}" {dashed}/>'
    yield _text(x + 132, top + row + 4, "the most that the operator may raise to", colour=_SOFT, size=10)


# --- text --------------------------------------------------------------------------------------------------------


def _text(
    x: float, y: float, words: str, *, size: int = 11, anchor: str = "start", colour: str = _INK, weight: str = "normal"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}"'
        f' font-weight="{weight}">{escape(words)}</text>'
    )


def _short(words: str, width: float) -> str:
    room = int(width / (_SIGN + 0.9))
    return words if len(words) <= room else words[: max(0, room - 1)] + "…" if room > 1 else ""


def _wrapped(words: str, room: int) -> Iterator[str]:
    line = ""
    for word in words.split():
        if line and len(line) + 1 + len(word) > room:
            yield line
            line = word
        else:
            line = f"{line} {word}".strip()
    yield line
