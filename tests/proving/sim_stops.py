"""Stops at any instant: between two passes, in a stall, or in the middle of a pass, between any two calls."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, wraps
from types import FrameType, FunctionType
from typing import Any, Final, Protocol

from tests.proving.sim_threads import Fibres

NEAR: Final = (
    *("say_approved", "say_approved", "say_arm", "say_arm", "encode_update", "approve", "deliver", "send", "beat"),
    *("is_live", "_take_stops", "armed_by_board", "happen", "raise_level", "_stopped", "poll", "append"),
)
"""Where a stop is aimed at, when it is: the code between a permission and the line, and what hears of a stop."""

PATIENCE: Final = 150
"""How many passes an aimed stop waits for its place."""


@dataclass
class Stop:
    """One press. ``calls``: how many calls and returns of a pass come before it, where it falls inside one.

    With ``near`` only calls of, and returns from, functions of that name count; a pass without one is let by.
    """

    at_us: int
    how: str
    reason: str
    calls: int = 0
    near: str = ""
    act: Callable[[], None] = lambda: None
    patience: int = PATIENCE
    pressed: bool = False


def draw_stops(
    rng: random.Random, from_us: int, to_us: int, near: tuple[str, ...] = (), longer_us: int = 0
) -> list[Stop]:
    """The seed's presses, in order of time; three more at each place that is named, in a session that is so much longer."""
    count = rng.choices((0, 1, 2, 5), (1, 3, 3, 1))[0]
    times = sorted(rng.randint(from_us, to_us) for _ in range(count))
    stops = []
    for number, at_us in enumerate(times):
        how = rng.choice(("inside", "aimed", "aimed", "between"))
        place, calls = (rng.choice(NEAR), rng.randint(1, 3)) if how == "aimed" else ("", rng.randint(1, 260))
        stops.append(Stop(at_us, how, f"press {number}", calls, place))
        if rng.random() < 0.2:
            stops.append(Stop(at_us + rng.choice((0, 1_000, 400_000)), "between", f"press {number} again"))
    for number, name in enumerate(near * 3):
        stops.append(
            Stop(rng.randint(from_us, to_us + longer_us), "aimed", f"aimed press {number}", rng.randint(1, 2), name)
        )
    return sorted(stops, key=lambda stop: stop.at_us)


class Stopping(Protocol):
    """How a stop is put into the middle of a pass; another way to interleave threads plugs in here."""

    def run(self, act: Callable[[], None], stop: Stop) -> None:
        """Do ``act``, and ``stop.act`` somewhere inside or right after it, unless its place does not come."""


class Stopper:
    """Runs a pass and lets the stop thread have its turn after a number of calls.

    A stop that meets a lock waits, and goes on where the pass lets go of it: as the two threads would.
    """

    def __init__(self, fibres: Fibres) -> None:
        self._fibres = fibres

    def run(self, act: Callable[[], None], stop: Stop) -> None:
        """Between two calls, or at the end of the pass; an aimed stop only where it aims, while it has patience."""
        left = stop.calls
        stop.patience -= 1

        def press() -> None:
            if not stop.pressed:
                stop.pressed = True
                self._fibres.spawn(stop.act)
                self._fibres.settle()

        def passed() -> None:
            nonlocal left
            if self._fibres.running is None:
                left -= 1
                if left == 0:
                    press()

        try:
            with calls_of(stop.near, passed) if stop.near else every_call(passed):
                act()
        finally:
            if not stop.near or stop.patience <= 0:
                press()


@contextmanager
def every_call(passed: Callable[[], None]) -> Iterator[None]:
    """``passed`` before and after every call of this thread, until it is over."""

    def look(_frame: FrameType, event: str, _arg: Any) -> None:
        if event in ("call", "return"):
            passed()

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(before)


@contextmanager
def calls_of(name: str, passed: Callable[[], None]) -> Iterator[None]:
    """``passed`` before and after every call of ours to a function of this name; all the others cost nothing."""

    def watched(function: FunctionType) -> Any:
        @wraps(function)
        def watch(*args: Any, **named: Any) -> Any:
            passed()
            try:
                return function(*args, **named)
            finally:
                passed()

        return watch

    places = _places(name, len(sys.modules))
    for holder, function in places:
        setattr(holder, name, watched(function))
    try:
        yield
    finally:
        for holder, function in places:
            setattr(holder, name, function)


@cache
def _places(name: str, _modules: int) -> tuple[tuple[Any, FunctionType], ...]:
    """Each module and class of ours that holds a function of this name; ``_modules`` because they may become more."""
    ours = [module for key, module in sys.modules.items() if key.startswith("stimctl.")]
    classes = {each for module in ours for each in vars(module).values() if isinstance(each, type)}
    holders: list[Any] = [*ours, *(each for each in classes if each.__module__.startswith("stimctl."))]
    named = [(holder, vars(holder).get(name)) for holder in holders]
    return tuple((holder, found) for holder, found in named if isinstance(found, FunctionType))
