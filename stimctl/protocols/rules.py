"""What the fields of a protocol file must be to each other, and to the limits: a list of rules, each a small generator.

A rule reads the attributes it needs and yields findings. The loader also runs the rules over a file whose fields are
partly wrong; a rule that meets a field that could not be read then falls silent (``AttributeError`` of a half-built
model), so that an author hears of everything that can be known at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from stimctl.limits import ABSOLUTE, PAD_AREA_MAX_UM2, Limits, narrow
from stimctl.protocols import bounds
from stimctl.protocols.antagonists import opposed
from stimctl.protocols.checks import nearest
from stimctl.protocols.findings import Finding, shown
from stimctl.protocols.models import MAX_CHANNELS, Channel, FesEmgTriggered, Protocol, TensConventional
from stimctl.units import MINUTE, microseconds, seconds_text

TENS_CONVENTIONAL_MIN_HZ: Final = 50
"""Conventional TENS is high-rate stimulation, 50 Hz and more (clinical reference, B.5); below is another mode."""

BEFORE_TREATMENT_US: Final = 10 * MINUTE
"""Kept free of a site's time (project): thresholds, trial and the pauses between count as stimulation of the site.

Two minutes of pressing to 60 mA, a step each half second, then a trial burst or two with their rests, and pads that are
put on again once. A treatment that filled the site's time to the end would be stopped before its own end."""

ProtocolRule = Callable[[Protocol], Iterator[Finding]]
ChannelRule = Callable[[Protocol, int, Channel], Iterator[Finding]]


# --- one channel -----------------------------------------------------------------------------------------------


def pads_exist(protocol: Protocol, index: int, channel: Channel) -> Iterator[Finding]:
    """A channel's pads are named under ``[pads]``."""
    for name in channel.pads:
        if name not in protocol.pads:
            message = f"no pad `{name}` under [pads]{nearest(name, protocol.pads)}"
            yield Finding(("channel", index, "pads"), message, allowed=", ".join(protocol.pads))


def working_level_is_below_its_maximum(_: Protocol, index: int, channel: Channel) -> Iterator[Finding]:
    """``amplitude_ma`` can be reached."""
    if not channel.amplitude_ma <= channel.max_amplitude_ma:
        yield Finding(
            ("channel", index, "amplitude_ma"),
            "is above max_amplitude_ma",
            f"{channel.amplitude_ma} mA",
            f"at most {channel.max_amplitude_ma} mA",
            "max_amplitude_ma of this channel",
        )


def tens_rate_is_high(protocol: Protocol, index: int, channel: Channel) -> Iterator[Finding]:
    """A low rate is another mode of TENS, with contractions, and needs its own kind."""
    if isinstance(protocol, TensConventional) and not channel.rate_hz >= TENS_CONVENTIONAL_MIN_HZ:
        message = "is too low for conventional TENS; a lower rate is another mode"
        allowed = f"at least {TENS_CONVENTIONAL_MIN_HZ} Hz"
        path = ("channel", index, "rate_hz")
        yield Finding(path, message, f"{channel.rate_hz} Hz", allowed, "TENS modes, secondary tables: 50 to 130 Hz")


def _within_limits(field: str, judge: Callable[[Channel, Limits], Iterator[bounds.Breach]]) -> ChannelRule:
    """The rule for one field alone, so that an unreadable neighbour does not hide its breach."""

    def rule(protocol: Protocol, index: int, channel: Channel) -> Iterator[Finding]:
        for breach in judge(channel, _limits(protocol, channel)):
            message = f"is outside the limits of the {channel.part} ({protocol.effect} stimulation)"
            message += bounds.because_small(channel, _areas(protocol, channel), breach)
            yield Finding(("channel", index, field), message, *breach[1:])

    return rule


def pulses_are_within_limits(protocol: Protocol, index: int, channel: Channel) -> Iterator[Finding]:
    """Charge, rms, energy at the highest level the operator may reach."""
    strongest = bounds.train(channel)
    path = ("channel", index, "max_amplitude_ma")
    words = f"with phase_width_us = {channel.phase_width_us} and rate_hz = {channel.rate_hz} gives too much"
    for breach in bounds.train_breaches(strongest, _limits(protocol, channel)):
        why = bounds.because_small(channel, _areas(protocol, channel), breach)
        yield Finding(path, f"{words}{why}", *breach[1:])
    for area in sorted(_areas(protocol, channel).values())[:1]:
        for breach in bounds.pad_breaches(bounds.together((strongest,), area), _limits(protocol, channel)):
            yield Finding(path, f"{words} on the smaller pad", *breach[1:])


def pulses_fit_their_period(_: Protocol, index: int, channel: Channel) -> Iterator[Finding]:
    """A pulse ends before the next one begins."""
    if not bounds.fits_its_period(bounds.train(channel)):
        message = "is too fast: a pulse would begin before the last one has ended"
        yield Finding(("channel", index, "rate_hz"), message, f"{channel.rate_hz} Hz")


# --- channels together -----------------------------------------------------------------------------------------


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
    if isinstance(protocol, TensConventional) or protocol.burst.antagonists_together:
        return
    for index, channel in enumerate(protocol.channels):
        for other in protocol.channels[:index]:
            if opposed(channel, other):
                message = f"pulls against {other.name}: all channels of a file work together in each burst"
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
            trains = [bounds.train(channel) for channel in users]
            for breach in bounds.shared_breaches(trains, pad.area_um2, limits):
                yield Finding(("pads", name, "model"), f"is too small for {together} together", *breach[1:])


# --- time ------------------------------------------------------------------------------------------------------


