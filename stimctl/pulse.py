"""The words for what flows: a pulse train on one output, and the command that states them all.

Conventions (clinical reference, part A.6): amplitude is the peak of the FIRST phase; a width is ONE phase; the
rate counts periods, a doublet has two pulses in each, and more than two are a burst. Formulas here are exact integers where the limiter
needs them and floats, marked so, where a person reads them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

from stimctl.units import (
    UM2_PER_CM2,
    MicroAmp,
    MicroSecond,
    MilliHertz,
    PicoCoulomb,
    SquareMicrometre,
)

TEST_LOAD_OHM: Final = 500
"""Resistive load at which output is stated: IEC 60601-2-10 and the FDA's 1999 guidance."""

DOUBLET: Final = 2
"""More pulses than these in a period are a burst, which is judged by what flows while it lasts."""

APART_US: Final = 10_000
"""How far apart the pulses of a burst stand: 100 Hz, as in burst TENS (B.5: 70 to 100 Hz inside), fixed by the wire."""

BURST_RATE_MHZ: Final = 100_000
"""The same as a rate: pulses in 1000 s while a burst lasts."""


@final
@dataclass(frozen=True, slots=True)
class PulseTrain:
    """What one output delivers from now on, until told otherwise.

    A balanced symmetrical pulse repeats amplitude and width in its recovery phase; an asymmetrical one has a
    lower and longer recovery phase; a monophasic one has none (both zero). ``rate_mhz`` counts periods;
    ``pulses_per_period`` is 1, or 2 for doublets; more are a burst, whose pulses stand :data:`APART_US` apart.
    """

    amplitude_ua: MicroAmp
    phase_width_us: MicroSecond
    interphase_gap_us: MicroSecond
    recovery_amplitude_ua: MicroAmp
    recovery_width_us: MicroSecond
    rate_mhz: MilliHertz
    pulses_per_period: int = 1

    def at(self, amplitude_ua: MicroAmp) -> PulseTrain:
        """The same train at another amplitude, its recovery phase in the same proportion.

        A balanced pulse so stays balanced. Raises ``ValueError`` when the recovery phase would not be a whole
        number of µA: nothing is rounded here.
        """
        return PulseTrain(
            amplitude_ua,
            self.phase_width_us,
            self.interphase_gap_us,
            self._recovery_at(amplitude_ua),
            self.recovery_width_us,
            self.rate_mhz,
            self.pulses_per_period,
        )

    def _recovery_at(self, amplitude_ua: MicroAmp) -> MicroAmp:
        """Amplitude of the recovery phase that belongs to a first phase of ``amplitude_ua``."""
        if self.recovery_width_us == self.phase_width_us and self.recovery_amplitude_ua == self.amplitude_ua:
            return amplitude_ua
        if self.recovery_width_us == 0 or amplitude_ua == 0:
            return MicroAmp(0)
        if self.amplitude_ua == 0 or self.recovery_amplitude_ua * amplitude_ua % self.amplitude_ua:
            raise ValueError(f"the recovery phase of {self} has no whole µA at {amplitude_ua} µA")
        return MicroAmp(self.recovery_amplitude_ua * amplitude_ua // self.amplitude_ua)


@final
@dataclass(frozen=True, slots=True)
class Output:
    """One board output (numbered from 0) and its train."""

    channel: int
    train: PulseTrain


@final
@dataclass(frozen=True, slots=True)
class Command:
    """The absolute state of every output of a session: never a change, always the whole."""

    outputs: tuple[Output, ...]

    def amplitude_ua(self, channel: int) -> MicroAmp:
        """Commanded amplitude of an output, 0 when the command does not name it."""
        for output in self.outputs:
            if output.channel == channel:
                return output.train.amplitude_ua
        return MicroAmp(0)


def symmetric(
    amplitude_ua: int, phase_width_us: int, rate_mhz: int, *, interphase_gap_us: int = 0, pulses_per_period: int = 1
) -> PulseTrain:
    """A charge-balanced train whose recovery phase mirrors the first."""
    return PulseTrain(
        MicroAmp(amplitude_ua),
        MicroSecond(phase_width_us),
        MicroSecond(interphase_gap_us),
        MicroAmp(amplitude_ua),
        MicroSecond(phase_width_us),
        MilliHertz(rate_mhz),
        pulses_per_period,
    )


# --- exact integers, for judging -------------------------------------------------------------------------------


def phase_charge_pc(train: PulseTrain) -> PicoCoulomb:
    """Charge of the larger phase, in pC: ``I·t``."""
    return PicoCoulomb(
        max(train.amplitude_ua * train.phase_width_us, train.recovery_amplitude_ua * train.recovery_width_us)
    )


def net_charge_pc(train: PulseTrain) -> PicoCoulomb:
    """Charge left after one pulse, in pC, signed by the first phase: ``I1·t1 - I2·t2``."""
    return PicoCoulomb(
        train.amplitude_ua * train.phase_width_us - train.recovery_amplitude_ua * train.recovery_width_us
    )


def pulse_square_ua2us(train: PulseTrain) -> int:
    """``I1²·t1 + I2²·t2`` of one pulse, in µA²·µs: times 500 ohm it is the pulse energy in 1e-18 J."""
    return (
        train.amplitude_ua * train.amplitude_ua * train.phase_width_us
        + train.recovery_amplitude_ua * train.recovery_amplitude_ua * train.recovery_width_us
    )


def dense_rate_mhz(train: PulseTrain) -> int:
    """Pulses in 1000 s while they flow: those of all periods, and of a burst those inside it.

    Burst TENS is limited by the figure inside a burst (A.6): between bursts the skin rests, and no rest is credited.
    """
    burst = train.pulses_per_period > DOUBLET
    return BURST_RATE_MHZ if burst else train.rate_mhz * train.pulses_per_period


def mean_square_e9(train: PulseTrain) -> int:
    """The plateau's mean square current in 1e-9 µA²: no credit for ramps or rest, nor between bursts (A.6)."""
    return pulse_square_ua2us(train) * dense_rate_mhz(train)


def coincident_square(squares: Sequence[int]) -> int:
    """The square of currents that flow at the same moment, ``(Σ √a)²``, rounded up; ``squares`` are theirs, 0 or more.

    Pulses of several outputs add up as ``Σ a`` only where they never overlap, which no board here promises. Written
    out, so that one current alone, and equal ones, are exact: ``Σ a + Σ √(4 a b)`` over all pairs.
    """
    pairs = ((a, b) for i, a in enumerate(squares) for b in squares[i + 1 :] if a and b)
    return sum(squares) + sum(math.isqrt(4 * a * b - 1) + 1 for a, b in pairs)


def period_ps(train: PulseTrain) -> int:
    """Length of one period in ps (1e15 / mHz), so that 35 Hz needs no rounding up; rate must not be 0."""
    return 1_000_000_000_000_000 // train.rate_mhz


def pulse_us(train: PulseTrain) -> int:
    """Length of one pulse with its interphase gap, in µs."""
    return train.phase_width_us + train.interphase_gap_us + train.recovery_width_us


def busy_us(train: PulseTrain) -> int:
    """Time in one period that its pulses take, in µs: their own, or in a burst that in which they follow each other."""
    pulses = train.pulses_per_period
    return pulses * (APART_US if pulses > DOUBLET else pulse_us(train))


# --- floats, for reading ---------------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True)
class Figures:
    """What a person reads about a train on its smallest pad: the columns of the clinical reference, A.7.

    Of a burst they are those inside it; ``period_rms_ma`` is the mean over whole periods, which no limit goes by.
    """

    charge_uc: float
    charge_density_uc_cm2: float
    rms_ma: float
    rms_density_ma_cm2: float
    power_mw: float
    power_density_mw_cm2: float
    energy_mj: float
    peak_v: float
    net_charge_uc: float
    mean_dc_ua: float
    period_rms_ma: float


def figures(train: PulseTrain, area_um2: SquareMicrometre) -> Figures:
    """Compute :class:`Figures` at 500 ohm for a pad of ``area_um2``; for display and tests, never for judging."""
    area_cm2 = area_um2 / UM2_PER_CM2
    rms_ma = math.sqrt(mean_square_e9(train) / 1e9) / 1e3
    power_mw = rms_ma * rms_ma * TEST_LOAD_OHM / 1e3
    charge_uc = phase_charge_pc(train) / 1e6
    net_uc = net_charge_pc(train) / 1e6
    return Figures(
        charge_uc=charge_uc,
        charge_density_uc_cm2=charge_uc / area_cm2,
        rms_ma=rms_ma,
        rms_density_ma_cm2=rms_ma / area_cm2,
        power_mw=power_mw,
        power_density_mw_cm2=power_mw / area_cm2,
        energy_mj=pulse_square_ua2us(train) * TEST_LOAD_OHM / 1e15,
        peak_v=max(train.amplitude_ua, train.recovery_amplitude_ua) * TEST_LOAD_OHM / 1e6,
        net_charge_uc=net_uc,
        mean_dc_ua=net_uc * dense_rate_mhz(train) / 1e3,
        period_rms_ma=math.sqrt(pulse_square_ua2us(train) * train.rate_mhz * train.pulses_per_period / 1e9) / 1e3,
    )
