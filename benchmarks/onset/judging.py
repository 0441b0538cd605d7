"""Recordings played to a detector in chunks, and what came of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from time import process_time

from benchmarks.onset.cases import Case
from benchmarks.onset.detectors import Maker, Offline
from stimctl.sensors.samples import Chunk
from stimctl.sensors.scoring import Score, score

CHUNK_MS = 10.0


@dataclass(frozen=True)
class Result:
    """A score, and the processor time that it took for so many seconds of signal."""

    score: Score = field(default_factory=Score)
    cpu_s: float = 0.0
    seconds: float = 0.0
    failed: str = ""

    def __add__(self, other: Result) -> Result:
        """Both together."""
        return Result(
            self.score + other.score,
            self.cpu_s + other.cpu_s,
            self.seconds + other.seconds,
            self.failed or other.failed,
        )


def chunks(case: Case, chunk_ms: float) -> list[Chunk]:
    """The recording as a source would give it, pulses included."""
    rate, made = case.truth.rate_hz, []
    size = max(1, round(chunk_ms * rate / 1e3))
    for first in range(0, len(case.values), size):
        values = case.values[first : first + size]
        end = first + len(values)
        inside = case.pulses[bisect_left(case.pulses, first) : bisect_left(case.pulses, end)]
        made.append(Chunk(first, rate, values, round(end * 1e6 / rate), tuple(at - first for at in inside)))
    return made


def streamed(case: Case, make: Maker, chunk_ms: float = CHUNK_MS) -> Result:
    """Push every chunk; an onset is known at the end of the chunk that told it."""
    given, detector = chunks(case, chunk_ms), make(case.truth.rate_hz)
    before = process_time()
    known = [chunk.first_index + len(chunk.values_uv) for chunk in given if detector.push(chunk)]
    return Result(score(known, case.truth), process_time() - before, case.seconds)


def offline(case: Case, find: Offline) -> Result:
    """Look at the whole recording at once: what is timed is where onsets are placed, not when anybody could know them."""
    before = process_time()
    try:
        found = find(case.values, case.truth.rate_hz)
    except Exception as error:  # noqa: BLE001 - a package's own; that it cannot is the result
        return Result(seconds=case.seconds, failed=f"{type(error).__name__}: {error}".splitlines()[0])
    return Result(score(found, case.truth), process_time() - before, case.seconds)


def total(results: Iterable[Result]) -> Result:
    """All of them as one."""
    return sum(results, Result())
