"""A plan held in one sitting: a session for each block, one after the other, and a person between them.

Every block is a session of its own, from the questions to the closed record. Between two of them the board was let go at
zero, and nothing begins by itself: somebody says so. What ended before its dose has to be cleared in words.
"""

from __future__ import annotations

import contextlib
import secrets
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, NamedTuple, final

from stimctl.authoring import drafts, plans
from stimctl.authoring.plans import PlanDraft
from stimctl.control.clock import Clock
from stimctl.errors import UsageError
from stimctl.protocols import Loaded, Plan
from stimctl.session.part import Part
from stimctl.session.sittings import DayOf
from stimctl.units import SECOND, microseconds, seconds_text

GO_ON: Final = "go on"
"""What is typed to go on after a block that ended before its dose."""

_SIGNALLED: Final = 128

Say = Callable[[str], None]


@final
class Held(NamedTuple):
    """How a block's session ended. ``off``: the board has confirmed zero; ``complete``: the whole dose was given."""

    code: int
    reason: str
    complete: bool
    off: bool
    patient: str
    side: str

    @property
    def may_go_on(self) -> bool:
        """Whether a next block can be thought of at all."""
        return self.off and self.code < _SIGNALLED


class Between(ABC):
    """What happens between two blocks."""

    @abstractmethod
    def begins(self, part: Part) -> bool:
        """Whether the next block begins: a human act, or that of a script on a simulated board."""

    @abstractmethod
    def cleared(self, held: Held) -> bool:
        """Whether the plan goes on after a block that ended before its dose."""

    @abstractmethod
    def rest(self, length_us: int) -> None:
        """Let the rest pass."""


def local_day(at_us: int) -> int:
    """The calendar day of an instant in µs since 1970, as this computer's time zone has it."""
    return datetime.fromtimestamp(at_us // SECOND, UTC).astimezone().toordinal()


def hold(
    loaded: Loaded,
    session: Callable[[Part], Held],
    between: Between,
    say: Say,
    wall_clock: Callable[[], str],
    day_of: DayOf = local_day,
) -> int:
    """Hold every block in its order; returns the exit code: 0 when all were given whole."""
    plan, draft = loaded.protocol, drafts.draft(loaded).plan
    assert isinstance(plan, Plan)
    assert isinstance(draft, PlanDraft)
    for line in (f"Plan: {plan.title}", *plans.lines(draft, plans.plan_facts(draft)), *plans.warnings(draft)):
        say(line)
    sitting, patient, side, whole = secrets.token_hex(4), "", "", 0
    files = sum(block is not None for block in loaded.blocks)
    for number, block in enumerate(loaded.blocks, 1):
        if block is None:
            rest = plan.blocks[number - 1]
            length_us = microseconds(rest.rest_s or 0)
            say(f"Plan, {number} of {len(loaded.blocks)}: rest of {seconds_text(length_us)}. {rest.say or ''}".strip())
            between.rest(length_us)
            continue
        part = Part(loaded, block, number, sitting, wall_clock, day_of, patient, side)
        say(f"Plan, {number} of {part.of}: {block.protocol.title} ({block.name})")
        if not between.begins(part):
            return _over(say, whole, files, 1)
        held = session(part)
        patient, side = patient or held.patient, side or held.side
        whole += held.complete
        if not held.may_go_on or not (held.complete or between.cleared(held)):
            return _over(say, whole, files, held.code or 1)
    return _over(say, whole, files, int(whole < files))


def _over(say: Say, whole: int, files: int, code: int) -> int:
    say(f"Plan: {whole} of {files} blocks given whole; each that was opened is a session in the record")
    return code


@final
class Scripted(Between):
    """Without a person: on simulated boards alone, as the scripted operator. What ended early ends the plan."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def begins(self, part: Part) -> bool:  # noqa: ARG002 - a script begins everything
        """Always."""
        return True

    def cleared(self, held: Held) -> bool:  # noqa: ARG002
        """Never: clearing is for people."""
        return False

    def rest(self, length_us: int) -> None:
        """On the session's own clock."""
        self._clock.sleep_until(self._clock.now_us() + length_us)


@final
class Asked(Between):
    """On the terminal, between two screens."""

    def __init__(self, clock: Clock, say: Say) -> None:
        if not sys.stdin.isatty():
            raise UsageError("a plan asks its operator before each block; use --headless without a terminal")
        self._clock, self._say = clock, say

    def begins(self, part: Part) -> bool:
        """Enter begins it, anything else ends the plan."""
        who = f" Same person as before: {part.patient}, {part.side} hand." if part.patient else ""
        return _answer(f"{who} Output is off. Enter begins this block, q ends the plan: ".lstrip()) == ""

    def cleared(self, held: Held) -> bool:
        """Only with the words; the cause must have been dealt with."""
        self._say(f"This block ended before its dose: {held.reason}.")
        return (
            _answer(f"When the cause is dealt with, type `{GO_ON}` for the next block; Enter ends the plan: ") == GO_ON
        )

    def rest(self, length_us: int) -> None:
        """Counted down on one line."""
        end_us = self._clock.now_us() + length_us
        while (left_us := end_us - self._clock.now_us()) > 0:
            sys.stdout.write(f"\r{seconds_text(left_us // SECOND * SECOND)} of rest left   ")
            sys.stdout.flush()
            self._clock.sleep_until(min(end_us, self._clock.now_us() + SECOND))
        self._say("\rThe rest is over.                ")


def _forget_typed() -> None:
    """What was typed in the rest, or was still on its way from the screen, answers nothing."""
    try:
        import termios
    except ImportError:  # no such thing on this system
        return
    with contextlib.suppress(OSError, ValueError, termios.error):  # no terminal
        termios.tcflush(sys.stdin, termios.TCIFLUSH)


def _answer(question: str) -> str:
    """What is typed from now on; the end of the input is a no."""
    _forget_typed()
    try:
        return input(question).strip().lower()
    except EOFError:
        return "q"
