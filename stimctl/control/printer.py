"""Progress lines without waiting: what prints them may get stuck on a terminal or a pipe that takes nothing."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Final, final

from stimctl.orders import Status

_HELD_MAX: Final = 64
_CLOSE_S: Final = 1.0


@final
class Printer:
    """Calls ``progress`` in a thread of its own; what it cannot keep up with is dropped."""

    def __init__(self, progress: Callable[[Status], None]) -> None:
        self.failure: Exception | None = None
        self._progress = progress
        self._queue: queue.Queue[Status | None] = queue.Queue(_HELD_MAX)
        self._thread = threading.Thread(target=self._run, name="stimctl-progress", daemon=True)
        self._thread.start()

    def __call__(self, status: Status) -> None:
        """Have ``status`` printed; never blocks."""
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(status)

    def close(self) -> None:
        """Print what is left, within a second."""
        with contextlib.suppress(queue.Full):
            self._queue.put(None, timeout=_CLOSE_S)
            self._thread.join(_CLOSE_S)

    def _run(self) -> None:
        while (status := self._queue.get()) is not None:
            try:
                self._progress(status)
            except Exception as error:  # noqa: BLE001 - a closed pipe must not end a session
                self.failure = error
                return
