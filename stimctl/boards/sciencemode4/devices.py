"""The stimulators that speak ScienceMode 3 or 4: what each can do, and what nobody should find out later.

Sources: P24 instructions for use 1.1 (HASOMED, 25 January 2023); ScienceMode 3 protocol 3.2.4, and the page "RehaMove3" of
its library's documentation (23 March 2017) for the power button; C library of ScienceMode 4 at 0cb1201. What is marked so
is this project's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, final

from stimctl.boards.facts import BoardFacts
from stimctl.boards.sciencemode4.codes import Command, Selection
from stimctl.boards.sciencemode4.dialect import SCIENCEMODE_3, SCIENCEMODE_4, Dialect
from stimctl.boards.sciencemode4.patterns import DEVICE_UA
from stimctl.boards.sciencemode4.period import HALF_US
from stimctl.boards.sciencemode4.points import CURRENT_STEP_UA
from stimctl.limits import ABSOLUTE, MOTOR_PULSES_MAX

_SIMULATED: Final = re.compile(r"SIM\d{7}")
"""What our own twins call themselves, so that nobody takes one for a device (project)."""

SILENT_US: Final = 2_000_000
"""How long the mid level goes on after the last update or question about it."""

_DEAD_MAN_MS: Final = SILENT_US // 1_000
_DEAD_MAN: Final = "if this computer dies, stimulation goes on for up to 2 s: that is the board's own time-out"
_ASKED: Final = (
    "if this computer dies, no further pulse comes: at this rate stimctl asks the board for each one;"
    " its high voltage may stay on"
)
_MEASURES: Final = "the board measures no current while it repeats pulses: what was delivered is told by its word alone"
_COUNTED: Final = (
    "stimctl has no current measured: what was delivered is told by the board's word alone, pulse by pulse"
)


@final
@dataclass(frozen=True, slots=True)
class Device:
    """One stimulator. ``version`` asks it for its firmware; ``selection`` how its channels are."""

    title: str
    dialect: Dialect
    version: Command
    selection: Selection
    stop_all_on_error: bool
    has_battery: bool
    way_out: str
    cautions: tuple[str, ...]

    @property
    def cautions_pulsed(self) -> tuple[str, ...]:
        """The same of a session whose pulses are asked for one by one."""
        return tuple({_DEAD_MAN: _ASKED, _MEASURES: _COUNTED}.get(each, each) for each in self.cautions)

    def introduce(self, serial: str, firmware: str) -> BoardFacts:
        """The facts about a device that has told who it is."""
        return BoardFacts(
            name=self.title,
            serial=serial,
            firmware=firmware,
            outputs=self.dialect.channels,
            amplitude_step_ua=CURRENT_STEP_UA,
            width_step_us=1,
            rate_step_mhz=1,
            senses_impedance=False,
            senses_current=False,
            analog_rate_hz=0,
            # Three pulses are what 16 points have room for; whoever may have so many is for the limiter to say.
            limits=replace(
                ABSOLUTE,
                peak_ua=min(ABSOLUTE.peak_ua, DEVICE_UA),
                pulses_per_period_max=min(ABSOLUTE.pulses_per_period_max, MOTOR_PULSES_MAX),
            ),
            limits_crc=0,
            simulated=_SIMULATED.fullmatch(serial) is not None,
            period_step_us=HALF_US,
            dead_man_ms=_DEAD_MAN_MS,
            stop_switch=False,
            way_out=self.way_out,
            cautions=self.cautions,
        )


P24: Final = Device(
    title="P24",
    dialect=SCIENCEMODE_4,
    version=Command.GET_EXTENDED_VERSION,
    selection=Selection.CHANNELS,
    stop_all_on_error=True,
    has_battery=False,
    way_out="pull the P24's USB plug, which feeds it, or take the electrode plugs out of it",
    cautions=(
        "the P24 has no stop button: if it does not answer, pull its USB plug, which feeds it, or the electrode plugs",
        _DEAD_MAN,
        _MEASURES,
        "below about 15 mA the P24 does not notice a pad that has come off: look at the pads",
    ),
)

REHAMOVE3: Final = Device(
    title="RehaMove3",
    dialect=SCIENCEMODE_3,
    version=Command.GET_VERSION_MAIN,
    selection=Selection.ELECTRODES_4,
    stop_all_on_error=False,
    has_battery=True,
    way_out="take the electrode plugs out of the RehaMove3; its power button has to be held for 5 s",
    cautions=(
        "the RehaMove3 has no stop button: if it does not answer, pull the electrode plugs; switching it off takes 5 s",
        _DEAD_MAN,
        _MEASURES,
        "the RehaMove3 tells of a pad that has come off, but not of a current that is too low",
    ),
)
