"""What should flow now: a pure machine over a schedule.

Events and the time go in; a wished command comes out. The engine owns no clock, port or limit: what it wishes is judged
by the limiter before it goes anywhere. It moves through :mod:`stimctl.engine.table` and nowhere else, and every arming
starts with all levels at zero.
"""

from __future__ import annotations

from typing import Final, final

from stimctl.engine.dose import Dose
from stimctl.engine.lanes import FULL_PPM, SENSORY_RAMP_US, Lane, ending_ppm
from stimctl.engine.table import ARMED, DELIVERING, STAGES, TABLE, Event, State
from stimctl.errors import UsageError
from stimctl.limits import Effect
from stimctl.orders import Counts, Progress, Stage
from stimctl.pulse import Command
from stimctl.schedule import CONTROL_PERIOD_US, TEST_BURST, BurstPlan, Schedule
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
        self.lanes = {plan.channel: Lane(plan) for plan in schedule.channels}
        self._sensory = schedule.channels[0].effect is Effect.SENSORY
        self._titrated: int | None = None
        self._stopped_in = State.CHOOSING
        self._command = Command(())
        self._entered_us = self._stepped_us = self._attended_us = self._cycle_from_us = now_us
        self._flowed_us, self._triggered_us = 0, -NEVER_US

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
        was_armed, burst = self.armed, self._burst_in_force()
        self.dose.pass_time(self.state, now_us - self._entered_us)
        self._stopped_in = self._stopped_in if self.stopped else self.state
        self.state = TABLE[self.state, event]
        if not (self.armed and was_armed):
            self._zero_levels()
        if self.state not in DELIVERING:
            self._fall_silent(now_us, burst)
        if self.armed and not was_armed:
            self._cycle_from_us = self._attended_us = now_us
        self._entered_us = now_us
        self._book(event, now_us)

    def titrate(self, channel: int, now_us: int) -> None:
        """Arm for finding thresholds on one channel; every other one stays at zero."""
        if self.can(Event.TITRATE):
            self._titrated = channel
        self.happen(Event.TITRATE, now_us)

    def _zero_levels(self) -> None:
        for lane in self.lanes.values():
            lane.level_ua = lane.given_ua = 0

    def _fall_silent(self, now_us: int, burst: BurstPlan | None) -> None:
        for lane in self.lanes.values():
            lane.fall_to(0, now_us, burst)

    def _book(self, event: Event, now_us: int) -> None:
        """What an event means for counts and clocks."""
        self.dose.book(event)
        if event is Event.BEGIN:
            self.dose.rest_us = self._lead_in_us()
        elif event is Event.TRIGGER:
            self._triggered_us = now_us

    def _lead_in_us(self) -> int:
        """Long enough for the rest that the last trial burst asks for (duty), and for a baseline."""
        rest_us = self.schedule.burst.rest_us if self.schedule.burst else 0
        trigger = self.schedule.trigger
        return max(LEAD_IN_US, rest_us, trigger.baseline_us + SECOND if trigger else 0)

    # --- the operator ----------------------------------------------------------------------------------------

    def attend(self, now_us: int) -> None:
        """Somebody is there: any order counts as an answer to the presence prompt."""
        self._attended_us = now_us

    def presence_due(self, now_us: int) -> bool:
        """Whether the prompt is on screen."""
        return self.armed and now_us - self._attended_us >= PRESENCE_EVERY_US

    def set_level(self, channel: int, level_ua: int, now_us: int) -> None:
        """Set a channel's level. A lower one acts at once; a higher one is approached by the ramp."""
        self.lanes[channel].set_level(level_ua, now_us, self._burst_in_force())

    # --- time ------------------------------------------------------------------------------------------------

    def step(self, now_us: int, *, onset: bool = False) -> tuple[Event, ...]:
        """Let time pass up to ``now_us`` and an attempt be heard; returns what happened, in order."""
        self._count_delivery(now_us)
        happened: list[Event] = []
        while (event := self._due(now_us, onset=onset)) is not None:
            self.happen(event, now_us)
            happened.append(event)
            onset = False
        self._move(now_us)
        self._stepped_us = now_us
        return tuple(happened)

    def _due(self, now_us: int, *, onset: bool) -> Event | None:
        """The event that the clock, or an onset, brings now."""
        elapsed_us = now_us - self._entered_us
        if self.armed and now_us - self._attended_us >= PRESENCE_EVERY_US + PRESENCE_GRACE_US:
            return Event.PAUSE if self.can(Event.PAUSE) else Event.STOP
        if self.state is State.REST and elapsed_us >= self.dose.rest_us and self.baseline_ready:
            return self._after_rest()
        if self.state is State.LISTENING:
            return self._heard(elapsed_us, now_us, onset=onset)
        if self.state is State.BURST and self.schedule.burst and elapsed_us >= self.schedule.burst.on_us:
            return Event.BURST_OVER
        if self.state is State.FLOWING and self._flowed_us >= self.schedule.flow_us:
            return Event.DOSE_DONE
        return None

    def _heard(self, elapsed_us: int, now_us: int, *, onset: bool) -> Event | None:
        trigger = self.schedule.trigger
        if trigger is None:
            return None
        if onset and now_us - self._triggered_us >= trigger.min_interval_us:
            return Event.TRIGGER
        if trigger.cued and elapsed_us >= trigger.window_us:
            return Event.ASSIST if trigger.assist_missed else Event.MISSED
        return None

    def _after_rest(self) -> Event:
        if self.schedule.burst is None:
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
        burst, since_us = self._burst_now(now_us)
        event_us = max(now_us + 1, self._next_event_us(now_us, burst, since_us))
        if self._moving(burst, since_us):
            # The envelope's own corners come first, so that a burst ends when it should and not a period later.
            return min(now_us + period_us, event_us)
        prompt_us = self._attended_us + PRESENCE_EVERY_US
        return min(event_us, prompt_us if prompt_us > now_us else max(now_us + 1, prompt_us + PRESENCE_GRACE_US))

    def _moving(self, burst: BurstPlan | None, since_us: int) -> bool:
        """Whether any amplitude is on its way, up or down."""
        level = False
        for lane in self.lanes.values():
            if lane.amplitude_ua != lane.wanted_ua:
                return True
            level = level or lane.level_ua > 0
        if not level:
            return False
        if burst is None:
            return self.state is State.FLOWING and self.schedule.flow_us - self._flowed_us <= SENSORY_RAMP_US
        return since_us < burst.ramp_up_us or burst.on_us - burst.ramp_down_us <= since_us < burst.on_us

    def _next_event_us(self, now_us: int, burst: BurstPlan | None, since_us: int) -> int:
        if burst is not None:
            for mark in (burst.ramp_up_us, burst.on_us - burst.ramp_down_us, burst.on_us, burst.cycle_us):
                if mark > since_us:
                    return now_us + mark - since_us
            return now_us + CONTROL_PERIOD_US
        if self.state is State.REST:
            return self._entered_us + self.dose.rest_us if self.baseline_ready else now_us + CONTROL_PERIOD_US
        if self.state is State.LISTENING and self.schedule.trigger and self.schedule.trigger.cued:
            return self._entered_us + self.schedule.trigger.window_us
        if self.state is State.FLOWING:
            left_us = self.schedule.flow_us - self._flowed_us
            return now_us + (left_us - SENSORY_RAMP_US if left_us > SENSORY_RAMP_US else left_us)
        return NEVER_US

    # --- amplitudes ------------------------------------------------------------------------------------------

    def _burst_in_force(self) -> BurstPlan | None:
        """The burst whose duty rules now; ``None`` for sensory stimulation."""
        if self._sensory:
            return None
        return TEST_BURST if self.state is State.TITRATING else self.schedule.burst

    def _burst_now(self, now_us: int) -> tuple[BurstPlan | None, int]:
        """The burst whose envelope rules now, and the time since its onset."""
        burst = self._burst_in_force()
        if burst is None or self.state not in DELIVERING:
            return None, 0
        if self.state is State.BURST:
            return burst, now_us - self._entered_us
        return burst, (now_us - self._cycle_from_us) % burst.cycle_us

    def _move(self, now_us: int) -> None:
        """Let every channel go towards its share of its level."""
        if self.state not in DELIVERING:
            return
        burst, since_us = self._burst_now(now_us)
        share_ppm = self._flow_share_ppm() if burst is None else burst.share_ppm(since_us)
        ramp_us = burst.ramp_up_us if burst else SENSORY_RAMP_US
        titrated = self.titrated
        for lane in self.lanes.values():
            share = share_ppm if titrated is None or lane.plan.channel == titrated else 0
            lane.move(share, now_us, now_us - self._stepped_us, ramp_us, burst)

    def _flow_share_ppm(self) -> int:
        """Continuous stimulation ends by a ramp, as a burst does."""
        return ending_ppm(self.schedule.flow_us - self._flowed_us) if self.state is State.FLOWING else FULL_PPM

    def command(self) -> Command:
        """The absolute command for every output, in the board's steps; the same one while nothing changes."""
        outputs = tuple([lane.output() for lane in self.lanes.values()])
        if self._command.outputs != outputs:
            self._command = Command(outputs)
        return self._command

    def _count_delivery(self, now_us: int) -> None:
        """Add what the last amplitudes delivered since the last step."""
        elapsed_us = now_us - self._stepped_us
        delivering = [lane for lane in self.lanes.values() if lane.amplitude_ua]
        for lane in delivering:
            lane.count(elapsed_us, treating=self.state in (State.BURST, State.FLOWING))
        self.dose.tally.on_time_us += elapsed_us if delivering else 0
        self._flowed_us += elapsed_us if self.state is State.FLOWING else 0

    @property
    def complete(self) -> bool:
        """Whether the whole prescription was given."""
        return self.dose.done if self.schedule.burst else self._flowed_us >= self.schedule.flow_us

    # --- for reading -----------------------------------------------------------------------------------------

    def counts(self) -> Counts:
        """The dose so far."""
        return self.dose.counts(tuple(self.lanes.values()))

    def progress(self, now_us: int) -> Progress:
        """Where burst, set and session stand."""
        burst, since_us = self._burst_now(now_us)
        phase = burst.phase(since_us) if burst is not None else None
        return self.dose.progress(self.state, phase, now_us - self._entered_us, self._flowed_us)
