"""A simulated robot glove: opens and closes the hand by its own clock, with contacts that bounce. Seeded; times in µs."""

from __future__ import annotations

import random
from typing import Final, final

from stimctl.errors import LinkLost
from stimctl.sensors.glove import Lines
from stimctl.units import MS, SECOND

BOUNCE_US: Final = 8 * MS
"""How long its contacts bounce at a turn (general knowledge: relays take a few ms)."""

_OPENS_US: Final = (5_500, 6_500)  # ms
_CLOSES_US: Final = (9_000, 11_000)  # ms


@final
class SimulatedGlove:
    """A glove that goes on and on while it is permitted. ``ready`` and ``plugged`` are for whoever breaks it."""

    name = "the simulated robot glove"

    def __init__(self, seed: int) -> None:
        chance = random.Random(f"robot glove {seed}")  # noqa: S311 - a simulation, not a secret
        self._opens_us = chance.randint(*_OPENS_US) * MS
        self._cycle_us = self._opens_us + chance.randint(*_CLOSES_US) * MS
        self._begins_us = chance.randint(0, 10) * SECOND
        self.ready = self.plugged = True
        self.permitted = False

    def opening(self, now_us: int) -> bool:
        """Whether it opens the hand; at every turn its contact goes to and fro for a moment, as often as it is asked."""
        into_us = (now_us - self._begins_us) % self._cycle_us
        opening = into_us < self._opens_us
        since_us = into_us if opening else into_us - self._opens_us
        return opening if since_us >= BOUNCE_US or since_us // MS % 2 else not opening

    def read(self, now_us: int) -> Lines:
        """Its two lines now."""
        if not self.plugged:
            raise LinkLost(f"{self.name} was unplugged")
        return Lines(now_us, self.ready, self.permitted and self.opening(now_us))

    def permit(self, *, moves: bool) -> None:
        """Stand still unless it may move."""
        self.permitted = moves

    def close(self) -> None:
        """Nothing has to be let go of."""
