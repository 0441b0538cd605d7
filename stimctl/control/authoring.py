"""What an author of protocol files needs: a check that ends in a dry flight, a tidy layout, the library, templates.

A check is two judges, one after the other: the file's model, which knows the line of every mistake, and the limiter,
which flies the whole schedule at its maximum and is the authority. Nothing here opens a port.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Final, TypeAlias, final

from stimctl import protocols
from stimctl.authoring import drafts, facts, plans, remarks
from stimctl.authoring.plans import PlanDraft, PlanFacts
from stimctl.authoring.remarks import Remark
from stimctl.control.files import STDIN, loaded, tidied
from stimctl.errors import Fault, ProtocolError, Refusal, UsageError
from stimctl.protocols import (
    KINDS,
    Loaded,
    library_text,
    schema,
    stimulating,
    template,
)
from stimctl.protocols.checks import nearest
from stimctl.schedule import Advance, Schedule
from stimctl.schedule.guided import GuidePlan
from stimctl.session.guide_wording import plan_lines, plan_warnings
from stimctl.session.rehearsal import Rehearsal, rehearse
from stimctl.units import seconds_text

__all__ = [
    "Entry",
    "Report",
    "check",
    "check_one",
    "checks",
    "chosen",
    "figures",
    "library",
    "library_text",
    "schema",
    "template",
    "tidied",
]

WORTH_SHARING: Final = 16
"""From so many files on, to start helpers costs less than they save."""

Flights: TypeAlias = dict[str, tuple[Rehearsal, facts.Facts]]
"""What was flown and worked out in this run, by all that a schedule says but its words."""


@final
@dataclass(frozen=True, slots=True)
class Entry:
    """A shipped protocol in a list: its name, kind and title, what it is for in a sentence, and for which stages.

    ``words`` is all that a search looks through, in small letters.
    """

    name: str
    kind: str
    title: str
    summary: str
    stages: tuple[int, ...] = ()
    words: str = ""

    @property
    def stages_text(self) -> str:
        """``1-2`` for stages that follow each other, ``any`` where the file names none."""
        if not self.stages:
            return "any"
        first, last = min(self.stages), max(self.stages)
        whole = len(self.stages) == last - first + 1
        return f"{first}-{last}" if whole and last > first else ",".join(map(str, sorted(self.stages)))


def library() -> tuple[Entry, ...]:
    """Every shipped protocol, by name."""
    return tuple(_entry(shipped) for shipped in protocols.library())


def chosen(*, kind: str | None = None, stage: int | None = None, words: str = "") -> tuple[Entry, ...]:
    """The shipped protocols of a kind, for a stage (those for any stage, too), with every one of some words.

    Raises :class:`UsageError` for a kind that does not exist.
    """
    if kind is not None and kind not in KINDS:
        raise UsageError(f"no kind of protocol is called `{kind}`{nearest(kind, KINDS)}; there are {', '.join(KINDS)}")
    wanted = words.lower().split()
    return tuple(
        each
        for each in library()
        if (kind is None or each.kind == kind)
        and (stage is None or not each.stages or stage in each.stages)
        and all(word in each.words for word in wanted)
    )


def _entry(shipped: protocols.Entry) -> Entry:
    protocol = protocols.loads(library_text(shipped.name), shipped.name)
    muscles = [channel.muscle for channel in getattr(protocol, "channels", ())]
    words = " ".join((shipped.name, shipped.title, protocol.purpose, *muscles)).lower()
    summary = protocol.purpose.partition(". ")[0].rstrip(".") + "."
    return Entry(shipped.name, shipped.kind, shipped.title, summary, protocol.stages or (), words)


@final
@dataclass(frozen=True, slots=True)
class Report:
    """What a check of one file found. ``ok`` means that nothing forbids a session with it on a board without bounds
    of its own; warnings ask for an operator's attention.
    """

    name: str
    ok: bool
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Remark, ...] = ()
    summary: tuple[str, ...] = ()
    figures: facts.Facts | PlanFacts | None = None


def figures(report: Report) -> dict[str, Any] | None:
    """The numbers of a good file for a program; ``None`` for a file with faults."""
    if isinstance(report.figures, PlanFacts):
        return plans.as_json(report.figures)
    return None if report.figures is None else facts.as_json(report.figures)


def check(names: Sequence[str], stdin: IO[bytes]) -> tuple[Report, ...]:
    """Check each file, in order; ``-`` reads ``stdin``. A file that cannot be read is a fault like any other."""
    flights: Flights = {}
    return tuple(check_one(name, stdin, flights) for name in names)


def checks(names: Sequence[str], stdin: IO[bytes]) -> Iterator[Report]:
    """The same, each report as soon as it is there. What was flown once is not flown again, whatever its title.

    Many files are shared out over the processor's cores.
    """
    if len(names) >= WORTH_SHARING and STDIN not in names:
        from stimctl.control import sharing

        return sharing.shared_out(names)
    flights: Flights = {}
    return (check_one(name, stdin, flights) for name in names)


def check_one(name: str, stdin: IO[bytes], flights: Flights) -> Report:
    """Check one file; what is in ``flights`` is not flown again."""
    try:
        return _fly(loaded(name, stdin), flights)
    except ProtocolError as error:
        own = "<stdin>" if name == STDIN else str(Path(name))
        return Report(name, ok=False, faults=error.faults, warnings=tuple(_doubted(each, own) for each in error.doubts))


def _doubted(doubt: Fault, own: str) -> Remark:
    """A doubt about a file with faults; one of a plan's block stands in another file, and says in which."""
    if doubt.file == own:
        return Remark(doubt.message, doubt.line, doubt.column)
    return Remark(f"{doubt.file}:{doubt.line}: {doubt.message}")


