"""Which boards speak ScienceMode 3 and 4, and in what they differ beyond their language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from stimctl.boards.sciencemode4.codes import Command, HighVoltage
from stimctl.boards.sciencemode4.dialect import SCIENCEMODE_3, SCIENCEMODE_4, Dialect

MILLIVOLTS: Final = {
    HighVoltage.OFF: 0,
    HighVoltage.V30: 30_000,
    HighVoltage.V60: 60_000,
    HighVoltage.V90: 90_000,
    HighVoltage.V120: 120_000,
    HighVoltage.V150: 150_000,
}


@final
@dataclass(frozen=True, slots=True)
class Model:
    """One kind of board. ``silent`` are general commands that it does not know although its language does.

    ``notices_from_ua``: below this current it does not notice an open electrode. ``resets_aloud``: whether it answers a
    reset before it starts anew. ``judges_pulses``: whether it tells a pulse that is too long for its period, and one that
    comes out too weak.
    """

    title: str
    dialect: Dialect
    voltages: frozenset[int]
    silent: frozenset[int]
    notices_from_ua: int
    resets_aloud: bool
    judges_pulses: bool


P24: Final = Model(
    "P24",
    SCIENCEMODE_4,
    voltages=frozenset({HighVoltage.STANDARD, HighVoltage.OFF}),
    silent=frozenset({Command.GET_BATTERY_STATUS}),
    notices_from_ua=15_000,
    resets_aloud=True,
    judges_pulses=True,
)
REHAMOVE3: Final = Model(
    "RehaMove3",
    SCIENCEMODE_3,
    voltages=frozenset(HighVoltage),
    silent=frozenset(),
    notices_from_ua=0,
    resets_aloud=False,
    judges_pulses=False,
)
