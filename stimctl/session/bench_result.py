"""What was found on the bench, and whether it is as it has to be. Every bound stands here, with where it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, final

from stimctl.boards import BoardFacts
from stimctl.records.profiles import Profile, Step
from stimctl.schedule import ChannelPlan
from stimctl.units import MS, ma_text

ACCURACY_PERCENT: Final = 20
"""Measured and set may differ by so much (IEC 60601-2-10: amplitude within 20 % of what is indicated; clinical reference, A.1)."""

STOP_US: Final = 100 * MS
"""Output is at zero so soon after a stop, plus one pulse (clinical reference, F.3). Judged is the board's own word, which
comes a little later: a board that confirms in time has stopped in time.
"""

DEAD_MAN_PERCENT: Final = 20
DEAD_MAN_US: Final = 100 * MS
"""A board may go on by itself for as long as it says, this share longer (the accuracy that the standard gives its times, A.1),
and one heartbeat (F.3), by which the host's last word may be older than the board's count.
"""


@final
@dataclass(slots=True)
class Result:
    """What was found so far; the fields are those of a :class:`~stimctl.records.profiles.Profile`."""

    steps: list[Step] = field(default_factory=list)
    stop_us: int | None = None
    dead_man_us: int | None = None
    dead_man_told: bool = False
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take(self, other: Result) -> None:
        """Add what another run has found."""
        self.steps += other.steps
        self.stop_us = other.stop_us if self.stop_us is None else self.stop_us
        self.dead_man_us = other.dead_man_us if self.dead_man_us is None else self.dead_man_us
        self.dead_man_told = self.dead_man_told or other.dead_man_told
        self.faults += other.faults
        self.notes += other.notes

    def profile(self, scheme: str, facts: BoardFacts, shape: ChannelPlan, *, stimctl: str, at: str) -> Profile:
        """The same, to be kept. ``at`` is the wall clock's time."""
        return Profile(
            board=scheme,
            serial=facts.serial,
            name=facts.name,
            firmware=facts.firmware,
            simulated=facts.simulated,
            stimctl=stimctl,
            at=at,
            output=shape.channel + 1,
            phase_width_us=shape.shape.phase_width_us,
            rate_mhz=shape.shape.rate_mhz,
            claimed_dead_man_ms=facts.dead_man_ms,
            stop_us=self.stop_us,
            dead_man_us=self.dead_man_us,
            dead_man_told=self.dead_man_told,
            steps=tuple(self.steps),
            faults=tuple(self.faults),
            notes=tuple(self.notes),
        )


def step_fault(level_ua: int, measured_ua: int) -> str:
    """What is wrong with a measured step, or ""."""
    if 100 * abs(measured_ua - level_ua) <= ACCURACY_PERCENT * level_ua:
        return ""
    return (
        f"{ma_text(measured_ua)} mA measured where {ma_text(level_ua)} mA were set;"
        f" at most {ACCURACY_PERCENT} % off is accurate (IEC 60601-2-10)"
    )


def stop_bound_us(rate_mhz: int) -> int:
    """The longest that a stop may take at this rate, in µs."""
    return STOP_US + 1_000_000_000 // rate_mhz


def stop_fault(stop_us: int, rate_mhz: int) -> str:
    """What is wrong with a stop that took ``stop_us``, or ""."""
    bound_us = stop_bound_us(rate_mhz)
    if stop_us <= bound_us:
        return ""
    return (
        f"the stop was confirmed after {-(-stop_us // MS)} ms; {bound_us // MS} ms are allowed: 100 ms and one pulse"
        " (clinical reference, F.3)"
    )


def dead_man_bound_us(claimed_ms: int) -> int:
    """The longest that a board may go on by itself which claims ``claimed_ms``, in µs."""
    return claimed_ms * MS * (100 + DEAD_MAN_PERCENT) // 100 + DEAD_MAN_US


def dead_man_fault(dead_man_us: int, claimed_ms: int) -> str:
    """What is wrong with a dead-man that took ``dead_man_us``, or ""."""
    if dead_man_us <= dead_man_bound_us(claimed_ms):
        return ""
    return (
        f"output went on by itself for {dead_man_us / 1e6:.1f} s after this computer fell silent; the board claims"
        f" {claimed_ms / 1e3:g} s"
    )
