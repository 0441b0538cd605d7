"""The machine under the session: its clocks, threads, disk, random numbers and line, in the modules that use them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from stimctl.control import loop as loop_module
from stimctl.control import stopping
from stimctl.driver import Driver, line
from stimctl.records import journal as journal_module
from stimctl.session import link as link_module
from tests.proving.sim_faults import SECOND
from tests.proving.sim_threads import SimLock, SimThreading
from tests.proving.sim_wire import SimWire

if TYPE_CHECKING:
    from tests.proving.sim_world import World


class Machine:
    """One seed's."""

    def __init__(self, world: World) -> None:
        self._w = world

    def wall(self) -> str:
        seconds = self._w.time.now_us // SECOND - self._w.wall_back_s + 43_200
        return f"2026-01-01T{seconds // 3600 % 24:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.000+00:00"

    def _link(self, _kind: str, latch: Any, *_: Any) -> Any:
        """What ``sim:`` opens: the reference board, always the same, over a line of its own each time."""
        wire = SimWire(
            self._w.twin,
            self._w.time,
            self._w.quirks,
            self._w.told,
            latency_us=self._w.latency_us,
            byte_us=self._w.byte_us,
            cut=self._w.rng.randrange,
        )
        self._w.wires[:] = [*(each for each in self._w.wires if not each.spent), wire]
        due = wire.next_event_us if self._w.near else (lambda _: None)
        return link_module.Link(Driver(wire, latch, tokens=self._token), self._w.twin.patient, due)

    def _token(self) -> int:
        # Near the wrap of the sequence now and then: the first token is where sequences begin.
        return self._w.rng.choice(
            (self._w.rng.randrange(1, 2**32 - 1), self._w.rng.randrange(1, 65_535) << 16 | 0xFFF0)
        )

    @contextmanager
    def standing_in(self) -> Iterator[None]:
        """Stand in for clock, threads, disk and random numbers in the modules that use them."""
        clock = self._w.time
        seeded = random.Random(f"secrets {self._w.seed}")
        secrets = SimpleNamespace(token_hex=lambda count: seeded.randbytes(count).hex())
        with ExitStack() as stack:
            for module, name, stand_in in (
                (journal_module, "threading", SimThreading(self._w.fibres)),
                (journal_module, "time", clock),
                (journal_module, "secrets", secrets),
                (link_module, "_simulated", self._link),
                (line, "Lock", lambda: SimLock(self._w.fibres)),
                (loop_module, "time", clock),
                (loop_module, "gc", SimpleNamespace(collect=lambda: 0)),
                (loop_module, "asleep_us", lambda: clock.asleep_us),
                (stopping, "time", clock),
            ):
                stack.enter_context(patch.object(module, name, stand_in))
            stack.enter_context(self._w.disk.mounted())
            yield
