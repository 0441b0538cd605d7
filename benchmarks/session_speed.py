"""Whole sessions at full speed on the simulated board and patient, beside the floors of the same run.

Goals: half an hour of session in 2 s; a protocol's dry flight, the dear part of `stimctl check`, in a few ms. The
floors: as many passes of a loop that does nothing, and the board's twin alone, asked and beaten over the same bytes as
often as a session does it (ten times a second each). What a session costs beyond the twin is the session itself.
"""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Final, NamedTuple

from benchmarks.timing import load, table
from stimctl.boards.reference import codec
from stimctl.boards.reference import messages as m
from stimctl.boards.reference.facts import table_crc
from stimctl.control.clock import VirtualClock
from stimctl.control.operator import ScriptedOperator
from stimctl.control.running import run_headless
from stimctl.orders import Order, OrderKind
from stimctl.protocols import stimulating
from stimctl.records.journal import Journal
from stimctl.schedule import Steps, compile_schedule
from stimctl.session.core import Session
from stimctl.session.diary import Diary
from stimctl.session.opening import Wishes, load_protocol
from stimctl.session.rehearsal import rehearse
from stimctl.sim import guard
from stimctl.sim.board import Twin
from stimctl.sim.patient import Patient
from stimctl.units import MINUTE, MS

GOAL_S: Final = 2.0
HALF_AN_HOUR_US: Final = 30 * MINUTE
BEAT_US: Final = 100 * MS
LOOK_US: Final = 300 * MS
FLIGHTS: Final = 3
SESSIONS: Final = ("tens-conventional-forearm", "wrist-finger-extensors-cyclic", "wrist-finger-extensors-emg")
TOKEN: Final = 7


class Cost(NamedTuple):
    """What a run took, in s, and what it was: simulated time in µs, and passes of the control loop."""

    processor_s: float
    wall_s: float
    simulated_us: int
    passes: int


class CountingClock:
    """A virtual clock at full speed that knows how often it was asked to wait: once a pass."""

    waits = False

    def __init__(self) -> None:
        self._clock = VirtualClock()
        self.passes = 0

    def now_us(self) -> int:
        """Virtual µs."""
        return self._clock.now_us()

    def sleep_until(self, us: int, fds: Sequence[int] = ()) -> None:
        """Jump."""
        self.passes += 1
        self._clock.sleep_until(us, fds)

    def late_us(self, due_us: int) -> int:
        """Never late."""
        return self._clock.late_us(due_us)


def measured(work: Callable[[], tuple[int, int]]) -> Cost:
    """Run ``work``, which returns simulated µs and passes."""
    gc.collect()
    processor_s, wall_s = process_time(), perf_counter()
    simulated_us, passes = work()
    return Cost(process_time() - processor_s, perf_counter() - wall_s, simulated_us, passes)


def session(protocol: str) -> tuple[int, int]:
    """One session with a scripted operator, from its opening to its closed record."""
    clock = CountingClock()
    opening = Order(OrderKind.OPEN, protocol=protocol, patient="bench", side="right", board="sim:")
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "records.sqlite3"
        with Journal(store, wall_clock=lambda: "2026-01-01T00:00:00.000+00:00") as journal:
            running = Session(Diary(journal), clock.now_us, wishes=Wishes(protocol=protocol), seed=1)
            outcome = run_headless(running, clock=clock, operator=ScriptedOperator(opening), every_us=LOOK_US)
    if outcome.code:
        raise RuntimeError(f"{protocol}: {outcome.line}")
    return clock.now_us(), clock.passes


def nothing(passes: int) -> tuple[int, int]:
    """As many passes of a loop over a clock and one call that does nothing."""
    clock = CountingClock()
    for _ in range(passes):
        now_us = clock.now_us()
        idle(now_us)
        clock.sleep_until(now_us + BEAT_US)
    return clock.now_us(), clock.passes


def idle(_now_us: int) -> None:
    """Do nothing."""


def twin_alone() -> tuple[int, int]:
    """Half an hour of heartbeats and status requests, encoded and decoded on both sides, without driver or session."""
    twin, decoder = Twin(Patient(1)), codec.Decoder()
    sequence = 0

    def ask(word: m.HostWord, token: int, now_us: int) -> tuple[codec.Frame, ...]:
        nonlocal sequence
        sequence = (sequence + 1) % 65_536
        twin.feed(codec.encode(word, sequence=sequence, token=token), now_us)
        twin.advance(now_us)
        return decoder.feed(twin.outgoing())

    [challenge] = [frame.word.challenge for frame in ask(m.Hello(), 0, 0) if isinstance(frame.word, m.Identity)]
    ask(m.Arm(challenge, 400, 1, table_crc(guard.TABLE), 0, 0), TOKEN, 0)
    passes = HALF_AN_HOUR_US // BEAT_US
    for count in range(1, passes + 1):
        now_us = count * BEAT_US
        ask(m.StatusRequest(), TOKEN, now_us)
        ask(m.Heartbeat(count, now_us // MS), TOKEN, now_us)
    if not twin.armed:
        raise RuntimeError("the twin has disarmed: nothing was measured")
    return passes * BEAT_US, passes


def row(name: str, cost: Cost) -> tuple[str, ...]:
    """One line: the last column brings every row to half an hour of session."""
    half_hour_s = cost.processor_s * HALF_AN_HOUR_US / cost.simulated_us
    return (
        name,
        f"{cost.simulated_us / MINUTE:.1f}",
        f"{cost.passes}",
        f"{cost.wall_s:.2f}",
        f"{cost.processor_s:.2f}",
        f"{cost.processor_s / cost.passes * 1e6:.0f}",
        f"{half_hour_s:.2f}",
        load(),
    )


def flight_row(name: str) -> tuple[str, str, str, str]:
    """The dry flight of one protocol of the library, compiled before: the best of a few."""
    schedule = compile_schedule(stimulating(load_protocol(name).protocol), Steps())
    costs = [measured(lambda: (rehearse(schedule).length_us, 1)) for _ in range(FLIGHTS)]
    best = min(costs, key=lambda cost: cost.processor_s)
    return name, f"{best.simulated_us / MINUTE:.1f}", f"{best.processor_s * 1e3:.0f}", f"{best.wall_s * 1e3:.0f}"


def main() -> None:
    """Print both tables."""
    costs = {name: measured(partial(session, name)) for name in SESSIONS}
    passes = max(cost.passes for cost in costs.values())
    floors = {
        f"floor: {passes} empty passes": measured(partial(nothing, passes)),
        "floor: the twin alone": measured(twin_alone),
    }
    heading = (
        "whole sessions",
        "simulated min",
        "passes",
        "wall s",
        "processor s",
        "µs a pass",
        "s for 30 min",
        "load",
    )
    table(heading, [row(name, cost) for name, cost in (*floors.items(), *costs.items())])
    print(f"goal: {GOAL_S:.0f} s for 30 min\n")
    table(("dry flights", "simulated min", "processor ms", "wall ms"), [flight_row(name) for name in SESSIONS])


if __name__ == "__main__":
    main()
