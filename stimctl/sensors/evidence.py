"""How sure it is that a signal has grown: evidence that adds up over time, and that no single moment can give.

A sum of log-likelihood ratios between rest and a signal of :data:`GROWN` times its power, kept at zero or above (Page's
cumulative sum). It is the quickest test there is of a change for a given number of false alarms: a strong effort is known
within a few moments and a weak one within some more, by one rule. Each moment's part is capped, so that a spike or a knock
alone is never enough, whatever its height.
"""

from __future__ import annotations

import math
from typing import Final, final

GROWN: Final = 3.0
"""The power, in times of rest, that the test is made for. It is flat: from 2.5 to 4, nothing that was measured changes much."""

ENOUGH: Final = 11.0
"""Evidence, in natural units of information, that is an onset (project). On steady noise this gives less than one false
alarm in twenty minutes. One unit less sets off a quarter more with armbands brought to 1 and 2 kHz, and is 1 to 4 ms quicker at
3 dB and no quicker at 10 dB."""

YOUNG: Final = 1.0
"""Less than this is chance: nothing has begun."""

MOMENTS: Final = 6
SEEN: Final = (1 << MOMENTS) - 1
RAISED: Final = 4
"""So many of the last so many moments must have been :data:`OVER` rest (EMG reference, pitfall 3): a spike is shorter."""

OVER: Final = 1.5

SLOPE: Final = 1 - 1 / GROWN
TOLL: Final = math.log(GROWN)


@final
class Evidence:
    """Takes one number a moment, its power over that of rest. ``dof``: degrees of freedom of such a power; ``steps``: how
    many moments it takes at the least, each giving no more than its part; ``raised``: how many must have been over rest.
    """

    def __init__(self, dof: float, steps: float = 1.5, raised: int | None = None) -> None:
        self._least = RAISED if raised is None else raised
        self.trust(dof)
        self._cap = ENOUGH / steps
        self.reset()

    def trust(self, dof: float) -> None:
        """A moment's power has ``dof`` degrees of freedom."""
        self._half_dof = dof / 2

    def reset(self) -> None:
        """Nothing is known."""
        self._sum, self._raised = 0.0, 0
        self.age = 0
        """How many moments ago it began to add up."""

    @property
    def suspicious(self) -> bool:
        """Whether something may have begun."""
        return self._sum > ENOUGH / 4

    def push(self, ratio: float) -> bool:
        """Whether it is enough after this moment."""
        part = self._half_dof * (ratio * SLOPE - TOLL)
        total = self._sum + min(part, self._cap)
        if not total > 0.0:
            total = 0.0
        elif total > ENOUGH:
            total = ENOUGH
        self._sum = total
        self.age = self.age + 1 if total > YOUNG else 0
        self._raised = (self._raised << 1 | (ratio > OVER)) & SEEN
        return total >= ENOUGH and self._raised.bit_count() >= self._least
