"""Stop keys in a stream of bytes: every shape, every split, and nothing that is not one."""

from __future__ import annotations

import itertools
import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.control import keys
from stimctl.control.keys import StopKey, StopScanner

SHAPES = {
    b" ": StopKey.SPACE,
    b"\x18": StopKey.CTRL_X,
    b"\x03": StopKey.CTRL_C,
    b"\x00": StopKey.SPACE,
    b"\xc2\xa0": StopKey.SPACE,
    b"\x1a": StopKey.CTRL_Z,
    **{chr(code).encode(): StopKey.SPACE for code in (0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)},
    # space bars of Khmer, Persian, Mongolian and Tibetan keyboards, and joiners that others have beside the space
    **{chr(code).encode(): StopKey.SPACE for code in (0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x180E, 0xF0B, 0xF0C)},
    b"\x1b[8204u": StopKey.SPACE,
    b"\x1b[0;;3851u": StopKey.SPACE,
    # CSI as one byte, and as the two that UTF-8 makes of it
    b"\x9b32u": StopKey.SPACE,
    b"\x9b27;1:3u": StopKey.ESC,
    b"\x9b120;5u": StopKey.CTRL_X,
    b"\x9b27;5;99~": StopKey.CTRL_C,
    b"\xc2\x9b122;5u": StopKey.CTRL_Z,
    b"\xc2\x9b32;57;32;1;0;1_": StopKey.SPACE,
    # win32-input-mode: down and up; left and right Ctrl, with lock keys, with Shift; what is left out is 0
    b"\x1b[32;57;32;1;0;1_": StopKey.SPACE,
    b"\x1b[32;57;32;0;0;1_": StopKey.SPACE,
    b"\x1b[32;57;0;1;8;1_": StopKey.SPACE,
    b"\x1b[0;0;160;1_": StopKey.SPACE,
    b"\x1b[231;0;12288;1;0;1_": StopKey.SPACE,
    b"\x1b[32_": StopKey.SPACE,
    b"\x1b[50;3;0;1;24;1_": StopKey.SPACE,
    b"\x1b[27;1;27;1;0;1_": StopKey.ESC,
    b"\x1b[27;1;27;0;0;1_": StopKey.ESC,
    b"\x1b[27_": StopKey.ESC,
    b"\x1b[27:65_": StopKey.ESC,
    b"\x1b[219;26;27;1;8;1_": StopKey.ESC,
    b"\x1b[51;4;0;1;4;1_": StopKey.ESC,
    b"\x1b[88;45;24;1;8;1_": StopKey.CTRL_X,
    b"\x1b[88;45;24;0;8;1_": StopKey.CTRL_X,
    b"\x1b[88;45;24;1;4;1_": StopKey.CTRL_X,
    b"\x1b[88;45;0;1;182;1_": StopKey.CTRL_X,
    b"\x1b[88;45;31;1;8;1_": StopKey.CTRL_X,
    b"\x1b[;;24_": StopKey.CTRL_X,
    b"\x1b[90;44;26;1;40;1_": StopKey.CTRL_Z,
    b"\x1b[90;44;26;0;40;1_": StopKey.CTRL_Z,
    b"\x1b[90;44;0;1;8_": StopKey.CTRL_Z,
    b"\x1b[67;46;3;1;8;1_": StopKey.CTRL_C,
    b"\x1b[67;46;0;1;8;3_": StopKey.CTRL_C,
    b"\x1b[3;70;3;1;8;1_": StopKey.CTRL_C,
    b"\x1b[" + b"0" * 300 + b"32;" + b"0" * 300 + b"_": StopKey.SPACE,
    # kitty: bare, with text, shifted, with lock keys, with alternates, repeat, release, text of an input method
    b"\x1b[32u": StopKey.SPACE,
    b"\x1b[32;1;32u": StopKey.SPACE,
    b"\x1b[32;2u": StopKey.SPACE,
    b"\x1b[32;129u": StopKey.SPACE,
    b"\x1b[32;1:2u": StopKey.SPACE,
    b"\x1b[32;1:3u": StopKey.SPACE,
    b"\x1b[0;;32u": StopKey.SPACE,
    b"\x1b[0;;12288u": StopKey.SPACE,
    b"\x1b[97;1;97:32u": StopKey.SPACE,
    b"\x1b[99;5u": StopKey.CTRL_C,
    b"\x1b[99;5:3u": StopKey.CTRL_C,
    b"\x1b[99:67;6u": StopKey.CTRL_C,
    b"\x1b[120;5u": StopKey.CTRL_X,
    b"\x1b[120;69u": StopKey.CTRL_X,
    b"\x1b[120;8u": StopKey.CTRL_X,
    b"\x1b[120;133u": StopKey.CTRL_X,
    b"\x1b[1095::120;5u": StopKey.CTRL_X,
    b"\x1b[27u": StopKey.ESC,
    b"\x1b[27;1:3u": StopKey.ESC,
    b"\x1b[27;2;27u": StopKey.ESC,
    b"\x1b[122;5u": StopKey.CTRL_Z,
    b"\x1b[122:90;6u": StopKey.CTRL_Z,
    b"\x1b[64;5u": StopKey.SPACE,  # Ctrl+@ and Ctrl+2 are the byte that Ctrl+Space is
    b"\x1b[50;5u": StopKey.SPACE,
    b"\x1b[50:64;6u": StopKey.SPACE,
    b"\x1b[91;5u": StopKey.ESC,
    b"\x1b[8239u": StopKey.SPACE,
    b"\x1b[0;;8195u": StopKey.SPACE,
    # layouts without Latin letters: Ctrl with the letters where C and X are, on Cyrillic, Greek and Hebrew keys
    b"\x1b[1089;5u": StopKey.CTRL_LETTER,
    b"\x1b[1095;5u": StopKey.CTRL_LETTER,
    b"\x1b[1095;69:3u": StopKey.CTRL_LETTER,
    b"\x1b[967;5u": StopKey.CTRL_LETTER,
    b"\x1b[1489;5u": StopKey.CTRL_LETTER,
    b"\x1b[228;5u": StopKey.CTRL_LETTER,
    b"\x1b[1089::99;5u": StopKey.CTRL_C,
    b"\x1b[27;5;1089~": StopKey.CTRL_LETTER,
    # of any length
    b"\x1b[" + b"0" * 500 + b"32u": StopKey.SPACE,
    b"\x1b[120;" + b"0" * 70 + b"5u": StopKey.CTRL_X,
    b"\x1b[0;;" + b"97:" * 200 + b"32:98u": StopKey.SPACE,
    b"\x1b[99;5;" + b"97:" * 40 + b"97u": StopKey.CTRL_C,
    b"\x1b[27;5;99" + b";" * 90 + b"~": StopKey.CTRL_C,
    # xterm's modifyOtherKeys
    b"\x1b[27;1;27~": StopKey.ESC,
    b"\x1b[27;5;122~": StopKey.CTRL_Z,
    b"\x1b[27;5;99~": StopKey.CTRL_C,
    b"\x1b[27;6;88~": StopKey.CTRL_X,
    b"\x1b[27;5;120~": StopKey.CTRL_X,
    b"\x1b[27;2;32~": StopKey.SPACE,
    b"\x1b[27;5;32~": StopKey.SPACE,
}
PLAIN_TEXT = (b"x", b"c", b"\r", b"\t", "µäß€𝄞‘—ก".encode(), b"[32u", b"32;1u")
FUNCTION_KEYS = (
    b"\x1b[A", b"\x1b[1;5A", b"\x1bOA", b"\x1bOP", b"\x1b[P", b"\x1b[1;5P", b"\x1b[[A", b"\x1b[15~", b"\x1b[3;5~",
    b"\x1b[24;2~", b"\x1b[32~", b"\x1b[27~", b"\x1b[27;5~", b"\x1b[57376u", b"\x1b[57376;5u", b"\x1b[57442;5u", b"\x1b[9;5u",
    b"\x1b[13;5u", b"\x1b[127;5u", b"\x1b[1;1:3B", b"\x1b[Z", b"\x1b[24;5;120~",
)  # fmt: skip
LETTERS = (
    b"\x1b[120;1u",
    b"\x1b[120u",
    b"\x1b[99;3u",
    b"\x1b[97;1;97u",
    b"\x1b[97;5u",
    b"\x1b[1089u",
    b"\x1b[1089;2;1057u",
    b"\x1b[120;4u",  # Alt and Shift
    b"\x1b[97:97:97:97:120;5u",  # a key has three forms at most
)
WIN32 = (
    b"\x1b[67;46;99;1;0;1_",  # letters without Ctrl
    b"\x1b[88;45;120;1;32;1_",
    b"\x1b[88;45;88;1;16;1_",
    b"\x1b[90;44;122;1;2;1_",
    b"\x1b[50;3;50;1;0;1_",
    b"\x1b[88;45;0;1;0;1_",
    b"\x1b[67;46;3;0;8;1_",  # Ctrl+C let go: its press came before
    b"\x1b[67;46;0;0;4;1_",
    b"\x1b[67;46;3;;8;1_",
    b"\x1b[67;46;263;1;9;1_",  # AltGr, which types something else
    b"\x1b[50;3;178;1;9;1_",
    b"\x1b[88;45;32768;1;9;1_",
    b"\x1b[17;29;0;1;8;1_",  # Ctrl alone
    b"\x1b[65;30;1;1;8;1_",
    b"\x1b[120;67;0;1;8;1_",  # Ctrl+F9 and Ctrl+3 of the number pad, whose virtual keys are the letters x and c
    b"\x1b[99;81;0;1;8;1_",
    b"\x1b[91;91;0;1;8;1_",
    b"\x1b[37;75;0;1;256;1_",
    b"\x1b[9;32;9_",
    b"\x1b[13;28;13;1;0;32_",
    b"\x1b[_",
    b"\x1b[;;;;;;32_",
)
TERMINAL = (
    b"\x1b[<35;32;120M", b"\x1b[<0;99;5m", b"\x1b[<32;27;32M", b"\x1b[32;27;32M", b"\x1b[200~", b"\x1b[201~", b"\x1b[I", b"\x1b[O",
    b"\x1b[?2026;2$y", b"\x1b[48;24;80;0;0t", b"\x1b[?27u", b"\x1b[>32u", b"\x1b[24;80R", b"\x1b]11;rgb:ff/ff/ff\x1b\\", b"\x1b[?62;22c",
    b"\x1bP>|term(3.2)\x1b\\",
)  # fmt: skip
EIGHT_BIT = (
    b"\x9bA",
    b"\x9b1;5A",
    b"\x9b<35;32;120M",
    b"\x9b99u",
    b"\x9b3~",
    b"\xc2\x9bI",
    b"\x8fP",
    "Ûx32uÛM".encode(),
)
BROKEN = (b"\x1b[:;u", b"\x1b[;;;~", b"\x1b[u", b"\x1b[~", b"\x1b[27;;~", b"\x1bO32u", b"\x1b\\32u")
HARMLESS = PLAIN_TEXT + FUNCTION_KEYS + LETTERS + WIN32 + TERMINAL + EIGHT_BIT + BROKEN
WAITS = re.compile(rb"\x1b[\[OP\]_^X]?\Z")
ANYTHING = st.lists(
    st.one_of(
        st.binary(max_size=12),
        st.sampled_from(
            (*HARMLESS, *SHAPES, b"\x1b", b"\x1b[", b"\x1b[200~", b"\x1b]", b"\x1bP", b"\x1b_", b"\x1b[M !!", b"\x9b", b"\xc2",
             b"\xe2\x80", b"\xf0\x9f", b"\x1b[32;", b"\x1b[27;5;", b"\x1b[<35;10;1", b"\x1bO", b"\x1b[88;45;24;1;8")
        ),
    ),
    max_size=8,
).map(b"".join)  # fmt: skip
NOISE = st.lists(st.sampled_from(HARMLESS), max_size=6).map(b"".join)


