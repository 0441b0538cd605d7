"""ScienceMode 3 and 4: every word comes back; what has no bits is refused and named; what makes no sense is said to make none."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.boards.sciencemode.fit import DoesNotFit
from stimctl.boards.sciencemode4 import codes, layout, points, reading
from stimctl.boards.sciencemode4 import messages as m
from stimctl.boards.sciencemode4.codec import (
    LL_STOP_FRAME,
    ML_STOP_FRAME,
    WIRE_MAX,
    Decoder,
    Frame,
    build,
    encode,
    encode_refusal,
)
from stimctl.boards.sciencemode4.codes import Command, Result
from stimctl.boards.sciencemode4.dialect import SCIENCEMODE_3, SCIENCEMODE_4, Dialect
from stimctl.boards.sciencemode4.output import encode_output
from stimctl.errors import OurBug
from tests.sciencemode_words import measured, numbers4, outputs4, spoken4, written4
from tests.sciencemode_words import points as any_points

DIALECTS = pytest.mark.parametrize("dialect", [SCIENCEMODE_4, SCIENCEMODE_3], ids=lambda dialect: str(dialect.title))
PULSE = (m.Point(250, 20_000), m.Point(100, 0), m.Point(250, -20_000))


def read(command: int, payload: bytes, dialect: Dialect = SCIENCEMODE_4) -> m.Heard:
    (frame,) = Decoder(dialect).feed(build(9, command, payload))
    assert (frame.number, frame.command, frame.payload) == (9, command, payload)
    return frame.word


# --- there and back --------------------------------------------------------------------------------------------


@DIALECTS
@given(data=st.data())
def test_every_word_comes_back(dialect: Dialect, data: st.DataObject) -> None:
    word, number = data.draw(spoken4[dialect]), data.draw(numbers4)
    decoder = Decoder(dialect)
    wire = written4(word, number, dialect)
    (frame,) = decoder.feed(wire)
    assert (frame.number, frame.word, decoder.damaged, decoder.held) == (number, word, 0, 0)
    assert len(wire) <= WIRE_MAX
    assert wire == build(number, frame.command, frame.payload)


@given(spoken4[SCIENCEMODE_3], numbers4)
def test_whatever_is_said_in_3_has_the_same_bytes_in_4(word: m.Word, number: int) -> None:
    if not isinstance(word, m.ChannelConfigAck):  # the one answer that 4 has made longer
        assert written4(word, number, SCIENCEMODE_3) == written4(word, number, SCIENCEMODE_4)


@given(any_points)
def test_a_point_is_what_the_document_says(point: m.Point) -> None:
    wire = points.wire_of((point,))
    number = (point.duration_us << 20) + ((2 * point.current_ua // 1_000 + 300) << 10)
    assert wire == number.to_bytes(4, "big")
    assert points.points_of(b"\xff" + wire, 1, 1) == (point,)


@given(measured())
def test_a_measurement_is_128_numbers_high_byte_first(word: m.ChannelConfigAck) -> None:
    _, payload = layout.pack(word, SCIENCEMODE_4)
    assert len(payload) == 3 + 258
    assert struct.unpack(">130H", payload[1:]) == (
        word.socket << 12 | word.colour << 8 | word.measurement,
        word.sampling_us,
        *word.samples,
    )


def test_any_result_is_a_value() -> None:
    for result in range(256):
        for command in sorted(codes.RESULT_ONLY):
            word = read(command, bytes((result,)))
            assert word == m.Ack(command, result)
        for command in sorted(layout.LONGER):
            word = read(command, bytes((result,)))
            assert word == m.Ack(command, result) if result else isinstance(word, m.Senseless)
        assert read(Command.ML_GET_CURRENT_DATA_ACK, bytes((result, 4, 1, result, 0, 0, 0))) == m.ChannelStates(
            result, (True, *(False,) * 7), (result & 15, result >> 4, 0, 0, 0, 0, 0, 0)
        )
        text = codes.result_text(result)
        assert str(result) in text
        assert ("no known meaning" in text) == (result > 28)


def test_longer_answers_are_the_same_ones_on_both_sides() -> None:
    assert reading._LONGER.keys() == layout.LONGER
    readable = set(reading._READERS) | {Command.SET_POWER}  # no document at hand says what Set_power takes
    assert readable == {int(command) for command in Command}


@DIALECTS
def test_the_numbers_that_are_not_ours_are_left_alone(dialect: Dialect) -> None:
    for command in set(range(1_024)) - {int(each) for each in Command}:
        assert read(command, b"\x01\x02", dialect) == m.Unknown(command, b"\x01\x02")


def test_the_stops_are_constant() -> None:
    assert bytes.fromhex("F0 81 55 81 59 81 15 81 D1 00 04 0F") == LL_STOP_FRAME
    assert bytes.fromhex("F0 81 55 81 59 81 51 81 75 00 22 0F") == ML_STOP_FRAME


# --- what a board says to a frame without sense ----------------------------------------------------------------


def test_a_board_has_an_answer_for_everything() -> None:
    unknown, senseless = read(120, b"\x01"), read(Command.ML_INIT, b"")
    assert isinstance(unknown, m.Unknown)
    assert isinstance(senseless, m.Senseless)
    wire = encode_refusal(unknown, 22, Result.COMMAND_UNKNOWN) + encode_refusal(senseless, 23, Result.PARAMETER)
    assert [(frame.number, frame.word) for frame in Decoder().feed(wire)] == [
        (22, m.Ack(Command.UNKNOWN_COMMAND, 11)),
        (23, m.Ack(Command.ML_INIT_ACK, 2)),
    ]
    assert wire.startswith(bytes.fromhex("F0 81 55 81 58 81 4B 81 CE 58 43 0B 0F"))


def test_what_is_no_hosts_command_is_answered_as_unknown() -> None:
    """One above Ml_update's answer stands Ml_stop: no board says that."""
    for command in sorted(layout.LONGER | codes.RESULT_ONLY):
        (frame,) = Decoder().feed(encode_refusal(m.Senseless(command, b"", ""), 1, 2))
        assert frame.word == m.Ack(Command.UNKNOWN_COMMAND, 2)


