"""Every number of the limits, written out a second time from the clinical reference, A.5, by hand.

Mutation tools do not reach constants; this table does. A changed number is red here and has to be argued twice.
"""

from __future__ import annotations

from dataclasses import astuple, fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl import limits
from stimctl.limits import (
    ABSOLUTE,
    PROFILES,
    WARN,
    BodyPart,
    Effect,
    Limits,
    Sensation,
    absolute,
    indicated,
    is_within,
    narrow,
    profile,
    untimed,
    warning,
)
from tests.limiter_rig import area

FOREARM, THENAR, SHOULDER = BodyPart.FOREARM, BodyPart.THENAR, BodyPart.SHOULDER
BIG, SMALL = area(25), area(9.99)

# field: absolute | forearm, thenar, shoulder refuse | forearm, thenar, shoulder warn
PINNED: dict[str, tuple[int, int, int, int, int, int, int]] = {
    "peak_ua": (100_000, 60_000, 30_000, 80_000, 40_000, 20_000, 60_000),
    "phase_width_min_us": (20, 50, 50, 50, 50, 50, 50),
    "phase_width_max_us": (500, 500, 500, 500, 400, 400, 400),
    "interphase_gap_max_us": (500, 250, 250, 250, 250, 250, 250),
    "rate_min_mhz": (500, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000),
    "rate_max_mhz": (200_000, 50_000, 50_000, 50_000, 50_000, 50_000, 50_000),
    "pulses_per_period_max": (3, 2, 2, 2, 2, 2, 2),
    "charge_nc": (30_000, 20_000, 9_000, 24_000, 12_000, 9_000, 12_000),
    "rms_ua": (50_000, 20_000, 20_000, 20_000, 10_000, 10_000, 10_000),
    "rms_density_ua_cm2": (2_000, 1_500, 1_500, 1_500, 1_000, 1_000, 1_000),
    "power_density_uw_cm2": (250_000, 100_000, 100_000, 100_000, 50_000, 50_000, 50_000),
    "energy_uj": (300_000, 20_000, 20_000, 20_000, 5_000, 5_000, 5_000),
    "net_charge_permille": (50, 10, 10, 10, 0, 0, 0),
    "mean_dc_na": (100_000, 100_000, 100_000, 100_000, 100_000, 100_000, 100_000),
    "on_time_us": (30_000_000, 20_000_000, 20_000_000, 20_000_000, 15_000_000, 15_000_000, 15_000_000),
    "duty_permille": (800, 600, 600, 600, 500, 500, 500),
    "ramp_up_min_us": (200_000, 500_000, 500_000, 500_000, 1_000_000, 1_000_000, 1_000_000),
    "site_time_us": (
        7_200_000_000, 3_600_000_000, 3_600_000_000, 3_600_000_000, 2_700_000_000, 2_700_000_000, 2_700_000_000,
    ),
    "step_ua": (1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000),
    "step_interval_min_us": (200_000, 500_000, 500_000, 500_000, 500_000, 500_000, 500_000),
    "rise_ua_per_s": (5_000, 2_000, 2_000, 2_000, 2_000, 2_000, 2_000),
}  # fmt: skip

