"""All mutants of one target against its tests: first green without any, then one child for each mutant.

What was learnt decides which tests run, and in which order: none that never enters the mutant's function; first those
that killed its neighbours, then those that run its very line, the quick ones first.
"""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.proving.mutant_catalogue import function_around, text_of
from tests.proving.mutant_pool import Pool
from tests.proving.mutant_stem import UNFIT, grow
from tests.proving.mutant_targets import Target
from tests.proving.mutant_worker import Report, Task
from tests.proving.mutation import Mutant

CPU_LEAST_S: Final = 4
"""CPU time, in s, that every test may take, beside three times what it took while it was watched."""

IMPORT: Final = ""
"""In the place of a test's name: what ran as the test files were imported."""


class Knowledge:
    """Which test reaches what, how long it takes, and whom it has killed."""

    def __init__(self, files: tuple[str, ...]) -> None:
        self._files = files
        self._reach: dict[str, set[str]] = {}
        self._seconds: dict[str, float] = {}
        self._bounds: dict[str, int] = {}
        self._killers: dict[str, Counter[str]] = defaultdict(Counter)

    def note(self, report: Report) -> None:
        """A run without a mutant."""
        self._seconds.update(report.seconds)
        self._bounds = {test: CPU_LEAST_S + int(3 * took_s) for test, took_s in self._seconds.items()}
        for test, names in report.reach.items():
            for name in names:
                self._reach.setdefault(name, set()).add(test)

    def learn(self, mutant: Mutant, report: Report) -> None:
        """A mutant's end."""
        if report.end == "test":
            self._killers[mutant.name][report.by] += 1
            self._killers[mutant.module][report.by] += 1

    def acts_in_tests(self, mutant: Mutant) -> bool:
        """Whether a mutant changes nothing but what one function does in tests."""
        name = function_around(mutant)
        return bool(name) and IMPORT not in self._reach.get(f"{mutant.module}:{name}", ())

    def task(self, mutant: Mutant) -> Task:
        """What to run for a mutant."""
        near = self._near(mutant)
        files = self._files
        if near is not None:
            files = tuple(each for each in files if any(test.startswith(f"{each}::") for test in near))
        return Task(
            {mutant.module: mutant.source(text_of(mutant.module))},
            files,
            self._order(mutant, near),
            near,
            name=function_around(mutant),
            cpu_s=self._bounds,
        )

    def _near(self, mutant: Mutant) -> frozenset[str] | None:
        """The tests that enter a mutant's function, if that is known and all that matters; else ``None`` for all."""
        if not self._seconds or not self.acts_in_tests(mutant):
            return None
        return frozenset(self._reach.get(f"{mutant.module}:{function_around(mutant)}", ()))

    def _order(self, mutant: Mutant, near: frozenset[str] | None) -> tuple[str, ...]:
        lines = _lines(mutant)
        here = set().union(*(self._reach.get(f"{mutant.module}@{line}", ()) for line in lines))
        known = [name for name, _ in self._killers[mutant.name].most_common(8)]
        known += [name for name, _ in self._killers[mutant.module].most_common(4)]
        known.sort(key=lambda name: bool(here) and name not in here)
        rest = sorted(self._seconds if near is None else near, key=lambda test: self._seconds.get(test, 0.0))
        rest.sort(key=lambda test: test not in here)
        if here and near is not None:
            known = [
                name for name in known if name in here
            ]  # the others have their turn behind those that run the line
        return tuple(dict.fromkeys([*known, *rest]))


def _lines(mutant: Mutant) -> range:
    """The lines on which a mutant differs from what it is made of."""
    old = text_of(mutant.module)[mutant.edit.start : mutant.edit.end]
    return range(mutant.line, mutant.line + old.count(b"\n") + 1)


