"""The detector's interface: when it listens, when it must not, and that cutting the stream changes nothing."""

from __future__ import annotations

import math
from collections.abc import Sized
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimctl.errors import OurBug, UsageError
from stimctl.sensors.comparator import Comparator
from stimctl.sensors.onset import Detector, Onset
from stimctl.sensors.quality import Quality
from stimctl.sensors.rest import RestState
from stimctl.sensors.samples import Chunk, Samples
from stimctl.sensors.settings import OnsetSettings
from stimctl.sensors.threshold import ThresholdDetector
from tests.sensors_kit import bursts, cut, detector, feed, noise

RATES = (200.0, 500.0, 1_000.0, 1_111.0, 2_000.0, 4_000.0)


def test_it_is_a_detector() -> None:
    made: Detector = ThresholdDetector(OnsetSettings(threshold_sd=8), 1_000.0)
    assert not made.armed


# --- finding --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate_hz", RATES)
def test_efforts_are_found_once_and_soon_at_any_rate(rate_hz: float) -> None:
    onsets = feed(detector(rate_hz), bursts(rate_hz), rate_hz=rate_hz)
    assert len(onsets) == 2
    for onset, start_s in zip(onsets, (4.0, 8.0), strict=True):
        assert 0 <= onset.at_us - start_s * 1e6 <= 100_000
        assert onset.at_us == pytest.approx((onset.index + 1) / rate_hz * 1e6, abs=2)
        assert onset.envelope_uv > onset.threshold_uv


@settings(max_examples=20)
@given(sizes=st.lists(st.integers(1, 700), max_size=60), rate_hz=st.sampled_from(RATES), seed=st.integers(0, 20))
def test_chunk_sizes_change_nothing(sizes: list[int], rate_hz: float, seed: int) -> None:
    values = bursts(rate_hz, seed, at_s=(2.5, 5.0))[: round(7 * rate_hz)]
    pulses = range(round(4.1 * rate_hz), round(4.7 * rate_hz), round(0.05 * rate_hz))
    plain, odd = detector(rate_hz), detector(rate_hz)
    expected = [o for chunk in cut(values, rate_hz, [round(rate_hz / 100)], pulses) for o in plain.push(chunk)]
    found = [o for chunk in cut(values, rate_hz, [*sizes, 333], pulses) for o in odd.push(chunk)]
    assert [(o.index, o.envelope_uv, o.threshold_uv) for o in found] == [
        (o.index, o.envelope_uv, o.threshold_uv) for o in expected
    ]
    assert all(abs(a.at_us - b.at_us) <= 2 for a, b in zip(found, expected, strict=True))
    assert (odd.rest, odd.envelope_uv) == (plain.rest, plain.envelope_uv)
    assert len(expected) == 2


@pytest.mark.parametrize(("scale", "offset"), [(1e-3, 0.0), (1.0, -5e3), (1e3, 1e5)])
def test_unit_and_offset_of_the_counts_do_not_matter(scale: float, offset: float) -> None:
    plain = feed(detector(), bursts(1_000.0))
    scaled = feed(detector(), scale * bursts(1_000.0) + scale * offset)
    assert [onset.index for onset in scaled] == [onset.index for onset in plain]


def test_coarse_counts_of_an_armband() -> None:
    """Rest of 0 to 2 counts at 200 Hz: the spread may be tiny, the threshold must not be."""
    values = np.round(bursts(200.0, 3, uv=20.0) / 4.0)
    assert np.ptp(values[:400]) <= 6
    assert len(feed(detector(200.0), values, rate_hz=200.0)) == 2


def test_rest_alone_sets_nothing_off() -> None:
    for seed in range(3):
        assert feed(detector(200.0), noise(120.0, 200.0, 3.0, seed), rate_hz=200.0) == []


@pytest.mark.parametrize("rate_hz", [100.0, 333.3, 1_111.0, 10_000.0])
def test_it_listens_at_any_rate(rate_hz: float) -> None:
    values = bursts(rate_hz, uv=40.0)
    found = [feed(detector(rate_hz), values, rate_hz=rate_hz, ms=ms) for ms in (10.0, 370.0)]
    assert len(found[0]) == 2
    assert found[0] == found[1]


