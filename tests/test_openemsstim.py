"""openEMSstim: its texts, its six firmwares told apart, and the faults that the driver has to live with."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.boards.openemsstim import dialects as d
from stimctl.boards.openemsstim.codec import Decoder, encode, text_of
from stimctl.boards.openemsstim.dialects import DIALECTS, Form
from stimctl.boards.openemsstim.echoes import ECHO_US, Echoes
from stimctl.boards.openemsstim.probe import ANSWER_US, BOOT_US, QUESTION, Probe, Stand
from stimctl.boards.openemsstim.reading import Action, Option, from_hex, int16, is_hex, read
from stimctl.boards.openemsstim.stopping import BEFORE_PROBE, BUFFER_BYTES, STOPS
from stimctl.boards.openemsstim.words import Disconnect, Drive, Ready, Received, Remark, StopAll, Trouble
from stimctl.boards.stops import StopSequence
from stimctl.errors import BoardFault, OurBug
from stimctl.sim import openemsstim as sim
from stimctl.sim.openemsstim import CLOSING_US, UNIT, OpenEmsStim
from stimctl.units import MS, SECOND

BOOTED_US = 10 * SECOND
WEEK_US = 7 * 24 * 3_600 * SECOND
TOGGLERS = b"12qwaser"

every_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.name)
drives = st.builds(Drive, st.integers(0, 1), st.integers(1, 100), st.integers(1, 5_000))


def board(dialect: d.Dialect, *texts: str, debug: bool = True) -> tuple[OpenEmsStim, int]:
    """A board that has booted and been told these texts, in its own form, and has read them."""
    twin = OpenEmsStim(dialect, debug=debug)
    twin.advance(BOOTED_US)
    for text in texts:
        tell(twin, text)
    return twin, twin.now_us


def tell(twin: OpenEmsStim, text: str) -> None:
    if twin.dialect.form is Form.HEX:
        text = f"WV,0,{text.encode().hex().upper()}."
    twin.feed(text.encode() + b"\n", twin.now_us)
    twin.advance(twin.now_us + 30 * MS)


def run(twin: OpenEmsStim, sequence: StopSequence, begun_us: int) -> None:
    """Write a stop as whoever holds the port would, and live on until it must be over."""
    twin.advance(begun_us)
    written = 0
    while (due_us := sequence.due_us(written)) is not None:
        twin.feed(sequence.next(written, due_us), begun_us + due_us)
        written += 1
    assert sequence.next(written, sequence.ends_us) == b""
    twin.advance(begun_us + sequence.ends_us)


# --- texts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "text", "hex_form"),
    [
        (Drive(0, 10, 1_000), "C0I10T1000G", "WV,0,4330493130543130303047."),
        (Drive(1, 50, 2_000), "C1I50T2000G", "WV,0,4331493530543230303047."),
        (StopAll(), "C9G", "WV,0,433947."),
        (Drive(0, 1, 1), "C0I1T1G", "WV,0,43304931543147."),
        (Drive(1, 1, 1), "C1I1T1G", "WV,0,43314931543147."),
        (Disconnect(), "Connection End", "Connection End"),
    ],
)
def test_the_documented_texts(word: Drive | StopAll | Disconnect, text: str, hex_form: str) -> None:
    assert encode(word, Form.PLAIN) == text.encode() + b"\n"
    assert encode(word, Form.HEX) == hex_form.encode() + b"\n"


@pytest.mark.parametrize(
    "word",
    [
        Drive(-1, 10, 100),
        Drive(4, 10, 100),
        Drive(9, 10, 100),
        Drive(0, 0, 100),
        Drive(0, 101, 100),
        Drive(0, 10, 0),
        Drive(0, 10, 5_001),
        Drive(0, 10, 32_768),
        Drive(0, 10, -1),
        Drive(0, 10.0, 100),  # type: ignore[arg-type]
        Drive(True, 10, 100),
    ],
)
def test_what_no_board_should_be_sent_is_refused(word: Drive) -> None:
    for form in Form:
        with pytest.raises(OurBug, match="nothing to send to an openEMSstim"):
            encode(word, form)


@given(drives)
def test_the_firmwares_faulty_digits_leave_our_texts_alone(word: Drive) -> None:
    """It forgets to add ten to A to F; no letter of ours has such a digit, and those of the options have."""
    line = encode(word, Form.HEX).decode().strip()
    assert is_hex(line)
    assert from_hex(line) == text_of(word)
    assert read(from_hex(line)) == Action(word.channel, word.percent, word.time_ms)
    assert from_hex(f"WV,0,{b'OMA[0,50]'.hex().upper()}.") != "OMA[0,50]"
    assert from_hex(f"WV,0,{b'OMA[0,50]'.hex()}.") != "OMA[0,50]"


@given(st.sampled_from(Form), st.one_of(drives, st.just(StopAll()), st.just(Disconnect())))
def test_nothing_that_we_send_begins_like_a_single_character_command(
    form: Form, word: Drive | StopAll | Disconnect
) -> None:
    assert encode(word, form)[0] not in TOGGLERS


def test_no_stop_holds_a_line_that_begins_like_a_single_character_command() -> None:
    for sequence in (BEFORE_PROBE, *STOPS.values()):
        for write in sequence.writes:
            assert write.startswith(b"\n"), "what was half written must not run into it"
            assert write.endswith(b"\n")
            assert all(line[0] not in TOGGLERS for line in write.split())
            assert len(write) <= BUFFER_BYTES


@pytest.mark.parametrize("start", range(1, 14))
def test_the_stop_in_hex_is_harmless_however_its_head_is_lost(start: int) -> None:
    """A board that is deaf may lose the head of it; what is left begins a line."""
    twin, now_us = board(d.MASTER_2017)
    twin.feed(encode(StopAll(), Form.HEX)[start:], now_us)
    twin.advance(now_us + SECOND)
    assert not twin.ledger[0].active_after(0)
    assert not any(socket.closed for socket in twin.sockets)


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("C0I10T1000G", Action(0, 10, 1_000)),
        ("GT7C1I3", Action(1, 3, 7)),
        ("C0I10T5001G", Action(0, 10, 5_000)),
        ("C0I10T32767G", Action(0, 10, 5_000)),
        ("C0I10T32768G", Action(0, 10, -32_768)),
        ("C0I10T65535G", Action(0, 10, -1)),
        ("C0I10T65536G", Action(0, 10, 0)),
        ("C9G", Action(9, None, None)),
        ("G", Action(-1, None, None)),
        ("CG", Action(-1, None, None)),
        ("C1TG", Action(1, None, -1)),
        ("C0I10T100", None),
        ("Connection End", None),
        ("OMA[1,80]", Option(1, 80, upper=True)),
        ("OMI[0,x]", Option(0, 0, upper=False)),
        ("OMA[0;80]", Option(-1, 0, upper=False)),
    ],
)
def test_what_the_firmware_reads(text: str, action: object) -> None:
    assert read(text) == action


@given(st.integers(-(10**9), 10**9))
def test_sixteen_bits(number: int) -> None:
    assert int16(number) % 65_536 == number % 65_536
    assert -32_768 <= int16(number) <= 32_767


def test_debug_text_is_read_for_what_it_is() -> None:
    said = Decoder().feed(
        b"\r\nSETUP for ID:\r\nSETUP DONE (LED 13 WILL BE ON)\r\n\tUSB: received command: C0I1T1G \r\n"
        b"Unknown command: x\r\n\tERROR: SINGLE-CHAR Command Unknown\r\n\xff\n" + b"x" * 600 + b"\nend\n"
    )
    assert said == (
        Remark("SETUP for ID:"),
        Ready(),
        Received("C0I1T1G"),
        Trouble("Unknown command: x"),
        Trouble("ERROR: SINGLE-CHAR Command Unknown"),
        Remark("end"),
    )


# --- the probe -------------------------------------------------------------------------------------------------


def probe(twin: OpenEmsStim, *, step_us: int = 10 * MS, until_us: int = 20 * SECOND) -> Probe:
    asking = Probe(twin.now_us)
    for now_us in range(twin.now_us, until_us, step_us):
        twin.advance(now_us)
        asking.feed(twin.outgoing(), now_us)
        twin.feed(asking.outgoing(), now_us)
        if asking.dialect is not None:
            break
    return asking


@every_dialect
@pytest.mark.parametrize("step_us", [1 * MS, 37 * MS, 400 * MS])
def test_the_probe_names_each_firmware_and_energises_none(dialect: d.Dialect, step_us: int) -> None:
    twin = OpenEmsStim(dialect)
    asking = probe(twin, step_us=step_us)
    assert asking.dialect is dialect
    assert asking.due_us is None
    assert asking.stand is Stand.DONE
    assert len(twin.ledger) == dialect.channels
    assert not any(ledger.active_after(-1) for ledger in twin.ledger)
    assert not twin.crashed


def test_the_probe_asks_once_and_only_after_the_board_has_booted() -> None:
    asking = Probe(0)
    assert asking.outgoing() == b""
    asking.feed(b"SETUP for ID:\r\nSETUP DO", SECOND)
    assert asking.outgoing() == b""
    asking.feed(b"NE (LED 13", SECOND)
    assert asking.outgoing() == b""
    asking.feed(b")\r\n", SECOND)
    assert asking.outgoing() == QUESTION == b"C9G\n"
    assert asking.outgoing() == b""
    assert asking.due_us == SECOND + ANSWER_US


def answered(text: bytes, *, silence_us: int = ANSWER_US) -> Probe:
    asking = Probe(0)
    asking.feed(b"SETUP DONE\r\n", 0)
    asking.feed(text, 1)
    asking.advance(silence_us)
    return asking


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "legibly"),
        (b"\xff\xfe\r\n", "legibly"),
        (b"USB: received command: C9G\r\n\xff\r\n", "legibly"),
        (b"USB: received comm", "still writing"),
        (b"hello\r\n", "no firmware is known"),
        (b"USB: received command: C9\r\n", "no firmware is known"),
        (b"USB: received command: C9G\r\nsomething else\r\n", "no firmware is known"),
        (b"Unknown command: C9G\r\nFull Command: C9G\r\n", "no firmware is known"),
        (b"NON HEX\r\nERROR: of another sort\r\n", "no firmware is known"),
        (b"Wrong channel ID\r\nCommand on wrong channel\r\n", "two firmwares"),
        (b"Wrong channel ID, Command on wrong channel\r\n", "no firmware is known"),
        (b"x\r\n" * 50, "without end"),
        (b"USB: received command: C9G\r\nSETUP DONE\r\n", "booted again"),
    ],
)
def test_the_probe_refuses_what_it_does_not_know(text: bytes, why: str) -> None:
    with pytest.raises(BoardFault, match=why):
        answered(text)


def test_a_refusal_stays() -> None:
    asking = Probe(0)
    asking.advance(BOOT_US - 1)
    with pytest.raises(BoardFault, match="SETUP DONE"):
        asking.advance(BOOT_US)
    with pytest.raises(BoardFault, match="SETUP DONE"):
        asking.feed(b"SETUP DONE\r\n", BOOT_US + 1)
    assert asking.due_us is None
    assert asking.outgoing() == b""


def test_a_board_without_debug_text_is_refused() -> None:
    """It works, and it cannot be told apart from one that does not."""
    with pytest.raises(BoardFault, match="SETUP DONE"):
        probe(OpenEmsStim(d.MASTER_2016, debug=False))


@given(st.lists(st.binary(max_size=40), max_size=10), st.data())
def test_whatever_comes_the_probe_names_or_refuses(pieces: list[bytes], data: st.DataObject) -> None:
    asking, now_us = Probe(0), 0
    known = [b"SETUP DONE\r\n", b"NON HEX\r\n", b"\tUSB: received command: C9G\r\n", b"Wrong channel ID\n"]
    try:
        for piece in pieces + data.draw(st.lists(st.sampled_from(known), max_size=4)):
            now_us += data.draw(st.integers(0, 2 * SECOND))
            asking.feed(piece, now_us)
            assert asking.outgoing() in (b"", QUESTION)
        asking.advance(now_us + BOOT_US)
        asking.advance(now_us + BOOT_US + ANSWER_US)
    except BoardFault:
        return
    assert asking.dialect in DIALECTS


# --- what the board does ---------------------------------------------------------------------------------------


@every_dialect
def test_a_command_closes_the_relay_for_its_time(dialect: d.Dialect) -> None:
    twin, _ = board(dialect)
    begun_us = twin.now_us
    twin.feed(encode(Drive(1, 50, 300), dialect.form), begun_us)
    twin.advance(begun_us + SECOND)
    [stretch] = twin.ledger[1].history(twin.now_us)
    assert stretch.train.amplitude_ua == UNIT.amplitude_ua * (55 + 78) // 255  # 160 * 0.49, rounded
    assert 300 * MS <= stretch.end_us - begun_us <= 330 * MS
    assert not twin.energised
    assert not twin.ledger[0].active_after(-1)


def test_zero_is_not_off() -> None:
    twin, _ = board(d.MASTER_2016, "C0I0T500G")
    assert twin.sockets[0].closed
    assert twin.sockets[0].wiper == 54
    assert twin.current_ua(0) > UNIT.amplitude_ua // 5


def test_more_than_a_hundred_leaves_the_window_up_to_the_wipers_end_and_wraps() -> None:
    levels = [board(d.MASTER_2016, f"C0I{percent}T500G")[0].sockets[0].wiper for percent in (100, 110, 200, 300)]
    assert levels == [213, 229, 255, 0]
    assert board(d.MASTER_2016, "C0I40T500G")[0].sockets[0].wiper < levels[0]


def test_a_long_time_is_cut_and_a_longer_one_is_for_weeks() -> None:
    twin, now_us = board(d.MASTER_2016, "C0I10T30000G")
    twin.advance(now_us + 5 * SECOND + 100 * MS)
    assert not twin.energised
    twin, now_us = board(d.MASTER_2016, "C0I10T40000G")
    twin.advance(now_us + 3 * WEEK_US)
    assert twin.energised
    late = OpenEmsStim(d.MASTER_2016)
    late.advance(60 * SECOND)
    tell(late, "C0I10T40000G")  # uptime is beyond what it is less than nothing by
    late.advance(late.now_us + 100 * MS)
    assert not late.energised


def test_a_missing_time_or_intensity_is_the_last_one() -> None:
    twin, now_us = board(d.MASTER_2016, "C0I50T2000G", "C0I70G")
    twin.advance(now_us + SECOND)
    assert twin.energised
    twin.advance(now_us + 3 * SECOND)
    assert not twin.energised
    tell(twin, "C0T500G")  # the wiper was put to its least when the relay opened
    assert twin.sockets[0].closed
    assert not twin.energised


@every_dialect
@pytest.mark.parametrize("text", ["C9I10T500G", "C4T5G", "I10G"])
def test_a_channel_that_is_not_there_is_the_end(dialect: d.Dialect, text: str) -> None:
    twin, now_us = board(dialect, "C1I50T500G", text)
    run(twin, STOPS[dialect], now_us)
    assert twin.crashed
    twin.advance(now_us + WEEK_US)
    assert twin.energised, "nothing but a reset helps"
    twin.reset(twin.now_us)
    assert not twin.energised


@pytest.mark.parametrize("dialect", [d.MASTER_2017, d.FABBING, d.MULTIPLEXER], ids=lambda each: each.name)
def test_single_characters_toggle_without_a_time_out(dialect: d.Dialect) -> None:
    twin, now_us = board(dialect)
    for character in (b"1\n", b"q\n", b"q\n", b"r\n"):
        twin.feed(character, now_us)
    twin.advance(now_us + WEEK_US)
    assert twin.energised
    twin.feed(b"1\n", twin.now_us)
    twin.advance(twin.now_us + SECOND)
    assert not twin.energised


def test_a_hex_form_that_is_held_up_toggles_a_relay_for_good() -> None:
    """50 ms of silence end a line; the tail of a form may begin with a digit that is a command. So write in one piece."""
    twin, now_us = board(d.MASTER_2017)
    form = encode(Drive(0, 10, 100), Form.HEX)
    cut = form.index(b"3130")+1  # fmt: skip
    twin.feed(form[:cut], now_us)
    twin.feed(form[cut:], now_us + 100 * MS)
    twin.advance(now_us + SECOND)
    assert twin.sockets[0].closed
    assert twin.sockets[0].end_ms == 0


def test_bytes_without_a_line_feed_keep_the_relays_from_opening() -> None:
    twin, now_us = board(d.MASTER_2016, "C0I50T100G")
    for step in range(50):
        twin.feed(b"x", now_us + step * 40 * MS)
    twin.advance(now_us + 2 * SECOND)
    assert twin.ledger[0].history(twin.now_us)[-1].end_us >= now_us + 49 * 40 * MS


def test_opening_relays_makes_deaf_and_what_waits_is_lost() -> None:
    twin, now_us = board(d.MASTER_2016, "C0I50T2000G", "C1I50T2000G")
    twin.feed(b"C9G\n", now_us)
    twin.advance(now_us + 10 * MS)
    twin.feed(b"C0I50T100G\n" * 10, twin.now_us)
    twin.advance(now_us + CLOSING_US + 5 * MS)
    assert not twin.sockets[0].closed
    assert twin.sockets[1].closed, "one after the other"
    assert len(twin.uart.waiting) == BUFFER_BYTES
    twin.advance(now_us + SECOND)
    assert twin.uart.lost > 0


STOPPED_BY = {
    "C9G": {d.MASTER_2016, d.MASTER_2017, d.FABBING, d.SIMPLE_MULTIPLEXER},
    "G": {d.MASTER_2016, d.MASTER_2017, d.SIMPLE_MULTIPLEXER},
    "Connection End": {d.MASTER_2016, d.MASTER_2017, d.DEV, d.SIMPLE_MULTIPLEXER},
}


@every_dialect
@pytest.mark.parametrize("text", STOPPED_BY)
def test_what_stops_whom(dialect: d.Dialect, text: str) -> None:
    twin, now_us = board(dialect, "C0I50T5000G", "C1I50T5000G")
    if text == "Connection End":
        twin.feed(text.encode() + b"\n", now_us)
    else:
        tell(twin, text)
    twin.advance(now_us + SECOND)
    assert twin.energised == (dialect not in STOPPED_BY[text])


@every_dialect
def test_the_shortest_pulses_stop_all(dialect: d.Dialect) -> None:
    texts = [f"C{n}I50T5000G" for n in range(dialect.channels)] + [f"C{n}I1T1G" for n in range(dialect.channels)]
    twin, now_us = board(dialect, *texts)
    twin.advance(now_us + SECOND)
    assert not twin.energised


# --- its stop --------------------------------------------------------------------------------------------------


@given(
    st.sampled_from(DIALECTS),
    st.integers(0, 400 * MS),
    st.lists(st.tuples(drives, st.integers(0, 80 * MS)), max_size=8),
    st.integers(0, 12),
)
def test_whenever_it_comes_the_stop_stops(
    dialect: d.Dialect, wait_us: int, said: list[tuple[Drive, int]], cut: int
) -> None:
    """Also behind half a command, and while the board is deaf; what it loses then are our own earlier words."""
    twin, now_us = board(dialect)
    for word, pause_us in said:
        twin.feed(encode(word, dialect.form), now_us)
        now_us += 20 * MS + pause_us
    twin.feed(encode(Drive(0, 100, 500), dialect.form)[:cut], now_us)
    run(twin, STOPS[dialect], now_us + wait_us)
    assert not twin.energised
    assert not any(socket.closed for socket in twin.sockets)
    assert not twin.crashed


@every_dialect
def test_no_byte_of_a_stop_is_lost_on_a_board_that_was_not_flooded(dialect: d.Dialect) -> None:
    twin, now_us = board(dialect, *(f"C{n}I50T5000G" for n in range(dialect.channels)))
    run(twin, STOPS[dialect], now_us)
    assert twin.uart.lost == 0
    first_us = max(ledger.stretches[0].end_us for ledger in twin.ledger)
    if dialect.stop is not None:
        assert first_us <= now_us + dialect.channels * CLOSING_US + 50 * MS
    lowest = UNIT.amplitude_ua * 55 // 255
    for ledger in twin.ledger:
        assert all(each.train.amplitude_ua <= lowest for each in list(ledger.stretches)[1:])


def test_closer_together_the_rounds_would_lose_bytes() -> None:
    """Why they are further apart than 120 ms: that is less than the board is deaf for."""
    twin, now_us = board(d.MASTER_2017, "C0I50T5000G", "C1I50T5000G")
    whole = b"".join(STOPS[d.MASTER_2017].writes[:2])
    for start in range(3):
        twin.feed(whole, now_us + start * 120 * MS)
    twin.advance(now_us + 3 * SECOND)
    assert twin.uart.lost > 0


@every_dialect
def test_before_the_probe_a_stop_energises_nothing(dialect: d.Dialect) -> None:
    twin, now_us = board(dialect)
    run(twin, BEFORE_PROBE, now_us)
    assert not any(ledger.active_after(-1) for ledger in twin.ledger)
    running, now_us = board(dialect, "C0I50T5000G", "C1I50T5000G")
    run(running, BEFORE_PROBE, now_us)
    assert running.energised == (dialect is d.MULTIPLEXER)


def test_a_sequence_is_asked_for_what_is_due() -> None:
    sequence = STOPS[d.DEV]
    assert sequence.next(0, 0) is sequence.writes[0]
    assert sequence.next(1, sequence.apart_us - 1) == b""
    assert sequence.next(1, sequence.apart_us) is sequence.writes[1]
    assert [sequence.due_us(n) for n in (0, 1, 6)] == [0, sequence.apart_us, None]
    for bad in ((), (b"",)):
        with pytest.raises(OurBug):
            StopSequence(bad, 0, 0, "")
    with pytest.raises(OurBug):
        StopSequence((b"a", b"b"), 10, 9, "")


def test_the_constants_are_the_boards() -> None:
    from stimctl.boards.openemsstim import stopping

    assert stopping.CLOSING_US == sim.CLOSING_US
    assert len({dialect.name for dialect in DIALECTS}) == 6
    assert all(a != b for a, b in itertools.combinations(DIALECTS, 2))


# --- whether it still reads ------------------------------------------------------------------------------------


def echo(*lines: str) -> tuple[Echoes, int]:
    echoes = Echoes()
    for at, line in enumerate(lines):
        echoes.wrote(line.encode() + b"\n", at)
    return echoes, len(lines)


@every_dialect
def test_a_healthy_board_echoes_all_that_it_is_told(dialect: d.Dialect) -> None:
    twin, now_us = board(dialect)
    twin.outgoing()
    echoes, decoder = Echoes(), Decoder()
    for step in range(20):
        data = encode(Drive(step % 2, 30, 300), dialect.form)
        echoes.wrote(data, now_us)
        twin.feed(data, now_us)
        now_us += 120 * MS
        twin.advance(now_us)
        for word in decoder.feed(twin.outgoing()):
            echoes.hear(word)
        echoes.advance(now_us)
    assert echoes.why == ""
    assert echoes.due_us is None


def test_one_missing_echo_is_noise_and_two_are_a_lost_link() -> None:
    echoes, _ = echo("C0I1T1G", "C1I1T1G")
    echoes.hear(Received("C1I1T1G"))
    assert echoes.why == ""
    assert echoes.due_us is None
    echoes, now_us = echo("C0I1T1G")
    echoes.advance(ECHO_US)
    assert echoes.why == ""
    echoes.wrote(b"\nC9G\n", now_us)
    echoes.advance(now_us + ECHO_US)
    assert "does not read any more" in echoes.why


def test_an_echo_in_between_begins_the_count_anew() -> None:
    echoes, _ = echo("a", "b", "c")
    for word in (Received("b"), Received("c")):
        echoes.hear(word)
    echoes.wrote(b"d\n", 10)
    echoes.advance(10 + ECHO_US)
    assert echoes.why == ""


@pytest.mark.parametrize(
    ("word", "why"),
    [
        (Ready(), "booted again"),
        (Trouble("ERROR: x"), "could do nothing"),
        (Received("C0I100T5000G"), "was not told"),
        (Remark("anything"), ""),
    ],
)
def test_what_an_unhealthy_board_prints_is_named(word: Ready | Trouble | Received | Remark, why: str) -> None:
    echoes, _ = echo("C0I1T1G")
    echoes.hear(word)
    assert why in echoes.why
    assert bool(echoes.why) == bool(why)
