"""How a session lives and ends: the control loop until it is over, then the board alone, then the record."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Final

from stimctl.control import running
from stimctl.control.contract import Ending
from stimctl.errors import StimctlError
from tests.proving.sim_faults import MS
from tests.proving.sim_stand_ins import SimClock

if TYPE_CHECKING:
    from tests.proving.sim_world import World

AFTER_US: Final = 1_500 * MS
"""How long the board lives on alone once the session is over."""


def live(world: World) -> None:
    """As the control process does it: the loop, then stop, zero, close."""
    failure: BaseException | None = None
    try:
        ending = world.loop.run()
    except RuntimeError as error:
        if error is not world.stop_thread.failure:
            raise
        ending, failure = Ending("stimctl failed", 1), error
    world.is_over = True
    world.note(lambda: f"END: {ending.reason}")
    control = SimpleNamespace(_session=world.observed, _clock=SimClock(world))
    in_order = failure is None and world.session.ended
    output, failed = running._Control._close(control, world.loop, ending, in_order=in_order)  # type: ignore[arg-type]
    if failed is not None:
        raise failed
    world.model.close("the session was closed", world.time.now_us)
    world.mark("end", output)


def outlive(world: World) -> None:
    """The board alone: whatever still flows has to end."""
    if not hasattr(world, "session"):
        return
    world.is_over = True
    world.model.close("the process has ended", world.time.now_us)
    end_us = world.time.now_us + AFTER_US
    while world.time.now_us < end_us:
        world.time.now_us += 50 * MS
        for wire in world.wires:
            wire.pump()
        world.judge.step()


def put_away(world: World, killed_us: int | None) -> bool:
    """Close the record; whether it had failed."""
    failed = bool(world.journal.failed) if hasattr(world, "journal") else True
    if killed_us is None and hasattr(world, "journal"):
        world.disk.latency_us = 0
        try:
            world.journal.close()
        except StimctlError:
            failed = True
    world.fibres.kill()
    return failed
