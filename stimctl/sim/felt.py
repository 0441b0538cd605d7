"""Pulses that a host gives one by one: how dense they come, and until when somebody still feels them."""

from __future__ import annotations

from typing import final

from stimctl.units import MS, SECOND


@final
class Felt:
    """``rests_us`` is, by output, when its pulses have ended unless another one comes."""

    def __init__(self) -> None:
        self.rests_us: dict[int, int] = {}
        self._last_us: dict[int, int] = {}

    def interval_us(self, output: int, now_us: int) -> int:
        """A pulse begins: how long after the one before; 1 s at most, and for the first."""
        interval_us = min(SECOND, max(MS, now_us - self._last_us.get(output, now_us - SECOND)))
        self._last_us[output] = now_us
        self.rests_us[output] = now_us + 2 * interval_us
        return interval_us

    def rested(self, now_us: int) -> list[int]:
        """The outputs whose pulses have ended; told once."""
        rested = [output for output, rests_us in self.rests_us.items() if rests_us <= now_us]
        for output in rested:
            del self.rests_us[output]
        return rested
