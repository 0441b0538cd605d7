"""What the fields of one channel must be to each other, and to the limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from stimctl.limits import Limits
from stimctl.protocols import bounds, effective, tens_rules
from stimctl.protocols.checks import nearest
from stimctl.protocols.doublet_rules import doublets_are_for_muscles
from stimctl.protocols.findings import Finding
from stimctl.protocols.models import Protocol
from stimctl.protocols.output import Channel
from stimctl.pulse import DOUBLET

ChannelRule = Callable[[Protocol, int, Channel], Iterator[Finding]]


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


def _within_limits(field: str, judge: Callable[[Channel, Limits], Iterator[bounds.Breach]]) -> ChannelRule:
    """The rule for one field alone, so that an unreadable neighbour does not hide its breach."""

    def rule(protocol: Protocol, index: int, channel: Channel) -> Iterator[Finding]:
        for breach in judge(channel, effective.limits(protocol, channel)):
            message = f"is outside the limits of the {channel.part} ({protocol.effect} stimulation)"
            message += bounds.because_small(channel, effective.areas(protocol, channel), breach)
            yield Finding(("channel", index, field), message, *breach[1:])

    return rule


def pulses_are_within_limits(protocol: Protocol, index: int, channel: Channel) -> Iterator[Finding]:
    """Charge, rms, energy at the highest level the operator may reach."""
    corner = protocol.strongest(channel)
    strongest = bounds.train(corner)
    path = ("channel", index, "max_amplitude_ma")
    inside = " and 100 Hz inside a burst" if corner.pulses_per_period > DOUBLET else f" and rate_hz = {corner.rate_hz}"
    words = f"with phase_width_us = {corner.phase_width_us}{inside} gives too much"
    for breach in bounds.train_breaches(strongest, effective.limits(protocol, channel)):
        why = bounds.because_small(channel, effective.areas(protocol, channel), breach)
        yield Finding(path, f"{words}{why}", *breach[1:])
    for area in sorted(effective.areas(protocol, channel).values())[:1]:
        for breach in bounds.pad_breaches(bounds.together((strongest,), area), effective.limits(protocol, channel)):
            yield Finding(path, f"{words} on the smaller pad", *breach[1:])


def pulses_fit_their_period(protocol: Protocol, index: int, channel: Channel) -> Iterator[Finding]:
    """A pulse ends before the next one begins; bursts have room at every rate of their mode, which is its own rule."""
    strongest = bounds.train(protocol.strongest(channel))
    if strongest.pulses_per_period <= DOUBLET and not bounds.fits_its_period(strongest):
        message = "is too fast: a pulse would begin before the last one has ended"
        yield Finding(("channel", index, "rate_hz"), message, f"{channel.rate_hz} Hz")


CHANNEL_RULES: Final[tuple[ChannelRule, ...]] = (
    pads_exist,
    working_level_is_below_its_maximum,
    tens_rules.rate_is_the_modes_own,
    tens_rules.width_is_the_modes_own,
    _within_limits("max_amplitude_ma", bounds.peak_breaches),
    _within_limits("phase_width_us", bounds.width_breaches),
    _within_limits("interphase_gap_us", bounds.gap_breaches),
    _within_limits("rate_hz", bounds.rate_breaches),
    pulses_are_within_limits,
    pulses_fit_their_period,
    doublets_are_for_muscles,
)
