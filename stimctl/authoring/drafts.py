"""A file on its way to a picture or a comparison: its text, its tables, and the plan that is made of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, final

from stimctl.authoring import comparison, facts, plans
from stimctl.authoring.comparison import Change, Said
from stimctl.authoring.doses import Found
from stimctl.authoring.fields import DIFFERS
from stimctl.authoring.picture import Picture, guided_picture, picture
from stimctl.authoring.plans import PlanDraft
from stimctl.protocols import Guided, Loaded, Plan, stimulating
from stimctl.schedule import Schedule, Steps, compile_schedule
from stimctl.schedule.guided import GuidePlan, compile_guide


@final
class Draft(NamedTuple):
    """A loaded file and its plan: a schedule, that of guided work, which nothing flows in, or a plan's blocks."""

    loaded: Loaded
    plan: Schedule | GuidePlan | PlanDraft


def draft(loaded: Loaded) -> Draft:
    """The plan of a file, in the finest steps; raises :class:`UsageError` where they are too coarse for it."""
    protocol = loaded.protocol
    if isinstance(protocol, Guided):
        return Draft(loaded, compile_guide(protocol))
    if isinstance(protocol, Plan):
        return Draft(
            loaded, PlanDraft(protocol, tuple(None if each is None else draft(each) for each in loaded.blocks))
        )
    return Draft(loaded, compile_schedule(stimulating(protocol), Steps()))


def drawn(one: Draft) -> Picture:
    """Its picture."""
    if isinstance(one.plan, Schedule):
        return picture(one.plan)
    if isinstance(one.plan, PlanDraft):
        return plans.picture(one.plan)
    return guided_picture(one.loaded.protocol.title, one.loaded.protocol.kind, one.plan)


def differences(before: Draft, after: Draft) -> tuple[Change, ...]:
    """What one file says otherwise than another. Defaults that are written out are no difference."""
    return (*comparison.compare(_said(before), _said(after)), *_files(before.loaded, after.loaded))


def _said(one: Draft) -> Said:
    tables = one.loaded.protocol.model_dump(mode="json", by_alias=True, exclude_none=True)
    return Said(tables, _found(one.plan))


def _found(plan: Schedule | GuidePlan | PlanDraft) -> Found:
    if isinstance(plan, Schedule):
        return facts.facts(plan)
    return plans.plan_facts(plan) if isinstance(plan, PlanDraft) else plan


def _files(before: Loaded, after: Loaded) -> Iterator[Change]:
    """Two plans' files of one name that say different things."""
    others = _blocks(after)
    for file, one in _blocks(before).items():
        other = others.get(file)
        if other is not None and one.protocol != other.protocol:
            yield Change(f"file {file}", DIFFERS, one.name, other.name)


def _blocks(loaded: Loaded) -> dict[str, Loaded]:
    """The opened files of a plan by what it calls them; none of any other kind."""
    named = loaded.protocol.blocks if isinstance(loaded.protocol, Plan) else ()
    return {each.file: block for each, block in zip(named, loaded.blocks, strict=False) if each.file and block}
