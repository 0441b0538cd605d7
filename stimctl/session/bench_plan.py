"""What a board gives on the bench: one output, one steady train of pulses, up to a current that most sessions stay below.

It is a protocol like any other, in the words of a file, and goes the way of any other: checked, compiled in the board's own
steps, flown through a fresh limiter. It is sensory stimulation because that is steady: a burst is over before an ammeter,
or a person with one, has read anything. The body part is the one that the limits are narrowest for among those at hand;
what lies there is a resistor.
"""

from __future__ import annotations

from typing import Final

from stimctl.boards import BoardFacts
from stimctl.driver import BoardDriver, Setup
from stimctl.errors import UsageError
from stimctl.protocols import loads_with_hash, stimulating
from stimctl.schedule import ChannelPlan, Schedule, Steps, compile_schedule
from stimctl.session.rehearsal import rehearse
from stimctl.units import ma_text

LOAD_OHM: Final = 500
"""The load at which outputs are judged: 500 ohm, resistive (clinical reference, A.1 and A.2)."""

MOST_UA: Final = 20_000
"""The highest step: above what a P24 needs to notice a missing load (about 15 mA), and 10 V at the load (project)."""

STEPS: Final = 4
"""So many steps, evenly spread up to the highest."""

WIDTH_US: Final = 96
GAP_US: Final = 100
RATE_HZ: Final = 50
"""Pulses that every board can give: RehaStim 2 has a gap of 100 µs and no other, a UECU board none below 10 µs, a
NeuroStimDuino counts widths in 6.4 µs, and conventional TENS is 50 Hz and more, at most 125 µs wide.
"""

SITE: Final = "forearm-dorsal"

_TEXT: Final = """\
format = 1
kind = "tens-conventional"
title = "Commissioning on a dummy load"
purpose = "Shows on a resistor, and on nobody, that a board delivers what it is told and stops when it is told."
sources = ["clinical reference, A.1: outputs are judged at 500 ohm"]
[pads.one]
model = "square-50x50"
[pads.other]
model = "square-50x50"
[[channel]]
name = "load"
muscle = "none: a dummy load"
output = {output}
site = "{site}"
pads = ["one", "other"]
amplitude_ma = {ma}
max_amplitude_ma = {ma}
phase_width_us = {width_us}
interphase_gap_us = {gap_us}
rate_hz = {rate_hz}
[dose]
duration_min = 20
"""


def plan(output: int, facts: BoardFacts, driver: BoardDriver) -> Schedule:
    """The schedule for ``output``, counted from 1, on this board; raises why this board cannot be given it."""
    if not 1 <= output <= facts.outputs:
        raise UsageError(
            f"{facts.name} has outputs 1 to {facts.outputs}, and no output {output}; name one with --output"
        )
    most_ua = min(MOST_UA, facts.limits.peak_ua)
    most_ua -= most_ua % max(facts.amplitude_step_ua, 100)  # a file's step
    text = _TEXT.format(
        output=output, site=SITE, ma=ma_text(most_ua), width_us=WIDTH_US, gap_us=GAP_US, rate_hz=RATE_HZ
    )
    protocol = stimulating(loads_with_hash(text, "bench").protocol)
    steps = Steps(facts.amplitude_step_ua, facts.width_step_us, facts.rate_step_mhz, facts.period_step_us)
    schedule = compile_schedule(protocol, steps)
    if why := driver.misfit([(each.channel, each.train(each.max_ua)) for each in schedule.channels]):
        raise UsageError(f"{facts.name} cannot give what is tried on a bench: {why}")
    rehearse(schedule, facts.limits, senses_impedance=facts.senses_impedance)
    return schedule


def levels_ua(channel: ChannelPlan, most_ua: int) -> tuple[int, ...]:
    """The steps in µA, each a whole step of the board, the last at ``most_ua`` or just below."""
    each = [most_ua * number // STEPS for number in range(1, STEPS + 1)]
    return tuple(sorted({ua - ua % channel.step_ua for ua in each} - {0}))


def setup(channel: ChannelPlan, most_ua: int) -> Setup:
    """The ceiling with which the board is armed."""
    shape = channel.shape
    return Setup(
        channel.channel,
        most_ua,
        shape.phase_width_us,
        shape.interphase_gap_us,
        shape.recovery_width_us,
        shape.rate_mhz,
        shape.pulses_per_period,
    )
