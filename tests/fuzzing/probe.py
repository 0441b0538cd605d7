"""A probe of one path, and the guard that watches what else an input makes happen."""

from __future__ import annotations

import contextlib
import io
import os
import random
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn, Self
from unittest import mock

from stimctl.cli import main
from stimctl.errors import UsageError
from stimctl.transport import lsl, lsl_in

CODES: Final = (0, 1, 2)
"""What a command may end with: good, faults, wrong usage. Anything else is a bug or a hang."""

LONGEST: Final = 3_000
"""Characters of a line that a person is shown, whatever was in a file; what was typed comes on top."""

CHANGES: Final = frozenset(
    {
        *(
            "os.mkdir",
            "os.rmdir",
            "os.remove",
            "os.rename",
            "os.symlink",
            "os.link",
            "os.chmod",
            "os.chown",
            "os.truncate",
        ),
        *("shutil.rmtree", "shutil.move", "sqlite3.connect"),
    }
)
NEVER: Final = frozenset(
    {
        *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "pty.spawn"),
        *("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "exec", "pickle.find_class"),
        *("webbrowser.open", "ctypes.dlopen", "urllib.Request", "ftplib.connect", "smtplib.connect"),
    }
)
"""Audit events (docs.python.org, audit events table) that no input may bring about."""

_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass(frozen=True)
class Probe:
    """One path. ``one`` draws an input and tries it in a folder of its own; whatever it raises is a failure."""

    name: str
    what: str
    one: Callable[[random.Random, Path], None]
    warm: Callable[[], object] = lambda: None
    """Makes what is made once, before anybody watches what is written."""


@dataclass(frozen=True)
class Failure:
    """An input that was not taken as it must be."""

    probe: str
    seed: int
    why: str


def run(
    probe: Probe, seeds: Iterable[int], *, patience: Callable[[], contextlib.AbstractContextManager[object]]
) -> list[Failure]:
    """Try one input for each seed; those that failed, and why."""
    failed = []
    probe.warm()
    with tempfile.TemporaryDirectory(prefix="stimctl-fuzz-") as folder:
        for seed in seeds:
            scratch = Path(folder) / "scratch"
            scratch.mkdir()
            try:
                with patience(), Guard(scratch):
                    probe.one(random.Random(seed), scratch)
            except BaseException as error:  # noqa: BLE001 - a hang is a KeyboardInterrupt's cousin, and counts as well
                failed.append(Failure(probe.name, seed, "".join(traceback.format_exception(error))))
            finally:
                _empty(scratch)
    return failed


def _empty(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    folder.rmdir()


@contextlib.contextmanager
def no_streams() -> Iterator[None]:
    """A network on which no stream is, and no library that would ask it: each search ends at once, with a sentence."""

    def find(key: str, value: str) -> NoReturn:
        lsl_in._equals(key, value)  # in the network's own words
        raise UsageError("there is none at all")

    with mock.patch.object(lsl_in, "find", find), mock.patch.object(lsl, "library"):
        yield


@contextlib.contextmanager
def given(data: object) -> Iterator[None]:
    """Whatever fails within this says what it was given."""
    try:
        yield
    except BaseException as error:
        text = repr(data)
        error.add_note(f"given: {text if len(text) < 20_000 else text[:20_000] + ' ...'}")
        raise


# --- commands -----------------------------------------------------------------------------------------------------


def command(*arguments: str, stdin: bytes = b"") -> str:
    """Run a command in this process; what it said. Fails unless that is lines for a person and a code of the contract."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    before = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin), "utf-8")
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(list(arguments))
            out.flush()
            err.flush()
    finally:
        sys.stdin = before
    said = out.buffer.getvalue().decode("utf-8", "backslashreplace")
    complained = err.buffer.getvalue().decode("utf-8", "backslashreplace")
    assert code in CODES, (code, complained)
    assert "Traceback" not in complained
    if code == 2:
        assert complained.count("\n") == 1, complained
    for line in complained.splitlines():
        assert line.isprintable(), line
        assert len(line) < LONGEST + 10 * sum(map(len, arguments)), line  # what was typed is said back, escaped
    return said


# --- the guard ----------------------------------------------------------------------------------------------------


class Guard:
    """Inside ``with``: any change outside a folder, any process and any connection is noted, and fails at the end.

    Stands in the folder meanwhile, so that what is written to a name without a path lands there and is seen.
    """

    active: Guard | None = None

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder.resolve())
        self.noted: list[str] = []

    def __enter__(self) -> Self:
        _watch_for_ever()
        self._before = os.getcwd()  # noqa: PTH109 - audited and cheap
        os.chdir(self._folder)
        Guard.active = self
        return self

    def __exit__(self, *_: object) -> None:
        Guard.active = None
        os.chdir(self._before)
        assert not self.noted, self.noted

    def see(self, event: str, arguments: tuple[Any, ...]) -> None:
        """One audit event."""
        if event in NEVER and not (event == "exec" and _is_ours(arguments)):
            self.noted.append(f"{event} {arguments!r:.200}")
        elif event == "open" and (_writes(*arguments[1:]) and not self._inside(arguments[0])):
            self.noted.append(f"wrote {arguments[0]!r}")
        elif event == "sqlite3.connect" and "mode=ro" in str(arguments[0]):
            return
        elif event in CHANGES and not all(
            self._inside(each) for each in arguments if isinstance(each, str | bytes | os.PathLike)
        ):
            self.noted.append(f"{event} {arguments!r:.200}")

    def _inside(self, path: object) -> bool:
        if isinstance(path, int):
            return True
        name = os.fsdecode(path)  # type: ignore[arg-type]
        if name.startswith("file:///"):  # a database's address; a file's path would have fewer strokes
            name = name.removeprefix("file://").partition("?")[0]
        whole = os.path.abspath(name)  # noqa: PTH100 - links are seen as what they are
        byte_code = "__pycache__" in whole or whole.startswith(sys.pycache_prefix or "/none")
        nowhere = (whole + os.sep).startswith(os.devnull + os.sep)  # itself, and what cannot be made below it
        return byte_code or whole.startswith(self._folder) or nowhere


def _writes(mode: object, flags: object) -> bool:
    return (isinstance(mode, str) and bool(set(mode) & set("wax+"))) or (
        isinstance(flags, int) and bool(flags & _WRITING)
    )


def _is_ours(arguments: tuple[Any, ...]) -> bool:
    """Whether a code object comes from a file, as a module does that is only now imported, or from a dataclass."""
    name = getattr(arguments[0], "co_filename", "")
    return bool(name) and (name.startswith(("/", "<frozen")) or name == "<string>")


_watching = False


def _watch_for_ever() -> None:
    """An audit hook cannot be taken away again; while no guard is active it costs next to nothing."""
    global _watching
    if not _watching:
        _watching = True
        sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if Guard.active is not None:
        Guard.active.see(event, arguments)
