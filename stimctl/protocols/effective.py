"""Which limits hold for a channel of a file: of its site, its effect and the smaller of its pads, so far as they are known."""

from __future__ import annotations

from stimctl.limits import ABSOLUTE, PAD_AREA_MAX_UM2, Limits, narrow
from stimctl.protocols import bounds
from stimctl.protocols.models import Protocol
from stimctl.protocols.output import Channel


def areas(protocol: Protocol, channel: Channel) -> dict[str, int]:
    """Areas of the channel's pads by name, in µm²; a pad that is not there or has no known model has its own finding."""
    pads = protocol.pads if "pads" in protocol.model_fields_set else {}
    known = (name for name in channel.pads if name in pads and "model" in pads[name].model_fields_set)
    return {name: pads[name].area_um2 for name in known}


def limits(protocol: Protocol, channel: Channel) -> Limits:
    """The refuse column; with no pad known, that of a large one, so that the site's own bounds are still judged."""
    smallest = min(areas(protocol, channel).values(), default=PAD_AREA_MAX_UM2)
    return bounds.refuse_column(channel.part, protocol.effect, smallest)


def narrowest(protocol: Protocol) -> Limits:
    """What binds the bursts: the narrowest of all channels whose place is known."""
    placed = (channel for channel in protocol.channels if {"site", "pads"} <= channel.model_fields_set)
    return narrow(ABSOLUTE, *(limits(protocol, channel) for channel in placed))
