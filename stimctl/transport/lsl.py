"""The library of the lab streaming layer (LSL), kept to this computer. The one place that imports pylsl.

The layer is a network of its own making: by default its library asks every computer around, and its outlets listen on every
interface, for anybody. Here it is kept to this computer unless somebody opens it on purpose (:func:`widen`): discovery by
liblsl's own configuration, and its sockets, for which that has no setting, by tying them to the loopback interface. Nothing
that comes by this way is signed or secret.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Any, Final

from stimctl.errors import UsageError

MACHINE: Final = "machine"
SCOPES: Final = (MACHINE, "link", "site")
"""How far streams are looked for and offered: this computer, its network segment, or what its site routes."""

MISSING: Final = (
    "LSL streams need the package pylsl, which is not installed: add it with  pip install 'stimctl[lsl]'"
    "  (on Linux for ARM, liblsl itself as well)"
)

_IP_BOUND_IF: Final = 25  # of macOS' <netinet/in.h>; Python's socket module does not name it
_EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 - what such sockets are looked for by
_CONFIGURATION: Final = """\
[ports]
IPv6 = disable
[multicast]
ResolveScope = {scope}
{address}
[lab]
KnownPeers = {{127.0.0.1}}
[tuning]
TimeProbeInterval = 0.02
[log]
level = -3
"""
_scope = MACHINE
_library: Any = None


def widen(scope: str) -> None:
    """Look for streams, and offer ours, beyond this computer from now on; before the first use, or it is refused."""
    global _scope
    if scope not in SCOPES:
        raise UsageError(f"{scope!r} is no scope of LSL; there are {', '.join(SCOPES)}")
    if _library is not None and scope != _scope:
        raise UsageError("the scope of LSL is settled when it is first used; start again with it")
    _scope = scope


def scope() -> str:
    """The one of :data:`SCOPES` that is in force."""
    return _scope


def library() -> Any:
    """The package, its library configured; raises :class:`UsageError` where either cannot be had."""
    global _library
    if _library is None:
        try:
            import pylsl
        except ImportError:
            raise UsageError(MISSING) from None
        except (OSError, RuntimeError, AttributeError) as error:  # it is there, and liblsl is not, or is another one
            raise UsageError(f"{MISSING}; it said: {' '.join(str(error).split())[:200]}") from None
        address = "ListenAddress = 127.0.0.1" if _scope == MACHINE else ""
        try:  # as a text: a file that lies about, or the environment, would else have the last word
            pylsl.set_config_content(_CONFIGURATION.format(scope=_scope, address=address))
        except NotImplementedError:
            raise UsageError("this liblsl is too old to be kept to this computer; 1.17.7 or newer is needed") from None
        _library = pylsl
    return _library


# --- what listens ------------------------------------------------------------------------------------------------


def keep_here() -> bool:
    """Tie every socket of this process that hears all interfaces to the loopback one; whether none is left that does.

    Only liblsl opens such sockets here. In a scope that was opened on purpose they stay as they are, and are well so. Where
    a system neither lists what a process has open nor knows such a tie (Windows), the answer is no.
    """
    if _scope != MACHINE:
        return True
    try:
        opened = [int(each.name) for each in Path("/dev/fd").iterdir()]
    except OSError:
        return False
    return all([_tie(fd) for fd in opened])  # noqa: C419 - all of them, whatever the first one says


def _tie(fd: int) -> bool:
    """Whether a descriptor is no socket that hears all interfaces, or not any more."""
    try:
        own = os.dup(fd)
    except OSError:
        return True  # it was closed meanwhile
    try:
        made = socket.socket(fileno=own)
    except OSError:
        os.close(own)
        return True  # no socket
    with made:
        if made.family not in (socket.AF_INET, socket.AF_INET6):
            return True
        address, port = made.getsockname()[:2]
        return address not in _EVERYWHERE or not port or _tied(made)


def _tied(made: socket.socket) -> bool:
    try:
        if sys.platform == "darwin":
            made.setsockopt(socket.IPPROTO_IP, _IP_BOUND_IF, socket.if_nametoindex("lo0"))
        else:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
    except (OSError, AttributeError):
        return False
    return True
