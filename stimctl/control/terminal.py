"""The terminal: taken raw by the control process, and given back in every case.

A face may die half-way through an escape sequence, in the alternate screen, with the cursor hidden and the mouse
reporting. Whoever is left gives the terminal back: the control process when the face died, the face's own process when
the control process was killed. Nothing here can block: the terminal is written through a descriptor of its own in
non-blocking mode, because that flag on the inherited one would change the shell's and the face's as well.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import time
from typing import Any, Final, final

WRITE_S: Final = 0.5
"""How long, in s, a terminal that takes no bytes (a lost network, a stopped display) is waited for."""

RESET: Final = (
    b"\x18\x1b\\"  # CAN and ST end whatever sequence the face left half-written
    b"\x1b[?2026l"  # synchronised output off
    b"\x1b[<9u\x1b[>4;0m"  # kitty's and xterm's key encodings off: while still in the screen that asked for them
    b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"  # mouse off
    b"\x1b[?1004l\x1b[?2004l\x1b[?2048l"  # focus reports, bracketed paste, in-band size reports off
    b"\x1b[?1049l"  # leave the alternate screen
    b"\x1b[?7h\x1b[?25h\x1b[0m\r"  # wrap on, cursor on, plain letters, first column
)
"""Undoes everything that Textual 8, or any full-screen program, is known to switch on."""

Modes = list[Any]


def raw_modes(modes: Modes) -> Modes:
    """``modes`` (termios) with keys delivered one by one, no echo and no flow control; signals and output stay.

    ISIG stays so that the kernel turns Ctrl+C and Ctrl+Z into signals even when nobody reads. IXON goes, because
    Ctrl+S would freeze the screen with output on. NOFLSH comes, or the kernel would throw away typed stop keys and
    half of the face's painting with every signal.
    """
    import termios

    iflag, oflag, cflag, lflag, ispeed, ospeed, chars = modes
    iflag &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR | termios.ISTRIP)
    lflag &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
    lflag |= termios.ISIG | termios.NOFLSH
    chars = list(chars)
    chars[termios.VMIN], chars[termios.VTIME] = 1, 0
    return [iflag, oflag, cflag, lflag, ispeed, ospeed, chars]


def modes_to_json(modes: Modes) -> Modes:
    """Modes as JSON has them: termios gives control characters as single bytes, and two of them as numbers."""
    return [*modes[:6], [char if isinstance(char, int) else char.decode("latin-1") for char in modes[6]]]


def modes_from_json(modes: Modes) -> Modes:
    """The reverse of :func:`modes_to_json`."""
    return [*modes[:6], [char if isinstance(char, int) else char.encode("latin-1") for char in modes[6]]]


def terminal_fd() -> int | None:
    """The descriptor through which this process can reach its terminal for writing, or ``None``."""
    return next((fd for fd in (2, 1, 0) if os.isatty(fd)), None)


def write_terminal(fd: int, data: bytes, seconds: float = WRITE_S) -> bool:
    """Write ``data`` to the terminal behind ``fd`` without ever blocking past ``seconds``; whether all of it went."""
    try:
        own = os.open(os.ttyname(fd), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return False
    deadline = time.monotonic() + seconds
    try:
        while data and (left := deadline - time.monotonic()) > 0:
            if select.select((), (own,), (), left)[1]:
                data = data[_some(own, data) :]
    except OSError:
        return False
    finally:
        os.close(own)
    return not data


def _some(fd: int, data: bytes) -> int:
    try:
        return os.write(fd, data)
    except BlockingIOError:
        return 0


def give_back(fd: int, before: Modes, *, raw: Modes | None = None, screen: bool) -> None:
    """Give the terminal behind ``fd`` back with the modes ``before``; never raises, never blocks.

    ``screen``: also undo what a full-screen program switched on; not for a face that has left properly, whose
    last words a second leave would overwrite. ``raw``: only if the terminal is still as we had set it, for a process
    that comes late, when a shell may have set its own modes already.
    """
    import termios

    if screen:
        write_terminal(fd, RESET)
    with contextlib.suppress(OSError, termios.error):
        if raw is None or termios.tcgetattr(fd) == raw:
            # Late answers and mouse reports would be typed into the shell.
            termios.tcflush(fd, termios.TCIFLUSH)
            termios.tcsetattr(fd, termios.TCSANOW, before)


@final
class Terminal:
    """The terminal on ``fd``, from :meth:`take` to :meth:`release`."""

    def __init__(self, fd: int = 0) -> None:
        self.fd = fd
        self.before: Modes = []
        self.raw: Modes = []

    @classmethod
    def find(cls, fd: int = 0) -> Terminal | None:
        """The terminal on ``fd`` if there is one and we are in its foreground; else ``None``."""
        if sys.platform == "win32" or not os.isatty(fd):
            return None
        try:
            return cls(fd) if os.tcgetpgrp(fd) == os.getpgrp() else None
        except OSError:
            return None

    def take(self) -> None:
        """Set the terminal raw and remember how it was; raises :class:`OSError` when it has gone."""
        import termios

        try:
            self.before = termios.tcgetattr(self.fd)
            termios.tcsetattr(self.fd, termios.TCSANOW, raw_modes(self.before))
            self.raw = termios.tcgetattr(self.fd)
        except termios.error as error:
            raise OSError(*error.args) from None

    def release(self, *, screen: bool) -> None:
        """Give it back as it was; see :func:`give_back`. Idempotent."""
        before, self.before = self.before, []
        if before:
            give_back(self.fd, before, screen=screen)
