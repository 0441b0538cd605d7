"""The virtual patient's EMG: motor units by size and rate, tremor, co-contraction, spasticity, drift, knocks, mains, SNR."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from stimctl.pulse import symmetric
from stimctl.sim.emg import Electrode, Levels
from stimctl.sim.hand import Hand
from stimctl.sim.motor_units import GRID_US, Pool
from stimctl.sim.patient import Patient
from stimctl.sim.reflex import LATENCY_US, Reflex
from stimctl.sim.volition import Attempt, Will

SECOND = 1_000_000
LEVELS = Levels(rest_uv=2.0, hum_uv=0.5, voluntary_uv=30.0)


def pool(seed: int = 3, count: int = 30, rate_hz: int = 2_000) -> Pool:
    return Pool(np.random.default_rng(seed), count, rate_hz, 30.0, (1.2, 2.4))


def held(strength: float, seconds: int = 20) -> Attempt:
    return Attempt(SECOND, (1 + seconds) * SECOND, strength, 100_000, 100_000)


def firings(of: Pool, strength: float) -> dict[int, np.ndarray]:
    """When each unit fires in an effort that is held, in seconds, the rise left out."""
    found: dict[int, np.ndarray] = {}

    attempt = held(strength)
    at_us = np.arange(attempt.onset_us, attempt.end_us, GRID_US, dtype=np.float64)
    rates = of._rates(of._drive(attempt.activity(at_us), at_us))
    for unit, times in of._firings(np.cumsum(rates, axis=0) * (GRID_US / 1e6), at_us):
        found[unit] = times[times > 2 * SECOND] / 1e6
    return found


def rms(signal: np.ndarray) -> float:
    return float(np.sqrt(np.mean(signal**2)))


# --- motor units -------------------------------------------------------------------------------------------------


def test_units_come_in_by_size_and_go_in_reverse() -> None:
    of = pool()
    few, many = firings(of, 0.15), firings(of, 0.9)
    steadily = [unit for unit, times in few.items() if len(times) > 60]
    assert steadily == list(range(len(steadily))), "the smallest first, none left out"
    assert 3 <= len(steadily) < 20
    assert len(many) > 25
    sizes = np.abs(of._templates).max(axis=(1, 2))
    assert np.mean(sizes[-5:]) > 5 * np.mean(sizes[:5])


def test_units_fire_faster_with_more_effort_and_within_their_range() -> None:
    of = pool()
    few, many = firings(of, 0.2), firings(of, 1.0)
    for unit in range(3):
        slow, fast = (1 / np.diff(times[unit]).mean() for times in (few, many))
        assert 6.0 < slow < fast < 23.0
    last = 1 / np.diff(many[25]).mean()
    assert last < 1 / np.diff(many[0]).mean(), "late units stay slower"


def test_intervals_vary_by_about_a_fifth() -> None:
    steps = np.diff(firings(pool(), 0.8)[1])
    assert 0.12 < steps.std() / steps.mean() < 0.35


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6, 1.0])
def test_the_pattern_is_as_strong_as_the_effort(share: float) -> None:
    first, signal = pool().pattern(held(share))
    assert first == 2_000
    assert rms(signal[4_000:-8_000]) == pytest.approx(30.0 * share, rel=0.25)


def test_nothing_before_the_onset_and_little_later_the_first_unit() -> None:
    for onset_us in (SECOND, 7 * SECOND + 123, 9 * SECOND + 1):
        _, signal = pool().pattern(Attempt(onset_us, onset_us + SECOND, 0.8, 100_000, 100_000))
        assert 0 < np.flatnonzero(np.abs(signal) > 0.1)[0] < 2_000 * 0.06


def test_an_effort_that_is_ended_has_the_same_beginning() -> None:
    long = held(0.7, 20)
    short = replace(long, end_us=long.onset_us + 2 * SECOND)
    assert np.array_equal(pool().pattern(long)[1][:4_000], pool().pattern(short)[1][:4_000])
    assert not pool().pattern(short)[1][-100:].any()


def test_every_effort_is_another_and_the_same_one_again() -> None:
    one, other = held(0.7), replace(held(0.7), onset_us=SECOND + 5_000)
    assert np.array_equal(pool().pattern(one)[1], pool().pattern(one)[1])
    assert not np.array_equal(pool().pattern(one)[1][:2_000], pool().pattern(other)[1][:2_000])


def test_a_tremor_is_in_the_drive() -> None:
    of = pool()
    at_us = np.arange(0, 60 * SECOND, 5_000, dtype=np.float64)
    drive = of._drive(np.full(len(at_us), 0.4), at_us)
    power = np.abs(np.fft.rfft(drive - drive.mean())) ** 2
    hz = np.fft.rfftfreq(len(drive), 0.005)
    shaken = power[(hz > 8) & (hz < 12)].sum()
    assert shaken > 20 * power[(hz > 13) & (hz < 40)].sum()
    assert 0.05 < drive.std() / drive.mean() < 0.4


# --- the other muscle --------------------------------------------------------------------------------------------


def test_flexors_that_pull_along_are_heard_from_afar() -> None:
    alone, along = (Electrode(4, 1_000, replace(LEVELS, co_contraction=share), (1.0,)) for share in (0.0, 1.0))
    (first, own), (begin, both) = (each.effort(held(0.8)) for each in (alone, along))
    assert first == begin
    beside = both[: len(own)] - own
    assert 0.05 * rms(own) < rms(beside) < 0.3 * rms(own)


def test_stretched_flexors_answer_late_only_fast_and_only_with_tone() -> None:
    times = np.arange(0, 2 * SECOND, 1_000, dtype=np.float64)

    def heard(tone: float, pull: float) -> np.ndarray:
        reflex = Reflex(tone)
        reflex.pull(pull, 500_000)
        return reflex.activity(times)

    strong = heard(0.9, 1.0)
    assert not strong[: 500 + LATENCY_US // 1_000].any()
    assert strong.max() > 0.2
    assert not strong[1_700:].any(), "a hand that is open is not stretched any more"
    assert not heard(0.9, 0.1).any(), "slowly is not answered"
    assert not heard(0.9, -1.0).any(), "closing is not"
    assert not heard(0.0, 1.0).any()


def test_the_speed_is_that_of_a_hand() -> None:
    hand, reflex = Hand((1,), 0.5), Reflex(0.5)
    hand.drive(0, 0.6, 35.0, 100_000)
    reflex.pull(0.6, 100_000)
    angles = [hand.angle_deg(at * 10_000) for at in range(80)]
    speeds = [(b - a) * 100 for a, b in pairwise(angles)]
    assert max(abs(speeds[at] - reflex._speed[at]) for at in range(11, 60)) < 0.1 * max(speeds)


def test_stimulation_that_opens_a_spastic_hand_calls_the_flexors() -> None:
    patient = next(p for p in map(Patient, range(50)) if p.hand._tone > 0.7)
    strong = symmetric(patient.tissues[0].tolerated_ua - 1_000, 250, 40_000)
    quiet = patient.emg(0, 1_000)
    patient.set_output(0, strong, SECOND)
    opening, open_ = patient.emg(1_000, 400), patient.emg(3_000, 1_000)
    beside = opening - patient.electrode.rest(1_000, 400)
    assert rms(beside) > 0.2
    assert np.array_equal(open_, patient.electrode.rest(3_000, 1_000))
    assert np.array_equal(quiet, patient.electrode.rest(0, 1_000))


def test_changes_of_pull_that_are_long_past_are_forgotten() -> None:
    reflex = Reflex(1.0)
    for at_us in range(0, 100 * SECOND, 3 * SECOND):
        assert not reflex.answers(at_us - SECOND // 2, at_us)
        reflex.pull(1.0, at_us)
        assert reflex.answers(at_us, at_us + SECOND // 4)
        assert reflex.activity(np.array([at_us + 200_000.0])).max() > 0
        reflex.pull(-1.0, at_us + SECOND)


# --- what is no muscle -------------------------------------------------------------------------------------------


def test_drift_lies_below_the_band_and_mains_where_it_is() -> None:
    still = Levels(rest_uv=0.0, hum_uv=4.0, voluntary_uv=30.0, mains_hz=60, drift_uv=50.0)
    rest = Electrode(1, 1_000, still, (1.0,)).rest(0, 32_000)
    power = np.abs(np.fft.rfft(rest)) ** 2
    hz = np.fft.rfftfreq(32_000, 1e-3)
    assert power[hz < 1].sum() > 10 * power[hz >= 1].sum()
    strongest = hz[20 * 32 :][np.argmax(power[20 * 32 :])]
    assert strongest == 60.0
    assert power[hz == 180.0][0] > 1e4 * power[(hz > 185) & (hz < 400)].max()


def test_knocks_come_as_often_as_was_asked_for_and_else_never() -> None:
    calm, knocked = (
        Electrode(1, 1_000, replace(LEVELS, knocks_per_min=n), (1.0,)).rest(0, 32_000) for n in (0.0, 15.0)
    )
    assert np.abs(calm).max() < 15
    knocks = np.flatnonzero(np.abs(np.diff(knocked)) > 60)
    assert 5 <= 1 + np.count_nonzero(np.diff(knocks) > 150) <= 8  # 15 a minute, in 32 s


@pytest.mark.parametrize("decibels", [0.0, 3.0, 10.0, 20.0])
def test_the_ratio_that_was_asked_for(decibels: float) -> None:
    patient = Patient(6, emg=lambda levels: replace(levels.at_snr(decibels), drift_uv=0.0, co_contraction=0.0))
    begin = patient.exert(0, 1.0).onset_us // 1_000 + 500
    rest = patient.electrode.rest(begin, 20_000)
    effort = patient.emg(begin, 20_000) - rest
    assert 20 * math.log10(rms(effort) / rms(rest)) == pytest.approx(decibels, abs=2.0)


def test_what_is_asked_of_the_emg_changes_nothing_else() -> None:
    one, other = Patient(8), Patient(8, emg=lambda levels: levels.at_snr(0.0))
    assert one.tissues == other.tissues
    assert one.volition.exert(0) == other.volition.exert(0)
    assert one.electrode.levels != other.electrode.levels


@pytest.mark.parametrize("rate_hz", [500, 1_000, 2_000, 4_000])
def test_every_rate_hears_the_same_person(rate_hz: int) -> None:
    patient = Patient(5, will=Will(success=1.0), emg_rate_hz=rate_hz)
    attempt = patient.exert(0, 1.0)
    begin = (attempt.onset_us + SECOND) * rate_hz // SECOND
    effort = patient.emg(begin, 10 * rate_hz) - patient.electrode.rest(begin, 10 * rate_hz)
    assert rms(effort) == pytest.approx(patient.electrode.levels.voluntary_uv, rel=0.25)
