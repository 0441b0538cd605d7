"""The parts of the benchmark, each with a table of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from benchmarks.onset import crossval, patients, variants
from benchmarks.onset.cases import CPU_PERCENT, GOALS, Case, by_group, cases
from benchmarks.onset.detectors import STREAMING, Ours, neurokit
from benchmarks.onset.judging import CHUNK_MS, Result, offline, streamed, total
from benchmarks.timing import table

HEADING: Final = ("detector", "hits %", "known in 100 ms %", "again", "false/min", "median ms", "p95 ms", "CPU ms/s")
SLACK: Final = 0.1
"""How far from its goal a figure may be when the recording is changed and not the muscle."""

FAST_HZ: Final = 2_000.0


def peers() -> None:
    """Everybody on every group."""
    print(
        f"chunks of {CHUNK_MS:g} ms; offline ways are timed by where they place an onset, and know it at the very end"
    )
    packages = neurokit()
    if not packages:
        print("NeuroKit2: not installed (pip install neurokit2)")
    ours: dict[str, Result] = {}
    rows: list[tuple[str, ...]] = []
    for group, members in by_group(cases()).items():
        results = {name: total(streamed(case, make) for case in members) for name, make in STREAMING.items()}
        results |= {name: total(offline(case, find) for case in members) for name, find in packages.items()}
        ours[group] = results["ours"]
        rows += [_goal_row(group), *(_row(name, result) for name, result in results.items())]
    table(HEADING, rows)
    missed = [group for group, goal in GOALS.items() if not goal.is_met(ours[group].score)]
    print(f"goals met: {len(GOALS) - len(missed)} of {len(GOALS)}; not met: {', '.join(missed) or 'none'}")
    fast = total(streamed(case, Ours) for case in cases() if case.truth.rate_hz == FAST_HZ)
    print(f"ours, four channels at 2 kHz: {400 * fast.cpu_s / fast.seconds:.2f} % of a core (goal {CPU_PERCENT:g} %)")


def chunk_sizes() -> None:
    """Ours in chunks of other lengths: what is heard stays, and only when it is known moves."""
    for chunk_ms in (2.0, CHUNK_MS, 50.0):
        _goals_table(f"chunks of {chunk_ms:g} ms", cases(), chunk_ms)


def changed() -> None:
    """Ours on recordings that were changed and not the muscle: each goal within a tenth."""
    for name, change in variants.VARIANTS.items():
        _goals_table(name, tuple(change(case) for case in cases() if case.group in GOALS), slack=SLACK)


def people() -> None:
    """Ours on each person of the armbands: one set of settings, nothing of it fitted to anybody."""
    mine = [case for case in cases() if case.person]
    rows = [
        _row(person, total(streamed(case, Ours) for case in mine if case.person == person))
        for person in sorted({case.person for case in mine})
    ]
    table(("person, armband", *HEADING[1:]), rows)


def simulated() -> None:
    """Everybody who streams on the simulated patient: the twin is no easier and no harder than people are."""
    rows: list[tuple[str, ...]] = []
    for group, members in by_group(patients.sweep()).items():
        results = {name: total(streamed(case, make) for case in members) for name, make in STREAMING.items()}
        rows += [_goal_row(group), *(_row(name, result) for name, result in results.items())]
    table(HEADING, rows)


def _goals_table(name: str, of: tuple[Case, ...], chunk_ms: float = CHUNK_MS, slack: float = 0.0) -> None:
    rows = []
    for group, members in by_group(of).items():
        if group in GOALS:
            result = total(streamed(case, Ours, chunk_ms) for case in members)
            rows.append((*_row(group, result), "yes" if GOALS[group].is_met(result.score, slack) else "NO"))
    table((name, *HEADING[1:], "goal" if not slack else f"goal ± {slack:.0%}"), rows)


def _goal_row(group: str) -> tuple[str, ...]:
    goal = GOALS.get(group)
    if goal is None:
        return (f"-- {group}", *[""] * (len(HEADING) - 1))
    timed = (f"{goal.median_ms:g}", f"{goal.p95_ms:g}") if goal.hit else ("", "")
    return (f"-- {group}, goal", f"{goal.hit:g}" if goal.hit else "", "", "", f"{goal.false:g}", *timed, "")


def _row(name: str, result: Result) -> tuple[str, ...]:
    found = result.score
    if result.failed:
        return (f"{name}: fails", *["-"] * (len(HEADING) - 1))
    return (
        name,
        _number(found.hit_percent, 0),
        _number(found.soon_percent, 0),
        f"{found.again}",
        _number(found.false_per_min, 2),
        _number(found.late_ms(0.5), 0),
        _number(found.late_ms(0.95), 0),
        _cpu(result),
    )


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _cpu(result: Result) -> str:
    return f"{1e3 * result.cpu_s / result.seconds:.2f}"


PARTS: Final[dict[str, Callable[[], None]]] = {
    "peers": peers,
    "chunks": chunk_sizes,
    "variants": changed,
    "people": people,
    "crossval": crossval.main,
    "patient": simulated,
}
"""What can be asked for by name."""
