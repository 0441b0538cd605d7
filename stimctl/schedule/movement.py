"""A movement: phases that follow each other, each with a goal for every channel; then a rest.

A plain burst is a movement of three phases (ramp up, hold, ramp down) in which all channels do the same. A task, such as
reach, grasp, hold and release, gives each channel its own goal in each phase (clinical reference, B.7). TENS whose rate,
width or amplitude changes is a movement without a rest that begins again and again (B.5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Final, NamedTuple, final

from stimctl.errors import OurBug
from stimctl.pulse import PulseTrain

FULL_PPM: Final = 1_000_000
"""The whole level, in the parts per million that an envelope is given in."""


@final
class Advance(StrEnum):
    """What ends a phase. Whatever it is, the phase ends at its time-out, too."""

    TIME = "time"
    KEY = "key"
    ATTEMPT = "attempt"


@final
@dataclass(frozen=True, slots=True)
class Goal:
    """Where a channel goes in a phase: which share of its level, how fast, and after what delay (µs).

    ``follows``: the share is multiplied by the control signal, from 0 to 1. ``pulses``: what the pulses of this phase are
    like, at zero amplitude; ``None``: the channel's own, which are the strongest that it ever has. ``stair``: the signal
    chooses among these pulses instead, from the weakest to the strongest, at the whole share; without one there is nothing.
    """

    share_ppm: int = 0
    ramp_us: int = 0
    delay_us: int = 0
    follows: bool = False
    pulses: PulseTrain | None = None
    stair: tuple[PulseTrain, ...] = ()

    def __post_init__(self) -> None:
        if not (0 <= self.share_ppm <= FULL_PPM and self.ramp_us >= 0 and self.delay_us >= 0):
            raise OurBug(f"no channel can go there: {self}")

    def share(self, from_ppm: int, since_us: int) -> int:
        """The share at a time after the phase began, for a channel that came in at ``from_ppm``; rounded down."""
        moving_us = since_us - self.delay_us
        if moving_us < 0:
            return from_ppm
        if moving_us >= self.ramp_us:
            return self.share_ppm
        return from_ppm + (self.share_ppm - from_ppm) * moving_us // self.ramp_us

    def followed(self, share_ppm: int, control_ppm: int) -> tuple[int, PulseTrain | None]:
        """What becomes of the share at a control signal, and in what pulses; rounded down."""
        if not self.follows:
            return share_ppm, self.pulses
        if not self.stair:
            return share_ppm * control_ppm // FULL_PPM, self.pulses
        pulses = self.stair[(len(self.stair) - 1) * control_ppm // FULL_PPM]
        return (share_ppm if control_ppm else 0), pulses

    @property
    def settled_us(self) -> int:
        """When the share has arrived, after the phase's beginning."""
        return self.delay_us + self.ramp_us

    @property
    def rise_us(self) -> int | None:
        """How long the whole level would take at this goal's steepest, from zero; ``None`` for a goal of nothing."""
        return self.ramp_us * FULL_PPM // self.share_ppm if self.share_ppm else None


@final
@dataclass(frozen=True, slots=True)
class PhasePlan:
    """One phase: its name, its longest time in µs, each output's goal, what else ends it, and what is said then.

    An output without a goal of its own has that of the ``others``, which is zero, at once, unless stated.
    """

    name: str
    length_us: int
    goals: Mapping[int, Goal] = field(default_factory=lambda: MappingProxyType({}))
    others: Goal = field(default_factory=Goal)
    advance: Advance = Advance.TIME
    cue: str = ""

    def goal(self, output: int) -> Goal:
        """Where an output goes."""
        return self.goals.get(output, self.others)


@final
class Spell(NamedTuple):
    """A stretch of a cycle in which an output is on, and the stretch off after it, in µs, at every phase's longest."""

    on_us: int
    off_us: int


