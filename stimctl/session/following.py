"""What leads a session: a signal's source, today's range, the law, and what is said and recorded of it.

Nothing here sends anything: a share goes to the engine, and what the engine makes of it is judged like everything else.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, final

from stimctl.engine import Event, State
from stimctl.engine.following import Follower, Lost, Reading
from stimctl.errors import UsageError
from stimctl.orders import OrderKind as Kind
from stimctl.schedule import FULL_PPM, ControlPlan
from stimctl.sensors.signals import MayHearPulses, OpenSignal, Sample, SignalSource
from stimctl.session import effort, listening
from stimctl.session.calibration import LOOK_US, STEPS, Calibration
from stimctl.session.leading import OWN, cue, lead, let_go, wording
from stimctl.session.losses import Gaps
from stimctl.session.wording import out_of_place
from stimctl.units import SECOND

if TYPE_CHECKING:
    from stimctl.session.core import Session

GONE_US: Final = 3 * SECOND
"""A signal that is lost for this long without a break pauses the treatment: somebody has to look at the sensor (project)."""

_LED: Final = (State.TRIAL, State.REST, State.BURST)
"""The armed states in which a signal leads; thresholds are found without one."""

_BAR: Final = 20


@final
class Following:
    """One signal and what follows it, for one session. All times are session µs."""

    def __init__(self, plan: ControlPlan, source: SignalSource) -> None:
        self.plan, self.source = plan, source
        self.follower = Follower(plan)
        self.wording = wording(plan)
        self.calibration = Calibration(plan, self.wording.full)
        self._named = source if isinstance(source, OpenSignal) else None
        self._hears_pulses = source if isinstance(source, MayHearPulses) else None
        self._gaps = Gaps("control")
        self.losses = self.openings = self.followed = 0
        self._was_armed = False
        self._opened_in: State | None = None
        self._place_ppm: int | None = None
        self._most_ppm = 0
        self._lost_us: int | None = None
        self._doubts_thresholds = False

    # --- every pass ------------------------------------------------------------------------------------------------

    def heard(self, session: Session, now_us: int) -> int:
        """The share that the signal asks for now, in ppm; also let a calibration go on."""
        if self._hears_pulses is not None:
            flowing = any(lane.stepped_ua for lane in session.engine.lanes.values())
            self._hears_pulses.expect(stimulated=flowing, led=session.state is not State.TITRATING)
        sample = self.source.read(now_us)
        if self._named is not None:
            self._gaps.tell(self._named.losses, session.diary, now_us)
        self._mind_the_thresholds(session.state)
        if self.calibration.measuring:
            self._measure(session, sample, now_us)
        armed = session.state in _LED
        if armed and not self._was_armed:
            self.follower.latch()
        self._was_armed = armed
        was_lost, reading = self.follower.lost, self._reading(sample, now_us)
        self._place_ppm = reading.value_ppm if reading is not None else None
        ppm = self.follower.step(now_us, reading)
        self._note_loss(session, was_lost, now_us, armed=armed)
        return ppm

    def _mind_the_thresholds(self, state: State) -> None:
        """A doubt ends with the thresholds that it is about; a muscle's range was judged by how those were heard."""
        self._doubts_thresholds = self._doubts_thresholds and state is State.READY
        if state is State.TITRATING and self._hears_pulses is not None and self.calibration.range is not None:
            self.calibration.start_anew()

    def _reading(self, sample: Sample | None, now_us: int) -> Reading | None:
        found = self.calibration.range
        if sample is None or found is None or not math.isfinite(sample.value):
            return None
        return Reading(found.place_ppm(sample.value), now_us - sample.at_us)

    def _note_loss(self, session: Session, was_lost: Lost | None, now_us: int, *, armed: bool) -> None:
        lost = self.follower.lost
        if lost is None or not armed:
            if was_lost is not None and armed:
                session.diary.write(
                    "control-back", {}, now_us, f"The signal is back: zero until {self.wording.who} has rested"
                )
            self._lost_us = None
        elif self._lost_us is None:
            self._lost_us = now_us
            self.losses += 1
            why = lost.value if self._named is None else self._named.trouble or lost.value
            session.diary.write("control-lost", {"why": why}, now_us, f"The signal is {lost.value}: zero")

    def follow_up(self, session: Session, now_us: int) -> None:
        """After the engine's step: cues to the simulated patient, openings for the record, a pause where it is gone."""
        opening = session.state in (State.BURST, State.TRIAL) and bool(session.engine.cue)
        if opening and self._opened_in is None:
            self._cue(session, now_us)
        elif not opening and self._opened_in is not None:
            self._let_go(session, now_us)
        if opening:
            self._most_ppm = max(self._most_ppm, self.follower.ppm)
        if self._lost_us is not None and now_us - self._lost_us >= GONE_US and session.engine.can(Event.PAUSE):
            self._lost_us = None
            trouble = "" if self._named is None else self._named.trouble
            session.happen(Event.PAUSE, now_us, reason=trouble or "the signal is gone")
            session.diary.say("Paused: the signal is gone; look at the sensor, then resume, or finish")

    def _cue(self, session: Session, now_us: int) -> None:
        self._opened_in, self._most_ppm = session.state, 0
        cue(self.plan, session.link, now_us)

    def _let_go(self, session: Session, now_us: int) -> None:
        let_go(self.plan, session.link, now_us)
        if self.plan.source == OWN:
            self.follower.latch()  # a muscle that does not let go in the rest is one in spasm, or one that hears itself
        opened_in, self._opened_in = self._opened_in, None
        if opened_in is State.BURST:
            self.openings += 1
            self.followed += self._most_ppm > 0
            session.diary.write("opening", {"most_percent": _percent(self._most_ppm)}, now_us)

    # --- today's range ---------------------------------------------------------------------------------------------

    def begin_measuring(self, session: Session, now_us: int) -> None:
        """Measure the next end of the range, output off; or, where no range would do, go back to the thresholds."""
        if self.calibration.measuring:
            raise UsageError("the signal is being measured; wait until it is done")
        if self._doubts_thresholds:
            self._doubts_thresholds = False
            session.preparation.void_thresholds()
            session.happen(Event.EXPIRED, now_us, reason="the muscle would drive itself")
            return
        self.calibration.begin(now_us)
        (let_go if self.calibration.step == STEPS[0] else lead)(self.plan, session.link, now_us)

    def _measure(self, session: Session, sample: Sample | None, now_us: int) -> None:
        if session.state is not State.READY:
            self.calibration.start_anew()
            let_go(self.plan, session.link, now_us)
            return
        try:
            done = self.calibration.hear(sample, self.source, now_us)
            self._refuse_to_hear_itself()
        except UsageError as error:
            session.refusal = str(error)
            session.diary.write("control-unmeasured", {"why": str(error)}, now_us)
            done = False
        if not self.calibration.measuring:
            let_go(self.plan, session.link, now_us)
        found = self.calibration.range
        if done and found is not None:
            facts = {"rest": round(found.rest, 3), "open": round(found.full, 3), "unit": self.source.unit}
            session.diary.write("control-range", {**facts, "source": self.source.name}, now_us, self._range_words())

    def _refuse_to_hear_itself(self) -> None:
        """The dead zone lies above what stimulation alone was heard as, while thresholds were found (B.3, H24, H26)."""
        found = self.calibration.range
        if found is None or self._hears_pulses is None:
            return
        unasked_uv = self._hears_pulses.unasked_uv
        share = None if unasked_uv is None else found.place_ppm(unasked_uv)
        if share is not None and share < self.plan.floor_ppm:
            return
        self.calibration.start_anew()
        self._doubts_thresholds = True
        if share is None:
            raise UsageError(
                "nothing was heard while thresholds were found, so that it is not known what stimulation sounds like:"
                " find the thresholds again"
            )
        raise UsageError(
            f"while thresholds were found, stimulation alone was heard as {_percent(share)} % of this range, and the dead zone"
            f" ends at {_percent(self.plan.floor_ppm)} %: it would drive itself; find the thresholds again, both hands relaxed"
        )

    def require_range(self) -> None:
        """Raise :class:`UsageError` where today's range is not known: nothing is armed before."""
        if self.calibration.range is None:
            raise UsageError(f"measure the signal first: {self.wording.who} at rest, then {self.wording.full} (Enter)")

    def next_due_us(self, now_us: int) -> int | None:
        """When the signal is to be looked at, apart from the engine's own wishes."""
        return now_us + LOOK_US if self.calibration.measuring else None

    # --- for people --------------------------------------------------------------------------------------------------

    def can(self, listed: tuple[Kind, ...], state: State) -> tuple[Kind, ...]:
        """The orders that make sense now: measuring before the start."""
        if state is not State.READY:
            return listed
        measuring, known = self.calibration.measuring, self.calibration.range is not None
        away = {Kind.START} if not known or measuring else set()
        away |= {Kind.NEXT} if measuring else set()
        return tuple(kind for kind in listed if kind not in away)

    def words(self, session: Session) -> str:
        """What to do now, with the signal as a bar; "" where there is nothing of its own to say."""
        state = session.state
        if state is State.READY:
            return self._ready_words()
        if state not in _LED:
            return ""
        if self.follower.lost is not None:
            return f"The signal is {self.follower.lost.value}: zero. Look at {self.wording.sensor}."
        if cue := session.engine.cue:
            said = self.wording.let_go_first if self.follower.latched else f"Now: {cue.rstrip('.!')}"
        else:
            said = self.wording.let_go
        raising = "Raise to the working level; then begin. " if state is State.TRIAL else ""
        return f"{raising}{said}. Signal {self.bar}"

    def _ready_words(self) -> str:
        words, at_rest = self.wording, self.calibration.step == STEPS[0]
        if self._doubts_thresholds:
            return "Output off. Look at the EMG electrodes. Enter: back to the thresholds, both hands relaxed."
        if self.calibration.measuring:
            return f"Output off. {words.measures_rest if at_rest else words.measures_full} ..."
        if self.calibration.range is None:
            return f"Output off. {words.is_at_rest if at_rest else words.is_at_full}: Enter measures it."
        return f"{self._range_words()}. Start: the stage arms at zero. Enter measures again."

    def _range_words(self) -> str:
        found = self.calibration.range
        assert found is not None
        return f"{self.wording.range_of}: {found.rest:.3g} to {found.full:.3g} {self.source.unit}"

    @property
    def bar(self) -> str:
        """The signal's place in today's range, as a bar and in percent; from 0 to 100."""
        percent = max(0, min(100, _percent(self._place_ppm or 0)))
        filled = percent * _BAR // 100
        return f"[{'#' * filled}{'.' * (_BAR - filled)}] {percent} %"

    def review_lines(self) -> tuple[str, ...]:
        """How the session was led."""
        found = self.calibration.range
        known = (self._range_words(),) if found is not None else ()
        led = f"Openings led by {self.wording.who}: {self.followed} of {self.openings}{self._share_text()}"
        return *known, f"{led}; signal lost {self.losses} times"

    def _share_text(self) -> str:
        return f" ({100 * self.followed // self.openings} % voluntary)" if self.openings else ""

    def account(self) -> dict[str, object]:
        """The same in numbers: the share of the openings that the patient led, in percent."""
        share = 100 * self.followed // self.openings if self.openings else None
        return {"led": self.followed, "of": self.openings, "led_percent": share, "signal_losses": self.losses}


def begin_measuring(session: Session, now_us: int) -> None:
    """The order to go on where everything is ready: only what is heard or followed has something to be measured there."""
    if session.following is not None:
        session.following.begin_measuring(session, now_us)
    elif session.hearing is not None and listening.is_trying(session):
        effort.begin(session, session.hearing.ear, now_us)
    else:
        raise UsageError(out_of_place(Kind.NEXT, State.READY))


def can(session: Session, listed: tuple[Kind, ...]) -> tuple[Kind, ...]:
    """``listed`` without what only measuring is for, where nothing is heard or followed."""
    if session.following is not None:
        return session.following.can(listed, session.state)
    if session.state is not State.READY:
        return listed
    heard = session.hearing is not None and listening.is_trying(session)
    measuring = heard and session.hearing is not None and session.hearing.ear.range.measuring
    away = {Kind.NEXT, Kind.START} if measuring else set() if heard else {Kind.NEXT}
    return tuple(kind for kind in listed if kind not in away)


def _percent(ppm: int) -> int:
    return ppm * 100 // FULL_PPM
