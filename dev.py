#!/usr/bin/env python3
"""The developer's one command: makes its own environment, then does what it is told.

    python3 dev.py demo            a full guided session on the simulated board and patient
    python3 dev.py run ARGS...     the same as `stimctl ARGS...`
    python3 dev.py test [ARGS...]  all tests, or what pytest's ARGS select
    python3 dev.py check           lint, format, types and walls
    python3 dev.py prove [NAME...] the long proofs of limiter and stop, and one table of what they found
    python3 dev.py bench [NAME...] the benchmarks, or those named

Standard library only, and it parses on Python 3.7, so that an old Python gets a sentence and not a traceback. The
environment is `.venv` beside this file, filled from `requirements.lock` with every hash checked; pip's own settings
(mirror, proxy, certificates) are honoured as they are. It is made again when the lock changes, when the folder has
moved, or when an earlier attempt was cut short.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import time
from typing import IO, Iterator  # the names that Python 3.7 knows

OLDEST = (3, 11)
ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
STAMP = os.path.join(VENV, "stimctl-dev.stamp")
LOCK = os.path.join(ROOT, "requirements.lock")
PROJECT = os.path.join(ROOT, "pyproject.toml")

# What a stamp holds while an environment is being filled: whoever finds it knows that nobody finished.
UNFINISHED = "unfinished"

NO_VENV = """\
this Python cannot make environments: its "venv" or "ensurepip" part is missing.
On Debian or Ubuntu:  sudo apt install python3-venv
Elsewhere, install Python from python.org or your system's package manager. Then run the same command again."""


class Trouble(Exception):
    """Something the user has to put right; the text says how."""


def say(text: str) -> None:
    """One plain line of progress; on stderr, so that `dev.py run schema > file` holds only the schema."""
    print("dev.py: " + text, file=sys.stderr, flush=True)


# --- the Python that makes the environment ---------------------------------------------------------------------


def newer_python() -> str | None:
    """Another Python on this machine that is new enough, best first, or None."""
    for minor in range(14, OLDEST[1] - 1, -1):
        found = shutil.which("python3.%d" % minor)
        # A version manager's shim exists for every version and runs only for some: ask it.
        if found and _answers(found, "import sys; sys.exit(sys.version_info < (3, 11))"):
            return found
    return None


def insist_on_python() -> None:
    """Carry on with a newer Python when this one is too old; :class:`Trouble` when there is none."""
    if sys.version_info[:2] >= OLDEST:
        return
    newer = newer_python()
    if newer is None:
        raise Trouble(
            "stimctl needs Python %d.%d or newer, and this is %d.%d. Install a newer one and run this command with it,\n"
            "for example:  python3.12 dev.py demo" % (*OLDEST, *sys.version_info[:2])
        )
    say("Python %d.%d is too old; carrying on with %s" % (sys.version_info[0], sys.version_info[1], newer))
    sys.exit(become([newer, os.path.join(ROOT, "dev.py"), *sys.argv[1:]]))


