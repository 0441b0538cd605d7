"""The analog input's chunks in order: what is missing between them is told, what comes twice is dropped."""

from __future__ import annotations

from stimctl.boards.reference.messages import Samples
from stimctl.driver.words import Analog

_WRAP = 0x1_0000_0000


class AnalogWatch:
    """Follows the sample index of one board from LISTEN on."""

    def __init__(self) -> None:
        self._expected: int | None = None

    def restart(self) -> None:
        """Listening begins anew: whatever index comes first is right."""
        self._expected = None

    def take(self, samples: Samples) -> Analog | None:
        """The event for a chunk; ``None`` for one that lies before what has been taken already."""
        missing = 0 if self._expected is None else (samples.first_index - self._expected) % _WRAP
        if missing >= _WRAP // 2:
            return None
        self._expected = (samples.first_index + len(samples.values)) % _WRAP
        return Analog(samples, missing)
