"""When the terminal's bell rings: for alarms, for a cue, and a moment before a contraction that the clock brings.

A terminal has one bell and no melodies, so the grades of an alarm differ by how often it rings: a high one goes on. The
tone before a burst (hazard H50) is one ring, and lets nobody be surprised by a hand that closes or opens. Before a window
for an attempt it is the cue.
"""

from __future__ import annotations

from typing import Final, final

from stimctl.orders import Stage, Status

WARNED_US: Final = 1_000_000
"""How long before a burst its tone comes (project): time to take the hand out of the way."""

_ASSISTED: Final = "waiting, then burst"
"""The phase of a window that a burst follows even if nothing comes in it."""

_BEFORE: Final = frozenset({"rest", _ASSISTED, "starts soon"})
"""The phases that output of its own accord follows. Before a window for an attempt none does: its cue rings as it opens,
for who tried on an earlier one would be told missed (H50).
"""

_READ: Final = "script"
"""How the phases begin in which a sentence is read aloud: a bell would break into what is imagined."""


@final
class Bells:
    """Asked with every status; remembers what has been rung for."""

    def __init__(self) -> None:
        self._alarm = ""
        self._warned = False
        self._cue = ("", 0)
        self._counted = self._beat = 0

    def news(self, status: Status) -> bool:
        """Whether a new status rings: a new alarm, a new cue, or the last moment before a burst."""
        graver = status.alarm in {"high", "medium"} and status.alarm_text != self._alarm
        self._alarm = status.alarm_text
        soon = before_a_burst(status)
        warns, self._warned = soon and not self._warned, soon
        return self._guided(status) | self._cued(status) or graver or warns

    def _guided(self, status: Status) -> bool:
        """Whether guided work has counted something by measurement, or its metronome beats."""
        guide = status.guide
        if guide is None:
            return False
        counted, self._counted = self._counted, guide.counted
        beat, self._beat = self._beat, status.progress.phase_elapsed_us // guide.beat_us if guide.beat_us else 0
        return (guide.value is not None and guide.counted > counted) or self._beat > beat

    def _cued(self, status: Status) -> bool:
        """Whether a phase has begun in which the patient is told what to do."""
        before, self._cue = self._cue, (status.progress.cue, status.progress.repetition)
        return self._cue[0] != "" and self._cue != before and not status.progress.phase.startswith(_READ)


def before_a_burst(status: Status) -> bool:
    """Whether a burst comes within a second that nobody's effort has to set off, and that is not at zero."""
    progress = status.progress
    left_us = progress.phase_length_us - progress.phase_elapsed_us
    moving = any(channel.level_ua for channel in status.channels)
    shown = status.stage in {Stage.THRESHOLDS, Stage.RUN}
    by_itself = not status.counts.by or progress.phase == _ASSISTED
    return shown and moving and by_itself and progress.phase in _BEFORE and 0 <= left_us <= WARNED_US
