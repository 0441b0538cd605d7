"""Ports that pyserial opens, read and written without ever waiting.

pyserial opens, locks and configures; on POSIX the bytes then go through the bare file descriptor, because in
non-blocking mode pyserial's own ``write`` spins for as long as the port is full, and with a timeout it does not tell
how much of a frame has left (pyserial 3.5, ``serialposix.py``). Ports without a descriptor (``rfc2217://``,
``loop://``, Windows) go through pyserial with a write timeout.
"""

from __future__ import annotations

import errno
import os
import queue
import select
import socket
import stat
from contextlib import suppress
from typing import Any, Final

import serial

from stimctl.errors import LinkLost, StimctlError, UsageError
from stimctl.transport import address
from stimctl.transport.link import WRITE_MAX_S, Tailed, Transport

try:
    import fcntl
    import termios

    _TermiosError: type[Exception] = termios.error
except ImportError:  # Windows
    _TermiosError = OSError

BAUD: Final = 500_000
"""Baud of the reference board: ``hw/wire.md``."""

_READ_MAX: Final = 65_536
_BROKEN: Final = (OSError, ValueError, TypeError, AttributeError, queue.Full, _TermiosError)
"""What a port can raise once its device is gone. SerialException is an OSError, ``termios.error`` is not; a port that
another thread has just closed has ``None`` for a descriptor, which makes TypeErrors and AttributeErrors; and a full
``loop://`` says so in its own way."""

_PSEUDO: Final = ("/dev/pts/", "/dev/ttys", "/dev/ttyp")
"""How the names of pseudo-terminals begin on Linux, on macOS, and of old."""

_NOT_NOW: Final = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR})


class _DescriptorPort(Tailed):
    """A POSIX port: everything through its non-blocking file descriptor."""

    def __init__(self, name: str, port: serial.Serial, fd: int) -> None:
        super().__init__(name)
        self._port, self._fd = port, fd
        os.set_blocking(fd, False)

    def fileno(self) -> int | None:
        return None if self._closed else self._fd

    def _push(self, data: bytes) -> int:
        try:
            return os.write(self._fd, data)
        except OSError as error:
            if error.errno in _NOT_NOW:
                return 0
            raise _lost(self.name, error) from None

    def _pull(self) -> bytes:
        try:
            # Serial ports read as empty both when nothing has come (VMIN is 0) and when the device is gone.
            if not select.select((self._fd,), (), (), 0)[0]:
                return b""
            data = os.read(self._fd, _READ_MAX)
        except _BROKEN as error:
            if isinstance(error, OSError) and error.errno in _NOT_NOW:
                return b""
            raise _lost(self.name, error) from None
        if not data:
            raise LinkLost(f"{self.name}: the board is gone")
        return data

    def _discard(self) -> None:
        # A socket has no such thing; and a device that is just gone is found out by the write that follows.
        with suppress(*_BROKEN):
            termios.tcflush(self._fd, termios.TCOFLUSH)

    def _shut(self) -> None:
        _close(self._port)


class _PyserialPort(Tailed):
    """A port without a descriptor: through pyserial, which was given a write timeout."""

    def __init__(self, name: str, port: serial.Serial) -> None:
        super().__init__(name)
        self._port = port

    def _push(self, data: bytes) -> int:
        try:
            if not self._has_room():
                return 0
            return self._port.write(data) or 0
        except serial.SerialTimeoutException as error:
            # How much has left is not known, so nothing that is sent now could be understood.
            raise LinkLost(f"{self.name} takes no more data: {error}") from None
        except _BROKEN as error:
            raise _lost(self.name, error) from None

    def _has_room(self) -> bool:
        """Whether a frame can be written at once; rfc2217 would else block for up to 5 s in ``sendall``."""
        connection = getattr(self._port, "_socket", None)
        return connection is None or bool(select.select((), (connection,), (), WRITE_MAX_S)[1])

    def _pull(self) -> bytes:
        try:
            return self._port.read(_READ_MAX)
        except _BROKEN as error:
            raise _lost(self.name, error) from None

    def _discard(self) -> None:
        # Only where it is local and quick: rfc2217 asks the far side and waits for its answer.
        if os.name == "nt" and type(self._port) is serial.Serial:
            with suppress(*_BROKEN):
                self._port.reset_output_buffer()

    def _shut(self) -> None:
        _close(self._port)


