"""What a run has to do with LSL: how far streams go, the one that it listens to, and the ones that tell of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from stimctl.control.clock import Clock, RealClock
from stimctl.errors import UsageError
from stimctl.session.lab import Lab
from stimctl.session.search import ahead, is_stream

if TYPE_CHECKING:
    from stimctl.control.start import RunRequest


@contextmanager
def opened(request: RunRequest, clock: Clock) -> Iterator[Lab | None]:
    """Find what is listened to and begin what is sent, before there is a loop to wait for either.

    Raises :class:`UsageError` where a stream is not there, cannot be had, or would be read by a clock that is hurried.
    """
    if request.lsl_scope:
        from stimctl.transport.lsl import widen

        widen(request.lsl_scope)
    if not isinstance(clock, RealClock) and (request.lsl_out or is_stream(request.emg)):
        asked = "--lsl-out" if request.lsl_out else request.emg
        raise UsageError(f"{asked} is for real time, and this session's time is not: leave out --speed")
    ahead(request.emg)
    if not request.lsl_out:
        yield None
        return
    from stimctl.transport.lsl_out import Outlet

    outlet = Outlet(request.lsl_out)
    try:
        yield Lab(outlet)
    finally:
        outlet.close()
