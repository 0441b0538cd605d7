"""The one door through which amplitudes leave for a board that speaks ScienceMode 2.

Nobody imports this but ``stimctl.boards.sciencemode2.update``, the driver's own door, which takes nothing but what the
limiter has ``Approved`` and makes groups of it; the walls hold that (``pyproject.toml``, ``tests/test_walls_sciencemode.py``).
"""

from __future__ import annotations

from stimctl.boards.sciencemode.fit import DoesNotFit, steps
from stimctl.boards.sciencemode2 import messages as m
from stimctl.boards.sciencemode2.codec import build
from stimctl.boards.sciencemode2.codes import CHANNELS, Command
from stimctl.boards.sciencemode2.reading import (
    CURRENT_MAX_UA,
    GROUP,
    GROUP_MAX,
    MILLIAMPERE_UA,
    WIDTH_MAX_US,
    WIDTH_MIN_US,
)
from stimctl.errors import OurBug


def encode_output(word: m.Output, number: int) -> bytes:
    """The frame that starts or changes a channel list, or of a single pulse; ``number`` is 0 to 255.

    Raises :class:`DoesNotFit` for what the wire cannot carry exactly, and :class:`OurBug` for any other word.
    """
    if type(word) is m.StartChannelList:
        return build(number, Command.START_CHANNEL_LIST_MODE, _start(word))
    if type(word) is m.SinglePulse:
        channel = steps("channel", word.channel, 0, CHANNELS - 1)
        return build(number, Command.SINGLE_PULSE, _pulse(channel, word.width_us, word.current_ua, "pulse"))
    raise OurBug(f"{type(word).__name__} is no output")


def _start(word: m.StartChannelList) -> bytes:
    if not 1 <= len(word.groups) <= CHANNELS:
        raise DoesNotFit("number of groups", len(word.groups), f"whole numbers from 1 to {CHANNELS}")
    return b"".join([_group(group, f"group {place}") for place, group in enumerate(word.groups, 1)])


def _group(group: m.Group, where: str) -> bytes:
    code = steps(f"{where}: pulses", group.pulses, 1, GROUP_MAX) - 1
    return _pulse(code, group.width_us, group.current_ua, where)


def _pulse(first: int, width_us: int, current_ua: int, where: str) -> bytes:
    width = steps(f"{where}: width", width_us, 0, WIDTH_MAX_US, 1, "µs")
    if 0 < width < WIDTH_MIN_US:
        raise DoesNotFit(f"{where}: width", width_us, f"0, or whole numbers from {WIDTH_MIN_US} to {WIDTH_MAX_US} µs")
    return GROUP.pack(first, width, steps(f"{where}: current", current_ua, 0, CURRENT_MAX_UA, MILLIAMPERE_UA, "µA"))
