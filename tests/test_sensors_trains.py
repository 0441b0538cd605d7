"""Efforts heard between the pulses of a train; and the parts: evidence, the level of rest, doubts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimctl.sensors.doubts import Knocks
from stimctl.sensors.evidence import ENOUGH, Evidence
from stimctl.sensors.filters import freedom, high_pass, low_pass
from stimctl.sensors.level import TENSE_MEANS, RestLevel
from stimctl.sensors.samples import Samples
from stimctl.sensors.settings import DEFAULT
from tests.sensors_kit import bursts, cut, detector, feed, noise

RATE = 1_000.0


def trained(
    values: Samples, start: int, end: int, *, sizes: Samples | None = None, late: int = 0, rate_hz: float = RATE
) -> tuple[Samples, list[int]]:
    """A 40 Hz train with an artefact, a tail and an M-wave; its pulses are logged up to ``late`` samples off."""
    values, rng = values.copy(), np.random.default_rng(5)
    true = list(range(start, end, round(rate_hz / 40)))
    n = np.arange(round(0.02 * rate_hz)) / rate_hz * 1e3
    wave = 300 * np.sin(2 * np.pi * (n - 4) / 9) * np.exp(-(((n - 9) / 3) ** 2)) + 200 * np.exp(-n / 1.5)
    wave[0], wave[1] = 2_000.0, -1_000.0
    scale = np.ones(len(true)) if sizes is None else sizes[: len(true)]
    for pulse, size in zip(true, scale, strict=True):
        whole = min(len(wave), len(values) - pulse)
        values[pulse : pulse + whole] += size * wave[:whole] * (1 + 0.02 * rng.normal())
    return values, [pulse + int(rng.integers(-late, late + 1)) for pulse in true]


@pytest.mark.parametrize(("late", "level"), [(0, 0.0), (1, 0.0), (0, 1e5)])
def test_an_effort_during_a_train_is_found_within_a_few_pulses(late: int, level: float) -> None:
    """Pulses logged a millisecond off are found again by their artefact; and counts may sit on any level."""
    values, pulses = trained(bursts(RATE, at_s=(6.0,)), 3_000, 10_000, late=late)
    onsets = feed(detector(), values + level, pulses=pulses)
    assert [0 <= onset.index - 6_000 <= 120 for onset in onsets] == [True]
    assert onsets[0].envelope_uv > onsets[0].threshold_uv


def test_after_an_attempt_that_set_a_train_off_the_next_one_is_heard_in_it() -> None:
    """A task's phase may wait for an attempt while its muscles are stimulated, and an attempt began the task."""
    values, pulses = trained(bursts(RATE, at_s=(3.0, 6.0)), 3_150, 10_000)
    onsets = feed(detector(), values, pulses=pulses)
    assert [onset.index // 1_000 for onset in onsets] == [3, 6]


def test_an_attempt_that_goes_on_under_stimulation_is_no_second_one() -> None:
    values, pulses = trained(bursts(RATE, at_s=(3.0, 4.5, 6.0, 7.5)), 3_150, 10_000)
    assert [onset.index // 1_000 for onset in feed(detector(), values, pulses=pulses)] == [3]


@pytest.mark.parametrize("late", [0, 1])
def test_a_train_that_ramps_and_steps_sets_nothing_off(late: int) -> None:
    sizes = np.concatenate([np.linspace(0.05, 1.0, 20), np.ones(80), np.full(60, 1.4), np.ones(80), [0.7, 0.4, 0.1]])
    values, pulses = trained(noise(12.0, RATE, 3.0), 3_000, 3_000 + 25 * len(sizes), sizes=sizes, late=late)
    assert feed(detector(), values, pulses=pulses) == []


def test_what_is_no_number_in_a_train_sets_nothing_off() -> None:
    values, pulses = trained(noise(12.0, RATE, 3.0), 3_000, 10_000)
    for at in range(5_000, 9_000, 310):
        values[at : at + 2] = np.nan
    assert feed(detector(), values, pulses=pulses) == []


def test_an_uneven_train_is_not_heard_and_sets_nothing_off() -> None:
    values, rng = noise(12.0, RATE, 3.0), np.random.default_rng(2)
    pulses = (3_000 + np.cumsum(rng.integers(12, 60, 150))).tolist()
    for pulse in pulses:
        values[pulse : pulse + 3] += 2_000.0
    assert feed(detector(), values, pulses=pulses) == []


@settings(max_examples=10)
@given(sizes=st.lists(st.integers(1, 400), max_size=40), late=st.integers(0, 1))
def test_chunk_sizes_change_nothing_in_a_train(sizes: list[int], late: int) -> None:
    values, pulses = trained(bursts(RATE, at_s=(5.0,))[:7_000], 3_000, 7_000, late=late)
    plain, odd = detector(), detector()
    expected = [o for chunk in cut(values, RATE, [10], pulses) for o in plain.push(chunk)]
    found = [o for chunk in cut(values, RATE, [*sizes, 333], pulses) for o in odd.push(chunk)]
    assert [(o.index, o.envelope_uv) for o in found] == [(o.index, o.envelope_uv) for o in expected]
    assert len(expected) == 1


@settings(max_examples=10)
@given(shift=st.integers(0, 10**9), power=st.integers(-20, 20))
def test_onsets_shift_with_time_and_do_not_change_with_gain(shift: int, power: int) -> None:
    """A gain that is a power of two changes no rounding; the rest of the arithmetic has no unit."""
    values, pulses = trained(bursts(RATE, at_s=(3.0, 6.0)), 5_000, 9_000)
    expected = feed(detector(), values, pulses=pulses)
    found = feed(detector(), values * 2.0**power, first=shift, pulses=[pulse + shift for pulse in pulses])
    assert [onset.index - shift for onset in found] == [onset.index for onset in expected]
    assert len(expected) == 2


# --- the parts --------------------------------------------------------------------------------------------------------


@given(height=st.floats(0, 1e12))
def test_no_single_moment_is_enough(height: float) -> None:
    evidence = Evidence(3.0)
    assert not any(evidence.push(ratio) for ratio in [1.0] * 20 + [height] + [1.0] * 20)


def test_evidence_adds_up_and_goes_away() -> None:
    evidence = Evidence(3.0)
    assert [evidence.push(100.0) for _ in range(4)] == [False, False, False, True]
    assert evidence.suspicious
    for _ in range(20):
        evidence.push(0.5)
    assert not evidence.suspicious
    found = [evidence.push(2.5) for _ in range(40)]
    assert found.index(True) > ENOUGH / 3


def learnt(power: float = 4.0) -> RestLevel:
    level = RestLevel(80.0, 40.0, 2.0)
    rng = np.random.default_rng(1)
    for ratio in rng.chisquare(40, 25) / 40:
        level.push(power * ratio, held=False)
    level.learn()
    return level


def test_rest_follows_drift_but_not_an_effort() -> None:
    level = learnt()
    first = level.power
    assert first == pytest.approx(4.0, rel=0.15)
    for _ in range(40):
        level.push(100.0, held=True)
    assert level.power == first
    for _ in range(80):
        level.push(8.0, held=False)
    assert level.power == pytest.approx(8.0, rel=0.1)


def test_a_muscle_that_stays_tense_is_the_new_rest_in_the_end() -> None:
    level = learnt()
    for _ in range(TENSE_MEANS + 20):
        level.push(100.0, held=True)
    assert level.power == pytest.approx(100.0)
    wavering = learnt()
    for i in range(3 * TENSE_MEANS):
        wavering.push(1_000.0 if i // 20 % 2 else 100.0, held=True)
    assert wavering.power < 8.0


def test_rest_that_wanders_is_judged_by_more_than_its_mean() -> None:
    calm, restless = learnt(), learnt()
    for i in range(200):
        calm.push(4.0, held=False)
        restless.push(10.0 if i // 2 % 2 else 1.6, held=False)
    assert calm.judged_by == pytest.approx(4.0, rel=0.1)
    assert restless.judged_by > 2 * restless.power


def test_rest_without_any_spread_keeps_a_floor() -> None:
    level = learnt()
    for _ in range(1_000):
        level.push(0.0, held=False)
    assert level.power > 0.0


def test_a_knock_is_doubted_and_muscle_is_not() -> None:
    knock, muscle = Knocks(), Knocks()
    for mean in [0.0] * 6 + [100.0] * 4:
        knock.push([mean] * 5, 25.0)
    for mean in [1.0, -1.0] * 5:
        muscle.push([mean] * 5, 25.0)
    assert knock.doubt(1.0)
    assert not muscle.doubt(1.0)
    assert Knocks().doubt(1.0)  # nothing is known of the signal yet


def test_what_is_loud_at_once_and_dies_away_is_doubted_and_what_rises_is_not() -> None:
    falls, rises, soft = Knocks(), Knocks(), Knocks()
    for power in [1.0] * 8 + [9_000.0, 6_000.0, 3_000.0, 1_500.0]:
        falls.push([1.0, -1.0], power)
        soft.push([1.0, -1.0], power / 100)  # a motor unit's single potential does the same
    for power in [1.0] * 4 + [10.0 * 2.5**i for i in range(9)]:
        rises.push([1.0, -1.0], power)
    assert falls.doubt(1.0)
    assert not soft.doubt(1.0)
    assert not rises.doubt(1.0)


@pytest.mark.parametrize("swings_hz", [35.0, 45.0, 55.0])
def test_a_cable_that_swings_sets_nothing_off(swings_hz: float) -> None:
    values, since_s = noise(9.0, RATE, 3.0), np.arange(200) / RATE
    for second in (5, 7):
        at = round(second * RATE)
        values[at : at + 200] += 300.0 * np.cos(2 * np.pi * swings_hz * since_s) * np.exp(-since_s / 0.02)
    assert feed(detector(), values) == []


def test_degrees_of_freedom_are_twice_time_times_bandwidth() -> None:
    assert freedom((), 1_000.0, 0.005) == pytest.approx(5.0)
    narrow = freedom((high_pass(45.0, 1_000.0), low_pass(300.0, 1_000.0)), 1_000.0, 0.005)
    values = noise(200.0, 1_000.0, 1.0)
    from scipy import signal  # here, as it takes a second, and each worker of a run would spend it

    sos = np.vstack(
        [signal.butter(2, 45, "high", fs=1_000, output="sos"), signal.butter(2, 300, "low", fs=1_000, output="sos")]
    )
    powers = (signal.sosfilt(sos, values).reshape(-1, 100) ** 2).mean(axis=1)
    assert 2 * powers.mean() ** 2 / powers.var() == pytest.approx(20 * narrow, rel=0.15)


def test_steady_noise_sets_nothing_off_with_the_defaults() -> None:
    assert DEFAULT.threshold_sd == 3.0
    for seed in range(2):
        assert feed(detector(), noise(60.0, RATE, 3.0, seed)) == []
