"""The dry flight: the whole schedule, at the most it can become, through a fresh limiter on a fake clock.

Load time and run time are judged by the same engine and the same limiter (design rule 8). Every channel is taken to its
maximum, every trigger comes the moment it is listened for, nobody is ever slow: what passes here passes with less, too.
What may end a phase comes at once in every second movement and never in the others; a control signal asks for everything.
A robot glove opens whenever it is waited for; in a further short flight it turns in the midst of every second movement.
Where one is followed, further short flights have none, and one that rises and breaks off again and again.
Repetitions that are shown to be the same again are flown once (:mod:`stimctl.session.recurrence`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple, final

from stimctl.engine import LATE_US, Engine, Event, State
from stimctl.errors import Refusal
from stimctl.limits import ABSOLUTE, Limits, Sensation
from stimctl.pulse import Command, Output
from stimctl.safety import Finding, Latch, Limiter
from stimctl.schedule import CONTROL_PERIOD_US, FULL_PPM, Advance, ChannelPlan, Schedule
from stimctl.session.placing import placements
from stimctl.session.pressing import press_ua
from stimctl.session.recurrence import STRIDE_US, Shorter, Watch, shorter
from stimctl.units import MS

_PRESS_US: Final = 500 * MS
_BREAKS_OFF_US: Final = 1_300 * MS
_SHORT: Final = 4  # movements
_TURNS_US: Final = 1_700 * MS


Signal = Callable[[int], int | None]
"""A control signal in ppm at a moment of the flight."""


def _full(_now_us: int) -> int:
    return FULL_PPM


def _none(_now_us: int) -> None:
    return None


def _breaking_off(now_us: int) -> int:
    """Through every share on the way up, and at once to nothing."""
    return FULL_PPM * (now_us % _BREAKS_OFF_US) // _BREAKS_OFF_US


@final
class Rehearsal(NamedTuple):
    """What the flight showed: how long the treatment was, what flowed at most, and the warn column's findings."""

    length_us: int
    bursts: int
    on_time_us: int
    charge_uc: int
    warnings: tuple[Finding, ...]


def rehearse(
    schedule: Schedule, board: Limits = ABSOLUTE, *, senses_impedance: bool = True, whole: bool = True
) -> Rehearsal:
    """Fly ``schedule`` for a board with these limits; raises :class:`Refusal` at the first thing the limiter refuses.

    Not ``whole``: repetitions that are shown to be the same again are flown once (decision 15).
    """
    flown = None if whole else _abridged(schedule, board, senses_impedance=senses_impedance)
    if flown is None:
        flown = _Flight(schedule, board, senses_impedance=senses_impedance).fly()
    short = replace(schedule, repetitions=min(_SHORT, schedule.repetitions), sets=1)
    if schedule.trigger is not None and schedule.trigger.robot:
        _Flight(short, board, senses_impedance=senses_impedance, turns=True).fly()
    if schedule.control is not None:
        for signal in (_none, _breaking_off):
            _Flight(short, board, senses_impedance=senses_impedance, signal=signal).fly()
    return flown


def _abridged(schedule: Schedule, board: Limits, *, senses_impedance: bool) -> Rehearsal | None:
    """The flight of ``schedule`` by way of a shorter one, to the last digit; ``None`` where that shows nothing.

    So it does at any refusal: the whole flight then says what is refused, and when.
    """
    short = shorter(schedule)
    if short is None:
        return None
    try:
        return _Flight(short.schedule, board, senses_impedance=senses_impedance, short=short).fly_for_all()
    except Refusal:
        return None


