"""The channels: one line each, and the selected one's level between its two keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from textual.content import Content

from stimctl.orders import ChannelStatus
from stimctl.units import ma_text
from stimctl.widgets.words import MUTED, NONE, STRONG, about_ma, fit, ma

SIDE_BY_SIDE: Final = 110
"""From this width, in cells, the channel table has room for a bar in each row."""


class Column(NamedTuple):
    """One right-aligned column of the channel table: its heading, its width in cells, what it says."""

    heading: str
    cells: int
    text: Callable[[ChannelStatus], str]
    live: bool = False  # from the board's report: not known while that is missing


def target_text(channel: ChannelStatus) -> str:
    """The prescribed level; marked where today's ceiling does not reach it."""
    return f"{'▲' if is_out_of_reach(channel) else ''}{ma(channel.target_ua)}"


def is_out_of_reach(channel: ChannelStatus) -> bool:
    """Whether the protocol asks for more than this patient tolerated."""
    return channel.ceiling_ua is not None and channel.target_ua > channel.ceiling_ua


def margin_text(channel: ChannelStatus) -> str:
    """What is left up to the ceiling, in mA and per cent of it."""
    if channel.ceiling_ua is None or channel.ceiling_ua <= 0:
        return NONE
    left = channel.ceiling_ua - channel.level_ua
    return f"{ma_text(left)} {100 * left // channel.ceiling_ua:>3} %"


RUN_COLUMNS: Final = (
    Column("now mA", 7, lambda c: about_ma(c.now_ua), live=True),
    Column("target", 8, target_text),
    Column("ceiling", 8, lambda c: ma(c.ceiling_ua)),
    Column("margin mA", 12, margin_text),
    Column("measured mA", 12, lambda c: about_ma(c.measured_ua), live=True),
)
THRESHOLD_COLUMNS: Final = (
    Column("now mA", 7, lambda c: about_ma(c.now_ua), live=True),
    Column("sensory", 8, lambda c: ma(c.sensory_ua)),
    Column("motor", 6, lambda c: ma(c.motor_ua)),
    Column("tolerated", 10, lambda c: ma(c.tolerated_ua)),
    Column("run", 7, lambda c: "done" if c.ceiling_ua is not None else f"{c.threshold_run} of 2"),
    Column("ceiling", 8, lambda c: ma(c.ceiling_ua)),
)


def channel_table(
    channels: Sequence[ChannelStatus], columns: Sequence[Column], width: int, *, known: bool = True
) -> Content:
    """One line a channel, the selected one marked by sign and weight; names give way to numbers, with an ellipsis.

    ``known`` is whether the board reports its output; without, what flows now is a dash.
    """
    numbers = sum(column.cells for column in columns)
    bars = 24 if width >= SIDE_BY_SIDE else 0
    room = max(8, width - numbers - bars - 4)
    name, muscle = room // 2, room - room // 2
    heading = f"  {fit('channel', name)} {fit('muscle', muscle)} " + "".join(
        f"{column.heading:>{column.cells}}" for column in columns
    )
    lines = [Content.styled(heading, MUTED)]
    for channel in channels:
        line = f"{fit(channel.name, name)} {fit(channel.muscle, muscle)} "
        texts = [NONE if column.live and not known else column.text(channel) for column in columns]
        line += "".join(f"{text:>{column.cells}}" for text, column in zip(texts, columns, strict=True))
        mark, style = ("▶ ", "bold $selected") if channel.selected else ("  ", "")
        small = level_bar(channel, bars - 2, known=known) if bars else Content("")
        lines.append(Content.assemble((mark + line, style), "  " if bars else "", small))
    return Content("\n").join(lines)


def selected(channels: Sequence[ChannelStatus]) -> ChannelStatus | None:
    """The channel that raise and lower act on."""
    return next((channel for channel in channels if channel.selected), None)


def neighbour(listed: Sequence[ChannelStatus], step: int) -> str:
    """The name of the channel before (-1) or after (1) the selected one, which is the first while there is none."""
    at = next((at + step for at, channel in enumerate(listed) if channel.selected), 0)
    return listed[at].name if 0 <= at < len(listed) else ""


def level_bar(channel: ChannelStatus, cells: int, *, known: bool = True) -> Content:
    """Now (solid), set (shaded) and free (dots) up to the ceiling, or to the limit while there is no ceiling.

    A bar of question marks while the board does not report: set is then no more than a wish.
    """
    if not known:
        return Content.styled("?" * cells, "$error")
    top = channel.ceiling_ua or channel.max_ua
    at = [min(cells, max(0, ua * cells // top)) if top > 0 else 0 for ua in (channel.now_ua, channel.level_ua)]
    now, level = at[0], max(at)
    return Content.assemble(("█" * now, "$output"), ("▒" * (level - now), "$primary"), ("·" * (cells - level), MUTED))


def level_words(channel: ChannelStatus, cells: int, *, known: bool = True) -> Content:
    """Two lines between the lower and the raise key: whose level it is, and the bar with its ends in mA."""
    top = channel.ceiling_ua or channel.max_ua
    end = f" of {ma(top)} mA {'ceiling' if channel.ceiling_ua else 'limit'}"
    start = f"set {ma_text(channel.level_ua)} "
    where = Content.assemble(f"  {channel.muscle}", (f", {channel.site}", MUTED))
    if is_out_of_reach(channel):
        where = Content.styled("  ▲ target above this patient's ceiling", "$warning")
    first = Content.assemble((channel.name, "bold $selected"), where)
    small = level_bar(channel, max(4, cells - len(start) - len(end)), known=known)
    return Content("\n").join(
        (first.truncate(cells, ellipsis=True), Content.assemble((start, STRONG), small, (end, MUTED)))
    )