class Campaign:
    """Runs the ``chosen`` mutants of a target. ``reckon`` finds out first who reaches what, which takes a whole run."""

    def __init__(
        self, target: Target, chosen: Sequence[Mutant], *, workers: int, folder: Path, reckon: bool = True
    ) -> None:
        self._chosen, self._workers, self._folder, self._reckon = chosen, workers, folder, reckon
        self._files = tuple(f"tests/{name}.py" for name in target.tests)
        self._knowledge = Knowledge(self._files)
        self.red = ""
        """Why nothing can be said: the tests are not green without a mutant."""

    def run(self) -> Iterator[tuple[Mutant, Report]]:
        """How each mutant ended."""
        left = {mutant.id: mutant for mutant in self._chosen}
        killers: set[str] = set()
        for name, report in self._from_stem():
            if name == IMPORT and not self._is_green(report):
                return
            if name != IMPORT and report.end != UNFIT:
                killers |= {report.by} if report.end == "test" else set()
                yield left.pop(name), report
        known = frozenset(killers)  # the stem has looked at these itself
        for mutant, report in self._planted(list(left.values())):
            self._knowledge.learn(mutant, report)
            killers |= {report.by} if report.end == "test" else set()
            yield mutant, report
        if not self._reckon and killers - known:
            self._check(killers - known)

    def _planted(self, every: list[Mutant]) -> Iterator[tuple[Mutant, Report]]:
        """Those that a process of its own has to import: first with the file that kills their like, then with the rest."""
        left: list[tuple[Mutant, Task]] = []

        def tasks() -> Iterator[tuple[tuple[Mutant, Task], Task]]:
            for mutant in every:
                task = self._knowledge.task(mutant)
                yield (mutant, task), replace(task, files=task.likeliest())

        for (mutant, task), report in Pool(self._workers).map(tasks()):
            others = tuple(file for file in task.files if file not in task.likeliest())
            if report.end == "green" and others:
                left.append((mutant, replace(task, files=others)))
            elif report.end == "crash" and others:
                left.append((mutant, task))  # that a file cannot be imported is no kill; a test of another one may fail
            else:
                yield mutant, report
        yield from Pool(self._workers).map(iter(left))

    def _is_green(self, report: Report) -> bool:
        self._knowledge.note(report)
        if report.end != "green":
            self.red = f"without any mutant: {report.by} ({report.end})\n{report.detail}"
        return not self.red

    def _check(self, killers: set[str]) -> None:
        """For runs that did not begin with everything: those who killed must be green without a mutant."""
        files = tuple(each for each in self._files if any(killer.startswith(f"{each}::") for killer in killers))
        for _, report in Pool(1).map(iter([(None, Task({}, files, only=frozenset(killers)))])):
            self._is_green(report)

    def _from_stem(self) -> Iterator[tuple[str, Report]]:
        """Reports by mutant's id; under :data:`IMPORT` the runs without a mutant."""
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            log = os.open(self._folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(log, 1)
            os.dup2(log, 2)
            grow(self._task(), self._workers, self._drive, self._folder, write)
        os.close(write)
        said = False
        with os.fdopen(read, encoding="utf-8") as pipe:
            for line in pipe:
                name, report = json.loads(line)
                said = True
                yield name, Report(**report)
        os.waitpid(pid, 0)
        if not said:
            yield IMPORT, Report("crash", (self._folder / "log").read_text(errors="replace")[-4_000:])

    def _task(self, share: tuple[int, int] = (0, 1)) -> Task:
        """What runs without a mutant, to see what reaches what."""
        return Task({}, self._files, traced=frozenset(each.module for each in self._chosen), share=share)

    def _drive(self, imports: Report, pool: Pool) -> Iterator[tuple[str, Report]]:
        """In the stem: everything without a mutant, then each mutant that can be had there."""
        self._knowledge.note(imports)
        yield IMPORT, imports
        if imports.end != "green":
            return  # a test file that cannot be imported even without a mutant
        if self._reckon:
            shares = [(None, self._task((number, self._workers))) for number in range(self._workers)]
            for _, report in pool.map(iter(shares)):
                yield IMPORT, report
                if report.end != "green":
                    return
                self._knowledge.note(report)
        killers: set[str] = set()
        fit = (each for each in self._chosen if self._knowledge.acts_in_tests(each))
        for mutant, report in pool.map((each, self._knowledge.task(each)) for each in fit):
            self._knowledge.learn(mutant, report)
            killers |= {report.by} if report.end == "test" else set()
            yield mutant.id, report
        if not self._reckon and killers:
            for _, report in pool.map(iter([(None, Task(only=frozenset(killers)))])):
                yield IMPORT, report
