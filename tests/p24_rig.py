"""A driver of ScienceMode 4 or 3 on its twin, with a line between them that can lie, and a clock that only the test moves."""

from __future__ import annotations

import itertools

from stimctl.boards.sciencemode4 import messages as m
from stimctl.boards.sciencemode4.codec import Decoder, Frame, build, encode
from stimctl.boards.sciencemode4.codes import Command
from stimctl.boards.sciencemode4.devices import P24, REHAMOVE3, Device
from stimctl.driver import BoardEvent, DriverState, Reported, Setup
from stimctl.driver.sciencemode4 import ScienceMode4Driver
from stimctl.envelope.latch import approve
from stimctl.pulse import Command as Order
from stimctl.pulse import Output, PulseTrain, symmetric
from stimctl.safety import Approved, Latch
from stimctl.sim.link import SimLink
from stimctl.sim.sciencemode4 import ScienceMode4Board
from stimctl.sim.sciencemode_model import P24 as P24_MODEL
from stimctl.sim.sciencemode_model import REHAMOVE3 as REHAMOVE3_MODEL

MS = 1_000
SECOND = 1_000_000
RATE_MHZ = 34_483  # 29.0 ms: what 35 Hz becomes
SETUPS = (Setup(0, 30_000, 300, 100, 300, 50_000, 2), Setup(1, 20_000, 300, 100, 300, 50_000, 2))
SLOW_MHZ = 10_000
SLOW_SETUPS = (Setup(0, 30_000, 300, 100, 300, SLOW_MHZ, 2), Setup(1, 20_000, 300, 100, 300, SLOW_MHZ, 2))
"""With these a board is armed in its low level."""
SLOW_US = 100 * MS
MODELS = {P24: P24_MODEL, REHAMOVE3: REHAMOVE3_MODEL}


class LyingLine:
    """A twin behind a line on which words get lost or changed."""

    def __init__(self, twin: ScienceMode4Board, device: Device) -> None:
        self.twin, self._dialect = twin, device.dialect
        self._up, self._down = Decoder(device.dialect), Decoder(device.dialect)
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
            data = b"".join(self._again(frame) for frame in frames if frame.command not in self.deaf)
        self.twin.feed(data, now_us)

    def _again(self, frame: Frame) -> bytes:
        return build(frame.number, frame.command, frame.payload)

    def advance(self, now_us: int) -> None:
        self.twin.advance(now_us)

    def outgoing(self) -> bytes:
        said = self.twin.outgoing()
        if not (self.mute or self.instead):
            out, self._said = self._said + said, b""
            return out
        for frame in self._down.feed(said):
            if frame.command in self.mute:
                continue
            word = self.instead.get(frame.command, frame.word)
            assert not isinstance(word, m.Unknown | m.Senseless | m.Update | m.ChannelConfig)
            self._said += encode(word, frame.number, self._dialect)
        out, self._said = self._said, b""
        return out

    def tell(self, word: m.BoardWord, number: int = 0) -> None:
        self._said += encode(word, number, self._dialect)

    def next_event_us(self, now_us: int) -> int | None:
        return now_us if self._said else self.twin.next_event_us(now_us)

    def said(self, command: int) -> list[Frame]:
        """The frames of one command that have left the host."""
        return [frame for frame in self.heard if frame.command == command]


class Rig:
    """Time passes in steps of 5 ms; the control loop beats in each, unless it hangs. ``slow``: armed in the low level."""

    def __init__(self, device: Device = P24, *, slow: bool = False) -> None:
        self.now_us = SECOND
        self.device, self.slow = device, slow
        self.setups, self.rate_mhz = (SLOW_SETUPS, SLOW_MHZ) if slow else (SETUPS, RATE_MHZ)
        self.twin = ScienceMode4Board(MODELS[device], now_us=self.now_us)
        self.line = LyingLine(self.twin, device)
        self.link: SimLink[LyingLine] = SimLink(self.line, lambda: self.now_us)
        self.latch = Latch()
        tokens = itertools.count(7)
        self.driver = ScienceMode4Driver(self.link, self.latch, device, tokens=lambda: next(tokens))
        self.events: list[BoardEvent] = []
        self.reports: list[Reported] = []
        self.loops = 0
        self.beating = True

    def run(self, us: int = 20 * MS, *, step: int = 5 * MS) -> list[BoardEvent]:
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

    def armed(self) -> Rig:
        self.connected()
        self.driver.arm(self.setups, self.now_us)
        self.run(100 * MS)
        assert self.driver.state is DriverState.ARMED
        return self

    def train(self, ua: int, **more: int) -> PulseTrain:
        return symmetric(ua, more.pop("width_us", 300), more.pop("rate_mhz", self.rate_mhz), **more)

    def approved(self, *ua: int) -> Approved:
        return self.approve(*(Output(n, self.train(each)) for n, each in enumerate(ua)))

    def approve(self, *outputs: Output) -> Approved:
        return approve(Order(tuple(outputs)), self.latch.epoch, self.latch)

    def send(self, *ua: int) -> None:
        self.driver.send(self.approved(*ua), self.now_us)

    def delivering(self, *ua: int) -> Rig:
        self.armed()
        self.send(*ua)
        self.run(SLOW_US if self.slow else 20 * MS)
        assert (self.given_ua if self.slow else self.flowing_ua)[: len(ua)] == list(ua)
        return self

    @property
    def flowing_ua(self) -> list[int]:
        """What really flows at each output."""
        self.twin.advance(self.now_us)
        return [ledger.current_ua() for ledger in self.twin.ledger]

    @property
    def given_ua(self) -> list[int]:
        """The newest pulse of each output."""
        self.twin.advance(self.now_us)
        newest = (ledger.pulses_between(0, self.now_us)[-1:] for ledger in self.twin.ledger)
        return [pulse[0][1].amplitude_ua if pulse else 0 for pulse in newest]

    @property
    def pulses(self) -> list[Frame]:
        """What the low level was told to give."""
        return self.line.said(Command.LL_CHANNEL_CONFIG)

    @property
    def updates(self) -> list[Frame]:
        return self.line.said(Command.ML_UPDATE)
