"""Whether a board can be told all that a schedule may ever ask of it, and what to know of it then: asked before anything is armed."""

from __future__ import annotations

from collections.abc import Iterator

from stimctl.driver import BoardDriver, Cautious
from stimctl.pulse import PulseTrain
from stimctl.schedule import ChannelPlan, Schedule


def misfit(schedule: Schedule, driver: BoardDriver) -> str:
    """Why it cannot, in plain words, or "": all outputs at their strongest, and each weaker pulse of the course."""
    weaker = list(_weaker(schedule))
    if why := _rates(schedule, weaker, driver):
        return why
    if why := driver.misfit([(plan.channel, plan.train(plan.max_ua)) for plan in schedule.channels]):
        return why
    for plan, pulses in weaker:
        if why := driver.misfit([(plan.channel, pulses.at(plan.max_ua))]):
            return why
    return ""


def cautions(schedule: Schedule, driver: BoardDriver) -> tuple[str, ...]:
    """What nobody should find out later of the board, where it gives this schedule."""
    if isinstance(driver, Cautious):
        return driver.cautions(plan.shape for plan in schedule.channels)  # every number of a shape is at its highest
    return driver.facts.cautions if driver.facts is not None else ()


def _weaker(schedule: Schedule) -> Iterator[tuple[ChannelPlan, PulseTrain]]:
    """Every pulse that a phase gives beside each channel's own."""
    for phase in schedule.movement.phases if schedule.movement is not None else ():
        for plan in schedule.channels:
            goal = phase.goals.get(plan.channel, phase.others)
            for pulses in (*([] if goal.pulses is None else [goal.pulses]), *goal.stair):
                yield plan, pulses


def _rates(schedule: Schedule, weaker: list[tuple[ChannelPlan, PulseTrain]], driver: BoardDriver) -> str:
    """A rate that changes, or is another at another output, where the board has one for as long as it is armed."""
    rates = {pulses.rate_mhz for _, pulses in weaker} | {plan.shape.rate_mhz for plan in schedule.channels}
    if driver.facts is None or not driver.facts.keeps_rate or len(rates) < 2:
        return ""
    least, most = min(rates) / 1_000, max(rates) / 1_000
    return (
        f"it has one rate for all outputs, from being armed to the end, and here rates go from {least:g} to {most:g} Hz;"
        " use one rate, or another board"
    )
