"""What everybody has to write and read: the numbers of it, in µA and µs, never twice the same in a row."""

from __future__ import annotations

import random
from typing import Final, NamedTuple

UPDATE: Final = "update, 8 channels of 16 points: written"
UPDATE_NUMBERS: Final = "the same, words made of numbers first"
UPDATE_NEW: Final = "the same, points never met before"
PULSE_NEW: Final = "the same, points never met before "
PULSE: Final = "pulse of 3 points: written"
PULSE_NUMBERS: Final = "the same, words made of numbers first "
ANSWERS: Final = "answers of a session: read"
ANSWERS_NEW: Final = "answers never met before: read"
UPDATE_READ: Final = "update, 8 channels of 16 points: read"
LIST: Final = "ScienceMode 2, list of 8 channels: written"
ACKS: Final = "ScienceMode 2, answers: read"


class Job(NamedTuple):
    """One row. ``goal`` is how many times `science-mode-4`, or 0; ``passes`` how often the same few frames are done."""

    name: str
    goal: int = 0
    passes: int = 1


JOBS: Final = (
    *(
        Job(UPDATE, 500, 8),
        Job(UPDATE_NUMBERS, 0, 8),
        Job(UPDATE_NEW, 0, 8),
        Job(PULSE, 50, 8),
        Job(PULSE_NUMBERS, 0, 8),
        Job(PULSE_NEW, 0, 8),
    ),
    *(Job(ANSWERS, 40), Job(ANSWERS_NEW), Job(UPDATE_READ), Job(LIST, 0, 8), Job(ACKS)),
)

FEW: Final = 16
"""Frames that are prepared at a time, all with other amplitudes."""

FRAMES: Final = 261
"""Frames of a sort before they repeat: one for each amplitude of the device, 0 to 130 mA."""

STEP_UA: Final = 500
PERIOD_US: Final = 20_000
RAMP: Final = 3

Points = tuple[tuple[int, int], ...]
"""µs, µA."""


def amplitudes() -> list[int]:
    """All amplitudes of the device once, in µA, in an order that is no ramp."""
    chance = random.Random(4)
    return [STEP_UA * step for step in chance.sample(range(FRAMES), FRAMES)]


def pulse(ua: int) -> Points:
    """A balanced pulse with a gap."""
    return ((250, ua), (100, 0), (250, -ua))


def long_pulse(ua: int, channel: int) -> Points:
    """Sixteen points: up in eight steps and down in eight, each channel with a width of its own."""
    width, steps = 100 + 10 * channel, [ua // STEP_UA * share // 8 * STEP_UA for share in range(1, 9)]
    return tuple((width, each) for each in steps) + tuple((width, -each) for each in reversed(steps))


def updates() -> list[list[Points]]:
    """Eight channels each, all with another amplitude, and all others in the next frame."""
    levels = amplitudes()
    return [[long_pulse(levels[(at + 31 * channel) % FRAMES], channel) for channel in range(8)] for at in range(FRAMES)]


def lists() -> list[list[tuple[int, int]]]:
    """Eight channels for ScienceMode 2: µs, mA."""
    levels = [ua // 1_000 for ua in amplitudes()]
    return [[(200 + channel, levels[(at + 31 * channel) % FRAMES]) for channel in range(8)] for at in range(FRAMES)]


def states(seed: int) -> tuple[int, ...]:
    """What eight channels may be found to be in."""
    chance = random.Random(seed)
    return tuple(chance.randrange(4) for _ in range(8))