def feed(*parts: bytes) -> list[StopKey]:
    scanner = StopScanner()
    return [key for part in parts for key in scanner.feed(part)]


def bytewise(data: bytes) -> list[StopKey]:
    return feed(*(bytes([byte]) for byte in data))


def test_the_tables_written_out_a_second_time() -> None:
    """Codes beside those that the shapes above show would stop for other keys, or miss one of a rare layout."""
    key = StopKey
    assert [str(each) for each in key] == ["Space", "Esc", "Ctrl+X", "Ctrl+C", "Ctrl+Z", "Ctrl+letter"]
    assert (keys._ESC, keys._CSI, keys._CTRL_BIT, keys._WIN_CTRL, keys._ASCII_MAX) == (27, 155, 4, 12, 127)
    assert (keys._NUMBER_MAX, keys._NUMBERS_KEPT, keys._FIELDS_KEPT) == (2**31 - 1, 4, 5)
    assert range(57_344, 63_744) == keys._FUNCTIONAL
    assert (set(b"[OP]_^X"), set(b"[OP]_^X\\")) == (keys._OPENING, keys._INTRODUCERS)
    narrow = {8_203, 8_204, 8_205, 8_288, 65_279}
    assert {32, 160, 3_851, 3_852, 5_760, 6_158, *range(8_192, 8_203), 8_239, 8_287, 12_288} | narrow == keys._SPACES
    leads = (b"\xc2", b"\xe0", b"\xe1", b"\xe2", b"\xe3", b"\xef")
    pairs = (b"\xe0\xbc", b"\xe1\x9a", b"\xe1\xa0", b"\xe2\x80", b"\xe2\x81", b"\xe3\x80", b"\xef\xbb")
    assert {*leads, *pairs} == keys._BEGINNINGS
    assert keys._WIN_CHARACTERS == {3: key.CTRL_C, 24: key.CTRL_X, 26: key.CTRL_Z, 27: key.ESC}
    assert {88: key.CTRL_X, 67: key.CTRL_C, 90: key.CTRL_Z, 50: key.SPACE, 51: key.ESC} == keys._WIN_KEYS_WITH_CTRL
    small = {120: key.CTRL_X, 99: key.CTRL_C, 122: key.CTRL_Z, 64: key.SPACE, 91: key.ESC}
    assert {**keys._WIN_KEYS_WITH_CTRL, **small} == keys._WITH_CTRL