def point(duration_us: int, code: int, stray: int = 0) -> bytes:
    return (duration_us << 20 | code << 10 | stray).to_bytes(4, "big")


@pytest.mark.parametrize(
    ("command", "payload"),
    [
        (Command.LL_STOP, b"\0"),
        (Command.ML_STOP, b"\0"),
        (Command.RESET, b"\0"),
        (Command.LL_INIT, b""),
        (Command.LL_INIT, b"\x01"),
        (Command.LL_INIT, b"\x0e"),
        (Command.LL_INIT, b"\x40"),
        (Command.LL_INIT, b"\x80"),
        (Command.LL_CHANNEL_CONFIG, b""),
        (Command.LL_CHANNEL_CONFIG, b"\x80"),
        (Command.LL_CHANNEL_CONFIG, b"\x81" + point(10, 0)),
        (Command.LL_CHANNEL_CONFIG, b"\x80" + point(10, 0) * 2),
        (Command.LL_CHANNEL_CONFIG, b"\x80" + point(10, 601)),
        (Command.LL_CHANNEL_CONFIG, b"\x80" + point(10, 300, 0x20)),
        (Command.LL_CHANNEL_CONFIG, b"\x80" + point(10, 300, 0x200)),
        (Command.LL_CHANNEL_CONFIG, b"\x01" + point(10, 300)),
        (Command.ML_INIT, b"\x02"),
        (Command.ML_UPDATE, b""),
        (Command.ML_UPDATE, b"\x01"),
        (Command.ML_UPDATE, b"\x00\x00"),
        (Command.ML_UPDATE, b"\x01\x00\x00\x00" + point(10, 300)),
        (Command.ML_UPDATE, b"\x01\x00\x00\x01" + point(10, 300)),
        (Command.ML_UPDATE, b"\x01\x00\xff\xfe" + point(10, 300)),
        (Command.ML_UPDATE, b"\x01\x10\x00\x50" + point(10, 300)),
        (Command.ML_UPDATE, b"\x01\x00\x00\x50" + point(10, 300) + b"\0"),
        (Command.ML_UPDATE, b"\x03\x00\x00\x50" + point(10, 300)),
        (Command.ML_UPDATE, b"\x01\x00\x00\x50" + point(10, 300, 1)),
        (Command.ML_GET_CURRENT_DATA, b"\x01"),
        (Command.ML_GET_CURRENT_DATA, b"\x05"),
        (Command.ML_UPDATE_ACK, b""),
        (Command.ML_UPDATE_ACK, b"\0\0"),
        (Command.LL_CHANNEL_CONFIG_ACK, b"\0\0"),
        (Command.LL_CHANNEL_CONFIG_ACK, b"\0\0\0\0"),
        (Command.LL_CHANNEL_CONFIG_ACK, b"\0\0\1" + bytes(257)),
        (Command.ML_GET_CURRENT_DATA_ACK, b"\0\4\0\0\0\0"),
        (Command.ML_GET_CURRENT_DATA_ACK, b"\0\2\0\0"),
        (Command.ML_GET_CURRENT_DATA_ACK, b"\0\3\0"),
        (Command.ML_GET_CURRENT_DATA_ACK, b"\0\1\0"),
        (Command.GET_DEVICE_ID_ACK, b"\x00220401001"),
        (Command.GET_DEVICE_ID_ACK, b"\x00\x1b[2J456789"),
        (Command.GET_DEVICE_ID_ACK, b"\x00\xff123456789"),
        (Command.GET_BATTERY_STATUS_ACK, b"\0\0\0"),
        (Command.GET_STIM_STATUS_ACK, b"\0\0"),
        (Command.GET_MAIN_STATUS_ACK, b"\0\0\0"),
        (Command.GET_VERSION_MAIN_ACK, bytes(6)),
        (Command.GET_EXTENDED_VERSION_ACK, bytes(12)),
    ],
)
def test_a_payload_without_sense_is_told_and_kept(command: int, payload: bytes) -> None:
    word = read(command, payload)
    assert isinstance(word, m.Senseless)
    assert (word.command, word.payload) == (command, payload)
    assert word.why.isprintable()


