"""How often a pattern is repeated, as 16 bits: bits 15 to 1 count half milliseconds, or quarters where bit 0 is set.

ScienceMode 3 has no such bit 0. The bounds are the document's: 0.5 to 16,383 ms in halves, 0.25 to 8,191.75 ms in quarters.
"""

from __future__ import annotations

from typing import Final

from stimctl.boards.sciencemode.fit import DoesNotFit, flag, steps
from stimctl.boards.sciencemode4.dialect import Dialect

HALF_US: Final = 500
HALVES_MAX_US: Final = 16_383_000
QUARTER_US: Final = 250
QUARTERS_MAX_US: Final = 8_191_750


def period_bits(period_us: int, quarter_ms: bool, dialect: Dialect) -> int:
    """The 16 bits; raises :class:`DoesNotFit`."""
    if not flag("quarters", quarter_ms):
        return steps("period", period_us, HALF_US, HALVES_MAX_US, HALF_US, "µs") << 1
    if not dialect.quarter_ms:
        raise DoesNotFit("quarters", quarter_ms, f"False in {dialect.title}")
    return steps("period", period_us, QUARTER_US, QUARTERS_MAX_US, QUARTER_US, "µs") << 1 | 1


def period_of(bits: int, dialect: Dialect) -> tuple[int, bool]:
    """The period in µs and whether it counts quarters; raises ``ValueError`` for what no document allows."""
    count, quarter_ms = bits >> 1, bits & 1 == 1
    if quarter_ms and not dialect.quarter_ms:
        raise ValueError(f"{dialect.title} has no quarters of a millisecond")
    period_us = count * (QUARTER_US if quarter_ms else HALF_US)
    if not 0 < period_us <= HALVES_MAX_US:
        raise ValueError(f"a period of {period_us} µs")
    return period_us, quarter_ms
