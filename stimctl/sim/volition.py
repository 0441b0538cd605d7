"""What the person tries to do: attempts on cue and of their own accord, weaker and rarer as they tire.

Every attempt is fixed in the moment it is called forth, so that the muscle's activity can be asked for any later
time, in any pieces, with the same answer.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from typing import Final, final

import numpy as np
import numpy.typing as npt

from stimctl.units import SECOND

Floats = npt.NDArray[np.float64]

REACTION_US: Final = (300_000, 900_000)
"""From the cue to the first EMG. Healthy hands take 0.15 to 0.25 s; after stroke it is longer (general knowledge)."""

LENGTH_US: Final = (1_200_000, 3_000_000)
_RISE_US: Final = (60_000, 180_000)
_FALL_US: Final = (80_000, 200_000)
PRESS_US: Final = 1_000_000
"""How long a hand stays on the switch (project)."""

EFFORT_MOST_US: Final = 40 * SECOND
"""Longest effort of one that is held until it is let go (project)."""

LET_GO_US: Final = (200_000, 400_000)
"""From being told to let go to the end of the effort: slower than a healthy hand (general knowledge)."""

_GONE: Final = 6.0  # fall times after which nothing is left (0.25 %)
_TIRED_BY: Final = 0.04  # of each attempt
_RESTED_AFTER_S: Final = 180.0


@final
@dataclass(frozen=True, slots=True)
class Will:
    """How this person tries. ``success`` is the chance that a cue brings an attempt at all; ``spontaneous_s`` the
    mean time between attempts that nobody asked for, 0 for never.
    """

    success: float = 0.92
    spontaneous_s: float = 0.0
    spontaneous_min_s: float = 4.0


@final
@dataclass(frozen=True, slots=True)
class Attempt:
    """One voluntary effort: EMG from ``onset_us`` on, rising over ``rise_us``, held to ``end_us``, then falling."""

    onset_us: int
    end_us: int
    strength: float
    rise_us: int
    fall_us: int

    @property
    def gone_us(self) -> int:
        """When nothing of it is left."""
        return self.end_us + round(_GONE * self.fall_us)

    def activity(self, at_us: Floats) -> Floats:
        """Its share of this person's best effort at each time."""
        rising: Floats = -np.expm1(np.minimum(self.onset_us - at_us, 0.0) / self.rise_us)
        falling = np.exp(np.minimum(self.end_us - at_us, 0.0) / self.fall_us)
        level: Floats = np.where(at_us < self.gone_us, self.strength * rising * falling, 0.0)
        return level


@final
class Volition:
    """The attempts of one person, past ones forgotten once nobody can ask for them."""

    def __init__(self, seed: int, will: Will) -> None:
        self._will = will
        self._cued = random.Random(f"cued attempts of {seed}")  # noqa: S311 - a simulation, not a secret
        self._free = random.Random(f"spontaneous attempts of {seed}")  # noqa: S311
        self._hand = random.Random(f"presses of the switch of {seed}")  # noqa: S311
        self._held = random.Random(f"held efforts of {seed}")  # noqa: S311
        self._press_us: int | None = None
        self._tired = 0.0
        self._tired_at_us = 0
        self._next_free_us: int | None = None
        self.attempts: list[Attempt] = []

    def cue(self, now_us: int) -> Attempt | None:
        """Ask for an attempt; ``None`` when none comes. A person still at it is not asked twice."""
        if self.attempts and self.attempts[-1].end_us > now_us:
            return None
        tired = self._tiredness(now_us)
        # Both draws are made whatever comes of them: one missed cue must not change all that follows.
        works, attempt = self._cued.random(), self._draw(self._cued, now_us, self._reaction_us(), tired)
        return self._add(attempt) if works < self._will.success * (1 - 0.3 * tired) else None

    def exert(self, now_us: int, strength: float | None = None) -> Attempt:
        """Begin an effort that lasts until :meth:`let_go`; ``strength`` is its share of the person's best."""
        drawn, reaction_us = self._held.uniform(0.85, 1.0), round(self._held.uniform(*REACTION_US))
        self.let_go(now_us)
        onset_us = now_us + reaction_us
        share = drawn if strength is None else strength
        attempt = Attempt(onset_us, onset_us + EFFORT_MOST_US, share, _RISE_US[1], _FALL_US[0])
        self.attempts.append(attempt)
        return attempt

    def let_go(self, now_us: int) -> int:
        """End the effort that goes on, after a reaction; one that has not begun yet never does. Returns when it is over."""
        end_us = now_us + round(self._held.uniform(*LET_GO_US))
        self.attempts = [_ended(each, end_us) for each in self.attempts if each.onset_us < end_us]
        return end_us

    def ask(self, now_us: int) -> None:
        """Ask for a press of the switch with the sound hand; it comes after the reaction, or not at all."""
        works, reaction_us = self._hand.random(), round(self._hand.uniform(*REACTION_US))
        self._press_us = now_us + reaction_us if works < self._will.success else None

    def presses(self, now_us: int) -> bool:
        """Whether the switch is being pressed; a press is taken once, and is over after :data:`PRESS_US`."""
        due_us = self._press_us
        if due_us is None or now_us < due_us:
            return False
        self._press_us = None
        return now_us - due_us < PRESS_US

    def spontaneous(self, until_us: int) -> list[Attempt]:
        """Every attempt of the person's own accord with an onset up to ``until_us`` that is not listed yet."""
        if self._will.spontaneous_s <= 0:
            return []
        if self._next_free_us is None:
            self._next_free_us = until_us + self._pause_us()
        new = []
        while self._next_free_us <= until_us:
            onset = self._next_free_us
            attempt = self._draw(self._free, onset, 0, self._tiredness(onset))
            self._next_free_us = attempt.end_us + self._pause_us()
            if not any(each.onset_us <= onset < each.gone_us for each in self.attempts):
                new.append(self._add(attempt))
        return new

    def forget(self, before_us: int) -> None:
        """Let go of attempts of which nothing is left at ``before_us``."""
        if self.attempts and self.attempts[0].gone_us <= before_us:
            self.attempts = [each for each in self.attempts if each.gone_us > before_us]

    def _add(self, attempt: Attempt) -> Attempt:
        self.attempts.append(attempt)
        self._tired = min(1.0, self._tiredness(attempt.onset_us) + _TIRED_BY)
        self._tired_at_us = attempt.onset_us
        return attempt

    def _tiredness(self, now_us: int) -> float:
        return self._tired * math.exp(-max(0, now_us - self._tired_at_us) / 1e6 / _RESTED_AFTER_S)

    def _reaction_us(self) -> int:
        return round(self._cued.uniform(*REACTION_US))

    def _pause_us(self) -> int:
        mean = self._will.spontaneous_s - self._will.spontaneous_min_s
        extra = self._free.expovariate(1 / mean) if mean > 0 else 0.0
        return round((self._will.spontaneous_min_s + extra) * SECOND)

    @staticmethod
    def _draw(rng: random.Random, from_us: int, delay_us: int, tired: float) -> Attempt:
        onset = from_us + delay_us
        length = rng.uniform(*LENGTH_US) * (1 - 0.4 * tired)
        strength = rng.uniform(0.6, 1.0) * (1 - 0.5 * tired)
        return Attempt(
            onset, onset + round(length), strength, round(rng.uniform(*_RISE_US)), round(rng.uniform(*_FALL_US))
        )


def _ended(attempt: Attempt, end_us: int) -> Attempt:
    """The same effort, over by ``end_us``."""
    return replace(attempt, end_us=min(attempt.end_us, end_us))
