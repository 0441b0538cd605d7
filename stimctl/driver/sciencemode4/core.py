"""The driver of the stimulators that speak ScienceMode 4 or 3: HASOMED's P24 and RehaMove3.

Sessions run in the mid level, in which the board times the pulses itself: an update is the whole picture, and
Get_current_data is both the read-back and what keeps the board going; it is owed to the control loop's beat alone. The low
level is never opened here: no order of a session asks for a single pulse, and every train has its place in the mid level
(docs/decisions/0016). OFF is Get_stim_status, asked after the stop: no level active, high voltage off.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

from stimctl.boards.sciencemode4 import patterns
from stimctl.driver.sciencemode4.hearing import Hearing
from stimctl.driver.words import Setup
from stimctl.pulse import PulseTrain


@final
class ScienceMode4Driver(Hearing):
    """Speaks with one P24 or RehaMove3; what it promises stands in :class:`~stimctl.driver.contract.BoardDriver`."""

    @property
    def malformed(self) -> int:
        """Damaged frames received so far."""
        return self._decoder.damaged

    def misfit(self, trains: Iterable[tuple[int, PulseTrain]]) -> str:
        """Why this board cannot give these trains at the same time; "" where it can."""
        return patterns.misfit(trains)

    def _prepare(self, setups: tuple[Setup, ...]) -> str:  # noqa: ARG002 - its mid level takes any
        return self._battery.unfit_to_arm if self._battery is not None else ""

    def _take(self, data: bytes, now_us: int) -> None:
        for frame in self._decoder.feed(data):
            self._hear(frame, now_us)
