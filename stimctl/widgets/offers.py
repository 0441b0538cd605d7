"""The keys on offer: those of the orders that the session takes now, and no others."""

from __future__ import annotations

from typing import Final

from textual.content import Content

from stimctl.orders import OrderKind, Question, Stage, Status
from stimctl.widgets.keys import PRESSES, Press
from stimctl.widgets.procedure import answers, is_blocking
from stimctl.widgets.words import flow

WITHOUT_OUTPUT: Final = {
    OrderKind.START: "start",
    OrderKind.RESUME: "go on",
    OrderKind.CLEAR: "clear the stop",
    OrderKind.KEY: "count one",
}
"""What the keys are called where there is no output to speak of."""


def offers(status: Status, question: Question | None, width: int) -> Content:
    """What can be pressed now, in lines of ``width`` cells; ``question`` is the one at the screening's cursor."""
    said = answers(question, status.questions) if OrderKind.ANSWER in status.can and question else ()
    shown = [press for press in PRESSES if press.kind is not OrderKind.ANSWER and is_offered(press, status)]
    blocked = status.stage is Stage.SCREENING and any(map(is_blocking, status.questions))
    instead = {OrderKind.NEXT: "no treatment: end here"} if blocked else {}
    if not status.progress.repetitions:
        instead[OrderKind.BEGIN] = "begin: time runs from here"
    if status.disabled:
        instead |= WITHOUT_OUTPUT
        if status.stage is Stage.RUN:
            instead[OrderKind.NEXT] = "end this step"
    parts = [*map(Content, said), *(_cap(press.cap, instead.get(press.kind, press.words)) for press in shown)]
    typing = status.stage in {Stage.START, Stage.REVIEW}
    if typing:
        parts.append(_cap("Tab", "next field"))
    closing = OrderKind.CLOSE in status.can and status.stage is Stage.REVIEW
    return flow(
        [
            *parts,
            _cap("Ctrl+Q" if typing else "Q", "close" if closing else "quit"),
            _cap("F1" if typing else "?", "help"),
        ],
        width,
    )


def is_offered(press: Press, status: Status) -> bool:
    """Whether the session takes it now. Presence is asked for when it is due; the review has a form of its own."""
    if press.kind not in status.can:
        return False
    if press.kind is OrderKind.SELECT and len(status.channels) < 2:
        return False  # there is no other
    if press.kind is OrderKind.WEAR:
        return status.guide is not None and status.guide.wearing is (press.value == "off")
    if press.kind is OrderKind.PRESENT:
        return status.presence_due
    if press.kind is OrderKind.SKIN_CHECKED and OrderKind.PAIN not in status.can:
        return status.skin_due and not status.presence_due  # while thresholds are sought there is little room
    return status.stage is not Stage.REVIEW or press.kind not in {OrderKind.SKIN_CHECKED, OrderKind.PAIN}


def _cap(cap: str, words: str) -> Content:
    return Content.assemble((cap, "bold $primary"), f" {words}")