def _answers(python: str, code: str) -> bool:
    """Whether this Python runs ``code`` and leaves with 0."""
    try:
        done = subprocess.run(
            [python, "-I", "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
        )
    except OSError:
        return False
    return done.returncode == 0


# --- the environment -------------------------------------------------------------------------------------------


def venv_python() -> str:
    """The environment's Python, whether it exists or not."""
    where = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return os.path.join(VENV, *where)


def wanted_stamp() -> str:
    """What a finished environment's stamp says: what was installed, and where it stood when it was."""
    digest = hashlib.sha256()
    for path in (LOCK, PROJECT):
        with open(path, "rb") as file:
            digest.update(file.read())
    digest.update(VENV.encode())  # an environment cannot be moved: its scripts hold its path
    return "stimctl " + digest.hexdigest()


def read_stamp() -> str:
    """The stamp, or nothing."""
    try:
        with open(STAMP, encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return ""


def write_stamp(text: str) -> None:
    """Replace the stamp; whole or not at all."""
    with open(STAMP + ".new", "w", encoding="utf-8") as file:
        file.write(text + "\n")
    os.replace(STAMP + ".new", STAMP)


def works() -> bool:
    """Whether the environment's Python runs, is new enough and has a pip: a failed venv has the first and not the last."""
    code = "import sys, pip; sys.exit(sys.version_info[:2] < (%d, %d))" % OLDEST
    return os.path.exists(venv_python()) and _answers(venv_python(), code)


def ready() -> bool:
    """Whether the environment is the one that the lock describes."""
    return read_stamp() == wanted_stamp() and works()


def prepare() -> None:
    """Make the environment unless it is ready; two of us at once take turns."""
    if ready():
        return
    with turn():
        if not ready():
            make()


def make() -> None:
    """Fill the environment, from nothing unless somebody's own working one without a stamp of ours stands there."""
    if not (read_stamp() == "" and works()):
        fresh()
    write_stamp(UNFINISHED)
    say("installing what requirements.lock lists (a minute or two the first time)")
    pip("install", "--require-hashes", "--no-deps", "-r", LOCK)
    pip("install", "--no-deps", "--no-build-isolation", "-e", ROOT)  # hatchling, in the lock, builds it offline
    write_stamp(wanted_stamp())
    say("ready")


def fresh() -> None:
    """An empty environment with a pip, in the place of whatever stands there."""
    if not (_answers(sys.executable, "import venv, ensurepip")):
        raise Trouble(NO_VENV)
    say("making the environment in " + VENV)
    if os.path.isdir(VENV) and not os.path.islink(VENV):
        shutil.rmtree(VENV)
    elif os.path.lexists(VENV):
        raise Trouble("%s is not a folder; move it away and run the same command again" % VENV)
    os.mkdir(VENV)
    write_stamp(UNFINISHED)  # before anything else: what is cut short from here on is known to be half-made
    done = subprocess.run([sys.executable, "-m", "venv", VENV], check=False)
    if done.returncode != 0 or not works():
        raise Trouble(NO_VENV)


def pip(*args: str) -> None:
    """The environment's pip, as its user has configured it; :class:`Trouble` when it fails, with pip's own words above."""
    command = [venv_python(), "-m", "pip", *args, "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode != 0:
        raise Trouble(
            "pip could not install stimctl's dependencies (its own message stands above).\n"
            "Check the network, the proxy and pip's settings (pip config list), then run the same command again."
        )


@contextlib.contextmanager
def turn() -> Iterator[None]:
    """Hold ``.venv.lock`` beside the environment; the operating system lets go of it when we die."""
    with open(VENV + ".lock", "a+b") as file:
        told = False
        while not _try_lock(file):
            if not told:
                say("another dev.py is preparing the environment; waiting for it")
                told = True
            time.sleep(0.2)
        yield


def _try_lock(file: IO[bytes]) -> bool:
    """Whether the lock is ours now."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


# --- the commands ----------------------------------------------------------------------------------------------


def become(command: list[str]) -> int:
    """Run ``command`` in our place: its exit code, its signals and its terminal are ours."""
    if os.name != "nt":
        os.execv(command[0], command)  # never returns
    try:
        return subprocess.call(command)
    except KeyboardInterrupt:
        return 130  # the console sent it to the command as well, which has dealt with it


def python(*args: str) -> int:
    """``args`` to the environment's Python, from the folder that the user stands in."""
    return become([venv_python(), *args])


def test(args: list[str]) -> int:
    """All tests, or with ARGS just what they say; two for each core, because many wait for other programs."""
    os.chdir(ROOT)
    workers = str(min(8, 2 * (os.cpu_count() or 1)))
    return python("-m", "pytest", *(args or ["-n", workers, "--dist", "worksteal"]))


CHECKS = (
    ("lint", ("-m", "ruff", "check", ".")),
    ("format", ("-m", "ruff", "format", "--check", ".")),
    ("types", ("-m", "mypy")),
    ("walls", ("-c", "from importlinter.cli import lint_imports_command as main; main(['--no-logo'])")),
)


def check(args: list[str]) -> int:
    """Every check, even after one has failed; non-zero when any did."""
    if args:
        raise Trouble("check takes no arguments")
    failed = []
    for name, command in CHECKS:
        say(name)
        if subprocess.call([venv_python(), *command], cwd=ROOT) != 0:
            failed.append(name)
    say("failed: " + ", ".join(failed) if failed else "all checks passed")
    return 1 if failed else 0


def bench(args: list[str]) -> int:
    """The benchmarks."""
    os.chdir(ROOT)
    return python("-m", "benchmarks", *args)


def prove(args: list[str]) -> int:
    """The long runs of tests/proving."""
    os.chdir(ROOT)
    return python("-m", "tests.proving", *args)


COMMANDS = {
    "demo": lambda args: python("-m", "stimctl", "demo", *args),
    "run": lambda args: python("-m", "stimctl", *args),
    "test": test,
    "check": check,
    "prove": prove,
    "bench": bench,
}


def main(argv: list[str]) -> int:
    """The command in ``argv``; returns its exit code."""
    if len(argv) < 2 or argv[1] in ("-h", "--help"):
        print(__doc__)
        return 0 if len(argv) > 1 else 2
    if argv[1] not in COMMANDS:
        say("there is no command %r; there are %s (python3 dev.py --help)" % (argv[1], ", ".join(COMMANDS)))
        return 2
    try:
        insist_on_python()
        prepare()
        return COMMANDS[argv[1]](argv[2:])
    except Trouble as trouble:
        say(str(trouble))
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv))
