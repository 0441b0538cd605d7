"""What the operating system can do for a process that must answer quickly."""

from __future__ import annotations

import gc
import os
import platform
import signal
import struct
import sys
from typing import Final

SWITCH_S: Final = 0.0005
"""The interpreter's thread switch interval, in s: how long the stop thread may wait for a busy control loop."""

SLICE_NS: Final = 100_000
"""The shortest time slice that Linux gives, in ns."""

_SCHED_SETATTR: Final = {"x86_64": 314, "aarch64": 274, "riscv64": 274}  # Linux's system call numbers
_PR_SET_PDEATHSIG: Final = 1


def settle() -> None:
    """Call once everything is built: nothing that exists is ever collected, and nothing is collected on a whim."""
    gc.collect()
    gc.freeze()
    gc.disable()
    sys.setswitchinterval(SWITCH_S)


def unsettle() -> None:
    """Undo :func:`settle`, for a process that goes on."""
    gc.unfreeze()
    gc.enable()
    sys.setswitchinterval(0.005)


def real_time(priority: int) -> str:
    """Ask for real-time priority for the calling thread; returns what came of it, in words.

    Not for a process that computes without pause. The scheduler's reset-on-fork keeps children at ordinary priority.
    """
    if not hasattr(os, "sched_setscheduler"):
        return "ordinary priority (no real-time scheduling on this system)"
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError:
        return short_slice()
    return f"real-time priority {priority}"


def short_slice() -> str:
    """Ask for the shortest time slice at ordinary priority, which anybody may; returns what came of it, in words.

    From Linux 6.12 on, a thread that asks for little at a time is let in front when it wakes (sched_setattr(2),
    ``sched_runtime`` under SCHED_OTHER). Without it, a busy face in the same session costs a stop whole timer ticks.
    """
    number = _SCHED_SETATTR.get(platform.machine()) if sys.platform.startswith("linux") else None
    if number is None:
        return "ordinary priority"
    import ctypes

    nice = os.getpriority(os.PRIO_PROCESS, 0)
    attributes = struct.pack("=IIQiIQQQ", 48, os.SCHED_OTHER, 0, nice, 0, SLICE_NS, 0, 0)
    try:
        failed = ctypes.CDLL(None).syscall(number, 0, attributes, 0)
    except (OSError, AttributeError):
        failed = -1
    return "ordinary priority" if failed else f"ordinary priority with a slice of {SLICE_NS / 1e6} ms"


def ordinary() -> None:
    """Back to ordinary priority."""
    if hasattr(os, "sched_setscheduler"):
        try:
            # Without the flag it would need a privilege again.
            os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))
        except OSError:
            pass


def die_with_parent() -> None:
    """Have this process woken when the thread that started it ends (Linux), so that it sees its link closed.

    SIGCONT and not SIGKILL: a frozen face wakes, finds its control process gone, and still gives the terminal back.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGCONT), 0, 0, 0)
    except (OSError, AttributeError):
        return
