"""What one pulse train does to the nerves under one pair of pads: thresholds, recruitment, and what is felt.

Thresholds are drawn in the ranges of the clinical reference, B.9, and carried to other phase widths by Weiss'
strength-duration law (A.6). Pure functions of a train; nothing here remembers anything.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final, final

from stimctl.limits import Sensation
from stimctl.pulse import APART_US, DOUBLET, PulseTrain

REFERENCE_WIDTH_US: Final = 250
"""Phase width at which the thresholds are stated: the middle of B.9's 200 to 300 µs."""

MOTOR_TC_US: Final = 200.0
"""Weiss time constant of motor nerves (A.6)."""

SENSORY_TC_US: Final = 150.0
"""Same for sensory nerves: their threshold flattens from about 150 µs, motor and pain from about 200 µs (B.9)."""

FUSED_HZ: Final = 10.0
"""Below this rate a muscle twitches, however strong the pulse (B.2: single twitches below about 10 Hz)."""


@final
class Site(StrEnum):
    """Where a pair of pads sits: the rows of B.9 that have all four thresholds."""

    DORSAL_FOREARM = "dorsal-forearm"
    VOLAR_FOREARM = "volar-forearm"
    THENAR = "thenar"
    POSTERIOR_DELTOID = "posterior-deltoid"


@final
class Report(IntEnum):
    """What the patient would say, or the therapist would see, from least to most."""

    NOTHING = 0
    TINGLING = 1
    TWITCH = 2
    MOVEMENT = 3
    TOO_MUCH = 4


RANGES_UA: Final[dict[Site, tuple[tuple[int, int], ...]]] = {
    Site.DORSAL_FOREARM: ((3_000, 10_000), (8_000, 20_000), (15_000, 40_000), (25_000, 60_000)),
    Site.VOLAR_FOREARM: ((3_000, 8_000), (6_000, 18_000), (12_000, 30_000), (20_000, 50_000)),
    Site.THENAR: ((1_000, 4_000), (3_000, 10_000), (6_000, 20_000), (10_000, 25_000)),
    Site.POSTERIOR_DELTOID: ((4_000, 12_000), (12_000, 30_000), (20_000, 60_000), (35_000, 80_000)),
}
"""Sensory, motor, functional and unpleasant threshold by site, µA (B.9)."""

_SPREAD: Final = 0.08  # how far one threshold may lie from the person's own place within the range
_AT_MOTOR, _AT_FUNCTIONAL = 0.05, 0.5  # share of the muscle that is recruited at these two thresholds
_LOGIT_SPAN: Final = math.log(_AT_FUNCTIONAL / (1 - _AT_FUNCTIONAL)) - math.log(_AT_MOTOR / (1 - _AT_MOTOR))
_FELT_FACTOR: Final = {Sensation.NORMAL: 1.0, Sensation.REDUCED: 1.5, Sensation.ABSENT: math.inf}


def weiss(width_us: float, tc_us: float) -> float:
    """Threshold current at ``width_us`` over the rheobase: ``1 + tc/t`` (A.6); infinite for no pulse at all."""
    return 1.0 + tc_us / width_us if width_us > 0 else math.inf


def at_reference(train: PulseTrain, tc_us: float) -> float:
    """The amplitude in µA that would do at 250 µs what this train does at its own phase width."""
    return train.amplitude_ua * weiss(REFERENCE_WIDTH_US, tc_us) / weiss(train.phase_width_us, tc_us)


@final
@dataclass(frozen=True, slots=True)
class Tissue:
    """One site of one person. Thresholds are first-phase peaks in µA at 250 µs, in rising order."""

    site: Site
    sensory_ua: int
    motor_ua: int
    functional_ua: int
    tolerated_ua: int
    sensation: Sensation = Sensation.NORMAL

    def recruited(self, train: PulseTrain | None) -> float:
        """Share of the motor units that each pulse excites, 0 to 1: a sigmoid through motor and functional level."""
        if train is None or train.amplitude_ua <= 0:
            return 0.0
        drive = at_reference(train, MOTOR_TC_US) * _gap_gain(train.interphase_gap_us)
        slope = (self.functional_ua - self.motor_ua) / _LOGIT_SPAN
        foot = _sigmoid(-self.functional_ua / slope)
        return max(0.0, (_sigmoid((drive - self.functional_ua) / slope) - foot) / (1.0 - foot))

    def report(self, train: PulseTrain | None) -> Report:
        """What this train is answered with. Without sensation only what can be seen remains."""
        if train is None or train.amplitude_ua <= 0 or train.rate_mhz <= 0:
            return Report.NOTHING
        felt = _FELT_FACTOR[self.sensation]
        drive = at_reference(train, MOTOR_TC_US)
        if drive >= self.tolerated_ua * felt:
            return Report.TOO_MUCH
        if drive >= self.functional_ua and effective_hz(train) >= FUSED_HZ:
            return Report.MOVEMENT
        if drive >= self.motor_ua:
            return Report.TWITCH
        return Report.TINGLING if at_reference(train, SENSORY_TC_US) >= self.sensory_ua * felt else Report.NOTHING


def draw(site: Site, rng: random.Random, sensation: Sensation = Sensation.NORMAL) -> Tissue:
    """One person's tissue at ``site``: a place within the ranges of B.9, the four thresholds near it and in order."""
    place = rng.random()
    sensory, motor, functional, tolerated = (
        round(low + (high - low) * min(1.0, max(0.0, place + rng.uniform(-_SPREAD, _SPREAD))))
        for low, high in RANGES_UA[site]
    )
    return Tissue(site, sensory, motor, functional, tolerated, sensation)


def effective_hz(train: PulseTrain) -> float:
    """Pulses a second, doublets counted twice (A.6); of bursts how many, as each is one strong twitch (B.5)."""
    return train.rate_mhz * (1 if train.pulses_per_period > DOUBLET else train.pulses_per_period) / 1_000


def fusion(train: PulseTrain) -> float:
    """Mean force over the fused maximum at this rate, 0 to 1: about half at 11 Hz, 0.86 at 20 Hz (B.2: fused from 12-20).

    A burst is fused inside, and nothing between two of them.
    """
    if train.pulses_per_period > DOUBLET:  # the muscle pulls as long as a burst lasts
        return min(1.0, APART_US * train.pulses_per_period * train.rate_mhz / 1e9)
    cubed = effective_hz(train) ** 3
    return cubed / (cubed + 11.0**3)


def _gap_gain(gap_us: int) -> float:
    """An interphase gap of 100 to 200 µs gives more force for the same current (A.6); up to 8 %, our own figure."""
    return 1.0 + 0.08 * min(gap_us, 200) / 200


def _sigmoid(x: float) -> float:
    """The logistic function, safe for any x."""
    return 1.0 / (1.0 + math.exp(-x)) if x > -700 else 0.0