@pytest.mark.parametrize(("shape", "key"), SHAPES.items())
def test_every_shape_is_its_key_whole_and_byte_by_byte(shape: bytes, key: StopKey) -> None:
    assert feed(shape) == [key]
    assert bytewise(shape) == [key]


@pytest.mark.parametrize("data", HARMLESS)
def test_nothing_else_stops(data: bytes) -> None:
    assert feed(data) == []
    assert bytewise(data) == []


def cut(whole: bytes, data: st.DataObject) -> list[bytes]:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    return [whole[a:b] for a, b in itertools.pairwise([0, *cuts, len(whole)])]


@given(NOISE, st.sampled_from(sorted(SHAPES)), NOISE, st.data())
def test_found_once_within_anything_however_it_is_cut(
    before: bytes, shape: bytes, after: bytes, data: st.DataObject
) -> None:
    assert feed(*cut(before + shape + after, data)) == [SHAPES[shape]]


@given(NOISE, st.data())
def test_arrows_mouse_focus_paste_and_function_keys_never_stop_however_they_are_cut(
    noise: bytes, data: st.DataObject
) -> None:
    scanner = StopScanner()
    assert not any(scanner.feed(part) for part in cut(noise, data))
    assert not scanner.waits


@given(st.lists(st.sampled_from((*HARMLESS, *sorted(SHAPES), b"\x1b", b"\x1b[", b"\xe2")), max_size=8), st.data())
def test_any_split_finds_the_same_keys(pieces: list[bytes], data: st.DataObject) -> None:
    whole, parted, noise = StopScanner(), StopScanner(), b"".join(pieces)
    found = whole.feed(noise)
    assert {key for part in cut(noise, data) for key in parted.feed(part)} == found
    assert parted.settle() == whole.settle()


