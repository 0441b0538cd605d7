"""Frames: any words come back as they were, however the bytes are cut; anything else comes to nothing."""

from __future__ import annotations

import struct
from zlib import crc32

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stimctl.boards.reference import layout
from stimctl.boards.reference import messages as m
from stimctl.boards.reference.codec import BODY_MAX, END, STOP_FRAME, WIRE_MAX, Decoder, Frame, build, encode
from stimctl.boards.reference.codes import Capability, Cause, Reason, Trouble
from stimctl.boards.reference.update import encode_update
from stimctl.envelope.latch import approve
from stimctl.errors import OurBug
from stimctl.pulse import Command, Output, PulseTrain
from stimctl.safety import Latch
from tests.wire_words import EXAMPLES, REPORT, TRAIN, permit, speakable, u16, u32, updates


def written(word: m.Word, sequence: int = 5, token: int = 0xC0DB_DCDD) -> bytes:
    if isinstance(word, m.Update):
        return encode_update(
            permit(word), sequence=sequence, token=token, loop_counter=word.loop_counter, host_ms=word.host_ms
        )
    return encode(word, sequence=sequence, token=token)


def words(data: bytes) -> list[m.Word]:
    return [frame.word for frame in Decoder().feed(data)]


def framed(body: bytes) -> bytes:
    """A frame with a right CRC around any body, sensible or not."""
    whole = body + crc32(body).to_bytes(4, "little")
    return END + whole.replace(b"\xdb", b"\xdb\xdd").replace(END, b"\xdb\xdc") + END


FRAMES = [written(word, sequence, token) for _, sequence, token, word in EXAMPLES]


# --- there and back --------------------------------------------------------------------------------------------


@given(speakable | updates, u16, u32)
def test_every_word_comes_back(word: m.Word, sequence: int, token: int) -> None:
    decoder = Decoder()
    (frame,) = decoder.feed(written(word, sequence, token))
    assert (frame.word, frame.sequence, frame.token) == (word, sequence, token)
    assert decoder.malformed == 0


@given(st.lists(speakable | updates, max_size=5), st.lists(st.binary(max_size=30), max_size=6), st.data())
def test_how_bytes_are_split_makes_no_difference(said: list[m.Word], noise: list[bytes], data: st.DataObject) -> None:
    pieces = data.draw(st.permutations([written(word, n) for n, word in enumerate(said)] + noise))
    stream = b"".join(pieces)
    whole = Decoder()
    expected = whole.feed(stream)
    cut = Decoder()
    got: list[Frame] = []
    rest = stream
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        got += cut.feed(rest[:size])
        rest = rest[size:]
    assert tuple(got) == expected
    assert cut.faults == whole.faults


def test_one_byte_at_a_time() -> None:
    decoder = Decoder()
    got = [frame.word for byte in b"".join(FRAMES) for frame in decoder.feed(bytes((byte,)))]
    assert got == [word for *_, word in EXAMPLES]


@given(st.binary(max_size=3_000))
@example(b"\xdb" * 3_000)
@example(END * 50)
def test_garbage_is_never_an_error_and_rarely_a_word(noise: bytes) -> None:
    assert words(noise) == []


@given(st.binary(max_size=200), speakable)
def test_after_garbage_the_next_whole_frame_is_heard(noise: bytes, word: m.Word) -> None:
    """At once, because each frame begins with a delimiter of its own."""
    assert words(noise + written(word))[-1:] == [word]


