"""Are the detector's constants fitted to the people they were chosen on? ``python -m benchmarks.onset crossval``.

Each person of the armbands is left out once, with all recordings of that person. The constants that matter most (evidence
asked for, rest's own wandering, persistence) are then chosen anew from :data:`GRID` on the other people alone, by
:func:`cost`, and the person left out is judged with that choice, which never saw them. Hits, false alarms and quiet time of all
who were held out are added up, and set beside the constants as they stand on the same recordings: where the two differ by
more than a few milliseconds or a false alarm or two, the constants were fitted to people and not to muscle. Everything else is
as it stands, the settings included, and nothing is fitted to the person who is judged.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Final, NamedTuple, final
from unittest.mock import patch

from benchmarks.onset.cases import GOALS, Case, cases
from benchmarks.onset.detectors import Ours
from benchmarks.onset.judging import streamed, total
from benchmarks.timing import table
from stimctl.sensors import evidence, level
from stimctl.sensors.scoring import Score

GROUP: Final = "real_myo"


@final
class Choice(NamedTuple):
    """One value for each constant: nats of evidence, standard deviations of wandering, moments that must be raised."""

    enough: float
    wander: float
    raised: int

    def __str__(self) -> str:
        return f"{self.enough:g} nats, {self.wander:g} SD, {self.raised} of {evidence.MOMENTS}"


STANDING: Final = Choice(evidence.ENOUGH, level.WANDER, evidence.RAISED)
GRID: Final = tuple(
    Choice(*values)
    for values in itertools.product(
        sorted({8.0, 10.0, 12.0, STANDING.enough}),
        sorted({1.0, 1.4, 2.0, STANDING.wander}),
        sorted({3, STANDING.raised}),
    )
)


def cost(score: Score) -> tuple[float, float]:
    """The least is chosen: first how far hits and false alarms are from their goals, as shares of these; then latency.

    Safety first, as the goals ask: only among choices that keep hits and false alarms does it count how soon efforts
    are known. Median and p95 count alike, each as a share of its goal.
    """
    goal = GOALS[GROUP]
    misses = max(0.0, 1 - (score.hit_percent or 0.0) / goal.hit)
    alarms = max(0.0, (score.false_per_min or 0.0) / goal.false - 1)
    late = (score.late_ms(0.5) or 1e3) / goal.median_ms + (score.late_ms(0.95) or 1e3) / goal.p95_ms
    return misses + alarms, late


def judged(task: tuple[Choice, tuple[Case, ...]]) -> Score:
    """What comes of recordings with a choice."""
    choice, members = task
    with (
        patch.object(evidence, "ENOUGH", choice.enough),
        patch.object(evidence, "RAISED", choice.raised),
        patch.object(level, "WANDER", choice.wander),
    ):
        return total(streamed(case, Ours) for case in members).score


def _sum(scores: Iterable[Score]) -> Score:
    return sum(scores, Score())


def main() -> None:
    """Print who was left out, what was chosen without them, and how they fared with it."""
    mine = [case for case in cases() if case.group == GROUP]
    people = sorted({case.person for case in mine})
    keys = list(itertools.product(GRID, people))
    tasks = [(choice, tuple(case for case in mine if case.person == person)) for choice, person in keys]
    with ProcessPoolExecutor() as pool:
        scores = dict(zip(keys, pool.map(judged, tasks, chunksize=4), strict=True))
    rows, held_out = [], []
    for person in people:
        others = [other for other in people if other != person]
        best = min(GRID, key=lambda choice: cost(_sum(scores[choice, other] for other in others)))
        held_out.append(scores[best, person])
        rows.append((person, str(best), *_figures(held_out[-1])))
    best = min(GRID, key=lambda choice: cost(_sum(scores[choice, person] for person in people)))
    for name, choice in (("all, as it stands", STANDING), ("all, chosen on all", best)):
        rows.append((name, str(choice), *_figures(_sum(scores[choice, person] for person in people))))
    rows.append(("all, each held out", "", *_figures(_sum(held_out))))
    table(("left out", "chosen on the others", "efforts", "hits %", "false/min", "median ms", "p95 ms"), rows)


def _figures(score: Score) -> tuple[str, ...]:
    figures = (score.hit_percent, score.false_per_min, score.late_ms(0.5), score.late_ms(0.95))
    digits = (1, 2, 0, 0)
    shown = ("-" if value is None else f"{value:.{n}f}" for value, n in zip(figures, digits, strict=True))
    return (f"{score.efforts}", *shown)
