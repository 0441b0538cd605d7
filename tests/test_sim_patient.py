"""The virtual patient against the ranges it claims: thresholds, Weiss, force, fatigue, movement, will, EMG."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stimctl.limits import Sensation
from stimctl.pulse import symmetric
from stimctl.sim import tissue
from stimctl.sim.emg import RESPONSE_US, Pulse
from stimctl.sim.hand import GRID_US, OPEN_DEG, Hand
from stimctl.sim.patient import DEFAULT_SITES, Patient
from stimctl.sim.tissue import RANGES_UA, Report, Site, Tissue
from stimctl.sim.volition import REACTION_US, Will

SECOND = 1_000_000
seeds = st.integers(0, 2**32 - 1)
sites = st.sampled_from(Site)
EXTENSOR = Tissue(Site.DORSAL_FOREARM, 6_000, 12_000, 22_000, 40_000)


def drawn(site: Site, seed: int) -> Tissue:
    return tissue.draw(site, random.Random(seed))


# --- thresholds ------------------------------------------------------------------------------------------------


@given(seeds, sites)
def test_thresholds_lie_in_the_published_ranges_and_in_order(seed: int, site: Site) -> None:
    own = drawn(site, seed)
    values = (own.sensory_ua, own.motor_ua, own.functional_ua, own.tolerated_ua)
    for value, (low, high) in zip(values, RANGES_UA[site], strict=True):
        assert low <= value <= high
    assert list(values) == sorted(set(values))
    assert 1 <= own.motor_ua / own.sensory_ua <= 6  # B.9: ask again outside of this


def test_people_differ() -> None:
    assert len({drawn(Site.DORSAL_FOREARM, seed).motor_ua for seed in range(50)}) > 40


@pytest.mark.parametrize("width", [50, 100, 200, 300, 500])
def test_motor_threshold_follows_weiss(width: int) -> None:
    """A.6: Ith(t) = Irh (1 + tc / t), with tc 200 µs."""
    rheobase = EXTENSOR.motor_ua / (1 + 200 / 250)
    threshold = rheobase * (1 + 200 / width)
    below, above = (
        symmetric(math.floor(threshold) - 1, width, 35_000),
        symmetric(math.ceil(threshold) + 1, width, 35_000),
    )
    assert EXTENSOR.report(below) is Report.TINGLING
    assert EXTENSOR.report(above) is Report.TWITCH


@given(seeds, sites, st.integers(20, 499), st.integers(1, 100_000))
def test_charge_at_threshold_grows_with_width_and_current_falls(seed: int, site: Site, width: int, ua: int) -> None:
    own = drawn(site, seed)
    shorter, longer = symmetric(ua, width, 35_000), symmetric(ua, width + 1, 35_000)
    assert own.recruited(shorter) <= own.recruited(longer)
    assert own.report(shorter) <= own.report(longer)


@given(seeds, sites, st.integers(0, 99_999))
def test_more_current_never_does_less(seed: int, site: Site, ua: int) -> None:
    own = drawn(site, seed)
    less, more = symmetric(ua, 250, 35_000), symmetric(ua + 1, 250, 35_000)
    assert 0 <= own.recruited(less) <= own.recruited(more) <= 1
    assert own.report(less) <= own.report(more)


def test_recruitment_at_the_named_levels() -> None:
    shares = [EXTENSOR.recruited(symmetric(ua, 250, 35_000)) for ua in (0, 6_000, 12_000, 22_000, 40_000)]
    assert shares[0] == 0
    assert shares[1] < 0.02
    assert shares[2] == pytest.approx(0.05, abs=0.02)
    assert shares[3] == pytest.approx(0.5, abs=0.02)
    assert shares[4] > 0.95


def test_what_is_said_from_nothing_to_too_much() -> None:
    said = [EXTENSOR.report(symmetric(ua, 250, 35_000)) for ua in (0, 5_999, 6_000, 12_000, 22_000, 40_000)]
    assert said == [Report.NOTHING, Report.NOTHING, Report.TINGLING, Report.TWITCH, Report.MOVEMENT, Report.TOO_MUCH]
    assert EXTENSOR.report(None) is Report.NOTHING
    assert EXTENSOR.report(symmetric(30_000, 250, 0)) is Report.NOTHING


def test_slow_pulses_twitch_and_do_not_move() -> None:
    assert EXTENSOR.report(symmetric(25_000, 250, 5_000)) is Report.TWITCH
    assert EXTENSOR.report(symmetric(25_000, 250, 5_000, pulses_per_period=2)) is Report.MOVEMENT


def test_without_sensation_pain_is_no_stop_signal() -> None:
    """B.9: after stroke the patient may not feel what harms."""
    strong = symmetric(59_000, 250, 35_000)
    absent = Tissue(Site.DORSAL_FOREARM, 6_000, 12_000, 22_000, 40_000, Sensation.ABSENT)
    reduced = Tissue(Site.DORSAL_FOREARM, 6_000, 12_000, 22_000, 40_000, Sensation.REDUCED)
    assert EXTENSOR.report(strong) is Report.TOO_MUCH
    assert reduced.report(strong) is Report.MOVEMENT
    assert absent.report(strong) is Report.MOVEMENT
    assert absent.report(symmetric(10_000, 250, 35_000)) is Report.NOTHING


def test_fusion_between_twelve_and_twenty_hertz() -> None:
    force = {hz: tissue.fusion(symmetric(20_000, 250, hz * 1_000)) for hz in (5, 10, 12, 20, 35, 50)}
    assert force[5] < 0.15
    assert force[10] < 0.5 < force[12]
    assert force[20] > 0.8
    assert 0.95 < force[35] < force[50] <= 1


def test_an_interphase_gap_recruits_more() -> None:
    without, with_gap = symmetric(20_000, 250, 35_000), symmetric(20_000, 250, 35_000, interphase_gap_us=100)
    assert EXTENSOR.recruited(with_gap) > EXTENSOR.recruited(without)


# --- the hand --------------------------------------------------------------------------------------------------


def test_extensors_open_flexors_close_and_the_hand_falls_back() -> None:
    opening, closing = Hand((1,), tone=0.3), Hand((-1,), tone=0.3)
    for hand in (opening, closing):
        hand.drive(0, 0.8, 35.0, 0)
        hand.drive(0, 0.0, 0.0, 3 * SECOND)
    assert 30 < opening.angle_deg(3 * SECOND) <= OPEN_DEG
    assert -OPEN_DEG / 4 <= closing.angle_deg(3 * SECOND) < -5
    assert abs(opening.angle_deg(6 * SECOND)) < 1


def test_spastic_tone_opens_less_and_slower() -> None:
    angles = []
    for tone in (0.0, 1.0):
        hand = Hand((1,), tone)
        hand.drive(0, 1.0, 35.0, 0)
        angles.append((hand.angle_deg(300_000), hand.angle_deg(2 * SECOND)))
    assert angles[1][0] < angles[0][0]
    assert angles[1][1] < 0.75 * angles[0][1]


def test_muscles_tire_faster_at_higher_rates_and_recover() -> None:
    left = {}
    for hz in (20.0, 50.0):
        hand = Hand((1,), 0.0)
        hand.drive(0, 1.0, hz, 0)
        hand.drive(0, 0.0, 0.0, 60 * SECOND)
        left[hz] = hand.vigour(0, 60 * SECOND)
        assert hand.vigour(0, 600 * SECOND) > 0.97
    assert 0.35 < left[50.0] < left[20.0] < 0.9


def test_fatigue_lowers_the_force_of_the_same_pulses() -> None:
    hand = Hand((1,), 0.0)
    hand.drive(0, 1.0, 40.0, 0)
    fresh, tired = hand.force(0, SECOND), hand.force(0, 60 * SECOND)
    assert 0.3 < tired < 0.8 * fresh


changes = st.lists(st.tuples(st.integers(0, 6 * SECOND), st.integers(0, 1), st.floats(0, 1)), max_size=20).map(sorted)


@given(changes, st.lists(st.integers(0, 8 * SECOND), max_size=8))
@example([(750_000, 0, 1.0)], [0])  # a first change on a grid point came a point late unless somebody had looked
def test_looking_at_the_hand_changes_nothing(changes: list[tuple[int, int, float]], looks: list[int]) -> None:
    def final_state(looks: list[int]) -> list[float]:
        hand, ahead = Hand((1, -1), 0.5), sorted(looks)
        for at, muscle, force in changes:
            while ahead and ahead[0] < at:
                hand.angle_deg(ahead.pop(0))
            hand.drive(muscle, force, 35.0, at)
        for look in ahead:
            hand.angle_deg(look)
        end = 9 * SECOND
        return [hand.angle_deg(end), hand.force(0, end), hand.vigour(0, end), hand.vigour(1, end)]

    assert final_state(looks) == pytest.approx(final_state([]), abs=1e-9)


def test_unwatched_changes_do_not_pile_up() -> None:
    hand = Hand((1,), 0.5)
    for step in range(20_000):
        hand.drive(0, step % 2, 35.0, step * GRID_US)
    assert len(hand._pending) <= 4_097


def test_a_long_rest_costs_nothing_and_a_clock_may_start_anywhere() -> None:
    hand = Hand((1,), 0.5)
    start = 10**15
    hand.drive(0, 1.0, 35.0, start)
    assert hand.angle_deg(start + 2 * SECOND) > 20
    hand.drive(0, 0.0, 0.0, start + 2 * SECOND)
    assert hand.angle_deg(start + 10**14) == 0.0  # 10^10 grid steps, were they taken one by one


# --- will ------------------------------------------------------------------------------------------------------


@given(seeds)
def test_a_cue_is_answered_in_time(seed: int) -> None:
    patient = Patient(seed % 8, will=Will(success=1.0))
    attempt = patient.cue(5 * SECOND)
    assert attempt is not None
    assert REACTION_US[0] <= attempt.onset_us - 5 * SECOND <= REACTION_US[1]
    assert 0.5 <= attempt.strength <= 1.0
    assert patient.cue(5 * SECOND + 100_000) is None  # still at it


def test_success_rate_and_tiring() -> None:
    patient = Patient(3, will=Will(success=0.8))
    attempts = [patient.cue(k * 10 * SECOND) for k in range(400)]
    share = sum(a is not None for a in attempts) / len(attempts)
    assert 0.6 < share < 0.8  # a little below 0.8, because they tire
    strengths = [a.strength for a in attempts if a is not None]
    assert np.mean(strengths[-100:]) < 0.97 * np.mean(strengths[:10])


def test_spontaneous_attempts_come_by_themselves_and_are_the_same_in_any_pieces() -> None:
    def onsets(step_us: int) -> list[int]:
        patient = Patient(11, will=Will(spontaneous_s=8.0))
        found: list[int] = []
        patient.angle_deg(0)
        for now in range(0, 120 * SECOND + 1, step_us):
            patient.angle_deg(now)
            found += [a.onset_us for a in patient.volition.attempts if a.onset_us not in found]
        return found

    once = onsets(120 * SECOND)
    assert set(once) <= set(onsets(SECOND // 2))  # the long step has forgotten the old ones by the end
    assert 6 < len(onsets(SECOND // 2)) < 25
    assert Patient(11).volition.spontaneous(10**9) == []


def test_own_effort_opens_the_hand_a_little() -> None:
    patient = Patient(5, will=Will(success=1.0))
    attempt = patient.cue(0)
    assert attempt is not None
    assert 1 < patient.angle_deg(attempt.end_us) < OPEN_DEG / 4


# --- EMG -------------------------------------------------------------------------------------------------------


def rms(signal: np.ndarray) -> float:
    return float(np.sqrt(np.mean(signal**2)))


@pytest.mark.parametrize("seed", range(6))
def test_levels_at_rest_and_in_effort(seed: int) -> None:
    """B.3: a paretic wrist extensor gives 5 to 50 µV."""
    patient = Patient(seed, will=Will(success=1.0))
    rest = patient.emg(0, 10_000)
    assert 1.0 < rms(rest) < 3.0
    attempt = patient.cue(10 * SECOND)
    assert attempt is not None
    onset, end = attempt.onset_us // 1_000, attempt.end_us // 1_000
    quiet, effort = patient.emg(10_000, onset - 10_000), patient.emg(onset + 300, end - onset - 300)
    assert rms(quiet) < 3.0
    assert 5 < rms(effort) < 50
    assert rms(patient.emg(attempt.gone_us // 1_000 + 1, 2_000)) < 3.0


def test_band_and_hum() -> None:
    patient = Patient(2)
    begin = patient.exert(0, 1.0).onset_us // 1_000 + 500
    effort = patient.emg(begin, 32_000) - patient.electrode.rest(begin, 32_000)
    power = np.abs(np.fft.rfft(effort)) ** 2
    hz = np.fft.rfftfreq(32_000, 1e-3)
    inside = power[(hz > 20) & (hz < 450)].sum() / power.sum()
    assert inside > 0.97
    assert 50 < hz[np.cumsum(power) > power.sum() / 2][0] < 150  # median frequency of surface EMG
    rest = np.abs(np.fft.rfft(Patient(2).emg(0, 32_000))) ** 2
    assert rest[hz == 50.0][0] > 50 * np.median(rest[(hz > 55) & (hz < 95)])


def test_artefact_then_m_wave_then_nothing() -> None:
    """EMG reference: artefact 1 to 3 ms, M-wave until 15 to 20 ms."""
    patient = Patient(4)
    own = patient.tissues[0]
    train = symmetric(own.functional_ua, 250, 35_000)
    pulse = patient.pulse(100_000, 0, train)
    left = patient.emg(90, 60, [pulse]) - patient.emg(90, 60)
    assert not left[:10].any()
    assert left[10] > 300
    assert abs(left[12]) < 0.05 * left[10]
    assert 200 < np.abs(left[14:24]).max() < 900
    assert np.abs(left[26:]).max() < 1
    assert not left[30:].any()


def test_m_wave_follows_recruitment_and_artefact_follows_current() -> None:
    patient = Patient(4)
    own, blank = patient.tissues[0], patient.emg(0, 40)
    weak, strong = (
        patient.emg(0, 40, [patient.pulse(0, 0, symmetric(ua, 250, 35_000))]) - blank
        for ua in (own.sensory_ua, own.tolerated_ua)
    )
    assert np.abs(weak[5:]).max() < 0.05 * np.abs(strong[5:]).max()
    assert strong[0] / weak[0] == pytest.approx(own.tolerated_ua / own.sensory_ua, rel=0.05)


cuts = st.lists(st.integers(1, 700), min_size=1, max_size=12)


@given(st.integers(0, 5), cuts, st.integers(0, 40_000))
def test_emg_is_the_same_however_it_is_cut(seed: int, cuts: list[int], first: int) -> None:
    train = symmetric(20_000, 250, 35_000)

    def signal(cuts: list[int]) -> np.ndarray:
        patient = Patient(seed, will=Will(success=1.0))
        patient.cue(first * 1_000)
        times = range(first * 1_000 + 3_137, first * 1_000 + 300_000, 28_571)
        pulses = [patient.pulse(t, 0, train) for t in times]
        parts, at = [], first
        for count in cuts:
            seen = [p for p in pulses if at * 1_000 - RESPONSE_US <= p.t_us < (at + count) * 1_000]
            parts.append(patient.emg(at, count, seen))
            at += count
        return np.concatenate(parts)

    np.testing.assert_array_equal(signal(cuts), signal([sum(cuts)]))


def test_the_seed_decides_everything() -> None:
    def life(seed: int) -> tuple[object, ...]:
        patient = Patient(seed, will=Will(spontaneous_s=6.0))
        patient.set_output(0, symmetric(25_000, 250, 35_000), 0)
        patient.cue(0)
        return (patient.tissues, patient.emg(0, 3_000).tolist(), patient.angle_deg(2 * SECOND), patient.report(0))

    assert life(9) == life(9)
    assert life(9) != life(10)


def test_nothing_asked_nothing_given() -> None:
    patient = Patient(1)
    assert patient.emg(0, 0).size == 0
    assert patient.sites == DEFAULT_SITES
    assert isinstance(patient.pulse(0, 0, symmetric(0, 250, 35_000)), Pulse)
