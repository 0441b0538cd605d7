"""The board of a NeuroStimDuino, without the Arduino before it: two channels that do as their registers say.

It is a machine of its own, and its program is not published. Where a document leaves something open, the worst that
fits it is assumed: changes act at once while it puts out, ramps do not weaken, and 129 steps of a potentiometer that
has 127 are its end.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, final

from stimctl.boards.neurostimduino.words import AMPLITUDE_STEP_UA, STEPS_MAX
from stimctl.pulse import PulseTrain
from stimctl.sim.electrodes import clipped
from stimctl.units import MS, SECOND, MicroAmp, MicroSecond, MilliHertz

COMPLIANCE_MV: Final = {1: 60_000, 2: 60_000, 3: 35_000}
"""Most voltage by version of the board: on the third, dry pads clip without a word."""

_NEVER_US: Final = 1 << 62


@final
@dataclass(slots=True)
class Channel:
    """What the board knows of one channel. ``until_us`` is when its output ends; ``None``: there is none."""

    steps: int = 0
    hz: int = 20
    width_us: int = 300
    gap_us: int = 100
    delay_ms: int = 5
    symmetric: int = 1
    enabled: int = 1
    until_us: int | None = None
    first_us: int = 0

    def begin(self, seconds: int, now_us: int, *, forever: bool) -> None:
        """Put out for so long after the start delay, or until told otherwise."""
        self.first_us = now_us + self.delay_ms * MS
        self.until_us = _NEVER_US if forever else self.first_us + seconds * SECOND

    def stop(self) -> None:
        """Put out nothing more."""
        self.until_us = None

    def restore(self) -> None:
        """Defaults; what runs goes on by them."""
        for field in fields(Channel):
            if field.name not in ("until_us", "first_us"):
                setattr(self, field.name, field.default)

    @property
    def due_us(self) -> int | None:
        """When its output ends by itself."""
        return None if self.until_us == _NEVER_US else self.until_us

    def train(self, most_ua: int) -> PulseTrain | None:
        """What flows, as far as the voltage carries it; an asymmetric pulse comes back at half the height, twice as long."""
        ua = min(self.steps, STEPS_MAX) * AMPLITUDE_STEP_UA
        if ua == 0 or self.until_us is None or not self.enabled:
            return None
        back = 1 if self.symmetric else 2
        train = PulseTrain(
            MicroAmp(ua),
            MicroSecond(self.width_us),
            MicroSecond(self.gap_us),
            MicroAmp(ua // back),
            MicroSecond(self.width_us * back),
            MilliHertz(self.hz * 1_000),
        )
        return clipped(train, most_ua)
