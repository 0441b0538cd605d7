"""The windows of plausibility of what only TENS has; see :mod:`stimctl.protocols.quantities`."""

from __future__ import annotations

from typing import Final

from stimctl.protocols.checks import Quantity
from stimctl.units import microseconds

_S: Final = (("ms", 1e-3), ("min", 60.0), ("µs", 1e-6))

# From nothing to the level takes a second, so a sweep takes longer than that each way.
PERIOD_S: Final = Quantity("s", 4, 60, "project; 12 s is what a manual has (Neotek)", _S, exact=microseconds)
# Below a fifth nothing would be felt, and the sweep would be on and off.
AMPLITUDE_TO_PERCENT: Final = Quantity(
    "%", 20, 95, "project: felt all the time", (("a share of 1", 100.0),), whole=True
)
TURN_S: Final = Quantity("s", 2, 30, "project; 3 s each is what was studied (Han)", _S, exact=microseconds)
