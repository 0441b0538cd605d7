"""The stop thread's deeds, held before each of their lines, beside a control loop that looks whether to end."""

from __future__ import annotations

import contextlib
import os
import select
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

from stimctl.control.contract import Ending, SessionLike
from stimctl.control.keys import StopKey
from stimctl.control.loop import ControlLoop, Wake
from stimctl.control.signals import SignalPipe
from stimctl.control.stopping import StopThread
from tests.proving.baton import Baton, last_turns, planned

LOOKS: Final = 3
"""How often the loop looks while the stop thread is at it."""


class Quiet:
    """A session that only keeps what it was stopped for."""

    ended = False
    may_be_energised = True

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def stop_now(self, reason: str) -> None:
        """Keep it."""
        self.reasons.append(reason)


class Present:
    """A face that is there."""

    gone = False


class Pipe:
    """Signals that never come."""

    def __init__(self, fd: int) -> None:
        self.fd = fd


@dataclass
class Desk:
    """The two of them, and what the loop has seen so far."""

    session: Quiet
    stop: StopThread
    loop: ControlLoop
    wake: Wake
    seen: list[Ending]

    def look(self) -> None:
        """Look for an end, a few times."""
        for _ in range(LOOKS):
            ending = self.loop._why_end()
            if ending is not None:
                self.seen.append(ending)

    def clear(self) -> None:
        """Wait no more, a few times."""
        for _ in range(LOOKS):
            if self.wake.clear():
                self.seen.append(Ending("woken", 0))


@contextlib.contextmanager
def desk(*, face: bool) -> Iterator[Desk]:
    """Everything made, and closed again."""
    there, back = os.pipe()
    session = Quiet()
    with contextlib.closing(Wake()) as wake:
        stop = StopThread(cast(SessionLike, session), cast(SignalPipe, Pipe(there)), wake)
        loop = ControlLoop(
            cast(SessionLike, session), cast(Any, None), stop, wake, cast(Any, Present()) if face else None
        )
        try:
            yield Desk(session, stop, loop, wake, [])
        finally:
            stop.quit()
            os.close(there)
            os.close(back)


@dataclass(frozen=True)
class Deed:
    """What the stop thread does, what the loop does, and the only ending that may come of it."""

    name: str
    does: Callable[[Desk], object]
    ending: Ending | None
    face: bool = False
    before: Callable[[Desk], object] = lambda _: None
    loop: Callable[[Desk], object] = Desk.look


def _interrupted(here: Desk) -> None:
    """A first Ctrl+C, never too long ago."""
    here.stop._interrupt(StopKey.CTRL_C)
    here.stop._interrupted_s = float("inf")


def _wake_twice(here: Desk) -> None:
    here.wake()
    here.wake()


DEEDS: Final = (
    Deed("a signal", lambda d: d.stop._end("ended by signal 15", 143), Ending("ended by signal 15", 143)),
    Deed("a signal with a face", lambda d: d.stop._end("ended", 143), Ending("ended", 143), face=True),
    Deed("a stop key", lambda d: d.stop.stop_session("Space pressed"), Ending("stopped: Space pressed", 1)),
    Deed("a stop key with a face", lambda d: d.stop.stop_session("Space pressed"), None, face=True),
    Deed(
        "a second Ctrl+C",
        lambda d: d.stop._interrupt(StopKey.CTRL_C),
        Ending("ended by a second Ctrl+C", 130),
        face=True,
        before=_interrupted,
    ),
    Deed("waking", lambda d: d.wake(), Ending("woken", 0), loop=Desk.clear),
    Deed("waking twice", _wake_twice, Ending("woken", 0), loop=Desk.clear),
)


def examine_all() -> tuple[int, list[str]]:
    """Every deed with every pair of places: how many interleavings, and what was wrong."""
    runs, wrong = 0, []
    for deed in DEEDS:
        loop, own, _ = _run(deed, (0, 0))
        for at in range(loop + 1):
            for held in range(own + 1):
                runs += 1
                said = _run(deed, (at, held))[2]
                wrong += [f"{deed.name}, the loop held at {at} and the stop at {held}: {said}"] if said else []
    return runs, wrong


def _run(deed: Deed, at: tuple[int, int]) -> tuple[int, int, str]:
    """Points of the loop and of the stop thread, and what was wrong: the loop is held first, at 0 before it begins."""
    with desk(face=deed.face) as here:
        deed.before(here)
        turns = {(0, at[0]) if at[0] else (-1, 0): 1, (1, at[1]): 0}
        last = last_turns(turns) if any(at) else None  # nowhere: they are only to be counted
        loop, own = Baton(planned(turns), last=last).run(lambda: deed.loop(here), lambda: deed.does(here))
        deed.loop(here)
        error = loop.error or own.error
        return loop.points, own.points, f"raised {error!r}" if error else _judge(deed, here)


def _judge(deed: Deed, here: Desk) -> str:
    endings = set(here.seen)
    if endings != ({deed.ending} if deed.ending else set()):
        return f"it ended as {sorted(map(str, endings))}"
    if not deed.name.startswith("waking") and not here.session.reasons:
        return "the session was not stopped"
    if select.select([here.wake.fileno()], [], [], 0)[0] and not here.wake._called:
        return "a byte lies unread, so that no wait ever waits again"
    return ""
