"""Every word of ScienceMode 2 that we speak or hear, as frozen values. Amplitudes in µA, times in µs.

Channels count from 1 in a channel list, as on the board, and from 0 in a single pulse, as on the wire. ``result`` is the
number that came: :class:`~codes.Result` gives names to those that are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, final

# --- host to board ---------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True)
class Bare:
    """A command that is its number and nothing else: watchdog, stop, and the question for the mode."""

    command: int


@final
@dataclass(frozen=True, slots=True)
class InitChannelList:
    """Which channels will be used, and how often. No amplitudes yet.

    ``inter_pulse_us`` lies between the pulses of a group, 1,500 to 129,000; ``main_us`` between groups, 1,500 to
    1,025,000, or 1,000 for a list that runs once for each start; both in steps of 500. A low frequency channel skips
    ``low_frequency_factor`` rounds, 0 to 7. ``execution`` 0 keeps fixed slots of 1.5 ms.
    """

    active: tuple[int, ...]
    inter_pulse_us: int
    main_us: int
    low_frequency: tuple[int, ...] = ()
    low_frequency_factor: int = 0
    execution: int = 0


@final
class Group(NamedTuple):
    """What one channel of a list gives: 1 to 3 pulses of ``width_us`` (0, or 20 to 500) and ``current_ua`` (whole mA)."""

    pulses: int
    width_us: int
    current_ua: int


@final
@dataclass(frozen=True, slots=True)
class StartChannelList:
    """Start the list, or change what it gives: one group for each active channel, in rising order, none left out."""

    groups: tuple[Group, ...]


@final
@dataclass(frozen=True, slots=True)
class SinglePulse:
    """One pulse, now; ``channel`` is 0 to 7."""

    channel: int
    width_us: int
    current_ua: int


# --- board to host ---------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True)
class Init:
    """The board is there, and unconnected: all settings are gone, and output has stopped. Repeated until acknowledged."""

    version: int


@final
@dataclass(frozen=True, slots=True)
class Ack:
    """One signed byte: what became of a command, or why the board has stopped by itself (StimulationError)."""

    command: int
    result: int


@final
@dataclass(frozen=True, slots=True)
class ModeAck:
    """The board's mode, or a MOTOmed's; ``mode`` is there if ``result`` is 0, and only then."""

    command: int
    result: int
    mode: int | None


@final
@dataclass(frozen=True, slots=True)
class UnknownCommand:
    """The board did not know the command with this number."""

    unknown: int


@final
@dataclass(frozen=True, slots=True)
class ActualValues:
    """Where a MOTOmed is, every 20 ms while it is driven: minus is backward, or passive. Known and not used."""

    angle_deg: int
    speed_rpm: int
    torque_dnm: int


@final
@dataclass(frozen=True, slots=True)
class PhaseResult:
    """What a MOTOmed's phase came to. Known and not used."""

    counter: int
    passive_distance_dam: int
    active_distance_dam: int
    mean_power_w: int
    peak_power_w: int
    duration_s: int
    active_duration_s: int
    work_j: int
    success_percent: int
    symmetry_left_percent: int
    muscle_tone_dnm: int


# --- either way ------------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True)
class Motomed:
    """A command for a MOTOmed. Known, so that a twin can answer that there is none; never sent."""

    command: int
    payload: bytes


@final
@dataclass(frozen=True, slots=True)
class Unknown:
    """An intact frame with a command that is none; a board answers it with :class:`UnknownCommand`."""

    command: int
    payload: bytes


@final
@dataclass(frozen=True, slots=True)
class Senseless:
    """An intact frame with a command of ours and a payload that is none of its; ``why`` is for a record.

    A board answers it with :attr:`~codes.Result.PARAMETER`; a host takes it for no answer at all.
    """

    command: int
    payload: bytes
    why: str


Output = StartChannelList | SinglePulse
"""What can make current flow."""
HostWord = Bare | InitChannelList | StartChannelList | SinglePulse
BoardWord = Init | Ack | ModeAck | UnknownCommand | ActualValues | PhaseResult
Word = HostWord | BoardWord
Heard = Word | Motomed | Unknown | Senseless
