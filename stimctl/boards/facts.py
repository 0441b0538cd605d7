"""What a host knows of a connected board, whichever kind it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from stimctl.limits import DEAD_MAN_MAX_MS, Limits


@final
@dataclass(frozen=True, slots=True)
class BoardFacts:
    """A board as it has introduced itself. Steps: amplitude in µA, width in µs, rate in mHz.

    ``limits`` is for the limiter: the board's own table, and the absolute limits for what a board cannot know
    (pads, sites, what a channel is for). ``analog_rate_hz`` is 0 without an analog input. ``simulated``: a twin, with no
    current anywhere.

    ``period_step_us`` is not 0 where a board counts periods in such steps instead of rates. ``dead_man_ms`` is how long it
    may go on by itself once nobody feeds it. ``stop_switch``: it has one of its own; ``way_out`` is what a person does when
    no word reaches it any more. ``cautions``: what nobody should find out later, for the operator and the record.

    ``gap_min_us``: the shortest gap between the phases of a board that has no pulse without one. ``width_clock_ns`` is not 0
    where a board counts widths in such ticks, and says them in whole µs. ``confirms_zero``: it can tell that it is at zero;
    of one that cannot nobody ever reads that its output is off. ``keeps_rate``: all its outputs have one rate, from being
    armed to the end. ``knows_ma``: somebody knows what flows at its steps; where nobody does, ``limits`` and steps in µA say
    nothing of it. ``least_ua``: by output, what is the least that flows at all where that is more than a step: below it the
    board gives nothing, whatever it is told.
    """

    name: str
    serial: str
    firmware: str
    outputs: int
    amplitude_step_ua: int
    width_step_us: int
    rate_step_mhz: int
    senses_impedance: bool
    senses_current: bool
    analog_rate_hz: int
    limits: Limits
    limits_crc: int
    simulated: bool
    period_step_us: int = 0
    dead_man_ms: int = DEAD_MAN_MAX_MS
    stop_switch: bool = True
    way_out: str = "use the stop switch"
    cautions: tuple[str, ...] = ()
    gap_min_us: int = 0
    width_clock_ns: int = 0
    confirms_zero: bool = True
    keeps_rate: bool = False
    knows_ma: bool = True
    least_ua: tuple[int, ...] = ()
