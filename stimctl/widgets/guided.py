"""Guided work on the screen: what is said now and next, the goal as a bar, and what was counted."""

from __future__ import annotations

from typing import Final

from textual.content import Content

from stimctl.orders import GuideStatus, Status
from stimctl.widgets.words import MUTED, NONE, STRONG, bar, clock

DISABLED: Final = "Output disabled: nothing in this session can arm a board."


def guide_lines(status: Status, guide: GuideStatus, width: int) -> Content:
    """All of it, in lines of ``width`` cells; readable without colour."""
    said = guide.say or status.next_action
    lines = [
        Content.styled(DISABLED, MUTED),
        Content(""),
        Content.assemble(("▶ " if guide.counting else "  "), (said, "bold $primary")),
        Content.assemble("  ", (f"then: {guide.after}" if guide.after else "", MUTED)),
        Content(""),
    ]
    if guide.goal is not None:
        lines += [_goal_line(guide, width), Content("")]
    lines.append(_counts(guide))
    if guide.wear_us:
        worn = "on" if guide.wearing else "off"
        times = f"{clock(guide.worn_us)} of {clock(guide.wear_us)} min"
        lines.append(Content.assemble(("restraint ", MUTED), (worn, STRONG), f"  worn {times}"))
    return Content("\n").join(lines)


def _goal_line(guide: GuideStatus, width: int) -> Content:
    """The value against its goal: the bar is full at one and a half times the goal, the mark stands where it is."""
    goal = guide.goal or 1.0
    cells = max(12, width - 40)
    value = 0.0 if guide.value is None else max(0.0, guide.value)
    mark = cells * 2 // 3
    drawn = bar(min(1_500, round(1_000 * value / goal)), 1_500, cells)
    drawn = f"{drawn[:mark]}┃{drawn[mark + 1 :]}"
    shown = NONE if guide.value is None else f"{guide.value:.1f}"
    reached = guide.value is not None and guide.value >= goal
    words = f"  {shown} of {goal:g} {guide.unit}{'  ● there' if reached else ''}"
    return Content.assemble(("now ", MUTED), (drawn, "$success" if reached else "$primary"), (words, STRONG))


def _counts(guide: GuideStatus) -> Content:
    tries = guide.reached + guide.missed
    share = f"{100 * guide.reached // tries} %" if tries else NONE
    pairs = [("done", f"{guide.done} of {guide.prescribed}"), ("counted", str(guide.counted))]
    if tries or guide.unheard:
        pairs += [("reached", str(guide.reached)), ("missed", str(guide.missed)), ("share", share)]
    if guide.unheard:
        pairs.append(("not measured", str(guide.unheard)))
    return Content("  ").join([Content.assemble((f"{name} ", MUTED), (words, STRONG)) for name, words in pairs])
