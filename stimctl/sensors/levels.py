"""The levels that an envelope is compared with: rest, threshold and release, moved together as rest moves."""

from __future__ import annotations

import math
from typing import final

from stimctl.errors import UsageError
from stimctl.sensors.rest import Rest, RestFinder
from stimctl.sensors.settings import OnsetSettings


@final
class Levels:
    """Found once by ``finder``, and moved from there by what the power of rest has become since."""

    def __init__(self, settings: OnsetSettings, finder: RestFinder) -> None:
        self._settings, self._finder = settings, finder
        self.forget()

    def forget(self) -> None:
        """Nothing is known of rest."""
        self.learnt = 0.0
        """Power of the rest that was found, in the muscle's band; 0 until known."""
        self.floor = 0.0
        """Power of rest in the whole band, by half; 0 until known."""
        self._drift = 1.0
        self._fixed_uv: float | None = None
        self.level_uv: float | None = None
        self.threshold_uv: float | None = None
        self.release_uv: float | None = None

    @property
    def rest(self) -> Rest:
        """The resting level as it is followed, or how far its search has come."""
        if (found := self._finder.rest).sd_uv is None:
            return found
        return found._replace(level_uv=self.level_uv, sd_uv=found.sd_uv * self._drift)

    def learn(self, power: float) -> None:
        """Rest was found just now; ``power`` is its power in the muscle's band."""
        self.learnt, self._fixed_uv = power, self._settings.threshold_uv
        self.follow(power)

    def fix(self, threshold_uv: float, power: float) -> None:
        """Put the threshold there and leave it. Raises :class:`UsageError` unless it lies over the resting level."""
        if (level := self.level_uv) is None:
            raise UsageError("the resting level is not known yet; wait until the muscle has been quiet")
        if not level < threshold_uv < math.inf:
            raise UsageError(f"the threshold must lie over the resting level of {level:.3g}")
        self._fixed_uv = float(threshold_uv)
        self.follow(power)

    def follow(self, power: float) -> None:
        """Bring all levels to where rest is now; so seldom that nobody else has to work them out."""
        _, _, level, sd = self._finder.rest
        if level is None or sd is None:
            return
        self._drift = drift = math.sqrt(power / self.learnt)
        self.level_uv = level = level * drift
        self.floor = level**2 / 2
        self.threshold_uv = threshold = self._fixed_uv or level + (self._settings.threshold_sd or math.inf) * sd * drift
        self.release_uv = level + self._settings.release_fraction * max(0.0, threshold - level)
