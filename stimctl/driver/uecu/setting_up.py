"""Making an empty UECU board one's own: a schedule that runs once for each go, and in it an event for each channel, at zero.

Whatever an earlier program has left is halted and dropped first. The schedules that it may have left under other numbers wait
for a go of their own kind: ours has a number of chance.
"""

from __future__ import annotations

from collections import deque
from typing import Final, final

from stimctl.boards.uecu import words as u
from stimctl.boards.uecu.reply import Reply
from stimctl.boards.uecu.stopping import STOP
from stimctl.boards.uecu.update import Events, new_event
from stimctl.boards.uecu.words import BoardWord, HostWord
from stimctl.boards.verdict import Verdict
from stimctl.errors import LinkLost, LinkTimeout
from stimctl.units import MS, SECOND

GIVE_UP_US: Final = 5 * SECOND
LEFT_MAX: Final = 8
"""Numbers under which another program's schedules and events are looked for."""

SYNCS: Final = 250
"""Kinds of go that ours is one of; those above are for questions, and no go of theirs is ever said."""

QUESTION_SYNC: Final = 0xFE

_TRIES: Final = 3


@final
class SettingUp:
    """The words for it, one after the other. ``name`` is the port's; raises :class:`LinkLost` for a stranger."""

    def __init__(self, name: str, sync: int, now_us: int) -> None:
        self._name, self.sync, self._opened_us = name, 1 + sync % SYNCS, now_us
        self._stops = 0
        self._drops: deque[HostWord] = deque(_drops())
        self._reply: Reply | None = None
        self._tries = 0
        self._schedule: int | None = None
        self._made: list[int] = []

    @property
    def events(self) -> Events | None:
        """The events, once there is one for each channel."""
        return Events(self._made, self.sync) if len(self._made) == u.CHANNELS else None

    @property
    def numbers(self) -> tuple[int, ...]:
        """What the board calls them."""
        return tuple(self._made)

    @property
    def answered(self) -> bool:
        """Whether anything was answered that a UECU board answers."""
        return self._schedule is not None

    def stop_due(self, now_us: int) -> bytes:
        """The next part of the stop that everything begins with, if it is due."""
        data = STOP.next(self._stops, now_us - self._opened_us)
        self._stops += bool(data)
        return data

    @property
    def has_stopped(self) -> bool:
        """Whether the stop has been said in full."""
        return self._stops >= len(STOP.writes)

    def next_word(self, now_us: int) -> HostWord | None:
        """What to say now, if the line is free; ``None`` while an answer is awaited."""
        if self._drops:
            return self._drops.popleft()
        if self._reply is not None:
            self._reply.advance(now_us)
            if self._reply.verdict is Verdict.OPEN:
                return None
            if self._tries >= _TRIES or now_us - self._opened_us >= GIVE_UP_US:
                raise LinkTimeout(f"what is at {self._name} does not answer as a UECU board; check port and power")
        self._tries += 1
        word = (
            u.NewSchedule(self.sync, u.ONCE) if self._schedule is None else new_event(self._schedule, len(self._made))
        )
        self._reply = Reply(word, now_us)
        return word

    def hear(self, word: BoardWord) -> None:
        """One word of the board's."""
        reply = self._reply
        if reply is None:
            return  # complaints about what was dropped and never was
        reply.hear(word)
        if reply.verdict is Verdict.FAILED:
            raise LinkLost(
                f"the UECU board at {self._name} cannot be set up ({reply.why}); switch it off and on, and try again"
            )
        if reply.verdict is not Verdict.DONE:
            return
        self._reply, self._tries = None, 0
        match reply.answer:
            case u.ScheduleMade(schedule):
                self._schedule = schedule
            case u.EventMade(event):
                self._made.append(event)


def _drops() -> list[HostWord]:
    numbers = range(1, LEFT_MAX + 1)
    return [*(u.DropEvent(number) for number in numbers), *(u.DropSchedule(number) for number in numbers)]


WAIT_US: Final = 20 * MS
"""After the stop: what a board still says about it is heard before anything is asked."""
