"""The sums of the clinical reference, A.6, against its own vectors, A.7, to 0.1 %."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.pulse import (
    Command,
    Figures,
    Output,
    PulseTrain,
    busy_us,
    coincident_square,
    figures,
    mean_square_e9,
    net_charge_pc,
    period_ps,
    phase_charge_pc,
    pulse_square_ua2us,
    symmetric,
)
from stimctl.units import MicroAmp, MicroSecond, MilliHertz, SquareMicrometre
from tests.limiter_rig import area


def train(ma: float, width: int, hz: float, *, back: tuple[float, int] | None = None, n: int = 1) -> PulseTrain:
    """``back``: recovery phase as mA and µs; None mirrors the first."""
    recovery_ma, recovery_us = (ma, width) if back is None else back
    return PulseTrain(
        MicroAmp(round(ma * 1000)),
        MicroSecond(width),
        MicroSecond(0),
        MicroAmp(round(recovery_ma * 1000)),
        MicroSecond(recovery_us),
        MilliHertz(round(hz * 1000)),
        n,
    )


# Clinical reference A.7, in its order: train, cm², Q µC, D µC/cm², Irms mA, J mA/cm², P mW, P/A mW/cm², E mJ, V.
A7: list[tuple[PulseTrain, float, tuple[float, ...]]] = [
    (train(20, 300, 35), 25, (6.000, 0.2400, 2.8983, 0.11593, 4.200, 0.1680, 0.1200, 10)),
    (train(40, 250, 35), 25, (10.000, 0.4000, 5.2915, 0.21166, 14.000, 0.5600, 0.4000, 20)),
    (train(15, 200, 35), 4.9087, (3.000, 0.6112, 1.7748, 0.36157, 1.575, 0.3209, 0.0450, 7.5)),
    (train(20, 100, 100), 25, (2.000, 0.0800, 2.8284, 0.11314, 4.000, 0.1600, 0.0400, 10)),
    (train(30, 200, 2), 25, (6.000, 0.2400, 0.84853, 0.033941, 0.360, 0.0144, 0.1800, 15)),
    (train(40, 250, 150), 8.0425, (10.000, 1.2434, 10.9545, 1.36207, 60.000, 7.4604, 0.4000, 20)),
    (train(30, 300, 35, back=(7.5, 1200)), 20, (9.000, 0.4500, 3.4369, 0.17185, 5.906, 0.2953, 0.16875, 15)),
    (train(30, 300, 35, back=(0, 0)), 20, (9.000, 0.4500, 3.0741, 0.15370, 4.725, 0.2362, 0.1350, 15)),
    (train(100, 300, 50), 20, (30.000, 1.5000, 17.3205, 0.86603, 150.00, 7.500, 3.000, 50)),
    (train(100, 300, 50), 10, (30.000, 3.0000, 17.3205, 1.73205, 150.00, 15.000, 3.000, 50)),
    (train(60, 400, 50), 8.0425, (24.000, 2.9842, 12.0000, 1.49208, 72.000, 8.9525, 1.440, 30)),
    (train(200, 450, 25), 20.25, (90.000, 4.4444, 30.0000, 1.48148, 450.00, 22.222, 18.000, 100)),
    (train(200, 450, 25), 10.125, (90.000, 8.8889, 30.0000, 2.96296, 450.00, 44.444, 18.000, 100)),
    (train(30, 300, 20, n=2), 25, (9.000, 0.3600, 4.6476, 0.18590, 10.800, 0.4320, 0.2700, 15)),
    (train(30, 200, 2, n=9), 25, (6.000, 0.2400, 6.0000, 0.2400, 18.000, 0.7200, 0.1800, 15)),  # in the burst
    (train(130, 4095, 50), 25, (532.35, 21.294, 83.190, 3.3276, 3460.3, 138.41, 69.206, 65)),
]


def columns(f: Figures) -> tuple[float, ...]:
    return (
        f.charge_uc,
        f.charge_density_uc_cm2,
        f.rms_ma,
        f.rms_density_ma_cm2,
        f.power_mw,
        f.power_density_mw_cm2,
        f.energy_mj,
        f.peak_v,
    )


@pytest.mark.parametrize(("pulse", "cm2", "expected"), A7, ids=[f"vector {n}" for n in range(1, 17)])
def test_a7_vectors(pulse: PulseTrain, cm2: float, expected: tuple[float, ...]) -> None:
    got = columns(figures(pulse, SquareMicrometre(area(cm2))))
    assert got == pytest.approx(expected, rel=1e-3)


def test_whole_period_mean_of_burst_tens() -> None:
    """Vector 15 again: nine pulses, two bursts a second; inside a burst they are the same as 100 Hz that never pauses."""
    burst, steady = train(30, 200, 2, n=9), train(30, 200, 100)
    inside, always = (figures(each, SquareMicrometre(area(25))) for each in (burst, steady))
    assert inside.period_rms_ma == pytest.approx(2.5456, rel=1e-3)
    assert columns(inside) == columns(always)
    assert always.period_rms_ma == always.rms_ma


def test_mean_dc_of_a_mismatch() -> None:
    """12 µC with 1 % mismatch at 35 Hz is 4.2 µA."""
    f = figures(train(40, 300, 35, back=(39.6, 300)), SquareMicrometre(area(25)))
    assert f.net_charge_uc == pytest.approx(0.12)
    assert f.mean_dc_ua == pytest.approx(4.2, rel=1e-3)


def test_session_dose_of_vector_one() -> None:
    """60 repetitions of 1 s up, 5 s plateau, 1 s down: 63.0 mC plateau and 12.6 mC ramps."""
    charge_mc = phase_charge_pc(train(20, 300, 35)) / 1e9
    assert 60 * 5 * 35 * charge_mc == pytest.approx(63.0)
    assert 60 * 2 * 35 * charge_mc / 2 == pytest.approx(12.6)


amplitudes = st.integers(0, 150_000)
widths = st.integers(1, 5_000)
trains = st.builds(
    PulseTrain,
    amplitudes.map(MicroAmp),
    widths.map(MicroSecond),
    st.integers(0, 500).map(MicroSecond),
    amplitudes.map(MicroAmp),
    widths.map(MicroSecond),
    st.integers(500, 200_000).map(MilliHertz),
    st.integers(1, 12),
)


def judged_hz(t: PulseTrain) -> Fraction:
    """Pulses a second: f n, and of more than two in a period, which stand 10 ms apart, those inside the burst."""
    return Fraction(t.rate_mhz, 1000) * t.pulses_per_period if t.pulses_per_period <= 2 else Fraction(1000, 10)


@given(trains)
def test_integers_are_the_exact_sums(t: PulseTrain) -> None:
    """The same quantities as fractions of SI units, from the formulas as written."""
    first, back = Fraction(t.amplitude_ua, 10**6), Fraction(t.recovery_amplitude_ua, 10**6)
    t1, t2 = Fraction(t.phase_width_us, 10**6), Fraction(t.recovery_width_us, 10**6)
    assert Fraction(phase_charge_pc(t), 10**12) == max(first * t1, back * t2)
    assert Fraction(net_charge_pc(t), 10**12) == first * t1 - back * t2
    assert Fraction(pulse_square_ua2us(t), 10**18) == first**2 * t1 + back**2 * t2
    assert Fraction(mean_square_e9(t), 10**21) == (first**2 * t1 + back**2 * t2) * judged_hz(t)
    assert period_ps(t) == Fraction(10**15, t.rate_mhz) // 1
    one = t1 + t2 + Fraction(t.interphase_gap_us, 10**6) if t.pulses_per_period <= 2 else Fraction(1, 100)
    assert Fraction(busy_us(t), 10**6) == one * t.pulses_per_period


@given(trains, st.integers(2 * 10**8, 2 * 10**10))
def test_figures_agree_with_the_integers(t: PulseTrain, um2: int) -> None:
    f = figures(t, SquareMicrometre(um2))
    assert f.rms_ma == pytest.approx(math.sqrt(mean_square_e9(t) / 1e9) / 1e3)
    assert f.power_density_mw_cm2 == pytest.approx(f.rms_density_ma_cm2**2 * 0.5 * um2 / 1e8)
    assert f.power_mw == pytest.approx(f.energy_mj * float(judged_hz(t)))


@given(amplitudes, widths, st.integers(500, 200_000), amplitudes)
def test_a_symmetrical_pulse_stays_balanced_at_any_amplitude(ua: int, width: int, mhz: int, to: int) -> None:
    moved = symmetric(ua, width, mhz).at(MicroAmp(to))
    assert moved == symmetric(to, width, mhz)
    assert net_charge_pc(moved) == 0


@given(st.integers(1, 30_000), st.integers(1, 4), st.integers(0, 30_000))
def test_an_asymmetrical_pulse_stays_balanced_or_says_so(low: int, ratio: int, to: int) -> None:
    pulse = train(0, 100, 35, back=(0, 100 * ratio))
    pulse = PulseTrain(MicroAmp(low * ratio), pulse.phase_width_us, pulse.interphase_gap_us, MicroAmp(low),
                       pulse.recovery_width_us, pulse.rate_mhz)  # fmt: skip
    if to % ratio and ratio > 1:
        with pytest.raises(ValueError, match="no whole µA"):
            pulse.at(MicroAmp(to))
    else:
        assert net_charge_pc(pulse.at(MicroAmp(to))) == 0


def test_a_train_at_zero_without_symmetry_cannot_be_scaled_up() -> None:
    with pytest.raises(ValueError, match="no whole µA"):
        train(0, 300, 35, back=(0, 1200)).at(MicroAmp(1000))
    assert train(30, 300, 35, back=(7.5, 1200)).at(MicroAmp(0)).recovery_amplitude_ua == 0


def test_a_monophasic_train_stays_one() -> None:
    assert train(30, 300, 35, back=(0, 0)).at(MicroAmp(1)).recovery_amplitude_ua == 0


def test_a_command_states_what_it_names() -> None:
    both = Command((Output(3, symmetric(5_000, 300, 35_000)), Output(7, symmetric(0, 300, 35_000))))
    assert (both.amplitude_ua(3), both.amplitude_ua(7), both.amplitude_ua(0)) == (5_000, 0, 0)


@pytest.mark.parametrize("frozen", [symmetric(1, 2, 3), Output(0, symmetric(1, 2, 3)), Command(())])
def test_words_do_not_change(frozen: Any) -> None:
    name = next(iter(frozen.__slots__))
    with pytest.raises(AttributeError):
        setattr(frozen, name, 0)


# --- channels together -------------------------------------------------------------------------------------------------


def test_two_channels_of_vector_two_on_one_pad() -> None:
    """A.7, for pulses that never overlap: 7.4833 mA rms and 0.29933 mA/cm². Where they meet: 10.583 mA rms."""
    one = mean_square_e9(symmetric(40_000, 250, 35_000))
    rms_ma = math.sqrt(2 * one / 1e9) / 1e3
    assert rms_ma == pytest.approx(7.4833, rel=1e-4)
    assert rms_ma / 25 == pytest.approx(0.29933, rel=1e-4)
    assert math.sqrt(coincident_square([one, one]) / 1e9) / 1e3 == pytest.approx(2 * 5.2915, rel=1e-4)


@given(st.lists(st.integers(0, 10**18), max_size=5))
def test_currents_that_coincide_add_up_and_are_rounded_up(squares: list[int]) -> None:
    with localcontext(prec=80):
        exact = sum(Decimal(each).sqrt() for each in squares) ** 2
        together = coincident_square(squares)
        assert exact - Decimal("1e-30") <= together <= exact + 10 + Decimal("1e-30")


@given(st.integers(0, 10**18), st.integers(0, 4))
def test_one_current_and_equal_ones_are_exact(square: int, nothing: int) -> None:
    assert coincident_square([square] + [0] * nothing) == square
    assert coincident_square([square] * 3) == 9 * square
