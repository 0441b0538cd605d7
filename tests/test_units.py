"""Conversions are exact or they refuse."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.errors import UnitError
from stimctl.units import (
    MINUTE,
    SECOND,
    ma_text,
    microamps,
    microseconds,
    millihertz,
    seconds_text,
    square_micrometres,
)


@pytest.mark.parametrize(
    ("convert", "given_", "expected"),
    [
        (microamps, 12.5, 12_500),
        (microamps, 0.001, 1),
        (microamps, 0.1 + 0.2, None),  # 0.30000000000000004 was never written by an author
        (microamps, 0.3, 300),
        (microamps, 20_000, 20_000_000),
        (microseconds, 0.000001, 1),
        (microseconds, 1.5, 1_500_000),
        (millihertz, 35, 35_000),
        (millihertz, Decimal("0.5"), 500),
        (square_micrometres, 4.9087, 490_870_000),
        (square_micrometres, 25, 2_500_000_000),
    ],
)
def test_exact_or_refused(convert: Any, given_: Any, expected: int | None) -> None:
    if expected is None:
        with pytest.raises(UnitError, match="finer than"):
            convert(given_)
    else:
        assert convert(given_) == expected
        assert type(convert(given_)) is int


@pytest.mark.parametrize("convert", [microamps, microseconds, millihertz, square_micrometres])
@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, True, False, None, "20", Decimal("NaN"), 1j, [1]])
def test_what_is_no_number_is_refused(convert: Any, wrong: Any) -> None:
    with pytest.raises(UnitError):
        convert(wrong)


@given(st.integers(-(10**9), 10**9))
def test_a_whole_microamp_survives_its_decimal(ua: int) -> None:
    assert microamps(Decimal(ua) / 1000) == ua
    assert microamps(ua / 1000) == ua


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_a_float_converts_exactly_or_not_at_all(value: float) -> None:
    try:
        got = microamps(value)
    except UnitError:
        return
    assert Decimal(got) == Decimal(repr(value)) * 1000


def test_a_unit_error_is_a_value_error_that_says_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"0\.0001 mA is finer than 0\.001 mA"):
        microamps(0.0001)


@pytest.mark.parametrize(
    ("ua", "text"), [(0, "0.0"), (12_500, "12.5"), (1, "0.001"), (20_000, "20.0"), (12_340, "12.34")]
)
def test_milliamps_read_well(ua: int, text: str) -> None:
    assert ma_text(ua) == text


@pytest.mark.parametrize(
    ("us", "text"),
    [(0, "0 s"), (1_500_000, "1.5 s"), (MINUTE - SECOND, "59 s"), (MINUTE, "1:00 min"), (125 * SECOND, "2:05 min")],
)
def test_times_read_well(us: int, text: str) -> None:
    assert seconds_text(us) == text
