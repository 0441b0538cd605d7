"""The driver of a stimulator that speaks ScienceMode 2: HASOMED's RehaStim 2.

Sessions run in the channel list mode, in which the board times the pulses itself: one start says what all channels of the list
give, and GetStimulationMode is both the read-back and what keeps the board going; it is owed to the control loop's beat alone.
Single pulses are never asked for. OFF is GetStimulationMode, asked after the stop: mode *start*, in which there is no list.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

from stimctl.boards.sciencemode2 import lists
from stimctl.driver.sciencemode2.hearing import Hearing
from stimctl.driver.words import Setup
from stimctl.pulse import PulseTrain


@final
class ScienceMode2Driver(Hearing):
    """Speaks with one RehaStim 2; what it promises stands in :class:`~stimctl.driver.contract.BoardDriver`."""

    @property
    def malformed(self) -> int:
        """Damaged frames received so far."""
        return self._decoder.damaged

    def misfit(self, trains: Iterable[tuple[int, PulseTrain]]) -> str:
        """Why this board cannot give these trains at the same time; "" where it can."""
        return lists.misfit(trains)

    def _prepare(self, setups: tuple[Setup, ...]) -> str:
        rates = {setup.rate_mhz for setup in setups}
        if len(rates) > 1:
            return lists.several(rates)
        most = max(setup.pulses_per_period for setup in setups)
        self._listed = lists.channel_list([setup.output for setup in setups], rates.pop(), most)
        return ""

    def _take(self, data: bytes, now_us: int) -> None:
        for frame in self._decoder.feed(data):
            self._hear(frame, now_us)
        self._answer_call()