@given(st.binary(max_size=200), st.data())
def test_any_split_of_any_bytes_finds_the_same_keys(noise: bytes, data: st.DataObject) -> None:
    whole, parted = StopScanner(), StopScanner()
    found = whole.feed(noise)
    assert {key for part in cut(noise, data) for key in parted.feed(part)} == found
    assert parted.waits == whole.waits == (WAITS.search(noise) is not None)


# --- Esc ---------------------------------------------------------------------------------------------------------


@given(NOISE)
def test_an_esc_with_nothing_behind_it_stops_when_it_is_settled_and_once(noise: bytes) -> None:
    scanner = StopScanner()
    assert scanner.feed(noise + b"\x1b") == frozenset()
    assert scanner.waits
    assert scanner.settle() == {StopKey.ESC}
    assert not scanner.waits
    assert scanner.settle() == frozenset()
    assert scanner.feed(b"[A") == frozenset()  # the rest of a sequence that came too late is only text


@given(NOISE, st.sampled_from(b"[OP]_^X"))
def test_an_esc_with_one_more_key_behind_it_and_nothing_else_stops_too(noise: bytes, behind: int) -> None:
    """On a slow line Esc and P come in one piece; a sequence would go on at once."""
    scanner = StopScanner()
    assert scanner.feed(noise + b"\x1b" + bytes([behind])) == frozenset()
    assert scanner.waits
    assert scanner.settle() == {StopKey.ESC}
    assert not scanner.waits
    assert scanner.settle() == frozenset()