def test_memory_is_bounded() -> None:
    made = detector()
    chunk = noise(1.0, 1_000.0, 3.0)
    feed(made, chunk)

    def size() -> int:
        held: list[Sized] = [made._powers, made._around, made._pending, made._finder._values]
        hum, train, resting = made._front._hum, made._around.train, made._resting
        held += [hum._powers, hum._firsts, made._steadiness._clipped, resting._means, resting._line]
        held += [train._values, train._frames, train._sizes, train._line]
        return sum(len(each) for each in held)

    feed(made, np.tile(chunk, 4), first=1_000, pulses=range(1_000, 5_000, 25))
    before = size()
    feed(made, np.tile(chunk, 40), first=5_000, pulses=range(5_000, 45_000, 25))
    assert size() <= before + 5


# --- listening ------------------------------------------------------------------------------------------------


def test_it_listens_only_when_told() -> None:
    assert feed(detector(armed=False), bursts(1_000.0)) == []


def test_an_effort_that_began_before_arming_is_none() -> None:
    made = detector(armed=False)
    values = bursts(1_000.0)
    feed(made, values[:4_500])
    made.arm()
    assert feed(made, values[4_500:7_500], first=4_500) == []
    assert len(feed(made, values[7_500:], first=7_500)) == 1


@pytest.mark.parametrize("lead", [0, 7, 20, 44])
def test_arming_in_the_middle_of_the_dwell_does_not_count(lead: int) -> None:
    values = bursts(1_000.0, at_s=(4.0,))
    slow = OnsetSettings(threshold_sd=8)
    certain = feed(detector(settings=slow), values)[0].index
    made = detector(settings=slow, armed=False)
    # The dwell of 50 ms is ten blocks; its first was complete 45 samples before the onset was certain.
    at = certain - 44 + lead
    feed(made, values[:at], ms=1.0)
    made.arm()
    assert feed(made, values[at:], first=at) == []


def test_disarming_silences_at_once_and_arming_twice_is_the_same() -> None:
    values = bursts(1_000.0)
    made = detector()
    feed(made, values[:3_900])
    made.disarm()
    assert feed(made, values[3_900:7_000], first=3_900) == []
    made.arm()
    made.arm()
    assert len(feed(made, values[7_000:], first=7_000)) == 1


def test_no_second_onset_before_the_release_level() -> None:
    """A wavering effort that never comes down to the release level is one effort."""
    values = noise(30.0, 1_000.0, 3.0)
    wave = 45.0 + 30.0 * np.sin(2 * np.pi * 0.7 * np.arange(20_000) / 1_000)
    values[5_000:25_000] = noise(20.0, 1_000.0, 1.0, 7) * wave
    made = detector()
    onsets = feed(made, values)
    assert len(onsets) == 1
    assert made.ready  # and afterwards it listens again


def test_refractory_time_keeps_onsets_apart() -> None:
    values = bursts(1_000.0, at_s=(4.0, 6.0))
    assert len(feed(detector(), values)) == 2
    calm = OnsetSettings(threshold_sd=8, refractory_ms=5_000)
    assert len(feed(detector(settings=calm), values)) == 1


def test_release_lies_between_rest_and_threshold() -> None:
    made = detector(settings=OnsetSettings(threshold_sd=8, release_fraction=0.25))
    feed(made, noise(4.0, 1_000.0, 3.0))
    assert made.rest.level_uv is not None
    assert made.threshold_uv is not None
    expected = made.rest.level_uv + 0.25 * (made.threshold_uv - made.rest.level_uv)
    assert made.release_uv == pytest.approx(expected)


OVER = st.sampled_from([0.0, 4.0, 6.0, 11.0, math.nan])


@given(values=st.lists(OVER, max_size=80), dwell=st.integers(1, 4), release=st.integers(1, 4))
def test_comparator_rules_hold_on_any_sequence(values: list[float], dwell: int, release: int) -> None:
    comparator = Comparator(dwell, release)
    fired = [i for i, value in enumerate(values) if comparator.push(value, 10.0, 5.0)]
    for earlier, later in zip([-1, *fired], fired, strict=False):
        between = values[earlier + 1 : later + 1]
        assert all(value > 10.0 for value in between[-dwell:])
        # Somewhere before that rise, and after the last onset, the envelope lay low for long enough.
        low = [value <= 5.0 for value in between[:-dwell]]
        assert any(all(low[i : i + release]) for i in range(len(low) - release + 1))


def test_an_interruption_restarts_the_dwell_and_keeps_the_release() -> None:
    comparator = Comparator(2, 1)
    comparator.push(1.0, 10.0, 5.0)
    assert not comparator.push(11.0, 10.0, 5.0)
    comparator.interrupt()
    assert not comparator.held
    assert [comparator.push(11.0, 10.0, 5.0) for _ in range(2)] == [False, True]


