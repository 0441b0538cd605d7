"""The effort between the pulses: what repeats is not heard, what is missing never counts, and no chunk's edge shows."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimctl.errors import OurBug, UsageError
from stimctl.pulse import symmetric
from stimctl.sensors.quality import Quality
from stimctl.sensors.samples import Chunk, Samples
from stimctl.sensors.volitional import LEAST_GAPS, SPAN_MS, Volitional
from stimctl.sim.emg import RESPONSE_US
from stimctl.sim.patient import Patient
from stimctl.sim.volition import EFFORT_MOST_US, Attempt
from stimctl.units import MS, SECOND

RATE_HZ = 1_000
PERIOD_MS = 32
LENGTH = 2_000


def ear(period_us: int = PERIOD_MS * MS, blanking_us: int = 20 * MS) -> Volitional:
    return Volitional(RATE_HZ, period_us, blanking_us)


def noise(seed: int, length: int = LENGTH, uv: float = 1.5) -> Samples:
    return uv * np.random.default_rng(seed).standard_normal(length)


def told(
    listener: Volitional, values: Samples, marks: Iterable[int] = (), cuts: Iterable[int] = (), first: int = 0
) -> list[float | None]:
    """Everything in chunks that end at ``cuts``, 20 ms where there are none; the levels after each."""
    stands, levels = list(marks), []
    ends = sorted({*cuts, len(values)} if cuts else {*range(20, len(values), 20), len(values)})
    for begin, end in pairwise([0, *ends]):
        offsets = tuple(mark - begin for mark in stands if begin <= mark < end)
        listener.push(Chunk(first + begin, RATE_HZ, values[begin:end], (first + end) * MS, offsets))
        levels.append(listener.level_uv)
    return levels


# --- what repeats is not heard -----------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(
    st.lists(st.floats(-3_000, 3_000), min_size=PERIOD_MS, max_size=PERIOD_MS),
    st.integers(0, 1 << 20),
    st.integers(0, PERIOD_MS - 1),
)
def test_an_artefact_of_any_shape_that_repeats_with_the_pulses_is_as_if_it_were_not_there(
    shape: list[float], seed: int, begins: int
) -> None:
    quiet = noise(seed)
    marks = range(begins, LENGTH, PERIOD_MS)
    loud = quiet.copy()
    for mark in marks:
        loud[mark : mark + PERIOD_MS] += np.array(shape)[: LENGTH - mark]
    without, behind = ear(), ear()
    behind.stimulated = True
    told(without, quiet, marks)
    told(behind, loud, marks)
    assert without.level_uv is not None
    assert behind.level_uv == pytest.approx(without.level_uv, abs=1e-6)
    assert behind.all_pulsed


@pytest.mark.parametrize("tail_ms", [0.6, 2.0, 5.0, 10.0])
def test_a_slow_tail_that_grows_as_fast_as_any_slope_is_hardly_heard(tail_ms: float) -> None:
    """An amplifier that takes 10 ms to recover, and a rise of the whole level in half a second: 200 % a second."""
    values, marks = noise(3), range(0, LENGTH, PERIOD_MS)
    after = 1_500 * np.exp(-np.arange(200) / tail_ms)
    for mark in marks:
        piece = after[: LENGTH - mark] * min(1.0, max(0.0, (mark - 800) / 500))
        values[mark : mark + len(piece)] += piece
    listener = ear()
    levels = [level for level in told(listener, values, marks) if level is not None]
    assert len(levels) > 80
    assert max(levels) < 3.0  # 1.5 µV of noise, and a best effort is at least 3 µV above it


def test_where_the_pulses_begin_and_where_they_end_nothing_is_heard_of_them() -> None:
    values, marks = noise(4), range(32 * PERIOD_MS, 50 * PERIOD_MS, PERIOD_MS)  # in step with the pace
    for mark in marks:
        values[mark : mark + 60] += 2_000 * np.exp(-np.arange(60)[: LENGTH - mark] / 8.0)
    listener, powers = ear(), []
    for begin in range(0, LENGTH, 20):
        offsets = tuple(mark - begin for mark in marks if begin <= mark < begin + 20)
        listener.push(Chunk(begin, RATE_HZ, values[begin : begin + 20], (begin + 20) * MS, offsets))
        powers += [each.power for each in listener._heard]
        assert listener.level_uv is None or listener.level_uv < 2.5
    assert (
        max(powers) < 16.0
    )  # not a single gap: a tail that was not there the time before is never taken for an effort


@pytest.mark.parametrize("rate_hz", [20, 25, 30, 33, 35])
@pytest.mark.parametrize("stimulated", [False, True])
def test_the_level_of_the_simulated_muscle_rises_with_its_effort_and_not_with_the_stimulation(
    rate_hz: int, stimulated: bool
) -> None:
    levels = [heard_of(strength, rate_hz, stimulated=stimulated) for strength in (0.0, 0.15, 0.4, 1.0)]
    assert levels[0] < 2.5
    assert all(more > 1.2 * less for less, more in pairwise(levels))
    silent = heard_of(0.4, rate_hz, stimulated=False)
    assert levels[2] == pytest.approx(silent, rel=0.3)


def heard_of(strength: float, rate_hz: int, *, stimulated: bool) -> float:
    """The middle level of two seconds at one effort, with 20 mA or none."""
    patient, train = Patient(5), symmetric(20_000, 250, rate_hz * 1_000)
    if strength:
        patient.volition.attempts.append(Attempt(-SECOND, EFFORT_MOST_US, strength, 60_000, 60_000))
    times = [100 + number * SECOND // rate_hz for number in range(2 * rate_hz)] if stimulated else []
    pulses = [patient.pulse(at_us, 0, train) for at_us in times]
    listener = Volitional(RATE_HZ, SECOND // rate_hz, 20 * MS)
    listener.stimulated = stimulated
    levels = []
    for begin in range(0, LENGTH, 20):
        near = [each for each in pulses if begin * MS - RESPONSE_US <= each.t_us < (begin + 20) * MS]
        offsets = tuple(each.t_us // MS - begin for each in near if each.t_us >= begin * MS)
        listener.push(Chunk(begin, RATE_HZ, patient.emg(begin, 20, near), (begin + 20) * MS, offsets))
        levels.append(listener.level_uv)
    return float(np.median([level for level in levels if level is not None]))


# --- what is missing never counts --------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(
    st.integers(0, 1 << 20),
    st.lists(
        st.tuples(st.integers(0, LENGTH - 1), st.integers(1, 400), st.sampled_from((np.nan, np.inf, -np.inf, 1e300))),
        max_size=6,
    ),
    st.booleans(),
)
def test_what_is_no_number_takes_gaps_away_and_never_makes_one(
    seed: int, holes: list[tuple[int, int, float]], pulsed: bool
) -> None:
    whole = noise(seed)
    broken = whole.copy()
    for at, length, value in holes:
        broken[at : at + length] = value
    marks = range(5, LENGTH, PERIOD_MS) if pulsed else ()
    one, other = ear(), ear()
    for begin in range(0, LENGTH, 20):
        offsets = tuple(mark - begin for mark in marks if begin <= mark < begin + 20)
        for listener, values in ((one, whole), (other, broken)):
            listener.push(Chunk(begin, RATE_HZ, values[begin : begin + 20], (begin + 20) * MS, offsets))
        known = {each.end: each.power for each in one._heard}
        assert all(known[each.end] == each.power for each in other._heard)
        assert (other.level_uv is None) is not (other.quality is Quality.GOOD)
    if other.level_uv is not None:
        assert other.level_uv <= max(each.power for each in one._heard) ** 0.5


@pytest.mark.parametrize("missing", [1, 7, 20, 333])
def test_a_loss_of_samples_with_a_jump_behind_it_is_not_heard(missing: int) -> None:
    listener, values = ear(), noise(6)
    before = told(listener, values[:1_000])[-1]
    assert before is not None
    after = told(listener, values[1_000:] + 500.0, first=1_000 + missing)
    assert all(level is None or level < 2 * before for level in after)
    assert after[-1] == pytest.approx(before, rel=0.5)


@pytest.mark.parametrize(
    ("values", "quality"),
    [
        (np.zeros(LENGTH), Quality.FLAT),
        (np.full(LENGTH, 3_276.7), Quality.FLAT),
        (np.clip(5_000 * np.sin(np.arange(LENGTH) / 4), -3_276.7, 3_276.7), Quality.FLAT),
        (np.full(LENGTH, np.nan), Quality.GAP),
        (300 * np.sin(np.arange(LENGTH) * 2 * np.pi * 0.05), Quality.MAINS),
        (300 * np.sin(np.arange(LENGTH) * 2 * np.pi * 0.06), Quality.MAINS),
    ],
    ids=["flat", "railed", "clipped", "missing", "50 Hz", "60 Hz"],
)
def test_a_signal_that_is_no_muscles_has_no_level(values: Samples, quality: Quality) -> None:
    listener = ear(33_333)
    assert set(told(listener, values)) == {None}
    assert (listener.quality, listener.level_uv) == (quality, None)


@pytest.mark.parametrize("hz", [50, 60])
@pytest.mark.parametrize("uv", [20, 100, 500, 3_000])
@pytest.mark.parametrize("period_us", [28_571, 33_333, 40_000])
def test_a_hum_that_begins_is_known_before_it_could_pass_for_an_effort(hz: int, uv: int, period_us: int) -> None:
    values = noise(8)
    values[1_000:] += uv * np.sin(np.arange(LENGTH - 1_000) * 2 * np.pi * hz / RATE_HZ)
    levels = [level for level in told(ear(period_us), values) if level is not None]
    assert max(levels) < 5.0  # three times rest, for a moment; a best effort lies at least 3 µV above it


def test_pulses_that_the_board_does_not_tell_of_are_never_heard() -> None:
    """With pulses on their way, a stretch without one in front of it proves nothing."""
    values = noise(9)
    for at in range(600, LENGTH, PERIOD_MS + 1):
        values[at : at + 40] += 900 * np.exp(-np.arange(40)[: LENGTH - at] / 5.0)
    listener = ear()
    told(listener, values[:600])
    before = listener.level_uv
    assert before is not None
    listener.stimulated = True
    levels = told(listener, values[600:], first=600)
    assert all(level is None or level <= 1.5 * before for level in levels)
    assert set(levels[-40:]) == {None}


# --- chunks --------------------------------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(
    st.integers(0, 1 << 20),
    st.lists(st.integers(0, LENGTH - 1), max_size=120),
    st.lists(st.integers(1, LENGTH - 1), min_size=1, max_size=60),
    st.integers(25_000, 50_000),
)
def test_how_a_source_cuts_its_chunks_changes_nothing(
    seed: int, marks: list[int], cuts: list[int], period_us: int
) -> None:
    values = noise(seed)
    values[1_000:1_200] = np.nan
    stands = sorted(set(marks))
    one, other = ear(period_us, 15 * MS), ear(period_us, 15 * MS)
    told(one, values, stands)
    told(other, values, stands, cuts)
    assert (one.level_uv, one.at_us, one.quality, one.all_pulsed) == (
        other.level_uv,
        other.at_us,
        other.quality,
        other.all_pulsed,
    )


def test_what_is_kept_does_not_grow() -> None:
    listener, most = ear(), 0
    for number in range(400):
        listener.push(Chunk(number * 50, RATE_HZ, noise(number, 50), (number + 1) * 50 * MS))
        most = max(most, len(listener._values) + len(listener._heard) + len(listener._marks))
    assert most < 150


def test_a_level_has_the_time_of_its_last_sample_and_comes_of_enough() -> None:
    listener = ear()
    levels = told(listener, noise(1))
    first = next(number for number, level in enumerate(levels) if level is not None)
    assert first * 20 >= LEAST_GAPS * PERIOD_MS
    assert listener.at_us is not None
    assert 0 <= LENGTH * MS - listener.at_us <= 2 * PERIOD_MS * MS
    listener.reset()
    assert (listener.level_uv, listener.at_us, listener.quality) == (None, None, Quality.STALE)
    assert SPAN_MS >= LEAST_GAPS * 50


def test_an_input_that_is_too_slow_is_refused_and_another_rate_is_our_bug() -> None:
    with pytest.raises(UsageError, match="leaves 1 samples to hear"):
        Volitional(200.0, 28_571, 15 * MS)
    with pytest.raises(UsageError, match="a lower rate of pulses"):
        Volitional(1_000.0, 20_000, 20 * MS)
    with pytest.raises(OurBug):
        ear().push(Chunk(0, 500.0, noise(1, 20), 0))
