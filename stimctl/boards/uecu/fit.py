"""What a UECU board can be told of a train, exactly, where this program is its clock; and who it is to a session.

The board has no watchdog, and a schedule that repeats goes on until somebody halts it. So none is made: its schedule runs
once for each go, and every period of a train is one go, said by the control loop. What the loop does not say does not flow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from stimctl.boards.facts import BoardFacts
from stimctl.boards.uecu.words import AMPLITUDE_MA_MAX, CHANNELS, GAP_US, WIDTH_US_MAX
from stimctl.errors import OurBug, UsageError
from stimctl.limits import ABSOLUTE
from stimctl.pulse import PulseTrain
from stimctl.units import MS, SECOND, ma_text, period_above_us, rate_of_period_mhz

STEP_UA: Final = 1_000

APART_MS: Final = 5
"""How far apart the pulses of the channels are, so that no two flow at once; as in the published host."""

PERIOD_MS: Final = (20, 1_000)
"""One go takes 6 ms of the line, one change of a pulse 9 ms: more than 50 Hz has no room on it."""

DEAD_MAN_MS: Final = 50
"""A go that has left is over by then: its way on the line, and the last channel's delay."""

_WAY_OUT: Final = "switch the UECU board off, or pull its electrode leads"


def period_ms(train: PulseTrain) -> int:
    """How often a go is said for ``train``; raises :class:`UsageError` for a rate without whole ms, or beyond the line."""
    low, high = PERIOD_MS
    period_us = period_above_us(train.rate_mhz, MS) if train.rate_mhz > 0 else 0
    if not low * MS <= period_us <= high * MS:
        raise UsageError(
            f"{train.rate_mhz / 1_000:g} Hz: a UECU board is given each pulse by this program, since it has no dead-man, and"
            f" its line carries {SECOND // (high * MS)} to {SECOND // (low * MS)} Hz"
        )
    if rate_of_period_mhz(period_us) != train.rate_mhz:
        raise UsageError(f"{train.rate_mhz} mHz: a UECU board's periods are whole milliseconds")
    return period_us // MS


def pulse(train: PulseTrain) -> tuple[int, int]:
    """Width in µs and amplitude in mA, as the board is told them; raises :class:`UsageError` for what it cannot give exactly."""
    if train.pulses_per_period != 1:
        raise UsageError("a UECU board gives one pulse in each period: no doublets and no bursts")
    if (train.recovery_amplitude_ua, train.recovery_width_us) != (train.amplitude_ua, train.phase_width_us):
        raise UsageError("a UECU board is driven with equal phases alone")
    if not 0 <= train.phase_width_us <= WIDTH_US_MAX:
        raise UsageError(f"{train.phase_width_us} µs: a UECU board's phases last at most {WIDTH_US_MAX} µs")
    if not GAP_US[0] <= train.interphase_gap_us <= GAP_US[1]:
        raise UsageError(f"{train.interphase_gap_us} µs: a UECU board's gaps are {GAP_US[0]} to {GAP_US[1]} µs")
    if train.amplitude_ua % STEP_UA or not 0 <= train.amplitude_ua <= AMPLITUDE_MA_MAX * STEP_UA:
        raise UsageError(f"{ma_text(train.amplitude_ua)} mA: a UECU board gives 0 to {AMPLITUDE_MA_MAX} mA in whole mA")
    return train.phase_width_us, train.amplitude_ua // STEP_UA


def told(train: PulseTrain) -> tuple[int, int]:
    """:func:`pulse` of a train that was approved in this board's own steps, its period too; raises :class:`OurBug`."""
    try:
        period_ms(train)
        return pulse(train)
    except UsageError as error:
        raise OurBug(f"{error}: it should have been refused before the start") from None


def misfit(trains: Iterable[tuple[int, PulseTrain]]) -> str:
    """Why the board cannot give these trains at the same time, in plain words; "" where it can."""
    periods = set()
    for output, train in trains:
        try:
            pulse(train)
            periods.add(period_ms(train))
        except UsageError as error:
            return f"output {output + 1}: {error}"
    if len(periods) > 1:
        return "its outputs have one clock, so that all of them need the same rate"
    return ""


def introduce(*, simulated: bool) -> BoardFacts:
    """The facts about any of them: they tell neither a version nor a number."""
    return BoardFacts(
        name="UECU",
        serial="",
        firmware="",
        outputs=CHANNELS,
        amplitude_step_ua=STEP_UA,
        width_step_us=1,
        rate_step_mhz=1,
        senses_impedance=False,
        senses_current=False,
        analog_rate_hz=0,
        limits=replace(
            ABSOLUTE,
            peak_ua=min(ABSOLUTE.peak_ua, AMPLITUDE_MA_MAX * STEP_UA),
            phase_width_max_us=min(ABSOLUTE.phase_width_max_us, WIDTH_US_MAX),
            rate_min_mhz=max(ABSOLUTE.rate_min_mhz, rate_of_period_mhz(PERIOD_MS[1] * MS)),
            rate_max_mhz=min(ABSOLUTE.rate_max_mhz, rate_of_period_mhz(PERIOD_MS[0] * MS)),
            pulses_per_period_max=1,
        ),
        limits_crc=0,
        simulated=simulated,
        period_step_us=MS,
        dead_man_ms=DEAD_MAN_MS,
        stop_switch=False,
        way_out=_WAY_OUT,
        cautions=(
            (
                "the UECU board has no dead-man, so this program sets off each pulse by itself: if this computer dies, no"
                f" pulse comes after {DEAD_MAN_MS} ms, and a busy computer makes the rate lower, never higher"
            ),
            "the UECU board confirms neither a pulse nor a stop, and measures no current: its output is never shown as off",
            f"the UECU board has no stop button: {_WAY_OUT}",
            "ports of two UECU boards are told apart by nothing but their plugs: look at the label, and try each channel",
        ),
        gap_min_us=GAP_US[0],
        confirms_zero=False,
    )
