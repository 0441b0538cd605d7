"""What each channel of a NeuroStimDuino has taken, by its own word, and what it has to be told next.

One register at a time, and each acts at once. So whatever lessens goes first, on every channel, and what increases only
then: on the way from one setting to another nothing flows that is more than either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from stimctl.boards.neurostimduino.words import CHANNELS, HostWord, Register, Set, Stimulate, Stop

SECONDS: Final = 1

_LESSENING: Final = (Register.AMPLITUDE_UA, Register.WIDTH_US, Register.RATE_HZ)
"""Less of it is less output."""

_RISING: Final = (Register.WIDTH_US, Register.GAP_US, Register.RATE_HZ, Register.DELAY_MS, Register.AMPLITUDE_UA)
"""The amplitude last: it may be all that had been lowered."""

Wanted = Mapping[int, Mapping[Register, int]]
"""By channel, what its registers have to say; amplitude 0 is a channel that is stopped."""


@final
class Channel:
    """What one channel has taken. ``since_us``: since when its train runs; ``None``: it does not."""

    def __init__(self) -> None:
        self.values: dict[Register, int] = {}
        self.since_us: int | None = None

    @property
    def running_ua(self) -> int:
        """What flows, µA, by the board's own words."""
        return 0 if self.since_us is None else self.values.get(Register.AMPLITUDE_UA, 0)


@final
class Picture:
    """All channels."""

    def __init__(self) -> None:
        self.channels = tuple(Channel() for _ in range(CHANNELS))

    def took(self, word: HostWord, now_us: int) -> None:
        """The board has confirmed ``word``, which was said at ``now_us``."""
        match word:
            case Set(channel, register, value):
                self.channels[channel].values[register] = value
            case Stimulate(channel):
                self.channels[channel].since_us = now_us
            case Stop(channel):
                self.channels[channel].since_us = None

    def next_word(self, wanted: Wanted) -> HostWord | None:
        """The next step towards ``wanted``; ``None`` where nothing is left to say."""
        for lessening in (True, False):
            for number, values in wanted.items():
                word = self._step(number, values, lessening=lessening)
                if word is not None:
                    return word
        return None

    def _step(self, number: int, wanted: Mapping[Register, int], *, lessening: bool) -> HostWord | None:
        channel = self.channels[number]
        if not wanted[Register.AMPLITUDE_UA]:
            return Stop(number) if channel.since_us is not None else None
        for register in _LESSENING if lessening else _RISING:
            has, value = channel.values.get(register), wanted[register]
            if has is None or value < has or (value != has and not lessening):
                return Set(number, register, value)
        return None if lessening or channel.since_us is not None else Stimulate(number, SECONDS)

    def oldest(self) -> int | None:
        """The channel whose train was begun, or prolonged, first; ``None`` where none runs."""
        running = [(each.since_us, number) for number, each in enumerate(self.channels) if each.since_us is not None]
        return min(running)[1] if running else None
