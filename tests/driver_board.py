"""A board in a few lines, for tests of the driver: it does as it is told, unless it is told to misbehave."""

from __future__ import annotations

import itertools
from contextlib import suppress
from dataclasses import replace

from stimctl.boards.reference import messages as m
from stimctl.boards.reference.codec import Decoder, Frame, encode
from stimctl.boards.reference.codes import Capability, Cause, Reason
from stimctl.driver import BoardEvent, Driver, DriverState, Reported, Setup
from stimctl.envelope.latch import approve
from stimctl.errors import LinkLost
from stimctl.pulse import Command, Output, symmetric
from stimctl.safety import Approved, Latch
from stimctl.transport import Transport, memory_pair
from tests.wire_words import TABLE

MS = 1_000
WHO = m.Identity("script", "1", "0", 2, 100, 1, 1_000, Capability(7), 1_000, 1)
SETUPS = (Setup(0, 30_000, 300, 100, 300, 50_000), Setup(1, 20_000, 300, 100, 300, 50_000))


class ScriptedBoard:
    """Answers from one end of a memory link. Attributes are what it believes; change them, and it believes that."""

    def __init__(self, end: Transport) -> None:
        self.end = end
        self.decoder = Decoder()
        self.heard: list[Frame] = []
        self.deaf: set[type[m.Word]] = set()
        """Words that it neither carries out nor answers."""
        self.mute: set[type[m.Word]] = set()
        """Words that it carries out without an answer."""
        self.refuse: dict[type[m.Word], m.Nak] = {}
        self.identity, self.table = WHO, TABLE
        self.token, self.challenge, self.last, self.cause = 0, 100, 0, Cause.NONE
        self.uptime_ms = 1_000
        self.applied = [0, 0]
        self.measured: list[int | None] = [None, None]
        """What it measures, where that is not what it applies."""
        self.impedance: list[int | None] = [1_500, 1_500]
        self.trouble = [m.OutputReport(0, 0, 0).trouble] * 2
        self.button = self.listening = False
        self._sequence = itertools.count()

    def said(self, kind: type[m.Word]) -> list[Frame]:
        """The frames of one kind that it has heard."""
        return [frame for frame in self.heard if type(frame.word) is kind]

    def tell(self, word: m.Word, token: int | None = None) -> None:
        token = self.token if token is None else token
        with suppress(LinkLost):  # a board does not mind that nobody is there any more
            self.end.write(encode(word, sequence=next(self._sequence) % 65_536, token=token))

    def work(self) -> None:
        """Hear everything that has come, and answer."""
        data = b""
        with suppress(LinkLost):
            data = self.end.read()
        for frame in self.decoder.feed(data):
            self.heard.append(frame)
            kind = type(frame.word)
            if kind in self.deaf:
                continue
            if kind in self.refuse:
                self.tell(replace(self.refuse[kind], reply_to=frame.sequence))
                continue
            answers = self._do(frame)
            for answer in answers if kind not in self.mute else ():
                self.tell(answer, token=frame.token if frame.token == self.token else 0)

    def _do(self, frame: Frame) -> list[m.Word]:
        ack: list[m.Word] = [m.Ack(frame.sequence)]
        match frame.word:
            case m.Hello():
                return [replace(self.identity, challenge=self.challenge), self.table]
            case m.Stop():
                self.disarm(Cause.STOP_COMMAND)
                return [m.Stopped(frame.sequence, self.report())]
            case m.StatusRequest():
                report = self.report()
                if frame.token != self.token:
                    report = replace(report, last_sequence=0)
                return [m.Status(frame.sequence, report)]
            case m.Arm() as arm:
                if frame.sequence == self.last and frame.token == self.token:
                    return ack
                if arm.challenge != self.challenge:
                    return [m.Nak(frame.sequence, Reason.CHALLENGE)]
                self.token, self.last, self.challenge = frame.token, frame.sequence, self.challenge + 1
            case m.Listen() as listen:
                self.listening = listen.rate_hz > 0
            case m.Configure() | m.Heartbeat() | m.Update():
                if frame.token != self.token or not self.token:
                    return [m.Nak(frame.sequence, Reason.TOKEN if self.token else Reason.NOT_ARMED)]
                self.last = frame.sequence
                if isinstance(frame.word, m.Update):
                    self.applied = [0, 0]
                    for entry in frame.word.entries:
                        self.applied[entry.output] = entry.train.amplitude_ua
        return ack

    def disarm(self, cause: Cause) -> None:
        self.token, self.cause = 0, cause
        self.challenge += 1
        self.applied = [0, 0]

    def report(self) -> m.Report:
        outputs = tuple(
            m.OutputReport(applied, applied if measured is None else measured, impedance, trouble)
            for applied, measured, impedance, trouble in zip(
                self.applied, self.measured, self.impedance, self.trouble, strict=True
            )
        )
        armed = self.token != 0
        return m.Report(
            armed,
            self.listening,
            self.button,
            self.cause,
            self.challenge,
            self.last,
            self.uptime_ms,
            400 if armed else 0,
            outputs,
        )


class Bench:
    """A driver, a scripted board, and a clock that only the test moves."""

    def __init__(self, *, first_token: int = 1_000) -> None:
        self.now_us = 0
        self.latch = Latch()
        ours, theirs = memory_pair()
        self.link, self.board = ours, ScriptedBoard(theirs)
        self.tokens = itertools.count(first_token)
        self.driver = Driver(ours, self.latch, tokens=lambda: next(self.tokens))
        self.events: list[BoardEvent] = []
        self.loops = 0
        self.beating = True

    def run(self, us: int = 20 * MS, *, step: int = 5 * MS, board: bool = True) -> list[BoardEvent]:
        """Let time pass; returns what the driver told, reports left out."""
        before = len(self.events)
        for _ in range(us // step):
            self.now_us += step
            self.board.uptime_ms += step // MS
            self.loops += 1
            if self.beating:
                self.driver.beat(self.loops, self.now_us)
            if board:
                self.board.work()
            self.events += self.driver.poll(self.now_us)
        return [event for event in self.events[before:] if not isinstance(event, Reported)]

    def connected(self) -> Bench:
        self.driver.open(self.now_us)
        self.run()
        assert self.driver.state is DriverState.DISARMED
        return self

    def armed(self) -> Bench:
        self.connected()
        self.driver.arm(SETUPS, self.now_us)
        self.run(50 * MS)
        assert self.driver.state is DriverState.ARMED
        return self

    def approved(self, *ua: int) -> Approved:
        command = Command(tuple(Output(n, symmetric(each, 300, 35_000)) for n, each in enumerate(ua)))
        return approve(command, self.latch.epoch, self.latch)

    def send(self, *ua: int) -> None:
        self.driver.send(self.approved(*ua), self.now_us)

    def delivering(self, *ua: int) -> Bench:
        self.armed()
        self.send(*ua)
        self.run(20 * MS)
        assert self.board.applied == list(ua)
        return self
