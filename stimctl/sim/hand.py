"""The hand: stimulated and voluntary drive become force, force tires, and the fingers open against a spastic flexor.

Integrated on a fixed grid of absolute time, 10 ms apart, and only when somebody looks: an answer never depends on
how often it was asked for. A change of input counts from the next grid point. A hand at rest costs nothing.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from typing import Final, final

GRID_US: Final = 10_000

OPEN_DEG: Final = 80.0
"""Finger extension from the resting, flexed posture at full force against no tone (our own figure)."""

_DT: Final = GRID_US / 1e6
_RISE: Final = 1 - math.exp(-_DT / 0.060)  # contraction and relaxation of a mixed forearm muscle, s (our own figures)
_FALL: Final = 1 - math.exp(-_DT / 0.090)
_WEAKEST: Final = 0.35  # force that is left of a fully tired muscle
_TIRE_S: Final = 45.0  # time constant at full recruitment and 35 Hz; fatigue rises with rate (B.2)
_RECOVER_S: Final = 90.0
_STIFFNESS: Final = (2 * math.pi * 1.4) ** 2  # finger on its passive tissue: 1.4 Hz ...
_DAMPING: Final = 2 * 1.1 * 2 * math.pi * 1.4  # ... a little over-damped
_STILL: Final = 1e-4
_PENDING_MAX: Final = 4_096


@final
@dataclass(slots=True)
class Muscle:
    """One muscle's state. ``action``: 1 opens the hand, -1 closes it, 0 moves something else. ``vigour`` is the
    share of full force that remains.
    """

    action: int
    drive: float = 0.0
    hz: float = 0.0
    force: float = 0.0
    vigour: float = 1.0

    def step(self) -> None:
        """One grid step: force follows drive, vigour falls with work and comes back with rest."""
        wanted = self.drive * self.vigour
        self.force += (wanted - self.force) * (_RISE if wanted > self.force else _FALL)
        if self.force < _STILL and wanted == 0.0:
            self.force = 0.0
        self.vigour += _DT * ((1 - self.vigour) / _RECOVER_S)
        self.vigour -= _DT * (self.drive * self.hz / 35.0) * (self.vigour - _WEAKEST) / _TIRE_S

    def rest(self, steps: int) -> None:
        """Many grid steps at once, of a muscle that does nothing."""
        self.vigour = 1 - (1 - self.vigour) * (1 - _DT / _RECOVER_S) ** steps


@final
class Hand:
    """Fingers and the muscles that move them; ``tone`` is the spastic flexors' pull, 0 (none) to 1 (strong)."""

    def __init__(self, actions: tuple[int, ...], tone: float) -> None:
        self.muscles = tuple(Muscle(action) for action in actions)
        self._tone = tone
        self._volition = 0.0
        self._angle = self._speed = 0.0
        self._grid = -1  # the last grid point that is integrated
        self._pending: list[tuple[int, int, float, float]] = []

    def drive(self, muscle: int, force: float, hz: float, at_us: int) -> None:
        """From ``at_us`` on, stimulation asks ``muscle`` for this share of its force at this rate."""
        self._note((at_us, muscle, force, hz))

    def volition(self, force: float, at_us: int) -> None:
        """From ``at_us`` on, the person's own effort opens with this share of the full force."""
        self._note((at_us, -1, force, 0.0))

    def angle_deg(self, now_us: int) -> float:
        """Finger extension at ``now_us`` in degrees: 0 at rest, 80 fully open, negative when closing."""
        self._integrate(now_us // GRID_US)
        return self._angle

    def force(self, muscle: int, now_us: int) -> float:
        """Force of one muscle at ``now_us``, as a share of its fresh maximum."""
        self._integrate(now_us // GRID_US)
        return self.muscles[muscle].force

    def vigour(self, muscle: int, now_us: int) -> float:
        """Share of its fresh force that one muscle can still give at ``now_us``; 1 is rested."""
        self._integrate(now_us // GRID_US)
        return self.muscles[muscle].vigour

    def _note(self, change: tuple[int, int, float, float]) -> None:
        # By time only: two changes of one instant keep the order in which they came.
        bisect.insort(self._pending, change, key=lambda each: each[0])
        if len(self._pending) > _PENDING_MAX:
            # Nobody looks at the hand; what is settled must not pile up. The newest changes may still be ahead of now.
            self._integrate(self._pending[_PENDING_MAX // 2][0] // GRID_US)

    def _integrate(self, until: int) -> None:
        if self._grid < 0:
            # Sessions may start at any monotonic time: nothing has moved before the first change.
            # A change on a grid point counts from that very point, so the last settled one is before it.
            self._grid = min(until, (self._pending[0][0] - 1) // GRID_US if self._pending else until)
        while self._grid < until:
            self._apply(self._grid + 1)
            idle = self._idle_steps(until)
            if idle > 1:
                for muscle in self.muscles:
                    muscle.rest(idle)
                self._grid += idle
            else:
                self._step()
                self._grid += 1

    def _apply(self, point: int) -> None:
        """Take over every change up to grid point ``point``."""
        while self._pending and self._pending[0][0] <= point * GRID_US:
            _, index, force, hz = self._pending.pop(0)
            if index < 0:
                self._volition = force
            else:
                self.muscles[index].drive, self.muscles[index].hz = force, hz

    def _idle_steps(self, until: int) -> int:
        """How many grid points may be passed at once because nothing moves and nothing is asked for."""
        if self._volition or self._angle or self._speed or any(m.drive or m.force for m in self.muscles):
            return 0
        # Stop one point short of the next change, so that it is applied at its own point as ever.
        ahead = until if not self._pending else min(until, (self._pending[0][0] - 1) // GRID_US)
        return ahead - self._grid

    def _step(self) -> None:
        for muscle in self.muscles:
            muscle.step()
        pull = self._volition + sum(m.action * m.force for m in self.muscles)
        goal = OPEN_DEG * max(-0.25, min(1.0, pull)) / (1 + 0.6 * self._tone)
        # Spasticity is velocity-dependent: stretching the flexors by opening calls up more of their pull.
        damping = _DAMPING * (1 + 1.5 * self._tone if self._speed > 0 else 1.0)
        self._speed += _DT * (_STIFFNESS * (goal - self._angle) - damping * self._speed)
        self._angle += _DT * self._speed
        if abs(self._angle) < _STILL and abs(self._speed) < _STILL and goal == 0.0:
            self._angle = self._speed = 0.0
