"""Hum that begins is no effort, whatever its phase, height, frequency and shape; and an effort is no hum (H25)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimctl.sensors import filters
from stimctl.sensors.front import Front
from stimctl.sensors.mains import LONGEST, HumBegins
from stimctl.sensors.samples import Samples
from stimctl.sensors.settings import DEFAULT
from tests.sensors_kit import detector, feed, noise

SHORT = replace(DEFAULT, baseline_s=1.0)
RATES = (500.0, 1_000.0, 2_000.0, 4_000.0)


def switched_on(rate_hz: float, hz: float, uv: float, phase: float, at_s: float, seed: int) -> Samples:
    """Rest of 3 µV, and from ``at_s`` on hum beside it."""
    values = noise(2.2, rate_hz, 3.0, seed)
    t = np.arange(len(values)) / rate_hz
    values[t >= at_s] += uv * np.sin(2 * np.pi * hz * t[t >= at_s] + phase)
    return values


@pytest.mark.parametrize("hz", [50.0, 60.0])
@pytest.mark.parametrize("rate_hz", RATES[:2])
def test_hum_that_swells_never_triggers(rate_hz: float, hz: float) -> None:
    """As when an electrode peels off: it takes a fifth to a whole second to be there."""
    heard = []
    for seed, takes_s in enumerate((0.2, 0.5, 1.0)):
        made = detector(rate_hz, SHORT)
        values = noise(3.0, rate_hz, 3.0, seed)
        t = np.arange(len(values)) / rate_hz
        values += 420.0 * np.clip((t - 1.8) / takes_s, 0.0, 1.0) * np.sin(2 * np.pi * hz * t + seed)
        if feed(made, values, rate_hz=rate_hz):
            heard.append(takes_s)
        assert made.threshold_uv is not None
    assert heard == []


@pytest.mark.parametrize("hz", [50.0, 60.0])
@pytest.mark.parametrize("rate_hz", RATES)
def test_hum_that_is_switched_on_never_triggers(rate_hz: float, hz: float) -> None:
    heard = []
    for number, (uv, phase) in enumerate((uv, phase) for uv in (10.0, 30.0, 120.0, 500.0) for phase in range(6)):
        made = detector(rate_hz, SHORT)
        values = switched_on(rate_hz, hz, uv, phase + 0.1, 1.7 + 0.0013 * number, number)
        if feed(made, values, rate_hz=rate_hz):
            heard.append((uv, phase))
        assert made.threshold_uv is not None
    assert heard == []


@pytest.mark.parametrize("rate_hz", RATES)
def test_an_effort_right_after_hum_was_switched_on_is_heard(rate_hz: float) -> None:
    """A hum is known, and taken off, after two or three tenths of a second."""
    values = switched_on(rate_hz, 50.0, 7.0, 0.4, 1.6, 3)
    start = round(1.9 * rate_hz)
    values[start:] += noise(0.3, rate_hz, 60.0, 8)
    onsets = feed(detector(rate_hz, SHORT), values, rate_hz=rate_hz)
    assert [0 <= onset.index - start <= 0.06 * rate_hz for onset in onsets] == [True]


# --- the part by itself -----------------------------------------------------------------------------------------------

RATE, BLOCK = 1_000.0, 5
BAND = (filters.high_pass(45.0, RATE), filters.low_pass(300.0, RATE))
DOF = 3.0


def told(values: Samples, rest: float) -> bool:
    """Whether the whole of ``values`` may be hum that began."""
    begins, band = HumBegins(BAND, RATE, BLOCK), filters.BlockFilter(BAND, BLOCK, kept=LONGEST)
    for at in range(0, len(values), BLOCK):
        band.advance(values[at : at + BLOCK], float(values[0]))
    return begins.doubt(band.recent(len(values) // BLOCK).ravel(), rest, DOF)


@settings(max_examples=100)
@given(
    hz=st.sampled_from([49.9, 50.0, 50.1, 59.9, 60.0, 60.1]),
    phase=st.floats(0, 6.3),
    uv=st.floats(10, 500),
    blocks=st.integers(4, LONGEST),
    before=st.integers(0, 14),
    offset=st.sampled_from([0.0, -1e4]),
    third=st.sampled_from([0.0, 0.2]),
)
def test_a_sine_that_began_anywhere_in_the_stretch_is_doubted(
    hz: float, phase: float, uv: float, blocks: int, before: int, offset: float, third: float
) -> None:
    before = min(before, (blocks - 3) * BLOCK)  # four blocks have risen when this is asked: three of them are whole
    t = np.arange(blocks * BLOCK) / RATE
    angle = 2 * np.pi * hz * t + phase
    values = np.where(np.arange(len(t)) >= before, uv * (np.sin(angle) + third * np.sin(3 * angle)), 0.0)
    assert told(values + offset, rest=9.0)


@pytest.mark.parametrize("seed", range(12))
def test_a_strong_effort_is_not_doubted(seed: int) -> None:
    values = noise(0.06, RATE, 40.0, seed)
    assert not told(values, rest=9.0)


def test_an_effort_is_not_doubted_for_long() -> None:
    """Four blocks have risen when this is asked; a sine cannot explain as many of nearly any effort."""
    assert sum(told(noise(0.02, RATE, 30.0, seed), rest=9.0) for seed in range(60)) <= 2


@pytest.mark.parametrize("cut_hz", [5.0, 20.0])
def test_hum_through_an_amplifiers_own_high_pass_is_doubted(cut_hz: float) -> None:
    """What it adds is no sine: it dies away within some tens of milliseconds."""
    t = np.arange(LONGEST * BLOCK - 20) / RATE
    for phase in np.arange(0.0, 6.0, 0.25).tolist():
        wave = (120.0 * np.sin(2 * np.pi * 50.0 * t + phase)).tolist()
        behind = filters.run((filters.high_pass(cut_hz, RATE),), wave, [0.0, 0.0])
        assert told(np.array([0.0] * 20 + behind), rest=9.0)


@pytest.mark.parametrize("partly", [False, True])
def test_too_little_is_doubted_and_a_break_forgets(partly: bool) -> None:
    assert HumBegins(BAND, RATE, BLOCK).doubt(np.empty(0), 9.0, DOF)
    front, blocks = Front(RATE, BLOCK), noise(0.06, RATE, 60.0, 1).reshape(-1, BLOCK)
    for number, block in enumerate(blocks):
        assert front.push(block, block.tolist(), None, number * BLOCK)
    assert not front.doubt(4, 9.0, DOF)
    if partly:
        assert front.push(blocks[0], blocks[0].tolist(), np.array([True, True, True, False, False]), 60)
    else:
        front.break_off()
    assert front.doubt(4, 9.0, DOF)
