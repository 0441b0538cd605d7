"""One run on a dummy load: what comes after what, what the board's words mean for it, and what is found.

It decides nothing that a limiter or an engine decides. :class:`~stimctl.session.bench.Bench` drives it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final, final

from stimctl.boards import BoardFacts
from stimctl.driver import OutputState
from stimctl.engine import Engine, Event
from stimctl.errors import BoardFault, LinkTimeout, OurBug, UsageError
from stimctl.limits import Sensation
from stimctl.records.profiles import Step
from stimctl.safety import Latch
from stimctl.schedule import ChannelPlan
from stimctl.session import bench_plan, bench_result
from stimctl.session.bench_result import Result
from stimctl.session.link import open_link
from stimctl.session.stage import OutputStage
from stimctl.units import MS, SECOND, ma_text

SETTLE_US: Final = 300 * MS
"""How long a step stands before it is measured: a measurement is of the newest pulse, and may be two periods old."""

READINGS: Final = 3
"""So many measurements of each step; the one that is furthest off counts."""

PATIENCE_US: Final = 2 * SECOND
"""How long to wait for what a board tells of a step, or of having stopped by itself."""

ANSWER_US: Final = 30 * SECOND
"""After this nobody answers: the slowest board boots for 15 s."""

ZERO_US: Final = 5 * SECOND
"""A board that has not confirmed zero by then does not; sessions wait less (``control.loop``)."""

STOPPED: Final = "bench: the stop that is timed"
SILENCE_OVER: Final = "bench: the dead-man was tried"


@final
class Finale(Enum):
    """What a run ends with."""

    STOP = "steps of current, then a stop"
    DEAD_MAN = "a small current, then no heartbeats"


@final
class Phase(Enum):
    """Where a run stands. Each is one method of :class:`Bench`, or waits for the board."""

    OPENING = "asking the board who it is"
    ARMING = "arming, at zero"
    RISING = "raising"
    MEASURING = "measuring"
    SILENT = "withholding heartbeats"
    LOOKING = "looking whether it has stopped by itself"
    ENDING = "waiting for the board to confirm zero"
    OVER = "over"


DRIVEN: Final = frozenset({Phase.RISING, Phase.MEASURING, Phase.SILENT, Phase.LOOKING})


class Run:
    """The state of one run, and what changes it.

    ``who`` is the board that was asked before, and that the person has seen named: no other one is armed.
    """

    def __init__(self, url: str, output: int, who: BoardFacts, finale: Finale, clock: Callable[[], int]) -> None:
        self.latch = Latch()
        self.link = open_link(url, self.latch, clock=clock, seed=0, sites={output - 1: bench_plan.SITE})
        self.stage = OutputStage(self.latch, self.link.driver)
        self.who, self.output, self.finale = who, output, finale
        self.phase = Phase.OPENING
        self.result = Result()
        self.complete = False
        """Whether it came to its own end: everything was tried, or the board has failed."""
        self.lines: list[str] = []
        self.ours = False
        """Whether a stop that is in force is one of the run's own."""
        self.beat_us = 0
        """The last sign of progress that a board could have had."""
        self.since_us = clock()
        """When the present phase began."""
        self.levels: list[int] = []
        """The steps that are still to come, µA; the first is the one under way."""
        self.readings: list[int] = []
        self.told = False
        """Whether the board has said that it has taken the step under way."""
        self._plan: ChannelPlan | None = None
        self._engine: Engine | None = None
        self._press_us = 0

    @property
    def plan(self) -> ChannelPlan:
        """The output that is tried; raises :class:`OurBug` before the board has answered."""
        if self._plan is None:
            raise OurBug("the board has not answered yet")
        return self._plan

    @property
    def engine(self) -> Engine:
        """The engine; raises :class:`OurBug` before the board has answered."""
        if self._engine is None:
            raise OurBug("the board has not answered yet")
        return self._engine

    @property
    def has_begun(self) -> bool:
        """Whether the board has answered."""
        return self._plan is not None

    def begin(self, facts: BoardFacts, now_us: int) -> None:
        """Procedure D, step 1, on a bench: the schedule in the board's steps, flown; then armed at zero."""
        if facts != self.who:
            raise BoardFault("another board answered than the one that was named; nothing was armed, begin again")
        schedule = bench_plan.plan(self.output, facts, self.stage.driver)
        [self._plan] = schedule.channels
        self._engine = Engine(schedule, now_us)
        for event in (Event.OPEN, Event.SCREENED, Event.PLACED):  # a person has confirmed the load; there is no skin
            self._engine.happen(event, now_us)
        self.stage.prepare(schedule, lambda _site: Sensation.NORMAL, {}, now_us)
        levels = bench_plan.levels_ua(self.plan, self.stage.highest_ua(self.plan))
        if not levels:
            raise UsageError(f"{facts.name} has no step of current within the limits of a bench")
        self.levels = list(levels if self.finale is Finale.STOP else levels[:1])
        self.go(Phase.ARMING, now_us)
        self.stage.arm((bench_plan.setup(self.plan, self.levels[-1]),), now_us)

    def armed(self, now_us: int) -> None:
        """The board has armed at zero: now the limiter and the engine may."""
        if self.phase is not Phase.ARMING or self.latch.tripped:
            return
        self.lines.append(f"armed, at zero: output {self.output}")
        self.stage.limiter.open_titration(self.plan.channel, now_us)
        self.engine.titrate(self.plan.channel, now_us)
        self.go(Phase.RISING, now_us)

    def go(self, phase: Phase, now_us: int) -> None:
        """The next phase begins."""
        self.phase, self.since_us = phase, now_us

    def step(self, now_us: int) -> None:
        """Do what is due in the present phase; raises what ends the run without a result."""
        steps: dict[Phase, Callable[[int], None]] = {
            Phase.OPENING: self._wait,
            Phase.ARMING: self._wait,
            Phase.RISING: self._rise,
            Phase.MEASURING: self._measure,
            Phase.SILENT: self._wait_out,
            Phase.LOOKING: self._look,
            Phase.ENDING: self._end,
        }
        if self.phase in steps:
            steps[self.phase](now_us)

    # --- steps of current ----------------------------------------------------------------------------------------

    def _wait(self, now_us: int) -> None:
        if now_us - self.since_us >= ANSWER_US:
            raise LinkTimeout(f"{self.who.name} has not answered in {ANSWER_US // SECOND} s while {self.phase.value}")

    def _rise(self, now_us: int) -> None:
        """One press up when it is time for one; at the step, measure."""
        lane, aim_ua = self.engine.lanes[self.plan.channel], self.levels[0]
        if lane.level_ua < aim_ua:
            if now_us >= self._press_us:
                self._press(min(aim_ua, self.stage.raised_ua(self.plan, lane.level_ua)), now_us)
        elif lane.stepped_ua == aim_ua:
            self.go(Phase.MEASURING, now_us)

    def _press(self, level_ua: int, now_us: int) -> None:
        limits = self.stage.limiter.effective(self.plan.channel)
        self.stage.limiter.raise_level(self.plan.channel, self.plan.train(level_ua), now_us)
        self.engine.set_level(self.plan.channel, level_ua, now_us)
        apart_us = -(-limits.step_ua * SECOND // limits.rise_ua_per_s)
        self._press_us = now_us + max(limits.step_interval_min_us, apart_us)

    def _measure(self, now_us: int) -> None:
        """A step stands; take what the board tells of it, and go on."""
        senses, since_us = self.who.senses_current, now_us - self.since_us
        enough = len(self.readings) >= READINGS if senses else self.told
        if since_us < SETTLE_US or not (enough or since_us >= PATIENCE_US):
            return
        level_ua = self.levels.pop(0)
        if self.finale is Finale.STOP:
            self._note_step(level_ua)
        self.readings.clear()
        self.told = False
        if self.levels and not self.result.faults:
            self.go(Phase.RISING, now_us)
        elif self.finale is Finale.STOP:
            self.stop(STOPPED, now_us)
        else:
            self.lines.append(f"no heartbeats from now on; {self.who.name} claims {self.claim}")
            self.go(Phase.SILENT, now_us)

    def _note_step(self, level_ua: int) -> None:
        measured_ua = max(self.readings, key=lambda ua: abs(ua - level_ua), default=None)
        self.result.steps.append(Step(level_ua, measured_ua))
        if measured_ua is not None:
            fault = bench_result.step_fault(level_ua, measured_ua)
            self.lines.append(f"{ma_text(level_ua)} mA: {ma_text(measured_ua)} mA measured")
        else:
            fault = f"{ma_text(level_ua)} mA: no measurement came" if self.who.senses_current else ""
            self.lines.append(
                f"{ma_text(level_ua)} mA: set" + (" and taken" if self.told else ", and nothing was told")
            )
        if fault:
            self.fail(fault)

    @property
    def claim(self) -> str:
        """How long the board says that it goes on by itself."""
        return f"{self.who.dead_man_ms / 1_000:g} s"

    # --- the ends ------------------------------------------------------------------------------------------------

    def stop(self, why: str, now_us: int) -> None:
        """Our own stop: the latch and the frame, from here on what the board says about it counts."""
        self.ours = True
        self.go(Phase.ENDING, now_us)
        self.stage.stop_now(why)
        self.engine.happen(Event.STOP, now_us)

    def tripped(self, reason: str, now_us: int) -> None:
        """Something was found wrong that nobody has told as an event, and the latch with it."""
        if self.phase in (Phase.OPENING, Phase.ARMING):
            raise BoardFault(reason)
        self.fail(reason)
        self.stop(reason, now_us)

    def _wait_out(self, now_us: int) -> None:
        """Nothing was told of the dead-man; by now it must have acted. Ask, which a living board takes for a sign of life."""
        if now_us - self.beat_us >= bench_result.dead_man_bound_us(self.who.dead_man_ms) - bench_result.DEAD_MAN_US:
            self.go(Phase.LOOKING, now_us)

    def _look(self, now_us: int) -> None:
        if now_us - self.since_us >= PATIENCE_US:
            self.not_shown("it tells nothing of its outputs", now_us)

    def not_shown(self, why: str, now_us: int) -> None:
        """Nobody but an instrument at the load can tell whether this board stops by itself."""
        note = f"the board does not show whether it stops by itself: {why}; look at the load with an oscilloscope"
        self.result.notes.append(note)
        self.lines.append(note)
        self.stop(SILENCE_OVER, now_us)

    def ended_by_itself(self, now_us: int) -> None:
        """The board has stopped without being told to."""
        if self.result.dead_man_us is None:
            told = self.phase is Phase.SILENT
            self.result.dead_man_us, self.result.dead_man_told = now_us - self.beat_us, told
            words = "it stopped by itself" if told else "it was seen to have stopped by itself"
            self.lines.append(f"{words} after {self.result.dead_man_us / 1e6:.2f} s")
            if fault := bench_result.dead_man_fault(self.result.dead_man_us, self.who.dead_man_ms):
                self.fail(fault)
        self.stop(SILENCE_OVER, now_us)

    def _end(self, now_us: int) -> None:
        """Zero is awaited, and said by the board."""
        if self.stage.output is OutputState.OFF:
            if self.finale is Finale.STOP and self.result.stop_us is None and not self.result.faults:
                self.confirmed(now_us)
            self.over()
        elif now_us - self.since_us >= ZERO_US:
            self.fail(f"the board has not confirmed zero {ZERO_US // SECOND} s after a stop; {self.who.way_out}")
            self.over()

    def over(self) -> None:
        """It has come to its own end, whatever was found."""
        self.complete, self.phase = True, Phase.OVER

    def confirmed(self, now_us: int) -> None:
        """The board has said that it has stopped."""
        if self.result.stop_us is None and self.finale is Finale.STOP:
            self.result.stop_us = now_us - self.since_us
            self.lines.append(f"the stop was confirmed after {-(-self.result.stop_us // MS)} ms")
            if fault := bench_result.stop_fault(self.result.stop_us, self.plan.shape.rate_mhz):
                self.fail(fault)

    def fail(self, fault: str) -> None:
        """The board is not as it has to be; that is a result."""
        self.result.faults.append(fault)
        self.lines.append(f"FAILED: {fault}")