@pytest.mark.parametrize("opening", [b"\x1bO", b"\x1b[", b"\x1bP", b"\x1b]"])
def test_what_goes_on_is_no_key(opening: bytes) -> None:
    scanner = StopScanner()
    assert scanner.feed(opening) == frozenset()
    assert scanner.feed(b"A") == frozenset()
    assert not scanner.waits
    assert scanner.settle() == frozenset()


def test_an_answers_end_waits_for_nothing() -> None:
    scanner = StopScanner()
    assert scanner.feed(b"\x1bP>|term\x1b\\") == frozenset()
    assert not scanner.waits


def test_a_report_that_settled_half_way_is_still_read_to_its_end() -> None:
    scanner = StopScanner()
    scanner.feed(b"\x1b[")
    assert scanner.settle() == {StopKey.ESC}
    assert scanner.feed(b"120;5u") == {StopKey.CTRL_X}


# --- a key by itself ---------------------------------------------------------------------------------------------


@given(ANYTHING, st.sampled_from([*sorted(SHAPES), b"\x1b"]), st.data())
def test_whatever_came_before_a_stop_key_by_itself_is_heard(noise: bytes, shape: bytes, data: st.DataObject) -> None:
    """Half a sequence, a string without end, a paste, torn UTF-8: nothing that came hides what is typed after a pause."""
    scanner = StopScanner()
    for part in cut(noise, data):
        scanner.feed(part)
    scanner.settle()
    found = {key for part in cut(shape, data) for key in scanner.feed(part)} | scanner.settle()
    assert SHAPES.get(shape, StopKey.ESC) in found


