"""What a seed's session is to be: the file, the person, the faults, the stops, the line, and how it ends."""

from __future__ import annotations

import random
from typing import Final, NamedTuple

from tests.proving import sim_faults, sim_texts
from tests.proving.sim_faults import MS, SECOND, Troubles
from tests.proving.sim_operator import Habits
from tests.proving.sim_stops import draw_stops
from tests.proving.sim_threads import Time

LONGER_US: Final = 25 * SECOND
"""What a ``long`` theme adds: time to come as far as a treatment."""


class Theme(NamedTuple):
    """What a session is to try: kinds of faults, ``near:FUNCTION`` for stops, ``text:KIND`` for a file, ``killed``, ``long``.

    ``bold`` is an operator whose second run ends below the first and below the file, and who then tries to raise further.
    """

    kinds: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    text: str = ""
    killed: bool = False
    long: bool = False
    bold: bool = False

    @staticmethod
    def of(words: str) -> Theme:
        """From words between blanks."""
        named = words.split()
        kinds = tuple(word for word in named if word in sim_faults.KINDS)
        near = tuple(word.removeprefix("near:") for word in named if word.startswith("near:"))
        text = next((word.removeprefix("text:") for word in named if word.startswith("text:")), "")
        return Theme(kinds, near, text, "killed" in named, "long" in named, "bold" in named)


class Scenario:
    """Drawn once, from the seed and its theme alone; ``time`` stands at the session's beginning."""

    def __init__(self, seed: int, theme: str = "") -> None:
        self.seed, self.theme, self.time = seed, Theme.of(theme), Time()
        self.rng = random.Random(f"world {seed}")
        self.text = sim_texts.draw(self.rng, self.theme.text)
        self._draw()
        self.length_us = self.ends_us - self.time.now_us

    def _draw(self) -> None:
        rng, begin_us = self.rng, self.time.now_us
        self.ends_us = begin_us + rng.choice((6, 12, 16, 22)) * SECOND
        blows = sim_faults.draw(rng, begin_us, self.ends_us - 2 * SECOND)
        blows += sim_faults.themed(rng, self.theme.kinds, begin_us, self.ends_us - SECOND)
        if self.text.lockout_us:  # a board that makes samples through minutes of sleep would cost minutes of ours
            blows = tuple(blow for blow in blows if blow.kind != "asleep" or blow.until_us - blow.at_us < 3 * SECOND)
        self.blows = sorted(blows, key=lambda blow: blow.at_us)
        self.troubles = Troubles(blows)
        longer_us = LONGER_US * self.theme.long
        self.stops = draw_stops(rng, begin_us, self.ends_us, self.theme.near, longer_us)
        self.habits = Habits.draw(rng, self.ends_us - rng.choice((0, 3)) * SECOND)
        if self.text.lockout_us:
            self.ends_us += rng.choice((0, 12)) * SECOND  # a cue and an answer need their time
        if self.theme.long:
            self.ends_us += longer_us
        elif rng.random() < 0.3:
            self.ends_us = rng.randint(begin_us + SECOND, self.ends_us)
        self.end_how = rng.choices(("quit", "killed", "script-fails"), (6, 2, 1))[0]
        if self.text.lockout_us or self.theme.long:
            self.habits.ends_us = max(self.habits.ends_us, self.ends_us - 2 * SECOND)
        if self.theme.bold:
            self.habits.bold, self.habits.marks_ua = True, (2_000, 1_000)
        if self.theme.killed:
            self.end_how = "killed"
        if self.end_how == "killed" and self.stops and rng.random() < 0.5:
            self.ends_us = self.stops[-1].at_us + rng.randint(30 * MS, 200 * MS)  # its row is on the disk, or it is not
        self.near = rng.random() < 0.4
        self.latency_us, self.byte_us = (0, 0) if self.near else (rng.choice((200, 1_000, 3_000)), 20)
