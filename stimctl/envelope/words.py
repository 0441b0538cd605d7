"""The limiter's words: its rules by name, a placed channel, and how strong a train is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from math import isqrt
from typing import Final, NamedTuple, final

from stimctl.errors import Refusal
from stimctl.limits import BodyPart, Effect, Limits, Sensation
from stimctl.pulse import BURST_RATE_MHZ, DOUBLET, PulseTrain

PERIODS: Final = 1_000_000_000
"""µs times mHz in one period: a train fits when ``busy_us * rate_mhz`` is at most this; also pulse's 1e9."""


@final
class Rule(StrEnum):
    """Every reason that the limiter has for saying no. The values are ids: records and tests rely on them."""

    TYPE = "type"
    UNKNOWN_CHANNEL = "unknown-channel"
    DUPLICATE_CHANNEL = "duplicate-channel"
    MISSING_CHANNEL = "missing-channel"
    CLOCK = "clock"
    FAULT = "fault"
    # one train, at any moment
    PEAK = "peak"
    PHASE_WIDTH = "phase-width"
    GAP = "gap"
    RECOVERY = "recovery"
    RATE = "rate"
    PULSES = "pulses-per-period"
    PULSE_FITS_PERIOD = "pulse-fits-period"
    CHARGE = "charge-per-phase"
    NET_CHARGE = "net-charge"
    MEAN_DC = "mean-dc"
    ENERGY = "pulse-energy"
    RMS = "rms"
    RMS_DENSITY = "rms-density"
    POWER_DENSITY = "power-density"
    SHARED_PAD_PEAK = "shared-pad-peak"
    SHARED_PAD_CHARGE = "shared-pad-charge"
    SHARED_PAD_RMS = "shared-pad-rms"
    SHARED_PAD_DENSITY = "shared-pad-density"
    # where and how a channel is used
    PAD_AREA = "pad-area"
    PADS = "pads"
    SENSATION = "sensation"
    BURST_PLAN = "burst-plan"
    ON_TIME = "on-time"
    DUTY = "duty"
    RAMP_UP = "ramp-up"
    # what has been
    RAMP_RATE = "ramp-rate"
    SITE_TIME = "site-time"
    CEILING = "ceiling"
    LEVEL = "level"
    TITRATION_STEP = "titration-step"
    TITRATION_RATE = "titration-rate"
    LOCKED = "locked"
    LATCHED = "latched"
    SUPERSEDED = "superseded"


class Finding(NamedTuple):
    """One bound that is passed: what a refusal says, without the time. ``channel`` None: several channels."""

    rule: Rule
    value: int
    bound: int
    unit: str
    channel: int | None = None
    bound_from: str = ""

    def refusal(self, now_us: int) -> Refusal:
        """The finding as the error that refuses."""
        rule, value, bound, unit, channel, whose = self
        return Refusal(rule, value, bound, unit, now_us=now_us, channel=channel, bound_from=whose)


class Pad(NamedTuple):
    """A pad on the skin: its id (the same id on two channels is ONE shared pad) and conductive area in µm²."""

    id: str
    area_um2: int


class Burst(NamedTuple):
    """The plan of a channel's longest burst and shortest rest, in µs; ramps count as on (A.6)."""

    ramp_up_us: int
    hold_us: int
    ramp_down_us: int
    rest_us: int


class Placement(NamedTuple):
    """One channel as it is placed today: output number, body part, purpose, sensation, pads, site, file's bounds."""

    channel: int
    part: BodyPart
    effect: Effect
    sensation: Sensation
    pads: tuple[Pad, ...]
    site: str
    protocol: Limits
    burst: Burst | None


