"""Acts out what was drawn: the twin's own faults are only counted here, the others happen to the world."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.proving.sim_faults import MS, SECOND, Blow
from tests.proving.sim_threads import FOREVER_US

if TYPE_CHECKING:
    from tests.proving.sim_world import World


class Misfortunes:
    """The seed's, in order of time."""

    def __init__(self, world: World, blows: list[Blow]) -> None:
        self._w = world
        self._agenda = blows.copy()
        self._undoing: list[tuple[int, Blow]] = []

    def next_us(self) -> int:
        """When the next one begins, or one ends."""
        begins_us = self._agenda[0].at_us if self._agenda else FOREVER_US
        return min(begins_us, self._undoing[0][0]) if self._undoing else begins_us

    def due(self) -> None:
        """Whatever begins or ends by now."""
        now_us = self._w.time.now_us
        while self._undoing and self._undoing[0][0] <= now_us:
            self._set(self._undoing.pop(0)[1], on=False)
        while self._agenda and self._agenda[0].at_us <= self._w.time.now_us:
            self.strike(self._agenda.pop(0))

    def spoil_the_disk(self) -> None:
        """What is wrong with the disk from the beginning is wrong before the record is opened."""
        now_us = self._w.time.now_us
        for blow in [each for each in self._agenda if each.kind.startswith("disk") and each.at_us <= now_us]:
            self._agenda.remove(blow)
            self.strike(blow)

    def strike(self, blow: Blow) -> None:
        """It happens now."""
        world = self._w
        world.result.counts[blow.kind] += 1
        world.note(lambda: f"FAULT: {blow.kind} {blow.value or ''} until {blow.until_us / 1e6:.3f}")
        if blow.kind == "hang-energised":
            world.judge.froze()
        if blow.kind in ("loop-stall", "process-frozen", "half-stalled", "asleep"):
            self._stall(blow)
        else:
            self._set(blow, on=True)
            if blow.until_us != FOREVER_US and blow.fault() is None:
                self._undoing.append((blow.until_us, blow))
                self._undoing.sort(key=lambda each: each[0])

    def _set(self, blow: Blow, *, on: bool) -> None:
        world = self._w
        match blow.kind:
            case "line-split":
                world.quirks.split = on
            case "line-jam":
                world.quirks.jammed = on
            case "unplugged":
                world.quirks.unplugged = on
            case "slow-write":
                world.quirks.slow_write_us = 8 * MS if on else 0
                world.troubles.add(blow.kind, world.time.now_us, blow.until_us)
            case "wall-clock-back":
                world.wall_back_s = 3_600
            case "disk-full" | "disk-broken":
                words = {"disk-full": "database or disk is full", "disk-broken": "disk I/O error"}
                world.disk.error = words[blow.kind] if on else ""
            case "disk-slow":
                world.disk.latency_us = 1_200 * MS if on else 0
                world.troubles.add(blow.kind, world.time.now_us, blow.until_us + 2 * SECOND)
            case "face-frozen":
                world.face.frozen = on
            case "face-gone":
                world.face.gone = world.face.gone or on

    def _stall(self, blow: Blow) -> None:
        """Nothing comes round for a while; what still lives depends on what stands still."""
        world = self._w
        end_us = world.time.now_us + blow.until_us - blow.at_us
        world.troubles.add(blow.kind, world.time.now_us, end_us)
        if blow.kind == "asleep":
            world.time.asleep_us += end_us - world.time.now_us
            world.ends_us += end_us - world.time.now_us
            world.habits.ends_us += end_us - world.time.now_us
        far_us = world.time.now_us + 3 * SECOND
        while world.time.now_us < end_us:
            world.time.now_us = min(end_us, world.time.now_us + (20 * MS if world.time.now_us < far_us else 5 * SECOND))
            for wire in world.wires:
                wire.pump()
            if blow.kind == "loop-stall":
                while world.stops and world.stops[0].at_us <= world.time.now_us:
                    world.stop_thread.stop_session(world.stops.pop(0).reason)
                    world.result.counts["stop in a stall"] += 1
                world.stop_thread.look()
            elif blow.kind == "half-stalled" and world.session._stage is not None:
                world.session._stage.driver.poll(world.time.now_us)
            world.judge.step()
