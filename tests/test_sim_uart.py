"""A line whose twin is woken for the ends of frames alone: what the twin says and gives, and when, is the same."""

from __future__ import annotations

import random
from functools import partial

import pytest

from stimctl.boards.sciencemode2 import codec as codec2
from stimctl.boards.sciencemode2 import messages as m2
from stimctl.boards.sciencemode2 import output as output2
from stimctl.boards.sciencemode2.codes import Command as Command2
from stimctl.boards.sciencemode4 import messages as m4
from stimctl.boards.sciencemode4.codec import encode
from stimctl.boards.sciencemode4.codes import Command
from stimctl.boards.sciencemode4.output import encode_output
from stimctl.sim.ledger import Stretch
from stimctl.sim.rehastim2 import RehaStim2
from stimctl.sim.sciencemode4 import ScienceMode4Board
from stimctl.sim.uart import Uart

SECOND = 1_000_000
Twin = ScienceMode4Board | RehaStim2


def words_4(chance: random.Random) -> bytes:
    """A frame of a session with a P24, or something that is none."""
    ua = 500 * chance.randrange(60)
    points = (m4.Point(250, ua), m4.Point(100, 0), m4.Point(250, -ua))
    return chance.choice(
        (
            encode(m4.MlInit(stop_all_on_error=True), 1),
            encode_output(m4.Update((m4.Pattern(chance.randrange(8), 20_000, points, chance.randrange(4)),)), 2),
            encode(m4.GetCurrentData(4), 3),
            encode(m4.Bare(Command.GET_STIM_STATUS), 4),
            encode(m4.Bare(Command.ML_STOP), 5),
            encode(m4.LlInit(0, 0), 6),
            encode_output(m4.ChannelConfig(0, 0, points, execute=True), 7),
            encode(m4.Bare(Command.LL_STOP), 8),
            encode(m4.Bare(Command.RESET), 9),
            chance.randbytes(chance.randrange(1, 40)),
            b"\xf0" + bytes(chance.choice((3, 600, 2_500))),  # no end for long
        )
    )


def words_2(chance: random.Random) -> bytes:
    """The same of a session with a RehaStim 2."""
    return chance.choice(
        (
            codec2.encode(m2.Ack(Command2.INIT_ACK, 0), 0),
            codec2.encode(m2.InitChannelList((1, 2), inter_pulse_us=8_000, main_us=20_000), 1),
            output2.encode_output(m2.StartChannelList((m2.Group(1, 200, 1_000 * chance.randrange(40)),) * 2), 2),
            codec2.encode(m2.Bare(Command2.WATCHDOG), 3),
            codec2.encode(m2.Bare(Command2.STOP_CHANNEL_LIST_MODE), 4),
            chance.randbytes(chance.randrange(1, 40)),
            b"\xf0" + bytes(chance.choice((3, 400, 1_500))),
        )
    )


class Watched:
    """A twin, and at what time it said and gave what."""

    def __init__(self, twin: Twin) -> None:
        self.twin, self.now_us, self.wakes = twin, 0, 0
        self.said: list[tuple[int, bytes]] = []

    def until(self, us: int) -> None:
        """Look at it whenever it asks for that, as a link in hurried time does."""
        while (due_us := self.twin.next_event_us(self.now_us)) is not None and due_us <= us:
            self.now_us = max(self.now_us + 1, due_us)
            self._look()
        self.now_us = us
        self._look()

    def _look(self) -> None:
        self.wakes += 1
        self.twin.advance(self.now_us)
        if data := self.twin.outgoing():
            self.said.append((self.now_us, data))

    def flowed(self) -> list[list[Stretch]]:
        return [ledger.history(self.now_us) for ledger in self.twin.ledger]


def prelude_4() -> tuple[bytes, ...]:
    points = (m4.Point(250, 20_000), m4.Point(100, 0), m4.Point(250, -20_000))
    update = encode_output(m4.Update((m4.Pattern(0, 20_000, points, 3),)), 1)
    return encode(m4.MlInit(stop_all_on_error=True), 0), update


def prelude_2() -> tuple[bytes, ...]:
    ready = codec2.encode(m2.InitChannelList((1,), inter_pulse_us=8_000, main_us=20_000), 1)
    start = output2.encode_output(m2.StartChannelList((m2.Group(1, 200, 20_000),)), 2)
    return codec2.encode(m2.Ack(Command2.INIT_ACK, 0), 0), ready, start


def p24() -> Twin:
    return ScienceMode4Board()


def rehastim2() -> Twin:
    return RehaStim2()


CASES = {
    "p24": (p24, prelude_4, words_4, partial(Uart, 3_000_000, 1 << 16, 11)),
    "rehastim2": (rehastim2, prelude_2, words_2, partial(Uart, 460_800, 512, 11)),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_said_or_given_at_another_time(name: str, seed: int) -> None:
    make, prelude, words, each_byte = CASES[name]
    chance, ours, plain = random.Random(seed), Watched(make()), Watched(make())
    plain.twin.uart = each_byte()

    def both(data: bytes, wait_us: int) -> None:
        for each in (ours, plain):
            each.twin.feed(data, each.now_us)
            each.until(each.now_us + wait_us)

    both(b"", 0)
    for data in prelude():
        both(data, 60_000)
    for _ in range(30):
        data = b"".join(words(chance) for _ in range(chance.randrange(1, 4)))
        cut = chance.randrange(len(data) + 1)
        both(data[:cut], chance.choice((0, 50)))
        both(data[cut:], chance.choice((0, 7, 3_000, 30_000, 900_000)))
        if not chance.randrange(8):
            for each in (ours, plain):
                each.twin.restart(each.now_us)  # in the midst of whatever comes
            both(b"", 0)
    both(b"", 3 * SECOND)
    assert ours.said == plain.said
    assert ours.flowed() == plain.flowed()
    assert any(plain.flowed())
    assert ours.wakes < plain.wakes / 3
