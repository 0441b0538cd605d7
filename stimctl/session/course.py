"""What opens and closes the output stage: stops, faults, arming, and the states that follow from them.

A stop takes none of the session's steps: :meth:`Course.stop_now` trips the latch and writes the stop frame from whichever
thread it is called in, and the session hears of it afterwards.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from stimctl.driver import DriverState
from stimctl.engine import ARMED, Event, State
from stimctl.errors import StimctlError
from stimctl.session import listening, payloads
from stimctl.session.diary import Diary
from stimctl.session.opening import Reach, Wishes
from stimctl.session.rooms import Rooms
from stimctl.session.stage import came_after_a_stop
from stimctl.session.tasks import ask_the_patient
from stimctl.session.wording import EVENT_KIND
from stimctl.units import MINUTE, MS

AGAIN_US: Final = 1_000 * MS
"""Stops within this time are one act: one press reaches the session by two ways."""

NOBODY_THERE: Final = "nobody answered the presence prompt"
"""Why a pause or a stop came of the engine's own clock: it knows no other."""

OLD_US: Final = 5 * MINUTE
"""How long a ceiling holds after the output stage was last armed."""


class Course(Rooms):
    """The course of one session between its states. :class:`~stimctl.session.core.Session` adds orders and time."""

    def __init__(self, diary: Diary, clock: Callable[[], int], *, wishes: Wishes, seed: int, reach: Reach) -> None:
        super().__init__(diary, clock, wishes=wishes, seed=seed, reach=reach)
        self._intent: tuple[Event, int, int] | None = None
        self._stops: deque[str] = deque()
        self._taken = ("", 0)  # the last stop's reason, and how often the latch had been tripped when it was taken
        self._was_off = True  # before any stop that is being dealt with
        self._stopped_us = -AGAIN_US
        self._armed_us = 0
        self._ticked_us: int | None = None

    # --- stop ---------------------------------------------------------------------------------------------------

    def stop_now(self, reason: str) -> None:
        """Any thread, any time: the stop frame and the latch; the session hears of it in its next pass."""
        self._stops.append(reason)  # first, so that a pass which finds the latch tripped also finds why
        stage = self._stage
        driver = None if stage is None else stage.driver
        if stage is not None:
            stage.stop_now(reason)
        else:
            self.latch.trip(reason)
        self.connection.stop(reason, told=driver)  # a board that is not, or not yet, the stage's

    def _take_stops(self, now_us: int) -> None:
        """What stops mean for the session, after they have been carried out."""
        tripped = self.latch.tripped  # before the reasons: who trips it has put down why, and may do so right now
        self._follow_a_stop_under_way()
        while self._stops:
            trips = self.latch.epoch
            reason = self._stops.popleft()
            self._taken = (reason, trips)
            arming, self._intent = self._intent is not None or not self._was_off, None
            if self.state in (State.CHOOSING, State.ENDED):
                continue
            # Armed anew within that time, it is another act.
            again = self.engine.stopped or (now_us - self._stopped_us < AGAIN_US and not self.engine.armed)
            if again:
                # The same press by its second way, or another one: the first reason is the one to show.
                self.diary.write("stop-again", {"reason": reason}, now_us)
            if arming and self.engine.can(Event.STOP_ARMING):
                self._hold(Event.STOP_ARMING, reason, now_us)
            elif not again:
                self._hold(Event.STOP, reason, now_us)
        if tripped:
            self._mind_the_latch(now_us)

    def _follow_a_stop_under_way(self) -> None:
        """A stop that trips the latch only after its reason was taken stops what an order began in between, too."""
        reason, trips = self._taken
        begun = self._intent is not None or (self._engine is not None and self._engine.armed)
        if begun and not self._stops and reason and self.latch.reason == reason and self.latch.epoch > trips:
            self._stops.append(reason)

    def _hold(self, event: Event, reason: str, now_us: int) -> None:
        self._stopped_us = now_us
        self._happen(event, now_us, reason=reason)
        if self.engine.stopped:
            self._show_stop(reason)

    def _show_stop(self, reason: str) -> None:
        self.stop_reason = reason
        self.diary.turn_over()
        self.diary.say(f"STOP: {reason}")

    def _mind_the_latch(self, now_us: int) -> None:
        """A tripped latch holds whatever could flow; where nothing was armed and zero is confirmed it opens again."""
        if not self.latch.tripped or (self._engine is not None and self.engine.stopped):
            return
        if self._engine is not None and (self.engine.armed or self._intent is not None):
            self.fault(self.latch.reason, now_us)
        elif not self.may_be_energised or (self._stage is not None and self.stage.at_rest):
            self.latch.clear()

    # --- what happens -------------------------------------------------------------------------------------------

    def happen(self, event: Event, now_us: int, **payload: object) -> None:
        """An event that an order or a watch brought. The output stage follows before anything is written down."""
        self.engine.happen(event, now_us)
        self._disarm_with_the_engine(now_us)
        self._record(event, now_us, **payload)
        self._follow_the_engine(now_us)

    def _time_brought(self, happened: tuple[Event, ...], now_us: int) -> None:
        """What the engine's own clock brought. What ends output is sent before anything of it is written down."""
        if Event.STOP in happened:  # as for any stop: the latch and the frame, and then what it means
            self.stage.stop_now(NOBODY_THERE)
            self._stopped_us = now_us
        self._disarm_with_the_engine(now_us)
        for event in happened:
            self._record(event, now_us, **({"reason": NOBODY_THERE} if event in (Event.PAUSE, Event.STOP) else {}))
            if event is Event.STOP:
                self._show_stop(NOBODY_THERE)
            elif event is Event.PAUSE:
                self.diary.say(f"Paused: {NOBODY_THERE}")

    def _happen(self, event: Event, now_us: int, **payload: object) -> None:
        self.engine.happen(event, now_us)
        self._record(event, now_us, **payload)

    def _record(self, event: Event, now_us: int, **payload: object) -> None:
        self.diary.write(EVENT_KIND[event], payloads.event_payload(self.engine, event, now_us) | payload, now_us)
        listening.adapt(self, event, now_us)
        if event is Event.TO_LISTENING:
            trigger = self.engine.schedule.trigger
            ask_the_patient(self.link, trigger.by if trigger else None, now_us)

    def _disarm_with_the_engine(self, now_us: int) -> None:
        """The output stage is armed in the engine's armed states and in no other."""
        if self.state in ARMED or self._intent is not None:
            return
        if self.stage.driver.state in (DriverState.ARMED, DriverState.ARMING):
            self.stage.disarm(self.engine.command(), now_us)
            self.note_site_times(now_us)

    def _follow_the_engine(self, now_us: int) -> None:
        """What else its state means: the board's ears, and ceilings that grow old."""
        self._disarm_with_the_engine(now_us)
        if self.state in ARMED or self._intent is not None:
            return
        if self.hearing is not None and self.state is not State.READY:
            self.hearing.rest(now_us)
        if self.state in (State.PAUSED, State.READY):
            self.void_what_is_old(now_us)

    def void_what_is_old(self, now_us: int) -> None:
        """Ceilings hold for five minutes after the stage was last armed (procedure D, step 11): skin and gel change."""
        if self.state in ARMED or now_us - self._armed_us < OLD_US or not self.preparation.thresholds:
            return
        self.preparation.void_thresholds()
        self.diary.say("More than five minutes without output: find the thresholds again")
        if self.engine.can(Event.EXPIRED):
            self._happen(Event.EXPIRED, now_us)

    def look_at_pads_again(self, channel: int | None) -> None:
        """The board complained about an output: its pads and its ceiling are not to be trusted. Those of all are not where it
        was about some (``None``), or about one that has no part here: through which pads that went, nobody knows.
        """
        lanes = self.engine.lanes
        for each in lanes if channel not in lanes else (channel,):
            self.preparation.doubt(each)
            if self.stage.has_limiter:
                self.stage.limiter.forget_ceiling(each)

    def fault(self, reason: str, now_us: int, *, alarm: str = "medium") -> None:
        """Something is wrong that nobody ordered: stop, latch, show, record. The first reason stays, unless worse comes."""
        self.stage.stop_now(reason)
        self._intent, self.went_wrong = None, True
        if self.state is not State.STOPPED:
            self.stop_reason, self.alarm = reason, (alarm, reason)
            self.diary.say(f"FAULT: {reason}")
        elif alarm == "high":
            self.alarm = (alarm, reason)
        self._happen(Event.FAULT, now_us, reason=reason)

    # --- arming -------------------------------------------------------------------------------------------------

    @property
    def is_arming(self) -> bool:
        """Whether the board was asked to arm and has not answered."""
        return self._intent is not None

    def intend(self, event: Event, channel: int, now_us: int) -> None:
        """The board was asked to arm; ``event`` happens when it has, for titration on ``channel``."""
        self._intent = (event, channel, now_us)

    def armed_by_board(self, now_us: int) -> None:
        """The board has armed at zero: now the limiter and the engine may."""
        if self._intent is None or self.latch.tripped:
            self.stage.disarm(self.engine.command(), now_us)
            return
        intent, self._intent = self._intent, None
        event, channel, _ = intent
        self._ticked_us = self._armed_us = now_us
        self.diary.turn_over()
        try:
            self._open(event, channel, now_us)
        except StimctlError as error:
            if not came_after_a_stop(error):
                self.fault(str(error), now_us)
                return
            self._intent = intent  # the stop of an arming: the next pass hears why, and sees to it
            self.stage.disarm(self.engine.command(), now_us)

    def _open(self, event: Event, channel: int, now_us: int) -> None:
        """Limiter first, then the engine, which owes at least the rest that the limiter asks for after a stop."""
        limiter = self.stage.limiter
        if event is Event.TITRATE:
            limiter.open_titration(channel, now_us)
            self.engine.titrate(channel, now_us)
        else:
            limiter.open_treatment(now_us)
            self.engine.happen(event, now_us)
        for number, lane in self.engine.lanes.items():
            lane.owes_rest_until_us = max(lane.owes_rest_until_us, limiter.ready_at_us(number))
        self._record(event, now_us, **(payloads.named(self.engine.schedule, channel) if event is Event.TITRATE else {}))
        self.diary.write("armed", {"for": event.value}, now_us)
