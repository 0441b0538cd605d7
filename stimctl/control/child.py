"""The face as a child process: started, watched, ended."""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, final

from stimctl.control.contract import Ending
from stimctl.control.forward import Forwarder
from stimctl.control.port import FacePort
from stimctl.control.signals import blocked_for_face
from stimctl.control.wire import ENVIRONMENT
from stimctl.errors import StimctlError


def _python() -> tuple[str, ...]:
    """This Python, told to import nothing from the folder that the user happens to be in: a file there that is called
    like a module would be run. Unless our own code is what lies there, as in ``python -m stimctl`` in a checkout.
    """
    try:
        at_home = Path(__file__).parents[2].samefile(Path.cwd())
    except OSError:  # a folder that has been removed
        at_home = False
    return (sys.executable,) if at_home else (sys.executable, "-P")


FACE: Final = (*_python(), "-m", "stimctl", "--face")
"""The command that starts our own face; the hidden door is in ``__main__``."""

LEAVE_S: Final = 2.0
"""How long, in s, a face may take to leave after *bye*; a quarter of it after SIGTERM."""


ANSWER_S: Final = 10.0
"""How long, in s, a face that calls back may take to do so."""

FATE_S: Final = 0.25
"""How long, in s, a face that hung up is given to show its exit code."""

OWN_SESSION: Final = sys.platform.startswith("linux")
"""Whether a face is put in a session of its own. Linux shares the processor out by session before it does by process
(sched(7), autogroup): a painting face in ours used up our share, and a stop key then waited whole timer ticks.
"""


@final
class FaceChild:
    """A face, running from the moment of construction; raises :class:`StimctlError` when it cannot be started.

    ``forward`` carries the terminal's bytes to its standard input, a pipe: Textual's input thread takes one as well as
    a terminal, and it can neither echo, nor signal, nor be hung up. ``None`` where the face reads the console itself.
    ``screen`` is the terminal on which it paints, for :meth:`follow_size`.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        piped: bool = True,
        screen: int | None = None,
        tcp: bool = sys.platform == "win32",
        facts: dict[str, Any] | None = None,
    ) -> None:
        self.forward: Forwarder | None = None
        self._screen, self._size = screen, _size(screen)
        stdin, stdin_far = os.pipe() if piped else (None, None)
        try:
            self._process, self.port = (
                _by_tcp(command, stdin, facts or {}) if tcp else _by_fds(command, stdin, facts or {})
            )
        except (OSError, StimctlError) as error:
            if stdin_far is not None:
                os.close(stdin_far)
            raise StimctlError(f"the screen cannot be started: {error}") from None
        finally:
            if stdin is not None:
                os.close(stdin)
        if stdin_far is not None:
            self.forward = Forwarder(stdin_far)

    @property
    def gone(self) -> bool:
        """Whether the face has ended or hung up."""
        return self.port.closed or self._process.poll() is not None

    def follow_size(self) -> None:
        """Tell the face when its terminal has another size: the kernel tells the terminal's own session alone."""
        size = _size(self._screen)
        if OWN_SESSION and size != self._size:
            self._size = size
            self._process.send_signal(signal.SIGWINCH)

    def fate(self) -> Ending:
        """How a face that is :attr:`gone` went; waits a moment for its exit code."""
        try:
            code = self._process.wait(FATE_S)
        except subprocess.TimeoutExpired:
            return Ending("the screen hung up", 1)
        if code == 0:
            return Ending("the screen was closed", 0)
        return Ending(f"the screen died ({f'signal {-code}' if code < 0 else f'exit code {code}'})", 1)

    def end(self, why: str) -> int:
        """Say goodbye, wait a bounded time, then end it by force; returns its exit code, negative for a signal."""
        self.port.bye(why)
        for act, seconds in ((None, LEAVE_S), (self._process.terminate, LEAVE_S / 4), (self._process.kill, LEAVE_S)):
            if act is not None:
                act()
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self._process.wait(seconds)
        return -int(getattr(signal, "SIGKILL", 9))  # it does not even die: stuck in the kernel

    def close(self) -> None:
        """Close everything on this side; a face that still runs is ended. Idempotent; not while the stop thread runs."""
        if self._process.poll() is None:
            self.end("stimctl could not go on")
        self.port.close()
        if self.forward is not None:
            self.forward.close()


def _start(command: Sequence[str], stdin: int | None, link: str, fds: Sequence[int]) -> subprocess.Popen[bytes]:
    environment: Mapping[str, str] = {**_without_size(os.environ), ENVIRONMENT: link}
    with blocked_for_face():
        return subprocess.Popen(  # noqa: S603 - our own program
            command, stdin=stdin, env=environment, pass_fds=fds, start_new_session=OWN_SESSION
        )


def _without_size(environment: Mapping[str, str]) -> dict[str, str]:
    """Without a size that somebody exported: Textual would believe it, and paint past the window's edge for ever."""
    return {name: value for name, value in environment.items() if name not in ("COLUMNS", "LINES")}


def _size(screen: int | None) -> os.terminal_size | None:
    try:
        return None if screen is None else os.get_terminal_size(screen)
    except OSError:
        return None  # it has gone, or tells nobody


def _by_fds(
    command: Sequence[str], stdin: int | None, facts: dict[str, Any]
) -> tuple[subprocess.Popen[bytes], FacePort]:
    """Start the face with its ends of two socket pairs; the first words wait there before it is born."""
    (link, link_far), (stop, stop_far) = socket.socketpair(), socket.socketpair()
    with link_far, stop_far, contextlib.ExitStack() as unless_started:
        unless_started.enter_context(link)
        unless_started.enter_context(stop)
        port = FacePort(link, stop)
        port.hello(facts)
        fds = (link_far.fileno(), stop_far.fileno())
        face = _start(command, stdin, f"fds:{fds[0]},{fds[1]}", fds)
        unless_started.pop_all()
    return face, port


def _by_tcp(
    command: Sequence[str], stdin: int | None, facts: dict[str, Any]
) -> tuple[subprocess.Popen[bytes], FacePort]:
    """Start the face and have it call back on this machine, for systems that cannot hand descriptors on."""
    secret = secrets.token_hex(16)
    with socket.create_server(("127.0.0.1", 0), backlog=4) as server:
        server.settimeout(0.1)
        face = _start(command, stdin, f"tcp:{server.getsockname()[1]}:{secret}", ())
        lines = dict(_callers(server, secret, face))
    if len(lines) < 2:
        face.kill()
        face.wait()
        for line in lines.values():
            line.close()
        raise StimctlError("it does not answer")
    port = FacePort(lines["link"], lines["stop"])
    port.hello(facts)
    return face, port


def _callers(server: socket.socket, secret: str, face: subprocess.Popen[bytes]) -> Iterator[tuple[str, socket.socket]]:
    """The two lines of the face that knows the secret, by name; strangers are turned away."""
    wanted = {f"{secret} {name}\n": name for name in ("link", "stop")}
    deadline = time.monotonic() + ANSWER_S
    while wanted and face.poll() is None and time.monotonic() < deadline:
        try:
            sock, _ = server.accept()
            sock.settimeout(1)
            said = sock.recv(128).decode("ascii", "replace")
        except OSError:
            continue
        name = next((name for words, name in wanted.items() if hmac.compare_digest(words, said)), None)
        if name is None:
            sock.close()
            continue
        del wanted[said]
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield name, sock
