"""A whole session on the twin under a virtual clock, for tests: orders by hand or by the scripted operator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from stimctl.control.operator import ScriptedOperator
from stimctl.driver import Driver, OutputState
from stimctl.engine import State
from stimctl.errors import StimctlError
from stimctl.orders import Order, Status
from stimctl.orders import OrderKind as Kind
from stimctl.records.journal import Journal
from stimctl.records.reading import events, sessions
from stimctl.records.words import Event
from stimctl.session.core import Session
from stimctl.session.diary import Diary
from stimctl.session.opening import Wishes
from stimctl.sim.board import Twin
from stimctl.sim.link import SimLink
from stimctl.units import MS

LOOK_US = 300 * MS

CYCLIC = """\
format = 1
kind = "fes-cyclic"
title = "Two bursts"
purpose = "A short session for tests."
sources = ["made up for tests"]
[pads.a]
model = "square-50x50"
[pads.b]
model = "square-50x50"
[[channel]]
name = "extensors"
muscle = "extensor digitorum communis"
output = 1
site = "forearm-dorsal"
pads = ["a", "b"]
amplitude_ma = 6.0
max_amplitude_ma = 8.0
phase_width_us = 250
rate_hz = 35
[burst]
ramp_up_s = 1.0
hold_s = 2.0
ramp_down_s = 1.0
rest_s = 4.0
[dose]
repetitions = 2
"""

TRIGGER = """\
[trigger]
channel = "extensors"
threshold_sd = 3.0
dwell_ms = 50
release_fraction = 0.6
blanking_ms = 20
lockout_ms = 300
baseline_s = 2.0
cue = true
attempt_window_s = 6.0
max_triggers_per_min = 10
"""

EMG = CYCLIC.replace("fes-cyclic", "fes-emg-triggered") + TRIGGER

TENS = (
    CYCLIC.replace("fes-cyclic", "tens-conventional")
    .replace("phase_width_us = 250", "phase_width_us = 100")
    .replace("rate_hz = 35", "rate_hz = 100")
    .partition("[burst]")[0]
    + "[dose]\nduration_min = 1\n"
)


class Rig:
    """A session, its twin and the time. ``go`` lets the time pass by the session's own wishes."""

    def __init__(self, folder: Path, text: str = CYCLIC, *, seed: int = 1, emg: str = "") -> None:
        self.path = folder / "protocol.toml"
        self.path.write_text(text, encoding="utf-8")
        self.store = folder / "store" / "records.db"
        self.now_us = 0
        self.journal = Journal(self.store, wall_clock=lambda: "2026-01-01T00:00:00.000+00:00")
        self.session = Session(Diary(self.journal), lambda: self.now_us, wishes=Wishes(), seed=seed)
        self.opening = Order(Kind.OPEN, protocol=str(self.path), patient="P-1", side="right", board="sim:", emg=emg)
        self.operator = ScriptedOperator(self.opening, presses=self._presses)
        self.refused: list[str] = []
        self._look_us = 0

    @property
    def status(self) -> Status:
        return self.session.status(self.now_us)

    @property
    def state(self) -> State:
        return self.session.state

    @property
    def twin(self) -> Twin:
        assert self.session.link is not None
        link = cast(Driver, self.session.link.driver)._line._transport
        assert isinstance(link, SimLink)
        assert isinstance(link.twin, Twin)
        return link.twin

    @property
    def flowing_ua(self) -> int:
        """What really flows at the first output."""
        self.twin.advance(self.now_us)
        return self.twin.current_ua(0)

    def _presses(self, now_us: int) -> bool:
        patient = self.session.link.patient if self.session.link is not None else None
        return patient is not None and patient.presses(now_us)

    def order(self, kind: Kind, **fields: Any) -> str:
        """Give an order; "" or why it was refused."""
        try:
            self.session.order(Order(kind, **fields), self.now_us)
        except StimctlError as error:
            self.refused.append(str(error))
            return str(error)
        return ""

    def tick(self) -> None:
        self.session.tick(self.now_us)

    def go(self, us: int) -> None:
        """Let ``us`` pass."""
        until_us = self.now_us + us
        while self.now_us < until_us:
            self.tick()
            self.now_us = min(until_us, self.session.next_wake_us(self.now_us))
        self.tick()

    def work(self, until: State | None = None, *, most_us: int = 3_600_000_000) -> None:
        """Let the scripted operator work until a state is reached, or the session has ended."""
        end_us = self.now_us + most_us
        while not self.session.ended and self.state is not until and self.now_us < end_us:
            self.tick()
            if self.now_us >= self._look_us:
                self._look_us = self.now_us + LOOK_US
                for order in self.operator(self.status, self.now_us):
                    self.session.order(order, self.now_us)
                    if self.state is until:
                        return
            self.now_us = self.session.next_wake_us(self.now_us)

    def until_off(self, *, most_us: int = 1_000_000) -> None:
        """Let time pass until the board has confirmed zero."""
        end_us = self.now_us + most_us
        while self.session.stage.output is not OutputState.OFF and self.now_us < end_us:
            self.go(5 * MS)

    def events(self) -> tuple[Event, ...]:
        """The record so far."""
        self.journal.flush()
        [row] = sessions(self.store)
        return events(self.store, row.id)

    def kinds(self) -> list[str]:
        """The kinds of the record's events."""
        return [event.kind for event in self.events()]

    def close(self) -> None:
        """End the session and its record."""
        self.session.close("test over", self.now_us)
        self.journal.failed = ""
        self.journal.close()


Made = Callable[..., Rig]
"""Makes a rig; takes what :class:`Rig` takes behind its folder."""


@contextmanager
def rigs(folder: Callable[[], Path]) -> Iterator[Made]:
    """Make as many rigs as a test asks for, each in a new ``folder()``, and close them all."""
    made: list[Rig] = []

    def make(text: str = CYCLIC, *, seed: int = 1, emg: str = "") -> Rig:
        made.append(Rig(folder(), text, seed=seed, emg=emg))
        return made[-1]

    try:
        yield make
    finally:
        for each in made:
            each.close()
