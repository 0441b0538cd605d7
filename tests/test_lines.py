"""Lines of text out of bytes: bounded, printable, and the same however they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.boards.lines import Lines

LONGEST = 20


def lines(*pieces: bytes) -> tuple[list[str], Lines]:
    reader = Lines(LONGEST)
    return [line for piece in pieces for line in reader.feed(piece)], reader


@pytest.mark.parametrize(
    ("data", "read"),
    [
        (b"one\ntwo\r\n", ["one", "two"]),
        (b"\tblanks \r\n\n", ["blanks", ""]),
        (b"a\tb\n", ["a b"]),
        (b"half", []),
        (b"x" * LONGEST + b"\n", ["x" * LONGEST]),
    ],
)
def test_lines_are_read(data: bytes, read: list[str]) -> None:
    found, reader = lines(data)
    assert found == read
    assert reader.malformed == 0


@pytest.mark.parametrize(
    "bad", [b"\x1b[2Jclears a screen", b"bell\x07", b"\xff", "µ".encode(), b"a\x00b", b"a\rb", b"x" * (LONGEST + 1)]
)
def test_what_a_terminal_would_obey_is_dropped_and_counted(bad: bytes) -> None:
    found, reader = lines(b"before\n" + bad + b"\nafter\n")
    assert found == ["before", "after"]
    assert reader.malformed == 1


def test_a_line_without_an_end_is_not_kept() -> None:
    reader = Lines(LONGEST)
    for _ in range(100):
        assert reader.feed(b"x" * 7) == []
        assert reader.held <= LONGEST
    assert reader.malformed == 1
    assert reader.feed(b"still it\nnext\n") == ["next"]
    reader.feed(b"x" * 700)
    assert reader.malformed == 2


@given(st.lists(st.binary(max_size=30) | st.sampled_from([b"\n", b"a line\r\n"]), max_size=12))
def test_how_bytes_are_cut_makes_no_difference(pieces: list[bytes]) -> None:
    cut, reader = lines(*pieces)
    whole, other = lines(b"".join(pieces))
    assert cut == whole
    assert reader.malformed == other.malformed
    assert reader.held == other.held
