"""Many files checked at once, on as many cores as there are: a check is all reckoning, and no file needs another."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from typing import Final

from stimctl.control import authoring
from stimctl.errors import OurBug

_AT_ONCE: Final = 8
"""Files that a helper takes at a time: few, so that reports come soon and the last helper does not work alone."""

_flights: authoring.Flights = {}
"""What this helper has flown."""


def shared_out(names: Sequence[str]) -> Iterator[authoring.Report]:
    """A report of each file, in order. Where processes cannot be forked, one after the other."""
    helpers = min(_cores(), len(names) // _AT_ONCE)
    if helpers < 2 or "fork" not in multiprocessing.get_all_start_methods():
        yield from (_known(_one(name)) for name in names)
        return
    sys.stdout.flush()  # or every helper has what is still unsaid, too
    with multiprocessing.get_context("fork").Pool(helpers, _deafen) as pool:
        for result in pool.imap(_one, names, chunksize=_AT_ONCE):
            yield _known(result)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _deafen() -> None:
    """Ctrl+C is the parent's to answer; it ends its helpers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _one(name: str) -> authoring.Report | str:
    """The report of a file; what went wrong with stimctl itself, as text: not every error can travel."""
    try:
        return authoring.check_one(name, sys.stdin.buffer, _flights)
    except Exception:  # noqa: BLE001 - it goes on in the parent
        return traceback.format_exc()


def _known(result: authoring.Report | str) -> authoring.Report:
    if isinstance(result, str):
        raise OurBug(f"a check failed: {result.strip().splitlines()[-1]}")
    return result
