"""The person at the screen: mostly sensible, sometimes not. Sees a status that may be old, and presses what it likes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from stimctl.orders import ChannelStatus, Order, Question, Status
from stimctl.orders import OrderKind as Kind

_ANSWERS: Final = {"blocker": "no", "precaution": "no", "check": "yes", "sensation": "normal"}
_MARKS: Final = ("sensory", "motor", "tolerated")
_WORDS: Final = ("", "ok", "yes", "no", "one", "two", "tolerated", "sensory", "7", "implant", "nonsense")
PRESS_US: Final = 520_000
OPEN_US: Final = 1_000_000
"""How long somebody waits before a file is opened again that was refused, or whose board is silent."""


@dataclass
class Habits:
    """What this operator is like: how often it looks, how often its hand slips, how bold it is."""

    look_us: int
    mash: float
    impatience: float
    pause: float
    marks_ua: tuple[int, int]
    wish_ua: int
    ends_us: int
    bold: bool = False  # goes on raising in the trial, where it is as high as was found

    @staticmethod
    def draw(rng: random.Random, ends_us: int) -> Habits:
        return Habits(
            rng.choice((60_000, 150_000, 300_000)),
            rng.choice((0.0, 0.02, 0.1, 0.4)),
            rng.choice((0.0, 0.2)),
            rng.choice((0.0, 0.01, 0.05)),
            (rng.choice((1_000, 1_000, 2_000, 3_000)), rng.choice((1_000, 1_000, 2_000))),
            rng.choice((1_000, 1_000, 2_000, 4_000)),
            ends_us,
        )


class Operator:
    """Gives orders by the status it has seen last."""

    def __init__(self, rng: random.Random, opening: Order, habits: Habits) -> None:
        self._rng, self._opening, self._habits = rng, opening, habits
        self._pressed_us = 0
        self._opened_us = -OPEN_US

    def __call__(self, status: Status, now_us: int) -> Iterator[Order]:
        """What it presses now."""
        if self._rng.random() < self._habits.mash:
            yield self._anything(status)
        if now_us >= self._habits.ends_us and status.state not in ("choosing", "review", "ended"):
            yield Order(Kind.FINISH)
            return
        if status.presence_due:
            yield Order(Kind.PRESENT)
        yield from self._sensible(status, now_us)

    def _anything(self, status: Status) -> Order:
        rng = self._rng
        names = [*_WORDS, *(each.name for each in status.channels), *(each.id for each in status.questions[:3])]
        kind = rng.choice(tuple(Kind))
        return self._opening if kind is Kind.OPEN else Order(kind, name=rng.choice(names), value=rng.choice(names))

    def _sensible(self, status: Status, now_us: int) -> Iterator[Order]:
        match status.state:
            case "choosing" if now_us - self._opened_us >= OPEN_US:
                self._opened_us = now_us
                yield self._opening
            case "screening":
                asked = status.questions if self._rng.random() >= self._habits.mash else self._some(status.questions)
                yield from (Order(Kind.ANSWER, name=q.id, value=_ANSWERS[q.kind]) for q in asked)
                yield Order(Kind.NEXT)
            case "placing pads":
                placed = status.channels if self._rng.random() >= self._habits.mash else status.channels[:-1]
                yield from (Order(Kind.CONFIRM_PADS, name=each.name) for each in placed)
                yield Order(Kind.NEXT)
            case "thresholds":
                yield from self._begin_titration(status)
            case "finding thresholds":
                yield from self._titrate(status, now_us)
            case "ready":
                yield Order(Kind.START)
            case "trial":
                yield from self._try(status, now_us)
            case "rest" | "listening" | "burst" | "flowing":
                yield from self._watch(status, now_us)
            case "paused":
                yield Order(Kind.RESUME)
            case "stopped":
                yield Order(Kind.CLEAR)
            case "review":
                yield from (Order(Kind.SKIN_CHECKED, value="ok"), Order(Kind.PAIN, value="1"), Order(Kind.CLOSE))

    def _some(self, questions: tuple[Question, ...]) -> tuple[Question, ...]:
        """All but one: a question is overlooked, though not how the skin feels, without which nothing can be placed."""
        left_out = self._rng.randrange(len(questions) - 2)
        return (*questions[:left_out], *questions[left_out + 1 :])

    def _begin_titration(self, status: Status) -> Iterator[Order]:
        unfound = next((each for each in status.channels if each.ceiling_ua is None), None)
        if unfound is not None and not unfound.selected:
            yield Order(Kind.SELECT, name=unfound.name)
        yield Order(Kind.START)

    def _titrate(self, status: Status, now_us: int) -> Iterator[Order]:
        channel = next(each for each in status.channels if each.selected)
        if channel.ceiling_ua is not None:
            yield Order(Kind.NEXT)
        elif channel.level_ua and channel.given_ua >= channel.level_ua >= self._goal_ua(channel):
            yield from (Order(Kind.MARK, value=mark) for mark in _MARKS)
        elif channel.level_ua < self._goal_ua(channel):
            yield from self._press(now_us)

    def _goal_ua(self, channel: ChannelStatus) -> int:
        return min(self._habits.marks_ua[channel.threshold_run - 1], channel.max_ua)

    def _try(self, status: Status, now_us: int) -> Iterator[Order]:
        low = next(
            (each for each in status.channels if each.level_ua < min(self._habits.wish_ua, each.ceiling_ua or 0)), None
        )
        if low is None:
            if self._habits.bold:
                yield from self._press(now_us)
                return
            if self._rng.random() < 0.5:
                yield Order(Kind.BEGIN)
            yield from self._watch(status, now_us)
            return
        if not low.selected:
            yield Order(Kind.SELECT, name=low.name)
        yield from self._press(now_us)

    def _watch(self, status: Status, now_us: int) -> Iterator[Order]:
        """Now and then a pause, a correction up or down, another channel."""
        if self._rng.random() < self._habits.pause:
            yield Order(Kind.PAUSE)
        if self._rng.random() < 0.04:
            yield Order(Kind.SELECT, name=self._rng.choice(status.channels).name)
        if self._rng.random() < 0.06:
            yield Order(self._rng.choice((Kind.LOWER, Kind.ZERO, Kind.RAISE)))

    def _press(self, now_us: int) -> Iterator[Order]:
        wait_us = PRESS_US if self._rng.random() >= self._habits.impatience else 0
        if now_us - self._pressed_us >= wait_us:
            self._pressed_us = now_us
            yield Order(Kind.RAISE)
