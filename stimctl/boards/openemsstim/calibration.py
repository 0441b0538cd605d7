"""From mA to percent, which only somebody with a meter can tell: what was measured behind this board, and nothing else.

The board cuts and weakens what a unit behind it puts out; percent says nothing of mA. So a person measures the peak at
the pads for a number of percents, and only these are used: between two of them, what flows is not known. Rounding is
down, to less output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import final

from stimctl.boards.openemsstim.words import PERCENT_MAX
from stimctl.errors import UsageError
from stimctl.units import MicroAmp, ma_text


@final
@dataclass(frozen=True, slots=True)
class Unit:
    """The certified TENS or EMS unit behind the board, and how its own knobs stood when it was measured.

    Frequency and phase width are set on it by hand; the board cannot read them, and neither can stimctl.
    """

    name: str
    knobs: str
    rate_mhz: int
    phase_width_us: int
    calibrated_by: str
    calibrated_on: str


@final
@dataclass(frozen=True, slots=True)
class Calibration:
    """What was measured, by channel (from 0): pairs of percent and peak in µA, both rising.

    Raises :class:`UsageError` for a table that does not rise, or has a percent that the board cannot be told.
    """

    unit: Unit
    measured: Mapping[int, Sequence[tuple[int, MicroAmp]]]

    def __post_init__(self) -> None:
        for channel, points in self.measured.items():
            _must_rise(channel, points)
        object.__setattr__(self, "measured", MappingProxyType({n: tuple(each) for n, each in self.measured.items()}))

    def percent(self, channel: int, amplitude_ua: int) -> int:
        """The most percent at which no more than ``amplitude_ua`` was measured; raises :class:`UsageError` for none.

        There is none below the lowest measured percent, and none for 0: a board that is told 0 still puts out.
        """
        fitting = [percent for percent, ua in self._points(channel) if ua <= amplitude_ua]
        if not fitting:
            lowest = ma_text(self._points(channel)[0][1])
            raise UsageError(
                f"channel {channel + 1}: {ma_text(amplitude_ua)} mA cannot be put out; the least that was measured is "
                f"{lowest} mA. Off is an open relay and not a small percent: weaken the unit behind the board and calibrate anew"
            )
        return fitting[-1]

    def amplitude_ua(self, channel: int, percent: int) -> MicroAmp:
        """The peak that was measured at ``percent``; raises :class:`UsageError` where nobody has measured."""
        for known, ua in self._points(channel):
            if known == percent:
                return ua
        raise UsageError(f"channel {channel + 1}: nobody has measured what flows at {percent} %")

    def top_ua(self, channel: int) -> MicroAmp:
        """The most that was measured: nothing above it is known."""
        return self._points(channel)[-1][1]

    def _points(self, channel: int) -> Sequence[tuple[int, MicroAmp]]:
        if channel not in self.measured:
            raise UsageError(f"channel {channel + 1} is not in the calibration; measure it first")
        return self.measured[channel]


def for_people(calibration: Calibration | None) -> Calibration:
    """The calibration, which a session with a person cannot do without; raises :class:`UsageError` for ``None``."""
    if calibration is None:
        raise UsageError(
            "openEMSstim knows percent and no mA: without a calibration file it is refused for people; "
            "measure the peak at the pads for some percents and name the file"
        )
    return calibration


def _must_rise(channel: int, points: Sequence[tuple[int, int]]) -> None:
    """Unless percents and currents rise from point to point, refuse: else rounding down would not lower the output."""
    ok = len(points) > 0 and all(type(number) is int for point in points for number in point)
    ok = ok and all(1 <= percent <= PERCENT_MAX and ua > 0 for percent, ua in points)
    if not (ok and all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(points))):
        raise UsageError(
            f"channel {channel + 1}: a calibration has percents of 1 to {PERCENT_MAX} and currents above 0, both rising"
        )
