"""What the phases of a task must be to each other, to the channels, and to the limits (clinical reference, B.7).

Every rule that counts time looks at all ways through the phases: time-outs, events that come early, skips.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from stimctl.protocols import bounds, effective
from stimctl.protocols.antagonists import opposed, told
from stimctl.protocols.checks import nearest
from stimctl.protocols.findings import Finding, shown
from stimctl.protocols.models import Protocol
from stimctl.protocols.output import Channel
from stimctl.protocols.sequence import FesSequence, Phase, PhaseGoal
from stimctl.protocols.ways import Leg, Track, Ways
from stimctl.units import MS, microseconds, seconds_text

OVERLAP_US: Final = 300 * MS
"""Longest that muscles which pull against each other may work at the same time where one takes over from the other."""

_OVERLAP: Final = "project (hazard H44), task sequences: at most 0.3 s unless declared"

_NO_TRIGGER: Final = (
    'is missing: "attempt" needs a [trigger] that says how one is heard;'
    " copy that part from `stimctl library wrist-finger-extensors-emg`"
)
_NO_SWITCH: Final = (
    'is missing: start = "key" needs a [switch]; copy that part from `stimctl library wrist-finger-extensors-switch`'
)


def phases_can_be_told_apart(protocol: Protocol) -> Iterator[Finding]:
    """A phase's name is its own, and none is called as the rest is."""
    if isinstance(protocol, FesSequence):
        names = Counter(phase.name for phase in protocol.phases)
        for index, phase in enumerate(protocol.phases):
            if names[phase.name] > 1:
                yield Finding(("phase", index, "name"), "is the name of another phase too", shown(phase.name))
            if phase.name == "rest":
                message = "is what follows the last phase: write rest_s under [sequence], and no phase"
                yield Finding(("phase", index, "name"), message, shown(phase.name))


def release_is_a_phase(protocol: Protocol) -> Iterator[Finding]:
    """What a missed event leads to is there, and from then on nothing is waited for (B.7: never stays in hold)."""
    if not isinstance(protocol, FesSequence):
        return
    names, release = [phase.name for phase in protocol.phases], protocol.sequence.release
    if release not in names:
        message = f"no phase has this name{nearest(release, names)}"
        yield Finding(("sequence", "release"), message, shown(release), ", ".join(names))
        return
    if release == names[0]:
        yield Finding(("sequence", "release"), "is the first phase: nothing could be released in it", shown(release))
    for index in range(names.index(release), len(names)):
        phase = protocol.phases[index]
        if phase.advance != "time":
            message = f"phase `{phase.name}` is the release or follows it, and must end by time alone"
            yield Finding(("phase", index, "advance"), message, shown(phase.advance), "time")


def goals_have_channels(protocol: Protocol) -> Iterator[Finding]:
    """Goals are for channels of the file, and every channel works somewhere."""
    if not isinstance(protocol, FesSequence):
        return
    names = [channel.name for channel in protocol.channels]
    for index, phase in enumerate(protocol.phases):
        for name in phase.goals:
            if name not in names:
                message = f"phase `{phase.name}`: no channel has this name{nearest(name, names)}"
                yield Finding(("phase", index, "channel", name), message, shown(name), ", ".join(names), at_key=True)
    working = {name for phase in protocol.phases for name, goal in phase.goals.items() if goal.share_percent}
    for index, name in enumerate(names):
        if name not in working:
            message = "works in no phase; give it a goal or take it out"
            yield Finding(("channel", index, "name"), message, shown(name))


def goals_are_reached(protocol: Protocol) -> Iterator[Finding]:
    """Delay and ramp fit into the phase, and no goal is approached faster than a ramp-up may be."""
    if not isinstance(protocol, FesSequence):
        return
    channels = {channel.name: channel for channel in protocol.channels}
    for index, phase in enumerate(protocol.phases):
        for name, goal in phase.goals.items():
            where, whose = ("phase", index, "channel", name), f"phase `{phase.name}`, channel `{name}`:"
            arrived, length = _track(goal).settled_us, microseconds(phase.length_s)
            if not arrived <= length:
                message = f"{whose} delay_s and ramp_s together are longer than the phase"
                yield Finding((*where, "ramp_s"), message, seconds_text(arrived), f"at most {seconds_text(length)}")
            if goal.share_percent and name in channels:
                least = effective.limits(protocol, channels[name]).ramp_up_min_us * goal.share_percent // 100
                if not microseconds(goal.ramp_s) >= least:
                    message = f"{whose} rises too fast; the phase may be reached from zero"
                    allowed = f"at least {seconds_text(least)} for {goal.share_percent} %"
                    source = bounds.SOURCES["ramp_up_min_us"]
                    yield Finding((*where, "ramp_s"), message, seconds_text(microseconds(goal.ramp_s)), allowed, source)


def nothing_ends_by_silence(protocol: Protocol) -> Iterator[Finding]:
    """A channel that may be on has a goal of its own in the next phase, and is at zero when the last one ends (H53)."""
    if not isinstance(protocol, FesSequence) or (ways := _ways(protocol)) is None:
        return
    for channel in protocol.channels:
        on = ways.may_be_on(_tracks(protocol, channel))
        for index, phase in enumerate(protocol.phases):
            if on[index] and channel.name not in phase.goals:
                message = (
                    f"phase `{phase.name}` says nothing of channel `{channel.name}`, which may be on when it begins"
                )
                allowed = f"channel.{channel.name} = {{ share_percent = 0, ramp_s = ... }} to let it go"
                yield Finding(("phase", index, "name"), message, allowed=allowed)
        if on[-1]:
            last = len(protocol.phases) - 1
            message = (
                f"channel `{channel.name}` may still be on when the last phase, `{protocol.phases[last].name}`, ends"
            )
            allowed = "share_percent = 0, reached within the phase; or a phase after it that lets go"
            yield Finding(("phase", last, "channel", channel.name), message, allowed=allowed)


