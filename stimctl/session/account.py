"""The dose in numbers, for the last row of a record: prescribed, commanded, delivered, and who set it off.

The review says the same in words, for people; these are for whoever reads many records.
"""

from __future__ import annotations

from stimctl.engine import Engine
from stimctl.schedule import Schedule
from stimctl.session.dose import voluntary_percent


def account(engine: Engine, measured_uc: int | None) -> dict[str, object]:
    """Times in µs, charge per phase in µC summed over outputs; ``measured_uc`` is the board's own, if it measures any.

    ``commanded`` has the trial and the search for thresholds in it, as skin has; bursts and flow are the treatment's alone.
    """
    schedule, counts = engine.schedule, engine.counts()
    given = (
        {"flow_us": min(engine.flowed_us, schedule.flow_us)} if schedule.continuous else {"bursts": counts.delivered}
    )
    found: dict[str, object] = {
        "prescribed": _prescribed(schedule),
        "commanded": {"on_us": counts.on_time_us, "charge_uc": counts.charge_uc},
        "delivered": {**given, "charge_uc": measured_uc},
    }
    if waited := counts.phases_met + counts.phases_missed + counts.phases_skipped:
        found["phases"] = {
            "waited": waited,
            "met": counts.phases_met,
            "missed": counts.phases_missed,
            "skipped": counts.phases_skipped,
        }
    if schedule.trigger is not None:
        found["attempts"] = {
            "triggered": counts.triggered,
            "missed": counts.missed,
            "assisted": counts.assisted,
            "voluntary_percent": None if schedule.trigger.robot else voluntary_percent(counts),
        }
    return found


def _prescribed(schedule: Schedule) -> dict[str, int]:
    """What the file asks for: a time that flows, or bursts and how long one lasts at most."""
    if schedule.continuous or schedule.movement is None:
        return {"flow_us": schedule.flow_us}
    return {"repetitions": schedule.repetitions, "sets": schedule.sets, "burst_us": schedule.movement.on_us}