COLUMNS = {
    "absolute": (0, ABSOLUTE),
    "forearm": (1, PROFILES[FOREARM]),
    "thenar": (2, PROFILES[THENAR]),
    "shoulder": (3, PROFILES[SHOULDER]),
    "forearm warn": (4, WARN[FOREARM]),
    "thenar warn": (5, WARN[THENAR]),
    "shoulder warn": (6, WARN[SHOULDER]),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_every_number_stands_as_written_here(name: str) -> None:
    index, column = COLUMNS[name]
    assert {field: getattr(column, field) for field in PINNED} == {field: row[index] for field, row in PINNED.items()}


def test_every_field_is_pinned() -> None:
    assert [field.name for field in fields(Limits)] == list(PINNED)
    assert set(PROFILES) == set(WARN) == set(BodyPart)


def test_single_constants() -> None:
    assert (limits.ACCURACY_NUM, limits.ACCURACY_DEN) == (6, 5)
    assert limits.SMALL_PAD_UM2 == 1_000_000_000
    assert limits.SMALL_PAD_PEAK_UA == 60_000
    assert (limits.PAD_AREA_MIN_UM2, limits.PAD_AREA_MAX_UM2) == (200_000_000, 20_000_000_000)
    assert limits.DEAD_MAN_MAX_MS == 500
    assert (limits.SENSORY_RATE_MIN_MHZ, limits.SENSORY_RATE_MAX_MHZ) == (1_000, 150_000)
    assert limits.SENSORY_RATE_WARN_MHZ == 100_000


@pytest.mark.parametrize("part", BodyPart)
@pytest.mark.parametrize("effect", Effect)
@pytest.mark.parametrize("pad", [SMALL, BIG])
def test_columns_nest(part: BodyPart, effect: Effect, pad: int) -> None:
    warn = warning(part, effect, smallest_pad_um2=pad)
    refuse = profile(part, effect, smallest_pad_um2=pad)
    reduced = profile(part, effect, smallest_pad_um2=pad, sensation=Sensation.REDUCED)
    blind = profile(part, effect, smallest_pad_um2=pad, senses_impedance=False)
    most = absolute(part, effect, smallest_pad_um2=pad)
    assert is_within(warn, refuse)
    assert is_within(refuse, indicated(most))
    assert is_within(indicated(most), most)
    assert is_within(reduced, refuse)
    assert is_within(blind, refuse)
    assert not is_within(most, refuse)


def test_small_pads_are_thenar_wherever_they_sit() -> None:
    for part in BodyPart:
        small = profile(part, Effect.MOTOR, smallest_pad_um2=SMALL)
        assert (small.peak_ua, small.charge_nc) == (30_000, 9_000)
        assert warning(part, Effect.MOTOR, smallest_pad_um2=SMALL).peak_ua == 20_000
        assert absolute(part, Effect.MOTOR, smallest_pad_um2=SMALL).peak_ua == 60_000
    assert profile(FOREARM, Effect.MOTOR, smallest_pad_um2=area(10)).peak_ua == 60_000
    assert absolute(FOREARM, Effect.MOTOR, smallest_pad_um2=area(10)).peak_ua == 100_000
    assert absolute(THENAR, Effect.MOTOR, smallest_pad_um2=BIG).peak_ua == 60_000


def test_sensory_stimulation_has_its_own_rates_and_no_bursts() -> None:
    tens = profile(FOREARM, Effect.SENSORY, smallest_pad_um2=BIG)
    assert (tens.rate_min_mhz, tens.rate_max_mhz) == (1_000, 150_000)
    assert (tens.on_time_us, tens.duty_permille) == (tens.site_time_us, 1_000)
    assert warning(FOREARM, Effect.SENSORY, smallest_pad_um2=BIG).rate_max_mhz == 100_000
    assert absolute(FOREARM, Effect.SENSORY, smallest_pad_um2=BIG).duty_permille == 1_000
    assert absolute(FOREARM, Effect.MOTOR, smallest_pad_um2=BIG) == ABSOLUTE


@pytest.mark.parametrize("sensation", [Sensation.REDUCED, Sensation.ABSENT])
def test_reduced_sensation_makes_the_warn_column_refuse(sensation: Sensation) -> None:
    weak = profile(FOREARM, Effect.MOTOR, smallest_pad_um2=BIG, sensation=sensation)
    assert weak == replace(WARN[FOREARM], net_charge_permille=10)  # any net charge at all is a warning, not a refusal
    assert profile(FOREARM, Effect.MOTOR, smallest_pad_um2=SMALL, sensation=sensation).peak_ua == 20_000


def test_a_board_that_cannot_see_a_pad_peel_halves_the_density() -> None:
    blind = profile(FOREARM, Effect.MOTOR, smallest_pad_um2=BIG, senses_impedance=False)
    assert (blind.rms_density_ua_cm2, blind.power_density_uw_cm2) == (750, 25_000)  # heat goes with the square
    assert replace(blind, rms_density_ua_cm2=1_500, power_density_uw_cm2=100_000) == PROFILES[FOREARM]


def test_indicated_takes_the_accuracy_off() -> None:
    """A.5: 2.0 mA/cm² is 1.667 as indicated."""
    shown = indicated(ABSOLUTE)
    assert (shown.rms_ua, shown.rms_density_ua_cm2) == (41_666, 1_666)
    assert (shown.power_density_uw_cm2, shown.energy_uj) == (173_611, 208_333)
    assert shown.peak_ua == ABSOLUTE.peak_ua
    assert shown.charge_nc == ABSOLUTE.charge_nc


any_limits = st.builds(Limits, *[st.integers(0, 10**9) for _ in fields(Limits)])


@given(any_limits, any_limits, any_limits)
def test_narrowing_only_narrows(a: Limits, b: Limits, c: Limits) -> None:
    both = narrow(a, b)
    assert is_within(both, a)
    assert is_within(both, b)
    assert narrow(b, a) == both
    assert narrow(narrow(a, b), c) == narrow(a, narrow(b, c))
    assert narrow(a, a) == a


@given(any_limits, st.sampled_from([field.name for field in fields(Limits)]), st.integers(1, 10**6))
def test_within_looks_at_every_field_in_its_own_direction(a: Limits, name: str, step: int) -> None:
    minima = {"phase_width_min_us", "rate_min_mhz", "ramp_up_min_us", "step_interval_min_us"}
    tighter = replace(a, **{name: getattr(a, name) + (step if name in minima else -step)})
    assert is_within(tighter, a)
    assert not is_within(a, tighter)


def test_untimed_touches_nothing_else() -> None:
    changed = {f.name for f in fields(Limits) if getattr(untimed(ABSOLUTE), f.name) != getattr(ABSOLUTE, f.name)}
    assert changed == {"on_time_us", "duty_permille"}


def test_limits_are_whole_numbers_and_do_not_change() -> None:
    for column in (ABSOLUTE, *PROFILES.values(), *WARN.values()):
        assert all(type(value) is int and value >= 0 for value in astuple(column))
    with pytest.raises(AttributeError):
        ABSOLUTE.peak_ua = 1  # type: ignore[misc]
