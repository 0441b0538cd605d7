"""The hard limiter: the one door between what the engine wants and what a board gets.

It trusts nobody: not the file's checks, not the engine, not the types. It imports no model library, clock, thread,
port or random number; time comes as an argument. It refuses and latches, it never trims, and it starts locked.

``words`` names the rules and measures a train, ``rules`` judges what needs no memory, ``accounts`` keep what has been
(ramps, bursts, sites), ``latch`` holds the stop and the permit, ``limiter`` puts them in order.
"""

from stimctl.safety.latch import Approved, Latch
from stimctl.safety.limiter import Limiter
from stimctl.safety.words import Burst, Finding, Pad, Placement, Rule

__all__ = ["Approved", "Burst", "Finding", "Latch", "Limiter", "Pad", "Placement", "Rule"]
