"""What the fields of a trigger must be to each other."""

from __future__ import annotations

from collections.abc import Iterator

from stimctl.protocols.checks import nearest
from stimctl.protocols.fes import FesEmgTriggered, FesSwitchTriggered, Switch, Trigger
from stimctl.protocols.findings import Finding, shown
from stimctl.protocols.models import Protocol


def trigger_hears_a_channel(protocol: Protocol) -> Iterator[Finding]:
    """The trigger's channel is one of the file."""
    if isinstance(protocol, FesEmgTriggered):
        names = [channel.name for channel in protocol.channels]
        if protocol.trigger.channel not in names:
            message = f"no channel has this name{nearest(protocol.trigger.channel, names)}"
            yield Finding(("trigger", "channel"), message, shown(protocol.trigger.channel), ", ".join(names))


def trigger_has_one_threshold(protocol: Protocol) -> Iterator[Finding]:
    """Exactly one of the two ways to state a threshold."""
    if isinstance(protocol, FesEmgTriggered):
        stated = [protocol.trigger.threshold_sd, protocol.trigger.threshold_uv]
        if stated.count(None) == len(stated):
            yield Finding(("trigger", "threshold_sd"), "is missing: state threshold_sd or threshold_uv")
        if None not in stated:
            yield Finding(("trigger", "threshold_uv"), "state threshold_sd or threshold_uv, not both", at_key=True)


def cue_and_window_agree(protocol: Protocol) -> Iterator[Finding]:
    """A window belongs to a cue, and a cue needs a window."""
    if isinstance(protocol, FesEmgTriggered):
        yield from _cued("trigger", protocol.trigger)
    if isinstance(protocol, FesSwitchTriggered):
        yield from _cued("switch", protocol.switch)


def _cued(table: str, waits: Trigger | Switch) -> Iterator[Finding]:
    if waits.cue and waits.attempt_window_s is None:
        yield Finding((table, "attempt_window_s"), "is missing: a cue needs a window for the attempt")
    for name in ("attempt_window_s", "on_missed"):
        if not waits.cue and name in waits.model_fields_set:
            message = "has no meaning with cue = false: without a cue no attempt is missed"
            yield Finding((table, name), message, at_key=True)
