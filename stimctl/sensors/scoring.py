"""How well onsets were heard: the one scorer for the benchmark, for ``stimctl emg --tune`` and for the simulated patient.

Everything is in samples of one recording. What counts is when an onset was *known* to whoever has to act on it, not where
in the signal it is placed: a detector that looks back in time gains nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, final

LATE_S: Final = 0.5
"""An onset that is known later than this after its label came of something else."""

TAIL_S: Final = 0.25
"""What is heard so long after the end of an effort still belongs to it."""

EARLY_S: Final = 0.02
"""How far before its label an onset may be known where nobody says otherwise: as good as exact labels are."""

CALIBRATION_S: Final = 2.0
"""Rest at the beginning of a recording that every detector may learn from, and nobody is judged by."""

SOON_S: Final = 0.1
"""Movement follows its EMG by some 30 to 100 ms: an onset known within this is acted on at or just after the first movement."""


@final
class Truth(NamedTuple):
    """What is known of a recording: labelled efforts, and what nobody is judged by. Sample indexes, ends excluded."""

    rate_hz: float
    length: int
    onsets: tuple[int, ...]
    ends: tuple[int, ...]
    ignore: tuple[tuple[int, int], ...] = ()
    early_s: float = EARLY_S
    calibration_s: float = CALIBRATION_S


@final
@dataclass(frozen=True, slots=True)
class Score:
    """What came of one recording, or of several added up.

    ``late_s``: how long after its label each effort was known, in the order of the efforts that were; it may lie a little
    below zero. ``again``: how often one effort was heard once more, or only after the time for a hit was over. ``false``:
    what was heard and is no effort, in ``quiet_s`` seconds without any.
    """

    efforts: int = 0
    late_s: tuple[float, ...] = ()
    again: int = 0
    false: int = 0
    quiet_s: float = 0.0

    def __add__(self, other: Score) -> Score:
        """Both recordings as one."""
        return Score(
            self.efforts + other.efforts,
            self.late_s + other.late_s,
            self.again + other.again,
            self.false + other.false,
            self.quiet_s + other.quiet_s,
        )

    @property
    def hit_percent(self) -> float | None:
        """Efforts that were heard, of all; ``None`` where there are none."""
        return 100 * len(self.late_s) / self.efforts if self.efforts else None

    @property
    def soon_percent(self) -> float | None:
        """Efforts that were known within :data:`SOON_S`, of all."""
        return 100 * sum(1 for late_s in self.late_s if late_s <= SOON_S) / self.efforts if self.efforts else None

    @property
    def false_per_min(self) -> float | None:
        """False alarms a minute of quiet time; ``None`` where nothing was quiet."""
        return 60 * self.false / self.quiet_s if self.quiet_s > 0 else None

    def late_ms(self, share: float) -> float | None:
        """The latency that ``share`` of the heard efforts do not exceed (nearest rank), in ms; ``None`` without any."""
        ordered = sorted(self.late_s)
        if not ordered:
            return None
        rank = max(1, -int(-share * len(ordered) // 1))  # rounded up
        return 1e3 * ordered[min(rank, len(ordered)) - 1]


def score(known: Iterable[int], truth: Truth) -> Score:
    """Judge onsets that were ``known`` at these samples: the end of the chunk whose push returned them.

    A hit is known between ``early_s`` before and :data:`LATE_S` after a label, the first one of each effort. What else is
    heard until :data:`TAIL_S` after the effort's end is the same effort again. All that remains is a false alarm, but in
    the spans to be ignored and in the calibration, where neither onsets nor efforts are counted.
    """
    rate, calibration = truth.rate_hz, round(truth.calibration_s * truth.rate_hz)
    unjudged = ((0, calibration), *truth.ignore)
    efforts = [
        (onset, end) for onset, end in zip(truth.onsets, truth.ends, strict=True) if not _within(onset, unjudged)
    ]
    left = [at for at in sorted(known) if not _within(at, unjudged)]
    late_s = []
    for onset, _ in efforts:
        window = _window(onset, truth)
        hit = next((at for at in left if window[0] <= at <= window[1]), None)
        if hit is not None:
            left.remove(hit)
            late_s.append((hit - onset) / rate)
    busy = [_busy(onset, end, truth) for onset, end in efforts]
    again = sum(1 for at in left if any(start <= at <= stop for start, stop in busy))
    quiet_s = (truth.length - _covered((*unjudged, *busy), truth.length)) / rate
    return Score(len(efforts), tuple(late_s), again, len(left) - again, quiet_s)


def known_at(found: Iterable[int], chunk: int, length: int) -> tuple[int, ...]:
    """When onsets that became certain with these samples are known where ``chunk`` samples come at a time: at its end."""
    return tuple(min(length, (index // chunk + 1) * chunk) for index in found)


def _window(onset: int, truth: Truth) -> tuple[float, float]:
    return onset - truth.early_s * truth.rate_hz, onset + LATE_S * truth.rate_hz


def _busy(onset: int, end: int, truth: Truth) -> tuple[float, float]:
    """The stretch that belongs to an effort, a very short one's time for a hit included."""
    start, latest = _window(onset, truth)
    return start, max(latest, end + TAIL_S * truth.rate_hz)


def _within(at: int, spans: Iterable[tuple[int, int]]) -> bool:
    return any(start <= at < stop for start, stop in spans)


def _covered(spans: Sequence[tuple[float, float]], length: int) -> float:
    """How many samples of ``length`` lie in any of ``spans``."""
    covered = reached = 0.0
    for start, stop in sorted(spans):
        begin, end = max(0.0, start, reached), min(float(length), stop)
        covered += max(0.0, end - begin)
        reached = max(reached, end)
    return covered