@final
@dataclass(frozen=True, slots=True)
class MovementPlan:
    """Phases in order and the rest after them, in µs. ``release``: where a phase goes whose event never came."""

    phases: tuple[PhasePlan, ...]
    rest_us: int
    release: int | None = None

    def __post_init__(self) -> None:
        lasting = self.rest_us >= 0 and all(phase.length_us > 0 for phase in self.phases)
        if not (self.phases and lasting and (self.release is None or 0 <= self.release < len(self.phases))):
            raise OurBug(f"no movement can be made of this: {self}")

    @property
    def on_us(self) -> int:
        """Longest time from the first phase to the end of the last; ramps count as on (A.6)."""
        return sum(phase.length_us for phase in self.phases)

    @property
    def cycle_us(self) -> int:
        """Movement and rest together."""
        return self.on_us + self.rest_us

    def rise_us(self, output: int) -> int:
        """The shortest time in which this output's goals would take it from zero to its whole level.

        Any phase may be reached from zero, where one before it is cut short; so a goal to stay at a share needs a ramp, too.
        """
        rises = (phase.goal(output).rise_us for phase in self.phases)
        return min((rise for rise in rises if rise is not None), default=0)

    def longest_on_us(self, output: int) -> int:
        """The longest that this output can be on without a break, whatever comes early, late or never.

        Only a phase that time alone ends, and that nothing skips, is sure to bring it to zero for a while.
        """
        longest_us = on_us = 0
        for index, phase in enumerate(self.phases):
            goal = phase.goal(output)
            if goal.share_ppm:
                on_us += phase.length_us if on_us else max(0, phase.length_us - goal.delay_us)
            elif on_us:
                on_us += min(phase.length_us, goal.settled_us)
            longest_us = max(longest_us, on_us)
            if not goal.share_ppm and goal.settled_us < phase.length_us and self._is_sure(index):
                on_us = 0
        return longest_us

    def _is_sure(self, index: int) -> bool:
        """Whether a phase is always gone through, and for all of its time."""
        skipped = self.release is not None and index < self.release
        return self.phases[index].advance is Advance.TIME and not skipped

    def spells(self, output: int) -> tuple[Spell, ...]:
        """When this output is on in one cycle; the last spell's rest goes on until the first one of the next cycle."""
        runs = list(self._runs(output))
        lead_us = runs.pop(0)[1] if runs and not runs[0][0] else 0
        if not runs:
            return ()
        if not runs[-1][0]:
            runs[-1] = (False, runs[-1][1] + self.rest_us + lead_us)
        else:
            runs.append((False, self.rest_us + lead_us))
        return tuple(Spell(on[1], off[1]) for on, off in zip(runs[::2], runs[1::2], strict=True))

    def duty(self, output: int) -> Spell | None:
        """The spell that asks for the least rest after it, which is what an output must have before it comes on again.

        Where a phase may be cut short, the plan's own rests are not to be had: then no more is asked for than as much rest
        as work, which is the warn column's duty (A.5). Else a hand that is told to let go early would not be opened.
        """
        least = min(self.spells(output), key=lambda spell: Fraction(spell.off_us, spell.on_us), default=None)
        if least is None or self.release is None or least.off_us <= least.on_us:
            return least
        return Spell(least.on_us, least.on_us)

    def _runs(self, output: int) -> Iterator[tuple[bool, int]]:
        """Whether the output is on, and how long, one stretch after the other."""
        on, length_us = False, 0
        for is_on, part_us in self._parts(output):
            if is_on is not on:
                if length_us:
                    yield on, length_us
                on, length_us = is_on, 0
            length_us += part_us
        if length_us:
            yield on, length_us

    def _parts(self, output: int) -> Iterator[tuple[bool, int]]:
        """Each phase, cut where the output comes on or has gone off."""
        was_ppm = 0
        for phase in self.phases:
            goal = phase.goal(output)
            turn_us = min(phase.length_us, goal.settled_us if goal.share_ppm < was_ppm else goal.delay_us)
            for is_on, part_us in ((was_ppm > 0, turn_us), (goal.share_ppm > 0, phase.length_us - turn_us)):
                if part_us:
                    yield is_on, part_us
            was_ppm = goal.share(was_ppm, phase.length_us)


def burst(ramp_up_us: int, hold_us: int, ramp_down_us: int, rest_us: int) -> MovementPlan:
    """The movement that every channel makes alike: up, hold, down; then the rest. All µs."""
    up, level, down = Goal(FULL_PPM, ramp_up_us), Goal(FULL_PPM, ramp_up_us), Goal(0, ramp_down_us)
    phases = (
        PhasePlan("ramp up", ramp_up_us, others=up),
        PhasePlan("hold", hold_us, others=level),
        PhasePlan("ramp down", ramp_down_us, others=down),
    )
    return MovementPlan(tuple(phase for phase in phases if phase.length_us), rest_us)
