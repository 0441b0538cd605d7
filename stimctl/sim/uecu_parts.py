"""What a UECU board keeps: bounds of its channels, schedules, and the events in them; and what pulse comes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from stimctl.boards.uecu import layout
from stimctl.boards.uecu.words import ONCE
from stimctl.pulse import PulseTrain
from stimctl.units import MicroAmp, MicroSecond, MilliHertz

_ONCE_MHZ: Final = 1_000  # of a pulse that comes once there is no rate; the ledger wants one
_MONOPHASIC: Final = (0x00, 0xFF)


@final
@dataclass(frozen=True, slots=True)
class Bounds:
    """What a channel was set up with; one that never was has no limit."""

    ma: int = 0xFF
    width_us: int = 0xFF
    gap_us: int = 100
    shape: int = layout.EQUAL_PHASES

    def train(self, ma: int, width_us: int, period_ms: int) -> PulseTrain | None:
        """One pulse a period. The phase named by the larger number of the shape is higher and shorter."""
        if ma == 0 or width_us == 0:
            return None
        first, back = self.shape & 0x0F, self.shape >> 4
        ua = ma * 1_000
        one = back_ua, back_us = ua, width_us
        if self.shape in _MONOPHASIC:
            back_ua, back_us = 0, 0
        elif first > back > 0:
            one = ua * first // back, width_us * back // first
        elif back > first > 0:
            back_ua, back_us = ua * back // first, width_us * first // back
        rate_mhz = _ONCE_MHZ if period_ms == ONCE else 1_000_000 // period_ms
        return PulseTrain(
            MicroAmp(one[0]),
            MicroSecond(one[1]),
            MicroSecond(self.gap_us),
            MicroAmp(back_ua),
            MicroSecond(back_us),
            MilliHertz(rate_mhz),
        )


@final
@dataclass(slots=True)
class Schedule:
    """A period, and since when it runs; ``None``: it does not."""

    sync: int
    period_ms: int
    since_us: int | None = None


@final
@dataclass(frozen=True, slots=True)
class Event:
    """One pulse of one channel in a schedule."""

    schedule: int
    delay_ms: int
    channel: int
    width_us: int
    ma: int
