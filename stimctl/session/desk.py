"""The operator's desk: what each order does. Whether it is possible in this state was asked before."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from stimctl.driver import DriverState, Setup
from stimctl.engine import Event, State
from stimctl.errors import Refusal, UsageError
from stimctl.orders import Order
from stimctl.orders import OrderKind as Kind
from stimctl.schedule import ChannelPlan
from stimctl.session import following, listening
from stimctl.units import ma_text

if TYPE_CHECKING:
    from stimctl.session.core import Session


def _answer(session: Session, order: Order, now_us: int) -> None:
    question = session.preparation.screening.answer(order.name, order.value, order.text)
    payload = {"id": question.id, "text": question.text, "answer": question.answer, "reason": question.justification}
    session.diary.write("screening-answer", payload, now_us)


def _confirm_pads(session: Session, order: Order, now_us: int) -> None:
    plan = session.engine.schedule.by_name(order.name)
    session.preparation.pads.add(plan.channel)
    session.stage.driver.pads_confirmed(plan.channel)
    pads = [f"{pad.name}: {pad.model}" for pad in plan.pads]
    payload = {
        "channel": plan.name,
        "muscle": plan.muscle,
        "site": plan.site,
        "side": session.wishes.side,
        "pads": pads,
    }
    session.diary.write("pads-confirmed", payload, now_us, f"{plan.name}: pads confirmed")


def _next(session: Session, order: Order, now_us: int) -> None:  # noqa: ARG001 - every order has this shape
    ways = {State.SCREENING: _screened, State.PADS: _placed, State.TITRATING: _channel_found}
    ways.get(session.state, following.begin_measuring)(session, now_us)


def _screened(session: Session, now_us: int) -> None:
    screening = session.preparation.screening
    if screening.blockers:
        session.happen(Event.BLOCKED, now_us, because=list(screening.blockers))
        session.diary.say(f"No treatment today: {screening.blockers[0]}")
        return
    _refuse_open(screening.open_points)
    session.stage.prepare(session.engine.schedule, session.preparation.sensation, session.earlier_today_us(), now_us)
    session.preparation.screened = True
    session.skin.careful = session.preparation.screening.needs_care
    session.happen(Event.SCREENED, now_us)


def _placed(session: Session, now_us: int) -> None:
    _refuse_open(tuple(f"not confirmed: {name}" for name in session.preparation.pads_open))
    session.happen(Event.PLACED, now_us)


def _refuse_open(points: tuple[str, ...]) -> None:
    if points:
        more = f" (and {len(points) - 1} more)" if len(points) > 1 else ""
        raise UsageError(f"{points[0]}{more}")


def _channel_found(session: Session, now_us: int) -> None:
    plan = _selected(session)
    ceiling_ua = session.preparation.ceiling_ua(plan.channel)
    if ceiling_ua is None:
        found = session.preparation.thresholds[plan.channel]
        raise UsageError(f"{plan.name}: run {found.run} of 2 ends with the most tolerated level; mark it first")
    following = session.preparation.next_unfound()
    session.happen(Event.CHANNEL_FOUND if following else Event.ALL_FOUND, now_us, channel=plan.name)
    session.selected = (following or session.engine.schedule.channels[0]).channel


def _select(session: Session, order: Order, now_us: int) -> None:  # noqa: ARG001 - every order has this shape
    session.selected = session.engine.schedule.by_name(order.name).channel


def _plans(session: Session) -> tuple[ChannelPlan, ...]:
    return session.engine.schedule.channels


def _selected(session: Session) -> ChannelPlan:
    return next(plan for plan in _plans(session) if plan.channel == session.selected)


def _raise(session: Session, order: Order, now_us: int) -> None:  # noqa: ARG001 - every order has this shape
    plan = _selected(session)
    if session.state is State.TITRATING and session.preparation.ceiling_ua(plan.channel) is not None:
        raise UsageError(f"{plan.name}: the ceiling is found; go on, or start this channel anew")
    lane = session.engine.lanes[plan.channel]
    level_ua = session.stage.raised_ua(plan, lane.level_ua)
    if level_ua <= lane.level_ua:
        session.engine.dose.tally.ceiling_hits += 1
        session.diary.write("held-at-ceiling", {"channel": plan.name, "level_ua": lane.level_ua}, now_us)
        raise UsageError(f"{plan.name} is at its ceiling of {ma_text(lane.level_ua)} mA")
    session.stage.limiter.raise_level(plan.channel, plan.train(level_ua), now_us)
    session.engine.set_level(plan.channel, level_ua, now_us)
    session.diary.write("level", {"channel": plan.name, "level_ua": level_ua}, now_us)


def _lower(session: Session, order: Order, now_us: int) -> None:  # noqa: ARG001 - every order has this shape
    plan = _selected(session)
    _lower_to(session, plan, session.stage.lowered_ua(plan, session.engine.lanes[plan.channel].level_ua), now_us)


def _zero(session: Session, order: Order, now_us: int) -> None:  # noqa: ARG001 - every order has this shape
    _lower_to(session, _selected(session), 0, now_us)


def _lower_to(session: Session, plan: ChannelPlan, level_ua: int, now_us: int) -> None:
    session.engine.set_level(plan.channel, level_ua, now_us)
    if level_ua == 0:
        session.measured.forget(plan)
    session.stage.limiter.lower_level(plan.channel, plan.train(level_ua), now_us)
    session.diary.write("level", {"channel": plan.name, "level_ua": level_ua}, now_us)


def _mark(session: Session, order: Order, now_us: int) -> None:
    plan = _selected(session)
    lane = session.engine.lanes[plan.channel]
    level_ua = lane.level_ua
    if min(lane.given_ua, session.measured.given_ua(plan)) < level_ua:
        raise UsageError(f"{ma_text(level_ua)} mA has not been given yet; wait until {_stands(session)}, then mark it")
    found = session.preparation.thresholds[plan.channel]
    run = found.run
    ends_run = found.put(order.value, level_ua)
    payload = {"channel": plan.name, "mark": order.value, "run": run, "level_ua": level_ua}
    session.diary.write("threshold", payload, now_us, f"{plan.name}, run {run}: {order.value} {ma_text(level_ua)} mA")
    if found.complete:
        _keep_ceiling(session, plan, now_us)
    if ends_run:
        _lower_to(session, plan, 0, now_us)
    if found.complete:
        session.deliver(now_us)  # down first: the row may wait for its disk
        _record_ceiling(session, plan, now_us)


def _stands(session: Session) -> str:
    """When a level that is being looked for has been felt."""
    return "it has stood for a moment" if session.engine.schedule.continuous else "the next test burst"


def _keep_ceiling(session: Session, plan: ChannelPlan, now_us: int) -> None:
    """The lower of two runs is the ceiling; if the limiter does not believe it, both runs are void."""
    found = session.preparation.thresholds[plan.channel]
    try:
        session.stage.limiter.set_ceiling(plan.channel, plan.train(found.ceiling_ua), now_us)
    except Refusal:
        session.preparation.begin_thresholds(plan)
        raise


def _record_ceiling(session: Session, plan: ChannelPlan, now_us: int) -> None:
    found = session.preparation.thresholds[plan.channel]
    payload = {"channel": plan.name, "ceiling_ua": found.ceiling_ua, "runs": [dict(each) for each in found.runs]}
    text = f"{plan.name}: ceiling {ma_text(found.ceiling_ua)} mA, the lower of two runs"
    session.diary.write("ceiling-found", payload, now_us, text)


# --- arming ------------------------------------------------------------------------------------------------------


def _start(session: Session, order: Order, now_us: int) -> None:  # noqa: ARG001 - every order has this shape
    driver = session.stage.driver
    if driver.state not in (DriverState.DISARMED, DriverState.STOPPED) or not session.stage.at_rest:
        raise UsageError("the board has not confirmed zero yet; wait for it, or stop and clear")
    if session.latch.tripped:
        raise UsageError("a stop is in force; clear it first")
    if session.skin.overdue:
        raise UsageError("look at the skin first: this patient may not feel a burn; K records that it looks well")
    _refuse_open((*session.preparation.screening.blockers, *session.preparation.screening.open_points))
    if session.glove is not None:
        session.glove.require_ready()
    session.void_what_is_old(now_us)
    if session.following is not None and session.state is not State.THRESHOLDS:
        session.following.require_range()
    if session.state is State.THRESHOLDS:
        plan = _selected(session)
        session.preparation.begin_thresholds(plan)
        session.stage.limiter.forget_ceiling(plan.channel)
        # A board locks an output whose ceiling is zero: while one channel is titrated, the others cannot deliver.
        ceilings = {plan.channel: session.stage.highest_ua(plan)}
        event = Event.TITRATE
    else:
        ceilings = {each.channel: session.preparation.ceiling_ua(each.channel) or 0 for each in _plans(session)}
        event = Event.RESUME if session.state is State.PAUSED else Event.START
        if event is Event.START:
            listening.end_trying(session, now_us)
    session.stage.arm(tuple(_setup(each, ceilings.get(each.channel, 0)) for each in _plans(session)), now_us)
    session.intend(event, session.selected, now_us)


def _setup(plan: ChannelPlan, ceiling_ua: int) -> Setup:
    shape = plan.shape
    return Setup(
        plan.channel,
        ceiling_ua,
        shape.phase_width_us,
        shape.interphase_gap_us,
        shape.recovery_width_us,
        shape.rate_mhz,
        shape.pulses_per_period,
    )


def _begin(session: Session, order: Order, now_us: int) -> None:  # noqa: ARG001 - every order has this shape
    if not any(lane.level_ua for lane in session.engine.lanes.values()):
        raise UsageError("every channel is at zero; raise to the working level first")
    for plan in _plans(session):
        session.stage.require_flow(plan, session.engine.lanes[plan.channel].level_ua)
    if session.hearing is not None:
        session.hearing.start(now_us)  # first: nobody is asked to try where nothing can be heard
    session.happen(Event.BEGIN, now_us)


def _pause(session: Session, order: Order, now_us: int) -> None:  # noqa: ARG001 - every order has this shape
    session.happen(Event.PAUSE, now_us)


def _switch(session: Session, order: Order, now_us: int) -> None:  # noqa: ARG001 - every order has this shape
    """The patient's or a helper's switch; the engine hears of it in the next pass, which comes at once."""
    if session.glove is not None or not session.engine.takes_key(now_us):
        raise UsageError("the switch has nothing to do now")
    session.switched = True
    session.diary.write("switch", {"phase": session.engine.progress(now_us).phase}, now_us)


def _finish(session: Session, order: Order, now_us: int) -> None:  # noqa: ARG001 - every order has this shape
    session.happen(Event.FINISH, now_us)


def _clear(session: Session, order: Order, now_us: int) -> None:  # noqa: ARG001 - every order has this shape
    if session.stage.driver.state is DriverState.LOST:
        if session.case is not None:
            session.connection.look_again(session.case, now_us)
        raise UsageError("looking for the board again; clear once more when it has answered")
    if not session.stage.at_rest:
        raise UsageError("the board has not confirmed zero; use the stop switch, check the board, then clear")
    session.void_what_is_old(now_us)
    session.latch.clear()
    session.alarm, session.stop_reason = ("", ""), ""
    session.happen(session.preparation.where_clearing_leads(), now_us)


# --- the patient -------------------------------------------------------------------------------------------------


def _present(session: Session, order: Order, now_us: int) -> None:  # noqa: ARG001 - any order answers the prompt
    session.diary.write("present", {}, now_us)


def _skin(session: Session, order: Order, now_us: int) -> None:
    if order.value not in ("ok", "event"):
        raise UsageError(f"the skin is ok or there is an event, not {order.value!r}")
    session.skin.looked()
    session.diary.write("skin-checked", {"skin": order.value, "text": order.text}, now_us, f"Skin: {order.value}")


def _pain(session: Session, order: Order, now_us: int) -> None:
    if order.value not in tuple(map(str, range(11))):
        raise UsageError(f"pain is a whole number from 0 to 10, not {order.value!r}")
    session.diary.write("pain", {"nrs": int(order.value)}, now_us, f"Pain: {order.value} of 10")


def _note(session: Session, order: Order, now_us: int) -> None:
    session.diary.write("note", {"text": order.text[:2000], "from": "operator"}, now_us)


ORDERS: Final[dict[Kind, Callable[[Session, Order, int], None]]] = {
    Kind.ANSWER: _answer,
    Kind.CONFIRM_PADS: _confirm_pads,
    Kind.NEXT: _next,
    Kind.SELECT: _select,
    Kind.RAISE: _raise,
    Kind.LOWER: _lower,
    Kind.ZERO: _zero,
    Kind.MARK: _mark,
    Kind.START: _start,
    Kind.BEGIN: _begin,
    Kind.PAUSE: _pause,
    Kind.RESUME: _start,
    Kind.FINISH: _finish,
    Kind.KEY: _switch,
    Kind.CLEAR: _clear,
    Kind.PRESENT: _present,
    Kind.SKIN_CHECKED: _skin,
    Kind.NOTE: _note,
    Kind.PAIN: _pain,
}
"""What each order does; opening and closing are the session's own."""
