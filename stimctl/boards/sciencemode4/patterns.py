"""From the limiter's words to what ScienceMode 3 and 4 repeat: a train as a pattern of points, and what a board cannot say.

Each phase is a point, and so is the gap between them; pulses of one period stand as far apart as on the reference board
(``hw/wire.md``), with points without current in between. A rate stands for the shortest period in half milliseconds that is
no faster (:func:`~stimctl.units.period_above_us`). Nothing is rounded here: what is not exact is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from stimctl.boards.sciencemode.fit import DoesNotFit
from stimctl.boards.sciencemode4.codes import POINTS_MAX
from stimctl.boards.sciencemode4.messages import Pattern, Point
from stimctl.boards.sciencemode4.period import HALF_US, HALVES_MAX_US
from stimctl.boards.sciencemode4.points import CURRENT_STEP_UA, DURATION_MAX_US, DURATION_MIN_US
from stimctl.errors import OurBug
from stimctl.pulse import APART_US, Command, PulseTrain, pulse_us
from stimctl.units import SECOND, period_above_us, rate_of_period_mhz

DEVICE_UA: Final = 130_000
"""Most current of P24 and RehaMove3 (P24 instructions for use 1.1: at 1 kΩ); the code reaches further."""

OVERHEAD_US: Final = 60
"""What each channel's pulse takes of a second beyond its points (C library of ScienceMode 4)."""

PULSE_TIME_US: Final = SECOND
"""The same library refuses an update with so much pulse time in a second; in the field P24 then stays silent and green."""


def pattern(channel: int, train: PulseTrain) -> Pattern:
    """What ``channel`` repeats; raises :class:`DoesNotFit` for a train that has no exact points."""
    period_us = period_above_us(train.rate_mhz, HALF_US) if train.rate_mhz > 0 else 0
    if not 0 < period_us <= HALVES_MAX_US or rate_of_period_mhz(period_us) != train.rate_mhz:
        raise DoesNotFit("rate", train.rate_mhz, f"rates whose periods are whole steps of {HALF_US} µs, in mHz")
    points = tuple(_points(train, period_us))
    if len(points) > POINTS_MAX:
        raise DoesNotFit("pulses in a period", train.pulses_per_period, f"what {POINTS_MAX} points have room for")
    if sum(point.duration_us for point in points) > period_us:
        raise DoesNotFit("pulses in a period", train.pulses_per_period, f"what fits into {period_us} µs")
    return Pattern(channel, period_us, points)


def _points(train: PulseTrain, period_us: int) -> Iterator[Point]:
    """Every point of one period, each of a length and a current that a board takes as it is."""
    pulse = tuple(_pulse(train))
    apart_us = min(APART_US, period_us // train.pulses_per_period) if train.pulses_per_period > 0 else 0
    rest_us = apart_us - pulse_us(train)
    if train.pulses_per_period < 1 or (
        train.pulses_per_period > 1 and not (rest_us == 0 or rest_us >= DURATION_MIN_US)
    ):
        raise DoesNotFit("pulses in a period", train.pulses_per_period, "whole pulses with room between them")
    for number in range(train.pulses_per_period):
        if number:
            yield from _silence(rest_us)
        yield from pulse


def _pulse(train: PulseTrain) -> Iterator[Point]:
    for name, duration_us, current_ua in (
        ("phase width", train.phase_width_us, train.amplitude_ua),
        ("interphase gap", train.interphase_gap_us, 0),
        ("recovery width", train.recovery_width_us, -train.recovery_amplitude_ua),
    ):
        if not duration_us and name != "phase width":
            continue
        if not DURATION_MIN_US <= duration_us <= DURATION_MAX_US:
            raise DoesNotFit(name, duration_us, f"{DURATION_MIN_US} to {DURATION_MAX_US} µs")
        if abs(current_ua) > DEVICE_UA or current_ua % CURRENT_STEP_UA:
            raise DoesNotFit(name, current_ua, f"at most {DEVICE_UA} µA in steps of {CURRENT_STEP_UA} µA")
        yield Point(duration_us, current_ua)


def _silence(rest_us: int) -> Iterator[Point]:
    """A pause in as few points as hold it, none of them too short to be kept."""
    count = -(-rest_us // DURATION_MAX_US)
    for index in range(count):
        yield Point((rest_us + index) // count, 0)


def pulse_time_us(patterns: Iterable[Pattern]) -> int:
    """How much of a second these patterns take, by the vendor's own sum, each rounded up."""
    return sum(
        -(-(sum(point.duration_us for point in each.points) + OVERHEAD_US) * SECOND // each.period_us)
        for each in patterns
    )


def patterns_of(command: Command) -> tuple[Pattern, ...]:
    """What a board is to give of a command, in ascending order of channel; an output at zero is left out, which is off.

    Raises :class:`OurBug` for an output that is named twice, and :class:`DoesNotFit` for what the board cannot be told
    exactly or would answer with silence.
    """
    outputs = sorted(command.outputs, key=lambda output: output.channel)
    numbers = [output.channel for output in outputs]
    if len(set(numbers)) != len(numbers):
        raise OurBug(f"one command names an output twice: {numbers}")
    patterns = tuple(
        pattern(output.channel, output.train)
        for output in outputs
        if output.train.amplitude_ua or output.train.recovery_amplitude_ua
    )
    taken_us = pulse_time_us(patterns)
    if not taken_us < PULSE_TIME_US:
        raise DoesNotFit("pulse time in a second", taken_us, f"less than {PULSE_TIME_US} µs")
    return patterns


def misfit(trains: Iterable[tuple[int, PulseTrain]]) -> str:
    """Why a board cannot give these trains at the same time, in plain words; "" where it can."""
    patterns = []
    for channel, train in trains:
        try:
            patterns.append(pattern(channel, train))
        except DoesNotFit as misfit:
            return f"output {channel + 1}: {misfit.field} {misfit.value} cannot be set; it takes {misfit.allowed}"
    taken_us = pulse_time_us(patterns)
    if taken_us >= PULSE_TIME_US:
        return (
            f"the pulses of all outputs take {taken_us / SECOND:.2f} s of each second, and the board stays silent from"
            " 1 s on; use fewer outputs, lower rates, shorter pulses or no doublets"
        )
    return ""
