"""How far a treatment has come: repetitions, sets, how bursts came about, and what has flowed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

from stimctl.engine.lanes import Lane
from stimctl.engine.table import Event, State
from stimctl.orders import Counts, Progress
from stimctl.schedule import Schedule


@final
@dataclass(slots=True)
class Tally:
    """Bursts by how they came about, time with output, and what the operator ran into."""

    delivered: int = 0
    triggered: int = 0
    missed: int = 0
    assisted: int = 0
    on_time_us: int = 0
    stops: int = 0
    ceiling_hits: int = 0


@final
class Dose:
    """The prescription's counter. An attempt counts as a repetition whether it was heard or missed."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self.tally = Tally()
        self.repetition, self.set = 0, 1
        self.rest_us = 0
        """How long the rest is that follows now."""

    @property
    def done(self) -> bool:
        """Whether every repetition of every set has been."""
        return self.set >= self._schedule.sets and self.repetition >= self._schedule.repetitions

    def book(self, event: Event) -> None:
        """What an event means for the counts, and for the rest after it."""
        tally = self.tally
        if event is Event.TRIGGER:
            tally.triggered += 1
        elif event is Event.ASSIST:
            tally.assisted += 1
        elif event is Event.MISSED:
            tally.missed += 1
            self._repeat()
        elif event is Event.BURST_OVER:
            tally.delivered += 1
            self._repeat()
        elif event in (Event.STOP, Event.STOP_ARMING):
            tally.stops += 1

    def _repeat(self) -> None:
        schedule = self._schedule
        # After a burst nothing is heard for the lockout either (hazard H24).
        lockout_us = schedule.trigger.lockout_us if schedule.trigger else 0
        self.rest_us = max(schedule.movement.rest_us if schedule.movement else 0, lockout_us)
        self.repetition += 1
        if self.done:
            self.rest_us = 0
        elif self.repetition >= schedule.repetitions:
            self.repetition, self.set = 0, self.set + 1
            self.rest_us = max(self.rest_us, schedule.set_rest_us)

    def counts(self, lanes: tuple[Lane, ...]) -> Counts:
        """The dose so far; charge per phase in µC, summed over outputs."""
        tally = self.tally
        return Counts(
            tally.delivered,
            tally.triggered,
            tally.missed,
            tally.assisted,
            sum(lane.charge_e9pc for lane in lanes) // 10**15,
            tally.on_time_us,
            tally.stops,
            tally.ceiling_hits,
        )

    def progress(self, state: State, now: Progress) -> Progress:
        """``now`` with the place in the prescription: the attempt under way counts as the present repetition."""
        under_way = state in (State.BURST, State.LISTENING)
        return replace(
            now,
            repetition=min(self.repetition + under_way, self._schedule.repetitions),
            repetitions=self._schedule.repetitions,
            set=self.set,
            sets=self._schedule.sets,
            session_length_us=self._schedule.longest_us,
        )
