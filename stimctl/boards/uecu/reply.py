"""Whether a UECU board took a word: it answers what it has made, complains of what it cannot do, and else says nothing."""

from __future__ import annotations

from typing import Final, final

from stimctl.boards.uecu import words as w
from stimctl.boards.uecu.layout import data_of
from stimctl.boards.uecu.words import BoardWord, HostWord
from stimctl.boards.verdict import Verdict
from stimctl.units import MS

ANSWER_US: Final = 300 * MS


@final
class Reply:
    """The answer to ``word``, written at ``now_us``. :attr:`why` says in plain words what is wrong, once something is.

    Only schedules and events that are made are answered. Of all else nothing is known but that no complaint came.
    """

    def __init__(self, word: HostWord, now_us: int) -> None:
        self.word = word
        self.verdict = Verdict.OPEN
        self.answer: BoardWord | None = None
        self.why = ""
        self.due_us = now_us + ANSWER_US
        self._number = data_of(word)[0]

    def hear(self, word: BoardWord) -> None:
        """One more word of the board's; one that is about something else is let pass."""
        if self.verdict is not Verdict.OPEN:
            return
        match word, self.word:
            case w.ScheduleMade(), w.NewSchedule():
                self._close(word, Verdict.DONE)
            case w.EventMade(_, schedule, channel), w.NewEvent(wanted, _, where):
                if (schedule, channel) != (wanted, where):
                    self.why = f"the board has made an event for channel {channel + 1} where {where + 1} was asked for"
                self._close(word, Verdict.FAILED if self.why else Verdict.DONE)
            case w.Failed(code, failed), _ if failed == self._number:
                self.why = f"the board refuses (code {code})"
                self._close(word, Verdict.FAILED)
            case w.EventFailed(code, event, channel), _ if self._is_mine(event, channel):
                self.why = (
                    f"the board refuses an event of channel {channel + 1} (code {code}): is it beyond its limits?"
                )
                self._close(word, Verdict.FAILED)

    def advance(self, now_us: int) -> None:
        """Time goes on."""
        if self.verdict is not Verdict.OPEN or now_us < self.due_us:
            return
        if isinstance(self.word, w.NewSchedule | w.NewEvent):
            self.verdict, self.why = Verdict.SILENCE, "the board has not answered in time"
        else:
            self.verdict = Verdict.UNCONFIRMED

    def _is_mine(self, event: int, channel: int) -> bool:
        match self.word:
            case w.NewEvent(channel=where):
                return channel == where
            case w.ChangeEvent(changed) | w.DropEvent(changed):
                return event == changed
        return False

    def _close(self, word: BoardWord, verdict: Verdict) -> None:
        self.answer, self.verdict = word, verdict
