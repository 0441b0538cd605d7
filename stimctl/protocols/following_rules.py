"""What the parts of a kind that follows a signal must be to each other, to the channels, and to the limits (B.4, H27, H29)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from stimctl.protocols import bounds, effective
from stimctl.protocols.antagonists import opposed, told
from stimctl.protocols.findings import Finding, shown
from stimctl.protocols.following import FesEmgProportional, Led
from stimctl.protocols.models import Protocol
from stimctl.units import SECOND, microseconds, seconds_text

LEAST_SPAN_PERCENT: Final = 20
"""Between nothing and all there is at least this share of the range: less is a switch and no proportion (project)."""

LEAST_STAIR_US: Final = 20
"""The widths that a signal chooses among span at least this (project)."""

LEAST_HEARD_MS: Final = 8
"""What must be left of the time between two pulses when the blanking is over: 5 to 8 ms are clean at 40 Hz (EMG reference)."""

DELIVERED_WITHIN_MS: Final = 45
"""Between a sample and the pass that acts on it: a chunk of 20 ms, its way, and a control period (project)."""

OWN_SOURCE: Final = "clinical reference B.3 (artefact facts), hazard H24"


def whole_way_us(protocol: Led) -> int:
    """How long the slope takes from nothing to all, in µs, rounded up."""
    return -(-100 * SECOND // int(protocol.control.slew_percent_per_s))


def signal_has_room(protocol: Protocol) -> Iterator[Finding]:
    """The dead zone ends well below the place from which on all is given."""
    if not isinstance(protocol, Led):
        return
    control = protocol.control
    if not control.full_percent - control.floor_percent >= LEAST_SPAN_PERCENT:
        message = "lies too near to the dead zone's end: nearly nothing would lie between nothing and all"
        value, allowed = f"{control.full_percent} %", f"at least {control.floor_percent + LEAST_SPAN_PERCENT} %"
        yield Finding(("control", "full_percent"), message, value, allowed, "project (hazard H29)")


def floor_width_fits(protocol: Protocol) -> Iterator[Finding]:
    """A width to begin at belongs to a signal that changes widths, and lies below every channel's own."""
    if not isinstance(protocol, Led):
        return
    control, path = protocol.control, ("control", "floor_width_us")
    if control.modulates == "amplitude" and control.floor_width_us is not None:
        yield Finding(path, 'has no meaning with modulates = "amplitude": the width stays', at_key=True)
    if control.modulates != "width":
        return
    if control.floor_width_us is None:
        yield Finding(path, 'is missing: modulates = "width" needs the width at which muscle begins to answer')
        return
    least = effective.narrowest(protocol).phase_width_min_us
    if not control.floor_width_us >= least:
        source, allowed = bounds.SOURCES["phase_width_min_us"], f"at least {least} µs"
        yield Finding(path, "is outside the limits of this place", f"{control.floor_width_us} µs", allowed, source)
    for index, channel in enumerate(protocol.channels):
        if not channel.phase_width_us - control.floor_width_us >= LEAST_STAIR_US:
            message = "leaves the signal nothing to choose: control.floor_width_us is too near to it"
            value, allowed = f"{channel.phase_width_us} µs", f"at least {control.floor_width_us + LEAST_STAIR_US} µs"
            yield Finding(("channel", index, "phase_width_us"), message, value, allowed)


