"""Settings proposed from a recording: every candidate is played through the real detector, and judged as the benchmark judges.

A burst that nobody asked for is worse than a late one, so false alarms come first, then what is missed, then time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Final, NamedTuple, final

from stimctl.sensors.playing import play
from stimctl.sensors.recording import Recording
from stimctl.sensors.scoring import Score, Truth, score
from stimctl.sensors.settings import OnsetSettings

THRESHOLDS_SD: Final = (3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 13.0)
DWELLS_MS: Final = (10.0, 25.0, 50.0, 80.0)
"""What is tried: from hasty to slow, in steps that make a difference."""

FALSE_PER_MIN: Final = 0.5
"""As few false alarms as the best known streaming reference has on armbands; fewer are not worth a missed effort."""


@final
class Candidate(NamedTuple):
    """Settings and what came of them."""

    settings: OnsetSettings
    score: Score


def tried(
    recording: Recording,
    truth: Truth,
    base: OnsetSettings,
    chunk_ms: float,
    progress: Callable[[int, int], None],
) -> tuple[Candidate, ...]:
    """Every candidate with its score, the settings that were given first. ``progress`` is told how many are done."""
    grid = [
        replace(base, threshold_uv=None, threshold_sd=sd, dwell_ms=ms) for sd, ms in product(THRESHOLDS_SD, DWELLS_MS)
    ]
    wanted = list(dict.fromkeys([base, *grid]))
    found = []
    for done, settings in enumerate(wanted, 1):
        found.append(Candidate(settings, judged(recording, truth, settings, chunk_ms)))
        progress(done, len(wanted))
    return tuple(found)


def judged(recording: Recording, truth: Truth, settings: OnsetSettings, chunk_ms: float) -> Score:
    """What the detector makes of ``recording`` with ``settings``."""
    return score(play(recording, settings, chunk_ms).ends, truth)


def best(candidates: tuple[Candidate, ...]) -> Candidate:
    """The one to propose; where several are as good, the one that was tried first."""
    return min(candidates, key=_badness)


def _badness(candidate: Candidate) -> tuple[float, ...]:
    found = candidate.score
    false = found.false_per_min or 0.0
    missed = found.efforts - len(found.late_s)
    median, p95 = found.late_ms(0.5) or 0.0, found.late_ms(0.95) or 0.0
    return (max(0.0, false - FALSE_PER_MIN), missed, median + p95, false)