# --- rest -----------------------------------------------------------------------------------------------------


def test_nothing_triggers_before_rest_is_known() -> None:
    made = detector(settings=OnsetSettings(threshold_sd=8, baseline_s=10))
    values = noise(3.0, 1_000.0, 3.0)
    assert feed(made, values) == []
    assert made.rest.state is RestState.LEARNING
    assert 0.2 < made.rest.progress < 0.4
    assert made.threshold_uv is None
    assert not made.ready


def test_movement_is_not_taken_for_rest() -> None:
    values = noise(9.0, 1_000.0, 3.0)
    values[500:1_500] *= 30.0
    made = detector()
    assert feed(made, values[:2_500]) == []
    states = [made.rest.state]
    assert made.threshold_uv is None
    feed(made, values[2_500:], first=2_500)
    assert [*states, made.rest.state] == [RestState.RESTLESS, RestState.READY]
    assert made.rest.level_uv == pytest.approx(3.0, rel=0.15)


def test_a_fixed_threshold_is_taken_as_it_is_but_only_over_rest() -> None:
    made = detector(settings=OnsetSettings(threshold_uv=25.0))
    assert len(feed(made, bursts(1_000.0))) == 2
    assert made.threshold_uv == 25.0
    low = detector(settings=OnsetSettings(threshold_uv=2.0))
    assert feed(low, noise(4.0, 1_000.0, 3.0)) == []
    assert low.rest.state is RestState.TOO_LOUD
    assert low.threshold_uv is None


def test_the_operators_threshold() -> None:
    values = bursts(1_000.0)
    made = detector()
    with pytest.raises(UsageError, match="not known yet"):
        made.set_threshold_uv(20.0)
    feed(made, values[:3_000])
    for bad in (0.1, math.nan, math.inf, -5.0):
        with pytest.raises(UsageError, match="over the resting level"):
            made.set_threshold_uv(bad)
    made.set_threshold_uv(1_000.0)
    assert feed(made, values[3_000:6_000], first=3_000) == []
    made.set_threshold_uv(20.0)
    assert len(feed(made, values[6_000:], first=6_000)) == 1


def test_lowering_the_threshold_under_an_effort_does_not_make_it_an_onset() -> None:
    values = bursts(1_000.0)
    made = detector()
    feed(made, values[:3_000])
    made.set_threshold_uv(1_000.0)
    feed(made, values[3_000:4_500], first=3_000)
    made.set_threshold_uv(20.0)
    assert feed(made, values[4_500:7_000], first=4_500) == []


def test_calibrate_and_reset() -> None:
    made = detector()
    feed(made, noise(4.0, 1_000.0, 3.0))
    first = made.threshold_uv
    made.reset()
    assert (made.threshold_uv, made.armed, made.envelope_uv, made.quality) == (first, False, None, Quality.STALE)
    made.arm()
    assert len(feed(made, bursts(1_000.0))) == 2  # index 0 again is no gap after a reset
    made.calibrate()
    assert (made.threshold_uv, made.release_uv, made.armed) == (None, None, False)
    feed(made, noise(4.0, 1_000.0, 9.0), first=12_000)
    assert made.threshold_uv is not None
    assert first is not None
    assert made.threshold_uv > 2 * first


# --- what must never trigger ----------------------------------------------------------------------------------


def broken(kind: str, values: Samples, at: int) -> Samples:
    values = values.copy()
    values[at : at + 3] = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[kind]
    return values


@settings(max_examples=30)
@given(kind=st.sampled_from(["nan", "inf", "-inf"]), at=st.integers(0, 750))
def test_what_is_not_a_number_never_triggers_and_shows(kind: str, at: int) -> None:
    made = detector(200.0, OnsetSettings(threshold_sd=8, baseline_s=0.5))
    values = broken(kind, noise(4.0, 200.0, 3.0), at)
    seen: set[Quality] = set()
    onsets: list[Onset] = []
    for chunk in cut(values, 200.0, [2]):
        onsets += made.push(chunk)
        seen.add(made.quality)
    assert onsets == []
    assert Quality.GAP in seen
    assert made.quality is Quality.GOOD


