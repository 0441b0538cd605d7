"""Each job with our own codecs. Every way gives steps one by one, each prepared as far as its row says just before it is due."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import chain
from typing import Final

from benchmarks.codec import work
from stimctl.boards.sciencemode2 import codec as codec2
from stimctl.boards.sciencemode2 import messages as m2
from stimctl.boards.sciencemode2 import output as output2
from stimctl.boards.sciencemode2.codes import Command as Command2
from stimctl.boards.sciencemode4 import messages as m4
from stimctl.boards.sciencemode4 import points
from stimctl.boards.sciencemode4.codec import Decoder, encode
from stimctl.boards.sciencemode4.codes import Command, Result
from stimctl.boards.sciencemode4.output import encode_output

Steps = Iterator[Callable[[], object]]


def pulse_word(given: work.Points) -> m4.ChannelConfig:
    """A pulse of the low level on the first channel."""
    return m4.ChannelConfig(0, 0, tuple([m4.Point(us, ua) for us, ua in given]))


def update_word(given: list[work.Points]) -> m4.Update:
    """An update of the mid level."""
    return m4.Update(
        tuple(
            [
                m4.Pattern(channel, work.PERIOD_US, tuple([m4.Point(us, ua) for us, ua in each]), work.RAMP)
                for channel, each in enumerate(given)
            ]
        )
    )


def update() -> Steps:
    return (partial(encode_output, update_word(given), at % 64) for at, given in enumerate(work.updates()))


def update_numbers() -> Steps:
    def one(given: list[work.Points], number: int) -> bytes:
        return encode_output(update_word(given), number)

    return (partial(one, given, at % 64) for at, given in enumerate(work.updates()))


def update_new() -> Steps:
    def one(word: m4.Update, number: int) -> bytes:
        points._WIRES.clear()  # noqa: SLF001 - what a first time costs
        return encode_output(word, number)

    return (partial(one, update_word(given), at % 64) for at, given in enumerate(work.updates()))


def pulse() -> Steps:
    return (partial(encode_output, pulse_word(work.pulse(ua)), at % 64) for at, ua in enumerate(work.amplitudes()))


def pulse_new() -> Steps:
    def one(word: m4.ChannelConfig, number: int) -> bytes:
        points._WIRES.clear()  # noqa: SLF001 - see there
        return encode_output(word, number)

    return (partial(one, pulse_word(work.pulse(ua)), at % 64) for at, ua in enumerate(work.amplitudes()))


def pulse_numbers() -> Steps:
    def one(given: work.Points, number: int) -> bytes:
        return encode_output(pulse_word(given), number)

    return (partial(one, work.pulse(ua), at % 64) for at, ua in enumerate(work.amplitudes()))


@cache
def session() -> list[bytes]:
    """What a board says while all is well: to an update, and to the question how it is, under all packet numbers."""
    good = m4.ChannelStates(0, (True,) * 8, (0,) * 8)
    pairs = ((encode(m4.Ack(Command.ML_UPDATE_ACK, 0), at), encode(good, at)) for at in range(64))
    return list(chain.from_iterable(pairs))


@cache
def anything() -> list[bytes]:
    """Answers no two of which are alike."""
    acks = (encode(m4.Ack(Command.ML_UPDATE_ACK, result), at) for result in Result for at in range(64))
    some = (encode(m4.ChannelStates(0, (True,) * 8, work.states(seed)), seed % 64) for seed in range(64 * len(Result)))
    return list(chain.from_iterable(zip(acks, some, strict=True)))


@cache
def written() -> list[bytes]:
    """The updates as frames."""
    return [encode_output(update_word(given), at % 64) for at, given in enumerate(work.updates())]


def read_new(decoder: Decoder) -> Steps:
    def one(frame: bytes) -> object:
        decoder._kept.clear()  # noqa: SLF001 - what a first time costs
        return decoder.feed(frame)

    return (partial(one, frame) for frame in anything())


def read(decoder: Decoder, frames: Callable[[], list[bytes]]) -> Steps:
    """Each frame in a read of its own, all to one decoder."""
    return (partial(decoder.feed, frame) for frame in frames())


def list_word(given: list[tuple[int, int]]) -> m2.StartChannelList:
    return m2.StartChannelList(tuple([m2.Group(1, us, 1_000 * ma) for us, ma in given]))


def lists() -> Steps:
    return (partial(output2.encode_output, list_word(given), at % 256) for at, given in enumerate(work.lists()))


@cache
def acks() -> list[bytes]:
    return [codec2.encode(m2.Ack(Command2.START_CHANNEL_LIST_MODE_ACK, 0), at) for at in range(256)]


def read_acks(decoder: codec2.Decoder) -> Steps:
    return (partial(decoder.feed, frame) for frame in acks())


WAYS: Final[dict[str, Callable[[], Steps]]] = {
    work.UPDATE: update,
    work.UPDATE_NUMBERS: update_numbers,
    work.UPDATE_NEW: update_new,
    work.PULSE: pulse,
    work.PULSE_NUMBERS: pulse_numbers,
    work.PULSE_NEW: pulse_new,
    work.ANSWERS: partial(read, Decoder(), session),
    work.ANSWERS_NEW: partial(read_new, Decoder()),
    work.UPDATE_READ: partial(read, Decoder(), written),
    work.LIST: lists,
    work.ACKS: partial(read_acks, codec2.Decoder()),
}
