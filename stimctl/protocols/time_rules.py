"""What bursts, rests and the whole treatment must be, in time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stimctl.protocols import bounds, effective
from stimctl.protocols.fes import Fes, FesEmgTriggered, FesSwitchTriggered, Motor
from stimctl.protocols.findings import Finding
from stimctl.protocols.following import Led
from stimctl.protocols.models import Protocol
from stimctl.protocols.sequence import FesSequence
from stimctl.units import MINUTE, microseconds, seconds_text

BEFORE_TREATMENT_US: Final = 10 * MINUTE
"""Kept free of a site's time (project): thresholds, trial and the pauses between count as stimulation of the site.

Two minutes of pressing to 60 mA, a step each half second, then a trial burst or two with their rests, and pads that are
put on again once. A treatment that filled the site's time to the end would be stopped before its own end."""


def burst_is_within_limits(protocol: Protocol) -> Iterator[Finding]:
    """Ramp-up, on-time and duty of motor stimulation; ramps count as on (A.6)."""
    if not isinstance(protocol, Fes):
        return
    burst, limits = protocol.burst, effective.narrowest(protocol)
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
    length, limit = session_us(protocol), effective.narrowest(protocol).site_time_us - BEFORE_TREATMENT_US
    if not length <= limit:
        field = "repetitions" if isinstance(protocol, Motor) else "duration_min"
        message = "makes the treatment too long for one site: finding thresholds and the trial count there too"
        value, allowed = f"{length / MINUTE:.4g} min", f"at most {limit / MINUTE:g} min"
        yield Finding(("dose", field), message, value, allowed, bounds.SOURCES["site_time_us"])


def set_rest_is_stated(protocol: Protocol) -> Iterator[Finding]:
    """More than one set needs a rest between them that somebody decided on."""
    if not isinstance(protocol, Motor):
        return
    dose = protocol.dose
    if dose.sets > 1 and dose.set_rest_s == 0 and "set_rest_s" not in dose.model_fields_set:
        yield Finding(("dose", "set_rest_s"), "is missing: with more than one set, state the rest between them")


def session_us(protocol: Protocol) -> int:
    """Longest length of a session in µs from its first burst to its last: bursts, rests, set rests and waiting.

    Where the patient is listened to without a cue, the waiting is not known and counts as nothing.
    """
    if not isinstance(protocol, Motor):
        return protocol.dose.duration_us
    dose = protocol.dose
    cycle = _window_us(protocol) + sum(map(microseconds, _parts(protocol)))
    return dose.sets * dose.repetitions * cycle + (dose.sets - 1) * microseconds(dose.set_rest_s)


def _parts(protocol: Fes | FesSequence | Led) -> list[int | float]:
    """What one movement, the rest after it and a script before it are made of, in s."""
    if isinstance(protocol, Led):
        return [protocol.cycle.open_s, protocol.cycle.ramp_down_s, protocol.cycle.relax_s]
    if isinstance(protocol, FesSequence):
        return [*(phase.length_s for phase in protocol.phases), protocol.sequence.rest_s]
    burst = protocol.burst
    script = protocol.script if isinstance(protocol, FesEmgTriggered | FesSwitchTriggered) else ()
    return [*(each.length_s for each in script), burst.ramp_up_s, burst.hold_s, burst.ramp_down_s, burst.rest_s]


def _window_us(protocol: Fes | FesSequence | Led) -> int:
    """How long at most something is waited for that sets the movement off, in µs."""
    if isinstance(protocol, FesEmgTriggered | FesSwitchTriggered | FesSequence):
        told = protocol.switch if isinstance(protocol, FesSwitchTriggered) else protocol.trigger
        if isinstance(protocol, FesSequence) and protocol.switch is not None:
            told = protocol.switch
        return microseconds(told.attempt_window_s or 0) if told is not None else 0
    return 0