@settings(max_examples=25)
@given(at=st.integers(600, 780), lost=st.integers(1, 3_000), level=st.sampled_from([0.0, 500.0, -1e5]))
def test_a_gap_never_triggers_and_shows(at: int, lost: int, level: float) -> None:
    """Samples are lost, and the signal may go on at another level."""
    made = detector(200.0)
    values = noise(8.0, 200.0, 3.0)
    feed(made, values[:at], rate_hz=200.0)
    after = values[at:] + level
    assert made.push(cut(after[:10], 200.0, [10], first=at + lost)[0]) == ()
    quality: Quality = made.quality
    assert quality is Quality.GAP
    assert made.envelope_uv is None
    assert feed(made, after[10:], rate_hz=200.0, first=at + lost + 10) == []
    quality = made.quality
    assert quality is Quality.GOOD
    assert made.ready


def test_an_effort_across_a_gap_needs_a_fresh_rise() -> None:
    values = bursts(1_000.0)
    made = detector()
    feed(made, values[:3_990])
    assert feed(made, values[4_100:7_000], first=4_100) == []
    assert len(feed(made, values[7_000:], first=7_000)) == 1


def test_samples_out_of_order_are_a_gap() -> None:
    made = detector()
    feed(made, noise(3.0, 1_000.0, 3.0))
    feed(made, noise(0.01, 1_000.0, 3.0), first=1_000)
    assert made.quality is Quality.GAP


def test_stale_shows_and_needs_a_fresh_rise() -> None:
    values = bursts(1_000.0)
    made = detector()
    assert made.watch(0) is Quality.STALE
    feed(made, values[:4_020])
    assert made.watch(4_020_000 + 200_000) is Quality.GOOD
    assert made.watch(4_020_000 + 200_001) is Quality.STALE
    assert not made.ready
    assert feed(made, values[4_020:7_000], first=4_020) == []
    assert made.quality is Quality.GOOD
    assert len(feed(made, values[7_000:], first=7_000)) == 1


def test_flat_shows_and_never_triggers() -> None:
    values = noise(8.0, 1_000.0, 3.0)
    values[4_000:] = 0.7
    made = detector()
    assert feed(made, values) == []
    assert made.quality is Quality.FLAT
    assert not made.ready


@pytest.mark.parametrize("rate_hz", [200.0, 1_000.0])
@pytest.mark.parametrize("level", [5_000.0, -300.0])
@pytest.mark.parametrize("known", [True, False])
def test_a_jump_to_the_rail_shows_and_never_triggers(rate_hz: float, level: float, known: bool) -> None:
    values = noise(5.0, rate_hz, 3.0)
    values[round(3 * rate_hz) : round(4 * rate_hz)] = level
    made = detector(rate_hz, OnsetSettings(threshold_sd=8, rail_uv=abs(level) if known else None))
    seen: set[Quality] = set()
    onsets: list[Onset] = []
    for chunk in cut(values, rate_hz, [round(rate_hz / 100)]):
        onsets += made.push(chunk)
        seen.add(made.quality)
    assert onsets == []
    assert Quality.RAILED in seen
    assert made.ready


@pytest.mark.parametrize(
    ("hz", "rate_hz"),
    [(50.0, 200.0), (60.0, 200.0), (50.0, 1_000.0), (60.0, 1_000.0), (49.8, 1_000.0), (50.0, 2_000.0)],
)
def test_mains_hum_shows_and_never_triggers(hz: float, rate_hz: float) -> None:
    values = noise(5.0, rate_hz, 3.0)
    t = np.arange(len(values)) / rate_hz
    hum = 80.0 * np.sin(2 * np.pi * hz * t + 0.3)
    values[t >= 3.0] += hum[t >= 3.0]
    made = detector(rate_hz)
    assert feed(made, values, rate_hz=rate_hz) == []
    assert made.quality is Quality.MAINS
    assert not made.ready


def test_effort_over_some_hum_is_still_found() -> None:
    values = bursts(1_000.0)
    values += 4.0 * np.sin(2 * np.pi * 50 * np.arange(len(values)) / 1_000)
    assert len(feed(detector(), values)) == 2


# --- blanking -------------------------------------------------------------------------------------------------


def stimulated(values: Samples, start: int, end: int, period: int = 50) -> tuple[Samples, list[int]]:
    """An artefact of 5 ms and an M-wave until 15 ms after every pulse, both huge."""
    values, pulses = values.copy(), list(range(start, end, period))
    for pulse in pulses:
        values[pulse : pulse + 5] += 5_000.0
        wave = 800.0 * np.sin(np.linspace(0, 2 * np.pi, 10))
        values[pulse + 5 : pulse + 15] += wave[: len(values[pulse + 5 : pulse + 15])]
    return values, pulses


