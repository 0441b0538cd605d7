"""Stop keys in a stream of bytes: every shape, every split, and nothing that is not one."""

from __future__ import annotations

import itertools
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.control.keys import StopKey, StopScanner

SHAPES = {
    b" ": StopKey.SPACE,
    b"\x18": StopKey.CTRL_X,
    b"\x03": StopKey.CTRL_C,
    b"\x00": StopKey.SPACE,
    b"\xc2\xa0": StopKey.SPACE,
    b"\x1a": StopKey.CTRL_Z,
    **{chr(code).encode(): StopKey.SPACE for code in (0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)},
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
    b"\x1b[13;5u", b"\x1b[127;5u", b"\x1b[1;1:3B", b"\x1b[Z",
)  # fmt: skip
LETTERS = (
    b"\x1b[120;1u",
    b"\x1b[120u",
    b"\x1b[99;3u",
    b"\x1b[97;1;97u",
    b"\x1b[97;5u",
    b"\x1b[1089u",
    b"\x1b[1089;2;1057u",
)
TERMINAL = (
    b"\x1b[<35;32;120M", b"\x1b[<0;99;5m", b"\x1b[<32;27;32M", b"\x1b[32;27;32M", b"\x1b[200~", b"\x1b[201~", b"\x1b[I", b"\x1b[O",
    b"\x1b[?2026;2$y", b"\x1b[48;24;80;0;0t", b"\x1b[?27u", b"\x1b[>32u", b"\x1b[24;80R", b"\x1b]11;rgb:ff/ff/ff\x1b\\", b"\x1b[?62;22c",
    b"\x1bP>|term(3.2)\x1b\\",
)  # fmt: skip
BROKEN = (b"\x1b[:;u", b"\x1b[;;;~", b"\x1b[u", b"\x1b[~", b"\x1b[27;;~")
HARMLESS = PLAIN_TEXT + FUNCTION_KEYS + LETTERS + TERMINAL + BROKEN
NOISE = st.lists(st.sampled_from(HARMLESS), max_size=6).map(b"".join)


def feed(*parts: bytes) -> list[StopKey]:
    scanner = StopScanner()
    return [key for part in parts for key in scanner.feed(part)]


def bytewise(data: bytes) -> list[StopKey]:
    return feed(*(bytes([byte]) for byte in data))


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
    assert parted.waits == whole.waits == noise.endswith(b"\x1b")


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
        scanner.feed(b"\x1b[" + b"1:" * 5000 + b";2" * 5000 + b"9" * 5000)
        assert len(pickle.dumps(scanner)) < 600
        scanner.feed(noise)
        assert len(pickle.dumps(scanner)) < 600


def test_a_stop_key_is_found_behind_an_unfinished_report() -> None:
    assert feed(b"\x1b[1", b"\x1b[120;", b"5u") == [StopKey.CTRL_X]
    assert feed(b"\x1b[120;", b" ") == [StopKey.SPACE]
