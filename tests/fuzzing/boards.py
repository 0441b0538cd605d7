"""Lines to other people's boards: frames of ScienceMode, damaged in all ways that a cable knows, into both ends' decoder."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path
from typing import Final

from stimctl.boards.sciencemode2 import codec as codec2
from stimctl.boards.sciencemode2 import messages as m2
from stimctl.boards.sciencemode2.codes import Command as Command2
from stimctl.boards.sciencemode2.output import encode_output as output2
from stimctl.boards.sciencemode4 import codec as codec4
from stimctl.boards.sciencemode4 import messages as m4
from stimctl.boards.sciencemode4.codes import Command as Command4
from stimctl.boards.sciencemode4.output import encode_output as output4
from tests.fuzzing.mangle import mangled
from tests.fuzzing.probe import Probe, given
from tests.sciencemode_naive import SM2, SM4, Wire, bodies

Frames = list[tuple[int, int, bytes]]
"""Number, command, payload of each."""

_PULSE: Final = (m4.Point(250, 20_000), m4.Point(100, 0), m4.Point(250, -20_000))
_LONG: Final = tuple(m4.Point(0x0F0 + each, 500 * each) for each in range(16))

FRAMES: Final[dict[Wire, tuple[bytes, ...]]] = {
    SM4: (
        codec4.encode(m4.Bare(Command4.GET_STIM_STATUS), 0),
        codec4.encode(m4.MlInit(), 12),
        output4(m4.Update(tuple(m4.Pattern(each, 20_000, _PULSE, 3) for each in (0, 1))), 1),
        output4(m4.Update(tuple(m4.Pattern(each, 12_250, _LONG, 3, quarter_ms=True) for each in range(8))), 60),
        output4(m4.ChannelConfig(0, 0, _PULSE), 3),
        codec4.encode(m4.GetCurrentData(4), 33),
        codec4.encode(m4.Ack(Command4.ML_UPDATE_ACK, 0), 16),
        codec4.encode(m4.ChannelStates(0, (True,) * 8, (0, 1, 2, 3, 0, 0, 15, 15)), 61),
        codec4.encode(m4.ChannelConfigAck(10, 1, 0, 1, 15, tuple(range(240, 368))), 10),
        codec4.encode(m4.DeviceId(0, "2204010012"), 16),
        codec4.encode(m4.ExtendedVersion(0, (5, 12, 16), (16, 13, 6), b"\xf0\x0f\x81\x55", 1, 0), 23),
        codec4.LL_STOP_FRAME,
        codec4.ML_STOP_FRAME,
    ),
    SM2: (
        codec2.encode(m2.Bare(Command2.WATCHDOG), 15),
        codec2.encode(m2.Init(1), 31),
        codec2.encode(m2.InitChannelList((5, 6, 7, 8), 8_000, 40_000), 3),
        output2(m2.StartChannelList((m2.Group(1, 129, 15_000),) * 8), 4),
        output2(m2.SinglePulse(7, 500, 130_000), 1),
        codec2.encode(m2.Ack(Command2.START_CHANNEL_LIST_MODE_ACK, 0), 143),
        codec2.encode(m2.Ack(Command2.STIMULATION_ERROR, -1), 184),
        codec2.encode(m2.ActualValues(129, -15, 15), 7),
        codec2.STOP_FRAME,
    ),
}
"""Some of each sort, the stops last."""


def damaged(chance: random.Random, wire: Wire) -> tuple[Frames, bytes, Frames]:
    """What was sent, what came of it on the line, and those that nothing happened to."""
    pieces = chance.choices(FRAMES[wire], k=chance.randint(2, 8))
    hit = set(chance.sample(range(len(pieces)), chance.randint(1, len(pieces))))
    sent: Frames = []
    untouched: Frames = []
    stream = b""
    for at, frame in enumerate(pieces):
        other = chance.choice(FRAMES[wire])
        sent += [parts(body, wire) for whole in (frame, other) for body in bodies(whole, wire)]
        untouched += [] if at in hit else [parts(body, wire) for body in bodies(frame, wire)]
        stream += worse(frame, other, chance) if at in hit else frame
    return sent, stream, untouched


def worse(frame: bytes, other: bytes, chance: random.Random) -> bytes:
    """A frame after flipped bits, torn off, with something inserted, or run into by another."""
    where = chance.randrange(1, len(frame))
    return chance.choice(
        (
            lambda: flipped(frame, chance),
            lambda: flipped(frame, chance),
            lambda: frame[:where],
            lambda: frame[where:],
            lambda: frame[:where] + chance.randbytes(chance.randint(1, 9)) + frame[where:],
            lambda: frame[:where] + chance.choice((b"\xf0", b"\x0f", b"\x81", b"\x81\xf0")) + frame[where:],
            lambda: frame[:where] + other[chance.randrange(len(other)) :],
            lambda: frame[:where] + other + frame[where:],
            lambda: mangled(frame, chance),
        )
    )()


def flipped(frame: bytes, chance: random.Random) -> bytes:
    """Up to six bits of it, near each other or not."""
    bits, size = int.from_bytes(frame, "big"), 8 * len(frame)
    bit = chance.randrange(size)
    for _ in range(chance.randint(1, 6)):
        bits ^= 1 << bit
        bit = (bit + chance.choice((1, 3, 8, 17, 40))) % size
    return bits.to_bytes(len(frame), "big")


def parts(body: bytes, wire: Wire) -> tuple[int, int, bytes]:
    """Number, command and payload of a body."""
    if wire is SM4:
        return body[0] >> 2, int.from_bytes(body[:2], "big") & 0x3FF, body[2:]
    return body[0], body[1], body[2:]


def judged(wire: Wire, sent: Frames, stream: bytes, untouched: Frames, chance: random.Random) -> int:
    """How many frames came out that nobody sent, because damage hit upon a right checksum: no decoder can tell these.

    Fails for any other: whatever comes out has to stand intact in the stream, by the word of a decoder that shares nothing
    with ours, however the stream is cut. And all that nothing happened to has to come out.
    """
    decoder = codec4.Decoder() if wire is SM4 else codec2.Decoder()
    with given(stream):
        heard: list[codec4.Frame | codec2.Frame] = []
        at = 0
        while at < len(stream):
            size = chance.choice((1, 3, 8, 64, 700))
            heard += decoder.feed(stream[at : at + size])
            at += size
            assert decoder.held < wire.longest
        found: Frames = [(frame.number, frame.command, frame.payload) for frame in heard]
        assert found == [parts(body, wire) for body in bodies(stream, wire)]
        for frame in heard:
            assert repr(frame.word).isprintable()
        rest = iter(found)
        assert all(each in rest for each in untouched), "a whole frame was lost"
        return sum(each not in sent for each in found)


def line(wire: Wire, chance: random.Random, _folder: Path) -> None:
    """One damaged stream, or bytes that never were one."""
    sent, stream, untouched = damaged(chance, wire)
    accidents = judged(wire, sent, stream, untouched, chance)
    with given(stream):
        assert wire is SM2 or not accidents, (
            "a CRC-16 was hit: see that no more than one in 65,536 damaged frames does so"
        )


PROBES = (
    Probe("sciencemode4", "bytes on a line of ScienceMode 4", partial(line, SM4)),
    Probe("sciencemode2", "bytes on a line of ScienceMode 2", partial(line, SM2)),
)
