"""Finding a channel's thresholds: two ascending runs, and the lower of the two most tolerated levels.

Procedure D, step 6 of the clinical reference. Marks must stand in order (B.9: sensory, then motor, then most tolerated).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, final

from stimctl.errors import UsageError
from stimctl.limits import Effect, Sensation

RUNS: Final = 2
MARKS: Final = ("sensory", "motor", "tolerated")


@final
@dataclass(slots=True)
class Thresholds:
    """One channel's marks, in µA, for each ascending run."""

    effect: Effect
    sensation: Sensation
    runs: list[dict[str, int]] = field(default_factory=lambda: [{}])

    @property
    def run(self) -> int:
        """The ascending run in progress, from 1; stays at the last when all are done."""
        return min(len(self.runs), RUNS)

    @property
    def complete(self) -> bool:
        """Whether every run ended with a most tolerated level."""
        return len(self.runs) == RUNS and "tolerated" in self.runs[-1]

    def current(self, mark: str) -> int | None:
        """The mark in the run in progress, µA; after the last run, that run's."""
        return self.runs[-1].get(mark)

    def lowest(self, mark: str) -> int | None:
        """The lower value of a mark over the runs, µA, as for the ceiling."""
        return min((run[mark] for run in self.runs if mark in run), default=None)

    def put(self, mark: str, level_ua: int) -> bool:
        """Take a mark at the present level; True when it ends the run. Raises :class:`UsageError` out of order."""
        if mark not in MARKS:
            raise UsageError(f"{mark!r} is not a threshold; there are: {', '.join(MARKS)}")
        if self.complete:
            raise UsageError("both runs are done and the ceiling stands; go on, or start this channel anew")
        if level_ua <= 0:
            raise UsageError("there is no output to mark: raise the level first")
        run = self.runs[-1]
        self._check_order(run, mark, level_ua)
        run[mark] = level_ua
        if mark != "tolerated":
            return False
        if len(self.runs) < RUNS:
            self.runs.append({})
        return True

    def _check_order(self, run: dict[str, int], mark: str, level_ua: int) -> None:
        missing = [need for need in self._needed() if MARKS.index(need) < MARKS.index(mark) and need not in run]
        if missing:
            raise UsageError(f"mark {missing[0]} before {mark}")
        above = [name for name, value in run.items() if MARKS.index(name) < MARKS.index(mark) and value > level_ua]
        if above:
            raise UsageError(f"{mark} cannot lie below {above[0]} ({run[above[0]] / 1000:g} mA)")

    def _needed(self) -> tuple[str, ...]:
        """Marks that a run cannot do without: a second sign where feeling is no guide (B.9)."""
        sensory = () if self.sensation is Sensation.ABSENT else ("sensory",)
        motor = ("motor",) if self.effect is Effect.MOTOR else ()
        return (*sensory, *motor)

    @property
    def ceiling_ua(self) -> int:
        """The lower of the most tolerated levels; raises :class:`UsageError` before both runs are done."""
        if not self.complete:
            raise UsageError(f"run {self.run} of {RUNS} is not finished")
        return min(run["tolerated"] for run in self.runs)