def _fly(one: Loaded, flights: Flights) -> Report:
    """The dry flight; what the limiter refuses is a fault of the file. Guided work has nothing that could fly."""
    plan: Schedule | GuidePlan | PlanDraft | None = None
    try:
        plan = drafts.draft(one).plan
        if isinstance(plan, PlanDraft):
            return _planned(one, plan, flights)
        if not isinstance(plan, Schedule):
            return _walked(one.name, plan)
        rehearsal, found = _flown(plan, flights)
    except Refusal as refusal:
        told = remarks.remarks((), plan, one.text) if isinstance(plan, Schedule) else ()
        return Report(one.name, ok=False, faults=(_refused(one, refusal),), warnings=told)
    except UsageError as error:
        return Report(one.name, ok=False, faults=(Fault(one.name, 1, 1, "protocol", str(error)),))
    lines = (*facts.lines(plan, found), _flight_line(plan, rehearsal))
    warnings = remarks.remarks(rehearsal.warnings, plan, one.text)
    return Report(one.name, ok=True, warnings=warnings, summary=lines, figures=found)


def _planned(one: Loaded, plan: PlanDraft, flights: Flights) -> Report:
    """A plan: every block as a file of its own, and what they come to together. A block's fault is the plan's."""
    reports = [(number, _fly(block, flights)) for number, block in enumerate(one.blocks, 1) if block is not None]
    faults = tuple(dict.fromkeys(fault for _, report in reports for fault in report.faults))
    told = [f"block {number}, {report.name}: {each.message}" for number, report in reports for each in report.warnings]
    warnings = (*map(Remark, plans.warnings(plan)), *map(Remark, told))
    if faults:
        return Report(one.name, ok=False, faults=faults, warnings=warnings)
    found = plans.plan_facts(plan)
    return Report(one.name, ok=True, warnings=warnings, summary=plans.lines(plan, found), figures=found)


def _walked(name: str, plan: GuidePlan) -> Report:
    """A file without output: what it asks for and says, and what is not there yet."""
    warnings = tuple(map(Remark, plan_warnings(plan)))
    return Report(name, ok=True, warnings=warnings, summary=plan_lines(plan))


def _flown(schedule: Schedule, flights: Flights) -> tuple[Rehearsal, facts.Facts]:
    """The dry flight of a schedule and what it comes to; one that differs only in its words has the same."""
    same = repr(replace(schedule, title="", purpose="", rounded=(), antagonists_together=""))
    if same not in flights:
        flights[same] = rehearse(schedule, whole=False), facts.facts(schedule)
    flown, found = flights[same]
    return flown, replace(found, title=schedule.title, rounded=schedule.rounded)


def _refused(one: Loaded, refusal: Refusal) -> Fault:
    names = {each.output - 1: each.name for each in stimulating(one.protocol).channels}
    where = names.get(refusal.channel, "protocol") if refusal.channel is not None else "protocol"
    return Fault(
        one.name,
        1,
        1,
        where,
        f"the limiter refuses this in the dry flight, {seconds_text(refusal.now_us)} in: {refusal.rule}",
        value=f"{refusal.value} {refusal.unit}".strip(),
        allowed=f"{refusal.bound} {refusal.unit}".strip(),
        source=refusal.bound_from,
    )


def _flight_line(schedule: Schedule, rehearsal: Rehearsal) -> str:
    """The flight in a sentence; the tallies hold more than the treatment, and say so."""
    return (
        f"Dry flight at the maximum: {_flown_words(schedule, rehearsal)};"
        f" {seconds_text(rehearsal.on_time_us)} on in all and {rehearsal.charge_uc / 1000:.0f} mC per phase,"
        f" finding thresholds and trial included"
    )


def _flown_words(schedule: Schedule, rehearsal: Rehearsal) -> str:
    """What was flown, and why that is shorter than the treatment at its longest. A flow has one length."""
    movement = schedule.movement
    if schedule.continuous or movement is None:
        return f"the whole {seconds_text(schedule.flow_us)} of treatment"
    reasons = ["each attempt or switch comes at once"] if schedule.trigger is not None else []
    if any(phase.advance is not Advance.TIME for phase in movement.phases):
        reasons.append("what ends a phase comes at once in every second movement")
    if schedule.sets > 1:
        reasons.append("the rest between sets takes the place of another")
    why = f" (shorter than at most, because {' and '.join(reasons)})" if reasons else ""
    what = "movements" if schedule.kind == "fes-sequence" else "bursts"
    return f"{rehearsal.bursts} {what}, {seconds_text(rehearsal.length_us)} of treatment{why}"
