"""A bad signal bars triggers, is named after what can be known of it, and is over as soon as it is good again (H25)."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import groupby

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stimctl.orders import EmgStatus
from stimctl.sensors.quality import DRIFTS, Contact, Quality
from stimctl.sensors.samples import Samples
from stimctl.sensors.settings import DEFAULT
from stimctl.sensors.threshold import BLOCK_MS, ThresholdDetector
from stimctl.widgets.emg import heading
from tests.sensors_kit import cut, detector, feed, noise

RATE = 500.0
RAIL_UV = 3_276.7
SHORT = replace(DEFAULT, baseline_s=1.0, rail_uv=RAIL_UV)
REST_UV = 3.0
BAD = ("drift", "floating", "railed", "off to the rail", "hum", "shorted", "flat", "off and flat")
FAULTS = {
    "drift": {Quality.DRIFT},
    "floating": {Quality.LEAD_OFF},
    "railed": {Quality.RAILED, Quality.LEAD_OFF},
    "off to the rail": {Quality.RAILED, Quality.LEAD_OFF},
    "hum": {Quality.MAINS, Quality.LEAD_OFF},
    "shorted": {Quality.LEAD_OFF},
    "flat": {Quality.FLAT},
    "off and flat": {Quality.LEAD_OFF},
}
"""What each may be called once it has been there for long enough; what it is called in the end is checked by itself."""


def effort(seconds: float, rate_hz: float, seed: int = 0) -> Samples:
    return noise(seconds, rate_hz, 40.0, seed + 500)


def spoilt(kind: str, good: Samples, rate_hz: float, seed: int, uv: float) -> Samples:
    """What comes of ``good`` where ``kind`` has gone wrong; ``uv`` is the size of what comes instead."""
    t: Samples = np.arange(len(good)) / rate_hz
    rng = np.random.default_rng(seed)
    phase = rng.uniform(0, 2 * math.pi)
    begins = np.minimum(t / 0.5, 1.0)  # no jump: the amplifier or the skin takes its time
    wander = uv * begins * np.sin(2 * np.pi * rng.uniform(0.25, 0.6) * t + phase)
    hum = begins * np.sin(2 * np.pi * rng.choice((50.0, 60.0)) * t)
    made = {
        "drift": good + wander,
        "floating": 0.2 * good + wander + 0.3 * uv * hum,
        "railed": np.full_like(good, RAIL_UV),
        "off to the rail": np.where(t < 0.2, good + uv * t / 0.2, RAIL_UV),
        "hum": good + 100.0 * hum,
        "shorted": 0.03 * noise(len(good) / rate_hz, rate_hz, REST_UV, seed),
        "flat": np.full_like(good, good[0]),
        "off and flat": np.full_like(good, uv),
    }
    values: Samples = made[kind]
    return values


def followed(made: ThresholdDetector, values: Samples, rate_hz: float, first: int = 0) -> list[tuple[Quality, bool]]:
    """Quality, and whether there was an onset, block by block: 2 samples at 500 Hz, 4 ms."""
    block = round(rate_hz * BLOCK_MS / 1e3)
    return [
        (made.quality, bool(onsets))
        for chunk in cut(values, rate_hz, [block], first=first)
        for onsets in [made.push(chunk)]
    ]


# --- the detector ----------------------------------------------------------------------------------------------


@settings(max_examples=16)
@given(kind=st.sampled_from(BAD), seed=st.integers(0, 999), uv=st.floats(1_200.0, 3_000.0), lead_in=st.integers(0, 400))
@example(kind="off and flat", seed=34, uv=1_200.0, lead_in=317)  # a lead that falls off just as rest was a little loud
def test_bad_never_triggers_and_good_again_does_with_the_next_effort(
    kind: str, seed: int, uv: float, lead_in: int
) -> None:
    made = detector(RATE, SHORT)
    before = noise(2.5, RATE, REST_UV, seed)[: 1_250 - lead_in]
    assert feed(made, before, rate_hz=RATE) == []
    tried = noise(6.0, RATE, REST_UV, seed + 1)
    tried[2_000:2_500] += effort(1.0, RATE, seed)  # four seconds into it: what is heard of that must not count
    during = followed(made, spoilt(kind, tried, RATE, seed, uv), RATE, len(before))
    assert not any(onset for _, onset in during)
    named = {quality for quality, _ in during[875:]}
    assert named <= FAULTS[kind], "from three and a half seconds into it to its end"
    after = noise(4.5, RATE, REST_UV, seed + 2)
    at = len(before) + len(tried)
    back = followed(made, after[:1_500], RATE, at)
    assert not any(onset for _, onset in back)
    assert {quality for quality, _ in back[600:]} == {Quality.GOOD}, "2.4 s later"
    assert made.ready
    after[1_500:] += effort(1.5, RATE, seed + 7)
    assert len(feed(made, after[1_500:], rate_hz=RATE, first=at + 1_500)) == 1


@pytest.mark.parametrize("kind", BAD)
def test_each_is_called_by_its_name_in_the_end(kind: str) -> None:
    made = detector(1_000.0, SHORT)
    values = noise(8.0, 1_000.0, REST_UV)
    values[3_000:] = spoilt(kind, values[3_000:], 1_000.0, 4, 2_000.0)
    feed(made, values, rate_hz=1_000.0)
    last = {"drift": Quality.DRIFT, "flat": Quality.FLAT}.get(kind, Quality.LEAD_OFF)
    assert made.quality is last


@pytest.mark.parametrize("kind", ["drift", "floating", "railed"])
def test_an_effort_under_way_when_the_signal_is_good_again_is_not_fresh(kind: str) -> None:
    made = detector(RATE, SHORT)
    values = noise(14.0, RATE, REST_UV)
    values[3_000:4_500] += effort(3.0, RATE)  # from 6 s on
    values[1_500:3_000] = spoilt(kind, values[1_500:3_000], RATE, 1, 2_000.0)
    values[5_500:6_250] += effort(1.5, RATE, 3)
    onsets = feed(made, values, rate_hz=RATE)
    assert [onset.index // 500 for onset in onsets] == [11]


@settings(max_examples=6)
@example(parts=[("flat", 264), ("flat", 1_036), ("drift", 100)], seed=6, shift=0, sizes=[1])
@given(
    parts=st.lists(
        st.tuples(st.sampled_from((*BAD, "rest", "effort")), st.integers(100, 1_500)), min_size=2, max_size=6
    ),
    seed=st.integers(0, 99),
    shift=st.integers(-12, 12),
    sizes=st.lists(st.integers(1, 97), min_size=1, max_size=5),
)
def test_nothing_triggers_that_is_not_good_and_chunks_gain_and_offset_change_nothing(
    parts: list[tuple[str, int]], seed: int, shift: int, sizes: list[int]
) -> None:
    pieces = [noise(2.5, RATE, REST_UV, seed)]
    for number, (kind, length) in enumerate(parts):
        rest = noise(length / RATE, RATE, REST_UV, seed + number)
        if kind == "effort":
            pieces.append(rest + effort(length / RATE, RATE, seed + number))
        else:
            pieces.append(rest if kind == "rest" else spoilt(kind, rest, RATE, seed + number, 2_000.0))
    values = np.concatenate(pieces)
    unknown = replace(SHORT, rail_uv=None)  # it is in the unit of the signal
    seen = followed(detector(RATE, unknown), values, RATE)
    assert all(quality is Quality.GOOD for quality, onset in seen if onset)
    gain = 2.0**shift  # exact, so that the very same numbers come out
    assert followed(detector(RATE, unknown), values * gain, RATE) == seen
    cut_up = detector(RATE, unknown)
    onsets = [onset.index for chunk in cut(values, RATE, [*sizes, 41]) for onset in cut_up.push(chunk)]
    block = round(RATE * BLOCK_MS / 1e3)
    assert [index // block for index in onsets] == [at for at, (_, onset) in enumerate(seen) if onset]
    assert cut_up.quality is seen[len(values) // block - 1][0]
    moved = followed(detector(RATE, unknown), values + 4_096.0, RATE)
    assert [each for each, _ in groupby(quality for quality, _ in moved)] == [
        each for each, _ in groupby(quality for quality, _ in seen)
    ]


def test_no_rest_is_learnt_from_a_wandering_baseline() -> None:
    made = detector(RATE, SHORT)
    values = spoilt("drift", noise(8.0, RATE, REST_UV), RATE, 3, 2_000.0)
    feed(made, values[:1_000], rate_hz=RATE)
    made.calibrate()
    feed(made, values[1_000:], rate_hz=RATE, first=1_000)
    assert made.quality is Quality.DRIFT
    assert made.rest.level_uv is None


def test_nothing_triggers_between_pulses_where_the_lead_is_off() -> None:
    """In a train, frames speak and not the envelope: they are not believed either."""
    rate_hz = 1_000.0
    pulses = list(range(3_000, 12_000, 50))
    values = noise(12.0, rate_hz, REST_UV)
    values[7_000:8_500] += effort(1.5, rate_hz)
    lost = values.copy()
    t = np.arange(9_000) / rate_hz
    lost[3_000:] += 2_000.0 * np.minimum(t / 0.5, 1.0) * np.sin(2 * np.pi * 0.4 * t)
    assert [onset.index // 500 for onset in feed(detector(rate_hz), values, pulses=pulses)] == [14]
    made = detector(rate_hz)
    assert feed(made, lost, pulses=pulses) == []
    assert made.quality is Quality.DRIFT


# --- drift and lead, look by look ------------------------------------------------------------------------------


def looks(contact: Contact, sign: Quality, means: list[float], power: float = 9.0, rest: float = 9.0) -> list[Quality]:
    """The verdict at the end of each look; blocks of 5 ms with two values each."""
    return [[contact.judge(sign, [mean, mean], power, rest) for _ in range(20)][-1] for mean in means]


def wander(uv: float, count: int = 40) -> list[float]:
    """A rise, fall and rise again by ``uv`` between crests, in steps of 100 ms."""
    return [uv / 2 * math.sin(2 * math.pi * at / 20) for at in range(count)]


def test_drift_is_many_times_the_rest_and_less_is_none() -> None:
    """Half of the range at which it begins, twice it, in rms of rest: the outer tenths of two seconds do not count."""
    assert set(looks(Contact(5.0), Quality.GOOD, wander(DRIFTS / 2 * 3.0))) == {Quality.GOOD}
    verdicts = looks(Contact(5.0), Quality.GOOD, wander(DRIFTS * 2 * 3.0))
    assert verdicts[19:] == [Quality.DRIFT] * 21
    assert set(looks(Contact(5.0), Quality.MAINS, wander(DRIFTS / 2 * 3.0))) == {Quality.MAINS}


def test_drift_is_over_two_seconds_after_the_baseline_stands() -> None:
    contact = Contact(5.0)
    looks(contact, Quality.GOOD, wander(1_000.0))
    verdicts = looks(contact, Quality.GOOD, [0.0] * 20)
    assert (verdicts[0], verdicts[-1]) == (Quality.DRIFT, Quality.GOOD)


def test_a_knock_is_no_drift_and_a_jump_is_for_as_long_as_it_is_near() -> None:
    contact = Contact(5.0)
    assert set(looks(contact, Quality.GOOD, [0.0] * 20 + [900.0, 500.0] + [0.0] * 20)) == {Quality.GOOD}
    verdicts = looks(contact, Quality.GOOD, [900.0] * 20)
    assert [each for each, _ in groupby(verdicts)] == [Quality.GOOD, Quality.DRIFT, Quality.GOOD]


def test_a_strong_effort_is_no_drift() -> None:
    """At 200 Hz, a mean over 100 ms of an effort that is 300 times the rest moves by 100 times the rest."""
    means = [300.0 * 3.0 * each for each in np.random.default_rng(1).normal(0.0, 1 / math.sqrt(20), 60)]
    assert set(looks(Contact(5.0), Quality.GOOD, means, power=(300.0 * 3.0) ** 2)) == {Quality.GOOD}


@pytest.mark.parametrize("sign", [Quality.FLAT, Quality.RAILED, Quality.MAINS])
def test_a_wandering_baseline_and_no_muscle_is_a_lead_that_is_off(sign: Quality) -> None:
    contact = Contact(5.0)
    looks(contact, Quality.GOOD, wander(1_000.0))
    assert looks(contact, sign, [0.0]) == [Quality.LEAD_OFF]
    lasting = looks(contact, sign, [0.0] * 60, power=82.0)
    assert set(lasting) == {Quality.LEAD_OFF}, "and it is not forgotten while that lasts"


def test_the_rail_for_two_seconds_is_a_lead_that_is_off_and_half_a_second_of_good_ends_it() -> None:
    contact = Contact(5.0)
    assert looks(contact, Quality.RAILED, [0.0] * 20) == [Quality.RAILED] * 19 + [Quality.LEAD_OFF]
    assert looks(contact, Quality.GOOD, [0.0] * 5) == [Quality.LEAD_OFF] * 4 + [Quality.GOOD]


def test_a_loose_lead_that_comes_and_goes_stays_off() -> None:
    contact = Contact(5.0)
    looks(contact, Quality.RAILED, [0.0] * 20)
    for _ in range(5):
        assert set(looks(contact, Quality.GOOD, [0.0] * 4)) == {Quality.LEAD_OFF}
        assert set(looks(contact, Quality.RAILED, [0.0] * 2)) == {Quality.LEAD_OFF}


def test_hum_is_a_lead_only_where_it_has_grown_and_rest_is_known() -> None:
    assert looks(Contact(5.0), Quality.MAINS, [0.0] * 20, power=82.0)[18:] == [Quality.MAINS, Quality.LEAD_OFF]
    assert set(looks(Contact(5.0), Quality.MAINS, [0.0] * 60, power=80.0)) == {Quality.MAINS}
    assert set(looks(Contact(5.0), Quality.MAINS, [0.0] * 60, power=82.0, rest=0.0)) == {Quality.MAINS}


def test_hum_that_always_was_there_is_a_lead_that_is_on_again() -> None:
    contact = Contact(5.0)
    looks(contact, Quality.RAILED, [0.0] * 20)
    assert looks(contact, Quality.MAINS, [0.0] * 5)[-1] is Quality.MAINS


def test_less_than_skin_gives_is_a_lead_that_is_off_and_a_muscle_that_lets_go_is_not() -> None:
    """An eighth of the rest's rms; a muscle that was tense while it was learnt falls to 0.28."""
    assert set(looks(Contact(5.0), Quality.GOOD, [0.0] * 60, power=9.0 * 0.28**2)) == {Quality.GOOD}
    contact = Contact(5.0)
    fallen = looks(contact, Quality.GOOD, [0.0] * 10, power=9.0 * 0.12**2)
    assert fallen == [Quality.GOOD] * 9 + [Quality.LEAD_OFF]
    assert looks(contact, Quality.GOOD, [0.0] * 5) == [Quality.LEAD_OFF] * 4 + [Quality.GOOD]
    assert set(looks(Contact(5.0), Quality.GOOD, [0.0] * 60, power=0.1, rest=0.0)) == {Quality.GOOD}


def test_the_screen_says_what_to_do_about_each_bad_signal_within_eighty_columns() -> None:
    for quality in set(Quality) - {Quality.GOOD}:
        line = heading(EmgStatus(source="board", listening=True, quality=quality.value, envelope_uv=(5.0,)))
        assert "look at" in line or "press" in line
        assert len("EMG " + line) <= 78
