"""What the blocks of a plan must be to each other, and to the limits that hold for all of them together.

Rules over the plan alone run when its tables are read; those over the blocks' own files once these were opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

from stimctl.protocols import bounds, plan_totals
from stimctl.protocols.findings import Finding, shown
from stimctl.protocols.models import AnyProtocol
from stimctl.protocols.plan import Plan
from stimctl.units import MINUTE

PlanRule: TypeAlias = Callable[[Plan], Iterator[Finding]]
Blocks: TypeAlias = Sequence[AnyProtocol | None]
"""The protocol of each block, in order; ``None`` for a rest, and for one that could not be opened."""

HOUR: Final = 60 * MINUTE
DAY_H: Final = 16
"""Hours of a day in which sessions can lie (project: waking hours)."""

_STAGES: Final = (1, 2, 3)


def blocks_are_one_thing(plan: Plan) -> Iterator[Finding]:
    """A block is a file or a rest."""
    for index, block in enumerate(plan.blocks):
        if block.file is None and block.rest_s is None:
            yield Finding(("block", index), "is empty: state file or rest_s")
        if block.file is not None and block.rest_s is not None:
            yield Finding(("block", index, "rest_s"), "state file or rest_s, not both", at_key=True)
        if block.say is not None and block.rest_s is None:
            yield Finding(("block", index, "say"), "has no meaning here: only a rest says something", at_key=True)


def rests_lie_between(plan: Plan) -> Iterator[Finding]:
    """A rest has work before and after it."""
    rests = [block.rest_s is not None and block.file is None for block in plan.blocks]
    if all(rests):
        yield Finding(("block",), "has only rests: name a file in one")
        return
    for index, rest in enumerate(rests):
        if rest and index in (0, len(rests) - 1):
            where = "begins" if index == 0 else "ends"
            yield Finding(("block", index, "rest_s"), f"nothing is rested from where the plan {where}")
        elif rest and rests[index - 1]:
            yield Finding(("block", index, "rest_s"), "follows a rest: make it one")


def week_is_possible(plan: Plan) -> Iterator[Finding]:
    """The sessions of a week, with the rests between them, fit into its days."""
    week, length_h = plan.week, plan.dose.longest_min / 60
    if week is None:
        return
    one_day = week.sessions_per_day * length_h + (week.sessions_per_day - 1) * week.min_rest_h
    if not one_day <= DAY_H:
        value, allowed = (
            f"{one_day:.3g} h",
            f"at most {DAY_H} h from the first session's beginning to the last one's end",
        )
        yield Finding(("week", "sessions_per_day"), "and the rests between them do not fit into a day", value, allowed)
    whole = week.sessions_per_day * week.days_per_week * (length_h + week.min_rest_h)
    if not whole <= 7 * 24:
        value, allowed = f"{whole:.3g} h", "at most 168 h for all sessions and rests of a week"
        yield Finding(("week", "min_rest_h"), "is too long for so many sessions in a week", value, allowed)


PLAN_RULES: Final[tuple[PlanRule, ...]] = (blocks_are_one_thing, rests_lie_between, week_is_possible)


# --- over the blocks' own files ----------------------------------------------------------------------------------


def block_findings(plan: Plan, blocks: Blocks) -> tuple[Finding, ...]:
    """What every rule over the opened blocks finds."""
    rules = (stages_suit, dose_is_kept, sites_are_within_limits)
    return tuple(finding for rule in rules for finding in rule(plan, blocks))


def stages_suit(plan: Plan, blocks: Blocks) -> Iterator[Finding]:
    """Every block is meant for every stage that the plan is meant for."""
    wanted = plan.stages or _STAGES
    for index, protocol in enumerate(blocks):
        if protocol is None or protocol.stages is None:
            continue
        missing = [stage for stage in wanted if stage not in protocol.stages]
        if missing:
            message = f"is not meant for stage {', '.join(map(str, missing))}, and the plan is"
            allowed = f"stages {', '.join(map(str, protocol.stages))}"
            yield Finding(("block", index, "file"), message, shown(plan.blocks[index].file), allowed)


def dose_is_kept(plan: Plan, blocks: Blocks) -> Iterator[Finding]:
    """All blocks and rests together take no longer than the plan allows."""
    length, longest = plan_totals.length_us(plan, blocks), plan.dose.longest_min * MINUTE
    if not length <= longest:
        message = "is less than the blocks and rests take together"
        value, allowed = f"{plan.dose.longest_min} min", f"at least {-(-length // MINUTE)} min, or shorter blocks"
        yield Finding(("dose", "longest_min"), message, value, allowed)


def sites_are_within_limits(plan: Plan, blocks: Blocks) -> Iterator[Finding]:
    """No site has more of a day's sessions than its limit: the limiter counts the last 24 hours together (H42)."""
    per_day = plan.week.sessions_per_day if plan.week is not None else 1
    for load in plan_totals.sites(blocks):
        value = f"{load.counted_us / MINUTE:.4g} min in a session"
        allowed, source = f"at most {load.limit_us / MINUTE:g} min in 24 hours", bounds.SOURCES["site_time_us"]
        where = ("block", load.blocks[-1], "file")
        if not load.counted_us <= load.limit_us:
            message = (
                f"makes the plan too long for {load.site}, with {PREPARING} of each block for thresholds and trial"
            )
            yield Finding(where, message, value, allowed, source)
        elif not per_day * load.counted_us <= load.limit_us:
            message = f"too often for {load.site}: one place bears so much in a day"
            yield Finding(("week", "sessions_per_day"), message, f"{per_day} x {value}", allowed, source)


PREPARING: Final = f"{plan_totals.BEFORE_TREATMENT_US // MINUTE} min"
