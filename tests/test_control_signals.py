"""Signals on their way to the stop thread: which ones, that none is lost or suspends, and that all are given back."""

from __future__ import annotations

import importlib.util
import select
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType

import pytest

from stimctl.control import signals as ours
from stimctl.control.signals import SignalPipe
from stimctl.errors import OurBug

posix = pytest.mark.skipif(not hasattr(signal, "SIGTSTP"), reason="a platform without job control")


@posix
def test_which_signals_stop_end_and_are_ignored() -> None:
    """Written out a second time: a name that is missing or misspelt is a signal that suspends, kills or is lost."""
    s = signal
    assert {s.SIGINT, s.SIGTSTP} == ours.STOPS
    assert {s.SIGTERM, s.SIGHUP, s.SIGQUIT, s.SIGALRM, s.SIGUSR1, s.SIGUSR2, s.SIGXCPU} == ours.ENDS
    assert {s.SIGPIPE, s.SIGTTIN, s.SIGTTOU} == ours.IGNORED
    assert {s.SIGINT, s.SIGQUIT, s.SIGTSTP, s.SIGTTIN, s.SIGTTOU, s.SIGCONT} == ours.FACE_BLOCKS


def test_names_that_a_platform_lacks_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "SIGBREAK", 21, raising=False)  # as on Windows
    monkeypatch.delattr(signal, "SIGUSR1", raising=False)
    assert ours._named("SIGINT", "SIGBREAK", "SIGUSR1") == {signal.SIGINT, 21}


@posix
@pytest.mark.parametrize("number", sorted(ours.STOPS | ours.ENDS))
def test_each_signal_comes_as_one_byte_with_its_number_and_does_nothing_else(number: int) -> None:
    with SignalPipe() as pipe:
        assert not select.select([pipe.fd], [], [], 0)[0]
        signal.raise_signal(number)
        assert select.select([pipe.fd], [], [], 0)[0]
        assert pipe.read() == bytes([number])
        assert pipe.read() == b""


@posix
def test_several_signals_come_in_order() -> None:
    with SignalPipe() as pipe:
        for number in (signal.SIGTSTP, signal.SIGTERM, signal.SIGINT):
            signal.raise_signal(number)
        assert pipe.read() == bytes([signal.SIGTSTP, signal.SIGTERM, signal.SIGINT])


@posix
@pytest.mark.parametrize("number", sorted(ours.IGNORED))
def test_a_read_in_the_background_or_a_broken_pipe_suspends_and_kills_nobody(number: int) -> None:
    before = signal.signal(number, signal.SIG_DFL)
    try:
        with SignalPipe():
            assert signal.getsignal(number) is signal.SIG_IGN
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, before)


def _handler() -> Callable[[int, FrameType | None], None]:
    def nothing(_number: int, _frame: FrameType | None) -> None:
        pass

    return nothing


@posix
def test_every_handler_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was set from C is told as None, which Python cannot set: the default is what is left."""
    numbers = sorted(ours.STOPS | ours.ENDS)
    before = {number: signal.getsignal(number) for number in numbers}
    mine = {number: _handler() for number in numbers}
    real = signal.signal
    try:
        for number, handler in mine.items():
            signal.signal(number, handler)
        with monkeypatch.context() as patch:
            patch.setattr(signal, "signal", lambda number, new: None if number == signal.SIGUSR2 else real(number, new))
            pipe = SignalPipe().__enter__()
        pipe.__exit__(None, None, None)
        assert signal.getsignal(signal.SIGUSR2) is signal.SIG_DFL
        del mine[signal.SIGUSR2]
        assert {number: signal.getsignal(number) for number in mine} == mine
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def test_the_wake_up_descriptor_is_given_back_and_both_ends_are_closed() -> None:
    near, far = socket.socketpair()
    near.setblocking(False)
    before = signal.set_wakeup_fd(near.fileno(), warn_on_full_buffer=False)
    try:
        with SignalPipe() as pipe:
            ends = pipe._read, pipe._write
        assert signal.set_wakeup_fd(-1) == near.fileno()
        assert [end.fileno() for end in ends] == [-1, -1]
    finally:
        signal.set_wakeup_fd(before)
        near.close()
        far.close()


@posix
def test_more_signals_than_the_pipe_holds_neither_block_nor_complain(capfd: pytest.CaptureFixture[str]) -> None:
    """A full pipe has the stop in it already; a handler that waited for room would hold up the main thread."""
    with SignalPipe() as pipe:
        pipe._write.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        for _ in range(1_000):
            signal.raise_signal(signal.SIGINT)
        assert signal.SIGINT in pipe.read()
    assert capfd.readouterr().err == ""


def test_signals_are_watched_from_the_main_thread_alone() -> None:
    """Elsewhere the handlers could not be set, and the session would have begun without Ctrl+C."""
    refused: list[str] = []

    def elsewhere() -> None:
        try:
            SignalPipe()
        except OurBug as error:
            refused.append(str(error))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert len(refused) == 1
    assert "main thread" in refused[0]


def test_where_there_is_a_break_key_it_ends_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows: the same module, begun where signal has that name."""
    monkeypatch.setattr(signal, "SIGBREAK", 21, raising=False)
    assert ours.__spec__ is not None
    assert ours.__spec__.loader is not None
    there = importlib.util.module_from_spec(ours.__spec__)
    ours.__spec__.loader.exec_module(there)
    assert {21} == there.ENDS - ours.ENDS
