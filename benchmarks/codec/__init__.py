"""ScienceMode frames written and read in a second, beside `science-mode-4` and `pysciencemode` in the same run.

Goals: at least 500 times `science-mode-4` on an update of 8 channels with 16 points each, 50 times on a pulse of three
points, 40 times on answers. Amplitudes differ from frame to frame, and everybody's bytes are compared before anything is
timed. What counts is processor time, the best of several short rounds in which all take turns.

Ours looks up pulses, and short frames that it has read before, instead of working them out again; the rows "never met before"
show what is left without that. An update is read by nobody else: `science-mode-4` only opens its frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from time import process_time_ns
from typing import Final

from benchmarks.codec import ours, peers, work
from benchmarks.timing import table

C_LIBRARY_PER_S: Final = 330_000
"""Three-point pulses that the vendor's C library 4.0.0 was seen to write through ctypes, on another machine."""

ROUNDS: Final = 15
ROUND_NS: Final = 10_000_000

Step = Callable[[], object]


def main() -> None:
    """Print one table, and what came of the goals."""
    theirs = peers.found()
    for name, package in peers.PACKAGES.items():
        if name not in theirs:
            print(f"{name}: not installed ({package.how})")
    rows, missed = [], []
    for job in work.JOBS:
        us = endless(ours.WAYS[job.name])
        them = {name: endless(ways[job.name]) for name, ways in theirs.items() if job.name in ways}
        best = fastest({"": us, **them}, job.passes)
        for name in them or ("",):
            times = best[name] / best[""]
            verdict = "" if not (job.goal and name == peers.SCIENCE_MODE_4) else "yes" if times >= job.goal else "NO"
            missed += [job.name] if verdict == "NO" else []
            theirs_per_s = f"{1e9 / best[name]:,.0f}" if name else "-"
            goal = f"{job.goal} x" if verdict else ""
            rows.append(
                (
                    job.name,
                    f"{1e9 / best['']:,.0f}",
                    name,
                    theirs_per_s,
                    f"{times:,.0f} x" if name else "",
                    goal,
                    verdict,
                )
            )
        if job.name == work.PULSE:
            share = 1e9 / best[""] / C_LIBRARY_PER_S
    table(("frames", "ours/s", "beside", "theirs/s", "ours is", "goal", "met"), rows)
    print(
        f"the vendor's C library through ctypes: about {C_LIBRARY_PER_S:,} three-point pulses/s, not run here; ours is {share:.1f} x that"
    )
    print(f"goals not met: {', '.join(missed) or 'none' if theirs else 'unknown, as nobody is here to compare with'}")


def endless(steps: Callable[[], Iterator[Step]]) -> Iterator[Step]:
    """The steps of a job, over and over, each prepared anew."""
    while True:
        yield from steps()


def fastest(sides: dict[str, Iterator[Step]], passes: int) -> dict[str, float]:
    """Nanoseconds of processor time for one step, at best; all take turns."""
    best = dict.fromkeys(sides, float("inf"))
    for _ in range(ROUNDS):
        for name, steps in sides.items():
            best[name] = min(best[name], round_of(steps, passes))
    return best


def round_of(steps: Iterator[Step], passes: int) -> float:
    """Nanoseconds of processor time for one step, over some ms; what is prepared before them is not counted."""
    took = count = 0
    while took < ROUND_NS:
        few = list(islice(steps, work.FEW))
        for _ in range(passes):
            begun = process_time_ns()
            for step in few:
                step()
            took += process_time_ns() - begun
            count += len(few)
            if took >= ROUND_NS:
                break
    return took / count
