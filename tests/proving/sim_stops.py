"""Stops at any instant: between two passes, in a stall, or in the middle of a pass, between any two calls."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any, Protocol

from tests.proving.sim_threads import Fibres


@dataclass
class Stop:
    """One press. ``calls``: how many calls and returns of a pass come before it, where it falls inside one."""

    at_us: int
    how: str
    reason: str
    calls: int = 0
    act: Callable[[], None] = lambda: None


def draw_stops(rng: random.Random, from_us: int, to_us: int) -> list[Stop]:
    """The seed's presses, in order of time."""
    count = rng.choices((0, 1, 2, 5), (2, 3, 3, 1))[0]
    times = sorted(rng.randint(from_us, to_us) for _ in range(count))
    stops = []
    for number, at_us in enumerate(times):
        how = rng.choice(("inside", "inside", "between"))
        stops.append(Stop(at_us, how, f"press {number}", rng.randint(1, 260)))
        if rng.random() < 0.2:
            stops.append(Stop(at_us + rng.choice((0, 1_000, 400_000)), "between", f"press {number} again"))
    return sorted(stops, key=lambda stop: stop.at_us)


class Stopping(Protocol):
    """How a stop is put into the middle of a pass; another way to interleave threads plugs in here."""

    def run(self, act: Callable[[], None], stop: Stop | None) -> None:
        """Do ``act``, and somewhere inside, or right after it, ``stop``."""


class Stopper:
    """Runs a pass and lets the stop thread have its turn after a number of calls.

    A stop that meets a lock waits, and goes on where the pass lets go of it: as the two threads would.
    """

    def __init__(self, fibres: Fibres) -> None:
        self._fibres = fibres

    def run(self, act: Callable[[], None], stop: Stop | None) -> None:
        if stop is None:
            act()
            return
        pressed, left = False, stop.calls

        def press() -> None:
            nonlocal pressed
            if not pressed:
                pressed = True
                self._fibres.spawn(stop.act)
                self._fibres.settle()

        def look(frame: FrameType, event: str, arg: Any) -> None:
            nonlocal left
            if event in ("call", "return"):
                left -= 1
                if left == 0 and self._fibres.running is None:
                    sys.setprofile(None)
                    press()

        before = sys.getprofile()
        sys.setprofile(look)
        try:
            act()
        finally:
            sys.setprofile(before)
            press()