@pytest.mark.parametrize(
    ("command", "payload"),
    [
        (Command.LL_INIT, b"\x10"),
        (Command.LL_CHANNEL_CONFIG, b"\x90" + point(10, 300)),
        (Command.LL_CHANNEL_CONFIG_ACK, b"\0\0\0"),
        (Command.LL_CHANNEL_CONFIG_ACK, b"\0\x10"),
        (Command.ML_INIT, b"\x01"),
        (Command.ML_UPDATE, b"\x10\x00\x00\x50" + point(10, 300)),
        (Command.ML_UPDATE, b"\x01\x00\x00\x51" + point(10, 300)),
        (Command.ML_GET_CURRENT_DATA, b"\x04"),
        (Command.ML_GET_CURRENT_DATA, b"\x03"),
        (Command.ML_GET_CURRENT_DATA_ACK, b"\0\4\0\0\0\0\0"),
        (Command.ML_GET_CURRENT_DATA_ACK, b"\0\3\0\0"),
    ],
)
def test_what_3_has_no_bits_for_makes_no_sense_in_it(command: int, payload: bytes) -> None:
    assert isinstance(read(command, payload, SCIENCEMODE_3), m.Senseless)


def test_3_does_not_know_the_extended_version() -> None:
    for command in (Command.GET_EXTENDED_VERSION, Command.GET_EXTENDED_VERSION_ACK):
        assert read(command, b"", SCIENCEMODE_3) == m.Unknown(command, b"")


@DIALECTS
@given(command=st.sampled_from(sorted(Command)), payload=st.binary(max_size=40), count=st.integers(0, 300))
def test_any_payload_is_a_word_that_packs_to_it_or_is_told(
    dialect: Dialect, command: int, payload: bytes, count: int
) -> None:
    for each in (payload, payload.ljust(count, b"\x01")):
        word = read(command, each, dialect)
        if not isinstance(word, m.Unknown | m.Senseless):
            try:
                (again,) = Decoder(dialect).feed(written4(word, 1, dialect))
            except DoesNotFit:  # points of 1 to 9 µs, which a board takes and nobody here sends
                assert isinstance(word, m.Output)
            else:
                assert again.word == word


