"""The recordings, with what is known of them, and the goals of each group."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from stimctl.sensors.samples import Samples
from stimctl.sensors.scoring import Score, Truth

DATA: Final = Path(__file__).parents[1] / "data" / "emg"


@dataclass(frozen=True, eq=False)
class Case:
    """One recording: its samples, its truth and the samples at which a stimulator's pulses began."""

    name: str
    group: str
    values: Samples
    truth: Truth
    pulses: tuple[int, ...] = ()
    person: str = ""

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.values) / self.truth.rate_hz


class Goal(NamedTuple):
    """At least so many hits (%), at most so many false alarms a minute and such latencies (ms, median and p95)."""

    hit: float
    false: float
    median_ms: float
    p95_ms: float

    def is_met(self, found: Score, slack: float = 0.0) -> bool:
        """Whether ``found`` is as good, or worse by no more than a share ``slack`` of each figure."""
        hit, false = found.hit_percent, found.false_per_min
        return (
            (hit is None or hit >= self.hit * (1 - slack))
            and (false is None or false <= self.false * (1 + slack))
            and all(
                late is None or late <= most * (1 + slack)
                for late, most in ((found.late_ms(0.5), self.median_ms), (found.late_ms(0.95), self.p95_ms))
            )
        )


GOALS: Final = {
    "real_myo": Goal(98, 0.4, 40, 80),
    "syn_10dB": Goal(100, 0, 40, 60),
    "syn_03dB": Goal(97, 0.2, 80, 140),
    "syn_drift": Goal(100, 0.5, 50, 90),
    "syn_knock": Goal(97, 2, 60, 100),
    "stim_vol": Goal(100, 0.2, 60, 120),
    "stim_steps": Goal(97, 0.5, 60, 120),
    "stim_jitter": Goal(95, 0.5, 70, 150),
    "stim_selftrig": Goal(0, 0, 0, 0),
}
"""What our detector is to reach on each group in chunks of 10 ms, with one set of settings for all of them."""

CPU_PERCENT: Final = 1.0
"""Goal: at most so much of one core for four channels at 2 kHz."""


@functools.cache
def cases() -> tuple[Case, ...]:
    """Every recording, groups with a goal first."""
    read = [_read(path) for path in sorted(DATA.glob("*.npz"))]
    order = {group: at for at, group in enumerate(GOALS)}
    return tuple(sorted(read, key=lambda case: (order.get(case.group, len(order)), case.group, case.name)))


def by_group(of: tuple[Case, ...]) -> dict[str, list[Case]]:
    """The same, each group by itself."""
    groups: dict[str, list[Case]] = {}
    for case in of:
        groups.setdefault(case.group, []).append(case)
    return groups


def _read(path: Path) -> Case:
    with np.load(path, allow_pickle=False) as data:
        values = data["x"].astype(np.float64) * float(data["lsb"])
        truth = Truth(
            float(data["fs"]),
            len(values),
            tuple(map(int, data["onsets"])),
            tuple(map(int, data["offsets"])),
            tuple((int(start), int(stop)) for start, stop in data["ignore"].reshape(-1, 2)),
            float(data["tol_pre_s"]),
            float(data["calib_s"]),
        )
        pulses = tuple(map(int, data["stim"])) if bool(data["has_stim"]) else ()
        person = str(json.loads(str(data["meta"])).get("subject", ""))
        return Case(path.stem, str(data["group"]), values, truth, pulses, person)
