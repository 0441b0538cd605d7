"""What a driver says: its states, what it knows of the output, and the events that ``poll`` returns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, final

from stimctl.boards import BoardFacts
from stimctl.boards.reference.codes import Cause, Reason
from stimctl.boards.reference.messages import OutputReport, Samples
from stimctl.errors import BoardFault, LinkLost


@final
class DriverState(StrEnum):
    """Where a driver stands with its board."""

    CONNECTING = "connecting"  # not yet introduced, or not yet known to be at zero
    DISARMED = "disarmed"
    ARMING = "arming"
    ARMED = "armed"
    STOPPING = "stopping"  # a stop is out and the board has not confirmed it
    STOPPED = "stopped"  # confirmed; as DISARMED, but by a stop
    LOST = "lost"  # for good: another connection is another driver


@final
class OutputState(StrEnum):
    """What is known about output, from the board's own words alone."""

    OFF = "off"  # the board says that it is disarmed, at zero, and measures no current
    ON = "on"  # armed, or told to arm, be it at 0 mA (clinical reference, R3), or current where none should be
    UNKNOWN = "unknown"  # something is not confirmed: possibly energised


@final
@dataclass(frozen=True, slots=True)
class Setup:
    """The most that one board output may deliver in a session; the board's own limiter enforces it.

    The recovery phase may have ``amplitude_ua`` too, and last ``recovery_width_us``.
    """

    output: int
    amplitude_ua: int
    phase_width_us: int
    interphase_gap_us: int
    recovery_width_us: int
    rate_mhz: int
    pulses_per_period: int = 1


# --- events ----------------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True)
class Connected:
    """The board has introduced itself, its limits are ours or narrower, and it has confirmed to be at zero."""

    facts: BoardFacts


@final
@dataclass(frozen=True, slots=True)
class Armed:
    """The board is armed, at zero, with every ceiling set."""


@final
@dataclass(frozen=True, slots=True)
class Stopped:
    """The board has confirmed a stop: disarmed, at zero, no current measured."""


@final
@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """A stop has been said as often as it is, and its time is over; this board has no word for having stopped."""


@final
@dataclass(frozen=True, slots=True)
class Disarmed:
    """The board has disarmed itself while it should have been armed; a stop is on its way."""

    cause: Cause
    text: str


@final
@dataclass(frozen=True, slots=True)
class Refused:
    """The board did not carry out a command. ``rule`` names the entry of its limits table, or is empty."""

    command: str
    reason: Reason
    output: int | None
    rule: str
    text: str


@final
@dataclass(frozen=True, slots=True)
class Reported:
    """The board's newest report. ``outputs[n]`` is output *n*; amplitudes in µA, impedance in ohm."""

    armed: bool
    listening: bool
    stop_button: bool
    outputs: tuple[OutputReport, ...]


@final
@dataclass(frozen=True, slots=True)
class Faulted:
    """What the board shows must not be; a stop is on its way, or has not taken effect (``output`` tells where).

    ``pads``: it is about what is stuck on, found in time; nobody doubts that the output goes to zero.
    """

    error: BoardFault
    output: int | None = None
    pads: bool = False


@final
@dataclass(frozen=True, slots=True)
class Told:
    """Something that the board told unasked, as it stands on the wire."""

    cause: Cause
    output: int | None
    value: int


@final
@dataclass(frozen=True, slots=True)
class Analog:
    """Samples of the analog input; ``missing`` were lost right before these."""

    samples: Samples
    missing: int


@final
@dataclass(frozen=True, slots=True)
class Lost:
    """The link is gone for good; output is unknown until a new connection, or a person at the switch, says more."""

    error: LinkLost


BoardEvent = Connected | Armed | Stopped | Unconfirmed | Disarmed | Refused | Reported | Faulted | Told | Analog | Lost

CAUSE_TEXT: Final = {
    Cause.NONE: "no reason given",
    Cause.RESET: "the board was reset",
    Cause.DEAD_MAN: "the board's dead-man tripped: no progress from the host",
    Cause.CONTACT_LOST: "a pad has lost contact",
    Cause.LIMIT_REFUSED: "the board's own limiter refused a setting",
    Cause.STOP_BUTTON: "the board's stop button was pressed",
    Cause.OUTPUT_FAULT: "the board measures another current than it was told",
    Cause.STOP_COMMAND: "the board was stopped",
}

REASON_TEXT: Final = {
    Reason.STALE: "it was older than one already carried out",
    Reason.TOKEN: "it belongs to another session",
    Reason.EXPIRED: "it took too long on the way",
    Reason.MALFORMED: "its content makes no sense to the board",
    Reason.NOT_ARMED: "the board is not armed",
    Reason.ARMED: "the board is armed already",
    Reason.CHALLENGE: "the board has been stopped or reset meanwhile; arm again",
    Reason.LIMITS: "the board's limits have changed; connect again",
    Reason.DEAD_MAN: "the board does not offer this dead-man time",
    Reason.OUTPUT: "the board has no such output, or it is not part of this session",
    Reason.LIMIT: "it is beyond the board's limits",
    Reason.CEILING: "it is beyond what this session may deliver",
    Reason.RISE: "it rises faster than the board allows",
    Reason.WIDENING: "a ceiling cannot grow once output has been on; stop, then arm again",
    Reason.FAULT: "the board reports a fault, an open contact, or its stop button",
    Reason.UNSUPPORTED: "the board cannot do that",
}
