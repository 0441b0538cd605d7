"""What the board said, and what it means for the session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stimctl.driver import (
    Analog,
    Armed,
    BoardEvent,
    Cause,
    Disarmed,
    DriverState,
    Faulted,
    Lost,
    Refused,
    Reported,
    Stopped,
    Unconfirmed,
)

if TYPE_CHECKING:
    from stimctl.boards import BoardFacts
    from stimctl.session.core import Session

ANSWERS_MAX: Final = 8
"""How many answers running are taken within one pass; what comes after them has the next one."""

LOST_TEXT = "the board cannot be reached; use the stop switch, then check cable and power"


def take(session: Session, event: BoardEvent, now_us: int) -> None:
    """Carry one event of the driver into the session."""
    if isinstance(event, Analog):
        if session.hearing is not None:
            session.hearing.take(event.samples, event.missing, now_us)
    elif isinstance(event, Reported):
        shapes = {channel: lane.shape for channel, lane in session.engine.lanes.items()}
        session.measured.take(event, now_us, shapes)
        plans = session.engine.schedule.channels
        session.diary.measured({plan.name: session.measured.current_ua(plan) for plan in plans}, now_us)
    elif isinstance(event, Armed):
        session.measured.forget_all()  # what flowed before a stop was given by another arming
        session.armed_by_board(now_us)
    elif isinstance(event, Stopped):
        session.diary.write("stop-confirmed", {}, now_us, "The board confirms: zero")
    elif isinstance(event, Unconfirmed):
        session.diary.write("stop-unconfirmed", {}, now_us, "The stop has been said; this board confirms none")
    elif isinstance(event, Lost):
        session.fault(_lost_text(session, event), now_us, alarm="high")  # first: a record may wait for its disk
        session.diary.write("link-lost", {"why": str(event.error)}, now_us)
    elif isinstance(event, Faulted):
        # What goes on after a stop was sent is worse than what led to it; a pad that was seen in time is neither (F.5).
        high = not event.pads and session.stage.driver.state in (DriverState.STOPPING, DriverState.LOST)
        session.fault(str(event.error), now_us, alarm="high" if high else "medium")
        session.look_at_pads_again(event.output)
    elif isinstance(event, Disarmed):
        session.fault(event.text, now_us)
        if event.cause in (Cause.CONTACT_LOST, Cause.OUTPUT_FAULT):
            session.look_at_pads_again(None)
    elif isinstance(event, Refused):
        session.fault(event.text, now_us)


def _lost_text(session: Session, lost: Lost) -> str:
    """What to do about a board that no word reaches, and why, each said once; not every board has a stop switch."""
    facts = session.stage.driver.facts
    if facts is None:
        return f"{LOST_TEXT} ({lost.error})"
    why = str(lost.error).removesuffix(f"; {facts.way_out}")  # a driver says it as well to who has no session
    return f"{LOST_TEXT.replace('use the stop switch', facts.way_out)} ({why})"


def back_text(facts: BoardFacts | None) -> str:
    """That a board which was lost has answered again, and how to go on; zero is told of one alone that has said so."""
    at = "at zero" if facts is not None and facts.confirms_zero else "and was told to stop"
    return f"The board is back, {at}; clear to go on"


def take_answers(session: Session, now_us: int) -> bool:
    """Take what the board has answered within this pass, as the simulated one does: that needs no pass of its own.

    Returns whether it was more than a report, so that the next pass is to come at once.
    """
    link, more = session.link, False
    for _ in range(ANSWERS_MAX):
        due_us = None if link is None else link.next_event_us(now_us)
        if due_us is None or due_us > now_us:
            break
        for event in session.stage.poll(now_us):
            take(session, event, now_us)
            more = more or not isinstance(event, Reported)
    return more
