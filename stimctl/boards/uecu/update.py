"""The one door through which a driver's amplitudes leave for a UECU board: its bounds, its events, and each go.

A go is a pulse, so that it is made from what was approved like any amplitude, and only where nothing that lessens has still
to be said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, final

from stimctl.boards.uecu.fit import APART_MS, period_ms, told
from stimctl.boards.uecu.words import CHANNELS, GAP_US, ChangeEvent, Go, HostWord, NewEvent, SetUp
from stimctl.errors import OurBug
from stimctl.pulse import PulseTrain
from stimctl.safety import Approved
from stimctl.units import MS

_NOTHING: Final = (0, 0)


def new_event(schedule: int, channel: int) -> HostWord:
    """The event of a channel, with no width and no amplitude."""
    return NewEvent(schedule, channel * APART_MS, channel, 0, 0)


def bounds(ceilings: Mapping[int, PulseTrain]) -> Sequence[HostWord]:
    """What the board itself shall give at most, channel by channel: a second limiter. A channel without a part gives nothing."""
    return tuple(_bound(channel, ceilings.get(channel)) for channel in range(CHANNELS))


def _bound(channel: int, ceiling: PulseTrain | None) -> HostWord:
    if ceiling is None:
        return SetUp(channel, 0, 0, GAP_US[0])
    width_us, amplitude_ma = told(ceiling)
    return SetUp(channel, amplitude_ma, width_us, ceiling.interphase_gap_us)


@final
class Events:
    """One event for each channel, by its number on the board; what each was told last. Nobody confirms it."""

    def __init__(self, events: Sequence[int], sync: int) -> None:
        self._events, self._sync = tuple(events), sync
        self._told: dict[int, tuple[int, int]] = {}

    def zeros(self) -> Sequence[HostWord]:
        """What brings every event to nothing: nobody has confirmed that the stop before did."""
        self._told.clear()
        return tuple(ChangeEvent(event, *_NOTHING) for event in self._events)

    def running_ua(self, channel: int) -> int:
        """What a go gives on ``channel``, µA."""
        width_us, amplitude_ma = self._told.get(channel, _NOTHING)
        return amplitude_ma * 1_000 if width_us else 0

    @property
    def any_runs(self) -> bool:
        """Whether a go gives anything."""
        return any(self.running_ua(channel) for channel in range(CHANNELS))

    def next_change(self, approved: Approved) -> tuple[int, HostWord] | None:
        """The next channel to be told something else, and what; what lessens goes first. ``None``: all is told."""
        wanted = _wanted(approved)
        new = [channel for channel, pulse in wanted.items() if pulse != self._told.get(channel, _NOTHING)]
        if not new:
            return None
        channel = min(new, key=lambda one: (not self._lessens(one, wanted[one]), one))
        return channel, ChangeEvent(self._events[channel], *wanted[channel])

    def changed(self, channel: int, approved: Approved) -> None:
        """The change of ``channel`` has left."""
        self._told[channel] = _wanted(approved)[channel]

    def go(self, approved: Approved) -> tuple[HostWord, int] | None:
        """One pulse on every channel that runs, and the period in µs before the next; ``None`` where none may come now."""
        wanted = _wanted(approved)
        if not self.any_runs or any(self._lessens(channel, pulse) for channel, pulse in wanted.items()):
            return None
        periods = {period_ms(each.train) for each in approved.command.outputs if self.running_ua(each.channel)}
        return Go(self._sync), max(periods) * MS

    def _lessens(self, channel: int, pulse: tuple[int, int]) -> bool:
        has = self._told.get(channel, _NOTHING)
        return pulse[0] < has[0] or pulse[1] < has[1]


def _wanted(approved: Approved) -> Mapping[int, tuple[int, int]]:
    """Width and amplitude by channel; nothing at all where the amplitude is zero."""
    if type(approved) is not Approved:
        raise OurBug(f"{type(approved).__name__} is not what the limiter approved")
    pulses = {output.channel: told(output.train) for output in approved.command.outputs}
    return {channel: pulse if pulse[1] else _NOTHING for channel, pulse in pulses.items()}
