"""All channels' amplitudes: where a movement, or the flow of TENS, wants them now, and their way there."""

from __future__ import annotations

from typing import Final, NamedTuple, final

from stimctl.engine.course import Course, Turn
from stimctl.engine.lanes import SENSORY_RAMP_US, Aim, Lane, ending_ppm
from stimctl.engine.table import DELIVERING, State
from stimctl.limits import Effect
from stimctl.pulse import Command
from stimctl.schedule import FULL_PPM, TEST_BURST, Advance, MovementPlan, Schedule, Spell
from stimctl.units import MS

_NEVER_US: Final = 1 << 62


@final
class _Pace(NamedTuple):
    """How fast an output may rise in a movement, from nothing to its level in µs, and the rest that it owes."""

    rise_us: int
    duty: Spell | None


@final
class Delivery:
    """The lanes of a schedule, what moves them in the present state, and what they have flowed."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self.lanes = {plan.channel: Lane(plan) for plan in schedule.channels}
        self._outputs = tuple(self.lanes)
        self._sensory = all(plan.effect is Effect.SENSORY for plan in schedule.channels)
        self._own, self._test = self._paces(schedule.movement), self._paces(TEST_BURST)
        self._state = State.CHOOSING
        self._alone: int | None = None
        self._course: Course | None = None
        self._control_ppm = 0
        self._command = Command(())
        self._turns: list[Turn] = []
        self.flowed_us = 0
        self.met = self.missed = self.skipped = 0

    def _paces(self, movement: MovementPlan | None) -> dict[int, _Pace]:
        """Sensory stimulation rises gently whatever its movement says, and owes no rest."""
        if self._sensory or movement is None:
            return dict.fromkeys(self._outputs, _Pace(SENSORY_RAMP_US, None))
        return {each: _Pace(max(1, movement.rise_us(each)), movement.duty(each)) for each in self._outputs}

    # --- states ----------------------------------------------------------------------------------------------

    def enter(self, state: State, alone: int | None, now_us: int) -> None:
        """The session is in ``state`` now; ``alone``: no other output may have anything (thresholds are found)."""
        if state not in DELIVERING:
            self._fall_silent(now_us)
        self._state, self._alone = state, alone
        movement = self._movement()
        again = state is not State.BURST
        self._course = Course(movement, self._outputs, now_us, again=again) if movement is not None else None
        if self._course is not None and state is State.BURST:
            self._turns.append(self._course.opening(now_us))

    def _movement(self) -> MovementPlan | None:
        """What moves the lanes in the present state."""
        if self._state not in DELIVERING:
            return None
        if self._state is State.TITRATING:
            return None if self._sensory else TEST_BURST
        return self._schedule.movement

    def _pace(self, output: int) -> _Pace:
        return (self._test if self._state is State.TITRATING else self._own)[output]

    def zero_levels(self) -> None:
        """Nobody has raised anything: what comes back begins at nothing."""
        for lane in self.lanes.values():
            lane.level_ua = lane.given_ua = 0

    def _fall_silent(self, now_us: int) -> None:
        for output, lane in self.lanes.items():
            lane.fall_to(0, now_us, self._pace(output).duty)

    def set_level(self, output: int, level_ua: int, now_us: int) -> None:
        """A lower level acts at once; a higher one is approached by the ramp."""
        self.lanes[output].set_level(level_ua, now_us, self._pace(output).duty)

    # --- time ------------------------------------------------------------------------------------------------

    def hear(self, now_us: int, advance: Advance, control_ppm: int | None) -> None:
        """Let the movement go on to ``now_us``, with what may end a phase and the control signal."""
        self._control_ppm = control_ppm if control_ppm is not None and 0 <= control_ppm <= FULL_PPM else 0
        if advance is Advance.KEY and self._stands_for_an_attempt:
            advance = Advance.ATTEMPT
        if self._course is not None:
            turns = self._course.step(now_us, advance)
            if self._state in (State.BURST, State.FLOWING):
                self._turns += turns
            self._tally(turns)

    @property
    def _stands_for_an_attempt(self) -> bool:
        """Whether the switch does what an attempt would: in a trial, where nobody listens for one yet, the phases behind it
        could not be tried otherwise. A robot glove's turn is no such switch: closing always leads to the release.
        """
        trigger = self._schedule.trigger
        led = trigger is not None and trigger.robot
        return self._state is State.TRIAL and self.awaits is Advance.ATTEMPT and not led

    def _tally(self, turns: list[Turn]) -> None:
        """Count in the treatment what became of phases that waited for something, or were cut short."""
        if self._state is State.BURST:
            self.missed += sum(turn.missed for turn in turns)
            self.skipped += sum(turn.skipped for turn in turns)
            self.met += sum(turn.by is not Advance.TIME and not turn.missed and not turn.skipped for turn in turns)

    def take_turns(self) -> tuple[Turn, ...]:
        """The phases of the treatment that began since this was last asked; those of trials are nobody's news."""
        turns, self._turns = tuple(self._turns), []
        return turns

    @property
    def awaits(self) -> Advance | None:
        """What the phase under way waits for; ``None`` where there is none."""
        phase = None if self._course is None else self._course.phase
        return None if phase is None else phase.advance

    @property
    def takes_key(self) -> bool:
        """Whether a key would end the phase under way."""
        return self._course is not None and self._course.takes_key

    @property
    def cue(self) -> str:
        """What the patient is told to do in the phase under way."""
        phase = None if self._course is None else self._course.phase
        return "" if phase is None else phase.cue

    @property
    def over(self) -> bool:
        """Whether the movement under way has come to its end."""
        return self._course is not None and self._course.over

    def move(self, now_us: int, elapsed_us: int) -> None:
        """Let every channel go towards its share of its level."""
        if self._state not in DELIVERING:
            return
        for output, lane in self.lanes.items():
            lane.move(self._aim(output, now_us), now_us, elapsed_us)

    def _aim(self, output: int, now_us: int) -> Aim:
        (rise_us, duty), course = self._pace(output), self._course
        if self._alone not in (None, output):
            return Aim(0, rise_us, duty)
        if course is None:
            return Aim(self._flow_share_ppm(), rise_us, duty)
        goal = course.goals.get(output)
        if goal is None:
            return Aim(0, rise_us, duty)
        share_ppm = course.share_ppm(output, now_us)
        if self._state is State.FLOWING:
            share_ppm = share_ppm * self._flow_share_ppm() // FULL_PPM
        share_ppm, pulses = goal.followed(share_ppm, self._control_ppm)
        return Aim(share_ppm, rise_us, duty, pulses)

    def _flow_share_ppm(self) -> int:
        """Continuous stimulation ends by a ramp, as a burst does."""
        return ending_ppm(self._left_us) if self._state is State.FLOWING else FULL_PPM

    @property
    def _left_us(self) -> int:
        return self._schedule.flow_us - self.flowed_us

    def count(self, elapsed_us: int) -> bool:
        """Add what the last amplitudes delivered since the last step; whether anything did."""
        # Below a board's first step nothing flows: a ramp that is there counts as off.
        delivering = [lane for lane in self.lanes.values() if lane.stepped_ua]
        for lane in delivering:
            lane.count(elapsed_us, treating=self._state in (State.BURST, State.FLOWING))
        self.flowed_us += elapsed_us if self._state is State.FLOWING else 0
        return bool(delivering)

    # --- what is asked -----------------------------------------------------------------------------------------

    def moving(self, now_us: int) -> bool:
        """Whether any amplitude is on its way, up or down."""
        level = False
        for lane in self.lanes.values():
            if lane.amplitude_ua != lane.wanted_ua:
                return True
            level = level or lane.level_ua > 0
        if not level:
            return False
        ending = self._state is State.FLOWING and self._left_us <= SENSORY_RAMP_US
        return ending or (self._course is not None and self._course.moving(now_us))

    def next_mark_us(self, now_us: int) -> int:
        """When the next amplitude begins or ends to move by itself."""
        mark_us = _NEVER_US if self._course is None else self._course.next_mark_us(now_us)
        if self._state is State.FLOWING:
            left_us = self._left_us
            mark_us = min(mark_us, now_us + (left_us - SENSORY_RAMP_US if left_us > SENSORY_RAMP_US else left_us))
        return mark_us

    def first_step_us(self, now_us: int) -> int:
        """When an amplitude that has only begun to rise comes to the board's first step: before, there is nothing to send.

        A burst that an attempt set off need not wait for the next period to begin.
        """
        course, first_us = self._course, _NEVER_US
        for output, lane in self.lanes.items():
            if course is None or lane.stepped_ua or not lane.level_ua or self._alone not in (None, output):
                continue
            # One µA more than a step, because shares and amplitudes are rounded down on the way there.
            left_ua = lane.plan.step_ua + 1 - lane.amplitude_ua
            at_us = now_us + max(MS, -(-self._pace(output).rise_us * left_ua // lane.level_ua))
            if course.share_ppm(output, at_us):
                first_us = min(first_us, at_us)
        return first_us

    def part(self, now_us: int) -> tuple[str, int, int] | None:
        """Name of the phase under way, how long it has lasted and how long it is at most; ``None`` without a movement."""
        return None if self._course is None else self._course.part(now_us)

    def command(self) -> Command:
        """The absolute command for every output, in the board's steps; the same one while nothing changes."""
        outputs = tuple([lane.output() for lane in self.lanes.values()])
        if self._command.outputs != outputs:
            self._command = Command(outputs)
        return self._command