def open_transport(
    url: str, *, baud: int = BAUD, parity: str = "N", stop_bits: int = 1, flow_control: bool = False
) -> Transport:
    """Open a serial device, the path of a pseudo-terminal, or a network URL, for this process alone.

    Bytes have 8 bits; ``parity`` is N, E or O; ``flow_control`` is RTS/CTS. A pseudo-terminal has neither, and is asked for
    neither: some systems refuse what it would not do. Stop bits it has none either, but keeps what was asked for, so that
    the program behind it can tell a client that is set as the board needs it.
    Which ones is said in :mod:`~stimctl.transport.address`. Network URLs may take some seconds. Raises :class:`UsageError` when the port is absent, in use, not allowed or no
    port at all, and :class:`LinkLost` when something answers that cannot be talked to.
    """
    address.check(url)
    line: dict[str, Any] = {"baudrate": baud, "stopbits": stop_bits}
    if not os.path.realpath(url).startswith(_PSEUDO):
        line |= {"parity": parity, "rtscts": flow_control}
    # rfc2217 refuses to be opened with a write timeout; _has_room() stands in for it.
    patience = None if url.startswith("rfc2217:") else WRITE_MAX_S
    try:
        port = serial.serial_for_url(url, **line, timeout=0, write_timeout=patience, exclusive=True)
    except (*_BROKEN, NotImplementedError) as error:
        raise _why(url, error) from None
    fd = _descriptor(port)
    if fd is None:
        return _PyserialPort(url, port)
    _claim(fd)
    _hurry(port, fd)
    return _DescriptorPort(url, port, fd)


def _descriptor(port: serial.Serial) -> int | None:
    """The file descriptor, where reading and writing it means the same as through pyserial."""
    if os.name != "posix":
        return None
    try:
        return int(port.fileno())
    except _BROKEN:  # io.UnsupportedOperation is an OSError
        return None


def _claim(fd: int) -> None:
    """Keep out programs that ask for no lock, as far as the system can; pyserial's lock keeps out those that do.

    Not on a pseudo-terminal: there the mark would outlive us for as long as the other side is open, and shut out the
    next session as well. A real port forgets it with its last user, however that one died.
    """
    if os.name == "posix":
        with suppress(OSError):  # no terminal at all (a socket), or one whose name cannot be found
            if not os.ttyname(fd).startswith(_PSEUDO):
                fcntl.ioctl(fd, termios.TIOCEXCL)


def _hurry(port: serial.Serial, fd: int) -> None:
    """Ask drivers not to collect bytes before they pass them on; what cannot, need not."""
    with suppress(*_BROKEN, NotImplementedError):
        port.set_low_latency_mode(True)  # FTDI adapters else hold received bytes for 16 ms
    if stat.S_ISSOCK(os.fstat(fd).st_mode):
        with suppress(OSError), socket.socket(fileno=os.dup(fd)) as connection:
            # Nagle's algorithm would hold a stop back until the frame before it is acknowledged.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _close(port: serial.Serial) -> None:
    """Close a port whatever it says; pyserial forgets to close a socket whose peer has hung up."""
    connection = getattr(port, "_socket", None)
    with suppress(*_BROKEN):
        port.close()
    if connection is not None:
        connection.close()


def _lost(name: str, error: Exception) -> LinkLost:
    return LinkLost(f"{name}: the board is gone ({error})")


def _why(url: str, error: Exception) -> StimctlError:
    """What a person can do about a port that does not open."""
    code = getattr(error, "errno", None)
    if code == errno.ENOENT:
        return UsageError(f"there is no port {url}; is the board plugged in, or the simulator running?")
    if code in {errno.EACCES, errno.EPERM}:
        return UsageError(f"no permission to open {url}; on Linux, join the group that owns it (often dialout)")
    if code in {errno.EAGAIN, errno.EWOULDBLOCK, errno.EBUSY}:
        return UsageError(f"{url} is in use by another program; end that one first")
    if isinstance(error, ValueError) or "Inappropriate ioctl" in str(error):
        return UsageError(f"{url} is no port that can be opened: {error}")
    return LinkLost(f"{url} cannot be opened: {error}")
