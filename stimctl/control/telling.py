"""A session told in plain lines, for a terminal without a screen, a pipe, or a screen reader.

A treatment goes on by itself for an hour: each of its cycles has one line at most, each cue is told when it first comes,
and where it stands and what is set only when that changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from stimctl.engine import State
from stimctl.orders import Counts, OutputWord, Stage, Status
from stimctl.units import SECOND, ma_text

_CYCLES: Final = (State.REST, State.LISTENING, State.BURST)

_CAME: Final = {"attempt": "attempt heard", "key": "switch pressed", "robot": "the glove opened"}
_FAILED: Final = {"attempt": "no attempt", "key": "switch not pressed", "robot": "the glove did not open"}

_BURST: Final = "burst"
_NAMED: Final = {"fes-sequence": "movement", "fes-contralateral": "opening", "fes-emg-proportional": "opening"}
"""What is given in a cycle, where it is not called a burst."""


@final
class Teller:
    """Says a line when something has changed. Call it with every status."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._began_us: int | None = None
        self._seen: tuple[object, ...] = ()
        self._heard: tuple[str, ...] = ()
        self._cues: set[tuple[str, str]] = set()
        self._counts = Counts()
        self._begun = 0

    def __call__(self, status: Status) -> None:
        """Tell what is new in ``status``."""
        if self._began_us is None:
            self._began_us = status.now_us
        if status.stage is Stage.START:
            return
        if not self._seen:
            self._introduce(status)
            self._counts, self._begun = status.counts, _begun(status)
        for message in _news(self._heard, status.messages):
            self._line(status, message)
        self._heard = status.messages
        self._tell_cue(status)
        self._tell_cycle(status)
        here = _here(status)
        if here != self._seen:
            self._seen = here
            self._line(status, _where(status))

    def _tell_cue(self, status: Status) -> None:
        """What the patient is told to do, once for each cue: a treatment repeats them a hundred times."""
        progress, guide = status.progress, status.guide
        phase, cue = (progress.phase, progress.cue) if status.state in _CYCLES else ("", "")
        if guide is not None:
            phase, cue = ("try" if guide.counting else "say"), guide.say
        if cue and (phase, cue) not in self._cues:
            self._cues.add((phase, cue))
            self._line(status, f"{phase}: {cue}")

    def _tell_cycle(self, status: Status) -> None:
        """What became of an attempt; or, where nobody is asked for one, that another burst has begun."""
        before, self._counts = self._counts, status.counts
        begun, self._begun = self._begun, _begun(status)
        outcome = _outcome(before, status.counts, _NAMED.get(status.protocol_kind, _BURST))
        if status.counts.by and outcome:
            self._line(status, f"try {_place(status, self._begun)}: {outcome}")
        elif not status.counts.by and self._begun > begun:
            what = _NAMED.get(status.protocol_kind, _BURST)
            self._line(status, f"{what} {_place(status, self._begun)}")

    def end(self, review: tuple[str, ...]) -> None:
        """The summary."""
        for line in review:
            self._say(f"  {line}")

    def _introduce(self, status: Status) -> None:
        if status.simulated:
            self._say("SIMULATED: no current flows anywhere, and no patient is there.")
        self._say("Research software, not a certified medical device.")
        self._say(f"{status.protocol} on {status.board}")
        for line in (*status.summary, *status.warnings):
            self._say(f"  {line}")

    def _line(self, status: Status, text: str) -> None:
        seconds = (status.now_us - (self._began_us or 0)) // SECOND
        self._say(f"{seconds // 60:3d}:{seconds % 60:02d}  {text}")


def _news(before: tuple[str, ...], now: tuple[str, ...]) -> tuple[str, ...]:
    """The messages that came since ``before``: both are a window on the newest ones, and one may come twice."""
    kept = next((many for many in range(min(len(before), len(now)), 0, -1) if before[-many:] == now[:many]), 0)
    return now[kept:]


# --- cycles ----------------------------------------------------------------------------------------------------------


def _begun(status: Status) -> int:
    """How many repetitions have begun: those that are over, given or missed, and the one under way."""
    return status.counts.delivered + status.counts.missed + (status.state == State.BURST)


def _place(status: Status, number: int) -> str:
    """Which repetition the ``number``-th of the treatment is; the progress is already at the next one when one is over."""
    many, sets = status.progress.repetitions, status.progress.sets
    if not many or not number:
        return str(number)
    within = f" in set {(number - 1) // many + 1} of {sets}" if sets > 1 else ""
    return f"{(number - 1) % many + 1} of {many}{within}"


def _outcome(before: Counts, now: Counts, what: str) -> str:
    """What became of the attempts since ``before``; "" where there was none."""
    came, failed = _CAME.get(now.by, ""), _FAILED.get(now.by, "")
    pairs = (
        (now.triggered - before.triggered, f"{came}, {what}"),
        (now.missed - before.missed, f"{failed}, missed"),
        (now.assisted - before.assisted, f"{failed}, assisted {what}"),
    )
    return "; ".join(words if many == 1 else f"{words} ({many} times)" for many, words in pairs if many > 0)


# --- where it stands -------------------------------------------------------------------------------------------------


def _here(status: Status) -> tuple[object, ...]:
    """What has a line of its own when it changes; in a treatment that goes on that is its set, output and levels."""
    progress = status.progress
    if status.state in _CYCLES and status.guide is None:
        levels = tuple(each.level_ua for each in status.channels)
        return ("treatment", progress.set, status.output, levels)
    done = status.guide.done if status.guide else 0
    return (status.state, progress.set, progress.repetition, done)


def _where(status: Status) -> str:
    """State, place in the treatment, and what flows."""
    progress = status.progress
    words = [status.state_words or status.state]
    if status.stage is Stage.RUN and progress.repetition:
        words.append(f"{progress.repetition} of {progress.repetitions}")
        if progress.sets > 1:
            words.append(f"in set {progress.set} of {progress.sets}")
    elif status.state == State.REST and progress.sets > 1:
        words.append(f"before set {progress.set} of {progress.sets}")
    levels = [f"{each.name} at {ma_text(each.level_ua)} mA" for each in status.channels if each.level_ua]
    if status.disabled:
        return f"{' '.join(words)}; {_without_output(status)}"
    output = status.output_words or status.output
    return f"{' '.join(words)}; {output}{_at_zero(status)}{', set: ' if levels else ''}{', '.join(levels)}"


def _at_zero(status: Status) -> str:
    """Armed at zero is output on, and must not read as current; a burst that only just begins is no rest."""
    flows = status.state in (State.BURST, State.FLOWING) or any(each.now_ua for each in status.channels)
    return " (0 mA now)" if status.output is OutputWord.ON and not flows else ""


def _without_output(status: Status) -> str:
    """That nothing can flow, and how many attempts came to their goal; where a board is open, what it reports beside it."""
    guide = status.guide
    words = "output disabled" if status.output is OutputWord.OFF else f"output disabled here, but: {status.output}"
    if guide is None or not (guide.reached or guide.missed):
        return words
    return f"{words}; {guide.reached} reached, {guide.missed} missed"
