"""What a session without output holds, and what can be read of it."""

from __future__ import annotations

from collections.abc import Callable

from stimctl.driver import OutputState
from stimctl.engine.guide import Guide
from stimctl.engine.guide_table import GuideState as State
from stimctl.errors import UsageError
from stimctl.orders import Order, Status
from stimctl.protocols import Loaded
from stimctl.records.words import BOARDLESS, patient_code
from stimctl.safety import Latch
from stimctl.schedule.guided import compile_guide
from stimctl.session import guide_opening
from stimctl.session.diary import Diary
from stimctl.session.guide_screening import questions
from stimctl.session.guide_senses import Senses
from stimctl.session.guide_view import view
from stimctl.session.guide_wording import plan_lines, plan_warnings, review_lines
from stimctl.session.link import Link, is_simulated
from stimctl.session.opening import SIDES, Wishes
from stimctl.session.screening import Screening
from stimctl.session.summary import file_line
from stimctl.session.wear import Wear


class GuidedRooms:
    """The state of one session. :class:`~stimctl.session.guided.GuidedSession` adds what happens to it.

    Raises from its constructor what is wrong with the order that opens it.
    """

    def __init__(
        self, order: Order, loaded: Loaded, diary: Diary, latch: Latch, clock: Callable[[], int], seed: int, now_us: int
    ) -> None:
        patient_code(order.patient)
        if order.side not in SIDES:
            raise UsageError(f"the affected side is {' or '.join(SIDES)}, not {order.side!r}")
        self.plan = compile_guide(guide_opening.guided(loaded.protocol))
        self.recording = guide_opening.recording(order, self.plan)
        self.diary, self.latch, self.seed, self.loaded = diary, latch, seed, loaded
        self.wishes = Wishes(order.protocol, order.patient, order.side, order.board, order.emg)
        self.guide, self.wear = Guide(self.plan, now_us), Wear()
        self.screening = Screening(questions(self.plan))
        self.summary = (*plan_lines(self.plan), file_line(loaded.sha256))
        self.warnings = plan_warnings(self.plan)
        self.refusal = self.stop_reason = ""
        self.alarm: tuple[str, str] = ("", "")
        self.went_wrong = self.opened = self.screened = self.started = False
        self.simulated = is_simulated(self.wishes.board)
        self.board = BOARDLESS
        self.senses: Senses | None = None
        self.value: float | None = None
        self.now_us = now_us
        self._ended_as: OutputState | None = None
        self.link: Link | None = guide_opening.link(self.wishes.board, self.plan, latch, clock, seed)

    @property
    def state(self) -> State:
        """Where the work is."""
        return State.ENDED if self.ended else self.guide.state

    @property
    def output(self) -> OutputState:
        """What a board that was opened says about its output, or said at the end; off where there is none. Any thread."""
        if self._ended_as is not None:
            return self._ended_as
        return OutputState.OFF if self.link is None else self.link.driver.output

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
        return None if self.ended or self.link is None else self.link.driver.fileno()

    def status(self, now_us: int) -> Status:
        """Everything that a face may show, frozen."""
        return view(self, now_us)

    def review(self) -> tuple[str, ...]:
        """What was done, in a few lines."""
        return (file_line(self.loaded.sha256), *review_lines(self.guide, self.wear.worn_us(self.now_us)))

    def note(self, text: str, now_us: int) -> None:
        """A remark of the control process, for the record."""
        self.diary.write("note", {"text": text, "from": "control"}, now_us)
