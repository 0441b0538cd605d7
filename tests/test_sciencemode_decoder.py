"""ScienceMode's frames out of a stream, however it is cut and damaged, held against a second decoder that is slow and plain."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stimctl.boards.sciencemode import framing
from stimctl.boards.sciencemode2 import codec as codec2
from stimctl.boards.sciencemode2.codec import crc8
from stimctl.boards.sciencemode4 import codec as codec4
from tests.fuzzing.boards import FRAMES, damaged, judged
from tests.sciencemode_naive import SM2, SM4, Wire, bodies, crc, walked

WIRES = pytest.mark.parametrize("wire", [SM4, SM2], ids=["SM4", "SM2"])
Decoder = codec4.Decoder | codec2.Decoder


def decoder_of(wire: Wire) -> Decoder:
    return codec4.Decoder() if wire is SM4 else codec2.Decoder()


def heard(decoder: Decoder, chunks: Iterable[bytes]) -> list[bytes]:
    """The bodies of what comes out, put together again from the parts of a frame."""
    found = []
    for chunk in chunks:
        for frame in decoder.feed(chunk):
            if isinstance(frame, codec4.Frame):
                head = (frame.number << 10 | frame.command).to_bytes(2, "big")
            else:
                head = bytes((frame.number, frame.command))
            found.append(head + frame.payload)
    return found


def built(body: bytes, wire: Wire) -> bytes:
    """A frame around any body, however short."""
    stuffed = framing.stuff(body)
    return (codec4.head(stuffed) if wire is SM4 else codec2.head(stuffed)) + stuffed + framing.STOP


def cut(stream: bytes, chance: random.Random, most: int = 20) -> list[bytes]:
    chunks, at = [], 0
    while at < len(stream):
        size = chance.randint(1, most)
        chunks.append(stream[at : at + size])
        at += size
    return chunks


# --- stuffing and checksums ------------------------------------------------------------------------------------


@given(st.binary(max_size=60) | st.lists(st.sampled_from(b"\xf0\x0f\x81\xa5\x5a\xd4\x55"), max_size=40).map(bytes))
def test_stuffing_there_and_back(body: bytes) -> None:
    wire = framing.stuff(body)
    assert b"\xf0" not in wire
    assert b"\x0f" not in wire
    assert framing.unstuff(wire) == framing.unstuff_any(wire) == body
    assert len(wire) == len(body) + sum(byte in b"\xf0\x0f\x81" for byte in body)


@given(st.lists(st.sampled_from(b"\x81\xa5\x5a\xd4\x00"), max_size=12).map(bytes))
def test_unstuffing_takes_only_what_is_stuffed_as_it_has_to_be(wire: bytes) -> None:
    body = framing.unstuff(wire)
    assert body is None or framing.stuff(body) == wire


def test_checksums_have_their_published_check_values() -> None:
    assert crc8(b"123456789") == crc(b"123456789", 8, 0x07) == 0xF4
    assert crc(b"123456789", 16, 0x1021) == 0x31C3


@given(st.binary(max_size=200))
def test_heads_are_those_of_the_second_reading(body: bytes) -> None:
    for wire in (SM4, SM2):
        if len(body) >= 2 and len(framing.stuff(body)) <= 255:
            assert bodies(built(body, wire), wire) == [body]


# --- any stream ------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    (b"\xf0", b"\x0f", b"\x81", b"\x81\xf0", b"\x81\x0f", b"\x81\x81", b"\xf0\x81", b"\x55", b"\x00")
)


def streams(wire: Wire) -> st.SearchStrategy[bytes]:
    """Frames, torn frames and noise that is rich in the bytes that mean something."""
    whole = st.sampled_from(FRAMES[wire])
    torn = st.builds(
        lambda frame, start, end: frame[start : len(frame) - end], whole, st.integers(0, 12), st.integers(0, 12)
    )
    short = st.binary(max_size=3).map(lambda body: built(body, wire))
    any_body = st.binary(max_size=40).map(lambda body: built(body, wire))
    return st.lists(whole | torn | PIECES | st.binary(max_size=12) | short | any_body, max_size=12).map(b"".join)


@WIRES
@given(data=st.data())
def test_what_comes_out_is_what_the_second_decoder_finds(wire: Wire, data: st.DataObject) -> None:
    stream = data.draw(streams(wire))
    found = bodies(stream, wire)
    assert heard(decoder_of(wire), [stream]) == found
    rest = iter(found)
    assert all(body in rest for body in walked(stream, wire)), (
        "the documents' own walk finds no more, and in this order"
    )


@WIRES
@given(data=st.data())
def test_how_bytes_are_split_makes_no_difference(wire: Wire, data: st.DataObject) -> None:
    stream = data.draw(streams(wire))
    whole, parts = decoder_of(wire), decoder_of(wire)
    expected = heard(whole, [stream])
    assert heard(parts, cut(stream, data.draw(st.randoms(use_true_random=False)))) == expected
    assert (parts.damaged, parts.held) == (whole.damaged, whole.held)
    assert heard(decoder_of(wire), (bytes((byte,)) for byte in stream)) == expected


@WIRES
@given(noise=st.binary(max_size=200))
@example(noise=b"\xf0")
@example(noise=b"\x81")
@example(noise=b"\xf0\x81")
@example(noise=b"\xf0\x81\x55\x81\x58\x81")
@example(noise=b"\xf0\x81\x55\x81\x58\x81\xf0\x81")
def test_after_any_noise_a_frame_is_heard_at_once(wire: Wire, noise: bytes) -> None:
    for frame in FRAMES[wire][:5]:
        assert heard(decoder_of(wire), [noise + frame])[-1:] == bodies(frame, wire)


@WIRES
def test_wherever_a_frame_is_torn_off_the_next_is_heard(wire: Wire) -> None:
    """A stop among them; and one with a break before it also by a board that miscounts after a second start byte."""
    last = FRAMES[wire][-1]
    for frame in FRAMES[wire]:
        for end in range(1, len(frame)):
            assert heard(decoder_of(wire), [frame[:end], last])[-1:] == bodies(last, wire)
            assert bodies(frame[:end] + framing.BREAK + last, wire)[-1:] == bodies(last, wire)
            assert walked(frame[:end] + framing.BREAK + last, wire)[-1:] == bodies(last, wire)


def test_start_stop_and_escape_in_a_head_are_data() -> None:
    """A checksum or length whose bytes go as F0, 0F or 81 behind their escape: about one frame in fifteen has one."""
    seen: set[int] = set()
    for value in range(4_000):
        frame = codec4.build(value % 64, 53, value.to_bytes(2, "big") + b"32")
        seen |= {frame[at] for at in (2, 4, 6, 8)} & {0xF0, 0x0F, 0x81}
        (got,) = codec4.Decoder().feed(b"\x0f\x81" + frame)
        assert (got.number, got.payload) == (value % 64, value.to_bytes(2, "big") + b"32")
    assert seen == {0xF0, 0x0F, 0x81}


@WIRES
def test_a_bare_start_byte_in_a_body_begins_anew_whatever_the_head_says(wire: Wire) -> None:
    """Right length and right checksum, over a body that was never stuffed."""
    body = b"\x00\x34\xf0\x01"
    head = codec4.head(body) if wire is SM4 else codec2.head(body)
    assert heard(decoder_of(wire), [head + body + framing.STOP]) == []
    assert heard(decoder_of(wire), [head + body + framing.STOP + FRAMES[wire][0]]) == bodies(FRAMES[wire][0], wire)


def test_any_buffer_will_do() -> None:
    for frame in FRAMES[SM4]:
        assert codec4.Decoder().feed(bytearray(frame)) == codec4.Decoder().feed(frame)  # type: ignore[arg-type]


def test_more_may_be_escaped_than_has_to_be() -> None:
    """As pysciencemode 1.1.5 does with 55 and 0A: here a current of 10 mA."""
    wire = bytes.fromhex("07 20 00 00 C8 81 5F")
    (frame,) = codec2.Decoder().feed(codec2.head(wire) + wire + framing.STOP)
    assert (frame.number, frame.command, frame.payload) == (7, 32, bytes.fromhex("00 00 C8 0A"))


# --- bounds ----------------------------------------------------------------------------------------------------


@WIRES
@given(data=st.data())
def test_little_is_held(wire: Wire, data: st.DataObject) -> None:
    decoder = decoder_of(wire)
    for filler in data.draw(
        st.lists(st.sampled_from((b"\xf0\x81\x55", b"\x81\xf0", b"\x00" * 700, b"\x81" * 301)), max_size=9)
    ):
        decoder.feed(b"\xf0" + b"\x81\x51" * 4 + filler)
        assert decoder.held < wire.longest
    assert heard(decoder, [FRAMES[wire][0] + FRAMES[wire][1]])[-1:] == bodies(FRAMES[wire][1], wire)


@WIRES
def test_a_frame_of_the_greatest_length_is_heard_and_a_longer_one_is_none(wire: Wire) -> None:
    around = 10 if wire is SM4 else 6
    longest = bytes(wire.longest - around)
    frame = built(longest, wire)
    assert len(frame) == wire.longest
    for size in (1, 7, wire.longest):
        chunks = [frame[at : at + size] for at in range(0, len(frame), size)]
        assert heard(decoder_of(wire), chunks) == [longest]
    right = b"\x81\x51\x81\xe4" if wire is SM4 else b""  # a length of 1201, which the bits would allow
    too_long = b"\xf0" + right + b"\x81\x55" * 2 + bytes(wire.longest) + b"\x0f"
    for size in (1, 7, len(too_long)):
        decoder = decoder_of(wire)
        chunks = [too_long[at : at + size] for at in range(0, len(too_long), size)]
        assert heard(decoder, [*chunks, frame]) == [longest]
        assert decoder.damaged == 0


@WIRES
def test_a_body_too_short_for_a_command_is_counted_and_dropped(wire: Wire) -> None:
    for body in (b"", b"\x00", b"\xf0"):
        decoder = decoder_of(wire)
        assert decoder.feed(built(body, wire)) == ()
        assert decoder.damaged == 1


@WIRES
def test_what_is_heard_again_and_again_is_heard_each_time(wire: Wire) -> None:
    """Frames that were met before are looked up: the same, but never another, and more of them than are kept."""
    decoder = decoder_of(wire)
    many = [built(bytes((number, 33)) + bytes((result,)), wire) for number in range(64) for result in range(12)]
    for _ in range(2):
        assert heard(decoder, many) == [body for frame in many for body in bodies(frame, wire)]
    for frame in many[:40]:
        worse = frame[:-2] + bytes((frame[-2] ^ 1,)) + frame[-1:]
        assert heard(decoder, [worse]) == bodies(worse, wire) == []


# --- damage ----------------------------------------------------------------------------------------------------


@WIRES
def test_no_flipped_bit_makes_another_frame(wire: Wire) -> None:
    """Both checksums find all single flips, and what the flip of a start or stop byte does is no frame either."""
    for frame in FRAMES[wire]:
        for bit in range(8 * len(frame)):
            worse = bytearray(frame)
            worse[bit // 8] ^= 1 << bit % 8
            assert heard(decoder_of(wire), [bytes(worse)]) == []


@WIRES
def test_damaged_streams_make_no_phantom(wire: Wire) -> None:
    """A share of ``dev.py prove fuzz``, which tries ten thousand of each.

    A phantom is a frame that nobody sent. Where one comes out, its bytes stand intact in the damaged stream, as the second
    decoder confirms: then damage has hit upon a right checksum, which no decoder can tell. A CRC-16 leaves next to none of these;
    a CRC-8 leaves one in 256 of the damaged frames that have the right length.
    """
    accidents = 0
    for seed in range(150):
        sent, stream, untouched = damaged(random.Random(seed), wire)
        accidents += judged(wire, sent, stream, untouched, random.Random(seed))
    assert accidents <= (0 if wire is SM4 else 150 // 64)
