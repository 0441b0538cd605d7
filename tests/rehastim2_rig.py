"""The driver of a RehaStim 2 on its twin, with a line between them that can lie, and a clock that only the test moves."""

from __future__ import annotations

import itertools

from stimctl.boards.sciencemode2 import messages as m
from stimctl.boards.sciencemode2.codec import Decoder, Frame, build, encode
from stimctl.boards.sciencemode2.codes import Command
from stimctl.driver import BoardEvent, DriverState, Reported, Setup
from stimctl.driver.sciencemode2 import ScienceMode2Driver
from stimctl.envelope.latch import approve
from stimctl.pulse import Command as Order
from stimctl.pulse import Output, PulseTrain, symmetric
from stimctl.safety import Approved, Latch
from stimctl.sim.link import SimLink
from stimctl.sim.rehastim2 import RehaStim2

MS = 1_000
SECOND = 1_000_000
RATE_MHZ = 34_483  # 29.0 ms: what 35 Hz becomes
SETUPS = (Setup(0, 30_000, 300, 100, 300, RATE_MHZ, 2), Setup(1, 20_000, 300, 100, 300, RATE_MHZ, 2))


class LyingLine:
    """A twin behind a line on which words get lost or changed."""

    def __init__(self, twin: RehaStim2) -> None:
        self.twin = twin
        self._up, self._down = Decoder(), Decoder()
        self._said = b""
        self.heard: list[Frame] = []
        self.raw = b""
        self.deaf: set[int] = set()
        """Commands that never reach the board."""
        self.mute: set[int] = set()
        """Answers that never come."""
        self.instead: dict[int, m.BoardWord] = {}
        """What comes in the place of an answer, under its number."""

    def feed(self, data: bytes, now_us: int) -> None:
        self.raw += data
        frames = self._up.feed(data)
        self.heard += frames
        if self.deaf:
            kept = [frame for frame in frames if frame.command not in self.deaf]
            data = b"".join(build(frame.number, frame.command, frame.payload) for frame in kept)
        self.twin.feed(data, now_us)

    def advance(self, now_us: int) -> None:
        self.twin.advance(now_us)

    def outgoing(self) -> bytes:
        said = self.twin.outgoing()
        if self.mute or self.instead:
            for frame in self._down.feed(said):
                if frame.command not in self.mute:
                    word = self.instead.get(frame.command, frame.word)
                    assert isinstance(word, m.Init | m.Ack | m.ModeAck | m.UnknownCommand)
                    self._said += encode(word, frame.number)
        else:
            self._said += said
        out, self._said = self._said, b""
        return out

    def tell(self, word: m.BoardWord, number: int = 0) -> None:
        self._said += encode(word, number)

    def next_event_us(self, now_us: int) -> int | None:
        return now_us if self._said else self.twin.next_event_us(now_us)

    def said(self, command: int) -> list[Frame]:
        """The frames of one command that have left the host."""
        return [frame for frame in self.heard if frame.command == command]


class Rig:
    """Time passes in steps of 5 ms; the control loop beats in each, unless it hangs."""

    def __init__(self) -> None:
        self.now_us = SECOND
        self.twin = RehaStim2(now_us=self.now_us)
        self.line = LyingLine(self.twin)
        self.link: SimLink[LyingLine] = SimLink(self.line, lambda: self.now_us)
        self.latch = Latch()
        tokens = itertools.count(7)
        self.driver = ScienceMode2Driver(self.link, self.latch, tokens=lambda: next(tokens))
        self.events: list[BoardEvent] = []
        self.reports: list[Reported] = []
        self.loops = 0
        self.beating = True

    def run(self, us: int = 30 * MS, *, step: int = 5 * MS) -> list[BoardEvent]:
        """Let time pass; returns what the driver told, reports left out."""
        before = len(self.events)
        for _ in range(us // step):
            self.now_us += step
            self.loops += 1
            if self.beating:
                self.driver.beat(self.loops, self.now_us)
            told = self.driver.poll(self.now_us)
            self.reports += [event for event in told if isinstance(event, Reported)]
            self.events += [event for event in told if not isinstance(event, Reported)]
        return self.events[before:]

    def connected(self) -> Rig:
        self.driver.open(self.now_us)
        self.run(300 * MS)
        assert self.driver.state is DriverState.DISARMED
        return self

    def arming(self) -> Rig:
        self.connected()
        self.driver.arm(SETUPS, self.now_us)
        return self

    def armed(self) -> Rig:
        self.arming()
        self.run(100 * MS)
        assert self.driver.state is DriverState.ARMED
        return self

    def train(self, ua: int, **more: int) -> PulseTrain:
        width_us, rate_mhz = more.pop("width_us", 300), more.pop("rate_mhz", RATE_MHZ)
        return symmetric(ua, width_us, rate_mhz, interphase_gap_us=more.pop("gap_us", 100), **more)

    def approved(self, *ua: int) -> Approved:
        return self.approve(*(Output(n, self.train(each)) for n, each in enumerate(ua)))

    def approve(self, *outputs: Output) -> Approved:
        return approve(Order(tuple(outputs)), self.latch.epoch, self.latch)

    def send(self, *ua: int) -> None:
        self.driver.send(self.approved(*ua), self.now_us)

    def delivering(self, *ua: int) -> Rig:
        self.armed()
        self.send(*ua)
        self.run()
        assert self.flowing_ua[: len(ua)] == list(ua)
        return self

    def stopping(self) -> Rig:
        self.delivering(20_000, 0)
        self.line.mute = {Command.GET_STIMULATION_MODE_ACK}
        self.driver.stop("Space")
        self.run(10 * MS)
        self.line.mute = set()
        assert self.driver.state is DriverState.STOPPING
        return self

    def stopped(self) -> Rig:
        self.delivering(20_000, 0)
        self.driver.stop("Space")
        self.run(300 * MS)
        assert self.driver.state is DriverState.STOPPED
        return self

    @property
    def flowing_ua(self) -> list[int]:
        """What really flows at each output."""
        self.twin.advance(self.now_us)
        return [ledger.current_ua() for ledger in self.twin.ledger]

    @property
    def starts(self) -> list[Frame]:
        return self.line.said(Command.START_CHANNEL_LIST_MODE)

    @property
    def asked(self) -> int:
        return len(self.line.said(Command.GET_STIMULATION_MODE))
