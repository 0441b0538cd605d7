"""The prover of unchecked input: every path that something comes in by, tried with many thousands of odd inputs.

``python3 -m tests.proving.fuzz PROBE SEED`` tries one input again, and shows it with all that came of it.
"""

from __future__ import annotations

import contextlib
import faulthandler
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Final

from tests.fuzzing import asked, batteries, boards, files, lines
from tests.fuzzing.probe import Failure, Probe, run
from tests.proving.table import Outcome, Row

PROBES: Final[dict[str, Probe]] = {
    each.name: each for each in (*files.PROBES, *lines.PROBES, *boards.PROBES, *batteries.PROBES, *asked.PROBES)
}

LONG: Final = {
    "record": 3_000,
    "orders": 1_500,
    "environment": 4_000,
    "arguments": 6_000,
    "protocol": 8_000,
    "twin": 6_000,
    "sciencemode4": 10_000,
    "sciencemode2": 10_000,
    **{each.name: 10_000 for each in batteries.PROBES},
}
"""Inputs of a long run where one takes more than a millisecond or two; of all others :data:`OTHERS`."""

OTHERS: Final = 20_000
SHORT: Final = 60
"""Inputs of each path in the everyday tests; those that take long get a third of it, and whole sessions a tenth."""

PATIENCE_S: Final = 20
"""How long one input may take before that is a hang; the machine may be busy."""

MEMORY_BYTES: Final = 4 << 30
"""How much address space the prover may use: an input of some kB that wants more than this is a bomb."""


def seeds(probe: Probe, *, long: bool) -> range:
    """The inputs to try; a short run's are the first of a long one's."""
    if long:
        return range(LONG.get(probe.name, OTHERS))
    return range(SHORT // 10 if probe.name == "orders" else SHORT // 3 if probe.name in LONG else SHORT)


def prove(*, long: bool) -> Outcome:
    """Try every path."""
    rows, failures = [], []
    with _little_memory():
        for probe in PROBES.values():
            tried = seeds(probe, long=long)
            failed = run(probe, tried, patience=_patience)
            rows.append(Row(f"{probe.what}: inputs tried", len(tried), good=not failed, remark=f"{len(failed)} failed"))
            failures += [told(each) for each in failed[:3]]
    return Outcome("fuzz", tuple(rows), tuple(failures))


def told(failure: Failure) -> str:
    """A failure in a sentence, with the command that shows it again."""
    last = [line for line in failure.why.strip().splitlines() if not line.startswith("given:")][-1]
    return f"{failure.probe} fails on seed {failure.seed}: {last[:300]}; python3 -m tests.proving.fuzz {failure.probe} {failure.seed}"


@contextlib.contextmanager
def _patience() -> Iterator[None]:
    """Ends an input that hangs, and counts it as failed. In the main thread of a process of our own."""

    def over(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"this input took more than {PATIENCE_S} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _little_memory() -> Iterator[None]:
    """Bounds this process's memory, so that a bomb goes off as a MemoryError and not as a machine that swaps."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def main() -> int:
    """Try one input again; exit code 1 when it fails."""
    faulthandler.enable()
    name, seed = sys.argv[1], int(sys.argv[2])
    failed = run(PROBES[name], (seed,), patience=_patience)
    print("\n".join(each.why for each in failed) or f"{name} holds on seed {seed}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
