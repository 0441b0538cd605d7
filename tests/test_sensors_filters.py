"""Filters against SciPy, which is only needed here; and the signal's quality figures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.sensors import filters
from stimctl.sensors.quality import MAINS_SHARE, Hum, Quality, Steadiness
from stimctl.sensors.rest import RestFinder, RestState
from stimctl.sensors.samples import Samples
from tests.sensors_kit import noise


@given(cut=st.floats(0.01, 0.49), rate=st.sampled_from([200.0, 1_000.0, 4_000.0]))
def test_designs_match_scipy(cut: float, rate: float) -> None:
    from scipy import signal  # here, as it takes a second, and each worker of a run would spend it

    for kind, design in (("highpass", filters.high_pass), ("lowpass", filters.low_pass)):
        expected = signal.butter(2, cut * rate, kind, fs=rate, output="sos")[0]
        found = design(cut * rate, rate)
        assert np.allclose([*found[:3], 1.0, *found[3:]], expected, rtol=1e-9, atol=1e-12)


@given(block=st.integers(1, 30), blocks=st.integers(1, 20), seed=st.integers(0, 99))
def test_the_lifted_form_matches_scipy(block: int, blocks: int, seed: int) -> None:
    from scipy import signal  # here, as it takes a second, and each worker of a run would spend it

    sections = (filters.high_pass(20.0, 1_000.0), filters.low_pass(450.0, 1_000.0))
    narrower = (filters.high_pass(45.0, 1_000.0),)
    values = noise(block * blocks / 1_000.0, 1_000.0, 50.0, seed)
    sos = np.array([[*section[:3], 1.0, *section[3:]] for section in (*sections, *narrower)])
    wide, narrow = signal.sosfilt(sos[:2], values), signal.sosfilt(sos, values)
    lifted = filters.BlockFilter(sections, block, narrower, kept=3)
    for at in range(0, len(values), block):
        lifted.advance(values[at : at + block] + 7.0, 7.0)
        assert np.allclose(lifted.filtered, wide[at : at + block], rtol=1e-9, atol=1e-9)
        assert np.allclose(lifted.narrowed, narrow[at : at + block], rtol=1e-9, atol=1e-9)
        count = min(3, at // block + 1)
        span = slice(at + block - count * block, at + block)
        assert np.allclose(lifted.recent(count).ravel(), wide[span], rtol=1e-9, atol=1e-9)
        assert np.allclose(lifted.recent_narrowed(count).ravel(), narrow[span], rtol=1e-9, atol=1e-9)


def advanced(made: filters.BlockFilter, values: Samples) -> list[float]:
    made.advance(values, 0.0)
    return list(made.filtered.tolist())


def test_a_reset_filter_is_a_new_one() -> None:
    made = filters.BlockFilter((filters.high_pass(20.0, 1_000.0),), 5)
    values = noise(0.005, 1_000.0, 1.0)
    first = advanced(made, values)
    for again in range(9):  # wherever on its tape it is
        assert advanced(made, values) != first, again
        made.reset()
        assert advanced(made, values) == first, again


@given(dropped=st.sets(st.integers(0, 19)))
def test_a_block_that_is_dropped_still_goes_on_in_the_next(dropped: set[int]) -> None:
    sections = (filters.high_pass(20.0, 1_000.0),)
    values = noise(0.1, 1_000.0, 50.0).reshape(-1, 5)
    plain, made = filters.BlockFilter(sections, 5), filters.BlockFilter(sections, 5, kept=4)
    kept = []
    for number, block in enumerate(values):
        plain.advance(block, 0.0)
        made.advance(block, 0.0)
        assert made.filtered.tolist() == plain.filtered.tolist()
        if number in dropped:
            made.drop()
        else:
            kept.append(made.filtered.tolist())
        newest = kept[-4:]
        assert made.recent(len(newest)).tolist() == newest


@pytest.mark.parametrize("cut", [0.0, -1.0, 500.0, float("nan")])
def test_a_cut_off_must_fit_the_rate(cut: float) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        filters.high_pass(cut, 1_000.0)


# --- quality --------------------------------------------------------------------------------------------------


def share(values: Samples, rate_hz: float, block: int, missing: int = 0) -> float:
    """Of all blocks, or of all but each ``missing``-th."""
    hum, blocks = Hum(block, rate_hz), []
    for at in range(0, len(values) - block + 1, block):
        if missing and at // block % missing == 0:
            continue
        blocks.append(values[at : at + block])
        hum.push(at, float(blocks[-1] @ blocks[-1]) / block)
    return hum.share(np.vstack((np.zeros((hum.length, block)), *blocks))[-hum.length :])


@given(
    hz=st.sampled_from([50.0, 60.0]),
    rate_block=st.sampled_from([(200.0, 1), (1_000.0, 5), (4_000.0, 20)]),
    turn=st.floats(0, 6.3),
)
def test_a_pure_hum_has_all_the_power(hz: float, rate_block: tuple[float, int], turn: float) -> None:
    rate_hz, block = rate_block
    values = 7.0 * np.sin(2 * np.pi * hz * np.arange(round(rate_hz)) / rate_hz + turn)
    assert share(values, rate_hz, block) == pytest.approx(1.0, abs=0.06)  # the window holds 3.6 periods of 60 Hz


@given(hz=st.sampled_from([50.0, 60.0, 30.0]), turn=st.floats(0, 6.3), missing=st.integers(2, 14))
def test_where_blocks_are_missing_each_has_its_own_place_in_the_wave(hz: float, turn: float, missing: int) -> None:
    n = np.arange(2_000)
    values = 7.0 * np.sin(2 * np.pi * hz * np.arange(2_000) / 2_000.0 + turn)
    n = n[n // 10 % missing != 0][-120:]  # 60 ms of what was heard
    waves = [abs((values[n] * np.exp(-2j * np.pi * tone * n / 2_000.0)).sum()) ** 2 for tone in (50.0, 60.0)]
    expected = 2 * max(waves) / len(n) / float((values[n] ** 2).sum())
    assert share(values, 2_000.0, 10, missing) == pytest.approx(expected)


@given(hz=st.sampled_from([25.0, 85.0, 110.0]))
def test_other_sines_are_no_hum(hz: float) -> None:
    values = np.sin(2 * np.pi * hz * np.arange(1_000) / 1_000.0)
    assert share(values, 1_000.0, 5) < 0.1


def test_noise_is_no_hum() -> None:
    assert all(share(noise(0.5, 1_000.0, 9.0, seed), 1_000.0, 5) < MAINS_SHARE for seed in range(50))


def test_too_little_or_no_signal_is_no_hum() -> None:
    assert Hum(5, 1_000.0).share(np.ones((3, 5))) == 0.0
    assert share(np.sin(np.arange(50) * 0.314), 1_000.0, 5) == 0.0
    assert share(np.zeros(1_000), 1_000.0, 5) == 0.0


def test_flat_needs_its_time_and_any_change_ends_it() -> None:
    steady = Steadiness(5, 5.0, None)
    verdicts = [steady.judge([2.0] * 5, loud=False) for _ in range(120)]
    assert verdicts.index(Quality.FLAT) == 100  # the first block has nothing to be the same as
    assert steady.judge([2.0, 2.0, 2.1, 2.0, 2.0], loud=False) is Quality.GOOD


def test_a_loud_muscle_does_not_stand_still() -> None:
    steady = Steadiness(1, 5.0, None)
    assert [steady.judge([9.0], loud=True) for _ in range(6)] == [Quality.GOOD] * 4 + [Quality.RAILED] * 2


def test_single_clipped_peaks_are_no_rail() -> None:
    steady = Steadiness(5, 5.0, 100.0)
    assert all(steady.judge([3.0, 100.0, -2.0, -100.0, 1.0], loud=True) is Quality.GOOD for _ in range(20))
    assert [steady.judge([100.0, 90.0, -100.0, 100.0, -101.0], loud=True) for _ in range(4)][-1] is Quality.RAILED


# --- rest -----------------------------------------------------------------------------------------------------


def test_rest_is_robust_against_a_few_twitches() -> None:
    values = np.abs(noise(0.2, 1_000.0, 1.0)) + 10.0
    values[::25] = 40.0
    finder = RestFinder(len(values))
    found = [rest for value in values if (rest := finder.push(float(value)))]
    assert len(found) == 1
    assert found[0].level_uv == pytest.approx(10.7, abs=0.2)
    assert finder.push(1.0) is None
    assert finder.rest.state is RestState.READY


@pytest.mark.parametrize("value", [0.0, float("nan")])
def test_rest_without_any_signal_is_none(value: float) -> None:
    finder = RestFinder(10)
    assert [finder.push(value) for _ in range(30)] == [None] * 30
    assert finder.rest.state is RestState.RESTLESS


@given(share=st.floats(0.1, 0.85), seed=st.integers(0, 99))
def test_movement_in_part_of_the_stretch_is_no_rest(share: float, seed: int) -> None:
    values = 3.0 + np.abs(noise(0.4, 1_000.0, 0.3, seed))
    values[: round(share * len(values))] *= 10.0
    finder = RestFinder(len(values))
    assert [finder.push(float(value)) for value in values][-1] is None
    assert finder.rest.state is RestState.RESTLESS


def test_perfectly_even_rest_still_has_a_spread() -> None:
    finder = RestFinder(10)
    found = [finder.push(5.0) for _ in range(10)][-1]
    assert found is not None
    assert found.sd_uv is not None
    assert found.sd_uv > 0.5
