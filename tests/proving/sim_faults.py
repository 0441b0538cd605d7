"""What goes wrong in a seed's session, and when: drawn once, from the seed alone.

Kinds of the twin (:class:`~stimctl.sim.faults.FaultKind`) are acted out by the twin; the others by the world: the line,
the process, the disk and the face.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from stimctl.sim.faults import Fault, FaultKind
from tests.proving.sim_threads import FOREVER_US

MS: Final = 1_000
SECOND: Final = 1_000_000

OWN: Final = (
    "line-split",  # frames are cut in two, with a pause between
    "line-jam",  # the line takes a byte each 2 ms, and its buffer is small
    "unplugged",  # the port is gone
    "slow-write",  # each write takes 8 ms, as a transport's may
    "loop-stall",  # the control loop stands still; the stop thread does not
    "process-frozen",  # nothing of ours runs
    "half-stalled",  # the board is still polled, but no pass comes round
    "asleep",  # the computer sleeps
    "wall-clock-back",  # the wall clock steps back an hour
    "disk-full",
    "disk-broken",
    "disk-slow",  # a commit takes longer than a durable row is waited for
    "face-frozen",
    "face-gone",
)
"""The kinds that the world itself acts out."""

KINDS: Final = (*(str(kind) for kind in FaultKind), *OWN)

LINE: Final = frozenset(
    {"line-cut", "line-drop", "line-flip", "line-duplicate", "line-delay", "line-split", "line-jam", "unplugged"}
)
STALLS: Final = frozenset({"loop-stall", "process-frozen", "half-stalled", "asleep", "disk-slow", "slow-write"})
DISTURBING: Final = LINE | STALLS | {"hang", "hang-energised", "ignores-stop", "reset", "killed"}
"""With one of these about, a promise is kept by the slower means: repetition and dead-man instead of one frame."""

UNSTOPPABLE: Final = DISTURBING - {"loop-stall", "half-stalled", "disk-slow"}
"""The same for a stop, which needs neither the control loop nor the disk."""

LIES: Final = frozenset({"lying-readback", "no-self-check", "ignores-stop", "dead-man-fails", "lies-about-stop"})
"""What makes another fault worse; it is there first."""

_VALUES: Final[dict[str, tuple[int, int]]] = {
    "line-drop": (5, 250),
    "line-flip": (2, 80),
    "line-duplicate": (100, 1_000),
    "line-delay": (5, 260),
    "stuck-output": (8_000, 20_000),
    "contact-peel": (50, 700),
    "impedance-drift": (100, 40_000),
    "emg-hum": (100, 900),
    "emg-drift": (800, 3_000),
    "emg-lead-off": (100, 900),
}
_LENGTHS: Final = (40 * MS, 150 * MS, 600 * MS, 2 * SECOND, None)


@dataclass(frozen=True)
class Blow:
    """One thing that goes wrong, from ``at_us`` to before ``until_us``."""

    kind: str
    at_us: int
    until_us: int
    output: int
    value: int

    def fault(self) -> Fault | None:
        """The twin's own word for it, if it has one."""
        if self.kind in OWN:
            return None
        until_us = None if self.until_us == FOREVER_US else self.until_us
        return Fault(FaultKind(self.kind), self.at_us, until_us, self.output, self.value)


def draw(rng: random.Random, from_us: int, to_us: int) -> tuple[Blow, ...]:
    """The seed's misfortunes; one session in eight has none, and there every promise is at its strictest."""
    count = rng.choices((0, 1, 2, 3, 5), (1, 3, 2, 1, 1))[0]
    blows: list[Blow] = []
    for _ in range(count):
        kind = rng.choice(KINDS)
        first = from_us if rng.random() < 0.1 or kind == "wide-limits" else rng.randint(from_us, to_us)
        blows.append(_blow(rng, kind, first))
        if kind in ("stuck-output", "loop-stall", "process-frozen", "unplugged") and rng.random() < 0.5:
            beside = rng.choice(sorted(LIES))
            blows.append(Blow(beside, max(from_us, first - 100 * MS), blows[-1].until_us, -1, 0))
    return tuple(blows)


def _blow(rng: random.Random, kind: str, at_us: int) -> Blow:
    length = rng.choice(_LENGTHS)
    if kind in STALLS or kind in ("unplugged", "face-frozen"):
        length = rng.choice((60 * MS, 300 * MS, 450 * MS, 900 * MS, 2 * SECOND))
    if kind == "asleep" and rng.random() < 0.3:
        length = 310 * SECOND  # longer than what was found before it may be used for
    if kind in ("reset", "face-gone", "wall-clock-back"):
        length = 1 * MS
    low, high = _VALUES.get(kind, (0, 0))
    output = rng.choice((-1, 0, 0, 1))
    if kind == "stuck-output":
        output = rng.choice((0, 1))
    return Blow(kind, at_us, FOREVER_US if length is None else at_us + length, output, rng.randint(low, high))


def themed(rng: random.Random, kinds: tuple[str, ...], from_us: int, to_us: int) -> tuple[Blow, ...]:
    """The theme's kinds together, three times: what is to be tried in this session, whatever else goes wrong in it."""
    blows: list[Blow] = []
    for at_us in (rng.randint(from_us, to_us) for _ in range(3)):
        for kind in kinds:
            blow = _blow(rng, kind, from_us if kind == "wide-limits" else at_us)
            first_us = blow.at_us - (60 * MS if kind in LIES else 0)
            until_us = blow.until_us if kind in STALLS or kind == "face-frozen" else at_us + 2 * SECOND
            blows.append(Blow(kind, max(from_us, first_us), until_us, 0, blow.value))
    return tuple(blows)


def _meets(spans: Iterable[tuple[int, int]], from_us: int, to_us: int) -> bool:
    for start, end in spans:  # noqa: SIM110 - asked many times a step, and a generator costs more than the answer
        if start <= to_us and end > from_us:
            return True
    return False


class Troubles:
    """Which kinds are or were about, by the time."""

    def __init__(self, blows: tuple[Blow, ...]) -> None:
        self._spans: dict[str, list[tuple[int, int]]] = {}
        self._together: dict[frozenset[str], list[tuple[int, int]]] = {}  # the same by the kinds that were asked for
        for blow in blows:
            if blow.kind not in STALLS:  # those begin with a pass, not on the dot
                self.add(blow.kind, blow.at_us, blow.until_us)

    def add(self, kind: str, from_us: int, until_us: int) -> None:
        """``kind`` is there in ``[from_us, until_us)``."""
        self._spans.setdefault(kind, []).append((from_us, until_us))
        self._together.clear()

    def any(self, kinds: frozenset[str], from_us: int, to_us: int) -> bool:
        """Whether one of ``kinds`` was about at any time from ``from_us`` to ``to_us``."""
        spans = self._together.get(kinds)
        if spans is None:
            spans = self._together[kinds] = [span for kind in kinds for span in self._spans.get(kind, ())]
        return _meets(spans, from_us, to_us)

    def has(self, kind: str, from_us: int, to_us: int) -> bool:
        """The same for one kind."""
        return _meets(self._spans.get(kind, ()), from_us, to_us)

    def throughout(self, kind: str, from_us: int, to_us: int) -> bool:
        """Whether ``kind`` was there all the time."""
        return any(start <= from_us and end > to_us for start, end in self._spans.get(kind, ()))