# --- damage ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frame", FRAMES, ids=[example[0] for example in EXAMPLES])
def test_no_single_flipped_bit_makes_another_word(frame: bytes) -> None:
    (original,) = Decoder().feed(frame)
    for bit in range(8 * len(frame)):
        bad = bytearray(frame)
        bad[bit // 8] ^= 1 << bit % 8
        # A flipped delimiter leaves the frame whole if another one stands beside it; then it is the same word.
        for got in Decoder().feed(END + bytes(bad) + END):
            assert got == original


@given(speakable | updates, st.data())
def test_damage_never_makes_another_word(word: m.Word, data: st.DataObject) -> None:
    frame = bytearray(written(word))
    for place in data.draw(st.lists(st.integers(0, len(frame) - 1), min_size=1, max_size=8)):
        frame[place] = data.draw(st.integers(0, 255))
    assert set(words(bytes(frame))) <= {word}


@given(speakable | updates, st.data())
def test_what_is_cut_short_is_nothing(word: m.Word, data: st.DataObject) -> None:
    frame = written(word)
    cut = data.draw(st.integers(0, len(frame) - 2))
    assert words(frame[:cut] + END) == []
    assert words(frame[cut + 1 :] if cut else b"") in ([], [word])


@given(updates, st.data())
def test_a_stop_that_overtakes_half_an_update_is_heard(word: m.Update, data: st.DataObject) -> None:
    """Wherever it breaks in; an update that only lacked its last delimiter is heard before it, and never after.

    Right behind the leading delimiter nothing of the update is lost: it is another whole frame, behind the stop.
    """
    frame = written(word)
    cut = data.draw(st.integers(0, len(frame) - 1))
    whole = [word] if cut == len(frame) - 1 else []
    assert words(frame[:cut] + STOP_FRAME) == [*whole, m.Stop()]
    rest = words(frame[:cut] + STOP_FRAME + frame[cut:])[len(whole) + 1 :]
    assert rest == ([word] if cut <= 1 else [])


# --- bounds ----------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 900), max_size=20))
def test_the_decoder_never_holds_more_than_its_bound(sizes: list[int]) -> None:
    decoder = Decoder()
    for size in sizes:
        decoder.feed(b"\x01" * size)
        assert len(decoder._tail) <= WIRE_MAX
    assert decoder.faults["oversize"] == (sum(sizes) > WIRE_MAX)
    assert [frame.word for frame in decoder.feed(STOP_FRAME)] == [m.Stop()]


def test_an_oversized_frame_counts_once_and_the_next_is_heard() -> None:
    stream = END + b"\x55" * (3 * WIRE_MAX) + STOP_FRAME
    for size in (1, 7, WIRE_MAX, len(stream)):
        decoder = Decoder()
        got = [frame.word for at in range(0, len(stream), size) for frame in decoder.feed(stream[at : at + size])]
        assert got == [m.Stop()]
        assert decoder.faults == {"oversize": 1}


def test_the_largest_words_fit_a_frame() -> None:
    train = PulseTrain(*(0xC0 for _ in range(7)))  # type: ignore[arg-type]
    update = m.Update(1, 2, tuple(m.Entry(number, train) for number in range(16)))
    report = m.Report(*(True,) * 3, REPORT.cause, 1, 2, 3, 4, (REPORT.outputs[0],) * 16)
    chunk = m.Samples(0, 2_000, 1, 0, (-16_192,) * 40, tuple(range(40)))  # 20 ms at 2 kHz
    for word in (update, m.Status(0, report), chunk):
        frame = written(word)
        assert words(frame) == [word]
        assert len(frame) <= WIRE_MAX + 2


# --- what is whole and still refused ---------------------------------------------------------------------------


def body(number: int, payload: bytes = b"", *, version: int = 1, length: int | None = None) -> bytes:
    length = len(payload) if length is None else length
    return struct.pack("<BBHHI", version, number, length, 1, 2) + payload


@pytest.mark.parametrize(
    ("fault", "frame"),
    [
        ("length", framed(b"")),
        ("length", framed(b"\x01\x01\x00")),
        ("length", framed(body(1, length=1))),
        ("length", framed(body(4, b"\x00" * 9, length=8))),
        ("length", framed(body(1, b"\x00" * BODY_MAX))),
        ("crc", END + body(1) + b"\x00\x00\x00\x00" + END),
        ("version", framed(body(1, version=2))),
        ("version", framed(body(1, version=0))),
        ("escape", END + b"\xdb\x01" + STOP_FRAME[1:]),
        ("escape", STOP_FRAME[:-1] + b"\xdb" + END),
        ("payload", framed(body(0x00))),
        ("payload", framed(body(0x5A, b"\x00"))),
        ("payload", framed(body(0x7F))),
        ("payload", framed(body(0x01, b"\x00"))),
        ("payload", framed(body(0x83, b"\x00"))),
    ],
)
def test_a_frame_that_is_wrong_is_dropped_and_named(fault: str, frame: bytes) -> None:
    decoder = Decoder()
    assert decoder.feed(frame) == ()
    assert decoder.faults == {fault: 1}
    assert decoder.malformed == 1


def test_a_stop_of_any_version_is_a_stop() -> None:
    for version in (0, 2, 255):
        assert words(framed(body(0x5A, version=version))) == [m.Stop()]


def entry(output: int) -> bytes:
    return struct.pack("<BIHHIHIB", output, 1, 2, 3, 4, 5, 6, 1)


@pytest.mark.parametrize(
    ("number", "payload"),
    [
        (0x04, struct.pack("<IIB", 1, 2, 2) + entry(1) + entry(0)),
        (0x04, struct.pack("<IIB", 1, 2, 2) + entry(1) + entry(1)),
        (0x04, struct.pack("<IIB", 1, 2, 1) + entry(16)),
        (0x04, struct.pack("<IIB", 1, 2, 2) + entry(0)),
        (0x04, struct.pack("<IIB", 1, 2, 0) + entry(0)),
        (0x84, struct.pack("<HBBB", 1, 0, 0, 0)),
        (0x84, struct.pack("<HBBB", 1, 17, 0, 0)),
        (0x87, struct.pack("<BBII", 8, 0, 0, 0)),
        (0x85, struct.pack("<HBBIHIHB", 1, 8, 0, 0, 0, 0, 0, 0)),
        (0x85, struct.pack("<HBBIHIHB", 1, 0, 8, 0, 0, 0, 0, 0)),
        (0x85, struct.pack("<HBBIHIHB", 1, 0, 0, 0, 0, 0, 0, 1) + struct.pack("<IIIB", 0, 0, 0, 32)),
        (0x85, struct.pack("<HBBIHIHB", 1, 0, 0, 0, 0, 0, 0, 17) + struct.pack("<IIIB", 0, 0, 0, 0) * 17),
        (0x85, struct.pack("<HBBIHIHB", 1, 0, 0, 0, 0, 0, 0, 0) + struct.pack("<IIIB", 0, 0, 0, 0)),
        (0x86, struct.pack("<IHIQBB", 0, 0, 1, 0, 1, 0) + b"\x00\x00"),
        (0x86, struct.pack("<IHIQBB", 0, 1, 1, 0, 1, 0) + b"\x00\x00\x00"),
        (0x86, struct.pack("<IHIQBB", 0, 1, 1, 0, 1, 1) + b"\x00\x00\xff"),
        (0x86, struct.pack("<IHIQBB", 0, 1, 1, 0, 1, 1) + b"\x00\x00\x01"),
        (0x86, struct.pack("<IHIQBB", 0, 1, 1, 0, 2, 0) + b"\x00\x00"),
        (0x81, struct.pack("<BHHIHHI", 0, 1, 1, 1, 0, 0, 0) + b"\x00\x00\x00"),
        (0x81, struct.pack("<BHHIHHI", 17, 1, 1, 1, 0, 0, 0) + b"\x00\x00\x00"),
        (0x81, struct.pack("<BHHIHHI", 1, 0, 1, 1, 0, 0, 0) + b"\x00\x00\x00"),
        (0x81, struct.pack("<BHHIHHI", 1, 1, 0, 1, 0, 0, 0) + b"\x00\x00\x00"),
        (0x81, struct.pack("<BHHIHHI", 1, 1, 1, 0, 0, 0, 0) + b"\x00\x00\x00"),
        (0x81, struct.pack("<BHHIHHI", 1, 1, 1, 1, 16, 0, 0) + b"\x00\x00\x00"),
        (0x81, struct.pack("<BHHIHHI", 1, 1, 1, 1, 0, 0, 0) + b"\x00\x00\x01"),
        (0x81, struct.pack("<BHHIHHI", 1, 1, 1, 1, 0, 0, 0) + b"\x00\x00"),
        (0x81, struct.pack("<BHHIHHI", 1, 1, 1, 1, 0, 0, 0) + b"\x00\x00\x00\x00"),
        (0x81, struct.pack("<BHHIHHI", 1, 1, 1, 1, 0, 0, 0) + b"\x01\xff\x00\x00"),
        (0x81, struct.pack("<BHHIHHI", 1, 1, 1, 1, 0, 0, 0) + b"\x01\x1b\x00\x00"),
        (0x81, struct.pack("<BHHIHHI", 1, 1, 1, 1, 0, 0, 0) + b"\x21" + b"a" * 33 + b"\x00\x00"),
    ],
)
def test_senseless_content_is_dropped(number: int, payload: bytes) -> None:
    decoder = Decoder()
    assert decoder.feed(build(number, payload, sequence=1, token=2)) == ()
    assert decoder.faults == {"payload": 1}


@given(st.sampled_from(sorted(layout.WORD_OF)), st.binary(max_size=120))
def test_any_payload_is_a_word_that_packs_to_it_or_is_dropped(number: int, payload: bytes) -> None:
    for word in words(build(number, payload, sequence=1, token=2)):
        if isinstance(word, m.Update):
            entries = tuple((each.output, each.train) for each in word.entries)
            assert layout.pack_update(word.loop_counter, word.host_ms, entries) == payload
        else:
            assert layout.pack(word) == payload


# --- what may be written ---------------------------------------------------------------------------------------


def test_amplitudes_leave_only_through_the_limiters_permit() -> None:
    with pytest.raises(OurBug, match="approved"):
        encode(m.Update(1, 2, (m.Entry(0, TRAIN),)), sequence=1)
    command = Command((Output(0, TRAIN),))
    for fake in (command, None, m.Update(1, 2, ())):
        with pytest.raises(OurBug, match="not what the limiter approved"):
            encode_update(fake, sequence=1, token=2, loop_counter=3, host_ms=4)  # type: ignore[arg-type]


def test_an_update_is_written_in_ascending_order_with_the_very_integers() -> None:
    latch = Latch()
    other = PulseTrain(*(7, 6, 5, 4, 3, 2, 1))  # type: ignore[arg-type]
    approved = approve(Command((Output(3, TRAIN), Output(1, other))), 0, latch)
    frame = encode_update(approved, sequence=1, token=2, loop_counter=3, host_ms=4)
    assert words(frame) == [m.Update(3, 4, (m.Entry(1, other), m.Entry(3, TRAIN)))]


def test_an_output_named_twice_is_our_bug() -> None:
    approved = approve(Command((Output(1, TRAIN), Output(1, TRAIN))), 0, Latch())
    with pytest.raises(OurBug, match="twice"):
        encode_update(approved, sequence=1, token=2, loop_counter=3, host_ms=4)


@pytest.mark.parametrize(
    "word",
    [
        m.Ack(-1),
        m.Ack(65_536),
        m.Listen(1.5),  # type: ignore[arg-type]
        m.Arm(2**32, 1, 1, 1, 1, 1),
        m.Samples(0, 1, 1, 0, (0,) * 256),
        m.Samples(0, 1, 1, 0, (40_000,)),
        m.Samples(0, 1, 1, 0, (1,) * 250),
        m.Identity("x" * 33, "", "", 1, 1, 1, 1, REPORT.outputs[0].trouble, 0, 0),  # type: ignore[arg-type]
        m.Status(1, m.Report(*(True,) * 3, REPORT.cause, -1, 0, 0, 0, ())),
    ],
    ids=str,
)
def test_what_does_not_fit_is_our_bug(word: m.Word) -> None:
    with pytest.raises(OurBug):
        encode(word, sequence=1)


@pytest.mark.parametrize(("sequence", "token"), [(-1, 0), (65_536, 0), (0, -1), (0, 2**32)])
def test_sequence_and_token_must_fit(sequence: int, token: int) -> None:
    with pytest.raises(OurBug):
        encode(m.Hello(), sequence=sequence, token=token)


# --- at the very edges ------------------------------------------------------------------------------------------


def test_faults_are_counted_and_not_only_noted() -> None:
    decoder = Decoder()
    for _ in range(3):
        decoder.feed(END + b"\x55" * (WIRE_MAX + 1) + END + b"\x55" + END)
    assert decoder.faults == {"oversize": 3, "length": 3}
    assert decoder.malformed == 6
    for count in (4, 5):  # and where it comes in pieces
        decoder.feed(b"\x55" * (WIRE_MAX + 1))
        decoder.feed(END)
        assert decoder.faults["oversize"] == count


def test_as_much_as_a_frame_may_hold_is_not_oversized_yet() -> None:
    """What counts as oversized grew beyond the bound; at the bound it may still be a frame, however it ends."""
    decoder = Decoder()
    decoder.feed(END + b"\x55" * WIRE_MAX)
    assert decoder.faults == {}
    decoder.feed(END)
    assert decoder.faults == {"length": 1}
    assert Decoder().feed(END + b"\x55" * WIRE_MAX + END) == ()


@pytest.mark.parametrize(("longer", "fault"), [(0, "length"), (1, "oversize")])
def test_the_bound_holds_alike_for_what_comes_in_one_piece(longer: int, fault: str) -> None:
    decoder = Decoder()
    decoder.feed(END + b"\x55" * (WIRE_MAX + longer) + END)
    assert decoder.faults == {fault: 1}


@pytest.mark.parametrize("outputs", [1, 16])
def test_an_identity_at_its_bounds_is_read(outputs: int) -> None:
    text = b"\x20" + b"a" * 32
    payload = struct.pack("<BHHIHHI", outputs, 1, 1, 1, 15, 0, 0) + b"\x00" + text + text
    (identity,) = words(build(0x81, payload, sequence=1, token=2))
    assert isinstance(identity, m.Identity)
    assert (identity.outputs, identity.capabilities) == (outputs, 15)
    assert (identity.name, identity.serial, identity.firmware) == ("", "a" * 32, "a" * 32)


@pytest.mark.parametrize("armed", [False, True])
@pytest.mark.parametrize("listening", [False, True])
@pytest.mark.parametrize("button", [False, True])
def test_each_flag_of_a_report_is_read_for_itself(armed: bool, listening: bool, button: bool) -> None:
    flags = armed * 1 + listening * 2 + button * 4
    payload = struct.pack("<HBBIHIHB", 1, flags, 7, 2, 3, 4, 5, 0)
    (status,) = words(build(0x85, payload, sequence=1, token=2))
    assert isinstance(status, m.Status)
    assert (status.report.armed, status.report.listening, status.report.stop_button) == (armed, listening, button)


def test_a_pulse_may_begin_at_the_last_sample_and_samples_may_be_none() -> None:
    whole = struct.pack("<IHIQBB", 0, 1, 1, 0, 2, 1) + struct.pack("<hhB", -32_768, 32_767, 1)
    empty = struct.pack("<IHIQBB", 0, 1, 1, 0, 0, 0)
    first, second = words(build(0x86, whole, sequence=1, token=2) + build(0x86, empty, sequence=1, token=2))
    assert isinstance(first, m.Samples)
    assert isinstance(second, m.Samples)
    assert (first.values, first.pulses) == ((-32_768, 32_767), (1,))
    assert (second.values, second.pulses) == ((), ())


def test_pulses_are_told_in_the_whole_of_the_longest_chunk() -> None:
    values = tuple(range(200))
    payload = struct.pack("<IHIQBB200h2B", 0, 1, 1, 0, 200, 2, *values, 127, 199)
    (samples,) = words(build(0x86, payload, sequence=1, token=2))
    assert isinstance(samples, m.Samples)
    assert (samples.values, samples.pulses) == (values, (127, 199))


# --- every field at its full width, written out a second time ----------------------------------------------------

WIDTHS = {
    0x02: (m.Arm, (4, 2, 2, 4, 4, 4)),
    0x03: (m.Configure, (1, 4, 2, 2, 2, 4, 1)),
    0x05: (m.Heartbeat, (4, 4)),
    0x07: (m.Listen, (2,)),
    0x82: (m.LimitsTable, (4,) * 13),
    0x83: (m.Ack, (2,)),
}


def high(*widths: int) -> tuple[bytes, tuple[int, ...]]:
    """Bytes from 0x81 on, which no signed and no turned field would read alike; and the numbers that they are."""
    data = bytes(range(0x81, 0x81 + sum(widths)))
    starts = [sum(widths[:number]) for number in range(len(widths))]
    return data, tuple(
        int.from_bytes(data[start : start + width], "little") for start, width in zip(starts, widths, strict=True)
    )


def only(number: int, payload: bytes) -> m.Word:
    (word,) = words(build(number, payload, sequence=1, token=2))
    return word


@pytest.mark.parametrize("number", WIDTHS)
def test_plain_numbers_are_unsigned_and_little_endian(number: int) -> None:
    kind, widths = WIDTHS[number]
    data, numbers = high(*widths)
    assert only(number, data) == kind(*numbers)


def test_numbers_beside_codes_are_unsigned_and_little_endian() -> None:
    two, (reply_to,) = high(2)
    assert only(0x84, two + b"\x01\xfe\xfd") == m.Nak(reply_to, Reason.STALE, 0xFE, 0xFD)
    data, (value, uptime_ms) = high(4, 4)
    assert only(0x87, b"\x02\xfe" + data) == m.Event(Cause.DEAD_MAN, 0xFE, value, uptime_ms)


def test_a_train_is_read_at_full_width_and_its_output_is_no_negative_number() -> None:
    data, numbers = high(4, 2, 2, 4, 2, 4, 1)
    head, (loop_counter, host_ms) = high(4, 4)
    update = only(0x04, head + b"\x01\x0f" + data)
    assert update == m.Update(loop_counter, host_ms, (m.Entry(15, PulseTrain(*numbers)),))  # type: ignore[arg-type]
    for output in (0x10, 0x80, 0xFF):
        assert words(build(0x04, head + b"\x01" + bytes((output,)) + data, sequence=1, token=2)) == []


@pytest.mark.parametrize("number", [0x85, 0xDA])
def test_a_report_is_read_at_full_width_and_unknown_flags_are_refused(number: int) -> None:
    two, (reply_to,) = high(2)
    data, (challenge, last, uptime_ms, dead_man_ms) = high(4, 2, 4, 2)
    outputs, (applied, measured, impedance) = high(4, 4, 4)
    report = m.Report(
        *(True, False, True, Cause.RESET, challenge, last, uptime_ms, dead_man_ms),
        (m.OutputReport(applied, measured, impedance, Trouble.HOT), m.OutputReport(1, None, None, Trouble.NONE)),
    )
    unknown = b"\x01\x00\x00\x00" + b"\xff" * 8 + b"\x00"
    kind = m.Status if number == 0x85 else m.Stopped
    assert only(number, two + b"\x05\x01" + data + b"\x02" + outputs + b"\x08" + unknown) == kind(reply_to, report)
    for flags in (0x08, 0x80, 0xFF):
        assert words(build(number, two + bytes((flags, 1)) + data + b"\x00", sequence=1, token=2)) == []


def test_an_identity_is_read_at_full_width() -> None:
    steps, (amplitude, width, rate) = high(2, 2, 4)
    data, (analog, challenge) = high(2, 4)
    word = only(0x81, b"\x02" + steps + b"\x09\x00" + data + b"\x01a\x01b\x01c")
    assert word == m.Identity("a", "b", "c", 2, amplitude, width, rate, Capability(9), analog, challenge)


def test_samples_are_read_at_full_width_with_more_pulses_than_a_signed_byte_holds() -> None:
    data, (first, rate, scale, time_us) = high(4, 2, 4, 8)
    word = only(0x86, data + b"\x01\x96" + b"\x00\x80" + b"\x00" * 150)
    assert word == m.Samples(first, rate, scale, time_us, (-32_768,), (0,) * 150)


def test_the_types_of_all_words() -> None:
    """A second table: a type that moves by one is another word, or none."""
    assert {
        0x01: m.Hello,
        0x02: m.Arm,
        0x03: m.Configure,
        0x04: m.Update,
        0x05: m.Heartbeat,
        0x06: m.StatusRequest,
        0x07: m.Listen,
        0x5A: m.Stop,
        0x81: m.Identity,
        0x82: m.LimitsTable,
        0x83: m.Ack,
        0x84: m.Nak,
        0x85: m.Status,
        0x86: m.Samples,
        0x87: m.Event,
        0xDA: m.Stopped,
    } == layout.WORD_OF
    assert (layout.UNKNOWN, layout.TEXT_MAX, layout.STOP_TYPE, layout.UPDATE_TYPE) == (0xFFFF_FFFF, 32, 0x5A, 0x04)
    assert (layout.FLAG_ARMED, layout.FLAG_LISTENING, layout.FLAG_STOP_BUTTON) == (1, 2, 4)
    assert (BODY_MAX, WIRE_MAX) == (512, 1_024)


def test_a_frame_may_be_512_bytes_long_and_no_longer() -> None:
    longest = struct.pack("<IHIQBB239h", 0, 1, 1, 0, 239, 0, *range(239))
    assert len(longest) == 512 - 14
    assert only(0x86, longest) == m.Samples(0, 1, 1, 0, tuple(range(239)))
    with pytest.raises(OurBug):
        build(0x86, bytes(499), sequence=1, token=2)
