"""The serial ports of this computer, by what the system says of them. None is opened, and nothing is sent to any."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, final

from stimctl.errors import LinkLost

_PSEUDO: Final = re.compile(r"/dev/(?:pts/\d+|ttys\d+|tty[p-za-e][0-9a-f])")
"""Names of pseudo-terminals on Linux, on macOS, and of old."""

_NUMBERS: Final = re.compile(r"(\d+)")


@final
@dataclass(frozen=True, slots=True)
class SerialPort:
    """A port and what it is plugged into. ``usb`` is vendor and product, 0 where there is none; texts may be empty."""

    device: str
    description: str = ""
    serial: str = ""
    usb: tuple[int, int] = (0, 0)

    @property
    def usb_text(self) -> str:
        """``0483:5740`` as other tools write it, "" for a port that is no USB port."""
        return "{:04x}:{:04x}".format(*self.usb) if any(self.usb) else ""


def serial_ports(look: Callable[[], Iterable[Any]] | None = None) -> tuple[SerialPort, ...]:
    """Every port that the system tells of, in the order in which a person counts; raises :class:`LinkLost`."""
    from serial.tools.list_ports import comports  # reads the system's tables of devices: nobody else needs it

    try:
        found = [_port(each) for each in (look or comports)()]
    except (OSError, ValueError, TypeError, AttributeError) as error:  # whatever a driver has put in those tables
        raise LinkLost(f"the list of serial ports cannot be read: {error}; name a port instead") from None
    return tuple(sorted(found, key=lambda port: _in_order(port.device)))


def is_pseudo(port: str) -> bool:
    """Whether a path leads to a pseudo-terminal, so that a program of this computer stands behind it and no plug."""
    return os.name == "posix" and "://" not in port and _PSEUDO.fullmatch(os.path.realpath(port)) is not None


def _port(each: Any) -> SerialPort:
    description = _known(each.description)
    maker = _known(each.manufacturer)
    whole = f"{maker} {description}" if maker and maker.lower() not in description.lower() else description
    return SerialPort(str(each.device), whole.strip(), _known(each.serial_number), (each.vid or 0, each.pid or 0))


def _known(text: object) -> str:
    """What pyserial knows: it writes n/a where that is nothing."""
    return "" if text in (None, "n/a") else str(text)


def _in_order(device: str) -> list[tuple[int, str]]:
    """ttyUSB2 before ttyUSB10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in _NUMBERS.split(device)]
