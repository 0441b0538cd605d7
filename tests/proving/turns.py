"""Which interleavings of an operation with a stop are tried, how one is told from another, and how one is run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.proving.operations import Operation

KEY: Final = {"start": 1, "pause": 1, "clear": 1, "arm": 3, "deliver": 3}
"""Operations in which the long run tries pairs of pre-emptions one by one: the loop held at every so manyth line, the stop
at each of its own. The other operations' pairs are drawn by a seed."""

SHORT: Final = 4
"""The everyday share holds each operation before so many of its lines, evenly spread, and at its end."""

PAIRS: Final = 300
SEEDS: Final = 300
"""Drawn for each operation in the long run."""

ASKING: Final = 40
"""More lines than the stop thread needs to ask whether output may be on."""


@dataclass(frozen=True)
class Turns:
    """One interleaving: where the loop and the stop are held (0: nowhere), or a seed; and in which manner."""

    at: tuple[int, int] = (0, 0)
    seed: int = 0
    impatient: bool = False
    stops: int = 1
    asks: bool = False

    def command(self, operation: str) -> str:
        """What repeats it."""
        words = [f"python -m tests.proving.threads --operation {operation}"]
        words += [f"--seed {self.seed}"] if self.seed else [f"--at {self.at[0]},{self.at[1]}"]
        words += ["--impatient"] if self.impatient else []
        words += ["--asks"] if self.asks else []
        words += [f"--stops {self.stops}"] if self.stops > 1 else []
        return " ".join(words)


def plan(name: str, loop: int, stop: int, *, long: bool) -> Iterator[Turns]:
    """Which interleavings: ``loop`` and ``stop`` are the numbers of yield points."""
    from random import Random

    random = Random(name)
    every = 1 if long else max(1, loop // SHORT)
    first = 1 + random.randrange(every)
    for at in (*range(first, loop + 1, every), loop):
        yield Turns((at, 0))
    for at in range(first, loop + 1, 3 if long else 4 * every):
        yield Turns((at, 0), impatient=True)
        yield Turns((at, 0), stops=2)
    for own in range(1, ASKING) if long else (3, 10, 17):
        yield Turns((1, own), asks=True)
    if long and name in KEY:
        yield from (Turns((at, own)) for at in range(1, loop + 1, KEY[name]) for own in range(1, stop + 1))
    else:
        for _ in range(PAIRS if long else 3):
            yield Turns((random.randint(1, loop), random.randint(1, stop)), stops=random.choice((1, 1, 2)))
    for _ in range(SEEDS if long else 1):
        yield Turns(seed=random.randrange(1, 1 << 30), stops=random.choice((1, 2)), impatient=random.random() < 0.2)


def tried(
    bench: Any, operation: Operation, turns: Turns, *, thorough: bool = True
) -> tuple[list[int], list[str], list[str]]:
    """Points of each thread, turns taken, and what was wrong."""
    from tests.proving.apart import apart
    from tests.proving.baton import last_turns, planned, seeded
    from tests.proving.interleaving import Manner, interleave

    loop, own = turns.at
    wishes = {(0, loop): 1} | ({(1, own): 2 if turns.stops > 1 else 0} if own else {})
    last = last_turns(wishes) if loop else None  # nowhere: it is only to be counted
    manner = Manner(bool(turns.seed), turns.impatient, turns.stops, turns.asks, thorough, last)
    chooser = seeded(turns.seed, every=40) if turns.seed else planned(wishes)
    found = apart(lambda: interleave(bench, operation, chooser, manner).json())
    return found[0], found[1], found[2]
