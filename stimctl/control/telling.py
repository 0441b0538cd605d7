"""A session told in plain lines, for a terminal without a screen, a pipe, or a screen reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from stimctl.engine import State
from stimctl.orders import OutputWord, Stage, Status
from stimctl.units import SECOND, ma_text


@final
class Teller:
    """Says a line when something has changed. Call it with every status."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._began_us: int | None = None
        self._seen: tuple[object, ...] = ()
        self._heard: tuple[str, ...] = ()
        self._cue: tuple[object, ...] = ()

    def __call__(self, status: Status) -> None:
        """Tell what is new in ``status``."""
        if self._began_us is None:
            self._began_us = status.now_us
        if status.stage is Stage.START:
            return
        if not self._seen:
            self._introduce(status)
        for message in status.messages:
            if message not in self._heard:
                self._line(status, message)
        self._heard = status.messages
        done = status.guide.done if status.guide else status.counts.missed
        here = (status.state, status.progress.set, status.progress.repetition, done)
        if here != self._seen:
            self._seen = here
            self._line(status, _where(status))
        self._tell_cue(status)

    def _tell_cue(self, status: Status) -> None:
        """What the patient is told to do now, once for each time that a phase begins."""
        progress = status.progress
        before, self._cue = self._cue, (status.state, progress.repetition, progress.phase, progress.cue)
        if progress.cue and self._cue != before and status.state in (State.BURST, State.REST):
            self._line(status, f"{progress.phase}: {progress.cue}")

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


def _where(status: Status) -> str:
    """State, place in the treatment, and what flows."""
    progress = status.progress
    words = [status.state_words or status.state]
    if status.stage is Stage.RUN and progress.repetition:
        words.append(f"{progress.repetition} of {progress.repetitions}")
        if progress.sets > 1:
            words.append(f"in set {progress.set} of {progress.sets}")
    levels = [f"{each.name} at {ma_text(each.level_ua)} mA" for each in status.channels if each.level_ua]
    if status.disabled:
        return f"{' '.join(words)}; {_without_output(status)}"
    return f"{' '.join(words)}; {status.output}{_at_zero(status)}{', set: ' if levels else ''}{', '.join(levels)}"


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
