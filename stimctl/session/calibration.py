"""Today's range of a control signal: a few seconds at rest, a few with the hand wide open, both kept still."""

from __future__ import annotations

import math
from statistics import median
from typing import Final, NamedTuple, final

from stimctl.errors import UsageError
from stimctl.schedule import FULL_PPM, ControlPlan
from stimctl.sensors.signals import Sample, SignalSource
from stimctl.units import MS, SECOND

MEASURE_US: Final = 3 * SECOND
"""How long each end is measured; only its second half counts, when the hand has come to where it was told to go (project)."""

LOOK_US: Final = 50 * MS
"""How often the signal is looked at meanwhile."""

_FEWEST: Final = 15

STEPS: Final = ("rest", "open")
"""The two ends, in the order in which they are measured."""


@final
class Range(NamedTuple):
    """The signal at rest and at the whole opening, in its source's unit. Either may be the higher one."""

    rest: float
    full: float

    def place_ppm(self, value: float) -> int:
        """Where a value lies: 0 at rest, :data:`FULL_PPM` at the whole opening; beyond both, too. Finite values alone."""
        share = (value - self.rest) / (self.full - self.rest)
        return round(FULL_PPM * max(-1e3, min(1e3, share)))


@final
class Calibration:
    """The measuring of both ends. ``range`` is there once both are known and fit."""

    def __init__(self, plan: ControlPlan, full: str = "the whole opening") -> None:
        self._plan, self._full = plan, full
        self._values: dict[str, list[float]] = {}
        self._until_us: int | None = None
        self._heard_us = 0
        self.step = STEPS[0]
        self.range: Range | None = None

    @property
    def measuring(self) -> bool:
        """Whether an end is being measured."""
        return self._until_us is not None

    def begin(self, now_us: int) -> None:
        """Measure the next end from now on; after both, rest again: the old range is void."""
        if self.range is not None:
            self.start_anew()
        self._values[self.step] = []
        self._until_us = now_us + MEASURE_US
        self._heard_us = now_us

    def start_anew(self) -> None:
        """Nothing is known any more."""
        self.step, self.range, self._until_us = STEPS[0], None, None
        self._values.clear()

    def hear(self, sample: Sample | None, source: SignalSource, now_us: int) -> bool:
        """Take a sample; whether an end was measured with it. Raises :class:`UsageError` with what does not fit."""
        if self._until_us is None:
            return False
        if sample is None or not self._is_fresh(sample, now_us):
            self._miss(source, now_us)
            return False
        self._heard_us = now_us
        if now_us >= self._until_us - MEASURE_US // 2:
            self._values[self.step].append(sample.value)
        if now_us < self._until_us:
            return False
        self._until_us = None
        self._finish(source)
        return True

    def _miss(self, source: SignalSource, now_us: int) -> None:
        """Nothing flows yet: a moment that cannot be believed, as when muscle looks like hum, is left out; a longer one is a loss."""
        if now_us - self._heard_us > self._plan.stale_us:
            self._until_us = None
            raise UsageError(f"the signal of {source.name} was lost while {self._words} was measured; measure it again")

    def _is_fresh(self, sample: Sample, now_us: int) -> bool:
        return 0 <= now_us - sample.at_us <= self._plan.stale_us and math.isfinite(sample.value)

    @property
    def _words(self) -> str:
        return "rest" if self.step == STEPS[0] else self._full

    def _finish(self, source: SignalSource) -> None:
        if len(self._values[self.step]) < _FEWEST:
            raise UsageError(f"too little of the signal came while {self._words} was measured; measure it again")
        if self.step == STEPS[0]:
            self.step = STEPS[1]
            return
        found = Range(*(median(self._values[step]) for step in STEPS))
        span = abs(found.full - found.rest)
        if not span >= source.least_span:
            self.start_anew()
            raise UsageError(
                f"rest and {self._full} lie {span:.3g} {source.unit} apart, and {source.least_span:g} are needed:"
                " look at the sensor, then measure both again"
            )
        flicker_ppm = max(map(found.place_ppm, self._values[STEPS[0]]))
        if flicker_ppm >= self._plan.floor_ppm:
            self.start_anew()
            raise UsageError(
                f"at rest the signal came to {flicker_ppm * 100 // FULL_PPM} % of its range, and the dead zone ends at"
                f" {self._plan.floor_ppm * 100 // FULL_PPM} %: rest quietly, and measure both again"
            )
        self.range = found
