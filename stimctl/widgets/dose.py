"""The screen of thresholds and run: the channels, the level between its two keys, progress, counts, EMG."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from stimctl.orders import OrderKind, OutputWord, Stage, Status
from stimctl.widgets import channels, procedure
from stimctl.widgets.emg import EmgPlot
from stimctl.widgets.guided import guide_lines
from stimctl.widgets.parts import GUIDE, Cap
from stimctl.widgets.words import Words

WORDS: Final = ("channels", "bar", "guided", "progress", "counts", "efforts")


@final
class DosePane(Vertical):
    """What is given and measured now. ``click`` returns what a click on a drawn key does."""

    def __init__(self, click: Callable[[OrderKind], Callable[[], None]]) -> None:
        super().__init__(id="dose")
        self._click, self._emg = click, EmgPlot("emg")
        self._words = {name: Words(name) for name in WORDS}  # held here: looking them up cost more than painting

    def compose(self) -> ComposeResult:
        """Everything of both steps at once; the style sheet shows what belongs to which."""
        words = self._words
        yield words["channels"]
        with Horizontal(id="level"):
            yield Cap("▼ L\nlower", 13, "lower", self._click(OrderKind.LOWER))
            yield words["bar"]
            yield Cap("R ▲\nraise", 13, "raise", self._click(OrderKind.RAISE))
        yield Static(Content(GUIDE), id="guide")
        yield words["guided"]
        yield from (words["progress"], words["counts"], words["efforts"], self._emg)

    def show(self, status: Status, width: int) -> None:
        """Show ``status`` in lines of ``width`` cells. What the board does not report is not known, whatever was set."""
        self.screen.set_class(status.guide is not None, "guided")
        if status.guide is not None:
            self._words["guided"].show(guide_lines(status, status.guide, width), resize=True)
        known = status.output is not OutputWord.UNKNOWN
        running = status.stage is Stage.RUN
        columns = channels.RUN_COLUMNS if running else channels.THRESHOLD_COLUMNS
        self._words["channels"].show(channels.channel_table(status.channels, columns, width, known=known))
        chosen = channels.selected(status.channels)
        bar = channels.level_words(chosen, width - 28, known=known) if chosen else Content("no channel selected: ← →")
        self._words["bar"].show(bar)
        self.set_class(running, "running")  # of the pane: a class of the screen has every widget of it styled anew
        self._words["progress"].show(procedure.progress_lines(status.progress, width))
        # Guided work counts in lines of its own: nothing is delivered in it.
        counts = procedure.counts_line(status.counts, continuous=not status.progress.repetitions)
        self._words["counts"].show(counts if status.guide is None else Content(""))
        efforts = status.emg.efforts_uv if status.emg else ()
        self.set_class(bool(efforts), "measuring")  # nothing has been given yet, and its numbers want the room
        self._words["efforts"].show(
            procedure.effort_lines(efforts, status.emg.measuring if status.emg else -1, width), resize=True
        )
        # Nothing is listened to while thresholds are sought; an empty frame looked like a lead that fell off.
        emg = status.emg if status.emg and (status.emg.listening or status.emg.envelope_uv) else None
        self._emg.display = emg is not None
        self._emg.show(emg, stale=not known)
