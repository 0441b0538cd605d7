"""A bare host for tests of the twin: it writes the frames it is told to write, sensible or not."""

from __future__ import annotations

import dataclasses
from typing import Any

from stimctl.boards.reference import layout
from stimctl.boards.reference import messages as m
from stimctl.boards.reference.codec import Decoder, build, encode
from stimctl.boards.reference.facts import table_crc
from stimctl.pulse import PulseTrain, symmetric
from stimctl.sim.board import Twin
from stimctl.sim.faults import Fault
from stimctl.sim.guard import TABLE
from stimctl.sim.patient import Patient

MS = 1_000
SECOND = 1_000_000
TOKEN = 0x5EED_0001


def train(ua: int = 10_000, width: int = 250, mhz: int = 35_000, **more: int) -> PulseTrain:
    return symmetric(ua, width, mhz, **more)


def bent(base: PulseTrain, **fields: Any) -> PulseTrain:
    """The same train with other fields, sensible or not."""
    return dataclasses.replace(base, **fields)


def make_twin(*faults: Fault, seed: int = 1, keep: int | None = None, now_us: int = 0) -> Twin:
    return Twin(Patient(seed), seed=seed, faults=faults, keep=keep, now_us=now_us)


class Host:
    """Frames for one twin, and the words that come back. ``now_us`` is its clock and the twin's."""

    def __init__(self, twin: Twin, now_us: int = 0) -> None:
        self.twin, self.now_us = twin, now_us
        self.token, self.sequence, self.counter = 0, 0, 0
        self.last_frame = b""
        self._decoder = Decoder()
        self.heard: list[m.Word] = []
        self.hear()

    def wait(self, us: int) -> list[m.Word]:
        self.now_us += us
        self.twin.advance(self.now_us)
        return self.hear()

    def hear(self) -> list[m.Word]:
        words = [frame.word for frame in self._decoder.feed(self.twin.outgoing())]
        assert self._decoder.malformed == 0
        self.heard += words
        return words

    def raw(self, data: bytes) -> list[m.Word]:
        self.last_frame = data
        self.twin.feed(data, self.now_us)
        return self.hear()

    def frame(self, word: m.Word, *, token: int | None = None, sequence: int | None = None) -> bytes:
        if sequence is None:
            self.sequence = sequence = (self.sequence + 1) % 65_536
        token = self.token if token is None else token
        if isinstance(word, m.Update):
            entries = tuple((entry.output, entry.train) for entry in word.entries)
            payload = layout.pack_update(word.loop_counter, word.host_ms, entries)
            return build(layout.UPDATE_TYPE, payload, sequence=sequence, token=token)
        return encode(word, sequence=sequence, token=token)

    def say(self, word: m.Word, *, token: int | None = None, sequence: int | None = None) -> m.Word:
        """Send and return the answer; there must be exactly one, apart from events and samples."""
        words = self.raw(self.frame(word, token=token, sequence=sequence))
        answers = [each for each in words if not isinstance(each, m.Event | m.Samples)]
        assert len(answers) == 1, words
        return answers[0]

    @property
    def host_ms(self) -> int:
        return (self.now_us // MS + 77_777) % (1 << 32)

    def identity(self) -> m.Identity:
        identity, table = self.raw(self.frame(m.Hello(), token=0))
        assert isinstance(identity, m.Identity)
        assert isinstance(table, m.LimitsTable)
        return identity

    def report(self) -> m.Report:
        status = self.say(m.StatusRequest())
        assert isinstance(status, m.Status)
        return status.report

    def arm(self, *, dead_man_ms: int = 500, outputs: int = 0b1111, token: int = TOKEN) -> m.Word:
        challenge = self.report().challenge
        self.counter += 1
        word = m.Arm(challenge, dead_man_ms, outputs, table_crc(TABLE), self.counter, self.host_ms)
        self.token = token
        return self.say(word)

    def configure(self, output: int, ua: int = 100_000, **more: int) -> m.Word:
        bounds = {
            "phase_width_us": 500,
            "interphase_gap_us": 500,
            "recovery_width_us": 2_000,
            "rate_mhz": 200_000,
            "pulses_per_period": 3,
            **more,
        }
        return self.say(m.Configure(output, ua, **bounds))

    def update(self, trains: dict[int, PulseTrain], **how: int) -> m.Word:
        self.counter += 1
        entries = tuple(m.Entry(output, each) for output, each in sorted(trains.items()))
        return self.say(m.Update(self.counter, self.host_ms, entries), **how)

    def beat(self, *, advance: bool = True) -> m.Word:
        self.counter += advance
        return self.say(m.Heartbeat(self.counter, self.host_ms))

    def stop(self) -> m.Stopped:
        answer = self.say(m.Stop(), token=0)
        assert isinstance(answer, m.Stopped)
        return answer

    def ready(self, ua: int = 60_000, *, dead_man_ms: int = 500) -> None:
        """Armed and configured, at zero."""
        assert isinstance(self.arm(dead_man_ms=dead_man_ms), m.Ack)
        for output in range(4):
            assert isinstance(self.configure(output, ua), m.Ack)

    def go(self, output: int = 0, ua: int = 10_000, *, dead_man_ms: int = 500) -> None:
        """Armed, and ramped up to ``ua`` on one output."""
        self.ready(dead_man_ms=dead_man_ms)
        self.wait(40 * MS)
        for level in range(2_000, ua + 1, 2_000):
            assert isinstance(self.update({output: train(level)}), m.Ack)
            self.wait(20 * MS)
        assert self.twin.current_ua(output) == ua
