"""What the parts of a kind that follows a signal must be to each other, to the channels, and to the limits (B.4, H27, H29)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stimctl.protocols import bounds, effective
from stimctl.protocols.antagonists import opposed
from stimctl.protocols.findings import Finding, shown
from stimctl.protocols.following import FesContralateral
from stimctl.protocols.models import Protocol
from stimctl.units import SECOND, microseconds, seconds_text

LEAST_SPAN_PERCENT: Final = 20
"""Between nothing and all there is at least this share of the range: less is a switch and no proportion (project)."""

LEAST_STAIR_US: Final = 20
"""The widths that a signal chooses among span at least this (project)."""


def whole_way_us(protocol: FesContralateral) -> int:
    """How long the slope takes from nothing to all, in µs, rounded up."""
    return -(-100 * SECOND // int(protocol.control.slew_percent_per_s))


def signal_has_room(protocol: Protocol) -> Iterator[Finding]:
    """The dead zone ends well below the place from which on all is given."""
    if not isinstance(protocol, FesContralateral):
        return
    control = protocol.control
    if not control.full_percent - control.floor_percent >= LEAST_SPAN_PERCENT:
        message = "lies too near to the dead zone's end: nearly nothing would lie between nothing and all"
        value, allowed = f"{control.full_percent} %", f"at least {control.floor_percent + LEAST_SPAN_PERCENT} %"
        yield Finding(("control", "full_percent"), message, value, allowed, "project (hazard H29)")


def floor_width_fits(protocol: Protocol) -> Iterator[Finding]:
    """A width to begin at belongs to a signal that changes widths, and lies below every channel's own."""
    if not isinstance(protocol, FesContralateral):
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
    """Slope, on-time and duty of an opening in which the sound hand is open all the time (A.6)."""
    if not isinstance(protocol, FesContralateral):
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
    if not isinstance(protocol, FesContralateral):
        return
    for index, channel in enumerate(protocol.channels):
        for other in protocol.channels[:index]:
            if opposed(channel, other):
                message = f"pulls against {other.name}: all channels follow the same signal"
                yield Finding(("channel", index, "muscle"), message, shown(channel.muscle), "a file for each")


FOLLOWING_RULES: Final = (signal_has_room, floor_width_fits, opening_is_within_limits, followers_do_not_meet)
"""All rules about following."""
