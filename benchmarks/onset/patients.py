"""The simulated patient as a recording: judged by the same scorer, at one ratio of effort to rest after another."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Final

import numpy as np

from benchmarks.onset.cases import Case
from stimctl.sensors.scoring import Truth
from stimctl.sim.emg import Levels
from stimctl.sim.patient import Patient
from stimctl.sim.volition import Will
from stimctl.units import SECOND

RATE_HZ: Final = 1_000
LENGTH_S: Final = 60
PIECE: Final = 20
"""Samples at a time, as the board gives them."""

PEOPLE: Final = 4
DECIBELS: Final = (0.0, 3.0, 6.0, 10.0, 20.0)
HEARD: Final = 0.1
"""An effort begins with the first motor unit whose potential passes this share of the best effort's rms: the truth that a
recording with exact labels would have."""


def sweep() -> tuple[Case, ...]:
    """Every ratio with every person, and at 10 dB the drift, the knocks and the mains that spoil it."""
    cases = [patient(seed, f"patient, {level:g} dB", level) for level in DECIBELS for seed in range(PEOPLE)]
    spoilt = {
        "patient, 10 dB, drift": {"drift_uv": 100.0},
        "patient, 10 dB, knocks": {"knocks_per_min": 15.0},
        "patient, 10 dB, mains 60 Hz": {"hum_uv": 3.0, "mains_hz": 60},
    }
    for name, sizes in spoilt.items():
        cases += [patient(seed, name, 10.0, **sizes) for seed in range(PEOPLE)]
    return tuple(cases)


def patient(seed: int, group: str, decibels: float, **sizes: float) -> Case:
    """A minute with a try every four to six seconds, after three of rest."""
    person = Patient(
        seed,
        will=Will(success=1.0),
        emg_rate_hz=RATE_HZ,
        emg=lambda levels: _sized(levels.at_snr(decibels), sizes),
    )
    rng, quiet_uv = random.Random(f"tries of {seed}"), HEARD * person.electrode.levels.voluntary_uv
    values, onsets, ends, cue_us = [], [], [], 3 * SECOND
    for first in range(0, LENGTH_S * RATE_HZ, PIECE):  # as it comes live: what is long past is forgotten
        if cue_us <= first * SECOND // RATE_HZ and first < (LENGTH_S - 5) * RATE_HZ:
            attempt, cue_us = person.cue(cue_us), cue_us + 4 * SECOND
            if attempt is not None:  # nothing comes of some cues: people tire
                begin, signal = person.electrode.effort(attempt)
                onsets.append(begin + int(np.argmax(np.abs(signal) > quiet_uv)))
                ends.append(attempt.end_us * RATE_HZ // SECOND)
                cue_us = attempt.end_us + round(rng.uniform(2.0, 3.0) * SECOND)
        values.append(person.emg(first, PIECE))
    whole = np.concatenate(values)
    truth = Truth(float(RATE_HZ), len(whole), tuple(onsets), tuple(ends))
    return Case(f"{group} {seed}", group, whole, truth)


def _sized(levels: Levels, sizes: dict[str, float]) -> Levels:
    # The ratio is to the muscle at rest: a hum comes on top of it.
    return replace(levels, **sizes)  # type: ignore[arg-type]