# --- what has no bits is refused, with its name, value and range -----------------------------------------------


def pattern(**changes: Any) -> m.Update:
    fields: dict[str, Any] = {"channel": 0, "period_us": 20_000, "points": PULSE, "ramp": 3} | changes
    return m.Update((m.Pattern(**fields),))


def pulse(*steps: tuple[Any, Any]) -> m.ChannelConfig:
    return m.ChannelConfig(0, 0, tuple(m.Point(*step) for step in steps))


@pytest.mark.parametrize(
    ("word", "field", "value", "allowed"),
    [
        (pattern(period_us=20_250), "channel 0: period", 20_250, "500 to 16383000 in steps of 500 µs"),
        (pattern(period_us=0), "channel 0: period", 0, "500 to 16383000"),
        (pattern(period_us=-500), "channel 0: period", -500, "500 to"),
        (pattern(period_us=16_383_500), "channel 0: period", 16_383_500, "16383000"),
        (pattern(period_us=20_000.0), "channel 0: period", 20_000.0, "whole numbers"),
        (pattern(period_us=12_100, quarter_ms=True), "channel 0: period", 12_100, "250 to 8191750 in steps of 250 µs"),
        (pattern(period_us=8_192_000, quarter_ms=True), "channel 0: period", 8_192_000, "8191750"),
        (pattern(quarter_ms=1), "channel 0: quarters", 1, "True or False"),
        (pattern(ramp=16), "channel 0: ramp", 16, "0 to 15"),
        (pattern(ramp=-1), "channel 0: ramp", -1, "0 to 15"),
        (pattern(ramp=True), "channel 0: ramp", True, "0 to 15"),
        (pattern(channel=8), "channel", 8, "0 to 7"),
        (pattern(channel=-1), "channel", -1, "0 to 7"),
        (pattern(channel=2, points=()), "channel 2: number of points", 0, "1 to 16"),
        (pattern(points=PULSE * 6), "channel 0: number of points", 18, "1 to 16"),
        (pattern(points=(m.Point(9, 500),)), "channel 0: point 1: duration", 9, "0, or at least 10 µs"),
        (pattern(points=(*PULSE, m.Point(1, 500))), "channel 0: point 4: duration", 1, "at least 10"),
        (pulse((4_096, 0)), "point 1: duration", 4_096, "0 to 4095 µs"),
        (pulse((-1, 0)), "point 1: duration", -1, "0 to 4095 µs"),
        (pulse((100.5, 0)), "point 1: duration", 100.5, "whole numbers"),
        (pulse((100, 0), (100, 250)), "point 2: current", 250, "-150000 to 150000 in steps of 500 µA"),
        (pulse((100, 20_499)), "point 1: current", 20_499, "steps of 500"),
        (pulse((100, 150_500)), "point 1: current", 150_500, "150000"),
        (pulse((100, -150_500)), "point 1: current", -150_500, "-150000"),
        (pulse((100, 0.5)), "point 1: current", 0.5, "whole numbers"),
        (pulse((100, 0), (100, None)), "point 2: current", None, "whole numbers"),
        (pulse((100, [])), "point 1: current", [], "whole numbers"),
        (pulse(), "number of points", 0, "1 to 16"),
        (m.ChannelConfig(4, 0, PULSE), "colour", 4, "0 to 3"),
        (m.ChannelConfig(0, 2, PULSE), "socket", 2, "0 to 1"),
        (m.ChannelConfig(0, 0, PULSE, execute=2), "execute", 2, "True or False"),  # type: ignore[arg-type]
        (m.ChannelConfig(0, 0, (), execute=True, declared=4), "declared points", 4, "None"),
        (m.ChannelConfig(0, 0, PULSE, execute=False, declared=3), "declared points", 3, "None"),
        (m.ChannelConfig(0, 0, (), execute=False, declared=17), "declared points", 17, "1 to 16"),
        (m.LlInit(7), "high voltage", 7, "0 to 6"),
        (m.LlInit(0, 4), "measurement", 4, "0 to 3"),
        (m.MlInit(1), "stop all on error", 1, "True or False"),  # type: ignore[arg-type]
        (m.GetCurrentData(5), "selection", 5, "[2, 3, 4]"),
        (m.Bare(Command.ML_UPDATE), "command", 32, "without a payload"),
        (m.Ack(Command.ML_UPDATE_ACK, 256), "result", 256, "0 to 255"),
        (m.Ack(Command.ML_UPDATE_ACK, -1), "result", -1, "0 to 255"),
        (m.Ack(Command.GET_DEVICE_ID_ACK, 0), "command", 53, "go wrong"),
        (m.Ack(Command.ML_UPDATE, 0), "command", 32, "answers"),
        (m.DeviceId(0, "12345678901"), "device id", "12345678901", "10 printable"),
        (m.DeviceId(0, "µ"), "device id", "µ", "ASCII"),
        (m.DeviceId(0, "\x1b"), "device id", "\x1b", "printable"),
        (m.Battery(0, 256, 0), "level", 256, "255"),
        (m.Battery(0, 0, 65_536), "voltage", 65_536, "65535"),
        (m.ChannelConfigAck(0, 16), "colour", 16, "15"),
        (m.ChannelConfigAck(0, 0, 0, 0, 5), "sampling time", 5, "0"),
        (m.ChannelConfigAck(0, 0, 0, 1, 5, (1,)), "number of samples", 1, "128"),
        (m.ChannelConfigAck(0, 0, 0, 0, 0, (1,)), "number of samples", 1, "0"),
        (m.ChannelStates(0, (True,) * 7, (0,) * 8), "number of channels in active", 7, "8"),
        (m.ChannelStates(0, (True,) * 8, (0,) * 7), "number of states", 7, "8"),
        (m.ChannelStates(0, (True,) * 8, (16,) * 8), "state", 16, "15"),
        (m.ElectrodeErrors(0, True, (True,) * 5), "number of electrode errors", 5, "4 or 8"),
        (m.Version(Command.RESET_ACK, 0, (1, 2, 3), (4, 5, 6)), "command", 59, "version"),
        (m.ExtendedVersion(0, (1, 2, 3), (4, 5, 6), b"123", 0, 0), "hash", b"123", "four bytes"),
        (m.ExtendedVersion(0, (1, 2, 300), (4, 5, 6), b"1234", 0, 0), "version", 300, "255"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(word: m.Word, field: str, value: object, allowed: str) -> None:
    with pytest.raises(DoesNotFit) as refusal:
        written4(word)
    assert (refusal.value.field, refusal.value.value) == (field, value)
    assert allowed in refusal.value.allowed
    assert str(refusal.value).startswith(f"{field} {value!r} does not fit the wire; it takes ")
    assert isinstance(refusal.value, OurBug)


@pytest.mark.parametrize(
    ("word", "field"),
    [
        (pattern(channel=4), "channel"),
        (pattern(quarter_ms=True), "channel 0: quarters"),
        (pattern(period_us=12_250), "channel 0: period"),
        (m.ChannelConfig(0, 1, PULSE), "socket"),
        (m.LlInit(0, 1), "measurement"),
        (m.MlInit(stop_all_on_error=True), "stop all on error"),
        (m.GetCurrentData(4), "selection"),
        (m.GetCurrentData(3), "selection"),
        (m.Bare(Command.GET_EXTENDED_VERSION), "command"),
        (m.ExtendedVersion(0, (1, 2, 3), (4, 5, 6), b"1234", 0, 0), "command"),
        (m.ChannelStates(0, (True,) * 4, (0,) * 4), "selection"),
        (m.ElectrodeErrors(0, True, (True,) * 8), "selection"),
        (m.ChannelConfigAck(0, 0, 1), "socket"),
        (m.ChannelConfigAck(0, 0, 0, 1, 5, (1,) * 128), "measurement"),
    ],
)
def test_what_3_has_no_bits_for_is_refused(word: m.Word, field: str) -> None:
    with pytest.raises(DoesNotFit) as refusal:
        written4(word, 5, SCIENCEMODE_3)
    assert refusal.value.field == field


@pytest.mark.parametrize("change", [{"channel": 2.0}, {"channel": True}, {"ramp": 3.0}, {"period_us": 20_000.0}])
def test_what_was_taken_as_a_whole_number_is_not_taken_as_another_sort(change: dict[str, Any]) -> None:
    whole = {name: int(value) for name, value in change.items()}
    assert Decoder().feed(written4(pattern(**whole)))
    with pytest.raises(DoesNotFit, match="whole numbers"):
        written4(pattern(**change))


def test_channels_stand_once_and_in_order() -> None:
    first, second = pattern(channel=1).patterns + pattern(channel=0).patterns
    for patterns in ((first, second), (first, first)):
        with pytest.raises(DoesNotFit, match="each once, in ascending order"):
            written4(m.Update(patterns))


@pytest.mark.parametrize("number", [-1, 64, 1.0, True, None])
def test_packet_numbers_are_0_to_63(number: Any) -> None:
    for word in (m.MlInit(), pattern()):
        with pytest.raises(DoesNotFit, match="packet number"):
            written4(word, number)


def test_a_pulse_may_be_as_wide_as_sixteen_points_and_no_wider() -> None:
    (frame,) = Decoder().feed(written4(pulse(*[(4_095, 150_000)] * 16)))
    assert isinstance(frame.word, m.ChannelConfig)
    assert sum(point.duration_us for point in frame.word.points) == 65_520


def test_an_update_without_patterns_is_legal_and_switches_all_off() -> None:
    assert read(Command.ML_UPDATE, b"\0") == m.Update(())
    (frame,) = Decoder().feed(written4(m.Update(())))
    assert frame.payload == b"\0"


@DIALECTS
@given(data=st.data())
def test_the_longest_frame_has_room(dialect: Dialect, data: st.DataObject) -> None:
    word = data.draw(outputs4(dialect))
    assert len(written4(word, 60, dialect)) <= 10 + 2 * (2 + 1 + 8 * (3 + 4 * 16)) < WIRE_MAX


def test_a_payload_that_is_too_long_for_any_frame_is_refused() -> None:
    assert len(build(0, 37, bytes(1_188))) == WIRE_MAX
    with pytest.raises(DoesNotFit, match="at most 1200 bytes"):
        build(0, 37, bytes(1_189))


@pytest.mark.parametrize("word", [pattern(), pulse((100, 500))], ids=["update", "pulse"])
def test_the_plain_encoder_takes_no_amplitudes(word: Any) -> None:
    with pytest.raises(OurBug, match="a door of its own"):
        encode(word, 0)


@pytest.mark.parametrize("word", [m.Bare(Command.ML_STOP), m.MlInit(), None, Frame(1, 2, b"", m.MlInit())])
def test_the_encoder_of_output_takes_nothing_else(word: Any) -> None:
    with pytest.raises(OurBug, match="is no output"):
        encode_output(word, 0)


@pytest.mark.parametrize("given", [(), [], (m.Point(250, 500),) * 17, [m.Point(250, 501)], 7])
def test_what_is_no_pulse_of_points_is_refused(given: Any) -> None:
    for _ in range(2):  # nor is it kept
        with pytest.raises((DoesNotFit, TypeError)):
            points.wire_of(given)


def test_points_that_are_looked_up_are_those_that_were_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """More points than are kept, so that the tables are emptied in between."""
    monkeypatch.setattr(points, "_KEPT_MAX", 50)
    for _ in range(2):
        for code in range(-300, 301, 3):
            pair = (m.Point(10 + abs(code), 500 * code), m.Point(4_095 - abs(code), -500 * code))
            assert points.points_of(points.wire_of(pair), 0, 2) == pair
    assert len(points._WIRES) <= 51
    assert len(points._POINTS) <= 51
