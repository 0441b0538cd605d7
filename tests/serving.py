"""A twin served on a pseudo-terminal by a thread, for tests: what it said, and a clock that can be put forward."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from stimctl.sim.served import Served, Settings
from stimctl.sim.terminal import clock_us, serve

PATIENCE_S = 20.0

TwinT = TypeVar("TwinT", bound=Served)


class Server(Generic[TwinT]):
    """``serve`` in a thread, with what it said."""

    def __init__(self, twin: TwinT, link: Path | None = None, settings: Settings | None = None) -> None:
        self.twin, self.lines = twin, list[str]()
        self.path = ""
        self._ahead_us = 0
        self._ready, self._over = threading.Event(), threading.Event()
        self._to_do: deque[tuple[Callable[[], None], threading.Event]] = deque()
        self._thread = threading.Thread(target=self._run, args=(link, settings))
        self._thread.start()
        assert self._ready.wait(PATIENCE_S)

    def _run(self, link: Path | None, settings: Settings | None) -> None:
        try:
            serve(
                self.twin,
                settings=settings,
                link_path=link,
                on_ready=self._on_ready,
                on_status=self.lines.append,
                should_stop=self._goes_on,
                clock=lambda: clock_us() + self._ahead_us,
            )
        finally:
            self._ready.set()

    def _on_ready(self, path: str) -> None:
        self.path = path
        self._ready.set()

    def _goes_on(self) -> bool:
        while self._to_do:
            act, done = self._to_do.popleft()
            act()
            done.set()
        return self._over.is_set()

    def do(self, act: Callable[[], None]) -> None:
        """Let something happen to the twin, between two of its looks at the line."""
        done = threading.Event()
        self._to_do.append((act, done))
        assert done.wait(PATIENCE_S)

    def skip(self, us: int) -> None:
        """Put its clock forward."""

        def ahead() -> None:
            self._ahead_us += us

        self.do(ahead)

    def said(self, line: str, times: int = 1) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while self.lines.count(line) < times:
            assert time.monotonic() < deadline, self.lines
            time.sleep(0.005)

    def stop(self) -> None:
        self._over.set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
