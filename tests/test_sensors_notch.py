"""The hum that is always there is taken off, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimctl.sensors import filters
from stimctl.sensors.notch import Notch
from stimctl.sensors.samples import Samples
from tests.sensors_kit import bursts, detector, feed, noise

RATES = (500.0, 1_000.0, 2_000.0, 4_000.0)


def humming(values: Samples, rate_hz: float, hz: float, rms: float, third: float = 0.0) -> Samples:
    turn = 2 * np.pi * hz / rate_hz * np.arange(len(values))
    hummed: Samples = values + np.sqrt(2) * rms * (np.sin(turn + 1.0) + third * np.sin(3 * turn))
    return hummed


def cleaned(values: Samples, rate_hz: float, first: int = 0) -> tuple[Notch, Samples]:
    block = round(rate_hz / 200)
    high = (filters.high_pass(20.0, rate_hz),)
    notch = Notch(high, rate_hz, block)
    band = filters.BlockFilter(high, block, kept=notch.window)
    heard = []
    for at in range(0, len(values) - block + 1, block):
        band.advance(values[at : at + block], notch.away(first + at))
        if not notch.missing:
            notch.hear(band.recent(notch.window))
        heard.append(band.filtered.copy())
    return notch, np.concatenate(heard)


@pytest.mark.parametrize("hz", [50.0, 60.0])
@pytest.mark.parametrize("rate_hz", RATES)
def test_a_steady_hum_and_its_third_harmonic_are_gone_after_two_seconds(rate_hz: float, hz: float) -> None:
    values = humming(np.zeros(round(4 * rate_hz)), rate_hz, hz, 100.0, third=0.2)
    notch, heard = cleaned(values, rate_hz)
    assert np.std(heard[round(2 * rate_hz) :]) < 1.0
    assert notch.power == pytest.approx(1e4, rel=0.2)


def test_next_to_nothing_is_taken_from_a_muscle() -> None:
    values = bursts(1_000.0)
    _, heard = cleaned(values, 1_000.0)
    plain = filters.BlockFilter((filters.high_pass(20.0, 1_000.0),), 5)
    whole = np.concatenate([_filtered(plain, values[at : at + 5]) for at in range(0, len(values), 5)])
    for span in (slice(1_000, 4_000), slice(4_000, 5_500), slice(6_500, 8_000)):
        assert np.std(heard[span] - whole[span]) < 0.35 * np.std(whole[span])


def _filtered(band: filters.BlockFilter, block: Samples) -> Samples:
    band.advance(block, 0.0)
    return band.filtered.copy()


@settings(max_examples=20)
@given(shift=st.integers(0, 10**9))
def test_where_samples_are_counted_from_does_not_matter(shift: int) -> None:
    values = humming(noise(1.0, 1_000.0, 3.0), 1_000.0, 50.0, 5.0)
    _, heard = cleaned(values, 1_000.0)
    _, moved = cleaned(values, 1_000.0, first=shift)
    assert moved == pytest.approx(heard, abs=1e-3)


def test_across_a_gap_the_mains_has_gone_on() -> None:
    rate_hz = 1_000.0
    values = humming(np.zeros(6_000), rate_hz, 50.0, 100.0)
    high = (filters.high_pass(20.0, rate_hz),)
    notch = Notch(high, rate_hz, 5)
    band = filters.BlockFilter(high, 5, kept=notch.window)
    for at in range(0, 3_000, 5):
        band.advance(values[at : at + 5], notch.away(at))
        if not notch.missing:
            notch.hear(band.recent(notch.window))
    late = 4_235
    assert float(np.abs(values[late : late + 5] - notch.away(late)).max()) < 2.0


def test_what_the_signal_sits_on_is_taken_off_in_the_same_go() -> None:
    notch = Notch((), 1_000.0, 5)
    notch.settle(7.0)
    assert notch.away(0).tolist() == [7.0] * 5
    notch.settle(-2.0)  # in the middle of a window, as after a break
    assert notch.away(5).tolist() == notch.away(1_000).tolist() == [-2.0] * 5


@pytest.mark.parametrize("hz", [50.0, 60.0])
@pytest.mark.parametrize("rate_hz", RATES)
def test_weak_efforts_are_heard_beside_a_hum_as_strong_as_rest(rate_hz: float, hz: float) -> None:
    """Rest of 3 µV rms and efforts of 12: without the notch, two in three of these are lost."""
    values = humming(bursts(rate_hz, uv=12.0, at_s=(4.0, 7.0, 10.0)), rate_hz, hz, 3.0)
    onsets = feed(detector(rate_hz), values, rate_hz=rate_hz)
    assert [round(onset.index / rate_hz, 1) for onset in onsets] == pytest.approx([4.0, 7.0, 10.0], abs=0.11)
