"""ScienceMode 2: every word comes back; what has no bits is refused and named; what makes no sense is said to make none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.boards.sciencemode.fit import DoesNotFit
from stimctl.boards.sciencemode2 import codes
from stimctl.boards.sciencemode2 import messages as m
from stimctl.boards.sciencemode2.codec import DATA_MAX, STOP_FRAME, WIRE_MAX, Decoder, build, encode, encode_refusal
from stimctl.boards.sciencemode2.codes import Command, Result
from stimctl.boards.sciencemode2.output import encode_output
from stimctl.errors import OurBug
from tests.sciencemode_words import spoken2, u8, written2


def read(command: int, payload: bytes) -> m.Heard:
    (frame,) = Decoder().feed(build(9, command, payload))
    assert (frame.number, frame.command, frame.payload) == (9, command, payload)
    return frame.word


# --- there and back --------------------------------------------------------------------------------------------


@given(spoken2, u8)
def test_every_word_comes_back(word: m.Word, number: int) -> None:
    decoder = Decoder()
    wire = written2(word, number)
    (frame,) = decoder.feed(wire)
    assert (frame.number, frame.word, decoder.damaged, decoder.held) == (number, word, 0, 0)
    assert 8 <= len(wire) <= WIRE_MAX
    assert wire == build(number, frame.command, frame.payload)


def test_any_result_is_a_value() -> None:
    for result in range(-128, 128):
        byte = bytes((result & 0xFF,))
        for command in sorted(codes.RESULT_ONLY):
            assert read(command, byte) == m.Ack(command, result)
        for command in sorted(codes.MODE_ACKS):
            assert read(command, b"\0" + byte) == m.ModeAck(command, 0, result)
            if result:
                assert read(command, byte) == m.ModeAck(command, result, None)
        text = codes.result_text(result)
        assert str(result) in text
        assert ("no known meaning" in text) == (not -8 <= result <= 0)


def test_every_command_is_known_and_no_other() -> None:
    for command in range(256):
        word = read(command, b"\x01\x02")
        known = command in {int(each) for each in Command}
        assert isinstance(word, m.Unknown) == (not known), command


def test_the_stop_is_constant() -> None:
    assert bytes.fromhex("F0 81 BB 81 57 00 22 0F") == STOP_FRAME


# --- a MOTOmed beside the board --------------------------------------------------------------------------------


@pytest.mark.parametrize("command", sorted(codes.MOTOMED))
def test_what_is_for_a_motomed_is_known_and_never_sent(command: Command) -> None:
    word: Any = read(command, b"\x01\x02")
    assert word == m.Motomed(command, b"\x01\x02")
    with pytest.raises(OurBug, match="a door of its own"):
        encode(word, 0)
    with pytest.raises(DoesNotFit, match=f"command {int(command)} "):
        encode(m.Bare(command), 0)


def test_what_a_motomed_says_is_signed_and_high_byte_first() -> None:
    assert read(Command.ACTUAL_VALUES, bytes.fromhex("0168 ff81 00ff")) == m.ActualValues(360, -127, 255)
    payload = bytes.fromhex("01 0203 0405 06 07 0809 0a0b 0c0d 0e 0f 10")
    assert read(Command.PHASE_RESULT, payload) == m.PhaseResult(
        *(1, 0x0203, 0x0405, 6, 7, 0x0809, 0x0A0B, 0x0C0D, 14, 15, 16)
    )


# --- what a board says to a frame that it cannot carry out -----------------------------------------------------


def test_a_board_has_an_answer_for_everything() -> None:
    unknown, senseless, motomed = read(200, b""), read(Command.SINGLE_PULSE, b""), read(Command.START_PHASE, b"")
    assert isinstance(unknown, m.Unknown)
    assert isinstance(senseless, m.Senseless)
    assert isinstance(motomed, m.Motomed)
    wire = (
        encode_refusal(unknown, 1, Result.PARAMETER)
        + encode_refusal(senseless, 2, Result.PARAMETER)
        + encode_refusal(motomed, 3, Result.MOTOMED_CONNECTION)
    )
    assert [(frame.number, frame.word) for frame in Decoder().feed(wire)] == [
        (1, m.UnknownCommand(200)),
        (2, m.Ack(Command.SINGLE_PULSE_ACK, -2)),
        (3, m.Ack(Command.START_PHASE_ACK, -4)),
    ]


def test_what_is_no_hosts_command_is_answered_as_unknown() -> None:
    """One above SinglePulse's answer stands StimulationError, and above Watchdog's nothing."""
    for command in sorted(codes.RESULT_ONLY | codes.MODE_ACKS | {Command.WATCHDOG}):
        (frame,) = Decoder().feed(encode_refusal(m.Senseless(command, b"", ""), 1, -2))
        assert frame.word == m.UnknownCommand(command)


@pytest.mark.parametrize(
    ("command", "payload"),
    [
        (Command.INIT, b""),
        (Command.INIT, b"\x01\x01"),
        (Command.INIT_ACK, b""),
        (Command.WATCHDOG, b"\0"),
        (Command.UNKNOWN_COMMAND, b""),
        (Command.STOP_CHANNEL_LIST_MODE, b"\0"),
        (Command.GET_STIMULATION_MODE_ACK, b"\0"),
        (Command.GET_STIMULATION_MODE_ACK, b"\xff\0"),
        (Command.GET_STIMULATION_MODE_ACK, b"\0\0\0"),
        (Command.INIT_CHANNEL_LIST_MODE, bytes.fromhex("00 01 00 0D 00 26")),
        (Command.INIT_CHANNEL_LIST_MODE, bytes.fromhex("08 01 00 0D 00 26 00")),
        (Command.INIT_CHANNEL_LIST_MODE, bytes.fromhex("00 00 00 0D 00 26 00")),
        (Command.INIT_CHANNEL_LIST_MODE, bytes.fromhex("00 01 00 0D 08 01 00")),
        (Command.INIT_CHANNEL_LIST_MODE, bytes.fromhex("00 01 00 0D 00 26 02")),
        (Command.START_CHANNEL_LIST_MODE, b""),
        (Command.START_CHANNEL_LIST_MODE, bytes.fromhex("00 00 C8")),
        (Command.START_CHANNEL_LIST_MODE, bytes.fromhex("00 00 C8 14") * 9),
        (Command.START_CHANNEL_LIST_MODE, bytes.fromhex("03 00 C8 14")),
        (Command.START_CHANNEL_LIST_MODE, bytes.fromhex("00 01 F5 14")),
        (Command.START_CHANNEL_LIST_MODE, bytes.fromhex("00 00 C8 83")),
        (Command.SINGLE_PULSE, bytes.fromhex("08 00 C8 14")),
        (Command.SINGLE_PULSE, bytes.fromhex("00 01 F5 14")),
        (Command.SINGLE_PULSE, bytes.fromhex("00 00 C8 83")),
        (Command.SINGLE_PULSE_ACK, b"\0\0"),
        (Command.ACTUAL_VALUES, bytes(5)),
        (Command.PHASE_RESULT, bytes(15)),
    ],
)
def test_a_payload_without_sense_is_told_and_kept(command: int, payload: bytes) -> None:
    word = read(command, payload)
    assert isinstance(word, m.Senseless)
    assert (word.command, word.payload) == (command, payload)
    assert word.why.isprintable()


@given(st.sampled_from(sorted(Command)), st.binary(max_size=DATA_MAX))
def test_any_payload_is_a_word_that_packs_to_it_or_is_told(command: int, payload: bytes) -> None:
    word = read(command, payload)
    if not isinstance(word, m.Unknown | m.Senseless | m.Motomed):
        try:
            assert written2(word, 9) == build(9, command, payload)
        except DoesNotFit:  # pulses of 1 to 19 µs, which a board takes and nobody here sends
            assert isinstance(word, m.Output)


# --- what has no bits is refused, with its name, value and range -----------------------------------------------


def a_list(**changes: Any) -> m.InitChannelList:
    fields: dict[str, Any] = {"active": (1,), "inter_pulse_us": 8_000, "main_us": 20_000} | changes
    return m.InitChannelList(**fields)


def groups(*fields: tuple[Any, Any, Any]) -> m.StartChannelList:
    return m.StartChannelList(tuple(m.Group(*each) for each in fields))


@pytest.mark.parametrize(
    ("word", "field", "value", "allowed"),
    [
        (a_list(active=()), "active channels", (), "at least one"),
        (a_list(active=(0,)), "active channels", 0, "1 to 8"),
        (a_list(active=(9,)), "active channels", 9, "1 to 8"),
        (a_list(active=(2, 1)), "active channels", (2, 1), "ascending"),
        (a_list(active=(1, 1)), "active channels", (1, 1), "once"),
        (a_list(low_frequency=(9,)), "low frequency channels", 9, "1 to 8"),
        (a_list(low_frequency_factor=8), "low frequency factor", 8, "0 to 7"),
        (a_list(inter_pulse_us=1_000), "inter pulse interval", 1_000, "1500 to 129000 in steps of 500 µs"),
        (a_list(inter_pulse_us=129_500), "inter pulse interval", 129_500, "129000"),
        (a_list(inter_pulse_us=8_250), "inter pulse interval", 8_250, "steps of 500"),
        (a_list(main_us=500), "main interval", 500, "1000 to 1025000 in steps of 500 µs"),
        (a_list(main_us=1_025_500), "main interval", 1_025_500, "1025000"),
        (a_list(main_us=28_571), "main interval", 28_571, "steps of 500"),
        (a_list(main_us=20_000.0), "main interval", 20_000.0, "whole numbers"),
        (a_list(execution=2), "channel execution", 2, "0 to 1"),
        (groups(), "number of groups", 0, "1 to 8"),
        (groups(*((1, 200, 0),) * 9), "number of groups", 9, "1 to 8"),
        (groups((1, 200, 0), (0, 200, 0)), "group 2: pulses", 0, "1 to 3"),
        (groups((4, 200, 0)), "group 1: pulses", 4, "1 to 3"),
        (groups((1, 501, 0)), "group 1: width", 501, "0 to 500 µs"),
        (groups((1, -1, 0)), "group 1: width", -1, "0 to 500 µs"),
        (groups((1, 19, 1_000)), "group 1: width", 19, "0, or whole numbers from 20 to 500 µs"),
        (groups((1, 1, 1_000)), "group 1: width", 1, "0, or"),
        (groups((1, 200.5, 1_000)), "group 1: width", 200.5, "whole numbers"),
        (groups((1, 200, 131_000)), "group 1: current", 131_000, "0 to 130000 in steps of 1000 µA"),
        (groups((1, 200, 10_500)), "group 1: current", 10_500, "steps of 1000"),
        (groups((1, 200, -1_000)), "group 1: current", -1_000, "0 to 130000"),
        (groups((1, 200, 10_000.0)), "group 1: current", 10_000.0, "whole numbers"),
        (groups((1, 200, True)), "group 1: current", True, "whole numbers"),
        (m.SinglePulse(8, 200, 1_000), "channel", 8, "0 to 7"),
        (m.SinglePulse(0, 10, 1_000), "pulse: width", 10, "0, or"),
        (m.SinglePulse(0, 200, 999), "pulse: current", 999, "steps of 1000"),
        (m.Init(256), "version", 256, "0 to 255"),
        (m.Ack(Command.INIT_ACK, 128), "result", 128, "-128 to 127"),
        (m.Ack(Command.SINGLE_PULSE, 0), "command", 36, "a result alone"),
        (m.ModeAck(Command.INIT_ACK, 0, 0), "command", 2, "a mode"),
        (m.ModeAck(Command.GET_STIMULATION_MODE_ACK, 0, None), "mode", None, "unless the result is 0"),
        (m.ModeAck(Command.GET_STIMULATION_MODE_ACK, -1, 0), "mode", 0, "unless the result is 0"),
        (m.UnknownCommand(256), "unknown command", 256, "0 to 255"),
        (m.Bare(Command.SINGLE_PULSE), "command", 36, "watchdog"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(word: m.Word, field: str, value: object, allowed: str) -> None:
    with pytest.raises(DoesNotFit) as refusal:
        written2(word)
    assert (refusal.value.field, refusal.value.value) == (field, value)
    assert allowed in refusal.value.allowed
    assert str(refusal.value).startswith(f"{field} {value!r} does not fit the wire; it takes ")
    assert isinstance(refusal.value, OurBug)


def test_a_motomeds_values_have_16_bits() -> None:
    for word in (m.ActualValues(0, 40_000, 0), m.PhaseResult(*(70_000,) * 11)):
        with pytest.raises(DoesNotFit, match="16 bits"):
            written2(word)


@pytest.mark.parametrize("number", [-1, 256, 1.0, True, None])
def test_packet_numbers_are_0_to_255(number: Any) -> None:
    for word in (m.Bare(Command.WATCHDOG), m.SinglePulse(0, 200, 1_000)):
        with pytest.raises(DoesNotFit, match="packet number"):
            written2(word, number)


def test_a_payload_that_is_too_long_for_any_frame_is_refused() -> None:
    assert len(build(0, 32, b"\xf0" * DATA_MAX)) <= WIRE_MAX
    with pytest.raises(DoesNotFit, match="at most 60 bytes"):
        build(0, 32, bytes(DATA_MAX + 1))


@pytest.mark.parametrize("word", [groups((1, 200, 0)), m.SinglePulse(0, 200, 0)], ids=["list", "pulse"])
def test_the_plain_encoder_takes_no_amplitudes(word: Any) -> None:
    with pytest.raises(OurBug, match="a door of its own"):
        encode(word, 0)


@pytest.mark.parametrize("word", [m.Bare(Command.WATCHDOG), a_list(), None])
def test_the_encoder_of_output_takes_nothing_else(word: Any) -> None:
    with pytest.raises(OurBug, match="is no output"):
        encode_output(word, 0)
