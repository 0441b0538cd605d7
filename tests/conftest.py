"""What holds for every test: Hypothesis profiles, no writing to anybody's home, nothing left behind.

A test that leaves a thread, a child process or an open terminal behind is a session that did not end, and that is the
one thing stimctl must not do; so it fails here, whatever it was about.
"""

from __future__ import annotations

import gc
import inspect
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

# Hundreds of processes start in a run, and pytest rewrites every test file for each of its workers. So byte code is
# kept, in the environment's own folder, also where a machine is told to keep none beside sources; and before Hypothesis
# comes, which pytest would otherwise rewrite for each of them, too: two processor seconds every time.
if sys.prefix != sys.base_prefix:
    sys.dont_write_bytecode = False
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = str(Path(sys.prefix) / "pycache")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import pytest
from hypothesis import HealthCheck, settings

# No deadline: the machine may be busy, and how long an example takes is the benchmarks' business.
settings.register_profile("fast", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("fast"), derandomize=True)  # red means that the change is at fault
settings.register_profile("deep", settings.get_profile("fast"), max_examples=2_000)  # by hand, over lunch
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "fast"))

WAITS = "waits(seconds): waits that long for programs and computes little; begins first, beside what computes"

_T = TypeVar("_T")

LINGER_S = 5.0
"""How long a thread that was told to end may take on a busy machine before it counts as left behind."""


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest of our own mark."""
    config.addinivalue_line("markers", WAITS)


class Scene(Protocol):
    """Programs in real time, and what they said."""

    def was_too_busy(self) -> bool:
        """Whether one of them says that this computer let it down."""

    def begin_anew(self) -> None:
        """End them, and begin in another place."""


def undisturbed(test: Callable[[], object], scene: Scene) -> bool:
    """Whether ``test`` held, begun anew after a failure where a program in it says that the computer was too busy for it.

    A session in real time has to stop then, but what the test was to show it has not shown. Whoever is always late fails.
    """
    for _ in range(2):
        try:
            test()
        except AssertionError:
            if not scene.was_too_busy():
                raise
            scene.begin_anew()
        else:
            return True
    return False


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test with a scene until it was left undisturbed, at most three times."""
    scene: Any = pyfuncitem.funcargs.get("scene")
    if not hasattr(scene, "was_too_busy"):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    return undisturbed(lambda: pyfuncitem.obj(**arguments), scene) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests that wait begin first, the longest before all, and with half of the workers: the others compute then.

    At the end a test that waits would leave the machine idle. Every worker gets a run of neighbours to begin with
    (xdist's ``worksteal``, as evenly as it goes, the first ones rounded down), and gives away from its end.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    waiting = [item for item in items if item.get_closest_marker("waits")]
    if workers > 1 and waiting:
        waiting.sort(key=_seconds, reverse=True)
        items[:] = dealt(waiting, [item for item in items if not item.get_closest_marker("waits")], workers)


def _seconds(item: pytest.Item) -> float:
    mark = item.get_closest_marker("waits")
    return float(mark.args[0]) if mark else 0.0


def dealt(waiting: list[_T], others: list[_T], workers: int) -> list[_T]:
    """All of them, so that the first half of the workers begins with what is ``waiting``."""
    order: list[_T] = []
    left, first = list(others), workers // 2
    for worker in range(workers):
        share = (len(waiting) + len(others) - len(order)) // (workers - worker)
        mine = waiting[worker::first] if worker < first else []
        computing = max(0, share - len(mine))
        order += [*mine, *left[:computing]]
        del left[:computing]
    return [*order, *left]


@pytest.fixture(autouse=True, scope="session")
def _no_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A home of the test run's own, for what a test forgets to point elsewhere and for the processes it starts."""
    home = str(tmp_path_factory.mktemp("home"))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HOME", "USERPROFILE", "LOCALAPPDATA", "APPDATA"):
            patch.setenv(name, home)
        for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"):
            patch.delenv(name, raising=False)
        for name in ("STIMCTL_DEBUG", "NO_COLOR"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(autouse=True, scope="session")
def _looked_through_once() -> Iterator[None]:
    """Let no collection of garbage look again through all tests of the project, which stay until the end.

    A session in this process freezes what there is, and lets go of it afterwards (:mod:`stimctl.control.process`): the
    next one would look through a quarter of a million objects, for longer than many a test takes.
    """
    gc.collect()
    gc.freeze()
    let_go = gc.unfreeze
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "unfreeze", lambda: None)
        yield
    let_go()  # what was lost in a circle is found at the end, and complains then


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    """Fail a test that leaves a thread running, a child unwaited or a terminal open."""
    threads, children, terminals = set(threading.enumerate()), _children(), _terminals()
    yield
    for thread in set(threading.enumerate()) - threads:
        thread.join(LINGER_S)
    left = [f"thread {thread.name}" for thread in set(threading.enumerate()) - threads]
    left += [f"child process {pid}" for pid in _children() - children]
    left += [f"open terminal {name}" for name in _terminals() - terminals]
    if left:
        pytest.fail(f"left behind: {', '.join(left)}", pytrace=False)


def _children() -> set[str]:
    """Process ids of our children, dead but unwaited ones included; empty where the system does not tell."""
    if not sys.platform.startswith("linux"):
        return set()
    try:
        with open(f"/proc/self/task/{threading.get_native_id()}/children", encoding="ascii") as listed:  # noqa: PTH123
            return set(listed.read().split())
    except FileNotFoundError:
        return set()


def _terminals() -> set[str]:
    """Open descriptors on pseudo-terminals, as ``descriptor:name``; empty where the system does not tell."""
    # Asked twice for every test, of every descriptor: by paths it would be the dearest part of many a test.
    found, folder = set(), "/proc/self/fd"
    for name in os.listdir(folder) if os.path.exists(folder) else ():  # noqa: PTH110, PTH208
        try:
            target = os.readlink(f"{folder}/{name}")  # noqa: PTH115
        except OSError:  # the descriptor that was reading the folder itself
            continue
        if target.startswith(("/dev/pts/", "/dev/ptmx")):
            found.add(f"{name}:{target}")
    return found
