"""A port on another machine: RFC 2217, against pyserial's own server side."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
import serial
import serial.rfc2217

from stimctl.errors import LinkLost
from stimctl.transport import Transport, open_transport

# pyserial 3.5 starts its reader thread in an old way; that is theirs to mend.
pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")


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
