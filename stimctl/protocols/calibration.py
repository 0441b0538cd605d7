"""Calibration files: what a person has measured behind a board that knows percent and no mA.

They are no protocols and say nothing about therapy; they are here because files that people write are checked here.
What they are for is told in ``boards.openemsstim.calibration``.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Final, final

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_core import ErrorDetails

from stimctl.errors import Fault, ProtocolError
from stimctl.protocols import quantities as q
from stimctl.protocols.checks import Choice, Exactly, Listing, Quantity, Words, fault
from stimctl.protocols.days import number_of
from stimctl.protocols.findings import field_name, shown
from stimctl.protocols.loading import file_text, tables
from stimctl.protocols.places import NOWHERE, find_places
from stimctl.protocols.strict import Strict, as_tuple
from stimctl.units import microamps

BOARDS: Final = ("openemsstim",)
"""The boards that know no mA."""

CHANNELS_MAX: Final = 4
POINTS_MAX: Final = 100

_WHERE: Final = "what the board can be told"
_METER: Final = "a meter between the pads"
_DAY: Final = re.compile(r"20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_PERCENTS: Final = Listing(Quantity("%", 1, 100, _WHERE, whole=True), 1, POINTS_MAX, "1 to 100 different percents")
_CURRENTS: Final = Listing(
    Quantity("mA", 0.1, 150, _METER, (("µA", 1e-3), ("A", 1e3)), exact=microamps),
    1,
    POINTS_MAX,
    "as many peak currents as percents, all different",
)


def _rising(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Unless each is greater than the one before, refuse: else rounding down would not lower the output."""
    if any(not a < b for a, b in pairwise(values)):
        raise fault("does not rise from entry to entry", allowed="the least first")
    return values


def _a_day(value: Any) -> str:
    """A day as text, from TOML's own date or from text."""
    day = str(value)
    if _DAY.fullmatch(day) is None or not _is_in_the_calendar(day):
        raise fault("must be a date", allowed="such as 2026-03-31")
    return day


def _is_in_the_calendar(day: str) -> bool:
    try:
        number_of(day)
    except ValueError:
        return False
    return True


@final
class MeasuredChannel(Strict):
    """What was measured at one channel: a current for each percent."""

    output: Annotated[int, Quantity("", 1, CHANNELS_MAX, "as printed on the board", whole=True)]
    """The board's output, from 1 as printed on it."""
    percent: Annotated[tuple[int, ...], _PERCENTS, AfterValidator(_rising)]
    """What the board was told, rising."""
    measured_ma: Annotated[tuple[float, ...], _CURRENTS, AfterValidator(_rising)]
    """The peak of the first phase that then flowed through the load, in mA, one for each percent, rising."""


@final
class CalibrationFile(Strict):
    """One board with one unit behind it, its knobs as they stood, on one day."""

    format: Annotated[int, Exactly(1, "is not a format of calibration files that this version reads")]
    """Version of the file format."""
    board: Annotated[str, Choice(BOARDS, "boards that know percent and no mA")]
    """The kind of board."""
    unit: Annotated[str, Words(80)]
    """Maker and model of the TENS or EMS unit behind the board."""
    knobs: Annotated[str, Words(300)]
    """How its own knobs and programme stood, so that anybody can set them again."""
    rate_hz: Annotated[float, q.RATE_HZ]
    """Pulse rate that is set on the unit."""
    phase_width_us: Annotated[int, q.PHASE_WIDTH_US]
    """Width of one phase that is set on the unit."""
    load_ohm: Annotated[int, Quantity("ohm", 100, 5_000, "a dummy load, 500 ohm by IEC 60601-2-10", whole=True)]
    """The load that it was measured with."""
    calibrated_by: Annotated[str, Words(80)]
    """Who has measured."""
    calibrated_on: Annotated[str, BeforeValidator(_a_day)]
    """When: the day, such as 2026-03-31."""
    channels: Annotated[
        tuple[MeasuredChannel, ...], BeforeValidator(as_tuple), Field(min_length=1, max_length=CHANNELS_MAX)
    ] = Field(alias="channel")
    """The channels that were measured; no other one is used."""


def load_calibration(path: Path) -> CalibrationFile:
    """The calibration in the file at ``path``; raises :class:`ProtocolError` with every fault."""
    if not path.exists():
        raise ProtocolError((Fault(str(path), *NOWHERE, "file", "there is no such calibration file"),))
    return loads_calibration(file_text(path), str(path))


def loads_calibration(text: str, name: str) -> CalibrationFile:
    """The calibration in ``text``; ``name`` stands for the file in faults. Raises :class:`ProtocolError`."""
    data = tables(text, name)
    try:
        found = CalibrationFile.model_validate(data)
    except ValidationError as error:
        places = find_places(text)
        faults = []
        for each in error.errors(include_url=False):
            path = tuple(part for part in each["loc"] if part != "[key]")
            place = NOWHERE if places is None else places.find(path, at_key=False)
            faults.append(Fault(name, *place, field_name(path), *_words(each)))
        raise ProtocolError(tuple(faults)) from None
    faults = [Fault(name, *NOWHERE, field, message) for field, message in _broken(found)]
    if faults:
        raise ProtocolError(tuple(faults))
    return found


def _broken(found: CalibrationFile) -> list[tuple[str, str]]:
    """What no single field can know."""
    outputs = [each.output for each in found.channels]
    broken = [("channel", "names an output twice")] if len(set(outputs)) != len(outputs) else []
    for index, each in enumerate(found.channels, 1):
        if len(each.percent) != len(each.measured_ma):
            broken.append(
                (
                    f"channel[{index}]",
                    f"has {len(each.percent)} percents and {len(each.measured_ma)} currents; write one for each",
                )
            )
    return broken


def _words(error: ErrorDetails) -> tuple[str, str, str]:
    """What is wrong, the value, and what is allowed, of one of Pydantic's errors."""
    if error["type"] == "stimctl":
        ctx = error["ctx"]
        return ctx["message"], shown(error["input"]), ctx["allowed"]
    if error["type"] == "missing":
        return "is missing", "", ""
    if error["type"] == "extra_forbidden":
        return "is not known here", "", ""
    return "must be written as [[channel]], once for each channel", shown(error["input"]), ""
