"""A process that has stimctl and all test files imported, and forks a child for each mutant inside a function.

Most mutants change what one function does and nothing that happens as modules are imported. For those, importing and
collecting once for all is some ten times quicker: the child gives the function the mutated code and runs its tests. What
else there is (constants, defaults, decorators, classes, functions that are called as modules are imported) has to be
planted before anything is imported (:mod:`tests.proving.mutant_worker`); so has what cannot be given new code.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, Final, NoReturn

import pytest

from tests.proving.mutant_pool import Pool
from tests.proving.mutant_worker import OPTIONS, Plugin, Report, Task
from tests.proving.planting import path_of

UNFIT: Final = "unfit"
"""How a report ends for a mutant that has to be planted after all."""

Drive = Callable[[Report, "Pool"], Iterator[tuple[str, Report]]]
"""Told what ran as files were imported, and with a pool whose children run tasks here: reports by mutant's id."""


def grow(task: Task, workers: int, drive: Drive, folder: Path, answer: int) -> NoReturn:
    """Import and collect a task's files, then let ``drive`` run tasks; each report goes to ``answer`` as a line of JSON."""
    with open(answer, "w", encoding="utf-8", buffering=1) as pipe:
        try:
            stem = _Stem(task, workers, drive, folder, lambda name, report: _tell(pipe, name, report))
            code = pytest.main([*OPTIONS, *task.files], plugins=[stem])
            if code != pytest.ExitCode.OK or not stem.has_run:
                _tell(pipe, "", Report("crash", f"pytest ended with {code!r}"))
        except BaseException:  # noqa: BLE001 - whatever it was, the parent must hear of it
            _tell(pipe, "", Report("crash", traceback.format_exc()))
    sys.stdout.flush()
    os._exit(0)


def _tell(pipe: Any, name: str, report: Report) -> None:
    pipe.write(json.dumps([name, report.__dict__]) + "\n")


class _Stem(Plugin):
    """Collects under trace; instead of running the tests it forks, once for every task."""

    def __init__(
        self, task: Task, workers: int, drive: Drive, folder: Path, tell: Callable[[str, Report], None]
    ) -> None:
        super().__init__(task)
        self._workers, self._drive, self._folder, self._tell = workers, drive, folder, tell
        self.has_run = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Hand over."""
        self._watch.end()
        self.has_run = True
        items = {item.nodeid: item for item in session.items}
        pool = Pool(self._workers, lambda task, answer: self._work(session, items, task, answer))
        imports = Report("crash", self._broken) if self._broken else Report("green", reach=self.reached())
        for name, report in self._drive(imports, pool):
            self._tell(name, report)
        return True

    def _work(self, session: pytest.Session, items: dict[str, pytest.Item], task: Task, answer: int) -> NoReturn:
        try:
            report = self._branch(session, items, task)
        except BaseException:  # noqa: BLE001 - whatever it was, the parent must hear of it
            report = Report("crash", traceback.format_exc())
        with open(answer, "w", encoding="utf-8") as pipe:
            json.dump(report.__dict__, pipe)
        os._exit(0)

    def _branch(self, session: pytest.Session, items: dict[str, pytest.Item], task: Task) -> Report:
        self.begin(task)
        for module, source in task.sources.items():
            if not give_code(module, source, task.name):
                return Report(UNFIT)
        session.config._tmp_path_factory._given_basetemp = self._folder / str(os.getpid())  # type: ignore[attr-defined]
        names = [name for name in items if task.only is None or name in task.only]
        names = names[task.share[0] :: task.share[1]]
        place = {name: number for number, name in enumerate(task.first)}
        names.sort(key=lambda name: place.get(name, len(place)))
        self.trace()
        for name, following in zip_longest(names, names[1:]):  # none at all, if no test comes there: it survives
            nextitem = None if following is None else items[following]
            session.config.hook.pytest_runtest_protocol(item=items[name], nextitem=nextitem)
            if self.failed:
                break
        return self.report(pytest.ExitCode.TESTS_FAILED if self.failed else pytest.ExitCode.OK)


def give_code(module: str, source: str, name: str) -> bool:
    """Give the function ``name`` of an imported module the code that it has in ``source``; whether that was possible."""
    function = _function(sys.modules[module], name)
    if function is None:
        return False
    code = _code(compile(source, str(path_of(module)), "exec", dont_inherit=True), name, function.__code__)
    if code is None or code.co_freevars != function.__code__.co_freevars:
        return False
    function.__code__ = code
    return True


def _function(holder: Any, name: str) -> FunctionType | None:
    """The function behind properties, decorators and caches; a cache is emptied."""
    found: Any = holder
    for part in name.split("."):
        found = vars(found).get(part)
        if found is None:
            return None
    if isinstance(found, property):
        found = found.fget
    elif isinstance(found, cached_property):
        found = found.func
    elif isinstance(found, staticmethod | classmethod):
        found = found.__func__
    while hasattr(found, "__wrapped__"):
        if hasattr(found, "cache_clear"):
            found.cache_clear()
        found = found.__wrapped__
    return found if isinstance(found, FunctionType) else None


def _code(code: CodeType, name: str, old: CodeType) -> CodeType | None:
    """The code of ``name`` inside a module's: a property's getter and setter differ in their first line."""
    inside = [code]
    for part in name.split("."):
        inside = [
            each for one in inside for each in one.co_consts if isinstance(each, CodeType) and each.co_name == part
        ]
    same = [each for each in inside if each.co_firstlineno == old.co_firstlineno]
    return same[0] if len(same) == 1 else None
