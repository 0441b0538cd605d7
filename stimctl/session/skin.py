"""When somebody is to look at the skin (hazards H10 and H11; clinical reference, D step 10).

A burn under a pad is not felt where feeling is reduced, and a board sees a pad peel late or not at all. So a look is asked
for after five minutes with the output stage armed and every ten from then on. Where the patient cannot be relied on to
complain it is every five, and stimulation pauses when nobody answers: there it is the only sign there is.
"""

from __future__ import annotations

from typing import Final, final

from stimctl.units import MINUTE

FIRST_US: Final = 5 * MINUTE
EVERY_US: Final = 10 * MINUTE
CAREFUL_US: Final = 5 * MINUTE
GRACE_US: Final = 1 * MINUTE
"""How long a look that is due may wait before stimulation pauses, where the patient cannot be relied on (project)."""


@final
class SkinWatch:
    """Counts the time for which the output stage was armed since somebody last looked."""

    def __init__(self) -> None:
        self.careful = False
        self._armed_us = 0
        self._every_us = FIRST_US
        self._now_us: int | None = None

    def pass_to(self, now_us: int, *, armed: bool) -> None:
        """Let time pass; it counts if the output stage was armed for it."""
        if self._now_us is not None and armed:
            self._armed_us += max(0, now_us - self._now_us)
        self._now_us = now_us

    def looked(self) -> None:
        """Somebody looked, and it was well or is being dealt with."""
        self._armed_us, self._every_us = 0, EVERY_US

    @property
    def due(self) -> bool:
        """Whether a look is asked for."""
        return self._armed_us >= (CAREFUL_US if self.careful else self._every_us)

    @property
    def overdue(self) -> bool:
        """Whether stimulation may not go on without one."""
        return self.careful and self._armed_us >= CAREFUL_US + GRACE_US
