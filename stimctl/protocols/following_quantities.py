"""The window of plausibility of the numbers of a control signal. All bounds: project; clinical reference B.4 and H27 to H29."""

from __future__ import annotations

from typing import Final

from stimctl.protocols.checks import Quantity

FLOOR_PERCENT: Final = Quantity(
    "%",
    5,
    50,
    "project (hazard H27): a hand at rest must lie clear of the edge, and a slight opening must count",
    whole=True,
)
FULL_PERCENT: Final = Quantity("%", 50, 100, "project: the best opening of today is 100 %", whole=True)
SLEW_PERCENT_PER_S: Final = Quantity(
    "%/s", 10, 200, "project (hazard H29): the whole way takes half a second at least", whole=True
)
STALE_MS: Final = Quantity(
    "ms", 20, 200, "project (hazard H27): zero when the signal is 200 ms old", (("s", 1e3), ("µs", 1e-3)), whole=True
)
OWN_BLANKING_MS: Final = Quantity(
    "ms",
    15,
    30,
    "clinical reference B.3: the M-wave ends some 14 ms after a pulse, 15 ms are right for an amplifier that recovers within"
    " 2 ms, and 30 ms for one that takes 10",
    (("s", 1e3), ("µs", 1e-3)),
    whole=True,
)