def burst_is_within_limits(protocol: Protocol) -> Iterator[Finding]:
    """Ramp-up, on-time and duty of motor stimulation; ramps count as on (A.6)."""
    if isinstance(protocol, TensConventional):
        return
    burst, limits = protocol.burst, _narrowest(protocol)
    up = microseconds(burst.ramp_up_s)
    if not up >= limits.ramp_up_min_us:
        allowed = f"at least {seconds_text(limits.ramp_up_min_us)}"
        source = bounds.SOURCES["ramp_up_min_us"]
        yield Finding(("burst", "ramp_up_s"), "rises too fast", seconds_text(up), allowed, source)
    on = up + microseconds(burst.hold_s) + microseconds(burst.ramp_down_s)
    if not on <= limits.on_time_us:
        allowed = f"at most {seconds_text(limits.on_time_us)}"
        message = "together with both ramps is too long a burst"
        yield Finding(("burst", "hold_s"), message, seconds_text(on), allowed, bounds.SOURCES["on_time_us"])
    cycle = on + microseconds(burst.rest_s)
    if not on * 1_000 <= limits.duty_permille * cycle:
        value, allowed = f"{on * 100 / cycle:.3g} % on", f"at most {limits.duty_permille / 10:g} % of burst and rest"
        path, message = ("burst", "rest_s"), "is too short for the burst before it"
        yield Finding(path, message, value, allowed, bounds.SOURCES["duty_permille"])


def session_is_not_too_long(protocol: Protocol) -> Iterator[Finding]:
    """The treatment, rests included, leaves its site time for what comes before it: what clinical minutes mean (B.2)."""
    length, limit = session_us(protocol), _narrowest(protocol).site_time_us - BEFORE_TREATMENT_US
    if not length <= limit:
        field = "duration_min" if isinstance(protocol, TensConventional) else "repetitions"
        message = "makes the treatment too long for one site: finding thresholds and the trial count there too"
        value, allowed = f"{length / MINUTE:.4g} min", f"at most {limit / MINUTE:g} min"
        yield Finding(("dose", field), message, value, allowed, bounds.SOURCES["site_time_us"])


def set_rest_is_stated(protocol: Protocol) -> Iterator[Finding]:
    """More than one set needs a rest between them that somebody decided on."""
    if isinstance(protocol, TensConventional):
        return
    dose = protocol.dose
    if dose.sets > 1 and dose.set_rest_s == 0 and "set_rest_s" not in dose.model_fields_set:
        yield Finding(("dose", "set_rest_s"), "is missing: with more than one set, state the rest between them")


def session_us(protocol: Protocol) -> int:
    """Longest length of a session in µs from its first burst to its last: bursts, rests, set rests and waiting.

    Where the patient is listened to without a cue, the waiting is not known and counts as nothing.
    """
    if isinstance(protocol, TensConventional):
        return protocol.dose.duration_us
    burst, dose = protocol.burst, protocol.dose
    parts = [burst.ramp_up_s, burst.hold_s, burst.ramp_down_s, burst.rest_s]
    if isinstance(protocol, FesEmgTriggered):
        parts.append(protocol.trigger.attempt_window_s or 0)
    cycle = sum(map(microseconds, parts))
    return dose.sets * dose.repetitions * cycle + (dose.sets - 1) * microseconds(dose.set_rest_s)


# --- trigger ---------------------------------------------------------------------------------------------------


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
        trigger = protocol.trigger
        if trigger.cue and trigger.attempt_window_s is None:
            yield Finding(("trigger", "attempt_window_s"), "is missing: a cue needs a window for the attempt")
        for name in ("attempt_window_s", "on_missed"):
            if not trigger.cue and name in trigger.model_fields_set:
                message = "has no meaning with cue = false: without a cue no attempt is missed"
                yield Finding(("trigger", name), message, at_key=True)


CHANNEL_RULES: Final[tuple[ChannelRule, ...]] = (
    pads_exist,
    working_level_is_below_its_maximum,
    tens_rate_is_high,
    _within_limits("max_amplitude_ma", bounds.peak_breaches),
    _within_limits("phase_width_us", bounds.width_breaches),
    _within_limits("interphase_gap_us", bounds.gap_breaches),
    _within_limits("rate_hz", bounds.rate_breaches),
    pulses_are_within_limits,
    pulses_fit_their_period,
)

PROTOCOL_RULES: Final[tuple[ProtocolRule, ...]] = (
    channels_differ,
    pads_are_used,
    channels_can_be_told_apart,
    antagonists_do_not_meet,
    shared_pads_are_within_limits,
    burst_is_within_limits,
    session_is_not_too_long,
    set_rest_is_stated,
    trigger_hears_a_channel,
    trigger_has_one_threshold,
    cue_and_window_agree,
)


def _areas(protocol: Protocol, channel: Channel) -> dict[str, int]:
    """Areas of the channel's pads by name, in µm²; a pad that is not there or has no known model has its own finding."""
    pads = protocol.pads if "pads" in protocol.model_fields_set else {}
    known = (name for name in channel.pads if name in pads and "model" in pads[name].model_fields_set)
    return {name: pads[name].area_um2 for name in known}


def _limits(protocol: Protocol, channel: Channel) -> Limits:
    """The refuse column; with no pad known, that of a large one, so that the site's own bounds are still judged."""
    smallest = min(_areas(protocol, channel).values(), default=PAD_AREA_MAX_UM2)
    return bounds.refuse_column(channel.part, protocol.effect, smallest)


def _narrowest(protocol: Protocol) -> Limits:
    """What binds the bursts: the narrowest of all channels whose place is known."""
    placed = (channel for channel in protocol.channels if {"site", "pads"} <= channel.model_fields_set)
    return narrow(ABSOLUTE, *(_limits(protocol, channel) for channel in placed))
