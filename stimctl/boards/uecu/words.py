"""The words of the UECU board: a schedule that repeats, events in it that are one pulse each, and limits by channel.

A host makes a schedule with a period, an event in it for each channel, and says go; from then on it changes the events.
Channels count from 0 here and on the wire. Amplitudes are whole mA and widths whole µs on this board, and in these words.

Left out on purpose: trigger lines, moving events between schedules, and pulses whose phases differ (whether the board's
limit holds before or after the larger one is scaled up is not documented).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

CHANNELS: Final = 4
AMPLITUDE_MA_MAX: Final = 100
WIDTH_US_MAX: Final = 255
GAP_US: Final = (10, 65_535)
PERIOD_MS: Final = (1, 65_535)
ONCE: Final = 0
"""The period of a schedule that runs once for each go: the only way that ends by itself."""

# --- host to board ---------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True)
class Halt:
    """End all schedules. Pulses whose time in the period is still to come may follow, one a channel."""


@final
@dataclass(frozen=True, slots=True)
class SetUp:
    """What a channel may put out at most, written into the board, which holds to it; and the gap between the phases."""

    channel: int
    amplitude_ma: int
    width_us: int
    gap_us: int


@final
@dataclass(frozen=True, slots=True)
class NewSchedule:
    """Make a schedule of ``period_ms``, or :data:`ONCE`, that :class:`Go` with the same ``sync`` starts."""

    sync: int
    period_ms: int


@final
@dataclass(frozen=True, slots=True)
class ChangeSchedule:
    """Another period for a schedule, living or not."""

    schedule: int
    sync: int
    period_ms: int


@final
@dataclass(frozen=True, slots=True)
class DropSchedule:
    """Forget a schedule."""

    schedule: int


@final
@dataclass(frozen=True, slots=True)
class NewEvent:
    """One pulse on ``channel``, ``delay_ms`` after each beginning of the schedule."""

    schedule: int
    delay_ms: int
    channel: int
    width_us: int
    amplitude_ma: int


@final
@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """From the next pulse on, another width and amplitude. Not answered unless it fails."""

    event: int
    width_us: int
    amplitude_ma: int


@final
@dataclass(frozen=True, slots=True)
class DropEvent:
    """Forget an event."""

    event: int


@final
@dataclass(frozen=True, slots=True)
class Go:
    """Start all schedules of this ``sync``; those that run once do so again."""

    sync: int


HostWord = Halt | SetUp | NewSchedule | ChangeSchedule | DropSchedule | NewEvent | ChangeEvent | DropEvent | Go

# --- board to host ---------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True)
class ScheduleMade:
    """Answer to :class:`NewSchedule`."""

    schedule: int


@final
@dataclass(frozen=True, slots=True)
class EventMade:
    """Answer to :class:`NewEvent`."""

    event: int
    schedule: int
    channel: int


@final
@dataclass(frozen=True, slots=True)
class Failed:
    """The board could not do something of type ``failed``; what ``code`` means is not documented."""

    code: int
    failed: int


@final
@dataclass(frozen=True, slots=True)
class EventFailed:
    """An event could not be put out, or not be made or changed."""

    code: int
    event: int
    channel: int


@final
@dataclass(frozen=True, slots=True)
class Unknown:
    """An intact frame that says nothing we know."""

    type: int
    data: bytes


BoardWord = ScheduleMade | EventMade | Failed | EventFailed | Unknown
