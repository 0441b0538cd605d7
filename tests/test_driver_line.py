"""The line between control loop and stop: what is written under the lock, under which number, and what never leaves."""

from __future__ import annotations

import pytest

from stimctl.boards.reference import messages as m
from stimctl.boards.reference.codec import STOP_FRAME, Decoder, encode
from stimctl.driver.line import LOCK_WAIT_S, Line
from stimctl.envelope.latch import approve
from stimctl.errors import LinkLost
from stimctl.pulse import Command
from stimctl.safety import Latch

FRAME = encode(m.StatusRequest(), sequence=1)


class Recorder:
    """A transport that notes what is done to it, and whether the line's lock was held meanwhile."""

    name = "recorder"

    def __init__(self) -> None:
        self.line: Line | None = None
        self.done: list[tuple[str, bool]] = []
        self.written: list[tuple[bytes, bool]] = []
        self.arriving = b""
        self.waiting = 0
        self.broken: LinkLost | None = None

    def _note(self, what: str) -> None:
        assert self.line is not None
        self.done.append((what, self.line._lock.locked()))
        if self.broken is not None:
            raise self.broken

    def write(self, data: bytes, *, urgent: bool = False) -> None:
        self.written.append((data, urgent))
        self._note("write")

    def read(self) -> bytes:
        self._note("read")
        return self.arriving

    def pending(self) -> int:
        return self.waiting

    def fileno(self) -> int | None:
        return 42

    def close(self) -> None:
        self._note("close")


@pytest.fixture
def latch() -> Latch:
    return Latch()


@pytest.fixture
def end() -> Recorder:
    return Recorder()


@pytest.fixture
def line(latch: Latch, end: Recorder) -> Line:
    end.line = Line(end, latch, first_sequence=7)
    return end.line


def test_everything_that_touches_the_link_holds_the_lock(line: Line, latch: Latch, end: Recorder) -> None:
    """Or a stop from another thread would tear a frame, or a setting leave between its check and its write."""
    line.say(FRAME)
    assert line.say_arm(FRAME, latch.epoch)
    assert line.say_approved(FRAME, approve(Command(()), latch.epoch, latch))
    line.hear()
    line.stop("key")
    line.close()
    assert end.done == [("write", True)] * 3 + [("read", True), ("write", True), ("close", True)]
    assert not line._lock.locked()


def test_a_stop_waits_50_ms_for_the_lock_and_then_goes_without_it(line: Line, end: Recorder) -> None:
    """Design: a stop that waits for a lock at all waits for at most 50 ms. Whoever sleeps with the lock keeps it."""
    assert LOCK_WAIT_S == 0.05
    line._lock.acquire()
    line.write_stop()
    assert end.written == [(STOP_FRAME, True)]
    assert line._lock.locked()
    line._lock.release()


def test_the_stop_overtakes_and_nothing_else_does(line: Line, latch: Latch, end: Recorder) -> None:
    line.say(FRAME)
    line.say_arm(FRAME, latch.epoch)
    line.write_stop()
    assert [urgent for _, urgent in end.written] == [False, False, True]


def test_a_stop_trips_the_latch_and_is_written(line: Line, latch: Latch, end: Recorder) -> None:
    line.stop("key")
    assert (latch.tripped, latch.reason) == (True, "key")
    assert end.written == [(STOP_FRAME, True)]


def test_the_stop_carries_the_sequence_that_it_says_it_does(line: Line, end: Recorder) -> None:
    before = line.stop_sequence
    line.write_stop()
    line.renew_stop()
    line.write_stop()
    frames = Decoder().feed(b"".join(data for data, _ in end.written))
    assert [(frame.sequence, frame.word) for frame in frames] == [(0, m.Stop()), (8, m.Stop())]
    assert (before, line.stop_sequence) == (0, 8)


@pytest.mark.parametrize(
    ("first", "following"), [(7, [8, 9]), (0xFFFD, [0xFFFE, 0xFFFF, 0, 1]), (0x1_0004, [5]), (0xFFFF_FFFF, [0])]
)
def test_sequences_count_up_by_one_modulo_65536(latch: Latch, end: Recorder, first: int, following: list[int]) -> None:
    line = Line(end, latch, first_sequence=first)
    assert [line.next_sequence() for _ in following] == following


@pytest.mark.parametrize("cleared", [False, True])
def test_nothing_is_armed_after_a_stop(line: Line, latch: Latch, end: Recorder, cleared: bool) -> None:
    """Cleared: the epoch tells. Not cleared: it does not help to have looked at the epoch after the trip."""
    before = latch.epoch
    latch.trip("key")
    if cleared:
        latch.clear()
    assert not line.say_arm(FRAME, before)
    assert cleared or not line.say_arm(FRAME, latch.epoch)
    assert end.written == []


def test_what_was_approved_before_a_stop_is_not_written(line: Line, latch: Latch, end: Recorder) -> None:
    permit = approve(Command(()), latch.epoch, latch)
    latch.trip("key")
    assert not line.say_approved(FRAME, permit)
    assert end.written == []


@pytest.mark.parametrize(("waiting", "busy"), [(0, False), (1, True), (2, True)])
def test_one_waiting_byte_makes_the_line_busy(line: Line, end: Recorder, waiting: int, busy: bool) -> None:
    end.waiting = waiting
    assert line.is_busy() is busy


def test_what_a_stop_ran_into_is_told_once_everything_was_read(line: Line, end: Recorder) -> None:
    end.broken = LinkLost("unplugged")
    line.stop("key")  # never raises: it is called from a thread that has to live on
    end.broken, end.arriving = None, b"last words"
    assert line.hear() == b"last words"
    end.arriving = b""
    with pytest.raises(LinkLost, match="unplugged"):
        line.hear()
    assert not line._lock.locked()


def test_select_waits_on_what_the_transport_says(line: Line) -> None:
    assert line.fileno() == 42
