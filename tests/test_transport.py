"""One battery for every way to a board: memory, a twin in this process, pseudo-terminal, the way of Windows, TCP, RFC 2217.

Each names its facts; what is particular to one stands below it.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import socket
import subprocess
import sys
import threading
import time
import tty
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from contextlib import nullcontext
from enum import Enum
from pathlib import Path
from typing import ClassVar

import pytest
import serial

from stimctl.errors import LinkLost, StimctlError, UsageError
from stimctl.sim.link import SimLink
from stimctl.transport import TAIL_MAX, Transport, address, memory_pair, open_transport
from stimctl.transport import port as port_module
from stimctl.transport.link import Tailed

STOP = b"\xc0STOP\xc0"


class Peer(ABC):
    """The board's end of a link, as raw as it gets."""

    @abstractmethod
    def say(self, data: bytes) -> None: ...

    @abstractmethod
    def hear(self) -> bytes: ...

    @abstractmethod
    def hang_up(self) -> None: ...

    def hear_all(self, link: Transport, size: int) -> bytes:
        """Read ``size`` bytes, while the link pushes on what waits; fails by the hang guard if they never come."""
        heard = b""
        while len(heard) < size:
            link.read()
            heard += self.hear()
        return heard


class DescriptorPeer(Peer):
    def __init__(self, fd: int) -> None:
        self.fd = fd
        os.set_blocking(fd, False)

    def say(self, data: bytes) -> None:
        assert os.write(self.fd, data) == len(data)

    def hear(self) -> bytes:
        try:
            return os.read(self.fd, 65_536)
        except BlockingIOError:
            return b""

    def hang_up(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class TwinPeer(Peer):
    """A twin that says and hears what a test wants."""

    def __init__(self) -> None:
        self.link: SimLink[TwinPeer] = SimLink(self, lambda: 0)
        self._heard: deque[bytes] = deque()
        self._said = b""

    def feed(self, data: bytes, now_us: int) -> None:
        self._heard.append(data)

    def advance(self, now_us: int) -> None: ...

    def outgoing(self) -> bytes:
        said, self._said = self._said, b""
        return said

    def next_event_us(self, now_us: int) -> int | None:
        return now_us if self._said else None

    def say(self, data: bytes) -> None:
        self._said += data

    def hear(self) -> bytes:
        return b"".join(self._heard.popleft() for _ in range(len(self._heard)))

    def hang_up(self) -> None:
        self.link.close()


class MemoryPeer(Peer):
    def __init__(self, end: Transport) -> None:
        self.end = end

    def say(self, data: bytes) -> None:
        self.end.write(data)

    def hear(self) -> bytes:
        return self.end.read()

    def hang_up(self) -> None:
        self.end.close()


def patiently(read: Transport, size: int) -> bytes:
    """Bytes on their way through the system may take a moment."""
    heard = b""
    while len(heard) < size:
        heard += read.read()
    return heard


def until_lost(link: Transport) -> bytes:
    """Read until the link is lost; returns what came before."""
    heard = b""
    while True:
        try:
            heard += link.read()
        except LinkLost:
            return heard


class Full(Enum):
    """What becomes of a link whose peer does not read."""

    WAITS = "what the peer does not take waits"
    NEVER = "the peer takes whatever comes"
    LOST = "it is lost, since nobody can tell how much of a frame has left"


class Battery:
    """What holds for every transport. ``selectable``: there is something that ``select`` can wait on."""

    full: ClassVar[Full] = Full.WAITS
    selectable: ClassVar[bool] = True

    @pytest.fixture
    def ends(self) -> Iterator[tuple[Transport, Peer]]:
        raise NotImplementedError

    def saturate(self, link: Transport) -> int:
        """Write until the peer takes no more; returns how much was handed over."""
        written = 0
        while link.pending() == 0 and not (self.full is Full.NEVER and written > 2 * TAIL_MAX):
            link.write(b"x" * 200)
            written += 200
        return written

    def is_lost_when_full(self, link: Transport) -> bool:
        """Whether such a link is one; then it is shown to be."""
        if self.full is not Full.LOST:
            return False
        with pytest.raises(LinkLost, match="takes no more"):
            self.saturate(link)
        return True

    def test_bytes_arrive_in_order_both_ways(self, ends: tuple[Transport, Peer]) -> None:
        link, peer = ends
        assert link.read() == b""
        link.write(b"one")
        link.write(b"two", urgent=False)
        assert peer.hear_all(link, 6) == b"onetwo"
        peer.say(bytes(range(256)))
        assert patiently(link, 256) == bytes(range(256))

    def test_a_peer_that_does_not_read_never_makes_us_wait(self, ends: tuple[Transport, Peer]) -> None:
        link, peer = ends
        if self.is_lost_when_full(link):
            return
        written = self.saturate(link)
        assert 0 < link.pending() <= 200 or self.full is Full.NEVER
        assert len(peer.hear_all(link, written)) == written
        assert link.pending() == 0

    def test_what_waits_is_bounded(self, ends: tuple[Transport, Peer]) -> None:
        link, _ = ends
        if self.is_lost_when_full(link):
            return
        self.saturate(link)
        with pytest.raises(LinkLost, match="takes no more") if self.full is Full.WAITS else nullcontext():
            for _ in range(TAIL_MAX):
                link.write(b"y" * 100)
        assert link.pending() <= (TAIL_MAX if self.full is Full.WAITS else 0)

    def test_an_urgent_write_overtakes_what_waits(self, ends: tuple[Transport, Peer]) -> None:
        link, peer = ends
        if self.is_lost_when_full(link):
            return
        written = self.saturate(link)
        waiting = link.pending()
        link.write(STOP, urgent=True)
        heard = b""
        while not heard.endswith(STOP):
            link.read()
            heard += peer.hear()
        assert len(heard) <= written - waiting + len(STOP)
        assert heard[: -len(STOP)] == b"x" * (len(heard) - len(STOP))
        link.write(b"after")
        assert peer.hear_all(link, 5) == b"after"

    def test_many_urgent_writes_to_a_deaf_peer_pile_nothing_up(self, ends: tuple[Transport, Peer]) -> None:
        link, _ = ends
        if self.is_lost_when_full(link):
            return
        self.saturate(link)
        for _ in range(2_000):
            link.write(STOP, urgent=True)
        assert link.pending() <= len(STOP)

    def test_a_peer_that_hangs_up_is_one_error_whatever_is_tried(self, ends: tuple[Transport, Peer]) -> None:
        link, peer = ends
        peer.say(b"last words")
        peer.hang_up()
        heard = until_lost(link)
        # A pseudo-terminal throws away what its other end has not read, and RFC 2217's reader takes a byte at a time.
        assert b"last words".startswith(heard)
        for _ in range(3):
            with pytest.raises(LinkLost):
                link.read()
        with pytest.raises(LinkLost):
            for _ in range(1_000):  # a socket takes bytes until it hears that nobody is there
                link.write(b"z" * 200, urgent=True)
        link.close()

    def test_close_is_idempotent_and_final(self, ends: tuple[Transport, Peer]) -> None:
        link, _ = ends
        link.close()
        link.close()
        for call in (link.read, lambda: link.write(b"x"), lambda: link.write(b"x", urgent=True)):
            with pytest.raises(LinkLost, match=r"closed|unplugged"):
                call()
        assert link.fileno() is None

    def test_closing_is_heard_at_the_other_end_after_the_last_bytes(self, ends: tuple[Transport, Peer]) -> None:
        link, peer = ends
        link.write(b"bye")
        heard = peer.hear_all(link, 3)
        link.close()
        assert heard == b"bye"

    def test_an_urgent_write_beside_a_writing_thread_arrives_whole(self, ends: tuple[Transport, Peer]) -> None:
        """Without any lock, as a stop does when it cannot get one."""
        link, peer = ends
        begin, end, done = threading.Semaphore(0), threading.Semaphore(0), threading.Event()

        def chatter() -> None:
            while begin.acquire() and not done.is_set():
                for _ in range(40):  # not so much that the link is ever full: that is another test
                    link.write(b"u" * 50)
                end.release()

        thread = threading.Thread(target=chatter)
        thread.start()
        heard = b""
        try:
            for _ in range(50):
                begin.release()
                link.write(STOP, urgent=True)
                while STOP not in heard:
                    heard += peer.hear()
                heard = heard.split(STOP, 1)[1]
                assert end.acquire(timeout=10)
        finally:
            done.set()
            begin.release()
            thread.join()

    def test_fileno_wakes_a_select(self, ends: tuple[Transport, Peer]) -> None:
        link, peer = ends
        fd = link.fileno()
        assert (fd is not None) is self.selectable
        assert fd is None or select.select([fd], [], [], 0)[0] == []
        peer.say(b"!")
        assert fd is None or select.select([fd], [], [], 10)[0] == [fd]
        assert patiently(link, 1) == b"!"


class TestTwinInThisProcess(Battery):
    full = Full.NEVER
    selectable = False

    @pytest.fixture
    def ends(self) -> Iterator[tuple[Transport, Peer]]:
        peer = TwinPeer()
        yield peer.link, peer
        peer.link.close()


class TestMemory(Battery):
    selectable = False

    @pytest.fixture
    def ends(self) -> Iterator[tuple[Transport, Peer]]:
        ours, theirs = memory_pair(capacity=10_000)
        yield ours, MemoryPeer(theirs)
        ours.close()

    def test_both_ends_have_names(self) -> None:
        assert {end.name for end in memory_pair()} == {"memory a", "memory b"}


@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
class TestTerminal(Battery):
    @pytest.fixture
    def terminal(self) -> Iterator[tuple[DescriptorPeer, str]]:
        master, slave = pty.openpty()
        tty.setraw(slave)
        path = os.ttyname(slave)
        os.close(slave)
        peer = DescriptorPeer(master)
        yield peer, path
        peer.hang_up()

    @pytest.fixture
    def ends(self, terminal: tuple[DescriptorPeer, str]) -> Iterator[tuple[Transport, Peer]]:
        peer, path = terminal
        link = open_transport(path)
        yield link, peer
        link.close()

    def test_a_second_program_is_kept_out(self, ends: tuple[Transport, Peer]) -> None:
        link, _ = ends
        with pytest.raises(UsageError, match="in use by another program"):
            open_transport(link.name)

    def test_the_lock_goes_with_the_port(self, terminal: tuple[DescriptorPeer, str]) -> None:
        for _ in range(2):
            open_transport(terminal[1]).close()

    def test_a_link_to_a_terminal_is_a_port(self, terminal: tuple[DescriptorPeer, str], tmp_path: Path) -> None:
        (tmp_path / "board").symlink_to(terminal[1])
        link = open_transport(str(tmp_path / "board"))
        link.write(b"x")
        assert terminal[0].hear_all(link, 1) == b"x"
        link.close()

    def test_every_byte_passes_unchanged(self, ends: tuple[Transport, Peer]) -> None:
        """No flow control, no line ends: 0x11, 0x13, 0x0A, 0x0D and 0x03 are bytes like others."""
        link, peer = ends
        link.write(bytes(range(256)))
        assert peer.hear_all(link, 256) == bytes(range(256))

    def test_an_urgent_write_empties_the_systems_buffer_too(self, ends: tuple[Transport, Peer]) -> None:
        if sys.platform != "linux":
            pytest.skip("what tcflush does to a pseudo-terminal is Linux's own")
        link, peer = ends
        written = self.saturate(link)
        link.write(STOP, urgent=True)
        heard = b""
        while not heard.endswith(STOP):
            heard += peer.hear()
        assert len(heard) < written / 2


@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
class TestThroughPyserialAlone(Battery):
    """As on Windows, over a terminal."""

    full = Full.LOST
    selectable = False

    @pytest.fixture
    def ends(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Transport, Peer]]:
        monkeypatch.setattr(port_module, "_descriptor", lambda _: None)
        master, slave = pty.openpty()
        tty.setraw(slave)
        peer = DescriptorPeer(master)
        link = open_transport(os.ttyname(slave))
        os.close(slave)
        yield link, peer
        link.close()
        peer.hang_up()


