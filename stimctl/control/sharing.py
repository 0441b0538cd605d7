"""Many files checked at once, on as many cores as there are: a check is all reckoning, and no file needs another."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from stimctl.control import authoring
from stimctl.errors import OurBug, ProtocolError
from stimctl.protocols import file_text

_AT_ONCE: Final = 8
"""Files that a helper takes at a time at least, so that telling it costs less than the checking."""

_AT_MOST: Final = 64
"""And at most: reports come soon, and the last helper does not work alone."""

_flights: authoring.Flights = {}
"""What this helper has flown."""

Task: TypeAlias = list[tuple[int, str]]
"""Files of one helper's next turn, each with its place among all."""


def shared_out(names: Sequence[str]) -> Iterator[authoring.Report]:
    """A report of each file, in order. Where processes cannot be forked, one after the other."""
    helpers = min(_cores(), len(names) // _AT_ONCE)
    if helpers < 2 or "fork" not in multiprocessing.get_all_start_methods():
        yield from (_known(_one(name)) for name in names)
        return
    sys.stdout.flush()  # or every helper has what is still unsaid, too
    ready: dict[int, authoring.Report | str] = {}
    told = 0
    for results in _done(tasks(names), helpers):
        ready.update(results)
        while told in ready:
            yield _known(ready.pop(told))
            told += 1


def _done(portions: list[Task], helpers: int) -> Iterator[list[tuple[int, authoring.Report | str]]]:
    """What the helpers have done, as it is done. Whoever stops asking waits for what is under way, and for no more."""
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool

    # Not multiprocessing's own pool: it kills its helpers at the end, and waits for ever for what one of them held then.
    pool = ProcessPoolExecutor(helpers, multiprocessing.get_context("fork"), _deafen)
    try:
        for each in as_completed([pool.submit(_some, portion) for portion in portions]):
            yield each.result()
    except BrokenProcessPool as gone:
        raise OurBug("a helper of this check has died: was there enough memory?") from gone
    finally:
        pool.shutdown(cancel_futures=True)


def tasks(names: Sequence[str]) -> list[Task]:
    """The files in portions. What says the same below its head is one helper's: it flies it once, and no other does."""
    alike: dict[str, Task] = {}
    for place, name in enumerate(names):
        alike.setdefault(_below_the_head(name), []).append((place, name))
    portions: list[Task] = []
    for group in alike.values():
        room = _AT_MOST if portions and len(portions[-1]) < _AT_ONCE else 0
        if room:
            portions[-1] += group[:room]
        portions += [group[at : at + _AT_MOST] for at in range(room, len(group), _AT_MOST)]
    return portions


def _below_the_head(name: str) -> str:
    """A file from its first table on; of one that cannot be read its name."""
    try:
        return file_text(Path(name)).partition("\n[")[2]
    except ProtocolError:
        return name


def _some(task: Task) -> list[tuple[int, authoring.Report | str]]:
    return [(place, _one(name)) for place, name in task]


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