def ways_are_within_limits(protocol: Protocol) -> Iterator[Finding]:
    """Each channel's longest time on, and its share of the cycle, at every way through the phases."""
    if not isinstance(protocol, FesSequence) or (ways := _ways(protocol)) is None:
        return
    rest_us = microseconds(protocol.sequence.rest_s)
    for channel in protocol.channels:
        limits, tracks = effective.limits(protocol, channel), _tracks(protocol, channel)
        longest = ways.together(tracks, tracks, limits.on_time_us)
        if not longest.us <= limits.on_time_us:
            name = protocol.phases[longest.phase].name
            message = f"channel `{channel.name}` can be on too long without a break, up to phase `{name}`"
            allowed = f"at most {seconds_text(limits.on_time_us)}"
            path = ("phase", longest.phase, "length_s")
            yield Finding(path, message, seconds_text(longest.us), allowed, bounds.SOURCES["on_time_us"])
        on_us, cycle_us = ways.worst_share(tracks, rest_us, limits.duty_permille)
        if not on_us * 1_000 <= limits.duty_permille * cycle_us:
            message = (
                f"is too short: on one way through the phases channel `{channel.name}` works for too much of the time"
            )
            value, allowed = (
                f"{on_us * 100 / cycle_us:.3g} % on",
                f"at most {limits.duty_permille / 10:g} % of the cycle",
            )
            yield Finding(("sequence", "rest_s"), message, value, allowed, bounds.SOURCES["duty_permille"])


def antagonists_take_turns(protocol: Protocol) -> Iterator[Finding]:
    """Muscles that pull against each other overlap for a moment at most, unless the file says why (B.7)."""
    if not isinstance(protocol, FesSequence) or (ways := _ways(protocol)) is None:
        return
    if protocol.sequence.antagonists_together:
        return
    for index, channel in enumerate(protocol.channels):
        for other in protocol.channels[:index]:
            if not opposed(channel, other):
                continue
            most = ways.together(_tracks(protocol, channel), _tracks(protocol, other), OVERLAP_US)
            if not most.us <= OVERLAP_US:
                yield _overlap(protocol.phases[most.phase], most.phase, channel, other, most.us)


def _overlap(phase: Phase, index: int, channel: Channel, other: Channel, us: int) -> Finding:
    """At that one of the two which works in the phase: its delay is what can be changed."""
    rising = [each for each in (channel, other) if each.name in phase.goals and phase.goals[each.name].share_percent]
    named = rising[0] if rising else channel
    message = f"phase `{phase.name}`: {told(channel)} and {told(other)} pull against each other at the same time"
    allowed = (
        f"at most {seconds_text(OVERLAP_US)}, by delay_s; or antagonists_together under [sequence] with the reason"
    )
    return Finding(("phase", index, "channel", named.name), message, seconds_text(us), allowed, _OVERLAP)


def what_is_waited_for_is_described(protocol: Protocol) -> Iterator[Finding]:
    """[trigger] and [switch] are there where something waits for them, and nowhere else."""
    if not isinstance(protocol, FesSequence):
        return
    start = protocol.sequence.start
    attempts = start == "attempt" or any(phase.advance == "attempt" for phase in protocol.phases)
    if attempts and protocol.trigger is None:
        yield Finding(("trigger",), _NO_TRIGGER)
    if not attempts and protocol.trigger is not None:
        yield Finding(("trigger",), 'has no meaning: nothing in this file waits for an "attempt"', at_key=True)
    if start == "key" and protocol.switch is None:
        yield Finding(("switch",), _NO_SWITCH)
    if start != "key" and protocol.switch is not None:
        yield Finding(
            ("switch",), 'has no meaning unless start = "key"; phases take the key by themselves', at_key=True
        )
    if attempts and start != "attempt" and protocol.trigger is not None and protocol.trigger.cue:
        message = "must be false: here an attempt ends a phase, and the phase has its own cue and time"
        yield Finding(("trigger", "cue"), message, "true", "false")


# --- the phases as the ways see them -----------------------------------------------------------------------------


def _ways(protocol: FesSequence) -> Ways | None:
    """All ways through the phases; ``None`` where the release has a finding of its own."""
    names = [phase.name for phase in protocol.phases]
    if protocol.sequence.release not in names:
        return None
    legs = [Leg(microseconds(phase.length_s), phase.advance != "time") for phase in protocol.phases]
    return Ways(legs, names.index(protocol.sequence.release))


def _tracks(protocol: FesSequence, channel: Channel) -> list[Track]:
    """The channel in each phase; where a phase says nothing of it, it goes to zero at once."""
    goals = (phase.goals.get(channel.name) for phase in protocol.phases)
    return [_track(goal) if goal is not None else Track(on=False, delay_us=0, settled_us=0) for goal in goals]


def _track(goal: PhaseGoal) -> Track:
    delay_us = microseconds(goal.delay_s)
    return Track(goal.share_percent > 0, delay_us, delay_us + microseconds(goal.ramp_s))


SEQUENCE_RULES: Final = (
    phases_can_be_told_apart,
    release_is_a_phase,
    goals_have_channels,
    goals_are_reached,
    nothing_ends_by_silence,
    ways_are_within_limits,
    antagonists_take_turns,
    what_is_waited_for_is_described,
)
"""All rules about phases."""
