"""Percent and mA of a board that knows no mA: only what somebody has measured, and downwards."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.boards.openemsstim.calibration import Calibration, Unit, for_people
from stimctl.boards.openemsstim.calibration_file import calibration_of
from stimctl.cli import main
from stimctl.errors import FileError, ProtocolError, UsageError
from stimctl.protocols.calibration import load_calibration, loads_calibration
from stimctl.protocols.days import number_of
from stimctl.session.measuring import must_be_past
from stimctl.units import MicroAmp

FILE = """\
format = 1
board = "openemsstim"
unit = "Example EMS 7"
knobs = "programme 3, intensity 40, both channels"
rate_hz = 35
phase_width_us = 200
load_ohm = 500
calibrated_by = "a physiotherapist"
calibrated_on = 2026-03-31

[[channel]]
output = 1
percent = [1, 10, 50]
measured_ma = [2.5, 4.1, 12.25]

[[channel]]
output = 2
percent = [5]
measured_ma = [3]
"""
GENTLE = FILE.replace("[1, 10, 50]", "[1, 10]").replace("[2.5, 4.1, 12.25]", "[2.5, 3.1]")
"""One by which a person may be raised."""

UNIT = Unit("u", "k", 35_000, 200, "w", "2026-03-31")


def table(*points: tuple[int, int]) -> Calibration:
    return Calibration(UNIT, {0: tuple((percent, MicroAmp(ua)) for percent, ua in points)})


def test_a_file_becomes_a_table() -> None:
    found = calibration_of(loads_calibration(FILE, "x.toml"))
    assert found.unit == Unit(
        "Example EMS 7", "programme 3, intensity 40, both channels", 35_000, 200, "a physiotherapist", "2026-03-31"
    )
    assert dict(found.measured) == {0: ((1, 2_500), (10, 4_100), (50, 12_250)), 1: ((5, 3_000),)}
    assert found.top_ua(0) == 12_250
    assert found.amplitude_ua(0, 10) == 4_100


@pytest.mark.parametrize(
    ("ua", "percent"),
    [(2_500, 1), (2_501, 1), (4_099, 1), (4_100, 10), (12_249, 10), (12_250, 50), (12_251, 50), (100_000, 50)],
)
def test_rounding_is_down_to_what_was_measured(ua: int, percent: int) -> None:
    assert calibration_of(loads_calibration(FILE, "x")).percent(0, ua) == percent


@pytest.mark.parametrize("ua", [0, -1, 1, 2_499])
def test_below_the_least_that_was_measured_there_is_nothing(ua: int) -> None:
    with pytest.raises(UsageError, match=r"least that was measured is 2\.5 mA"):
        calibration_of(loads_calibration(FILE, "x")).percent(0, ua)


@given(st.lists(st.tuples(st.integers(1, 100), st.integers(1, 100_000)), min_size=1), st.integers(1, 120_000))
def test_never_more_than_was_asked_for(points: list[tuple[int, int]], ua: int) -> None:
    rising = list(zip(sorted({p for p, _ in points}), sorted({a for _, a in points}), strict=False))
    calibration = table(*rising)
    try:
        percent = calibration.percent(0, ua)
    except UsageError:
        assert ua < rising[0][1]
        return
    assert calibration.amplitude_ua(0, percent) <= ua
    assert all(a > ua for p, a in rising if p > percent)


def test_what_nobody_has_measured_is_not_known() -> None:
    calibration = table((1, 2_000), (10, 4_000))
    with pytest.raises(UsageError, match="nobody has measured what flows at 5 %"):
        calibration.amplitude_ua(0, 5)
    with pytest.raises(UsageError, match="channel 2 is not in the calibration"):
        calibration.percent(1, 5_000)


@pytest.mark.parametrize(
    "points",
    [
        (),
        ((0, 100),),
        ((101, 100),),
        ((1, 0),),
        ((1, 2), (1, 3)),
        ((1, 2), (2, 2)),
        ((1, 3), (2, 2)),
        ((2, 2), (1, 3)),
        ((1.0, 2),),
        ((True, 2),),
    ],
)
def test_a_table_that_does_not_rise_is_refused(points: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(UsageError, match="both rising"):
        table(*points)


@pytest.mark.parametrize("url", ["openemsstim:/dev/none", "sim:openemsstim"])
def test_nobody_has_measured_tomorrow(url: str, tmp_path: Path) -> None:
    path = tmp_path / "unit.toml"
    path.write_text(GENTLE, encoding="utf-8")
    board = f"{url}?calibration={path}"
    for today in ("2026-03-30", "2026-03-31", "2031-01-01"):  # it may be tomorrow already where it was measured
        must_be_past(board, today)
    with pytest.raises(
        UsageError, match=r"unit\.toml: calibrated_on is 2026-03-31, and this computer's clock says 2026-03-29"
    ) as no:
        must_be_past(board, "2026-03-29")
    assert "\n" not in str(no.value)
    must_be_past(url, "2026-03-29")


def test_a_calibration_of_the_future_is_refused_at_every_door(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "unit.toml"
    path.write_text(GENTLE.replace("2026-03-31", "2099-12-31"), encoding="utf-8")
    board = f"sim:openemsstim?calibration={path}"
    store = str(tmp_path / "record.db")
    run = ["run", "thumb-extensors-cyclic", "--headless", "--speed", "max", "--store", store, "--board", board]
    assert main(run) == 2
    assert "calibrated_on is 2099-12-31" in capsys.readouterr().err
    assert main(["boards", board]) == 2
    assert "calibrated_on is 2099-12-31" in capsys.readouterr().out


@given(st.dates())
def test_days_are_counted_as_the_calendar_does(day: date) -> None:
    assert number_of(day.isoformat()) == day.toordinal() - 1


@pytest.mark.parametrize("day", ["2026-02-29", "1900-02-29", "2026-04-31", "2026-00-01", "2026-13-01", "2026-01-00"])
def test_a_day_that_there_is_not_is_none(day: str) -> None:
    with pytest.raises(ValueError, match=day):
        number_of(day)


def test_without_a_calibration_no_person() -> None:
    with pytest.raises(UsageError, match="refused for people"):
        for_people(None)
    calibration = table((1, 2_000))
    assert for_people(calibration) is calibration


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("format = 1", "format = 2", r"x\.toml:1:\d+: format: .*this version"),
        ('board = "openemsstim"', 'board = "p24"', "board: is not on the list"),
        ('unit = "Example EMS 7"\n', "", "unit: is missing"),
        ("load_ohm = 500", "load_ohm = 500\nglow = 1", "glow: is not known here"),
        ("percent = [1, 10, 50]", "percent = [0, 10, 50]", r"percent.*out of range"),
        ("percent = [1, 10, 50]", "percent = [1, 10, 101]", r"percent.*out of range"),
        ("percent = [1, 10, 50]", "percent = [1, 50, 10]", r"x\.toml:13:\d+: channel\[1\]\.percent: does not rise"),
        ("percent = [1, 10, 50]", "percent = [1, 10]", r"2 percents and 3 currents"),
        ("measured_ma = [3]", "measured_ma = [true]", "true and false are not numbers"),
        ("measured_ma = [3]", "measured_ma = [nan]", "finite"),
        ("measured_ma = [3]", "measured_ma = [3000]", "looks like µA"),
        ("measured_ma = [3]", "measured_ma = [3.00001]", "finer than"),
        ("2.5, 4.1, 12.25", "2.5, 12.25, 4.1", "does not rise"),
        ("2.5, 4.1, 12.25", "2.5, 2.5, 4.1", "twice"),
        ("output = 2", "output = 1", "names an output twice"),
        ("output = 2", "output = 5", "out of range"),
        ("2026-03-31", '"last week"', "must be a date"),
        ("2026-03-31", "20260331", "must be a date"),
        ("2026-03-31", '"2026-13-01"', "must be a date"),
        ("2026-03-31", '"2026-02-30"', "must be a date"),
        ("2026-03-31", "2026-03-31T10:00:00", "must be a date"),
        ("[[channel]]", "[channel]", "not TOML"),
        ("rate_hz = 35", "rate_hz = 35000", "rate_hz: out of range"),
    ],
)
def test_every_mistake_has_its_place_and_its_words(before: str, after: str, said: str) -> None:
    assert before in FILE
    with pytest.raises(ProtocolError, match=said):
        loads_calibration(FILE.replace(before, after), "x.toml")


def test_a_day_may_stand_in_quotes() -> None:
    assert loads_calibration(FILE.replace("2026-03-31", '"2026-03-31"'), "x") == loads_calibration(FILE, "x")


def test_all_mistakes_at_once() -> None:
    with pytest.raises(FileError) as caught:
        loads_calibration(FILE.replace("format = 1", "format = 9").replace("output = 2", "output = 9"), "x")
    assert len(str(caught.value).splitlines()) == 2


def test_channels_are_tables() -> None:
    text = FILE.split("[[channel]]", maxsplit=1)[0]
    for wrong in ("", "channel = 1", "channel = []"):
        with pytest.raises(ProtocolError, match="channel"):
            loads_calibration(text + wrong, "x")


def test_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    with pytest.raises(ProtocolError, match="no such calibration file"):
        load_calibration(path)
    path.write_text(FILE)
    assert load_calibration(path) == loads_calibration(FILE, "x")