def test_pulses_do_not_set_themselves_off() -> None:
    values, pulses = stimulated(noise(12.0, 1_000.0, 3.0), 4_000, 9_000)
    assert feed(detector(), values, pulses=pulses) == []
    assert feed(detector(), values) != []  # what they would do unannounced


def test_pulses_do_not_reach_the_resting_level() -> None:
    values, pulses = stimulated(noise(8.0, 1_000.0, 3.0), 100, 8_000)
    made = detector()
    feed(made, values, pulses=pulses)
    assert made.rest.level_uv == pytest.approx(3.0, rel=0.2)


def test_an_effort_between_pulses_is_found() -> None:
    values, pulses = stimulated(bursts(1_000.0), 3_000, 11_000)
    onsets = feed(detector(), values, pulses=pulses)
    assert len(onsets) == 2
    assert all(0 <= onset.index - start <= 200 for onset, start in zip(onsets, (4_000, 8_000), strict=True))


def test_the_envelope_is_held_over_a_pulse() -> None:
    values = noise(4.0, 1_000.0, 3.0)
    values[3_000:3_025] = math.nan  # nothing of a blanked sample may come through
    made = detector()
    feed(made, values[:3_000])
    before = made.envelope_uv
    feed(made, values[3_000:3_025], first=3_000, pulses=[3_000], ms=25)
    assert made.envelope_uv == before
    assert made.quality is Quality.GOOD


# --- settings and chunks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"threshold_sd": 5, "threshold_uv": 10},
        {"threshold_sd": math.nan},
        {"threshold_sd": True},
        {"threshold_sd": "5"},
        {"threshold_sd": 0},
        {"threshold_uv": math.inf},
        {"threshold_uv": -1},
        {"threshold_sd": 5, "dwell_ms": 0},
        {"threshold_sd": 5, "dwell_ms": None},
        {"threshold_sd": 5, "release_fraction": 1.0},
        {"threshold_sd": 5, "release_fraction": math.nan},
        {"threshold_sd": 5, "blanking_ms": -1},
        {"threshold_sd": 5, "baseline_s": 0},
        {"threshold_sd": 5, "rail_uv": 0},
    ],
)
def test_settings_unless_inside_refuse(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        OnsetSettings(**wrong)


@pytest.mark.parametrize("rate_hz", [0.0, 50.0, 20_000.0, math.nan, math.inf])
def test_rates_unless_inside_refuse(rate_hz: float) -> None:
    with pytest.raises(UsageError):
        ThresholdDetector(OnsetSettings(threshold_sd=8), rate_hz)


def test_another_rate_is_our_bug() -> None:
    with pytest.raises(OurBug):
        detector().push(Chunk(0, 999.0, np.zeros(10), 0))


@pytest.mark.parametrize(
    "fields",
    [
        {"values_uv": np.zeros((2, 2))},
        {"values_uv": np.zeros(3, dtype=np.int16)},
        {"values_uv": [0.0]},
        {"rate_hz": math.nan},
        {"rate_hz": 0.0},
        {"first_index": -1},
        {"at_us": 1.5},
        {"pulse_offsets": (10,)},
        {"pulse_offsets": (-1,)},
    ],
)
def test_a_chunk_that_no_source_may_give(fields: dict[str, Any]) -> None:
    good = {"first_index": 0, "rate_hz": 1_000.0, "values_uv": np.zeros(10), "at_us": 0, "pulse_offsets": ()}
    Chunk(**good)  # type: ignore[arg-type]
    with pytest.raises(OurBug):
        Chunk(**{**good, **fields})


def test_age_of_a_chunk() -> None:
    chunk = Chunk(0, 1_000.0, np.zeros(10), 1_000_000)
    assert not chunk.is_stale(1_000_000)
    assert not chunk.is_stale(1_200_000)
    assert chunk.is_stale(1_200_001)
    assert not chunk.is_stale(1_200_001, 300_000)
    assert chunk.is_stale(999_999)


def test_an_empty_chunk_changes_nothing() -> None:
    made = detector()
    feed(made, noise(3.0, 1_000.0, 3.0))
    before = (made.envelope_uv, made.quality)
    assert made.push(Chunk(3_000, 1_000.0, np.empty(0), 3_000_000)) == ()
    assert (made.envelope_uv, made.quality) == before


def test_an_onset_is_a_plain_value() -> None:
    assert Onset(1, 2, 3.0, 4.0) == Onset(1, 2, 3.0, 4.0)
