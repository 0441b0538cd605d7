"""What an openEMSstim with a calibration can be told of a train; and who it is to a session.

Rate and width are set by hand on the unit behind it, so a protocol has to ask for just these. Of currents only those that
somebody has measured are known: a level between two of them is the lower one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Final

from stimctl.boards.facts import BoardFacts
from stimctl.boards.openemsstim.calibration import Calibration
from stimctl.boards.openemsstim.dialects import Dialect
from stimctl.errors import OurBug, UsageError
from stimctl.limits import ABSOLUTE, Limits
from stimctl.pulse import PulseTrain
from stimctl.units import ma_text

TIME_MS: Final = 450
"""How long a relay stays closed that nobody prolongs, ms: two looks and their delay, and below the 500 ms of H14."""

DEAD_MAN_MS: Final = 500

STEP_UA: Final = 100

LEAST_MAX_UA: Final = 10_000
"""The most that may come at once when a relay closes (project): about where a pulse on a forearm is first felt.

R2 has levels rise by 1 mA at a time. This board cannot, at its first step: the least that it lets through is a fifth of what
the unit behind it gives (boards.md, 2.3). Beyond that first step it has to.
"""

NO_CALIBRATION: Final = (
    "openEMSstim knows percent and no mA, so without a calibration file it is refused for people; measure the peak at the"
    " pads for some percents and name the file: openemsstim:PORT?calibration=FILE"
)

_WAY_OUT: Final = "switch off the unit behind the openEMSstim, or pull the electrode leads"
_CAUTIONS: Final = (
    (
        "the openEMSstim is driven for 0.45 s at a time, which this program prolongs; if this computer dies, its relays"
        f" open within {DEAD_MAN_MS / 1_000:g} s"
    ),
    (
        "the openEMSstim confirms neither a current nor a stop: its output is never shown as off, and the unit behind it"
        " goes on by itself"
    ),
    f"the openEMSstim has no stop button: {_WAY_OUT}",
)


def usable(calibration: Calibration) -> Calibration:
    """The calibration, if levels can be raised by it as a person may be raised; raises :class:`UsageError`."""
    for channel, points in calibration.measured.items():
        least_ua = points[0][1]
        if least_ua > LEAST_MAX_UA:
            raise UsageError(
                f"calibration, channel {channel + 1}: the least that was measured is {ma_text(least_ua)} mA, and it comes at"
                f" once; weaken the unit until it is at most {ma_text(LEAST_MAX_UA)} mA, and measure anew"
            )
        for (low, low_ua), (high, high_ua) in pairwise(points):
            if high_ua - low_ua > ABSOLUTE.step_ua:
                raise UsageError(
                    f"calibration, channel {channel + 1}: from {low} % to {high} % it rises by {ma_text(high_ua - low_ua)} mA,"
                    f" and no step may be more than {ma_text(ABSOLUTE.step_ua)} mA; measure some percents in between"
                )
    return calibration


def percent(calibration: Calibration, channel: int, amplitude_ua: int) -> int:
    """What stands for no more than ``amplitude_ua``; 0 is an open relay, for what is below the least that was measured."""
    if channel not in calibration.measured:
        if amplitude_ua:
            raise OurBug(f"channel {channel + 1} was never measured, and should have been refused before the start")
        return 0
    return calibration.percent(channel, amplitude_ua) if amplitude_ua >= calibration.measured[channel][0][1] else 0


def misfit(calibration: Calibration | None, trains: Iterable[tuple[int, PulseTrain]]) -> str:
    """Why the board cannot give these trains, in plain words; "" where it can."""
    if calibration is None:
        return NO_CALIBRATION
    for channel, train in trains:
        if why := _why_not(calibration, channel, train):
            return f"output {channel + 1}: {why}"
    return ""


def _why_not(calibration: Calibration, channel: int, train: PulseTrain) -> str:
    unit = calibration.unit
    if channel not in calibration.measured:
        return "it is not in the calibration; measure it first"
    if train.rate_mhz != unit.rate_mhz:
        return _other("Hz", train.rate_mhz / 1_000, unit.rate_mhz / 1_000)
    if train.phase_width_us != unit.phase_width_us:
        return _other("µs", train.phase_width_us, unit.phase_width_us)
    if train.pulses_per_period != 1 or train.interphase_gap_us:
        return "the unit behind the board gives one pulse in each period, with no gap that anybody could set"
    top_ua = calibration.top_ua(channel)
    if train.amplitude_ua > top_ua:
        return (
            f"the protocol goes to {ma_text(train.amplitude_ua)} mA, and nobody has measured more than {ma_text(top_ua)} mA;"
            " lower its maximum, or measure more"
        )
    least_ua = calibration.measured[channel][0][1]
    if train.amplitude_ua < least_ua:
        return f"the protocol stays below {ma_text(least_ua)} mA, the least that was measured"
    return ""


def _other(what: str, wanted: float, has: float) -> str:
    return (
        f"the protocol asks for {wanted:g} {what}, and the unit was measured at {has:g} {what}; set it and measure anew"
    )


def introduce(dialect: Dialect, calibration: Calibration | None, *, simulated: bool) -> BoardFacts:
    """The facts about a board whose firmware is known."""
    return BoardFacts(
        name="openEMSstim",
        serial="",
        firmware=dialect.name,
        outputs=dialect.channels,
        amplitude_step_ua=STEP_UA,
        width_step_us=1,
        rate_step_mhz=1,
        senses_impedance=False,
        senses_current=False,
        analog_rate_hz=0,
        limits=_limits(calibration),
        limits_crc=0,
        simulated=simulated,
        dead_man_ms=DEAD_MAN_MS,
        stop_switch=False,
        way_out=_WAY_OUT,
        cautions=(*_told(calibration, dialect.channels), *_CAUTIONS),
        confirms_zero=False,
        knows_ma=calibration is not None,
        least_ua=_least(calibration, dialect.channels),
    )


def _limits(calibration: Calibration | None) -> Limits:
    tops = [ABSOLUTE.peak_ua] if calibration is None else [points[-1][1] for points in calibration.measured.values()]
    return replace(ABSOLUTE, peak_ua=min(ABSOLUTE.peak_ua, max(tops)), pulses_per_period_max=1)


def _least(calibration: Calibration | None, outputs: int) -> tuple[int, ...]:
    known = {} if calibration is None else calibration.measured
    return tuple(int(known[n][0][1]) if n in known else 0 for n in range(outputs))


def _told(calibration: Calibration | None, outputs: int) -> tuple[str, ...]:
    """What an operator has to know of the calibration; the record keeps it, too."""
    if calibration is None:
        return (NO_CALIBRATION,)
    unit = calibration.unit
    known = sorted(calibration.measured.items())
    least = [f"{ma_text(points[0][1])} mA at output {n + 1}" for n, points in known if n < outputs]
    return (
        (
            f"the openEMSstim knows percent alone: its mA are those that {unit.calibrated_by} measured on"
            f" {unit.calibrated_on} behind {unit.name}, which has to be set as then: {unit.knobs};"
            f" {unit.rate_mhz / 1_000:g} Hz, {unit.phase_width_us} µs"
        ),
        (
            f"the openEMSstim gives nothing below {', '.join(least)}, and then that at once: tell the patient before the"
            " first step"
        ),
    )
