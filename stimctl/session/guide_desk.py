"""The operator's desk of a session without output. Whether an order is possible now was asked before."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from stimctl.driver import DriverState, OutputState
from stimctl.engine.guide_table import GuideEvent as Event
from stimctl.engine.guide_table import GuideState as State
from stimctl.engine.guide_words import Heard
from stimctl.errors import UsageError
from stimctl.orders import Order
from stimctl.orders import OrderKind as Kind
from stimctl.units import MINUTE

if TYPE_CHECKING:
    from stimctl.session.guided import GuidedSession

PAIN_PAUSES: Final = 5
"""Pain of so much while the work is under way pauses it (project): guided work is to be done without pain."""


def _answer(session: GuidedSession, order: Order, now_us: int) -> None:
    question = session.screening.answer(order.name, order.value, order.text)
    payload = {"id": question.id, "text": question.text, "answer": question.answer, "reason": question.justification}
    session.diary.write("screening-answer", payload, now_us)


def _next(session: GuidedSession, order: Order, now_us: int) -> None:  # noqa: ARG001 - every order has this shape
    if session.state is not State.SCREENING:
        session.diary.write("step-ended-early", {"say": session.guide.now.say}, now_us)
        session.tell(session.guide.skip(now_us), now_us)
        return
    screening = session.screening
    if screening.blockers:
        session.happen(Event.BLOCKED, now_us, because=list(screening.blockers))
        session.diary.say(f"No exercise today: {screening.blockers[0]}")
        return
    if points := screening.open_points:
        more = f" (and {len(points) - 1} more)" if len(points) > 1 else ""
        raise UsageError(f"{points[0]}{more}")
    session.screened = True
    session.happen(Event.SCREENED, now_us)


def _start(session: GuidedSession, order: Order, now_us: int) -> None:  # noqa: ARG001
    session.started = True
    session.happen(Event.START, now_us)


def _key(session: GuidedSession, order: Order, now_us: int) -> None:  # noqa: ARG001
    if why := session.guide.key_refusal():
        raise UsageError(why)
    session.tell(session.guide.step(now_us, Heard(key=True)), now_us)


def _pause(session: GuidedSession, order: Order, now_us: int) -> None:  # noqa: ARG001
    session.happen(Event.PAUSE, now_us)


def _resume(session: GuidedSession, order: Order, now_us: int) -> None:  # noqa: ARG001
    session.happen(Event.RESUME, now_us)


def _finish(session: GuidedSession, order: Order, now_us: int) -> None:  # noqa: ARG001
    session.happen(Event.FINISH, now_us)


def _clear(session: GuidedSession, order: Order, now_us: int) -> None:  # noqa: ARG001
    if session.output is not OutputState.OFF:
        raise UsageError("the board has not confirmed zero; use the stop switch, check the board, then clear")
    if session.link is not None and session.link.driver.state is DriverState.LOST:
        raise UsageError("the board is lost; finish this session, check cable and power, and open a new one")
    session.latch.clear()
    session.alarm, session.stop_reason = ("", ""), ""
    ready = Event.CLEAR_TO_PAUSED if session.started else Event.CLEAR_TO_READY
    session.happen(ready if session.screened else Event.CLEAR_TO_SCREENING, now_us)


def _wear(session: GuidedSession, order: Order, now_us: int) -> None:
    if order.value not in ("on", "off"):
        raise UsageError(f"the restraint is put on or off, not {order.value!r}")
    if order.value == "off":
        take_off(session, now_us)
    else:
        session.wear.put(True, now_us)
        session.diary.write("wear-on", {}, now_us, "Restraint on")


def take_off(session: GuidedSession, now_us: int) -> None:
    """The restraint comes off, also at the end of a session: what is worn afterwards is another log."""
    session.wear.put(False, now_us)
    worn_us = session.wear.worn_us(now_us)
    session.diary.write("wear-off", {"worn_us": worn_us}, now_us, f"Restraint off after {worn_us // MINUTE} min in all")


def _skin(session: GuidedSession, order: Order, now_us: int) -> None:
    if order.value not in ("ok", "event"):
        raise UsageError(f"the skin is ok or there is an event, not {order.value!r}")
    session.diary.write("skin-checked", {"skin": order.value, "text": order.text}, now_us, f"Skin: {order.value}")


def _pain(session: GuidedSession, order: Order, now_us: int) -> None:
    if order.value not in tuple(map(str, range(11))):
        raise UsageError(f"pain is a whole number from 0 to 10, not {order.value!r}")
    session.diary.write("pain", {"nrs": int(order.value)}, now_us, f"Pain: {order.value} of 10")
    if int(order.value) >= PAIN_PAUSES and session.guide.can(Event.PAUSE):
        session.happen(Event.PAUSE, now_us, reason="pain")
        session.diary.say(f"Paused: pain {order.value} of 10. Go on only when it has eased, with less range or force")


def _note(session: GuidedSession, order: Order, now_us: int) -> None:
    session.diary.write("note", {"text": order.text[:2000], "from": "operator"}, now_us)


def _close(session: GuidedSession, order: Order, now_us: int) -> None:  # noqa: ARG001
    session.end("closed", now_us)


ORDERS: Final[dict[Kind, Callable[[GuidedSession, Order, int], None]]] = {
    Kind.ANSWER: _answer,
    Kind.NEXT: _next,
    Kind.START: _start,
    Kind.KEY: _key,
    Kind.PAUSE: _pause,
    Kind.RESUME: _resume,
    Kind.FINISH: _finish,
    Kind.CLEAR: _clear,
    Kind.WEAR: _wear,
    Kind.SKIN_CHECKED: _skin,
    Kind.PAIN: _pain,
    Kind.NOTE: _note,
    Kind.CLOSE: _close,
}
"""What each order does."""
