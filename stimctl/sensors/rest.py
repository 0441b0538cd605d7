"""How the muscle looks at rest: the yardstick of a threshold that is given in standard deviations."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple, final

import numpy as np

MAD_TO_SD: Final = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""

SD_FLOOR: Final = 0.12
"""Smallest spread, as a share of the resting level (project, from the development recordings). Some seconds of rest
look steadier than rest between attempts is, and coarse converters give a spread of zero."""

RESTLESS: Final = 5.0
"""Rest whose loudest twentieth passes its quietest tenth this many times is no rest (H26: rest quality gate; project). True
rest in the development recordings reaches 3.6, armbands with their few counts included."""


@final
class RestState(StrEnum):
    """Where the search for a resting level stands."""

    LEARNING = "learning"  # collecting quiet signal
    RESTLESS = "restless"  # collecting again: there was movement in the last try
    TOO_LOUD = "too loud"  # collecting again: the last try lay over the threshold that was asked for
    READY = "ready"


class Rest(NamedTuple):
    """The resting level. ``progress`` runs from 0 to 1; levels are ``None`` until ready."""

    state: RestState
    progress: float
    level_uv: float | None = None
    sd_uv: float | None = None


@final
class RestFinder:
    """Collects ``wanted`` envelope values of rest and gives median and robust spread.

    Rest at or over ``below_uv``, a threshold that was fixed beforehand, is not taken.
    """

    def __init__(self, wanted: int, below_uv: float | None = None) -> None:
        self._wanted = max(10, wanted)
        self._below_uv = below_uv
        self.restart()

    def restart(self) -> None:
        """Forget everything and learn anew."""
        self._values: list[float] = []
        self._state = RestState.LEARNING
        self._found: Rest | None = None

    @property
    def rest(self) -> Rest:
        """The state so far."""
        return self._found or Rest(self._state, len(self._values) / self._wanted)

    def push(self, envelope_uv: float) -> Rest | None:
        """Take one envelope value of good signal; the resting level when this was the last one needed."""
        if self._found is not None:
            return None
        self._values.append(envelope_uv)
        if len(self._values) < self._wanted:
            return None
        values, self._values = np.array(self._values), []
        level = float(np.median(values))
        # Movement in the stretch would raise the threshold and hide the attempts: look again instead.
        quiet, loud = (float(each) for each in np.quantile(values, (0.1, 0.95)))
        if not loud <= RESTLESS * quiet or not level > 0.0:
            self._state = RestState.RESTLESS
            return None
        if self._below_uv is not None and not level < self._below_uv:
            self._state = RestState.TOO_LOUD
            return None
        spread = MAD_TO_SD * float(np.median(np.abs(values - level)))
        self._found = Rest(RestState.READY, 1.0, level, max(spread, SD_FLOOR * level))
        return self._found
