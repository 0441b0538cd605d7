"""Days as texts, such as 2026-03-31, counted: without a clock, and so without the library that also has one."""

from __future__ import annotations

from typing import Final

_MONTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def number_of(day: str) -> int:
    """How many days of the Gregorian calendar came before it; raises :class:`ValueError` for a day that there is not."""
    year, month, at = map(int, day.split("-"))
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not (1 <= month <= len(_MONTHS) and 1 <= at <= _MONTHS[month - 1] + (leap and month == 2)):
        raise ValueError(day)
    past = year - 1
    return (
        past * 365 + past // 4 - past // 100 + past // 400 + sum(_MONTHS[: month - 1]) + (leap and month > 2) + at - 1
    )
