"""What should flow now: a pure machine over a schedule.

Events and the time go in; a wished command comes out. The engine owns no clock, port or limit: what it wishes is judged
by the limiter before it goes anywhere. It moves through :mod:`stimctl.engine.table` and nowhere else, and every arming
starts with all levels at zero.
"""

from __future__ import annotations

from typing import Final, final

from stimctl.engine.course import Turn
from stimctl.engine.delivery import Delivery
from stimctl.engine.dose import Dose
from stimctl.engine.table import ARMED, STAGES, TABLE, Event, State
from stimctl.errors import UsageError
from stimctl.orders import Counts, Progress, Stage
from stimctl.pulse import Command
from stimctl.schedule import CONTROL_PERIOD_US, Advance, Schedule
from stimctl.units import MINUTE, SECOND

LEAD_IN_US: Final = 3 * SECOND
"""Quiet time between the last trial burst and the first counted one; a trigger's baseline may make it longer."""

PRESENCE_EVERY_US: Final = 5 * MINUTE
PRESENCE_GRACE_US: Final = 30 * SECOND
"""Hazard H32: somebody answers every five minutes, or half a minute later the output goes to zero."""

NEVER_US: Final = 1 << 62
"""A time that does not come."""


@final
class Engine:
    """The machine. All times are the session's monotonic µs; calls must not go back in time."""

    def __init__(self, schedule: Schedule, now_us: int = 0) -> None:
        self.schedule = schedule
        self.state = State.CHOOSING
        self.dose = Dose(schedule)
        self.baseline_ready = True
        self._delivery = Delivery(schedule)
        self.lanes = self._delivery.lanes
        self._titrated: int | None = None
        self._stopped_in = State.CHOOSING
        self._entered_us = self._stepped_us = self._attended_us = now_us
        self._triggered_us = -NEVER_US

    # --- events ----------------------------------------------------------------------------------------------

    @property
    def armed(self) -> bool:
        """Whether the board's output stage is to be armed."""
        return self.state in ARMED

    @property
    def stopped(self) -> bool:
        """Whether a stop or fault is in force."""
        return self.state is State.STOPPED

    @property
    def stage(self) -> Stage:
        """The step of the procedure; that in which it was stopped, while a stop or fault is in force."""
        return STAGES[self._stopped_in if self.stopped else self.state]

    @property
    def titrated(self) -> int | None:
        """The output whose thresholds are being found."""
        return self._titrated if self.state is State.TITRATING else None

    def can(self, event: Event) -> bool:
        """Whether the table lists this event for the present state."""
        return (self.state, event) in TABLE

    def happen(self, event: Event, now_us: int) -> None:
        """Follow the table; raises :class:`UsageError` for a move that it does not list."""
        if not self.can(event):
            raise UsageError(f"{event.value!r} is not possible now: the session is in {self.state.value!r}")
        was_armed = self.armed
        self.dose.pass_time(self.state, now_us - self._entered_us)
        self._stopped_in = self._stopped_in if self.stopped else self.state
        self.state = TABLE[self.state, event]
        if not (self.armed and was_armed):
            self._delivery.zero_levels()
        self._delivery.enter(self.state, self.titrated, now_us)
        if self.armed and not was_armed:
            self._attended_us = now_us
        self._entered_us = now_us
        self._book(event, now_us)

    def titrate(self, channel: int, now_us: int) -> None:
        """Arm for finding thresholds on one channel; every other one stays at zero."""
        if self.can(Event.TITRATE):
            self._titrated = channel
        self.happen(Event.TITRATE, now_us)

    def _book(self, event: Event, now_us: int) -> None:
        """What an event means for counts and clocks."""
        self.dose.book(event)
        if event is Event.BEGIN:
            self.dose.begin_rest(self._lead_in_us())
        elif event is Event.TRIGGER:
            self._triggered_us = now_us

    def _lead_in_us(self) -> int:
        """Long enough for the rest that the last trial burst asks for (duty), and for a baseline."""
        rest_us = self.schedule.movement.rest_us if self.schedule.movement else 0
        ear = self.schedule.ear
        return max(LEAD_IN_US, rest_us, ear.baseline_us + SECOND if ear else 0)

    # --- the operator ----------------------------------------------------------------------------------------

    def attend(self, now_us: int) -> None:
        """Somebody is there: any order counts as an answer to the presence prompt."""
        self._attended_us = now_us

    def presence_due(self, now_us: int) -> bool:
        """Whether the prompt is on screen."""
        return self.armed and now_us - self._attended_us >= PRESENCE_EVERY_US

    def set_level(self, channel: int, level_ua: int, now_us: int) -> None:
        """Set a channel's level. A lower one acts at once; a higher one is approached by the ramp."""
        self._delivery.set_level(channel, level_ua, now_us)

    # --- time ------------------------------------------------------------------------------------------------

    def step(
        self, now_us: int, *, onset: bool = False, key: bool = False, control_ppm: int | None = None
    ) -> tuple[Event, ...]:
        """Let time pass up to ``now_us``; returns what happened, in order.

        ``onset``: an attempt was heard. ``key``: the operator's or patient's switch was pressed. ``control_ppm``: the
        control signal as a share, in parts per million; ``None`` where there is none that can be trusted.
        """
        elapsed_us = now_us - self._stepped_us
        if self._delivery.count(elapsed_us):
            self.dose.tally.on_time_us += elapsed_us
        self._delivery.hear(now_us, _advance(onset=onset, key=key), control_ppm)
        happened: list[Event] = []
        while (event := self._due(now_us, onset=onset, key=key)) is not None:
            self.happen(event, now_us)
            happened.append(event)
            onset = key = False
        self._delivery.move(now_us, elapsed_us)
        self._stepped_us = now_us
        return tuple(happened)

    @property
    def awaits(self) -> Advance | None:
        """What the phase under way waits for: the time, a key or an attempt; ``None`` where there is none."""
        return self._delivery.awaits

    @property
    def cue(self) -> str:
        """What the patient is told to do in the phase under way; "" where nothing is said."""
        return self._delivery.cue

    def spoken(self, now_us: int) -> int | None:
        """Which sentence of the script is read aloud now, from 0; ``None`` where none is."""
        spoken = self.dose.spoken(self.state, now_us - self._entered_us)
        return None if spoken is None else spoken[0]

    def takes_key(self, now_us: int) -> bool:
        """Whether a key would do something now: set a movement off, or end the phase under way."""
        trigger = self.schedule.trigger
        if self.state is State.LISTENING and trigger is not None:
            return trigger.by is Advance.KEY and now_us - self._triggered_us >= trigger.min_interval_us
        return self._delivery.takes_key

    def take_turns(self) -> tuple[Turn, ...]:
        """The phases that began since this was last asked, for cues and for the record."""
        return self._delivery.take_turns()

    def _due(self, now_us: int, *, onset: bool, key: bool) -> Event | None:
        """The event that the clock, an onset or a key brings now."""
        elapsed_us = now_us - self._entered_us
        if self.armed and now_us - self._attended_us >= PRESENCE_EVERY_US + PRESENCE_GRACE_US:
            return Event.PAUSE if self.can(Event.PAUSE) else Event.STOP
        if self.state is State.REST and elapsed_us >= self.dose.rest_us and self.baseline_ready:
            return self._after_rest()
        if self.state is State.LISTENING:
            return self._heard(elapsed_us, now_us, onset=onset, key=key)
        if self.state is State.BURST and self._delivery.over:
            return Event.BURST_OVER
        if self.state is State.FLOWING and self._delivery.flowed_us >= self.schedule.flow_us:
            return Event.DOSE_DONE
        return None

    def _heard(self, elapsed_us: int, now_us: int, *, onset: bool, key: bool) -> Event | None:
        trigger = self.schedule.trigger
        if trigger is None:
            return None
        given = key if trigger.by is Advance.KEY else onset
        if given and now_us - self._triggered_us >= trigger.min_interval_us:
            return Event.TRIGGER
        if trigger.cued and elapsed_us >= trigger.window_us:
            return Event.ASSIST if trigger.assist_missed else Event.MISSED
        return None

    def _after_rest(self) -> Event:
        if self.schedule.continuous:
            return Event.TO_FLOW
        if self.dose.done:
            return Event.DOSE_DONE
        return Event.TO_LISTENING if self.schedule.trigger else Event.TO_BURST

    def next_change_us(self, now_us: int, period_us: int = CONTROL_PERIOD_US) -> int:
        """When :meth:`step` must be called again at the latest for the wished command to stay true.

        ``period_us`` is how often an amplitude that moves is renewed.
        """
        if not self.armed:
            return NEVER_US
        event_us = max(now_us + 1, self._next_event_us(now_us))
        if self._delivery.moving(now_us):
            # The envelope's own corners come first, so that a burst ends when it should and not a period later.
            # A loop that is flown late is late with the first step as well.
            first_us = self._delivery.first_step_us(now_us) if period_us <= CONTROL_PERIOD_US else NEVER_US
            return min(now_us + period_us, event_us, first_us)
        prompt_us = self._attended_us + PRESENCE_EVERY_US
        return min(event_us, prompt_us if prompt_us > now_us else max(now_us + 1, prompt_us + PRESENCE_GRACE_US))

    def _next_event_us(self, now_us: int) -> int:
        mark_us = self._delivery.next_mark_us(now_us)
        if self.state is State.REST:
            mark_us = self._entered_us + self.dose.rest_us if self.baseline_ready else now_us + CONTROL_PERIOD_US
        elif self.state is State.LISTENING and self.schedule.trigger and self.schedule.trigger.cued:
            mark_us = self._entered_us + self.schedule.trigger.window_us
        return mark_us

    def command(self) -> Command:
        """The absolute command for every output, in the board's steps; the same one while nothing changes."""
        return self._delivery.command()

    @property
    def complete(self) -> bool:
        """Whether the whole prescription was given."""
        return self._delivery.flowed_us >= self.schedule.flow_us if self.schedule.continuous else self.dose.done

    # --- for reading -----------------------------------------------------------------------------------------

    @property
    def flowed_us(self) -> int:
        """How long current has flowed that flows by its time alone (TENS), in µs."""
        return self._delivery.flowed_us

    def counts(self) -> Counts:
        """The dose so far."""
        delivery = self._delivery
        phases = (delivery.met, delivery.missed, delivery.skipped)
        return self.dose.counts(tuple(self.lanes.values()), phases)

    def progress(self, now_us: int) -> Progress:
        """Where burst, set and session stand."""
        delivery, elapsed_us = self._delivery, now_us - self._entered_us
        phase = None if self.state is State.FLOWING else delivery.part(now_us)
        return self.dose.progress(self.state, phase, elapsed_us, delivery.flowed_us, delivery.cue)


def _advance(*, onset: bool, key: bool) -> Advance:
    """What may end a phase now, besides the time; the operator's key before all."""
    return Advance.KEY if key else Advance.ATTEMPT if onset else Advance.TIME
