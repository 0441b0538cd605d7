"""Where doublets may stand, and how fast they may follow each other."""

from __future__ import annotations

from collections.abc import Iterator

from stimctl.limits import Effect
from stimctl.protocols import bounds, effective
from stimctl.protocols.findings import Finding
from stimctl.protocols.models import Protocol
from stimctl.protocols.output import Channel
from stimctl.protocols.tens import TensBurst
from stimctl.units import millihertz


def doublets_are_for_muscles(protocol: Protocol, index: int, channel: Channel) -> Iterator[Finding]:
    """Doublets raise a muscle's force (B.2); in what is only felt they have no meaning. Each counts as two pulses (A.6)."""
    pulses = channel.pulses_per_period
    if pulses == 1:
        return
    path = ("channel", index, "pulses_per_period")
    if protocol.effect is not Effect.MOTOR:
        packet = "; a burst's pulses are stated under [packet]" if isinstance(protocol, TensBurst) else ""
        yield Finding(path, f"doublets are for kinds that make muscles move{packet}", str(pulses), "1")
        return
    most_mhz = effective.limits(protocol, channel).rate_max_mhz
    if not pulses * millihertz(channel.rate_hz) <= most_mhz:
        value = f"{pulses} x {channel.rate_hz} Hz"
        message = "is too fast: each pulse of a doublet counts as one"
        allowed = f"rate_hz at most {most_mhz / pulses / 1e3:g} Hz with doublets"
        yield Finding(("channel", index, "rate_hz"), message, value, allowed, bounds.SOURCES["rate_max_mhz"])
