"""NeuroStimDuino: lines both ways, replies that only look like success, and numbers rounded to less."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.boards.neurostimduino import conversion
from stimctl.boards.neurostimduino import words as w
from stimctl.boards.neurostimduino.answers import Decoder, word_of
from stimctl.boards.neurostimduino.codec import LINE_MAX, encode
from stimctl.boards.neurostimduino.reading import decimal, integer, read, steps
from stimctl.boards.neurostimduino.reply import ANSWER_US, RESET_US, SAMPLE_US, Reply
from stimctl.boards.neurostimduino.stopping import LOOK, STOP
from stimctl.boards.neurostimduino.words import RANGES, Halt, Register
from stimctl.boards.verdict import Verdict
from stimctl.errors import OurBug, UsageError
from stimctl.sim.neurostimduino import NeuroStimDuino
from stimctl.units import MS, SECOND

BOOTED_US = 100 * MS


def board(*lines: str, **how: int) -> NeuroStimDuino:
    """A board that has started and been told these lines; what it said of them is still to be fetched."""
    twin = NeuroStimDuino(**how)  # type: ignore[arg-type]
    twin.advance(BOOTED_US)
    twin.outgoing()
    for line in lines:
        twin.feed(line.encode() + b"\r\n", twin.now_us)
        twin.advance(twin.now_us + 20 * MS)
    return twin


def said(twin: NeuroStimDuino) -> tuple[w.BoardWord, ...]:
    return Decoder().feed(twin.outgoing())


def ask(twin: NeuroStimDuino, word: w.HostWord) -> Reply:
    reply = Reply(word, twin.now_us)
    twin.outgoing()
    twin.feed(encode(word), twin.now_us)
    while reply.verdict is Verdict.OPEN:
        twin.advance(twin.now_us + 10 * MS)
        for answer in said(twin):
            reply.hear(answer)
        reply.advance(twin.now_us)
    return reply


def running(**how: int) -> NeuroStimDuino:
    return board("AMPL 1 14.88", "FREQ 1 20", "DURN 1 300", "DELY 1 0", "STIM 1 200 0", "AMPL 2 5", "STIM 2 3 0", **how)


# --- lines to the board ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "line"),
    [
        (w.Set(0, Register.AMPLITUDE_UA, 15_120), "AMPL 1 15.12"),
        (w.Set(1, Register.AMPLITUDE_UA, 30_480), "AMPL 2 30.48"),
        (w.Set(0, Register.AMPLITUDE_UA, 0), "AMPL 1 0.00"),
        (w.Set(0, Register.RATE_HZ, 20), "FREQ 1 20"),
        (w.Set(1, Register.WIDTH_US, 2_000), "DURN 2 2000"),
        (w.Set(0, Register.GAP_US, 100), "IDLY 1 100"),
        (w.Set(0, Register.DELAY_MS, 5), "DELY 1 5"),
        (w.Set(0, Register.SYMMETRIC, 1), "SYMM 1 1"),
        (w.Set(1, Register.ENABLED, 0), "ENAB 2 0"),
        (w.Set(0, Register.RAMPING, 0), "RAMP 0"),
        (w.Stimulate(0, 2), "STIM 1 2 0"),
        (w.Stop(1), "STOP 2"),
        (w.EmergencyOff(), "EOFF"),
        (w.Reset(), "RSET"),
        (w.Read(0, Register.AMPLITUDE_UA), "READ 1 AMPL"),
        (w.Sample(1), "SAMP 2"),
    ],
)
def test_every_word_is_its_line(word: w.HostWord, line: str) -> None:
    assert encode(word) == line.encode() + b"\r\n"
    assert len(line) <= LINE_MAX


@pytest.mark.parametrize(
    "word",
    [
        *(w.Set(0, register, low - 1) for register, (low, _) in RANGES.items()),
        *(w.Set(0, register, high + 1) for register, (_, high) in RANGES.items()),
        *(w.Set(channel, Register.RATE_HZ, 20) for channel in (-1, 2)),
        w.Set(0, Register.AMPLITUDE_UA, 100),
        w.Set(0, Register.AMPLITUDE_UA, 30_720),
        w.Set(0, Register.RATE_HZ, True),
        w.Set(0, Register.RATE_HZ, 20.0),  # type: ignore[arg-type]
        w.Stimulate(0, 0),
        w.Stimulate(0, 256),
        w.Stimulate(2, 1),
        w.Stop(2),
        w.Read(-1, Register.RATE_HZ),
        w.Sample(5),
    ],
    ids=str,
)
def test_what_the_board_must_not_be_sent_is_refused(word: w.HostWord) -> None:
    with pytest.raises(OurBug):
        encode(word)


def test_stimulation_for_ever_has_no_word() -> None:
    assert all(encode(w.Stimulate(0, seconds)).endswith(b" 0\r\n") for seconds in range(1, 256))


def test_each_step_is_the_step_that_the_sketch_makes_of_it() -> None:
    """Also where its numbers have 32 bits, as on a Mega."""
    for count in range(w.STEPS_MAX + 1):
        line = read(encode(w.Set(0, Register.AMPLITUDE_UA, count * 240)).decode().strip())
        assert line is not None
        said_ma = decimal(line.arguments[1])
        (single,) = struct.unpack("f", struct.pack("f", said_ma))
        assert steps(said_ma) == steps(single) == count


# --- rounding --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "told"),
    [(0, 0), (239, 0), (240, 240), (479, 240), (15_000, 14_880), (30_480, 30_480), (30_600, 30_480), (30_719, 30_480)],
)
def test_amplitudes_are_rounded_down(wanted: int, told: int) -> None:
    assert conversion.amplitude_ua(wanted) == told


@given(st.integers(0, 30_719))
def test_what_flows_is_never_more_than_was_asked_for(wanted: int) -> None:
    told = conversion.amplitude_ua(wanted)
    assert wanted - 240 < told <= wanted
    twin = board(encode(w.Set(0, Register.AMPLITUDE_UA, told)).decode().strip(), "STIM 1 2 0")
    assert twin.current_ua(0) == told


def test_the_sketch_itself_rounds_up() -> None:
    assert board("AMPL 1 15", "STIM 1 2 0").current_ua(0) == 15_120
    assert board("AMPL 1 31", "STIM 1 2 0").current_ua(0) == 30_480


@pytest.mark.parametrize("wanted", [-1, 30_720, 31_000, 100_000])
def test_amplitudes_beyond_it_are_refused(wanted: int) -> None:
    with pytest.raises(UsageError, match=r"0 to 30\.48 mA"):
        conversion.amplitude_ua(wanted)


@pytest.mark.parametrize(
    ("wanted", "told"), [(7, 7), (12, 7), (13, 13), (32, 32), (250, 250), (300, 295), (301, 301), (2_000, 1_997)]
)
def test_widths_are_rounded_down(wanted: int, told: int) -> None:
    assert conversion.width_us(wanted) == told


def test_no_width_lasts_longer_than_it_says_however_the_board_rounds() -> None:
    """Steps of 6.4 µs: in tenths, whether it takes the nearer step or the lower one."""
    for wanted in range(7, 2_001):
        told = conversion.width_us(wanted)
        assert RANGES[Register.WIDTH_US][0] <= told <= wanted
        assert wanted - told < 7
        for counted in (told * 10 // 64, (told * 10 + 32) // 64):
            assert counted * 64 <= told * 10


@pytest.mark.parametrize(("wanted", "told"), [(3_000, 3), (3_999, 3), (35_000, 35), (35_500, 35), (100_999, 100)])
def test_rates_are_rounded_down(wanted: int, told: int) -> None:
    assert conversion.rate_hz(wanted) == told


def test_what_cannot_be_done_is_refused() -> None:
    for wanted in (6, 2_001, 0):
        with pytest.raises(UsageError, match="7 to 2000 µs"):
            conversion.width_us(wanted)
    for wanted in (0, 2_999, 101_000):
        with pytest.raises(UsageError, match="3 to 100 Hz"):
            conversion.rate_hz(wanted)
    assert [conversion.gap_us(wanted) for wanted in (0, 255)] == [0, 255]
    for wanted in (-1, 256):
        with pytest.raises(UsageError, match="0 to 255 µs"):
            conversion.gap_us(wanted)


# --- lines from the board --------------------------------------------------------------------------------------

ANSWERS = {
    "Channel 1, amplitude is set to 14.880 mA": w.WasSet(0, Register.AMPLITUDE_UA, 14_880),
    "Channel 2, frequency is set to 20 Hz": w.WasSet(1, Register.RATE_HZ, 20),
    "Channel 1, pulse duration is set to 300 uSec": w.WasSet(0, Register.WIDTH_US, 300),
    "Channel 1, inter-phase duration is set to 100 uSec": w.WasSet(0, Register.GAP_US, 100),
    "Channel 1, start delay is set to 5 mSec": w.WasSet(0, Register.DELAY_MS, 5),
    "Channel 1, pulse shape is set to symmetrical": w.WasSet(0, Register.SYMMETRIC, 1),
    "Channel 1, pulse shape is set to asymmetrical": w.WasSet(0, Register.SYMMETRIC, 0),
    "Channel 1 is enabled": w.WasSet(0, Register.ENABLED, 1),
    "Channel 2 is disabled": w.WasSet(1, Register.ENABLED, 0),
    "Ramping is enabled on channels 1 & 2": w.WasSet(0, Register.RAMPING, 1),
    "Channel 1 will generate 400 stim. pulses": w.WillGenerate(0, 400),
    "Channel 1 has stopped": w.Halted(0, Halt.STOPPED),
    "Channel 1 has not stopped": w.Halted(0, Halt.RUNNING),
    "Channel 2 malfunctioned, check!!": w.Halted(1, Halt.FAULTY),
    "Emergency OFF called via Software": w.EmergencyOffCalled(),
    "Channel 1, AMPL = 14.880": w.ReadBack(0, Register.AMPLITUDE_UA, 14_880),
    "Channel 2, ENAB = 1": w.ReadBack(1, Register.ENABLED, 1),
    "ERROR! Value outside range": w.Refused("ERROR! Value outside range"),
    "Unrecognized command [x]": w.Refused("Unrecognized command [x]"),
    "I2C error = 2": w.I2cError(2),
    "*****   Welcome to NeuroStimDuino - by Neuralaxy   *****": w.Welcome(),
    "All are reset to default": w.DefaultsRestored(),
    ",".join(str(n - 50) for n in range(100)): w.Sampled(tuple(range(-50, 50))),
}


@pytest.mark.parametrize("line", ANSWERS)
def test_every_documented_line_is_its_word(line: str) -> None:
    assert word_of(line) == ANSWERS[line]
    assert Decoder().feed(line.encode() + b"\r\n") == (ANSWERS[line],)


@pytest.mark.parametrize("line", [line for line in ANSWERS if "Welcome" not in line and "default" not in line])
def test_a_line_that_lost_a_character_says_nothing_that_it_did_not(line: str) -> None:
    """But for a digit, which nothing on this wire can miss; those are what the value is compared for (``reply``)."""
    for at in range(len(line)):
        if not line[at].isdigit() and line[at : at + 2] not in ("a-", "as") and line[at] not in "-,.x! ":
            cut = word_of(line[:at] + line[at + 1 :])
            assert isinstance(cut, w.Remark) or type(cut) is type(ANSWERS[line])
            assert not isinstance(cut, w.Halted)
            assert not isinstance(cut, w.WasSet) or cut.register is Register.SYMMETRIC


# --- replies ---------------------------------------------------------------------------------------------------


def test_what_was_done_is_done() -> None:
    twin = board()
    for word in (
        w.Set(0, Register.AMPLITUDE_UA, 14_880),
        w.Set(1, Register.RATE_HZ, 35),
        w.Set(0, Register.RAMPING, 0),
        w.Set(0, Register.SYMMETRIC, 0),
        w.Set(0, Register.ENABLED, 1),
        w.Stimulate(0, 2),
        w.Read(0, Register.AMPLITUDE_UA),
        w.Stop(0),
        w.EmergencyOff(),
        w.Sample(1),
        w.Reset(),
    ):
        reply = ask(twin, word)
        assert (reply.verdict, reply.why) == (Verdict.DONE, ""), word


def test_a_line_that_looks_like_success_behind_an_error_is_none() -> None:
    """The value it shows is the old one, and zero at the first time; a stop that never arrived even reads "stopped"."""
    twin = running()
    twin.i2c_error = 2
    for word in (w.Set(0, Register.AMPLITUDE_UA, 2_400), w.Stop(0), w.EmergencyOff(), w.Read(0, Register.RATE_HZ)):
        reply = ask(twin, word)
        assert reply.verdict is Verdict.FAILED
        assert "I2C error 2" in reply.why
        assert reply.answer is not None, "the line that looks like success belongs to it"
    assert twin.current_ua(0) == 14_880
    twin.outgoing()
    twin.feed(encode(w.Stop(0)), twin.now_us)
    twin.advance(twin.now_us + 20 * MS)
    assert said(twin) == (w.I2cError(2), w.Halted(0, Halt.STOPPED))
    assert twin.energised


def test_a_reply_is_over_with_its_last_line_and_not_before() -> None:
    reply = Reply(w.Stop(0), 0)
    reply.hear(w.I2cError(2))
    assert reply.verdict is Verdict.OPEN
    reply.hear(w.Halted(1, Halt.STOPPED))
    assert reply.verdict is Verdict.OPEN, "that is another channel's"
    reply.hear(w.Halted(0, Halt.STOPPED))
    assert reply.verdict is Verdict.FAILED
    reply.hear(w.Halted(0, Halt.STOPPED))
    reply.advance(SECOND)
    assert reply.verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("asked", "heard", "why"),
    [
        (w.Set(0, Register.RATE_HZ, 20), w.WasSet(0, Register.RATE_HZ, 25), "rate_hz 25 where 20"),
        (w.Stop(0), w.Halted(0, Halt.RUNNING), "has not stopped"),
        (w.Stop(0), w.Halted(0, Halt.FAULTY), "reports a fault"),
        (w.Stop(0), w.Refused("ERROR! Channel # is missing"), "Channel # is missing"),
        (w.Stimulate(0, 2), w.Welcome(), "started anew"),
    ],
)
def test_what_is_wrong_is_named(asked: w.HostWord, heard: w.BoardWord, why: str) -> None:
    reply = Reply(asked, 0)
    reply.hear(heard)
    assert reply.verdict is Verdict.FAILED
    assert why in reply.why


@pytest.mark.parametrize(
    ("word", "patience_us"), [(w.Stop(0), ANSWER_US), (w.Reset(), RESET_US), (w.Sample(0), SAMPLE_US)]
)
def test_silence_has_its_time(word: w.HostWord, patience_us: int) -> None:
    reply = Reply(word, 1_000)
    reply.advance(reply.due_us - 1)
    assert reply.verdict is Verdict.OPEN
    assert reply.due_us == 1_000 + patience_us
    reply.advance(reply.due_us)
    assert reply.verdict is Verdict.SILENCE
    assert "in time" in reply.why


def test_a_board_that_does_not_stop_says_so() -> None:
    twin = running()
    twin.stuck = True
    assert ask(twin, w.Stop(0)).why == "the board has not stopped"
    assert twin.energised


# --- what the board does ---------------------------------------------------------------------------------------


def test_a_finite_train_ends_by_itself() -> None:
    twin = board("AMPL 1 9.6", "FREQ 1 20", "DURN 1 300", "IDLY 1 50", "DELY 1 100", "STIM 1 2 0")
    begun_us = twin.now_us
    assert said(twin)[-1] == w.WillGenerate(0, 40)
    twin.advance(begun_us + 10 * SECOND)
    pulses = twin.ledger[0].pulses_between(0, twin.now_us)
    assert len(pulses) == 40
    assert pulses[0][0] >= begun_us - 20 * MS + 100 * MS, "after its start delay"
    train = pulses[0][1]
    assert (train.amplitude_ua, train.phase_width_us, train.interphase_gap_us) == (9_600, 300, 50)
    assert twin.ledger[0].net_pc == 0


def test_an_asymmetric_pulse_comes_back_lower_and_longer() -> None:
    train = board("AMPL 1 9.6", "DURN 1 300", "SYMM 1 0", "STIM 1 2 0").ledger[0].train
    assert train is not None
    assert (train.recovery_amplitude_ua, train.recovery_width_us) == (4_800, 600)


def test_for_ever_is_for_ever_also_when_the_arduino_starts_anew() -> None:
    twin = board("AMPL 1 9.6", "STIM 1 1 1")
    twin.advance(twin.now_us + 3_600 * SECOND)
    assert twin.energised
    twin.outgoing()
    twin.reset(twin.now_us)
    twin.advance(twin.now_us + SECOND)
    assert isinstance(said(twin)[0], w.Welcome)
    assert twin.energised


def test_words_that_are_no_number_are_zero_and_channels_are_not_checked() -> None:
    twin = running()
    twin.outgoing()
    twin.feed(b"AMPL one x\r\nAMPL 1 lots\r\nSTOP 7\r\n", twin.now_us)
    twin.advance(twin.now_us + 50 * MS)
    assert twin.channels[0].steps == 0
    assert b"Channel 0, amplitude is set to 0.000 mA" in (text := twin.outgoing())
    assert b"Channel 7 has stopped" in text
    assert [integer(word) for word in ("12x", "x", "-3", "")] == [12, 0, -3, 0]
    assert [decimal(word) for word in ("1.5x", "x", ".5", "2.")] == [1.5, 0.0, 0.5, 2.0]


def test_a_line_of_fifty_characters_is_cut_and_its_tail_is_a_line() -> None:
    twin = board("AMPL 1 9.6", " " * 49 + "STIM 1 5 0")
    assert twin.channels[0].due_us is None
    assert any(isinstance(word, w.Refused) for word in said(twin))
    assert board("AMPL 1 9.6", " " * 50 + "STIM 1 5 0").energised


def test_sampling_hears_nothing_for_a_second() -> None:
    twin = running()
    twin.outgoing()
    twin.feed(b"SAMP 1\r\n", twin.now_us)
    twin.advance(twin.now_us + 10 * MS)
    twin.feed(encode(w.EmergencyOff()), twin.now_us)
    twin.advance(twin.now_us + 900 * MS)
    assert twin.energised
    twin.advance(twin.now_us + 200 * MS)
    assert not twin.energised
    assert isinstance(said(twin)[0], w.Sampled)


def test_dry_pads_clip_on_the_third_version_and_the_switch_is_gone() -> None:
    assert running(pads_ohm=2_000, version=2).current_ua(0) == 14_880
    third = running(pads_ohm=5_000, version=3)
    assert third.current_ua(0) == 7_000
    third.switch(third.now_us, on=False)
    assert third.energised
    second = running()
    second.switch(second.now_us, on=False)
    assert not second.energised


def test_the_greeting_of_a_mega_has_no_amplitude() -> None:
    for mega in (0, 1):
        twin = NeuroStimDuino(mega=bool(mega))
        twin.advance(BOOTED_US)
        assert (b"amplitude ? mA" in twin.outgoing()) == bool(mega)


def test_disabled_is_silent_and_errors_are_answered() -> None:
    twin = running()
    for line in (
        b"ENAB 1 0",
        b"FREQ 1",
        b"FREQ",
        b"FREQ 1 101",
        b"AMPL 1 31.5",
        b"STIM 1 300 0",
        b"READ 1",
        b"ADDR 27 0",
        b"ON",
    ):
        twin.feed(line + b"\r\n", twin.now_us)
        twin.advance(twin.now_us + 20 * MS)
    assert twin.current_ua(0) == 0
    refused = [word.text for word in said(twin) if isinstance(word, w.Refused)]
    assert len(refused) == 6


# --- its stop --------------------------------------------------------------------------------------------------


@given(
    st.integers(0, 2 * SECOND),
    st.binary(max_size=60),
    st.sampled_from([b"", b"SAMP 1\r\n", b"AMPL 1 30", b"STIM 2 255 1\r\n"]),
)
def test_the_stop_stops_from_any_state(wait_us: int, noise: bytes, before: bytes) -> None:
    twin = running()
    twin.feed(noise, twin.now_us)
    twin.advance(twin.now_us + wait_us)
    twin.feed(before, twin.now_us)
    begun_us, written = twin.now_us, 0
    while (due_us := STOP.due_us(written)) is not None:
        twin.feed(STOP.next(written, due_us), begun_us + due_us)
        written += 1
    twin.advance(begun_us + STOP.ends_us)
    assert not twin.energised
    assert {w.Halted(0, Halt.STOPPED), w.Halted(1, Halt.STOPPED)} <= set(said(twin))


def test_the_stop_is_confirmed() -> None:
    twin = running()
    twin.outgoing()
    twin.feed(STOP.writes[0], twin.now_us)
    twin.advance(twin.now_us + 50 * MS)
    assert not twin.energised
    heard = said(twin)
    assert w.Halted(0, Halt.STOPPED) in heard
    assert w.Halted(1, Halt.STOPPED) in heard
    for line in LOOK:
        twin.feed(line, twin.now_us)
        twin.advance(twin.now_us + 20 * MS)
    assert said(twin) == (w.ReadBack(0, Register.ENABLED, 1), w.ReadBack(1, Register.ENABLED, 1))


@pytest.mark.parametrize("half", [b"AMPL 1 3", b"STIM 1 200", b"EO", b"x"])
def test_half_a_line_swallows_no_part_of_the_stop(half: bytes) -> None:
    twin = running()
    twin.outgoing()
    twin.feed(half + STOP.writes[0], twin.now_us)
    twin.advance(twin.now_us + 100 * MS)
    assert {w.EmergencyOffCalled(), w.Halted(0, Halt.STOPPED), w.Halted(1, Halt.STOPPED)} <= set(said(twin))


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_number_that_a_stop_cuts_short_is_a_smaller_one(cut: int) -> None:
    twin = running()
    twin.feed(encode(w.Set(0, Register.AMPLITUDE_UA, 14_880))[:cut] + STOP.writes[0], twin.now_us)
    twin.advance(twin.now_us + 100 * MS)
    assert not twin.energised
    assert twin.channels[0].steps <= 62
