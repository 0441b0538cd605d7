"""Efforts in trains that leave only a few samples of each period: 40 pulses a second at 500 Hz."""

from __future__ import annotations

import numpy as np
import pytest

from stimctl.sensors.crowded import Crowded
from stimctl.sensors.samples import Samples
from stimctl.sensors.usual import REMEMBERED, Usual
from tests.sensors_kit import bursts, cut, detector, feed, noise

FINE = 2_000.0
RATE = 500.0
SECONDS = 12


def slower(values: Samples) -> Samples:
    """A quarter of the rate behind a short symmetric low-pass, which rings before and behind each artefact."""
    n = np.arange(-40, 41) / 4
    taps = np.sinc(n) * np.kaiser(81, 5.0) / 4
    made: Samples = np.convolve(values, taps, "same")[::4]
    return made


def trained(
    values: Samples,
    *,
    start: float = 3.0,
    end: float = 10.0,
    sizes: Samples | None = None,
    hz: float = 40.0,
    off: int = 0,
    late: int = 0,
    most_uv: float = np.inf,
) -> tuple[Samples, list[int]]:
    """At 500 Hz, a train whose pulses fall where they like between samples and are logged up to ``late`` of them off. ``off``:
    quarters of a sample by which all come later. ``most_uv``: the amplifier's limit.
    """
    values, rng = values.copy(), np.random.default_rng(5)
    true = np.round(np.arange(start, end, 1 / hz) * FINE).astype(int) + off
    n = np.arange(round(0.02 * FINE)) / FINE * 1e3
    wave = 300 * np.sin(2 * np.pi * (n - 4) / 9) * np.exp(-(((n - 9) / 3) ** 2)) + 200 * np.exp(-n / 1.5)
    wave[:2] = 2_000.0, -1_000.0
    sizes = np.linspace(0.1, 1.0, 10) if sizes is None else sizes
    scale = np.interp(np.arange(len(true)), np.arange(len(sizes)), sizes)
    for pulse, size in zip(true.tolist(), scale.tolist(), strict=True):
        values[pulse : pulse + len(wave)] += size * wave * (1 + 0.02 * rng.normal())
    values = np.clip(values, -most_uv, most_uv)
    return slower(values), [round(pulse / 4) + int(rng.integers(-late, late + 1)) for pulse in true.tolist()]


def heard_s(values: Samples, pulses: list[int]) -> list[float]:
    return [onset.index / RATE for onset in feed(detector(RATE), values, rate_hz=RATE, pulses=pulses)]


@pytest.mark.parametrize(("off", "late"), [(0, 0), (1, 0), (2, 1), (3, 0)])
def test_an_effort_is_found_wherever_pulses_fall_within_a_sample(off: int, late: int) -> None:
    values, pulses = trained(bursts(FINE, at_s=(6.0,)), off=off, late=late)
    assert [0 <= at - 6.0 <= 0.2 for at in heard_s(values, pulses)] == [True]


@pytest.mark.parametrize("hz", [30.0, 35.0, 50.0])
def test_an_effort_is_found_at_other_rates_of_pulses(hz: float) -> None:
    values, pulses = trained(bursts(FINE, at_s=(7.5,)), hz=hz)
    assert [0 <= at - 7.5 <= 0.25 for at in heard_s(values, pulses)] == [True]


def test_each_of_two_efforts_in_a_train_is_found_once() -> None:
    values, pulses = trained(bursts(FINE, at_s=(5.0, 8.5)), end=11.0)
    assert [int(2 * at) / 2 for at in heard_s(values, pulses)] == [5.0, 8.5]


@pytest.mark.parametrize("hz", [30.0, 35.0, 37.0, 40.0, 45.0, 50.0])
@pytest.mark.parametrize("off", [0, 1])
def test_a_train_without_effort_sets_nothing_off(hz: float, off: int) -> None:
    values, pulses = trained(noise(SECONDS, FINE, 3.0), hz=hz, off=off)
    assert heard_s(values, pulses) == []


@pytest.mark.parametrize("late", [0, 1])
@pytest.mark.parametrize("most_uv", [np.inf, 1_500.0])
def test_ramps_and_steps_set_nothing_off(late: int, most_uv: float) -> None:
    """An amplifier at its limit makes another shape, and not only another size, of each artefact."""
    sizes = np.concatenate(
        [np.linspace(0.05, 1.0, 20), np.ones(80), np.full(60, 1.25), np.full(60, 0.9), [0.6, 0.3, 0.1]]
    )
    values, pulses = trained(
        noise(SECONDS, FINE, 3.0), sizes=sizes, end=3 + len(sizes) / 40, late=late, most_uv=most_uv
    )
    assert heard_s(values, pulses) == []


def test_an_m_wave_that_slowly_takes_another_shape_is_no_effort() -> None:
    """Within two seconds, while the artefact stays as it is; within one it can set off (docs/emg.md)."""
    values, pulses = trained(noise(SECONDS, FINE, 3.0))
    for pulse in pulses:
        grown = min(1.0, max(0.0, (pulse / RATE - 6) / 2))
        values[pulse + 4 : pulse + 8] += np.array([60.0, 120.0, -120.0, -60.0]) * grown
    assert heard_s(values, pulses) == []


def test_what_is_no_number_or_none_of_this_world_sets_nothing_off() -> None:
    values, pulses = trained(noise(SECONDS, FINE, 3.0))
    values[2_600:4_000:130] = np.nan
    values[2_650:4_000:130] = 1e300
    assert heard_s(values, pulses) == []


def test_a_train_in_which_pulses_are_missing_sets_nothing_off() -> None:
    values, pulses = trained(noise(SECONDS, FINE, 3.0))
    assert heard_s(values, [pulse for at, pulse in enumerate(pulses) if at % 7 != 3]) == []


def test_chunk_sizes_and_gain_change_nothing() -> None:
    values, pulses = trained(bursts(FINE, at_s=(6.0,)))
    plain, odd, loud = detector(RATE), detector(RATE), detector(RATE)
    expected = [o.index for chunk in cut(values, RATE, [5], pulses) for o in plain.push(chunk)]
    assert [o.index for chunk in cut(values, RATE, [1, 2, 3, 17, 90, 7], pulses) for o in odd.push(chunk)] == expected
    assert [o.index for chunk in cut(values * 2.0**9, RATE, [5], pulses) for o in loud.push(chunk)] == expected
    assert len(expected) == 1


# --- the parts --------------------------------------------------------------------------------------------------------


def test_only_so_much_is_remembered() -> None:
    usual, rng = Usual(2, 8), np.random.default_rng(1)
    start, end = usual.span(100)
    for _ in range(3 * REMEMBERED):
        usual.remember(rng.normal(size=end - start), rng.normal(size=12))
    assert len(usual._frames) < 2 * REMEMBERED
    assert len(usual._left) < 2 * REMEMBERED


def test_pulses_without_a_period_that_leaves_samples_are_not_heard() -> None:
    crowded = Crowded(1, 2)
    values = noise(2.0, RATE, 3.0)
    for pulse in range(5, 900, 9):
        assert crowded.take(pulse, lambda start, end: values[start:end], 9.0) is None
    assert not crowded.follows
