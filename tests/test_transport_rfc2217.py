"""A port on another machine: RFC 2217, against pyserial's own server side."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Iterator

import pytest
import serial
import serial.rfc2217

from stimctl.errors import LinkLost
from stimctl.transport import Transport, open_transport
from stimctl.transport import port as port_module
from tests.test_transport import Battery, Peer

# pyserial 3.5 starts its reader thread in an old way; that is theirs to mend.
pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")


ROOM = 262_144
"""Bytes that the system keeps in each direction: soon full, and more than one test says beside another thread."""


class Server:
    """Serves one client a port whose output comes back as its input, until :meth:`hang_up`."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"rfc2217://127.0.0.1:{self._server.getsockname()[1]}"
        self._client: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """For pyserial's port manager: what it answers to negotiations."""
        assert self._client is not None
        self._client.sendall(data)

    def _serve(self) -> None:
        self._client, _ = self._server.accept()
        with self._client, serial.serial_for_url("loop://", timeout=0) as port:
            manager = serial.rfc2217.PortManager(port, self)  # type: ignore[arg-type]
            with contextlib.suppress(OSError):
                while data := self._client.recv(1_024):
                    port.write(b"".join(manager.filter(data)))
                    self.write(b"".join(manager.escape(port.read(port.in_waiting))))

    def hang_up(self) -> None:
        if self._client is not None:
            with contextlib.suppress(OSError):
                self._client.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.close()


class Far(Peer):
    """The other machine, which reads when a test wants it to; ``hear`` beside the client's negotiation is its own thread's."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)  # so that it is soon full
        self.url = f"rfc2217://127.0.0.1:{self._server.getsockname()[1]}?ign_set_control"
        self._port = serial.serial_for_url("loop://", timeout=0)

    def write(self, data: bytes) -> None:
        """For pyserial's port manager."""
        self._client.sendall(data)

    def open(self) -> Transport:
        """A link, and what both sides agree on at its beginning."""
        done, heard = threading.Event(), []

        def agree() -> None:
            self._client, _ = self._server.accept()
            self._client.setblocking(False)
            self._manager = serial.rfc2217.PortManager(self._port, self)  # type: ignore[arg-type]
            while not done.is_set():
                if select.select((self._client,), (), (), 0.01)[0]:
                    heard.append(self.hear())

        thread = threading.Thread(target=agree)
        thread.start()
        try:
            link = open_transport(self.url)
            link._port._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ROOM)  # type: ignore[attr-defined]
            return link
        finally:
            done.set()
            thread.join()

    def say(self, data: bytes) -> None:
        self._client.sendall(b"".join(self._manager.escape(data)))

    def hear(self) -> bytes:
        try:
            return b"".join(self._manager.filter(self._client.recv(65_536)))
        except BlockingIOError:
            return b""

    def hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)
        self._client.close()
        self._server.close()
        self._port.close()


class TestRfc2217(Battery):
    """The same as over every other way to a board."""

    selectable = False

    @pytest.fixture
    def ends(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Transport, Peer]]:
        monkeypatch.setattr(port_module, "WRITE_MAX_S", 0.0)  # what waits for room is not what is looked at here
        peer = Far()
        link = peer.open()
        yield link, peer
        peer.hang_up()
        link.close()


@pytest.fixture
def ends() -> Iterator[tuple[Transport, Server]]:
    server = Server()
    link = open_transport(server.url)
    yield link, server
    server.hang_up()
    link.close()


def test_every_byte_passes_and_a_hang_up_is_a_lost_link(ends: tuple[Transport, Server]) -> None:
    link, server = ends
    link.write(bytes(range(256)))
    link.write(b"stop", urgent=True)
    heard = b""
    while len(heard) < 260:
        heard += link.read()
    assert heard == bytes(range(256)) + b"stop"
    server.hang_up()
    with pytest.raises(LinkLost):
        while True:
            link.read()
