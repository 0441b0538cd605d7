"""The stop thread by itself: what each of its sources means, on a clock that only the test moves."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from stimctl.control import stopping
from stimctl.control.contract import Ending
from stimctl.control.stopping import AGAIN_S, ESCAPE_S, StopThread


class Session:
    """Notes what it is told; the list also gets what else happens, in its order."""

    def __init__(self, deeds: list[str]) -> None:
        self.deeds, self.may_be_energised = deeds, True
        self.error: Exception | None = None

    def stop_now(self, reason: str) -> None:
        self.deeds.append(reason)
        if self.error is not None:
            raise self.error


class Signals:
    """What a SignalPipe is to the stop thread."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair()
        self.fd = self.near.fileno()

    def read(self) -> bytes:
        return self.near.recv(100)


class Forwarder:
    def __init__(self, deeds: list[str]) -> None:
        self.deeds, self.flushed = deeds, 0

    def send(self, data: bytes) -> None:
        self.deeds.append(f"forwarded {data!r}")

    def flush(self) -> None:
        self.flushed += 1


class Bench:
    """A stop thread that was not started: each pass is the test's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1_000.0
        monkeypatch.setattr("stimctl.control.stopping.time.monotonic", lambda: self.now_s)
        self.deeds: list[str] = []
        self.session, self.signals = Session(self.deeds), Signals()
        self.forward = Forwarder(self.deeds)
        self.keys, self.terminal = os.pipe()
        self.screen, self.face = socket.socketpair()
        self.stop = StopThread(self.session, self.signals, lambda: self.deeds.append("woken"))  # type: ignore[arg-type]
        self.stop.watch_terminal(self.keys, self.forward)  # type: ignore[arg-type]
        self.stop.watch_screen(self.screen)
        self.waits: list[float | None] = []
        select = self.stop._selector.select

        def noted(timeout: float | None = None) -> Any:
            self.waits.append(timeout)
            return select(0)

        monkeypatch.setattr(self.stop._selector, "select", noted)

    def passed(self, later_s: float = 0.0) -> list[str]:
        """One pass, some time later; what it did."""
        self.now_s += later_s
        self.deeds.clear()
        assert self.stop._pass() is False
        return list(self.deeds)

    def typed(self, data: bytes) -> list[str]:
        os.write(self.terminal, data)
        return self.passed()

    def signalled(self, *numbers: int) -> list[str]:
        self.signals.far.send(bytes(numbers))
        return self.passed()

    def hang_up(self) -> None:
        os.close(self.terminal)
        self.terminal = -1

    def close(self) -> None:
        self.stop.quit()
        for fd in (self.keys, self.terminal):
            if fd >= 0:
                os.close(fd)
        for each in (self.screen, self.face, self.signals.near, self.signals.far):
            each.close()


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    made = Bench(monkeypatch)
    yield made
    made.close()


# --- as it begins ----------------------------------------------------------------------------------------------


def test_nothing_has_happened_yet(bench: Bench) -> None:
    stop = bench.stop
    assert (stop.ending, stop.failure, stop.stops, stop.reason) == (None, None, 0, "")
    assert stop.due_s == float("inf")
    assert stop.daemon  # a process that ends in an error does not hang on it
    assert stop.name == "stimctl-stop"
    assert bench.passed() == []
    assert bench.forward.flushed == 1


def test_its_times_and_numbers() -> None:
    assert (AGAIN_S, ESCAPE_S, stopping._LOOK_S, stopping._INT) == (2.0, 0.05, 0.05, signal.SIGINT)


# --- the terminal ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        (b" ", "Space pressed"),
        (b"\x18", "Ctrl+X pressed"),
        (b"\x1a", "Ctrl+Z pressed"),
        (b"\x03", "Ctrl+C pressed"),
        (b" \x18", "Ctrl+X pressed"),
        (b" \x03\x18", "Ctrl+C pressed"),
    ],
)
def test_a_stop_key_stops_then_wakes_then_is_passed_on(bench: Bench, typed: bytes, reason: str) -> None:
    assert bench.typed(typed) == [reason, "woken", f"forwarded {typed!r}"]
    assert (bench.stop.stops, bench.stop.reason, bench.stop.ending) == (1, reason, None)


def test_any_other_key_is_only_passed_on(bench: Bench) -> None:
    assert bench.typed(b"qQ\r") == ["forwarded b'qQ\\r'"]
    assert bench.stop.stops == 0


def test_a_terminal_without_a_face_is_read_all_the_same(bench: Bench) -> None:
    bench.stop._forward = None
    assert bench.typed(b"a ") == ["Space pressed", "woken"]


def test_a_terminal_that_has_gone_ends_the_session_once(bench: Bench) -> None:
    bench.hang_up()
    assert bench.passed() == ["the terminal has gone", "woken"]
    assert bench.stop.ending == Ending("the terminal has gone", 129)
    assert bench.passed() == []


def test_a_terminal_that_cannot_be_read_has_gone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(fd: int, size: int) -> bytes:
        raise OSError(5, "input/output error")

    os.write(bench.terminal, b"a")
    monkeypatch.setattr("stimctl.control.stopping.os.read", fail)
    assert bench.passed() == ["the terminal has gone", "woken"]


def test_a_terminal_that_was_read_by_somebody_else_meanwhile_has_not_gone(bench: Bench) -> None:
    os.set_blocking(bench.keys, False)
    bench.stop._on_terminal(bench.keys)
    assert bench.deeds == []
    assert bench.typed(b" ")[0] == "Space pressed"


def test_the_wait_is_50_ms_and_shorter_while_an_esc_is_open(bench: Bench) -> None:
    bench.typed(b"\x1b")
    bench.passed(0.02)
    assert bench.passed(0.04) == ["Esc pressed", "woken"]
    assert bench.passed() == []
    bench.typed(b"\x1b")
    assert bench.typed(b"[A") == ["forwarded b'[A'"]
    assert bench.passed(1) == []
    assert bench.waits == pytest.approx([0.05, 0.03, 0.0, 0.05, 0.05, 0.05, 0.05])


def test_an_esc_is_the_key_from_the_very_moment_on_at_which_it_is_due(bench: Bench) -> None:
    """A wait that ends on time must not be followed by one of no time at all."""
    bench.typed(b"\x1b")
    assert bench.passed(ESCAPE_S) == ["Esc pressed", "woken"]


# --- signals ---------------------------------------------------------------------------------------------------


def test_signals(bench: Bench) -> None:
    assert bench.signalled(signal.SIGTSTP) == ["Ctrl+Z pressed; stimctl does not suspend", "woken"]
    assert bench.signalled(200) == []
    assert bench.stop.ending is None
    assert bench.signalled(signal.SIGTERM, signal.SIGHUP) == [
        "ended by signal 15",
        "woken",
        "ended by signal 1",
        "woken",
    ]
    assert bench.stop.ending == Ending("ended by signal 15", 143)
    assert bench.stop.reason == "Ctrl+Z pressed; stimctl does not suspend"
    assert bench.stop.stops == 3


@pytest.mark.parametrize("by_key", [False, True])
def test_a_second_ctrl_c_within_two_seconds_ends(bench: Bench, by_key: bool) -> None:
    """The byte and the signal are the same key. The time counts from the press before, not from the first."""

    def press(later_s: float) -> list[str]:
        bench.now_s += later_s
        return bench.typed(b"\x03")[:-1] if by_key else bench.signalled(signal.SIGINT)

    pressed = ["Ctrl+C pressed", "woken"]
    assert press(0.0) == pressed
    assert press(AGAIN_S) == pressed
    assert bench.stop.ending is None
    assert press(AGAIN_S - 0.001) == ["ended by a second Ctrl+C", "woken"]
    assert bench.stop.ending == Ending("ended by a second Ctrl+C", 130)


def test_everything_that_is_there_is_dealt_with_in_one_pass(bench: Bench) -> None:
    """A terminal that floods does not keep a signal or the screen waiting."""
    os.write(bench.terminal, b"a")
    bench.face.send(b"x")
    deeds = bench.signalled(signal.SIGTSTP)
    stops = ["STOP pressed on the screen", "Ctrl+Z pressed; stimctl does not suspend"]
    assert sorted(deeds) == sorted(["forwarded b'a'", *stops, "woken", "woken"])


# --- the screen ------------------------------------------------------------------------------------------------


def test_any_byte_of_the_face_stops(bench: Bench) -> None:
    bench.face.send(b"x")
    assert bench.passed() == ["STOP pressed on the screen", "woken"]
    assert bench.passed() == []


def test_a_face_that_has_gone_wakes_the_loop_once_and_stops_nothing_by_itself(bench: Bench) -> None:
    bench.face.close()
    assert bench.passed() == ["woken"]
    assert bench.passed() == []
    assert bench.stop.stops == 0


class Line:
    """A line that fails as it is read."""

    def __init__(self, end: socket.socket, error: OSError) -> None:
        self.end, self.error = end, error

    def fileno(self) -> int:
        return self.end.fileno()

    def recv(self, size: int) -> bytes:
        raise self.error


@pytest.mark.parametrize(("error", "deeds"), [(BlockingIOError(), []), (ConnectionResetError(), ["woken"])])
def test_a_line_that_fails_has_gone_and_one_that_has_nothing_has_not(
    bench: Bench, error: OSError, deeds: list[str]
) -> None:
    near, far = socket.socketpair()
    line = Line(near, error)
    bench.stop.watch_screen(line)  # type: ignore[arg-type]
    far.send(b"x")
    assert bench.passed() == deeds
    assert bench.passed() == []
    near.close()
    far.close()


# --- the control loop ------------------------------------------------------------------------------------------


def test_a_loop_that_is_a_quarter_of_a_second_overdue_is_stopped_once(bench: Bench) -> None:
    """Half of the board's dead-man at its longest, so that the stop comes before the board has to help itself."""
    bench.stop.due_s = bench.now_s
    assert bench.passed(0.25) == []
    assert bench.passed(0.001) == ["the control loop stalled", "woken"]
    assert bench.passed(1) == []
    bench.stop.due_s = bench.now_s + 1
    assert bench.passed() == []
    assert bench.passed(1.3) == ["the control loop stalled", "woken"]  # another stall, another stop