def opening_is_within_limits(protocol: Protocol) -> Iterator[Finding]:
    """Slope, on-time and duty of an opening in which the signal asks for everything all the time (A.6)."""
    if not isinstance(protocol, Led):
        return
    cycle, limits = protocol.cycle, effective.narrowest(protocol)
    rise_us = whole_way_us(protocol)
    if not rise_us >= limits.ramp_up_min_us:
        value, allowed = seconds_text(rise_us), f"at least {seconds_text(limits.ramp_up_min_us)} for the whole way"
        path, source = ("control", "slew_percent_per_s"), bounds.SOURCES["ramp_up_min_us"]
        yield Finding(path, "rises too fast", value, allowed, source)
    if not rise_us <= microseconds(cycle.open_s):
        message, allowed = "ends before the slope has come to the whole level", f"at least {seconds_text(rise_us)}"
        yield Finding(("cycle", "open_s"), message, f"{cycle.open_s} s", allowed)
    on_us = microseconds(cycle.open_s) + microseconds(cycle.ramp_down_s)
    if not on_us <= limits.on_time_us:
        allowed, message = f"at most {seconds_text(limits.on_time_us)}", "together with the ramp is too long an opening"
        yield Finding(("cycle", "open_s"), message, seconds_text(on_us), allowed, bounds.SOURCES["on_time_us"])
    whole_us = on_us + microseconds(cycle.relax_s)
    if not on_us * 1_000 <= limits.duty_permille * whole_us:
        value, allowed = f"{on_us * 100 / whole_us:.3g} % on", f"at most {limits.duty_permille / 10:g} % of the cycle"
        message, source = "is too short for the opening before it", bounds.SOURCES["duty_permille"]
        yield Finding(("cycle", "relax_s"), message, value, allowed, source)


def followers_do_not_meet(protocol: Protocol) -> Iterator[Finding]:
    """All channels follow one signal, so that a muscle and its opponent would pull at once (H44); no reason excuses it."""
    if not isinstance(protocol, Led):
        return
    for index, channel in enumerate(protocol.channels):
        for other in protocol.channels[:index]:
            if opposed(channel, other):
                message = f"{told(channel)} pulls against {told(other)}: all channels follow the same signal"
                yield Finding(("channel", index, "muscle"), message, shown(channel.muscle), "a file for each")


def own_emg_has_one_channel(protocol: Protocol) -> Iterator[Finding]:
    """The pulses of another output would fall into the gaps in which the muscle is heard, whenever they like."""
    if isinstance(protocol, FesEmgProportional) and len(protocol.channels) > 1:
        message = "has no place beside the first: its pulses would fall into the gaps in which the EMG is heard"
        yield Finding(("channel", 1, "name"), message, shown(protocol.channels[1].name), "one channel", OWN_SOURCE)


def own_emg_is_heard_between_pulses(protocol: Protocol) -> Iterator[Finding]:
    """Single pulses, and enough time between two of them that is not blanked."""
    if not isinstance(protocol, FesEmgProportional):
        return
    blanking_ms = int(protocol.control.blanking_ms)
    for index, channel in enumerate(protocol.channels):
        if channel.pulses_per_period > 1:
            path = ("channel", index, "pulses_per_period")
            message = "leaves no time in which the muscle could be heard between its pulses"
            yield Finding(path, message, str(channel.pulses_per_period), "1", OWN_SOURCE)
        if not channel.rate_hz * (blanking_ms + LEAST_HEARD_MS) <= 1_000:
            most_hz = 1_000 / (blanking_ms + LEAST_HEARD_MS)
            message = f"leaves less than {LEAST_HEARD_MS} ms to hear the muscle in, after control.blanking_ms"
            yield Finding(
                ("channel", index, "rate_hz"), message, f"{channel.rate_hz} Hz", f"at most {most_hz:.4g} Hz", OWN_SOURCE
            )


def own_emg_outlives_its_gaps(protocol: Protocol) -> Iterator[Finding]:
    """Where pulses begin or end, three periods pass without a new reading; those must not count as a loss."""
    if not isinstance(protocol, FesEmgProportional):
        return
    stale_ms = int(protocol.control.stale_ms)
    for channel in protocol.channels:
        least_ms = math.ceil(3_000 / channel.rate_hz + DELIVERED_WITHIN_MS)
        if not stale_ms >= least_ms:
            message = f"is over before the muscle is heard again where pulses begin, at {channel.rate_hz} Hz"
            yield Finding(
                ("control", "stale_ms"), message, f"{stale_ms} ms", f"at least {least_ms} ms", "project (hazard H27)"
            )


FOLLOWING_RULES: Final = (
    signal_has_room,
    floor_width_fits,
    opening_is_within_limits,
    followers_do_not_meet,
    own_emg_has_one_channel,
    own_emg_is_heard_between_pulses,
    own_emg_outlives_its_gaps,
)
"""All rules about following."""
