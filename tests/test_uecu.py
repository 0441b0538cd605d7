"""UECU: every frame of its guides, limits on the board, and a schedule that nobody but a halt ends."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimctl.boards.uecu import conversion, layout
from stimctl.boards.uecu import words as w
from stimctl.boards.uecu.codec import DATA_MAX, Decoder, checksum, crc16, encode, frame, wrap
from stimctl.boards.uecu.device import Receiver
from stimctl.boards.uecu.reply import Reply
from stimctl.boards.uecu.stopping import EVENTS, ROUNDS, STOP, SWALLOWED_MAX
from stimctl.boards.verdict import Verdict
from stimctl.errors import OurBug, UsageError
from stimctl.sim.uecu import CHECKSUM_CODE, DATA_CODE, LIMIT_CODE, TYPE_CODE, UNKNOWN_ID_CODE, Uecu
from stimctl.units import MS, SECOND

SYNC = 0xAA
HOUR_US = 3_600 * SECOND


def tell(twin: Uecu, *said: w.HostWord | bytes) -> tuple[w.BoardWord, ...]:
    """Write, wait until all has come through, and hear what the board says."""
    twin.outgoing()
    for each in said:
        data = each if isinstance(each, bytes) else encode(each)
        twin.feed(data, twin.now_us)
        twin.advance(twin.now_us + 20 * MS + len(data) * MS)
    return Decoder().feed(twin.outgoing())


def ready(period_ms: int = 50, channels: int = 4) -> Uecu:
    """Limits of 40 mA and 250 µs, a schedule, and an event for each channel, 5 ms apart, at zero."""
    twin = Uecu()
    tell(twin, *(w.SetUp(channel, 40, 250, 100) for channel in range(channels)), w.NewSchedule(SYNC, period_ms))
    tell(twin, *(w.NewEvent(1, 5 * channel, channel, 0, 0) for channel in range(channels)))
    return twin


def running() -> Uecu:
    twin = ready()
    tell(twin, w.Go(SYNC), *(w.ChangeEvent(event, 200, 20) for event in EVENTS))
    return twin


# --- frames ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "bytes_"),
    [
        (w.Halt(), "04 80 04 01 00 76"),
        (w.SetUp(0, 40, 250, 100), "04 80 47 07 00 28 FA 00 64 11 01 93"),
        (w.SetUp(1, 40, 250, 100), "04 80 47 07 01 28 FA 00 64 11 23 70"),
        (w.SetUp(2, 40, 250, 100), "04 80 47 07 02 28 FA 00 64 11 45 4D"),
        (w.SetUp(3, 40, 250, 100), "04 80 47 07 03 28 FA 00 64 11 67 2A"),
        (w.NewSchedule(0xAA, 50), "04 80 10 03 AA 00 32 8B"),
        (w.NewSchedule(0xAA, 100), "04 80 10 03 AA 00 64 59"),
        (w.NewEvent(1, 0, 0, 0, 0), "04 80 15 09 01 00 00 00 03 00 00 00 00 59"),
        (w.NewEvent(1, 5, 1, 0, 0), "04 80 15 09 01 00 05 00 03 01 00 00 00 53"),
        (w.Go(0xAA), "04 80 1B 01 AA B4"),
        (w.ChangeEvent(1, 200, 20), "04 80 19 04 01 C8 14 00 80"),
        (w.ChangeEvent(1, 16, 16), "04 80 19 04 01 10 10 00 3D"),
        (w.ChangeEvent(1, 0, 0), "04 80 19 04 01 00 00 00 5D"),
        (w.ChangeSchedule(1, 0xAA, 50), "04 80 13 04 01 AA 00 32 86"),
        (w.DropEvent(1), "04 80 17 01 01 62"),
        (w.DropSchedule(1), "04 80 12 01 01 67"),
    ],
)
def test_the_documented_frames(word: w.HostWord, bytes_: str) -> None:
    assert encode(word) == bytes.fromhex(bytes_)
    receiver = Receiver()
    raws = [raw for byte in encode(word) if (raw := receiver.feed(byte)) is not None]
    assert raws == [layout.data_of(word)]
    assert len(raws[0].data) <= DATA_MAX


@pytest.mark.parametrize(
    "word",
    [
        w.SetUp(4, 40, 250, 100),
        w.SetUp(-1, 40, 250, 100),
        w.SetUp(0, 101, 250, 100),
        w.SetUp(0, 40, 256, 100),
        w.SetUp(0, 40, 250, 9),
        w.SetUp(0, 40, 250, 65_536),
        w.NewSchedule(256, 50),
        w.NewSchedule(0, -1),
        w.NewSchedule(0, 65_536),
        w.NewSchedule(0, False),
        w.ChangeSchedule(256, 0, 50),
        w.NewEvent(1, 0, 4, 0, 0),
        w.NewEvent(1, -1, 0, 0, 0),
        w.NewEvent(1, 65_536, 0, 0, 0),
        w.NewEvent(1, 0, 0, 300, 0),
        w.NewEvent(1, 0, 0, 0, 101),
        w.ChangeEvent(1, 300, 20),  # 44 in the published host
        w.ChangeEvent(1, 200, 256),
        w.ChangeEvent(1, 200, 20.0),  # type: ignore[arg-type]
        w.ChangeEvent(256, 0, 0),
        w.DropEvent(-1),
        w.Go(256),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_and_not_cast(word: w.HostWord) -> None:
    with pytest.raises(OurBug, match="nothing to send to a UECU board"):
        encode(word)


def test_the_crc_is_the_known_one() -> None:
    """Check value of CRC-16 with this polynomial and seed over the nine digits, low byte first."""
    assert crc16(b"123456789") == bytes.fromhex("374B")


ANSWERS: Sequence[tuple[int, bytes, w.BoardWord]] = (
    (0x11, b"\x01", w.ScheduleMade(1)),
    (0x16, b"\x02\x01\x03\x01", w.EventMade(2, 1, 1)),
    (0x05, b"\x07\x19", w.Failed(7, 0x19)),
    (0x06, b"\x07\x02\x03\x13", w.EventFailed(7, 2, 3)),
    (0x49, b"\x00", w.Unknown(0x49, b"\x00")),
    (0x11, b"\x01\x02", w.Unknown(0x11, b"\x01\x02")),
    (0x16, b"", w.Unknown(0x16, b"")),
)


@pytest.mark.parametrize(("number", "data", "word"), ANSWERS, ids=str)
def test_what_the_board_says(number: int, data: bytes, word: w.BoardWord) -> None:
    assert Decoder().feed(wrap(number, data, 9)) == (word,)


@given(st.sampled_from(ANSWERS), st.integers(0, 255), st.data())
def test_no_flipped_bit_makes_another_word(
    answer: tuple[int, bytes, w.BoardWord], count: int, data: st.DataObject
) -> None:
    bent = bytearray(wrap(answer[0], answer[1], count))
    for bit in data.draw(st.lists(st.integers(0, 8 * len(bent) - 1), min_size=1, max_size=3, unique=True)):
        bent[bit // 8] ^= 1 << bit % 8
    assert Decoder().feed(bytes(bent) + wrap(0x11, b"\x05", 0) * 3)[-1] == w.ScheduleMade(5)
    assert answer[2] not in Decoder().feed(bytes(bent))


def test_a_length_that_cannot_be_is_noise() -> None:
    decoder = Decoder()
    good = wrap(0x11, b"\x01", 0)
    assert decoder.feed(good[:7] + b"\xff" + good) == (w.ScheduleMade(1),)
    assert decoder.faults["length"] == 1
    assert decoder.malformed == 1


def test_the_hosts_checksum_is_weak_and_known_to_be() -> None:
    assert checksum(b"\x04\x80\x19\x04\x01\x00\x14\x00") == checksum(b"\x04\x80\x19\x04\x01\xff\x14\x00")
    assert checksum(b"\x01\x02") == checksum(b"\x02\x01")


@pytest.mark.parametrize("at", [0, 1, 2, 4, 5, 6, 7, 8])  # a bent length makes another frame of what follows
def test_any_other_bent_byte_is_noticed(at: int) -> None:
    good = encode(w.ChangeEvent(1, 200, 20))
    for value in range(256):
        bent = good[:at] + bytes((value,)) + good[at + 1 :]
        if abs(value - good[at]) in (0, 255):
            continue
        receiver = Receiver()
        assert [raw for byte in bent if (raw := receiver.feed(byte)) is not None] == []


# --- rounding --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "told"), [(0, 0), (999, 0), (1_000, 1), (12_500, 12), (100_000, 100), (100_999, 100)]
)
def test_amplitudes_are_rounded_down(wanted: int, told: int) -> None:
    assert conversion.amplitude_ma(wanted) == told


@pytest.mark.parametrize(
    ("wanted", "told"), [(20_000, 50), (35_000, 29), (30_000, 34), (1_000_000, 1), (999_999, 2), (16, 62_500)]
)
def test_periods_are_rounded_up(wanted: int, told: int) -> None:
    assert conversion.period_ms(wanted) == told
    assert 1_000_000 / told <= wanted


def test_what_cannot_be_done_is_refused() -> None:
    for amplitude in (-1, 101_000):
        with pytest.raises(UsageError, match="0 to 100 mA"):
            conversion.amplitude_ma(amplitude)
    for width in (-1, 256, 300):
        with pytest.raises(UsageError, match="at most 255 µs"):
            conversion.width_us(width)
    for rate in (0, -1, 15, 1_000_001):
        with pytest.raises(UsageError, match="1 to 65535 ms"):
            conversion.period_ms(rate)
    for gap in (0, 9, 65_536):
        with pytest.raises(UsageError, match="10 to 65535 µs"):
            conversion.gap_us(gap)
    assert [conversion.width_us(each) for each in (0, 255)] == [0, 255]
    assert [conversion.gap_us(each) for each in (10, 65_535)] == [10, 65_535]


def test_channels_stand_apart_in_a_period_that_has_room_for_them() -> None:
    assert conversion.delays_ms(4, 16) == (0, 5, 10, 15)
    assert conversion.delays_ms(1, 1) == (0,)
    for channels, period in ((4, 15), (2, 5)):
        with pytest.raises(UsageError, match="lower the rate"):
            conversion.delays_ms(channels, period)


# --- what the board does ---------------------------------------------------------------------------------------


def test_a_schedule_runs_with_nobody_there() -> None:
    twin = running()
    begun_us = twin.now_us
    twin.advance(begun_us + HOUR_US)
    assert [twin.current_ua(channel) for channel in range(4)] == [20_000] * 4
    for ledger in twin.ledger:
        assert len(ledger.pulses_between(begun_us, begun_us + 10 * SECOND)) == 200
    starts = [ledger.pulses_between(begun_us, begun_us + 50 * MS)[0][0] for ledger in twin.ledger]
    assert sorted((start - min(starts)) % (50 * MS) for start in starts) != [0] * 4
    train = twin.ledger[0].train
    assert train is not None
    assert (train.phase_width_us, train.interphase_gap_us, train.rate_mhz) == (200, 100, 20_000)


def test_what_was_made_is_answered() -> None:
    twin = Uecu()
    assert tell(twin, w.NewSchedule(SYNC, 50)) == (w.ScheduleMade(1),)
    assert tell(twin, w.NewEvent(1, 0, 2, 0, 0)) == (w.EventMade(1, 1, 2),)
    assert tell(twin, w.ChangeEvent(1, 100, 10), w.Go(SYNC), w.Halt()) == ()


def test_the_board_holds_to_its_own_limits() -> None:
    twin = running()
    assert tell(twin, w.ChangeEvent(1, 200, 41)) == (w.EventFailed(LIMIT_CODE, 1, 0),)
    assert tell(twin, w.ChangeEvent(2, 251, 20)) == (w.EventFailed(LIMIT_CODE, 2, 1),)
    assert [twin.current_ua(channel) for channel in range(4)] == [20_000] * 4
    assert tell(twin, w.ChangeEvent(1, 250, 40)) == ()
    assert twin.current_ua(0) == 40_000


def test_a_channel_that_nobody_set_up_has_none() -> None:
    twin = Uecu()
    tell(twin, w.NewSchedule(SYNC, 50), w.NewEvent(1, 0, 0, 255, 100), w.Go(SYNC))
    assert twin.current_ua(0) == 100_000


def test_an_unequal_shape_goes_beyond_the_limit() -> None:
    twin = ready(channels=1)
    tell(twin, frame(layout.SET_UP, layout.SET_UP_DATA.pack(0, 40, 250, 100, 0x35, 0x01)))
    tell(twin, w.Go(SYNC), w.ChangeEvent(1, 150, 40))
    train = twin.ledger[0].train
    assert train is not None
    assert (train.amplitude_ua, train.phase_width_us) == (66_666, 90)
    assert (train.recovery_amplitude_ua, train.recovery_width_us) == (40_000, 150)
    tell(twin, frame(layout.SET_UP, layout.SET_UP_DATA.pack(0, 40, 250, 100, 0x00, 0x01)))
    assert twin.ledger[0].train is not None
    assert twin.ledger[0].train.recovery_amplitude_ua == 0


def test_what_is_wrong_is_answered_and_changes_nothing() -> None:
    twin = running()
    bent = encode(w.ChangeEvent(1, 200, 30))
    assert tell(twin, bent[:-1] + b"\x00") == (w.Failed(CHECKSUM_CODE, layout.CHANGE_EVENT),)
    assert tell(twin, frame(0x7F, b"")) == (w.Failed(TYPE_CODE, 0x7F),)
    assert tell(twin, frame(layout.GO, b"")) == (w.Failed(DATA_CODE, layout.GO),)
    assert tell(twin, w.ChangeEvent(9, 0, 0)) == (w.Failed(UNKNOWN_ID_CODE, layout.CHANGE_EVENT),)
    assert tell(twin, w.NewEvent(1, 0, 0, 0, 0)) == (w.EventFailed(LIMIT_CODE, 5, 0),)
    assert [twin.current_ua(channel) for channel in range(4)] == [20_000] * 4


def test_a_halt_lets_the_period_that_has_begun_finish() -> None:
    """One pulse more on each channel at worst, if nothing else is said."""
    twin = ready()
    tell(twin, *(w.ChangeEvent(event, 200, 20) for event in EVENTS))
    tell(twin, w.Go(SYNC))
    twin.advance(twin.now_us + 100 * MS)
    begun_us = max(pulse[0] for pulse in twin.ledger[0].pulses_between(0, twin.now_us + 50 * MS))
    halt_us = begun_us + 7 * MS  # after the pulses of channels 0 and 1
    twin.feed(encode(w.Halt()), halt_us - 7 * MS)  # six bytes on the line
    twin.advance(halt_us + SECOND)
    assert not twin.energised
    after = [len(ledger.pulses_between(halt_us, halt_us + SECOND)) for ledger in twin.ledger]
    assert after == [0, 0, 1, 1]


def test_events_at_zero_are_silent_at_once() -> None:
    twin = running()
    for event in EVENTS:
        tell(twin, w.ChangeEvent(event, 0, 0))
    assert not twin.energised


def test_once_is_once_for_each_go() -> None:
    twin = ready(period_ms=w.ONCE)
    tell(twin, *(w.ChangeEvent(event, 200, 20) for event in EVENTS))
    for _ in range(3):
        tell(twin, w.Go(SYNC))
        twin.advance(twin.now_us + 100 * MS)
    assert [ledger.pulses for ledger in twin.ledger] == [3] * 4
    assert [ledger.charge_pc for ledger in twin.ledger] == [3 * 20_000 * 200] * 4
    twin.advance(twin.now_us + HOUR_US)
    assert [ledger.pulses for ledger in twin.ledger] == [3] * 4
    starts = [ledger.stretches[0].start_us for ledger in twin.ledger]
    assert [start - starts[0] for start in starts] == [0, 5 * MS, 10 * MS, 15 * MS]


def test_dropped_is_silent_and_a_living_schedule_takes_another_period() -> None:
    twin = running()
    tell(twin, w.ChangeSchedule(1, SYNC, 100))
    assert twin.ledger[0].train is not None
    assert twin.ledger[0].train.rate_mhz == 10_000
    tell(twin, w.DropEvent(1))
    assert twin.current_ua(0) == 0
    assert twin.current_ua(1) == 20_000
    tell(twin, w.DropSchedule(1))
    assert not twin.energised


def test_a_single_event_and_states_of_schedules() -> None:
    twin = ready()
    assert tell(twin, frame(0x1C, bytes((3, 0, 0, 200, 20, 0)))) == (w.Unknown(0x49, b"\x00"),)
    assert twin.ledger[0].pulses == 1
    assert tell(twin, frame(0x1C, bytes((3, 0, 0, 200, 41, 0)))) == (w.EventFailed(LIMIT_CODE, 0, 0),)
    tell(twin, w.ChangeEvent(1, 200, 20), frame(0x14, b"\x01\x01"))
    assert twin.energised
    tell(twin, frame(0x14, b"\x01\x00"))
    assert not twin.energised


# --- its stop --------------------------------------------------------------------------------------------------


def stop(twin: Uecu, begun_us: int, rounds: int = ROUNDS) -> None:
    twin.advance(begun_us)
    for written in range(rounds):
        due_us = STOP.due_us(written)
        assert due_us is not None
        twin.feed(STOP.next(written, due_us), begun_us + due_us)
    twin.advance(begun_us + STOP.ends_us)


@settings(max_examples=20)
@given(st.binary(max_size=80), st.integers(0, SECOND))
def test_the_stop_stops_from_any_state(noise: bytes, wait_us: int) -> None:
    twin = running()
    twin.feed(noise, twin.now_us)
    stop(twin, twin.now_us + wait_us)
    assert not twin.energised


@pytest.mark.parametrize("length", [0, 1, 4, 5, 6, 9, 43, 44, 47, 100, 200, 254, 255])
def test_the_stop_stops_behind_any_broken_length(length: int) -> None:
    twin = running()
    twin.feed(bytes((0x04, 0x80, 0x19, length)), twin.now_us)
    twin.advance(twin.now_us + 20 * MS)
    assert twin.receiver.awaits
    stop(twin, twin.now_us)
    assert not twin.energised


def test_fewer_rounds_would_not() -> None:
    """A frame that was broken keeps the board from hearing anything for as long as it says that it is."""
    twin = running()
    twin.feed(bytes((0x04, 0x80, 0x19, 255)), twin.now_us)
    stop(twin, twin.now_us + 20 * MS, rounds=3)
    assert twin.energised
    assert ROUNDS * len(STOP.writes[0]) > SWALLOWED_MAX


def test_a_healthy_board_stops_with_the_first_halt() -> None:
    twin = running()
    begun_us = twin.now_us
    stop(twin, begun_us, rounds=1)
    for ledger in twin.ledger:
        assert ledger.stretches[-1].end_us <= begun_us + 60 * MS


# --- replies ---------------------------------------------------------------------------------------------------


def ask(twin: Uecu, word: w.HostWord) -> Reply:
    reply, decoder = Reply(word, twin.now_us), Decoder()
    twin.outgoing()
    twin.feed(encode(word), twin.now_us)
    while reply.verdict is Verdict.OPEN:
        twin.advance(twin.now_us + 10 * MS)
        for answer in decoder.feed(twin.outgoing()):
            reply.hear(answer)
        reply.advance(twin.now_us)
    return reply


def test_what_is_made_is_confirmed_and_nothing_else() -> None:
    twin = Uecu()
    verdicts: dict[w.HostWord, Verdict] = {
        w.SetUp(0, 40, 250, 100): Verdict.UNCONFIRMED,
        w.NewSchedule(SYNC, 50): Verdict.DONE,
        w.NewEvent(1, 0, 0, 0, 0): Verdict.DONE,
        w.Go(SYNC): Verdict.UNCONFIRMED,
        w.ChangeEvent(1, 200, 20): Verdict.UNCONFIRMED,
        w.ChangeEvent(1, 200, 41): Verdict.FAILED,
        w.NewEvent(1, 5, 0, 0, 0): Verdict.FAILED,
        w.DropEvent(7): Verdict.FAILED,
        w.Halt(): Verdict.UNCONFIRMED,
    }
    assert {word: ask(twin, word).verdict for word in verdicts} == verdicts
    assert "beyond its limits" in ask(twin, w.ChangeEvent(1, 200, 41)).why


def test_silence_where_an_answer_belongs_is_a_fault() -> None:
    twin = Uecu()
    tell(twin, b"\x04\x80\x19\xff")  # it waits for the rest of that
    reply = ask(twin, w.NewSchedule(SYNC, 50))
    assert (reply.verdict, reply.why) == (Verdict.SILENCE, "the board has not answered in time")


@pytest.mark.parametrize(
    ("asked", "heard", "verdict"),
    [
        (w.NewEvent(1, 0, 0, 0, 0), w.EventMade(1, 1, 1), Verdict.FAILED),
        (w.NewEvent(1, 0, 0, 0, 0), w.EventMade(1, 2, 0), Verdict.FAILED),
        (w.NewEvent(1, 0, 0, 0, 0), w.EventMade(9, 1, 0), Verdict.DONE),
        (w.NewEvent(1, 0, 0, 0, 0), w.ScheduleMade(1), Verdict.OPEN),
        (w.ChangeEvent(2, 0, 0), w.EventFailed(1, 1, 1), Verdict.OPEN),
        (w.ChangeEvent(2, 0, 0), w.EventFailed(1, 2, 1), Verdict.FAILED),
        (w.Halt(), w.Failed(1, layout.HALT), Verdict.FAILED),
        (w.Halt(), w.Failed(1, layout.GO), Verdict.OPEN),
        (w.Halt(), w.Unknown(1, b""), Verdict.OPEN),
    ],
    ids=str,
)
def test_only_what_is_about_a_word_answers_it(asked: w.HostWord, heard: w.BoardWord, verdict: Verdict) -> None:
    reply = Reply(asked, 0)
    reply.hear(heard)
    assert reply.verdict is verdict
    assert bool(reply.why) == (verdict is Verdict.FAILED)
    reply.hear(w.Failed(1, layout.HALT))
    reply.advance(300 * MS)
    assert reply.verdict is not Verdict.OPEN
