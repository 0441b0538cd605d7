"""What the modes of TENS ask of a file: their own rates, widths and times, whatever else the limits allow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from stimctl.protocols.findings import Finding, Path
from stimctl.protocols.models import Protocol
from stimctl.protocols.output import Channel
from stimctl.protocols.tens import AnyTens, Tens, TensAlternating, TensBurst, TensModulated
from stimctl.protocols.tens_modes import ALTERNATING_LOW_HZ, ALTERNATING_LOW_US, MODES, Range


def rate_is_the_modes_own(protocol: Protocol, index: int, channel: Channel) -> Iterator[Finding]:
    """A rate of another mode asks for another level, and needs its own kind."""
    if not isinstance(protocol, Tens):
        return
    rate, path = channel.rate_hz, ("channel", index, "rate_hz")
    if isinstance(protocol, TensBurst) and rate > protocol.mode.rate_hz[1]:
        yield from _judge(protocol, path, rate, protocol.mode.rate_hz, "Hz", (), _BURSTS)
        return
    fitting = (kind for kind, mode in MODES.items() if _within(rate, mode.rate_hz))
    yield from _judge(protocol, path, rate, protocol.mode.rate_hz, "Hz", fitting)


def width_is_the_modes_own(protocol: Protocol, index: int, channel: Channel) -> Iterator[Finding]:
    """So does a width; the mode that is named has the rate, too, if one does."""
    if not isinstance(protocol, Tens):
        return
    width = channel.phase_width_us
    wide = {kind: mode for kind, mode in MODES.items() if _within(width, mode.width_us)}
    fitting = [kind for kind, mode in wide.items() if _within(channel.rate_hz, mode.rate_hz)]
    path: Path = ("channel", index, "phase_width_us")
    yield from _judge(protocol, path, width, protocol.mode.width_us, "µs", fitting or wide)


def duration_is_the_modes_own(protocol: Protocol) -> Iterator[Finding]:
    """Some modes are only for a short time, and some do nothing in a shorter one."""
    if isinstance(protocol, Tens):
        path, minutes = ("dose", "duration_min"), protocol.dose.duration_min
        yield from _judge(protocol, path, minutes, protocol.mode.duration_min, "min", ())


def sweep_goes_somewhere(protocol: Protocol) -> Iterator[Finding]:
    """A modulation changes something."""
    if isinstance(protocol, TensModulated):
        to = protocol.modulation
        if to.rate_to_hz is None and to.phase_width_to_us is None and to.amplitude_to_percent is None:
            message = "changes nothing; state rate_to_hz, phase_width_to_us or amplitude_to_percent"
            yield Finding(("modulation",), message)


def sweep_stays_in_its_mode(protocol: Protocol) -> Iterator[Finding]:
    """The other end of the sweep has the mode's own numbers, too; all between lies between."""
    if isinstance(protocol, TensModulated):
        to, mode = protocol.modulation, protocol.mode
        if to.rate_to_hz is not None:
            yield from _judge(protocol, ("modulation", "rate_to_hz"), to.rate_to_hz, mode.rate_hz, "Hz", ())
        if to.phase_width_to_us is not None:
            path = ("modulation", "phase_width_to_us")
            yield from _judge(protocol, path, to.phase_width_to_us, mode.width_us, "µs", ())


def low_rate_is_low(protocol: Protocol) -> Iterator[Finding]:
    """What alternates with the high rate has the rate and width of the acupuncture-like mode."""
    if isinstance(protocol, TensAlternating):
        low, path = protocol.alternation, ("alternation", "low_rate_hz")
        yield from _judge(protocol, path, low.low_rate_hz, ALTERNATING_LOW_HZ, "Hz", ())
        if low.low_phase_width_us is not None:
            path = ("alternation", "low_phase_width_us")
            yield from _judge(protocol, path, low.low_phase_width_us, ALTERNATING_LOW_US, "µs", ())


_BURSTS: Final = ": it counts bursts, whose pulses stand 10 ms apart inside"


def _within(value: float, allowed: Range) -> bool:
    return allowed[0] <= value <= allowed[1]


def _judge(
    protocol: AnyTens, path: Path, value: float, allowed: Range, unit: str, fitting: Iterable[str], why: str = ""
) -> Iterator[Finding]:
    """The finding for a number outside its mode, with the modes that it belongs to or what else it may have meant."""
    if _within(value, allowed):
        return
    others = " or ".join(kind for kind in fitting if kind != protocol.kind)
    message = f"is not what {protocol.kind} means" + (f"; that is {others}" if others else why)
    words = f"{allowed[0]:g} to {allowed[1]:g} {unit}"
    yield Finding(path, message, f"{value} {unit}", words, protocol.mode.source)
