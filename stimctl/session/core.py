"""One session: the stairwell between the rooms. It carries values; it decides nothing that a room can decide.

Orders come in, time passes in :meth:`Session.tick`, a frozen status goes out. The way of a pulse is always the same:
engine wishes, limiter judges, driver sends. A stop takes none of these steps: :meth:`Session.stop_now` trips the latch
and writes the stop frame from whichever thread it is called in, and the session hears of it afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, final

from stimctl.driver import DriverState
from stimctl.engine import Engine, Event
from stimctl.errors import LinkLost, OurBug, Refusal, StimctlError, UsageError
from stimctl.orders import Order, Status
from stimctl.orders import OrderKind as Kind
from stimctl.session import boardroom, desk, glove, listening, payloads, tasks
from stimctl.session.course import Course
from stimctl.session.diary import Diary
from stimctl.session.fingerprint import limits_sha256
from stimctl.session.following import Following
from stimctl.session.leading import OWN, own_hearing, source_of
from stimctl.session.measured import Measured
from stimctl.session.opening import Case, Reach, Wishes, board_facts, meta
from stimctl.session.preparation import Preparation
from stimctl.session.stage import OutputStage, came_after_a_stop
from stimctl.session.view import view
from stimctl.session.wording import CAN, out_of_place
from stimctl.units import MINUTE, MS

STALL_US: Final = 250 * MS
"""A control loop this late while armed is a fault of its own (hazard H31): half of the board's dead-man."""

IDLE_US: Final = 200 * MS
"""How often a session with nothing to do looks around."""

ARM_US: Final = 1_000 * MS
"""How long a board may take to arm."""

NOBODY_LOOKED: Final = "nobody looked at the skin"
"""Why a pause or a stop came of a look that was overdue."""

HERE: Final = Reach()
"""A terminal at the board."""


