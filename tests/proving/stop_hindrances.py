"""What may stand in a stop key's way: bytes around it, a screen that hangs, a display or a board that takes nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tests.proving.stop_programs import HANG_S, HANGS
from tests.proving.stop_screens import Act, resize
from tests.proving.stop_walk import Walk


@dataclass(frozen=True)
class Hindrance:
    """Something that happens before, around or while a key is typed: returns when the key was. ``undo`` repairs."""

    type: Callable[[Walk, bytes], int]
    undo: Act = lambda _walk: None
    ends: bool = False  # nothing comes after it in the same session
    reasons: tuple[str, ...] = ()  # of stops that are as good as the key's own


def _once(act: Act, pause_s: float = 0.1) -> Callable[[Walk, bytes], int]:
    """The key a moment after ``act``."""

    def typed(walk: Walk, key: bytes) -> int:
        act(walk)
        walk.pause(pause_s)
        return walk.type(key)

    return typed


def _after(noise: bytes, pause_s: float = 0.1) -> Callable[[Walk, bytes], int]:
    return _once(lambda walk: walk.type(noise), pause_s)


def _split(walk: Walk, key: bytes) -> int:
    us = 0
    for byte in key:
        us = walk.type(bytes([byte]))
        walk.pause(0.01)  # well within what a sequence may take
    return us


def _storm(walk: Walk, key: bytes) -> int:
    for number in range(60):
        walk.resize(24 + number % 7, 80 + number % 11)
        if number == 40:
            us = walk.type(key)
    return us


def _signalled(number: int, pause_s: float = 0.1) -> Callable[[Walk, bytes], int]:
    return _once(lambda walk: walk.signal_face(number), pause_s)


def _awake(walk: Walk) -> None:
    walk.signal_face(signal.SIGCONT)
    walk.pause(0.3)


def _fill(path: str) -> None:
    """Write into a terminal until it takes no more, and leave it full."""
    terminal = os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        while os.write(terminal, b"\0" * 4096):
            pass
    except BlockingIOError:
        pass
    finally:
        os.close(terminal)


def _stuck(walk: Walk, key: bytes) -> int:
    """Nobody takes what is painted: the terminal's buffer is full, and whoever paints waits."""
    walk.reading = False
    _fill(os.ttyname(walk.slave))
    return walk.type(key)


def _unstuck(walk: Walk) -> None:
    walk.reading = True
    walk.pause(0.3)


def _line_full(walk: Walk, key: bytes) -> int:
    """The board takes nothing for a while, and its line is full of somebody's delimiters when the stop comes."""
    walk.board.signal(signal.SIGSTOP)
    _fill(str(walk.folder / "board"))
    us = walk.type(key)
    walk.until(lambda: any(stop.us >= us for stop in walk.stops), 0.3)
    walk.board.signal(signal.SIGCONT)
    return us


def _hang_up(walk: Walk, key: bytes) -> int:
    us = walk.type(key)
    walk.hang_up()
    return us


HINDRANCES: Final[Mapping[str, Hindrance]] = {
    "nothing": Hindrance(lambda walk, key: walk.type(key)),
    "in-a-paste": Hindrance(lambda walk, key: walk.type(b"\x1b[200~rrrr" + key + b"\x1b[201~")),
    "in-an-endless-paste": Hindrance(_after(b"\x1b[200~rrrr"), undo=lambda walk: walk.type(b"\x1b[201~")),
    "in-pieces": Hindrance(_split),
    "after-torn-utf8": Hindrance(_after(b"\xf0\x9f\xff\xe2\x80")),
    "after-half-a-report": Hindrance(_after(b"\x1b[120;")),
    "after-an-endless-string": Hindrance(_after(b"\x1b]52;c;AAAA"), undo=lambda walk: walk.type(b"\x1b\\")),
    "in-a-mouse-flood": Hindrance(
        lambda walk, key: walk.type(b"\x1b[<35;10;10M" * 800 + key + b"\x1b[<35;11;10M" * 300)
    ),
    "after-a-focus-report": Hindrance(lambda walk, key: walk.type(b"\x1b[O\x1b[I" + key)),
    "resized": Hindrance(_storm, undo=resize(24, 80)),
    "screen-sleeps": Hindrance(_signalled(HANGS["sleeps"]), undo=lambda walk: walk.pause(HANG_S + 0.3)),
    "screen-computes": Hindrance(_signalled(HANGS["computes"]), undo=lambda walk: walk.pause(HANG_S + 0.3)),
    "screen-holds-the-lock": Hindrance(_signalled(HANGS["holds the lock"]), undo=lambda walk: walk.pause(HANG_S + 0.3)),
    "screen-frozen": Hindrance(_signalled(signal.SIGSTOP), undo=_awake),
    "display-stuck": Hindrance(_stuck, undo=_unstuck),
    "board-line-full": Hindrance(_line_full),
    "screen-killed": Hindrance(_signalled(signal.SIGKILL, 0), ends=True),
    "terminal-gone": Hindrance(_hang_up, ends=True, reasons=("the terminal has gone", "ended by signal 1")),
}
