"""How far a treatment has come: repetitions, sets, how bursts came about, and what has flowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from stimctl.engine.lanes import Lane
from stimctl.engine.table import Event, State, state_words
from stimctl.orders import Counts, Progress
from stimctl.schedule import Advance, Schedule

Phase = tuple[str, int, int]
"""Name of a phase, how long it has lasted, and how long it is (0: nobody knows); µs."""

SCRIPT: Final = "script"
"""How the phases of a script begin, each a sentence that is read aloud."""

SCRIPT_LAST: Final = "script, then try"
"""The phase of its last sentence."""

_TREATING: Final = frozenset({State.REST, State.LISTENING, State.BURST})
"""States whose time is the treatment's; that of a pause, a stop or a trial is nobody's dose."""


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
    script_us: int = 0
    """Time of the scripts before attempts, which is no practice."""


@final
class Dose:
    """The prescription's counter. An attempt counts as a repetition whether it was heard or missed."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self.tally = Tally()
        self.repetition, self.set = 0, 1
        self.rest_us = 0
        """How long the rest is that follows now, with the script at its end."""
        self._script_us = 0
        self._treated_us = 0

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
        rest_us = max(schedule.movement.rest_us if schedule.movement else 0, lockout_us)
        self.repetition += 1
        if self.done:
            self.rest_us = self._script_us = 0
            return
        if self.repetition >= schedule.repetitions:
            self.repetition, self.set = 0, self.set + 1
            rest_us = max(rest_us, schedule.set_rest_us)
        self.begin_rest(rest_us)

    def begin_rest(self, rest_us: int) -> None:
        """Rest for so long, and then listen to the script where there is one."""
        self._script_us = self._schedule.trigger.script_us if self._schedule.trigger else 0
        self.rest_us = rest_us + self._script_us

    def spoken(self, state: State, elapsed_us: int) -> tuple[int, int] | None:
        """Which sentence of the script is read, from 0, and for how long already; ``None`` where none is."""
        trigger, into_us = self._schedule.trigger, elapsed_us - self.rest_us + self._script_us
        if state is not State.REST or trigger is None or not 0 <= into_us < self._script_us:
            return None
        index = 0
        while into_us >= trigger.script[index].length_us:
            into_us -= trigger.script[index].length_us
            index += 1
        return index, into_us

    def counts(self, lanes: tuple[Lane, ...], phases: tuple[int, int, int] = (0, 0, 0)) -> Counts:
        """The dose so far; charge per phase in µC, summed over outputs. ``phases``: met, missed, skipped."""
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
            *phases,
            by=self._sets_off,
        )

    @property
    def _sets_off(self) -> str:
        """What sets a movement off, by the word of :class:`Counts`: nobody's effort is counted where a robot leads."""
        trigger = self._schedule.trigger
        return "" if trigger is None else "robot" if trigger.robot else trigger.by.value

    def pass_time(self, state: State, elapsed_us: int) -> None:
        """``elapsed_us`` went by in ``state``, which is over now: treatment, or a pause, a stop, a trial."""
        if state in _TREATING:
            self._treated_us += elapsed_us
        if state is State.REST:
            self.tally.script_us += max(0, min(self._script_us, elapsed_us - self.rest_us + self._script_us))

    def progress(self, state: State, phase: Phase | None, elapsed_us: int, flowed_us: int, cue: str = "") -> Progress:
        """The place in the prescription, ``elapsed_us`` into ``state``: an attempt under way is the present repetition.

        ``phase`` is the burst's, where one is under way. Where current flows on, nothing is repeated: 0 of 0.
        """
        schedule = self._schedule
        under_way = state in (State.BURST, State.LISTENING)
        repeats = not schedule.continuous
        treated_us = self._treated_us + (elapsed_us if state in _TREATING else 0)
        return Progress(
            *(phase or self._phase(state, elapsed_us, flowed_us)),
            repetition=min(self.repetition + under_way, schedule.repetitions) if repeats else 0,
            repetitions=schedule.repetitions if repeats else 0,
            set=self.set if repeats else 0,
            sets=schedule.sets if repeats else 0,
            session_elapsed_us=treated_us if repeats else flowed_us,
            session_length_us=schedule.longest_us,
            cue=cue or self._said(state, elapsed_us),
        )

    def _said(self, state: State, elapsed_us: int) -> str:
        """The sentence that is read aloud now, or what the patient is to try; "" where neither is."""
        spoken, trigger = self.spoken(state, elapsed_us), self._schedule.trigger
        if trigger is not None and state is State.LISTENING:
            return trigger.say
        return trigger.script[spoken[0]].say if spoken is not None and trigger is not None else ""

    def _phase(self, state: State, elapsed_us: int, flowed_us: int) -> Phase:
        schedule = self._schedule
        words = state_words(state, continuous=schedule.continuous)
        if (spoken := self.spoken(state, elapsed_us)) is not None and schedule.trigger is not None:
            index, since_us = spoken
            last = index == len(schedule.trigger.script) - 1
            return SCRIPT_LAST if last else f"{SCRIPT} {index + 1}", since_us, schedule.trigger.script[index].length_us
        if state is State.REST:
            return words, min(elapsed_us, self.rest_us), self.rest_us
        if state is State.LISTENING and schedule.trigger:
            if schedule.trigger.robot:
                return "glove awaited", elapsed_us, schedule.trigger.window_us
            awaited = "switch awaited" if schedule.trigger.by is Advance.KEY else "attempt awaited"
            waiting = "waiting, then burst" if schedule.trigger.assist_missed else awaited
            return waiting, elapsed_us, schedule.trigger.window_us
        if state is State.FLOWING:
            return words, flowed_us, schedule.flow_us
        return words, elapsed_us, 0
