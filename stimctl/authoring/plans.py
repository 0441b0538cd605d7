"""What a plan comes to: its blocks one by one, the dose of all of them together, and its week; in numbers and in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

from stimctl.authoring import facts
from stimctl.authoring.picture import Band, Picture
from stimctl.protocols import Plan
from stimctl.protocols.plan_totals import SiteLoad, block_us, length_us, sites
from stimctl.schedule import Schedule
from stimctl.schedule.guided import GuidePlan
from stimctl.units import microseconds, seconds_text

if TYPE_CHECKING:
    from stimctl.authoring.drafts import Draft

_NUMB: Final = (
    "block {number} stretches right after TENS: what is numb does not say when a stretch is too much; stretch first, or"
    " put other work between"
)


@final
class PlanDraft(NamedTuple):
    """A plan with the draft of each block, ``None`` for a rest."""

    plan: Plan
    blocks: tuple[Draft | None, ...]


@final
class BlockFacts(NamedTuple):
    """One block; times in s, the longest. A rest has neither file nor kind."""

    number: int
    file: str
    kind: str
    title: str
    length_s: float
    on_s: float = 0.0
    repetitions: int = 0
    charge_mc: float = 0.0


@final
class PlanFacts(NamedTuple):
    """The whole plan."""

    title: str
    length_s: float
    longest_s: float
    blocks: tuple[BlockFacts, ...]
    sites: tuple[SiteLoad, ...]

    @property
    def on_s(self) -> float:
        """Time in s in which anything is on."""
        return sum(each.on_s for each in self.blocks)

    @property
    def repetitions(self) -> int:
        """Repetitions of all blocks, attempts and movements alike; TENS has none."""
        return sum(each.repetitions for each in self.blocks)

    @property
    def charge_mc(self) -> float:
        """Charge per phase at the most that the operators may raise to, in mC, of all channels together."""
        return sum(each.charge_mc for each in self.blocks)


def plan_facts(draft: PlanDraft) -> PlanFacts:
    """Work out what a plan comes to."""
    plan, blocks = draft
    protocols = [None if each is None else each.loaded.protocol for each in blocks]
    rows = tuple(_block(number, plan, block) for number, block in enumerate(blocks, 1))
    return PlanFacts(plan.title, length_us(plan, protocols) / 1e6, plan.dose.longest_min * 60.0, rows, sites(protocols))


def _block(number: int, plan: Plan, block: Draft | None) -> BlockFacts:
    if block is None:
        rest = plan.blocks[number - 1]
        return BlockFacts(number, "", "", rest.say or "Rest", float(rest.rest_s or 0))
    loaded, what = block.loaded, block.plan
    length_s = block_us(loaded.protocol) / 1e6
    head = (number, plan.blocks[number - 1].file or "", loaded.protocol.kind, loaded.protocol.title, length_s)
    if isinstance(what, Schedule):
        found = facts.facts(what)
        times = what.repetitions * what.sets if what.movement is not None and not what.continuous else 0
        return BlockFacts(*head, found.on_s, times, found.charge_mc)
    assert isinstance(what, GuidePlan)
    return BlockFacts(*head, repetitions=what.repetitions * what.sets)


# --- in words ---------------------------------------------------------------------------------------------------


def lines(draft: PlanDraft, found: PlanFacts) -> tuple[str, ...]:
    """What ``check`` prints below a good plan, and what a session of it begins with."""
    return (draft.plan.purpose.strip(), *_lines(draft.plan, found))


def _lines(plan: Plan, found: PlanFacts) -> Iterator[str]:
    rests = sum(not each.file for each in found.blocks)
    beside = f" and {rests} rest{'s' * (rests > 1)}" if rests else ""
    yield (
        f"Prescribed: {len(found.blocks) - rests} blocks{beside}, at most {_time(found.length_s)} of"
        f" {_time(found.longest_s)}; preparing each block is not counted"
    )
    yield from map(_block_line, found.blocks)
    yield (
        f"In all, at most: {found.repetitions} repetitions, {_time(found.on_s)} on, {found.charge_mc:.0f} mC per phase"
        if found.sites
        else f"In all: {found.repetitions} repetitions; nothing is stimulated"
    )
    yield from map(_site_line, found.sites)
    if plan.week is not None:
        week = plan.week
        yield (
            f"Week: {week.sessions_per_day} session{'s' * (week.sessions_per_day > 1)} a day on {week.days_per_week}"
            f" day{'s' * (week.days_per_week > 1)}, at least {week.min_rest_h:g} h from one's end to the next one's beginning"
        )


def _block_line(each: BlockFacts) -> str:
    if not each.file:
        return f"{each.number}. Rest of {_time(each.length_s)}{'' if each.title == 'Rest' else f': {each.title}'}"
    words = [f"at most {_time(each.length_s)}"]
    if each.repetitions:
        words.append(f"{each.repetitions} repetition{'s' * (each.repetitions > 1)}")
    if each.on_s:
        words.append(f"{_time(each.on_s)} on, at most {each.charge_mc:.0f} mC per phase")
    return f"{each.number}. {each.title} ({each.kind}, {each.file}): {', '.join(words)}"


def _site_line(load: SiteLoad) -> str:
    where = ", ".join(str(index + 1) for index in load.blocks)
    return (
        f"{load.site}, block{'s' * (len(load.blocks) > 1)} {where}: {_time(load.treated_us / 1e6)} of treatment;"
        f" {_time(load.counted_us / 1e6)} with thresholds and trials, {100 * load.counted_us / load.limit_us:.0f} % of"
        f" {_time(load.limit_us / 1e6)} in 24 hours"
    )


def _time(seconds: float) -> str:
    return seconds_text(round(seconds * 1e6))


def warnings(draft: PlanDraft) -> Iterator[str]:
    """What a person should look at in the order of the blocks."""
    before = ""
    for number, block in enumerate(draft.blocks, 1):
        protocol = None if block is None else block.loaded.protocol
        if protocol is not None:
            work = getattr(protocol, "activity", None)
            if work is not None and work.technique == "stretching" and before.startswith("tens-"):
                yield _NUMB.format(number=number)
            before = protocol.kind


def as_json(found: PlanFacts) -> dict[str, Any]:
    """The same for a program."""
    blocks = [each._asdict() for each in found.blocks]
    totals = {"on_s": found.on_s, "repetitions": found.repetitions, "charge_mc": round(found.charge_mc, 3)}
    where = [each._asdict() for each in found.sites]
    return {**found._asdict(), **totals, "kind": "plan", "blocks": blocks, "sites": where}


# --- as a picture ------------------------------------------------------------------------------------------------


def picture(draft: PlanDraft) -> Picture:
    """The sitting as one line of time: each block at its longest."""
    found = plan_facts(draft)
    bands, now_us = [], 0
    for each in found.blocks:
        end_us = now_us + microseconds(each.length_s)
        name = f"block {each.number}" if each.file else "rest"
        bands.append(Band(name, now_us, end_us, active=bool(each.file), note=each.title))
        now_us = end_us
    return Picture(draft.plan.title, "plan", tuple(_lines(draft.plan, found)), now_us, tuple(bands), ())
