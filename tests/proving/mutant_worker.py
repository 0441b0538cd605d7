"""One run of the tests in a forked child: with a mutant, or without one to see what is green and who reaches what.

The child is forked from a process that has imported everything but stimctl. It plants the mutant, imports the mutated
module, and runs pytest in its own process, stopping at the first failure. What happened goes back as JSON on a pipe;
a child that says nothing has crashed.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Final, NoReturn

import pytest
from hypothesis import Phase, core, settings, stateful
from hypothesis.internal.conjecture import engine

from tests.proving import planting
from tests.proving.mutant_watch import Watch

TEST_CPU_S: Final = 20
"""CPU time, in s, that one test may take with a mutant in it, unless it is known how long it takes without one."""

TEST_WALL_S: Final = 30
"""Time, in s, after which a test with a mutant in it hangs; generous, as the machine may be busy."""

OPTIONS: Final = (
    *(
        "-q",
        "--continue-on-collection-errors",
        "--no-header",
        "--tb=short",
        "-p",
        "no:cacheprovider",
        "-o",
        f"timeout={TEST_WALL_S}",
    ),
    # Looking for plugins and rewriting asserts takes longer than many a run: nobody reads what an assert compared.
    *("--assert=plain", "-p", "pytest_timeout", "-p", "_hypothesis_pytestplugin"),
)

HUNG: Final = 86
"""The exit status of a child in which a test hung: it cannot be interrupted, for a mutant may hold the signals."""


@dataclass(frozen=True)
class Task:
    """What a child has to do: ``sources`` to plant, test files; of their tests ``only`` some, ``first`` some.

    ``name`` is the function that differs, for :mod:`tests.proving.mutant_stem`; ``cpu_s`` bounds tests by name.
    ``traced`` modules are watched: which test runs which of their lines. ``share``: every so manyth test, from which on.
    """

    sources: dict[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    only: frozenset[str] | None = None  # none: all
    traced: frozenset[str] = frozenset()
    share: tuple[int, int] = (0, 1)
    name: str = ""
    cpu_s: Mapping[str, int] = field(default_factory=dict)

    def likeliest(self) -> tuple[str, ...]:
        """The file of the test that is most likely to notice; all, where nothing is known."""
        found = tuple(file for file in self.files if self.first and self.first[0].startswith(f"{file}::"))
        return found or self.files


@dataclass
class Report:
    """What came of a task. ``end``: green, test, import, timeout or crash; ``by``: the test that failed, or what."""

    end: str
    by: str = ""
    reach: dict[str, list[str]] = field(default_factory=dict)
    """By test: ``module:name`` of every function that ran in it, and of every line ``module@line``, of the modules that
    were watched; "" for what ran before any test."""

    seconds: dict[str, float] = field(default_factory=dict)
    detail: str = ""
    """What the failing test said."""


def work(task: Task, answer: int) -> NoReturn:
    """Do ``task`` in this process, a fresh child, write the report to ``answer``, and end."""
    try:
        report = _plant(task) or _run(task)
    except BaseException:  # noqa: BLE001 - whatever it was, the parent must hear of it
        report = Report("crash", traceback.format_exc())
    with open(answer, "w", encoding="utf-8") as pipe:
        json.dump(report.__dict__, pipe)
    sys.stdout.flush()
    os._exit(0)


def _plant(task: Task) -> Report | None:
    """Import the mutated modules first: what fails in there is the mutant's own doing."""
    planting.plant(task.sources)
    for module in task.sources:
        try:
            importlib.import_module(module)
        except SyntaxError as error:
            return Report("crash", f"this mutant is no Python: {error}")
        except Exception as error:  # noqa: BLE001 - whatever a mutant does
            return Report("import", repr(error))
    return None


def _run(task: Task) -> Report:
    plugin = Plugin(task)
    folder = tempfile.mkdtemp()  # in the parent's own, and gone with it
    try:
        code = pytest.main([*OPTIONS, f"--basetemp={folder}/tests", *task.files], plugins=[plugin])
    except Exception:  # as pytest tidies up what a failed test has left open
        if not plugin.failed:
            raise
        code = pytest.ExitCode.TESTS_FAILED
    return plugin.report(code)


