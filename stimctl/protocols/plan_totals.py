"""What the blocks of a plan come to together: their time, and the time of each place on the body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, final

from stimctl.protocols import effective
from stimctl.protocols.guided import Guided
from stimctl.protocols.guided_rules import longest_us
from stimctl.protocols.models import AnyProtocol, stimulating
from stimctl.protocols.plan import Plan
from stimctl.protocols.time_rules import BEFORE_TREATMENT_US, session_us
from stimctl.units import microseconds

__all__ = ["BEFORE_TREATMENT_US", "SiteLoad", "block_us", "length_us", "sites"]


@final
class SiteLoad(NamedTuple):
    """What one site has of a plan: the blocks that stimulate it (from 0), their time, and its limit, in µs.

    ``counted_us`` has beside the treatment what is kept free of each block for finding thresholds and for the trial.
    """

    site: str
    blocks: tuple[int, ...]
    treated_us: int
    counted_us: int
    limit_us: int


def block_us(protocol: AnyProtocol) -> int:
    """Longest time of one block in µs."""
    if isinstance(protocol, Guided):
        return longest_us(protocol)
    return session_us(stimulating(protocol))


def length_us(plan: Plan, blocks: Sequence[AnyProtocol | None]) -> int:
    """Longest time of all blocks and rests in µs; preparing the blocks is not counted."""
    rests = sum(microseconds(block.rest_s) for block in plan.blocks if block.rest_s is not None)
    return rests + sum(block_us(protocol) for protocol in blocks if protocol is not None)


def sites(blocks: Sequence[AnyProtocol | None]) -> tuple[SiteLoad, ...]:
    """What every stimulated site has, in the order in which they come."""
    found: dict[str, SiteLoad] = {}
    for index, protocol in enumerate(blocks):
        if protocol is None or isinstance(protocol, (Guided, Plan)):
            continue
        limit, time_us = effective.narrowest(protocol).site_time_us, session_us(protocol)
        for site in dict.fromkeys(channel.site for channel in protocol.channels):
            old = found.get(site, SiteLoad(site, (), 0, 0, limit))
            found[site] = SiteLoad(
                site,
                (*old.blocks, index),
                old.treated_us + time_us,
                old.counted_us + time_us + BEFORE_TREATMENT_US,
                min(old.limit_us, limit),
            )
    return tuple(found.values())
