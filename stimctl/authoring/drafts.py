"""A file on its way to a check, a picture or a comparison: its text, its tables, and the plan that is made of it."""

from __future__ import annotations

from typing import NamedTuple, final

from stimctl.authoring import plans
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
