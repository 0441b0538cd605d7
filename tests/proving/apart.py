"""A call in a split-off copy of this process: it begins from the very same state, and leaves nothing behind.

Only for processes with one thread, as those that a prover starts for itself.
"""

from __future__ import annotations

import json
import os
import signal
import traceback
from collections.abc import Callable
from typing import Any, Final

DEADLINE_S: Final = 60
"""After this many seconds a copy has hung, and is ended by the system."""


def apart(call: Callable[[], Any], *, deadline_s: int = DEADLINE_S) -> Any:
    """What ``call`` returns, which must be JSON values; raises :class:`RuntimeError` with what it raised, or its fate.

    ``deadline_s`` 0 is for ever.
    """
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(here)
        _answer(there, call, deadline_s)
    os.close(there)
    with os.fdopen(here, "rb") as answers:
        said = answers.read()
    _, status = os.waitpid(child, 0)
    if not said:
        raise RuntimeError(f"a copy of this process ended without an answer, by status {status}")
    value, error = json.loads(said)
    if error:
        raise RuntimeError(error)
    return value


def _answer(there: int, call: Callable[[], Any], deadline_s: int) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(deadline_s)
    try:
        said = json.dumps([call(), ""])
    except BaseException:  # noqa: BLE001 - told to whoever asked
        said = json.dumps([None, traceback.format_exc()])
    with os.fdopen(there, "wb") as answers:
        answers.write(said.encode())
    os._exit(0)