class Plugin:
    """Puts the tests in order, makes chance fixed, bounds each test's CPU time, and notes what happened."""

    def __init__(self, task: Task) -> None:
        self.session: pytest.Session | None = None
        self.begin(task)

    def begin(self, task: Task) -> None:
        """Turn to a task; nothing has happened yet."""
        self._task = task
        self.failed = self._detail = ""
        self._broken = ""
        self._watch = Watch(task.traced)
        self._seconds: dict[str, float] = {}
        self._now = ""

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        """Chance is the same in every run, and nothing is shrunk: a failure is a failure."""
        parent = settings.get_profile("fast")
        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("mutants", parent, derandomize=True, database=None, phases=phases)
        settings.load_profile("mutants")
        for module in (core, stateful, engine):  # too slow, on a busy machine, must not pass for a kill
            module.fail_health_check = lambda *_, **__: None  # type: ignore[attr-defined]
        self.trace()

    def trace(self) -> None:
        """From now on note which lines of the watched modules run, if there are any."""
        if self._task.traced:
            self._watch.begin()

    def reached(self) -> dict[str, list[str]]:
        """The functions and lines that ran, by test; "" for outside of all tests."""
        return {name: sorted(found) for name, found in self._watch.reach.items()}

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Those first that killed a neighbour; those that never come near the mutant not at all."""
        only, place = self._task.only, {name: number for number, name in enumerate(self._task.first)}
        if only is not None:
            config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in only])
            items[:] = [item for item in items if item.nodeid in only]
        items.sort(key=lambda item: place.get(item.nodeid, len(place)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logfinish(self) -> None:
        """Stop at the first failure of a test; pytest's own option stops at test files that cannot be imported, too."""
        if self.failed and self.session is not None:
            self.session.shouldfail = "killed"

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Keep what can be told to stop."""
        self.session = session

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """A bound for each test's CPU time: beyond it the system ends this process."""
        self._now = item.nodeid
        used = resource.getrusage(resource.RUSAGE_SELF)
        soft = int(used.ru_utime + used.ru_stime) + self._task.cpu_s.get(item.nodeid, TEST_CPU_S)
        if not self._task.traced:
            resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        self._watch.turn_to(self._now)
        watch = threading.Timer(TEST_WALL_S, os._exit, (HUNG,))
        watch.daemon = True
        if not self._task.traced:
            watch.start()
        try:
            return (yield)
        finally:
            watch.cancel()
            self._now = ""
            self._watch.turn_to("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """The first test that fails is the one that kills."""
        self._seconds[report.nodeid] = self._seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed and not self.failed:
            self.failed = report.nodeid
            self._detail = str(report.longrepr)[-2_000:]

    def pytest_exception_interact(self, node: Any, call: pytest.CallInfo[Any], report: Any) -> None:
        """A test file that cannot be imported: the mutant's doing only if the error passed through its module."""
        if isinstance(report, pytest.CollectReport) and call.excinfo is not None:
            files = {str(entry.path) for entry in call.excinfo.traceback}
            mutated = {str(planting.path_of(module)) for module in self._task.sources}
            self._broken = self._broken or ("import" if files & mutated else f"crash {call.excinfo.exconly()}")

    def pytest_internalerror(self, excrepr: object) -> None:
        """Something in pytest itself."""
        self._broken = f"crash {excrepr}"

    def report(self, code: int | pytest.ExitCode) -> Report:
        """What the parent hears."""
        self._watch.end()
        if self.failed:
            return Report("test", self.failed, seconds=self._seconds, detail=self._detail)
        if self._broken:
            end, _, by = self._broken.partition(" ")
            return Report(end, by or "a test file's import", seconds=self._seconds)
        nothing = code == pytest.ExitCode.NO_TESTS_COLLECTED and self._task.only == frozenset()
        if code == pytest.ExitCode.OK or nothing:
            return Report("green", reach=self.reached(), seconds=self._seconds)
        return Report("crash", f"pytest ended with {code!r}")


def prepare_child(cpu_s: int, log: int) -> None:
    """Limits, and nothing of the parent's terminal."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 5))
    for number in _RAISED:
        signal.signal(number, _uncaught)


_RAISED: Final = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGTSTP,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
"""What tests send to themselves: a mutant that does not catch it must fail the test, not take the whole run with it."""


def _uncaught(number: int, _frame: FrameType | None) -> None:
    raise RuntimeError(f"nobody caught signal {number}")
