"""Every word of the reference board's language, as frozen values; the bytes are ``hw/wire.md`` and ``layout``.

The host speaks :data:`HostWord`, the board :data:`BoardWord`. All commands are absolute and idempotent: there is
no "raise by", no toggle, nothing that means more when it arrives twice. Amplitudes in µA, widths in µs, rates in
mHz, as everywhere below the protocol model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from stimctl.boards.reference.codes import NO_OUTPUT, NO_RULE, Capability, Cause, Reason, Trouble
from stimctl.pulse import PulseTrain

# --- host to board ---------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True)
class Hello:
    """Who is there? Answered by :class:`Identity`, then :class:`LimitsTable`. Changes nothing."""


@final
@dataclass(frozen=True, slots=True)
class Arm:
    """Open a session at zero. The frame's token is the new session's token, never 0.

    ``challenge`` is the one in the board's newest identity or report: it differs after every boot, arm and stop, so
    that no recorded ARM can ever work again. ``dead_man_ms`` is 50 to 500. Bit *n* of ``outputs`` admits output *n*.
    ``limits_crc`` is the CRC-32 of the table that the host expects.
    """

    challenge: int
    dead_man_ms: int
    outputs: int
    limits_crc: int
    loop_counter: int
    host_ms: int


@final
@dataclass(frozen=True, slots=True)
class Configure:
    """What one output may deliver at most in this session; a zero amplitude locks the output.

    Accepted while every output is at zero, else only if no bound grows. An output that was never configured is locked.
    ``recovery_width_us`` bounds the recovery phase; its amplitude is bounded by ``amplitude_ua`` too.
    """

    output: int
    amplitude_ua: int
    phase_width_us: int
    interphase_gap_us: int
    recovery_width_us: int
    rate_mhz: int
    pulses_per_period: int


@final
@dataclass(frozen=True, slots=True)
class Entry:
    """One output's train in an :class:`Update`."""

    output: int
    train: PulseTrain


@final
@dataclass(frozen=True, slots=True)
class Update:
    """The whole state of all outputs, from now on; an output without an entry is at zero.

    Entries stand in ascending order of output. Only ``update.encode_update`` writes one, and only from an
    ``Approved``; this class is what the board side reads.
    """

    loop_counter: int
    host_ms: int
    entries: tuple[Entry, ...]


@final
@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Feeds the dead-man, if and only if ``loop_counter`` has advanced. The control loop alone counts it up."""

    loop_counter: int
    host_ms: int


@final
@dataclass(frozen=True, slots=True)
class Stop:
    """All outputs to zero, now, and the token is dead. Any token, sequence and version will do; never refused."""


@final
@dataclass(frozen=True, slots=True)
class StatusRequest:
    """How are you? Answered by :class:`Status`."""


@final
@dataclass(frozen=True, slots=True)
class Listen:
    """Analog-in samples at ``rate_hz``, or none when it is 0."""

    rate_hz: int


# --- board to host ---------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True)
class Identity:
    """Who the board is. Steps are what its amplitude, width and rate are multiples of.

    ``analog_rate_hz`` is the rate it samples best at, 0 without an analog input.
    """

    name: str
    serial: str
    firmware: str
    outputs: int
    amplitude_step_ua: int
    width_step_us: int
    rate_step_mhz: int
    capabilities: Capability
    analog_rate_hz: int
    challenge: int


@final
@dataclass(frozen=True, slots=True)
class LimitsTable:
    """The limits that the board's own limiter enforces; names and units as in ``limits.Limits``.

    The order is the wire's order, and a rule number in a :class:`Nak` is an index into it.
    """

    peak_ua: int
    phase_width_min_us: int
    phase_width_max_us: int
    interphase_gap_max_us: int
    rate_min_mhz: int
    rate_max_mhz: int
    pulses_per_period_max: int
    charge_nc: int
    rms_ua: int
    energy_uj: int
    net_charge_permille: int
    mean_dc_na: int
    ramp_up_min_us: int


@final
@dataclass(frozen=True, slots=True)
class Ack:
    """The command with sequence ``reply_to`` has been carried out."""

    reply_to: int


@final
@dataclass(frozen=True, slots=True)
class Nak:
    """The command with sequence ``reply_to`` has not been carried out, and why."""

    reply_to: int
    reason: Reason
    output: int = NO_OUTPUT
    rule: int = NO_RULE


@final
@dataclass(frozen=True, slots=True)
class OutputReport:
    """One output: what the board applies, what it measures, and the contact.

    ``None`` means not known (no sensor, or no pulse yet). ``impedance_ohm`` needs current to be measured; an open
    circuit is :attr:`Trouble.OPEN`.
    """

    applied_ua: int
    measured_ua: int | None
    impedance_ohm: int | None
    trouble: Trouble = Trouble.NONE


@final
@dataclass(frozen=True, slots=True)
class Report:
    """The board's state, in :class:`Status` and :class:`Stopped`; the frame's token is the session's, or 0.

    ``cause`` says why the board disarmed last. ``dead_man_ms`` is what is left before it trips, 0 when disarmed.
    """

    armed: bool
    listening: bool
    stop_button: bool
    cause: Cause
    challenge: int
    last_sequence: int
    uptime_ms: int
    dead_man_ms: int
    outputs: tuple[OutputReport, ...]


@final
@dataclass(frozen=True, slots=True)
class Status:
    """Answer to a :class:`StatusRequest`."""

    reply_to: int
    report: Report


@final
@dataclass(frozen=True, slots=True)
class Stopped:
    """Answer to the :class:`Stop` with that sequence: every output is at zero, and this is what the board measures."""

    reply_to: int
    report: Report


@final
@dataclass(frozen=True, slots=True)
class Samples:
    """A chunk of the analog input.

    ``first_index`` counts samples since the board started to listen, modulo 2^32. ``values`` are signed 16-bit,
    ``scale_nv`` nV at the input for each; -32768 and 32767 are the rails. ``board_time_us`` is the board's clock at
    the first value. ``pulses`` are indices into ``values`` at which a stimulation pulse began.
    """

    first_index: int
    rate_hz: int
    scale_nv: int
    board_time_us: int
    values: tuple[int, ...]
    pulses: tuple[int, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class Event:
    """Something that the board tells unasked. It may get lost; the report's ``cause`` does not."""

    cause: Cause
    output: int
    value: int
    uptime_ms: int


HostWord = Hello | Arm | Configure | Update | Heartbeat | Stop | StatusRequest | Listen
BoardWord = Identity | LimitsTable | Ack | Nak | Status | Stopped | Samples | Event
Word = HostWord | BoardWord