@final
class _Flight:
    def __init__(
        self,
        schedule: Schedule,
        board: Limits,
        *,
        senses_impedance: bool,
        signal: Signal = _full,
        turns: bool = False,
        short: Shorter | None = None,
    ) -> None:
        self._schedule, self._signal, self._turns = schedule, signal, turns
        self._now_us = 0
        self._engine = Engine(schedule)
        placed = placements(schedule, lambda _site: Sensation.NORMAL)
        self._limiter = Limiter(placed, board, Latch(), senses_impedance=senses_impedance, now_us=0)
        self._most = Command(tuple(Output(plan.channel, plan.train(plan.max_ua)) for plan in schedule.channels))
        self._watch = None if short is None else Watch(self._engine, self._limiter, short)

    def fly_for_all(self) -> Rehearsal | None:
        """The flight of the schedule that this one is short for; ``None`` unless what was left out is the same again."""
        flown, watch = self.fly(), self._watch
        if watch is None or not watch.fits():
            return None
        charge_e9pc = sum(lane.charge_e9pc for lane in self._engine.lanes.values())
        return flown._replace(
            length_us=flown.length_us + watch.left_out(lambda mark: mark.now_us),
            bursts=flown.bursts + watch.left_out(lambda mark: mark.delivered),
            on_time_us=flown.on_time_us + watch.left_out(lambda mark: mark.on_time_us),
            charge_uc=(charge_e9pc + watch.left_out(lambda mark: mark.charge_e9pc)) // 10**15,
        )

    def fly(self) -> Rehearsal:
        warnings = self._limiter.review(self._most, 0)
        for event in (Event.OPEN, Event.SCREENED, Event.PLACED):
            self._engine.happen(event, 0)
        for plan in self._schedule.channels:
            self._find(plan)
        began_us = self._treat()
        counts = self._engine.counts()
        return Rehearsal(self._now_us - began_us, counts.delivered, counts.on_time_us, counts.charge_uc, warnings)

    def _find(self, plan: ChannelPlan) -> None:
        """Titrate one channel to its maximum, as an operator would, and take that for its ceiling."""
        self._engine.titrate(plan.channel, self._now_us)
        self._limiter.open_titration(plan.channel, self._now_us)
        self._raise_all((plan,))
        while self._engine.lanes[plan.channel].stepped_ua < plan.max_ua:
            self._on()
        self._limiter.set_ceiling(plan.channel, plan.train(plan.max_ua), self._now_us)
        last = plan is self._schedule.channels[-1]
        self._engine.happen(Event.ALL_FOUND if last else Event.CHANNEL_FOUND, self._now_us)
        self._limiter.approve(self._engine.command(), self._now_us)  # zero first, then the lock
        self._limiter.close()

    def _treat(self) -> int:
        """The treatment from start to end; returns when counting began."""
        self._engine.happen(Event.START, self._now_us)
        self._limiter.open_treatment(self._now_us)
        self._raise_all(self._schedule.channels)
        self._engine.happen(Event.BEGIN, self._now_us)
        self._judge()
        began_us = self._now_us
        while self._engine.state is not State.REVIEW:
            self._on()
        return began_us

    def _raise_all(self, plans: tuple[ChannelPlan, ...]) -> None:
        for plan in plans:
            level_ua = 0
            while level_ua < plan.max_ua:
                level_ua = min(level_ua + press_ua(plan), plan.max_ua)
                self._on(_PRESS_US)
                self._limiter.raise_level(plan.channel, plan.train(level_ua), self._now_us)
                self._engine.set_level(plan.channel, level_ua, self._now_us)

    def _on(self, stretch_us: int = 0) -> None:
        """On to the engine's next change, or by ``stretch_us`` through all the changes on the way."""
        until_us = self._now_us + stretch_us
        while True:
            wake_us = min(
                self._engine.next_change_us(self._now_us, self._period_us()), self._now_us + self._stride_us()
            )
            self._now_us = min(wake_us, until_us) if stretch_us else wake_us
            self._judge()
            if self._now_us >= until_us:
                return

    def _stride_us(self) -> int:
        return CONTROL_PERIOD_US if self._engine.state is State.LISTENING else STRIDE_US

    def _period_us(self) -> int:
        """The first burst in the control loop's own period, the others twice as fast: the longest it may ever take."""
        return CONTROL_PERIOD_US if self._engine.dose.tally.delivered == 0 else LATE_US

    def _judge(self) -> None:
        engine = self._engine
        engine.attend(self._now_us)
        waited = engine.state is State.LISTENING
        early = Advance.TIME if engine.dose.tally.delivered % 2 == 0 else engine.awaits
        engine.step(
            self._now_us,
            onset=waited or early is Advance.ATTEMPT,
            key=waited or early is Advance.KEY or self._glove_turns(),
            control_ppm=self._signal(self._now_us),
        )
        if engine.armed:
            self._limiter.approve(engine.command(), self._now_us)
            if self._watch is not None:
                self._watch.look(self._now_us)

    def _glove_turns(self) -> bool:
        """Whether a robot glove turns while a movement is under way, at moments that fit nothing in it."""
        engine = self._engine
        if not self._turns or engine.state is not State.BURST:
            return False
        return engine.dose.tally.delivered % 2 == 1 and self._now_us % _TURNS_US < CONTROL_PERIOD_US