def test_a_loop_may_be_late_while_output_is_off(bench: Bench) -> None:
    bench.session.may_be_energised = False
    bench.stop.due_s = bench.now_s
    assert bench.passed(10) == []


def test_without_a_face_the_loop_is_watched_all_the_same(bench: Bench) -> None:
    bench.stop._forward = None
    bench.stop.due_s = bench.now_s
    assert bench.passed(1) == ["the control loop stalled", "woken"]


# --- what goes wrong -------------------------------------------------------------------------------------------


def test_a_session_that_fails_to_stop_wakes_the_loop_with_the_error(bench: Bench) -> None:
    bench.session.error = OSError("planted")
    assert bench.typed(b" ")[:2] == ["Space pressed", "woken"]
    assert bench.stop.failure is bench.session.error
    assert bench.stop.stops == 1


@pytest.mark.parametrize(("priority", "asked"), [(0, ["short"]), (7, ["real 7"])])
def test_it_asks_for_its_priority_and_quits(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, priority: int, asked: list[str]
) -> None:
    got: list[str] = []
    monkeypatch.setattr(stopping, "real_time", lambda priority: got.append(f"real {priority}"))
    monkeypatch.setattr(stopping, "short_slice", lambda: got.append("short"))
    stop = StopThread(bench.session, bench.signals, lambda: None, priority=priority)  # type: ignore[arg-type]
    stop._quit_write.send(b"q")
    stop.run()
    assert got == asked
    stop.quit()
    assert [stop._quit_read.fileno(), stop._quit_write.fileno()] == [-1, -1]
    assert stop._selector.get_map() is None
    assert bench.deeds == []


