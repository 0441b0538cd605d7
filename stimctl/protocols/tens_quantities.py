"""The windows of plausibility of what only TENS has; see :mod:`stimctl.protocols.quantities`."""

from __future__ import annotations

from typing import Final

from stimctl.protocols.checks import Quantity
from stimctl.units import microseconds

_S: Final = (("ms", 1e-3), ("min", 60.0), ("µs", 1e-6))

# Fewer are no burst, and ten at 100 Hz last a tenth of a second; nine, two a second, is what is reckoned with (A.7).
PULSES: Final = Quantity("", 4, 10, "project: a burst of at most a tenth of a second at 100 Hz inside", whole=True)

# From nothing to the level takes a second, so a sweep takes longer than that each way.
PERIOD_S: Final = Quantity("s", 4, 60, "project; 12 s is what a manual has (Neotek)", _S, exact=microseconds)
# Below a fifth nothing would be felt, and the sweep would be on and off.
AMPLITUDE_TO_PERCENT: Final = Quantity(
    "%", 20, 95, "project: felt all the time", (("a share of 1", 100.0),), whole=True
)
TURN_S: Final = Quantity("s", 2, 30, "project; 3 s each is what was studied (Han)", _S, exact=microseconds)
