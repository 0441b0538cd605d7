"""What was prescribed, commanded and delivered: the lines that a review shows and a record keeps."""

from __future__ import annotations

from typing import Final

from stimctl.engine import Engine
from stimctl.engine.lanes import Lane
from stimctl.limits import Effect
from stimctl.orders import Counts
from stimctl.schedule import Advance, Schedule
from stimctl.session.titration import Thresholds
from stimctl.units import ma_text, seconds_text

_HOW: Final = {
    Advance.TIME: " by the clock",
    Advance.ATTEMPT: " set off by the patient's own attempts",
    Advance.KEY: " set off by the switch",
}

_BY_GLOVE: Final = " set off by the robot glove's opening"


def voluntary_percent(counts: Counts) -> int | None:
    """Share of attempts that the patient's own effort set off (D.2): triggered / (triggered + missed + assisted)."""
    attempts = counts.triggered + counts.missed + counts.assisted
    return 100 * counts.triggered // attempts if attempts else None


def review_lines(engine: Engine, thresholds: dict[int, Thresholds], measured_uc: int | None) -> tuple[str, ...]:
    """The session in a few plain lines."""
    schedule, counts = engine.schedule, engine.counts()
    lines = [prescribed_line(schedule)]
    lines.append(delivered_line(engine))
    if schedule.trigger and schedule.trigger.robot:
        lines.append(
            f"Set off by the robot glove: {counts.triggered}; windows in which it did not open: {counts.missed};"
            " a glove's turn is nobody's effort"
        )
    elif schedule.trigger:
        lines.append(
            f"Attempts: {counts.triggered} triggered, {counts.missed} missed, {counts.assisted} assisted"
            f"{_voluntary_text(counts)}"
        )
    if script_us := engine.dose.tally.script_us:
        lines.append(f"Script before the attempts, logged apart from practice: {seconds_text(script_us)}")
    if phases := counts.phases_met + counts.phases_missed + counts.phases_skipped:
        lines.append(
            f"Phases that waited for something or were cut short: {phases}; {counts.phases_met} met,"
            f" {counts.phases_missed} missed, {counts.phases_skipped} skipped towards the release"
        )
    lines.append(f"Stimulation on for {seconds_text(counts.on_time_us)}, trial and thresholds included")
    lines.append(f"Charge per phase, summed: {counts.charge_uc / 1000:.1f} mC commanded")
    if measured_uc is not None:
        lines[-1] += f", {measured_uc / 1000:.1f} mC by the board's own measurement"
    lines += [_ceiling_line(plan.name, thresholds.get(plan.channel)) for plan in schedule.channels]
    for plan in schedule.channels:
        lane, found = engine.lanes[plan.channel], thresholds.get(plan.channel)
        lines += filter(None, (_too_low(lane, found), _too_high(lane, found, schedule.aim)))
    lines.append(f"Stops: {counts.stops}; raises held at a ceiling: {counts.ceiling_hits}")
    return tuple(lines)


def delivered_line(engine: Engine) -> str:
    """How much of what the protocol asks for was given; a flow's time never reads as more than was asked for."""
    schedule = engine.schedule
    if not schedule.continuous:
        what = "movements" if schedule.kind == "fes-sequence" else "bursts"
        return f"Delivered {engine.counts().delivered} of {schedule.repetitions * schedule.sets} {what}"
    given_us = min(engine.flowed_us, schedule.flow_us)
    percent = 100 * given_us // schedule.flow_us
    return f"Delivered {seconds_text(given_us)} of {seconds_text(schedule.flow_us)} ({percent} %)"


def prescribed_line(schedule: Schedule) -> str:
    """What the protocol asks for, in one line."""
    if schedule.continuous or schedule.movement is None:
        return f"Prescribed: {seconds_text(schedule.flow_us)} of continuous stimulation"
    sets = f"{schedule.sets} sets of " if schedule.sets > 1 else ""
    heard = _HOW[schedule.trigger.by if schedule.trigger else Advance.TIME]
    if schedule.trigger is not None and schedule.trigger.robot:
        heard = _BY_GLOVE
    if schedule.control is not None:
        leads = (
            "hard as the muscle itself tries" if schedule.control.source == "own-emg" else "far as the sound hand leads"
        )
        heard = f" on a cue, as {leads}"
    on, rest = seconds_text(schedule.movement.on_us), seconds_text(schedule.movement.rest_us)
    what = f"bursts of {on}"
    if schedule.movement.release is not None and schedule.kind != "fes-sequence":
        what = f"bursts of {on} at most"
    elif schedule.movement.release is not None:
        what = f"movements of {on} at most ({', '.join(phase.name for phase in schedule.movement.phases)})"
    return f"Prescribed: {sets}{schedule.repetitions} {what}, rest {rest},{heard}"


def _voluntary_text(counts: Counts) -> str:
    percent = voluntary_percent(counts)
    return "" if percent is None else f" ({percent} % voluntary)"


def _ceiling_line(name: str, found: Thresholds | None) -> str:
    if found is None or not found.complete:
        return f"{name}: no ceiling found"
    marks = ", ".join(
        f"{mark} {ma_text(value)} mA" for mark in ("sensory", "motor") if (value := found.lowest(mark)) is not None
    )
    return f"{name}: {marks}{', ' if marks else ''}ceiling {ma_text(found.ceiling_ua)} mA"


_FELT_ALONE: Final = "any contraction"
"""How the aim of a mode ends that is to be felt and to move nothing."""


def _too_high(lane: Lane, found: Thresholds | None, aim: str) -> str:
    """A hint where what was meant to be felt alone was above what first made the muscle twitch."""
    motor_ua = found.lowest("motor") if found else None
    if not aim.endswith(_FELT_ALONE) or motor_ua is None or not lane.worked_ua >= motor_ua:
        return ""
    return (
        f"{lane.plan.name}: worked at up to {ma_text(lane.worked_ua)} mA, and its first twitch was at {ma_text(motor_ua)} mA:"
        " this mode is meant to be felt without a contraction"
    )


def _too_low(lane: Lane, found: Thresholds | None) -> str:
    """A hint where the treatment stayed below what first made the muscle twitch: nothing can have moved."""
    motor_ua = found.lowest("motor") if found else None
    if lane.plan.effect is not Effect.MOTOR or motor_ua is None or not 0 < lane.worked_ua < motor_ua:
        return ""
    return (
        f"{lane.plan.name}: worked at {ma_text(lane.worked_ua)} mA at most, below its first twitch at"
        f" {ma_text(motor_ua)} mA: the muscle was felt and not moved"
    )
