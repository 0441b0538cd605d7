"""What the channels and pads of a file must be to each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from stimctl.limits import narrow
from stimctl.protocols import bounds
from stimctl.protocols.antagonists import opposed, told
from stimctl.protocols.fes import Fes
from stimctl.protocols.findings import Finding, shown
from stimctl.protocols.models import Protocol
from stimctl.protocols.output import MAX_CHANNELS


def channels_differ(protocol: Protocol) -> Iterator[Finding]:
    """Names and outputs are unique: a doubled output would stimulate a muscle that nobody meant (H06)."""
    names = Counter(channel.name for channel in protocol.channels)
    outputs = Counter(channel.output for channel in protocol.channels)
    for index, channel in enumerate(protocol.channels):
        if names[channel.name] > 1:
            yield Finding(("channel", index, "name"), "is the name of another channel too", shown(channel.name))
        if outputs[channel.output] > 1:
            message = "is the output of another channel too; each channel needs its own"
            yield Finding(("channel", index, "output"), message, str(channel.output))


def pads_are_used(protocol: Protocol) -> Iterator[Finding]:
    """A pad that no channel names is a slip: perhaps another pad was named in its place."""
    used = {name for channel in protocol.channels for name in channel.pads}
    for name in protocol.pads:
        if name not in used:
            yield Finding(
                ("pads", name), "is not used by any channel; name it in a channel or take it out", at_key=True
            )


def channels_can_be_told_apart(protocol: Protocol) -> Iterator[Finding]:
    """Two channels on the same two pads stimulate the same place, and what one does there is felt as the other."""
    seen: dict[frozenset[str], int] = {}
    for index, channel in enumerate(protocol.channels):
        first = seen.setdefault(frozenset(channel.pads), index)
        if first != index:
            whose = protocol.channels[first].name
            message = f"are the pads of {whose} too: two channels on the same two pads cannot be told apart"
            allowed = "at most one pad in common; ceilings are found one at a time"
            yield Finding(("channel", index, "pads"), message, ", ".join(channel.pads), allowed)


def antagonists_do_not_meet(protocol: Protocol) -> Iterator[Finding]:
    """Every channel works in every burst, so that a muscle and its opponent would pull at once (H44)."""
    if not isinstance(protocol, Fes) or protocol.burst.antagonists_together:
        return
    for index, channel in enumerate(protocol.channels):
        for other in protocol.channels[:index]:
            if opposed(channel, other):
                message = (
                    f"{told(channel)} pulls against {told(other)}: all channels of a file work together in each burst"
                )
                allowed = "a file for each, or antagonists_together under [burst] with the reason"
                yield Finding(("channel", index, "muscle"), message, shown(channel.muscle), allowed)


def shared_pads_are_within_limits(protocol: Protocol) -> Iterator[Finding]:
    """Channels that share a pad add up there (H41), by the bounds for a pad of its size.

    A pad of one channel is judged with the channel, and too many channels are a finding of their own.
    """
    for name, pad in protocol.pads.items():
        users = tuple(channel for channel in protocol.channels if name in channel.pads)
        if 1 < len(users) <= MAX_CHANNELS:
            limits = narrow(*(bounds.refuse_column(each.part, protocol.effect, pad.area_um2) for each in users))
            together = " and ".join(channel.name for channel in users)
            trains = [bounds.train(protocol.strongest(channel)) for channel in users]
            for breach in bounds.shared_breaches(trains, pad.area_um2, limits):
                yield Finding(("pads", name, "model"), f"is too small for {together} together", *breach[1:])
