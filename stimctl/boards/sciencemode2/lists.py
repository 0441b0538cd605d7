"""From the limiter's words to a channel list of ScienceMode 2, and what a RehaStim 2 cannot say.

A list has one main interval for all its channels, and one interval between the pulses of a group, both fixed when it is
initialised; pulses of a group stand as far apart as on the reference board (``hw/wire.md``). A pulse is the board's own: two
equal phases with 100 µs between them. A rate stands for the shortest interval in half milliseconds that is no faster
(:func:`~stimctl.units.period_above_us`). Nothing is rounded here: what is not exact is refused. That some channels of a list
can be slower by a whole factor is not used.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from stimctl.boards.sciencemode.fit import DoesNotFit
from stimctl.boards.sciencemode2.layout import HALF_US, MAIN_MAX_US
from stimctl.boards.sciencemode2.messages import Group, InitChannelList
from stimctl.boards.sciencemode2.reading import CURRENT_MAX_UA, GROUP_MAX, MILLIAMPERE_UA, WIDTH_MAX_US, WIDTH_MIN_US
from stimctl.pulse import APART_US, PulseTrain
from stimctl.units import MS, SECOND, period_above_us, rate_of_period_mhz

GAP_US: Final = 100
"""Between the phases of every pulse (ScienceMode 2 protocol 1.24)."""

LEAST_US: Final = 8 * MS
"""The shortest interval of either sort that the firmware of today can do, though the wire has shorter ones (same)."""

MANY: Final = 4
MANY_LEAST_US: Final = 25 * MS
"""With more outputs than one current source has: 40 Hz, as HASOMED's README says; the protocol says 50 for eight."""

NOTHING: Final = Group(1, WIDTH_MIN_US, 0)
"""What an output at zero has: should its current ever be misread, then for as short as the board can."""

_RATE: Final = (
    f"mHz whose periods are whole steps of {HALF_US} µs from {LEAST_US} to {MAIN_MAX_US} µs, so {SECOND / MAIN_MAX_US:.2g}"
    f" to {SECOND // LEAST_US} Hz"
)


def interval_us(rate_mhz: int) -> int:
    """The main interval for a rate; raises :class:`DoesNotFit` for one that has none."""
    period_us = period_above_us(rate_mhz, HALF_US) if rate_mhz > 0 else 0
    if not LEAST_US <= period_us <= MAIN_MAX_US or rate_of_period_mhz(period_us) != rate_mhz:
        raise DoesNotFit("rate", rate_mhz, _RATE)
    return period_us


def channel_list(outputs: Iterable[int], rate_mhz: int, pulses: int) -> InitChannelList:
    """The list of ``outputs``, which count from 0, for groups of up to ``pulses``; raises :class:`DoesNotFit`."""
    active = tuple(output + 1 for output in sorted(outputs))
    main_us = interval_us(rate_mhz)
    if len(active) > MANY and main_us < MANY_LEAST_US:
        raise DoesNotFit("rate", rate_mhz, f"periods of {MANY_LEAST_US} µs or more, with more than {MANY} outputs")
    if not 1 <= pulses <= GROUP_MAX:
        raise DoesNotFit("pulses in a period", pulses, f"1 to {GROUP_MAX}")
    apart_us = APART_US if pulses > 1 else LEAST_US
    if pulses * apart_us > main_us:
        raise DoesNotFit("pulses in a period", pulses, f"what fits into {main_us} µs, {apart_us} µs apart")
    return InitChannelList(active, apart_us, main_us)


def group(train: PulseTrain, listed: InitChannelList) -> Group:
    """What a channel of ``listed`` gives; raises :class:`DoesNotFit` for a train that this list cannot give exactly."""
    if not (train.amplitude_ua or train.recovery_amplitude_ua):
        return NOTHING
    if interval_us(train.rate_mhz) != listed.main_us:
        raise DoesNotFit("rate", train.rate_mhz, f"{rate_of_period_mhz(listed.main_us)} mHz, that of the whole list")
    pulses = train.pulses_per_period
    if not 1 <= pulses <= GROUP_MAX or pulses * listed.inter_pulse_us > listed.main_us:
        raise DoesNotFit("pulses in a period", pulses, f"what fits into {listed.main_us} µs")
    if pulses > 1 and listed.inter_pulse_us != APART_US:
        raise DoesNotFit("pulses in a period", pulses, "1, as the list was initialised for single pulses")
    return Group(pulses, *_pulse(train))


def _pulse(train: PulseTrain) -> tuple[int, int]:
    """Width and current of a pulse that is like the board's own."""
    width_us, current_ua = train.phase_width_us, train.amplitude_ua
    if train.interphase_gap_us != GAP_US:
        raise DoesNotFit("interphase gap", train.interphase_gap_us, f"{GAP_US} µs, which all its pulses have")
    if (train.recovery_width_us, train.recovery_amplitude_ua) != (width_us, current_ua):
        raise DoesNotFit("recovery phase", train.recovery_width_us, "what equals the first phase")
    if not WIDTH_MIN_US <= width_us <= WIDTH_MAX_US:
        raise DoesNotFit("phase width", width_us, f"{WIDTH_MIN_US} to {WIDTH_MAX_US} µs")
    if not 0 < current_ua <= CURRENT_MAX_UA or current_ua % MILLIAMPERE_UA:
        raise DoesNotFit("current", current_ua, f"at most {CURRENT_MAX_UA} µA in steps of {MILLIAMPERE_UA} µA")
    return width_us, current_ua


def misfit(trains: Iterable[tuple[int, PulseTrain]]) -> str:
    """Why a RehaStim 2 cannot give these trains at the same time, in plain words; "" where it can."""
    asked = sorted(trains, key=lambda each: each[0])
    if not asked:
        return ""
    rates = {train.rate_mhz for _, train in asked}
    if len(rates) > 1:
        return several(rates)
    try:
        most = max(train.pulses_per_period for _, train in asked)
        listed = channel_list([output for output, _ in asked], rates.pop(), most)
    except DoesNotFit as misfit:
        return f"{misfit.field} {misfit.value} cannot be set; it takes {misfit.allowed}"
    for output, train in asked:
        try:
            group(train, listed)
        except DoesNotFit as misfit:
            return f"output {output + 1}: {misfit.field} {misfit.value} cannot be set; it takes {misfit.allowed}"
    return ""


def several(rates_mhz: Iterable[int]) -> str:
    """What to tell of more than one rate."""
    told = " and ".join(f"{rate / 1000:g}" for rate in sorted(rates_mhz))
    return f"all outputs have one rate, from being armed to the end, and here there are {told} Hz; use one rate for all"
