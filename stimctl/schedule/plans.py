"""What a schedule is made of: channels with their pads and pulses, a movement or a flow, what sets a burst off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from stimctl.errors import UsageError
from stimctl.limits import BodyPart, Effect
from stimctl.pulse import PulseTrain
from stimctl.schedule.movement import FULL_PPM, Advance, MovementPlan
from stimctl.units import MS, MicroAmp, SquareMicrometre, period_above_us, rate_of_period_mhz

CONTROL_PERIOD_US: Final = 20 * MS
"""How often the amplitude is renewed while it changes: F.3 of the clinical reference asks for 20 to 50 ms."""


@final
@dataclass(frozen=True, slots=True)
class Steps:
    """The smallest steps a board can set: amplitude in µA, phase width and gap in µs, rate in mHz.

    ``period_us`` is not 0 where a board counts periods in such steps: what rates it has then is for those to say.
    ``width_clock_ns`` is not 0 where it counts widths in such ticks, and ``gap_min_us`` the shortest gap of a board that has
    no pulse without one.
    """

    amplitude_ua: int = 1
    width_us: int = 1
    rate_mhz: int = 1
    period_us: int = 0
    width_clock_ns: int = 0
    gap_min_us: int = 0

    def width_down_us(self, width_us: int) -> int:
        """The longest phase of the board that is not longer than ``width_us``; 0 where all are.

        Of one that counts ticks it is the first whole µs at or after a tick: this number comes to that tick whether the board
        rounds down or to the nearer one, so that what flows is never longer than what is told and judged.
        """
        if not self.width_clock_ns:
            return width_us - width_us % self.width_us
        ticks = width_us * 1_000 // self.width_clock_ns
        return -(-ticks * self.width_clock_ns // 1_000)

    def widths_us(self, least_us: int, most_us: int) -> tuple[int, ...]:
        """Every phase of the board that is no shorter than ``least_us``, up to ``most_us``, which is one; this one at least."""
        found = {self.width_down_us(width_us) for width_us in range(least_us, most_us + 1)}
        return tuple(sorted(width_us for width_us in found if width_us >= least_us)) or (most_us,)

    def gap_us(self, gap_us: int) -> int:
        """The gap between the phases in the board's steps, and at least as long as its shortest."""
        return max(gap_us - gap_us % self.width_us, self.gap_min_us)

    def rate_down_mhz(self, rate_mhz: int) -> int:
        """The highest rate of the board that is not above ``rate_mhz``; 0 where all are."""
        if not self.period_us or not rate_mhz:
            return rate_mhz - rate_mhz % self.rate_mhz
        return rate_of_period_mhz(period_above_us(rate_mhz, self.period_us))


@final
@dataclass(frozen=True, slots=True)
class PadPlan:
    """A physical pad on the skin: its name in the file, its model, its conductive area."""

    name: str
    model: str
    area_um2: SquareMicrometre


@final
@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """One channel: where it is, what it delivers, how far the operator may take it. ``channel`` counts from 0.

    ``shape`` has the strongest pulses that any phase gives, each of their numbers at its highest: ceilings are found with
    it, and the limiter refuses what they do not cover.
    """

    name: str
    muscle: str
    channel: int
    site: str
    part: BodyPart
    effect: Effect
    pads: tuple[PadPlan, ...]
    target_ua: MicroAmp
    max_ua: MicroAmp
    shape: PulseTrain
    step_ua: int

    def train(self, amplitude_ua: int) -> PulseTrain:
        """This channel's train at ``amplitude_ua``, rounded down to the board's step."""
        return self.shape.at(MicroAmp(amplitude_ua - amplitude_ua % self.step_ua))


@final
@dataclass(frozen=True, slots=True)
class EarPlan:
    """How an attempt is heard (clinical reference B.3). Exactly one of the two thresholds is set."""

    channel: int
    threshold_sd: float | None
    threshold_uv: float | None
    dwell_ms: int
    release_fraction: float
    blanking_ms: int
    baseline_us: int
    adapting: tuple[int, int, int] | None = None
    """Step, least and most of the threshold in percent of the first one; ``None``: it stays."""


@final
@dataclass(frozen=True, slots=True)
class Spoken:
    """A sentence of a script: what is read aloud, and the time to imagine it in µs."""

    say: str
    length_us: int


@final
@dataclass(frozen=True, slots=True)
class TriggerPlan:
    """What sets a movement off, and how long it is waited for: an attempt, which needs an ear, or a key. All µs.

    ``script`` is read aloud before each wait, at the end of the rest, with nothing flowing. ``robot``: the key is a robot
    glove's phase line. ``say``: what the patient is told to try in it.
    """

    by: Advance
    lockout_us: int
    cued: bool
    window_us: int
    assist_missed: bool
    min_interval_us: int
    script: tuple[Spoken, ...] = ()
    robot: bool = False
    say: str = "Try the movement"

    @property
    def script_us(self) -> int:
        """How long the script takes."""
        return sum(each.length_us for each in self.script)


@final
@dataclass(frozen=True, slots=True)
class ControlPlan:
    """What a movement follows, and how (clinical reference B.4): ``source`` and what it ``modulates``, as the file says.

    Places are parts per million of the range between rest and the whole opening. Below ``floor_ppm`` there is nothing, and
    beyond ``most_ppm`` nothing is believed. ``period_us`` and ``blanking_us`` are for a muscle's own EMG: the time from one
    pulse to the next, and how much of it is not heard.
    """

    source: str
    modulates: str
    floor_ppm: int
    full_ppm: int
    slew_ppm_per_s: int
    stale_us: int
    most_ppm: int = 2 * FULL_PPM
    period_us: int = 0
    blanking_us: int = 0


@final
@dataclass(frozen=True, slots=True)
class Schedule:
    """A whole session. ``movement``, ``trigger`` and ``ear`` are ``None`` where the kind has none.

    ``flow_us`` is the time of what flows without counting repetitions (TENS), 0 elsewhere; a movement then runs in it
    again and again, and none means that nothing changes.

    ``antagonists_together`` is the file's reason for muscles that pull against each other, if it gives one. ``aim``: how
    strong a flow is meant to be, in words that end "raise to ..."; ``guide``: what else the operator is told of it.
    ``control``: what the goals follow that follow something.
    """

    title: str
    kind: str
    purpose: str
    channels: tuple[ChannelPlan, ...]
    movement: MovementPlan | None
    trigger: TriggerPlan | None
    repetitions: int
    sets: int
    set_rest_us: int
    flow_us: int
    rounded: tuple[str, ...]
    antagonists_together: str = ""
    ear: EarPlan | None = None
    aim: str = ""
    guide: tuple[str, ...] = ()
    control: ControlPlan | None = None

    def by_name(self, name: str) -> ChannelPlan:
        """The channel of that name; raises :class:`UsageError`: an unknown name is never some channel."""
        for plan in self.channels:
            if plan.name == name:
                return plan
        known = ", ".join(plan.name for plan in self.channels)
        raise UsageError(f"there is no channel {name!r}; the protocol has: {known}")

    @property
    def continuous(self) -> bool:
        """Whether current flows on for its time, and nothing is counted."""
        return self.flow_us > 0

    @property
    def longest_us(self) -> int:
        """Length of the treatment when every attempt takes its whole window."""
        if self.continuous or self.movement is None:
            return self.flow_us
        wait_us = self.trigger.script_us + self.trigger.window_us if self.trigger else 0
        one = wait_us + self.movement.cycle_us
        return self.sets * self.repetitions * one + (self.sets - 1) * self.set_rest_us
