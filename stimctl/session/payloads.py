"""Events as the record tells them: plain JSON values."""

from __future__ import annotations

from stimctl.engine import Engine, Event
from stimctl.errors import Refusal


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
