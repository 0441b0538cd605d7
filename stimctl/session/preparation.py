"""What has to be true before treatment: screening answered, pads confirmed, thresholds found. One value for all of it."""

from __future__ import annotations

from typing import final

from stimctl.engine import Event
from stimctl.limits import Sensation
from stimctl.schedule import ChannelPlan, Schedule
from stimctl.session.screening import Screening, questions
from stimctl.session.titration import Thresholds


@final
class Preparation:
    """The state of the procedure's steps 2 to 7 for one schedule."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        sites = tuple(dict.fromkeys(plan.site for plan in schedule.channels))
        robot = schedule.trigger is not None and schedule.trigger.robot
        self.screening = Screening(questions(schedule.channels[0].effect, sites, robot=robot))
        self.screened = False
        self.pads: set[int] = set()
        self.thresholds: dict[int, Thresholds] = {}

    def sensation(self, site: str) -> Sensation:
        """Today's answer for a site."""
        return self.screening.sensation(site)

    def begin_thresholds(self, plan: ChannelPlan) -> Thresholds:
        """Two fresh runs for a channel; what was found before is void."""
        self.thresholds[plan.channel] = found = Thresholds(plan.effect, self.sensation(plan.site))
        return found

    def ceiling_ua(self, channel: int) -> int | None:
        """The ceiling found today, µA."""
        found = self.thresholds.get(channel)
        return found.ceiling_ua if found and found.complete else None

    @property
    def pads_open(self) -> tuple[str, ...]:
        """Channels whose pads nobody has confirmed."""
        return tuple(plan.name for plan in self._schedule.channels if plan.channel not in self.pads)

    def next_unfound(self) -> ChannelPlan | None:
        """The first channel without a ceiling."""
        return next((plan for plan in self._schedule.channels if self.ceiling_ua(plan.channel) is None), None)

    def void_thresholds(self) -> None:
        """After a long pause, or pads that were touched."""
        self.thresholds.clear()

    def doubt(self, channel: int) -> None:
        """Pads that may have moved: confirm them again, and find the thresholds again."""
        self.pads.discard(channel)
        self.thresholds.pop(channel, None)

    def where_clearing_leads(self) -> Event:
        """Clearing a stop leads back to the first thing that is not done."""
        if not self.screened:
            return Event.CLEAR_TO_SCREENING
        if self.pads_open:
            return Event.CLEAR_TO_PADS
        return Event.CLEAR_TO_THRESHOLDS if self.next_unfound() else Event.CLEAR_TO_READY
