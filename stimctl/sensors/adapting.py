"""A threshold that follows the patient: up after an attempt that was heard, down after a window that was missed.

So the demand grows with what the patient can do, and nobody is asked for what cannot be given today (B.3).
"""

from __future__ import annotations

from typing import final


@final
class Adapting:
    """The threshold's share of the first one, in percent of its way above rest: it so never lies under rest."""

    def __init__(self, step: int, least: int, most: int) -> None:
        self._step, self._least, self._most = step, least, most
        self.percent = 100

    def heard(self) -> None:
        """An attempt came: ask for a little more."""
        self.percent = min(self._most, self.percent + self._step)

    def missed(self) -> None:
        """None came: ask for a little less."""
        self.percent = max(self._least, self.percent - self._step)

    def threshold_uv(self, rest_uv: float, first_uv: float) -> float:
        """Where the threshold belongs, for a resting level and the first threshold above it."""
        return rest_uv + (first_uv - rest_uv) * self.percent / 100
