"""Stop keys in a stream of bytes: every shape, every split, and nothing that is not one."""

from __future__ import annotations

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
    "\u3000".encode(): StopKey.SPACE,
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
    # xterm's modifyOtherKeys
    b"\x1b[27;5;99~": StopKey.CTRL_C,
    b"\x1b[27;6;88~": StopKey.CTRL_X,
    b"\x1b[27;5;120~": StopKey.CTRL_X,
    b"\x1b[27;2;32~": StopKey.SPACE,
    b"\x1b[27;5;32~": StopKey.SPACE,
}
HARMLESS = (
    b"x", b"c", b"\r", b"\t", b"\x1b", b"\x1b[A", b"\x1bOP", b"\x1b[15~", b"\x1b[32~", b"\x1b[27;5~", b"\x1b[120;1u",
    b"\x1b[120u", b"\x1b[99;3u", b"\x1b[97;1;97u", b"\x1b[<35;32;120M", b"\x1b[<0;99;5m", b"\x1b[200~", b"\x1b[201~",
    b"\x1b[?2026;2$y", b"\x1b[48;24;80;0;0t", b"\x1b[I", b"\x1b[O", "µäß€𝄞".encode(), b"\x1b[:;u", b"\x1b[;;;~",
)  # fmt: skip
NOISE = st.lists(st.sampled_from(HARMLESS[:-6]), max_size=6).map(b"".join)


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


@given(NOISE, st.sampled_from(sorted(SHAPES)), NOISE, st.data())
def test_found_once_within_anything_however_it_is_cut(
    before: bytes, shape: bytes, after: bytes, data: st.DataObject
) -> None:
    whole = before + shape + after
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    parts = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    # A lone ESC right before a report is the start of something else to a terminal; the report still counts.
    assert feed(*parts) == [SHAPES[shape]]


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_any_bytes_are_survived_and_a_plain_space_after_them_stops(noise: bytes, more: bytes) -> None:
    scanner = StopScanner()
    scanner.feed(noise)
    assert StopKey.SPACE in scanner.feed(more + b" ")


@given(st.binary(max_size=300))
def test_what_is_kept_for_the_next_read_is_bounded(noise: bytes) -> None:
    scanner = StopScanner()
    scanner.feed(b"\x1b[" + b"1;" * 500 + noise)
    assert len(scanner._kept) <= 64


def test_a_stop_key_is_found_behind_an_unfinished_report() -> None:
    assert feed(b"\x1b[1", b"\x1b[120;", b"5u") == [StopKey.CTRL_X]
    assert feed(b"\x1b[120;", b" ") == [StopKey.SPACE]
