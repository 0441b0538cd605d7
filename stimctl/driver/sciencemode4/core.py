"""The driver of the stimulators that speak ScienceMode 4 or 3: HASOMED's P24 and RehaMove3.

A session whose outputs are all slow is armed in the low level, in which this computer asks for each pulse, in a round of the control
loop; every other one in the mid level, in which the board times the pulses itself (docs/decisions/0016). Either way, what
keeps pulses coming is owed to the control loop's beat alone. OFF is Get_stim_status, asked after the stop: no level active,
high voltage off.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

from stimctl.boards.sciencemode4 import patterns
from stimctl.driver.sciencemode4.hearing import Hearing
from stimctl.driver.sciencemode4.lowlevel import LowLevel, is_slow
from stimctl.driver.sciencemode4.midlevel import MidLevel
from stimctl.driver.words import DriverState, Setup
from stimctl.pulse import PulseTrain
from stimctl.units import MS


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

    def cautions(self, trains: Iterable[PulseTrain]) -> tuple[str, ...]:
        """What is to be known of this board where it gives these: above all what happens when this computer dies."""
        slow = is_slow(train.rate_mhz for train in trains)
        return self._device.cautions_pulsed if slow else self._device.cautions

    def due_us(self, now_us: int) -> int | None:
        """When a beat is wanted for the next pulse; ``None`` where the board times them, or an answer comes first."""
        if self._state is not DriverState.ARMED or self._question is not None or self._doubt:
            return None
        due_us = self._level.due_us()
        return None if due_us is None else max(due_us, now_us + MS)

    def beat(self, loop_counter: int, now_us: int) -> None:
        """The control loop has come round: a pulse if one is due, then whatever else there is to say."""
        with self._link():
            self._pulse(loop_counter, now_us)
        self._counter = loop_counter
        super().beat(loop_counter, now_us)

    def _prepare(self, setups: tuple[Setup, ...]) -> str:
        if self._battery is not None and (why := self._battery.unfit_to_arm):
            return why
        self._level = (
            LowLevel(self._device, self._counter)
            if is_slow(setup.rate_mhz for setup in setups)
            else MidLevel(self._device)
        )
        return ""

    def _take(self, data: bytes, now_us: int) -> None:
        for frame in self._decoder.feed(data):
            self._hear(frame, now_us)