@pytest.mark.parametrize("alive", [False, True])
def test_quitting_waits_for_a_thread_that_runs(bench: Bench, monkeypatch: pytest.MonkeyPatch, alive: bool) -> None:
    stop = StopThread(bench.session, bench.signals, lambda: None)  # type: ignore[arg-type]
    waited: list[bool] = []
    monkeypatch.setattr(stop, "is_alive", lambda: alive)
    stop._quit_read.setblocking(False)
    monkeypatch.setattr(stop, "join", lambda: waited.append(len(stop._quit_read.recv(8)) == 1))
    stop.quit()
    assert waited == [True] * alive, "told first, and waited for before its line is closed"


def test_without_a_terminal_there_is_nothing_to_pass_on(bench: Bench) -> None:
    stop = StopThread(bench.session, bench.signals, lambda: None)  # type: ignore[arg-type]
    stop._look()
    stop.quit()
    assert bench.deeds == []


def test_the_usual_priority_is_the_ordinary_one(bench: Bench) -> None:
    assert bench.stop._priority == 0


def test_a_watch_that_fails_ends_the_session_and_watches_on_for_signals(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, error = bench.stop, ZeroDivisionError("planted")

    def fail(timeout: float | None = None) -> Any:
        raise error

    monkeypatch.setattr(stop._selector, "select", fail)
    stop.due_s = bench.now_s - 1
    bench.signals.far.send(bytes([signal.SIGTSTP]))
    bench.session.may_be_energised = False
    passes = iter([False, True])
    real = stop._pass

    def counted() -> bool:
        done = next(passes)
        if not done:
            return real()
        bench.deeds.append("again")
        assert stop.due_s == float("inf")  # the loop will not tell any more when it is due
        os.write(bench.terminal, b" ")  # nobody reads the terminal any more
        bench.face.send(b"x")
        assert real() is False
        stop._quit_write.send(b"q")
        return real()

    monkeypatch.setattr(stop, "_pass", counted)
    stop.run()
    assert stop.failure is error
    assert stop.ending == Ending("the stop watch failed", 1)
    assert bench.deeds == [
        *("the stop watch failed", "woken", "again"),
        *("Ctrl+Z pressed; stimctl does not suspend", "woken"),
    ]
