"""The channels' amplitudes: how they rise, fall and rest; and what they delivered.

A rise is held to the ramp's slope in control time, so a late loop makes a ramp slower and never steeper. A fall acts at
once. Stronger pulses at an amplitude are a rise like any other: the amplitude then begins where it gives no more than
before. A channel that has been on owes the rest that its burst's duty asks for before it may come on again, however its
burst ended: by its ramp, by the operator's zero, by a pause.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isqrt
from typing import Final, NamedTuple, final

from stimctl.limits import Effect
from stimctl.pulse import Output, PulseTrain, dense_rate_mhz
from stimctl.schedule import CONTROL_PERIOD_US, FULL_PPM, ChannelPlan, Spell
from stimctl.units import MS, SECOND, MicroAmp

LATE_US: Final = 2 * CONTROL_PERIOD_US
"""A step after more than this counts as only this much time towards a rise."""

FELT_US: Final = 500 * MS
"""How long an amplitude stands before a patient can be asked about it (project; procedure D, step 6: 1 to 2 s a step)."""

SENSORY_RAMP_US: Final = 1 * SECOND
"""TENS rises to a raised level over this time, gently and above every ramp minimum, and so it ends."""


def ending_ppm(left_us: int) -> int:
    """Share of its level that continuous stimulation has when this much is left: nobody is startled by its end (H53)."""
    return FULL_PPM * max(0, min(left_us, SENSORY_RAMP_US)) // SENSORY_RAMP_US


@final
class Aim(NamedTuple):
    """Where a channel is to go: its share of the level, the time from nothing to all of it (µs), what it owes, its pulses."""

    share_ppm: int
    rise_us: int
    duty: Spell | None = None
    pulses: PulseTrain | None = None


@final
@dataclass(slots=True)
class Lane:
    """One channel's moving parts. ``level_ua`` is the operator's; ``amplitude_ua`` is wished now; ``given_ua`` is the
    most that stood for a while since the level was last zero: what the patient can have felt. ``wanted_ua`` is where the
    envelope was at the last step: a lane that is elsewhere is still moving. ``worked_ua`` is the most that flowed in the
    treatment itself, thresholds and trial left out.
    """

    plan: ChannelPlan
    level_ua: int = 0
    amplitude_ua: int = 0
    wanted_ua: int = 0
    given_ua: int = 0
    steady_from_us: int = 0
    on_from_us: int = 0
    owes_rest_until_us: int = 0
    charge_e9pc: int = 0
    worked_ua: int = 0
    shape: PulseTrain = field(init=False)
    _output: Output | None = None

    def __post_init__(self) -> None:
        self.shape = self.plan.shape

    @property
    def stepped_ua(self) -> int:
        """The wished amplitude in the board's steps, rounded down."""
        return self.amplitude_ua - self.amplitude_ua % self.plan.step_ua

    def move(self, aim: Aim, now_us: int, elapsed_us: int) -> None:
        """Go on towards ``aim``."""
        shape = aim.pulses or self.plan.shape
        self.wanted_ua = wanted_ua = self.level_ua * aim.share_ppm // FULL_PPM
        if self.amplitude_ua == wanted_ua and shape == self.shape:
            if now_us - self.steady_from_us >= self._felt_after_us():
                self.given_ua = max(self.given_ua, self.stepped_ua)
            return
        if self.amplitude_ua == 0 and now_us < self.owes_rest_until_us:
            return
        most_ua = self._risen_ua(shape, self.level_ua * min(elapsed_us, LATE_US) // aim.rise_us)
        if shape != self.shape:
            self.shape, self._output = shape, None
        self._become(min(wanted_ua, most_ua), now_us, aim.duty)

    def _risen_ua(self, shape: PulseTrain, rise_ua: int) -> int:
        """The amplitude in pulses of ``shape`` at which peak, charge and rms have risen by no more than what is due.

        That is ``rise_ua`` of the channel's own pulses, as the limiter reckons it.
        """
        ua, now, own = self.amplitude_ua, self.shape, self.plan.shape
        if shape == now:
            return ua + rise_ua
        by_charge = (ua * now.phase_width_us + rise_ua * own.phase_width_us) // shape.phase_width_us
        by_rms = (ua * _weight(now) + rise_ua * _weight(own)) // (_weight(shape) + 1)
        return min(ua + rise_ua, by_charge, by_rms)

    def _felt_after_us(self) -> int:
        """How long an amplitude must stand before it counts as given: half a second, and at least two pulses."""
        return max(FELT_US, 2 * 10**9 // self.shape.rate_mhz)

    def fall_to(self, amplitude_ua: int, now_us: int, duty: Spell | None) -> None:
        """At most ``amplitude_ua``, at once."""
        self.wanted_ua = min(self.wanted_ua, amplitude_ua)
        self._become(min(self.amplitude_ua, amplitude_ua), now_us, duty)

    def _become(self, amplitude_ua: int, now_us: int, duty: Spell | None) -> None:
        if amplitude_ua < min(self.amplitude_ua, self.plan.step_ua):
            amplitude_ua = (
                0  # what falls under the board's step is off there: a signal may take it up again before it rested
            )
        if amplitude_ua and not self.amplitude_ua:
            self.on_from_us = now_us
        elif self.amplitude_ua and not amplitude_ua and duty and self.plan.effect is Effect.MOTOR:
            on_us = now_us - self.on_from_us
            self.owes_rest_until_us = now_us + -(-on_us * duty.off_us // duty.on_us)
        if amplitude_ua != self.amplitude_ua:
            self.amplitude_ua, self.steady_from_us = amplitude_ua, now_us

    def set_level(self, level_ua: int, now_us: int, duty: Spell | None) -> None:
        """A new level: a lower one acts at once, a higher one is approached by :meth:`move`."""
        self.level_ua = self.wanted_ua = level_ua  # until the next step knows better
        if level_ua == 0:
            self.given_ua = 0
        self.fall_to(level_ua, now_us, duty)

    def count(self, elapsed_us: int, *, treating: bool) -> None:
        """Add what flowed in ``elapsed_us`` at the present amplitude: pulses times charge, in 1e-9 pC."""
        shape = self.shape
        if treating and self.stepped_ua > self.worked_ua:
            self.worked_ua = self.stepped_ua
        per_second = self.stepped_ua * shape.phase_width_us * shape.rate_mhz * shape.pulses_per_period
        self.charge_e9pc += per_second * elapsed_us

    def output(self) -> Output:
        """What the channel's output is wished to do, in the board's steps; the same value while nothing changes."""
        output, ua = self._output, self.stepped_ua
        if output is None or output.train.amplitude_ua != ua:
            output = self._output = Output(self.plan.channel, self.shape.at(MicroAmp(ua)))
        return output


def _weight(shape: PulseTrain) -> int:
    """The rms current of a symmetrical train at a given amplitude, to scale, with six digits behind the point."""
    return isqrt(shape.phase_width_us * dense_rate_mhz(shape) * 10**12)
