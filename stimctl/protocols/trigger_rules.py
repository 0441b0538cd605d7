"""What the fields of a trigger must be to each other."""

from __future__ import annotations

from collections.abc import Iterator

from stimctl.protocols.checks import nearest
from stimctl.protocols.fes import FesEmgTriggered, FesSwitchTriggered, Switch, Trigger
from stimctl.protocols.findings import Finding, shown
from stimctl.protocols.models import Protocol
from stimctl.protocols.quantities import THRESHOLD_SD
from stimctl.protocols.sequence import FesSequence


def trigger_hears_a_channel(protocol: Protocol) -> Iterator[Finding]:
    """The trigger's channel is one of the file."""
    for trigger in _triggers(protocol):
        names = [channel.name for channel in protocol.channels]
        if trigger.channel not in names:
            message = f"no channel has this name{nearest(trigger.channel, names)}"
            yield Finding(("trigger", "channel"), message, shown(trigger.channel), ", ".join(names))


def trigger_has_one_threshold(protocol: Protocol) -> Iterator[Finding]:
    """Exactly one of the two ways to state a threshold."""
    for trigger in _triggers(protocol):
        stated = [trigger.threshold_sd, trigger.threshold_uv]
        if stated.count(None) == len(stated):
            yield Finding(("trigger", "threshold_sd"), "is missing: state threshold_sd or threshold_uv")
        if None not in stated:
            yield Finding(("trigger", "threshold_uv"), "state threshold_sd or threshold_uv, not both", at_key=True)


def adapting_is_whole(protocol: Protocol) -> Iterator[Finding]:
    """A threshold that adapts says how far, needs windows that can be missed, and stays clear of rest (H26)."""
    for trigger in _triggers(protocol):
        bounds = ("adapt_least_percent", "adapt_most_percent")
        if not trigger.adapt_percent:
            for name in bounds:
                if getattr(trigger, name) is not None:
                    yield Finding(("trigger", name), "has no meaning without adapt_percent", at_key=True)
            continue
        for name in bounds:
            if getattr(trigger, name) is None:
                yield Finding(("trigger", name), "is missing: a threshold that adapts needs both of its ends")
        if not trigger.cue:
            message = "needs cue = true: without a window no attempt is missed, and the threshold would only rise"
            yield Finding(("trigger", "adapt_percent"), message, str(trigger.adapt_percent), "0")
        least, sd = trigger.adapt_least_percent, trigger.threshold_sd
        if least is not None and sd is not None and not sd * least >= THRESHOLD_SD.low * 100:
            message, value = "lets the threshold fall too near to rest", f"{sd * least / 100:g} SD"
            yield Finding(("trigger", "adapt_least_percent"), message, value, f"at least {THRESHOLD_SD.low:g} SD")


def cue_and_window_agree(protocol: Protocol) -> Iterator[Finding]:
    """A window belongs to a cue, and a cue needs a window."""
    for trigger in _triggers(protocol):
        yield from _cued("trigger", trigger)
    if isinstance(protocol, FesSwitchTriggered | FesSequence) and protocol.switch is not None:
        yield from _cued("switch", protocol.switch)


def glove_leads(protocol: Protocol) -> Iterator[Finding]:
    """Stimulation goes with a robot glove's opening, never without it, and gently out when it closes (E.2, H53)."""
    switch = protocol.switch if isinstance(protocol, FesSwitchTriggered | FesSequence) else None
    if switch is None or switch.source != "robot":
        return
    if switch.on_missed == "assist":
        message = 'has no meaning with source = "robot": a burst without the glove would work against it'
        yield Finding(("switch", "on_missed"), message, "assist", "count")
    if isinstance(protocol, FesSwitchTriggered) and not protocol.burst.ramp_down_s > 0:
        message = 'must be longer than 0 with source = "robot": when the glove closes, the burst ends by this ramp'
        yield Finding(("burst", "ramp_down_s"), message, str(protocol.burst.ramp_down_s))


def script_leads_to_a_window(protocol: Protocol) -> Iterator[Finding]:
    """A script ends in "try now": without that cue nobody would know when to begin."""
    if isinstance(protocol, FesEmgTriggered | FesSwitchTriggered) and protocol.script:
        table, cue = (
            ("trigger", protocol.trigger.cue)
            if isinstance(protocol, FesEmgTriggered)
            else ("switch", protocol.switch.cue)
        )
        if not cue:
            yield Finding((table, "cue"), "must be true: a [[script]] ends in an attempt on a cue", "false", "true")


def _triggers(protocol: Protocol) -> Iterator[Trigger]:
    """The file's trigger, if it has one."""
    if isinstance(protocol, FesEmgTriggered | FesSequence) and protocol.trigger is not None:
        yield protocol.trigger


def _cued(table: str, waits: Trigger | Switch) -> Iterator[Finding]:
    if waits.cue and waits.attempt_window_s is None:
        yield Finding((table, "attempt_window_s"), "is missing: a cue needs a window for the attempt")
    for name in ("attempt_window_s", "on_missed"):
        if not waits.cue and name in waits.model_fields_set:
            message = "has no meaning with cue = false: without a cue no attempt is missed"
            yield Finding((table, name), message, at_key=True)
