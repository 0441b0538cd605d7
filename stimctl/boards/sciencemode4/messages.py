"""Every word of ScienceMode 3 and 4 that we speak or hear, as frozen values. Amplitudes in µA, times in µs.

Channels count from 0 in an update, where 4 to 7 are those of the second socket. ``result`` and every other code that a
board tells is the number that came: :class:`~codes.Result` and its like give names to those that are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, final

from stimctl.boards.sciencemode4.codes import HighVoltage, Measurement


@final
class Point(NamedTuple):
    """One step of a pulse: the current, signed, and how long it flows. A pulse is a chain of these.

    ``duration_us`` is 0 or 10 to 4095, ``current_ua`` -150,000 to 150,000 in steps of 500.
    """

    duration_us: int
    current_ua: int


# --- host to board ---------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True)
class Bare:
    """A command that is its number and nothing else: both stops, reset, and all questions but one."""

    command: int


@final
@dataclass(frozen=True, slots=True)
class LlInit:
    """Open the low level, in which the host times every pulse. Turns the high voltage on unless told otherwise."""

    high_voltage: int = HighVoltage.STANDARD
    measurement: int = Measurement.NONE


@final
@dataclass(frozen=True, slots=True)
class ChannelConfig:
    """One pulse of the low level, given at once if ``execute``.

    ``colour`` is 0 to 3 (red, blue, black, white), ``socket`` 0 (yellow) or 1 (green). Without ``execute`` the vendor's
    library sends no points and only says how many: that is ``declared``, which is ``None`` wherever there are points.
    """

    colour: int
    socket: int
    points: tuple[Point, ...]
    execute: bool = True
    declared: int | None = None


@final
@dataclass(frozen=True, slots=True)
class MlInit:
    """Open the mid level, in which the board repeats a pattern. Turns the high voltage on."""

    stop_all_on_error: bool = False


@final
@dataclass(frozen=True, slots=True)
class Pattern:
    """What one channel repeats. ``ramp`` is how many pulses rise to the full current when it is switched on, 0 to 15.

    ``period_us`` is 500 to 16,383,000 in steps of 500, or with ``quarter_ms`` 250 to 8,191,750 in steps of 250.
    """

    channel: int
    period_us: int
    points: tuple[Point, ...]
    ramp: int = 0
    quarter_ms: bool = False


@final
@dataclass(frozen=True, slots=True)
class Update:
    """The whole picture of the mid level: a channel without a pattern is switched off. No pattern at all is legal.

    ``patterns`` stand in ascending order of channel.
    """

    patterns: tuple[Pattern, ...]


@final
@dataclass(frozen=True, slots=True)
class GetCurrentData:
    """How are the channels? Keeps the mid level alive: the board stops by itself 2 s after the last one or update."""

    selection: int


# --- board to host ---------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True)
class Ack:
    """An answer that is a result and nothing more, be it that its command has no other or that it went wrong."""

    command: int
    result: int


@final
@dataclass(frozen=True, slots=True)
class ChannelConfigAck:
    """What became of a pulse of the low level; comes after it. ``samples`` are the board's numbers, not yet scaled.

    ScienceMode 3 has neither ``socket`` nor ``measurement``. ``sampling_us`` is 0 without a measurement.
    """

    result: int
    colour: int
    socket: int = 0
    measurement: int = Measurement.NONE
    sampling_us: int = 0
    samples: tuple[int, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class ChannelStates:
    """Answer to a question for all channels: whether each is active, and its :class:`~codes.ChannelState`."""

    result: int
    active: tuple[bool, ...]
    states: tuple[int, ...]


@final
@dataclass(frozen=True, slots=True)
class ElectrodeErrors:
    """Answer to a question for electrodes alone: whether the mid level is running, and each channel's error (4 or 8)."""

    result: int
    running: bool
    errors: tuple[bool, ...]


@final
@dataclass(frozen=True, slots=True)
class DeviceId:
    """The device's id, at most ten characters."""

    result: int
    device_id: str


@final
@dataclass(frozen=True, slots=True)
class Battery:
    """How full the battery is, in % and mV. P24 has none."""

    result: int
    level_percent: int
    voltage_mv: int


@final
@dataclass(frozen=True, slots=True)
class StimStatus:
    """Which level is active (:class:`~codes.Status`), and what feeds the output stage (:class:`~codes.HighVoltage`)."""

    result: int
    status: int
    high_voltage: int


@final
@dataclass(frozen=True, slots=True)
class MainStatus:
    """One byte whose meaning stands in no document at hand."""

    result: int
    status: int


@final
@dataclass(frozen=True, slots=True)
class Version:
    """Answer to both Get_version_main and Get_version_stim: major, minor and revision of firmware and ScienceMode."""

    command: int
    result: int
    firmware: tuple[int, int, int]
    science_mode: tuple[int, int, int]


@final
@dataclass(frozen=True, slots=True)
class ExtendedVersion:
    """Versions and the firmware's hash: type 0 none, 1 git, 2 MD5, 3 SHA-256; ``hash_valid`` is 0 or 1."""

    result: int
    firmware: tuple[int, int, int]
    science_mode: tuple[int, int, int]
    firmware_hash: bytes
    hash_type: int
    hash_valid: int


# --- either way ------------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True)
class Unknown:
    """An intact frame with a command that is none of ours; a board answers it with :attr:`~codes.Command.UNKNOWN_COMMAND`."""

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


Output = ChannelConfig | Update
"""What can make current flow."""
HostWord = Bare | LlInit | ChannelConfig | MlInit | Update | GetCurrentData
BoardWord = (
    Ack
    | ChannelConfigAck
    | ChannelStates
    | ElectrodeErrors
    | DeviceId
    | Battery
    | StimStatus
    | MainStatus
    | Version
    | ExtendedVersion
)
Word = HostWord | BoardWord
Heard = Word | Unknown | Senseless
