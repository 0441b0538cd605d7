"""The benchmark of onsets judges what it says: pulses are told, an onset is known at its chunk's end, changes change."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.onset.cases import GOALS, Case, Goal
from benchmarks.onset.detectors import STREAMING
from benchmarks.onset.judging import chunks, offline, streamed
from benchmarks.onset.patients import patient
from benchmarks.onset.variants import gain, mains, offset, resampled
from stimctl.sensors.samples import Chunk, Samples
from stimctl.sensors.scoring import Score, Truth


def made(rate_hz: float = 1_000.0) -> Case:
    """Ten seconds of noise with one strong effort from 5 s to 7 s, and two pulses."""
    length = round(10 * rate_hz)
    values = np.random.default_rng(3).normal(0.0, 2.0, length)
    start, stop = round(5 * rate_hz), round(7 * rate_hz)
    values[start:stop] *= 20
    return Case("made", "made", values, Truth(rate_hz, length, (start,), (stop,)), (3, 4_017))


class Says:
    """Hears an onset with the chunk that holds a given sample."""

    def __init__(self, at: int) -> None:
        self._at = at

    def push(self, chunk: Chunk) -> bool:
        return chunk.first_index <= self._at < chunk.first_index + len(chunk.values_uv)


@pytest.mark.parametrize(("chunk_ms", "late_s"), [(2.0, 0.004), (10.0, 0.01), (50.0, 0.05)])
def test_an_onset_is_known_at_the_end_of_its_chunk(chunk_ms: float, late_s: float) -> None:
    found = streamed(made(), lambda _rate_hz: Says(5_003), chunk_ms).score
    assert found.late_s == pytest.approx((late_s,))


def test_chunks_are_the_recording_with_its_pulses() -> None:
    case = made()
    given = chunks(case, 10.0)
    assert np.array_equal(np.concatenate([chunk.values_uv for chunk in given]), case.values)
    assert [chunk.first_index + at for chunk in given for at in chunk.pulse_offsets] == list(case.pulses)
    assert given[-1].at_us == 10_000_000


@pytest.mark.parametrize("name", STREAMING)
def test_everybody_hears_a_strong_effort(name: str) -> None:
    assert streamed(made(), STREAMING[name]).score.hit_percent == 100.0


@pytest.mark.parametrize("name", [name for name in STREAMING if name != "ours"])
def test_the_plain_thresholds_do_not_depend_on_chunks(name: str) -> None:
    case = made()

    def index(chunk_ms: float) -> list[int]:
        detector = STREAMING[name](1_000.0)
        return [chunk.first_index // 100 for chunk in chunks(case, chunk_ms) if detector.push(chunk)]

    assert index(2.0) == index(10.0) == index(50.0)


def test_a_package_that_cannot_is_told_and_not_counted() -> None:
    def broken(_values: Samples, _rate_hz: float) -> tuple[int, ...]:
        raise ValueError("Digital filter critical frequencies must be 0 < Wn < fs/2\nand more")

    found = offline(made(), broken)
    assert found.failed == "ValueError: Digital filter critical frequencies must be 0 < Wn < fs/2"
    assert found.score == Score()


def test_a_goal_is_met_by_figures_as_good_and_by_nothing_worse() -> None:
    good = Score(efforts=100, late_s=(0.04,) * 94 + (0.08,) * 6, false=1, quiet_s=60.0)
    goal = Goal(100, 1, 40, 80)
    assert goal.is_met(good)
    assert not Goal(100, 0.9, 40, 80).is_met(good)
    assert not Goal(100, 1, 39, 80).is_met(good)
    assert not Goal(100, 1, 40, 79).is_met(good)
    assert not goal.is_met(dataclasses.replace(good, efforts=101))
    assert goal.is_met(dataclasses.replace(good, efforts=101), slack=0.1)
    assert GOALS["stim_selftrig"].is_met(Score(quiet_s=60.0))
    assert not GOALS["stim_selftrig"].is_met(Score(false=1, quiet_s=60.0), slack=0.1)


def test_changes_change_what_they_say_and_keep_the_truth() -> None:
    case = made()
    assert np.array_equal(gain(case, times=10).values, case.values * 10)
    rest = float(np.std(case.values[:2_000]))
    assert np.mean(offset(case, rests=1_000).values) == pytest.approx(1_000 * rest, rel=0.01)
    wandering = dataclasses.replace(case, values=case.values + 50 * np.sin(np.arange(len(case.values)) / 500))
    for each in (case, wandering):
        hum = mains(each, hz=50.0).values - each.values
        assert np.std(hum) == pytest.approx(rest, rel=0.05), "a baseline that wanders is none of the muscle's"
    assert np.argmax(np.abs(np.fft.rfft(hum))) == 500  # ten seconds of 50 Hz
    assert gain(case, times=10).truth == offset(case, rests=1).truth == case.truth


@pytest.mark.parametrize("rate_hz", [500.0, 2_000.0])
def test_another_rate_is_the_same_signal_at_other_times(rate_hz: float) -> None:
    case = made()
    t = np.arange(10_000) / 1_000
    slow = dataclasses.replace(case, values=np.sin(2 * np.pi * 13.3 * t))
    other = resampled(slow, rate_hz=rate_hz)
    times = np.arange(len(other.values)) / rate_hz
    inner = slice(len(times) // 10, -len(times) // 10)
    assert np.allclose(other.values[inner], np.sin(2 * np.pi * 13.3 * times)[inner], atol=0.01)
    ratio = rate_hz / 1_000
    assert other.truth.onsets == (round(5_000 * ratio),)
    assert other.truth.length == len(other.values) == 10_000 * ratio
    assert other.pulses == (round(3 * ratio), round(4_017 * ratio))


def test_the_simulated_patient_is_labelled_where_its_muscle_begins() -> None:
    case = patient(1, "made", 20.0)
    rest = float(np.std(case.values[1_000:3_000]))
    assert len(case.truth.onsets) >= 8
    for onset, end in zip(case.truth.onsets, case.truth.ends, strict=True):
        assert float(np.std(case.values[onset - 400 : onset - 5])) < 1.5 * rest
        assert float(np.std(case.values[onset + 300 : end])) > 3 * rest
