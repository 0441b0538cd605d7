"""Notes which functions and lines of some modules run in which test."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from types import CodeType, FrameType
from typing import Any

from tests.proving.planting import path_of


class Watch:
    """Watches ``modules`` in every thread, between :meth:`begin` and :meth:`end`.

    A function is left alone once all of its lines have been seen in a test: what is asked is whether a line runs, and not
    how often. So watching costs half as much again, and not five times as much.
    """

    def __init__(self, modules: Iterable[str]) -> None:
        self.reach: dict[str, set[str]] = {"": set()}
        """By test ("" outside of all) ``module:function`` and ``module@line`` of what ran."""
        self._modules = {str(path_of(module)): module for module in modules}
        self._known: dict[CodeType, tuple[str, str, frozenset[int]] | None] = {}
        self._left: dict[CodeType, set[int]] = {}
        self._here = self.reach[""]

    def begin(self) -> None:
        """From now on."""
        threading.settrace(self._enter)
        sys.settrace(self._enter)

    def end(self) -> None:
        """No more."""
        threading.settrace(None)
        sys.settrace(None)

    def turn_to(self, test: str) -> None:
        """What runs from now on runs in ``test``."""
        self._here = self.reach.setdefault(test, set())
        self._left = {}

    def _enter(self, frame: FrameType, event: str, arg: Any) -> Any:
        code = frame.f_code
        try:
            known = self._known[code]
        except KeyError:
            known = self._known[code] = self._describe(code)
        if known is None:
            return None
        left = self._left.get(code)
        if left is None:
            self._here.add(known[1])
            left = self._left[code] = set(known[2])
        return self._step if left else None

    def _step(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event != "line":
            return self._step
        code, line = frame.f_code, frame.f_lineno
        known, left = self._known[code], self._left.get(code, ())
        if known is not None and line in left:
            self._here.add(f"{known[0]}@{line}")
            self._left[code].discard(line)
        return self._step

    def _describe(self, code: CodeType) -> tuple[str, str, frozenset[int]] | None:
        """Its module, its function's name, and its lines; ``None`` for code that nobody watches."""
        module = self._modules.get(code.co_filename)
        if module is None:
            return None
        lines = frozenset(line for _, _, line in code.co_lines() if line is not None)
        return module, f"{module}:{plain_name(code.co_qualname)}", lines


def plain_name(qualified: str) -> str:
    """The function that a mutant is told by: not the comprehension, lambda or inner function in it."""
    return qualified.split(".<locals>", maxsplit=1)[0]
