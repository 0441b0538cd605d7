"""A scripted operator, for demonstrations and runs without a face. It works on simulated boards alone.

It goes the same way as a person: the same orders, one step a press, two presses a second at most, both ascending runs.
It never answers for a person: on a board that does not call itself simulated it refuses at the first question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, final

from stimctl.engine import State
from stimctl.errors import UsageError
from stimctl.orders import ChannelStatus, Order, OutputWord, Question, Status
from stimctl.orders import OrderKind as Kind
from stimctl.units import MS, SECOND

PRESS_EVERY_US: Final = 600 * MS
"""Between two presses: a little slower than the two a second that the limiter allows (R2)."""

READ_US: Final = 6 * SECOND
"""How long a demonstration leaves its summary on the screen."""

WATCH_US: Final = 60 * SECOND
"""How long it watches trial movements in which a channel never comes to its whole level."""

CONFIRM_US: Final = SECOND
"""How long it waits for a board to confirm zero: two dead-man times. One that was lost never will."""

Feels = Callable[[str, int], int]
"""What the virtual patient would say to a level: channel and µA in, 0 nothing to 4 too much out."""

Presses = Callable[[int], bool]
"""Whether the virtual patient presses the switch now, at a session time in µs; true once for each press."""

_ANSWERS: Final = {"blocker": "no", "precaution": "no", "check": "yes", "sensation": "normal"}
_FELT: Final = {"sensory": 1, "motor": 2}
_TOO_MUCH: Final = 4


@final
class ScriptedOperator:
    """Sees a status, gives orders. ``feels`` asks a virtual patient; without one it marks by shares of its goal."""

    def __init__(
        self,
        opening: Order,
        *,
        feels: Callable[[], Feels | None] = lambda: None,
        presses: Presses = lambda _now_us: False,
        linger: bool = False,
    ) -> None:
        self._opening: Order | None = opening
        self._feels, self._presses = feels, presses
        self._linger = linger
        self._pressed_us = -PRESS_EVERY_US
        self._marked: set[tuple[str, int, str]] = set()
        self._review_us: int | None = None

    def __call__(self, status: Status, now_us: int) -> Iterable[Order]:
        """The orders for this moment."""
        by_state: dict[str, Callable[[Status, int], Iterator[Order]]] = {
            State.CHOOSING: self._open,
            State.SCREENING: self._screen,
            State.PADS: self._place,
            State.THRESHOLDS: self._arm,
            State.TITRATING: self._titrate,
            State.READY: self._arm,
            State.TRIAL: self._to_working_level,
            State.STOPPED: self._give_up,
            State.PAUSED: self._give_up,
            State.REVIEW: self._review,
        }
        if status.presence_due:
            yield Order(Kind.PRESENT)
        if status.skin_due and Kind.SKIN_CHECKED in status.can:
            yield Order(Kind.SKIN_CHECKED, value="ok")
        yield from by_state.get(status.state, self._watch)(status, now_us)

    def _open(self, status: Status, now_us: int) -> Iterator[Order]:  # noqa: ARG002 - all steps have one shape
        if self._opening is not None:
            opening, self._opening = self._opening, None
            yield opening
        elif status.refusal:
            raise UsageError(status.refusal)

    def _screen(self, status: Status, now_us: int) -> Iterator[Order]:  # noqa: ARG002
        if not status.simulated:
            raise UsageError(
                "a real board needs a person who answers the screening and raises the level; leave out --headless"
            )
        yield from (_answer(question) for question in status.questions)
        yield Order(Kind.NEXT)

    def _place(self, status: Status, now_us: int) -> Iterator[Order]:  # noqa: ARG002
        yield from (Order(Kind.CONFIRM_PADS, name=channel.name) for channel in status.channels)
        yield Order(Kind.NEXT)

    def _arm(self, status: Status, now_us: int) -> Iterator[Order]:
        searched = {
            mark for mark in self._marked if any(each.selected and each.name == mark[0] for each in status.channels)
        }
        if status.state == State.THRESHOLDS and searched:
            self._marked -= searched
            if not self._linger:  # back from a later step, which takes a person who looks at the patient
                yield Order(Kind.FINISH)
                return
        if Kind.WEAR in status.can and status.guide is not None and not status.guide.wearing:
            yield Order(Kind.WEAR, value="on")
        if now_us - self._pressed_us >= PRESS_EVERY_US:
            self._pressed_us = now_us
            # A signal is measured before the start, by the same key as every next step.
            yield from (Order(kind) for kind in [each for each in (Kind.START, Kind.NEXT) if each in status.can][:1])

    def _titrate(self, status: Status, now_us: int) -> Iterator[Order]:
        channel = next(each for each in status.channels if each.selected)
        run = channel.threshold_run
        if (channel.name, run, "tolerated") in self._marked:
            yield Order(Kind.NEXT)
            return
        if channel.given_ua >= channel.level_ua:
            yield from self._marks(channel, run)
        if channel.level_ua < _goal_ua(channel):
            yield from self._press(now_us)

    def _marks(self, channel: ChannelStatus, run: int) -> Iterator[Order]:
        """What the patient reports at the level that flows now."""
        for mark in ("sensory", "motor", "tolerated"):
            if (channel.name, run, mark) not in self._marked and self._is_felt(channel, mark):
                self._marked.add((channel.name, run, mark))
                yield Order(Kind.MARK, value=mark)

    def _is_felt(self, channel: ChannelStatus, mark: str) -> bool:
        level_ua, goal_ua = channel.level_ua, _goal_ua(channel)
        if not level_ua:
            return False
        feels = self._feels()
        if mark == "tolerated":
            return level_ua >= goal_ua or (feels is not None and feels(channel.name, level_ua + 1_000) >= _TOO_MUCH)
        # At the goal both have been passed, whatever a patient says: marks must stand in order.
        reported = feels(channel.name, level_ua) if feels is not None else 4 * level_ua // goal_ua
        return reported >= _FELT[mark] or level_ua >= goal_ua

    def _to_working_level(self, status: Status, now_us: int) -> Iterator[Order]:
        low = [each for each in status.channels if each.level_ua < _working_ua(each)]
        if low:
            if not low[0].selected:
                yield Order(Kind.SELECT, name=low[0].name)
            yield from self._press(now_us)
        elif self._has_seen(status, now_us):
            yield Order(Kind.BEGIN)

    def _has_seen(self, status: Status, now_us: int) -> bool:
        """Whether every channel has been at its level: all at once in a burst, in turn in a task, and some never wholly."""
        at_once = all(each.now_ua == each.level_ua for each in status.channels)
        in_turn = all(each.given_ua >= each.level_ua for each in status.channels)
        return at_once or in_turn or now_us - self._pressed_us >= WATCH_US

    def _press(self, now_us: int) -> Iterator[Order]:
        if now_us - self._pressed_us >= PRESS_EVERY_US:
            self._pressed_us = now_us
            yield Order(Kind.RAISE)

    def _watch(self, status: Status, now_us: int) -> Iterator[Order]:
        if Kind.KEY in status.can and self._presses(now_us):
            yield Order(Kind.KEY)

    def _give_up(self, status: Status, now_us: int) -> Iterator[Order]:  # noqa: ARG002
        if not self._linger:  # before a screen there is a person, who decides
            yield Order(Kind.FINISH)

    def _review(self, status: Status, now_us: int) -> Iterator[Order]:
        if self._review_us is None:
            self._review_us = now_us
            yield Order(Kind.SKIN_CHECKED, value="ok")
            yield Order(Kind.PAIN, value="1")
        waited_us = now_us - self._review_us
        read = waited_us >= (READ_US if self._linger else 0)
        known = status.output is OutputWord.OFF or (waited_us >= CONFIRM_US and Kind.CLOSE in status.can)
        if read and known:
            yield Order(Kind.CLOSE)


def _answer(question: Question) -> Order:
    return Order(Kind.ANSWER, name=question.id, value=_ANSWERS[question.kind])


def _goal_ua(channel: ChannelStatus) -> int:
    """How far a threshold run goes: a fifth beyond the prescribed level, within the file's maximum, in whole presses."""
    wanted_ua = min(channel.max_ua, channel.target_ua * 6 // 5)
    return wanted_ua - wanted_ua % 1_000 if wanted_ua >= 1_000 else wanted_ua


def _working_ua(channel: ChannelStatus) -> int:
    """The prescribed level, or the ceiling where that is lower; in whole presses, and at least what the board gives at all."""
    most_ua = min(channel.target_ua, channel.ceiling_ua or 0)
    level_ua = most_ua - most_ua % 1_000 if most_ua >= 1_000 else most_ua
    return max(level_ua, min(channel.least_ua, channel.ceiling_ua or 0))
