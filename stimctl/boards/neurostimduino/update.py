"""The one door through which a driver's amplitudes leave for a NeuroStimDuino: what it has taken, and what comes next.

One register at a time, and each acts at once. So whatever lessens goes first, on every channel, and what increases only
then: on the way from one setting to another nothing flows that is more than either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, final

from stimctl.boards.neurostimduino.fit import TRAIN_S, told
from stimctl.boards.neurostimduino.words import CHANNELS, HostWord, Register, Set, Stimulate, Stop
from stimctl.errors import OurBug
from stimctl.pulse import PulseTrain
from stimctl.safety import Approved
from stimctl.units import MicroAmp

_LESSENING: Final = (Register.AMPLITUDE_UA, Register.WIDTH_US, Register.RATE_HZ)
"""Less of it is less output."""

_RISING: Final = (Register.WIDTH_US, Register.GAP_US, Register.RATE_HZ, Register.DELAY_MS, Register.AMPLITUDE_UA)
"""The amplitude last: it may be all that had been lowered."""


def at_zero(shapes: Mapping[int, PulseTrain]) -> Iterable[HostWord]:
    """What sets every register, with no amplitude anywhere: nobody knows what an earlier program has left in them.

    ``shapes`` are what the channels of a session give; the others are switched off.
    """
    yield Set(0, Register.RAMPING, 0)
    for channel in range(CHANNELS):
        yield Set(channel, Register.AMPLITUDE_UA, 0)
        yield Set(channel, Register.SYMMETRIC, 1)
        yield Set(channel, Register.ENABLED, int(channel in shapes))
    for channel, shape in sorted(shapes.items()):
        for register, value in told(shape.at(MicroAmp(0))).items():
            yield Set(channel, register, value)


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

    def next_word(self, approved: Approved) -> HostWord | None:
        """The next step towards what was approved; ``None`` where nothing is left to say."""
        wanted = _wanted(approved)
        for lessening in (True, False):
            for number, values in wanted.items():
                word = self._step(number, values, lessening=lessening)
                if word is not None:
                    return word
        return None

    def prolong(self, number: int, approved: Approved) -> HostWord | None:
        """Another train of a channel that runs, if what was approved last has it run; else ``None``."""
        runs = self.channels[number].since_us is not None
        return Stimulate(number, TRAIN_S) if runs and _wanted(approved)[number][Register.AMPLITUDE_UA] else None

    def _step(self, number: int, wanted: Mapping[Register, int], *, lessening: bool) -> HostWord | None:
        channel = self.channels[number]
        if not wanted[Register.AMPLITUDE_UA]:
            return Stop(number) if channel.since_us is not None else None
        for register in _LESSENING if lessening else _RISING:
            has, value = channel.values.get(register), wanted[register]
            if has is None or value < has or (value != has and not lessening):
                return Set(number, register, value)
        return None if lessening or channel.since_us is not None else Stimulate(number, TRAIN_S)

    def oldest(self) -> int | None:
        """The channel whose train was begun, or prolonged, first; ``None`` where none runs."""
        running = [(each.since_us, number) for number, each in enumerate(self.channels) if each.since_us is not None]
        return min(running)[1] if running else None


def _wanted(approved: Approved) -> Mapping[int, Mapping[Register, int]]:
    """By channel, what its registers have to say; amplitude 0 is a channel that is stopped."""
    if type(approved) is not Approved:
        raise OurBug(f"{type(approved).__name__} is not what the limiter approved")
    return {output.channel: told(output.train) for output in approved.command.outputs}
