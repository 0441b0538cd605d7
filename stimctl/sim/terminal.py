"""A twin on a real pseudo-terminal, in real time, for any client that can open a serial port.

The one place in the simulator that reads a clock. Clients may come and go; a board does not notice a pulled plug, so
output then ends by the dead-man as it would on the bench. POSIX only.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from stimctl.errors import UsageError
from stimctl.sim.board import Twin
from stimctl.sim.patient import Patient
from stimctl.sim.served import Served, Settings
from stimctl.sim.volition import Will

SELF_PACED: Final = Will(spontaneous_s=12.0, spontaneous_min_s=6.0)
"""Over a wire nobody can cue the patient, so they try by themselves, every 12 s on average."""

SERIAL: Final = "TWIN"
"""The board that is shown where no seed says which."""

_BOOTS_MAX: Final = 0x7FFF
_LOOK_S: Final = 0.1  # how long a signal or should_stop() may go unnoticed
_NOBODY_S: Final = 0.02  # how often to look for a client: a pty without one cannot be waited on
_READ_MAX: Final = 4_096
_UNSENT_MAX: Final = 4_096  # what a serial adapter would hold for a client that does not read
KEEP: Final = 1_000
_PTY: Final = re.compile(r"/dev/(pts/\d+|ttys\d+|tty[p-za-e][0-9a-f])")


def clock_us() -> int:
    """Monotonic µs. It goes on while the process is stopped, which is what the dead-man must see."""
    return time.monotonic_ns() // 1_000


def self_paced_twin(seed: int, *, serial: str = SERIAL) -> Twin:
    """The twin that ``stimctl sim reference`` shows: a patient who tries unasked, samples every 10 ms.

    Started anew it is the same board, switched on once more: the serial stays, so that a session finds its board again
    when power or cable come back; the challenges, which are made of the count of its boots, do not.
    """
    patient, boots = Patient(seed, will=SELF_PACED), 1 + secrets.randbelow(_BOOTS_MAX)
    return Twin(patient, seed=seed, now_us=clock_us(), chunk_ms=10, keep=KEEP, serial=serial, boots=boots)


def serve(
    twin: Served,
    *,
    settings: Settings | None = None,
    link_path: Path | None = None,
    on_ready: Callable[[str], None] = lambda _path: None,
    on_status: Callable[[str], None] = lambda _line: None,
    should_stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], int] = clock_us,
) -> None:
    """Run ``twin`` on a pseudo-terminal until SIGINT, SIGTERM, SIGHUP or ``should_stop()``.

    ``link_path`` becomes a symbolic link to the terminal and is removed at the end; ``on_ready`` is given the path that
    clients open; ``on_status`` one line for every change. A client whose port has not the board's ``settings`` is not
    understood, nor does it understand anything; ``None``: they do not matter. Raises :class:`UsageError` on Windows and
    when ``link_path`` is taken. Signals are caught only in the main thread.
    """
    if os.name != "posix":
        raise UsageError("a pseudo-terminal needs Linux or macOS; use the board sim: instead")
    with _pty() as (master, path), _link(link_path, path), _signals() as signalled:
        on_ready(str(link_path) if link_path is not None else path)
        watch = _Watch(twin, on_status)
        port = _Port(master, settings)
        while not (signalled() or should_stop()):
            port.wait(twin.next_event_us(clock()), clock)
            now_us = clock()
            twin.advance(now_us)  # whatever ran out while nobody looked has run out before the bytes behind it
            data = port.receive()
            if port.connected and not watch.connected:
                twin.plugged(now_us)
            twin.feed(data, now_us)
            port.send(twin.outgoing())
            watch.look(connected=port.connected, astray=port.astray)
        twin.switch_off(clock())
        watch.look(connected=port.connected, astray="")


class _Port:
    """The master side: never blocks, and knows whether anybody has the other side open."""

    def __init__(self, master: int, settings: Settings | None) -> None:
        self._master, self._settings = master, settings
        self._unsent = b""
        self.connected = False
        self.astray = ""
        """What is wrong with how the client has set its port, once it has written something."""

    def wait(self, until_us: int | None, clock: Callable[[], int]) -> None:
        """Until bytes come, until ``until_us``, or until it is time to look around."""
        left_s = _LOOK_S if until_us is None else max(0.0, (until_us - clock()) / 1e6)
        if self.connected:
            writable = [self._master] if self._unsent else []
            select.select([self._master], writable, [], min(_LOOK_S, left_s))
        else:
            select.select([], [], [], min(_NOBODY_S, left_s))

    def receive(self) -> bytes:
        """What has come; finds out on the way whether there is a client."""
        try:
            data = os.read(self._master, _READ_MAX)
        except BlockingIOError:
            self.connected = True
            return b""
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            data = b""
        self.connected = bool(data)
        if not self._understood():
            self.astray = f"client not understood: the board's line has {self._settings}" if data else self.astray
            return b""
        self.astray = ""
        return data

    def _understood(self) -> bool:
        """Whether the client has set its port as the board needs it, as far as a pseudo-terminal can tell."""
        if self._settings is None or not self.connected:
            return True
        import termios

        _, _, control, _, _, speed, _ = termios.tcgetattr(self._master)
        two = bool(control & termios.CSTOPB)
        return speed == getattr(termios, f"B{self._settings.baud}", speed) and two == (self._settings.stop_bits > 1)

    def send(self, data: bytes) -> None:
        """Hand over what goes; what nobody takes is lost, oldest first, as on a wire."""
        if not self.connected or (data and not self._understood()):
            self._unsent = b""
            return
        self._unsent = (self._unsent + data)[-_UNSENT_MAX:]
        if self._unsent:
            try:
                self._unsent = self._unsent[os.write(self._master, self._unsent) :]
            except BlockingIOError:
                pass
            except OSError as error:
                if error.errno != errno.EIO:
                    raise


class _Watch:
    """One line for each change that a person at the twin's terminal wants to see."""

    def __init__(self, twin: Served, say: Callable[[str], None]) -> None:
        self._twin, self._say = twin, say
        self._active = False
        self._astray = ""
        self.connected = False

    def look(self, *, connected: bool, astray: str) -> None:
        """Compare with the last look."""
        if connected != self.connected:
            self._say("client connected" if connected else "client gone")
        if astray and astray != self._astray:
            self._say(astray)
        for line in self._twin.news():
            self._say(line)
        if self._twin.active != self._active:
            self._say("output off" if self._active else "OUTPUT ON")
            self._active = not self._active
        self.connected, self._astray = connected, astray