@final
class Session(Course):
    """One session, from the choice of a protocol to the closed record.

    ``clock`` is read only by the simulated board; everything else is told the time. All methods but
    :meth:`stop_now` and ``may_be_energised`` belong to the control loop's thread.
    """

    def __init__(
        self, diary: Diary, clock: Callable[[], int], *, wishes: Wishes, seed: int = 0, reach: Reach = HERE
    ) -> None:
        super().__init__(diary, clock, wishes=wishes, seed=seed, reach=reach)
        self._stirred = False

    # --- orders -------------------------------------------------------------------------------------------------

    def order(self, order: Order, now_us: int) -> None:
        """Carry out one order; raises :class:`StimctlError` with what is wrong, and keeps it for the status."""
        try:
            self._take_stops(now_us)
            if order.kind not in CAN[self.state]:
                raise UsageError(out_of_place(order.kind, self.state))
            if self._intent is not None and order.kind not in (Kind.NOTE, Kind.PRESENT):
                raise UsageError("the board is arming; give the order again when it has")
            self._carry_out(order, now_us)
            self.refusal = ""  # what an order before it was refused for is over, now that one was taken
            if self._engine is not None:
                if not order.repeated:
                    self.engine.attend(now_us)  # only what was carried out: a jammed key is refused for ever, too
                self.deliver(now_us)  # a lower level does not wait for the next pass
                self.diary.hasten()  # a process killed a moment later has still recorded who raised what
        except StimctlError as error:
            self.keep_refusal(error, now_us)
            raise

    def _carry_out(self, order: Order, now_us: int) -> None:
        if order.kind is Kind.OPEN:
            order = replace(order, robot=order.robot or self.wishes.robot)  # a screen does not ask for it
            self.wishes = Wishes(order.protocol, order.patient, order.side, order.board, order.emg, order.robot)
            self.connection.open(order, now_us)  # the board's answer is taken in a later pass
        elif order.kind is Kind.CLOSE:
            if self._stage is not None and not self.stage.at_rest and self.stage.driver.state is not DriverState.LOST:
                raise UsageError("the board has not confirmed zero yet; close again when it has")
            self.end("closed", now_us)
        else:
            desk.ORDERS[order.kind](self, order, now_us)

    # --- opening ------------------------------------------------------------------------------------------------

    def _take_connection(self, now_us: int) -> None:
        """A board that has answered, for the first time or again."""
        try:
            case = self.connection.opened(now_us)
            if case is not None:
                self._begin(case, now_us)
            link = self.connection.found(now_us)
            if link is not None:
                self.stage.driver = link.driver
                if self.hearing is not None:
                    self.hearing.hear_through(link.driver, now_us)
                self.refusal = ""  # it is not looked for any more
                self.diary.write("link-found", {}, now_us, boardroom.back_text(link.driver.facts))
        except StimctlError as error:
            self.refusal = str(error)
            if self.case is None:
                self.connection.let_go()

    def _begin(self, case: Case, now_us: int) -> None:
        """Everything is known: build the rooms, open the record, ask the questions."""
        link = self.connection.link
        assert link is not None
        stage = OutputStage(self.latch, link.driver)
        hearing = None
        if case.schedule.ear is not None:
            from stimctl.session.hearing import Hearing  # brings NumPy, which only listening needs

            hearing = Hearing(case.recording, case.schedule.ear, link.driver)
        if (control := case.schedule.control) is not None:
            hearing = own_hearing(control, link) if control.source == OWN else hearing
            self.following = Following(control, source_of(control, link, hearing))
        if self.glove is not None:
            self.glove.close()  # of an opening that came to nothing
        self.glove = glove.opened(case.schedule, case.wishes.robot, self.seed)
        self.diary.open(meta(case, board_facts(link), self._circumstances(case)), now_us)
        try:
            if hearing is not None:
                hearing.keep(self.diary.raw_path)
        except StimctlError:
            self.diary.close("not begun", {}, now_us)  # half a session would be neither this one nor the next
            raise
        self.case, self.wishes, self._stage, self.hearing = case, case.wishes, stage, hearing
        self._preparation, self._measured = (
            Preparation(case.schedule),
            Measured(case.schedule, senses_current=case.senses_current),
        )
        self._engine = Engine(case.schedule, now_us)
        self.selected = case.schedule.channels[0].channel
        self._happen(Event.OPEN, now_us)

    def _circumstances(self, case: Case) -> dict[str, object]:
        """What else a record is to tell of the beginning."""
        return {
            **({"seed": self.seed} if case.simulated else {}),
            **({"robot": self.glove.source.name} if self.glove is not None else {}),
            **({"terminal": reached} if (reached := self.reach.to(case.wishes.board)) else {}),
            "limits": limits_sha256(),
        }

    # --- time ---------------------------------------------------------------------------------------------------

    def tick(self, now_us: int) -> None:
        """One pass of the control loop: stops, board, ears, engine, and last the beat to the board."""
        self._take_stops(now_us)
        self._take_connection(now_us)
        if self._engine is None or self.ended:
            return
        self._watch_the_clock(now_us)
        for event in self.stage.poll(now_us):
            boardroom.take(self, event, now_us)
        onset = listening.heard(self, now_us)
        turned = self.glove is not None and self.glove.heard(self, now_us)
        key, self.switched = self.switched or turned, False
        control_ppm = self.following.heard(self, now_us) if self.following is not None else None
        self._time_brought(self.engine.step(now_us, onset=onset, key=key, control_ppm=control_ppm), now_us)
        listening.end_with_the_recording(self, now_us)
        if self.following is not None:
            self.following.follow_up(self, now_us)
        self._mind_the_skin(now_us)
        self._follow_the_engine(now_us)
        if self.engine.armed:
            self._armed_us = now_us
            if now_us - self._timed_us >= MINUTE:
                self.note_site_times(now_us)
        self.deliver(now_us)
        tasks.follow(self, now_us)
        self.stage.beat(now_us)
        self._stirred = boardroom.take_answers(self, now_us)
        self._was_off = self.stage.at_rest or self.latch.tripped
        if self.diary.failed and self.engine.armed:
            self.fault(f"the record cannot be written: {self.diary.failed}", now_us)

    def _watch_the_clock(self, now_us: int) -> None:
        last_us, self._ticked_us = self._ticked_us, now_us
        if last_us is not None and self.engine.armed and not 0 <= now_us - last_us <= STALL_US:
            self.fault(f"the control loop was {(now_us - last_us) // MS} ms late", now_us)
        if self._intent is not None and now_us - self._intent[2] > ARM_US:
            self.fault("the board did not arm; check its stop button and contacts, then clear", now_us)

    def _mind_the_skin(self, now_us: int) -> None:
        """Pause where a look at the skin is overdue that nothing else can stand in for."""
        self.skin.pass_to(now_us, armed=self.engine.armed)
        if self.engine.armed and self.skin.overdue:
            if self.engine.can(Event.PAUSE):
                self.happen(Event.PAUSE, now_us, reason=NOBODY_LOOKED)
            else:
                self.stop_now(NOBODY_LOOKED)
                self._take_stops(now_us)
            self.diary.say("Nobody looked at the skin where the patient may not feel it: look now, K records it")

    def deliver(self, now_us: int) -> None:
        """Have the engine's wish judged and sent; what is refused is a fault."""
        if not self.engine.armed or self.latch.tripped:
            return
        try:
            self.stage.deliver(self.engine.command(), now_us)
        except Refusal as refusal:
            if came_after_a_stop(refusal):
                return  # nothing was judged; the next pass hears why it was stopped
            self.fault(f"the limiter refused: {refusal}", now_us)  # the stop first: a record may wait for its disk
            self.diary.write("refusal", payloads.refusal_payload(refusal, self.engine.schedule), now_us)
        except (LinkLost, OurBug) as error:
            self.fault(str(error), now_us)

    def next_wake_us(self, now_us: int) -> int:
        """When :meth:`tick` must run again at the latest."""
        wake_us = now_us + (1 if self._stirred or self.switched else IDLE_US)
        if self._engine is not None and self.engine.armed:
            wake_us = min(wake_us, self.engine.next_change_us(now_us))
        if self._stage is not None:
            wake_us = min(wake_us, self._stage.next_wake_us(now_us))
        if self.hearing is not None and (due_us := self.hearing.next_due_us()) is not None:
            wake_us = min(wake_us, due_us)
        if self.following is not None and (due_us := self.following.next_due_us(now_us)) is not None:
            wake_us = min(wake_us, due_us)
        if self.glove is not None and (due_us := self.glove.next_due_us(self, now_us)) is not None:
            wake_us = min(wake_us, due_us)
        return max(self.connection.next_wake_us(now_us, wake_us), now_us + 1)

    # --- end ----------------------------------------------------------------------------------------------------

    def end(self, outcome: str, now_us: int) -> None:
        """Close the record and the port. What the board has confirmed by now is what stays known."""
        if self.ended:
            return
        if outcome == "closed" and self._engine is not None:
            outcome = "complete" if self.engine.complete else "ended early"
        if self._stage is not None:
            self.note_site_times(now_us)
        self._ended_as = self.output
        self.connection.close()
        if self.hearing is not None:
            self.hearing.close()
        if self.glove is not None:
            self.glove.close()
        self.diary.close(outcome, self.totals(), now_us)

    def close(self, reason: str, now_us: int) -> None:
        """The control process is going: stop, unless the board is known to be at zero, and end."""
        if self.ended:
            return
        if self.may_be_energised:
            self.stop_now(reason)
        self._take_stops(now_us)
        self.end(reason, now_us)

    def status(self, now_us: int) -> Status:
        """Everything that a face may show, frozen."""
        return view(self, now_us)
