"""What a board of ScienceMode 3 or 4 keeps: patterns that it repeats by itself, and pulses that wait to be given."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import Final, final

from stimctl.boards.sciencemode4.codes import ChannelState
from stimctl.boards.sciencemode4.messages import ChannelConfig, Pattern
from stimctl.sim.felt import Felt
from stimctl.sim.sciencemode_pulse import SPACE_US, lasts_us
from stimctl.units import SECOND

KEPT_ALIVE_US: Final = 2 * SECOND
"""The mid level stops by itself so long after the last update, or the last question how the channels are."""

QUEUE_MAX: Final = 10
"""Pulses of the low level that may wait."""

_FULL_MS: Final = 1_000  # of pulses in each second: then nothing comes at all


@final
@dataclass(slots=True)
class Running:
    """One channel of the mid level. A pulse begins, or would have begun, at ``anchor_us``; ``begun`` came before it."""

    pattern: Pattern
    anchor_us: int
    ramp: int
    begun: int = 0

    def place(self, now_us: int) -> int:
        """How many pulses have come before the newest one, or before the first that is to come."""
        return self.begun + max(0, (now_us - self.anchor_us) // self.pattern.period_us)

    def parts(self, now_us: int) -> tuple[int, int]:
        """Which share of the full current flows: the ramp rises by equal steps."""
        return min(self.place(now_us), self.ramp) + 1, self.ramp + 1

    def edge_us(self, now_us: int) -> int | None:
        """When the share changes next."""
        place = self.place(now_us)
        return None if place >= self.ramp else self.anchor_us + (place - self.begun + 1) * self.pattern.period_us

    def with_pattern(self, pattern: Pattern, now_us: int, first_us: int) -> Running:
        """Changed while it runs: its clock goes on, unless the period changes; what has risen does not rise anew."""
        if pattern.period_us == self.pattern.period_us:
            return Running(pattern, self.anchor_us, self.ramp, self.begun)
        begun = self.place(now_us) + (now_us >= self.anchor_us)
        return Running(pattern, first_us, self.ramp, begun)


@final
@dataclass(slots=True)
class MidLevel:
    """The whole picture: which channels run, and what became of those that do not any more."""

    channels: int
    stop_all: bool
    running: dict[int, Running] = field(default_factory=dict)
    states: dict[int, ChannelState] = field(default_factory=dict)
    deadline_us: int | None = None

    def update(self, patterns: Iterable[Pattern], now_us: int) -> None:
        """Replace the picture. Channels that begin together take turns: there is one source for all."""
        before, first_us = self.running, now_us
        self.running, self.states = {}, {}
        for pattern in patterns:
            old = before.get(pattern.channel)
            new = Running(pattern, first_us, pattern.ramp)
            self.running[pattern.channel] = new if old is None else old.with_pattern(pattern, now_us, first_us)
            first_us += lasts_us(pattern.points) + SPACE_US
        self.keep_alive(now_us)

    def keep_alive(self, now_us: int) -> None:
        """The host is there."""
        self.deadline_us = now_us + KEPT_ALIVE_US if self.running else None

    def fail(self, channel: int, state: ChannelState) -> None:
        """Something is wrong at a channel: it stops, or all do."""
        self.states[channel] = state
        if self.stop_all:
            self.running.clear()
        self.running.pop(channel, None)

    @property
    def overloaded(self) -> bool:
        """Whether so much was asked for that the board gives nothing, and does not say so."""
        each = (
            Fraction(lasts_us(each.pattern.points) + SPACE_US, each.pattern.period_us) for each in self.running.values()
        )
        return ceil(sum(each, Fraction()) * _FULL_MS) >= _FULL_MS

    def due_us(self, since_us: int) -> Iterator[int]:
        """When something changes by itself, after ``since_us``."""
        if self.deadline_us is not None:
            yield self.deadline_us
        for running in self.running.values():
            edge_us = running.edge_us(since_us)
            if edge_us is not None:
                yield edge_us


@final
@dataclass(frozen=True, slots=True)
class Waiting:
    """A pulse of the low level, and the number of the frame that asked for it."""

    number: int
    word: ChannelConfig


@final
@dataclass(slots=True)
class LowLevel:
    """Pulses that wait, and the one that is being given."""

    measurement: int
    queue: deque[Waiting] = field(default_factory=deque)
    giving: tuple[int, int, bytes] | None = None
    """Until when, at which output, and what is said of it then."""
    felt: Felt = field(default_factory=Felt)

    def due_us(self, now_us: int) -> Iterator[int]:
        """When something changes by itself."""
        yield from self.felt.rests_us.values()
        if self.giving is not None:
            yield self.giving[0]
        elif self.queue:
            yield now_us
