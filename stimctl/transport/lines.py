"""Modem control lines of a serial port, read and set without ever waiting: for a device that tells its state by contacts.

CTS and DSR are inputs. DTR is held on, so that plain contacts of the other device, from DTR to CTS and from DTR to DSR, are all
that is needed: an open contact, a pulled plug and a device without power all read as off. RTS is an output, off until it is
set; with the port's closing, also by the end of this process, the system lets go of it and of DTR.
"""

from __future__ import annotations

from typing import Final, final

import serial

from stimctl.errors import LinkLost, UsageError
from stimctl.transport import address
from stimctl.transport.port import _BROKEN, _claim, _close, _descriptor, _why

_HERE: Final = "the lines of a device that moves a hand are wired to this computer"


@final
class ModemLines:
    """An open port of which only the lines matter; no byte is sent."""

    def __init__(self, name: str, port: serial.Serial) -> None:
        self.name, self._port = name, port

    def read(self) -> tuple[bool, bool]:
        """CTS and DSR now. Raises :class:`LinkLost` once the port is gone or closed."""
        try:
            return bool(self._port.cts), bool(self._port.dsr)
        except _BROKEN as error:
            raise LinkLost(f"{self.name}: the lines cannot be read ({error})") from None

    def set(self, *, on: bool) -> None:
        """RTS on or off. Raises :class:`LinkLost` once the port is gone or closed."""
        try:
            self._port.rts = on
        except _BROKEN as error:
            raise LinkLost(f"{self.name}: its line cannot be set ({error})") from None

    def close(self) -> None:
        """Let go of the port. Idempotent; never raises."""
        _close(self._port)


def open_lines(url: str) -> ModemLines:
    """Open a serial device of this computer for its lines, for this process alone.

    Raises :class:`UsageError` when it is absent, in use, on a network, or has no such lines, as a pseudo-terminal.
    """
    if "://" in url:
        raise UsageError(f"{url} is on a network: {_HERE}; name a serial device")
    address.check(url)
    try:
        port = serial.serial_for_url(url, timeout=0, write_timeout=0, exclusive=True)
    except (*_BROKEN, NotImplementedError) as error:
        raise _why(url, error) from None
    lines = ModemLines(url, port)
    try:
        lines.read()
        lines.set(on=False)
    except LinkLost:
        lines.close()
        raise UsageError(f"{url} has no modem control lines (CTS and DSR); name a real serial port") from None
    fd = _descriptor(port)
    if fd is not None:
        _claim(fd)
    return lines
