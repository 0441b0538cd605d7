"""The people of the closed loop: simulated patients who know when they tried, under one condition each.

Every one has motor units, tremor, artefact, M-wave and a stretch reflex (:mod:`stimctl.sim`); a condition makes one thing worse.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, final

import numpy as np

from stimctl.sim.emg import Levels
from stimctl.sim.hand import Hand
from stimctl.sim.patient import Patient
from stimctl.sim.reflex import Reflex
from stimctl.sim.tissue import Site
from stimctl.sim.volition import Attempt, Will
from stimctl.units import MS, SECOND

HEARD: Final = 0.1
"""An effort begins with the first motor unit whose potential passes this share of the best effort's rms (as in ``bench onset``)."""

HELD_US: Final = (1_000_000, 3_500_000)
"""How long one holds an effort that drives an opening of 5 s: then it must end with the effort, and not with the time."""


@final
@dataclass(frozen=True)
class Condition:
    """What is worse than drawn. ``tone``: of the flexors, for their stretch reflex; ``None`` leaves it as it was drawn."""

    name: str
    sizes: Callable[[Levels], Levels] = field(default=lambda levels: levels)
    tone: float | None = None


CONDITIONS: Final = {
    each.name: each
    for each in (
        Condition("as drawn"),
        Condition("weak, 10 dB", lambda levels: levels.at_snr(10.0)),
        Condition("drift", lambda levels: replace(levels, drift_uv=100.0)),
        Condition("spastic", lambda levels: replace(levels, co_contraction=0.7, crosstalk=0.3), tone=1.0),
        Condition("mains 60 Hz", lambda levels: replace(levels, hum_uv=3.0, mains_hz=60)),
        Condition("big artefact", lambda levels: replace(levels, artefact_uv_per_ma=180.0, m_wave_uv=2_500.0)),
        Condition("knocks", lambda levels: replace(levels, knocks_per_min=15.0)),
    )
}

KNOCKED: Final = "knocks"
"""A cable that is hit 15 times a minute: no stimulator's doing, so what it sets off is counted apart."""


@final
class Person(Patient):
    """One who keeps a list of what was tried. ``willing`` is false for one who never tries, whatever the cue."""

    def __init__(self, seed: int, sites: tuple[Site, ...], condition: Condition, *, willing: bool) -> None:
        super().__init__(seed, sites, will=Will() if willing else Will(success=0.0), emg=condition.sizes)
        if condition.tone is not None:
            self.hand = Hand(tuple(muscle.action for muscle in self.hand.muscles), condition.tone)
            self._reflex = Reflex(condition.tone)
        self._chance = random.Random(f"held efforts of the loop's {seed}")
        self._tried: dict[int, Attempt] = {}
        self.lets_go_us: int | None = None
        """When the effort that is held now is to be let go."""

    @property
    def tried(self) -> tuple[Attempt, ...]:
        """Every effort so far and the next one, in order."""
        return tuple(self._tried[at] for at in sorted(self._tried))

    def cue(self, now_us: int) -> Attempt | None:
        """As any patient, and remember it."""
        attempt = super().cue(now_us)
        self._remember(now_us)
        return attempt

    def exert(self, now_us: int, strength: float | None = None) -> Attempt:
        """The same, and know when it will be over."""
        attempt = super().exert(now_us, strength)
        self._remember(now_us)
        self.lets_go_us = attempt.onset_us + round(self._chance.uniform(*HELD_US))
        return attempt

    def let_go(self, now_us: int) -> None:
        """The same; an effort that had not begun is none."""
        super().let_go(now_us)
        self._remember(now_us)
        self.lets_go_us = None

    def _remember(self, now_us: int) -> None:
        self._tried = {at: each for at, each in self._tried.items() if at <= now_us}
        self._tried |= {each.onset_us: each for each in self.volition.attempts}

    def idle(self, now_us: int) -> bool:
        """Whether nothing of an effort is left, and half a second has passed."""
        return not any(each.gone_us + 500 * MS > now_us for each in self.volition.attempts)

    def began_us(self, attempt: Attempt) -> int:
        """When the first of its motor units could be heard."""
        first, signal = self.electrode.effort(attempt)
        loud = np.abs(signal) > HEARD * self.electrode.levels.voluntary_uv
        return (first + int(np.argmax(loud))) * SECOND // self.emg_rate_hz
