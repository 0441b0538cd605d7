"""The two programs of a walk, from inside: ``stimctl`` that tells what it does, and its face that hangs when told to.

Run as a script. Both import no more than ``stimctl`` itself does: a walk starts them often.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Final

HANGS: Final = {"sleeps": signal.SIGRTMIN, "computes": signal.SIGRTMIN + 1, "holds the lock": signal.SIGRTMIN + 2}
HANG_S: Final = 0.8
"""Longer than the face's dead-man: what stops for the key has to come before that would."""

CONTROL: Final = (sys.executable, "-m", "tests.proving.stop_programs", "control")
FACE: Final = (sys.executable, "-m", "tests.proving.stop_programs", "face")
TELL: Final = "STIMCTL_WALK_TELL"
"""Names the pipe on which the control process tells, a line of JSON each. Nobody inherits it: its end is their end."""

LED: Final = "STIMCTL_WALK_LED"
"""The board's name, for a walk that begins at the thresholds: the way there is ordered from within, not typed."""

PROTOCOL_FILE: Final = "protocol.toml"


def control(arguments: list[str]) -> int:
    """``stimctl`` with a session that tells what it does."""
    from unittest import mock

    from stimctl import cli
    from stimctl.control import start
    from stimctl.control.operator import ScriptedOperator
    from stimctl.engine import State
    from stimctl.orders import Order, OrderKind
    from stimctl.session.door import AnySession
    from stimctl.sim.terminal import clock_us

    fd = os.open(os.environ.pop(TELL), os.O_WRONLY)
    board = os.environ.pop(LED, "")
    opening = Order(OrderKind.OPEN, protocol=PROTOCOL_FILE, patient="P", side="right", board=board)
    operator = ScriptedOperator(opening)

    def tell(**what: object) -> None:
        os.write(fd, json.dumps(what).encode() + b"\n")

    class Watched(AnySession):  # type: ignore[misc]
        """Tells on the pipe, after the deed."""

        told: object = None

        def stop_now(self, reason: str) -> None:
            super().stop_now(reason)
            tell(us=clock_us(), stop=reason)

        def tick(self, now_us: int) -> None:
            super().tick(now_us)
            if board and self.stimulating.state in (State.CHOOSING, State.SCREENING, State.PADS):
                for order in operator(self.status(now_us), now_us):
                    self.order(order, now_us)
            asked = self.status(now_us).questions if self.stimulating.state == State.SCREENING else ()
            now = {
                "state": self.stimulating.state,
                "stopped": self.stimulating.latch.tripped,
                "open": [question.kind for question in asked if not question.answer],
            }
            if self.told != now:
                self.told = now
                tell(**now)

    tell(control=os.getpid())
    with mock.patch.object(start, "AnySession", Watched), mock.patch.object(start, "FACE", FACE):
        return cli.main(arguments)


def face(arguments: list[str]) -> int:
    """The face, which hangs in one way or another when it is told to."""
    from stimctl import __main__ as door

    def computes(*_: object) -> None:
        end = time.monotonic() + HANG_S
        while time.monotonic() < end:
            pass

    signal.signal(HANGS["sleeps"], lambda *_: time.sleep(HANG_S))
    signal.signal(HANGS["computes"], computes)
    signal.signal(HANGS["holds the lock"], lambda *_: sum(range(50_000_000)))  # one call, into C and back
    sys.argv = ["stimctl", "--face", *arguments]
    return door.main()


if __name__ == "__main__":
    sys.exit({"control": control, "face": face}[sys.argv[1]](sys.argv[2:]))
