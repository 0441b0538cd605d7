"""What the board said and what it means for the session; and both as the record tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stimctl.driver import Analog, Armed, BoardEvent, Disarmed, DriverState, Faulted, Lost, Refused, Reported, Stopped
from stimctl.engine import Engine, Event
from stimctl.errors import Refusal

if TYPE_CHECKING:
    from stimctl.session.core import Session

ANSWERS_MAX: Final = 8
"""How many answers running are taken within one pass; what comes after them has the next one."""

LOST_TEXT = "the board cannot be reached; use the stop switch, then check cable and power"


def take(session: Session, event: BoardEvent, now_us: int) -> None:
    """Carry one event of the driver into the session."""
    if isinstance(event, Analog):
        if session.hearing is not None:
            session.hearing.take(event.samples, now_us)
    elif isinstance(event, Reported):
        session.measured.take(event, now_us)
    elif isinstance(event, Armed):
        session.armed_by_board(now_us)
    elif isinstance(event, Stopped):
        session.diary.write("stop-confirmed", {}, now_us, "The board confirms: zero")
    elif isinstance(event, Lost):
        session.diary.write("link-lost", {"why": str(event.error)}, now_us)
        session.fault(f"{LOST_TEXT} ({event.error})", now_us, alarm="high")
    elif isinstance(event, Faulted):
        # What goes on after a stop was sent is worse than what led to it.
        high = session.stage.driver.state in (DriverState.STOPPING, DriverState.LOST)
        session.fault(str(event.error), now_us, alarm="high" if high else "medium")
    elif isinstance(event, Disarmed):
        session.fault(event.text, now_us)
    elif isinstance(event, Refused):
        session.fault(f"the board refused {event.command}: {event.text}", now_us)


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


def refusal_payload(refusal: Refusal) -> dict[str, object]:
    """A refusal as JSON values."""
    return {
        "rule": str(refusal.rule),
        "value": str(refusal.value),
        "bound": str(refusal.bound),
        "unit": refusal.unit,
        "bound_from": refusal.bound_from,
        "channel": refusal.channel,
        "at_us": refusal.now_us,
    }


def event_payload(engine: Engine, event: Event, now_us: int) -> dict[str, object]:
    """Where the session is, for the record; with the dose so far where a burst has ended."""
    progress = engine.progress(now_us)
    facts: dict[str, object] = {"state": engine.state.value, "repetition": progress.repetition, "set": progress.set}
    if event is Event.BURST_OVER:
        counts = engine.counts()
        facts |= {"delivered": counts.delivered, "charge_uc": counts.charge_uc}
    return facts
