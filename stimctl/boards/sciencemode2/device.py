"""HASOMED's RehaStim 2: what it can do, and what nobody should find out later.

Sources: ScienceMode 2 protocol 1.24 (HASOMED, 12 December 2012) and the README beside it. What is marked so is this project's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from stimctl.boards.facts import BoardFacts
from stimctl.boards.sciencemode2.codes import CHANNELS
from stimctl.boards.sciencemode2.layout import HALF_US, MAIN_MAX_US
from stimctl.boards.sciencemode2.lists import GAP_US, LEAST_US
from stimctl.boards.sciencemode2.reading import CURRENT_MAX_UA, GROUP_MAX, MILLIAMPERE_UA, WIDTH_MAX_US, WIDTH_MIN_US
from stimctl.limits import ABSOLUTE
from stimctl.units import MS, rate_of_period_mhz

TITLE: Final = "RehaStim 2"

WATCHDOG_US: Final = 1_200 * MS
"""How long the board goes on after the last good frame, whatever that says."""

WAY_OUT: Final = "press the RehaStim 2's emergency switch, or switch it off"

_CAUTIONS: Final = (
    "keep the RehaStim 2's emergency switch plugged in and within reach: it stops the board without this computer",
    "if this computer dies, stimulation goes on for up to 1.2 s: that is the board's own time-out",
    "the board measures no current: what was delivered is told by its word alone",
    "the board tells that a pad has come off, but not at which output: then look at all pads",
    "HASOMED's documents differ on its steps, 1 mA or 2 mA: an odd level may be given as an even one beside it",
    "the board has no number of its own: make sure that the right one is connected",
)


def introduce(version: int, *, simulated: bool) -> BoardFacts:
    """The facts about a RehaStim 2 that has told its protocol's ``version``.

    It tells nothing else, its twin as little: ``simulated`` is known only to who made the twin.
    """
    return BoardFacts(
        name=TITLE,
        serial="SIM" if simulated else "",
        firmware=f"protocol version {version}",
        outputs=CHANNELS,
        amplitude_step_ua=MILLIAMPERE_UA,
        width_step_us=1,
        rate_step_mhz=1,
        senses_impedance=False,
        senses_current=False,
        analog_rate_hz=0,
        limits=replace(
            ABSOLUTE,
            peak_ua=min(ABSOLUTE.peak_ua, CURRENT_MAX_UA),
            phase_width_min_us=max(ABSOLUTE.phase_width_min_us, WIDTH_MIN_US),
            phase_width_max_us=min(ABSOLUTE.phase_width_max_us, WIDTH_MAX_US),
            rate_min_mhz=max(ABSOLUTE.rate_min_mhz, rate_of_period_mhz(MAIN_MAX_US)),
            rate_max_mhz=min(ABSOLUTE.rate_max_mhz, rate_of_period_mhz(LEAST_US)),
            pulses_per_period_max=min(ABSOLUTE.pulses_per_period_max, GROUP_MAX),
        ),
        limits_crc=0,
        simulated=simulated,
        period_step_us=HALF_US,
        dead_man_ms=WATCHDOG_US // MS,
        stop_switch=True,
        way_out=WAY_OUT,
        cautions=_CAUTIONS,
        gap_min_us=GAP_US,
        keeps_rate=True,
    )