@given(ANYTHING, st.sampled_from([shape for shape in sorted(SHAPES) if shape[0] == 0x1B or len(shape) == 1]), st.data())
def test_also_without_a_pause(noise: bytes, shape: bytes, data: st.DataObject) -> None:
    """A report or a control character needs none; behind an Esc the sequence is an Esc and a sequence."""
    scanner = StopScanner()
    found = {key for part in cut(noise + shape, data) for key in scanner.feed(part)}
    assert SHAPES[shape] in found


def test_mouse_reports_from_before_sgr_may_stop_and_hide_nothing() -> None:
    """Their three bytes may be anything: the first button's is a space. A stop too many."""
    assert feed(b"\x1b[M !!") == [StopKey.SPACE]
    assert feed(b"\x1b[M", b"C!!", b" ") == [StopKey.SPACE]
    assert feed(b"\x1b[M", b"\x1b[120;5u") == [StopKey.CTRL_X]


@pytest.mark.parametrize("paste", [b"\x1b[200~", b"\x1b[200~rrrr", b"\x1b[200~\x1b[201~"])
def test_a_paste_hides_no_stop_key(paste: bytes) -> None:
    for shape, key in SHAPES.items():
        assert feed(paste, shape) == [key]
        assert feed(paste + shape + b"\x1b[201~") == [key]


@pytest.mark.parametrize("behind", FUNCTION_KEYS + TERMINAL)
def test_an_esc_that_a_sequence_follows_cannot_hide_behind_it(behind: bytes) -> None:
    assert feed(b"\x1b" + behind) == [StopKey.ESC]  # a mouse that moves while Esc is pressed
    assert bytewise(b"\x1b" + behind) == [StopKey.ESC]


@pytest.mark.parametrize("behind", [b"y", b"\r", b"\x7f", b"1", "é".encode()])
def test_an_esc_before_what_begins_no_sequence_stops(behind: bytes) -> None:
    """On a slow line Esc and the next key come together; Alt with a letter looks the same, and stops too."""
    assert feed(b"\x1b" + behind) == [StopKey.ESC]


def test_an_esc_inside_a_report_begins_anew() -> None:
    scanner = StopScanner()
    assert scanner.feed(b"\x1b[12\x1b") == frozenset()
    assert scanner.settle() == {StopKey.ESC}
    assert feed(b"\x1b[12\x1b[32u") == [StopKey.SPACE]


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_any_bytes_are_survived_and_a_plain_space_after_them_stops(noise: bytes, more: bytes) -> None:
    scanner = StopScanner()
    scanner.feed(noise)
    assert StopKey.SPACE in scanner.feed(more + b" ")


@given(st.binary(max_size=300))
def test_what_is_kept_for_the_next_read_is_bounded(noise: bytes) -> None:
    scanner = StopScanner()
    for _ in range(3):
        scanner.feed(b"\x1b[" + b"1:" * 300 + b";2" * 300 + b";32" * 300 + b"9" * 300)
        assert len(pickle.dumps(scanner)) < 600
        scanner.feed(noise)
        assert len(pickle.dumps(scanner)) < 600


def test_a_stop_key_is_found_behind_an_unfinished_report() -> None:
    assert feed(b"\x1b[1", b"\x1b[120;", b"5u") == [StopKey.CTRL_X]
    assert feed(b"\x1b[120;", b" ") == [StopKey.SPACE]
    assert feed(b"\x1b[12\x9b32u") == [StopKey.SPACE]


@pytest.mark.parametrize("last", [b"u", b"~", b"_"])
def test_a_report_is_over_with_its_last_byte(last: bytes) -> None:
    whole = {b"u": b"\x1b[120;5u", b"~": b"\x1b[27;5;120~", b"_": b"\x1b[88;45;24_"}[last]
    assert feed(whole, b"u~_" + last) == [StopKey.CTRL_X]