@contextmanager
def _pty() -> Iterator[tuple[int, str]]:
    """A pseudo-terminal in raw mode: its master side, not blocking, and the path of the other."""
    import pty
    import tty

    master, slave = pty.openpty()
    try:
        tty.setraw(slave)
        path = os.ttyname(slave)
        os.close(slave)  # else a client that goes away could not be told from one that is silent
        os.set_blocking(master, False)
        yield master, path
    finally:
        os.close(master)


@contextmanager
def _link(link: Path | None, target: str) -> Iterator[None]:
    """``link`` leads to ``target`` for as long as this lasts; nothing else is ever overwritten or removed."""
    if link is None:
        yield
        return
    try:
        _make_room(link, target)
        link.symlink_to(target)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot make the link {link}: {why}; choose another --link") from None
    try:
        yield
    finally:
        if link.is_symlink() and str(link.readlink()) == target:
            link.unlink()


def _make_room(link: Path, target: str) -> None:
    """Remove what a killed twin left behind; refuse to touch anything else."""
    if not link.is_symlink():
        if link.exists():
            raise UsageError(f"{link} exists and is not a twin's link; choose another --link")
        return
    before = str(link.readlink())
    if _PTY.fullmatch(before) is None:
        raise UsageError(f"{link} leads to {before} and is not a twin's link; choose another --link")
    # The number of a dead terminal is soon given to another one: to ours at best, else to somebody's screen.
    if before != target and Path(before).exists():
        raise UsageError(f"{link} leads to {before}, perhaps of a twin that runs; remove the link if none does")
    link.unlink()


@contextmanager
def _signals() -> Iterator[Callable[[], bool]]:
    """Whether a signal asked for the end; the old handlers come back afterwards."""
    caught: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {name: signal.signal(name, lambda number, _frame: caught.append(number)) for name in names}
    try:
        yield lambda: bool(caught)
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