class TestSocket(Battery):
    @pytest.fixture(autouse=True)
    def _no_pause(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """pyserial waits 0.3 s after closing a socket; nothing here is about that."""
        monkeypatch.setattr(time, "sleep", lambda _: None)

    @pytest.fixture
    def ends(self) -> Iterator[tuple[Transport, Peer]]:
        with socket.create_server(("127.0.0.1", 0)) as server:
            link = open_transport(f"socket://127.0.0.1:{server.getsockname()[1]}")
            peer = DescriptorPeer(server.accept()[0].detach())
        yield link, peer
        link.close()
        peer.hang_up()

    def test_a_stop_does_not_wait_for_the_peers_acknowledgement(self, ends: tuple[Transport, Peer]) -> None:
        fd = ends[0].fileno()
        assert fd is not None
        with socket.socket(fileno=os.dup(fd)) as connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


# --- a battery that passes everything would be none --------------------------------------------------------------


def _queued(self: Tailed, data: bytes, *, urgent: bool = False) -> None:
    """A stop waits for its turn."""
    del urgent
    _WRITE(self, data)


def _hoarded(self: Tailed, data: bytes, *, urgent: bool = False) -> None:
    """There is always room for more."""
    del urgent
    self._tail += data[0 if self._tail else self._push(data) :]


def _never_closed(self: Tailed) -> None:
    """What is closed is open all the same."""


_WRITE = Tailed.write


@pytest.mark.parametrize(
    ("name", "fault", "test"),
    [
        ("write", _queued, "test_an_urgent_write_overtakes_what_waits"),
        ("write", _hoarded, "test_what_waits_is_bounded"),
        ("write", _hoarded, "test_many_urgent_writes_to_a_deaf_peer_pile_nothing_up"),
        ("close", _never_closed, "test_close_is_idempotent_and_final"),
    ],
)
def test_a_bad_transport_fails(name: str, fault: object, test: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = memory_pair(capacity=10_000)
    monkeypatch.setattr(Tailed, name, fault)
    with pytest.raises((AssertionError, LinkLost, pytest.fail.Exception)):
        getattr(TestMemory(), test)((ours, MemoryPeer(theirs)))


# --- through pyserial alone, as on Windows and for rfc2217 -----------------------------------------------------


class TestLoop:
    @pytest.fixture(autouse=True)
    def _echo_is_a_port(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """No user may open it, but it is the one port without a descriptor that every system has."""
        monkeypatch.setattr(address, "check", lambda _url: None)

    def test_what_is_said_comes_back(self) -> None:
        link = open_transport("loop://")
        link.write(b"echo")
        assert patiently(link, 4) == b"echo"
        assert link.fileno() is None
        link.close()
        link.close()

    def test_a_full_port_is_lost_and_not_waited_for(self) -> None:
        link = open_transport("loop://")
        with pytest.raises(LinkLost):
            for _ in range(100):
                link.write(b"x" * 100)
        link.close()

    def test_a_closed_port_is_lost(self) -> None:
        link = open_transport("loop://")
        link._port.close()  # type: ignore[attr-defined]
        for call in (link.read, lambda: link.write(b"x"), lambda: link.write(b"x", urgent=True)):
            with pytest.raises(LinkLost):
                call()

    @pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
    @pytest.mark.parametrize("urgent", [False, True])
    def test_windows_way_over_a_terminal(self, urgent: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(port_module, "_descriptor", lambda _: None)
        master, slave = pty.openpty()
        tty.setraw(slave)
        peer = DescriptorPeer(master)
        link = open_transport(os.ttyname(slave))
        os.close(slave)
        link.write(b"hello", urgent=urgent)
        assert peer.hear_all(link, 5) == b"hello"
        peer.say(b"back")
        assert patiently(link, 4) == b"back"
        peer.hang_up()
        assert until_lost(link) == b""
        link.close()

    def test_a_port_without_room_is_not_written_to(self) -> None:
        """rfc2217's own write would block in sendall; so its socket is asked first."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            with pytest.raises(BlockingIOError):
                while True:
                    ours.send(b"x" * 1_000)
            port = serial.serial_for_url("loop://", timeout=0)
            port._socket = ours  # type: ignore[attr-defined]
            link = port_module._PyserialPort("net", port)
            link.write(b"waits")
            assert link.pending() == 5
            link.write(STOP, urgent=True)
            assert link.pending() == len(STOP)
            while not ours.fileno() < 0 and not select.select((), (ours,), (), 0)[1]:
                theirs.recv(65_536)
            assert link.read() == b""
            assert link.pending() == 0
            assert link.read() == STOP
            link.close()


# --- every error a dying port can raise ------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="needs termios")
@pytest.mark.parametrize(
    "error",
    [
        serial.SerialException("device reports readiness"),
        serial.PortNotOpenError(),
        OSError(5, "Input/output error"),
        ValueError("file descriptor cannot be a negative integer"),
        TypeError("an integer is required"),
        port_module._TermiosError(25, "Inappropriate ioctl for device"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_dying_port_raises_is_a_lost_link(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    port = serial.serial_for_url("loop://", timeout=0)
    link = port_module._PyserialPort("dying", port)
    for name in ("read", "write", "close", "reset_output_buffer"):
        monkeypatch.setattr(port, name, fail)
    for call in (link.read, lambda: link.write(b"x"), lambda: link.write(b"x", urgent=True)):
        with pytest.raises(LinkLost, match="dying"):
            call()
    link.close()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX names")
class TestOpening:
    def refused(self, url: str) -> StimctlError:
        with pytest.raises(StimctlError) as caught:
            open_transport(url)
        assert url in str(caught.value)
        assert "\n" not in str(caught.value).replace(url, "")
        return caught.value

    def test_an_absent_port_asks_whether_it_is_plugged_in(self, tmp_path: Path) -> None:
        error = self.refused(str(tmp_path / "ttyACM0"))
        assert isinstance(error, UsageError)
        assert "plugged in" in str(error)

    def test_what_is_no_port_is_said_so(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"")
        for url in (str(tmp_path), str(tmp_path / "file"), "nonsense://x", "/dev/null"):
            error = self.refused(url)
            assert isinstance(error, StimctlError)

    @pytest.mark.parametrize(
        "url",
        [
            "loop://",
            "spy:///dev/ttyACM0?file={folder}/copy",
            "spy:///dev/ttyACM0?all",
            "alt:///dev/ttyACM0?class=PosixPollSerial",
            "hwgrep://.*",
            "hwgrep://0403:6001&skip_busy",
            "cp2110://0001:004a:00",
            "os.path://x",
            "SOCKET://127.0.0.1:1",
            "socket://127.0.0.1:1?logging=debug",
            "socket://user:secret@127.0.0.1:1",
            "socket://127.0.0.1",
            "socket://127.0.0.1:99999999999",
            "socket://:1",
            "socket://127.0.0.1:1\n",
            "socket://127.0.0.1:１",
            "rfc2217://127.0.0.1:1?logging=debug",
            "rfc2217://127.0.0.1:1?timeout=1e99",
            "{folder}/fifo",
            "{folder}/there://too",
            "{folder}",
            "/dev/zero",
            "/dev/null",
            "/dev/ttyACM0\0",
            "x" * 5_000,
            "",
        ],
    )
    def test_what_is_no_port_reaches_no_driver(
        self, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """Files written, traffic copied, the first device that resembles: pyserial would do it all, and is not asked."""
        os.mkfifo(tmp_path / "fifo")
        if not url.startswith("/dev/"):
            monkeypatch.setattr(serial, "serial_for_url", lambda *_args, **_more: pytest.fail("it was opened"))
        assert isinstance(self.refused(url.format(folder=tmp_path)), UsageError)
        assert [path.name for path in tmp_path.iterdir()] == ["fifo"]
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize(
        "url",
        [
            "socket://board.local:4001",
            "socket://[fe80::1%eth0]:9/",
            "rfc2217://10.0.0.7:2217?ign_set_control&timeout=2.5",
        ],
    )
    def test_network_ports_are_asked_for_as_they_were_written(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = []

        def opened(url: str, **_more: object) -> None:
            asked.append(url)
            raise serial.SerialException("nobody there")

        monkeypatch.setattr(serial, "serial_for_url", opened)
        assert isinstance(self.refused(url), LinkLost)
        assert asked == [url]

    def test_our_own_terminal_is_no_board(self) -> None:
        """It could be opened well: its screen would be given frames, and its keys be taken for answers."""
        code = (
            "import fcntl, os, sys, termios\n"
            "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
            "from stimctl.errors import UsageError\n"
            "from stimctl.transport import open_transport\n"
            "for name in ('/dev/tty', os.ttyname(0)):\n"
            "    try:\n"
            "        open_transport(name)\n"
            "    except UsageError as error:\n"
            "        assert 'itself is on' in str(error), error\n"
            "    else:\n"
            "        raise AssertionError(name)\n"
        )
        master, slave = pty.openpty()
        try:
            done = subprocess.run(
                [sys.executable, "-c", code], stdin=slave, capture_output=True, start_new_session=True, check=False
            )
        finally:
            os.close(slave)
            os.close(master)
        assert (done.returncode, done.stderr) == (0, b"")

    @pytest.mark.skipif(sys.platform != "linux", reason="the question is Linux's own")
    def test_a_real_port_is_kept_from_programs_that_ask_for_no_lock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """On a pseudo-terminal the mark would outlive its owner, so there it is not set."""
        master, slave = pty.openpty()

        def marked() -> int:
            return int.from_bytes(fcntl.ioctl(slave, 0x80045440, bytes(4)), sys.byteorder)  # TIOCGEXCL

        try:
            link = open_transport(os.ttyname(slave))
            assert marked() == 0
            link.close()
            monkeypatch.setattr(port_module, "_PSEUDO", ("/none",))
            link = open_transport(os.ttyname(slave))
            assert marked() == 1
            link.close()
        finally:
            os.close(slave)
            os.close(master)

    def test_no_permission_names_the_group(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def denied(*args: object, **kwargs: object) -> None:
            raise serial.SerialException(13, "could not open port")

        monkeypatch.setattr(serial, "serial_for_url", denied)
        monkeypatch.setattr(address, "check", lambda _url: None)
        error = self.refused(str(tmp_path / "ttyACM0"))
        assert isinstance(error, UsageError)
        assert "dialout" in str(error)

    def test_a_host_that_refuses_is_a_lost_link(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            number = server.getsockname()[1]
        assert isinstance(self.refused(f"socket://127.0.0.1:{number}"), LinkLost)


def test_a_pseudo_terminal_keeps_the_stop_bits_that_were_asked_for() -> None:
    """It has none, but whoever stands behind it can tell by them a client that is set as the board needs it."""
    termios = pytest.importorskip("termios")
    master, slave = os.openpty()
    try:
        for bits in (1, 2):
            opened = open_transport(os.ttyname(slave), stop_bits=bits, parity="E", flow_control=True)
            try:
                assert bool(termios.tcgetattr(master)[2] & termios.CSTOPB) is (bits == 2)
            finally:
                opened.close()
    finally:
        os.close(master)
        os.close(slave)
