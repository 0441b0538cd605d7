"""Two files side by side: what each says and comes to, and the files of theirs that bear one name."""

from __future__ import annotations

from collections.abc import Iterator

from stimctl.authoring import comparison, facts, plans
from stimctl.authoring.comparison import Change, Said
from stimctl.authoring.doses import Found
from stimctl.authoring.drafts import Draft
from stimctl.authoring.fields import DIFFERS
from stimctl.authoring.plans import PlanDraft
from stimctl.protocols import Loaded, Plan
from stimctl.schedule import Schedule
from stimctl.schedule.guided import GuidePlan


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
