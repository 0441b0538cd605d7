"""Which ports may be opened at all: a terminal device of this machine, or one of two network protocols.

pyserial knows more kinds of URL, and more may be installed beside it. Among them are some that write files, copy the
traffic elsewhere, take the first device that resembles a pattern, or talk to nobody; and any name after a dot would be
imported as code. A board that burns skin when it is the wrong one is named, and opened, exactly.
"""

from __future__ import annotations

import ipaddress
import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from stimctl.errors import UsageError

_ADDRESSED: Final = re.compile(r"[a-z0-9]+://(?P<host>\[[^\]]*\]|[^/:?]*)", re.ASCII)
_HOST: Final = r"(?:[\w.-]{1,253}|\[[\w.:%]{2,60}\])"
_OPTION: Final = r"(?:ign_set_control|poll_modem|timeout=\d{1,2}(?:\.\d{1,3})?)"  # what servers of RFC 2217 may need
_NETWORK: Final = re.compile(
    rf"(?:socket://{_HOST}:\d{{1,5}}/?|rfc2217://{_HOST}:\d{{1,5}}/?(?:\?{_OPTION}(?:&{_OPTION})*)?)", re.ASCII
)
_WINDOWS: Final = re.compile(r"(?:\\\\\.\\)?COM\d{1,3}", re.IGNORECASE)


def check(url: str) -> None:
    """Raise :class:`UsageError` unless ``url`` may be opened as a port. Opens nothing itself.

    A file or pipe would be found out when it is opened, but opening alone can wake a reader or arm a device; and the
    user's own terminal can be opened well, and would then be taken for the board.
    """
    if "://" in url:
        if not _NETWORK.fullmatch(url):
            raise UsageError(f"{url} is no port; write a device, socket://HOST:PORT or rfc2217://HOST:PORT")
    elif os.name == "nt":
        if not _WINDOWS.fullmatch(url):
            raise UsageError(f"{url} is no port; write COM and its number, socket://HOST:PORT or rfc2217://HOST:PORT")
    else:
        _check_device(url)


def host_elsewhere(port: str) -> str:
    """The host of a network port that is not plainly this computer itself; "" for a device or this computer.

    No name is looked up: what answers to a name may change, and only ``localhost`` and loopback addresses mean here.
    """
    found = _ADDRESSED.match(port)
    if found is None:
        return ""
    host = found["host"].strip("[]")
    with suppress(ValueError):
        return "" if ipaddress.ip_address(host).is_loopback else host
    return "" if host.lower() == "localhost" else host


def _check_device(path: str) -> None:
    try:
        found = Path(path).stat()
    except FileNotFoundError:
        raise UsageError(f"there is no port {path}; is the board plugged in, or the simulator running?") from None
    except PermissionError:
        raise UsageError(f"no permission to look at {path}; check the folder that it lies in") from None
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise UsageError(f"{path} is no port: {getattr(error, 'strerror', None) or error}") from None
    if not stat.S_ISCHR(found.st_mode):
        raise UsageError(f"{path} is no port that can be opened: it is a file, a folder or a pipe")
    if found.st_rdev in _own_terminals():
        raise UsageError(f"{path} is the terminal that stimctl itself is on; name the board's port")


def _own_terminals() -> set[int]:
    """The devices that are this process's own terminal, under whatever name; also when its streams are redirected."""
    own = {os.fstat(fd).st_rdev for fd in (0, 1, 2) if os.isatty(fd)}
    with suppress(OSError):  # a process without a terminal
        fd = os.open(os.ctermid(), os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            own |= {os.fstat(fd).st_rdev, Path(os.ttyname(fd)).stat().st_rdev}
        finally:
            os.close(fd)
    return own
