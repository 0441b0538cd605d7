"""Every number of the limits against the second table, tests/data/limits_second_table.toml, and how columns are made.

A changed number is red here and has to be argued twice.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from dataclasses import asdict, astuple, fields, replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl import envelope
from stimctl.envelope.rules import SQUARE_PER_UJ
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
from stimctl.pulse import TEST_LOAD_OHM
from tests.limiter_rig import area
from tests.limits_table import BOUNDS, PARTS, SINGLES, Channel, in_code

FOREARM, THENAR, SHOULDER = BodyPart.FOREARM, BodyPart.THENAR, BodyPart.SHOULDER
BIG, SMALL = area(25), area(9.99)

COLUMNS = {
    **{("absolute", part.value): absolute(part, Effect.MOTOR, smallest_pad_um2=BIG) for part in BodyPart},
    **{("refuse", part.value): column for part, column in PROFILES.items()},
    **{("warn", part.value): column for part, column in WARN.items()},
}


# --- the second table ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("column", "part"), COLUMNS, ids="-".join)
def test_every_number_stands_as_the_second_table_has_it(column: str, part: str) -> None:
    second = {name: bound.listed(column, part) * in_code(bound.row["unit"], name) for name, bound in BOUNDS.items()}
    assert asdict(COLUMNS[column, part]) == second


def test_the_second_table_has_every_bound_and_its_source() -> None:
    assert list(BOUNDS) == [field.name for field in fields(Limits)]
    assert {part for _, part in COLUMNS} == set(PARTS) == set(BodyPart)
    assert all(row["source"] for row in (*(bound.row for bound in BOUNDS.values()), *SINGLES))
    minima = {name for name, bound in BOUNDS.items() if not bound.is_most}
    assert minima == {name for name in BOUNDS if "_min_" in name}


@pytest.mark.parametrize("single", SINGLES, ids=lambda single: single["name"])
def test_a_number_that_stands_alone_is_as_the_second_table_has_it(single: dict[str, Any]) -> None:
    places = [place.split(":") for place in single["in"]]
    values = [getattr(importlib.import_module(module), name) for module, name in places]
    if "as_ratio" in single:
        assert Fraction(*values) == single["as_ratio"]
    else:
        assert values == [single["value"] * in_code(single["unit"], name) for _, name in places]


@pytest.mark.parametrize(
    "name",
    [
        "stimctl.limits",
        "stimctl.safety",
        *(f"stimctl.envelope.{m.name}" for m in pkgutil.iter_modules(envelope.__path__)),
    ],
)
def test_no_number_of_the_limiter_is_missing_from_the_second_table(name: str) -> None:
    module = importlib.import_module(name)
    tree = ast.parse(inspect.getsource(module))
    targets = {n.target.id for n in tree.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)}
    numbers = {each for each in targets if type(getattr(module, each)) is int}
    listed = {place.split(":")[1] for single in SINGLES for place in single["in"] if place.startswith(f"{name}:")}
    assert numbers == listed & numbers


def test_the_energy_of_a_square_is_at_the_load_that_is_stated() -> None:
    assert SQUARE_PER_UJ * TEST_LOAD_OHM == 10**12  # µA² µs ohm are 1e-18 J


CHANNELS = [
    Channel(part, sensory=sensory, cm2=cm2, reduced=reduced, blind=blind)
    for part in PARTS
    for sensory in (False, True)
    for cm2 in (Fraction(25), Fraction(10), Fraction(999, 100))
    for reduced in (False, True)
    for blind in (False, True)
]


@pytest.mark.parametrize("channel", CHANNELS, ids=str)
def test_the_columns_of_a_channel_are_those_of_the_second_table(channel: Channel) -> None:
    part, effect = BodyPart(channel.part), Effect.SENSORY if channel.sensory else Effect.MOTOR
    pad = int(channel.cm2 * 10**8)
    sensation = Sensation.REDUCED if channel.reduced else Sensation.NORMAL
    columns = {
        "absolute": absolute(part, effect, smallest_pad_um2=pad),
        "refuse": profile(part, effect, smallest_pad_um2=pad, sensation=sensation, senses_impedance=not channel.blind),
        "warn": warning(part, effect, smallest_pad_um2=pad),
    }
    for column, limits_ in columns.items():
        for name, bound in BOUNDS.items():
            value = bound.at(column, channel)
            none = {"on_time_us": limits_.site_time_us, "duty_permille": 1_000}.get(name)
            expected = none if value is None else value * in_code(bound.row["unit"], name)
            assert getattr(limits_, name) == expected, (column, name)


def test_the_words_that_files_and_records_have_are_what_they_were() -> None:
    assert [each.value for each in (*Effect, *BodyPart, *Sensation)] == [
        "motor", "sensory", "forearm", "thenar", "shoulder", "normal", "reduced", "absent"]  # fmt: skip


# --- how columns are made -------------------------------------------------------------------------------------------


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
    assert absolute(FOREARM, Effect.MOTOR, smallest_pad_um2=BIG) == replace(ABSOLUTE, pulses_per_period_max=3)
    assert absolute(FOREARM, Effect.SENSORY, smallest_pad_um2=BIG) == untimed(ABSOLUTE)


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
