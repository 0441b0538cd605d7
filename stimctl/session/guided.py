"""A session of a kind without output: guided work and biofeedback. There is no limiter here, and nothing that arms.

The board of the URL is opened only where something of it is needed: its EMG input, or the simulated patient behind
``sim:``. It begins with a stop, as every connection does, and is never armed. ``none:`` is no board at all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, final

from stimctl.driver import Analog, Connected, Disarmed, Faulted, Lost, OutputState
from stimctl.engine.guide_table import GuideEvent as Event
from stimctl.engine.guide_table import GuideState as State
from stimctl.engine.guide_words import Happening, Told
from stimctl.errors import LinkTimeout, StimctlError, UsageError
from stimctl.orders import Order
from stimctl.protocols import Loaded
from stimctl.safety import Latch
from stimctl.schedule.guided import Counting
from stimctl.session import guide_desk, guide_opening
from stimctl.session.diary import Diary
from stimctl.session.guide_rooms import GuidedRooms
from stimctl.session.guide_senses import Senses
from stimctl.session.guide_wording import can, out_of_place
from stimctl.units import MS, SECOND

IDLE_US: Final = 200 * MS
"""How often a session with nothing to do looks around."""

WAIT_US: Final = 5 * MS
"""How often to look while an answer of the board is awaited."""

ANSWER_US: Final = 5 * SECOND
"""How long a board may take to say who it is."""

CUE_EVERY_US: Final = 6 * SECOND
"""How often the simulated patient is asked anew in a step in which everything counts."""


@final
class GuidedSession(GuidedRooms):
    """One session without output. All methods but :meth:`stop_now` and the output's words belong to the control loop."""

    def __init__(
        self, order: Order, loaded: Loaded, diary: Diary, latch: Latch, clock: Callable[[], int], seed: int, now_us: int
    ) -> None:
        super().__init__(order, loaded, diary, latch, clock, seed, now_us)
        self._stops: deque[str] = deque()
        self._cued_us = 0
        self._until_us = now_us + max(ANSWER_US, 0 if self.link is None else self.link.answer_us)
        if self.link is not None:
            self.link.driver.open(now_us)

    # --- stop ----------------------------------------------------------------------------------------------------

    def stop_now(self, reason: str) -> None:
        """Any thread, any time: the work is held; a board that is open gets its stop frame, whatever it does."""
        self._stops.append(reason)
        self.latch.trip(reason)
        if (link := self.link) is not None:
            link.driver.stop(reason)

    def _take_stops(self, now_us: int) -> None:
        reason = self._stops.popleft() if self._stops else self.latch.reason  # "" where it is not tripped
        self._stops.clear()
        if not reason:
            return
        if self.opened and self.guide.can(Event.STOP):
            self.stop_reason = reason
            self.diary.turn_over()
            self.diary.say(f"STOP: {reason}")
            self.happen(Event.STOP, now_us, reason=reason)
        elif self.state is not State.STOPPED and self.output is OutputState.OFF:
            self.latch.clear()  # nothing runs that it could hold

    def fault(self, reason: str, now_us: int, *, alarm: str = "medium") -> None:
        """Something is wrong that nobody ordered: hold the work, show it, record it."""
        self.went_wrong = True
        self.alarm, self.stop_reason = (alarm, reason), reason
        self.latch.trip(reason)
        self.diary.say(f"FAULT: {reason}")
        if self.guide.can(Event.FAULT):
            self.happen(Event.FAULT, now_us, reason=reason)

    # --- orders --------------------------------------------------------------------------------------------------

    def order(self, order: Order, now_us: int) -> None:
        """Carry out one order; raises :class:`StimctlError` with what is wrong, and keeps it for the status."""
        try:
            self._take_stops(now_us)
            if not self.opened or order.kind not in can(self.guide, self.state):
                raise UsageError(out_of_place(order.kind, self.state))
            self._look(now_us)
            guide_desk.ORDERS[order.kind](self, order, now_us)
            self.refusal = ""
            self.diary.hasten()
        except StimctlError as error:
            self.refusal = str(error)
            raise

    def happen(self, event: Event, now_us: int, **payload: object) -> None:
        """An event that an order or a watch brought."""
        told = self.guide.happen(event, now_us)
        self.diary.write(event.value, {**self._where(), **payload}, now_us)
        self._follow(now_us)
        self.tell(told, now_us)

    def tell(self, told: tuple[Happening, ...], now_us: int) -> None:
        """Write down what the course brought, and let the simulated patient hear it."""
        for each in told:
            payload = self._where()
            if each.what is Told.STEP:
                payload["say"] = each.say
                if self.guide.now.counting is not Counting.NO:
                    self._cue(now_us)
            if self.plan.goal is not None:
                payload["goal"] = each.goal if each.what is not Told.STEP else self.guide.measure.goal
            self.diary.write(each.what.value, payload, each.at_us)
        if told and told[-1].what is Told.DOSE_DONE:
            self.diary.say("All repetitions are done")
            self._follow(now_us)

    def _where(self) -> dict[str, object]:
        return {"set": self.guide.set, "repetition": self.guide.repetition}

    def _follow(self, now_us: int) -> None:
        """The electrodes listen while the work is under way, and in no other state."""
        if self.senses is None:
            return
        if self.state in (State.DOING, State.RESTING):
            try:
                self.senses.start(now_us)
            except StimctlError as error:
                self.fault(str(error), now_us)
        else:
            self.senses.rest(now_us)

    def _cue(self, now_us: int) -> None:
        """The simulated patient tries when told to."""
        self._cued_us = now_us
        if self.link is not None and self.link.patient is not None:
            self.link.patient.cue(now_us)
            self.link.patient.ask(now_us)

    # --- time ----------------------------------------------------------------------------------------------------

    def tick(self, now_us: int) -> None:
        """One pass of the control loop."""
        self._take_stops(now_us)
        if self.ended:
            return
        self.now_us = now_us
        self._take_board(now_us)
        if not self.opened:
            return
        self._look(now_us)
        if self.diary.failed and self.state in (State.DOING, State.RESTING):
            self.fault(f"the record cannot be written: {self.diary.failed}", now_us)

    def _look(self, now_us: int) -> None:
        """Let the course see the time and what was heard."""
        if self.senses is None or self.state not in (State.DOING, State.RESTING):
            return
        guide = self.guide
        heard = self.senses.heard(now_us, counting=guide.counting)
        self.value = None if heard.value is None else round(heard.value / 1_000, 1)
        self.tell(guide.step(now_us, heard), now_us)
        if guide.counting and guide.now.counting is Counting.MANY and now_us - self._cued_us >= CUE_EVERY_US:
            self._cue(now_us)
        self.senses.tell(self.diary, now_us)
        hearing = self.senses.hearing
        if hearing is not None and hearing.finished and self.guide.can(Event.FINISH):
            self.happen(Event.FINISH, now_us, reason="the recording has ended")

    def _take_board(self, now_us: int) -> None:
        """What the board has said. Nothing it says can begin anything here."""
        link = self.link
        if link is None:
            if not self.opened:
                self._begin(now_us)
            return
        for event in link.driver.poll(now_us):
            if isinstance(event, Connected) and not self.opened:
                self._begin(now_us)
            elif isinstance(event, (Lost, Faulted)) and not self.opened:
                raise event.error
            elif isinstance(event, Analog) and self.senses is not None:
                self.senses.take(event.samples, event.missing, now_us)
            elif isinstance(event, Lost):
                self.fault(f"the board is lost: {event.error}", now_us)
            elif isinstance(event, Faulted):
                self.fault(f"the board reports a fault: {event.error}", now_us)
            elif isinstance(event, Disarmed):
                self.fault(event.text, now_us)
        if not self.opened and now_us >= self._until_us:
            raise LinkTimeout(f"{self.wishes.board}: no board answered; check the port, the cable and the power")

    def _begin(self, now_us: int) -> None:
        """Everything is known: find the source, open the record, ask the questions."""
        driver = self.link.driver if self.link is not None else None
        patient = self.link.patient if self.link is not None else None
        facts = driver.facts if driver is not None else None
        if facts is not None:
            self.simulated, self.board = facts.simulated, f"{facts.name} {facts.serial}".strip()
        guide_opening.refuse_replay(self.wishes, simulated=self.simulated, recording=self.recording)
        self.senses = Senses(self.plan, driver, patient, self.recording)
        self.diary.open(guide_opening.meta(self), now_us)
        try:
            self.senses.keep(self.diary.raw_path)
        except StimctlError:
            self.diary.close("not begun", {}, now_us)
            raise
        self.opened = True
        self.diary.write("output-disabled", {}, now_us)

    def next_wake_us(self, now_us: int) -> int:
        """When :meth:`tick` must run again at the latest."""
        marks = [now_us + (IDLE_US if self.opened else WAIT_US)]
        if (due_us := self.guide.next_change_us(now_us)) is not None:
            marks.append(due_us)
        if self.senses is not None and (due_us := self.senses.next_due_us()) is not None:
            marks.append(due_us)
        if self.link is not None and (due_us := self.link.next_event_us(now_us)) is not None:
            marks.append(due_us)
        return max(now_us + 1, min(marks))

    # --- end -----------------------------------------------------------------------------------------------------

    def end(self, outcome: str, now_us: int) -> None:
        """Close the record and whatever was opened."""
        if self.ended:
            return
        if outcome == "closed":
            outcome = "complete" if self.guide.complete else "ended early"
        self.now_us = now_us
        if self.wear.on:
            guide_desk.take_off(self, now_us)
        self._ended_as = self.output
        if self.senses is not None:
            self.senses.close()
        if self.link is not None:
            self.link.driver.close()
        self.diary.close(outcome, guide_opening.totals(self, now_us), now_us)

    def close(self, reason: str, now_us: int) -> None:
        """The control process is going. Idempotent."""
        if self.ended:
            return
        if self.may_be_energised:
            self.stop_now(reason)
        if self.opened:
            self._take_stops(now_us)
        self.end(reason, now_us)