@final
@dataclass(slots=True)
class Strength:
    """How strong a train is, in every way in which one can be stronger than another (A.0 item 4, H39).

    Peak, charge and rms do not say all that is felt: more pulses a second fuse a contraction at the same rms, as many that
    come evenly fuse it more than in pairs, and a recovery phase that is longer for its pulse, or leaves charge behind,
    takes back less of what the first phase does.

    Never changed once made; not frozen, as that would make each command a microsecond dearer.
    """

    peak_ua: int
    charge_pc: int
    mean_square: int  # µA² times 1e9; of a burst, inside it
    gap_us: int
    pulses: int
    pulse_rate_mhz: int  # pulses, not periods
    width_us: int  # with the next: how asymmetric it is, as their ratio
    recovery_us: int
    net_pc: int

    def covers(self, other: Strength) -> bool:
        """Whether ``other`` is in no way stronger; a train at zero is covered by everything."""
        return other.peak_ua == 0 or (
            other.peak_ua <= self.peak_ua
            and other.charge_pc <= self.charge_pc
            and other.mean_square <= self.mean_square
            and other.gap_us <= self.gap_us
            and other.pulses <= self.pulses
            and other.pulse_rate_mhz * self.pulses <= self.pulse_rate_mhz * other.pulses  # periods, so pulses as well
            and other.recovery_us * self.width_us <= self.recovery_us * other.width_us
            and other.net_pc <= self.net_pc
        )

    def excess(self, other: Strength) -> tuple[int, int, str]:
        """The first way in which ``other`` is stronger: its value, rounded up, ours, the unit."""
        if other.peak_ua > self.peak_ua:
            return other.peak_ua, self.peak_ua, "µA"
        if other.charge_pc > self.charge_pc:
            return other.charge_pc, self.charge_pc, "pC"
        if other.mean_square > self.mean_square:
            return ceil_root(other.mean_square, PERIODS), isqrt(self.mean_square // PERIODS), "µA rms"
        if other.gap_us > self.gap_us:
            return other.gap_us, self.gap_us, "µs gap"
        if other.pulses > self.pulses:
            return other.pulses, self.pulses, "pulses per period"
        if other.pulse_rate_mhz > self.pulse_rate_mhz:
            return other.pulse_rate_mhz, self.pulse_rate_mhz, "mHz of pulses"
        if other.pulse_rate_mhz * self.pulses > self.pulse_rate_mhz * other.pulses:
            return (
                ceil_div(other.pulse_rate_mhz, other.pulses),
                self.pulse_rate_mhz // self.pulses,
                "mHz of periods",
            )
        if other.net_pc > self.net_pc:
            return other.net_pc, self.net_pc, "pC net charge"
        share = ceil_div(other.recovery_us * 1_000, max(other.width_us, 1))
        return share, self.recovery_us * 1_000 // max(self.width_us, 1), "‰ recovery to first phase"


Row = tuple[Rule, int, int, int, str]
"""A rule, the value, the least and the most that are allowed, the unit of all three."""

ZERO: Final = Strength(0, 0, 0, 0, 0, 0, 0, 0, 0)


def strength(train: PulseTrain) -> Strength:
    """Measure a train; written out because it runs for every channel of every command."""
    first, recovery, pulses = train.amplitude_ua, train.recovery_amplitude_ua, train.pulses_per_period
    charge, back = first * train.phase_width_us, recovery * train.recovery_width_us
    pulse_rate = train.rate_mhz * pulses
    return Strength(
        first if first >= recovery else recovery,  # noqa: FURB136 - max() takes three times as long
        charge if charge >= back else back,  # noqa: FURB136
        (first * charge + recovery * back) * (BURST_RATE_MHZ if pulses > DOUBLET else pulse_rate),
        train.interphase_gap_us,
        pulses,
        pulse_rate,
        train.phase_width_us,
        train.recovery_width_us,
        abs(charge - back),
    )


def rise_ua(new: Strength, old: Strength, level: Strength) -> int:
    """By how many µA at the level's settings ``new`` is stronger than ``old``: the largest of peak, charge and rms.

    Charge and rms are expressed as the amplitude that has them at the level's width, rate and pulses, so that a wider
    or faster pulse at an unchanged amplitude is a rise like any other. Rounded up; at a level of zero the peak alone.
    """
    rise, peak = new.peak_ua - old.peak_ua, level.peak_ua
    if peak and new.charge_pc > old.charge_pc:
        rise = max(rise, ceil_div((new.charge_pc - old.charge_pc) * peak, level.charge_pc))
    if peak and new.mean_square > old.mean_square:
        square = peak * peak
        high = ceil_root(new.mean_square * square, level.mean_square)
        rise = max(rise, high - isqrt(old.mean_square * square // level.mean_square))
    return max(rise, 0)


def one_step_up(old: Strength, new: Strength, step_ua: int) -> Strength:
    """The strongest that one step above a level may be; from zero, one step at whatever settings ``new`` has.

    Width and rate may grow by what the step is to the level; gap, pulses and asymmetry only from zero.
    """
    peak, higher = old.peak_ua, old.peak_ua + step_ua
    if peak == 0:
        return replace(new, peak_ua=step_ua)
    return Strength(
        higher,
        old.charge_pc * higher // peak,
        old.mean_square * higher * higher // (peak * peak),
        old.gap_us,
        old.pulses,
        old.pulse_rate_mhz * higher // peak,
        old.width_us,
        old.recovery_us,
        old.net_pc * higher // peak,
    )


def highest_covered_ua(most: Strength, s: Strength) -> int:
    """The highest whole µA at which a train of strength ``s``, scaled in proportion, is covered by ``most``."""
    peak = s.peak_ua
    shape = replace(s, peak_ua=most.peak_ua, charge_pc=most.charge_pc, mean_square=most.mean_square, net_pc=most.net_pc)
    if not most.covers(shape):
        return 0  # what does not grow with the amplitude is too much
    by_charge = most.charge_pc * peak // s.charge_pc
    by_net = most.net_pc * peak // s.net_pc if s.net_pc else most.peak_ua
    return min(most.peak_ua, by_charge, by_net, isqrt(most.mean_square * peak * peak // s.mean_square))


def ceil_div(numerator: int, denominator: int) -> int:
    """The quotient, rounded up."""
    return -(-numerator // denominator)


def ceil_root(numerator: int, denominator: int) -> int:
    """The smallest whole number whose square times ``denominator`` is at least ``numerator``."""
    quotient = ceil_div(numerator, denominator)
    return isqrt(quotient - 1) + 1 if quotient > 0 else 0


def well_typed(train: object) -> bool:
    """Whether this is exactly a PulseTrain of exact integers: no subclass, boolean, float or missing field (R5)."""
    return (
        type(train) is PulseTrain
        and type(train.amplitude_ua) is int
        and type(train.phase_width_us) is int
        and type(train.interphase_gap_us) is int
        and type(train.recovery_amplitude_ua) is int
        and type(train.recovery_width_us) is int
        and type(train.rate_mhz) is int
        and type(train.pulses_per_period) is int
    )
