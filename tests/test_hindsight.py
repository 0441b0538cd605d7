"""Efforts found by looking back, and what settings are chosen from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stimctl.sensors import tuning
from stimctl.sensors.hindsight import truth
from stimctl.sensors.recording import Recording, load
from stimctl.sensors.scoring import Score
from stimctl.sensors.settings import DEFAULT, OnsetSettings
from stimctl.sensors.tuning import Candidate, best

DATA = Path(__file__).parent / "data" / "emg"


@pytest.mark.parametrize(
    ("name", "within_s"),
    [("splice_16dB_0", 0.1), ("syn_10dB_0", 0.1), ("myo_19999-1_ext", 0.1)],
    ids=["splice", "syn", "myo"],
)
def test_it_finds_the_efforts_that_others_labelled(name: str, within_s: float) -> None:
    recording = load(DATA / f"{name}.npz")
    found = truth(replace(recording), 2.0)
    judged = [at for at in found.onsets if not any(a <= at < b for a, b in recording.labels.ignore)]
    for onset in recording.labels.onsets:
        assert min(abs(at - onset) for at in judged) <= within_s * recording.rate_hz
    assert len(judged) <= len(recording.labels.onsets) + 2


@pytest.mark.parametrize("times", [1e-3, 1.0, 1e6])
def test_it_depends_on_no_unit(times: float) -> None:
    recording = load(DATA / "splice_16dB_0.npz")
    scaled = Recording("scaled", recording.rate_hz, recording.values_uv * times + 40 * times)
    assert truth(scaled, 2.0) == truth(Recording("plain", recording.rate_hz, recording.values_uv), 2.0)


@pytest.mark.parametrize("values", [np.zeros(5_000), np.random.default_rng(1).normal(0, 3, 30_000), np.ones(3)])
def test_where_there_is_none_it_finds_none(values: np.ndarray) -> None:
    assert truth(Recording("quiet", 1_000.0, values), 2.0).onsets == ()


def candidate(sd: float, *, hits: int = 10, false: int = 0, late_s: float = 0.05) -> Candidate:
    settings = OnsetSettings(threshold_sd=sd)
    return Candidate(settings, Score(efforts=10, late_s=(late_s,) * hits, false=false, quiet_s=60.0))


def test_a_burst_that_nobody_asked_for_is_worse_than_a_late_or_missed_one() -> None:
    assert best((candidate(3, false=2), candidate(8, hits=8, late_s=0.2))).settings.threshold_sd == 8
    assert best((candidate(8, hits=9), candidate(5, late_s=0.3))).settings.threshold_sd == 5
    assert best((candidate(8, late_s=0.1), candidate(5, late_s=0.05))).settings.threshold_sd == 5
    assert best((candidate(8), candidate(5))).settings.threshold_sd == 8, "as good: stay with what is"


def test_what_there_is_is_tried_first_and_once() -> None:
    recording = load(DATA / "syn_10dB_0.npz")
    short = Recording("short", recording.rate_hz, recording.values_uv[:3_000])
    told: list[tuple[int, int]] = []
    found = tuning.tried(short, truth(short, 2.0), DEFAULT, 50.0, lambda done, of: told.append((done, of)))
    assert found[0].settings == DEFAULT
    assert len({each.settings for each in found}) == len(found)
    assert told == [(at, len(found)) for at in range(1, len(found) + 1)]
