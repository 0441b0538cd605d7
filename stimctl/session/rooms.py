"""What a session holds: its rooms, which exist once a protocol was chosen, and what it has to say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from stimctl.driver import OutputState
from stimctl.engine import Engine, State
from stimctl.errors import Refusal, StimctlError, UsageError
from stimctl.records import profiles
from stimctl.safety import Latch
from stimctl.session.account import account
from stimctl.session.carry import SITE_TIME, spent_lately_us
from stimctl.session.connection import Connection
from stimctl.session.diary import Diary
from stimctl.session.dose import review_lines
from stimctl.session.link import Link
from stimctl.session.measured import Measured
from stimctl.session.opening import Case, Reach, Wishes
from stimctl.session.payloads import refusal_payload
from stimctl.session.preparation import Preparation
from stimctl.session.skin import SkinWatch
from stimctl.session.stage import OutputStage
from stimctl.session.summary import file_line
from stimctl.session.wording import refused

if TYPE_CHECKING:
    from stimctl.session.following import Following
    from stimctl.session.glove import Glove
    from stimctl.session.hearing import Hearing

_Room = TypeVar("_Room")


class Rooms:
    """The state of one session. :class:`~stimctl.session.core.Session` adds what happens to it."""

    def __init__(self, diary: Diary, clock: Callable[[], int], *, wishes: Wishes, seed: int, reach: Reach) -> None:
        self.reach = reach
        self.diary, self.wishes, self.latch, self.seed = diary, wishes, Latch(), seed
        self.connection = Connection(
            self.latch, clock, seed, reach, lambda: profiles.folder(diary.store), lambda: diary.today
        )
        self.case: Case | None = None
        self.hearing: Hearing | None = None
        self.following: Following | None = None
        self.glove: Glove | None = None
        self.selected = 0
        self.refusal = self.stop_reason = ""
        self.alarm: tuple[str, str] = ("", "")
        self.went_wrong = False
        self._timed_us = 0
        self.skin = SkinWatch()
        self.trigger_tries = 0
        self.switched = False
        self.spoken: int | None = None
        self._engine: Engine | None = None
        self._stage: OutputStage | None = None
        self._preparation: Preparation | None = None
        self._measured: Measured | None = None
        self._ended_as: OutputState | None = None

    @property
    def engine(self) -> Engine:
        """The engine; raises :class:`UsageError` before a protocol was chosen."""
        return _opened(self._engine)

    @property
    def stage(self) -> OutputStage:
        """Limiter and driver; raises :class:`UsageError` before a protocol was chosen."""
        return _opened(self._stage)

    @property
    def preparation(self) -> Preparation:
        """Screening, pads, thresholds; raises :class:`UsageError` before a protocol was chosen."""
        return _opened(self._preparation)

    @property
    def measured(self) -> Measured:
        """What the board measures; raises :class:`UsageError` before a protocol was chosen."""
        return _opened(self._measured)

    @property
    def link(self) -> Link | None:
        """The link to the board of an opened session."""
        return self.connection.link

    @property
    def state(self) -> State:
        """Where the session is."""
        if self._ended_as is not None:
            return State.ENDED
        return self._engine.state if self._engine else State.CHOOSING

    @property
    def output(self) -> OutputState:
        """What is known about output; after the end, what was known when the port was let go. Any thread."""
        stage = self._stage
        if self._ended_as is not None:
            return self._ended_as
        if stage is not None:
            return stage.output
        return OutputState.UNKNOWN if self.connection.is_unknown else OutputState.OFF

    @property
    def may_be_energised(self) -> bool:
        """Whether anything but a confirmed zero is possible now. Any thread."""
        return self.output is not OutputState.OFF

    @property
    def ended(self) -> bool:
        """Whether the session came to its own end."""
        return self._ended_as is not None

    def fileno(self) -> int | None:
        """The board's file descriptor, where it has one."""
        return None if self.ended else self.connection.fileno()

    def earlier_today_us(self) -> dict[str, int]:
        """What this person's sites have had in the last day; raises :class:`RecordError`. Simulated ones touch nobody."""
        if self.case is None or self.case.simulated:
            return {}
        return spent_lately_us(self.diary.store, self.wishes.patient, self.wishes.side, self.diary.session)

    def note_site_times(self, now_us: int) -> None:
        """Record how long each site was stimulated so far, about once a minute and whenever the stage closes."""
        self._timed_us = now_us
        if times := self.stage.site_times_us():
            self.diary.write(SITE_TIME, times, now_us)

    def keep_refusal(self, error: StimctlError, now_us: int) -> None:
        """Show why an order was refused; what the limiter refused is recorded with its rule and bound."""
        self.refusal = str(error)
        if isinstance(error, Refusal):
            self.refusal = refused(error)
        if isinstance(error, Refusal) and self._engine is not None:
            self.diary.write("refusal", refusal_payload(error, self.engine.schedule), now_us)

    def note(self, text: str, now_us: int) -> None:
        """A remark of the control process, for the record."""
        self.diary.write("note", {"text": text, "from": "control"}, now_us)

    def review(self) -> tuple[str, ...]:
        """What happened, in a few lines."""
        if self._engine is None:
            return ()
        lines = review_lines(self.engine, self.preparation.thresholds, self.measured.charge_uc)
        if self.following is not None:
            lines += self.following.review_lines()
        if self.glove is not None:
            lines += self.glove.review_lines()
        # First: the list may be longer than its window, and which file this was must not have to be looked for.
        return (file_line(self.case.loaded.sha256), *lines) if self.case is not None else lines

    def totals(self) -> dict[str, object]:
        """The last row of the record: how the output was left, and what was given."""
        delivered = self._engine.counts().delivered if self._engine else 0
        totals: dict[str, object] = {"output": self.output.value, "delivered": delivered, "review": list(self.review())}
        if self._engine is not None:
            led = {"openings": self.following.account()} if self.following is not None else {}
            totals["dose"] = {**account(self._engine, self.measured.charge_uc), **led}
        if self.hearing is not None and self.hearing.unkept:
            totals["raw_emg"] = self.hearing.unkept
        return totals


def _opened(room: _Room | None) -> _Room:
    if room is None:
        raise UsageError("choose a protocol first")
    return room
