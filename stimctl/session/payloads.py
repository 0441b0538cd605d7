"""Events as the record tells them: plain JSON values."""

from __future__ import annotations

from stimctl.engine import Engine, Event
from stimctl.errors import Refusal
from stimctl.schedule import Schedule


def named(schedule: Schedule, channel: int | None) -> dict[str, object]:
    """A channel as people know it: its name, and its output as printed on the board, from 1; nothing for all of them."""
    if channel is None:
        return {}
    name = next((plan.name for plan in schedule.channels if plan.channel == channel), "")
    return {"channel": name, "output": channel + 1}


def refusal_payload(refusal: Refusal, schedule: Schedule) -> dict[str, object]:
    """A refusal as JSON values."""
    return {
        "rule": str(refusal.rule),
        "value": str(refusal.value),
        "bound": str(refusal.bound),
        "unit": refusal.unit,
        "bound_from": refusal.bound_from,
        **named(schedule, refusal.channel),
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
