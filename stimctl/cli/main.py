"""From arguments to an exit code; every error becomes one line that says what, where and what to do."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Final

from stimctl.cli import say
from stimctl.errors import OurBug, ProtocolError, StimctlError, UsageError

GOOD: Final = 0
FAULTS: Final = 1
USAGE: Final = 2
BUG: Final = 70
"""``EX_SOFTWARE`` of sysexits.h: neither the file's fault nor the user's."""

INTERRUPTED: Final = 130
READER_GONE: Final = 141
"""128 plus the number of SIGINT and SIGPIPE, as a shell counts them."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command in ``argv`` (the process's own when ``None``); returns the exit code and raises nothing."""
    return guarded(lambda: _dispatch(argv))


def guarded(run: Callable[[], int]) -> int:
    """The exit code of ``run``; whatever it raises becomes one line and a code. For the face's own process as well."""
    say.settle_streams()
    try:
        return run()
    except ProtocolError as error:
        # No prefix: an editor reads file:line:column from the start of the line.
        for fault in error.faults:
            say.problem(str(fault))
        return FAULTS
    except OurBug as error:
        return _bug(error)
    except StimctlError as error:
        say.problem(f"stimctl: {error}")
        return USAGE if isinstance(error, UsageError) else FAULTS
    except BrokenPipeError:
        _forget_stdout()
        return READER_GONE
    except KeyboardInterrupt:
        say.problem("stimctl: interrupted")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last door: no traceback reaches a user
        return _bug(error)


def _dispatch(argv: Sequence[str] | None) -> int:
    from stimctl.cli.parser import parse

    try:
        arguments = parse(argv)
    except SystemExit as left:  # argparse has said what it has to say: help, version or a usage error
        sys.stdout.flush()
        return left.code if isinstance(left.code, int) else USAGE
    code: int = arguments.run(arguments)
    sys.stdout.flush()
    return code


def _forget_stdout() -> None:
    """Send what is still buffered nowhere, or the interpreter complains about it on its way out."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        pass


def _bug(error: BaseException) -> int:
    """One line for the user, the details where a bug report can take them from."""
    import traceback

    details = "".join(traceback.format_exception(error))
    text = " ".join(str(error).split())
    what = f"stimctl: this is a bug in stimctl: {type(error).__name__}: {text}"
    if os.environ.get("STIMCTL_DEBUG"):
        sys.stderr.write(details)
        say.problem(what)
    else:
        say.problem(f"{what}; please report it with {_kept(details)}")
    return BUG


def _kept(details: str) -> str:
    """Write ``details`` where its user finds them; returns where, in words."""
    import tempfile

    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="stimctl-bug-", suffix=".txt", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as file:
            file.write(f"{sys.version}\n{sys.platform}\n{details}")
    except OSError:
        return "what STIMCTL_DEBUG=1 shows when you run it again"
    return f"the details in {file.name}"
